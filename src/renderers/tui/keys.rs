//! From a terminal's key event to the name that the keymap knows it by.
//!
//! Deliberately no action here: what a key does is said by [`crate::config::keymap`] alone.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// The keymap's name of a pressed key; `None` for releases and keys without a name.
///
/// A printable key is its own name (`q`, `G`, `?`, `é`), the others are words
/// (`space`, `left`, `enter`), and with the control key held it is `ctrl-` and the letter.
#[must_use]
pub fn name_of(event: KeyEvent) -> Option<String> {
    if event.kind == KeyEventKind::Release {
        return None;
    }
    let name = match event.code {
        KeyCode::Char(letter) if event.modifiers.contains(KeyModifiers::CONTROL) => {
            return Some(format!("ctrl-{}", letter.to_ascii_lowercase()));
        }
        // A key with alt held is a wish for something that the keymap does not have. Whoever reads the
        // terminal knows better where it is escape and a key in one.
        KeyCode::Char(_) if event.modifiers.contains(KeyModifiers::ALT) => return None,
        KeyCode::Char(' ') => "space",
        KeyCode::Char(letter) => return Some(letter.to_string()),
        KeyCode::Left => "left",
        KeyCode::Right => "right",
        KeyCode::Up => "up",
        KeyCode::Down => "down",
        KeyCode::PageUp => "pageup",
        KeyCode::PageDown => "pagedown",
        KeyCode::Home => "home",
        KeyCode::End => "end",
        KeyCode::Tab => "tab",
        KeyCode::Enter => "enter",
        KeyCode::Esc => "esc",
        KeyCode::Backspace | KeyCode::Delete => "backspace",
        _ => return None,
    };
    Some(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::keymap::BINDINGS;

    #[test]
    fn every_key_of_the_keymap_can_be_pressed() {
        let codes = [
            KeyCode::Left,
            KeyCode::Right,
            KeyCode::Up,
            KeyCode::Down,
            KeyCode::PageUp,
            KeyCode::PageDown,
            KeyCode::Home,
            KeyCode::End,
            KeyCode::Tab,
            KeyCode::Enter,
            KeyCode::Esc,
            KeyCode::Backspace,
        ];
        let plain = (' '..='~').map(KeyCode::Char).chain(codes);
        let mut names: Vec<_> = plain.filter_map(|code| name_of(KeyEvent::new(code, KeyModifiers::NONE))).collect();
        names.extend(name_of(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL)));
        for key in BINDINGS.iter().flat_map(|binding| binding.keys) {
            assert!(names.iter().any(|name| name == key), "{key} can't be pressed");
        }
    }

    #[test]
    fn only_presses_count() {
        let press = KeyEvent::new(KeyCode::Char('q'), KeyModifiers::NONE);
        assert_eq!(name_of(press).as_deref(), Some("q"));
        assert_eq!(name_of(KeyEvent { kind: KeyEventKind::Release, ..press }), None);
        assert_eq!(name_of(KeyEvent::new(KeyCode::Char('q'), KeyModifiers::ALT)), None);
        assert_eq!(name_of(KeyEvent::new(KeyCode::F(1), KeyModifiers::NONE)), None);
    }
}
