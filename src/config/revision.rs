//! The digest by which a reload knows an item that did not change.
//!
//! FNV-1a of 64 bits: stable over versions of the compiler and of the program,
//! which the standard hasher is not. It guards against mistakes, not attackers.

use super::Levels;
use super::model::{CheckConfig, ItemKind};
use crate::kernel::{Span, digest, digest_on};

struct Digest(u64);

impl Digest {
    fn add(&mut self, bytes: &[u8]) {
        self.0 = digest_on(self.0, bytes.iter().copied());
    }

    /// With its length, so that two neighbours can't exchange letters.
    fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.add(text.as_bytes());
    }

    fn number(&mut self, number: u64) {
        self.add(&number.to_le_bytes());
    }

    fn span(&mut self, span: Option<Span>) {
        // No span is as long as the longest one can count.
        self.number(span.map_or(u64::MAX, Span::as_nanos));
    }
}

/// The digest of all that says what an item is and how it is measured; its place and `hold` are no part of it.
pub(super) fn revision(id: &str, text: &str, kind: &ItemKind) -> u64 {
    let mut digest = Digest(digest([]));
    digest.text(id);
    digest.text(text);
    match kind {
        ItemKind::Fixed(level) => {
            digest.text("fixed");
            digest.text(level.word());
        }
        ItemKind::Check(check) => {
            // The target of a plan tells its steps; the flow changes how often they run and never what they are.
            let CheckConfig { scheme, target, every, phase, timeout, retries, levels, label: _, flow: _, steps: _ } =
                &**check;
            let Levels(levels) = levels;
            digest.text("check");
            digest.text(scheme);
            digest.text(target.reveal());
            digest.span(Some(*every));
            digest.span(*phase);
            digest.span(Some(*timeout));
            digest.number(u64::from(*retries));
            for (level, expression) in levels {
                digest.text(level.word());
                digest.text(expression.as_str());
            }
        }
        ItemKind::Pushed { ttl } => {
            digest.text("pushed");
            digest.span(*ttl);
        }
    }
    digest.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::board::Level;

    #[test]
    fn the_digest_is_the_published_one_and_tells_items_apart() {
        let mut digest = Digest(digest([]));
        digest.add(b"foobar");
        assert_eq!(digest.0, 0x8594_4171_f739_67e8);
        let kinds = [
            ItemKind::Fixed(Level::Info),
            ItemKind::Fixed(Level::Healthy),
            ItemKind::Pushed { ttl: None },
            ItemKind::Pushed { ttl: Some(Span::ZERO) },
        ];
        let mut seen = Vec::new();
        for (id, text) in [("a", "bc"), ("ab", "c")] {
            for kind in &kinds {
                let digest = revision(id, text, kind);
                assert!(!seen.contains(&digest));
                seen.push(digest);
            }
        }
    }
}
