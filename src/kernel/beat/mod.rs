//! What keeps consoles in step: roles and fences, the clock they share, and what a leader tells its followers.

mod mapping;
mod role;
mod servo;
mod tell;

pub use mapping::Mapping;
pub use role::{Apart, Fence, LOCAL_PACE, Role};
pub use servo::{Heard, Sample, Servo};
pub use tell::{Beat, Mark, Mirror, Mirrored, Origin, Showing};
