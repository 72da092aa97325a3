//! What is wrong with the servers that the consoles meet at, as it is told: once per trouble and once at its end.
//!
//! Of the store the screen tells too. What comes of a silent etcd is the role's notice; the log says why it is silent.

use tracing::{info, warn};

use super::part::Part;
use crate::frame::Safe;
use crate::kernel::{Concern, Input};

/// What is wrong.
#[derive(Default)]
pub(super) struct Trouble {
    /// With writing to the store.
    pub(super) writing: Option<String>,
    /// With listening there.
    pub(super) hearing: Option<String>,
    /// The leader is followed over etcd, because it is not heard over the store.
    by_etcd: bool,
    etcd: Option<String>,
}

impl Trouble {
    /// Notes how writing goes.
    pub(super) fn note_writing(&mut self, part: &Part, trouble: Option<String>) {
        self.note_store(part, |own| own.writing = trouble);
    }

    /// Notes how listening goes.
    pub(super) fn note_hearing(&mut self, part: &Part, trouble: Option<String>) {
        self.note_store(part, |own| own.hearing = trouble);
    }

    /// Notes whether the leader is followed over etcd, because it is not heard over the store.
    pub(super) fn note_detour(&mut self, part: &Part, by_etcd: bool) {
        if self.by_etcd != by_etcd {
            self.note_store(part, |own| own.by_etcd = by_etcd);
        }
    }

    /// Notes how asking etcd goes.
    pub(super) fn note_etcd(&mut self, trouble: Option<String>) {
        if self.etcd != trouble {
            if let Some(why) = &trouble {
                warn!("{why}");
            } else {
                info!("etcd answers again");
            }
            self.etcd = trouble;
        }
    }

    fn note_store(&mut self, part: &Part, note: impl FnOnce(&mut Self)) {
        let before = self.of_store();
        note(self);
        let now = self.of_store();
        if before == now {
            return;
        }
        if let Some(why) = &now {
            warn!("{why}");
        } else {
            info!("the store answers again");
        }
        part.give(Input::Notice(Concern::Store, now.map(|why| Safe::line(&why).shared())));
    }

    fn of_store(&self) -> Option<String> {
        let why = self.writing.as_deref().or(self.hearing.as_deref());
        match (why, self.by_etcd) {
            (why, false) => why.map(str::to_owned),
            (Some(why), true) => Some(format!("{why}; follows over etcd")),
            (None, true) => Some("the leader is not heard over the store; follows over etcd".into()),
        }
    }
}
