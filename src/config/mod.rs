//! The config: text in, a valid [`Config`] out, or every mistake of the file at once.
//!
//! Two forms: the tree of the text with its places, and the lowered form below,
//! which cannot be wrong. Deliberately no I/O beyond reading the files that the
//! text names, no clock and no watching: reloading is the app's business.

pub mod keymap;
pub mod theme;
pub mod timing;

#[cfg(feature = "config")]
mod check;
#[cfg(feature = "config")]
mod cluster;
#[cfg(feature = "config")]
pub mod defaults;
#[cfg(feature = "config")]
mod duration;
#[cfg(feature = "config")]
mod endpoints;
#[cfg(feature = "config")]
mod error;
#[cfg(feature = "config")]
mod expression;
#[cfg(feature = "config")]
mod file;
#[cfg(feature = "config")]
mod find;
#[cfg(feature = "config")]
mod flow;
#[cfg(feature = "config")]
mod hosts;
#[cfg(feature = "config")]
mod item;
#[cfg(feature = "config")]
pub mod json;
#[cfg(feature = "config")]
pub mod keys;
#[cfg(feature = "config")]
mod known;
#[cfg(feature = "config")]
mod lease;
#[cfg(feature = "config")]
mod load;
#[cfg(feature = "config")]
mod lower;
#[cfg(feature = "config")]
mod mask;
#[cfg(feature = "config")]
mod meaning;
#[cfg(feature = "config")]
mod model;
#[cfg(feature = "config")]
mod outside;
#[cfg(feature = "config")]
mod pattern;
#[cfg(feature = "config")]
mod percent;
#[cfg(feature = "config")]
mod plan;
#[cfg(feature = "config")]
mod point;
#[cfg(feature = "config")]
mod reader;
#[cfg(feature = "config")]
mod render;
#[cfg(feature = "config")]
#[cfg(feature = "config")]
mod scan;
#[cfg(feature = "config")]
mod schema;
#[cfg(feature = "config")]
pub mod schemes;
#[cfg(feature = "config")]
mod secrets;
#[cfg(feature = "config")]
mod sentinels;
#[cfg(feature = "config")]
mod source;
#[cfg(feature = "config")]
mod starter;
#[cfg(feature = "config")]
mod state;
#[cfg(feature = "config")]
mod step;
#[cfg(feature = "config")]
pub mod steps;
#[cfg(feature = "config")]
mod template;
#[cfg(feature = "config")]
pub mod theme_file;
#[cfg(feature = "config")]
mod theme_text;
#[cfg(feature = "config")]
mod tree;
#[cfg(feature = "config")]
mod tune;

#[cfg(feature = "config")]
pub use duration::{BadDuration, DURATION_FORM, duration_text, parse_duration};
#[cfg(feature = "config")]
pub use error::{Label, Problem, Problems};
#[cfg(feature = "config")]
pub use expression::{Expression, ExpressionError};
#[cfg(feature = "config")]
pub use find::find;
#[cfg(feature = "config")]
pub use lease::LeaseConfig;
#[cfg(feature = "config")]
pub use load::{Options, builtin, load, parse};
#[cfg(feature = "config")]
pub use model::{
    BreakerConfig, CheckConfig, ClusterConfig, Config, Confirm, Delay, Endpoint, EtcdConfig, FeedConfig,
    FlappingConfig, Flow, HostLimit, ItemConfig, ItemKind, Late, Levels, OnFailure, Rate, Secret, StateConfig,
    StepConfig, StepWork,
};
#[cfg(feature = "config")]
pub use outside::{outside, shortened};
#[cfg(feature = "config")]
pub use percent::percent_decoded;
#[cfg(feature = "config")]
pub use render::WIDTH;
#[cfg(feature = "config")]
pub use schema::schema;
#[cfg(feature = "config")]
pub use sentinels::Sentinels;
#[cfg(feature = "config")]
pub use starter::{SCHEMA_FILE, STARTER};
#[cfg(feature = "config")]
pub use template::{Template, TemplateError};
#[cfg(feature = "config")]
pub use tune::Settings;
