//! Every finding over the consoles, from facts that are made up.

use super::*;

fn member(address: &str) -> MemberFacts {
    let answer =
        MemberAnswer { version: "3.4.23".into(), has_leader: true, troubles: Vec::new(), took: Span::from_millis(2) };
    MemberFacts { address: address.into(), answer: Ok(answer) }
}

fn answer(facts: &mut EtcdFacts) -> &mut MemberAnswer {
    facts.members[0].answer.as_mut().unwrap()
}

fn presence(name: &str) -> Presence {
    Presence { console: name.into(), ..Presence::default() }
}

/// An etcd where all is well.
fn well() -> EtcdFacts {
    EtcdFacts {
        tls: false,
        login: false,
        lease: LeaseConfig::DEFAULT,
        members: vec![member("a:1"), member("127.0.0.1:2")],
        leader: Ok(Some(LeaderFacts { who: Some(presence("hall-1")), ends: true })),
        granted: Ok(Span::from_secs(3)),
        may_write: Ok(()),
        consoles: vec![presence("hall-2"), presence("hall-1")],
        name: Some(("hall-2".into(), NameFacts::Here(4711))),
        guardian: Some(Ok(())),
        leader_key: "/marquee/v1/line-3/leader".into(),
    }
}

#[test]
fn where_all_is_well_it_is_said_in_one_line_each() {
    let findings = cluster(&ClusterFacts::Etcd(Box::new(well())));
    let told: Vec<_> = findings.iter().map(|finding| finding.what.as_str()).collect();
    assert_eq!(
        told,
        [
            "etcd: a:1 answers within 2 ms: 3.4.23",
            "etcd: 127.0.0.1:2 answers within 2 ms: 3.4.23",
            "cluster: hall-1 leads; 2 consoles are there: hall-1, hall-2",
            "console: hall-2 runs on this machine already, as process 4711",
            "etcd: this board's keys may be read and written",
            "lease: 3 s, renewed every 750 ms; without an answer its leader is silent after 2400 ms, 50 ms more than 4 tries need",
            "guardian: it starts",
        ]
    );
    assert!(findings.iter().all(|finding| finding.good && finding.mend.is_none()));
}

#[test]
fn what_is_bad_is_named_with_what_to_do() {
    type Spoil = fn(&mut EtcdFacts);
    let cases: &[(Spoil, &str, &str)] = &[
        (|facts| facts.members[0].answer = Err("can't ask etcd: connection refused (a:1)".into()), "refused", "a:1"),
        (|facts| answer(facts).has_leader = false, "without a leader", "majority"),
        (|facts| answer(facts).took = Span::from_millis(201), "slow: a try is given up after 400 ms", "`lease`"),
        (|facts| answer(facts).troubles = vec!["memberID:1 alarm:NOSPACE ".into()], "NOSPACE", "alarm disarm"),
        (|facts| answer(facts).troubles = vec!["memberID:1 alarm:CORRUPT ".into()], "CORRUPT", "restore"),
        (|facts| answer(facts).troubles = vec!["odd".into()], "odd", "see to etcd"),
        (|facts| facts.login = true, "in clear text", "etcds://"),
        (
            |facts| facts.leader = Err("can't read the leader from etcd: no answer".into()),
            "can't read the leader",
            "may do there",
        ),
        (|facts| facts.leader = Ok(Some(LeaderFacts { who: None, ends: false })), "by hand", "etcdctl del /marquee/v1"),
        (|facts| facts.leader = Ok(Some(LeaderFacts { who: None, ends: true })), "can be read", "version"),
        (|facts| facts.name = Some(("x".into(), NameFacts::Elsewhere)), "the name x is another machine's", "`console`"),
        (|facts| facts.may_write = Err("this user may not do that".into()), "may not do that", "may do there"),
        (
            |facts| facts.members[0].answer = Err("user or password refused (a:1)".into()),
            "refused",
            "user and password",
        ),
        (|facts| facts.members[0].answer = Err("its certificate is expired (a:1)".into()), "expired", "etcds://"),
        (|facts| facts.granted = Err("its space is used up".into()), "its space is used up", "nobody can lead"),
        (|facts| facts.granted = Ok(Span::from_secs(5)), "grants no less than 5 s", "ttl: 5s"),
        (|facts| facts.guardian = Some(Err("no more processes".into())), "no more processes", "guardian: false"),
    ];
    for (spoil, told, mend) in cases {
        let mut facts = well();
        spoil(&mut facts);
        let findings = cluster(&ClusterFacts::Etcd(Box::new(facts)));
        let bad: Vec<_> = findings.iter().filter(|finding| !finding.good).collect();
        assert_eq!(bad.len(), 1, "{told}: {bad:?}");
        assert!(bad[0].what.contains(told), "{:?} instead of {told}", bad[0].what);
        assert!(bad[0].mend.as_ref().is_some_and(|advice| advice.contains(mend)), "{bad:?}");
    }
}

#[test]
fn what_is_as_well_is_good() {
    type Change = fn(&mut EtcdFacts);
    let cases: &[(Change, &str)] = &[
        (|facts| (facts.tls, facts.login) = (true, true), "a:1 answers over TLS"),
        (|facts| (facts.login, facts.members) = (true, vec![member("127.0.0.1:2")]), "127.0.0.1:2 answers within"),
        (|facts| facts.leader = Ok(None), "nobody leads now; 2 consoles"),
        (|facts| facts.consoles = vec![presence("x")], "1 console is there: x"),
        (|facts| facts.consoles.clear(), "no console is there"),
        (|facts| facts.name = Some(("x".into(), NameFacts::Free)), "the name x is free"),
        (|facts| facts.guardian = None, "guardian: off"),
    ];
    for (change, told) in cases {
        let mut facts = well();
        change(&mut facts);
        let findings = cluster(&ClusterFacts::Etcd(Box::new(facts)));
        assert!(findings.iter().all(|finding| finding.good), "{findings:?}");
        assert!(findings.iter().any(|finding| finding.what.contains(told)), "{told}: {findings:?}");
    }
}

#[test]
fn an_etcd_that_is_down_is_not_asked_further() {
    let mut facts = well();
    for member in &mut facts.members {
        member.answer = Err("connection refused".into());
    }
    assert_eq!(cluster(&ClusterFacts::Etcd(Box::new(facts))).len(), 2);
}

#[test]
fn without_etcd_it_is_said_where_the_others_are() {
    for (facts, good, told) in [
        (ClusterFacts::None, true, "alone"),
        (ClusterFacts::Local("/run/x".into(), Ok(())), true, "meet in /run/x"),
        (ClusterFacts::Local("/run/x".into(), Err("permission denied".into())), false, "/run/x: permission denied"),
        (ClusterFacts::Without, false, "without etcd"),
    ] {
        let findings = cluster(&facts);
        assert!(findings.len() == 1 && findings[0].good == good && findings[0].what.contains(told), "{findings:?}");
        assert_eq!(findings[0].mend.is_some(), !good);
    }
}
