//! Scenarios over the whole kernel, on virtual time.
