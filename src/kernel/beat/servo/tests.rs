//! The servo over simulated clocks and paths: what it promises, measured.

mod paths;
mod steps;
mod strange;
mod world;
