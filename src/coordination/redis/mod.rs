//! What everything that speaks with a Redis server needs: the server by its URL, and its answers in an operator's words.
//!
//! Deliberately no client: the store asks from a thread of its own and the
//! link between consoles from the runtime, and each keeps its own connections.

pub(in crate::coordination) mod server;
#[cfg(test)]
pub(in crate::coordination) mod testing;
pub(in crate::coordination) mod words;
