//! Masks what is written into a file or URL but is nobody else's business.

/// What stands for a secret.
pub(super) const MASK: &str = "***";

/// The bytes of the password in `scheme://user:password@host`, where there is one.
fn password(url: &str) -> Option<std::ops::Range<usize>> {
    let start = url.find("://")? + 3;
    let end = start + url[start..].find(['/', '?', '#', ' ', '"', '\'']).unwrap_or(url.len() - start);
    let at = start + url[start..end].rfind('@')?;
    let colon = start + url[start..at].find(':')?;
    Some(colon + 1..at)
}

/// A URL with its password masked.
pub(super) fn mask_url(url: &str) -> String {
    match password(url) {
        Some(secret) => format!("{}{MASK}{}", &url[..secret.start], &url[secret.end..]),
        None => url.to_owned(),
    }
}

/// A line of a config with URL passwords and a written-out token masked, byte for byte as long as it was.
pub(super) fn mask_line(line: &str) -> String {
    let mut masked = line.to_owned();
    if let Some(secret) = password(line) {
        masked = stars(&masked, secret);
    }
    let key = line.trim_start_matches([' ', '{', '"', '\'']);
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
        assert_eq!(mask_line("token: hunter2"), "token: *******");
        assert_eq!(mask_line("token: ${file:/x}"), "token: ${file:/x}");
    }
}
