//! A real Prometheus, answers of every shape, and liars.

use super::*;
use crate::checks::servers_tests::{Server, check, run, survives, until};

#[test]
fn a_target_becomes_the_url_of_the_api() {
    let url = |target: &str| {
        let url = PeerUrl::parse(&CheckTarget { scheme: "prometheus", target }, &["query"]).unwrap();
        aim(&url).map(|(_, query)| query.to_string())
    };
    for (target, expected) in [
        ("prometheus://h?query=up", "http://h:9090/api/v1/query?query=up"),
        ("prometheus://[::1]:1/?query=a%20%2B%20b", "http://[::1]:1/api/v1/query?query=a+%2B+b"),
        ("prometheus://u:p%40@h/prom/?query=1", "http://u:p%40@h:9090/prom/api/v1/query?query=1"),
        (r#"prometheus://h/?query=up{job="a"}"#, "http://h:9090/api/v1/query?query=up%7Bjob%3D%22a%22%7D"),
    ] {
        assert_eq!(url(target).as_deref(), Ok(expected));
    }
    assert!(url("prometheus://h/").is_err());
    assert!(url("prometheus://h:0/?query=1").is_err());
}

#[test]
fn one_number_is_told_and_all_else_is_named() {
    let vector =
        |series: &str| format!(r#"{{"status":"success","data":{{"resultType":"vector","result":[{series}]}}}}"#);
    let scalar = |value: &str| {
        format!(r#"{{"status":"success","data":{{"resultType":"scalar","result":[1700000000.1,"{value}"]}}}}"#)
    };
    let one = r#"{"metric":{"job":"a"},"value":[1700000000.1,"1.5"]}"#;
    for (code, body, expected) in [
        (200, scalar("42"), Ok(42.0)),
        (200, scalar("-1e-3"), Ok(-0.001)),
        (200, scalar("+Inf"), Ok(f64::INFINITY)),
        (200, scalar("NaN"), Err("NaN")),
        (200, scalar("x"), Err("no Prometheus answer")),
        (200, vector(one), Ok(1.5)),
        (200, vector(""), Err("no series")),
        (200, vector(&[one; 3].join(",")), Err("3 series instead of one")),
        (200, vector(r#"{"metric":{},"histogram":[1,{}]}"#), Err("histogram")),
        (200, r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#.into(), Err("[duration]")),
        (200, r#"{"status":"success","data":{"resultType":"string","result":[1,"a"]}}"#.into(), Err("a text")),
        (400, r#"{"status":"error","errorType":"bad_data","error":"parse error"}"#.into(), Err("refused: parse error")),
        (401, "Unauthorized".into(), Err("password refused")),
        (404, "404 page not found".into(), Err("HTTP 404")),
        (200, "<html>".into(), Err("no Prometheus answer")),
        (200, "{}".into(), Err("no Prometheus answer")),
        (200, r#"{"status":"success"}"#.into(), Err("no Prometheus answer")),
    ] {
        match (number(code, body.as_bytes()), expected) {
            (Ok(value), Ok(expected)) => assert_eq!(value, Value::plain(expected), "{body}"),
            (Err(why), Err(part)) => assert!(why.contains(part), "{body}: {why}"),
            (told, expected) => panic!("{body}: {told:?} is not {expected:?}"),
        }
    }
}

#[tokio::test]
async fn a_real_prometheus_is_asked() {
    let server = Server::start("prometheus", |folder, port| {
        let config = format!(
            "scrape_configs:\n  - {{job_name: self, scrape_interval: 100ms, scrape_timeout: 100ms, static_configs: [{{targets: ['127.0.0.1:{port}']}}]}}\n"
        );
        std::fs::write(folder.join("prometheus.yml"), config).unwrap();
        vec![
            format!("--config.file={}", folder.join("prometheus.yml").display()),
            format!("--storage.tsdb.path={}", folder.join("data").display()),
            format!("--web.listen-address=127.0.0.1:{port}"),
        ]
    });
    let Some(server) = server else { return };
    let ask = |query: &str| check(&format!("prometheus://127.0.0.1:{}/?query={query}", server.port));
    let measured = until(&*ask("up"), Result::is_ok).await.unwrap();
    assert_eq!(measured.values.get("value"), Some(&Value::plain(1.0)));
    assert!(measured.bytes > 0);
    assert_eq!(run(&*ask("1%2B1")).await.unwrap().values.get("value"), Some(&Value::plain(2.0)));
    assert_eq!(run(&*ask("1/0")).await.unwrap().values.get("value"), Some(&Value::plain(f64::INFINITY)));
    for (query, part) in [
        ("0/0", "NaN"),
        ("nothing_of_this_name", "no series"),
        ("go_gc_duration_seconds", "series instead of one"),
        ("up[5m]", "[duration]"),
        ("up{", "refused: "),
        ("{__name__=~%22.%2B%22}", "aggregate it"),
    ] {
        let fault = run(&*ask(query)).await.unwrap_err();
        assert!(
            fault.0.contains(part) && fault.0.ends_with(&format!("(127.0.0.1:{})", server.port)),
            "{query}: {fault}"
        );
    }
}

#[tokio::test]
async fn liars_are_survived() {
    let starts: [&[u8]; 2] = [
        b"HTTP/1.1 200 OK\r\n\r\n{\"status\":\"success\",\"data\":",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff",
    ];
    survives(|address| format!("prometheus://u:secret@{address}/?query=up"), &starts).await;
}
