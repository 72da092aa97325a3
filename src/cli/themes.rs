//! `marquee themes`: the themes there are, and how one looks on this very terminal.
//!
//! Pure functions to text below the one that prints.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use crate::config::theme::{CONTRAST_MIN, Rgb, Theme};
use crate::config::theme_file::{self, BUILTIN};
use crate::frame::{Level, columns};
use crate::renderers::sgr::paint;
use crate::renderers::{Charset, Context};

/// Columns of a line of the sample that are painted, so that a theme's ground is seen around its text.
const SAMPLE_COLUMNS: usize = 60;

/// What an item of each level might say, in the order of [`Level::ALL`].
const SAMPLES: [(&str, &str); 5] = [
    ("press-7", "Pressure 9.1 bar"),
    ("camera", "no answer for 2m 14s"),
    ("cache", "Redis TTL > 30s"),
    ("api", "v2.4.1 active"),
    ("db", "PostgreSQL OK"),
];

/// Lists the themes that can be had beside the config, or shows the one called `name`.
///
/// # Errors
/// Where nothing can be printed.
pub(super) fn themes(name: Option<&str>, folder: &Path, context: &Context) -> io::Result<ExitCode> {
    let Some(name) = name else {
        io::stdout().write_all(list(folder).as_bytes())?;
        return Ok(ExitCode::SUCCESS);
    };
    let loaded = theme_file::load(name, folder);
    let bad = !loaded.problems.is_empty();
    io::stdout().write_all(show(loaded.theme, &loaded.problems, context).as_bytes())?;
    Ok(ExitCode::from(u8::from(bad)))
}

/// The themes that can be had beside a config in `base_dir`, a line each.
#[must_use]
pub(super) fn list(base_dir: &Path) -> String {
    let names = theme_file::available(base_dir);
    let width = names.iter().map(|name| columns(name)).max().unwrap_or_default();
    let mut text = String::new();
    for name in names {
        let about = BUILTIN.iter().find(|theme| theme.name == name).map_or("from a file of yours", |theme| theme.about);
        // Writing into a string cannot fail.
        let _ = writeln!(text, "{name:width$}  {about}");
    }
    text
}

/// How the context's theme looks in this context: each level and each role in its colours, with its contrast.
#[must_use]
pub(super) fn sample(context: &Context) -> String {
    let theme = &context.theme;
    let mut text = line(context, " Text is read", theme.text, theme.background, CONTRAST_MIN);
    text += &line(context, " Muted may be overlooked", theme.muted, theme.background, CONTRAST_MIN);
    let rule = if context.charset == Charset::Unicode { "─" } else { "-" };
    text += &line(context, &rule.repeat(SAMPLE_COLUMNS), theme.border, theme.background, 0.0);
    for (level, (item, says)) in Level::ALL.into_iter().zip(SAMPLES) {
        let look = theme.level(level);
        let told = format!(" {} {:8}  {item:8}  {says}", context.symbol(level), level.word().to_uppercase());
        text += &line(context, &told, look.fg, look.bg.or(theme.background), CONTRAST_MIN);
    }
    if theme.full_bleed {
        text += "the shown item's level fills the whole picture\n";
    }
    text
}

/// One painted line, and behind it the contrast of its colours; told as too low below `least`.
fn line(context: &Context, told: &str, fg: Option<Rgb>, bg: Option<Rgb>, least: f64) -> String {
    let padding = SAMPLE_COLUMNS.saturating_sub(columns(told));
    let painted = paint(&format!("{told}{:padding$}", ""), fg, bg, context.colours);
    match fg.zip(bg).map(|(fg, bg)| fg.contrast(bg)) {
        None => format!("{painted}\n"),
        Some(contrast) if contrast < least => format!("{painted}  {contrast:.1}:1, below {least}:1\n"),
        Some(contrast) => format!("{painted}  {contrast:.1}:1\n"),
    }
}

/// The name and the sample of `theme`, and below it what is wrong with it.
#[must_use]
pub(super) fn show(theme: Theme, problems: &[String], context: &Context) -> String {
    let context = Context { theme, ..context.clone() };
    let problems =
        problems.iter().map(|problem| context.charset.spell(&crate::frame::Safe::line(problem)).into_owned() + "\n");
    format!("{}\n{}{}", context.theme.name, sample(&context), problems.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::renderers::{ColourDepth, Locale, Size};

    fn context(theme: &str, charset: Charset, colours: ColourDepth) -> Context {
        let theme = theme_file::builtin(theme).unwrap();
        let size = Size { columns: 80, rows: 24 };
        Context { locale: Locale::En, size, colours, charset, interactive: true, theme }
    }

    #[test]
    fn every_theme_has_its_line() {
        let text = list(Path::new("/nonexistent"));
        assert!(text.starts_with("midnight       dark and quiet"));
        assert_eq!(text.lines().map(|line| line.split(' ').next().unwrap()).collect::<Vec<_>>(), theme_file::names());
        assert!(text.lines().all(|line| line.is_ascii() && line.len() < 80));
    }

    #[test]
    fn every_theme_shows_every_level_on_every_terminal() {
        for name in theme_file::names() {
            for (depth, _) in ColourDepth::ALL {
                let text = sample(&context(name, Charset::Ascii, depth));
                assert!(text.is_ascii());
                for level in Level::ALL {
                    assert!(text.contains(&level.word().to_uppercase()), "{name}");
                }
                assert_eq!(
                    text.contains('\u{1b}'),
                    depth != ColourDepth::Mono && name != "mono",
                    "{name} in {depth:?}"
                );
                assert!(!text.contains("below"), "{name}: {text}");
                assert_eq!(text.contains("fills the whole picture"), name == "andon");
                // Each paint is taken off in its own line: nothing runs on into the prompt.
                assert!(
                    text.lines().all(|line| line.matches("\u{1b}[0m").count() * 2 == line.matches('\u{1b}').count())
                );
            }
        }
        let text = sample(&context("mono", Charset::Unicode, ColourDepth::True));
        assert!(text.contains(" ▲ WARNING   cache     Redis TTL > 30s"));
    }

    #[test]
    fn a_contrast_that_is_too_low_is_told_and_so_are_problems() {
        let midnight = context("midnight", Charset::Unicode, ColourDepth::Mono);
        let theme = Theme { text: Some(Rgb(90, 90, 90)), ..midnight.theme.clone() };
        let text = show(theme, &["t.yaml:1:1: unknown key".into()], &midnight);
        assert!(text.starts_with("midnight\n Text is read"));
        assert_eq!(text.matches("below 7:1").count(), 1, "{text}");
        assert!(text.ends_with("t.yaml:1:1: unknown key\n"));
    }
}
