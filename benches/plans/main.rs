//! The plan engine's figures: `cargo bench --bench plans` prints lines `figure NAME VALUE UNIT`.
//!
//! Every figure stands beside its peer, where it has one, measured in the same run
//! and in the same way. Figures are for people who compare them; no test asserts
//! them. Names behind `--` choose among the measures: `cargo bench --bench plans -- http`.

#[cfg(test)]
mod engine;
#[cfg(test)]
mod http;
#[cfg(test)]
mod push;
#[cfg(test)]
#[path = "../../tests/it/support/mod.rs"]
#[expect(dead_code, unused_imports, reason = "the tests use more of their tools than the figures do")]
mod support;

fn main() {
    let chosen: Vec<_> = std::env::args().skip(1).collect();
    // `cargo test --all-targets` runs this too, only to see that it starts.
    if !chosen.iter().any(|argument| argument == "--bench") {
        return;
    }
    #[cfg(test)]
    for (name, measure) in MEASURES {
        let is_name = |argument: &&String| !argument.starts_with('-');
        if !chosen.iter().any(|argument| is_name(&argument)) || chosen.iter().any(|argument| argument == name) {
            measure();
        }
    }
}

/// What can be measured, under the names to choose it by.
#[cfg(test)]
const MEASURES: [(&str, fn()); 8] = [
    ("10k", engine::ten_thousand),
    ("1m", engine::million),
    ("buckets", engine::buckets),
    ("http", http::one),
    ("http_1000", http::thousand),
    ("push_batch", push::batches),
    ("push_single", push::singles),
    ("push_to_frame", push::to_the_frame),
];

#[cfg(test)]
fn figure(name: &str, value: f64, unit: &str) {
    println!("figure {name} {value:.3} {unit}");
}
