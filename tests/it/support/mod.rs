//! What the whole-program tests stand on: homes, terminals, pipes, servers.
//!
//! No test is in here but those of the tools themselves.

pub(crate) mod allowlist;
pub(crate) mod clock;
#[expect(dead_code, reason = "the library's own tests share it and use the rest")]
pub(crate) mod etcd;
pub(crate) mod hall;
pub(crate) mod home;
pub(crate) mod http;
pub(crate) mod pipe;
pub(crate) mod process;
pub(crate) mod proxy;
pub(crate) mod pty;
pub(crate) mod redis;
pub(crate) mod servers;
pub(crate) mod skip;
pub(crate) mod target;

pub(crate) use home::{TempHome, crowd};
pub(crate) use pipe::{Piped, marquee};
pub(crate) use pty::{Pty, Size};
pub(crate) use skip::skip;
