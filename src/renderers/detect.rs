//! What a terminal can do, told from the environment.
//!
//! A pure function of [`Facts`]: who reads the environment and asks whether the
//! output is a terminal is the app. Deliberately no questions to the terminal
//! itself: an answer that comes late would land among the keys, and a serial line
//! or a dead ssh never answers. Whether the input is a terminal is not asked
//! either: a screen on the wall has no keyboard, and is a screen all the same.

use super::{Charset, ColourDepth, Context, Locale, Size};
use crate::config::theme::Theme;

/// The size where a terminal does not tell its own, as a serial line: that of the VT100.
pub const DEFAULT_SIZE: Size = Size { columns: 80, rows: 24 };

/// What is known of the place a renderer draws in.
pub struct Facts<'a> {
    /// Looks up a variable of the environment.
    pub env: &'a dyn Fn(&str) -> Option<String>,
    /// Whether the standard output is a terminal.
    pub stdout_is_tty: bool,
    /// The size the terminal tells; `None` where it tells none.
    pub size: Option<Size>,
}

/// What the command line or the config decides, whatever the environment says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forced {
    /// `--charset`.
    pub charset: Option<Charset>,
    /// `--colour`.
    pub colours: Option<ColourDepth>,
    /// The config's `locale`.
    pub locale: Option<Locale>,
}

/// What kind of terminal stands at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A file, a pipe, a socket.
    Pipe,
    /// A terminal that can't move its cursor, or does not say what it is.
    Dumb,
    /// A terminal of glass and wire, or one that plays it: no UTF-8.
    Hardware,
    /// Everything later, with its colours.
    Modern(ColourDepth),
}

/// Terminals of 24 bits by the beginning of their name. Over ssh the name arrives and `COLORTERM` does not.
const TRUE_COLOUR_NAMES: &[&str] = &["xterm-kitty", "xterm-ghostty", "alacritty", "foot", "wezterm", "contour"];

/// Terminals by the beginning of their name that know ASCII and their own line drawing, and no colour.
const HARDWARE_NAMES: &[&str] = &["vt1", "vt2", "vt3", "vt4", "vt5", "wy", "adm", "tvi", "h19", "hp", "ibm"];

/// The place that `facts` describe, drawn in `theme`.
#[must_use]
pub fn detect(facts: &Facts, forced: &Forced, theme: Theme) -> Context {
    let kind = kind(facts);
    let charset = forced.charset.unwrap_or_else(|| charset(facts, kind));
    Context {
        locale: locale(facts, charset, forced.locale),
        size: size(facts),
        colours: forced.colours.unwrap_or_else(|| colours(facts, kind)),
        charset,
        interactive: matches!(kind, Kind::Hardware | Kind::Modern(_)),
        theme,
    }
}

/// A variable of the environment that is set to something.
fn set(facts: &Facts, name: &str) -> Option<String> {
    (facts.env)(name).filter(|value| !value.is_empty())
}

/// The first of the variables that is set to something, as the C library takes a locale.
fn first(facts: &Facts, names: &[&str]) -> String {
    names.iter().find_map(|name| set(facts, name)).unwrap_or_default()
}

fn kind(facts: &Facts) -> Kind {
    if !facts.stdout_is_tty {
        return Kind::Pipe;
    }
    let term = set(facts, "TERM").unwrap_or_default();
    match term.as_str() {
        "" | "dumb" | "unknown" => Kind::Dumb,
        term if HARDWARE_NAMES.iter().any(|name| term.starts_with(name)) => Kind::Hardware,
        term => Kind::Modern(depth(facts, term)),
    }
}

/// The colours of a terminal by its name, and by what it says of itself.
fn depth(facts: &Facts, term: &str) -> ColourDepth {
    // GNU screen hands the variables of the terminal around it through, but garbles 24 bits; tmux translates them.
    let in_screen = set(facts, "STY").is_some() && set(facts, "TMUX").is_none();
    let claims_true = set(facts, "COLORTERM").is_some_and(|value| value == "truecolor" || value == "24bit");
    let named_true = term.ends_with("-direct") || TRUE_COLOUR_NAMES.iter().any(|name| term.starts_with(name));
    match term {
        _ if term.ends_with("-m") || term.ends_with("-mono") => ColourDepth::Mono,
        // The kernel's console, whatever a session before it left in the environment.
        _ if term == "linux" || term.starts_with("linux-") => ColourDepth::Sixteen,
        _ if (named_true || claims_true) && !in_screen => ColourDepth::True,
        _ if term.ends_with("-256color") || named_true || claims_true => ColourDepth::Indexed,
        _ if term == "xterm" || term.ends_with("-16color") || term.ends_with("-88color") => ColourDepth::Sixteen,
        _ => ColourDepth::Eight,
    }
}

fn colours(facts: &Facts, kind: Kind) -> ColourDepth {
    let forced = set(facts, "CLICOLOR_FORCE").is_some_and(|value| value != "0");
    let unwanted = set(facts, "NO_COLOR").is_some() || (set(facts, "CLICOLOR").as_deref() == Some("0") && !forced);
    match kind {
        _ if unwanted => ColourDepth::Mono,
        Kind::Modern(depth) => depth,
        // A log viewer that asks for colours through a pipe: sixteen is what all of them know.
        Kind::Pipe if forced => ColourDepth::Sixteen,
        Kind::Pipe | Kind::Dumb | Kind::Hardware => ColourDepth::Mono,
    }
}

/// UTF-8 where the locale says so. The Linux console shows it too: its font has the lines and the half blocks.
fn charset(facts: &Facts, kind: Kind) -> Charset {
    let locale = first(facts, &["LC_ALL", "LC_CTYPE", "LANG"]);
    let locale = locale.split('@').next().unwrap_or_default();
    // `language.codeset`; one system writes the codeset alone.
    let codeset = locale.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    match kind {
        Kind::Pipe | Kind::Modern(_) if matches!(codeset.as_str(), "utf-8" | "utf8") => Charset::Unicode,
        _ => Charset::Ascii,
    }
}

/// The language of the words. Chinese needs characters that ASCII has not, and the font of the Linux console neither.
fn locale(facts: &Facts, charset: Charset, forced: Option<Locale>) -> Locale {
    if charset == Charset::Ascii {
        return Locale::En;
    }
    let wanted = first(facts, &["LC_ALL", "LC_MESSAGES", "LANG"]);
    let language = wanted.split(['_', '.', '@']).next().unwrap_or_default();
    let console = facts.stdout_is_tty && set(facts, "TERM").is_some_and(|term| term.starts_with("linux"));
    forced.unwrap_or(if language == "zh" && !console { Locale::Zh } else { Locale::En })
}

/// The terminal's size; where it tells none, or none that can be, as the environment says, else the default.
fn size(facts: &Facts) -> Size {
    let told = facts.size.filter(|size| size.columns > 0 && size.rows > 0);
    let number = |name| set(facts, name).and_then(|text| text.parse().ok()).filter(|number| *number > 0);
    told.unwrap_or_else(|| Size {
        columns: number("COLUMNS").unwrap_or(DEFAULT_SIZE.columns),
        rows: number("LINES").unwrap_or(DEFAULT_SIZE.rows),
    })
}

#[cfg(test)]
mod tests {
    use super::Charset::{Ascii, Unicode};
    use super::ColourDepth::{Eight, Indexed, Mono, Sixteen, True};
    use super::Locale::{En, Zh};
    use super::*;

    /// The context for an environment written as `A=1 B=2`.
    fn of(env: &str, tty: bool, size: Option<Size>, forced: &Forced) -> Context {
        let env = |name: &str| {
            let found = env.split(' ').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name);
            found.map(|(_, value)| value.to_owned())
        };
        detect(&Facts { env: &env, stdout_is_tty: tty, size }, forced, Theme::default())
    }

    #[test]
    fn terminals_are_told_by_their_environment() {
        for (env, colours, charset, locale, interactive) in [
            // No name, or one that can do nothing: plain lines.
            ("", Mono, Ascii, En, false),
            ("LANG=en_US.UTF-8", Mono, Ascii, En, false),
            ("TERM= LANG=en_US.UTF-8", Mono, Ascii, En, false),
            ("TERM=dumb LANG=en_US.UTF-8", Mono, Ascii, En, false),
            ("TERM=unknown COLORTERM=truecolor", Mono, Ascii, En, false),
            // Glass.
            ("TERM=vt100 LANG=en_US.UTF-8", Mono, Ascii, En, true),
            ("TERM=vt220 COLORTERM=truecolor", Mono, Ascii, En, true),
            ("TERM=wy60 LANG=C.UTF-8", Mono, Ascii, En, true),
            // The kernel's console.
            ("TERM=linux LANG=en_US.UTF-8", Sixteen, Unicode, En, true),
            ("TERM=linux COLORTERM=truecolor LANG=C", Sixteen, Ascii, En, true),
            ("TERM=linux LANG=zh_CN.UTF-8", Sixteen, Unicode, En, true),
            // Names.
            ("TERM=xterm LANG=C.UTF-8", Sixteen, Unicode, En, true),
            ("TERM=xterm-256color LANG=C.utf8", Indexed, Unicode, En, true),
            ("TERM=xterm-mono LANG=C.utf8", Mono, Unicode, En, true),
            ("TERM=xterm-16color", Sixteen, Ascii, En, true),
            ("TERM=rxvt", Eight, Ascii, En, true),
            ("TERM=rxvt-88color", Sixteen, Ascii, En, true),
            ("TERM=screen", Eight, Ascii, En, true),
            ("TERM=screen-256color TMUX=/tmp/tmux-0/default,1,0", Indexed, Ascii, En, true),
            ("TERM=tmux-256color TMUX=x COLORTERM=truecolor", True, Ascii, En, true),
            ("TERM=screen-256color STY=1.x COLORTERM=truecolor", Indexed, Ascii, En, true),
            ("TERM=tmux-256color TMUX=x STY=1.x COLORTERM=24bit", True, Ascii, En, true),
            ("TERM=xterm-direct", True, Ascii, En, true),
            ("TERM=xterm-kitty LANG=de_DE.UTF-8", True, Unicode, En, true),
            ("TERM=foot LANG=de_DE.UTF-8@euro", True, Unicode, En, true),
            ("TERM=xterm-256color COLORTERM=yes", Indexed, Ascii, En, true),
            // What people do not want.
            ("TERM=xterm-256color NO_COLOR=1", Mono, Ascii, En, true),
            ("TERM=xterm-256color NO_COLOR=", Indexed, Ascii, En, true),
            ("TERM=xterm-256color NO_COLOR=1 CLICOLOR_FORCE=1", Mono, Ascii, En, true),
            ("TERM=xterm-256color CLICOLOR=0", Mono, Ascii, En, true),
            ("TERM=xterm-256color CLICOLOR=0 CLICOLOR_FORCE=1", Indexed, Ascii, En, true),
            // Locales.
            ("TERM=xterm LANG=en_US", Sixteen, Ascii, En, true),
            ("TERM=xterm LANG=POSIX", Sixteen, Ascii, En, true),
            ("TERM=xterm LANG=en_US.ISO-8859-1", Sixteen, Ascii, En, true),
            ("TERM=xterm LC_ALL=C LANG=zh_CN.UTF-8", Sixteen, Ascii, En, true),
            ("TERM=xterm LC_ALL= LC_CTYPE=UTF-8", Sixteen, Unicode, En, true),
            ("TERM=xterm LC_CTYPE=C LANG=en_US.UTF-8", Sixteen, Ascii, En, true),
            ("TERM=xterm LANG=zh_CN.UTF-8", Sixteen, Unicode, Zh, true),
            ("TERM=xterm LANG=zh_CN.GB18030", Sixteen, Ascii, En, true),
            ("TERM=xterm LC_MESSAGES=zh_TW.UTF-8 LANG=en_US.UTF-8", Sixteen, Unicode, Zh, true),
            ("TERM=xterm LC_ALL=en_US.UTF-8 LC_MESSAGES=zh_TW.UTF-8", Sixteen, Unicode, En, true),
        ] {
            let found = of(env, true, None, &Forced::default());
            assert_eq!(
                (found.colours, found.charset, found.locale, found.interactive),
                (colours, charset, locale, interactive),
                "{env}"
            );
        }
    }

    #[test]
    fn a_pipe_gets_plain_lines_in_the_charset_of_the_locale() {
        for (env, colours, charset) in [
            ("TERM=xterm-256color COLORTERM=truecolor LANG=en_US.UTF-8", Mono, Unicode),
            ("TERM=vt100 LANG=C", Mono, Ascii),
            ("CLICOLOR_FORCE=1", Sixteen, Ascii),
            ("CLICOLOR_FORCE=0", Mono, Ascii),
            ("CLICOLOR_FORCE=1 NO_COLOR=1", Mono, Ascii),
        ] {
            let found = of(env, false, None, &Forced::default());
            assert_eq!((found.colours, found.charset, found.interactive), (colours, charset, false), "{env}");
        }
        assert_eq!(of("TERM=linux LANG=zh_CN.UTF-8", false, None, &Forced::default()).locale, Zh);
    }

    #[test]
    fn what_is_forced_holds_except_chinese_in_ascii() {
        let forced = Forced { charset: Some(Unicode), colours: Some(True), locale: Some(Zh) };
        for tty in [true, false] {
            let found = of("TERM=vt100 NO_COLOR=1", tty, None, &forced);
            assert_eq!((found.charset, found.colours, found.locale), (Unicode, True, Zh));
        }
        let forced = Forced { charset: Some(Ascii), colours: Some(Mono), locale: Some(Zh) };
        let found = of("TERM=xterm-256color LANG=zh_CN.UTF-8", true, None, &forced);
        assert_eq!((found.charset, found.colours, found.locale), (Ascii, Mono, En));
        let forced = Forced { locale: Some(En), ..Forced::default() };
        assert_eq!(of("TERM=xterm LANG=zh_CN.UTF-8", true, None, &forced).locale, En);
    }

    #[test]
    fn the_size_is_what_the_terminal_tells_or_what_can_be() {
        let size = |columns, rows| Size { columns, rows };
        for (env, told, expected) in [
            ("COLUMNS=10", Some(size(200, 50)), size(200, 50)),
            ("", Some(size(0, 0)), DEFAULT_SIZE),
            ("", None, DEFAULT_SIZE),
            ("COLUMNS=132 LINES=43", Some(size(0, 0)), size(132, 43)),
            ("COLUMNS=0 LINES=-3", None, DEFAULT_SIZE),
            ("COLUMNS=99999999 LINES=x", None, DEFAULT_SIZE),
            ("", Some(size(1, 1)), size(1, 1)),
        ] {
            assert_eq!(of(env, true, told, &Forced::default()).size, expected, "{env}");
        }
    }
}
