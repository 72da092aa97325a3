//! Ways to break a console on purpose: a checker that never fails proves nothing.

/// What is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Break {
    /// A leader ignores its deadline.
    NoDeadline,
    /// It counts the deadline from when the answer came.
    CountsFromAnswer,
    /// The store takes whatever comes.
    NoFence,
    /// Turns are shown when they are heard of.
    ShowsOnArrival,
    /// Beats of a leader that has a successor are taken.
    TakesDeposed,
    /// Followers run the plans too.
    EveryoneRuns,
    /// Nobody says that it is not in step.
    NoNotice,
    /// A new leader begins with the first item.
    StartsAnew,
}

impl Break {
    /// Every kind, with its word on the command line.
    pub(crate) const ALL: [(Self, &'static str); 8] = [
        (Self::NoDeadline, "no-deadline"),
        (Self::CountsFromAnswer, "counts-from-answer"),
        (Self::NoFence, "no-fence"),
        (Self::ShowsOnArrival, "shows-on-arrival"),
        (Self::TakesDeposed, "takes-deposed"),
        (Self::EveryoneRuns, "everyone-runs"),
        (Self::NoNotice, "no-notice"),
        (Self::StartsAnew, "starts-anew"),
    ];

    pub(crate) fn named(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == word).map(|(kind, _)| *kind)
    }

    pub(crate) fn word(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or("", |(_, word)| word)
    }
}
