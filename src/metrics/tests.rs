//! The door and the scrape together: what is counted is told, under the table's names.

use super::*;
use crate::kernel::board::{ItemId, Level};
use crate::kernel::{Concern, Moment, Outcome, Span, Stats};

fn item(id: &str) -> ItemId {
    ItemId::new(id).expect("an id")
}

/// Everything that can be counted, counted once.
fn used() -> Meters {
    let meters = Meters::new("1.2.3");
    let ms = Span::from_millis(3);
    meters.turned(Some(&item("db")), Level::Warning);
    meters.turned(None, Level::Healthy);
    meters.turn_shown(ms);
    meters.cycled(Span::from_secs(9));
    meters.board(41, [1, 2, 3, 4, 5]);
    meters.stats(&Stats { frames: 7, runs_started: 8, ticks_skipped: 9, ..Stats::default() });
    meters.run_started(ms);
    meters.run_started(ms);
    meters.run_ended(&item("db"), "tcp", Outcome::TimedOut, ms, 2);
    meters.drawn(ms, 1_234);
    meters.dropped(Dropped::Checksum);
    meters.dropped(Dropped::Slow);
    meters.reload(true, ms, Moment::from_unix_millis(1_700_000_000_500));
    meters.reload(false, ms, Moment::from_unix_millis(1_800_000_000_000));
    meters.notice(Concern::Store, true);
    meters.store_written(false);
    meters.text_filtered();
    meters.log_lines_dropped(12);
    meters.answered(404);
    meters.connection_refused();
    meters
}

#[test]
fn every_line_of_the_table_is_in_the_scrape_with_help_type_and_a_sample() {
    let scrape = used().render();
    for metric in TABLE.iter().filter(|metric| cfg!(target_os = "linux") || !metric.name.starts_with("process_")) {
        let name = metric.name;
        assert!(scrape.contains(&format!("# HELP {name} {}\n", metric.help)), "{name}\n{scrape}");
        assert!(scrape.contains(&format!("# TYPE {name} {}\n", metric.kind.word())), "{name}");
        let first = if metric.kind == Kind::Histogram { format!("{name}_bucket") } else { name.to_owned() };
        let sample =
            scrape.lines().find_map(|line| line.strip_prefix(&*first).filter(|rest| rest.starts_with([' ', '{'])));
        let sample = sample.unwrap_or_else(|| panic!("{name} has no sample"));
        for label in metric.labels {
            assert!(sample.contains(&format!("{label}=\"")), "{name} lacks {label}: {sample}");
        }
    }
}

#[test]
fn nothing_is_scraped_that_the_table_does_not_know() {
    let scrape = used().render();
    let types: Vec<_> = scrape.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
    for known in &types {
        let (name, kind) = known.split_once(' ').expect("name and kind");
        assert!(TABLE.iter().any(|metric| metric.name == name && metric.kind.word() == kind), "{known}");
        assert_eq!(types.iter().filter(|other| *other == known).count(), 1, "{known} stands twice");
    }
}

#[test]
fn the_numbers_are_those_that_were_counted() {
    let scrape = used().render();
    for line in [
        r#"marquee_item_processed_total{item="db",level="warning"} 1"#,
        r#"marquee_item_processed_total{item="_summary",level="healthy"} 1"#,
        r#"marquee_cycle_duration_seconds_bucket{le="10"} 1"#,
        "marquee_cycle_duration_seconds_sum 9",
        r#"marquee_items{level="critical"} 1"#,
        r#"marquee_items{level="healthy"} 5"#,
        "marquee_board_version 41",
        r#"marquee_run_total{item="db",outcome="timed_out"} 1"#,
        r#"marquee_run_duration_seconds_count{scheme="tcp"} 1"#,
        r#"marquee_run_duration_seconds_count{scheme="exec"} 0"#,
        "marquee_run_started_total 8",
        "marquee_runs_in_flight 1",
        "marquee_run_retries_total 2",
        "marquee_ticks_skipped_total 9",
        "marquee_frames_total 7",
        r#"marquee_frames_dropped_total{reason="slow"} 1"#,
        "marquee_frame_bytes_total 1234",
        r#"marquee_reload_total{result="success"} 1"#,
        r#"marquee_reload_total{result="failure"} 1"#,
        "marquee_reload_last_success_timestamp_seconds 1700000000.5",
        r#"marquee_notice{concern="store"} 1"#,
        r#"marquee_notice{concern="config"} 0"#,
        r#"marquee_store_write_total{result="failure"} 1"#,
        "marquee_text_filtered_total 1",
        "marquee_log_lines_dropped_total 12",
        r#"marquee_http_requests_total{code="404"} 1"#,
        "marquee_http_connections_refused_total 1",
        r#"marquee_build_info{version="1.2.3"} 1"#,
    ] {
        assert!(scrape.lines().any(|scraped| scraped == line), "{line} is not in\n{scrape}");
    }
}

#[test]
fn a_fresh_scrape_tells_noughts_and_two_of_them_share_nothing() {
    let (counted, fresh) = (used(), Meters::new("0"));
    assert!(counted.render().contains("marquee_text_filtered_total 1\n"));
    let scrape = fresh.render();
    assert!(scrape.contains("marquee_text_filtered_total 0\n"));
    assert!(scrape.contains("marquee_reload_total{result=\"failure\"} 0\n"));
    assert!(scrape.contains("marquee_frame_draw_seconds_count 0\n"));
}

#[test]
fn a_removed_item_leaves_the_scrape_and_upkeep_loses_nothing() {
    let meters = used();
    meters.upkeep();
    meters.upkeep();
    meters.keep(|id| id != "db");
    let scrape = meters.render();
    assert!(!scrape.contains("item=\"db\""));
    assert!(scrape.contains("marquee_frame_draw_seconds_count 1\n"));
}

#[test]
fn every_concern_has_its_own_series() {
    for (concern, word) in
        [(Concern::Config, "config"), (Concern::Sync, "sync"), (Concern::Store, "store"), (Concern::Other, "other")]
    {
        let meters = Meters::new("0");
        meters.notice(concern, true);
        assert!(meters.render().contains(&format!("marquee_notice{{concern=\"{word}\"}} 1\n")));
        meters.notice(concern, false);
        assert!(!meters.render().contains("marquee_notice{concern=\"other\"} 1\n"));
    }
}
