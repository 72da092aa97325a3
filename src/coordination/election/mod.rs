//! Elections: which console leads, and by which fence.
//!
//! An election says who leads and since which fence, and nothing of what a
//! leader does with it.

pub mod local;
