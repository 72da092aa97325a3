//! The candidate against an elector that is played by the test.
