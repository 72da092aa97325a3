//! `cluster: local`: who has the lock of a file in the runtime folder leads.
//!
//! The kernel of the system frees a lock at whatever death, so the next console
//! takes over at once and no lease is needed. The file also counts the leaders:
//! its number is the fence. Deliberately without a clock, a thread or a wait:
//! who lost tries again when the leader is gone, which the link tells it. A
//! leader that is stopped without dying keeps the lock, as it must: it would go
//! on acting when it is continued.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::coordination::private::{Asked, ask_lock, lies_at, prepare};
use crate::coordination::store::StoreError;

/// Fences stay below this, 2^53, so that every language and store that meets one has it exactly.
const FENCE_END: u64 = 1 << 53;

/// The longest line that is read: a name of [`NAME_CHARS_MAX`] with every character escaped is a quarter of it.
const LINE_BYTES_MAX: u64 = 4096;

/// How much of a console's name is written: no screen shows more of it.
const NAME_CHARS_MAX: usize = 128;

/// Where the election of a board is held: beside its socket, as `SLUG.leader`.
#[must_use]
pub fn beside(socket: &Path) -> PathBuf {
    socket.with_extension("leader")
}

/// A console that stands for election.
#[derive(Clone, Debug)]
pub struct Candidate {
    path: PathBuf,
    console: Option<String>,
}

/// How a try came out.
#[derive(Debug)]
pub enum Contested {
    /// This console leads, for as long as it keeps this.
    Leads(Leadership),
    /// Another console leads. What is known of it is a courtesy: it is outside
    /// text, and for a moment after a change still that of the leader before.
    Held {
        /// Its process number, where it told one.
        process: Option<u32>,
        /// Its name, where it told one.
        name: Option<String>,
        /// Its fence; 0 where it is not known.
        fence: u64,
    },
}

/// The right to lead; it ends when this is dropped, and with the process in any case. Who goes in order
/// drops it before it closes its link: the others stand for election as soon as the link ends.
#[derive(Debug)]
pub struct Leadership {
    fence: u64,
    path: PathBuf,
    file: File,
}

/// What the file holds, as one line of JSON.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Line {
    fence: u64,
    process: Option<u32>,
    name: Option<String>,
}

impl Candidate {
    /// Stands for election at `path`, as the console called `console`.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, console: Option<&str>) -> Self {
        let console = console.map(|name| name.chars().take(NAME_CHARS_MAX).collect());
        Self { path: path.into(), console }
    }

    /// Tries to lead, at once and without waiting. A win's fence is higher than all before it at this
    /// file and than `floor`, the highest that this console knows of; the floor is what keeps the
    /// fence rising where the file was lost, so it is best taken from what is kept elsewhere too.
    ///
    /// # Errors
    /// Where nobody can lead here: the folder or the file can't be used, or the fence can't be written.
    pub fn try_lead(&self, floor: u64) -> Result<Contested, StoreError> {
        if let Some(folder) = self.path.parent() {
            prepare(folder)?;
        }
        let file = match ask_lock(&self.path)? {
            Asked::Ours(file) => file,
            Asked::Theirs(file) => {
                let Line { fence, process, name } = read(&file);
                return Ok(Contested::Held { process, name, fence });
            }
        };
        let fence = read(&file).fence.max(floor).saturating_add(1);
        if fence >= FENCE_END {
            let why =
                "the number of its leader can't rise any further; remove the file, and the state that goes with it";
            return Err(StoreError::because("lead with", &self.path, why));
        }
        // Without the number on the file the next leader could get the same one, so then nobody leads.
        let line = Line { fence, process: Some(std::process::id()), name: self.console.clone() };
        write(&file, &line).map_err(|error| StoreError::new("write", &self.path, &error))?;
        Ok(Contested::Leads(Leadership { fence, path: self.path.clone(), file }))
    }
}

impl Leadership {
    /// The number by which what this leader writes is told from what earlier ones do.
    #[must_use]
    pub fn fence(&self) -> u64 {
        self.fence
    }

    /// Whether others still find this leader's lock. A file that was removed, as by a tidying of
    /// temporary files or with a runtime folder at the last logout, no longer keeps another console
    /// from leading; the leader has to look before each beat, and to stand for election again where it is gone.
    #[must_use]
    pub fn holds(&self) -> bool {
        lies_at(&self.file, &self.path)
    }
}

impl Drop for Leadership {
    fn drop(&mut self) {
        // Closing alone would leave the lock with a child process that has yet to begin its own
        // program. Where this fails, closing is what is left.
        let _ = self.file.unlock();
    }
}

/// What the file says; whatever is no line of ours says nothing.
fn read(mut file: &File) -> Line {
    let mut text = Vec::new();
    if file.by_ref().take(LINE_BYTES_MAX).read_to_end(&mut text).is_err() {
        return Line::default();
    }
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line: Line = serde_json::from_slice(line).unwrap_or_default();
    if line.fence < FENCE_END { line } else { Line::default() }
}

/// Writes over what is there before cutting off the rest: a full disk has room for what it already
/// holds, and a kill in between leaves a whole first line.
fn write(file: &File, line: &Line) -> io::Result<()> {
    let mut text = serde_json::to_vec(line)?;
    text.push(b'\n');
    file.write_all_at(&text, 0)?;
    file.set_len(text.len() as u64)
}

#[cfg(test)]
mod tests;
