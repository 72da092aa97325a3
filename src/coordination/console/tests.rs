//! One console's part, from what the elector and the other consoles tell it.

use super::*;
use crate::config::LeaseConfig;
use crate::coordination::election::{Holder, Missed};
use crate::coordination::link::{Head, Listener, Said};
use crate::kernel::beat::Beat;

const NOW: Moment = Moment::from_unix_millis(1_760_000_000_000);

fn ms(count: u64) -> Span {
    Span::from_millis(count)
}

fn token(rev: u64) -> Token {
    Token { epoch: 1, rev }
}

/// A console whose elector and leader are played by the test.
struct Stage {
    console: Console,
    now: Moment,
    beats: u64,
}

impl Stage {
    fn new() -> Self {
        let elector = Elector::Lease(Candidate::new(NOW, LeaseConfig::DEFAULT, 1));
        let console = Console::new(elector, Listener::new(NOW, "line-3", "own"));
        let mut stage = Self { console, now: NOW, beats: 0 };
        stage.console.elect(NOW, Event::Admitted(true));
        stage
    }

    /// One that leads with this revision by lease 1.
    fn leading(rev: u64) -> Self {
        let mut stage = Self::new();
        let won = Answer::Won { rev, epoch: Some(1) };
        stage.answer(Ask::Look, Answer::Seen { holder: None, epoch: Some(1) });
        stage.answer(Ask::Grant, Answer::Granted { lease: 1, ttl: ms(3_000) });
        stage.answer(Ask::Campaign(1), won);
        stage.answer(Ask::Claim(token(rev)), Answer::Claimed);
        stage.sees(rev, 1);
        assert_eq!(stage.role(), Role::Leader(token(rev).fence()));
        stage
    }

    /// Answers this question as soon as it is asked; the others fail.
    fn answer(&mut self, wanted: Ask, answer: Answer) {
        for _ in 0..200 {
            while let Some(ask) = self.console.poll() {
                let answer = if ask == wanted { Ok(answer.clone()) } else { Err(Missed::Failed) };
                self.console.elect(self.now, Event::Answered { ask, sent: self.now, answer });
                if ask == wanted {
                    return;
                }
            }
            self.now = self.now + ms(5);
            self.console.elect(self.now, Event::Wake);
        }
        panic!("{wanted:?} is not asked");
    }

    fn sees(&mut self, rev: u64, lease: i64) {
        let holder = Some(Holder { rev, lease, value: String::new() });
        self.answer(Ask::Look, Answer::Seen { holder, epoch: Some(1) });
    }

    /// Lets time pass while nothing answers.
    fn pass(&mut self, span: Span) {
        let end = self.now + span;
        while self.now < end {
            self.now = self.now + ms(50);
            while let Some(ask) = self.console.poll() {
                self.console.elect(self.now, Event::Answered { ask, sent: self.now, answer: Err(Missed::Unknown) });
            }
            self.console.elect(self.now, Event::Wake);
            self.console.role(self.now);
        }
    }

    fn message(&mut self, rev: u64, boot: &str) -> Message {
        self.beats += 1;
        let head = Head {
            board: "line-3".into(),
            console: Safe::line("press-hall"),
            boot: boot.into(),
            token: token(rev),
            at: self.now,
            clock: "server:a".into(),
        };
        let beat = Beat::default();
        Message { head, said: Said::Beat { number: self.beats, consoles: 2, handover: false, beat } }
    }

    fn hears(&mut self, rev: u64) -> Result<(), Ignored> {
        let message = self.message(rev, "other");
        self.console.hear(self.now, &message)
    }

    /// Hears this leader twice a second for so long.
    fn follows(&mut self, rev: u64, span: Span) {
        let end = self.now + span;
        while self.now < end {
            self.pass(ms(500));
            self.hears(rev).unwrap();
        }
    }

    fn role(&mut self) -> Role {
        self.console.role(self.now)
    }

    fn notice(&mut self) -> String {
        self.role();
        self.console.notice(self.now).unwrap_or_default()
    }
}

#[test]
fn a_cold_start_without_anybody_is_alone_after_a_second_and_a_half() {
    let mut stage = Stage::new();
    assert_eq!(stage.role(), Role::Follower(Token::default().fence()));
    stage.pass(ms(1_400));
    assert_eq!(stage.role(), Role::Follower(Token::default().fence()));
    stage.pass(ms(100));
    assert_eq!(stage.role(), Role::Local(Token::default().fence()));
    assert!(stage.notice().contains("measures by itself"), "{}", stage.notice());
}

#[test]
fn a_follower_says_that_it_is_stale_and_then_goes_on_alone() {
    let mut stage = Stage::new();
    stage.follows(5, ms(2_000));
    assert_eq!((stage.role(), stage.notice()), (Role::Follower(token(5).fence()), String::new()));
    stage.pass(ms(2_000));
    assert_eq!(stage.role(), Role::Follower(token(5).fence()));
    assert_eq!(stage.notice(), "not in sync: no word from press-hall for 2s");
    stage.pass(ms(6_000));
    assert_eq!(stage.role(), Role::Local(token(5).fence()));
    assert_eq!(
        stage.notice(),
        "not in sync: no word from press-hall for 8s; this console measures by itself, more slowly"
    );
    stage.follows(5, ms(1_000));
    assert_eq!(stage.role(), Role::Local(token(5).fence()), "two beats are too few");
    stage.follows(5, ms(500));
    assert_eq!((stage.role(), stage.notice()), (Role::Follower(token(5).fence()), String::new()));
}

#[test]
fn a_leader_that_hears_nothing_of_etcd_is_suspended_in_time_and_says_why() {
    let mut stage = Stage::leading(5);
    stage.pass(ms(2_000));
    assert_eq!(stage.role(), Role::Leader(token(5).fence()));
    stage.pass(ms(500));
    assert_eq!((stage.role(), stage.console.may_speak(stage.now)), (Role::Local(token(5).fence()), None));
    assert!(stage.notice().contains("etcd does not answer"), "{}", stage.notice());
}

#[test]
fn a_suspended_leader_follows_its_successor_without_waiting_for_etcd() {
    let mut stage = Stage::leading(5);
    stage.pass(ms(3_000));
    assert_eq!(stage.role(), Role::Local(token(5).fence()));
    stage.hears(9).unwrap();
    assert_eq!((stage.role(), stage.notice()), (Role::Follower(token(9).fence()), String::new()));
}

#[test]
fn who_stood_down_keeps_to_its_schedule_until_it_would_be_alone() {
    let mut stage = Stage::leading(5);
    stage.console.elect(stage.now, Event::Watched(None));
    stage.sees(9, 2);
    let fence = token(5).fence();
    assert_eq!(stage.role(), Role::Follower(fence));
    stage.pass(ms(7_500));
    assert_eq!(stage.role(), Role::Follower(fence));
    stage.pass(ms(600));
    assert_eq!(stage.role(), Role::Local(fence));
}

#[test]
fn who_leads_or_led_listens_to_nobody_before_it() {
    let mut stage = Stage::leading(5);
    assert_eq!(stage.hears(4), Err(Ignored::Deposed(token(4))));
    let own = stage.message(5, "own");
    assert_eq!(stage.console.hear(stage.now, &own), Err(Ignored::Own));
    stage.console.elect(stage.now, Event::Watched(None));
    stage.sees(9, 2);
    assert_eq!(stage.hears(4), Err(Ignored::Deposed(token(4))));
    assert_eq!(stage.hears(9), Ok(()));
}

#[test]
fn a_leader_that_hears_a_higher_token_is_silent_until_the_elector_has_spoken() {
    let mut stage = Stage::leading(5);
    stage.hears(9).unwrap();
    assert_eq!(stage.console.may_speak(stage.now), None);
    assert_eq!(stage.role(), Role::Follower(token(9).fence()));
}

#[test]
fn a_high_token_that_no_elector_gave_heals() {
    let mut stage = Stage::new();
    stage.follows(5, ms(1_000));
    stage.hears(900).unwrap();
    assert_eq!(stage.hears(5), Err(Ignored::Deposed(token(5))));
    stage.pass(ms(2_000));
    stage.sees(5, 2);
    assert_eq!(stage.hears(5), Ok(()));
    assert_eq!(stage.role(), Role::Follower(token(5).fence()));
}

#[test]
fn of_one_machine_whoever_has_the_lock_leads() {
    let mut console = Console::new(Elector::Lock(None), Listener::new(NOW, "line-3", "own"));
    assert_eq!(console.role(NOW), Role::Follower(Token::default().fence()));
    console.lock(NOW, Some(token(3)));
    assert_eq!((console.role(NOW), console.may_speak(NOW)), (Role::Leader(token(3).fence()), Some(token(3))));
    console.lock(NOW + ms(9_000), None);
    assert_eq!(console.role(NOW + ms(9_000)), Role::Follower(token(3).fence()), "its schedule is its own");
    assert_eq!(console.role(NOW + ms(18_000)), Role::Local(token(3).fence()));
    assert!(console.candidate().is_none() && console.poll().is_none());
}

#[test]
fn a_silence_is_told_in_steps() {
    for (seconds, told) in [(0, "1s"), (1, "1s"), (9, "9s"), (10, "10s"), (59, "50s"), (60, "1m"), (7_300, "121m")] {
        assert_eq!(in_steps(Span::from_secs(seconds)), told);
    }
}
