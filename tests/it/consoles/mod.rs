//! Consoles in step while things break: the faults of the plant against the real program, a real etcd of
//! three members and a real Redis.
//!
//! A scenario asserts what comes out: who leads, what is shown, what is told. Its times are noted, and
//! judged by `tests/faults` alone, which runs the same scenarios and more on a release build.

#[expect(dead_code, reason = "the simulator uses the rest")]
#[path = "../../simulator/chance.rs"]
mod chance;
mod clocks;
mod election;
mod followers;
mod machine;
mod poison;
mod secrets;
mod servers;
pub(crate) mod soak;
mod store;
mod ways;

use std::time::Duration;

use chance::Chance;

use crate::support::hall::{Hall, Plan};

/// What a scenario measured, and why it could not be run, where it says more than that a server is missing.
#[derive(Default)]
pub(crate) struct Notes(pub(crate) Vec<Note>, pub(crate) Option<String>);

/// One figure.
pub(crate) struct Note {
    pub(crate) name: &'static str,
    pub(crate) value: Duration,
    pub(crate) most: Option<Duration>,
}

impl Notes {
    /// Notes a time that nothing is promised of.
    pub(crate) fn time(&mut self, name: &'static str, value: Duration) {
        self.0.push(Note { name, value, most: None });
    }

    /// Notes a time that is promised to be no longer than so many milliseconds.
    pub(crate) fn promised(&mut self, name: &'static str, value: Duration, most: u64) {
        self.0.push(Note { name, value, most: Some(Duration::from_millis(most)) });
    }
}

/// A fault and what is expected of it.
#[derive(Clone, Copy)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// Its number in the list of faults, or a word.
    pub(crate) number: &'static str,
    pub(crate) fault: &'static str,
    pub(crate) expected: &'static str,
    /// `None`: it can't be run on this machine.
    pub(crate) run: fn(&mut Notes) -> Option<()>,
}

/// Makes a test of each scenario, and a list of all.
macro_rules! scenarios {
    ($($number:literal $name:ident in $room:ident, $fault:literal, $expected:literal;)*) => {
        /// All scenarios that need no privilege.
        pub(crate) const ALL: &[Scenario] = &[$(Scenario {
            name: stringify!($name), number: $number, fault: $fault, expected: $expected, run: $room::$name,
        }),*];
        #[cfg(test)]
        mod tests {
            $(#[test]
            fn $name() {
                super::run(stringify!($name), super::$room::$name);
            })*
        }
    };
}

scenarios! {
    "1" a_killed_leader_is_followed_at_once in election,
        "kill -9 of the leader", "new leader <= 200 ms, 0 skipped";
    "2" a_lost_machine_is_followed_after_its_lease in election,
        "kill -9 of guardian and leader", "new leader <= 3.6 s, 0 skipped";
    "3" a_leader_that_quits_hands_over in election,
        "kill -TERM of the leader", "exit 0, new leader <= 100 ms";
    "4a" a_short_stop_of_the_leader_changes_nothing in election,
        "STOP of the leader for 1 s", "no change";
    "4b" a_long_stop_of_the_leader_deposes_it in election,
        "STOP of the leader for 6 s", "new leader <= 3.6 s, old token heard 0 times, follows <= 1 s";
    "5p" a_leader_without_any_way_is_silent_first in ways,
        "leader cut from all by its proxies", "silent <= 2.4 s and before its successor, which is <= 3.6 s";
    "6p" a_leader_without_etcd_follows_its_successor in ways,
        "leader cut from etcd alone by its proxies", "as 5p, and it follows over Redis";
    "7" a_leader_without_redis_leads_on_over_etcd in ways,
        "leader refused by Redis alone", "leads on, frames over etcd, told on the leader alone";
    "7f" a_follower_that_redis_does_not_answer_follows_over_etcd in ways,
        "follower cut from Redis alone by its proxy", "follows over etcd <= 3 s, in step, told on it alone, never alone";
    "7r" a_follower_that_redis_refuses_follows_over_etcd in ways,
        "follower refused by Redis alone", "as 7f";
    "7s" a_follower_at_another_redis_follows_over_etcd in ways,
        "follower at a Redis that nobody writes to", "follows over etcd, says so";
    "8p" a_follower_without_any_way_goes_on_alone in ways,
        "follower cut from all by its proxies", "stale at 1.5 s, alone at 8 s, a quarter of the runs, back <= 2 s";
    "9p" a_way_that_is_open_in_one_direction_degrades_its_console_alone in ways,
        "follower hears nothing, its proxies half open", "0 leader changes, that console alone tells";
    "10" a_dead_leader_of_etcd_changes_no_console in servers,
        "kill -9 of etcd's leader", "0 console failovers, beat gap <= 2.4 s";
    "11" a_stalled_leader_of_etcd_changes_the_leader_once_at_most in servers,
        "STOP of etcd's leader for 6 s", "<= 1 console failover, 0 stale writes";
    "12" without_a_quorum_nobody_leads_and_all_keep_the_schedule in servers,
        "STOP of two members of etcd for 5 s", "silent <= 2.4 s, schedule kept, same fence <= 4.5 s";
    "13a" both_leaders_at_once in election,
        "kill -9 of the leader and of etcd's", "new leader <= 2 s, 0 skipped";
    "13b" both_leaders_without_a_guardian in election,
        "kill -9 of guardian, leader and etcd's leader", "new leader <= 7 s, 0 skipped";
    "14" a_full_etcd_keeps_its_leader_and_elects_none in servers,
        "etcd out of space, then the leader quits", "leader stays, then all alone, then one leads";
    "15" an_etcd_that_was_rebuilt_begins_a_new_epoch in servers,
        "etcd rebuilt empty", "epoch + 1, written again <= 5 s";
    "16" a_follower_that_missed_a_compaction_finds_the_leader in servers,
        "compaction and a new leader while a follower is stopped", "right leader <= 1 s after CONT";
    "17" a_redis_that_died_comes_back_with_the_item_of_the_hour in store,
        "kill -9 of Redis, restart after 3 s", "no change, told, 0 skipped, item kept again";
    "17l" a_redis_that_comes_late_is_read_before_it_is_written_over in store,
        "Redis absent at the start, back later", "its board is known to all and kept, newer news win";
    "18" a_redis_that_stalls_is_not_flooded_afterwards in store,
        "STOP of Redis for 5 s", "no change, 0 skipped, no burst";
    "19" a_stale_replica_that_was_promoted_is_put_right in store,
        "replica cut off, then promoted in place of a killed Redis", "written again, 0 skipped, nobody steps back";
    "20a" a_busy_redis_is_told_and_waited_for in store,
        "Redis busy with a script for 3 s", "told, 0 skipped";
    "20b" a_redis_that_takes_no_writes_is_told in store,
        "Redis takes no writes (MISCONF) for 3 s", "told, 0 skipped";
    "count" a_store_that_counted_further_keeps_nobody_silent in store,
        "Redis holds a turn with a far higher number", "the new leader is heard, the number never falls";
    "21" a_slow_and_lossy_way_changes_no_leader in ways,
        "50 +- 20 ms each way, 5 % stalls", "0 failovers, spread p95 <= 15 ms";
    "23" a_wall_clock_that_is_set_back_moves_no_turn in clocks,
        "the leader's wall clock set by +1 h and -2 h", "0 leader changes, spread unchanged";
    "local" ten_consoles_of_one_machine_measure_once in machine,
        "kill -9 of the leader of ten, cluster local", "one leads on, plans run once";
    "large" a_large_board_comes_whole_and_one_too_large_is_told in machine,
        "a board of 6 MB, then of 10 MB, cluster local", "6 MB come whole; 10 MB are told on both consoles, until less";
    "orders" followers_measure_nothing_and_take_no_orders in followers,
        "push, delete and run given to followers", "503 with the leader's name, nothing changes, nothing measured";
    "known" an_acknowledgement_is_the_leader_s_and_outlives_it in followers,
        "an acknowledgement given to a follower, then to the leader, then kill -9 of the leader",
        "503 with the leader's name, nothing changes; known everywhere, and to the next leader";
    "words" foreign_words_on_the_ways_are_told_and_not_believed in poison,
        "garbage, other boards, newer, 10 MB, low tokens, tomorrow", "told, nothing believed, well by itself";
    "memory" a_redis_that_forgets_or_remembers_too_much_is_put_right in poison,
        "FLUSHALL, an older dump, WRONGTYPE, a later token", "fence raised again, 0 skipped";
    "name" the_second_of_two_consoles_with_one_name_never_leads in poison,
        "two consoles with one name", "the second says so and never leads";
    "soak" a_few_faults_by_chance in soak,
        "faults by chance for 40 s", "0 skipped, old token heard 0 times";
    "password" a_wrong_password_is_told_and_shown_nowhere in poison,
        "wrong passwords for etcd and Redis", "told without the password, no lead";
    "secrets" no_secret_comes_out_whatever_breaks in secrets,
        "wrong passwords, cut ways, dead servers, a killed leader, a broken config", "no secret in any output, record or argument";
    "certificate" a_certificate_for_another_host_is_told_and_not_trusted in poison,
        "etcd's certificate for another host", "told, alone, board goes on";
}

/// Runs a scenario as a test, and prints its figures for whoever asks for them.
#[cfg(test)]
fn run(name: &str, scenario: fn(&mut Notes) -> Option<()>) {
    let mut notes = Notes::default();
    // Where a server is missing, that was told already.
    let _ = scenario(&mut notes);
    for note in notes.0 {
        println!("figure {name}: {} {:.1} ms", note.name, note.value.as_secs_f64() * 1e3);
    }
}

/// Three consoles with etcd of three and Redis, one leading.
fn hall() -> Option<Hall> {
    Hall::start(&Plan::default())
}
