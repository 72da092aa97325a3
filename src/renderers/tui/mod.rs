//! The full-screen renderer for a person at a terminal.
//!
//! ```text
//! keys ─▶ state ─┐
//! frame ─────────┼─▶ scene ─▶ buffer ─▶ difference to what is seen ─▶ bytes ─▶ one write
//! theme ─▶ look ─┘
//! ```
//!
//! `state` says what the viewer did, `look` how things look, `layout` where they are; the files
//! named after areas draw them as functions of these. Here they are only brought together.
//! Deliberately without mouse, without a thread and without a clock: time comes with each frame.

mod banner;
mod board;
mod bottom;
mod clock;
mod colour;
mod consoles;
mod detail;
mod encode;
mod flash;
mod glyphs;
mod header;
mod help;
mod keys;
mod layout;
mod list;
mod look;
mod motion;
mod page;
mod roster;
mod scene;
mod shown;
mod state;
mod terminal;
#[cfg(test)]
mod tests;
mod text;
mod ticker;

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::tz::TimeZone;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

pub use keys::name_of;
pub use terminal::restore_now;

use self::banner::Banner;
use self::clock::Tick;
use self::header::Subject;
use self::look::Look;
use self::motion::Motion;
use self::roster::Roster;
use self::scene::Scene;
use self::shown::Shown;
use self::state::{Effect, View, ViewState};
use self::ticker::Ticker;
use super::{Charset, ColourDepth, Context, Event, Locale, Renderer, Request, Size};
use crate::config::theme::Theme;
use crate::frame::{Frame, Level, Moment};
use layout::{Layout, Wants};

/// The name that `--render` takes.
const NAME: &str = "tui";

/// Above the renderers that write lines: a person at a terminal wants the picture.
const PRIORITY: i32 = 100;

/// Taken where a terminal does not tell its size, as serial lines do.
const SIZE_UNTOLD: Size = Size { columns: 80, rows: 24 };

/// How many rows a capital of the banner takes on a screen of this size, for a text of
/// a dozen letters on a board of a few items; `None` where no banner fits.
#[must_use]
pub fn banner_rows(size: Size, charset: Charset) -> Option<u16> {
    let ascii = charset == Charset::Ascii;
    let area = Rect::new(0, 0, size.columns, size.rows);
    let room = Layout::marquee(area, Wants { rows: 3, notice: false, ascii, prompt: false }).banner?;
    let rows = banner::capital_rows("PRESS 7 HALT", room.width.into(), room.height.into(), ascii)?;
    u16::try_from(rows).ok()
}

/// A renderer's hold on the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hold {
    /// It needs none, or gave it back.
    None,
    /// It takes the terminal before the first picture.
    Wanted,
    /// It has it.
    Taken,
}

/// The largest picture that is drawn: no screen in use has more cells, and a terminal that claims
/// more must not cost the memory for them. The picture then stands in the upper left corner.
const SIZE_MAX: Size = Size { columns: 1_000, rows: 500 };

/// The full-screen renderer, writing to `W`.
pub struct Tui<W: Write> {
    out: W,
    hold: Hold,
    depth: ColourDepth,
    charset: Charset,
    locale: Locale,
    zone: TimeZone,
    theme: Theme,
    themes: Vec<Theme>,
    dropped: Arc<AtomicU64>,
    state: ViewState,
    roster: Roster,
    ticker: Ticker,
    look: Look,
    /// The level that `look` was made for; it matters to a theme that fills the picture.
    look_level: Level,
    banner: Banner,
    /// What `banner` was made from.
    banner_of: (String, (usize, usize)),
    /// What the notice is about, and since when it stands there.
    notice: (Option<Subject>, Moment),
    /// The picture on the terminal.
    seen: Buffer,
    next: Buffer,
    bytes: Vec<u8>,
    /// Whether the terminal's screen is unknown.
    afresh: bool,
    /// What the picture on the terminal was drawn from; `None`: something else has changed since.
    drawn: Option<(Frame, Motion)>,
    /// Whether a sound frame was drawn yet.
    motion: Option<Motion>,
}

impl<W: Write> Tui<W> {
    /// A renderer for the terminal that `out` writes to; `themes` are those that the viewer can
    /// cycle through, `dropped` counts frames with a wrong checksum.
    ///
    /// The terminal is taken with the first picture, not here, so that a renderer that is not
    /// chosen leaves no trace.
    pub fn new(out: W, context: &Context, themes: Vec<Theme>, dropped: Arc<AtomicU64>) -> Self {
        let mut tui = Self::detached(out, context, themes, dropped);
        tui.hold = Hold::Wanted;
        tui
    }

    /// The same for an `out` that is no terminal, such as a recording: pictures alone are
    /// written, and no terminal is taken.
    pub fn detached(out: W, context: &Context, themes: Vec<Theme>, dropped: Arc<AtomicU64>) -> Self {
        let theme = context.theme.clone();
        let level = Level::Healthy;
        let look = Look::new(&theme, context.colours, context.charset, context.locale, level);
        let mut tui = Self {
            out,
            hold: Hold::None,
            depth: context.colours,
            charset: context.charset,
            locale: context.locale,
            zone: TimeZone::system(),
            theme,
            themes,
            dropped,
            state: ViewState::default(),
            roster: Roster::default(),
            ticker: Ticker::default(),
            look,
            look_level: level,
            banner: Banner::default(),
            banner_of: (String::new(), (0, 0)),
            notice: (None, Moment::default()),
            seen: Buffer::default(),
            next: Buffer::default(),
            bytes: Vec::new(),
            afresh: true,
            drawn: None,
            motion: None,
        };
        tui.resize(context.size);
        tui
    }

    /// How many frames were dropped for a wrong checksum.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Gives back the terminal, where this renderer took it.
    fn release(&mut self) -> io::Result<()> {
        match std::mem::replace(&mut self.hold, Hold::None) {
            Hold::Taken => terminal::give_back(&mut self.out),
            Hold::None | Hold::Wanted => Ok(()),
        }
    }

    fn resize(&mut self, size: Size) {
        let size = if size.columns == 0 || size.rows == 0 { SIZE_UNTOLD } else { size };
        let area = Rect::new(0, 0, size.columns.min(SIZE_MAX.columns), size.rows.min(SIZE_MAX.rows));
        self.seen = Buffer::empty(area);
        self.next = Buffer::empty(area);
        self.afresh = true;
        self.drawn = None;
    }

    fn dress(&mut self, theme: Theme) {
        self.theme = theme;
        self.look = Look::new(&self.theme, self.depth, self.charset, self.locale, self.look_level);
        self.drawn = None;
    }

    fn next_theme(&mut self) {
        let current = self.themes.iter().position(|theme| theme.name == self.theme.name);
        let next = current.map_or(0, |place| (place + 1) % self.themes.len());
        if let Some(theme) = self.themes.get(next).cloned() {
            self.dress(theme);
        }
    }

    /// Brings what is kept between pictures in line with the frame.
    fn observe(&mut self, frame: &Frame) {
        let subject = Subject::of(frame);
        if self.notice.0 != subject {
            self.notice = (subject, frame.at);
        }
        if self.state.flash.take_if(|flash| flash.is_over(frame.at)).is_some() {
            self.drawn = None;
        }
        let filter = self.state.find.as_ref().map(|find| find.text.as_str());
        if self.roster.refresh(&frame.rows, filter) {
            self.ticker.refresh(&self.roster, frame.at, frame.scroll);
            self.state.observe(frame, &self.roster);
        }
    }

    /// How many rows the list shows.
    fn list_rows(&self, frame: &Frame) -> usize {
        let body = scene::areas(*self.next.area(), frame, &self.state, self.look.ascii).body;
        let rows = body.map_or(0, |area| area.height);
        usize::from(if self.state.view == View::Marquee { rows } else { board::list_rows(rows) })
    }

    /// Draws the frame into `next`; `false`: it would be the picture that is seen already.
    fn compose(&mut self, frame: &Frame) -> bool {
        let shown = Shown::new(frame, &self.state, &self.look);
        if shown.level != self.look_level {
            self.look_level = shown.level;
            if self.theme.full_bleed {
                self.look = Look::new(&self.theme, self.depth, self.charset, self.locale, shown.level);
            }
        }
        let layout = scene::areas(*self.next.area(), frame, &self.state, self.look.ascii);
        let room = page::banner_room(&layout);
        if self.banner_of.0 != *shown.text || self.banner_of.1 != room {
            self.banner = Banner::new(&shown.text, room.0, room.1, self.look.ascii);
            self.banner_of = (shown.text.clone().into_owned(), room);
        }
        let scene = Scene {
            frame,
            state: &self.state,
            look: &self.look,
            roster: &self.roster,
            shown: &shown,
            tick: Tick::of(frame),
            zone: &self.zone,
            banner: &self.banner,
            ticker: &self.ticker,
            notice_since: self.notice.1,
        };
        let motion = Motion::of(&scene, &layout);
        if self.drawn.as_ref().is_some_and(|(drawn, moved)| *moved == motion && same_news(drawn, frame)) {
            return false;
        }
        self.next.reset();
        scene::draw(&scene, &layout, &mut self.next);
        self.motion = Some(motion);
        self.drawn = Some((frame.clone(), motion));
        true
    }
}

/// Whether two frames say the same, but for the moment.
fn same_news(one: &Frame, other: &Frame) -> bool {
    Arc::ptr_eq(&one.rows, &other.rows)
        && one.seq == other.seq
        && one.board == other.board
        && one.turn == other.turn
        && one.role == other.role
        && one.consoles == other.consoles
        && one.leader == other.leader
        && one.clock_error == other.clock_error
        && one.apart == other.apart
        && one.peers == other.peers
        && one.notice == other.notice
        && one.concern == other.concern
        && one.title == other.title
        && one.scroll == other.scroll
}

impl<W: Write + Send> Renderer for Tui<W> {
    fn name(&self) -> &'static str {
        NAME
    }

    fn supports(&self, context: &Context) -> bool {
        context.interactive
    }

    fn priority(&self) -> i32 {
        PRIORITY
    }

    fn draw(&mut self, frame: &Frame) -> io::Result<()> {
        if !frame.is_sound() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return Ok(());
        }
        if self.hold == Hold::Wanted {
            self.hold = Hold::Taken;
            terminal::take(&mut self.out)?;
        }
        self.observe(frame);
        if !self.compose(frame) {
            return Ok(());
        }
        encode::encode(&mut self.bytes, &self.seen, &self.next, self.afresh);
        std::mem::swap(&mut self.seen, &mut self.next);
        self.afresh = false;
        if self.bytes.is_empty() {
            return Ok(());
        }
        self.out.write_all(&self.bytes)?;
        self.out.flush()
    }

    fn next_change(&self, frame: &Frame) -> Option<Moment> {
        match (&self.drawn, self.motion) {
            (Some(_), Some(motion)) => Some(motion.next(frame)),
            // Something was done since the last picture, or there is none yet.
            _ => Some(frame.at),
        }
    }

    fn event(&mut self, event: Event, frame: &Frame) -> Option<Request> {
        self.observe(frame);
        match event {
            Event::Key(key) => {
                let room = self.list_rows(frame);
                let before = self.state.clone();
                let effect = self.state.key(&key, frame, &self.roster, room);
                if self.state != before {
                    self.drawn = None;
                }
                let looks = self.state.view == View::Consoles;
                match effect {
                    Some(Effect::Ask(request)) => return Some(request),
                    Some(Effect::NextTheme) => self.next_theme(),
                    None if looks != (before.view == View::Consoles) => return Some(Request::Consoles(looks)),
                    None => {}
                }
            }
            Event::Pasted(text) => {
                self.state.paste(&text);
                self.drawn = None;
            }
            Event::Resized(size) => self.resize(size),
            Event::Theme(theme) => {
                if let Some(known) = self.themes.iter_mut().find(|known| known.name == theme.name) {
                    known.clone_from(&theme);
                }
                self.dress(*theme);
            }
        }
        None
    }

    fn close(&mut self) -> io::Result<()> {
        self.release()
    }
}

impl<W: Write> Drop for Tui<W> {
    fn drop(&mut self) {
        // Whoever drops a renderer without closing it has no way to hear of an error.
        drop(self.release());
    }
}
