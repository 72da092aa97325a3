//! Name servers that the tests start: a real one, honest small ones, and liars.

use std::net::{Ipv4Addr, Ipv6Addr};

use hickory_proto::op::MessageType;
use hickory_proto::rr::Record;
use hickory_proto::rr::rdata::{A, AAAA, CNAME, MX, NS, PTR, SRV, TXT};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};

use super::*;
use crate::checks::servers_tests::{Server, check, run, until};

fn name(text: &str) -> Name {
    Name::from_ascii(text).unwrap()
}

fn record(owner: &str, data: RData) -> Record {
    Record::from_rdata(name(owner), 60, data)
}

fn answered(question: &Query, records: Vec<Record>) -> Vec<String> {
    let mut answer = Message::query();
    answer.add_query(question.clone());
    answer.answers = records;
    answers(question, &answer)
}

#[test]
fn only_records_that_answer_are_told() {
    let question = Query::query(name("press.plant."), RecordType::A);
    let a = |owner: &str, last: u8| record(owner, RData::A(A(Ipv4Addr::new(10, 0, 0, last))));
    let alias = |owner: &str, to: &str| record(owner, RData::CNAME(CNAME(name(to))));
    for (records, expected) in [
        (vec![], vec![]),
        (vec![a("press.plant.", 9), a("PRESS.plant.", 7), a("press.plant.", 7)], vec!["10.0.0.7", "10.0.0.9"]),
        (vec![a("evil.plant.", 7)], vec![]),
        (vec![alias("press.plant.", "p.plant."), a("p.plant.", 7), a("q.plant.", 8)], vec!["10.0.0.7"]),
        (vec![a("p.plant.", 7), alias("q.plant.", "p.plant."), alias("press.plant.", "q.plant.")], vec!["10.0.0.7"]),
        (vec![alias("press.plant.", "q.plant."), alias("q.plant.", "press.plant.")], vec![]),
        (vec![alias("press.plant.", "press.plant."), a("press.plant.", 7)], vec!["10.0.0.7"]),
        (vec![record("press.plant.", RData::AAAA(AAAA(Ipv6Addr::LOCALHOST)))], vec![]),
    ] {
        assert_eq!(answered(&question, records.clone()), expected, "{records:?}");
    }
    let many = (0..=255).map(|last| a("press.plant.", last)).collect();
    assert_eq!(answered(&question, many).len(), ANSWERS_MAX);
}

#[test]
fn every_type_is_told_as_it_is_written() {
    let root = || name(".");
    for (data, told) in [
        (RData::A(A(Ipv4Addr::new(10, 0, 0, 7))), "10.0.0.7"),
        (RData::AAAA(AAAA(Ipv6Addr::LOCALHOST)), "::1"),
        (RData::CNAME(CNAME(name("a.plant."))), "a.plant"),
        (RData::NS(NS(root())), "."),
        (RData::PTR(PTR(name("press.plant."))), "press.plant"),
        (RData::MX(MX::new(10, name("mail.plant."))), "10 mail.plant"),
        (RData::SRV(SRV::new(0, 5, 5060, name("sip.plant."))), "0 5 5060 sip.plant"),
        (RData::TXT(TXT::new(vec!["v=spf1 ".into(), "-all".into()])), "v=spf1 -all"),
    ] {
        let kind = data.record_type();
        assert!(TYPES.iter().any(|(word, known)| *known == kind && *word == kind.to_string()));
        let question = Query::query(name("x.plant."), kind);
        assert_eq!(answered(&question, vec![record("x.plant.", data)]), [told]);
    }
}

#[test]
fn targets_are_read() {
    let build = |target: &str| build(&CheckTarget { scheme: "dns", target });
    for good in [
        "dns://press.plant",
        "dns://press.plant.?type=aaaa",
        "dns://_sip._tcp.plant?type=SRV",
        "dns://10.0.0.7?type=PTR",
        "dns://[2001:db8::1]?type=PTR",
        "dns://10.0.0.1/press.plant?type=MX",
        "dns://[::1]:5353/press.plant",
        "dns://b%C3%BCcher.example",
    ] {
        assert!(build(good).is_ok(), "{good}");
    }
    for (bad, part) in [
        ("dns://", "HOST"),
        ("dns://10.0.0.7", "type=PTR"),
        ("dns://press.plant:53", "NAME"),
        ("dns://press.plant?type=ANY", "one of A, AAAA"),
        ("dns://u:secret@press.plant", "no password"),
        ("dns://10.0.0.1/a/b", "NAME"),
        ("dns://10.0.0.1:0/a", "port"),
        ("dns://a%20b", "NAME"),
        ("dns://a..b", "NAME"),
    ] {
        let Err(BadTarget(why)) = build(bad) else { panic!("{bad} is accepted") };
        assert!(why.contains(part) && !why.contains("secret"), "{bad}: {why}");
    }
    let long = format!("dns://{}", "a".repeat(64));
    assert!(build(&long).is_err());
}

/// A name server that answers each question over UDP with what `answer` makes of it.
#[expect(clippy::disallowed_methods, reason = "a test's server beside the test")]
async fn server(answer: impl Fn(Message) -> Vec<Vec<u8>> + Send + 'static) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 4096];
        while let Ok((length, guest)) = socket.recv_from(&mut buffer).await {
            for datagram in answer(Message::from_vec(&buffer[..length]).unwrap()) {
                socket.send_to(&datagram, guest).await.unwrap();
            }
        }
    });
    address
}

/// The honest answer to a question for an address.
fn honest(mut question: Message) -> Message {
    let owner = question.queries[0].name().clone();
    question.metadata.message_type = MessageType::Response;
    question.add_answer(Record::from_rdata(owner, 60, RData::A(A(Ipv4Addr::new(10, 0, 0, 7)))));
    question
}

fn seven() -> Value {
    Value::List(vec![Value::text("10.0.0.7")])
}

#[tokio::test]
async fn lies_are_passed_over_and_the_true_answer_is_waited_for() {
    let liar = server(|asked| {
        let lied = |change: fn(&mut Message)| {
            let mut answer = honest(asked.clone());
            answer.answers[0].data = RData::A(A(Ipv4Addr::new(6, 6, 6, 6)));
            change(&mut answer);
            answer.to_vec().unwrap()
        };
        vec![
            lied(|it| it.metadata.id ^= 1),
            lied(|it| it.metadata.message_type = MessageType::Query),
            lied(|it| it.queries[0] = Query::query(Name::from_ascii("evil.plant.").unwrap(), RecordType::A)),
            lied(|it| it.queries.clear()),
            // A name that points at itself.
            [&lied(|it| it.answers.clear())[..12], &[0xc0, 12, 0, 1, 0, 1]].concat(),
            vec![],
            vec![0xff; 2000],
            vec![7; 60_000],
            honest(asked.clone()).to_vec().unwrap(),
        ]
    });
    let liar = liar.await;
    let measured = run(&*check(&format!("dns://{liar}/press.plant"))).await.unwrap();
    assert_eq!(measured.values.get("answers"), Some(&seven()));
    assert_eq!(measured.values.get("code"), Some(&Value::text("NOERROR")));
    assert!(matches!(measured.values.get("latency"), Some(Value::Number(..))));
    assert!(measured.bytes > 0);
}

#[tokio::test]
async fn refusals_and_empty_answers_are_told_apart() {
    for (code, told) in [
        (ResponseCode::NXDomain, Ok("NXDOMAIN")),
        (ResponseCode::NoError, Ok("NOERROR")),
        (ResponseCode::ServFail, Err("SERVFAIL")),
        (ResponseCode::Refused, Err("REFUSED")),
        (ResponseCode::NotImp, Err("not implemented")),
    ] {
        let address = server(move |asked| {
            let mut answer = honest(asked);
            answer.answers.clear();
            answer.metadata.response_code = code;
            vec![answer.to_vec().unwrap()]
        });
        let result = run(&*check(&format!("dns://{}/press.plant", address.await))).await;
        match (result, told) {
            (Ok(measured), Ok(told)) => {
                assert_eq!(measured.values.get("code"), Some(&Value::text(told)));
                assert_eq!(measured.values.get("answers"), Some(&Value::List(vec![])));
            }
            (Err(fault), Err(told)) => assert!(fault.0.contains(told) && fault.0.contains("127.0.0.1:"), "{fault}"),
            (result, told) => panic!("{result:?} is not {told:?}"),
        }
    }
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "a test's server beside the test")]
async fn an_answer_too_long_for_a_datagram_comes_over_tcp() {
    for (over_tcp, told) in [
        (honest as fn(Message) -> Message, Ok(seven())),
        (|asked| truncated(honest(asked)), Err("cut short")),
        (
            |asked| {
                let mut answer = honest(asked);
                answer.metadata.id ^= 1;
                answer
            },
            Err("none to the question"),
        ),
    ] {
        // The number of a free datagram port may be taken among the stream ports: then another one is tried.
        let (address, listener) = loop {
            let address = server(|asked| vec![truncated(honest(asked)).to_vec().unwrap()]).await;
            if let Ok(listener) = TcpListener::bind(address).await {
                break (address, listener);
            }
        };
        tokio::spawn(async move {
            let (mut guest, _) = listener.accept().await.unwrap();
            let mut asked = vec![0; guest.read_u16().await.unwrap().into()];
            guest.read_exact(&mut asked).await.unwrap();
            let answer = over_tcp(Message::from_vec(&asked).unwrap()).to_vec().unwrap();
            guest.write_u16(u16::try_from(answer.len()).unwrap()).await.unwrap();
            guest.write_all(&answer).await.unwrap();
        });
        let result = run(&*check(&format!("dns://{address}/press.plant"))).await;
        match (result, told) {
            (Ok(measured), Ok(told)) => assert_eq!(measured.values.get("answers"), Some(&told)),
            (Err(fault), Err(told)) => assert!(fault.0.contains(told), "{fault}"),
            (result, told) => panic!("{result:?} is not {told:?}"),
        }
    }
}

fn truncated(mut answer: Message) -> Message {
    answer.metadata.truncation = true;
    answer.answers.clear();
    answer
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named() {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    drop(socket);
    let fault = run(&*check(&format!("dns://{address}/press.plant"))).await.unwrap_err();
    assert_eq!(fault.0, format!("connection refused ({address})"));
}

#[tokio::test]
async fn a_real_name_server_is_asked() {
    let config = |folder: &std::path::Path, port: u16| {
        let text = format!(
            "port={port}\nlisten-address=127.0.0.1\nbind-interfaces\nno-resolv\nno-hosts\nlocal=/plant/\n\
             address=/press.plant/10.0.0.7\naddress=/press.plant/::7\ncname=alias.plant,target.plant\n\
             host-record=target.plant,10.0.0.8\nmx-host=plant,mail.plant,10\ntxt-record=plant,hello\n\
             srv-host=_sip._tcp.plant,sip.plant,5060,0,5\nptr-record=7.0.0.10.in-addr.arpa,press.plant\n"
        );
        std::fs::write(folder.join("dnsmasq.conf"), text).unwrap();
        let text = |word: &str| word.to_owned();
        vec![text("--keep-in-foreground"), text("--conf-file=dnsmasq.conf"), text("--pid-file="), text("--user=")]
    };
    let Some(server) = Server::start("dnsmasq", config) else { return };
    let at = format!("dns://127.0.0.1:{}", server.port);
    until(&*check(&format!("{at}/press.plant")), Result::is_ok).await.unwrap();
    for (asked, told) in [
        ("press.plant", "10.0.0.7"),
        ("press.plant?type=AAAA", "::7"),
        ("alias.plant", "10.0.0.8"),
        ("alias.plant?type=CNAME", "target.plant"),
        ("plant?type=MX", "10 mail.plant"),
        ("plant?type=TXT", "hello"),
        ("_sip._tcp.plant?type=SRV", "5 0 5060 sip.plant"),
        ("10.0.0.7?type=PTR", "press.plant"),
        ("nothing.plant", ""),
    ] {
        let measured = run(&*check(&format!("{at}/{asked}"))).await.unwrap();
        let answers = measured.values.get("answers").map(ToString::to_string);
        let code = measured.values.get("code").map(ToString::to_string);
        if told.is_empty() {
            assert_eq!((answers.as_deref(), code.as_deref()), (Some(""), Some("NXDOMAIN")), "{asked}");
        } else if asked.starts_with("_sip") {
            // dnsmasq's own order of priority and weight is not what is tested.
            assert!(answers.is_some_and(|it| it.ends_with(" 5060 sip.plant")), "{asked}");
        } else {
            assert_eq!(answers.as_deref(), Some(told), "{asked}");
        }
    }
}
