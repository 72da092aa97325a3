//! What is wrong with a config: every mistake with its place and what to write instead.
//!
//! Deliberately plain data; how it looks on a terminal is `render.rs`'s business.

use std::fmt;
use std::path::{Path, PathBuf};

use super::defaults::PROBLEMS_MAX;
use super::source::Place;
use crate::frame::Safe;

/// One mistake.
#[derive(Clone, Debug)]
pub struct Problem {
    /// The file it is in, as it was named to the program.
    pub file: String,
    /// The line, from 1; 0 where the mistake is the file itself.
    pub line: usize,
    /// The column in characters, from 1; 0 where the mistake is the file itself.
    pub column: usize,
    /// What is wrong, on one line.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
    /// Further places that matter.
    pub labels: Vec<Label>,
    pub(super) place: Option<Place>,
}

/// A further place of a mistake, and what it has to do with it.
#[derive(Clone, Debug)]
pub struct Label {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What this place has to do with the mistake.
    pub message: String,
    pub(super) place: Place,
}

impl Problem {
    pub(super) fn at(place: &Place, message: impl AsRef<str>) -> Self {
        let (line, column) = place.position();
        let file = Safe::line(&place.source.name).to_string();
        let message = clean(message.as_ref());
        Self { file, line, column, message, help: None, labels: Vec::new(), place: Some(place.clone()) }
    }

    /// A mistake that is the file itself: it is missing, a folder, too long.
    pub(super) fn of_file(file: &Path, message: impl AsRef<str>) -> Self {
        let file = Safe::line(&file.to_string_lossy()).to_string();
        let message = clean(message.as_ref());
        Self { file, line: 0, column: 0, message, help: None, labels: Vec::new(), place: None }
    }

    pub(super) fn help(mut self, help: impl AsRef<str>) -> Self {
        self.help = Some(clean(help.as_ref())).filter(|help| !help.is_empty());
        self
    }

    pub(super) fn label(mut self, place: &Place, message: &str) -> Self {
        let (line, column) = place.position();
        let file = Safe::line(&place.source.name).to_string();
        self.labels.push(Label { file, line, column, message: clean(message), place: place.clone() });
        self
    }
}

impl fmt::Display for Problem {
    /// One line for a notice: `marquee.yaml:12:9: unknown key …`, with the proposal where there is one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = Path::new(&self.file).file_name().map_or(self.file.as_str().into(), |name| name.to_string_lossy());
        match self.line {
            0 => write!(f, "{file}: {}", self.message)?,
            _ => write!(f, "{file}:{}:{}: {}", self.line, self.column, self.message)?,
        }
        match &self.help {
            Some(help) if help.starts_with("did you mean") => write!(f, "; {help}"),
            _ => Ok(()),
        }
    }
}

/// Every mistake of a config, and the files to watch until they are mended.
#[derive(Clone, Debug, Default)]
pub struct Problems {
    list: Vec<Problem>,
    untold: usize,
    files: Vec<PathBuf>,
}

impl Problems {
    /// The mistakes, in the order of the files and their lines.
    #[must_use]
    pub fn list(&self) -> &[Problem] {
        &self.list
    }

    /// How many there are beyond those that are told.
    #[must_use]
    pub const fn untold(&self) -> usize {
        self.untold
    }

    /// Every file that was read or should have been: a change of any may mend it.
    #[must_use]
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// The first mistake on one line, for the screen's notice.
    #[must_use]
    pub fn one_line(&self) -> String {
        let Some(first) = self.list.first() else { return String::new() };
        match self.len() - 1 {
            0 => first.to_string(),
            more => format!("{first} (and {more} more)"),
        }
    }

    /// How many mistakes there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.list.len() + self.untold
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Whether further mistakes would only be counted, so that looking for proposals is idle.
    pub(super) fn is_full(&self) -> bool {
        self.list.len() >= PROBLEMS_MAX
    }

    /// Counts a mistake that is not told.
    pub(super) const fn count(&mut self) {
        self.untold += 1;
    }

    pub(super) fn add(&mut self, problem: Problem) {
        if self.is_full() {
            self.count();
        } else {
            self.list.push(problem);
        }
    }

    /// Puts the mistakes in reading order: the main file's first, each file's from top to bottom.
    pub(super) fn finish(mut self, main: &str, files: Vec<PathBuf>) -> Self {
        let mut names: Vec<String> = vec![clean(main)];
        for problem in &self.list {
            if !names.contains(&problem.file) {
                names.push(problem.file.clone());
            }
        }
        self.list
            .sort_by_key(|problem| (names.iter().position(|name| *name == problem.file), problem.line, problem.column));
        self.files = files;
        self
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false, super::render::WIDTH))
    }
}

impl std::error::Error for Problems {}

/// The longest piece of a file's text that a message quotes: enough to know it again.
const QUOTED_CHARACTERS: usize = 60;

/// A piece of outside text in backquotes, cleaned and cut.
pub(super) fn quote(text: &str) -> String {
    if text.is_empty() {
        return "an empty text".into();
    }
    let mut characters = text.chars();
    let short: String = characters.by_ref().take(QUOTED_CHARACTERS).collect();
    let tail = if characters.next().is_some() { "…" } else { "" };
    format!("`{}{tail}`", Safe::line(&short))
}

fn clean(text: &str) -> String {
    Safe::line(text).to_string()
}
