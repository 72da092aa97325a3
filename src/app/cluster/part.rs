//! This console's part: what is decided by the protocol, given to the kernel, and back.
//!
//! Both ways of finding a leader drive it. It knows no server: lines come in as texts, and go out as
//! texts to whoever carries them.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tracing::{info, warn};

use super::roster::Roster;
use super::whole::WholeBoard;
use crate::app::clock::Clock;
use crate::app::driver::Inbox;
use crate::config::timing::HORIZON;
use crate::coordination::link::{Head, Ignored, Message, Reference, Said};
use crate::coordination::{Console, Presence, Token};
use crate::frame::{Fence, Safe};
use crate::kernel::beat::{Mapping, Mark, Mirror, Mirrored, Role};
use crate::kernel::{Concern, Current, Input, Kernel, Moment, Span};
use crate::metrics::Meters;

/// The board thread goes round in milliseconds; one that has not answered after so long is stuck.
const PATIENCE: Duration = Duration::from_secs(1);

/// More items than this with news are told by a whole board.
const NEWS_MAX: usize = 256;

/// How long something odd that was heard is told.
const ODD_FOR: Span = Span::from_secs(10);

/// Who this console is.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    pub(super) name: String,
    pub(super) board: String,
    pub(super) boot: String,
    pub(super) machine: String,
}

/// What a leader has to say.
#[derive(Debug)]
#[cfg_attr(not(feature = "etcd"), expect(dead_code, reason = "the way over a store alone needs it"))]
pub(super) struct Spoken {
    pub(super) token: Token,
    pub(super) beat: String,
    pub(super) number: u64,
    pub(super) current: Current,
    pub(super) news: Option<String>,
    /// The whole board, where it is wanted.
    pub(super) board: Option<String>,
}

/// Whether the whole board is to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whole {
    /// Its news are enough.
    No,
    /// Where it changed since it was told last.
    Changed,
    /// In any case.
    Always,
}

/// What came of a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It says nothing new.
    Nothing,
    /// It is taken up.
    Heard,
    /// It is taken up, but the board behind it is another one than ours: the whole is needed.
    Behind,
    /// The newest beat, once more: it had come by another way.
    Again,
    /// A list of the consoles.
    Consoles(Vec<Presence>),
}

/// The part of this console.
pub(super) struct Part {
    pub(super) console: Console,
    pub(super) reference: Reference,
    pub(super) roster: Arc<Roster>,
    pub(super) clock: Clock,
    inbox: Arc<Inbox>,
    pub(super) meters: Arc<Meters>,
    pub(super) who: Identity,
    /// The role that the kernel was told last, and since when.
    role: Option<Role>,
    since: Moment,
    notice: Option<String>,
    pub(super) whole_board: WholeBoard,
    /// Its leader is not heard over the store.
    pub(super) deaf: bool,
    odd: Option<(String, Moment)>,
    lead: Span,
    /// How long ahead turns are decided where there are others to hear of them.
    lead_among_others: Span,
    number: u64,
    /// The kernel's count up to which news was told, in the leadership of this token.
    told: Option<(Token, u64)>,
    /// The mark of the board that was told whole last.
    whole: Option<Mark>,
}

impl Part {
    pub(super) fn new(
        console: Console,
        reference: Reference,
        roster: Arc<Roster>,
        (clock, inbox, meters): (Clock, Arc<Inbox>, Arc<Meters>),
        who: Identity,
        lead_among_others: Span,
    ) -> Self {
        let since = clock.now();
        Self {
            console,
            reference,
            roster,
            clock,
            inbox,
            meters,
            who,
            role: None,
            since,
            notice: None,
            whole_board: WholeBoard::default(),
            deaf: false,
            odd: None,
            lead: Span::ZERO,
            lead_among_others,
            number: 0,
            told: None,
            whole: None,
        }
    }

    pub(super) fn now(&self) -> Moment {
        self.clock.now()
    }

    /// The role that the kernel plays.
    pub(super) fn role(&self) -> Role {
        // Before the protocol has decided anything it listens.
        self.role.unwrap_or(Role::Follower(Fence(0)))
    }

    /// Gives the kernel what the protocol has decided by now. True where the role changed.
    pub(super) fn settle(&mut self, now: Moment) -> bool {
        let role = self.console.role(now);
        self.roster.deadline.set(self.console.deadline());
        // Where the board has found out first, it shows another role than it was told.
        let missed = self.roster.deadline.was_missed();
        let changed = missed || self.role != Some(role);
        let others = self.roster.consoles() > 1;
        let (ahead, bound) = self.reference.error(now);
        let leader = self.console.leader().cloned();
        let apart = self.console.apart(now);
        // First, so that the frame of a new role says all of it.
        self.roster.tell_step(leader.as_ref(), others.then_some(bound), apart);
        if changed {
            let word = self.role.map_or("nothing", Role::word);
            if word == "leader" && matches!(role, Role::Local(_)) {
                self.meters.suspended();
            }
            if word != role.word() {
                info!(from = word, to = role.word(), fence = role.fence().0, "this console's part changed");
                self.since = now;
            }
            self.role = Some(role);
            self.meters.role(role);
            self.give(Input::Role(role));
        }
        let lead = if others { self.lead_among_others } else { Span::ZERO };
        if self.lead != lead {
            self.lead = lead;
            self.give(Input::Lead(lead));
        }
        let odd = self.odd.take().filter(|(_, until)| *until > now);
        let notice = self.console.notice(now);
        let token = self.console.may_speak(now);
        let follows = token.is_some() || matches!(role, Role::Follower(_));
        let board = || self.whole_board.notice(now, token, leader.as_deref().unwrap_or("the leader"));
        let notice = notice.or_else(|| board().filter(|_| follows));
        let notice = notice.or_else(|| odd.as_ref().map(|(why, _)| why.clone()));
        self.odd = odd;
        if missed || self.notice != notice {
            if let Some(notice) = notice.as_ref().filter(|_| self.notice.is_none()) {
                warn!("{notice}");
            }
            self.give(Input::Notice(Concern::Sync, notice.as_deref().map(|text| Safe::line(text).shared())));
            self.notice = notice;
        }
        self.meters.company(self.roster.consoles(), ahead, bound);
        self.roster.tell_own(self.presence(now), role);
        changed
    }

    /// What this console tells of itself.
    pub(super) fn presence(&self, now: Moment) -> Presence {
        let (offset, bound) = self.reference.error(now);
        let wall = self.clock.wall();
        let since = Moment::from_unix_nanos(wall.unix_nanos().saturating_sub(now.since(self.since).as_nanos()));
        Presence {
            console: self.who.name.clone(),
            boot: self.who.boot.clone(),
            machine: self.who.machine.clone(),
            process: std::process::id(),
            lease: 0,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            role: self.role().word().to_owned(),
            since_ms: since.unix_millis(),
            offset_us: offset / 1_000,
            bound_us: bound.as_nanos() / 1_000,
            seen_ms: wall.unix_millis(),
            // Whoever leads has nobody to hear.
            deaf: self.deaf && !matches!(self.role(), Role::Leader(_)),
        }
    }

    /// Tells something odd for a while, where nothing worse is to be told.
    pub(super) fn note_odd(&mut self, now: Moment, why: &str) {
        if self.odd.as_ref().is_none_or(|(told, _)| told != why) {
            warn!("{why}");
        }
        self.odd = Some((why.to_owned(), now + ODD_FOR));
    }

    /// Takes a line that came over a link; `stored`: one that was kept there, and may be old.
    pub(super) async fn take(&mut self, text: &str, stored: bool) -> Taken {
        let now = self.now();
        let message = match Message::read(text) {
            Ok(message) => message,
            Err(why) => {
                self.meters.message_refused();
                self.note_odd(now, &format!("the other consoles: {why}"));
                return Taken::Nothing;
            }
        };
        // Before its clock is looked at: that of another board is no news of ours.
        if message.head.board != self.who.board {
            self.meters.message_refused();
            let board = Safe::line(&message.head.board);
            self.note_odd(now, &format!("a message of another board, {board}, came for this one"));
            return Taken::Nothing;
        }
        let is_beat = matches!(message.said, Said::Beat { .. });
        let mapping = match self.reference.reads(&message.head) {
            _ if !stored => self.reference.hears(now, &message.head),
            // When its news were measured is told well enough by a clock that is about right; turns are not.
            None if !is_beat => Some(Mapping::default()),
            known => known,
        };
        let Some(mapping) = mapping else { return Taken::Nothing };
        let message = message.on_clock(|moment| mapping.to_local(moment));
        // What nobody says any more is no word from a leader.
        if stored && is_beat && now.since(message.head.at) > crate::config::timing::STALE_AFTER {
            return Taken::Nothing;
        }
        match self.console.hear(now, &message) {
            Ok(()) => {}
            Err(Ignored::Again) => return Taken::Again,
            Err(Ignored::Old | Ignored::Own) => return Taken::Nothing,
            Err(why) => {
                self.meters.message_refused();
                let told = match why {
                    Ignored::FarFuture => {
                        format!("{} tells turns of a far future: see to its clock", message.head.console)
                    }
                    _ => return Taken::Nothing,
                };
                self.note_odd(now, &told);
                return Taken::Nothing;
            }
        }
        self.settle(now);
        let follows = matches!(self.role(), Role::Follower(_));
        match message.said {
            Said::Beat { consoles, beat, .. } => {
                self.meters.beat_heard();
                if follows {
                    self.roster.tell_consoles(consoles);
                }
                let mark = beat.mark;
                let own = self.visit(move |kernel, now| {
                    kernel.handle(now, Input::Beat(Box::new(beat)));
                    kernel.mark()
                });
                let behind = own.await.is_some_and(|own| own != mark) && follows;
                self.whole_board.lacks(now, behind);
                if behind { Taken::Behind } else { Taken::Heard }
            }
            Said::Board { mirror, .. } => {
                self.whole_board.lacks(now, false);
                self.give(Input::Mirror(Box::new(mirror)));
                Taken::Heard
            }
            Said::News(items) => {
                self.give(Input::News(items));
                Taken::Heard
            }
            Said::Consoles(present) => Taken::Consoles(present),
        }
    }

    /// What there is to say by `token`.
    pub(super) async fn speak(&mut self, token: Token, whole: Whole, handover: bool) -> Option<Spoken> {
        let since = self.told.filter(|(told, _)| *told == token).map(|(_, touched)| touched);
        let known = self.whole.filter(|_| since.is_some());
        let (at, beat, current, touched, news, mirror) = self
            .visit(move |kernel, now| {
                let beat = kernel.beat(HORIZON);
                let news = since.map_or_else(Vec::new, |since| kernel.news(since));
                let wanted = whole == Whole::Always || (whole == Whole::Changed && known != Some(beat.mark));
                let mirror = wanted.then(|| kernel.mirror());
                (now, beat, kernel.current(), kernel.board().touched(), news, mirror)
            })
            .await?;
        self.told = Some((token, touched));
        self.number += 1;
        self.meters.beat_said();
        let write = |said: Said| self.written(token, at, said);
        let (mark, is_whole) = (beat.mark, mirror.is_some());
        let board = mirror.map(|mirror: Mirror| write(Said::Board { mark, mirror }));
        let few = |news: &Vec<Mirrored>| !news.is_empty() && news.len() <= NEWS_MAX;
        let news = Some(news).filter(few).map(|news| write(Said::News(news)));
        let consoles = self.roster.consoles();
        let beat = write(Said::Beat { number: self.number, consoles, handover, beat });
        if is_whole {
            self.whole = Some(mark);
        }
        Some(Spoken { token, beat, number: self.number, current, news, board })
    }

    /// The list of the consoles as a message.
    pub(super) fn tell_consoles(&self, token: Token, present: Vec<Presence>) -> String {
        self.written(token, self.now(), Said::Consoles(present))
    }

    /// A message of this console, all on the clock that the others know.
    fn written(&self, token: Token, at: Moment, said: Said) -> String {
        let (name, mapping) = self.reference.speaks();
        let head = Head {
            board: self.who.board.clone(),
            console: Safe::line(&self.who.name),
            boot: self.who.boot.clone(),
            token,
            at,
            clock: name.to_owned(),
        };
        Message { head, said }.on_clock(|moment| mapping.to_reference(moment)).write()
    }

    /// Looks at the kernel between two of its rounds; `None`: it is stuck or flooded.
    pub(super) async fn visit<T: Send + 'static>(
        &self,
        look: impl FnOnce(&mut Kernel, Moment) -> T + Send + 'static,
    ) -> Option<T> {
        let (answer, answered) = oneshot::channel();
        let sent = self.inbox.visit(move |kernel, now| {
            let _ = answer.send(look(kernel, now));
        });
        sent.ok()?;
        tokio::time::timeout(PATIENCE, answered).await.ok()?.ok()
    }

    pub(super) fn give(&self, input: Input) {
        // A flooded inbox has worse news than this, and the next beat brings it again.
        let _ = self.inbox.send(input);
    }
}

/// How long ahead turns are decided among the consoles of one machine: a hundred times what a line
/// needs from one to the other, and less than an eye notices.
pub(super) const LEAD_ON_MACHINE: Span = Span::from_millis(50);
