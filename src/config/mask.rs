//! Masks what is written into a file or URL but is nobody else's business.

/// What stands for a secret.
pub(super) const MASK: &str = "***";

/// What ends the part of a URL that a password stands in.
const ENDS: &[char] = &['/', '?', '#', ' ', '"', '\''];

/// The bytes of the password in `scheme://user:password@host`, where there is one, in front of any of `ends`.
fn password(url: &str, ends: &[char]) -> Option<std::ops::Range<usize>> {
    let start = url.find("://")? + 3;
    let end = start + url[start..].find(ends).unwrap_or(url.len() - start);
    let at = start + url[start..end].rfind('@')?;
    let colon = start + url[start..at].find(':')?;
    Some(colon + 1..at)
}

/// A URL with its password masked.
pub(super) fn mask_url(url: &str) -> String {
    match password(url, ENDS) {
        Some(secret) => format!("{}{MASK}{}", &url[..secret.start], &url[secret.end..]),
        None => url.to_owned(),
    }
}

/// A line of a config with URL passwords and a written-out token masked, byte for byte as long as it was.
pub(super) fn mask_line(line: &str) -> String {
    let mut masked = line.to_owned();
    let key = line.trim_start_matches([' ', '{', '"', '\'']);
    // A server's password with a sign that had to be escaped is a mistake, but a secret no less.
    let ends = if key.starts_with("state") || key.starts_with("cluster") { &ENDS[3..] } else { ENDS };
    if let Some(secret) = password(line, ends) {
        masked = stars(&masked, secret);
    }
    if key.starts_with("token")
        && !line.contains("${")
        && let Some(colon) = line.find(':')
    {
        let start = line.len() - line[colon + 1..].trim_start().len();
        // Two quotes hide nothing, and a report on them should show them.
        if line.len() - start > 2 {
            masked = stars(&masked, start..line.len());
        }
    }
    masked
}

/// One star for each byte, so that carets keep their places.
fn stars(text: &str, secret: std::ops::Range<usize>) -> String {
    format!("{}{}{}", &text[..secret.start], "*".repeat(secret.len()), &text[secret.end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_masked_and_nothing_else() {
        for (url, masked) in [
            ("redis://u:p@h:1/0", "redis://u:***@h:1/0"),
            ("redis://:p@ss@h", "redis://:***@h"),
            ("http://h/a:b@c", "http://h/a:b@c"),
            ("http://h:80/", "http://h:80/"),
            ("exec:ping -c 1", "exec:ping -c 1"),
        ] {
            assert_eq!(mask_url(url), masked);
        }
        assert_eq!(mask_line("check: redis://u:pä@h"), "check: redis://u:***@h");
        assert_eq!(mask_line("cluster: etcd://u:p/w@h:1/x"), "cluster: etcd://u:***@h:1/x");
        assert_eq!(mask_line("check: http://h:80/x@y"), "check: http://h:80/x@y");
        assert_eq!(mask_line("token: hunter2"), "token: *******");
        assert_eq!(mask_line("token: ${file:/x}"), "token: ${file:/x}");
    }
}
