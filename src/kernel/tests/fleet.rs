//! Several kernels and the wires between them, on virtual time: who tells whom what, and when it arrives.
//!
//! The wires do what coordination does and no more: beats in the order in which they
//! were told, news as they come, a whole board for who does not have the leader's.

use std::collections::BTreeMap;

use super::*;
use crate::kernel::beat::{Beat, Fence, Mirror, Mirrored, Role};

pub(super) const BEAT: Span = Span::from_millis(500);
pub(super) const HORIZON: Span = Span::from_secs(12);
pub(super) const LEAD: Span = Span::from_millis(400);

/// What travels on a wire.
#[derive(Clone, Debug)]
pub(super) enum Message {
    Beat(u64, Moment, Box<Beat>),
    News(Vec<Mirrored>),
    Ask(usize),
    Mirror(Box<Mirror>),
}

pub(super) struct Fleet {
    pub(super) consoles: Vec<Plant>,
    pub(super) leader: Option<usize>,
    pub(super) now: Moment,
    /// When what arrives where; the number keeps the order of equals.
    wire: BTreeMap<(Moment, u64), (usize, Message)>,
    number: u64,
    /// The newest beat that each console heard.
    heard: Vec<u64>,
    /// When the newest beat that each console heard was told.
    pub(super) heard_from: Vec<Moment>,
    next_beat: Moment,
    told: u64,
    /// How long each message takes, and how often it comes: asked with its number and receiver.
    pub(super) weather: Box<dyn Fn(u64, usize) -> Vec<Span>>,
    /// What every console showed: when, and whose turn it was since when.
    pub(super) log: Vec<Vec<(Moment, String)>>,
    /// Runs started by each.
    pub(super) runs: Vec<usize>,
}

/// Every message takes a millisecond.
pub(super) fn calm(_: u64, _: usize) -> Vec<Span> {
    vec![Span::from_millis(1)]
}

/// Up to 200 ms late, in any order, sometimes twice; a fifth never comes.
pub(super) fn rough(number: u64, to: usize) -> Vec<Span> {
    let dice = digest((number * 31 + to as u64).to_le_bytes());
    let late = |dice: u64| Span::from_millis(dice % 200);
    match dice % 10 {
        0 | 1 => Vec::new(),
        2 | 3 => vec![late(dice >> 8), late(dice >> 16)],
        _ => vec![late(dice >> 8)],
    }
}

impl Fleet {
    /// So many consoles with the same config; the first leads.
    pub(super) fn new(count: usize, items: &[ItemSpec]) -> Self {
        let consoles = (0..count).map(|_| Plant::with(items.to_vec())).collect();
        let mut fleet = Self {
            consoles,
            leader: None,
            now: START,
            wire: BTreeMap::new(),
            number: 0,
            heard: vec![0; count],
            heard_from: vec![Moment::EPOCH; count],
            next_beat: START,
            told: 0,
            weather: Box::new(calm),
            log: vec![Vec::new(); count],
            runs: vec![0; count],
        };
        fleet.all(|_| Input::Lead(LEAD));
        fleet.elect(0, 1);
        fleet
    }

    pub(super) fn all(&mut self, input: impl Fn(usize) -> Input) {
        (0..self.consoles.len()).for_each(|console| self.give(console, input(console)));
    }

    /// Makes one of them the leader; all others follow it.
    pub(super) fn elect(&mut self, leader: usize, fence: u64) {
        self.all(|console| {
            let role = if console == leader { Role::Leader } else { Role::Follower };
            Input::Role(role(Fence(fence)))
        });
        self.leader = Some(leader);
        self.told = 0;
        self.next_beat = self.now;
    }

    pub(super) fn give(&mut self, console: usize, input: Input) {
        let plant = &mut self.consoles[console];
        plant.now = self.now;
        plant.give(input);
        self.note(console);
    }

    fn note(&mut self, console: usize) {
        let shown = self.shows(console);
        let log = &mut self.log[console];
        if log.last().is_none_or(|(_, last)| *last != shown) {
            log.push((self.now, shown));
        }
        let starts = self.consoles[console].starts();
        self.runs[console] += starts.len();
        for start in starts {
            let name = start.item.as_str().to_owned();
            self.consoles[console].reports(&name, Level::Healthy, &name.to_uppercase());
        }
    }

    /// Whose turn it is on a console, and whether it calls.
    pub(super) fn shows(&self, console: usize) -> String {
        let kernel = &self.consoles[console].kernel;
        let calls = kernel.marquee().turn().is_some_and(|turn| turn.calling);
        format!("{}{}", kernel.shown_text(), if calls { "!" } else { "" })
    }

    fn send(&mut self, to: usize, message: &Message) {
        self.number += 1;
        for late in (self.weather)(self.number, to) {
            self.wire.insert((self.now + late, self.number * 4 + self.wire.len() as u64 % 4), (to, message.clone()));
        }
    }

    /// The leader tells: its beat, and what changed since it told last.
    pub(super) fn tell(&mut self) {
        let Some(leader) = self.leader else { return };
        let kernel = &self.consoles[leader].kernel;
        let (beat, news) = (kernel.beat(HORIZON), kernel.news(self.told));
        self.told = kernel.board().touched();
        self.number += 1;
        let number = self.number;
        for to in (0..self.consoles.len()).filter(|to| *to != leader) {
            if !news.is_empty() {
                self.send(to, &Message::News(news.clone()));
            }
            self.send(to, &Message::Beat(number, self.now, Box::new(beat.clone())));
        }
    }

    fn arrive(&mut self, to: usize, message: Message) {
        match message {
            Message::Beat(number, told, beat) => {
                if number <= self.heard[to] || self.leader == Some(to) {
                    return;
                }
                self.heard[to] = number;
                self.heard_from[to] = told;
                let mark = beat.mark;
                self.give(to, Input::Beat(beat));
                if let Some(leader) = self.leader.filter(|_| self.consoles[to].kernel.mark() != mark) {
                    self.send(leader, &Message::Ask(to));
                }
            }
            Message::News(news) => self.give(to, Input::News(news)),
            Message::Mirror(mirror) => self.give(to, Input::Mirror(mirror)),
            Message::Ask(who) => {
                let mirror = self.consoles[to].kernel.mirror();
                self.send(who, &Message::Mirror(Box::new(mirror)));
            }
        }
    }

    /// The next moment at which anything happens.
    fn next(&self) -> Option<Moment> {
        let wakes = self.consoles.iter().filter_map(|plant| plant.kernel.next_wake());
        let beat = self.leader.map(|_| self.next_beat);
        wakes.chain(beat).chain(self.wire.keys().next().map(|(at, _)| *at)).min()
    }

    /// Lets time pass; `look` is asked after each moment at which something happened.
    pub(super) fn pass(&mut self, span: Span, mut look: impl FnMut(&Self)) {
        let end = self.now + span;
        while let Some(next) = self.next().filter(|next| *next <= end) {
            self.now = next.max(self.now);
            for console in 0..self.consoles.len() {
                if self.consoles[console].kernel.next_wake().is_some_and(|wake| wake <= self.now) {
                    self.give(console, Input::Wake);
                }
            }
            let due: Vec<_> = self.wire.range(..=(self.now, u64::MAX)).map(|(key, _)| *key).collect();
            for key in due {
                if let Some((to, message)) = self.wire.remove(&key) {
                    self.arrive(to, message);
                }
            }
            if self.leader.is_some() && self.next_beat <= self.now {
                self.next_beat = self.now + BEAT;
                self.tell();
            }
            look(self);
        }
        self.now = end;
    }

    /// Somebody pushes to the leader, who tells it at once.
    pub(super) fn push(&mut self, name: &str, level: Level) {
        let Some(leader) = self.leader else { return };
        let text = name.to_uppercase().into();
        let push = Push { item: id(name), level, text, ttl: None, values: Arc::default(), filtered: false };
        self.give(leader, Input::Push(push));
        self.tell();
    }

    /// Fails at the first turn behind `since` that did not begin at the same moment everywhere.
    pub(super) fn agreed(&self, since: Moment) {
        let turns = |console: usize| self.log[console].iter().filter(move |(at, _)| *at > since);
        for console in 1..self.consoles.len() {
            let differ = turns(0).zip(turns(console)).find(|(one, other)| one != other);
            assert_eq!((differ, turns(console).count()), (None, turns(0).count()), "console {console}");
        }
    }

    /// Fails where not all show the same, with what each shows.
    pub(super) fn agree(&self) {
        let shown: Vec<_> = (0..self.consoles.len()).map(|console| self.shows(console)).collect();
        let at = self.now.since(START);
        assert!(shown.iter().all(|text| *text == shown[0]), "{shown:?} after {} ms", at.as_millis());
    }
}
