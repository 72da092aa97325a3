//! One item over the whole screen: everything that is known of it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::clock::{ago, date_and_time, period};
use super::page::margin;
use super::scene::Scene;
use super::text::{put, put_cut, put_right, width};
use crate::frame::{Moment, Past, Row, Safe, Span, Value};
use crate::renderers::words::Word;

/// Draws the item that is open.
pub(super) fn draw(scene: &Scene<'_>, area: Rect, buffer: &mut Buffer) {
    let Some(detail) = &scene.state.detail else { return };
    let look = scene.look;
    let margin = margin(area.width);
    let area = Rect { x: area.x + margin, width: area.width.saturating_sub(2 * margin), ..area };
    let Some(row) = scene.frame.row(&detail.item) else {
        put(buffer, area.x, area.y, area.width, look.word(Word::NoItem), look.muted);
        return;
    };
    let mut pen = Pen { scene, area, y: area.y, buffer };
    pen.title(row);
    pen.gap(14);
    let facts = facts(scene, row);
    let (long, short) = facts.split_at(2);
    for (label, told) in long {
        pen.facts(&[(*label, told.as_str())]);
    }
    let side_by_side = if area.width >= TWO_FACTS_COLUMNS { 2 } else { 1 };
    for facts in short.chunks(side_by_side) {
        let facts: Vec<_> = facts.iter().map(|(label, told)| (*label, told.as_str())).collect();
        pen.facts(&facts);
    }
    if !row.history.is_empty() && pen.left() >= 3 {
        pen.gap(14);
        pen.sparkline(&row.history);
    }
    if !row.values.is_empty() && pen.left() >= 2 {
        pen.gap(14);
        pen.values(row, detail.scroll);
    }
}

/// What is told of an item besides level and text: two long facts, then short ones.
fn facts(scene: &Scene<'_>, row: &Row) -> Vec<(Word, String)> {
    let look = scene.look;
    let tick = scene.tick;
    let since = date_and_time(tick.wall_of(row.since), scene.zone);
    let mut facts = vec![
        (Word::Since, format!("{since}{}{}", look.signs.dot, tick.since(row.since))),
        (Word::Source, row.source.to_string()),
    ];
    if let Some(every) = row.every {
        let next = match (row.run, row.next_run) {
            (Some(run), _) => Some(format!("{} {run}", look.word(Word::Running))),
            (None, next) => next.map(|next| time_left(scene, row, next, every)),
        };
        facts.push((Word::Period, period(every)));
        facts.extend(row.took.map(|took| (Word::Took, Value::span(took).to_string())));
        facts.extend(next.map(|next| (Word::NextRun, next)));
    }
    facts.push((Word::Updated, ago(look, row.updated, tick)));
    if let Some([p50, p95]) = percentiles(&row.history).filter(|_| row.every.is_some()) {
        facts.push((Word::HalfWithin, Value::span(p50).to_string()));
        facts.push((Word::MostWithin, Value::span(p95).to_string()));
    }
    if let Some(last) = &row.last_run {
        facts.push((Word::LastRun, format!("{} {}", last.run, look.word(Word::Outcome(last.outcome)))));
        facts.push((Word::Waited, Value::span(last.waited).to_string()));
        facts.push((Word::Retries, last.retries.to_string()));
        facts.push((Word::Received, Value::bytes(last.bytes).to_string()));
    }
    if row.left_alone {
        facts.push((Word::LeftAlone, look.word(Word::LeftAloneWhy).to_owned()));
    }
    if row.filtered {
        facts.push((Word::Filtered, look.word(Word::FilteredWhy).to_owned()));
    }
    if row.flapping {
        facts.push((Word::Flapping, look.signs.flapping.to_owned()));
    }
    facts
}

/// What half, and 95 of a hundred, of the remembered runs stayed within.
fn percentiles(history: &[Past]) -> Option<[Span; 2]> {
    let mut took: Vec<Span> = history.iter().map(|past| past.took).collect();
    took.sort_unstable();
    let last = took.len().checked_sub(1)?;
    Some([took[last / 2], took[last * 95 / 100]])
}

/// How long it is until `next`, in whole seconds that are not over yet; the second that is told may have begun
/// before the last run, and more than the period is never left but where the plan is left alone.
fn time_left(scene: &Scene<'_>, row: &Row, next: Moment, every: Span) -> String {
    let left = next.since(scene.tick.at);
    let left = if row.left_alone { left } else { left.min(every) };
    if left.is_zero() {
        return scene.look.word(Word::Due).to_owned();
    }
    let seconds = left.as_secs() + u64::from(!left.as_nanos().is_multiple_of(Span::from_secs(1).as_nanos()));
    format!("{}{}", scene.look.word(Word::In), Span::from_secs(seconds))
}

/// Writes line after line while there is room.
struct Pen<'a, 'b> {
    scene: &'a Scene<'a>,
    area: Rect,
    y: u16,
    buffer: &'b mut Buffer,
}

impl Pen<'_, '_> {
    /// Rows that are left.
    const fn left(&self) -> u16 {
        self.area.bottom().saturating_sub(self.y)
    }

    /// An empty line, on screens that have at least `rows` for the detail.
    fn gap(&mut self, rows: u16) {
        self.y += u16::from(self.area.height >= rows && self.left() > 0);
    }

    fn title(&mut self, row: &Row) {
        let (look, area) = (self.scene.look, self.area);
        if self.left() == 0 {
            return;
        }
        let style = look.badge(row.level);
        let headline =
            format!("{} {}", self.scene.symbol(row.level, row.calling), look.word(Word::Headline(row.level)));
        let taken = put(self.buffer, area.x, self.y, area.width, &headline, style);
        let x = area.x + taken + 2;
        let room = area.right().saturating_sub(x);
        let told = row.acknowledged.map_or(0, |at| self.acknowledged(at, row, room));
        put_cut(self.buffer, (x, self.y, room - told), row.id.as_str(), look.strong, look.signs.ellipsis);
        self.y += 1;
        // The whole text, over as many lines as it needs up to a third of the screen.
        let most = (area.height / 3).max(1);
        let mut rest: &str = &row.text;
        for line in 0..most.min(self.left()) {
            if rest.is_empty() {
                break;
            }
            let cut = if line + 1 == most { rest.len() } else { break_at(rest, usize::from(area.width)) };
            put_cut(
                self.buffer,
                (area.x, self.y, area.width),
                rest[..cut].trim_end(),
                look.level(row.level),
                look.signs.ellipsis,
            );
            rest = rest[cut..].trim_start();
            self.y += 1;
        }
    }

    /// At the right of the title, that somebody knows of the alarm, and for how long; gives the columns that it
    /// took of `room`, with a gap.
    fn acknowledged(&mut self, at: Moment, row: &Row, room: u16) -> u16 {
        let look = self.scene.look;
        let [long, short] = [Word::Acknowledged, Word::AcknowledgedShort].map(|word| look.word(word));
        let age = self.scene.tick.since(at);
        let forms = [format!("{long} {age}"), format!("{short} {age}"), short.to_owned()];
        let beside = usize::from(room).saturating_sub(width(row.id.as_str()) + 2);
        let Some(told) = forms.iter().find(|form| width(form) <= beside).or(forms.last()) else { return 0 };
        if width(told) > usize::from(room) {
            return 0;
        }
        (put_right(self.buffer, self.area.right(), self.y, room, told, look.muted) + 2).min(room)
    }

    /// Facts side by side in one line.
    fn facts(&mut self, facts: &[(Word, &str)]) {
        if self.left() == 0 {
            return;
        }
        let look = self.scene.look;
        let share = self.area.width / u16::try_from(facts.len()).unwrap_or(1).max(1);
        let labels = LABEL_COLUMNS.min(share / 2);
        for (x, (label, told)) in (self.area.x..).step_by(usize::from(share.max(1))).zip(facts) {
            put(self.buffer, x, self.y, labels.saturating_sub(1), look.word(*label), look.muted);
            put_cut(self.buffer, (x + labels, self.y, share - labels), told, look.text, look.signs.ellipsis);
        }
        self.y += 1;
    }

    /// The last results: how long each took as height, its level as colour and as a sign below.
    fn sparkline(&mut self, history: &[Past]) {
        let (look, area) = (self.scene.look, self.area);
        let labels = LABEL_COLUMNS.min(area.width / 2);
        let room = usize::from(area.width - labels);
        let shown = &history[history.len().saturating_sub(room)..];
        let label = format!("{}{}{}", look.word(Word::Last), shown.len(), look.word(Word::Results));
        put(self.buffer, area.x, self.y, labels.saturating_sub(1), &label, look.muted);
        let longest = shown.iter().map(|past| past.took.as_nanos()).max().unwrap_or(0).max(1);
        let steps = look.signs.spark;
        let signs_row = self.y + u16::from(!steps.is_empty());
        for (x, past) in (area.x + labels..area.right()).zip(shown) {
            let style = look.level(past.level);
            if let Some(last) = steps.len().checked_sub(1) {
                let height = u128::from(past.took.as_nanos()) * last as u128 / u128::from(longest);
                let step = steps[usize::try_from(height).unwrap_or(last).min(last)];
                put(self.buffer, x, self.y, 1, step, style);
            }
            // Colour never tells alone: what was not well has its sign below.
            if steps.is_empty() || past.level.is_alarm() {
                put(self.buffer, x, signs_row, u16::from(signs_row < area.bottom()), look.symbol(past.level), style);
            }
        }
        self.y = (signs_row + 1).min(area.bottom());
    }

    /// What was measured, from the value `scroll` on.
    fn values(&mut self, row: &Row, scroll: usize) {
        let (look, area) = (self.scene.look, self.area);
        put(self.buffer, area.x, self.y, area.width, look.word(Word::Values), look.muted);
        self.y += 1;
        let room = usize::from(self.left());
        let total = row.values.iter().count();
        let scroll = scroll.min(total.saturating_sub(room));
        let names = row.values.iter().map(|(name, _)| width(name)).max().unwrap_or(0);
        let names = u16::try_from(names).unwrap_or(u16::MAX).min(area.width / 3);
        for (name, value) in row.values.iter().skip(scroll).take(room) {
            let indent = 2.min(area.width);
            put_cut(self.buffer, (area.x + indent, self.y, names), &Safe::line(name), look.text, look.signs.ellipsis);
            let spot = area.x + indent + names + 2;
            let told = Safe::line(&value.to_string());
            let left = area.right().saturating_sub(spot);
            if matches!(value, Value::Number(..)) {
                put_right(
                    self.buffer,
                    spot + left.min(NUMBER_COLUMNS),
                    self.y,
                    left.min(NUMBER_COLUMNS),
                    &told,
                    look.text,
                );
            } else {
                put_cut(self.buffer, (spot, self.y, left), &told, look.text, look.signs.ellipsis);
            }
            self.y += 1;
        }
        let hidden = total - room.min(total);
        if hidden > 0 {
            let more = format!("{} {hidden}{}", look.signs.ellipsis, look.word(Word::More));
            put_right(self.buffer, area.right(), area.bottom() - 1, area.width / 3, &more, look.muted);
        }
    }
}

/// Columns of the labels, the space behind them included.
const LABEL_COLUMNS: u16 = 16;

/// From so many columns on two short facts share a line.
const TWO_FACTS_COLUMNS: u16 = 60;

/// Columns in which numbers are right-aligned.
const NUMBER_COLUMNS: u16 = 12;

/// Where to break `text` so that its first line takes at most `columns`: behind a space where there is one.
fn break_at(text: &str, columns: usize) -> usize {
    let mut taken = 0;
    let mut space = None;
    for (place, grapheme) in unicode_segmentation::UnicodeSegmentation::grapheme_indices(text, true) {
        taken += width(grapheme);
        if taken > columns {
            // A line takes at least one grapheme, however narrow it is.
            return space.unwrap_or(place).max(grapheme.len().min(text.len() - place) * usize::from(place == 0));
        }
        if grapheme == " " {
            space = Some(place + 1);
        }
    }
    text.len()
}
