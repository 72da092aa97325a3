//! From the config's words for pace and limits to the kernel's.

use std::sync::Arc;

use crate::config::{
    BreakerConfig, CheckConfig, Config, Confirm, Delay, FlappingConfig, Flow, Late as ConfigLate, Rate, Settings,
};
use crate::kernel::plans::{BreakerRules, FlappingRules, HostRules, Late, Limit, PlanSpec, SettleRules, SpikeRules};

/// When and within which limits a check runs.
pub(super) fn plan(check: &CheckConfig) -> PlanSpec {
    let hosts = check.hosts().into_iter().map(Arc::from).collect();
    paced(&Settings::from(check), hosts)
}

/// A plan with these settings that asks these hosts.
pub(super) fn paced(settings: &Settings, hosts: Arc<[Arc<str>]>) -> PlanSpec {
    let flow = &settings.flow;
    PlanSpec {
        every: settings.every,
        phase: settings.phase,
        timeout: settings.timeout,
        retries: settings.retries,
        priority: flow.priority,
        late: match flow.late {
            ConfigLate::Skip => Late::Skip,
            ConfigLate::Coalesce => Late::Coalesce,
            ConfigLate::Burst(most) => Late::Burst(most),
        },
        limit: flow.limit.map(limit),
        hosts,
        breaker: BreakerRules {
            open_after: flow.breaker.open_after,
            retry_after: flow.breaker.retry_after,
            retry_at_most: flow.breaker.retry_max,
        },
        settle: SettleRules {
            bad: flow.confirm.bad,
            good: flow.confirm.good,
            on_delay: flow.delay.on,
            off_delay: flow.delay.off,
        },
        flapping: FlappingRules { starts_above: flow.flapping.start, ends_below: flow.flapping.stop },
    }
}

/// The settings of a plan, back in the config's words.
pub(super) fn settings(plan: &PlanSpec) -> Settings {
    let rate = |limit: Limit| {
        let (tokens, per, burst) = limit.rate();
        Rate { tokens, per, burst }
    };
    Settings {
        every: plan.every,
        phase: plan.phase,
        timeout: plan.timeout,
        retries: plan.retries,
        flow: Flow {
            priority: plan.priority,
            late: match plan.late {
                Late::Skip => ConfigLate::Skip,
                Late::Coalesce => ConfigLate::Coalesce,
                Late::Burst(most) => ConfigLate::Burst(most),
            },
            limit: plan.limit.map(rate),
            confirm: Confirm { bad: plan.settle.bad, good: plan.settle.good },
            delay: Delay { on: plan.settle.on_delay, off: plan.settle.off_delay },
            breaker: BreakerConfig {
                open_after: plan.breaker.open_after,
                retry_after: plan.breaker.retry_after,
                retry_max: plan.breaker.retry_at_most,
            },
            flapping: FlappingConfig { start: plan.flapping.starts_above, stop: plan.flapping.ends_below },
        },
    }
}

/// What the target hosts bear.
pub(super) fn hosts(config: &Config) -> Vec<HostRules> {
    let rules = config.hosts.iter().map(|host| HostRules {
        host: host.host.as_str().into(),
        limit: host.limit.map(limit),
        at_once: host.at_once.map(|most| usize::try_from(most).unwrap_or(usize::MAX)),
    });
    rules.collect()
}

/// When pushes are sampled.
pub(super) fn feed(config: &Config) -> SpikeRules {
    SpikeRules {
        window: config.feed.window,
        ratio: f64::from(config.feed.spike_ratio),
        floor: u64::from(config.feed.spike_floor),
        sample: u64::from(config.feed.sample),
    }
}

fn limit(rate: Rate) -> Limit {
    Limit::new(rate.tokens, rate.per, rate.burst)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Span;

    #[test]
    fn settings_come_back_as_they_went() {
        let usual = Settings {
            every: Span::from_secs(10),
            phase: None,
            timeout: Span::from_secs(2),
            retries: 0,
            flow: Flow::default(),
        };
        let own = Settings {
            every: Span::from_millis(1_500),
            phase: Some(Span::from_millis(250)),
            timeout: Span::from_millis(700),
            retries: 3,
            flow: Flow {
                priority: 9,
                late: ConfigLate::Burst(4),
                limit: Some(Rate { tokens: 7, per: Span::from_secs(60), burst: 3 }),
                confirm: Confirm { bad: 3, good: 2 },
                delay: Delay { on: Span::from_secs(5), off: Span::from_secs(60) },
                breaker: BreakerConfig {
                    open_after: 0,
                    retry_after: Span::from_secs(3),
                    retry_max: Span::from_secs(30),
                },
                flapping: FlappingConfig { start: 50, stop: 20 },
            },
        };
        for wanted in [usual, own] {
            assert_eq!(settings(&paced(&wanted, Arc::default())), wanted);
        }
    }
}
