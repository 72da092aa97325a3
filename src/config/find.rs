//! Which file is the config.

use std::path::{Path, PathBuf};

/// The name of a config in the folder where the program runs.
const HERE: &str = "marquee.yaml";
/// The config of the whole machine.
const SYSTEM: &str = "/etc/marquee/marquee.yaml";

/// The config's path: what is named explicitly, `$MARQUEE_CONFIG`, `marquee.yaml` in `cwd`,
/// `$XDG_CONFIG_HOME/marquee/marquee.yaml` (without it `~/.config`), `/etc/marquee/marquee.yaml`.
///
/// What is named by argument or variable is taken even where it does not exist: a board that
/// silently shows something else than it was told to would lie. `None`: there is none, and the
/// built-in board is shown.
pub fn find(explicit: Option<&Path>, env: &dyn Fn(&str) -> Option<String>, cwd: &Path) -> Option<PathBuf> {
    find_in(explicit, env, cwd, Path::new(SYSTEM))
}

fn find_in(
    explicit: Option<&Path>,
    env: &dyn Fn(&str) -> Option<String>,
    cwd: &Path,
    system: &Path,
) -> Option<PathBuf> {
    let set = |name: &str| env(name).filter(|value| !value.is_empty());
    if let Some(named) = explicit.map(Path::to_owned).or_else(|| set("MARQUEE_CONFIG").map(PathBuf::from)) {
        return Some(cwd.join(named));
    }
    // The XDG rules: a relative folder is to be ignored.
    let xdg = set("XDG_CONFIG_HOME").map(PathBuf::from).filter(|folder| folder.is_absolute());
    let home = || set("HOME").map(|home| Path::new(&home).join(".config"));
    let user = xdg.or_else(home).map(|folder| folder.join("marquee").join(HERE));
    let places = [Some(cwd.join(HERE)), user, Some(system.to_owned())];
    places.into_iter().flatten().find(|path| path.exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_the_places_is_taken_and_a_named_one_even_when_missing() {
        let folder = tempfile::tempdir().unwrap();
        let (cwd, xdg, system) =
            (folder.path().join("cwd"), folder.path().join("xdg"), folder.path().join("system.yaml"));
        std::fs::create_dir_all(&cwd).unwrap();
        std::fs::create_dir_all(xdg.join("marquee")).unwrap();
        let env = |name: &str| match name {
            "XDG_CONFIG_HOME" => Some(xdg.display().to_string()),
            "HOME" => Some("/nonexistent".into()),
            _ => None,
        };
        assert_eq!(find_in(None, &env, &cwd, &system), None);
        std::fs::write(&system, "").unwrap();
        assert_eq!(find_in(None, &env, &cwd, &system), Some(system.clone()));
        std::fs::write(xdg.join("marquee/marquee.yaml"), "").unwrap();
        assert_eq!(find_in(None, &env, &cwd, &system), Some(xdg.join("marquee/marquee.yaml")));
        std::fs::write(cwd.join("marquee.yaml"), "").unwrap();
        assert_eq!(find_in(None, &env, &cwd, &system), Some(cwd.join("marquee.yaml")));
        let named = |name: &str| if name == "MARQUEE_CONFIG" { Some("gone.yaml".into()) } else { env(name) };
        assert_eq!(find_in(None, &named, &cwd, &system), Some(cwd.join("gone.yaml")));
        assert_eq!(find_in(Some(Path::new("/x")), &named, &cwd, &system), Some("/x".into()));
    }
}
