//! What engineers write, what it means, and what they are told when it means nothing.

use proptest::prelude::*;

use super::*;
use crate::kernel::board::Value;

fn values() -> Values {
    let queue = Value::Map(vec![("depth".into(), Value::plain(120.0)), ("name".into(), Value::text("press"))]);
    let list = Value::List(vec![1.0, 2.0, 3.0, 4.0].into_iter().map(Value::plain).collect());
    let body = Value::Map(vec![
        ("queue".into(), queue),
        ("list".into(), list),
        ("text".into(), Value::text("axb")),
        ("gone".into(), Value::Null),
        ("ok".into(), Value::Bool(true)),
    ]);
    Values::new()
        .with("up", Value::Bool(true))
        .with("status", Value::plain(200.0))
        .with("latency", Value::Number(0.25, crate::kernel::board::Unit::Seconds))
        .with("used_memory", Value::bytes(5 << 30))
        .with("percent", Value::percent(81.0))
        .with("cert_days", Value::plain(13.0))
        .with("load5", Value::plain(3.0))
        .with("cores", Value::plain(2.0))
        .with("state", Value::text("failed"))
        .with("text", Value::text("abc"))
        .with("x", Value::Null)
        .with("body", body)
        .with("disk.free", Value::bytes(1 << 30))
}

#[test]
fn expressions_mean_what_they_say() {
    for (text, expected) in [
        ("status != 200", false),
        ("status == 200", true),
        ("status >= 400", false),
        ("status in [200, 204]", true),
        ("status in [201, 204]", false),
        ("!(status in [200])", false),
        ("percent > 80", true),
        ("percent > 80%", true),
        ("percent>80%&&up", true),
        ("percent > 80.5", true),
        ("latency > 200ms", true),
        ("latency > 0.3", false),
        ("latency < 1s && latency > 249ms", true),
        ("latency * 2 == 500ms", true),
        ("used_memory > 4GiB", true),
        ("used_memory > 4GiB + 2GiB", false),
        ("used_memory > 10MB", true),
        ("cert_days < 14", true),
        ("load5 > cores * 2", false),
        ("load5 > cores + 0.5", true),
        ("load5 / cores == 1.5", true),
        ("load5 - 1 == 2", true),
        ("-load5 < 0", true),
        ("load5 > -1", true),
        ("status % 7 == 4", true),
        ("status%7 == 4", true),
        ("200 % 7 == 4", true),
        ("200%7 == 4", true),
        ("state == \"failed\"", true),
        ("state != 'active'", true),
        ("size(body.list) > 3", true),
        ("size(body.list) * 2 == 8", true),
        ("body.list.size() == 4", true),
        ("size(state) == 6", true),
        ("body.list[0] == 1", true),
        ("body.list[3 - 1] == 3", true),
        ("body[\"queue\"].depth > 100", true),
        ("body.queue.depth > 100", true),
        ("body.queue.name == 'press'", true),
        ("body.text.contains(\"x\")", true),
        ("text.startsWith('a') && text.endsWith(\"c\")", true),
        ("text.matches(\"^a\")", true),
        ("text.matches(\"^b\")", false),
        ("!up", false),
        ("up", true),
        ("!up || percent > 95", false),
        ("up && percent > 95 || state == 'failed'", true),
        ("x == null", true),
        ("status == null", false),
        ("body.gone == null", true),
        ("has(body.queue)", true),
        ("has(body.none)", false),
        ("has(body.none) && body.none > 3", false),
        ("up ? percent > 80 : false", true),
        ("body.list.all(n, n > 0)", true),
        ("body.list.exists(n, n == 4)", true),
        ("body.list.exists_one(n, n > 3)", true),
        ("size(body.list.filter(n, n > 2)) == 2", true),
        ("body.list.map(n, n * 2)[0] == 2", true),
        ("int(latency * 10) == 2", true),
        ("double('3') == 3", true),
        ("string(3) == '3'", true),
        ("disk.free < 2GiB", true),
        ("none > 3 || up", true),
        ("up\n  && status == 200 // the first line too", true),
        ("{'a': 1}['a'] == 1", true),
        ("0x10 == 16 && 5u == 5 && 1e3 == 1000", true),
    ] {
        let expression = Expression::compile(text).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!(expression.holds(&values()), Ok(expected), "{text}");
        assert_eq!(expression.as_str(), text);
    }
}

#[test]
fn what_cannot_be_told_is_told_plainly() {
    for (text, reason) in [
        ("none > 3", "there is no value `none`"),
        ("body.none > 3", "there is no value `none`"),
        ("body.queue.none.deep > 3", "there is no value `none`"),
        ("x > 3", "`>` does not go with null and a number"),
        ("state > 3", "`>` does not go with a text and a number"),
        ("status + 1", "the answer is a number, not true or false"),
        ("state + 1 == 2", "`+` does not go with a text and a number"),
        ("body.list[9] == 1", "the list has no entry 9"),
        ("status && up", "`&&` does not go with a number and true or false"),
        ("!status", "`!` does not go with a number"),
        ("status % 0 == 1", "%: nothing is divided by zero"),
        ("status % state == 1", "`%` does not go with a number and a text"),
        ("3 in state", "`in` does not go with a number and a text"),
        ("size(status) == 3", "`size` does not go with a number"),
        ("status ? up : up", "a number stands where true or false belongs"),
    ] {
        let expression = Expression::compile(text).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!(expression.holds(&values()), Err(reason.to_owned()), "{text}");
    }
}

#[test]
fn mistakes_are_told_with_their_byte() {
    for (text, at, message) in [
        ("", 0, "the expression is empty"),
        ("status >", 8, "the expression ends too early"),
        ("status > 3 ", 0, ""),
        ("status > > 3", 9, "`>` is not expected here"),
        ("latency > 200ms > > 1", 18, "`>` is not expected here"),
        ("text == 'é' ) && up", 13, "`)` is not expected here"),
        ("(status > 3", 11, "the expression ends too early"),
        ("up and status > 3", 3, "`and` is written `&&`"),
        ("not up", 0, "`not` is written `!`"),
        ("up\n  or down", 5, "`or` is written `||`"),
        ("status = 3", 7, "one `=` compares nothing: write `==`"),
        ("99999999999999999999 > status", 0, "`99999999999999999999` is no number"),
        ("up && sum(body.list) > 3", 6, "there is no function `sum`"),
        ("body.list.sort() == 3", 10, "there is no function `sort`"),
        ("Duration{seconds: 3} == 3", 0, "there is no message type `Duration`"),
        ("body.?x == 1", 4, "`.` is not expected here"),
        ("has(x)", 4, "`has` asks for a field"),
        ("body.list.all(n + 1, up)", 16, "a plain name belongs here"),
        ("state == 'a\\q'", 9, "this text has a backslash that means nothing"),
        ("status == 0x", 10, "`0x` is no number"),
        ("up ? state", 10, "the expression ends too early"),
    ] {
        match Expression::compile(text) {
            Ok(_) => assert_eq!(message, "", "{text} is accepted"),
            Err(e) => {
                assert!(e.message.starts_with(message), "{text}: {e}");
                assert_eq!(e.at, at, "{text}: {e}");
            }
        }
    }
}

#[test]
fn names_are_the_paths_of_values_alone() {
    for (text, names) in [
        ("status != 200", vec![("status", 0)]),
        ("latency > 200ms && body.queue.depth > 4GiB", vec![("latency", 0), ("body.queue.depth", 19)]),
        ("size(body.list) > 3 && status in [200]", vec![("body.list", 5), ("status", 23)]),
        ("state == \"up\" || text.contains('status')", vec![("state", 0), ("text", 17)]),
        ("body.list.all(n, n > limit)", vec![("body.list", 0), ("limit", 21)]),
        ("has(body.up) && up && up == true", vec![("body.up", 4), ("up", 16)]),
        ("a.b > 1 || a.c > 1 || a.b < 0", vec![("a.b", 0), ("a.c", 11)]),
        ("null == x", vec![("x", 8)]),
        ("1 < 2", vec![]),
    ] {
        let expression = Expression::compile(text).unwrap_or_else(|e| panic!("{text}: {e}"));
        let names: Vec<_> = names.into_iter().map(|(name, at)| (name.to_owned(), at)).collect();
        assert_eq!(expression.names(), names, "{text}");
    }
}

#[test]
fn an_expression_is_shared_between_threads() {
    fn shared<T: Send + Sync + Clone>(_: &T) {}
    let expression = Expression::compile("up").unwrap();
    shared(&expression);
    assert_eq!(format!("{expression:?}"), "Expression(\"up\")");
}

/// Runs on a stack of the size that worker threads have.
fn on_a_small_stack(texts: Vec<String>) {
    let work = move || {
        for text in texts {
            if let Ok(expression) = Expression::compile(&text) {
                let _told = expression.holds(&values());
            }
        }
    };
    std::thread::Builder::new().stack_size(2 << 20).spawn(work).unwrap().join().unwrap();
}

#[test]
fn deep_texts_fit_a_small_stack() {
    let nested = |open: &str, middle: &str, close: &str, n: usize| open.repeat(n) + middle + &close.repeat(n);
    on_a_small_stack(vec![
        nested("(", "up", ")", 64),
        nested("[", "up", "]", 64),
        nested("!", "up", "", 64),
        nested("!(", "up", ")", 64),
        nested("{'a':", "up", "}", 64),
        nested("up?", "up", ":up", 64),
        nested("body.list.map(n,", "up", ")", 60),
        format!("status{}", " + 1".repeat(250)),
        format!("up{}", " && up".repeat(250)),
        format!("body{}", ".a".repeat(250)),
        format!("body{}", ".a()".repeat(100)),
        format!("body{}", "[0]".repeat(120)),
        format!("text{}", ".contains('a')".repeat(80)),
        format!("[{}]", "1,".repeat(250)),
        format!("1{}", " == 1".repeat(250)),
    ]);
}

proptest! {
    #[test]
    fn no_text_harms(text in "\\PC{0,80}") {
        on_a_small_stack(vec![text]);
    }

    #[test]
    fn no_soup_of_words_harms(words in prop::collection::vec(prop::sample::select(vec![
        "up", "status", "body", ".", "list", "(", ")", "[", "]", "{", "}", ",", ":", "?", "!", "-", "+", "*", "/",
        "%", "==", "!=", "<", ">=", "&&", "||", "in", "1", "80%", "200ms", "4GiB", "0x", "1e", "5u", ".5", "'a'",
        "\"b\"", "r'", "'''", "has", "all", "map", "x", "null", "true", "size", "matches", "\\", "//", "\n", " ",
    ]), 0..40)) {
        on_a_small_stack(vec![words.concat(), words.join(" ")]);
    }

    #[test]
    fn every_error_points_into_the_text(text in "[a-z0-9 .()<>=!&|%'é]{0,60}") {
        if let Err(e) = Expression::compile(&text) {
            prop_assert!(e.at <= text.len() && text.is_char_boundary(e.at), "{} of {:?}", e.at, text);
        }
    }
}
