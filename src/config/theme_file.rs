//! Finds themes: compiled in, overridable by files beside the config.
//!
//! A broken theme never takes the screen away: every way through here ends in a
//! usable theme, and beside it a list of what is wrong. Deliberately no watching:
//! [`Loaded::files`] says what the app should watch.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::theme::Theme;
use super::theme_text::{is_name, proposal, quoted, read};

/// The theme of a board that names none.
pub const DEFAULT: &str = "midnight";

/// The folder beside the config that holds themes.
const FOLDER: &str = "themes";
/// The most bytes a theme file may have. A whole theme takes less than one KiB.
const FILE_BYTES_MAX: u64 = 64 * 1024;
/// The most problems that are told of one theme; after so many the file is plainly no theme.
const PROBLEMS_MAX: usize = 20;
/// The longest line of ancestors.
const ANCESTORS_MAX: usize = 8;

/// A theme that is compiled in.
pub struct BuiltIn {
    /// Its name.
    pub name: &'static str,
    /// One line on it.
    pub about: &'static str,
    text: &'static str,
}

/// Every theme that is compiled in, in the order in which a viewer goes through them.
pub const BUILTIN: &[BuiltIn] = &[
    BuiltIn {
        name: "midnight",
        about: "dark and quiet, for a control room (the default)",
        text: include_str!("../../themes/midnight.yaml"),
    },
    BuiltIn {
        name: "daylight",
        about: "dark on light, for a bright hall",
        text: include_str!("../../themes/daylight.yaml"),
    },
    BuiltIn {
        name: "high-contrast",
        about: "white on black, for far or tired eyes",
        text: include_str!("../../themes/high-contrast.yaml"),
    },
    BuiltIn {
        name: "mono",
        about: "no colours: symbol, word and place tell the level",
        text: include_str!("../../themes/mono.yaml"),
    },
    BuiltIn {
        name: "colour-blind",
        about: "told apart along blue and yellow, and by lightness",
        text: include_str!("../../themes/colour-blind.yaml"),
    },
    BuiltIn {
        name: "andon",
        about: "the lamp over the line: the level fills the whole screen",
        text: include_str!("../../themes/andon.yaml"),
    },
];

/// What came of loading a theme.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// A theme to draw with, whatever went wrong.
    pub theme: Theme,
    /// What went wrong, each as `FILE:LINE:COLUMN: what to mend` where it has a place.
    pub problems: Vec<String>,
    /// Every file that this theme depends on, itself first. Some may not exist: a file
    /// that appears under such a path replaces what is compiled in.
    pub files: Vec<PathBuf>,
}

/// The names of the themes that are compiled in.
#[must_use]
pub fn names() -> Vec<&'static str> {
    BUILTIN.iter().map(|theme| theme.name).collect()
}

/// The compiled-in theme called `name`.
#[must_use]
pub fn builtin(name: &str) -> Option<Theme> {
    let found = BUILTIN.iter().find(|theme| theme.name == name)?;
    let mut reading = read(found.text);
    // Only the default has no parent; a test goes over all, so that this can't turn in a circle.
    let mut theme = reading.inherits().and_then(|(parent, _)| builtin(parent)).unwrap_or_default();
    reading.lay_over(&mut theme);
    Some(theme)
}

/// The names of all themes that can be had beside a config in `base_dir`: those
/// compiled in, then those that only files give, by name.
#[must_use]
pub fn available(base_dir: &Path) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for entry in base_dir.join(FOLDER).read_dir().into_iter().flatten().flatten() {
        let path = entry.path();
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let yaml = path.extension().is_some_and(|extension| extension == "yaml");
        if yaml && is_name(stem) && !names().contains(&stem) {
            found.push(stem.to_owned());
        }
    }
    found.sort();
    names().into_iter().map(str::to_owned).chain(found).collect()
}

/// Loads a theme: from the path where `name_or_path` is one (it has a `/` or ends in
/// `.yaml`), else from `themes/NAME.yaml` in `base_dir`, else from what is compiled in.
///
/// A file without `inherit:` is laid over the compiled-in theme of its own name, or over the default.
#[must_use]
pub fn load(name_or_path: &str, base_dir: &Path) -> Loaded {
    let mut loader = Loader { base_dir, problems: Vec::new(), files: Vec::new(), chain: Vec::new() };
    let theme = match loader.find(name_or_path, base_dir, None) {
        Ok(source) => loader.theme(&source),
        Err(problem) => {
            loader.problems.push(problem);
            fallback()
        }
    };
    let Loader { mut problems, files, .. } = loader;
    if problems.len() > PROBLEMS_MAX {
        let more = problems.len() - PROBLEMS_MAX;
        problems.truncate(PROBLEMS_MAX);
        problems.push(format!("and {more} more"));
    }
    Loaded { theme, problems, files }
}

/// What is drawn with where nothing better can be had.
fn fallback() -> Theme {
    builtin(DEFAULT).unwrap_or_default()
}

/// Where a theme's text comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Source {
    File(PathBuf),
    BuiltIn(&'static str),
}

/// One loading, with what it gathers on its way through the ancestors.
struct Loader<'a> {
    base_dir: &'a Path,
    problems: Vec<String>,
    files: Vec<PathBuf>,
    chain: Vec<Source>,
}

impl Loader<'_> {
    /// Finds the theme `wanted`, which a text in the folder `from` names. `child` is the theme that
    /// inherits it: a file that names itself means the compiled-in theme that it overrides.
    fn find(&mut self, wanted: &str, from: &Path, child: Option<&Path>) -> Result<Source, String> {
        if wanted.contains('/') || has_yaml_ending(wanted) {
            let path = from.join(wanted);
            self.watch(&path);
            return if path.exists() {
                Ok(Source::File(path))
            } else {
                Err(format!("no theme file {}", quoted(wanted)))
            };
        }
        let compiled = BUILTIN.iter().find(|theme| theme.name == wanted).map(|theme| theme.name);
        if is_name(wanted) {
            let path = self.base_dir.join(FOLDER).join(format!("{wanted}.yaml"));
            let overrides = compiled.is_some() && child == Some(&path);
            self.watch(&path);
            if path.exists() && !overrides {
                return Ok(Source::File(path));
            }
        }
        compiled.map(Source::BuiltIn).ok_or_else(|| {
            let known = available(self.base_dir);
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            format!("no theme is called {}{}", quoted(wanted), proposal(wanted, &known))
        })
    }

    fn watch(&mut self, path: &Path) {
        if !self.files.iter().any(|file| file == path) {
            self.files.push(path.to_owned());
        }
    }

    /// The theme of `source`, laid over all its ancestors.
    fn theme(&mut self, source: &Source) -> Theme {
        let path = match source {
            Source::BuiltIn(name) => return builtin(name).unwrap_or_default(),
            Source::File(path) => path,
        };
        self.chain.push(source.clone());
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let text = match text_of(path) {
            Ok(text) => text,
            Err(why) => {
                self.problems.push(format!("{}: {why}", path.display()));
                return builtin(stem).unwrap_or_else(fallback);
            }
        };
        let mut reading = read(&text);
        let parent = reading.inherits().map(|(wanted, at)| (wanted.to_owned(), at));
        let mut theme = match parent {
            None => builtin(stem).unwrap_or_else(fallback),
            Some((wanted, at)) => {
                let from = path.parent().unwrap_or(self.base_dir).to_owned();
                match self.find(&wanted, &from, Some(path)).and_then(|parent| self.unless_circular(parent)) {
                    Ok(parent) => self.theme(&parent),
                    Err(problem) => {
                        reading.add_problem(at, problem);
                        fallback()
                    }
                }
            }
        };
        if is_name(stem) {
            stem.clone_into(&mut theme.name);
        }
        reading.lay_over(&mut theme);
        self.problems.extend(reading.into_problems(&path.display().to_string()));
        theme
    }

    fn unless_circular(&self, parent: Source) -> Result<Source, String> {
        let same = |one: &Source| match (one, &parent) {
            // By identity and not by name: one file has many paths.
            (Source::File(one), Source::File(two)) => one.canonicalize().ok() == two.canonicalize().ok(),
            _ => false,
        };
        if self.chain.iter().any(same) {
            Err("this theme inherits itself".into())
        } else if self.chain.len() >= ANCESTORS_MAX {
            Err(format!("a theme has at most {ANCESTORS_MAX} ancestors"))
        } else {
            Ok(parent)
        }
    }
}

fn has_yaml_ending(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == "yaml")
}

/// The text of a theme file. Asks what it is before opening it: opening a FIFO would wait for ever.
fn text_of(path: &Path) -> Result<String, String> {
    let cannot = |why: io::Error| format!("can't be read: {why}");
    if !path.metadata().map_err(cannot)?.is_file() {
        return Err("is no plain file; a theme is read from one".into());
    }
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)).map_err(cannot)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(format!("is larger than {} KiB; that is no theme", FILE_BYTES_MAX / 1024));
    }
    String::from_utf8(bytes).map_err(|bad| format!("is not UTF-8 from byte {} on", bad.utf8_error().valid_up_to()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::theme::{CONTRAST_MIN, Rgb};
    use crate::kernel::board::Level;

    /// A border is not read; it has to be seen and no more.
    const BORDER_CONTRAST_MIN: f64 = 1.5;

    #[test]
    fn every_builtin_is_whole_and_without_a_problem() {
        for theme in BUILTIN {
            let reading = read(theme.text);
            let parent = reading.inherits().map(|(parent, _)| parent.to_owned());
            assert_eq!(parent.is_none(), theme.name == DEFAULT, "{} inherits {parent:?}", theme.name);
            // One step to the default at most: nothing compiled in can turn in a circle.
            assert!(parent.is_none_or(|parent| parent == DEFAULT));
            let loaded = load(theme.name, Path::new("/nonexistent"));
            assert_eq!(loaded.problems, [""; 0]);
            assert_eq!(loaded.theme, builtin(theme.name).unwrap());
            assert_eq!(loaded.theme.name, theme.name);
            assert!(theme.about.len() <= 60);
        }
        assert_eq!(names()[0], DEFAULT);
        assert_eq!(builtin("mono"), Some(Theme::default()));
        assert_eq!(builtin("nord"), None);
    }

    #[test]
    fn every_text_of_every_builtin_can_be_read_from_afar() {
        for name in names() {
            let theme = builtin(name).unwrap();
            let Some(background) = theme.background else {
                assert_eq!(
                    theme,
                    Theme { name: name.into(), ..Theme::default() },
                    "{name} has colours on unknown ground"
                );
                continue;
            };
            let reads = |what: &str, fg: Rgb, bg: Rgb| {
                let contrast = fg.contrast(bg);
                assert!(contrast >= CONTRAST_MIN, "{name}: {what} has {contrast:.2}:1");
            };
            reads("text", theme.text.unwrap(), background);
            reads("muted", theme.muted.unwrap(), background);
            for level in Level::ALL {
                let look = theme.level(level);
                reads(level.word(), look.fg.unwrap(), look.bg.unwrap_or(background));
                assert!(!theme.full_bleed || look.bg.is_some(), "{name} has nothing to fill the picture with");
            }
            let border = theme.border.unwrap().contrast(background);
            assert!(border >= BORDER_CONTRAST_MIN, "{name}: border has {border:.2}:1");
        }
    }

    /// How a colour looks without green cones, in CIE Lab (matrix of Machado, Oliveira and Fernandes, 2009).
    fn deuteranope(colour: Rgb) -> [f64; 3] {
        let linear = |part: u8| Rgb(part, part, part).luminance();
        let rgb = [linear(colour.0), linear(colour.1), linear(colour.2)];
        let times =
            |matrix: [[f64; 3]; 3], v: [f64; 3]| matrix.map(|row| row[0] * v[0] + row[1] * v[1] + row[2] * v[2]);
        let seen = times(
            [[0.367_322, 0.860_646, -0.227_968], [0.280_085, 0.672_501, 0.047_413], [-0.011_820, 0.042_940, 0.968_881]],
            rgb,
        );
        let xyz = times(
            [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]],
            seen.map(|part| part.clamp(0.0, 1.0)),
        );
        let f = |t: f64| if t > 0.008_856 { t.cbrt() } else { 7.787 * t + 16.0 / 116.0 };
        let [x, y, z] = [f(xyz[0] / 0.9505), f(xyz[1]), f(xyz[2] / 1.089)];
        [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
    }

    #[test]
    fn the_levels_of_colour_blind_are_told_apart_without_green_cones() {
        /// Ten times what is just noticed side by side, because these are seen one after the other.
        const DISTANCE_MIN: f64 = 25.0;
        let theme = builtin("colour-blind").unwrap();
        let area = |level: Level| theme.level(level).bg.or(theme.level(level).fg).unwrap();
        for (place, one) in Level::ALL.into_iter().enumerate() {
            for two in Level::ALL.into_iter().skip(place + 1) {
                let (a, b) = (deuteranope(area(one)), deuteranope(area(two)));
                let distance = a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
                assert!(distance >= DISTANCE_MIN, "{one} and {two} are {distance:.0} apart");
            }
        }
    }

    #[test]
    fn red_belongs_to_critical_alone() {
        for name in names() {
            let theme = builtin(name).unwrap();
            for level in Level::ALL {
                let look = theme.level(level);
                for Rgb(red, green, blue) in look.fg.into_iter().chain(look.bg) {
                    let is_red = red > 0x80 && green < red / 3 && blue < red / 3;
                    assert!(!is_red || level == Level::Critical, "{name}: {level} is red");
                }
            }
        }
    }

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("themes")).unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    #[test]
    fn a_file_beside_the_config_overrides_what_is_compiled_in() {
        let folder = folder(&[
            ("themes/daylight.yaml", "text: \"#010203\"\n"),
            ("themes/midnight.yaml", "inherit: midnight\nmuted: \"#040506\"\n"),
            ("themes/press.yaml", "inherit: daylight\nname: press\n"),
            ("own.yaml", "inherit: themes/press.yaml\n"),
        ]);
        let base = folder.path();
        let daylight = load("daylight", base);
        let text = Some(Rgb(1, 2, 3));
        assert_eq!(daylight.theme, Theme { text, ..builtin("daylight").unwrap() });
        assert_eq!(daylight.files, [base.join("themes/daylight.yaml")]);
        let midnight = load("midnight", base);
        assert_eq!(midnight.theme, Theme { muted: Some(Rgb(4, 5, 6)), ..builtin("midnight").unwrap() });
        let own = load("own.yaml", base);
        assert_eq!(own.theme, Theme { name: "own".into(), ..daylight.theme });
        assert_eq!(own.files, ["own.yaml", "themes/press.yaml", "themes/daylight.yaml"].map(|file| base.join(file)));
        for loaded in [&daylight.problems, &midnight.problems, &own.problems] {
            assert_eq!(loaded, &[""; 0]);
        }
        // A theme that is not there yet is watched, so that it works as soon as it is saved.
        assert_eq!(load("andon", base).files, [base.join("themes/andon.yaml")]);
        assert_eq!(available(base).last().map(String::as_str), Some("press"));
        assert_eq!(available(base).len(), BUILTIN.len() + 1);
    }

    #[test]
    fn a_bad_theme_ends_in_a_usable_one_and_a_list_of_problems() {
        let chain: Vec<_> = (0..12).map(|n| (format!("themes/c{n}.yaml"), format!("inherit: c{}\n", n + 1))).collect();
        let mut files: Vec<_> = chain.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        let many = "bad: 1\n".repeat(400);
        let large = "# large\n".repeat(9_000);
        files.extend([
            ("themes/one.yaml", "inherit: two\ntext: red\n"),
            ("themes/two.yaml", "inherit: one\n"),
            ("themes/self.yaml", "inherit: ./self.yaml\n"),
            ("themes/lost.yaml", "inherit: midnigth\n"),
            ("themes/broken.yaml", "text: \"#fff\n"),
            ("themes/daylight.yaml", "text: \"#fff\n"),
            ("themes/many.yaml", &many),
            ("themes/large.yaml", &large),
        ]);
        let folder = folder(&files);
        let base = folder.path();
        std::fs::create_dir(base.join("themes/folder.yaml")).unwrap();
        std::fs::write(base.join("themes/latin.yaml"), b"# \xe9\n").unwrap();
        let fifo = std::process::Command::new("mkfifo").arg(base.join("themes/fifo.yaml")).status().unwrap();
        assert!(fifo.success());
        for (wanted, told) in [
            ("nrod", "no theme is called `nrod`: known are midnight, daylight"),
            ("dayligth", "no theme is called `dayligth`: did you mean `daylight`?"),
            ("../midnight.yaml", "no theme file `../midnight.yaml`"),
            ("", "no theme is called ``"),
            ("one", "themes/two.yaml:1:10: this theme inherits itself"),
            ("self", "themes/self.yaml:1:10: this theme inherits itself"),
            ("lost", "themes/lost.yaml:1:10: no theme is called `midnigth`: did you mean `midnight`?"),
            ("c0", "themes/c7.yaml:1:10: a theme has at most 8 ancestors"),
            ("broken", "themes/broken.yaml:1:7: not YAML"),
            ("daylight", "themes/daylight.yaml:1:7: not YAML"),
            ("folder", "themes/folder.yaml: is no plain file"),
            ("fifo", "themes/fifo.yaml: is no plain file"),
            ("latin", "themes/latin.yaml: is not UTF-8 from byte 2 on"),
            ("large", "themes/large.yaml: is larger than 64 KiB"),
            ("many", "many.yaml:2:1: `bad` stands here twice"),
        ] {
            let loaded = load(wanted, base);
            assert!(loaded.problems.iter().any(|problem| problem.contains(told)), "{wanted}: {:?}", loaded.problems);
            assert!(loaded.problems.len() <= PROBLEMS_MAX + 1);
            let usable = if wanted == "daylight" { "daylight" } else { DEFAULT };
            let theme = Theme { name: usable.into(), ..loaded.theme };
            assert_eq!(Some(theme), builtin(usable), "{wanted} is not usable");
        }
    }
}
