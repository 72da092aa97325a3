//! A process's questions to etcd and Redis, and what it makes of the answers, or of none.

use marquee::config::LeaseConfig;
use marquee::config::timing::STORE_OPERATION;
use marquee::coordination::Token;
use marquee::coordination::election::{Answer, Ask, Event, Missed};
use marquee::coordination::etcd::Failure;
use marquee::coordination::link::{Message, Said};
use marquee::kernel::beat::Sample;
use marquee::kernel::{BoardSnapshot, Current, Input, Moment, Snapshot, Span};

use super::{Action, App, Call, Pending, Reply};
use crate::breaks::Break;
use crate::etcd::{EtcdOp, EtcdReply};
use crate::redis::{RedisOp, RedisReply};

impl App {
    pub(super) fn call(&mut self, now: Moment, what: Call, within: Span) -> u64 {
        self.called += 1;
        self.calls.insert(self.called, Pending { sent: now, until: now + within, what });
        self.called
    }

    pub(super) fn etcd(&mut self, now: Moment, what: Call, op: EtcdOp) {
        let id = self.call(now, what, LeaseConfig::DEFAULT.attempt);
        self.actions.push(Action::Etcd(id, op));
    }

    pub(super) fn redis(&mut self, now: Moment, what: Call, op: RedisOp) {
        let id = self.call(now, what, STORE_OPERATION);
        self.actions.push(Action::Redis(id, op));
    }

    /// A call was not answered in time.
    pub(super) fn missed(&mut self, now: Moment, id: u64) {
        let Some(call) = self.calls.remove(&id) else { return };
        self.failed(now, &call.what, call.sent, Missed::Unknown);
    }

    pub(super) fn failed(&mut self, now: Moment, what: &Call, sent: Moment, missed: Missed) {
        match *what {
            Call::Ask(ask @ Ask::StoredEpoch) => self.elected(now, ask, sent, Ok(Answer::Stored(0))),
            Call::Ask(ask @ Ask::Claim(_)) => {
                self.redis_fails = true;
                self.elected(now, ask, sent, Ok(Answer::Claimed));
            }
            Call::Ask(ask) => self.elected(now, ask, sent, Err(missed)),
            Call::Beat | Call::Claim(_) => {
                let was = std::mem::replace(&mut self.redis_fails, true);
                (self.claimed, self.said_board) = (None, None);
                if !was {
                    // The same again by the other way, and at once.
                    self.beat_at = now;
                }
            }
            Call::Time => {
                self.sample_at = self.sample_at.max(now + Span::from_millis(100));
                self.redis_fails |= self.leads.is_none();
            }
            Call::Member => self.belongs(now, None),
            Call::Put | Call::Fetch | Call::State | Call::List => {}
        }
    }

    pub(super) fn elected(&mut self, now: Moment, ask: Ask, sent: Moment, answer: Result<Answer, Missed>) {
        let sent = if self.breaks == Some(Break::CountsFromAnswer) { now } else { sent };
        self.console.elect(now, Event::Answered { ask, sent, answer });
    }

    /// Takes an answer.
    pub(crate) fn answered(&mut self, now: Moment, id: u64, reply: Reply) {
        let Some(Pending { sent, what, .. }) = self.calls.remove(&id) else { return };
        match (what, reply) {
            (what, Reply::Redis(RedisReply::Refused(line))) => {
                self.log(1, (!line.is_empty()).then(|| self.voice.redis(&line)));
                self.failed(now, &what, sent, Missed::Failed);
            }
            (Call::Ask(ask), Reply::Etcd(Ok(EtcdReply::Answer(answer)))) => {
                self.log(0, None);
                self.elected(now, ask, sent, Ok(answer));
            }
            (what, Reply::Etcd(Err(refusal))) => {
                let failure = self.voice.etcd(&refusal);
                self.log(0, Some(failure.to_string()));
                let missed = if matches!(failure, Failure::Unknown(_)) { Missed::Unknown } else { Missed::Failed };
                self.failed(now, &what, sent, missed);
            }
            (Call::Member, Reply::Etcd(Ok(EtcdReply::Member(reply)))) => self.belongs(now, Some(reply)),
            (Call::List, Reply::Etcd(Ok(EtcdReply::Members(records)))) => self.listed(&records),
            (Call::Ask(ask), Reply::Redis(RedisReply::Epoch(epoch))) => {
                self.elected(now, ask, sent, Ok(Answer::Stored(epoch)));
            }
            (Call::Ask(ask @ Ask::Claim(token)), Reply::Redis(RedisReply::Claimed(seq, frame))) => {
                self.has_claimed(now, token, seq, frame);
                self.elected(now, ask, sent, Ok(Answer::Claimed));
            }
            (Call::Ask(ask), Reply::Redis(RedisReply::Stale(token))) => {
                self.elected(now, ask, sent, Ok(Answer::Fenced(token)));
            }
            (Call::Claim(token), Reply::Redis(RedisReply::Claimed(seq, frame))) => {
                self.has_claimed(now, token, seq, frame);
                self.beat_at = now;
            }
            (_, Reply::Redis(RedisReply::Stale(token))) => self.console.elect(now, Event::Outranked(token)),
            (Call::Beat, Reply::Redis(_)) => {
                self.log(1, None);
                self.redis_fails = false;
            }
            (Call::Time, Reply::Redis(RedisReply::Time(run, reading))) => {
                self.reference.follow(&run.to_string());
                let reference = Moment::from_unix_nanos(reading);
                self.sample_at = self.reference.sample(Sample { sent, reference, received: now });
                if self.leads.is_none() {
                    self.redis_fails = false;
                }
            }
            (Call::Fetch | Call::State, Reply::Redis(RedisReply::Text(Some(line))))
            | (Call::Fetch, Reply::Etcd(Ok(EtcdReply::Text(Some(line))))) => self.read(now, &line),
            _ => {}
        }
        self.step(now);
    }

    pub(super) fn has_claimed(&mut self, now: Moment, token: Token, seq: u64, frame: Option<String>) {
        (self.claimed, self.redis_fails) = (Some(token), false);
        self.seq_floor = self.seq_floor.max(seq);
        if !std::mem::replace(&mut self.resumed, true) {
            self.resume(now, frame);
        }
    }

    /// Who leads without ever having followed goes on from what the leader before it said last.
    pub(super) fn resume(&mut self, now: Moment, frame: Option<String>) {
        let Some(message) = frame.and_then(|frame| Message::read(&frame).ok()) else { return };
        let Some(mapping) = self.reference.reads(&message.head) else { return };
        let Said::Beat { beat, .. } = message.on_clock(|moment| mapping.to_local(moment)).said else { return };
        let Some(turn) = beat.turns.iter().rev().find(|turn| turn.show_at <= now) else { return };
        let current =
            Current { seq: beat.seq, item: turn.item.clone(), show_at: turn.show_at, dwell: turn.dwell, fence: 0 };
        self.kernel.handle(now, Input::Snapshot(Box::new(Snapshot { current, board: BoardSnapshot::default() })));
    }
}
