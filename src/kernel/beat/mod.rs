//! What keeps consoles in step: roles, fences, and what a leader tells its followers.

mod role;
mod tell;

pub use role::{Fence, LOCAL_PACE, Role};
pub use tell::{Beat, Mark, Mirror, Mirrored, Origin, Showing};
