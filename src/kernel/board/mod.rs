//! The board: all items at one moment, with a version that grows by one at each change.

mod freshness;
mod item;
mod level;
mod table;
mod values;

pub use item::{BadItemId, HISTORY, ID_CHARACTERS_MAX, Item, ItemId, ItemSpec, Past, PlanSpec, Source};
pub use level::{Level, NoSuchLevel};
pub use table::Board;
pub use values::{Unit, Value, Values};
