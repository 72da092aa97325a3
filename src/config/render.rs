//! How mistakes look: as rustc shows them, or as JSON.
//!
//! Passwords that stand in the file itself are masked in the shown lines, so
//! that a report can be mailed.

use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use serde_json::{Value, json};

use super::error::{Label, Problem, Problems};
use super::mask::mask_line;
use super::source::{Place, Source};

/// The width of a report where nobody says how wide the terminal is.
pub const WIDTH: usize = 100;

/// The longest line that is shown: a longer one is a file on one line, which tells nothing.
const LINE_BYTES_MAX: usize = 4096;

/// The most lines between two places that are shown in one piece.
const LINES_BETWEEN_MAX: usize = 200;

impl Problems {
    /// Every mistake with file, line, column, the line itself, a caret, and what to write.
    ///
    /// `styled` colours it; leave it off where the output is no terminal or `NO_COLOR` is set.
    #[must_use]
    pub fn render(&self, styled: bool, width: usize) -> String {
        let renderer = if styled { Renderer::styled() } else { Renderer::plain() }.term_width(width.max(20));
        let mut told: Vec<String> = self.list().iter().map(|problem| render(problem, &renderer)).collect();
        if self.untold() > 0 {
            told.push(format!("and {} more", self.untold()));
        }
        told.join("\n\n")
    }

    /// The mistakes as an array of `{file, line, column, message, help}`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        self.list()
            .iter()
            .map(|Problem { file, line, column, message, help, .. }| {
                json!({ "file": file, "line": line, "column": column, "message": message, "help": help })
            })
            .collect()
    }
}

fn render(problem: &Problem, renderer: &Renderer) -> String {
    let mut group = Group::with_title(Level::ERROR.primary_title(&problem.message));
    match &problem.place {
        None => group = group.element(Origin::path(&problem.file)),
        Some(place) => {
            for excerpt in excerpts(place, &problem.labels) {
                group = excerpt.add_to(group);
            }
        }
    }
    if let Some(help) = &problem.help {
        group = group.element(Level::HELP.message(help));
    }
    renderer.render(&[group])
}

/// Some whole lines of one file with the places marked in them.
struct Excerpt<'a> {
    source: Arc<Source>,
    lines: Range<usize>,
    marks: Vec<(AnnotationKind, Range<usize>, &'a str)>,
}

/// The primary place first; a label joins it where it is near, else has an excerpt of its own.
fn excerpts<'a>(place: &Place, labels: &'a [Label]) -> Vec<Excerpt<'a>> {
    let mut all = vec![Excerpt::new(place, AnnotationKind::Primary, "")];
    for label in labels {
        let own = Excerpt::new(&label.place, AnnotationKind::Context, &label.message);
        match all.iter_mut().find(|excerpt| excerpt.is_near(&own)) {
            Some(near) => {
                near.lines = near.lines.start.min(own.lines.start)..near.lines.end.max(own.lines.end);
                near.marks.extend(own.marks);
            }
            None => all.push(own),
        }
    }
    all
}

impl<'a> Excerpt<'a> {
    fn new(place: &Place, kind: AnnotationKind, message: &'a str) -> Self {
        let (line, _) = place.position();
        let source = Arc::clone(&place.source);
        // A place that runs over several lines is marked on its first: a caret points, it does not fence.
        let end = place.span.end.min(source.line(line).end).max(place.span.start);
        Self { source, lines: line..line + 1, marks: vec![(kind, place.span.start..end, message)] }
    }

    fn is_near(&self, other: &Self) -> bool {
        let apart = self.lines.start.abs_diff(other.lines.start);
        Arc::ptr_eq(&self.source, &other.source) && apart <= LINES_BETWEEN_MAX
    }

    fn add_to<'b>(&self, group: Group<'b>) -> Group<'b> {
        let name = crate::frame::Safe::line(&self.source.name).to_string();
        let lines: Vec<Range<usize>> = self.lines.clone().map(|line| self.source.line(line)).collect();
        if lines.iter().any(|line| line.len() > LINE_BYTES_MAX) {
            let (line, column) = self.source.position(self.marks[0].1.start);
            return group.element(Origin::path(name).line(line).char_column(column));
        }
        // The lines are put together anew without carriage returns, so places move to where their line now begins.
        let mut text = String::new();
        let mut moved = Vec::new();
        for line in &lines {
            let begins = text.len();
            text.push_str(&mask_line(&self.source.text[line.clone()]));
            for (kind, span, message) in &self.marks {
                // The end of a line belongs to it: a caret may stand behind the last character.
                if (line.start..=line.end).contains(&span.start) {
                    moved.push((*kind, begins + span.start - line.start..begins + span.end - line.start, *message));
                }
            }
            text.push('\n');
        }
        let snippet = moved.into_iter().filter(|(_, span, _)| text.get(span.clone()).is_some()).fold(
            Snippet::source(text.clone()).path(name).line_start(self.lines.start),
            |snippet, (kind, span, message)| {
                let annotation = kind.span(span);
                let message = (!message.is_empty()).then(|| message.to_owned());
                snippet.annotation(annotation.label(message))
            },
        );
        group.element(snippet)
    }
}
