//! The invariants of the protocol, checked over the log of what happened (reliability 6.4).
//!
//! I1 to I4, I6 to I9 are checked as events come; I5 at the end, over the turns of all consoles. Beyond that list
//! are I11, of the guardian, and I12, of names.

mod company;
mod label;
mod log;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use marquee::coordination::{Presence, Token};
use marquee::kernel::beat::Role;
use marquee::kernel::board::ItemId;

use crate::app::Note;
use crate::clock::{MS, SECOND};
use crate::counts::Counts;
use crate::plant;
use crate::spread::{Spread, Turned};
pub(crate) use company::Living;
use label::mislabelled;
use log::Event;

/// How long the protocol promises a picture without a skipped or repeated turn.
const HORIZON: u64 = 12 * SECOND;

/// A picture that shows one item for longer stands still: a call and the item's own turn after it are two.
const STILL: u64 = 4 * plant::INTERVAL.as_nanos();

/// Nobody who has slept for so long leads: the longest lease that is granted, by a slow clock.
const DEADLINE: u64 = 5 * SECOND;

/// How long after the elector took a lease away before its time two may hold themselves for the leader.
const EARLY: u64 = 5 * SECOND;

/// What is known of one console.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, true or not beside every other")]
struct Watched {
    alive: bool,
    booted: u64,
    paused: bool,
    paused_at: u64,
    resumed: u64,
    leads: Option<Token>,
    led_at: Option<u64>,
    /// The same without a sleep in which nobody knows whether it led.
    led_awake: Option<u64>,
    led_since: u64,
    took: Option<Token>,
    took_at: Option<u64>,
    takes: u32,
    /// Beats in a row that were taken by a locked clock.
    exact: u32,
    role: Option<Role>,
    role_since: u64,
    notice: bool,
    shown: Option<ItemId>,
    turned_at: u64,
    /// So many irregular turns are explained.
    excused: u32,
    cut: bool,
    /// Its ways were unequal until then.
    crooked_until: u64,
    starts: Vec<(ItemId, u64)>,
    /// Its name is its own, as it was told last.
    named: bool,
    named_since: u64,
    /// Who is there, as it was told last, and when.
    listed: Vec<Presence>,
    listed_at: u64,
}

/// The checker.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, true or not beside every other")]
pub(crate) struct Check {
    consoles: Vec<Watched>,
    log: VecDeque<Event>,
    pub(crate) verbose: bool,
    pub(crate) counts: Counts,
    pub(crate) spread: Spread,
    /// Clocks run too far apart for the shared clock: what that excuses is said in `seed.rs`.
    pub(crate) wild: bool,
    /// Nothing but the order of the board decides turns.
    pub(crate) calm: bool,
    accepted: Option<(Token, u64)>,
    claimed: Token,
    led: BTreeSet<Token>,
    /// Leaders that could not know what was shown before them.
    anchorless: BTreeSet<Token>,
    /// When each process that is gone ended.
    deaths: BTreeMap<String, u64>,
    /// When the elector began all leases anew.
    pub(crate) extended_at: u64,
    early_until: u64,
    history_lost: bool,
    jumped_at: Option<u64>,
    quiet_since: u64,
    last_leader: Option<usize>,
    differs_since: Option<u64>,
    fault_at: u64,
    /// Publications were lost until then, and with them turns that were decided of a sudden.
    pub(crate) lossy_until: u64,
    pub(crate) failure: Option<String>,
}

impl Check {
    pub(crate) fn new(consoles: usize) -> Self {
        Self {
            consoles: vec![Watched::default(); consoles],
            log: VecDeque::new(),
            verbose: false,
            counts: Counts::default(),
            spread: Spread::default(),
            wild: false,
            calm: true,
            accepted: None,
            claimed: Token::default(),
            led: BTreeSet::new(),
            anchorless: BTreeSet::new(),
            deaths: BTreeMap::new(),
            extended_at: 0,
            early_until: 0,
            history_lost: false,
            jumped_at: None,
            quiet_since: 0,
            last_leader: None,
            differs_since: None,
            fault_at: 0,
            lossy_until: 0,
            failure: None,
        }
    }

    pub(crate) fn booted(&mut self, t: u64, console: usize) {
        self.consoles[console] = Watched {
            alive: true,
            booted: t,
            cut: self.consoles[console].cut,
            crooked_until: self.consoles[console].crooked_until,
            resumed: t,
            turned_at: t,
            role_since: t,
            excused: 2,
            ..Watched::default()
        };
    }

    pub(crate) fn died(&mut self, t: u64, console: usize, process: &str) {
        self.deaths.insert(process.to_owned(), t);
        self.silenced(t, console);
        self.consoles[console].alive = false;
    }

    pub(crate) fn paused(&mut self, t: u64, console: usize, paused: bool) {
        let watched = &mut self.consoles[console];
        watched.paused = paused;
        if paused {
            watched.paused_at = t;
        }
        (watched.resumed, watched.turned_at) = (t, t);
        watched.excused = 3;
    }

    /// The elector took a lease or its history away before its time.
    pub(crate) fn early(&mut self, t: u64, history: bool) {
        self.early_until = t + EARLY;
        self.history_lost |= history;
        if history {
            // The next may count below those that led in a history that is gone.
            self.led.clear();
        }
    }

    /// The store is as it was earlier.
    pub(crate) fn rolled_back(&mut self, kept: Token) {
        (self.accepted, self.claimed) = (None, kept);
    }

    /// The reference clock jumped, or is another one.
    pub(crate) fn jumped(&mut self, t: u64) {
        self.jumped_at = Some(t);
        for watched in &mut self.consoles {
            watched.excused += 4;
        }
    }

    /// One of its ways is slower than the other, or no more.
    pub(crate) fn crooked(&mut self, console: usize, crooked: bool, t: u64) {
        let watched = &mut self.consoles[console];
        let was = watched.crooked_until > t;
        watched.crooked_until = if crooked {
            u64::MAX
        } else if was {
            t + 20 * SECOND
        } else {
            watched.crooked_until
        };
    }

    /// Something went wrong, or was mended: what was decided of a sudden may not have reached everybody.
    pub(crate) fn fault(&mut self, t: u64, cut: Option<(usize, bool)>) {
        self.fault_at = t;
        if let Some((console, cut)) = cut {
            self.consoles[console].cut = cut;
        }
    }

    /// The boards of the core are not the same. News of a moment ago may be on its way.
    pub(crate) fn differ(&mut self, t: u64) {
        let since = *self.differs_since.get_or_insert(t);
        if t > since + 2 * SECOND {
            self.fail(t, None, "I10", "the boards of the core stay different");
        }
    }

    pub(crate) const fn agree(&mut self) {
        self.differs_since = None;
    }

    /// Redis took a beat.
    pub(crate) fn accepts(&mut self, t: u64, console: usize, token: Token, number: u64) {
        self.counts.beats += 1;
        if self.accepted.is_some_and(|accepted| (token, number) <= accepted) {
            self.fail(t, Some(console), "I1", "what the store accepts does not rise");
        }
        if token < self.claimed {
            self.fail(t, Some(console), "I3", "the store accepted a beat after the successor's claim");
        }
        self.accepted = Some((token, number));
        self.claimed = self.claimed.max(token);
    }

    pub(crate) fn claims(&mut self, token: Token) {
        self.claimed = self.claimed.max(token);
    }

    /// What a console's process has said of itself.
    pub(crate) fn note(&mut self, t: u64, console: usize, note: Note, locked: bool) {
        if !matches!(note, Note::Takes(..) | Note::Speaks(..) | Note::Starts(_) | Note::Lists(_)) || self.verbose {
            self.log(t, Some(console), format!("{note:?}"));
        }
        match note {
            Note::Role(role) => {
                let watched = &mut self.consoles[console];
                (watched.role, watched.role_since) = (Some(role), t);
                watched.starts.clear();
            }
            Note::Leads(token) => self.leads(t, console, token),
            Note::Silent => self.silenced(t, console),
            Note::Speaks(token, _) => {
                let successor = self.led.last().is_some_and(|last| *last > token);
                if successor && t > self.early_until {
                    self.fail(t, Some(console), "I4", "it speaks although its successor has led");
                }
            }
            Note::Takes(token, _) => self.takes(t, console, token, locked),
            // What is said is looked at in the log.
            Note::Ignores(_) | Note::Logs(_) => {}
            Note::Turn(item) => self.turns(t, console, &item, locked),
            Note::Starts(item) => self.starts(t, console, item),
            Note::Notice(notice) => self.consoles[console].notice = notice.is_some(),
            Note::Named(named) => self.named(t, console, named),
            Note::Campaigns => self.campaigns(t, console),
            Note::Lists(records) => self.lists(t, console, records),
        }
    }

    fn leads(&mut self, t: u64, console: usize, token: Token) {
        let other = (0..self.consoles.len()).any(|other| other != console && self.consoles[other].leads == Some(token));
        if other {
            self.fail(t, Some(console), "I4", "two lead with one token");
        }
        if self.consoles.iter().all(|watched| watched.leads.is_none()) {
            self.counts.longest_silence = self.counts.longest_silence.max(t - self.quiet_since);
        }
        if self.led.insert(token) {
            self.counts.elections += 1;
            if self.last_leader.replace(console).is_some_and(|last| last != console) {
                self.counts.failovers += 1;
            }
        }
        let watched = &mut self.consoles[console];
        let contact = watched.took_at.max(watched.led_at);
        if contact.is_none_or(|at| t - at >= HORIZON) {
            self.anchorless.insert(token);
            watched.excused = watched.excused.max(2);
        }
        (watched.leads, watched.led_since) = (Some(token), t);
        (watched.led_at, watched.led_awake) = (Some(t), Some(t));
    }

    fn silenced(&mut self, t: u64, console: usize) {
        let watched = &mut self.consoles[console];
        if watched.leads.take().is_some() {
            // Who slept past its deadline led no more for all that time; who woke before it takes itself for the leader.
            let slept = watched.resumed == t;
            let too_long = slept && t - watched.paused_at > DEADLINE;
            watched.led_at = Some(if too_long { watched.paused_at } else { t });
            watched.led_awake = Some(if slept { watched.paused_at } else { t });
            self.counts.suspensions += 1;
            if self.consoles.iter().all(|watched| watched.leads.is_none()) {
                self.quiet_since = t;
            }
        }
    }

    fn takes(&mut self, t: u64, console: usize, token: Token, locked: bool) {
        let lost = self.history_lost;
        let anchorless = self.anchorless.contains(&token);
        let watched = &mut self.consoles[console];
        let shown = watched.took.max(watched.leads);
        let contact = watched.took_at.max(watched.led_at);
        if contact.is_none_or(|at| t - at >= HORIZON) || anchorless && watched.took != Some(token) {
            watched.excused = watched.excused.max(2);
        }
        watched.takes = if contact.is_some_and(|at| t - at < 1_500 * MS) { watched.takes + 1 } else { 1 };
        watched.exact = if locked { watched.exact + 1 } else { 0 };
        (watched.took, watched.took_at) = (Some(token), Some(t));
        if shown.is_some_and(|shown| token < shown) && !lost {
            self.fail(t, Some(console), "I2", "the token that it shows falls");
        }
    }

    fn turns(&mut self, t: u64, console: usize, item: &ItemId, locked: bool) {
        self.counts.turns += 1;
        let jumped = self.jumped_at.is_some_and(|at| t < at + 6 * SECOND);
        let calm = self.calm;
        let watched = &mut self.consoles[console];
        let before = watched.shown.replace(item.clone());
        watched.turned_at = t;
        let place = plant::place(item);
        let next = before.as_ref().and_then(plant::place).map(|place| (place + 1) % plant::ITEMS);
        let regular = next.is_none() || next == place;
        // A way that is slow in one direction shifts the clock, and nobody can tell.
        let excused = regular || watched.excused > 0 || jumped || watched.crooked_until > t;
        if !regular {
            watched.excused = watched.excused.saturating_sub(1);
        }
        let back = self.wild && next == place.map(|place| (place + 2) % plant::ITEMS);
        let straight = watched.crooked_until < t;
        let told = calm && !(self.wild && watched.cut)
            || !self.wild && t > self.lossy_until && t > self.fault_at + 3 * SECOND && !watched.cut;
        let steady = watched.resumed + 3 * SECOND < t && !jumped && locked && straight && told;
        let leads = watched.leads.filter(|_| t > watched.led_since + 3 * SECOND);
        let follows = watched.took.filter(|_| {
            matches!(watched.role, Some(Role::Follower(_)))
                && watched.takes > 3
                && watched.exact > 1
                && watched.took_at.is_some_and(|at| t < at + 1_200 * MS)
        });
        if let (Some(place), Some(token), true) = (place, leads.or(follows), steady) {
            self.spread.turned(Turned { t, console, place, token, leads: leads.is_some() });
        }
        if calm && !excused && !back {
            self.fail(t, Some(console), "I6", &format!("{item:?} is no turn that comes after {before:?}"));
        }
    }

    fn starts(&mut self, t: u64, console: usize, item: ItemId) {
        let role = self.consoles[console].role;
        match role {
            Some(Role::Follower(_)) | None => self.fail(t, Some(console), "I8", "a follower asks the plant"),
            Some(Role::Local(_)) => {
                let watched = &mut self.consoles[console];
                // The first run of all may come before the slower pace begins.
                let earlier = watched.starts.iter().rev().filter(|(known, _)| *known == item).nth(1);
                let soon = earlier.is_some_and(|(_, at)| t < at + 4 * plant::EVERY.as_nanos() * 9 / 10);
                watched.starts.push((item, t));
                if soon {
                    self.fail(t, Some(console), "I8", "a local console asks the plant more often than at a quarter");
                }
            }
            Some(_) => {}
        }
    }

    /// Looks at all that time alone can break.
    pub(crate) fn tick(&mut self, t: u64) {
        for console in 0..self.consoles.len() {
            let watched = &self.consoles[console];
            if !watched.alive || watched.paused || t < watched.resumed + SECOND {
                continue;
            }
            if let Some(why) = mislabelled(watched, t) {
                self.fail(t, Some(console), "I8", why);
            } else if t > watched.turned_at + STILL {
                self.fail(t, Some(console), "I7", "its picture stands still");
            }
        }
    }

    /// What this console shows, where it is there to show it.
    pub(crate) fn shown(&self, console: usize) -> Option<(&ItemId, u64)> {
        let watched = &self.consoles[console];
        watched.shown.as_ref().map(|shown| (shown, watched.turned_at))
    }

    /// Since when this console leads, or led last.
    pub(crate) fn leads_since(&self, console: usize) -> u64 {
        self.consoles[console].led_since
    }

    /// Everyone who leads now, and can say so.
    pub(crate) fn leaders(&self) -> Vec<(usize, Token)> {
        let leads = |(console, watched): (usize, &Watched)| {
            watched.leads.filter(|_| watched.alive && !watched.paused).map(|token| (console, token))
        };
        self.consoles.iter().enumerate().filter_map(leads).collect()
    }
}
