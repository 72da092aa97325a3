//! What the guardian of this console has to give back when the process dies: told whenever it changes.
//!
//! Deliberately no second guardian where one is gone: its leases end by themselves.

use tracing::warn;

use crate::coordination::etcd::guardian::Guardian;

/// The guardian, where there is one, and what it was told.
pub(super) struct Guard {
    guardian: Option<Guardian>,
    /// The lease of this console's record.
    member: Option<i64>,
    told: Vec<i64>,
}

impl Guard {
    pub(super) fn new(guardian: Option<Guardian>) -> Self {
        Self { guardian, member: None, told: Vec::new() }
    }

    /// The record of this console hangs on this lease now.
    pub(super) fn belongs(&mut self, lease: i64) {
        self.member = Some(lease);
    }

    /// The leader's lease is this one, where this console holds one. It is given back first, because the
    /// others wait for it.
    pub(super) fn hold(&mut self, lead: Option<i64>) {
        let leases: Vec<i64> = lead.into_iter().chain(self.member).collect();
        if self.told == leases {
            return;
        }
        if let Some(guardian) = &mut self.guardian
            && let Err(why) = guardian.tell(&leases)
        {
            warn!("the guardian does not listen: {why}");
            self.guardian = None;
        }
        self.told = leases;
    }

    /// There is nothing left to give back.
    pub(super) fn close(&mut self) {
        if let Some(guardian) = self.guardian.take() {
            guardian.close();
        }
    }
}
