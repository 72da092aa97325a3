//! The API of a running board: every route, every refusal, and clients of every kind.

use serde_json::{Value, json};

use crate::support::clock::eventually;
use crate::support::http::At;
use crate::support::process::resident_mib;
use crate::support::servers::free_port;
use crate::support::{Piped, TempHome};

/// The keys of an item, in their order.
const ITEM: [&str; 13] = [
    "id", "text", "level", "since", "updated", "age_ms", "source", "values", "fresh", "flapping", "next_run", "run",
    "last_run",
];

/// The keys of a run, in their order.
const RUN: [&str; 9] = ["run", "item", "state", "started", "waited_ms", "ran_ms", "retries", "bytes", "detail"];

/// A running board with these items that listens at a port.
pub(crate) struct Served {
    pub(crate) run: Piped,
    pub(crate) at: At,
    pub(crate) port: u16,
    pub(crate) home: TempHome,
}

pub(crate) fn config(port: u16, rest: &str) -> String {
    format!("title: Asked\ninterval: 50ms\ncluster: none\nlisten: 127.0.0.1:{port}\n{rest}")
}

pub(crate) fn served(rest: &str) -> Served {
    let port = free_port();
    let home = TempHome::with_config(&config(port, rest));
    let run = Piped::render(&home, "json");
    let at = At::Port(port);
    eventually("a ready board", || at.connect().filter(|_| at.ask("GET", "/readyz").status == 200));
    Served { run, at, port, home }
}

/// The top-level keys of a JSON object, in the order of the text.
fn keys(body: &str) -> Vec<String> {
    let mut depth = 0;
    let mut found = Vec::new();
    let mut rest = body;
    while let Some(next) = rest.chars().next() {
        let mut length = next.len_utf8();
        match next {
            '{' | '[' => depth += 1,
            '}' | ']' => depth -= 1,
            '"' => {
                let inner = &rest[1..];
                let mut escaped = false;
                let end = inner.find(|c| {
                    let ends = c == '"' && !escaped;
                    escaped = c == '\\' && !escaped;
                    ends
                });
                let end = end.unwrap();
                length = end + 2;
                if depth == 1 && rest[length..].starts_with(':') {
                    found.push(inner[..end].to_owned());
                }
            }
            _ => {}
        }
        rest = &rest[length..];
    }
    found
}

#[test]
fn a_board_is_read_and_written_as_promised() {
    let Served { at, run: _run, home: _home, .. } = served(
        "items:\n  - {id: db, text: PostgreSQL OK, level: healthy}\n  - {id: press-7, text: Press 7, ttl: 30s}\n",
    );
    let answer = at.ask("GET", "/v1/board");
    assert_eq!(keys(&answer.body), ["title", "version", "role", "items"]);
    let board = answer.json();
    assert_eq!(
        (&board["title"], &board["role"], board["items"].as_array().unwrap().len()),
        (&json!("Asked"), &json!("alone"), 2)
    );
    let answer = at.ask("GET", "/v1/items/press-7");
    assert_eq!(keys(&answer.body), ITEM);
    let item = answer.json();
    assert_eq!(
        (&item["level"], &item["fresh"], &item["updated"], &item["age_ms"]),
        (&json!("unknown"), &json!(false), &Value::Null, &Value::Null)
    );

    let update =
        json!({"level": "warning", "text": "Oil\u{1b}[2J is low", "ttl": "1m", "values": {"oil": 0.25, "n": 3}});
    let answer = at.put("press-7", &update);
    assert_eq!((answer.status, keys(&answer.body)), (200, ITEM.map(String::from).to_vec()));
    let item = answer.json();
    assert_eq!(
        (&item["text"], &item["level"], &item["fresh"]),
        (&json!("Oil is low"), &json!("warning"), &json!(true))
    );
    assert_eq!(item["values"], json!({"oil": 0.25, "n": 3}));
    let since = item["since"].as_str().unwrap();
    assert!(since.len() == 24 && since.ends_with('Z') && since.as_bytes()[19] == b'.', "{since}");
    assert_eq!(at.get("/v1/items/press-7")["text"], "Oil is low");
    assert!(at.get("/v1/board")["version"].as_u64() > board["version"].as_u64());

    assert_eq!(at.put("new-one", &json!({"level": "info", "text": "Hello"})).status, 201);
    let names: Vec<Value> =
        at.get("/v1/board")["items"].as_array().unwrap().iter().map(|item| item["id"].clone()).collect();
    assert_eq!(names, ["db", "press-7", "new-one"], "what the file does not name comes last");
    let gone = at.ask("DELETE", "/v1/items/new-one");
    assert_eq!((gone.status, gone.body.as_str()), (204, ""));
    at.ask("GET", "/v1/items/new-one").problem(404);

    let frame = at.ask("GET", "/v1/frame");
    let wanted = [
        "seq", "at", "item", "text", "level", "since", "position", "of", "role", "fence", "board", "crc", "fallback",
        "notice",
    ];
    assert_eq!(frame.json().as_object().unwrap().len(), wanted.len());
    assert!(wanted.iter().all(|key| frame.json().get(key).is_some()), "{frame:?}");
    let consoles = at.get("/v1/consoles");
    let console = consoles["consoles"][0].as_object().unwrap();
    for key in ["name", "role", "since", "version", "offset_ms", "bound_ms", "last_seen"] {
        assert!(console.contains_key(key), "{key}");
    }
    assert_eq!(consoles["leader"], console["name"]);
    assert_eq!(at.get("/v1/openapi.json")["openapi"], "3.1.0");
}

#[test]
fn what_is_wrong_is_refused_and_changes_nothing() {
    let Served { at, run: _run, home: _home, .. } = served(
        "items:\n  - {id: db, text: PostgreSQL OK, level: healthy}\n  - {id: press-7, text: Press 7, ttl: 30s}\n  \
         - {id: load, text: L, check: 'load:', every: 1h}\n",
    );
    let before = at.get("/v1/board")["items"].as_array().unwrap().len();
    let good = json!({"level": "info", "text": "x"}).to_string();
    let huge = vec![b' '; 1024 * 1024 + 1];
    let deep = format!(
        "{{\"level\":\"info\",\"text\":\"x\",\"values\":{{\"a\":{}{}}}}}",
        "[".repeat(10_000),
        "]".repeat(10_000)
    );
    let shallow =
        format!("{{\"level\":\"info\",\"text\":\"x\",\"values\":{{\"a\":{}{}}}}}", "[".repeat(70), "]".repeat(70));
    for (method, path, body, status, part) in [
        ("PUT", "/v1/items/db", good.as_bytes(), 409, "takes no pushes"),
        ("PUT", "/v1/items/load", good.as_bytes(), 409, "takes no pushes"),
        ("PUT", "/v1/items/Press", good.as_bytes(), 400, "is no id"),
        ("PUT", "/v1/items/a%2fb", good.as_bytes(), 400, "is no id"),
        ("PUT", "/v1/items/press-7", br#"{"level":"purple","text":"x"}"#, 400, "one of critical"),
        ("PUT", "/v1/items/press-7", br#"{"level":"info","text":"x","txt":"y"}"#, 400, "no field `txt`"),
        ("PUT", "/v1/items/press-7", br#"{"level":"info","level":"info","text":"x"}"#, 400, "`level` is there twice"),
        ("PUT", "/v1/items/press-7", br#"{"level":"info","text":"x","ttl":"soon"}"#, 400, "`ttl`"),
        ("PUT", "/v1/items/press-7", br#"{"level":"info","text":"x","values":7}"#, 400, "`values` is a JSON object"),
        ("PUT", "/v1/items/press-7", br#"{"level":"info","text":"x","values":{"a":1e400}}"#, 400, "out of range"),
        ("PUT", "/v1/items/press-7", br#"{"level":"info","text":"\ud800\u0041"}"#, 400, "surrogate"),
        ("PUT", "/v1/items/press-7", b"{\"level\":\"info\",\"text\":\"\xff\"}", 400, "not the JSON"),
        ("PUT", "/v1/items/press-7", b"", 400, "not the JSON"),
        ("PUT", "/v1/items/press-7", deep.as_bytes(), 400, "deeper than 64"),
        ("PUT", "/v1/items/press-7", shallow.as_bytes(), 400, "deeper than 64"),
        ("PUT", "/v1/items/press-7", &huge[..=64 * 1024], 413, "64 KiB"),
        ("POST", "/v1/items", &huge, 413, "1024 KiB"),
        ("POST", "/v1/items", b"[{]", 400, "not the JSON"),
        ("POST", "/v1/alertmanager", b"{}", 400, "`alerts` is missing"),
        ("DELETE", "/v1/items/db", b"", 409, "only one that was pushed"),
        ("DELETE", "/v1/items/press-7", b"", 409, "only one that was pushed"),
        ("DELETE", "/v1/items/none", b"", 404, "no item `none`"),
        ("GET", "/v1/items/none", b"", 404, "no item `none`"),
        ("GET", "/v1/items/none/account", b"", 404, "no item `none`"),
        ("POST", "/v1/items/none/run", b"", 404, "no item `none`"),
        ("POST", "/v1/items/db/run", b"", 409, "has no plan"),
        ("POST", "/v1/items/press-7/run", b"", 409, "has no plan"),
        ("PUT", "/v1/items/none/acknowledgement", b"", 404, "no item `none`"),
        ("PUT", "/v1/items/No/acknowledgement", b"", 404, "no item `No`"),
        ("PUT", "/v1/items/db/acknowledgement", b"", 409, "db is healthy: only what is critical, unknown or warning"),
        ("DELETE", "/v1/items/none/acknowledgement", b"", 404, "no item `none`"),
        ("POST", "/v1/items/press-7/acknowledgement", b"", 405, "method"),
        ("GET", "/v1/items/none/plan", b"", 404, "no item `none`"),
        ("GET", "/v1/items/press-7/plan", b"", 409, "has no plan"),
        ("PATCH", "/v1/items/none/plan", b"{}", 404, "no item `none`"),
        ("PATCH", "/v1/items/db/plan", b"{}", 409, "has no plan"),
        ("PATCH", "/v1/items/load/plan", b"", 400, "not the JSON"),
        ("PATCH", "/v1/items/load/plan", b"[]", 400, "is a JSON object"),
        ("PATCH", "/v1/items/load/plan", br#"{"evry":"1s"}"#, 400, "did you mean `every`?"),
        ("PATCH", "/v1/items/load/plan", br#"{"every":"1ms"}"#, 400, "`every` is 10ms to 365d"),
        ("PATCH", "/v1/items/load/plan", br#"{"check":"exec:id"}"#, 400, "unknown key `check`"),
        ("PATCH", "/v1/items/load/plan", br#"{"every":"${file:/etc/hostname}"}"#, 400, "names no secrets"),
        ("PATCH", "/v1/items/load/plan", br#"{"priority":1,"burst":2}"#, 400, "`burst` without `limit`"),
        ("GET", "/v1/runs/r99", b"", 404, "no run `r99`"),
        ("GET", "/v1/runs/99", b"", 404, "no run `99`"),
        ("DELETE", "/v1/runs/rx", b"", 404, "no run `rx`"),
        ("PATCH", "/v1/board", b"", 405, "method"),
        ("GET", "/v1/nothing", b"", 404, "nothing answers"),
        ("GET", "/v1/..%2fhealthz", b"", 404, "nothing answers"),
    ] {
        let detail = at.send(method, path, "", body).problem(status);
        assert!(
            detail.contains(part),
            "{method} {path} {}: {detail}",
            String::from_utf8_lossy(&body[..body.len().min(80)])
        );
    }
    assert_eq!(at.get("/v1/items/load/plan")["priority"], 5);
    let item = at.get("/v1/items/press-7");
    assert_eq!((&item["updated"], &item["text"]), (&Value::Null, &json!("Press 7")));
    assert_eq!(at.get("/v1/board")["items"].as_array().unwrap().len(), before);
}

#[test]
fn a_batch_takes_what_is_good_and_names_the_rest() {
    let Served { at, run: _run, home: _home, .. } =
        served("items:\n  - {id: db, text: PostgreSQL OK, level: healthy}\n");
    let update = |id: &str| json!({"id": id, "level": "info", "text": "x"});
    let array = json!([update("a"), update("db"), update("B"), update("c")]).to_string();
    let answer = at.send("POST", "/v1/items", "", array.as_bytes());
    assert_eq!((answer.status, keys(&answer.body)), (200, vec!["accepted".into(), "refused".into()]));
    let told = answer.json();
    assert_eq!(told["accepted"], 2);
    for (refused, (index, part)) in
        told["refused"].as_array().unwrap().iter().zip([(1, "takes no pushes"), (2, "is no id")])
    {
        assert_eq!(refused["index"], index);
        assert!(refused["detail"].as_str().unwrap().contains(part), "{refused}");
    }
    let lines = format!("{}\n\n{}\r\n", update("d"), update("e"));
    assert_eq!(at.send("POST", "/v1/items", "", lines.as_bytes()).json(), json!({"accepted": 2, "refused": []}));
    let names: Vec<Value> =
        at.get("/v1/board")["items"].as_array().unwrap().iter().map(|item| item["id"].clone()).collect();
    assert_eq!(names, ["db", "a", "c", "d", "e"]);
}

#[test]
fn a_run_is_started_waited_for_and_told() {
    let home = TempHome::new();
    let plugin = home.plugin("ok.sh", "echo 'OK all fine | oil=25'\n");
    let Served { at, run: _run, home: _home, .. } =
        served(&format!("items:\n  - {{id: oil, text: 'Oil {{oil}}', check: '{plugin}', every: 1h}}\n"));
    let answer = at.ask("POST", "/v1/items/oil/run?wait");
    assert_eq!((answer.status, keys(&answer.body)), (200, RUN.map(String::from).to_vec()));
    let run = answer.json();
    assert_eq!(
        (&run["item"], &run["state"], &run["detail"], &run["retries"]),
        (&json!("oil"), &json!("done"), &json!("Oil 25"), &json!(0))
    );
    assert!(run["bytes"].as_u64().unwrap() > 0);
    assert_eq!(at.get(&format!("/v1/runs/{}", run["run"].as_str().unwrap())), run);
    let item = at.get("/v1/items/oil");
    assert_eq!((&item["last_run"], &item["text"], &item["run"]), (&run, &json!("Oil 25"), &Value::Null));
    assert!(item["next_run"].is_string());
    let answer = at.ask("POST", "/v1/items/oil/run");
    assert_eq!(answer.status, 202);
    let second = answer.json()["run"].as_str().unwrap().to_owned();
    let told =
        eventually("its end", || Some(at.get(&format!("/v1/runs/{second}"))).filter(|run| run["state"] != "running"));
    assert_eq!(told["state"], "done");
    at.ask("DELETE", &format!("/v1/runs/{second}")).problem(409);
    let account = at.get("/v1/items/oil/account");
    assert!(account["runs"].as_u64() >= Some(2) && account["p99_ms"].as_f64() > Some(0.0), "{account}");
}

#[test]
fn a_plan_is_tuned_while_it_runs_until_the_config_says_something_else_of_it() {
    let items = |every: &str, text: &str| {
        format!(
            "items:\n  - {{id: a, text: {text}, check: 'load:', every: {every}, limit: 5/m, burst: 3, timeout: 1s500ms}}\n  - {{id: b, check: 'load:', every: 1h}}\n"
        )
    };
    let board = served(&items("1h", "Load"));
    let at = &board.at;
    let tune = |change: &Value| at.send("PATCH", "/v1/items/a/plan", "", change.to_string().as_bytes());
    let in_force = || at.get("/v1/items/a/plan");
    let next = |item: &str| at.get(&format!("/v1/items/{item}"))["next_run"].clone();
    let runs = || at.get("/v1/items/a/account")["runs"].as_u64().unwrap();
    let answer = at.ask("GET", "/v1/items/a/plan");
    let names =
        ["every", "phase", "timeout", "retries", "priority", "late", "limit", "burst", "confirm", "delay", "breaker"];
    assert_eq!(keys(&answer.body), names);
    let first = answer.json();
    let wanted = json!({
        "every": "1h", "phase": null, "timeout": "1s500ms", "retries": 0, "priority": 5, "late": "skip",
        "limit": "5/m", "burst": 3, "confirm": {"bad": 1, "good": 1}, "delay": {"on": "0s", "off": "0s"},
        "breaker": {"open_after": 5, "retry_after": "1s", "retry_max": "10s"},
    });
    assert_eq!(first, wanted);
    eventually("the first runs", || (runs() == 1 && at.get("/v1/items/b")["last_run"].is_object()).then_some(()));
    let (grid, other) = (next("a"), next("b"));

    let answer =
        tune(&json!({"every": "20ms", "limit": null, "late": "burst 2", "confirm": {"bad": 2}, "priority": 9}));
    assert_eq!((answer.status, keys(&answer.body)), (200, names.map(String::from).to_vec()));
    let told = answer.json();
    assert_eq!(told, in_force());
    assert_eq!(
        (&told["every"], &told["limit"], &told["burst"], &told["late"], &told["confirm"], &told["timeout"]),
        (
            &json!("20ms"),
            &Value::Null,
            &Value::Null,
            &json!("burst 2"),
            &json!({"bad": 2, "good": 1}),
            &json!("1s500ms")
        )
    );
    eventually("runs at the new pace", || (runs() > 10).then_some(()));
    assert_eq!(next("b"), other, "no other plan notices");
    assert_eq!(tune(&told).json(), told, "what is told can be sent back");

    // A reload that says nothing else of this plan leaves it as it was tuned.
    board.home.rename_over("marquee.yaml", config(board.port, &items("1h", "Machine")));
    eventually("the reload", || (at.get("/v1/items/a")["text"] == "Machine").then_some(()));
    assert_eq!(in_force(), told);
    assert_eq!(tune(&first).json(), first);
    // The hour may be another: a first run leaves out the tick that would follow too soon.
    let beat = |next: &Value| next.as_str().unwrap().split_once(':').unwrap().1.to_owned();
    assert_eq!(beat(&next("a")), beat(&grid), "there and back, it has its old beat");

    assert_eq!(tune(&json!({"retries": 7})).json()["retries"], 7);
    board.home.rename_over("marquee.yaml", config(board.port, &items("2h", "Machine")));
    eventually("the config's own settings", || (in_force()["every"] == "2h").then_some(()));
    assert_eq!(in_force()["retries"], 0);
}

#[test]
fn every_frame_comes_as_an_event_until_the_end() {
    let mut board = served("items:\n  - {id: a, text: One, level: info}\n  - {id: b, text: Two, level: warning}\n");
    let mut events = board.at.frames();
    let first = events.next().unwrap();
    let seq = |line: &str| serde_json::from_str::<Value>(line).unwrap()["seq"].as_u64().unwrap();
    let mut lines = vec![first];
    for _ in 0..40 {
        lines.push(events.next().unwrap());
    }
    for pair in lines.windows(2) {
        assert_eq!(seq(&pair[1]), seq(&pair[0]) + 1, "no frame is missed and none comes twice");
    }
    // When it was drawn is each reader's own.
    let timeless = |line: &str| {
        let mut told: Value = serde_json::from_str(line).unwrap();
        told.as_object_mut().unwrap().remove("at");
        told
    };
    for line in &lines {
        let wanted = seq(line);
        let printed = board.run.line_where("with the same number", |printed| seq(printed) == wanted);
        assert_eq!(timeless(line), timeless(&printed), "the API tells a frame as --render json does");
    }
    board.run.signal(rustix::process::Signal::TERM);
    while events.next().is_some() {}
    assert!(board.run.wait_exit().success());
}

#[test]
fn an_update_of_the_shown_item_is_a_frame_at_once() {
    let Served { at, run: _run, home: _home, .. } = served("items:\n  - {id: press, text: Press, ttl: 1h}\n");
    let mut events = at.frames();
    for number in 0..20 {
        let text = format!("Reading {number}");
        assert_eq!(at.put("press", &json!({"level": "info", "text": text})).status, 200);
        while !events.next().unwrap().contains(&text) {}
    }
}

#[test]
fn a_hundred_thousand_updates_in_a_second_cost_the_surplus_alone() {
    let board = served("items:\n  - {id: a, text: One, level: info}\n");
    let line = |number: usize| {
        json!({"id": format!("unit-{}", number % 500), "level": "info", "text": format!("Reading {number}")})
            .to_string()
    };
    let batch: String = (0..5_000).map(|number| line(number) + "\n").collect();
    // Once round, so that the board has all items before its memory is looked at.
    assert_eq!(board.at.send("POST", "/v1/items", "", batch.as_bytes()).status, 200);
    let before = resident_mib(board.run.pid());
    let mut events = board.at.frames();
    let mut statuses = std::collections::BTreeMap::new();
    for _ in 0..20 {
        let answer = board.at.send("POST", "/v1/items", "", batch.as_bytes());
        if answer.status == 429 {
            assert!(answer.headers["retry-after"].parse::<u64>().unwrap() >= 1);
            answer.problem(429);
        }
        *statuses.entry(answer.status).or_insert(0) += 1;
    }
    assert!(statuses.keys().all(|status| [200, 429].contains(status)) && statuses.contains_key(&200), "{statuses:?}");
    for _ in 0..5 {
        events.next().expect("the beat goes on");
    }
    assert!(resident_mib(board.run.pid()) - before < 64.0, "memory is bounded");
}

#[test]
fn names_that_nobody_knows_fill_the_board_no_further_than_its_bound() {
    let Served { at, run: _run, home: _home, .. } = served("items:\n  - {id: a, text: One, level: info}\n");
    let mut refused = 0;
    for hundred in 0..3 {
        let batch: String = (0..4_000)
            .map(|number| {
                json!({"id": format!("x{hundred}-{number}"), "level": "healthy", "text": "x"}).to_string() + "\n"
            })
            .collect();
        let told = at.send("POST", "/v1/items", "", batch.as_bytes()).json();
        refused += told["refused"].as_array().unwrap().len();
        if let Some(first) = told["refused"].get(0) {
            assert!(first["detail"].as_str().unwrap().contains("10000 items already"), "{first}");
        }
    }
    assert_eq!(refused, 2_000);
    assert_eq!(at.get("/v1/board")["items"].as_array().unwrap().len(), 10_001);
}

#[test]
fn slow_huge_malformed_and_unauthenticated_clients_leave_the_beat_alone() {
    let board =
        served("token: s3cret\nitems:\n  - {id: a, text: One, level: info}\n  - {id: press, text: P, ttl: 1h}\n");
    let at = &board.at;
    let mut events = at.frames();
    // Idle and half-spoken connections lie about while the others ask.
    let mut held: Vec<_> = (0..60).filter_map(|_| at.connect()).collect();
    for stream in &mut held[..30] {
        let _ = stream.write_all(b"PUT /v1/items/press HTTP/1.1\r\nHost: x\r\nContent-Le");
    }
    let update = json!({"level": "info", "text": "x"}).to_string();
    let shown = "Authorization: Bearer s3cret\r\n";
    for _ in 0..20 {
        assert_eq!(at.raw(b"\x16\x03\x01\x02\x00\r\n\r\n").status / 100 % 4, 0, "rubbish gets 400 or nothing");
        let answer = at.send("PUT", "/v1/items/press", "", update.as_bytes());
        assert!(answer.problem(401).contains("Bearer") && answer.headers["www-authenticate"].starts_with("Bearer"));
        at.send("PUT", "/v1/items/press", "Authorization: Bearer s3cres\r\n", update.as_bytes()).problem(401);
        at.raw(b"PUT /v1/items/press HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer s3cret\r\nContent-Length: 10737418240\r\n\r\n").problem(413);
        at.send("PUT", "/v1/items/press", &format!("{shown}Origin: http://elsewhere\r\n"), update.as_bytes())
            .problem(403);
        assert_eq!(at.send("PUT", "/v1/items/press", shown, update.as_bytes()).status, 200);
    }
    for _ in 0..20 {
        events.next().expect("the beat goes on");
    }
    // Over the socket the file is the guard.
    let socket = At::Socket(board.home.path("../run/marquee/asked.sock"));
    assert_eq!(socket.put("press", &json!({"level": "info", "text": "y"})).status, 200);
}

#[test]
fn an_alarm_is_acknowledged_until_it_is_worse_or_over_and_a_restart_changes_nothing() {
    let items = "interrupt: warning\nitems:\n  - {id: db, text: PostgreSQL down, level: critical}\n  \
                 - {id: a, text: Alpha, level: info}\n  - {id: press, text: P, ttl: 1h}\n";
    let mut board = served(&format!("state: file\ntoken: t\n{items}"));
    let (at, path) = (&At::Port(board.port), "/v1/items/press/acknowledgement");
    let send = |at: &At, method: &str, path: &str, body: &str| {
        at.send(method, path, "Authorization: Bearer t\r\n", body.as_bytes())
    };
    let push = |level: &str| {
        let update = json!({"level": level, "text": level}).to_string();
        send(at, "PUT", "/v1/items/press", &update).json()
    };
    assert_eq!(push("warning")["acknowledged"], Value::Null);
    at.ask("PUT", path).problem(401);
    at.ask("DELETE", path).problem(401);
    assert_eq!(keys(&at.ask("GET", "/v1/items/press").body), ITEM, "nobody sees it where there is none");
    let answer = send(at, "PUT", path, "");
    let known: Vec<String> =
        ITEM[..4].iter().chain(&["acknowledged"]).chain(&ITEM[4..]).map(ToString::to_string).collect();
    assert_eq!((answer.status, keys(&answer.body)), (200, known));
    let since = answer.json()["acknowledged"].clone();
    assert!(since.as_str().is_some_and(|since| since.len() == 24), "{since}");
    assert_eq!(send(at, "PUT", path, "").json()["acknowledged"], since, "saying it again says nothing new");
    assert_eq!(push("warning")["acknowledged"], since);
    assert_eq!(push("unknown")["acknowledged"], Value::Null, "it got worse");
    send(at, "PUT", path, "");
    assert_eq!(push("healthy")["acknowledged"], Value::Null, "it is over");
    push("critical");
    send(at, "PUT", path, "");
    let taken_back = send(at, "DELETE", path, "");
    assert_eq!((taken_back.status, keys(&taken_back.body)), (200, ITEM.map(String::from).to_vec()));
    let known = |at: &At| ["db", "press"].map(|id| at.get(&format!("/v1/items/{id}"))["acknowledged"].is_string());
    for id in ["db", "press"] {
        assert_eq!(send(at, "PUT", &format!("/v1/items/{id}/acknowledgement"), "").status, 200);
    }
    let counted = "marquee_item_acknowledged_total 5\n";
    eventually("all to be counted", || at.ask("GET", "/metrics").body.contains(counted).then_some(()));
    // What calls has every other turn; what is acknowledged has its own turn like everybody else.
    let shown = |items: usize| {
        let mut frames = at.frames();
        let mut frame = || serde_json::from_str::<Value>(&frames.next().unwrap()).unwrap()["item"].clone();
        std::iter::from_fn(|| Some(frame()))
            .take(items)
            .map(|item| item.as_str().unwrap_or("-").to_owned())
            .collect::<Vec<_>>()
    };
    eventually("turns by the file's order alone", || {
        let turns = shown(7);
        let next =
            |item: &str| [("db", "a"), ("a", "press"), ("press", "db")].into_iter().find(|(from, _)| *from == item);
        turns.windows(2).all(|two| next(&two[0]).is_some_and(|(_, to)| to == two[1])).then_some(())
    });
    board.run.signal(rustix::process::Signal::TERM);
    board.run.wait_exit();
    let again = Piped::render(&board.home, "json");
    eventually("the board after its restart", || at.connect().filter(|_| at.ask("GET", "/readyz").status == 200));
    assert_eq!(known(at), [true, true]);
    // A reload that changes another item keeps it, and so do other words of this one.
    let edited = items.replace("Alpha", "Beta").replace("PostgreSQL down", "PostgreSQL is down");
    board.home.rename_over("marquee.yaml", config(board.port, &format!("state: file\ntoken: t\n{edited}")));
    eventually("the reload", || (at.get("/v1/items/a")["text"] == "Beta").then_some(()));
    assert_eq!((known(at), &at.get("/v1/items/db")["text"]), ([true, true], &json!("PostgreSQL is down")));
    drop(again);
}

#[test]
fn token_and_address_follow_the_config() {
    let board = served("token: first\nitems:\n  - {id: press, text: P, ttl: 1h}\n");
    let update = json!({"level": "info", "text": "x"}).to_string();
    let status = |at: &At, token: &str| {
        at.send("PUT", "/v1/items/press", &format!("Authorization: Bearer {token}\r\n"), update.as_bytes()).status
    };
    assert_eq!((status(&board.at, "first"), status(&board.at, "second")), (200, 401));
    board
        .home
        .rename_over("marquee.yaml", config(board.port, "token: second\nitems:\n  - {id: press, text: P, ttl: 1h}\n"));
    eventually("the new token", || (status(&board.at, "second") == 200).then_some(()));
    assert_eq!(status(&board.at, "first"), 401);
    let port = free_port();
    board.home.rename_over("marquee.yaml", config(port, "items:\n  - {id: press, text: P, ttl: 1h}\n"));
    let moved = At::Port(port);
    eventually("the new address", || moved.connect());
    assert_eq!(status(&moved, "whatever"), 200, "without a token in the config none is asked");
    eventually("the old address to be free", || board.at.connect().is_none().then_some(()));
}
