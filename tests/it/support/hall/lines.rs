//! What a console prints, each line with the moment of its arrival, and what is to be learned from it.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::process::ChildStdout;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::clock::now;

/// A line.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// When it came, on this machine's monotonic clock.
    pub(crate) at: Instant,
    pub(crate) item: Option<String>,
    pub(crate) level: String,
    pub(crate) role: String,
    pub(crate) fence: u64,
    pub(crate) notice: Option<String>,
    /// As it was printed.
    pub(crate) text: String,
}

impl Line {
    /// Whether its notice says this.
    pub(crate) fn tells(&self, words: &str) -> bool {
        self.notice.as_ref().is_some_and(|notice| notice.contains(words))
    }
}

/// All lines of one process so far.
#[derive(Clone, Default)]
pub(crate) struct Lines(Arc<Mutex<Vec<Line>>>);

impl Lines {
    /// Reads `out` to its end on a thread of its own.
    pub(crate) fn read(out: ChildStdout) -> Self {
        let lines = Self::default();
        let kept = lines.clone();
        thread::spawn(move || {
            for text in BufReader::new(out).lines().map_while(Result::ok) {
                let at = now();
                let told: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
                let word = |key: &str| told[key].as_str().map(str::to_owned);
                let line = Line {
                    at,
                    item: word("item"),
                    level: word("level").unwrap_or_default(),
                    role: word("role").unwrap_or_default(),
                    fence: told["fence"].as_u64().unwrap_or_default(),
                    notice: word("notice"),
                    text,
                };
                kept.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            }
        });
        lines
    }

    pub(crate) fn all(&self) -> Vec<Line> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Forgets all but the last one: whoever watches for long would look through everything again and again.
    pub(crate) fn forget(&self) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let old = lines.len().saturating_sub(1);
        lines.drain(..old);
    }

    pub(crate) fn since(&self, since: Instant) -> Vec<Line> {
        self.all().into_iter().filter(|line| line.at >= since).collect()
    }

    pub(crate) fn last(&self) -> Option<Line> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).last().cloned()
    }

    /// Where items changed: when, and to which.
    pub(crate) fn turns(&self, since: Instant) -> Vec<(Instant, String)> {
        let lines = self.all();
        let changed = lines.windows(2).filter(|pair| pair[0].item != pair[1].item && pair[1].at >= since);
        changed.filter_map(|pair| Some((pair[1].at, pair[1].item.clone()?))).collect()
    }
}

/// Turns that did not follow their predecessor in the order, or that came late by more than an interval:
/// an item was skipped, shown again, or stood still.
pub(crate) fn out_of_order(turns: &[(Instant, String)], order: &[&str], interval: Duration) -> Vec<String> {
    let place = |item: &str| order.iter().position(|known| *known == item);
    let wrong = |pair: &[(Instant, String)]| {
        let [(before, from), (after, to)] = pair else { return None };
        let dwell = after.duration_since(*before);
        let follows = place(from).zip(place(to)).is_some_and(|(from, to)| to == (from + 1) % order.len());
        if !follows {
            Some(format!("{from} -> {to}"))
        } else if dwell > interval * 2 {
            Some(format!("{from} stood for {dwell:?}"))
        } else if dwell < interval / 4 {
            Some(format!("{from} only for {dwell:?}"))
        } else {
            None
        }
    };
    turns.windows(2).filter_map(wrong).collect()
}

/// How far apart the consoles showed each turn of the first one, and how many turns one of them did not show.
pub(crate) fn spreads(consoles: &[Vec<(Instant, String)>], interval: Duration) -> (Vec<Duration>, usize) {
    let (mut spreads, mut missed) = (Vec::new(), 0);
    let Some((first, others)) = consoles.split_first() else { return (spreads, missed) };
    // The first and the last turns may lie half outside of the time that is looked at.
    for (at, item) in first.iter().skip(1).rev().skip(2) {
        let apart = |other: Instant| if other > *at { other - *at } else { *at - other };
        let near = |turns: &Vec<(Instant, String)>| {
            turns.iter().find(|(other, name)| name == item && apart(*other) < interval / 2).map(|(other, _)| *other)
        };
        let mut shown: Vec<Instant> = others.iter().filter_map(near).collect();
        missed += others.len() - shown.len();
        shown.push(*at);
        let (earliest, latest) = (shown.iter().min(), shown.iter().max());
        spreads.extend(latest.zip(earliest).map(|(latest, earliest)| *latest - *earliest));
    }
    (spreads, missed)
}

/// Where a leader spoke of an earlier leadership than one that had been shown by another before.
pub(crate) fn deposed(consoles: &BTreeMap<String, Vec<Line>>) -> Vec<String> {
    let mut all: Vec<_> =
        consoles.iter().flat_map(|(name, lines)| lines.iter().map(move |line| (line.at, name, line))).collect();
    all.sort_by_key(|(at, ..)| *at);
    let mut newest = 0;
    let mut found = Vec::new();
    for (_, name, line) in all.into_iter().filter(|(.., line)| line.role == "leader") {
        if line.fence < newest {
            found.push(format!("{name} led by {} after {newest}", line.fence));
        }
        newest = newest.max(line.fence);
    }
    found
}

/// The value below which this share of `values` lies.
pub(crate) fn percentile(values: &mut [Duration], percent: usize) -> Duration {
    values.sort();
    let place = (values.len() * percent).div_ceil(100);
    values.get(place.saturating_sub(1)).copied().unwrap_or_default()
}
