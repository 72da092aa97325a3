//! The renderer as a whole: made-up frames in, drawn text out.

mod acknowledge;
mod company;
mod golden;
mod live;
mod property;
mod viewer;

use std::io::{self, Write};
use std::sync::Arc;

use jiff::tz::TimeZone;
use ratatui::buffer::{Buffer, CellWidth};

use super::Tui;
use crate::config::theme::Theme;
use crate::frame::*;
use crate::renderers::{Charset, ColourDepth, Context, Event, Locale, Renderer, Request, Size};

/// 2026-11-20 14:03:22 UTC.
const NOON: Moment = Moment::from_unix_millis(1_795_183_402_000);

/// Keeps every write apart.
#[derive(Clone, Debug, Default)]
struct Writes(Vec<Vec<u8>>);

impl Write for Writes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.push(bytes.to_vec());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn context(columns: u16, rows: u16) -> Context {
    Context {
        locale: Locale::En,
        size: Size { columns, rows },
        colours: ColourDepth::True,
        charset: Charset::Unicode,
        interactive: true,
        theme: Theme::default(),
    }
}

fn tui(context: &Context) -> Tui<Writes> {
    let mut tui = Tui::detached(Writes::default(), context, vec![], Arc::default());
    tui.zone = TimeZone::UTC;
    tui
}

fn row(id: &str, level: Level, text: &str) -> Row {
    Row {
        id: ItemId::new(id).unwrap(),
        text: Safe::line(text),
        level,
        since: NOON - Span::from_secs(134),
        updated: Some(NOON - Span::from_secs(3)),
        every: Some(Span::from_secs(5)),
        took: Some(Span::from_millis(12)),
        next_run: Some(NOON + Span::from_secs(2)),
        run: None,
        source: Safe::line("redis://127.0.0.1:6379"),
        fresh: level != Level::Unknown,
        filtered: false,
        left_alone: false,
        last_run: None,
        flapping: false,
        acknowledged: None,
        calling: level == Level::Critical,
        values: Arc::default(),
        history: Arc::default(),
        version: 1,
    }
}

/// A frame that shows the item at `place`, one second into its turn of three.
fn frame(rows: Vec<Row>, place: usize) -> Frame {
    let shown = &rows[place];
    let turn = Turn {
        kind: TurnKind::Item,
        item: Some(shown.id.clone()),
        text: shown.text.clone(),
        level: shown.level,
        since: Some(shown.since),
        position: place + 1,
        of: rows.len(),
        began: NOON - Span::from_secs(1),
        ends: NOON + Span::from_secs(2),
        calling: shown.calling,
    };
    let mut counts = [0; 5];
    for row in &rows {
        counts[row.level.index()] += 1;
    }
    sealed(Frame {
        seq: 7,
        at: NOON,
        wall: NOON,
        title: Safe::line("Line 3"),
        turn,
        crc: 0,
        role: Role::Leader(Fence(7)),
        consoles: 3,
        leader: None,
        clock_error: None,
        apart: None,
        peers: Arc::default(),
        board: 41,
        notice: None,
        concern: None,
        counts,
        rows: Arc::new(rows.into_iter().map(Arc::new).collect()),
        scroll: 12,
    })
}

/// The frame with the checksum of what it says now.
fn sealed(frame: Frame) -> Frame {
    let crc = frame_checksum(frame.seq, frame.turn.item.as_ref(), frame.turn.level, &frame.turn.text);
    Frame { crc, ..frame }
}

/// The board of the manual.
fn line_3() -> Vec<Row> {
    let took = |row: Row, millis| Row { took: Some(Span::from_millis(millis)), ..row };
    vec![
        Row { every: Some(Span::from_secs(2)), ..row("api", Level::Info, "v2.4.1 active") },
        took(row("db", Level::Healthy, "PostgreSQL OK"), 2),
        took(row("cache", Level::Warning, "Redis TTL > 30s"), 1),
    ]
}

/// A board on a bad day: wide text, stale news, an alarm that calls, something that flaps.
fn bad_day() -> Vec<Row> {
    let mut rows = line_3();
    rows.push(row("press-7", Level::Critical, "七号压机 温度过高 92 °C"));
    rows.push(Row { updated: Some(NOON - Span::from_secs(190)), ..row("boiler", Level::Unknown, "0.4 bar") });
    rows.push(Row {
        flapping: true,
        ..row("belt", Level::Warning, "Belt 4: 1.2 m/s, twice as fast as the plan says, since the motor was changed")
    });
    rows
}

fn later(frame: &Frame, millis: u64) -> Frame {
    let span = Span::from_millis(millis);
    frame.at(frame.at + span, frame.wall + span)
}

/// What is on the screen, as text.
fn picture(tui: &Tui<Writes>) -> String {
    told(&tui.seen)
}

fn told(buffer: &Buffer) -> String {
    let area = buffer.area();
    let mut told = String::new();
    for y in 0..area.height {
        let mut line = String::new();
        let mut x = 0;
        while x < area.width {
            let symbol = buffer[(x, y)].symbol();
            line.push_str(symbol);
            x += symbol.cell_width().max(1);
        }
        told.push_str(line.trim_end());
        told.push('\n');
    }
    told
}

/// The picture of `frame` after some keys.
fn drawn(context: &Context, frame: &Frame, keys: &[&str]) -> String {
    let mut tui = tui(context);
    tui.draw(frame).unwrap();
    press(&mut tui, frame, keys);
    tui.draw(frame).unwrap();
    picture(&tui)
}

fn press(tui: &mut Tui<Writes>, frame: &Frame, keys: &[&str]) -> Option<Request> {
    keys.iter().filter_map(|key| tui.event(Event::Key((*key).to_owned()), frame)).last()
}
