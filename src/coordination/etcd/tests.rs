//! The client against real clusters, against what is none, and against nobody.

#[path = "../../../tests/it/support/etcd.rs"]
#[expect(dead_code, reason = "the tests of the whole program share it and use the rest")]
pub(super) mod cluster;

mod faults;
mod refusals;

use tokio::time::timeout;

use self::cluster::Etcd;
use super::*;

/// How long a test waits for what should happen at once; only a failure takes so long.
const PATIENCE: Duration = Duration::from_secs(20);

/// What names the cluster for the board `line-3`.
pub(super) fn spec(etcd: &Etcd) -> Spec {
    Spec {
        endpoints: etcd.endpoints(),
        tls: false,
        login: None,
        // Other tests may have this machine to themselves for a moment.
        attempt: 4 * ATTEMPT,
        board: "line-3".into(),
        trusted: None,
    }
}

fn client(etcd: &Etcd) -> Client {
    Client::new(&spec(etcd)).unwrap()
}

async fn lease(client: &Client) -> i64 {
    client.grant(Duration::from_mins(1)).await.unwrap().lease
}

async fn next(watch: &mut Watch) -> Watched {
    timeout(PATIENCE, watch.next()).await.expect("nothing was told")
}

/// The first change that fits.
async fn next_where(watch: &mut Watch, fits: impl Fn(&Watched) -> bool) -> Watched {
    loop {
        let watched = next(watch).await;
        if fits(&watched) {
            return watched;
        }
    }
}

/// Puts `value` under a key of the board, past the client.
fn put(etcd: &Etcd, key: &str, value: &[u8]) {
    let (key, value) = (wire::base64(format!("/marquee/v1/line-3/{key}").as_bytes()), wire::base64(value));
    let answer = etcd.ask(0, "/v3/kv/put", &format!(r#"{{"key":"{key}","value":"{value}"}}"#)).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn one_leads_and_the_others_see_who() {
    let Some(etcd) = Etcd::start(1, &[]) else { return };
    let (a, b) = (client(&etcd), client(&etcd));
    let seen = a.leader().await.unwrap();
    assert_eq!((seen.holder, seen.epoch), (None, None));
    let granted = a.grant(Duration::from_millis(1500)).await.unwrap();
    assert!(granted.lease != 0 && granted.ttl >= Duration::from_secs(2), "{granted:?}");
    let (ours, theirs) = (lease(&a).await, lease(&b).await);
    let Campaigned::Won { rev, epoch: None } = a.campaign(ours, "console a").await.unwrap() else { panic!("not won") };
    let holder = Holder { rev, lease: ours, value: "console a".into() };
    assert_eq!(b.campaign(theirs, "console b").await, Ok(Campaigned::Held(holder.clone(), None)));
    // Asked twice, as after a lost answer, it is still the same leadership.
    assert_eq!(a.campaign(ours, "console a").await, Ok(Campaigned::Won { rev, epoch: None }));
    let seen = b.leader().await.unwrap();
    assert_eq!((seen.holder.as_ref(), seen.revision >= rev), (Some(&holder), true));
    assert_eq!(a.keep_alive(ours).await, Ok(Duration::from_mins(1)));
    a.revoke(ours).await.unwrap();
    a.revoke(ours).await.expect("one that is gone is ended");
    assert_eq!(a.keep_alive(ours).await, Ok(Duration::ZERO));
    assert_eq!(b.leader().await.unwrap().holder, None);
    let Err(Failure::Refused(why)) = a.campaign(ours, "console a").await else { panic!("a dead lease leads") };
    assert_eq!(why, format!("can't campaign in etcd: the lease is gone (127.0.0.1:{})", etcd.port(0)));
    let Ok(Campaigned::Won { rev: next, .. }) = b.campaign(theirs, "console b").await else { panic!("not won") };
    assert!(next > rev, "a token rises");
}

#[tokio::test]
async fn the_epoch_is_raised_by_one_alone() {
    let Some(etcd) = Etcd::start(1, &[]) else { return };
    let client = client(&etcd);
    let lease = lease(&client).await;
    for (expected, to, raised, then) in [
        (Some(3), 4, false, None),
        (None, 5, true, Some(5)),
        (None, 6, false, Some(5)),
        (Some(4), 6, false, Some(5)),
        (Some(5), 6, true, Some(6)),
    ] {
        assert_eq!(client.raise_epoch(expected, to).await, Ok(raised), "{expected:?} to {to}");
        assert_eq!(client.leader().await.unwrap().epoch, then);
    }
    let Ok(Campaigned::Won { epoch, .. }) = client.campaign(lease, "a").await else { panic!("not won") };
    assert_eq!(epoch, Some(6));
    // One that is no number is none, and is put right by whoever campaigns.
    for foreign in [&b"x"[..], b"", b"-1", b"+1", b"99999999999999999999", &[0xff], &[b'1'; 10_000]] {
        put(&etcd, "epoch", foreign);
        assert_eq!(client.leader().await.unwrap().epoch, None);
        assert_eq!(client.raise_epoch(None, 7).await, Ok(true));
        assert_eq!(client.leader().await.unwrap().epoch, Some(7));
    }
}

#[tokio::test]
async fn a_name_belongs_to_one_lease() {
    let Some(etcd) = Etcd::start(1, &[]) else { return };
    let client = client(&etcd);
    let (ours, theirs) = (lease(&client).await, lease(&client).await);
    assert_eq!(client.announce(ours, "north", "since 1").await, Ok(Announced::Done));
    for said in ["since 1", "since 2"] {
        assert_eq!(client.announce(ours, "north", said).await, Ok(Announced::Done), "what we say may change");
    }
    assert_eq!(client.announce(theirs, "north", "x").await, Ok(Announced::Taken("since 2".into())));
    assert_eq!(client.announce(theirs, "east", "y").await, Ok(Announced::Done));
    let both = [("east", "y"), ("north", "since 2")].map(|(name, said)| (name.to_owned(), said.to_owned()));
    assert_eq!(client.members().await.unwrap(), both);
    let mut watch = client.watch();
    assert_eq!(next(&mut watch).await, Watched::Restarted);
    for round in 0..2 {
        assert_eq!(client.ring(ours, "north").await, Ok(()));
        assert_eq!(next(&mut watch).await, Watched::Deaf, "{round}");
    }
    client.revoke(ours).await.unwrap();
    assert_eq!(client.members().await.unwrap(), both[..1]);
    let gone = client.ring(ours, "north").await;
    assert!(matches!(gone, Err(Failure::Refused(_))), "{gone:?}");
    assert_eq!(client.announce(theirs, "north", "x").await, Ok(Announced::Done));
}

#[tokio::test]
async fn only_the_leader_publishes() {
    let Some(etcd) = Etcd::start(1, &[]) else { return };
    let (a, b) = (client(&etcd), client(&etcd));
    let mut watch = b.watch();
    assert_eq!(next(&mut watch).await, Watched::Restarted);
    assert_eq!(a.put_frame(1, "f").await, Ok(false), "nobody leads");
    assert_eq!((a.frame().await, a.board().await), (Ok(None), Ok(None)));
    let ours = lease(&a).await;
    let Campaigned::Won { rev, .. } = a.campaign(ours, "a").await.unwrap() else { panic!("not won") };
    let Watched::Leader(Some(holder), at) = next(&mut watch).await else { panic!("no leader is told") };
    assert_eq!((holder.rev, holder.lease, holder.value.as_str(), at), (rev, ours, "a", rev));
    for frame in ["first", "second", "é\n\u{1b}\"\\"] {
        assert_eq!(a.put_frame(rev, frame).await, Ok(true));
        assert_eq!(next(&mut watch).await, Watched::Frame(frame.into()));
        assert_eq!(b.frame().await, Ok(Some(frame.into())));
    }
    let board = "b".repeat(BOARD_BYTES_MAX);
    assert_eq!(a.put_board(rev, &board).await, Ok(true), "the largest board fits into etcd's defaults");
    assert_eq!(next(&mut watch).await, Watched::Board);
    assert_eq!(b.board().await.unwrap().as_deref(), Some(board.as_str()));
    assert_eq!(b.put_frame(rev + 1, "x").await, Ok(false), "another token");
    a.revoke(ours).await.unwrap();
    let Watched::Leader(None, gone) = next(&mut watch).await else { panic!("no end is told") };
    assert!(gone > rev);
    assert_eq!(a.put_frame(rev, "late").await, Ok(false), "a leadership that is over");
    assert_eq!(a.put_board(rev, "late").await, Ok(false));
    for refused in
        [a.put_frame(rev, &"x".repeat(FRAME_BYTES_MAX + 1)).await, a.put_board(rev, &[&board, "x"].concat()).await]
    {
        assert!(matches!(refused, Err(Failure::Refused(_))), "{refused:?}");
    }
}

#[tokio::test]
async fn a_put_that_comes_late_undoes_nothing() {
    let Some(etcd) = Etcd::start(1, &[]) else { return };
    let client = client(&etcd);
    let Campaigned::Won { rev, .. } = client.campaign(lease(&client).await, "a").await.unwrap() else { panic!() };
    assert_eq!(client.put_frame(rev, "first").await, Ok(true));
    // What a frozen server would carry out now was sent when this was the newest revision.
    let then = client.shared.revision.load(Ordering::Relaxed);
    assert_eq!(client.put_frame(rev, "second").await, Ok(true));
    let keys = &client.shared.keys;
    let unchanged = wire::compare(&keys.frame, wire::Target::Changed, "LESS", then + 1);
    let body = serde_json::json!({"compare": [unchanged], "success": [wire::put(&keys.frame, "late", 0)]});
    etcd.ask(0, "/v3/kv/txn", &body.to_string()).unwrap();
    assert_eq!(client.frame().await, Ok(Some("second".into())));
    // A put of ours of which we have not heard keeps nobody from the next.
    client.shared.revision.store(then, Ordering::Relaxed);
    assert_eq!(client.put_frame(rev, "third").await, Ok(true));
    assert_eq!(client.frame().await, Ok(Some("third".into())));
}

#[tokio::test]
async fn a_lease_that_nobody_renews_takes_its_keys_along() {
    let Some(etcd) = Etcd::start(1, &[]) else { return };
    let client = client(&etcd);
    let granted = client.grant(Duration::from_secs(1)).await.unwrap();
    let mut watch = client.watch();
    assert_eq!(next(&mut watch).await, Watched::Restarted);
    assert!(matches!(client.campaign(granted.lease, "a").await, Ok(Campaigned::Won { .. })));
    assert!(matches!(next(&mut watch).await, Watched::Leader(Some(_), _)));
    assert!(matches!(next(&mut watch).await, Watched::Leader(None, _)));
    assert_eq!(client.keep_alive(granted.lease).await, Ok(Duration::ZERO));
}

#[tokio::test]
async fn members_tell_of_themselves() {
    let Some(mut etcd) = Etcd::start(1, &[]) else { return };
    let told = client(&etcd).status().await;
    let [(address, Ok(status))] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!(*address, format!("127.0.0.1:{}", etcd.port(0)));
    assert!(status.version.starts_with("3.") && status.size > 0 && status.has_leader && status.troubles.is_empty());
    etcd.kill(0);
    let told = client(&etcd).status().await;
    let words = format!("can't ask etcd: connection refused (127.0.0.1:{})", etcd.port(0));
    assert_eq!(told[0].1, Err(Failure::Unreachable(words)));
}

#[test]
fn what_can_be_no_cluster_is_refused_and_secrets_are_never_shown() {
    let spec = Spec {
        endpoints: vec![("::1".into(), 2379)],
        tls: true,
        login: Some(("operator".into(), "canary".into())),
        attempt: ATTEMPT,
        board: "line-3".into(),
        trusted: None,
    };
    for bad in [vec![], vec![("a b".to_owned(), 1)], vec![("a/b".to_owned(), 1), (String::new(), 1)]] {
        assert!(Client::new(&Spec { endpoints: bad.clone(), tls: false, ..spec.clone() }).is_err(), "{bad:?}");
    }
    let client = Client::new(&Spec { tls: false, ..spec.clone() }).unwrap();
    let told = format!("{spec:?} {client:?} {:?}", client.watch());
    assert!(told.contains("line-3") && !told.contains("canary") && !told.contains("operator"), "{told}");
}
