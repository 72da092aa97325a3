//! The guardian against a real cluster.
