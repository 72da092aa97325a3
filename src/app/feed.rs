//! The feed: every frame as a line of JSON, for as many readers as follow it.
//!
//! The board thread only puts lines into queues. A reader whose queue is full
//! does not keep up and is let go: nobody holds the board up, and no queue grows.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::stage::Stage;
use crate::frame::Frame;
use crate::renderers::json::FrameLine;

/// Frames that a reader may be behind: a screenful of turns, and 100 KiB at most for usual texts.
const BEHIND: usize = 256;

/// Readers at once: half of the connections of a server, so that the others can still be asked.
const READERS_MAX: usize = 64;

/// Those who follow the frames.
#[derive(Debug)]
pub(super) struct Feed {
    stage: Arc<Stage>,
    readers: Mutex<Vec<Reader>>,
}

#[derive(Debug)]
struct Reader {
    lines: Sender<Arc<str>>,
    /// The last frame it was given.
    seq: Option<u64>,
}

impl Feed {
    /// Nobody follows yet; who comes begins with what is on `stage`.
    pub(super) fn new(stage: Arc<Stage>) -> Arc<Self> {
        Arc::new(Self { stage, readers: Mutex::default() })
    }

    /// Gives a frame that is on stage to those who don't have it.
    pub(super) fn publish(&self, frame: &Frame) {
        let mut readers = self.readers();
        let mut line = None;
        readers.retain_mut(|reader| {
            if reader.seq.is_some_and(|seq| seq >= frame.seq) {
                return !reader.lines.is_closed();
            }
            let line = line.get_or_insert_with(|| told(frame));
            reader.seq = Some(frame.seq);
            reader.lines.try_send(Arc::clone(line)).is_ok()
        });
    }

    /// Follows the frames from the one that is shown on; `None`: too many do.
    pub(super) fn follow(&self) -> Option<Receiver<Arc<str>>> {
        let (lines, received) = channel(BEHIND);
        let mut readers = self.readers();
        readers.retain(|reader| !reader.lines.is_closed());
        if readers.len() >= READERS_MAX {
            return None;
        }
        let newest = self.stage.newest();
        let newest = newest.as_ref().as_ref();
        // An empty queue has room for its first line.
        let _ = newest.map(|frame| lines.try_send(told(frame)));
        readers.push(Reader { lines, seq: newest.map(|frame| frame.seq) });
        Some(received)
    }

    fn readers(&self) -> std::sync::MutexGuard<'_, Vec<Reader>> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn told(frame: &Frame) -> Arc<str> {
    // A frame is texts and numbers: there is nothing in it that JSON could not say.
    serde_json::to_string(&FrameLine::from(frame)).unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Composer;
    use crate::kernel::{Kernel, Moment};

    fn frame(seq: u64) -> Frame {
        let kernel = Kernel::new(Moment::EPOCH, "T", "fallback");
        Frame { seq, ..Composer::default().compose(&kernel, Moment::EPOCH, Moment::EPOCH) }
    }

    fn show(feed: &Feed, seq: u64) {
        feed.stage.show(frame(seq));
        feed.publish(&frame(seq));
    }

    fn seqs(reader: &mut Receiver<Arc<str>>) -> Vec<u64> {
        let lines = std::iter::from_fn(|| reader.try_recv().ok());
        lines.map(|line| serde_json::from_str::<serde_json::Value>(&line).unwrap()["seq"].as_u64().unwrap()).collect()
    }

    #[test]
    fn a_reader_gets_the_shown_frame_and_each_new_one_once() {
        let feed = Feed::new(Stage::new());
        let mut early = feed.follow().unwrap();
        for seq in [1, 1, 2] {
            show(&feed, seq);
        }
        let mut late = feed.follow().unwrap();
        show(&feed, 3);
        assert_eq!((seqs(&mut early), seqs(&mut late)), (vec![1, 2, 3], vec![2, 3]));
        // A frame may be on stage, but not yet given out, when a reader comes.
        feed.stage.show(frame(4));
        let mut between = feed.follow().unwrap();
        feed.publish(&frame(4));
        assert_eq!(seqs(&mut between), [4]);
    }

    #[test]
    fn who_does_not_keep_up_is_let_go_and_places_are_bounded() {
        let feed = Feed::new(Stage::new());
        let mut slow = feed.follow().unwrap();
        let mut quick = feed.follow().unwrap();
        for seq in 0..=BEHIND as u64 {
            show(&feed, seq);
            assert_eq!(seqs(&mut quick), [seq]);
        }
        assert_eq!(seqs(&mut slow).len(), BEHIND);
        assert!(slow.is_closed() && !quick.is_closed());
        let held: Vec<_> = std::iter::from_fn(|| feed.follow()).collect();
        assert_eq!(held.len(), READERS_MAX - 1);
        drop(held);
        assert!(feed.follow().is_some(), "those that have gone free their places");
    }
}
