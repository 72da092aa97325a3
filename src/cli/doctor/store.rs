//! What is to be said of the server that keeps the state.

use super::Finding;
use crate::frame::Span;

/// What is known of the server that keeps the state.
#[derive(Clone, Debug)]
pub(in crate::cli) struct StoreFacts {
    /// Where it is, without secrets.
    pub(in crate::cli) address: String,
    /// What it says of itself, or why it does not answer.
    pub(in crate::cli) answer: Result<StoreAnswer, String>,
}

/// A server's own words; what it does not tell is `None`.
#[derive(Clone, Debug, Default)]
pub(in crate::cli) struct StoreAnswer {
    /// Its version.
    pub(in crate::cli) version: Option<String>,
    /// Whether it writes each change to its disk.
    pub(in crate::cli) appends: Option<bool>,
    /// What it throws away once its memory is full.
    pub(in crate::cli) eviction: Option<String>,
    /// Whether its memory has a bound at all.
    pub(in crate::cli) is_bounded: bool,
    /// Whether it is a replica.
    pub(in crate::cli) is_replica: bool,
    /// How far its clock is from this machine's, either way.
    pub(in crate::cli) apart: Option<Span>,
}

/// Nothing is thrown away where this is the policy.
const KEEPS: &str = "noeviction";

/// Clocks further apart than this are no clocks that somebody looks after.
const APART_MAX: Span = Span::from_secs(1);

/// The oldest version that knows what is asked of it.
const OLDEST: u32 = 6;

pub(super) fn store(facts: &StoreFacts) -> Vec<Finding> {
    let address = &facts.address;
    let answer = match &facts.answer {
        Ok(answer) => answer,
        Err(why) => {
            return vec![Finding::bad(
                format!("Redis: {address} does not answer: {why}"),
                "start Redis, or mend its address in the config",
            )];
        }
    };
    let version = answer.version.as_deref().unwrap_or("without a version");
    let major = version.split('.').next().and_then(|major| major.parse::<u32>().ok());
    let mut findings = vec![if major.is_some_and(|major| major < OLDEST) {
        Finding::bad(
            format!("Redis: {address} answers: {version}, which is too old"),
            format!("bring it to version {OLDEST} or later"),
        )
    } else {
        Finding::good(format!("Redis: {address} answers: {version}"))
    }];
    if answer.is_replica {
        findings.push(Finding::bad(
            "Redis: it is a replica, which takes no writes",
            "name the primary, or the sentinels that know it: redis+sentinel://…",
        ));
    }
    findings.extend(answer.appends.map(appends));
    findings.extend(answer.eviction.as_deref().filter(|policy| *policy != KEEPS).map(|policy| {
        let told = format!("Redis: when its memory is full it throws away what is kept (maxmemory-policy {policy})");
        let mend = format!("set `maxmemory-policy {KEEPS}`");
        if answer.is_bounded {
            Finding::bad(told, mend)
        } else {
            Finding::good("Redis: its memory has no bound").with_advice(format!("before you give it one, {mend}"))
        }
    }));
    findings.extend(answer.apart.map(clock));
    findings
}

fn appends(appends: bool) -> Finding {
    if appends {
        Finding::good("Redis: it writes each change to its disk")
    } else {
        Finding::bad(
            "Redis: it keeps changes in its memory alone (appendonly no), so a restart forgets the fence and the board",
            "set `appendonly yes` and `appendfsync everysec`",
        )
    }
}

fn clock(apart: Span) -> Finding {
    if apart <= APART_MAX {
        return Finding::good("Redis: its clock and this machine's are less than a second apart");
    }
    Finding::good(format!("Redis: its clock and this machine's are {} s apart", apart.as_secs().max(1))).with_advice(
        "consoles turn together all the same; for times that are read from Redis to be right, start chrony on both",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn well() -> StoreAnswer {
        StoreAnswer {
            version: Some("7.0.15".into()),
            appends: Some(true),
            eviction: Some(KEEPS.into()),
            apart: Some(Span::from_millis(3)),
            ..StoreAnswer::default()
        }
    }

    fn findings(answer: StoreAnswer) -> Vec<Finding> {
        store(&StoreFacts { address: "a:1".into(), answer: Ok(answer) })
    }

    #[test]
    fn each_thing_is_told_with_what_to_mend() {
        type Spoil = fn(&mut StoreAnswer);
        let all_well = findings(well());
        assert!(all_well.iter().all(|finding| finding.good && finding.mend.is_none()), "{all_well:?}");
        let cases: [(Spoil, bool, &str, &str); 6] = [
            (|answer| answer.version = Some("5.0.14".into()), false, "too old", "version 6"),
            (|answer| answer.is_replica = true, false, "a replica", "primary"),
            (|answer| answer.appends = Some(false), false, "a restart forgets the fence", "appendonly yes"),
            (
                |answer| (answer.eviction, answer.is_bounded) = (Some("allkeys-lru".into()), true),
                false,
                "throws away",
                "noeviction",
            ),
            (|answer| answer.eviction = Some("allkeys-lru".into()), true, "no bound", "noeviction"),
            (|answer| answer.apart = Some(Span::from_secs(7200)), true, "7200 s apart", "chrony"),
        ];
        for (spoil, good, told, mend) in cases {
            let mut answer = well();
            spoil(&mut answer);
            let findings = findings(answer);
            let found = findings.iter().find(|finding| finding.what.contains(told)).unwrap_or_else(|| panic!("{told}"));
            assert_eq!(found.good, good, "{told}");
            assert!(found.mend.as_ref().is_some_and(|advice| advice.contains(mend)), "{found:?}");
            assert_eq!(findings.iter().filter(|finding| !finding.good).count(), usize::from(!good), "{findings:?}");
        }
    }

    #[test]
    fn a_server_that_tells_little_is_not_blamed_for_it() {
        let findings = findings(StoreAnswer::default());
        assert_eq!(findings, [Finding::good("Redis: a:1 answers: without a version")]);
    }
}
