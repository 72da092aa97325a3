//! When news is too old to be believed.
