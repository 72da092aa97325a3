//! What everything that speaks with a Redis server needs: the server by its URL, a bounded connection, and plain words.
//!
//! [`server`] makes connections, straight or by way of the [`sentinels`]; [`line`] asks on one; [`lookout`]
//! tells when a listener has to leave. Deliberately no keys and no scripts: those are the store's and the link's.

pub(in crate::coordination) mod line;
pub(in crate::coordination) mod lookout;
mod sentinels;
pub(in crate::coordination) mod server;
#[cfg(test)]
pub(in crate::coordination) mod testing;
pub(in crate::coordination) mod words;
