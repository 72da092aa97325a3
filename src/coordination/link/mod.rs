//! The link: how boards and beats travel from the leader to those who follow it.
//!
//! [`Message`] is what travels, one line of text whatever the way; [`Listener`] decides what of it
//! counts. The ways themselves move lines and know nothing of what they say.

mod body;
mod detour;
mod listener;
#[cfg(feature = "consoles")]
pub mod local;
#[cfg(feature = "consoles")]
pub mod machine;
#[cfg(feature = "redis")]
pub mod redis;
mod reference;
#[cfg(test)]
mod tests;
mod turns;
mod value;
#[cfg(feature = "redis")]
mod way;
mod wire;

pub use detour::{Detour, Favour};
pub use listener::{Ignored, Listener, Mode};
pub use reference::Reference;
pub use wire::{BEAT_BYTES_MAX, BOARD_BYTES_MAX, Head, Message, Said, Unusable};
