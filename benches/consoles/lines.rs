//! What consoles print, each line with the moment of its arrival on this machine's clock.

use std::io::{BufRead as _, BufReader};
use std::process::ChildStdout;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

/// One line of a console.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) at: Instant,
    pub(crate) item: Option<String>,
    pub(crate) role: String,
    pub(crate) notice: Option<String>,
}

/// All lines of one console so far.
#[derive(Clone, Default)]
pub(crate) struct Lines(Arc<Mutex<Vec<Line>>>);

impl Lines {
    /// Reads `out` to its end on a thread of its own.
    pub(crate) fn read(out: ChildStdout) -> Self {
        let lines = Self::default();
        let kept = lines.clone();
        thread::spawn(move || {
            for text in BufReader::new(out).lines().map_while(Result::ok) {
                let at = Instant::now();
                let Ok(told) = serde_json::from_str::<serde_json::Value>(&text) else { continue };
                let word = |key: &str| told[key].as_str().map(str::to_owned);
                let line =
                    Line { at, item: word("item"), role: word("role").unwrap_or_default(), notice: word("notice") };
                kept.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            }
        });
        lines
    }

    pub(crate) fn all(&self) -> Vec<Line> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
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

/// For each turn of the first console, how far apart all of them showed it, in milliseconds; and how many
/// turns some console did not show at all.
pub(crate) fn spread(all: &[Lines], since: Instant, interval: std::time::Duration) -> (Vec<f64>, usize) {
    let turns: Vec<_> = all.iter().map(|lines| lines.turns(since)).collect();
    let (mut spreads, mut missed) = (Vec::new(), 0);
    let Some((first, others)) = turns.split_first() else { return (spreads, missed) };
    // The first and the last turn may lie half outside of the time that is looked at.
    for (at, item) in first.iter().skip(1).rev().skip(2) {
        let near = |(other, name): &&(Instant, String)| {
            name == item && other.max(at).duration_since(*other.min(at)) < interval / 2
        };
        let found: Vec<Instant> =
            others.iter().filter_map(|turns| turns.iter().find(near).map(|turn| turn.0)).collect();
        missed += others.len() - found.len();
        let earliest = found.iter().min().map_or(*at, |least| *least.min(at));
        let latest = found.iter().max().map_or(*at, |most| *most.max(at));
        spreads.push(latest.duration_since(earliest).as_secs_f64() * 1e3);
    }
    (spreads, missed)
}

/// The value below which this share of `values` lies.
pub(crate) fn percentile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let place = (values.len() as f64 * share).ceil() as usize;
    values.get(place.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}
