//! A hall of consoles that show one board: real programs, a real etcd, a real Redis, and a proxy on every way.
//!
//! What it tells is what the programs print. Deliberately no look inside them.

pub(crate) mod lines;
mod seat;
mod seen;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::{Duration, Instant};

pub(crate) use lines::{Line, deposed, out_of_order, percentile, spreads};
pub(crate) use seat::Seat;

use super::TempHome;
use super::clock::{eventually, now};
use super::etcd::Etcd;
use super::proxy::Proxy;
use super::redis::{Ear, Redis};
use super::target::Target;

/// The order in which the board shows its items.
pub(crate) const ORDER: [&str; 6] = ["a", "b", "c", "d", "e", "web"];

/// The slug of the board's title.
pub(crate) const BOARD: &str = "hall";

/// The token that its consoles ask of whoever writes.
pub(crate) const SECRET: &str = "canary-4711";

/// How a hall is to be.
pub(crate) struct Plan<'a> {
    pub(crate) consoles: usize,
    /// Members of etcd; 0: the consoles of one machine.
    pub(crate) etcd: usize,
    pub(crate) etcd_arguments: &'a [&'a str],
    pub(crate) redis: bool,
    pub(crate) redis_arguments: &'a [&'a str],
    pub(crate) interval: Duration,
    /// More lines of the config.
    pub(crate) more: &'a str,
    /// Where consoles find etcd and the target, and where Redis.
    pub(crate) hosts: [&'a str; 2],
    /// What stands before the program at each place, such as a network to run it in.
    pub(crate) within: &'a [Vec<String>],
}

impl Default for Plan<'_> {
    fn default() -> Self {
        Self {
            consoles: 3,
            etcd: 3,
            etcd_arguments: &[],
            redis: true,
            redis_arguments: &[],
            interval: Duration::from_millis(500),
            more: "",
            hosts: ["127.0.0.1"; 2],
            within: &[],
        }
    }
}

/// The hall.
pub(crate) struct Hall {
    pub(crate) seats: Vec<Seat>,
    pub(crate) etcd: Option<Etcd>,
    pub(crate) redis: Option<Redis>,
    pub(crate) target: Target,
    pub(crate) interval: Duration,
    hosts: [String; 2],
    ear: Option<Ear>,
    machine: Option<TempHome>,
}

impl Hall {
    /// Starts servers and consoles and waits until one leads the others; `None`: a server is not installed.
    pub(crate) fn start(plan: &Plan<'_>) -> Option<Self> {
        let mut hall = Self::prepare(plan)?;
        hall.seats.iter_mut().for_each(Seat::sit);
        hall.settled();
        Some(hall)
    }

    /// The same with nobody in it yet.
    pub(crate) fn prepare(plan: &Plan<'_>) -> Option<Self> {
        let etcd = if plan.etcd > 0 { Some(Etcd::start(plan.etcd, plan.etcd_arguments)?) } else { None };
        let redis = if plan.redis { Some(told(Redis::start(plan.redis_arguments))?) } else { None };
        let target = Target::start(plan.hosts[0]);
        let ear = redis.as_ref().map(|redis| Ear::at(redis, BOARD));
        let machine = (plan.etcd == 0).then(TempHome::new);
        let mut hall = Self {
            seats: Vec::new(),
            etcd,
            redis,
            target,
            interval: plan.interval,
            hosts: plan.hosts.map(str::to_owned),
            ear,
            machine,
        };
        for place in 1..=plan.consoles {
            let added = hall.add(&format!("hall-{place}"), plan.more);
            hall.seats[added].within = plan.within.get(place - 1).cloned().unwrap_or_default();
        }
        Some(hall)
    }

    /// Adds a place with a config of its own.
    pub(crate) fn add(&mut self, name: &str, more: &str) -> usize {
        let ways =
            self.etcd.iter().flat_map(Etcd::endpoints).map(|(_, port)| Proxy::from(&self.hosts[0], port)).collect();
        let way = self.redis.as_ref().map(|redis| Proxy::from(&self.hosts[1], redis.port()));
        let mut seat = Seat::new(name.to_owned(), TempHome::new(), ways, way);
        seat.home.write("marquee.yaml", self.config(&seat, more));
        if let Some(machine) = &self.machine {
            // Consoles of one machine have its runtime folder in common.
            let run = machine.path("run").display().to_string();
            std::fs::create_dir_all(&run).unwrap();
            seat.environment.push(("XDG_RUNTIME_DIR".into(), run));
            seat.environment.push(("XDG_STATE_HOME".into(), machine.state().display().to_string()));
        }
        self.seats.push(seat);
        self.seats.len() - 1
    }

    fn config(&self, seat: &Seat, more: &str) -> String {
        let endpoints: Vec<_> = seat.etcd.iter().map(|way| way.address().to_string()).collect();
        let cluster = if endpoints.is_empty() { "local".into() } else { format!("etcd://{}", endpoints.join(",")) };
        let state = seat.redis.as_ref().map(|way| format!("state: redis://{}\n", way.address()));
        let (interval, port, target) = (self.interval.as_millis(), seat.port, self.target.address());
        let fixed: String =
            ["a", "b", "c", "d", "e"].map(|id| format!("  - {{id: {id}, text: Item {id}, level: healthy}}\n")).concat();
        format!(
            "title: Hall\ninterval: {interval}ms\nconsole: \"${{NAME}}\"\ntoken: {SECRET}\n\
             listen: 127.0.0.1:{port}\ncluster: {cluster}\n{}{more}items:\n{fixed}  \
             - {{id: web, check: \"http://{target}/{}\", every: 500ms}}\n",
            state.unwrap_or_default(),
            seat.name
        )
    }

    /// Waits until one console leads and all others that run follow it by the same fence, with nothing to
    /// complain of; gives its place.
    pub(crate) fn settled(&self) -> usize {
        self.wait("one leader and followers in step", |hall| {
            let last: Vec<_> = hall.seats.iter().filter(|seat| seat.runs()).map(Seat::last).collect();
            let last: Vec<Line> = last.into_iter().collect::<Option<_>>()?;
            let fence = last.first()?.fence;
            let in_step = last.iter().all(|line| {
                line.fence == fence && line.notice.is_none() && ["leader", "follower"].contains(&line.role.as_str())
            });
            let leaders = hall.leaders();
            (in_step && leaders.len() == 1 && last.iter().all(|line| line.level == "healthy")).then(|| leaders[0])
        })
    }

    /// The consoles that show that they lead.
    pub(crate) fn leaders(&self) -> Vec<usize> {
        let leads = |place: &usize| self.seats[*place].last().is_some_and(|line| line.role == "leader");
        (0..self.seats.len()).filter(leads).collect()
    }

    /// The one leader as it is now.
    #[track_caller]
    pub(crate) fn leader(&self) -> usize {
        let leaders = self.leaders();
        assert_eq!(leaders.len(), 1, "{}", self.report());
        leaders[0]
    }

    /// All places that run but this one.
    pub(crate) fn others(&self, than: usize) -> Vec<usize> {
        (0..self.seats.len()).filter(|place| *place != than && self.seats[*place].runs()).collect()
    }

    /// Waits until something is found; where it is not, everything that the consoles said is told.
    #[track_caller]
    pub(crate) fn wait<T>(&self, what: &str, mut look: impl FnMut(&Self) -> Option<T>) -> T {
        let until = now() + super::clock::PATIENCE;
        loop {
            if let Some(found) = look(self) {
                return found;
            }
            assert!(now() < until, "waited for {what}\n{}", self.report());
            std::thread::park_timeout(Duration::from_millis(2));
        }
    }

    /// Waits for another console than `old` to show that it leads; gives its place and when it did.
    #[track_caller]
    pub(crate) fn successor(&self, old: usize, since: Instant) -> (usize, Instant) {
        self.wait("a new leader", |hall| {
            hall.others(old).into_iter().find_map(|place| {
                let lines = hall.seats[place].lines().since(since);
                lines.into_iter().find(|line| line.role == "leader").map(|line| (place, line.at))
            })
        })
    }

    /// Waits until a console prints a line that fits; gives it.
    #[track_caller]
    pub(crate) fn line(&self, place: usize, since: Instant, what: &str, fits: impl Fn(&Line) -> bool) -> Line {
        self.wait(what, |hall| hall.seats[place].lines().since(since).into_iter().find(&fits))
    }

    /// Waits until these consoles have shown so many turns since then.
    #[track_caller]
    pub(crate) fn watch(&self, places: &[usize], since: Instant, turns: usize) {
        // Patience is for a few turns; whoever wants many waits for a few at a time.
        for count in (0..turns).step_by(10).chain([turns]) {
            for place in places {
                self.wait("turns", |hall| (hall.seats[*place].lines().turns(since).len() >= count).then_some(()));
            }
        }
    }

    /// What a console skipped, repeated or stood still on since then.
    pub(crate) fn broken(&self, place: usize, since: Instant) -> Vec<String> {
        out_of_order(&self.seats[place].lines().turns(since), &ORDER, self.interval)
    }

    /// The same for what one console showed until `until`: whoever was alone comes back at the next turn, and may
    /// leave one out for that.
    #[track_caller]
    pub(crate) fn assert_unbroken_until(&self, place: usize, since: Instant, until: Instant) {
        let mut turns = self.seats[place].lines().turns(since);
        turns.retain(|(at, _)| *at < until);
        let wrong = out_of_order(&turns, &ORDER, self.interval);
        assert!(wrong.is_empty(), "{} showed {wrong:?}\n{}", self.seats[place].name, self.report());
    }

    /// That these consoles have skipped and repeated nothing since then, nor stood still.
    #[track_caller]
    pub(crate) fn assert_unbroken(&self, places: &[usize], since: Instant) {
        for place in places {
            let wrong = self.broken(*place, since);
            assert!(wrong.is_empty(), "{} showed {wrong:?}\n{}", self.seats[*place].name, self.report());
        }
    }

    /// That no leader was heard, and none has shown itself, after its successor; gives the longest silence
    /// on the channel.
    #[track_caller]
    pub(crate) fn assert_one_voice(&self, since: Instant) -> Duration {
        let lines: BTreeMap<_, _> = self
            .seats
            .iter()
            .map(|seat| (seat.name.clone(), seat.everything().into_iter().filter(|line| line.at >= since).collect()))
            .collect();
        let deposed = deposed(&lines);
        assert!(deposed.is_empty(), "{deposed:?}\n{}", self.report());
        assert_eq!(self.stale_beats(since), 0, "a leader spoke after its successor\n{}", self.report());
        self.longest_silence(since)
    }

    /// How many beats were heard of a leader that had a successor.
    pub(crate) fn stale_beats(&self, since: Instant) -> usize {
        self.beats(since).windows(2).filter(|pair| pair[1].1 < pair[0].1).count()
    }

    /// The longest time between two beats on the channel.
    pub(crate) fn longest_silence(&self, since: Instant) -> Duration {
        self.beats(since).windows(2).map(|pair| pair[1].0 - pair[0].0).max().unwrap_or_default()
    }

    /// The beats on the board's channel since then.
    pub(crate) fn beats(&self, since: Instant) -> Vec<(Instant, (u64, u64))> {
        self.ear.as_ref().map_or_else(Vec::new, |ear| ear.beats(since))
    }

    /// Everything that was said on the board's channel.
    pub(crate) fn heard(&self) -> Vec<String> {
        self.ear.as_ref().map_or_else(Vec::new, Ear::all)
    }

    /// How far apart the consoles showed the same turns since then.
    pub(crate) fn spreads(&self, since: Instant) -> (Vec<Duration>, usize) {
        let turns: Vec<_> =
            self.seats.iter().filter(|seat| seat.runs()).map(|seat| seat.lines().turns(since)).collect();
        spreads(&turns, self.interval)
    }

    /// Which part each console plays, and by which fence.
    pub(crate) fn roles(&self) -> Vec<(String, u64)> {
        let role = |seat: &Seat| seat.last().map_or_else(Default::default, |line| (line.role, line.fence));
        self.seats.iter().map(role).collect()
    }

    /// The last lines of everybody, for a failure.
    pub(crate) fn report(&self) -> String {
        let mut told = Vec::new();
        for seat in &self.seats {
            let lines = seat.everything();
            let from = lines.len().saturating_sub(25);
            let log = seat.log();
            let log: Vec<_> = log.lines().rev().take(15).collect();
            let log: Vec<_> = log.into_iter().rev().collect();
            let _ = writeln!(told, "{}:", seat.name);
            for line in &lines[from..] {
                let Line { at, item, role, fence, notice, .. } = line;
                let ago = now().duration_since(*at).as_millis();
                let (item, notice) = (item.as_deref().unwrap_or("-"), notice.as_deref().unwrap_or(""));
                let _ = writeln!(told, "  -{ago} ms {item} {role} {fence} {notice}");
            }
            let _ = writeln!(told, "  log:\n  {}", log.join("\n  "));
        }
        String::from_utf8_lossy(&told).into_owned()
    }

    /// Ends all consoles by a request, and waits for it.
    pub(crate) fn close(&mut self) {
        for seat in self.seats.iter_mut().filter(|seat| seat.runs()) {
            seat.signal(rustix::process::Signal::TERM);
            let status = eventually("the end", || Some(seat.reap()));
            assert!(status.is_some_and(|status| status.success()), "{} ended with {status:?}", seat.name);
        }
    }
}

/// Says what is missing where it is.
fn told(redis: Option<Redis>) -> Option<Redis> {
    if redis.is_none() {
        super::skip("consoles", "redis-server can't be started");
    }
    redis
}
