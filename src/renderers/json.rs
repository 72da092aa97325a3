//! A JSON object for each change, one on a line: for programs, on request alone.
//!
//! [`FrameLine`] is the wire form of a frame, here and in the API. Its keys and
//! their order are a promise to readers; the frame's own fields are not.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use serde::Serialize;

use super::{Context, Renderer};
use crate::frame::{Frame, ItemId, Moment, Span};

/// A frame as programs read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FrameLine<'a> {
    /// Grows by one with each frame that says something new.
    pub seq: u64,
    /// When it was shown: RFC 3339 in UTC, to the millisecond.
    pub at: String,
    /// The item; null for the summary and the fallback.
    pub item: Option<&'a str>,
    /// What is shown large.
    pub text: &'a str,
    /// The level's word.
    pub level: &'static str,
    /// Since when the item is at this level, as `at`; null where nothing has a since.
    pub since: Option<String>,
    /// Its place in the playlist, from 1; 0 for the fallback.
    pub position: usize,
    /// How many turns a whole pass has.
    pub of: usize,
    /// This console's part among the consoles.
    pub role: &'static str,
    /// The leader's fence.
    pub fence: u64,
    /// The board's version.
    pub board: u64,
    /// The frame's CRC-32 in eight digits.
    pub crc: String,
    /// Whether there was nothing to show.
    pub fallback: bool,
    /// What is not well with the program itself; null when all is.
    pub notice: Option<&'a str>,
}

impl<'a> From<&'a Frame> for FrameLine<'a> {
    fn from(frame: &'a Frame) -> Self {
        let turn = &frame.turn;
        Self {
            seq: frame.seq,
            at: rfc3339(frame.wall),
            item: turn.item.as_ref().map(ItemId::as_str),
            text: &turn.text,
            level: turn.level.word(),
            since: turn.since.map(|since| rfc3339(on_the_wall(since, frame))),
            position: turn.position,
            of: turn.of,
            role: frame.role.word(),
            fence: frame.role.fence().0,
            board: frame.board,
            crc: format!("{:08x}", frame.crc),
            fallback: frame.is_fallback(),
            notice: frame.notice.as_deref(),
        }
    }
}

/// A moment of the shared clock as the wall clock tells it, by the distance of the two at this frame.
///
/// The distance is taken in whole seconds, so that the same moment does not tremble in its last digits from
/// one frame to the next, while a wall clock that was set is followed.
#[must_use]
pub fn on_the_wall(moment: Moment, frame: &Frame) -> Moment {
    let seconds = |span: Span| Span::from_secs((span + Span::from_millis(500)).as_secs());
    moment + seconds(frame.wall.since(frame.at)) - seconds(frame.at.since(frame.wall))
}

/// A moment as RFC 3339 in UTC with milliseconds: `2026-11-20T14:03:22.000Z`.
#[must_use]
pub fn rfc3339(moment: Moment) -> String {
    // Cut to the millisecond, not rounded: a moment must not be told before it has come.
    let millis = i64::try_from(moment.unix_millis()).unwrap_or(i64::MAX);
    format!("{:.3}", Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX))
}

/// The renderer of JSON lines.
pub struct Json<W> {
    out: W,
    mismatches: Arc<AtomicU64>,
    seq: Option<u64>,
}

impl<W: io::Write + Send> Json<W> {
    /// Writes to `out`. Frames with a wrong checksum are dropped and counted in `mismatches`.
    pub const fn new(out: W, mismatches: Arc<AtomicU64>) -> Self {
        Self { out, mismatches, seq: None }
    }
}

impl<W: io::Write + Send> Renderer for Json<W> {
    fn name(&self) -> &'static str {
        "json"
    }

    fn supports(&self, _context: &Context) -> bool {
        true
    }

    /// Below every other: it never chooses itself, `--render json` does.
    fn priority(&self) -> i32 {
        i32::MIN
    }

    fn draw(&mut self, frame: &Frame) -> io::Result<()> {
        if self.seq == Some(frame.seq) {
            return Ok(());
        }
        if !frame.is_sound() {
            self.mismatches.fetch_add(1, Ordering::Relaxed);
            return Ok(());
        }
        self.seq = Some(frame.seq);
        let mut line = serde_json::to_vec(&FrameLine::from(frame))?;
        line.push(b'\n');
        self.out.write_all(&line)?;
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{NOW, frame, sealed};
    use super::*;
    use crate::frame::{Level, Role, Safe, TurnKind};

    fn line(frame: &Frame) -> String {
        serde_json::to_string(&FrameLine::from(frame)).unwrap()
    }

    #[test]
    fn a_frame_is_told_in_the_promised_keys_and_order() {
        let told = frame(12, "cache", Level::Warning, "Redis TTL > 30s");
        let expected = format!(
            r#"{{"seq":12,"at":"2026-11-20T14:03:22.000Z","item":"cache","text":"Redis TTL > 30s","level":"warning","since":"2026-11-20T14:01:08.000Z","position":2,"of":3,"role":"leader","fence":7,"board":41,"crc":"{:08x}","fallback":false,"notice":null}}"#,
            told.crc
        );
        assert_eq!(line(&told), expected);
    }

    #[test]
    fn the_fallback_and_the_notice_are_told() {
        let mut told = frame(1, "", Level::Info, "System initializing…");
        told.turn.since = None;
        (told.turn.position, told.turn.of, told.role) = (0, 0, Role::Alone);
        told.notice = Some(Safe::line("marquee.yaml:3:1 \"x\""));
        let told = line(&told);
        for part in [
            r#""item":null,"text":"System initializing…""#,
            r#""since":null,"position":0,"of":0,"role":"alone","fence":0"#,
            r#""fallback":true,"notice":"marquee.yaml:3:1 \"x\"""#,
        ] {
            assert!(told.contains(part), "{told}");
        }
        let mut summary = frame(1, "", Level::Healthy, "12 healthy");
        summary.turn.kind = TurnKind::Summary(12);
        assert!(line(&summary).contains(r#""item":null,"text":"12 healthy","level":"healthy""#));
        assert!(line(&summary).contains(r#""fallback":false"#));
    }

    #[test]
    fn small_checksums_keep_their_eight_digits() {
        let mut told = frame(1, "db", Level::Healthy, "ok");
        told.crc = 0xAB;
        assert!(line(&told).contains(r#""crc":"000000ab""#));
    }

    #[test]
    fn since_follows_a_wall_clock_that_was_set_and_does_not_tremble() {
        let mut told = frame(1, "db", Level::Healthy, "ok");
        for (wall, since) in [
            (NOW + Span::from_millis(400), "2026-11-20T14:01:08.000Z"),
            (NOW - Span::from_millis(400), "2026-11-20T14:01:08.000Z"),
            (NOW + Span::from_secs(3_600), "2026-11-20T15:01:08.000Z"),
            (NOW - Span::from_millis(3_600_250), "2026-11-20T13:01:08.000Z"),
        ] {
            told.wall = wall;
            assert_eq!(FrameLine::from(&told).since.as_deref(), Some(since));
        }
    }

    #[test]
    fn moments_are_told_whenever_they_are() {
        assert_eq!(rfc3339(Moment::EPOCH), "1970-01-01T00:00:00.000Z");
        assert_eq!(rfc3339(NOW + Span::from_nanos(999_999_999)), "2026-11-20T14:03:22.999Z");
        assert_eq!(rfc3339(Moment::from_unix_nanos(u64::MAX)), "2554-07-21T23:34:33.709Z");
    }

    #[test]
    fn each_frame_is_told_once_and_a_damaged_one_never() {
        let mut out = Vec::new();
        let mismatches = Arc::new(AtomicU64::new(0));
        let mut json = Json::new(&mut out, Arc::clone(&mismatches));
        let first = frame(1, "db", Level::Healthy, "ok\u{2028}\"");
        json.draw(&first).unwrap();
        json.draw(&first.at(NOW + Span::from_secs(1), NOW + Span::from_secs(1))).unwrap();
        let mut damaged = frame(2, "db", Level::Healthy, "ok");
        damaged.turn.text = Safe::line("KO");
        json.draw(&damaged).unwrap();
        json.draw(&sealed(damaged)).unwrap();
        let text = String::from_utf8(out).unwrap();
        let seqs: Vec<_> =
            text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["seq"].clone()).collect();
        assert_eq!(seqs, [1, 2]);
        assert_eq!(mismatches.load(Ordering::Relaxed), 1);
    }
}
