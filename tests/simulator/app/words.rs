//! What a process says to the others, and what it hears of them.

use marquee::config::timing::{BEAT, HORIZON};
use marquee::coordination::Token;
use marquee::coordination::election::Event;
use marquee::coordination::link::{Head, Ignored, Message, Said};
use marquee::frame::Safe;
use marquee::kernel::beat::Mapping;
use marquee::kernel::{Input, Moment, Span};

use super::{App, Call, Note};
use crate::breaks::Break;
use crate::etcd::{EtcdOp, Told};
use crate::plant;
use crate::redis::RedisOp;

impl App {
    pub(super) fn line(&self, now: Moment, token: Token, said: Said) -> String {
        let (clock, mapping) = self.reference.speaks();
        let head = Head {
            board: plant::BOARD.into(),
            console: Safe::line(&self.name),
            boot: self.process.clone(),
            token,
            at: now,
            clock: clock.to_owned(),
        };
        Message { head, said }.on_clock(|moment| mapping.to_reference(moment)).write()
    }

    /// Says the beat, the news and, where it has changed, the board.
    pub(super) fn speak(&mut self, now: Moment, token: Token, handover: bool) {
        self.beat_at = now + BEAT;
        let mut beat = self.kernel.beat(HORIZON);
        beat.seq = beat.seq.max(self.seq_floor);
        let (seq, mark) = (beat.seq, beat.mark);
        self.number += 1;
        self.note(Note::Speaks(token, self.number));
        let line = self.line(now, token, Said::Beat { number: self.number, consoles: 1, handover, beat });
        let news = self.kernel.news(self.news_touched);
        self.news_touched = self.kernel.board().touched();
        let news = (!news.is_empty()).then(|| self.line(now, token, Said::News(news)));
        let board = (self.said_board != Some((token, mark)) && self.board_at <= now).then(|| {
            (self.said_board, self.board_at) = (Some((token, mark)), now + BEAT);
            self.line(now, token, Said::Board { mark, mirror: self.kernel.mirror() })
        });
        if self.redis_fails {
            self.etcd(now, Call::Put, EtcdOp::Frame(token, line.clone()));
            if let Some(news) = news.clone() {
                self.etcd(now, Call::Put, EtcdOp::Frame(token, news));
            }
            if let Some(board) = board.clone() {
                self.etcd(now, Call::Put, EtcdOp::Board(token, board));
            }
        }
        if self.waits_for(|call| matches!(call, Call::Beat | Call::Claim(_))) && self.redis_fails {
            return;
        }
        if self.claimed == Some(token) {
            if let Some(news) = news {
                self.redis(now, Call::Put, RedisOp::News(token, news));
            }
            if let Some(board) = board {
                self.redis(now, Call::Put, RedisOp::Board(token, board));
            }
            self.redis(now, Call::Beat, RedisOp::Publish(token, seq, self.number, line));
        } else {
            self.redis(now, Call::Claim(token), RedisOp::Claim(token));
        }
    }

    /// The subscription is new: what was said before is read.
    pub(crate) fn subscribed(&mut self, now: Moment) {
        self.redis(now, Call::State, RedisOp::GetState);
        self.step(now);
    }

    /// Takes what the watch told; `None`: the watch is broken.
    pub(crate) fn watched(&mut self, now: Moment, told: Option<Told>) {
        match told {
            Some(Told::Leader(holder)) => self.console.elect(now, Event::Watched(holder)),
            Some(Told::Frame(line)) => self.heard(now, &line, true),
            None => self.console.elect(now, Event::Watching(false)),
        }
        self.step(now);
    }

    pub(crate) fn watching(&mut self, now: Moment) {
        self.console.elect(now, Event::Watching(true));
        self.step(now);
    }

    /// Takes a line from a channel.
    pub(crate) fn hears(&mut self, now: Moment, line: &str) {
        self.heard(now, line, false);
        self.step(now);
    }

    /// Takes what a store has kept.
    pub(super) fn read(&mut self, now: Moment, line: &str) {
        let Ok(message) = Message::read(line) else { return };
        let known = self.reference.reads(&message.head);
        // Turns need the clock; when news were measured is told well enough by one that is about right.
        let is_beat = matches!(message.said, Said::Beat { .. });
        let Some(mapping) = known.or((!is_beat).then(Mapping::default)) else { return };
        let message = message.on_clock(|moment| mapping.to_local(moment));
        self.takes(now, message, self.by_etcd);
    }

    /// Takes what a channel says now.
    pub(super) fn heard(&mut self, now: Moment, line: &str, by_etcd: bool) {
        let message = match Message::read(line) {
            Ok(message) => message,
            Err(why) => return self.note(Note::Logs(format!("the other consoles: {why}"))),
        };
        let Some(mapping) = self.reference.hears(now, &message.head) else { return };
        self.exact = self.reference.is_shared(&message.head) && message.head.clock.starts_with("server:");
        let on_arrival = self.breaks == Some(Break::ShowsOnArrival);
        let late = if on_arrival { now.since(mapping.to_local(message.head.at)) } else { Span::ZERO };
        let message = message.on_clock(|moment| mapping.to_local(moment) + late);
        self.takes(now, message, by_etcd);
    }

    pub(super) fn takes(&mut self, now: Moment, message: Message, by_etcd: bool) {
        if let Err(ignored) = self.console.hear(now, &message) {
            let takes = self.breaks == Some(Break::TakesDeposed) && matches!(ignored, Ignored::Deposed(_));
            if !matches!(ignored, Ignored::Own | Ignored::Old | Ignored::Again) {
                self.note(Note::Ignores(ignored));
            }
            if !takes {
                return;
            }
        }
        self.acts_as(now);
        match message.said {
            Said::Beat { number, beat, .. } => {
                self.note(Note::Takes(message.head.token, number));
                self.resumed = true;
                (self.heard_mark, self.by_etcd) = (Some(beat.mark), by_etcd);
                self.kernel.handle(now, Input::Beat(Box::new(beat)));
            }
            Said::Board { mirror, .. } => self.kernel.handle(now, Input::Mirror(Box::new(mirror))),
            Said::News(items) => self.kernel.handle(now, Input::News(items)),
            // Who is there is no matter of the protocol.
            Said::Consoles(_) => {}
        }
    }
}
