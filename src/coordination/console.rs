//! One console among the others: its part, from what the elector and the link tell.
//!
//! Puts [`Candidate`] and [`Listener`] together into the role that the kernel plays and the words that
//! the screen shows. A pure state machine: the simulator drives this very code.

use super::Token;
use super::election::{Answer, Ask, Candidate, Event, Standing};
use super::link::{Ignored, Listener, Message, Mode};
use crate::frame::Safe;
use crate::kernel::beat::{Apart, Role};
use crate::kernel::{Moment, Span};

/// Who decides which console leads.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one in a process")]
pub enum Elector {
    /// A protocol with leases.
    Lease(Candidate),
    /// A lock of this machine: ours, with its token, or another's.
    Lock(Option<Token>),
}

/// A console.
#[derive(Debug)]
pub struct Console {
    elector: Elector,
    listener: Listener,
    /// Who was heard last.
    leader: Option<Safe>,
    role: Role,
    /// Since when it plays a role of this word.
    since: Moment,
}

impl Console {
    /// A console that has heard nothing yet.
    #[must_use]
    pub fn new(elector: Elector, listener: Listener) -> Self {
        let role = Role::Follower(Token::default().fence());
        Self { elector, listener, leader: None, role, since: Moment::EPOCH }
    }

    /// Takes what the elector told.
    pub fn elect(&mut self, now: Moment, event: Event) {
        let Elector::Lease(candidate) = &mut self.elector else { return };
        if let Event::Answered {
            ask: Ask::Look,
            sent,
            answer: Ok(Answer::Seen { holder: Some(holder), epoch: Some(epoch) }),
        } = &event
        {
            self.listener.elected(*sent, Token { epoch: *epoch, rev: holder.rev });
        }
        let led = candidate.may_speak(now);
        candidate.handle(now, event);
        if let Some(token) = candidate.may_speak(now).or(led) {
            self.listener.led(now, token);
        }
    }

    /// Takes or gives back the lock; `None`: another console has it.
    pub fn lock(&mut self, now: Moment, token: Option<Token>) {
        if let Elector::Lock(held) = &mut self.elector
            && let Some(led) = std::mem::replace(held, token).or(token)
        {
            self.listener.led(now, led);
        }
    }

    /// Takes a message, whose moments are on this console's own clock.
    ///
    /// # Errors
    /// Why it does not count.
    pub fn hear(&mut self, now: Moment, message: &Message) -> Result<(), Ignored> {
        if self.may_speak(now).is_some_and(|own| message.head.token <= own) && !self.listener.is_own(message) {
            return Err(Ignored::Deposed(message.head.token));
        }
        self.listener.hear(now, message)?;
        self.leader = Some(message.head.console.clone());
        if let Elector::Lease(candidate) = &mut self.elector {
            candidate.handle(now, Event::Outranked(message.head.token));
        }
        Ok(())
    }

    /// The next question for the elector.
    pub fn poll(&mut self) -> Option<Ask> {
        if let Elector::Lease(candidate) = &mut self.elector { candidate.poll() } else { None }
    }

    /// When it wants to be woken.
    #[must_use]
    pub fn next_wake(&self, now: Moment) -> Option<Moment> {
        let elector = if let Elector::Lease(candidate) = &self.elector { candidate.next_wake() } else { None };
        [elector, self.listener.next_wake(now)].into_iter().flatten().min()
    }

    /// The token to speak with; `None`: it has to be silent.
    #[must_use]
    pub fn may_speak(&self, now: Moment) -> Option<Token> {
        match &self.elector {
            Elector::Lease(candidate) => candidate.may_speak(now),
            Elector::Lock(held) => *held,
        }
    }

    /// When its lead ends unless it is renewed; `None`: it does not lead, or leads without an end.
    #[must_use]
    pub fn deadline(&self) -> Option<Moment> {
        self.candidate().and_then(Candidate::deadline)
    }

    /// The part it plays.
    pub fn role(&mut self, now: Moment) -> Role {
        if let Some(token) = self.may_speak(now) {
            self.listener.led(now, token);
        }
        let mode = self.listener.mode(now);
        if let Elector::Lease(candidate) = &mut self.elector {
            candidate.handle(now, Event::Deaf(mode != Mode::InStep));
        }
        let heard = self.listener.token();
        let mirrors = match mode {
            Mode::InStep | Mode::Stale(_) => Role::Follower(heard.fence()),
            Mode::Alone(_) => Role::Local(heard.fence()),
        };
        let role = match &self.elector {
            Elector::Lock(Some(token)) => Role::Leader(token.fence()),
            Elector::Lock(None) => mirrors,
            Elector::Lease(candidate) => match candidate.standing(now) {
                Standing::Leads(token) => Role::Leader(token.fence()),
                // Whoever hears a successor follows it, also where the elector is out of reach.
                Standing::Suspended(token) if mode == Mode::InStep && heard > token => mirrors,
                Standing::Suspended(token) => Role::Local(token.fence()),
                Standing::Rises => match self.role {
                    Role::Leader(fence) | Role::Local(fence) if mode != Mode::InStep || heard.fence() <= fence => {
                        Role::Local(fence)
                    }
                    _ => mirrors,
                },
                Standing::Follows(_) => mirrors,
            },
        };
        if matches!(role, Role::Leader(_)) {
            // Whoever it followed before is no news once it leads no more.
            self.leader = None;
        }
        if self.role.word() != role.word() {
            self.since = now;
        }
        self.role = role;
        role
    }

    /// How it is not in sync with the others; `None`: it is.
    pub fn apart(&mut self, now: Moment) -> Option<Apart> {
        match (self.role, self.listener.mode(now)) {
            (Role::Leader(_) | Role::Alone, _) | (Role::Follower(_), Mode::InStep | Mode::Alone(_)) => None,
            (Role::Local(_), _) if self.is_suspended(now) => {
                let answered = self.candidate().and_then(Candidate::answered);
                Some(Apart::Suspended(answered.unwrap_or(self.since).min(self.since)))
            }
            (Role::Local(_), Mode::Alone(silence)) if self.is_unjudged() => Some(Apart::Unjudged(now - silence)),
            (_, Mode::Stale(silence) | Mode::Alone(silence)) => Some(Apart::Unheard(now - silence)),
            (_, Mode::InStep) => Some(Apart::Unheard(self.since)),
        }
    }

    /// What of being in step is not well, in an operator's words.
    pub fn notice(&mut self, now: Moment) -> Option<String> {
        let apart = self.apart(now)?;
        let age = in_steps(now.since(apart.since()));
        let silence = match (apart, &self.leader) {
            (Apart::Suspended(_), _) => format!("etcd has not answered for {age}; leads no more until it does"),
            (Apart::Unjudged(_), _) => format!("etcd has not answered for {age}"),
            (Apart::Unheard(_), Some(leader)) => format!("no word from {leader} for {age}"),
            (Apart::Unheard(_), None) => format!("no leader has been heard for {age}"),
        };
        let meanwhile = match self.role {
            _ if matches!(apart, Apart::Suspended(_)) => "",
            Role::Local(_) => "; measures by itself, slowly",
            _ => "; goes on as last planned",
        };
        Some(format!("not in sync: {silence}{meanwhile}"))
    }

    fn is_unjudged(&self) -> bool {
        self.leader.is_none() && self.candidate().is_some_and(|candidate| candidate.answered().is_none())
    }

    fn is_suspended(&self, now: Moment) -> bool {
        self.candidate().is_some_and(|candidate| matches!(candidate.standing(now), Standing::Suspended(_)))
    }

    /// The candidate, where leases decide.
    #[must_use]
    pub const fn candidate(&self) -> Option<&Candidate> {
        if let Elector::Lease(candidate) = &self.elector { Some(candidate) } else { None }
    }

    /// Who was heard last.
    #[must_use]
    pub const fn leader(&self) -> Option<&Safe> {
        self.leader.as_ref()
    }

    /// For how long a leader, that etcd knows of, has not been heard; `None`: nobody leads, or this console does.
    #[must_use]
    pub fn misses(&self, now: Moment) -> Option<Span> {
        let led = matches!(self.candidate()?.standing(now), Standing::Follows(Some(_)));
        led.then(|| self.listener.silence(now))
    }

    /// The newest leadership that was heard.
    #[must_use]
    pub fn heard(&self) -> Token {
        self.listener.token()
    }
}

/// A silence as it is told: every second of it would be a new frame for hours.
fn in_steps(silence: Span) -> String {
    let seconds = silence.as_secs().max(1);
    match seconds {
        0..10 => format!("{seconds}s"),
        10..60 => format!("{}s", seconds / 10 * 10),
        _ => format!("{}m", seconds / 60),
    }
}

#[cfg(test)]
mod tests;
