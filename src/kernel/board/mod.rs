//! The board: all items at one moment, with a version that grows by one at each change.

mod acknowledge;
mod begin;
mod freshness;
mod item;
mod level;
mod mirror;
mod respec;
mod table;
mod values;

pub use crate::kernel::plans::PlanSpec;
pub(in crate::kernel) use freshness::CUT_OFF_AFTER;
pub use freshness::PERIODS_UNTIL_STALE;
pub use item::{BadItemId, HISTORY, ID_CHARACTERS_MAX, Item, ItemId, ItemSpec, LastRun, Past, Source};
pub use level::{Level, NoSuchLevel};
pub(in crate::kernel) use table::Change;
pub use table::{Board, PushRefused, UNNAMED_MAX};
pub use values::{Unit, Value, Values};
