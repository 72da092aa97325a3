//! The link against a real server, and against none.
