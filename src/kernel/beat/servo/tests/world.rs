//! A reference clock, consoles with clocks of their own, and paths between them, on virtual time.

use crate::kernel::beat::{Heard, Sample, Servo};
use crate::kernel::{Moment, Span};

/// What the reference reads when the simulation begins.
const REFERENCE: i128 = 1_760_000_000_000_000_000;
pub(super) const SECOND: i128 = 1_000_000_000;
pub(super) const MINUTE: i128 = 60 * SECOND;
pub(super) const MILLI: i128 = 1_000_000;

/// A small generator, so that every run draws the same.
pub(super) struct Draw(u64);

impl Draw {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub(super) fn below(&mut self, n: u64) -> u64 {
        (self.next() >> 16) % n.max(1)
    }

    /// Evenly between `middle - spread` and `middle + spread`.
    fn around(&mut self, middle: i128, spread: i128) -> i128 {
        let width = u64::try_from(2 * spread + 1).unwrap();
        middle - spread + i128::from(self.below(width))
    }

    /// Around `middle` with a standard deviation of `spread`, never below a fifth of `middle`.
    fn bell(&mut self, middle: i128, spread: i128) -> i128 {
        let sum: i128 = (0..12).map(|_| self.around(0, spread / 2)).sum();
        (middle + sum).max(middle / 5)
    }
}

/// What a question and its answer go through.
#[derive(Clone, Copy, Debug)]
pub(super) enum Path {
    /// 25 µs each way, and now and then a thread that wakes late.
    Loopback,
    /// Each way its milliseconds, give or take.
    Even { up: i128, down: i128, spread: i128 },
    /// 50 ms each way, whose scatter has no hard end.
    Bell,
    /// 5 ± 2 ms each way, and every twentieth is held up for 200 ms on one of the ways.
    Stalls,
}

pub(super) const WAN: Path = Path::Even { up: 50, down: 50, spread: 20 };
pub(super) const LOPSIDED: Path = Path::Even { up: 80, down: 20, spread: 5 };

impl Path {
    fn draw(self, draw: &mut Draw) -> (i128, i128) {
        match self {
            Self::Loopback => {
                let late = if draw.below(50) == 0 { draw.around(600_000, 500_000) } else { 0 };
                (draw.around(25_000, 10_000), draw.around(25_000, 10_000) + late)
            }
            Self::Even { up, down, spread } => {
                (draw.around(up * MILLI, spread * MILLI), draw.around(down * MILLI, spread * MILLI))
            }
            Self::Bell => (draw.bell(50 * MILLI, 20 * MILLI), draw.bell(50 * MILLI, 20 * MILLI)),
            Self::Stalls => {
                let stall = |hit: bool| if hit { 200 * MILLI } else { 0 };
                let which = draw.below(40);
                let up = draw.around(5 * MILLI, 2 * MILLI) + stall(which == 0);
                (up, draw.around(5 * MILLI, 2 * MILLI) + stall(which == 1))
            }
        }
    }
}

/// What the reference clock does beside running.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reference {
    /// When it is set, and by how much.
    pub(super) step: Option<(i128, i128)>,
    /// From when to when it runs faster, and by how many billionths.
    pub(super) slew: Option<(i128, i128, i128)>,
}

impl Reference {
    pub(super) fn at(&self, now: i128) -> i128 {
        let stepped = self.step.filter(|(when, _)| now >= *when).map_or(0, |(_, by)| by);
        let slewed = self.slew.map_or(0, |(from, to, rate)| (now.clamp(from, to) - from) * rate / SECOND);
        REFERENCE + now + stepped + slewed
    }
}

/// A console: its clock, its path, its servo, and what it has been through.
pub(super) struct Console {
    pub(super) servo: Servo,
    pub(super) path: Path,
    pub(super) reference: Reference,
    /// Until then the reference cannot be reached.
    pub(super) cut_until: i128,
    draw: Draw,
    now: i128,
    ahead: i128,
    drift: i128,
    /// Slow swings of the crystal with the day's temperature, in billionths.
    pub(super) swing: i128,
    pub(super) samples: u64,
    pub(super) relocks: Vec<i128>,
    pub(super) slow: u64,
    /// The worst that a mapping went back when it was replaced, beyond what its bound allows.
    pub(super) ran_back: i128,
}

impl Console {
    /// A console whose clock is `ahead` at the start and `drift` billionths too fast.
    pub(super) fn new(seed: u64, path: Path, ahead: i128, drift: i128) -> Self {
        Self {
            servo: Servo::new(),
            path,
            reference: Reference::default(),
            cut_until: 0,
            draw: Draw::new(seed),
            now: 0,
            ahead,
            drift,
            swing: 0,
            samples: 0,
            relocks: Vec::new(),
            slow: 0,
            ran_back: 0,
        }
    }

    /// What its own clock reads.
    pub(super) fn local(&self, now: i128) -> Moment {
        // A triangle over six hours: up for three, down for three.
        let (half, at) = (3 * 60 * MINUTE, now.rem_euclid(6 * 60 * MINUTE));
        let risen =
            if at <= half { at * at / (2 * half) } else { at - half / 2 - (at - half) * (at - half) / (2 * half) };
        let mean = now.div_euclid(6 * 60 * MINUTE) * half;
        let swung = (mean + risen) * self.swing / SECOND;
        moment(REFERENCE - 7_000 * SECOND + self.ahead + now + now * self.drift / SECOND + swung)
    }

    /// Mapped minus true time of the reference at `now`.
    pub(super) fn error(&self, now: i128) -> i128 {
        i128::from(self.servo.mapping().to_reference(self.local(now)).unix_nanos()) - self.reference.at(now)
    }

    pub(super) fn bound(&self, now: i128) -> i128 {
        i128::from(self.servo.bound(self.local(now)).as_nanos())
    }

    /// Asks until `end`, at the servo's own pace.
    pub(super) fn run(&mut self, end: i128) {
        while self.now < end {
            if self.now < self.cut_until {
                self.now = self.cut_until.min(end);
                continue;
            }
            let (up, down) = self.path.draw(&mut self.draw);
            let (sent, received) = (self.local(self.now), self.local(self.now + up + down));
            // The reference counts whole microseconds.
            let reference = moment(self.reference.at(self.now + up) / 1_000 * 1_000);
            self.now += up + down;
            self.hear(Sample { sent, reference, received });
            let next = self.servo.next_sample(sent);
            self.now += i128::from(next.since(received).as_nanos());
        }
    }

    fn hear(&mut self, sample: Sample) {
        let before = self.servo.mapping().to_reference(sample.received);
        let bound = self.servo.bound(sample.received);
        self.samples += 1;
        match self.servo.hear(sample) {
            Heard::Relocked => self.relocks.push(self.now),
            Heard::TooSlow => self.slow += 1,
            Heard::Taken if self.samples > 1 => {
                let back = before.since(self.servo.mapping().to_reference(sample.received));
                self.ran_back = self.ran_back.max(i128::from(back.saturating_sub(bound).as_nanos()));
            }
            Heard::Taken | Heard::Doubted => {}
        }
    }
}

pub(super) fn moment(nanos: i128) -> Moment {
    Moment::from_unix_nanos(u64::try_from(nanos.max(0)).unwrap())
}

/// The clocks of three consoles, each off its own way.
pub(super) const CLOCKS: [(i128, i128); 3] =
    [(1_200 * MILLI, 80_000), (-1_200 * MILLI, -100_000), (37 * MILLI, 100_000)];

/// How far three consoles are apart at their turns, from the moment when all are locked.
pub(super) struct Spread {
    sorted: Vec<i128>,
    /// Whether every console was as close to the reference as its bound says, at each turn.
    pub(super) within_bounds: bool,
}

impl Spread {
    pub(super) fn measure(consoles: &mut [Console], from: i128, to: i128, every: i128) -> Self {
        let (mut sorted, mut within_bounds) = (Vec::new(), true);
        let mut at = from;
        while at < to {
            for console in &mut *consoles {
                console.run(at);
            }
            let errors = || consoles.iter().map(|console| console.error(at));
            sorted.push(errors().max().unwrap() - errors().min().unwrap());
            for console in consoles.iter() {
                assert!(console.servo.is_locked(), "{:?} at {at}", console.path);
                within_bounds &= console.error(at).abs() <= console.bound(at);
            }
            at += every;
        }
        sorted.sort_unstable();
        Self { sorted, within_bounds }
    }

    pub(super) fn at(&self, percent: usize) -> Span {
        let place = (self.sorted.len() - 1) * percent / 100;
        Span::from_nanos(u64::try_from(self.sorted[place]).unwrap())
    }
}
