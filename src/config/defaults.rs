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

/// The shortest period: below it the program would spend its time on timers.
pub const PERIOD_MIN: Span = Span::from_millis(10);
/// The shortest time limit: less than a millisecond no network answers in.
pub const TIMEOUT_MIN: Span = Span::from_millis(1);
/// The longest duration, a year: a longer one is a slip of the finger.
pub const DURATION_MAX: Span = Span::from_secs(365 * 86_400);
/// The most further tries: more hide a failure for minutes.
pub const RETRIES_MAX: u32 = 100;
/// The fastest scrolling in columns a second: beyond it nobody reads.
pub const SCROLL_MAX: u32 = 200;
/// The most healthy items that may have turns of their own: as many as a board holds.
pub const SUMMARISE_AFTER_MAX: u32 = 10_000;
/// The most items of a board, unless the program is told otherwise: a whole pass of turns is then hours long already.
pub const ITEMS_MAX: usize = 10_000;
/// The most characters of a title or a console's name: what a header line holds.
pub const NAME_CHARACTERS_MAX: usize = 100;
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
