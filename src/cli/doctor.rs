//! `marquee doctor`: what this place is able to do, and what to mend.
//!
//! The pure part: from [`Facts`] to [`Finding`]s. Whoever calls gathers the facts
//! (asks the terminal, tries the folder, greets the servers) and prints.

#[cfg_attr(not(any(test, feature = "etcd")), expect(dead_code, reason = "nothing is known of an etcd then"))]
mod cluster;
mod store;

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

pub(super) use self::cluster::ClusterFacts;
#[cfg(feature = "etcd")]
pub(super) use self::cluster::{EtcdFacts, LeaderFacts, MemberAnswer, MemberFacts, NameFacts};
#[cfg(feature = "redis")]
pub(super) use self::store::StoreAnswer;
pub(super) use self::store::StoreFacts;
use crate::app::file_system::{LOOK_WITHOUT_EVENTS, sends_events};
use crate::frame::{Moment, Safe};
use crate::renderers::{Charset, ColourDepth, Context, Locale, Size};

/// What the findings are drawn from.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    /// What the terminal can do, as the renderers will take it.
    pub(super) context: Context,
    /// Whether the standard output is a terminal at all.
    pub(super) stdout_is_tty: bool,
    /// `$TERM`, empty where it is not set.
    pub(super) term: String,
    /// How many rows a capital of the banner takes here; `None` where no banner fits.
    pub(super) glyph_rows: Option<u16>,
    /// What is wrong with the theme, as loading it told.
    pub(super) theme_problems: Vec<String>,
    /// The config.
    pub(super) config: ConfigFacts,
    /// Where the state is kept; `None` where no folder keeps it (`state: memory`, or a server).
    pub(super) state: Option<StateFacts>,
    /// The clock.
    pub(super) clock: ClockFacts,
    /// The server that keeps the state, where one does.
    pub(super) store: Option<StoreFacts>,
    /// How consoles find their leader; `None`: the config does not say, for it is bad.
    pub(super) cluster: Option<ClusterFacts>,
}

/// What is known of the config.
#[derive(Clone, Debug, Default)]
pub(super) struct ConfigFacts {
    /// The file; `None`: there is none, the built-in board is shown.
    pub(super) path: Option<PathBuf>,
    /// How many items it has.
    pub(super) items: usize,
    /// What is wrong with it, one line each.
    pub(super) problems: Vec<String>,
    /// The type of the file system that holds it, as the system names it: `ext4`, `nfs`.
    pub(super) file_system: Option<String>,
}

/// What is known of the state folder.
#[derive(Clone, Debug)]
pub(super) struct StateFacts {
    /// The folder.
    pub(super) folder: PathBuf,
    /// Whether a file could be written there, or why not.
    pub(super) writable: Result<(), String>,
}

/// What is known of the clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct ClockFacts {
    /// The wall clock's time.
    pub(super) wall: Moment,
    /// Whether something keeps it right (NTP, PTP); `None` where the system does not say.
    pub(super) synchronised: Option<bool>,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    /// Whether it is as it should be.
    pub(super) good: bool,
    /// What was found.
    pub(super) what: String,
    /// What to do about it, or how to have it better.
    pub(super) mend: Option<String>,
}

/// The smallest picture with level, symbol, item and text in their own places.
const SIZE_MIN: Size = Size { columns: 20, rows: 3 };

/// The height of a 24-inch 16:9 screen: 24 in x 25.4 mm x 9 / sqrt(16² + 9²).
const SCREEN_MM: f64 = 299.0;
/// The height a capital needs for each metre of distance, for 16 minutes of arc: 1000 mm x tan(16').
const CAPITAL_MM_PER_METRE: f64 = 4.7;

/// 2026-01-01T00:00:00Z. A clock that is before the program was written has never been set.
const PROGRAM_WRITTEN: Moment = Moment::from_unix_millis(1_767_225_600_000);

impl Finding {
    fn good(what: impl Into<String>) -> Self {
        Self { good: true, what: what.into(), mend: None }
    }

    fn bad(what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { good: false, what: what.into(), mend: Some(mend.into()) }
    }

    fn with_advice(self, mend: impl Into<String>) -> Self {
        Self { mend: Some(mend.into()), ..self }
    }
}

/// Prints what is found, and how to mend it; exits with 1 where something is bad.
///
/// # Errors
/// Where nothing can be printed.
pub(super) fn doctor(facts: &Facts) -> io::Result<ExitCode> {
    let findings = report(facts);
    io::stdout().write_all(print(&findings, facts.context.charset).as_bytes())?;
    Ok(ExitCode::from(exit_code(&findings)))
}

/// What the facts say, in the order of the picture: terminal, config, state, clock, servers, consoles.
#[must_use]
pub(super) fn report(facts: &Facts) -> Vec<Finding> {
    let mut findings = terminal(facts);
    findings.extend(facts.theme_problems.iter().map(|problem| {
        Finding::bad(format!("theme: {problem}"), "mend the theme's file; until then what is wrong in it is left out")
    }));
    findings.extend(config(&facts.config));
    findings.push(state(facts));
    findings.push(clock(facts.clock));
    findings.extend(facts.store.iter().flat_map(store::store));
    findings.extend(facts.cluster.iter().flat_map(cluster::cluster));
    findings
}

/// The exit code of these findings: 1 where any is bad.
#[must_use]
pub(super) fn exit_code(findings: &[Finding]) -> u8 {
    u8::from(findings.iter().any(|finding| !finding.good))
}

/// The findings as text: a line each, and the advice indented below.
#[must_use]
pub(super) fn print(findings: &[Finding], charset: Charset) -> String {
    let mut text = String::new();
    for finding in findings {
        // A file's name or a server's answer may hold anything.
        let clean = |text: &str| charset.spell(&Safe::line(text)).into_owned();
        // Writing into a string cannot fail.
        let _ = writeln!(text, "{}  {}", if finding.good { "ok" } else { "--" }, clean(&finding.what));
        if let Some(mend) = &finding.mend {
            let _ = writeln!(text, "      {}", clean(mend));
        }
    }
    text
}

fn terminal(facts: &Facts) -> Vec<Finding> {
    let context = &facts.context;
    if !facts.stdout_is_tty {
        return vec![Finding::good("output: no terminal, so `plain` writes a line for each change")];
    }
    if !context.interactive {
        let named = if facts.term.is_empty() { "TERM is not set".into() } else { format!("TERM is {}", facts.term) };
        return vec![Finding::bad(
            format!("terminal: {named}, so `plain` writes a line for each change"),
            "set TERM to the terminal's name, such as xterm-256color, for the full screen",
        )];
    }
    let Size { columns, rows } = context.size;
    let size = format!("terminal: {}, {columns} columns x {rows} rows", facts.term);
    let size = if columns < SIZE_MIN.columns || rows < SIZE_MIN.rows {
        let (columns, rows) = (SIZE_MIN.columns, SIZE_MIN.rows);
        Finding::bad(
            size,
            format!("below {columns} x {rows} only level and text are left: enlarge it, or shrink the font"),
        )
    } else {
        Finding::good(size)
    };
    vec![
        size,
        colours(context.colours),
        charset(context),
        Finding::good("synchronized updates: sent; a terminal that does not know them ignores them"),
        distance(facts.glyph_rows, rows),
    ]
}

fn colours(depth: ColourDepth) -> Finding {
    match depth {
        ColourDepth::Mono => Finding::good("colours: none; symbol, word and place tell the level")
            .with_advice("if this terminal has colours, force them with --colour 8, 16, 256 or truecolor"),
        ColourDepth::Eight => Finding::good("colours: 8"),
        ColourDepth::Sixteen => Finding::good("colours: 16"),
        ColourDepth::Indexed => Finding::good("colours: 256"),
        ColourDepth::True => Finding::good("colours: 24 bits"),
    }
}

fn charset(context: &Context) -> Finding {
    let words = if context.locale == Locale::Zh { "Chinese" } else { "English" };
    match context.charset {
        Charset::Unicode => Finding::good(format!("characters: Unicode; words in {words}")),
        Charset::Ascii => Finding::good(format!("characters: ASCII; words in {words}"))
            .with_advice("if this terminal shows UTF-8, set LANG=C.UTF-8 or force it with --charset unicode"),
    }
}

/// From how many metres a capital of so many rows can be read on a 24-inch screen of `rows` rows.
#[must_use]
pub(super) fn reading_distance(glyph_rows: u16, rows: u16) -> f64 {
    f64::from(glyph_rows) * SCREEN_MM / f64::from(rows.max(1)) / CAPITAL_MM_PER_METRE
}

fn distance(glyph_rows: Option<u16>, rows: u16) -> Finding {
    let metres = reading_distance(glyph_rows.unwrap_or(1), rows);
    let what = if glyph_rows.is_some() { "the banner" } else { "the text, for which no banner has room here," };
    let finding = Finding::good(format!(
        "reading: {what} can be read from about {metres:.1} m on a 24-inch screen of {rows} rows"
    ));
    if glyph_rows.is_some() {
        finding
    } else {
        finding.with_advice("enlarge the window, and the banner takes its room")
    }
}

fn config(facts: &ConfigFacts) -> Vec<Finding> {
    let Some(path) = &facts.path else {
        return vec![
            Finding::good("config: none found; the built-in board watches this machine")
                .with_advice("`marquee init` writes one to start from"),
        ];
    };
    let path = path.display();
    let mut findings = Vec::new();
    if facts.problems.is_empty() {
        let items = if facts.items == 1 { "1 item".to_owned() } else { format!("{} items", facts.items) };
        findings.push(Finding::good(format!("config: {path}, {items}")));
    }
    findings.extend(facts.problems.iter().map(|problem| {
        Finding::bad(
            format!("config: {problem}"),
            format!("`marquee validate {path}` shows the line and what to write"),
        )
    }));
    findings.push(match facts.file_system.as_deref() {
        None => {
            Finding::good("changes: the file system does not say its type; a slow look beside the events makes sure")
        }
        Some(name) if sends_events(name) => Finding::good(format!("changes: {name} tells of a save at once")),
        Some(name) => {
            Finding::good(format!("changes: {name} sends no change events here: polling every {LOOK_WITHOUT_EVENTS}"))
                .with_advice("keep the config on a local disk for a save to show within 100 ms")
        }
    });
    findings
}

fn state(facts: &Facts) -> Finding {
    let Some(facts) = &facts.state else {
        if let Some(StoreFacts { address, .. }) = &facts.store {
            return Finding::good(format!("state: on Redis, {address}"));
        }
        return Finding::good("state: in memory; a restart begins with the first item");
    };
    let folder = facts.folder.display();
    match &facts.writable {
        Ok(()) => Finding::good(format!("state: {folder} can be written")),
        Err(why) => Finding::bad(
            format!("state: {folder} can't be written: {why}"),
            "let this user write there, or set `state: memory` in the config",
        ),
    }
}

fn clock(facts: ClockFacts) -> Finding {
    if facts.wall < PROGRAM_WRITTEN {
        return Finding::bad("clock: before 2026, so it was never set", "set the date, or let NTP do it");
    }
    match facts.synchronised {
        Some(true) => Finding::good("clock: kept right by this system"),
        Some(false) => Finding::bad(
            "clock: nothing keeps it right, so shown times may be wrong",
            "start chrony or systemd-timesyncd",
        ),
        None => Finding::good("clock: this system does not say whether it is kept right"),
    }
}

#[cfg(test)]
mod tests {
    use super::store::StoreAnswer;
    use super::*;
    use crate::config::theme::Theme;

    /// A place where all is well.
    fn well() -> Facts {
        Facts {
            context: Context {
                locale: Locale::En,
                size: Size { columns: 80, rows: 24 },
                colours: ColourDepth::Indexed,
                charset: Charset::Unicode,
                interactive: true,
                theme: Theme::default(),
            },
            stdout_is_tty: true,
            term: "xterm-256color".into(),
            glyph_rows: Some(3),
            theme_problems: vec![],
            config: ConfigFacts {
                path: Some("/etc/marquee/marquee.yaml".into()),
                items: 3,
                file_system: Some("ext4".into()),
                problems: vec![],
            },
            state: Some(StateFacts { folder: "/var/lib/marquee".into(), writable: Ok(()) }),
            clock: ClockFacts { wall: Moment::from_unix_millis(1_795_183_402_000), synchronised: Some(true) },
            store: Some(StoreFacts {
                address: "127.0.0.1:6379".into(),
                answer: Ok(StoreAnswer { version: Some("7.0.15".into()), ..StoreAnswer::default() }),
            }),
            cluster: Some(ClusterFacts::None),
        }
    }

    #[test]
    fn a_place_where_all_is_well_has_nothing_to_mend() {
        let findings = report(&well());
        assert_eq!(exit_code(&findings), 0);
        let expected = "\
ok  terminal: xterm-256color, 80 columns x 24 rows
ok  colours: 256
ok  characters: Unicode; words in English
ok  synchronized updates: sent; a terminal that does not know them ignores them
ok  reading: the banner can be read from about 8.0 m on a 24-inch screen of 24 rows
ok  config: /etc/marquee/marquee.yaml, 3 items
ok  changes: ext4 tells of a save at once
ok  state: /var/lib/marquee can be written
ok  clock: kept right by this system
ok  Redis: 127.0.0.1:6379 answers: 7.0.15
ok  cluster: none; this console is alone
";
        assert_eq!(print(&findings, Charset::Unicode), expected);
    }

    #[test]
    fn what_is_bad_is_named_with_what_to_do() {
        type Spoil = fn(&mut Facts);
        let cases: &[(Spoil, &str)] = &[
            (|facts| facts.context.size = Size { columns: 19, rows: 24 }, "19 columns x 24 rows"),
            (|facts| facts.context.size.rows = 2, "80 columns x 2 rows"),
            (|facts| (facts.term, facts.context.interactive) = ("dumb".into(), false), "TERM is dumb"),
            (|facts| (facts.term, facts.context.interactive) = (String::new(), false), "TERM is not set"),
            (|facts| facts.theme_problems = vec!["t.yaml:1:1: x".into()], "theme: t.yaml:1:1: x"),
            (|facts| facts.config.problems = vec!["marquee.yaml:3:1 x".into()], "config: marquee.yaml:3:1 x"),
            (
                |facts| {
                    facts.state = Some(StateFacts { folder: "/x".into(), writable: Err("permission denied".into()) });
                },
                "state: /x can't be written: permission denied",
            ),
            (|facts| facts.clock.wall = Moment::EPOCH, "clock: before 2026"),
            (|facts| facts.clock.synchronised = Some(false), "clock: nothing keeps it right"),
            (
                |facts| {
                    facts.store = Some(StoreFacts { address: "a:1".into(), answer: Err("connection refused".into()) });
                },
                "does not answer: connection refused",
            ),
            (|facts| facts.cluster = Some(ClusterFacts::Without), "without etcd"),
        ];
        for (spoil, told) in cases {
            let mut facts = well();
            spoil(&mut facts);
            let findings = report(&facts);
            let bad: Vec<_> = findings.iter().filter(|finding| !finding.good).collect();
            assert_eq!(bad.len(), 1, "{told}: {bad:?}");
            assert!(bad[0].what.contains(told), "{:?} instead of {told}", bad[0].what);
            assert!(bad[0].mend.as_ref().is_some_and(|mend| !mend.is_empty()));
            assert_eq!(exit_code(&findings), 1);
        }
    }

    #[test]
    fn what_is_poor_but_works_is_good_with_advice() {
        type Change = fn(&mut Facts);
        let cases: &[(Change, &str, &str)] = &[
            (|facts| facts.stdout_is_tty = false, "output: no terminal", ""),
            (|facts| facts.context.colours = ColourDepth::Mono, "colours: none", "--colour"),
            (|facts| facts.context.charset = Charset::Ascii, "characters: ASCII", "--charset unicode"),
            (|facts| facts.glyph_rows = None, "the text, for which no banner has room here", "enlarge the window"),
            (|facts| facts.config.path = None, "config: none found", "marquee init"),
            (
                |facts| facts.config.file_system = Some("nfs4".into()),
                "nfs4 sends no change events here: polling every 500ms",
                "local",
            ),
            (|facts| facts.config.file_system = None, "does not say its type", ""),
            (|facts| facts.config.items = 1, "1 item", ""),
            (|facts| (facts.state, facts.store) = (None, None), "state: in memory", ""),
            (|facts| facts.state = None, "state: on Redis, 127.0.0.1:6379", ""),
            (|facts| facts.clock.synchronised = None, "does not say whether it is kept right", ""),
            (|facts| facts.context.locale = Locale::Zh, "words in Chinese", ""),
        ];
        for (change, told, advice) in cases {
            let mut facts = well();
            change(&mut facts);
            let findings = report(&facts);
            assert_eq!(exit_code(&findings), 0, "{told}");
            let found = findings.iter().find(|finding| finding.what.contains(told));
            let mend = found.unwrap_or_else(|| panic!("{told} is not told")).mend.clone().unwrap_or_default();
            assert!(mend.contains(advice) && mend.is_empty() == advice.is_empty(), "{told}: {mend}");
        }
    }

    #[test]
    fn file_systems_without_events_are_known_by_their_names() {
        for name in ["nfs", "nfs4", "overlay", "overlayfs", "9p", "cifs", "fuse.sshfs", "fuseblk"] {
            assert!(!sends_events(name), "{name}");
        }
        for name in ["ext4", "xfs", "btrfs", "tmpfs", "zfs", "f2fs", "vfat", "ntfs3"] {
            assert!(sends_events(name), "{name}");
        }
    }

    #[test]
    fn the_reading_distance_is_sixteen_minutes_of_arc() {
        // A capital of 4.7 mm is read from one metre: 299 mm over 4.7 mm are 63.6 rows of one row each.
        for (glyph_rows, rows, metres) in [(1, 24, 2.65), (3, 24, 7.95), (8, 24, 21.2), (3, 50, 3.8), (3, 0, 190.9)] {
            let found = reading_distance(glyph_rows, rows);
            assert!((found - metres).abs() < 0.05, "{glyph_rows} of {rows}: {found}");
        }
        let arc = CAPITAL_MM_PER_METRE / 1_000.0;
        assert!((arc.atan().to_degrees() * 60.0 - 16.0).abs() < 0.2);
        assert!((24.0_f64 * 25.4 * 9.0 / 337.0_f64.sqrt() - SCREEN_MM).abs() < 0.5);
    }
}
