//! The tree of a config's text: scalars as written, lists and maps, each with its place.
//!
//! YAML by events, so that every mistake can point at its bytes; JSON is YAML.
//! Deliberately untyped: `1.10`, `no` and `0777` stay the text they are, and
//! what a text means is decided by the key that asks for it. Aliases share
//! their nodes, and budgets count them as if they were written out.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};

use super::error::{Problem, Problems, quote};
use super::scan::in_plain_words;
use super::source::{Place, Source};

/// One value of the file.
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) form: Form,
    /// How many values it has within, itself included and aliases written out.
    size: usize,
    /// How many levels it has below, itself included.
    height: usize,
}

/// What a value is.
pub(super) enum Form {
    Scalar { text: String, style: ScalarStyle, null: bool },
    List(Vec<Rc<Node>>),
    Map(Vec<Entry>),
}

/// A key with its value.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) place: Place,
    pub(super) value: Rc<Node>,
}

impl Node {
    /// What this is, for messages.
    pub(super) fn what(&self) -> &'static str {
        match self.form {
            Form::Scalar { null: true, .. } => "nothing",
            Form::Scalar { .. } => "a text",
            Form::List(_) => "a list",
            Form::Map(_) => "a map",
        }
    }
}

/// How large a tree may be.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    pub(super) depth: usize,
    pub(super) nodes: usize,
    pub(super) entries: usize,
}

/// The mistake is told and the rest of the file can't be read.
struct Stop;

/// The tree of `source`. `None` where the text is no YAML; whatever is wrong is added to `problems`.
pub(super) fn parse(source: &Arc<Source>, limits: Limits, problems: &mut Problems) -> Option<Rc<Node>> {
    if let Some((at, found)) = source.text.char_indices().find(|(_, c)| c.is_control() && !"\t\n\r".contains(*c)) {
        let message = format!("a control character (U+{:04X}) in the text", u32::from(found));
        let place = Place::new(source, at..at + found.len_utf8());
        problems.add(Problem::at(&place, message).help("remove it; a config is plain text"));
        return None;
    }
    let mut builder = Builder {
        source,
        limits,
        problems,
        open: Vec::new(),
        anchors: HashMap::new(),
        nodes: 0,
        documents: 0,
        root: None,
    };
    for event in Parser::new_from_str(&source.text) {
        let step = match event {
            Ok((event, span)) => builder.take(event, span),
            Err(why) => {
                builder.problems.add(in_plain_words(source, &why, limits.depth));
                Err(Stop)
            }
        };
        step.ok()?;
    }
    builder.root
}

struct Builder<'a> {
    source: &'a Arc<Source>,
    limits: Limits,
    problems: &'a mut Problems,
    open: Vec<Open>,
    anchors: HashMap<usize, Rc<Node>>,
    nodes: usize,
    documents: usize,
    root: Option<Rc<Node>>,
}

/// A list or map that has begun and not ended.
struct Open {
    start: usize,
    anchor: usize,
    size: usize,
    height: usize,
    held: Held,
}

enum Held {
    List(Vec<Rc<Node>>),
    Map { entries: Vec<Entry>, seen: HashMap<String, usize>, merges: Vec<Entry>, key: Option<(String, Place, bool)> },
}

impl Builder<'_> {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Stop> {
        let (start, end) = (self.source.byte_of(span.start.index()), self.source.byte_of(span.end.index()));
        match event {
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    return self.stop(start..start + 3, "a second document", "keep one document: remove this `---`");
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                let typed = self.refuse_tag(tag.as_deref(), start)?;
                let plain = style == ScalarStyle::Plain && !typed;
                let null = plain && matches!(&*text, "" | "~" | "null" | "Null" | "NULL");
                let place = self.scalar_place(start, end, style);
                let form = Form::Scalar { text: text.into_owned(), style, null };
                let merge = plain && matches!(&form, Form::Scalar { text, .. } if text == "<<");
                self.close(Node { place, form, size: 1, height: 1 }, anchor, merge)?;
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse_tag(tag.as_deref(), start)?;
                self.begin(start, anchor, Held::List(Vec::new()))?;
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse_tag(tag.as_deref(), start)?;
                let held = Held::Map { entries: Vec::new(), seen: HashMap::new(), merges: Vec::new(), key: None };
                self.begin(start, anchor, held)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.end()?,
            Event::Alias(id) => self.alias(id, start..end)?,
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Ok(())
    }

    /// Where a scalar stands. Block scalars run up to their last written line.
    fn scalar_place(&self, start: usize, end: usize, style: ScalarStyle) -> Place {
        let place = Place::new(self.source, start..end);
        if matches!(style, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted) {
            return place;
        }
        let written = place.text().trim_end().len();
        Place::new(self.source, place.span.start..place.span.start + written)
    }

    /// Refuses tags that make objects; `Ok(true)` where the text is told to be a text.
    fn refuse_tag(&mut self, tag: Option<&Tag>, start: usize) -> Result<bool, Stop> {
        let Some(tag) = tag else { return Ok(false) };
        let core = ["str", "int", "float", "bool", "null", "seq", "map"];
        if tag.is_yaml_core_schema() && core.contains(&tag.suffix.as_str()) {
            return Ok(tag.suffix == "str");
        }
        let name = if tag.is_yaml_core_schema() { format!("!!{}", tag.suffix) } else { tag.to_string() };
        let message = format!("a tag ({}) in the config", quote(&name));
        let place = Place::rest_of_line(self.source, start);
        self.problems.add(Problem::at(&place, message).help("write the value without it"));
        Err(Stop)
    }

    fn begin(&mut self, start: usize, anchor: usize, held: Held) -> Result<(), Stop> {
        if self.open.len() >= self.limits.depth {
            return self.too_deep(start);
        }
        self.open.push(Open { start, anchor, size: 1, height: 1, held });
        Ok(())
    }

    fn end(&mut self) -> Result<(), Stop> {
        let Some(Open { start, anchor, size, height, held }) = self.open.pop() else { return Ok(()) };
        let place = Place::rest_of_line(self.source, start);
        let form = match held {
            Held::List(items) => Form::List(items),
            Held::Map { mut entries, mut seen, merges, .. } => {
                for merge in &merges {
                    self.merge(merge, &mut entries, &mut seen)?;
                }
                Form::Map(entries)
            }
        };
        self.close(Node { place, form, size, height }, anchor, false)
    }

    /// Adds the entries of `<<: *other` that are not written out themselves.
    fn merge(
        &mut self,
        merge: &Entry,
        entries: &mut Vec<Entry>,
        seen: &mut HashMap<String, usize>,
    ) -> Result<(), Stop> {
        let maps = match &merge.value.form {
            Form::List(maps) => maps.as_slice(),
            _ => std::slice::from_ref(&merge.value),
        };
        for map in maps {
            let Form::Map(others) = &map.form else {
                return self.stop(
                    merge.place.span.clone(),
                    "`<<` merges something that is no map",
                    "write `<<: *NAME` with `&NAME` at a map",
                );
            };
            for other in others {
                if !seen.contains_key(&other.key) {
                    seen.insert(other.key.clone(), entries.len());
                    entries.push(other.clone());
                }
            }
        }
        Ok(())
    }

    fn alias(&mut self, id: usize, span: std::ops::Range<usize>) -> Result<(), Stop> {
        let Some(node) = self.anchors.get(&id).cloned() else {
            return self.stop(span, "an alias inside the very value it stands for", "write the value out");
        };
        if self.open.len() + node.height > self.limits.depth {
            return self.too_deep(span.start);
        }
        self.nodes = self.nodes.saturating_add(node.size);
        self.within_budget(span.start)?;
        self.attach(node, false)
    }

    /// Counts a finished node, remembers its anchor and hangs it into the tree.
    fn close(&mut self, node: Node, anchor: usize, merge: bool) -> Result<(), Stop> {
        self.nodes = self.nodes.saturating_add(1);
        self.within_budget(node.place.span.start)?;
        let node = Rc::new(node);
        if anchor > 0 {
            self.anchors.insert(anchor, Rc::clone(&node));
        }
        self.attach(node, merge)
    }

    fn attach(&mut self, node: Rc<Node>, merge: bool) -> Result<(), Stop> {
        let entries_max = self.limits.entries;
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        open.size = open.size.saturating_add(node.size);
        open.height = open.height.max(node.height + 1);
        match &mut open.held {
            Held::List(items) if items.len() >= entries_max => {
                let message = format!("more than {entries_max} entries in one list");
                let help = format!("a board has at most {entries_max} items: split it over several boards");
                self.stop(node.place.span.clone(), &message, &help)
            }
            Held::List(items) => {
                items.push(node);
                Ok(())
            }
            Held::Map { entries, seen, merges, key } => match key.take() {
                None => {
                    let Form::Scalar { text, .. } = &node.form else {
                        let span = node.place.span.clone();
                        return self.stop(span, "a key that is a list or a map", "a key is one word");
                    };
                    *key = Some((text.clone(), node.place.clone(), merge));
                    Ok(())
                }
                Some((key, place, true)) => {
                    merges.push(Entry { key, place, value: node });
                    Ok(())
                }
                Some((key, place, false)) => {
                    if seen.contains_key(&key) && self.problems.is_full() {
                        self.problems.count();
                    } else if let Some(first) = seen.get(&key) {
                        let first = entries[*first].place.clone();
                        let problem = Problem::at(&place, format!("{} is given twice", quote(&key)))
                            .label(&first, "first given here")
                            .help("keep one of them");
                        self.problems.add(problem);
                    } else {
                        seen.insert(key.clone(), entries.len());
                        entries.push(Entry { key, place, value: node });
                    }
                    Ok(())
                }
            },
        }
    }

    fn within_budget(&mut self, at: usize) -> Result<(), Stop> {
        if self.nodes <= self.limits.nodes {
            return Ok(());
        }
        let message = format!("more than {} values, aliases counted as written out", self.limits.nodes);
        self.stop_line(at, &message, "a config of this size is a mistake or an attack: write less")
    }

    fn too_deep(&mut self, at: usize) -> Result<(), Stop> {
        let message = format!("nested deeper than {} levels", self.limits.depth);
        self.stop(at..at + 1, &message, "the config needs five levels")
    }

    fn stop_line(&mut self, at: usize, message: &str, help: &str) -> Result<(), Stop> {
        let place = Place::rest_of_line(self.source, at);
        self.stop(place.span, message, help)
    }

    fn stop(&mut self, span: std::ops::Range<usize>, message: &str, help: &str) -> Result<(), Stop> {
        self.problems.add(Problem::at(&Place::new(self.source, span), message).help(help));
        Err(Stop)
    }
}
