//! What is to be said of the consoles, and of the etcd that elects their leader.

use std::path::PathBuf;

use super::Finding;
use crate::config::LeaseConfig;
use crate::config::timing::ATTEMPTS_PER_RENEWAL;
use crate::coordination::Presence;
use crate::frame::Span;

/// How consoles find their leader.
#[derive(Clone, Debug)]
pub(in crate::cli) enum ClusterFacts {
    /// There are no others.
    None,
    /// Among the consoles of this machine, which meet in this folder, unless it can't be used.
    Local(PathBuf, Result<(), String>),
    /// By etcd.
    Etcd(Box<EtcdFacts>),
    /// By etcd, of which this program knows nothing.
    #[cfg(any(test, not(feature = "etcd")))]
    Without,
}

/// What is known of an etcd.
#[derive(Clone, Debug)]
pub(in crate::cli) struct EtcdFacts {
    /// Whether it is asked over TLS.
    pub(in crate::cli) tls: bool,
    /// Whether somebody logs in.
    pub(in crate::cli) login: bool,
    /// How the leader's place is held.
    pub(in crate::cli) lease: LeaseConfig,
    /// Each endpoint by its address.
    pub(in crate::cli) members: Vec<MemberFacts>,
    /// Who leads, as the majority has it; or why nobody knows.
    pub(in crate::cli) leader: Result<Option<LeaderFacts>, String>,
    /// The time that a lease was granted, or why none was.
    pub(in crate::cli) granted: Result<Span, String>,
    /// Whether this user may write the board's keys, or why not.
    pub(in crate::cli) may_write: Result<(), String>,
    /// The consoles that say that they are there.
    pub(in crate::cli) consoles: Vec<Presence>,
    /// This console's name, where the config gives it one, and whether it is in use on this very machine.
    pub(in crate::cli) name: Option<(String, NameFacts)>,
    /// Whether the guardian starts, or why not; `None`: there is to be none.
    pub(in crate::cli) guardian: Option<Result<(), String>>,
    /// The leader's key.
    pub(in crate::cli) leader_key: String,
}

/// One endpoint of etcd.
#[derive(Clone, Debug)]
pub(in crate::cli) struct MemberFacts {
    /// Where it is.
    pub(in crate::cli) address: String,
    /// What it says of itself, or why it does not.
    pub(in crate::cli) answer: Result<MemberAnswer, String>,
}

/// What a member says of itself.
#[derive(Clone, Debug)]
pub(in crate::cli) struct MemberAnswer {
    /// Its version.
    pub(in crate::cli) version: String,
    /// Whether it knows a leader of etcd's own.
    pub(in crate::cli) has_leader: bool,
    /// Its alarms, in its own words.
    pub(in crate::cli) troubles: Vec<String>,
    /// How long the answer took.
    pub(in crate::cli) took: Span,
}

/// Who leads the consoles.
#[derive(Clone, Debug)]
pub(in crate::cli) struct LeaderFacts {
    /// What it says of itself; `None`: nothing that can be read.
    pub(in crate::cli) who: Option<Presence>,
    /// Whether the place is bound to a lease.
    pub(in crate::cli) ends: bool,
}

/// Who has this console's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum NameFacts {
    /// Nobody.
    Free,
    /// A process of this machine, most likely this board.
    Here(u32),
    /// A console of another machine.
    Elsewhere,
}

pub(super) fn cluster(facts: &ClusterFacts) -> Vec<Finding> {
    match facts {
        ClusterFacts::None => vec![Finding::good("cluster: none; this console is alone")],
        ClusterFacts::Local(folder, Ok(())) => {
            vec![Finding::good(format!("cluster: the consoles of this machine meet in {}", folder.display()))]
        }
        ClusterFacts::Local(folder, Err(why)) => vec![Finding::bad(
            format!("cluster: the consoles of this machine can't meet in {}: {why}", folder.display()),
            "let this user write there, or set XDG_RUNTIME_DIR to a folder that is this user's alone",
        )],
        #[cfg(any(test, not(feature = "etcd")))]
        ClusterFacts::Without => vec![Finding::bad(
            "cluster: this program was built without etcd, so this console leads nobody and follows nobody",
            "build it with `--features etcd`, or write `cluster: local`",
        )],
        ClusterFacts::Etcd(facts) => etcd(facts),
    }
}

fn etcd(facts: &EtcdFacts) -> Vec<Finding> {
    let mut findings: Vec<_> = facts.members.iter().flat_map(|told| member(told, facts)).collect();
    let answering = facts.members.iter().filter(|member| member.answer.is_ok()).count();
    if answering == 0 {
        return findings;
    }
    findings.extend(clear_text(facts));
    match &facts.leader {
        Err(why) => {
            findings.push(Finding::bad(format!("cluster: {why}"), "mend etcd, or what this user may do there"));
            return findings;
        }
        Ok(leads) => findings.push(leader(leads.as_ref(), facts)),
    }
    findings.extend(facts.name.iter().map(|(name, taken)| own_name(name, *taken)));
    findings.push(rights(facts));
    findings.push(lease(facts));
    findings.push(guardian(facts));
    findings
}

fn member(facts: &MemberFacts, etcd: &EtcdFacts) -> Vec<Finding> {
    let address = &facts.address;
    let answer = match &facts.answer {
        Ok(answer) => answer,
        Err(why) => {
            let mend = if why.contains("password") {
                "mend user and password in `cluster`, or etcd's users".to_owned()
            } else if why.contains("certificate") || why.contains("TLS") {
                "mend its certificate, or write `etcds://…` where it speaks TLS and `etcd://…` where it does not"
                    .to_owned()
            } else {
                format!("start the member at {address}, or mend its address in the config")
            };
            return vec![Finding::bad(format!("etcd: {why}"), mend)];
        }
    };
    let MemberAnswer { version, has_leader, troubles, took } = answer;
    let over = if etcd.tls { " over TLS" } else { "" };
    let millis = took.as_millis().max(1);
    let told = format!("etcd: {address} answers{over} within {millis} ms: {version}");
    let mut findings = Vec::new();
    if !has_leader {
        findings.push(Finding::bad(
            format!("{told}, without a leader"),
            "start its other members: only a majority of them elects one",
        ));
    } else if *took > etcd.lease.attempt / 2 {
        findings.push(Finding::bad(
            format!("{told}, which is slow: a try is given up after {} ms", etcd.lease.attempt.as_millis()),
            "give its disk or its network relief, or make `ttl` and `attempt` of `lease` longer",
        ));
    } else {
        findings.push(Finding::good(told));
    }
    // That it has no leader was said already, in words of our own.
    let alarms = troubles.iter().filter(|trouble| !trouble.contains("no leader"));
    findings.extend(alarms.map(|trouble| {
        let mend = if trouble.contains("NOSPACE") {
            "compact and defragment it, or raise --quota-backend-bytes; then `etcdctl alarm disarm`"
        } else if trouble.contains("CORRUPT") {
            "restore this member from the others"
        } else {
            "see to etcd"
        };
        Finding::bad(format!("etcd: {address} raises an alarm: {trouble}"), mend)
    }));
    findings
}

/// A password that everybody on the way can read.
fn clear_text(facts: &EtcdFacts) -> Option<Finding> {
    let is_near = |member: &MemberFacts| member.address.starts_with("127.") || member.address.starts_with("[::1]");
    (facts.login && !facts.tls && !facts.members.iter().all(is_near)).then(|| {
        Finding::bad("etcd: its password crosses the network in clear text", "write `etcds://…`, and give etcd TLS")
    })
}

fn leader(leads: Option<&LeaderFacts>, facts: &EtcdFacts) -> Finding {
    let mut names: Vec<_> = facts.consoles.iter().map(|console| console.console.as_str()).collect();
    names.sort_unstable();
    let company = match names.len() {
        0 => "no console is there".to_owned(),
        1 => format!("1 console is there: {}", names[0]),
        count => format!("{count} consoles are there: {}", names.join(", ")),
    };
    match leads {
        None => Finding::good(format!("cluster: nobody leads now; {company}")),
        Some(LeaderFacts { ends: false, .. }) => Finding::bad(
            format!("cluster: the key {} was put by hand and never ends, so nobody can lead", facts.leader_key),
            format!("delete it: `etcdctl del {}`", facts.leader_key),
        ),
        Some(LeaderFacts { who: None, .. }) => Finding::bad(
            format!("cluster: who leads says nothing that can be read; {company}"),
            "see who else writes under that key, or bring all consoles to one version",
        ),
        Some(LeaderFacts { who: Some(who), .. }) => Finding::good(format!("cluster: {} leads; {company}", who.console)),
    }
}

fn own_name(name: &str, taken: NameFacts) -> Finding {
    match taken {
        NameFacts::Free => Finding::good(format!("console: the name {name} is free")),
        NameFacts::Here(process) => {
            Finding::good(format!("console: {name} runs on this machine already, as process {process}"))
        }
        NameFacts::Elsewhere => Finding::bad(
            format!("console: the name {name} is another machine's, so this console could not lead"),
            "give it a name of its own by `console`",
        ),
    }
}

fn rights(facts: &EtcdFacts) -> Finding {
    match &facts.may_write {
        Ok(()) => Finding::good("etcd: this board's keys may be read and written"),
        Err(why) => Finding::bad(format!("etcd: {why}"), "mend etcd, or what this user may do there"),
    }
}

fn lease(facts: &EtcdFacts) -> Finding {
    let LeaseConfig { ttl, renew, attempt, .. } = facts.lease;
    let granted = match &facts.granted {
        Ok(granted) => *granted,
        Err(why) => return Finding::bad(format!("lease: {why}"), "mend etcd; without a lease nobody can lead"),
    };
    let deadline = facts.lease.deadline();
    let left = deadline.saturating_sub(renew + attempt * ATTEMPTS_PER_RENEWAL).as_millis();
    let told = format!(
        "lease: {} s, renewed every {} ms; without an answer its leader is silent after {} ms, {left} ms more than {} tries need",
        ttl.as_secs(),
        renew.as_millis(),
        deadline.as_millis(),
        ATTEMPTS_PER_RENEWAL,
    );
    if granted > ttl {
        return Finding::bad(
            format!("{told}; but etcd grants no less than {} s", granted.as_secs()),
            format!("set `ttl: {}s`, or shorten etcd's --election-timeout", granted.as_secs()),
        );
    }
    Finding::good(told)
}

fn guardian(facts: &EtcdFacts) -> Finding {
    match &facts.guardian {
        Some(Ok(())) => Finding::good("guardian: it starts"),
        Some(Err(why)) => Finding::bad(
            format!("guardian: it can't start: {why}; after a kill the others wait for the end of the lease"),
            "let this user start one more process, or write `guardian: false`",
        ),
        None => Finding::good("guardian: off; after a kill the others wait for the end of the lease"),
    }
}

#[cfg(test)]
mod tests;
