//! Keys: one table from key to action, which the help overlay is printed from.
//!
//! Keys are told by name, so that no terminal library is needed to read the table.

/// What a viewer can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// End the program.
    Quit,
    /// Stop and resume the turning of pages.
    Pause,
    /// One turn back.
    StepBack,
    /// One turn on.
    StepOn,
    /// Select the item above.
    Up,
    /// Select the item below.
    Down,
    /// A page up in the list.
    PageUp,
    /// A page down in the list.
    PageDown,
    /// The first item.
    First,
    /// The last item.
    Last,
    /// The next view.
    View,
    /// Open the selected item's detail.
    Detail,
    /// Find items by text.
    Find,
    /// The next theme.
    Theme,
    /// Run the selected item's plan now.
    RunNow,
    /// Acknowledge the selected item's alarm, or take that back.
    Acknowledge,
    /// Show the keys.
    Help,
    /// Close what is open.
    Back,
    /// Rub out one character of what is typed.
    Erase,
}

/// One line of the table.
pub struct Binding {
    /// The keys, by name: `q`, `ctrl-c`, `space`, `left`, `tab`, `enter`, `esc`.
    pub keys: &'static [&'static str],
    /// What they do.
    pub action: Action,
    /// What the help says of it, in English; the renderer's words translate it.
    pub help: &'static str,
    /// Two or three words for the line of hints; `None`: not hinted at.
    pub hint: Option<&'static str>,
}

/// Every binding, in the order the help shows them.
pub const BINDINGS: &[Binding] = &[
    Binding {
        keys: &["space"],
        action: Action::Pause,
        help: "stop or resume the turning of pages",
        hint: Some("pause"),
    },
    Binding { keys: &["left", "h"], action: Action::StepBack, help: "one turn back", hint: None },
    Binding { keys: &["right", "l"], action: Action::StepOn, help: "one turn on", hint: Some("step") },
    Binding { keys: &["up", "k"], action: Action::Up, help: "select the item above", hint: None },
    Binding { keys: &["down", "j"], action: Action::Down, help: "select the item below", hint: None },
    Binding { keys: &["pageup"], action: Action::PageUp, help: "a page up", hint: None },
    Binding { keys: &["pagedown"], action: Action::PageDown, help: "a page down", hint: None },
    Binding { keys: &["home", "g"], action: Action::First, help: "the first item", hint: None },
    Binding { keys: &["end", "G"], action: Action::Last, help: "the last item", hint: None },
    Binding { keys: &["tab"], action: Action::View, help: "next view: marquee, board, consoles", hint: Some("board") },
    Binding { keys: &["enter"], action: Action::Detail, help: "detail of the selected item", hint: None },
    Binding { keys: &["/"], action: Action::Find, help: "find items by id or text", hint: Some("find") },
    Binding { keys: &["t"], action: Action::Theme, help: "next theme", hint: Some("theme") },
    Binding { keys: &["r"], action: Action::RunNow, help: "run the selected item's check now", hint: None },
    Binding { keys: &["a"], action: Action::Acknowledge, help: "acknowledge the alarm, or undo it", hint: None },
    Binding { keys: &["?"], action: Action::Help, help: "show or hide these keys", hint: Some("help") },
    Binding { keys: &["esc"], action: Action::Back, help: "close what is open", hint: None },
    Binding { keys: &["backspace"], action: Action::Erase, help: "rub out one character", hint: None },
    Binding { keys: &["q", "ctrl-c"], action: Action::Quit, help: "quit", hint: Some("quit") },
];

/// The action of a key, by its name.
#[must_use]
pub fn action(key: &str) -> Option<Action> {
    BINDINGS.iter().find(|binding| binding.keys.contains(&key)).map(|binding| binding.action)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_does_two_things_and_every_key_is_explained() {
        let keys: Vec<_> = BINDINGS.iter().flat_map(|binding| binding.keys).collect();
        for (place, key) in keys.iter().enumerate() {
            assert!(!keys[..place].contains(key), "{key} is bound twice");
        }
        assert!(BINDINGS.iter().all(|binding| !binding.help.is_empty()));
        assert_eq!(action("q"), Some(Action::Quit));
        assert_eq!(action("x"), None);
    }
}
