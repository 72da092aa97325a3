//! Somebody sets the wall clock of a console's machine.

use std::path::Path;

use super::Notes;
use crate::support::clock::now;
use crate::support::hall::{Hall, Plan, percentile};
use crate::support::skip;

const EVERYBODY: [usize; 3] = [0, 1, 2];

/// Where Debian's package `faketime` has the library that tells a program another time.
const LIBRARY: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";

pub(super) fn a_wall_clock_that_is_set_back_moves_no_turn(notes: &mut Notes) -> Option<()> {
    if !Path::new(LIBRARY).exists() {
        let why = "the library of the package faketime is missing";
        skip("a_wall_clock_that_is_set_back_moves_no_turn", why);
        notes.1 = Some(why.into());
        return None;
    }
    let mut hall = Hall::prepare(&Plan::default())?;
    for seat in &mut hall.seats {
        let clock = seat.home.write("clock", "+0\n").display().to_string();
        seat.environment.extend(
            [
                ("LD_PRELOAD", LIBRARY),
                ("FAKETIME_TIMESTAMP_FILE", &clock),
                ("FAKETIME_NO_CACHE", "1"),
                ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
            ]
            .map(|(key, value)| (key.to_owned(), value.to_owned())),
        );
        seat.sit();
    }
    let leader = hall.settled();
    let (roles, since) = (hall.roles(), now());
    for set in ["+3600\n", "-7200\n"] {
        hall.seats[leader].home.rename_over("clock", set);
        hall.watch(&EVERYBODY, now(), 12);
    }
    assert_eq!(hall.roles(), roles, "{}", hall.report());
    hall.assert_unbroken(&EVERYBODY, since);
    let (mut spreads, missed) = hall.spreads(since);
    assert_eq!(missed, 0, "{}", hall.report());
    notes.time("spread p95", percentile(&mut spreads, 95));
    Some(())
}
