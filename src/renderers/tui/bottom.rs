//! The lines below: counts by level, key hints, and the prompt that takes the hints' place.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::page::margin;
use super::scene::Scene;
use super::state::View;
use super::text::{put, put_right, width};
use crate::config::keymap::{Action, BINDINGS, Binding};
use crate::frame::Level;
use crate::renderers::words::Word;

/// Draws how many items are at each level.
pub(super) fn draw_counts(scene: &Scene<'_>, area: Rect, buffer: &mut Buffer) {
    let look = scene.look;
    let counts = &scene.frame.counts;
    let most: usize = counts.iter().sum();
    let digits = most.max(1).ilog10() as usize + 1;
    let told = |level: Level, gap: usize, words: bool| {
        let number = counts[level.index()];
        let word = if words { format!(" {}", look.word(Word::Level(level))) } else { String::new() };
        let space = if gap == 1 { "" } else { " " };
        format!("{space}{number:>digits$}{word}")
    };
    // The widest form that fits: words, then numbers alone, then numbers close together.
    let forms = [(3, true), (2, true), (3, false), (1, false)];
    let columns = |(gap, words): (usize, bool)| {
        Level::ALL.iter().map(|level| 1 + width(&told(*level, gap, words)) + gap).sum::<usize>() - gap
    };
    let margin = margin(area.width);
    let room = usize::from(area.width.saturating_sub(2 * margin));
    let (gap, words) = forms.into_iter().find(|form| columns(*form) <= room).unwrap_or((1, false));
    let mut x = area.x + margin;
    for level in Level::ALL {
        let style = if counts[level.index()] == 0 { look.muted } else { look.level(level) };
        x += put(buffer, x, area.y, area.right().saturating_sub(x), look.symbol(level), style);
        x += put(buffer, x, area.y, area.right().saturating_sub(x), &told(level, gap, words), style);
        x = (x + u16::try_from(gap).unwrap_or(1)).min(area.right());
    }
}

/// Draws the keys that matter most, as many as fit.
pub(super) fn draw_hints(scene: &Scene<'_>, area: Rect, buffer: &mut Buffer) {
    let look = scene.look;
    let mut x = area.x + u16::from(area.width > 24);
    let open = scene.state.detail.is_some() || scene.state.help.is_some();
    let close = open.then(|| ("esc", look.word(Word::Hint(Action::Back))));
    for (key, word) in close.into_iter().chain(BINDINGS.iter().filter_map(|binding| hint(scene, binding))) {
        let columns = u16::try_from(width(key) + 1 + width(word)).unwrap_or(u16::MAX);
        if columns > area.right().saturating_sub(x) {
            break;
        }
        x += put(buffer, x, area.y, columns, key, look.text);
        x += 1;
        x += put(buffer, x, area.y, columns, word, look.muted);
        x = (x + 2).min(area.right());
    }
}

/// A binding's key and word; `None` where it is not hinted at.
fn hint(scene: &Scene<'_>, binding: &'static Binding) -> Option<(&'static str, &'static str)> {
    binding.hint?;
    let key = match binding.action {
        Action::StepOn => scene.look.signs.arrows,
        _ => binding.keys.first()?,
    };
    let word = match binding.action {
        Action::Pause if scene.state.paused.is_some() => Word::Resume,
        Action::View if scene.state.view == View::Board => Word::Peers,
        Action::View if scene.state.view == View::Consoles => Word::Marquee,
        action => Word::Hint(action),
    };
    Some((key, scene.look.word(word)))
}

/// Draws what is typed and how much it finds.
pub(super) fn draw_prompt(scene: &Scene<'_>, area: Rect, buffer: &mut Buffer) {
    let look = scene.look;
    let start = area.x + u16::from(area.width > 24);
    let mut x = start + put(buffer, start, area.y, area.width, "/ ", look.strong);
    let found = scene.roster.order(0).len();
    let count = format!("{found}{}{}", look.word(Word::Of), scene.roster.len());
    let keys = format!("enter {}  esc {}", look.word(Word::Keep), look.word(Word::Leave));
    let end = area.right().saturating_sub(u16::from(area.width > 24));
    let typed = scene.state.filter();
    let needed = usize::from(x) + width(typed) + 3;
    let mut left = end;
    for (fact, style) in [(keys, look.muted), (count, look.text)] {
        if needed + width(&fact) <= usize::from(left) {
            left -= put_right(buffer, left, area.y, left, &fact, style) + 3;
        }
    }
    // The end of what is typed is where the eye is.
    let room = usize::from(left.saturating_sub(x + 1));
    let mut tail = typed;
    while width(tail) > room {
        let mut letters = tail.chars();
        letters.next();
        tail = letters.as_str();
    }
    x += put(buffer, x, area.y, left.saturating_sub(x), tail, look.text);
    put(buffer, x, area.y, left.saturating_sub(x), look.signs.cursor, look.strong);
}
