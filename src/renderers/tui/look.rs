//! How everything looks: a style for each role, a sign for each meaning, in what this terminal has.
//!
//! Computed from the theme once per change; the drawing functions take styles from here and
//! decide nothing about colours themselves.

use ratatui::style::{Color, Modifier, Style};

use super::colour::{apart, background, blend, foreground};
use super::text::width;
use crate::config::theme::{Rgb, Theme};
use crate::frame::Level;
use crate::renderers::words::{Word, word};
use crate::renderers::{Charset, ColourDepth, Locale};

/// The symbols of the levels where the terminal shows ASCII alone, in the order of [`Level::ALL`].
const ASCII_SYMBOLS: [char; 5] = ['X', '?', '!', 'i', '+'];

/// How everything looks on this terminal.
#[derive(Clone, Debug)]
pub(super) struct Look {
    /// The language of the words.
    pub(super) locale: Locale,
    /// Whether every sign has to be ASCII.
    pub(super) ascii: bool,
    /// What fills the picture.
    pub(super) base: Style,
    /// Plain text.
    pub(super) text: Style,
    /// What may be overlooked.
    pub(super) muted: Style,
    /// Lines.
    pub(super) border: Style,
    /// The title, and the names of keys.
    pub(super) strong: Style,
    /// What is laid over a selected row.
    pub(super) selected: Style,
    /// Signs that are not text.
    pub(super) signs: &'static Signs,
    levels: [Style; 5],
    badges: [Style; 5],
    papers: [Paper; 5],
    symbols: [String; 5],
}

/// What the page of a turn is written on, and with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paper {
    /// The level's own ground, from side to side; `None`: the picture's.
    pub(super) fill: Option<Style>,
    /// Level and word: a patch that is told from far away where the level is an alarm.
    pub(super) headline: Style,
    /// Plain text.
    pub(super) text: Style,
    /// What may be overlooked.
    pub(super) muted: Style,
    /// The part of the turn that has passed.
    pub(super) passed: Style,
    /// The part of the turn that is left.
    pub(super) left: Style,
}

/// Signs that are not text, each one column wide unless it says otherwise.
#[derive(Debug)]
pub(super) struct Signs {
    /// A rule from side to side.
    pub(super) rule: &'static str,
    /// The part of a turn that has passed.
    pub(super) passed: &'static str,
    /// The part of a turn that is left.
    pub(super) left: &'static str,
    /// Where text is cut off; three columns in ASCII.
    pub(super) ellipsis: &'static str,
    /// Between two facts of one line; three columns.
    pub(super) dot: &'static str,
    /// Before the selected row.
    pub(super) pointer: &'static str,
    /// Where typed text goes.
    pub(super) cursor: &'static str,
    /// Behind an item that changes too often.
    pub(super) flapping: &'static str,
    /// Before whatever is not in sync with the others.
    pub(super) apart: &'static str,
    /// Before the console that leads, and before one that follows.
    pub(super) parts: [&'static str; 2],
    /// Before how wrong a number may be.
    pub(super) within: &'static str,
    /// The keys that step, as hinted at.
    pub(super) arrows: &'static str,
    /// A sparkline's columns, lowest first; empty: letters of the level instead.
    pub(super) spark: &'static [&'static str],
    /// Corners of a box: upper left, upper right, lower left, lower right; then its sides.
    pub(super) frame: [&'static str; 6],
}

const UNICODE: Signs = Signs {
    rule: "─",
    passed: "━",
    left: "─",
    ellipsis: "…",
    dot: " · ",
    pointer: "›",
    cursor: "▏",
    flapping: "≈",
    apart: "≠",
    parts: ["◆", "◇"],
    within: "±",
    arrows: "←→",
    spark: &["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
    frame: ["╭", "╮", "╰", "╯", "─", "│"],
};

const ASCII: Signs = Signs {
    rule: "-",
    passed: "#",
    left: "-",
    ellipsis: "...",
    dot: " - ",
    pointer: ">",
    cursor: "_",
    flapping: "~",
    apart: "!",
    parts: ["*", "-"],
    within: "+-",
    arrows: "<>",
    spark: &[],
    frame: ["+", "+", "+", "+", "-", "|"],
};

impl Look {
    /// The look of `theme` on a terminal, while `shown` is the level of the shown item.
    pub(super) fn new(theme: &Theme, depth: ColourDepth, charset: Charset, locale: Locale, shown: Level) -> Self {
        let bleed = theme.level(shown).bg.filter(|_| theme.full_bleed && depth > ColourDepth::Mono);
        let roles = Roles::new(theme, bleed, shown);
        let behind = background(roles.background, depth);
        let role = |colour| Style { fg: apart(foreground(colour, depth), behind, depth), ..Style::new() };
        let text = role(roles.text);
        let levels = Level::ALL.map(|level| level_style(theme, level, depth, behind, bleed.is_some()));
        let badges = Level::ALL.map(|level| {
            let style = levels[level.index()].add_modifier(Modifier::BOLD);
            if level.is_alarm() && style.bg.is_none() { style.add_modifier(Modifier::REVERSED) } else { style }
        });
        let (muted, border) = (role(roles.muted), role(roles.border));
        let papers = Level::ALL.map(|level| {
            let style = levels[level.index()];
            let passed = if level.is_alarm() { style } else { muted };
            let plain = Paper { fill: None, headline: badges[level.index()], text, muted, passed, left: border };
            let Some(ground) = theme.level(level).bg.filter(|_| style.bg.is_some()) else { return plain };
            // The theme's other roles were not chosen for this ground, so that all letters take the one that was.
            let line = theme.level(level).fg.or(theme.text).map(|letters| blend(letters, ground, 45));
            let headline = style.add_modifier(Modifier::BOLD | Modifier::REVERSED);
            let left = Style { fg: apart(foreground(line, depth), style.bg, depth), ..style };
            Paper { fill: Some(style), headline, text: style, muted: style, passed: style, left }
        });
        let ascii = charset == Charset::Ascii;
        Self {
            locale,
            ascii,
            base: Style { bg: behind.or(Some(Color::Reset)), ..text },
            text,
            muted,
            border,
            strong: text.add_modifier(Modifier::BOLD),
            selected: selected(&roles, depth),
            signs: if ascii { &ASCII } else { &UNICODE },
            levels,
            badges,
            papers,
            symbols: Level::ALL.map(|level| symbol(theme, level, ascii)),
        }
    }

    /// The style of what is at `level`.
    pub(super) fn level(&self, level: Level) -> Style {
        self.levels[level.index()]
    }

    /// The style of a level's word: a patch for an alarm, so that it is told from far away.
    pub(super) fn badge(&self, level: Level) -> Style {
        self.badges[level.index()]
    }

    /// What the page of a turn at `level` is written on.
    pub(super) fn paper(&self, level: Level) -> &Paper {
        &self.papers[level.index()]
    }

    /// A style on a selected row: what has a ground of its own keeps it, because its letters were chosen for that.
    pub(super) fn on_selected(&self, style: Style) -> Style {
        if style.bg.is_some() { style } else { style.patch(self.selected) }
    }

    /// The style of what is wrong with the program itself.
    pub(super) fn notice(&self) -> Style {
        self.level(Level::Warning).add_modifier(Modifier::BOLD)
    }

    /// The sign of a level, one column wide.
    pub(super) fn symbol(&self, level: Level) -> &str {
        &self.symbols[level.index()]
    }

    /// A word in the viewer's language.
    pub(super) const fn word(&self, wanted: Word) -> &'static str {
        word(self.locale, wanted)
    }
}

/// The theme's colours by role, with the shown level's behind everything where that is wanted.
struct Roles {
    background: Option<Rgb>,
    text: Option<Rgb>,
    muted: Option<Rgb>,
    border: Option<Rgb>,
}

impl Roles {
    fn new(theme: &Theme, bleed: Option<Rgb>, shown: Level) -> Self {
        let Some(bleed) = bleed else {
            return Self { background: theme.background, text: theme.text, muted: theme.muted, border: theme.border };
        };
        let letters = theme.level(shown).fg.or(theme.text);
        // Of the theme's own roles none was chosen for this ground, so that all letters take the one that was.
        let border = letters.map(|letters| blend(letters, bleed, 45));
        Self { background: Some(bleed), text: letters, muted: letters, border }
    }
}

/// The style of text at a level: its colours, and boldness for alarms where colours are few.
fn level_style(theme: &Theme, level: Level, depth: ColourDepth, behind: Option<Color>, bleeds: bool) -> Style {
    let look = theme.level(level);
    let bg = background(look.bg, depth);
    // Where the level fills the picture, the others stand in patches of their own colour.
    let bg = if bleeds && bg == behind { None } else { bg };
    let fg = apart(foreground(look.fg, depth), bg.or(behind), depth);
    let style = Style { fg, bg, ..Style::new() };
    match (depth, level) {
        (ColourDepth::Mono | ColourDepth::Eight, level) if level.is_alarm() => style.add_modifier(Modifier::BOLD),
        (ColourDepth::Mono, Level::Healthy) => style.add_modifier(Modifier::DIM),
        _ => style,
    }
}

/// A selected row: a shade off the ground where there are shades, else reversed.
fn selected(roles: &Roles, depth: ColourDepth) -> Style {
    match (roles.background, roles.text) {
        (Some(ground), Some(letters)) if depth >= ColourDepth::Indexed => {
            Style { bg: background(Some(blend(letters, ground, 14)), depth), ..Style::new() }
        }
        // One colour for the whole row: letters of several, reversed, would be patches.
        _ => {
            let behind = background(roles.background, depth);
            let letters = apart(foreground(roles.text, depth), behind, depth);
            let (fg, bg) = (letters.or(Some(Color::Reset)), behind.or(Some(Color::Reset)));
            Style { fg, bg, ..Style::new() }.add_modifier(Modifier::REVERSED)
        }
    }
}

fn symbol(theme: &Theme, level: Level, ascii: bool) -> String {
    let own = theme.level(level).symbol;
    let fits = if ascii { own.is_ascii_graphic() } else { width(own.encode_utf8(&mut [0; 4])) == 1 };
    if fits { own } else { ASCII_SYMBOLS[level.index()] }.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(theme: &Theme, depth: ColourDepth, charset: Charset, shown: Level) -> Look {
        Look::new(theme, depth, charset, Locale::En, shown)
    }

    #[test]
    fn every_sign_of_the_ascii_look_is_ascii_and_symbols_differ() {
        let plain = look(&Theme::default(), ColourDepth::Mono, Charset::Ascii, Level::Info);
        let signs = plain.signs;
        let all = [signs.rule, signs.passed, signs.left, signs.ellipsis, signs.dot, signs.pointer, signs.cursor];
        assert!(all.iter().chain(&signs.frame).all(|sign| sign.is_ascii()));
        assert!(signs.apart.is_ascii() && signs.within.is_ascii() && signs.parts.iter().all(|sign| sign.is_ascii()));
        assert!(signs.flapping.is_ascii() && signs.arrows.is_ascii() && signs.spark.is_empty());
        for (place, level) in Level::ALL.into_iter().enumerate() {
            assert!(plain.symbol(level).is_ascii());
            assert!(Level::ALL[..place].iter().all(|other| plain.symbol(*other) != plain.symbol(level)));
        }
    }

    #[test]
    fn without_colours_alarms_are_bold_and_healthy_is_dim() {
        let mono = look(&Theme::default(), ColourDepth::Mono, Charset::Unicode, Level::Healthy);
        for level in Level::ALL {
            assert_eq!(mono.level(level).add_modifier.contains(Modifier::BOLD), level.is_alarm());
            assert_eq!(mono.badge(level).add_modifier.contains(Modifier::REVERSED), level.is_alarm());
            assert_eq!(mono.level(level).fg, None);
        }
        assert!(mono.level(Level::Healthy).add_modifier.contains(Modifier::DIM));
    }

    #[test]
    fn full_bleed_puts_the_shown_level_behind_everything() {
        let mut theme = Theme { full_bleed: true, background: Some(Rgb(0, 0, 0)), ..Theme::default() };
        theme.levels[Level::Critical.index()].bg = Some(Rgb(140, 0, 0));
        theme.levels[Level::Critical.index()].fg = Some(Rgb(255, 255, 255));
        let critical = look(&theme, ColourDepth::True, Charset::Unicode, Level::Critical);
        assert_eq!(critical.base.bg, Some(Color::Rgb(140, 0, 0)));
        assert_eq!(critical.muted.fg, Some(Color::Rgb(255, 255, 255)));
        let healthy = look(&theme, ColourDepth::True, Charset::Unicode, Level::Healthy);
        assert_eq!(healthy.base.bg, Some(Color::Rgb(0, 0, 0)));
    }

    #[test]
    fn a_level_with_a_ground_of_its_own_fills_its_page_and_keeps_its_letters_when_selected() {
        let mut theme = Theme { background: Some(Rgb(250, 250, 250)), ..Theme::default() };
        theme.levels[Level::Critical.index()].bg = Some(Rgb(140, 0, 0));
        theme.levels[Level::Critical.index()].fg = Some(Rgb(255, 255, 255));
        let look = look(&theme, ColourDepth::True, Charset::Unicode, Level::Critical);
        let paper = look.paper(Level::Critical);
        let fill = paper.fill.unwrap_or_default();
        assert_eq!(fill.bg, Some(Color::Rgb(140, 0, 0)));
        for style in [paper.text, paper.muted, paper.passed] {
            assert_eq!((style.fg, style.bg), (Some(Color::Rgb(255, 255, 255)), fill.bg));
        }
        assert_eq!(look.on_selected(fill), fill);
        assert_eq!(look.paper(Level::Warning).fill, None);
        // Where there are no colours there is no ground either, and the word has to be a patch.
        let mono = Look::new(&theme, ColourDepth::Mono, Charset::Unicode, Locale::En, Level::Critical);
        assert_eq!(mono.paper(Level::Critical).fill, None);
        assert!(mono.paper(Level::Critical).headline.add_modifier.contains(Modifier::REVERSED));
    }

    #[test]
    fn a_symbol_of_another_width_is_replaced() {
        let mut theme = Theme::default();
        theme.levels[0].symbol = '七';
        assert_eq!(look(&theme, ColourDepth::True, Charset::Unicode, Level::Info).symbol(Level::Critical), "X");
    }
}
