//! The Prometheus text format, for the few families that the exporter can't hold.
//!
//! The exporter's counters are whole numbers and its series never leave while a
//! handle is held. CPU seconds have fractions and removed items must leave, so
//! `process.rs` and `items.rs` write their lines by this.

use std::fmt::{Display, Write};

use super::table::Metric;

/// The two lines that open a family.
pub(super) fn family(out: &mut String, metric: &Metric) {
    // Writing to a String can't fail. A help text of the table has no line break or backslash to escape.
    let _ = writeln!(out, "# HELP {} {}\n# TYPE {} {}", metric.name, metric.help, metric.name, metric.kind.word());
}

/// One line of a family; `labels` are the values in the order of the metric's label names.
pub(super) fn sample(out: &mut String, metric: &Metric, labels: &[&str], value: impl Display) {
    debug_assert_eq!(labels.len(), metric.labels.len(), "{}", metric.name);
    out.push_str(metric.name);
    for (place, (name, label)) in metric.labels.iter().zip(labels).enumerate() {
        let _ = write!(out, "{}{name}=\"", if place == 0 { '{' } else { ',' });
        for c in label.chars() {
            match c {
                '\\' => out.push_str("\\\\"),
                '"' => out.push_str("\\\""),
                '\n' => out.push_str("\\n"),
                plain => out.push(plain),
            }
        }
        out.push('"');
    }
    let _ = writeln!(out, "{} {value}", if metric.labels.is_empty() { "" } else { "}" });
}

/// The families of a scrape in the order of their names, so that two scrapes compare line by line.
pub(super) fn sorted(scrape: &str) -> String {
    let mut families: Vec<&str> = scrape.split("\n\n").map(str::trim).filter(|family| !family.is_empty()).collect();
    families.sort_unstable();
    let mut page = families.join("\n\n");
    page.push('\n');
    page
}

#[cfg(test)]
mod tests {
    use super::super::table::{PROCESS_CPU, RUN};
    use super::*;

    #[test]
    fn lines_are_written_and_labels_escaped() {
        let mut out = String::new();
        family(&mut out, &PROCESS_CPU);
        sample(&mut out, &PROCESS_CPU, &[], 1.5);
        sample(&mut out, &RUN, &["a\"b\\c\nd", "done"], 3);
        assert_eq!(
            out,
            "# HELP process_cpu_seconds_total CPU time of the process, user and system together.\n\
             # TYPE process_cpu_seconds_total counter\n\
             process_cpu_seconds_total 1.5\n\
             marquee_run_total{item=\"a\\\"b\\\\c\\nd\",outcome=\"done\"} 3\n"
        );
    }

    #[test]
    fn families_are_sorted_whole() {
        assert_eq!(sorted("# b\nb 1\n\n# a\na 2\na 1\n\n"), "# a\na 2\na 1\n\n# b\nb 1\n");
    }
}
