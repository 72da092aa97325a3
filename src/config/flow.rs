//! The keys that pace runs and settle results: of `defaults`, of an item, and of the feed.

use super::defaults::{
    CONFIRM_MAX, FEED_FLOOR_MAX, FEED_RATIO_MAX, LATE_BURST_MAX, OPEN_AFTER_MAX, PRIORITY, PRIORITY_MAX, RATE_MAX,
    RETRIES_MAX,
};
use super::duration::{Bounds, LIMIT, PERIOD, PHASE};
use super::error::{Problem, quote};
use super::item::Defaults;
use super::model::{BreakerConfig, Confirm, Delay, FeedConfig, FlappingConfig, Flow, Late, Rate};
use super::reader::{Reader, Section};
use super::tree::{Entry, Node};
use crate::kernel::Span;

/// The forms of `late`.
const LATE: &[&str] = &["skip", "coalesce", "burst"];

impl Reader<'_> {
    /// What `defaults:` says; the program's own where it does not, or is wrong.
    pub(super) fn defaults(&mut self, node: &Node) -> Defaults {
        let mut all = Defaults::default();
        let Some(section) = self.section(node, "defaults", "`defaults`") else { return all };
        all.every = self.span(&section, "every", PERIOD, all.every).unwrap_or(all.every);
        all.timeout = self.span(&section, "timeout", LIMIT, all.timeout).unwrap_or(all.timeout);
        all.retries = self.number(&section, "retries", 0, RETRIES_MAX, all.retries).unwrap_or(all.retries);
        all.flow = self.flow(&section, "defaults", all.flow).unwrap_or(all.flow);
        all
    }

    /// The flow that a section of this path says, `base` where it does not; `None` where anything is wrong.
    pub(super) fn flow(&mut self, section: &Section<'_>, path: &str, base: Flow) -> Option<Flow> {
        let priority = self.number(section, "priority", 0, u32::from(PRIORITY_MAX), u32::from(base.priority));
        let late = section.get("late").map_or(Some(base.late), |entry| self.late(entry));
        let limit = self.limit(section);
        let below = |name: &str| section.get(name).map(|entry| (entry, format!("{path}.{name}")));
        let (confirm, delay, flapping, breaker) =
            (below("confirm"), below("delay"), below("flapping"), below("breaker"));
        let confirm = confirm.map_or(Some(base.confirm), |(entry, path)| self.confirm(entry, &path, base.confirm));
        let delay = delay.map_or(Some(base.delay), |(entry, path)| self.delay(entry, &path, base.delay));
        let flapping = flapping.map_or(Some(base.flapping), |(entry, path)| self.flapping(entry, &path, base.flapping));
        let breaker = breaker.map_or(Some(base.breaker), |(entry, path)| self.breaker(entry, &path, base.breaker));
        Some(Flow {
            priority: u8::try_from(priority?).unwrap_or(PRIORITY),
            late: late?,
            limit: limit.ok()?,
            confirm: confirm?,
            delay: delay?,
            breaker: breaker?,
            flapping: flapping?,
        })
    }

    fn confirm(&mut self, entry: &Entry, path: &str, base: Confirm) -> Option<Confirm> {
        let section = self.section(&entry.value, path, "`confirm`")?;
        let bad = self.number(&section, "bad", 1, CONFIRM_MAX, base.bad);
        let good = self.number(&section, "good", 1, CONFIRM_MAX, base.good);
        Some(Confirm { bad: bad?, good: good? })
    }

    fn delay(&mut self, entry: &Entry, path: &str, base: Delay) -> Option<Delay> {
        let section = self.section(&entry.value, path, "`delay`")?;
        let on = self.span(&section, "on", PHASE, base.on);
        let off = self.span(&section, "off", PHASE, base.off);
        Some(Delay { on: on?, off: off? })
    }

    fn flapping(&mut self, entry: &Entry, path: &str, base: FlappingConfig) -> Option<FlappingConfig> {
        let section = self.section(&entry.value, path, "`flapping`")?;
        let start = section.get("start").map_or(Some(base.start), |entry| self.share(entry));
        let stop = section.get("stop").map_or(Some(base.stop), |entry| self.share(entry));
        let flapping = FlappingConfig { start: start?, stop: stop? };
        if flapping.stop > flapping.start {
            let place = section.get("stop").or(section.get("start")).map_or(&entry.place, |entry| &entry.value.place);
            let message =
                format!("flapping would stop below {}% but start above {}% only", flapping.stop, flapping.start);
            self.fail(place, message, "write a `stop` that is no more than `start`");
            return None;
        }
        Some(flapping)
    }

    fn breaker(&mut self, entry: &Entry, path: &str, base: BreakerConfig) -> Option<BreakerConfig> {
        let section = self.section(&entry.value, path, "`breaker`")?;
        let open_after = self.number(&section, "open_after", 0, OPEN_AFTER_MAX, base.open_after);
        let retry_after = self.span(&section, "retry_after", PERIOD, base.retry_after);
        let retry_max = self.span(&section, "retry_max", PERIOD, base.retry_max);
        let breaker = BreakerConfig { open_after: open_after?, retry_after: retry_after?, retry_max: retry_max? };
        if breaker.retry_max < breaker.retry_after {
            let (max, after) = (section.get("retry_max"), section.get("retry_after"));
            let place = max.or(after).map_or(&entry.place, |entry| &entry.value.place);
            let message =
                format!("`retry_max` ({}) is shorter than `retry_after` ({})", breaker.retry_max, breaker.retry_after);
            let problem = Problem::at(place, message).help("the waits grow from `retry_after` to `retry_max`");
            self.problems.add(match (max, after) {
                (Some(_), Some(after)) => problem.label(&after.value.place, "the first wait"),
                _ => problem,
            });
            return None;
        }
        Some(breaker)
    }

    /// What `feed:` says; the program's own where it does not, or is wrong.
    pub(super) fn feed(&mut self, node: &Node) -> FeedConfig {
        let base = FeedConfig::default();
        let Some(section) = self.section(node, "feed", "`feed`") else { return base };
        FeedConfig {
            window: self.span(&section, "window", PERIOD, base.window).unwrap_or(base.window),
            spike_ratio: self
                .number(&section, "spike_ratio", 2, FEED_RATIO_MAX, base.spike_ratio)
                .unwrap_or(base.spike_ratio),
            spike_floor: self
                .number(&section, "spike_floor", 0, FEED_FLOOR_MAX, base.spike_floor)
                .unwrap_or(base.spike_floor),
            sample: self.number(&section, "sample", 1, FEED_RATIO_MAX, base.sample).unwrap_or(base.sample),
        }
    }

    pub(super) fn number(&mut self, section: &Section<'_>, name: &str, min: u32, max: u32, absent: u32) -> Option<u32> {
        section.get(name).map_or(Some(absent), |entry| self.count(entry, min, max))
    }

    pub(super) fn span(&mut self, section: &Section<'_>, name: &str, bounds: Bounds, absent: Span) -> Option<Span> {
        section.get(name).map_or(Some(absent), |entry| self.duration(entry, bounds))
    }

    fn late(&mut self, entry: &Entry) -> Option<Late> {
        let said = self.words(entry)?;
        let text = said.words.full.as_str();
        let burst = text.strip_prefix("burst ").and_then(|number| number.parse::<u32>().ok());
        match (text, burst) {
            ("skip", _) => return Some(Late::Skip),
            ("coalesce", _) => return Some(Late::Coalesce),
            (_, Some(number)) if (1..=LATE_BURST_MAX).contains(&number) => return Some(Late::Burst(number)),
            (_, Some(_)) => {
                let message = format!("{} is no burst from 1 to {LATE_BURST_MAX}", said.quoted());
                self.fail(said.place(), message, "more at once would be the load that made them late");
            }
            ("burst", None) => {
                self.fail(said.place(), "`burst` does not say how many", "write for example `late: burst 3`");
            }
            _ => {
                let shown = if said.words.secret { "" } else { text };
                let help = super::keys::proposal(shown, LATE.iter().copied(), "write one of");
                self.fail(said.place(), format!("{} is no value for {}", said.quoted(), quote(&entry.key)), help);
            }
        }
        None
    }

    /// A rate written `20/s`, `5/m` or `100/h`; one at once.
    pub(super) fn limit_rate(&mut self, entry: &Entry) -> Option<Rate> {
        let said = self.words(entry)?;
        let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u32>().ok());
        let parts = said.words.full.split_once('/').and_then(|(count, unit)| {
            let per = match unit {
                "s" => Span::from_secs(1),
                "m" => Span::from_secs(60),
                "h" => Span::from_secs(3_600),
                _ => return None,
            };
            Some((number(count)??, per))
        });
        match parts {
            Some((tokens, per)) if (1..=RATE_MAX).contains(&tokens) => {
                Some(Rate { tokens, per, burst: super::defaults::BURST })
            }
            _ => {
                let message = format!("{} is no rate from 1 to {RATE_MAX} in a unit of time", said.quoted());
                self.fail(said.place(), message, "write `20/s`, `5/m` or `100/h`: a second, a minute, an hour");
                None
            }
        }
    }

    /// A share in whole percent, written `30%`.
    fn share(&mut self, entry: &Entry) -> Option<u32> {
        let said = self.words(entry)?;
        let number = said.words.full.strip_suffix('%');
        let number = number.filter(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
        match number.and_then(|number| number.parse::<u32>().ok()) {
            Some(number) if (1..=100).contains(&number) => Some(number),
            _ => {
                let message = format!("{} is no share from `1%` to `100%`", said.quoted());
                self.fail(said.place(), message, "a share is written `30%`");
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{Config, ItemKind, Options, parse};

    fn read(text: &str) -> Config {
        parse(text, "x", Path::new(""), &Options::default()).unwrap_or_else(|problems| panic!("{problems}"))
    }

    fn flow(config: &Config, place: usize) -> Flow {
        let ItemKind::Check(check) = &config.items[place].kind else { panic!("no check") };
        check.flow
    }

    #[test]
    fn an_item_says_what_defaults_do_not_and_keeps_the_rest() {
        let config = read(
            "defaults: {confirm: {bad: 3}, breaker: {retry_after: 2s}, late: coalesce, priority: 7, delay: {off: 1m}}
items:
  - {id: a, check: 'load:'}
  - id: b
    check: 'load:'
    priority: 0
    late: burst 4
    limit: 5/m
    burst: 2
    confirm: {good: 2}
    delay: {on: 10s}
    breaker: {open_after: 0}
    flapping: {start: 50%}
",
        );
        let defaults = Flow {
            priority: 7,
            late: Late::Coalesce,
            confirm: Confirm { bad: 3, good: 1 },
            delay: Delay { on: Span::ZERO, off: Span::from_secs(60) },
            breaker: BreakerConfig { retry_after: Span::from_secs(2), ..BreakerConfig::default() },
            ..Flow::default()
        };
        assert_eq!(flow(&config, 0), defaults);
        let own = Flow {
            priority: 0,
            late: Late::Burst(4),
            limit: Some(Rate { tokens: 5, per: Span::from_secs(60), burst: 2 }),
            confirm: Confirm { bad: 3, good: 2 },
            delay: Delay { on: Span::from_secs(10), ..defaults.delay },
            breaker: BreakerConfig { open_after: 0, ..defaults.breaker },
            flapping: FlappingConfig { start: 50, stop: 25 },
        };
        assert_eq!(flow(&config, 1), own);
    }

    #[test]
    fn the_board_has_limits_of_its_own() {
        let config = read(
            "concurrency: 8
hosts: {PLC.plant: {limit: 100/h}, '::1': {at_once: 1, limit: 20/s, burst: 5}}
feed: {spike_ratio: 3, window: 1s}
items: [{id: a, check: 'tcp://plc.PLANT:502'}, {id: b, plan: [check: 'http://[::1]:80/']}]",
        );
        let rate = |tokens, per, burst| Some(Rate { tokens, per: Span::from_secs(per), burst });
        assert_eq!(config.concurrency, 8);
        let hosts: Vec<_> = config.hosts.iter().map(|host| (host.host.as_str(), host.limit, host.at_once)).collect();
        assert_eq!(hosts, [("plc.plant", rate(100, 3600, 1), None), ("::1", rate(20, 1, 5), Some(1))]);
        let expected = FeedConfig { spike_ratio: 3, window: Span::from_secs(1), ..FeedConfig::default() };
        assert_eq!(config.feed, expected);
    }
}
