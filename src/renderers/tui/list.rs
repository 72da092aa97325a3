//! The list of items: one row each, in columns that keep their place while the values change.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::clock::{ago, last_news, period};
use super::scene::Scene;
use super::text::{put, put_cut, put_right, width};
use crate::frame::{Level, Row, Value};
use crate::renderers::words::Word;

/// The longest that an id may make its column.
const ID_COLUMNS_MAX: usize = 24;

/// Where the columns of a list stand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Columns {
    /// Columns of the id.
    pub(super) id: u16,
    /// Columns of the text.
    pub(super) text: u16,
    /// Columns of the period; 0 where there is no room.
    pub(super) every: u16,
    /// Columns of the last run's length; 0 where there is no room.
    pub(super) took: u16,
    /// Columns of the age; 0 where there is no room.
    pub(super) age: u16,
}

/// Columns left of the id: pointer, symbol and a space, with the margin.
const LEAD: u16 = 4;

impl Columns {
    /// The columns for a list of a width; ids and kinds of items decide, never what the items say.
    pub(super) fn new(scene: &Scene<'_>, area: Rect) -> Self {
        let share = usize::from(area.width) / 4;
        let id = scene.roster.id_columns().min(ID_COLUMNS_MAX).min(share.max(4));
        let id = u16::try_from(id).unwrap_or(0);
        let (runs, reports) = (scene.roster.runs(), scene.roster.reports());
        let every = if runs && area.width >= 72 { 12 } else { 0 };
        let took = if runs && area.width >= 56 { 9 } else { 0 };
        let age = if reports && area.width >= 40 { 10 } else { 0 };
        let text = area.width.saturating_sub(LEAD + id + 2 + every + took + age + 2);
        Self { id, text, every, took, age }
    }

    /// Where the text begins.
    pub(super) const fn text_at(&self, area: Rect) -> u16 {
        area.x + LEAD + self.id + 2
    }

    /// Where the period, the run's length and the age end.
    pub(super) const fn ends(&self, area: Rect) -> [u16; 3] {
        let age = area.right().saturating_sub(2);
        let took = age.saturating_sub(self.age);
        [took.saturating_sub(self.took), took, age]
    }
}

/// How many rows are shown where `total` are to be listed in `room` lines.
pub(super) const fn visible(total: usize, room: usize) -> usize {
    if total > room && room > 1 { room - 1 } else { room }
}

/// Draws the list into `area`.
pub(super) fn draw(scene: &Scene<'_>, area: Rect, buffer: &mut Buffer) {
    let room = usize::from(area.height);
    let order = scene.roster.order(room);
    let (look, state) = (scene.look, scene.state);
    if order.is_empty() && state.find.is_some() {
        put(buffer, area.x + LEAD, area.y, area.width.saturating_sub(LEAD), look.word(Word::NoMatch), look.muted);
        return;
    }
    let shown = visible(order.len(), room).max(1);
    let row_at = |place: usize| order.get(place).and_then(|row| scene.roster.row(*row));
    let selected = state.selected.as_ref();
    let place =
        selected.and_then(|item| (0..order.len()).find(|place| row_at(*place).is_some_and(|row| row.id == *item)));
    // Whole pages, so that the rows stand still while the selection moves among them.
    let top = (place.unwrap_or(0) / shown * shown).min(order.len().saturating_sub(shown));
    let columns = Columns::new(scene, area);
    for (line, y) in (top..order.len()).take(shown).zip(area.y..) {
        if let Some(row) = row_at(line) {
            draw_row(scene, row, columns, Rect { y, height: 1, ..area }, place == Some(line), buffer);
        }
    }
    let hidden = order.len() - order.len().saturating_sub(top).min(shown);
    if hidden > 0 && shown < room {
        let more = format!("{} {hidden}{}", look.signs.ellipsis, look.word(Word::More));
        put(buffer, area.x + LEAD, area.bottom() - 1, area.width.saturating_sub(LEAD), &more, look.muted);
    }
}

/// Draws one row.
fn draw_row(scene: &Scene<'_>, row: &Row, columns: Columns, area: Rect, selected: bool, buffer: &mut Buffer) {
    let look = scene.look;
    let style = look.level(row.level);
    let y = area.y;
    if selected {
        buffer.set_style(area, look.selected);
        put(buffer, area.x, y, 1, look.signs.pointer, look.strong.patch(look.selected));
    }
    let laid = |style: ratatui::style::Style| if selected { look.on_selected(style) } else { style };
    let patched = style.bg.is_some();
    if patched {
        // A level with a ground of its own is one bar, as long for every item.
        let end = (columns.text_at(area) + columns.text + 1).min(area.right());
        buffer.set_style(Rect { x: area.x + 1, width: end.saturating_sub(area.x + 1), ..area }, style);
    }
    put(buffer, area.x + 2, y, area.width.saturating_sub(2).min(1), scene.symbol(row.level, row.calling), laid(style));
    if row.acknowledged.is_some() {
        // Put in brackets, the symbol keeps its column and calls nobody.
        let style = laid(if patched { style } else { look.muted });
        for (x, bracket) in [(area.x + 1, "("), (area.x + 3, ")")] {
            put(buffer, x, y, area.right().saturating_sub(x).min(1), bracket, style);
        }
    }
    let id = (area.x + LEAD, y, columns.id.min(area.width.saturating_sub(LEAD)));
    let quiet = match row.level {
        _ if patched => style,
        Level::Healthy => look.muted,
        _ => look.text,
    };
    put_cut(buffer, id, row.id.as_str(), laid(quiet), look.signs.ellipsis);
    let mut x = columns.text_at(area);
    let mut room = columns.text.min(area.right().saturating_sub(x));
    if row.flapping && room > 4 {
        let mark = put(buffer, x, y, room, look.signs.flapping, laid(look.level(Level::Warning))) + 1;
        (x, room) = (x + mark, room - mark);
    }
    let taken = if row.fresh {
        put_cut(buffer, (x, y, room), &row.text, laid(style), look.signs.ellipsis)
    } else {
        draw_stale(scene, row, (x, y, room), laid(style), buffer)
    };
    if row.acknowledged.is_some() {
        let forms = [Word::Acknowledged, Word::AcknowledgedShort];
        let mut forms = forms.into_iter().map(|word| format!("{}{}", look.signs.dot, look.word(word)));
        if let Some(told) = forms.find(|told| width(told) <= usize::from(room - taken)) {
            put(buffer, x + taken, y, room - taken, &told, laid(if patched { style } else { look.muted }));
        }
    }
    let [every_end, took_end, age_end] = columns.ends(area);
    let muted = laid(look.muted);
    if let (Some(every), 1..) = (row.every, columns.every) {
        let every = format!("{}{}", look.word(Word::Every), period(every));
        put_right(buffer, every_end, y, columns.every, &every, muted);
    }
    if let (Some(took), 1..) = (row.took, columns.took) {
        put_right(buffer, took_end, y, columns.took, &Value::span(took).to_string(), muted);
    }
    if columns.age > 0 && (row.updated.is_some() || row.every.is_some()) {
        put_right(buffer, age_end, y, columns.age, &ago(look, row.updated, scene.tick), muted);
    }
}

/// Draws the last text of an item whose news is too old, with that age behind it; gives the columns that it took.
fn draw_stale(
    scene: &Scene<'_>,
    row: &Row,
    (x, y, room): (u16, u16, u16),
    style: ratatui::style::Style,
    buffer: &mut Buffer,
) -> u16 {
    let look = scene.look;
    let age = format!("{}{}", look.signs.dot, last_news(look, row.updated, scene.tick));
    let columns = u16::try_from(width(&age)).unwrap_or(u16::MAX);
    // Where there is no room for both, the symbol and the column of ages tell that the text is old.
    let for_text = if columns + 8 <= room { room - columns } else { room };
    let taken = put_cut(buffer, (x, y, for_text), &row.text, style, look.signs.ellipsis);
    taken + put(buffer, x + taken, y, room - for_text, &age, style)
}
