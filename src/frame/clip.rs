//! Texts cut to their room.
//!
//! A cut never divides a wide character or takes a mark from its letter, so a
//! clipped text may be one column narrower than its room: the cell that is left
//! stays a space. Deliberately no padding and no wrapping; they are a renderer's.

use std::borrow::Cow;

use crate::kernel::width;

/// The head of `text` that takes at most `columns` terminal columns.
#[must_use]
pub fn clip(text: &str, columns: usize) -> &str {
    let mut room = columns;
    let mut end = 0;
    for (cluster, columns) in width::clusters(text) {
        let Some(rest) = room.checked_sub(columns) else { break };
        room = rest;
        end += cluster.len();
    }
    &text[..end]
}

/// `text` where it fits into `columns`; else its head, ended by `ellipsis` if that fits itself.
#[must_use]
pub fn fit<'a>(text: &'a str, columns: usize, ellipsis: &str) -> Cow<'a, str> {
    let head = clip(text, columns);
    if head.len() == text.len() {
        return Cow::Borrowed(text);
    }
    match columns.checked_sub(width::columns(ellipsis)) {
        Some(room) if !ellipsis.is_empty() => Cow::Owned(clip(text, room).to_owned() + ellipsis),
        _ => Cow::Borrowed(head),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_is_cut_in_half() {
        for (text, columns, head) in [
            ("", 5, ""),
            ("abc", 0, ""),
            ("abc", 2, "ab"),
            ("abc", 9, "abc"),
            ("日本語", 5, "日本"),
            ("日本語", 1, ""),
            ("cafe\u{301} au lait", 4, "cafe\u{301}"),
            ("👩🏽\u{200D}🚀🔥", 3, "👩🏽\u{200D}🚀"),
            ("🇩🇪🇫🇷", 3, "🇩🇪"),
            ("कामना", 1, ""),
        ] {
            assert_eq!(clip(text, columns), head, "{text} in {columns}");
        }
    }

    #[test]
    fn a_cut_is_told_where_there_is_room_to_tell() {
        for (text, columns, ellipsis, fitted) in [
            ("Redis", 5, "…", "Redis"),
            ("Redis TTL", 5, "…", "Redi…"),
            ("Redis TTL", 5, "...", "Re..."),
            ("Redis TTL", 2, "...", "Re"),
            ("Redis TTL", 1, "…", "…"),
            ("Redis TTL", 0, "…", ""),
            ("Redis TTL", 4, "", "Redi"),
            ("日本語", 4, "…", "日…"),
        ] {
            assert_eq!(fit(text, columns, ellipsis), fitted, "{text} in {columns}");
        }
    }

    proptest! {
        #[test]
        fn what_is_cut_fits_and_is_the_longest_that_does(text in ".{0,40}", columns in 0..30_usize) {
            let head = clip(&text, columns);
            prop_assert!(text.starts_with(head));
            prop_assert!(width::columns(head) <= columns);
            if let Some((next, _)) = width::clusters(&text[head.len()..]).next() {
                prop_assert!(width::columns(head) + width::columns(next) > columns);
            }
            prop_assert!(width::columns(&fit(&text, columns, "…")) <= columns);
        }
    }
}
