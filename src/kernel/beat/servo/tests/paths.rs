//! Three consoles over every kind of path: the table of the protocol.

use super::world::{CLOCKS, Console, LOPSIDED, MINUTE, Path, SECOND, Spread, WAN};
use crate::kernel::Span;

fn three(seed: u64, paths: [Path; 3]) -> Vec<Console> {
    let clocks = CLOCKS.into_iter().zip(paths).zip(seed * 3..);
    clocks.map(|(((ahead, drift), path), seed)| Console::new(seed, path, ahead, drift)).collect()
}

#[test]
fn three_consoles_show_the_same_turn_at_the_same_moment() {
    let ms = Span::from_millis;
    let mixed = [Path::Loopback, Path::Stalls, WAN];
    // The first three and the fifth are the budgets; the others what a change must not make worse.
    // Half of 80 - 20 is what nobody can tell; half of the round trip is what is promised.
    for (name, paths, p95, most) in [
        ("loopback", [Path::Loopback; 3], ms(1), ms(3)),
        ("50 +- 20 each way", [WAN; 3], ms(15), ms(20)),
        ("a bell around 50", [Path::Bell; 3], ms(15), ms(20)),
        ("5 +- 2 with stalls", [Path::Stalls; 3], ms(5), ms(8)),
        ("one of each", mixed, ms(8), ms(15)),
        ("one lopsided", [Path::Loopback, Path::Loopback, LOPSIDED], ms(36), ms(50)),
    ] {
        for seed in 1..=10 {
            let mut consoles = three(seed, paths);
            let early = Spread::measure(&mut consoles, 5 * SECOND, MINUTE, SECOND);
            let late = Spread::measure(&mut consoles, MINUTE, 10 * MINUTE, 3 * SECOND);
            for spread in [early, late] {
                assert!(spread.at(95) <= p95 && spread.at(100) <= most, "{name}, seed {seed}");
                assert!(spread.within_bounds, "{name}, seed {seed}");
            }
            assert!(consoles.iter().all(|console| console.relocks.is_empty() && console.ran_back == 0), "{name}");
        }
    }
}
