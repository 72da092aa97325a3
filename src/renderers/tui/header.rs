//! The first line: title, what is special about this console, its part among the others, clock; and the notice below.
//!
//! Where columns are few, how wrong the clock is goes first, then how many consoles there are, then whom this one
//! follows. The clock stays, and so does, in however few letters, that this console is not in sync.

use std::borrow::Cow;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::clock::{one_unit, time_of_day};
use super::page::draw_moving;
use super::scene::Scene;
use super::text::{put, put_cut, put_right, width};
use crate::frame::{Apart, Concern, Frame, Level, Role, Safe, Span};
use crate::renderers::words::Word;

/// Columns that a title keeps before what stands right of it gets shorter.
const TITLE_COLUMNS_MIN: usize = 8;

/// Fewer columns of a title tell nothing.
const TITLE_LETTERS_MIN: u16 = 4;

/// Columns of a clock error, so that the facts left of it stand still while it changes.
const ERROR_COLUMNS: usize = 7;

/// Draws title, pause, part and clock.
pub(super) fn draw(scene: &Scene<'_>, area: Rect, buffer: &mut Buffer) {
    let look = scene.look;
    let margin = u16::from(area.width > 24);
    let end = area.right().saturating_sub(margin);
    let clock = time_of_day(scene.tick.wall, scene.zone);
    let pause = pause(scene, usize::MAX);
    let pause_columns = pause.as_deref().map_or(0, |pause| width(pause) + 1);
    let room = usize::from(area.width.saturating_sub(2 * margin));

    let mut left = end - put_right(buffer, end, area.y, area.width, &clock, look.text);
    let title = TITLE_COLUMNS_MIN.min(width(&scene.frame.title)) + 1;
    let room = room.saturating_sub(width(&clock));
    let fits = |part: &Part| part.columns(scene) + pause_columns + if part.before_title { 0 } else { title } <= room;
    if let Some(part) = parts(scene).iter().find(|part| fits(part)) {
        left -= u16::try_from(part.columns(scene)).unwrap_or(left).min(left);
        part.draw(scene, (left, area.y), buffer);
    }
    let start = area.x + margin;
    let free = left.saturating_sub(start + 1);
    let for_title = free.saturating_sub(u16::try_from(pause_columns).unwrap_or(u16::MAX));
    let legible = for_title >= TITLE_LETTERS_MIN || width(&scene.frame.title) <= for_title.into();
    let for_title = if legible { for_title } else { 0 };
    let mut x =
        start + put_cut(buffer, (start, area.y, for_title), &scene.frame.title, look.strong, look.signs.ellipsis);
    if let Some(pause) = pause {
        x += u16::from(x > start);
        put(buffer, x, area.y, left.saturating_sub(x), &pause, look.badge(Level::Warning));
    }
}

/// Where more columns are not to be had, this says that the page is stopped.
const PAUSE_SIGN: &str = "||";

/// That the page is stopped, and for how long, as plainly as `room` allows; `None` where it turns.
pub(super) fn pause(scene: &Scene<'_>, room: usize) -> Option<String> {
    let pause = scene.state.paused.as_ref()?;
    let word = scene.look.word(Word::Paused);
    let forms = [format!(" {word} {} ", scene.tick.since(pause.since)), format!(" {word} "), PAUSE_SIGN.to_owned()];
    forms.into_iter().find(|form| width(form) <= room)
}

/// What is told of this console's part, in one of its lengths.
struct Part {
    /// That it is not in sync.
    badge: Option<String>,
    facts: Vec<String>,
    /// Whether it is worth more than the title.
    before_title: bool,
}

impl Part {
    /// Its columns, with the dot or the space before the clock.
    fn columns(&self, scene: &Scene<'_>) -> usize {
        let dot = width(scene.look.signs.dot);
        let facts: usize = self.facts.iter().map(|fact| width(fact) + dot).sum();
        facts + self.badge.as_deref().map_or(0, |badge| width(badge) + 1)
    }

    fn draw(&self, scene: &Scene<'_>, (mut x, y): (u16, u16), buffer: &mut Buffer) {
        let look = scene.look;
        let mut write = |text: &str, style: Style| x += put(buffer, x, y, u16::MAX, text, style);
        if let Some(badge) = &self.badge {
            write(badge, look.badge(Level::Warning));
            write(" ", look.muted);
        }
        for fact in &self.facts {
            write(fact, look.muted);
            write(look.signs.dot, look.muted);
        }
    }
}

/// What may be told of this console's part, at full length first.
fn parts(scene: &Scene<'_>) -> Vec<Part> {
    let (look, frame) = (scene.look, scene.frame);
    let word = look.word(if frame.consoles == 1 { Word::Console } else { Word::Consoles });
    let count = format!("{} {word}", frame.consoles);
    let error = frame.clock_error.map(|error| {
        let error = format!("{}{}", look.signs.within, milliseconds(error));
        format!("{error:>ERROR_COLUMNS$}")
    });
    let of = |short: &str| match &frame.leader {
        Some(leader) => format!("{}{leader}", look.word(Word::FollowerOf)),
        None => short.to_owned(),
    };
    let badges = |long: Word, short: Word| {
        let (sign, long, short) = (look.signs.apart, look.word(long), look.word(short));
        let age = frame.apart.map(|apart| one_unit(scene.tick.since(apart.since())));
        let aged = age.map_or_else(|| format!(" {sign} {long} "), |age| format!(" {sign} {long} {age} "));
        [aged, format!(" {sign} {long} "), format!("{sign} {short}"), sign.to_owned()]
    };
    let part = |facts: &[&String]| {
        let facts = facts.iter().map(|fact| (*fact).clone()).collect();
        Part { badge: None, facts, before_title: false }
    };
    let not_in_sync = |badges: [String; 4], facts: &[String]| {
        let [aged, plain, short, sign] = badges;
        let told = |badge: &String, facts: &[String], before_title| Part {
            badge: Some(badge.clone()),
            facts: facts.to_vec(),
            before_title,
        };
        let with_facts = (0..=facts.len()).rev().map(|many| told(&aged, &facts[..many], false));
        let without = [&aged, &plain, &short, &sign].map(|badge| told(badge, &[], true));
        with_facts.chain(without).collect()
    };
    match frame.role {
        Role::Alone => Vec::new(),
        Role::Local(_) => not_in_sync(badges(Word::OnItsOwn, Word::OnItsOwn), &[]),
        Role::Follower(_) if frame.apart.is_some() => {
            not_in_sync(badges(Word::NotInSync, Word::NoSync), &[of(look.word(Word::Follower)), count])
        }
        Role::Leader(_) | Role::Follower(_) => {
            let short = look.word(if frame.role.follows() { Word::Follower } else { Word::Leader }).to_owned();
            let long = if frame.role.follows() { of(&short) } else { short.clone() };
            let whole = error.as_ref().map(|error| part(&[&long, &count, error]));
            whole.into_iter().chain([part(&[&long, &count]), part(&[&long]), part(&[&short])]).collect()
        }
    }
}

/// A clock error, never told smaller than it is: `0.0 ms`, `0.2 ms`, `12 ms`, `1.2 s`.
pub(super) fn milliseconds(error: Span) -> String {
    let tenths = |nanos: u64, unit: u64| {
        let tenths = nanos.div_ceil(unit / 10);
        format!("{}.{}", tenths / 10, tenths % 10)
    };
    match error.as_nanos() {
        nanos @ ..=9_900_000 => format!("{} ms", tenths(nanos, 1_000_000)),
        nanos @ ..=999_000_000 => format!("{} ms", nanos.div_ceil(1_000_000)),
        nanos @ ..=99_900_000_000 => format!("{} s", tenths(nanos, 1_000_000_000)),
        _ => one_unit(error + Span::from_secs(1)),
    }
}

/// Draws what is not well with the program itself.
pub(super) fn draw_notice(scene: &Scene<'_>, area: Rect, buffer: &mut Buffer) {
    let Some(notice) = notice(scene) else { return };
    let look = scene.look;
    let style = look.notice();
    buffer.set_style(area, style);
    let x = area.x + u16::from(area.width > 24);
    let taken = put(buffer, x, area.y, area.right() - x, "! ", style);
    let room = area.right().saturating_sub(x + taken);
    draw_moving(scene, (x + taken, area.y, room), &notice, scene.notice_since, style, buffer);
}

/// What is not well with the program itself; of being out of sync in the viewer's language, with the age of this second.
pub(super) fn notice<'a>(scene: &Scene<'a>) -> Option<Cow<'a, str>> {
    let (look, frame) = (scene.look, scene.frame);
    let (Some(apart), Some(Concern::Sync)) = (frame.apart, frame.concern) else {
        return frame.notice.as_deref().map(Cow::Borrowed);
    };
    let age = one_unit(scene.tick.since(apart.since()));
    let (before, name, then) = match (apart, &frame.leader) {
        (Apart::Unheard(_), Some(leader)) => (Word::NoWordFrom, &**leader, look.word(Word::For)),
        (Apart::Unheard(_), None) => (Word::NoLeaderFor, "", ""),
        (Apart::Unjudged(_) | Apart::Suspended(_), _) => (Word::NoJudgeFor, "", ""),
    };
    let meanwhile = match (apart, frame.role) {
        (Apart::Suspended(_), _) => Word::LeadsNoMore,
        (_, Role::Local(_)) => Word::MeasuresItself,
        _ => Word::GoesOn,
    };
    let [headline, before, meanwhile] = [Word::OutOfSync, before, meanwhile].map(|word| look.word(word));
    Some(Cow::Owned(format!("{headline}{before}{name}{then}{age}{meanwhile}")))
}

/// What a notice is about: one that only grows older goes on where it has moved to.
#[derive(Debug, PartialEq)]
pub(super) enum Subject {
    /// Not being in sync, in this way.
    Apart(std::mem::Discriminant<Apart>),
    /// Whatever this text says.
    Other(Safe),
}

impl Subject {
    pub(super) fn of(frame: &Frame) -> Option<Self> {
        match (frame.apart, frame.concern) {
            (Some(apart), Some(Concern::Sync)) => Some(Self::Apart(std::mem::discriminant(&apart))),
            _ => frame.notice.clone().map(Self::Other),
        }
    }
}

/// Whether a notice is too long for a line of so many columns, so that it has to move.
pub(super) fn notice_moves(notice: &str, columns: u16) -> bool {
    width(notice) + 2 + usize::from(columns > 24) > usize::from(columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_error_is_never_told_smaller_than_it_is() {
        for (nanos, told) in [
            (0, "0.0 ms"),
            (1, "0.1 ms"),
            (200_000, "0.2 ms"),
            (200_001, "0.3 ms"),
            (9_900_000, "9.9 ms"),
            (9_900_001, "10 ms"),
            (999_000_000, "999 ms"),
            (999_000_001, "1.0 s"),
            (99_900_000_000, "99.9 s"),
            (99_900_000_001, "1m"),
        ] {
            assert_eq!(milliseconds(Span::from_nanos(nanos)), told);
        }
    }
}
