//! Plans of steps through the whole program: real servers and programs, an edit while the board runs, one mistake told.

use std::sync::{Arc, Barrier};

use crate::support::servers::{HttpServer, Reply, SilentServer};
use crate::support::{Piped, TempHome, marquee};

fn board(item: &str) -> String {
    format!("title: Plans\ninterval: 60s\ncluster: none\nitems:\n  - {item}\n")
}

/// Waits until the board says this text at this level.
#[track_caller]
fn says(run: &mut Piped, level: &str, wanted: &str) {
    run.line_where(&format!("at {level} that says {wanted:?}"), |line| {
        line.contains(&format!("\"level\":\"{level}\"")) && line.contains(wanted)
    });
}

fn json(body: &str) -> HttpServer {
    let body = body.to_owned();
    HttpServer::start(move |_| Reply { status: 200, body: body.clone() })
}

#[test]
fn what_a_service_says_is_read_and_judged() {
    let server = json(r#"{"message": "{\"order\": {\"number\": 4711, \"scrap\": 12}}"}"#);
    let home = TempHome::with_config(&board(&format!(
        "{{id: press, every: 100ms, text: 'Order {{m.order.number}}, scrap {{m.order.scrap}}', plan: [{{check: '{}/'}}, {{json: {{from: body.message, as: m}}}}], levels: {{warning: m.order.scrap > 10}}}}",
        server.url()
    )));
    let mut run = Piped::render(&home, "json");
    says(&mut run, "warning", "Order 4711, scrap 12");
}

#[test]
fn what_a_program_prints_is_searched_and_an_edit_of_the_steps_holds_at_once() {
    let home = TempHome::new();
    let config = |pattern: &str| {
        board(&format!(
            "{{id: gauge, every: 100ms, text: 'Gauge {{bar}}', plan: [{{check: 'exec:echo 181.5 bar and 26 degrees'}}, {{extract: {{from: text, pattern: '{pattern}'}}}}], levels: {{critical: bar > 180}}}}"
        ))
    };
    home.write("marquee.yaml", config("(?<bar>[0-9.]+) bar"));
    let mut run = Piped::render(&home, "json");
    says(&mut run, "critical", "Gauge 181.5");
    home.write("marquee.yaml", config("(?<bar>[0-9.]+) degrees"));
    says(&mut run, "healthy", "Gauge 26");
}

#[test]
fn questions_side_by_side_and_one_that_may_fail() {
    let both = Arc::new(Barrier::new(2));
    // Neither is answered before both have asked.
    let server = HttpServer::start(move |_| {
        both.wait();
        Reply { status: 200, body: "\"ok\"".into() }
    });
    let silent = SilentServer::start();
    let home = TempHome::with_config(&board(&format!(
        "{{id: pair, every: 1s, timeout: 20s, text: 'East {{east.body}}, west {{west.body}}', plan: [{{check: {{url: '{0}/e', name: east}}}}, {{check: {{url: '{0}/w', name: west, needs: []}}}}, {{check: {{url: 'http://{1}/', name: lamp, needs: [], timeout: 50ms, on_failure: degrade}}}}]}}",
        server.url(),
        silent.address()
    )));
    let mut run = Piped::render(&home, "json");
    says(&mut run, "warning", "East ok, west ok (lamp: timed out");
}

#[test]
fn validate_points_at_the_word() {
    let home = TempHome::with_config(&board("{id: a, plan: [{check: 'load:'}, {json: {from: check.lod1}}]}"));
    let answer = marquee(&home, &["validate"]);
    assert_eq!(answer.code, Some(1), "{answer:?}");
    let told = answer.all();
    assert!(
        told.contains("the step `check` gives no value `lod1`") && told.contains("did you mean `load1`?"),
        "{told}"
    );
}
