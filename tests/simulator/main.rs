//! The simulator: consoles with the real kernel and the real protocol, on virtual time, in a world that fails.
//!
//! `cargo test --test simulator` runs 200 seeds and then breaks the protocol on purpose, which has to be found out.
//! `-- --seed N` replays one seed and tells every event, `-- --seeds A..B` runs a range, `-- --break KIND` breaks
//! something. `MARQUEE_THOROUGH=1` runs 10,000 seeds. Deliberately no network, no thread and no clock of this machine.

mod app;
mod breaks;
mod chance;
mod check;
mod clock;
mod counts;
mod etcd;
mod faults;
mod liveness;
mod network;
mod plant;
mod redis;
mod seed;
mod spread;
mod voice;
mod world;

use std::ops::Range;
use std::process::ExitCode;

use breaks::Break;
use clock::MS;
use counts::Counts;

/// What a commit has to stand.
const SEEDS: u64 = 200;

/// What a night has to.
const THOROUGH: u64 = 10_000;

/// What was asked for.
struct Arguments {
    seeds: Range<u64>,
    breaks: Option<Break>,
    verbose: bool,
    /// Nothing was asked for.
    whole: bool,
}

fn main() -> ExitCode {
    let arguments = match arguments() {
        Ok(arguments) => arguments,
        Err(why) => {
            eprintln!("{why}\nusage: simulator [--seed N | --seeds A..B] [--break KIND]");
            return ExitCode::from(2);
        }
    };
    let Arguments { seeds, breaks, verbose, whole } = arguments;
    if let Some((seed, why)) = all(seeds, breaks, verbose) {
        eprintln!("seed {seed}, {why}to replay it: cargo test --test simulator -- --seed {seed}");
        return ExitCode::FAILURE;
    }
    if whole && !proves_itself() {
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// Runs these seeds and tells what they came to; the first that failed.
fn all(seeds: Range<u64>, breaks: Option<Break>, verbose: bool) -> Option<(u64, String)> {
    let mut sum = Counts::default();
    for seed in seeds.clone() {
        let (counts, failure) = seed::run(seed, breaks, verbose);
        if let Some(why) = failure {
            return Some((seed, why));
        }
        sum.elections += counts.elections;
        sum.suspensions += counts.suspensions;
        sum.failovers += counts.failovers;
        sum.stale_refused += counts.stale_refused;
        sum.turns += counts.turns;
        sum.beats += counts.beats;
        for (guarded, times) in counts.successions.into_iter().enumerate() {
            sum.successions[guarded].join(times);
        }
        sum.longest_silence = sum.longest_silence.max(counts.longest_silence);
        sum.widest_spread = sum.widest_spread.max(counts.widest_spread);
    }
    if seeds.is_empty() {
        return None;
    }
    println!("figure simulator_seeds {} seeds", seeds.end - seeds.start);
    println!("figure simulator_elections {} elections", sum.elections);
    println!("figure simulator_failovers {} failovers", sum.failovers);
    println!("figure simulator_suspensions {} suspensions", sum.suspensions);
    println!("figure simulator_longest_silence {} ms", sum.longest_silence / MS);
    println!("figure simulator_stale_writes_refused {} writes", sum.stale_refused);
    println!("figure simulator_beats {} beats", sum.beats);
    println!("figure simulator_turns {} turns", sum.turns);
    let [alone, guarded] = sum.successions;
    for (words, times) in [("without_guardian", alone), ("with_guardian", guarded)] {
        println!("figure simulator_succession_{words}_mean {} ms", times.mean() / MS);
        println!("figure simulator_succession_{words}_longest {} ms", times.longest / MS);
    }
    println!("figure simulator_widest_spread {} us", sum.widest_spread / 1_000);
    if alone.count > 0 && guarded.count > 0 && guarded.mean() >= alone.mean() {
        return Some((seeds.start, "the successor comes no earlier for the guardian\n".into()));
    }
    None
}

/// Whether the checker finds out each way in which the protocol can be broken.
fn proves_itself() -> bool {
    let mut all_found = true;
    for (kind, word) in Break::ALL {
        let found = (0..SEEDS).find_map(|seed| {
            let (_, failure) = seed::run(seed, Some(kind), false);
            failure.map(|why| (seed, why.lines().next().unwrap_or_default().to_owned()))
        });
        if let Some((seed, why)) = found {
            println!("broken on purpose, {word}: seed {seed} finds it, {why}");
        } else {
            eprintln!("broken on purpose, {word}: no seed finds it");
            all_found = false;
        }
    }
    all_found
}

fn arguments() -> Result<Arguments, String> {
    let thorough = std::env::var_os("MARQUEE_THOROUGH").is_some_and(|value| value == "1");
    let seeds = 0..if thorough { THOROUGH } else { SEEDS };
    let mut arguments = Arguments { seeds, breaks: None, verbose: false, whole: true };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word} needs a value"));
        let number = |text: &str| text.parse::<u64>().map_err(|_| format!("{text} is no seed"));
        match word.as_str() {
            "--seed" => {
                let seed = number(&value()?)?;
                (arguments.seeds, arguments.verbose) = (seed..seed + 1, true);
            }
            "--seeds" => {
                let value = value()?;
                let (first, end) = value.split_once("..").ok_or(format!("{value} is no range"))?;
                arguments.seeds = number(first)?..number(end)?;
            }
            "--break" => {
                let kind = value()?;
                arguments.breaks = Some(Break::named(&kind).ok_or_else(|| {
                    let words = Break::ALL.map(|(kind, _)| kind.word());
                    format!("{kind} is none of {}", words.join(", "))
                })?);
            }
            // What `cargo test` passes on to every target: its options, and the names of the tests that are wanted.
            "--skip" | "--test-threads" | "--format" | "--color" | "-Z" => {
                value()?;
                continue;
            }
            "--list" => arguments.seeds = 0..0,
            word if word.starts_with('-') || "simulator".contains(word) => continue,
            _ => arguments.seeds = 0..0,
        }
        arguments.whole = false;
    }
    Ok(arguments)
}
