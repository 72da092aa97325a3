//! The house's rules as plain tests: a rule nobody runs is a wish.

mod imports;
mod supply;
mod text;
mod tree;
