//! What keeps consoles in step: roles and fences.
//!
//! The servo that disciplines the shared clock arrives with coordination.

mod role;

pub use role::{Fence, Role};
