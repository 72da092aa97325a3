//! A line for each change, for pipes, logs and terminals that can do no more.
//!
//! `14:03:22  ▲ WARNING   cache  Redis TTL > 30s  (2 of 3)`
//!
//! The words are those of the config in every locale, because these lines are
//! searched by programs. Deliberately no clock, no scrolling and no repetition:
//! nothing is written when nothing new is said.

use std::fmt::Write as _;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::sgr::paint;
use super::{Context, Renderer};
use crate::frame::{Frame, Level, Moment};

/// Columns of the longest level's word, so that what follows keeps its place.
const WORD_COLUMNS: usize = 8;

/// The renderer of plain lines.
pub struct Plain<W> {
    out: W,
    context: Context,
    zone: TimeZone,
    mismatches: Arc<AtomicU64>,
    seq: Option<u64>,
    turn: String,
    notice: Option<String>,
}

impl<W: io::Write + Send> Plain<W> {
    /// Writes to `out`, with times as this machine tells them. Frames with a
    /// wrong checksum are dropped and counted in `mismatches`.
    pub fn new(out: W, context: Context, mismatches: Arc<AtomicU64>) -> Self {
        Self::in_zone(out, context, mismatches, TimeZone::system())
    }

    /// The same with times of another zone.
    pub fn in_zone(out: W, context: Context, mismatches: Arc<AtomicU64>, zone: TimeZone) -> Self {
        Self { out, context, zone, mismatches, seq: None, turn: String::new(), notice: None }
    }

    /// What the turn says, without the time.
    fn turn(&self, frame: &Frame) -> String {
        let (turn, spell) = (&frame.turn, |text| self.context.charset.spell(text));
        let mut line = self.level(turn.level);
        if let Some(item) = &turn.item {
            // Writing into a string cannot fail.
            let _ = write!(line, "  {item}");
        }
        let _ = write!(line, "  {}", spell(&turn.text));
        if !frame.is_fallback() {
            let row = turn.item.as_ref().and_then(|item| frame.row(item));
            let known = if row.is_some_and(|row| row.acknowledged.is_some()) { ", acknowledged" } else { "" };
            let _ = write!(line, "  ({} of {}{known})", turn.position, turn.of);
        }
        line
    }

    /// Symbol and word of a level, in its colours.
    fn level(&self, level: Level) -> String {
        let (look, word) = (self.context.theme.level(level), level.word().to_uppercase());
        let told = paint(&format!("{} {word}", self.context.symbol(level)), look.fg, look.bg, self.context.colours);
        // Padded outside the paint: a ground of colour ends with the word.
        format!("{told}{:1$}", "", WORD_COLUMNS.saturating_sub(word.len()))
    }

    fn time(&self, wall: Moment) -> String {
        let time = Timestamp::from_nanosecond(wall.unix_nanos().into()).unwrap_or_default();
        time.to_zoned(self.zone.clone()).strftime("%H:%M:%S").to_string()
    }
}

impl<W: io::Write + Send> Renderer for Plain<W> {
    fn name(&self) -> &'static str {
        "plain"
    }

    fn supports(&self, _context: &Context) -> bool {
        true
    }

    /// Lowest among those that choose themselves: it is what is left where nothing better can be had.
    fn priority(&self) -> i32 {
        0
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
        let (turn, notice) = (self.turn(frame), frame.notice.as_deref().map(|text| self.context.charset.spell(text)));
        let time = self.time(frame.wall);
        let mut lines = String::new();
        // Writing into a string cannot fail.
        if self.notice.as_deref() != notice.as_deref() {
            let _ = match &notice {
                Some(notice) => writeln!(lines, "{time}  ! {notice}"),
                None => writeln!(lines, "{time}  all well again"),
            };
        }
        if self.turn != turn {
            let _ = writeln!(lines, "{time}  {turn}");
        }
        (self.turn, self.notice) = (turn, notice.map(std::borrow::Cow::into_owned));
        if lines.is_empty() {
            return Ok(());
        }
        // In one piece: another writer to the same pipe can't come between.
        self.out.write_all(lines.as_bytes())?;
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{NOW, frame};
    use super::*;
    use crate::config::theme::{Rgb, Theme};
    use crate::frame::{Safe, Span, TurnKind};
    use crate::renderers::json::Json;
    use crate::renderers::{Charset, ColourDepth, Locale, Registry, Size};

    fn context(charset: Charset, colours: ColourDepth) -> Context {
        let mut theme = Theme::default();
        theme.levels[Level::Warning.index()].fg = Some(Rgb(0xFF, 0xB2, 0x24));
        let size = Size { columns: 80, rows: 24 };
        Context { locale: Locale::En, size, colours, charset, interactive: false, theme }
    }

    /// What is written for these frames in UTC, and how many of them were damaged.
    fn told(context: &Context, frames: &[Frame]) -> (String, u64) {
        let (mut out, mismatches) = (Vec::new(), Arc::new(AtomicU64::new(0)));
        let mut plain = Plain::in_zone(&mut out, context.clone(), Arc::clone(&mismatches), TimeZone::UTC);
        for frame in frames {
            plain.draw(frame).unwrap();
        }
        (String::from_utf8(out).unwrap(), mismatches.load(Ordering::Relaxed))
    }

    fn noticed(seq: u64, notice: Option<&str>) -> Frame {
        Frame { notice: notice.map(Safe::line), ..frame(seq, "cache", Level::Warning, "Redis TTL > 30s") }
    }

    #[test]
    fn a_line_for_each_change_and_none_without() {
        let later = |frame: Frame, secs| frame.at(NOW + Span::from_secs(secs), NOW + Span::from_secs(secs));
        let mut summary = frame(4, "", Level::Healthy, "12 healthy");
        summary.turn.kind = TurnKind::Summary(12);
        let frames = [
            frame(1, "", Level::Unknown, "System initializing…"),
            noticed(2, None),
            later(noticed(2, None), 1),
            // The turn of the only item comes again: nothing new is said.
            later(noticed(3, None), 3),
            later(summary, 6),
            later(frame(5, "press-7", Level::Critical, "压力 9.1 bar"), 9),
        ];
        let unicode = context(Charset::Unicode, ColourDepth::Mono);
        let expected = "14:03:22  ? UNKNOWN   System initializing…\n\
                        14:03:22  ▲ WARNING   cache  Redis TTL > 30s  (2 of 3)\n\
                        14:03:28  ✔ HEALTHY   12 healthy  (2 of 3)\n\
                        14:03:31  ✖ CRITICAL  press-7  压力 9.1 bar  (2 of 3)\n";
        assert_eq!(told(&unicode, &frames), (expected.into(), 0));
        let (ascii, _) = told(&context(Charset::Ascii, ColourDepth::Mono), &frames);
        assert!(ascii.is_ascii());
        assert!(ascii.starts_with("14:03:22  ? UNKNOWN   System initializing...\n14:03:22  ! WARNING   cache  Redis"));
    }

    #[test]
    fn a_notice_comes_and_goes_in_lines_of_its_own() {
        let bad = "marquee.yaml:3:1 unknown key";
        let frames =
            [noticed(1, None), noticed(2, Some(bad)), noticed(3, Some(bad)), noticed(4, Some("y")), noticed(5, None)];
        let expected = "14:03:22  ▲ WARNING   cache  Redis TTL > 30s  (2 of 3)\n\
                        14:03:22  ! marquee.yaml:3:1 unknown key\n\
                        14:03:22  ! y\n\
                        14:03:22  all well again\n";
        assert_eq!(told(&context(Charset::Unicode, ColourDepth::Mono), &frames).0, expected);
    }

    #[test]
    fn an_alarm_that_somebody_knows_of_says_so() {
        use crate::kernel::{Input, Kernel, Push};
        let mut kernel = Kernel::new(NOW, "Line 3", "nothing");
        let item = crate::frame::ItemId::new("cache").unwrap();
        let (text, values) = ("Redis TTL > 30s".into(), Arc::default());
        let push = Push { item: item.clone(), level: Level::Warning, text, ttl: None, values, filtered: false };
        kernel.handle(NOW, Input::Push(push));
        kernel.handle(NOW, Input::Acknowledge(item));
        while kernel.poll().is_some() {}
        let frame = crate::frame::Composer::default().compose(&kernel, NOW, NOW);
        let (text, _) = told(&context(Charset::Unicode, ColourDepth::Mono), &[frame]);
        assert_eq!(text, "14:03:22  ▲ WARNING   cache  Redis TTL > 30s  (1 of 1, acknowledged)\n");
    }

    #[test]
    fn colours_stand_where_the_context_has_them() {
        let (text, _) = told(&context(Charset::Unicode, ColourDepth::Sixteen), &[noticed(1, None)]);
        assert_eq!(text, "14:03:22  \u{1b}[93m▲ WARNING\u{1b}[0m   cache  Redis TTL > 30s  (2 of 3)\n");
    }

    #[test]
    fn a_damaged_frame_is_dropped_and_counted() {
        let mut damaged = noticed(1, None);
        damaged.crc ^= 1;
        let (text, mismatches) = told(&context(Charset::Unicode, ColourDepth::Mono), &[damaged, noticed(1, None)]);
        assert_eq!((text.lines().count(), mismatches), (1, 1));
    }

    /// A reader that has gone.
    struct Gone;

    impl io::Write for Gone {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_has_gone_is_an_error() {
        let mut plain = Plain::new(Gone, context(Charset::Unicode, ColourDepth::Mono), Arc::default());
        assert_eq!(plain.draw(&noticed(1, None)).unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn json_is_there_on_request_alone() {
        let context = context(Charset::Unicode, ColourDepth::Mono);
        let registry = || {
            let mut registry = Registry::default();
            registry.register(Box::new(Json::new(io::sink(), Arc::default())));
            registry.register(Box::new(Plain::new(io::sink(), context.clone(), Arc::default())));
            registry
        };
        assert_eq!(registry().choose(&context).unwrap().name(), "plain");
        assert_eq!(registry().take("json").unwrap().name(), "json");
    }
}
