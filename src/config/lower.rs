//! From the tree of the file to the valid config: the keys at the top, and the items of all files in their order.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::defaults::{self, CONCURRENCY_MAX, NAME_CHARACTERS_MAX, SCROLL_MAX, SUMMARISE_AFTER_MAX};
use super::duration::PERIOD;
use super::error::{Problem, Problems};
use super::item::Defaults;
use super::keys::{nearest, proposal};
use super::load::{self, NoSource, Options};
use super::model::{ClusterConfig, Config, FeedConfig, ItemConfig, Secret, StateConfig};
use super::reader::{Reader, Said, Section};
use super::source::{Place, Source};
use super::tree::{Entry, Node};
use crate::kernel::board::ItemId;

impl Config {
    /// The config of a file that says nothing: every default, no item.
    pub(super) fn of_defaults() -> Self {
        Self {
            title: defaults::TITLE.into(),
            interval: defaults::INTERVAL,
            interrupt: defaults::INTERRUPT,
            fallback: defaults::FALLBACK.into(),
            theme: defaults::THEME.into(),
            scroll: defaults::SCROLL,
            summarise_after: defaults::SUMMARISE_AFTER,
            locale: None,
            items: Vec::new(),
            state: StateConfig::File,
            cluster: ClusterConfig::Local,
            console: None,
            listen: None,
            token: None,
            concurrency: defaults::CONCURRENCY,
            hosts: Vec::new(),
            feed: FeedConfig::default(),
            files: Vec::new(),
        }
    }
}

/// Lowers the text of `source`; `path` is the file itself, where it is one.
pub(super) fn lower(source: &Arc<Source>, path: Option<&Path>, options: &Options<'_>) -> Result<Config, Problems> {
    let mut lowering = Lowering {
        reader: Reader::new(options),
        files: path.map(Path::to_owned).into_iter().collect(),
        items: Vec::new(),
        ids: HashMap::new(),
        whole: true,
    };
    let mut config = Config::of_defaults();
    if let Some(tree) = load::tree(source, options, &mut lowering.reader.problems) {
        lowering.file(&tree, &mut config);
    }
    lowering.finish(config, &source.name)
}

struct Lowering<'a> {
    reader: Reader<'a>,
    files: Vec<PathBuf>,
    items: Vec<ItemConfig>,
    ids: HashMap<ItemId, Place>,
    /// Whether every item's id is known; if not, `order:` can't be judged.
    whole: bool,
}

impl Lowering<'_> {
    fn finish(self, mut config: Config, main: &str) -> Result<Config, Problems> {
        let mut files = self.files;
        for file in self.reader.secrets.files {
            if !files.contains(&file) {
                files.push(file);
            }
        }
        if self.reader.problems.is_empty() {
            config.items = self.items;
            config.files = files;
            Ok(config)
        } else {
            Err(self.reader.problems.finish(main, files))
        }
    }

    fn file(&mut self, tree: &Node, config: &mut Config) {
        let Some(top) = self.reader.section(tree, "", "the config") else { return };
        self.looks(&top, config);
        self.plant(&top, config);
        let defaults = top.get("defaults").map_or_else(Defaults::default, |entry| self.reader.defaults(&entry.value));
        let hosts = top.get("hosts").map(|entry| self.reader.hosts(entry)).unwrap_or_default();
        if let Some(entry) = top.get("items") {
            self.items(entry, defaults);
        }
        if let Some(entry) = top.get("include") {
            self.include(entry, defaults);
        }
        if let Some(entry) = top.get("order") {
            self.order(entry);
        }
        // An item that could not be read may be the one that asks the host.
        if self.reader.problems.is_empty() {
            self.reader.refuse_idle_hosts(&hosts, &self.items);
        }
        config.hosts = hosts.into_iter().map(|(limit, _)| limit).collect();
    }

    /// What is shown, and how.
    fn looks(&mut self, top: &Section<'_>, config: &mut Config) {
        let reader = &mut self.reader;
        if let Some(said) = top.get("title").and_then(|entry| reader.name(entry, NAME_CHARACTERS_MAX)) {
            config.title = said.words.full;
        }
        if let Some(span) = top.get("interval").and_then(|entry| reader.duration(entry, PERIOD)) {
            config.interval = span;
        }
        if let Some(word) =
            top.get("interrupt").and_then(|entry| reader.word(entry, &["critical", "unknown", "warning", "never"]))
        {
            config.interrupt = word.parse().ok();
        }
        if let Some(said) = top.get("fallback").and_then(|entry| reader.text(entry)) {
            config.fallback = said.words.full;
        }
        if let Some(rate) = top.get("scroll").and_then(|entry| reader.rate(entry, SCROLL_MAX)) {
            config.scroll = rate;
        }
        if let Some(count) = top.get("summarise_after").and_then(|entry| reader.count(entry, 1, SUMMARISE_AFTER_MAX)) {
            config.summarise_after = count as usize;
        }
        if let Some(word) = top.get("locale").and_then(|entry| reader.word(entry, defaults::LOCALES)) {
            config.locale = Some(word.to_owned());
        }
        if let Some(said) = top.get("theme").and_then(|entry| reader.words(entry))
            && let Some(theme) = self.theme(&said)
        {
            config.theme = theme;
        }
    }

    fn theme(&mut self, said: &Said<'_>) -> Option<String> {
        let name = said.words.full.as_str();
        let known = self.reader.options.known_themes;
        if known.contains(&name) {
            return Some(name.to_owned());
        }
        let path = said.place().source.folder.join(name);
        let is_path = name.contains('/') || path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml");
        if is_path {
            // A missing theme file is watched too: it may be about to be written.
            self.files.push(path.clone());
        }
        if is_path && path.is_file() {
            return Some(path.to_string_lossy().into_owned());
        }
        let message = if is_path {
            format!("there is no theme file {}", said.quoted())
        } else {
            format!("unknown theme {}", said.quoted())
        };
        let shown = if said.words.secret { "" } else { name };
        let help = proposal(shown, known.iter().copied(), "the path of a theme file, or one of");
        self.reader.fail(said.place(), message, help);
        None
    }

    /// Where this console stands among others and the world.
    fn plant(&mut self, top: &Section<'_>, config: &mut Config) {
        if let Some(state) = top.get("state").and_then(|entry| self.reader.state(entry)) {
            config.state = state;
        }
        if let Some(cluster) = self.reader.cluster(top) {
            config.cluster = cluster;
        }
        if let Some(name) = top.get("console").and_then(|entry| self.reader.console(entry)) {
            config.console = Some(name);
        }
        if let Some(count) = top.get("concurrency").and_then(|entry| self.reader.count(entry, 1, CONCURRENCY_MAX)) {
            config.concurrency = count;
        }
        if let Some(entry) = top.get("feed") {
            config.feed = self.reader.feed(&entry.value);
        }
        config.token = top.get("token").and_then(|entry| self.token(entry));
        config.listen = top.get("listen").and_then(|entry| self.listen(entry, top.get("token").is_some()));
    }

    fn token(&mut self, entry: &Entry) -> Option<Secret> {
        let said = self.reader.words(entry)?;
        if said.words.full.is_empty() {
            self.reader.fail(
                said.place(),
                "the token is empty, so everybody would have it",
                "write `${file:PATH}` with a long random text in the file",
            );
            return None;
        }
        if said.words.full.contains(|c: char| c.is_whitespace() || c.is_control()) {
            self.reader.fail(
                said.place(),
                "the token has a space or line break, which no HTTP header can carry",
                "use letters and digits",
            );
            return None;
        }
        Some(Secret::new(said.words.full))
    }

    fn listen(&mut self, entry: &Entry, token: bool) -> Option<SocketAddr> {
        let said = self.reader.words(entry)?;
        let Ok(address) = said.words.full.parse::<SocketAddr>() else {
            let message = format!("{} is no address with a port", said.quoted());
            let port = said.words.full.rsplit(':').next().and_then(|port| port.parse::<u16>().ok());
            let help = match port {
                Some(port) if !said.words.secret => format!("did you mean `127.0.0.1:{port}`?"),
                _ => "write `127.0.0.1:9091`, or `[::1]:9091`".to_owned(),
            };
            self.reader.fail(said.place(), message, help);
            return None;
        };
        if !address.ip().is_loopback() && !token {
            let message = format!("{} can be reached from other machines, and there is no `token`", said.quoted());
            self.reader.fail(said.place(), message, "add `token: ${file:PATH}`, or listen on `127.0.0.1`");
            return None;
        }
        Some(address)
    }

    fn items(&mut self, entry: &Entry, defaults: Defaults) {
        let Some(nodes) = self.reader.list(entry) else {
            self.whole = false;
            return;
        };
        let max = self.reader.options.max_items;
        for node in nodes {
            if self.items.len() >= max {
                self.reader.fail(&node.place, format!("more than {max} items"), "split the board over several");
                return;
            }
            let read = self.reader.item(node, defaults);
            match read.id {
                None => self.whole = false,
                Some((id, place)) => {
                    if let Some(first) = self.ids.get(&id) {
                        let problem = Problem::at(&place, format!("two items are called `{id}`"))
                            .label(first, "the first is here")
                            .help("give one of them another `id`");
                        self.reader.problems.add(problem);
                    } else {
                        self.ids.insert(id, place);
                    }
                }
            }
            self.items.extend(read.item);
        }
    }

    fn include(&mut self, entry: &Entry, defaults: Defaults) {
        // By what they really are, so that `./x` and a link to it are the same file.
        let mut seen: Vec<PathBuf> = self.files.first().map(|main| real(main)).into_iter().collect();
        let main = seen.len();
        for said in self.reader.texts(entry) {
            let path = said.place().source.folder.join(&said.words.full);
            if let Some(place) = seen.iter().position(|known| *known == real(&path)) {
                let message =
                    if place < main { "a file that includes itself" } else { "a file that is included twice" };
                self.reader.fail(said.place(), message, "remove the line");
                continue;
            }
            seen.push(real(&path));
            self.files.push(path.clone());
            let shown =
                if said.words.secret { said.place().source.folder.join(&said.words.shown) } else { path.clone() };
            self.included(&path, &shown, &said, defaults);
        }
    }

    fn included(&mut self, path: &Path, shown: &Path, said: &Said<'_>, defaults: Defaults) {
        let problems = &mut self.reader.problems;
        let tree = match load::source(path, shown) {
            Ok(source) => load::tree(&source, self.reader.options, problems),
            Err(NoSource::File { reason, help }) => {
                let message = format!("cannot read {}: {reason}", said.quoted());
                problems.add(Problem::at(said.place(), message).help(help));
                None
            }
            Err(NoSource::Text(problem)) => {
                problems.add(*problem);
                None
            }
        };
        let Some(tree) = tree else {
            self.whole = false;
            return;
        };
        if let Some(section) = self.reader.map(&tree, &["items"], "an included file")
            && let Some(entry) = section.get("items")
        {
            self.items(entry, defaults);
        }
    }

    /// Puts the named items first.
    fn order(&mut self, entry: &Entry) {
        let mut places: HashMap<String, (usize, Place)> = HashMap::new();
        for said in self.reader.texts(entry) {
            let name = said.words.full.as_str();
            if let Some((_, first)) = places.get(name) {
                let problem = Problem::at(said.place(), format!("{} is ordered twice", said.quoted()))
                    .label(first, "the first is here")
                    .help("keep one of them");
                self.reader.problems.add(problem);
                continue;
            }
            if self.whole && !self.ids.contains_key(name) {
                let shown = if said.words.secret { "" } else { name };
                let near = if self.reader.problems.is_full() {
                    None
                } else {
                    nearest(shown, self.ids.keys().map(ItemId::as_str))
                };
                let help = near.map_or_else(
                    || "write the `id` of an item of this file".to_owned(),
                    |near| format!("did you mean `{near}`?"),
                );
                self.reader.fail(said.place(), format!("there is no item {}", said.quoted()), help);
            }
            places.insert(name.to_owned(), (places.len(), said.place().clone()));
        }
        self.items.sort_by_key(|item| places.get(item.id.as_str()).map_or(usize::MAX, |(place, _)| *place));
    }
}

/// The file's path without links and dots, where it exists.
fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}
