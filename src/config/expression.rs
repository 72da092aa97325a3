//! Expressions of `levels:` in CEL, over the values of a check.
//!
//! All numbers of ours have a fraction, so every number of an expression gets
//! one too: `status != 200`, `size(body.list) > 3` and `load5 > cores * 2` need
//! no conversions by the writer. `lexer.rs` adds the literals of time, size and
//! share, `lower.rs` does the rest, `evaluate.rs` asks and tells why not.
//! Deliberately no loop can run for ever and nothing outside is reached: CEL
//! has neither.

mod evaluate;
mod lexer;
mod lower;

use std::fmt;
use std::sync::Arc;

use cel::parser::{ParseError, Parser};

use self::lexer::{Kind, Lexed};
use crate::kernel::board::Values;

/// A compiled expression; cheap to clone.
#[derive(Clone)]
pub struct Expression {
    compiled: Arc<Compiled>,
}

struct Compiled {
    text: Box<str>,
    names: Vec<(String, usize)>,
    tree: cel::IdedExpr,
}

/// Why a text is no expression, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpressionError {
    /// Byte offset into the text as it was written.
    pub at: usize,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for ExpressionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (at byte {})", self.message, self.at)
    }
}

impl std::error::Error for ExpressionError {}

impl Expression {
    /// Compiles `text`.
    ///
    /// Beyond CEL there are times (`200ms`, `3s`, `5m`, `1h30m`; as seconds),
    /// sizes (`512KiB`, `4GiB`, decimal `10MB`; as bytes) and shares. A `%` is
    /// a share where it is glued to a number and no operand follows: `80%`;
    /// else it is the remainder: `a % 2`, `10%3`.
    ///
    /// # Errors
    /// Where it does not parse, calls a function that does not exist, or is
    /// longer or deeper than any sensible expression.
    pub fn compile(text: &str) -> Result<Self, ExpressionError> {
        let lexed = lexer::lex(text)?;
        let (tree, free) = on_a_deep_stack(|| parse(text, &lexed))?;
        let names = free_paths(text, &lexed, &free);
        Ok(Self { compiled: Arc::new(Compiled { text: text.into(), names, tree }) })
    }

    /// The expression as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.compiled.text
    }

    /// The paths of all values it asks for, such as `body.queue.depth`, with
    /// the byte offset where each stands first.
    #[must_use]
    pub fn names(&self) -> Vec<(String, usize)> {
        self.compiled.names.clone()
    }

    /// Whether it holds.
    ///
    /// # Errors
    /// Where it can't be told: a value is missing or of another type.
    pub fn holds(&self, values: &Values) -> Result<bool, String> {
        evaluate::holds(&self.compiled.tree, values)
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Expression({:?})", self.as_str())
    }
}

/// The stack that parsing may take: the deepest text that `lexer.rs` lets
/// through takes a little over half of it in an unoptimised build.
const PARSER_STACK_BYTES: usize = 16 << 20;

/// Does `work` on a thread of its own that ends before this returns. The parser
/// calls itself a dozen times for each bracket, and how much stack is left to
/// the caller is not known; pages that are not touched cost nothing.
fn on_a_deep_stack<T: Send>(work: impl FnOnce() -> Result<T, ExpressionError> + Send) -> Result<T, ExpressionError> {
    let builder = std::thread::Builder::new().name("expression".into()).stack_size(PARSER_STACK_BYTES);
    let unread = |why: String| ExpressionError { at: 0, message: format!("the expression can't be read: {why}") };
    std::thread::scope(|scope| match builder.spawn_scoped(scope, work) {
        Ok(thread) => thread.join().unwrap_or_else(|_| Err(unread("the parser failed over it".into()))),
        Err(e) => Err(unread(format!("no thread to read it on: {e}"))),
    })
}

/// Parses and lowers; beside the tree, the names it takes from the values.
fn parse(text: &str, lexed: &Lexed) -> Result<(cel::IdedExpr, Vec<String>), ExpressionError> {
    let tree = Parser::new().parse(&lexed.plain).map_err(|errors| {
        // What an incomplete rule says at its beginning is only the echo of the real mistake.
        let real = errors.errors.iter().find(|error| !error.msg.starts_with("Incomplete"));
        unreadable(text, lexed, real.or(errors.errors.first()))
    })?;
    lower::lower(tree).map_err(|wrong| {
        let at = wrong.name.as_deref().map_or(0, |name| place(text, lexed, name));
        ExpressionError { at, message: wrong.message }
    })
}

/// The parser's complaint in plain words. Its own words name grammar rules that
/// no engineer at a press has heard of; the place is what helps.
fn unreadable(text: &str, lexed: &Lexed, error: Option<&ParseError>) -> ExpressionError {
    let at = error.map_or(text.len(), |error| lexed.written(byte_of(&lexed.plain, error.pos)));
    let says = |part: &str| error.is_some_and(|error| error.msg.contains(part));
    let Some(nth) = lexed.words.iter().position(|word| word.end > at) else {
        return ExpressionError { at: text.trim_end().len(), message: "the expression ends too early".into() };
    };
    let word = lexed.words[nth];
    let said = |word: lexer::Word| &text[word.start..word.end];
    if nth > 0 && said(lexed.words[nth - 1]) == "not" {
        return ExpressionError { at: lexed.words[nth - 1].start, message: "`not` is written `!`".into() };
    }
    let said = said(word);
    let message = match (said, word.kind) {
        ("and", _) => "`and` is written `&&`".into(),
        ("or", _) => "`or` is written `||`".into(),
        _ if says("recursion") => "this is nested too deep".into(),
        _ if says("has()") => "`has` asks for a field: has(body.queue)".into(),
        _ if says("simple name") => format!("a plain name belongs here instead of `{said}`"),
        (_, Kind::Number) if says("literal") || at > word.start => format!("`{said}` is no number"),
        (_, Kind::Text) if says("token recognition") => "this text has a backslash that means nothing".into(),
        _ => format!("`{said}` is not expected here"),
    };
    ExpressionError { at: word.start, message }
}

/// The byte of a place that the parser tells as a line from 1 and a column in characters from 1.
fn byte_of(plain: &str, (line, column): (isize, isize)) -> usize {
    let line = usize::try_from(line).unwrap_or(0).saturating_sub(1);
    let column = usize::try_from(column).unwrap_or(0).saturating_sub(1);
    let start: usize = plain.split_inclusive('\n').take(line).map(str::len).sum();
    let rest = &plain[start..];
    start + rest.char_indices().nth(column).map_or(rest.len(), |(at, _)| at)
}

/// Where the word `name` stands first.
fn place(text: &str, lexed: &Lexed, name: &str) -> usize {
    let mut words = lexed.words.iter();
    words.find(|word| &text[word.start..word.end] == name).map_or(0, |word| word.start)
}

/// The paths that begin with a name in `free`, with the places where each stands first: `free` holds
/// neither fields nor functions.
fn free_paths(text: &str, lexed: &Lexed, free: &[String]) -> Vec<(String, usize)> {
    let said = |at: usize| lexed.words.get(at).map(|word| &text[word.start..word.end]);
    let mut paths: Vec<(String, usize)> = Vec::new();
    for (at, word) in lexed.words.iter().enumerate().filter(|(_, word)| word.kind == Kind::Name) {
        let name = &text[word.start..word.end];
        let field = at > 0 && said(at - 1) == Some(".");
        if field || said(at + 1) == Some("(") || !free.iter().any(|known| known == name) {
            continue;
        }
        let mut path = name.to_owned();
        let mut next = at + 1;
        // What is called is no value: `body.contains('x')` asks for `body`.
        while said(next) == Some(".")
            && said(next + 2) != Some("(")
            && let Some(field) = lexed.words.get(next + 1).filter(|word| word.kind == Kind::Name)
        {
            path = path + "." + &text[field.start..field.end];
            next += 2;
        }
        if !paths.iter().any(|(known, _)| *known == path) {
            paths.push((path, word.start));
        }
    }
    paths
}

#[cfg(test)]
mod tests;
