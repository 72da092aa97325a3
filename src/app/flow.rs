//! From the config's words for pace and limits to the kernel's.

use std::sync::Arc;

use crate::config::{CheckConfig, Config, Late as ConfigLate, Rate};
use crate::kernel::plans::{BreakerRules, FlappingRules, HostRules, Late, Limit, PlanSpec, SettleRules, SpikeRules};

/// When and within which limits a check runs.
pub(super) fn plan(check: &CheckConfig) -> PlanSpec {
    let flow = &check.flow;
    PlanSpec {
        every: check.every,
        phase: check.phase,
        timeout: check.timeout,
        retries: check.retries,
        priority: flow.priority,
        late: match flow.late {
            ConfigLate::Skip => Late::Skip,
            ConfigLate::Coalesce => Late::Coalesce,
            ConfigLate::Burst(most) => Late::Burst(most),
        },
        limit: flow.limit.map(limit),
        hosts: check.hosts().into_iter().map(Arc::from).collect(),
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
