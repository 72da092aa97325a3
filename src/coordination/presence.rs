//! What a console tells of itself to the others.

use serde::{Deserialize, Serialize};

use crate::frame::Safe;

/// The longest record that is looked at: ten times what one is.
const BYTES_MAX: usize = 4 * 1024;

/// One console, as the others see it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presence {
    /// Its name.
    pub console: String,
    /// Its process, which no other process ever is.
    pub boot: String,
    /// Its machine, since that was started; empty: unknown.
    #[serde(default)]
    pub machine: String,
    /// Its process number there.
    #[serde(default)]
    pub process: u32,
    /// The lease that this record hangs on; 0: none.
    #[serde(default)]
    pub lease: i64,
    /// Its version.
    pub version: String,
    /// The word of its role.
    pub role: String,
    /// Since when it plays it, in milliseconds since the Unix epoch by its wall clock.
    pub since_ms: u64,
    /// How far the shared clock is ahead of its own, in microseconds.
    pub offset_us: i64,
    /// How wrong that may be, in microseconds.
    pub bound_us: u64,
    /// When it told this, in milliseconds since the Unix epoch by its wall clock.
    pub seen_ms: u64,
    /// It does not hear its leader over the store, and asks to be told over etcd too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deaf: bool,
}

impl Presence {
    /// The record as one line.
    #[must_use]
    pub fn write(&self) -> String {
        // Texts and whole numbers: there is nothing in it that JSON could not say.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// What `text` tells, cleaned; `None`: it is no record.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let read: Self =
            Some(text).filter(|text| text.len() <= BYTES_MAX).and_then(|text| serde_json::from_str(text).ok())?;
        Some(read.cleaned())
    }

    /// The same without anything that no screen should see.
    #[must_use]
    pub fn cleaned(self) -> Self {
        let clean = |text: String| Safe::line(&text).to_string();
        Self {
            console: clean(self.console),
            version: clean(self.version),
            role: clean(self.role),
            machine: clean(self.machine),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_whether_it_speaks_of_hearing_or_not() {
        let well = Presence { console: "north".into(), ..Presence::default() };
        assert!(!well.write().contains("deaf"), "whoever does not know the word reads it as ever");
        let deaf = Presence { deaf: true, ..well.clone() };
        for told in [well, deaf] {
            assert_eq!(Presence::read(&told.write()), Some(told));
        }
    }

    #[test]
    fn what_is_no_record_is_none() {
        let well = Presence::default().write();
        let long = format!("{well}{}", " ".repeat(BYTES_MAX));
        for foreign in ["", "x", "{}", "[]", &well.replace("role", "rôle"), &long, &well.replace('}', r#","deaf":1}"#)]
        {
            assert_eq!(Presence::read(foreign), None, "{foreign}");
        }
    }
}
