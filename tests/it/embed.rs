//! The example that embeds a board: it is short, and it says what it promises.

use std::path::PathBuf;
use std::process::Command;

/// What a newcomer reads at one look.
const LINES_MAX: usize = 40;

/// The example as `cargo test` has built it, beside the folder of this test's own binary.
fn example() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let path = own.parent().and_then(|deps| deps.parent()).unwrap().join("examples/embed");
    if !path.exists() {
        // `cargo test --test it` alone builds no examples.
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--locked", "--example", "embed"]).current_dir(env!("CARGO_MANIFEST_DIR"));
        assert!(cargo.status().unwrap().success(), "the example is not built");
    }
    path
}

#[test]
fn the_example_is_short() {
    let text = include_str!("../../examples/embed.rs");
    assert!(text.lines().count() < LINES_MAX, "{} lines", text.lines().count());
}

#[test]
fn the_example_shows_its_items_and_what_replaced_them() {
    let output = Command::new(example()).env_clear().output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let told = String::from_utf8(output.stdout).unwrap();
    // The last picture comes again at the end, as a screen that is left shows it.
    let (now, frames): (Vec<&str>, Vec<&str>) = told.lines().partition(|line| line.starts_with("now: "));
    let at = |text: &str| frames.iter().position(|line| line.ends_with(text));
    let [waits, runs] = ["warning Press 7 waits for oil", "healthy Press 7 runs"].map(at);
    assert!(waits.is_some() && waits < runs, "{told}");
    assert!(matches!(now[..], ["now: Press 7 runs" | "now: Oven 182 °C"]), "{told}");
    let numbers: Vec<u64> = frames.iter().map(|line| line.split(' ').next().unwrap().parse().unwrap()).collect();
    assert!(numbers.is_sorted(), "{told}");
}
