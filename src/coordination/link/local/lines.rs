//! Lines in and out of a socket, each way within bounds.
//!
//! Both ways keep their place in the value, never in a future: one that is
//! dropped while it waits has lost nothing and sent nothing twice.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::sync::Arc;

use tokio::net::UnixStream;

use super::Ending;

/// How much is read at once.
const CHUNK_BYTES: usize = 16 * 1024;

/// A buffer larger than this is given back when it is empty: a whole board comes seldom.
const KEPT_BYTES_MAX: usize = 256 * 1024;

/// What came in and has not been taken yet.
#[derive(Debug)]
pub(super) struct Incoming {
    bytes: Vec<u8>,
    /// Where the first line begins.
    start: usize,
    /// Up to where there is no end of it.
    searched: usize,
    line_bytes_max: usize,
}

impl Incoming {
    pub(super) const fn new(line_bytes_max: usize) -> Self {
        Self { bytes: Vec::new(), start: 0, searched: 0, line_bytes_max }
    }

    /// The next whole line that has come in, without its end.
    pub(super) fn line(&mut self) -> Result<Option<String>, Ending> {
        let Some(found) = self.bytes[self.searched..].iter().position(|byte| *byte == b'\n') else {
            self.searched = self.bytes.len();
            if self.searched - self.start > self.line_bytes_max {
                return Err(Ending::TooLong);
            }
            self.tidy();
            return Ok(None);
        };
        let end = self.searched + found;
        let line = &self.bytes[self.start..end];
        if line.len() > self.line_bytes_max {
            return Err(Ending::TooLong);
        }
        let line = str::from_utf8(line).map_err(|_| Ending::NotText)?.to_owned();
        (self.start, self.searched) = (end + 1, end + 1);
        Ok(Some(line))
    }

    /// The next line, waited for. What came before the end of the other without
    /// an end of its line is half of one, and nothing.
    pub(super) async fn next(&mut self, stream: &UnixStream) -> Result<String, Ending> {
        loop {
            if let Some(line) = self.line()? {
                return Ok(line);
            }
            stream.readable().await.map_err(|_| Ending::Left)?;
            self.bytes.reserve(CHUNK_BYTES);
            match stream.try_read_buf(&mut self.bytes) {
                Ok(1..) => {}
                Err(error) if is_passing(&error) => {}
                Ok(0) | Err(_) => return Err(Ending::Left),
            }
        }
    }

    fn tidy(&mut self) {
        self.bytes.drain(..self.start);
        self.searched -= self.start;
        self.start = 0;
        if self.bytes.is_empty() && self.bytes.capacity() > KEPT_BYTES_MAX {
            self.bytes = Vec::new();
        }
    }
}

/// How much may wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    pub(super) lines: usize,
    pub(super) bytes: usize,
}

/// Lines that wait to be sent, within the room they have.
#[derive(Debug)]
pub(super) struct Waiting {
    lines: VecDeque<Arc<str>>,
    bytes: usize,
    room: Room,
}

impl Waiting {
    pub(super) const fn new(room: Room) -> Self {
        Self { lines: VecDeque::new(), bytes: 0, room }
    }

    /// Whether the line had room.
    #[must_use]
    pub(super) fn push(&mut self, line: Arc<str>) -> bool {
        let bytes = self.bytes + line.len();
        if self.lines.len() >= self.room.lines || bytes > self.room.bytes {
            return false;
        }
        self.bytes = bytes;
        self.lines.push_back(line);
        true
    }

    pub(super) fn pop(&mut self) -> Option<Arc<str>> {
        let line = self.lines.pop_front()?;
        self.bytes -= line.len();
        Some(line)
    }
}

/// A line on its way, with the end that it gets.
#[derive(Debug)]
pub(super) struct Sending {
    line: Arc<str>,
    sent: usize,
}

impl Sending {
    pub(super) const fn new(line: Arc<str>) -> Self {
        Self { line, sent: 0 }
    }

    /// Sends what is left of it.
    pub(super) async fn finish(&mut self, stream: &UnixStream) -> io::Result<()> {
        while !self.push_on(stream)? {
            stream.writable().await?;
        }
        Ok(())
    }

    /// Sends as much as goes without waiting, and says whether that was all.
    pub(super) fn push_on(&mut self, stream: &UnixStream) -> io::Result<bool> {
        while self.sent <= self.line.len() {
            let rest = [IoSlice::new(&self.line.as_bytes()[self.sent..]), IoSlice::new(b"\n")];
            match stream.try_write_vectored(&rest) {
                Ok(sent) => self.sent += sent,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }
}

fn is_passing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(incoming: &mut Incoming, pieces: &[&[u8]]) -> Result<Vec<String>, Ending> {
        let mut lines = Vec::new();
        for piece in pieces {
            incoming.bytes.extend_from_slice(piece);
            while let Some(line) = incoming.line()? {
                lines.push(line);
            }
        }
        Ok(lines)
    }

    #[test]
    fn lines_are_the_same_however_they_are_cut() {
        let lines = proptest::collection::vec("[^\n]{0,20}", 0..20);
        proptest::proptest!(|(lines in lines, cuts: Vec<proptest::sample::Index>)| {
            let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
            let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
            places.extend([0, text.len()]);
            places.sort_unstable();
            let pieces: Vec<&[u8]> = places.windows(2).map(|place| &text.as_bytes()[place[0]..place[1]]).collect();
            proptest::prop_assert_eq!(feed(&mut Incoming::new(80), &pieces), Ok(lines));
        });
    }

    #[test]
    fn bytes_that_are_no_lines_end_it_and_nothing_else_does() {
        for (pieces, expected) in [
            (&[&b"12345678\n"[..]][..], Ok(1)),
            (&[b"123456789\n"], Err(Ending::TooLong)),
            (&[b"1234", b"56789"], Err(Ending::TooLong)),
            (&[b"12345678", b"\n12345678"], Ok(1)),
            (&[b"a\nb\xff\nc\n"], Err(Ending::NotText)),
            (&[b"a\n\xe4\xba", b"\xa7\n"], Ok(2)),
            (&[b"\n\n\n"], Ok(3)),
            (&[b"\0\r\x1b\n"], Ok(1)),
            (&[b""], Ok(0)),
        ] {
            assert_eq!(feed(&mut Incoming::new(8), pieces).map(|lines| lines.len()), expected, "{pieces:?}");
        }
        proptest::proptest!(|(pieces: Vec<Vec<u8>>)| {
            let pieces: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
            let _ = feed(&mut Incoming::new(8), &pieces);
        });
    }

    #[test]
    fn a_large_buffer_is_given_back() {
        let mut incoming = Incoming::new(4 * KEPT_BYTES_MAX);
        let mut line = vec![b'x'; 2 * KEPT_BYTES_MAX];
        line.push(b'\n');
        assert_eq!(feed(&mut incoming, &[&line]).map(|lines| lines[0].len()), Ok(2 * KEPT_BYTES_MAX));
        assert_eq!(incoming.bytes.capacity(), 0);
    }

    #[test]
    fn what_waits_keeps_to_its_room() {
        let mut waiting = Waiting::new(Room { lines: 3, bytes: 10 });
        for (line, fits) in [("1234", true), ("123456", true), ("1", false), ("", true), ("", false)] {
            assert_eq!(waiting.push(line.into()), fits, "{line}");
        }
        assert_eq!(waiting.pop().as_deref(), Some("1234"));
        assert!(waiting.push("1234".into()) && !waiting.push("1".into()));
        assert_eq!(std::iter::from_fn(|| waiting.pop()).count(), 3);
        assert_eq!(waiting.bytes, 0);
    }
}
