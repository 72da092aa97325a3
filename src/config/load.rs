//! The ways into the config: from a file, from a text, built in.

use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use super::defaults::{DEPTH_MAX, FILE_BYTES_MAX, ITEMS_MAX, NODES_MAX, NODES_PER_ITEM, THEMES};
use super::error::{Problem, Problems};
use super::file;
use super::lower::lower;
use super::model::Config;
use super::source::{Place, Source};
use super::tree::{self, Limits, Node};

/// The board that is shown where there is no config.
const THIS_MACHINE: &str = include_str!("../../sample-configs/this-machine.yaml");

/// What a config is judged by beside its own text.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// The themes that `theme:` may name.
    pub known_themes: &'a [&'a str],
    /// The environment that `${NAME}` is taken from.
    pub env: &'a dyn Fn(&str) -> Option<String>,
    /// The most items of a board.
    pub max_items: usize,
    /// What the checks say of a target (the whole of `check:`, secrets filled in) beyond its form.
    pub check_target: &'a dyn Fn(&str) -> Result<(), String>,
}

impl Default for Options<'_> {
    /// The built-in themes, the process's environment, the usual limit, every target that has its form.
    fn default() -> Self {
        Self { known_themes: THEMES, env: &process_env, max_items: ITEMS_MAX, check_target: &accept }
    }
}

fn process_env(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

#[expect(clippy::unnecessary_wraps, reason = "the signature is that of a judge who may refuse")]
fn accept(_: &str) -> Result<(), String> {
    Ok(())
}

/// Reads the config at `path`, and the files that it names.
///
/// # Errors
/// Every mistake of the file and its includes, and the files to watch until they are mended.
pub fn load(path: &Path, options: &Options<'_>) -> Result<Config, Problems> {
    let problem = match source(path, path) {
        Ok(source) => return lower(&source, Some(path), options),
        Err(NoSource::File { reason, help }) => {
            Problem::of_file(path, format!("cannot read the config: {reason}")).help(help)
        }
        Err(NoSource::Text(problem)) => *problem,
    };
    let mut problems = Problems::default();
    problems.add(problem);
    Err(problems.finish("", vec![path.to_owned()]))
}

/// Reads the config `text`; mistakes call it `name`, and its relative paths begin at `base_dir`.
///
/// # Errors
/// Every mistake of the text and its includes.
pub fn parse(text: &str, name: &str, base_dir: &Path, options: &Options<'_>) -> Result<Config, Problems> {
    lower(&Source::new(name.to_owned(), base_dir.to_owned(), text), None, options)
}

/// The board that watches this machine and says how to write one's own.
#[must_use]
pub fn builtin(options: &Options<'_>) -> Config {
    // A test proves that the text is valid; an empty board still beats none.
    parse(THIS_MACHINE, "this-machine.yaml", Path::new("."), options).unwrap_or_else(|_| Config::of_defaults())
}

/// Why a file gives no text to parse.
pub(super) enum NoSource {
    /// The file itself: missing, a folder, too long.
    File {
        /// What is wrong with it.
        reason: String,
        /// What to do about it.
        help: String,
    },
    /// A byte in it.
    Text(Box<Problem>),
}

/// The text of the file at `path`, which messages call `shown`.
pub(super) fn source(path: &Path, shown: &Path) -> Result<Arc<Source>, NoSource> {
    let name = shown.to_string_lossy().into_owned();
    let folder = path.parent().unwrap_or(Path::new("")).to_owned();
    match file::read(path, FILE_BYTES_MAX) {
        Ok(read) => Ok(Source::new(name, folder, &read.text)),
        Err(why) => match why.readable {
            None => Err(NoSource::File { reason: why.reason, help: why.help }),
            Some(readable) => {
                let source = Source::new(name, folder, &readable);
                let place = Place::new(&source, source.text.len()..source.text.len());
                Err(NoSource::Text(Box::new(Problem::at(&place, why.reason).help(why.help))))
            }
        },
    }
}

/// The tree of a text; a text without any value is a mistake, for an editor that
/// empties a file before it writes must not empty the board.
pub(super) fn tree(source: &Arc<Source>, options: &Options<'_>, problems: &mut Problems) -> Option<Rc<Node>> {
    let nodes = NODES_MAX.max(options.max_items.saturating_mul(NODES_PER_ITEM));
    let limits = Limits { depth: DEPTH_MAX, nodes, entries: options.max_items };
    let before = problems.len();
    let tree = tree::parse(source, limits, problems);
    let says_nothing = tree.as_ref().is_none_or(|tree| tree.what() == "nothing");
    if says_nothing && problems.len() == before {
        let place = Place::new(source, 0..0);
        problems.add(Problem::at(&place, "the file says nothing").help("`marquee init` writes a config to begin with"));
        return None;
    }
    tree
}
