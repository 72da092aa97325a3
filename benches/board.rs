//! The board's figures: `cargo bench --bench board` prints lines `figure NAME VALUE UNIT`.
//!
//! The release binary is run as its users run it, in a terminal and behind a
//! pipe; nothing is measured inside it but what it exports. Figures are for
//! people who compare them; no test asserts them.

#[cfg(test)]
#[path = "../tests/it/support/mod.rs"]
#[expect(dead_code, unused_imports, reason = "the tests use more of their tools than the figures do")]
mod support;

fn main() {
    // `cargo test --all-targets` runs this too, only to see that it starts.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    #[cfg(test)]
    for measure in [
        figures::first_picture,
        figures::turn_lateness,
        figures::reload_to_screen,
        figures::idle,
        figures::ten_thousand,
    ] {
        measure();
    }
}

#[cfg(test)]
mod figures {
    use std::time::{Duration, Instant};

    use crate::support::clock::{eventually, now};
    use crate::support::pipe::text;
    use crate::support::process::{processor_time, resident_mib};
    use crate::support::servers::{free_port, get};
    use crate::support::{Piped, Pty, Size, TempHome, crowd};

    /// Three fixed items: what the product's budget for idling is written for.
    const THREE: &str = "\
title: Line 3
interval: 5s
cluster: none
items:
  - {id: db, text: PostgreSQL OK, level: healthy}
  - {id: cache, text: Redis TTL > 30s, level: warning}
  - {id: api, text: v2.4.1 active, level: info}
";

    /// From the start of the process to a picture with all its parts.
    pub(crate) fn first_picture() {
        let mut took: Vec<_> = (0..40)
            .map(|_| {
                let home = TempHome::with_config(THREE);
                let pty = Pty::board(&home);
                pty.wait_for("the whole picture", |screen| {
                    let shown = screen.contents();
                    ["PostgreSQL OK", "1 healthy", "quit"].iter().all(|part| shown.contains(part))
                });
                let took = millis(now() - pty.started());
                pty.quit();
                took
            })
            .collect();
        figure("first_picture_p50_ms", quantile(&mut took, 500), "ms");
        figure("first_picture_ms", quantile(&mut took, 950), "ms");
    }

    /// How late the turns of the page come out of the pipe.
    ///
    /// The turn that came earliest against its own place in the beat stands for
    /// the anchor, so the figure holds everything: the wake-up, composing, writing, the pipe.
    pub(crate) fn turn_lateness() {
        let interval = Duration::from_millis(200);
        let home = TempHome::with_config(&THREE.replace("interval: 5s", "interval: 200ms"));
        let mut run = Piped::render(&home, "json");
        run.next_line();
        let came: Vec<Instant> = (0..100).map(|_| run.next_line_at().expect("another turn").0).collect();
        let began = came[0];
        let against: Vec<f64> =
            came.iter().zip(0_u32..).map(|(at, turn)| millis(*at - began) - millis(interval * turn)).collect();
        let earliest = against.iter().copied().fold(f64::INFINITY, f64::min);
        let mut late: Vec<_> = against.into_iter().map(|at| at - earliest).collect();
        figure("turn_lateness_p50_ms", quantile(&mut late, 500), "ms");
        figure("turn_lateness_p95_ms", quantile(&mut late, 950), "ms");
    }

    /// From a save to its text on the screen.
    pub(crate) fn reload_to_screen() {
        let saying = |text: &str| {
            format!("title: Reload\ninterval: 60s\ncluster: none\nitems:\n  - {{id: db, text: {text}, level: info}}\n")
        };
        let home = TempHome::with_config(&saying("Before"));
        let pty = Pty::board(&home);
        pty.wait_for_text("Before");
        let mut took: Vec<_> = (0..100)
            .map(|round| {
                let wanted = format!("Save {round} done");
                let saved = now();
                if round % 2 == 0 {
                    home.rename_over("marquee.yaml", saying(&wanted));
                } else {
                    home.write("marquee.yaml", saying(&wanted));
                }
                pty.wait_for_text(&wanted);
                millis(now() - saved)
            })
            .collect();
        pty.quit();
        figure("reload_to_screen_p50_ms", quantile(&mut took, 500), "ms");
        figure("reload_to_screen_p99_ms", quantile(&mut took, 990), "ms");
    }

    /// What three items that never change cost in twenty seconds.
    pub(crate) fn idle() {
        let home = TempHome::with_config(THREE);
        let pty = Pty::board(&home);
        pty.wait_for_clock_moves(2);
        let (began, spent, written) = (now(), processor_time(pty.pid()), pty.raw().len());
        pty.wait_for_clock_moves(20);
        let seconds = (now() - began).as_secs_f64();
        let spent = processor_time(pty.pid()).saturating_sub(spent).as_secs_f64();
        let written = u32::try_from(pty.raw().len() - written).unwrap();
        figure("idle_cpu_pct", 100.0 * spent / seconds, "%");
        figure("idle_rss_mib", resident_mib(pty.pid()), "MiB");
        figure("idle_bytes_per_s", f64::from(written) / seconds, "B/s");
        pty.quit();
    }

    /// What ten thousand items cost: their memory, and a frame drawn.
    pub(crate) fn ten_thousand() {
        let home = TempHome::with_config(&crowd("title: Crowd\ninterval: 200ms\n", 10_000));
        let address = format!("127.0.0.1:{}", free_port());
        let port = address.rsplit(':').next().unwrap().parse().unwrap();
        let config = home.config();
        let args = ["run", "--config", text(&config), "--metrics-addr", &address];
        let pty = Pty::open(&home, Size::USUAL, &args, &[]);
        pty.wait_for_text("of 10000");
        pty.wait_for_clock_moves(20);
        figure("rss_10k_mib", resident_mib(pty.pid()), "MiB");
        let body = eventually("metrics", || get(port, "/metrics")).body;
        let value = |name: &str| -> Option<f64> {
            let line = body.lines().find(|line| line.starts_with(name))?;
            line.rsplit(' ').next()?.parse().ok()
        };
        if let (Some(sum), Some(count)) =
            (value("marquee_frame_draw_seconds_sum"), value("marquee_frame_draw_seconds_count"))
        {
            figure("draw_10k_mean_ms", 1000.0 * sum / count, "ms");
        }
        if let Some(bound) = bucket_bound(&body, "marquee_frame_draw_seconds", 0.99) {
            figure("draw_10k_ms", 1000.0 * bound, "ms");
        }
        pty.quit();
    }

    /// The upper bound of the histogram's bucket, or the summary's value, that holds this share of all.
    fn bucket_bound(body: &str, name: &str, share: f64) -> Option<f64> {
        let quantile = format!("{name}{{quantile=\"{share}\"}}");
        if let Some(line) = body.lines().find(|line| line.starts_with(&quantile)) {
            return line.rsplit(' ').next()?.parse().ok();
        }
        let buckets: Vec<(f64, f64)> = body
            .lines()
            .filter(|line| line.starts_with(&format!("{name}_bucket")))
            .filter_map(|line| {
                let bound = line.split("le=\"").nth(1)?.split('"').next()?;
                let bound = if bound == "+Inf" { f64::INFINITY } else { bound.parse().ok()? };
                Some((bound, line.rsplit(' ').next()?.parse().ok()?))
            })
            .collect();
        let all = buckets.last()?.1;
        buckets.iter().find(|(_, count)| *count >= share * all).map(|(bound, _)| *bound)
    }

    fn figure(name: &str, value: f64, unit: &str) {
        println!("figure {name} {value:.3} {unit}");
    }

    fn millis(duration: Duration) -> f64 {
        duration.as_secs_f64() * 1000.0
    }

    /// The nearest-rank quantile of some values, in thousandths.
    fn quantile(values: &mut [f64], thousandths: usize) -> f64 {
        values.sort_by(f64::total_cmp);
        let rank = (values.len() * thousandths).div_ceil(1000);
        values[rank.saturating_sub(1)]
    }
}
