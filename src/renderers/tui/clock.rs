//! Times and ages as a viewer reads them.
//!
//! All ages are counted to the last tick of the shown clock, so that everything on the screen
//! that counts seconds moves at once and the rest of the second is still.

use jiff::tz::TimeZone;

use super::look::Look;
use crate::frame::{Frame, Moment, Span};
use crate::renderers::words::Word;

const SECOND: Span = Span::from_secs(1);

/// The moments that a picture is drawn by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tick {
    /// The last tick of the shown clock, on the shared clock.
    pub(super) at: Moment,
    /// The same on the wall clock.
    pub(super) wall: Moment,
    /// Whether a blinking sign is lit: the first half of each second.
    pub(super) lit: bool,
}

impl Tick {
    /// The tick that a frame is drawn by.
    pub(super) fn of(frame: &Frame) -> Self {
        let passed = Span::from_nanos(frame.wall.unix_nanos() % SECOND.as_nanos());
        Self { at: frame.at - passed, wall: frame.wall - passed, lit: passed < SECOND / 2 }
    }

    /// How long ago `then` was, in whole seconds.
    pub(super) fn since(self, then: Moment) -> Span {
        Span::from_secs(self.at.since(then).as_secs())
    }

    /// What the wall clock showed at `then`.
    pub(super) fn wall_of(self, then: Moment) -> Moment {
        if then > self.at { self.wall + then.since(self.at) } else { self.wall - self.at.since(then) }
    }
}

/// A moment of the wall clock as `14:03:22`.
pub(super) fn time_of_day(wall: Moment, zone: &TimeZone) -> String {
    let Ok(stamp) = jiff::Timestamp::from_nanosecond(i128::from(wall.unix_nanos())) else {
        return "--:--:--".to_owned();
    };
    let time = zone.to_datetime(stamp);
    format!("{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second())
}

/// A moment of the wall clock as `2026-11-20 14:03:22`.
pub(super) fn date_and_time(wall: Moment, zone: &TimeZone) -> String {
    let Ok(stamp) = jiff::Timestamp::from_nanosecond(i128::from(wall.unix_nanos())) else {
        return "--:--:--".to_owned();
    };
    let day = zone.to_datetime(stamp).date();
    format!("{:04}-{:02}-{:02} {}", day.year(), day.month(), day.day(), time_of_day(wall, zone))
}

/// A length in one whole unit: `3s`, `14m`, `5h`, `12d`.
pub(super) fn one_unit(span: Span) -> String {
    let seconds = span.as_secs();
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m", seconds / 60),
        3_600..172_800 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// A period without what is zero in it: `2s`, `1m`, `1h30m`, `250ms`.
pub(super) fn period(span: Span) -> String {
    let told = span.to_string();
    match told.split_once(' ') {
        Some((large, "0s" | "0m" | "0h")) => large.to_owned(),
        Some((large, small)) => format!("{large}{small}"),
        None => told,
    }
}

/// An age: `3s ago`, `never`.
pub(super) fn ago(look: &Look, then: Option<Moment>, tick: Tick) -> String {
    match then {
        None => look.word(Word::Never).to_owned(),
        Some(then) => {
            let age = one_unit(tick.since(then));
            format!("{}{age}{}", look.word(Word::AgoBefore), look.word(Word::AgoAfter))
        }
    }
}

/// How old the last news is, in words of its own; or that there was none yet.
pub(super) fn last_news(look: &Look, then: Option<Moment>, tick: Tick) -> String {
    match then {
        None => look.word(Word::NoNews).to_owned(),
        Some(_) => format!("{}{}", look.word(Word::LastNews), ago(look, then, tick)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_and_periods_are_short() {
        for (span, age, every) in [
            (Span::from_millis(250), "0s", "250ms"),
            (Span::from_secs(59), "59s", "59s"),
            (Span::from_secs(60), "1m", "1m"),
            (Span::from_secs(134), "2m", "2m14s"),
            (Span::from_secs(5_400), "1h", "1h30m"),
            (Span::from_secs(3_600), "1h", "1h"),
            (Span::from_secs(100_000), "27h", "1d3h"),
            (Span::from_secs(864_000), "10d", "10d"),
        ] {
            assert_eq!((one_unit(span).as_str(), period(span).as_str()), (age, every));
        }
    }

    #[test]
    fn the_time_of_day_is_local() {
        let wall = Moment::from_unix_millis(1_795_183_402_500);
        assert_eq!(date_and_time(wall, &TimeZone::UTC), "2026-11-20 14:03:22");
        assert_eq!(time_of_day(wall, &TimeZone::fixed(jiff::tz::offset(8))), "22:03:22");
    }
}
