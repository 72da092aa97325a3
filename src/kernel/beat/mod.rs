//! What keeps consoles in step: roles and fences, and the clock they share.

mod mapping;
mod role;
mod servo;

pub use mapping::Mapping;
pub use role::{Fence, Role};
pub use servo::{Heard, Sample, Servo};
