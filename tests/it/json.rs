//! The JSON lines: a contract with programs, checked key by key.

use std::fmt::Write as _;

use serde_json::Value;

use crate::support::{Piped, TempHome};

/// The keys of every line, in their order.
const KEYS: [&str; 14] = [
    "seq", "at", "item", "text", "level", "since", "position", "of", "role", "fence", "board", "crc", "fallback",
    "notice",
];

/// Reads so many lines of a board.
fn lines(config: &str, count: usize) -> Vec<(String, Value)> {
    let home = TempHome::with_config(config);
    let mut run = Piped::render(&home, "json");
    (0..count)
        .map(|_| {
            let line = run.next_line().expect("another line");
            let value = serde_json::from_str(&line).unwrap_or_else(|why| panic!("{line}: {why}"));
            (line, value)
        })
        .collect()
}

/// The items of the turns, without the first look at the board.
fn turns(config: &str, count: usize) -> Vec<Value> {
    lines(config, count + 4)
        .into_iter()
        .map(|(_, line)| line)
        .filter(|line| line["fallback"] == false)
        .take(count)
        .collect()
}

fn board(head: &str, items: &[(&str, &str, &str)]) -> String {
    let mut config = format!("title: Lines\ncluster: none\ninterval: 100ms\n{head}\nitems:\n");
    for (id, text, level) in items {
        let _ = writeln!(config, "  - {{id: {id}, text: {text}, level: {level}}}");
    }
    config
}

#[test]
fn every_line_has_exactly_the_keys_and_a_sound_checksum() {
    let config = board(
        "",
        &[("db", "PostgreSQL OK", "healthy"), ("cache", "Redis TTL > 30s", "warning"), ("line", "压力机", "info")],
    );
    for (line, value) in lines(&config, 9) {
        let keys: Vec<&String> = value.as_object().unwrap().keys().collect();
        assert_eq!(keys.len(), KEYS.len(), "{line}");
        let places: Vec<_> = KEYS
            .iter()
            .map(|key| line.find(&format!("\"{key}\":")).unwrap_or_else(|| panic!("no {key} in {line}")))
            .collect();
        assert!(places.is_sorted(), "the keys are in another order: {line}");
        assert_eq!(value["crc"].as_str().unwrap(), expected_crc(&value), "{line}");
        let at = value["at"].as_str().unwrap();
        assert!(at.len() == "2026-11-20T14:03:22.000Z".len() && at.ends_with('Z'), "{at}");
        assert_eq!(value["role"], "alone");
        assert_eq!(value["notice"], Value::Null);
    }
}

#[test]
fn the_sequence_grows_by_one() {
    let config = board("", &[("a", "One", "info"), ("b", "Two", "info")]);
    let seen: Vec<u64> = lines(&config, 12).iter().map(|(_, line)| line["seq"].as_u64().unwrap()).collect();
    assert!(seen.windows(2).all(|pair| pair[1] == pair[0] + 1), "{seen:?}");
}

#[test]
fn the_order_is_kept() {
    let items = [("a", "A", "info"), ("b", "B", "info"), ("c", "C", "info"), ("d", "D", "info")];
    let seen = ids(&turns(&board("order: [c, a]", &items), 8));
    let start = seen.iter().position(|id| id == "c").unwrap();
    assert!(start < 4, "{seen:?}");
    let pass = ["c", "a", "b", "d"];
    for (place, id) in seen[start..].iter().enumerate() {
        assert_eq!(id, pass[place % 4], "{seen:?}");
    }
}

#[test]
fn positions_count_the_pass() {
    let items = [("a", "A", "info"), ("b", "B", "info"), ("c", "C", "info")];
    for line in turns(&board("", &items), 6) {
        let wanted = match line["item"].as_str().unwrap() {
            "a" => 1,
            "b" => 2,
            _ => 3,
        };
        assert_eq!((line["position"].as_u64(), line["of"].as_u64()), (Some(wanted), Some(3)), "{line}");
    }
}

#[test]
fn a_calling_item_has_every_other_turn() {
    let items = [("a", "A", "info"), ("alarm", "Stopped", "critical"), ("b", "B", "info"), ("c", "C", "healthy")];
    let seen = ids(&turns(&board("", &items), 16));
    let calls = |id: &String| id == "alarm";
    assert!(seen.windows(2).all(|pair| calls(&pair[0]) != calls(&pair[1])), "{seen:?}");
    for other in ["a", "b", "c"] {
        assert!(seen.iter().any(|id| id == other), "{other} starves in {seen:?}");
    }
}

#[test]
fn a_calling_item_is_the_first_that_is_shown() {
    let items = [("a", "A", "info"), ("b", "B", "info"), ("alarm", "Stopped", "critical")];
    let home = TempHome::with_config(&board("interval: 60s", &items).replace("interval: 100ms\n", ""));
    let mut run = Piped::render(&home, "json");
    run.line_where("of the calling item", |line| line.contains("\"item\":\"alarm\""));
}

#[test]
fn interrupts_can_be_lowered_and_turned_off() {
    let items = [("a", "A", "info"), ("b", "B", "info"), ("warm", "Warm", "warning")];
    let seen = ids(&turns(&board("interrupt: warning", &items), 12));
    assert!(seen.windows(2).all(|pair| (pair[0] == "warm") != (pair[1] == "warm")), "{seen:?}");
    let items = [("a", "A", "info"), ("b", "B", "info"), ("alarm", "Stopped", "critical")];
    let seen = ids(&turns(&board("interrupt: never", &items), 12));
    assert_eq!(seen.iter().filter(|id| *id == "alarm").count(), 4, "{seen:?}");
}

#[test]
fn many_healthy_items_share_a_turn() {
    let names: Vec<String> = (0..12).map(|number| format!("h{number}")).collect();
    let mut items: Vec<_> = names.iter().map(|name| (name.as_str(), "Fine", "healthy")).collect();
    items.push(("warm", "Bearing warm", "warning"));
    for line in turns(&board("", &items), 6) {
        assert_eq!(line["of"], 2, "{line}");
        if line["item"].is_null() {
            assert!(line["text"].as_str().unwrap().contains("12 healthy"), "{line}");
            assert_eq!(line["level"], "healthy");
            assert_eq!(line["fallback"], false);
            assert_eq!(line["crc"].as_str().unwrap(), expected_crc(&line));
        } else {
            assert_eq!(line["item"], "warm");
        }
    }
    // Up to `summarise_after` each has a turn of its own.
    for line in turns(&board("summarise_after: 20", &items), 4) {
        assert_eq!(line["of"], 13, "{line}");
    }
}

#[test]
fn without_items_there_is_the_fallback() {
    let home = TempHome::with_config("title: Empty\ncluster: none\nitems: []\n");
    let line = Piped::render(&home, "json").next_line().unwrap();
    let line: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(line["fallback"], true);
    assert_eq!(line["item"], Value::Null);
    assert_eq!(line["text"], "System initializing…");
    assert_eq!(line["crc"].as_str().unwrap(), expected_crc(&line));
    let home = TempHome::with_config("title: Empty\ncluster: none\nfallback: Plant closed\nitems: []\n");
    let line = Piped::render(&home, "json").next_line().unwrap();
    assert!(line.contains("\"text\":\"Plant closed\""), "{line}");
}

#[test]
fn turns_come_at_the_interval() {
    let items = [("a", "A", "info"), ("b", "B", "info")];
    let at: Vec<i64> = turns(&board("", &items), 10).iter().map(|line| millis(line["at"].as_str().unwrap())).collect();
    // A busy machine may be late with any of them, but no lateness may add up: eight turns on, it
    // is off by less than one.
    assert!((at[9] - at[1] - 800).abs() < 100, "{at:?}");
}

#[test]
fn an_item_may_hold_longer() {
    let config = "title: Hold\ncluster: none\ninterval: 100ms\nitems:\n  - {id: a, text: A, level: info}\n  - {id: b, text: B, level: info, hold: 400ms}\n";
    let lines = turns(config, 5);
    for pair in lines.windows(2) {
        let gap = millis(pair[1]["at"].as_str().unwrap()) - millis(pair[0]["at"].as_str().unwrap());
        let wanted = if pair[0]["item"] == "b" { 400 } else { 100 };
        if pair[0]["item"] != lines[0]["item"] {
            assert!(gap >= wanted - 10, "{} stayed {gap} ms", pair[0]["item"]);
        }
    }
}

#[test]
fn a_change_of_text_is_a_line() {
    let home = TempHome::new();
    let check = home.plugin("tick.sh", "read n < n || n=0\nn=$((n+1))\necho $n > n\necho \"Tick $n\"\n");
    home.write("n", "0\n");
    home.write(
        "marquee.yaml",
        format!(
            "title: Ticks\ncluster: none\ninterval: 60s\nitems:\n  - {{id: tick, check: '{check}', every: 100ms}}\n"
        ),
    );
    let mut run = Piped::render(&home, "json");
    for number in 2..6 {
        run.line_where("with the next tick", |line| line.contains(&format!("\"Tick {number}\"")));
    }
}

fn ids(lines: &[Value]) -> Vec<String> {
    lines.iter().map(|line| line["item"].as_str().unwrap_or_default().to_owned()).collect()
}

/// The checksum as the product defines it, computed without the program's code.
fn expected_crc(line: &Value) -> String {
    let part = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
    let said = format!("{}\n{}\n{}\n{}", line["seq"], part("item"), part("level"), part("text"));
    let mut rest = u32::MAX;
    for byte in said.bytes() {
        rest ^= u32::from(byte);
        for _ in 0..8 {
            rest = if rest & 1 == 1 { (rest >> 1) ^ 0xEDB8_8320 } else { rest >> 1 };
        }
    }
    format!("{:08x}", !rest)
}

/// Milliseconds within the day of `2026-11-20T14:03:22.000Z`.
fn millis(at: &str) -> i64 {
    let number = |range: std::ops::Range<usize>| at[range].parse::<i64>().unwrap();
    ((number(11..13) * 60 + number(14..16)) * 60 + number(17..19)) * 1000 + number(20..23)
}
