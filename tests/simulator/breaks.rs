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
    /// The words of servers are told as they came.
    RawWords,
    /// Items are called by what they measure, as it stands in the config.
    BareLabels,
    /// A console campaigns whoever has its name.
    IgnoresName,
    /// Nobody tells the others that it plays another part.
    KeepsRole,
    /// The guardian knows of the leader's lease alone.
    ForgetsRecord,
    /// The guardian ends whatever lease its console's name has besides.
    GuardsName,
}

impl Break {
    /// Every kind, with its word on the command line.
    pub(crate) const ALL: [(Self, &'static str); 14] = [
        (Self::NoDeadline, "no-deadline"),
        (Self::CountsFromAnswer, "counts-from-answer"),
        (Self::NoFence, "no-fence"),
        (Self::ShowsOnArrival, "shows-on-arrival"),
        (Self::TakesDeposed, "takes-deposed"),
        (Self::EveryoneRuns, "everyone-runs"),
        (Self::NoNotice, "no-notice"),
        (Self::StartsAnew, "starts-anew"),
        (Self::RawWords, "raw-words"),
        (Self::BareLabels, "bare-labels"),
        (Self::IgnoresName, "ignores-name"),
        (Self::KeepsRole, "keeps-role"),
        (Self::ForgetsRecord, "forgets-record"),
        (Self::GuardsName, "guards-name"),
    ];

    pub(crate) fn named(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == word).map(|(kind, _)| *kind)
    }

    pub(crate) fn word(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or("", |(_, word)| word)
    }
}
