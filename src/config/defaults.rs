//! Every default and every limit of the config: a name, a unit and a reason each.
//!
//! Deliberately nothing but constants: what is done with them is the business of
//! `lower.rs`, how they are told that of `keys.rs`; a test there holds both together.

use crate::kernel::Span;
use crate::kernel::board::Level;

/// The board's name where the file gives none: the program's own.
pub const TITLE: &str = "marquee";
/// A turn's length: a short text is read in two seconds, and one more lets the eye find it.
pub const INTERVAL: Span = Span::from_secs(3);
/// Only news that somebody has to act on now breaks into the turns.
pub const INTERRUPT: Option<Level> = Some(Level::Critical);
/// Says that the program lives but knows nothing yet.
pub const FALLBACK: &str = "System initializing…";
/// Dark, because most boards hang where light dazzles.
pub const THEME: &str = "midnight";
/// Columns a second: about 150 words a minute, the pace of a calm reader.
pub const SCROLL: u32 = 12;
/// Healthy items beyond these share one turn: eight turns of three seconds are half a minute.
pub const SUMMARISE_AFTER: usize = 8;
/// From one run to the next: three missed ones make an item stale within half a minute.
pub const EVERY: Span = Span::from_secs(10);
/// One try's time: ten times what a slow plant network needs.
pub const TIMEOUT: Span = Span::from_secs(2);
/// No further tries: the next run is near, and a hidden failure is a lie.
pub const RETRIES: u32 = 0;
/// In the middle, so that there is room on both sides.
pub const PRIORITY: u8 = 5;
/// The most runs in flight: more wait for sockets and memory rather than for their targets.
pub const CONCURRENCY: u32 = 256;
/// One at a time: a limit is there to keep runs apart.
pub const BURST: u32 = 1;
/// Every result counts at once: who wants patience says how much.
pub const CONFIRM: u32 = 1;
/// No delay, for the same reason.
pub const DELAY: Span = Span::ZERO;
/// So many failures in a row are no accident any more.
pub const OPEN_AFTER: u32 = 5;
/// The first wait of an open breaker: a service that restarts is back about then.
pub const RETRY_AFTER: Span = Span::from_secs(1);
/// The longest wait of an open breaker: a minute after the repair the board knows.
pub const RETRY_MAX: Span = Span::from_secs(10);
/// Flapping starts above so many percent of changes: five in a row just now are enough, four are not.
pub const FLAPPING_START: u32 = 30;
/// Flapping stops below so many percent; less than the start, so that the mark does not flap itself.
pub const FLAPPING_STOP: u32 = 25;
/// How long pushed updates are counted together: three in a row are half a minute, the time of a reconnect.
pub const FEED_WINDOW: Span = Span::from_secs(10);
/// So many times the usual updates are no busy shift any more.
pub const FEED_SPIKE_RATIO: u32 = 4;
/// Two thousand updates a second are no load at all, however few are usual.
pub const FEED_SPIKE_FLOOR: u32 = 20_000;
/// Of so many updates one is taken while a source is degraded: a tenth still shows what it says.
pub const FEED_SAMPLE: u32 = 10;

/// The shortest period: below it the program would spend its time on timers.
pub const PERIOD_MIN: Span = Span::from_millis(10);
/// The shortest time limit: less than a millisecond no network answers in.
pub const TIMEOUT_MIN: Span = Span::from_millis(1);
/// The longest duration, a year: a longer one is a slip of the finger.
pub const DURATION_MAX: Span = Span::from_secs(365 * 86_400);
/// The most further tries: more hide a failure for minutes.
pub const RETRIES_MAX: u32 = 100;
/// The most urgent priority: ten steps are more than anybody tells apart.
pub const PRIORITY_MAX: u8 = 9;
/// The most runs that make up for missed ones: beyond it they would be the load that made them late.
pub const LATE_BURST_MAX: u32 = 100;
/// The most that a limit lets through in its unit of time, or at once: what one machine can start in a second.
pub const RATE_MAX: u32 = 100_000;
/// The most runs in flight that can be asked for: each needs a socket, and a process has no more.
pub const CONCURRENCY_MAX: u32 = 65_536;
/// The most results that are waited for: as many as flapping looks back on.
pub const CONFIRM_MAX: u32 = 20;
/// The most failures in a row before a breaker opens.
pub const OPEN_AFTER_MAX: u32 = 1_000;
/// The greatest ratio that makes a spike, and the sparsest sampling of one.
pub const FEED_RATIO_MAX: u32 = 1_000;
/// The highest floor of a spike: a hundred thousand updates a second in windows of ten.
pub const FEED_FLOOR_MAX: u32 = 1_000_000;
/// The most steps of a plan: more are a program, and programs are run by `exec:`.
pub const STEPS_MAX: usize = 32;
/// The most characters of a step's name or of a value that it gives: they stand in texts and expressions.
pub const STEP_NAME_CHARACTERS_MAX: usize = 32;
/// The most memory of a compiled pattern: a hundred times what a text of a machine needs.
pub const PATTERN_BYTES_MAX: usize = 1 << 20;
/// The fastest scrolling in columns a second: beyond it nobody reads.
pub const SCROLL_MAX: u32 = 200;
/// The most healthy items that may have turns of their own: as many as a board holds.
pub const SUMMARISE_AFTER_MAX: u32 = 10_000;
/// The most items of a board, unless the program is told otherwise: a whole pass of turns is then hours long already.
pub const ITEMS_MAX: usize = 10_000;
/// The most characters of a title: what a header line holds.
pub const NAME_CHARACTERS_MAX: usize = 100;
/// The most characters of a console's name: it stands in keys of servers and in a status line.
pub const CONSOLE_CHARACTERS_MAX: usize = 64;
/// The most addresses of one URL: a coordinator has seven members at most, and each may have two addresses.
pub const ENDPOINTS_MAX: usize = 16;
/// The most characters of a host's name: what DNS can carry.
pub const HOST_CHARACTERS_MAX: usize = 253;
/// The most bytes of any other text: what a frame keeps of a text.
pub const TEXT_BYTES_MAX: usize = 4096;

/// The most bytes of a config file: a thousand times a large board.
pub const FILE_BYTES_MAX: u64 = 8 << 20;
/// The most bytes of a secret's file: tokens and passwords are short.
pub const SECRET_BYTES_MAX: u64 = 64 << 10;
/// The deepest nesting: the config itself needs five levels.
pub const DEPTH_MAX: usize = 64;
/// The most values in a file, aliases counted as if written out: 25 for each of the most items.
pub const NODES_MAX: usize = 250_000;
/// The most values in a file for each item beyond the usual number.
pub const NODES_PER_ITEM: usize = 25;
/// The most mistakes that are told in full: nobody mends more in one go.
pub const PROBLEMS_MAX: usize = 100;

/// The themes that are compiled in.
pub const THEMES: &[&str] = &["midnight", "daylight", "high-contrast", "mono", "colour-blind", "andon"];
/// The languages of the screen.
pub const LOCALES: &[&str] = &["en", "zh"];
