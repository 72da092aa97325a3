//! The page of the turn: level, large letters, text and progress.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::layout::Layout;
use super::scene::Scene;
use super::text::{put, put_cut, put_right, put_scrolled, width};
use crate::frame::{Frame, Level, Moment, scroll_offset};
use crate::renderers::words::Word;

/// Columns left of the large letters, where there is room for it.
const BANNER_INDENT: u16 = 6;

/// Fewer columns than these behind the level's word are no room for a text of its own.
const TEXT_COLUMNS_MIN: u16 = 12;

/// Fewer columns of an id tell nothing.
const ID_COLUMNS_MIN: u16 = 4;

/// Columns of the place where `2 of 3` stands.
const POSITION_COLUMNS: u16 = 12;

/// Columns left free at both sides.
pub(super) const fn margin(columns: u16) -> u16 {
    match columns {
        0..24 => 0,
        24..48 => 1,
        _ => 2,
    }
}

/// The columns and rows that large letters have.
pub(super) fn banner_room(layout: &Layout) -> (usize, usize) {
    let Some(area) = layout.banner else { return (0, 0) };
    let rows = area.height.saturating_sub(u16::from(layout.air));
    (usize::from(area.width.saturating_sub(2 * margin(area.width))), usize::from(rows))
}

/// The columns that the text has in its line.
pub(super) const fn text_room(layout: &Layout) -> u16 {
    let columns = layout.level.width;
    columns.saturating_sub(2 * margin(columns))
}

/// How many columns of the progress line are bar; 0 where there is no bar.
pub(super) fn bar_columns(layout: &Layout, frame: &Frame) -> u16 {
    let columns =
        layout.progress.map_or(0, |area| area.width.saturating_sub(2 * margin(area.width) + POSITION_COLUMNS));
    if columns < 8 || frame.turn.position == 0 || frame.turn.ends <= frame.turn.began { 0 } else { columns }
}

/// How many of `columns` have passed.
pub(super) fn bar_passed(frame: &Frame, columns: u16) -> u16 {
    let whole = frame.turn.ends.since(frame.turn.began).as_nanos().max(1);
    let passed = frame.at.since(frame.turn.began).as_nanos().min(whole);
    u16::try_from(u128::from(passed) * u128::from(columns) / u128::from(whole)).unwrap_or(columns)
}

/// Draws the page in its areas.
pub(super) fn draw(scene: &Scene<'_>, layout: &Layout, buffer: &mut Buffer) {
    draw_level(scene, layout, buffer);
    let style = scene.look.level(scene.shown.level);
    let large = layout.banner.filter(|_| !scene.banner.lines.is_empty());
    if let Some(area) = large {
        draw_banner(scene, area, style, buffer);
    }
    if let Some(area) = layout.text {
        let indent = margin(area.width);
        // Without large letters the text stands where they would, not below a hole.
        let above = if large.is_none() { layout.banner.map_or(0, |banner| banner.height) } else { 0 };
        let spot = (area.x + indent, area.y - above.div_ceil(2), text_room(layout));
        let style = if large.is_none() { style.add_modifier(Modifier::BOLD) } else { style };
        draw_text(scene, spot, style, buffer);
    }
    if let Some(area) = layout.progress {
        draw_progress(scene, area, bar_columns(layout, scene.frame), buffer);
    }
}

/// Draws level, word, id and age.
fn draw_level(scene: &Scene<'_>, layout: &Layout, buffer: &mut Buffer) {
    let area = layout.level;
    let taken = draw_headline(scene, area, buffer);
    let end = area.right().saturating_sub(margin(area.width));
    let end = end - draw_pause(scene, layout, area.width.saturating_sub(taken + 1), buffer);
    draw_whence(scene, (area.x + taken, end), area.y, buffer);
}

/// Draws at the right of the level's line that the page is stopped, where there is no header to tell it; gives the
/// columns that it took of `room`, with a gap.
fn draw_pause(scene: &Scene<'_>, layout: &Layout, room: u16, buffer: &mut Buffer) -> u16 {
    if layout.header.is_some() {
        return 0;
    }
    let Some(pause) = super::header::pause(scene, room.into()) else { return 0 };
    let area = layout.level;
    let end = area.right().saturating_sub(margin(area.width));
    // On the picture's own ground: the page's may be too near to the colour of the badge.
    let style = scene.look.base.patch(scene.look.badge(Level::Warning));
    put_right(buffer, end, area.y, room, &pause, style) + 1
}

/// Draws ` ▲ WARNING ` and tells how many columns it took.
fn draw_headline(scene: &Scene<'_>, area: Rect, buffer: &mut Buffer) -> u16 {
    let (look, shown) = (scene.look, scene.shown);
    let style = look.paper(shown.level).headline;
    let headline = look.word(Word::Headline(shown.level));
    // The padding keeps the symbol in its column whether the headline is filled or not.
    let pad = u16::from(area.width >= 24);
    let x = area.x + margin(area.width).saturating_sub(pad);
    let mut at = x + put(buffer, x, area.y, pad, " ", style);
    at += put(buffer, at, area.y, area.right().saturating_sub(at), scene.symbol(shown.level, shown.calling), style);
    for piece in [" ", headline, if pad > 0 { " " } else { "" }] {
        at += put(buffer, at, area.y, area.right().saturating_sub(at), piece, style);
    }
    at - area.x
}

/// Draws whose news it is and how long it stands, between two columns.
fn draw_whence(scene: &Scene<'_>, (start, end): (u16, u16), y: u16, buffer: &mut Buffer) {
    let (look, shown) = (scene.look, scene.shown);
    let paper = look.paper(shown.level);
    let Some(item) = shown.item else { return };
    let room = end.saturating_sub(start + 1);
    let mut facts = Vec::new();
    match shown.row {
        Some(row) if !row.fresh => {
            facts.push(super::clock::last_news(look, row.updated, scene.tick));
        }
        _ => facts.extend(shown.since.map(|since| scene.tick.since(since).to_string())),
    }
    if shown.row.is_some_and(|row| row.filtered) {
        facts.insert(0, look.word(Word::Filtered).to_owned());
    }
    if shown.row.is_some_and(|row| row.flapping) {
        facts.insert(0, format!("{} {}", look.signs.flapping, look.word(Word::Flapping)));
    }
    let mut end = end;
    let mut left = room;
    let dot = u16::try_from(width(look.signs.dot)).unwrap_or(0);
    let id = u16::try_from(width(item.as_str())).unwrap_or(u16::MAX);
    if shown.row.is_some_and(|row| row.acknowledged.is_some()) {
        let age = facts.pop().unwrap_or_default();
        let [long, short] = [Word::Acknowledged, Word::AcknowledgedShort].map(|word| look.word(word));
        let with_age = |word: &str| [word.to_owned(), age.clone()].join(look.signs.dot);
        let forms = [with_age(long), with_age(short), long.to_owned(), short.to_owned()];
        let fits = |form: &&String| width(form) + usize::from(dot + id) <= room.into();
        // Where the id has no room beside it, the text still says whose news it is.
        let told = forms.iter().find(fits).unwrap_or(&forms[3]);
        let taken = put_right(buffer, end, y, left, told, paper.muted);
        (end, left) = (end - taken, left.saturating_sub(taken));
        if left < dot + ID_COLUMNS_MIN.min(id) {
            return;
        }
        let taken = put_right(buffer, end, y, left, look.signs.dot, paper.muted);
        (end, left) = (end - taken, left - taken);
    }
    for fact in facts.iter().rev() {
        let columns = u16::try_from(width(fact)).unwrap_or(u16::MAX);
        if columns.saturating_add(dot).saturating_add(id) > left {
            break;
        }
        end -= put_right(buffer, end, y, left, fact, paper.muted);
        end -= put_right(buffer, end, y, left, look.signs.dot, paper.muted);
        left -= columns + dot;
    }
    let shown_id = id.min(left);
    put_cut(buffer, (end - shown_id, y, shown_id), item.as_str(), paper.text, look.signs.ellipsis);
}

/// Draws everything that has to be told in one line: level, word, text, and whence where it fits.
pub(super) fn draw_line(scene: &Scene<'_>, layout: &Layout, buffer: &mut Buffer) {
    let (look, shown) = (scene.look, scene.shown);
    let mut area = layout.level;
    area.width -= draw_pause(scene, layout, area.width / 4, buffer).min(area.width);
    let headline = u16::try_from(width(look.word(Word::Headline(shown.level)))).unwrap_or(0);
    if area.width < headline + 3 + TEXT_COLUMNS_MIN {
        // Word and text share what is left; what does not fit goes by.
        let style = look.level(shown.level).add_modifier(Modifier::BOLD);
        let symbol = put(buffer, area.x, area.y, area.width, scene.symbol(shown.level, shown.calling), style);
        let spot = (area.x + symbol + 1, area.y, area.width.saturating_sub(symbol + 1));
        let text = line_text(scene);
        draw_moving(scene, spot, &text, shown.began, style, buffer);
        return;
    }
    let taken = draw_headline(scene, area, buffer);
    let start = area.x + taken + 1;
    let mut end = area.right().saturating_sub(margin(area.width));
    if let Some(item) = shown.item.filter(|_| area.width >= 60) {
        let columns = u16::try_from(width(item.as_str())).unwrap_or(u16::MAX).min(area.width / 4);
        put_cut(
            buffer,
            (end - columns, area.y, columns),
            item.as_str(),
            look.paper(shown.level).muted,
            look.signs.ellipsis,
        );
        end -= columns + 2;
        if shown.row.is_some_and(|row| row.acknowledged.is_some()) {
            end -= put_right(
                buffer,
                end,
                area.y,
                end - start,
                look.word(Word::Acknowledged),
                look.paper(shown.level).muted,
            ) + 2;
        }
    }
    draw_text(scene, (start, area.y, end.saturating_sub(start)), look.level(shown.level), buffer);
}

/// Word and text in one, for a line that has no room for both side by side.
pub(super) fn line_text(scene: &Scene<'_>) -> String {
    format!("{} {}", scene.look.word(Word::Headline(scene.shown.level)), scene.shown.text)
}

/// Draws the text of the page, moving where it is too long for its room.
fn draw_text(scene: &Scene<'_>, spot: (u16, u16, u16), style: Style, buffer: &mut Buffer) {
    draw_moving(scene, spot, &scene.shown.text, scene.shown.began, style, buffer);
}

/// Draws a text, moving since a moment where it is too long for its room.
pub(super) fn draw_moving(
    scene: &Scene<'_>,
    spot: (u16, u16, u16),
    text: &str,
    since: Moment,
    style: Style,
    buffer: &mut Buffer,
) {
    if width(text) <= usize::from(spot.2) {
        put(buffer, spot.0, spot.1, spot.2, text, style);
    } else {
        let passed = scroll_offset(since, scene.frame.at, scene.frame.scroll);
        put_scrolled(buffer, spot, text, passed, style);
    }
}

/// Draws the large letters, in the middle of their rows.
fn draw_banner(scene: &Scene<'_>, area: Rect, style: Style, buffer: &mut Buffer) {
    let columns = u16::try_from(scene.banner.columns).unwrap_or(u16::MAX);
    let high = u16::try_from(scene.banner.lines.len()).unwrap_or(u16::MAX);
    let free = area.width.saturating_sub(columns);
    let indent = BANNER_INDENT.min(free / 2).max(margin(area.width).min(free));
    let top = area.y + area.height.saturating_sub(high).div_ceil(2);
    for (y, line) in (top..area.bottom()).zip(&scene.banner.lines) {
        for (x, block) in (area.x + indent..area.right()).zip(line.chars()) {
            if block != ' ' {
                buffer[(x, y)].set_char(block).set_style(style);
            }
        }
    }
}

/// Draws how far the turn has come and which one it is.
fn draw_progress(scene: &Scene<'_>, area: Rect, columns: u16, buffer: &mut Buffer) {
    let (look, frame) = (scene.look, scene.frame);
    if frame.turn.position == 0 {
        return;
    }
    let margin = margin(area.width);
    let end = area.right().saturating_sub(margin);
    let stopped = scene.state.paused.is_some();
    let passed = if stopped { 0 } else { bar_passed(frame, columns) };
    let paper = look.paper(scene.shown.level);
    for column in 0..columns {
        let (sign, style) =
            if column < passed { (look.signs.passed, paper.passed) } else { (look.signs.left, paper.left) };
        buffer[(area.x + margin + column, area.y)].set_symbol(sign).set_style(style);
    }
    let (place, of) = scene.shown.place(frame);
    let position = format!("{place}{}{of}", look.word(Word::Of));
    put_right(
        buffer,
        end,
        area.y,
        area.width,
        &position,
        if stopped { paper.text.add_modifier(Modifier::BOLD) } else { paper.muted },
    );
}
