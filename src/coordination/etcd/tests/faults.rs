//! Members that die, freeze, come back empty or forget their history.

use rustix::process::Signal;

use super::*;

/// Asks until it is ours: while members choose a leader, an outcome may be unknown, and the lease tells it later.
async fn win(client: &Client, lease: i64) -> u64 {
    let asked = async {
        loop {
            match client.campaign(lease, "a").await {
                Ok(Campaigned::Won { rev, .. }) => break rev,
                Ok(Campaigned::Held(holder, _)) => panic!("{holder:?}"),
                Err(_) => {}
            }
        }
    };
    timeout(PATIENCE, asked).await.expect("not won")
}

fn impatient(etcd: &Etcd) -> Client {
    Client::new(&Spec { attempt: ATTEMPT, ..spec(etcd) }).unwrap()
}

/// A watch that asks soon whether its member has told everything.
fn suspicious(client: &Client) -> Watch {
    Watch::new(Arc::clone(&client.shared), Duration::from_secs(2))
}

fn is_frame(told: &Watched) -> bool {
    matches!(told, Watched::Frame(_))
}

#[tokio::test]
async fn a_dead_member_is_passed_over() {
    let Some(mut etcd) = Etcd::start(3, &[]) else { return };
    let client = client(&etcd);
    let ours = lease(&client).await;
    let mut watch = suspicious(&client);
    assert_eq!(next(&mut watch).await, Watched::Restarted);
    // The client and its watch are at the first, whether that leads the cluster or not.
    etcd.kill(0);
    let won = win(&client, ours).await;
    assert_ne!(client.shared.transport.preferred(), 0, "the endpoint that works is kept");
    assert_eq!(next(&mut watch).await, Watched::Restarted);
    assert_eq!(client.put_frame(won, "f").await, Ok(true));
    assert_eq!(next_where(&mut watch, is_frame).await, Watched::Frame("f".into()));
    etcd.restart(0);
    assert!(client.keep_alive(ours).await.unwrap() > Duration::ZERO, "leases outlive a member");
}

#[tokio::test]
async fn a_frozen_member_is_noticed() {
    let Some(etcd) = Etcd::start(3, &[]) else { return };
    let client = impatient(&etcd);
    let ours = lease(&client).await;
    let mut watch = suspicious(&client);
    assert_eq!(next(&mut watch).await, Watched::Restarted);
    let frozen = client.shared.transport.preferred();
    etcd.signal(frozen, Signal::STOP);
    // The watch hears nothing from it and begins anew elsewhere.
    assert_eq!(next(&mut watch).await, Watched::Restarted);
    let rev = win(&client, ours).await;
    let fits = |told: &Watched| matches!(told, Watched::Leader(Some(holder), _) if holder.rev == rev);
    next_where(&mut watch, fits).await;
    etcd.signal(frozen, Signal::CONT);
}

#[tokio::test]
async fn without_a_majority_nothing_is_known_and_the_watch_is_silent() {
    let Some(etcd) = Etcd::start(3, &[]) else { return };
    let client = impatient(&etcd);
    let ours = lease(&client).await;
    let mut watch = suspicious(&client);
    assert_eq!(next(&mut watch).await, Watched::Restarted);
    for place in [1, 2] {
        etcd.signal(place, Signal::STOP);
    }
    // Whatever the one that is left says, it wins nothing.
    for _ in 0..3 {
        assert!(matches!(client.campaign(ours, "a").await, Err(Failure::Unknown(_))));
    }
    let during = timeout(Duration::from_secs(3), watch.next()).await;
    assert!(during.is_err(), "{during:?}");
    for place in [1, 2] {
        etcd.signal(place, Signal::CONT);
    }
    let rev = win(&client, ours).await;
    let put = async { while client.put_frame(rev, "f").await != Ok(true) {} };
    timeout(PATIENCE, put).await.expect("not put");
    // Whether the watch is still the old one or a new one, the frame is known.
    let told = next_where(&mut watch, |told| is_frame(told) || *told == Watched::Restarted).await;
    if told == Watched::Restarted {
        assert_eq!(client.frame().await, Ok(Some("f".into())));
    }
}

#[tokio::test]
async fn a_lone_member_that_freezes_leaves_the_outcome_unknown() {
    let Some(etcd) = Etcd::start(1, &[]) else { return };
    let client = impatient(&etcd);
    let ours = lease(&client).await;
    etcd.signal(0, Signal::STOP);
    let words = format!("can't campaign in etcd: no answer in time (127.0.0.1:{})", etcd.port(0));
    assert_eq!(client.campaign(ours, "a").await, Err(Failure::Unknown(words)));
    assert!(matches!(client.raise_epoch(None, 1).await, Err(Failure::Unknown(_))));
    assert!(matches!(client.revoke(ours).await, Err(Failure::Unknown(_))));
    etcd.signal(0, Signal::CONT);
    let read_back = async {
        loop {
            if let Ok(seen) = client.leader().await {
                break seen;
            }
        }
    };
    // It may have happened or not; if it has, it is ours.
    let seen = timeout(PATIENCE, read_back).await.expect("not read");
    assert!(seen.holder.is_none_or(|holder| holder.lease == ours));
}

#[tokio::test]
async fn nobody_at_all_is_told_as_such_until_somebody_comes() {
    let Some(mut etcd) = Etcd::start(1, &[]) else { return };
    let client = client(&etcd);
    let mut watch = suspicious(&client);
    assert_eq!(next(&mut watch).await, Watched::Restarted);
    let ours = lease(&client).await;
    etcd.kill(0);
    let words = format!("can't read the leader from etcd: connection refused (127.0.0.1:{})", etcd.port(0));
    let failed = loop {
        match client.leader().await {
            // A question may meet a connection that is just closing.
            Err(Failure::Unknown(_)) => {}
            answered => break answered,
        }
    };
    assert_eq!(failed, Err(Failure::Unreachable(words)));
    assert!(timeout(Duration::from_millis(300), watch.next()).await.is_err());
    etcd.restart(0);
    assert_eq!(next(&mut watch).await, Watched::Restarted);
    assert!(client.keep_alive(ours).await.unwrap() > Duration::ZERO, "leases outlive a restart");
    // Rebuilt with nothing in it, its revisions begin at 1 again, which a put must survive.
    etcd.kill(0);
    etcd.erase(0);
    etcd.restart(0);
    assert_eq!(next(&mut watch).await, Watched::Restarted);
    assert_eq!(client.keep_alive(ours).await, Ok(Duration::ZERO));
    let rev = win(&client, lease(&client).await).await;
    assert_eq!(client.put_frame(rev, "f").await, Ok(true));
    assert_eq!(next_where(&mut watch, is_frame).await, Watched::Frame("f".into()));
}

#[tokio::test]
async fn history_that_is_compacted_away_is_not_missed() {
    let Some(etcd) = Etcd::start(1, &[]) else { return };
    let client = client(&etcd);
    let rev = win(&client, lease(&client).await).await;
    let mut watch = suspicious(&client);
    assert_eq!(next(&mut watch).await, Watched::Restarted);
    // More than fits between here and there, while nobody listens.
    let board = "b".repeat(BOARD_BYTES_MAX);
    for _ in 0..24 {
        assert_eq!(client.put_board(rev, &board).await, Ok(true));
    }
    let newest = client.leader().await.unwrap().revision;
    let compacted = etcd.ask(0, "/v3/kv/compaction", &format!(r#"{{"revision":"{newest}"}}"#)).unwrap();
    assert!(compacted.starts_with("HTTP/1.1 200"), "{compacted}");
    assert_eq!(client.put_frame(rev, "f").await, Ok(true));
    if next_where(&mut watch, |told| *told != Watched::Board).await == Watched::Restarted {
        assert_eq!(client.frame().await, Ok(Some("f".into())));
    }
    assert_eq!(client.put_frame(rev, "g").await, Ok(true));
    next_where(&mut watch, |told| *told == Watched::Frame("g".into())).await;
}

#[tokio::test]
async fn a_wait_that_is_given_up_loses_nothing() {
    let Some(etcd) = Etcd::start(1, &[]) else { return };
    let client = client(&etcd);
    let rev = win(&client, lease(&client).await).await;
    let mut watch = suspicious(&client);
    let (mut told, mut put) = (Vec::new(), 0);
    let wanted: Vec<_> = (0..20).map(|place: u32| Watched::Frame(place.to_string())).collect();
    while told.len() < wanted.len() + 1 {
        // Shorter than a connection takes.
        match timeout(Duration::from_millis(1), watch.next()).await {
            Ok(watched) => told.push(watched),
            Err(_) if !told.is_empty() && put < wanted.len() => {
                assert_eq!(client.put_frame(rev, &put.to_string()).await, Ok(true));
                put += 1;
            }
            Err(_) => {}
        }
    }
    assert_eq!((&told[0], &told[1..]), (&Watched::Restarted, wanted.as_slice()));
}
