//! `cluster: local`: the consoles of one machine, led by whoever has the lock.
//!
//! The leader speaks at a Unix socket, the others listen there. The system frees the lock at any death
//! and closes the socket with it, so the next one takes over at once. A leader that is stopped but not
//! dead keeps both: its followers then say that they are not in sync, and go on alone.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Notify, mpsc};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::opener::Opener;
use super::part::{Part, Taken, Whole};
use super::roster::Wanted;
use crate::config::timing::BEAT;
use crate::coordination::election::local::{Candidate, Contested, Leadership};
use crate::coordination::link::local::{Ear, Speaker, TO_FOLLOWER_BYTES_MAX, Told};
use crate::coordination::{Presence, Token};
use crate::kernel::beat::Role;
use crate::kernel::{Moment, Span};

/// What a follower asks for when it lacks the board.
const WANTS_BOARD: &str = "board";

/// How often a follower tells of itself.
const PRESENT_EVERY: Span = Span::from_secs(5);

/// How often a follower asks for the board at most.
const ASK_EVERY: Span = Span::from_millis(500);

/// How soon a follower without a leader tries again.
const AGAIN: Span = Span::from_millis(100);

/// How soon, as long as a leader has just gone: its socket may close before its lock is free, and
/// whoever comes next needs a moment to speak.
const AT_ONCE: Span = Span::from_millis(5);
const JUST: Span = Span::from_secs(1);

/// All followers see the end of a leader in the same moment: each waits up to so long, by its process number.
const JITTER_MS: u64 = 10;

/// The leader speaks at every change of the board, but not faster than this: a turn that is
/// decided then still reaches everybody well within the lead time.
const SPEAK_GAP: Span = Span::from_millis(10);

/// What the task needs beside its part.
pub(super) struct Local {
    pub(super) candidate: Candidate,
    pub(super) socket: PathBuf,
    pub(super) runtime: Handle,
    /// The board changed.
    pub(super) changes: Arc<Notify>,
    pub(super) wanted: mpsc::UnboundedReceiver<Wanted>,
    pub(super) stop: CancellationToken,
    /// Opens the store of who leads.
    pub(super) opener: Opener,
}

/// The station of a console of one machine.
pub(super) struct Lock {
    part: Part,
    local: Local,
    station: Station,
    /// Who follows, by the number of its connection; for a follower all that the leader told.
    present: HashMap<u64, Presence>,
    told: Vec<Presence>,
    next_try: Moment,
    hurries_until: Moment,
    next_present: Moment,
    next_ask: Moment,
    last_beat: Moment,
    next_beat: Moment,
    /// Whether a leader has told what the board says.
    has_followed: bool,
}

enum Station {
    /// Without a speaker nobody can follow; it leads all the same, and tries again.
    Leads {
        held: Leadership,
        speaker: Option<Box<Speaker>>,
    },
    Follows(Option<Ear>),
}

enum Happened {
    Told(Told),
    Line(Option<String>),
    Changed,
    Wanted(Wanted),
    Time,
    Stop,
}

impl Lock {
    /// Follows nobody yet.
    pub(super) fn new(part: Part, local: Local) -> Self {
        let now = part.now();
        Self {
            part,
            local,
            station: Station::Follows(None),
            present: HashMap::new(),
            told: Vec::new(),
            next_try: now,
            hurries_until: now,
            next_present: now,
            next_ask: now,
            last_beat: now,
            next_beat: now,
            has_followed: false,
        }
    }

    /// Plays its part until it is stopped; with `first` it leads from the start.
    pub(super) async fn run(mut self, first: Option<Leadership>) {
        if let Some(held) = first {
            self.lead(held);
        }
        self.settle().await;
        loop {
            match self.happens().await {
                Happened::Stop => return self.close().await,
                Happened::Told(told) => self.heard_follower(told).await,
                Happened::Line(Some(line)) => self.heard_leader(&line).await,
                Happened::Line(None) => self.lost_leader().await,
                Happened::Changed => {
                    let soon = self.part.now().max(self.last_beat + SPEAK_GAP);
                    self.next_beat = self.next_beat.min(soon);
                }
                Happened::Wanted(wanted) => drop(wanted.send(self.everybody())),
                Happened::Time => {}
            }
            self.settle().await;
        }
    }

    async fn happens(&mut self) -> Happened {
        let now = self.part.now();
        let wake = match &self.station {
            Station::Leads { .. } => self.next_beat,
            Station::Follows(None) => self.next_try,
            Station::Follows(Some(_)) => self.next_present,
        };
        let wake = self.part.console.next_wake(now).map_or(wake, |console| console.min(wake));
        let wake: Duration = wake.min(now + BEAT).since(now).into();
        let local = &mut self.local;
        match &mut self.station {
            Station::Leads { speaker, .. } => {
                let told = async {
                    match speaker {
                        Some(speaker) => speaker.heard().await,
                        None => std::future::pending().await,
                    }
                };
                tokio::select! {
                    () = local.stop.cancelled() => Happened::Stop,
                    told = told => Happened::Told(told),
                    () = local.changes.notified() => Happened::Changed,
                    Some(wanted) = local.wanted.recv() => Happened::Wanted(wanted),
                    () = sleep(wake) => Happened::Time,
                }
            }
            Station::Follows(ear) => {
                let line = async {
                    match ear {
                        Some(ear) => ear.next().await,
                        None => std::future::pending().await,
                    }
                };
                tokio::select! {
                    () = local.stop.cancelled() => Happened::Stop,
                    line = line => Happened::Line(line),
                    Some(wanted) = local.wanted.recv() => Happened::Wanted(wanted),
                    () = sleep(wake) => Happened::Time,
                }
            }
        }
    }

    async fn settle(&mut self) {
        let now = self.part.now();
        match &self.station {
            Station::Follows(None) if self.next_try <= now => self.look_for_leader().await,
            Station::Follows(Some(_)) if self.next_present <= now => self.tell_present(now),
            Station::Leads { .. } if self.next_beat <= now => self.speak(false).await,
            _ => {}
        }
        if self.part.settle(self.part.now()) {
            // The others list it by its role.
            self.next_present = self.part.now();
        }
    }

    /// Tries the lock, and follows whoever has it.
    async fn look_for_leader(&mut self) {
        let now = self.part.now();
        self.next_try = now + if now < self.hurries_until { AT_ONCE } else { AGAIN };
        match self.local.candidate.try_lead(self.part.console.heard().rev) {
            Ok(Contested::Leads(held)) => {
                self.lead(held);
                self.local.opener.later(!self.has_followed);
                self.speak(false).await;
            }
            Ok(Contested::Held { .. }) => match Ear::connect(&self.local.socket).await {
                Ok(ear) => {
                    self.station = Station::Follows(Some(ear));
                    self.tell_present(now);
                }
                Err(why) => info!("the leader does not speak yet: {why}"),
            },
            Err(why) => self.part.note_odd(now, &format!("no leader can be found: {why}")),
        }
    }

    fn lead(&mut self, held: Leadership) {
        let now = self.part.now();
        self.part.console.lock(now, Some(Token { epoch: 1, rev: held.fence() }));
        self.station = Station::Leads { held, speaker: None };
        self.open_for_others(now);
        self.present.clear();
        self.part.roster.tell_consoles(1);
        self.next_beat = now;
        self.part.settle(now);
    }

    /// Lets the others in, where they can't come in yet.
    fn open_for_others(&mut self, now: Moment) {
        let Station::Leads { speaker: speaker @ None, .. } = &mut self.station else { return };
        match Speaker::listen(&self.local.socket, &self.local.runtime) {
            Ok(listening) => *speaker = Some(Box::new(listening)),
            Err(why) => self.part.note_odd(now, &format!("the other consoles can't follow this one: {why}")),
        }
    }

    fn speaker(&self) -> Option<&Speaker> {
        if let Station::Leads { speaker, .. } = &self.station { speaker.as_deref() } else { None }
    }

    async fn speak(&mut self, handover: bool) {
        let now = self.part.now();
        (self.last_beat, self.next_beat) = (now, now + BEAT);
        if matches!(&self.station, Station::Leads { held, .. } if !held.holds()) {
            // Somebody took the file away, and with it the lock: another console may lead already.
            self.part.console.lock(now, None);
            self.station = Station::Follows(None);
            return;
        }
        self.open_for_others(now);
        let Some(token) = self.part.console.may_speak(now) else { return };
        if self.speaker().is_some_and(|speaker| speaker.followers() > 0) {
            self.say(token, None, handover).await;
        } else {
            self.part.whole_board.is_for_nobody();
        }
    }

    /// Says what is new to all who follow, and everything to the one that is a `newcomer`.
    async fn say(&mut self, token: Token, newcomer: Option<u64>, handover: bool) {
        let whole = match newcomer {
            // It is asked for again and again, and is written anew once it is another one.
            Some(_) if self.part.whole_board.is_too_long() => Whole::Changed,
            Some(_) => Whole::Always,
            None => Whole::No,
        };
        let Some(spoken) = self.part.speak(token, whole, handover).await else { return };
        let Station::Leads { speaker: Some(speaker), .. } = &self.station else { return };
        if let (Some(follower), Some(board)) = (newcomer, spoken.board)
            && self.part.whole_board.fits(token, board.len(), TO_FOLLOWER_BYTES_MAX)
        {
            speaker.answer(follower, &board.into());
        }
        if let Some(news) = spoken.news {
            speaker.say(&news.into());
        }
        speaker.say(&spoken.beat.into());
    }

    async fn heard_follower(&mut self, Told { follower, line }: Told) {
        let now = self.part.now();
        let Some(token) = self.part.console.may_speak(now) else { return };
        let before = self.present.len();
        match line.as_deref() {
            None => drop(self.present.remove(&follower)),
            Some(WANTS_BOARD) => return self.say(token, Some(follower), false).await,
            Some(line) => {
                let Some(present) = Presence::read(line) else {
                    return warn!("a console of this machine tells what can't be used");
                };
                if self.present.insert(follower, present).is_none() {
                    self.say(token, Some(follower), false).await;
                }
            }
        }
        if self.present.len() != before {
            self.part.roster.tell_consoles(u32::try_from(self.present.len() + 1).unwrap_or(u32::MAX));
            self.part.settle(now);
        }
        if let Some(speaker) = self.speaker() {
            speaker.say(&self.part.tell_consoles(token, self.everybody()).into());
        }
    }

    async fn heard_leader(&mut self, line: &str) {
        match self.part.take(line, false).await {
            Taken::Behind => {
                self.has_followed = true;
                let now = self.part.now();
                if let Station::Follows(Some(ear)) = &mut self.station
                    && self.next_ask <= now
                {
                    self.next_ask = now + ASK_EVERY;
                    // A leader that hears no more is noticed by its end.
                    let _ = ear.tell(WANTS_BOARD);
                }
            }
            Taken::Consoles(present) => self.told = present,
            Taken::Heard => self.has_followed = true,
            Taken::Nothing | Taken::Again => {}
        }
    }

    async fn lost_leader(&mut self) {
        self.station = Station::Follows(None);
        sleep(Duration::from_millis(u64::from(std::process::id()) % JITTER_MS)).await;
        self.next_try = self.part.now();
        self.hurries_until = self.next_try + JUST;
    }

    fn tell_present(&mut self, now: Moment) {
        self.next_present = now + PRESENT_EVERY;
        let line = self.part.presence(now).write();
        if let Station::Follows(Some(ear)) = &mut self.station {
            // As above.
            let _ = ear.tell(&line);
        }
    }

    fn everybody(&self) -> Vec<Presence> {
        let own = self.part.presence(self.part.now());
        let others = match self.station {
            Station::Leads { .. } => self.present.values().cloned().collect(),
            Station::Follows(_) => self.told.clone(),
        };
        let others = others.into_iter().filter(|other: &Presence| other.boot != own.boot);
        std::iter::once(own.clone()).chain(others).collect()
    }

    async fn close(mut self) {
        if matches!(self.part.role(), Role::Leader(_)) {
            self.speak(true).await;
        }
        if let Station::Leads { held, speaker } = self.station {
            // The lock first: a follower that hears the end must find it free.
            drop(held);
            if let Some(speaker) = speaker {
                speaker.close().await;
            }
        }
    }
}
