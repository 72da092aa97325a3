//! The link: how what the leader says reaches the followers, and what they say reaches the leader.
//!
//! It moves lines of text and keeps who sends them within bounds; what a line
//! means, and whether it is to be believed, is the beat's.

pub mod local;
pub mod machine;
