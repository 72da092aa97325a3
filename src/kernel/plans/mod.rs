//! Plans: when each item is measured, one run at a time, within its limits.
//!
//! Read it from here to the leaves: the `schedule` says what starts and what is
//! cancelled; `seat` is one plan's place in it; `wheel`, `ready`, `bucket` and
//! `breaker` are its instruments. `run` is the word by which a run and its cancel
//! agree, `settle`, `flapping` and `spike` judge results and pushes. Nothing here
//! reads a clock, and nothing knows what a run does.

mod breaker;
mod bucket;
mod flapping;
mod hosts;
mod phase;
mod ready;
mod run;
mod schedule;
mod seat;
mod settle;
mod spike;
mod sync;
mod wheel;

pub use breaker::{Breaker, BreakerRules, BreakerState};
pub use bucket::{Bucket, Limit};
pub use flapping::{Flapping, FlappingRules};
pub use hosts::HostRules;
pub use phase::spread;
pub use ready::{OVERDUE_SHARE, PATIENCE, Rank, Ready, Ticket, Urgency};
pub use run::{Finish, RunWord, Running, Was};
pub use schedule::{CONCURRENCY, FIRST_RUN_WITHIN};
pub(in crate::kernel) use schedule::{Ended, Schedule};
pub use seat::{Late, PlanSpec};
pub use settle::{Settle, SettleRules};
pub use spike::{Spike, SpikeRules};
pub use wheel::{Key, Wheel};
