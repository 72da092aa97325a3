//! `%20` and its like in URLs.

/// Decodes the codes of a part of a URL, such as a password; never tells the part itself.
///
/// # Errors
/// Where a `%` has no code behind it, the codes make no text, or there is a NUL.
pub fn percent_decoded(text: &str) -> Result<String, &'static str> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, behind)) = rest.split_first() {
        rest = behind;
        if *byte == b'%' {
            let code = rest.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
            let code = code.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
            let code = code.and_then(|digits| u8::from_str_radix(digits, 16).ok());
            bytes.push(code.ok_or("a `%` is not followed by two digits of a code; itself it is %25")?);
            rest = &rest[2..];
        } else {
            bytes.push(*byte);
        }
    }
    let text = String::from_utf8(bytes).map_err(|_| "the codes behind `%` make no text")?;
    if text.contains('\0') { Err("a NUL character, which nothing here can have") } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_decoded_and_what_is_none_is_told() {
        for (text, decoded) in [
            ("", Ok("")),
            ("p%2F%3a+x", Ok("p/:+x")),
            ("%E5%8F%B7号", Ok("号号")),
            ("100%", Err("a `%` is not followed by two digits of a code; itself it is %25")),
            ("%+1", Err("a `%` is not followed by two digits of a code; itself it is %25")),
            ("%ff", Err("the codes behind `%` make no text")),
            ("a%00", Err("a NUL character, which nothing here can have")),
        ] {
            assert_eq!(percent_decoded(text).as_deref(), decoded.as_ref().copied(), "{text}");
        }
    }
}
