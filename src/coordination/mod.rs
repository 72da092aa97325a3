//! Coordination: where the state outlives the process, and how consoles agree.
//!
//! It knows the kernel's snapshot, role and input, and never a frame. What it
//! promises: whatever happens to a store, the board starts and goes on; what a
//! store holds is either a state that was once kept, whole, or nothing; and
//! every trouble is told, with what is to be mended.

mod console;
pub mod election;
#[cfg(feature = "etcd")]
pub mod etcd;
pub mod link;
pub mod member;
mod presence;
mod private;
#[cfg(feature = "redis")]
mod redis;
pub mod store;
mod token;

pub use console::{Console, Elector};
pub use presence::Presence;
pub use token::Token;
