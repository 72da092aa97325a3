//! What a monitoring plugin prints: text before the first `|`, performance data after it.
//!
//! ```text
//! TEXT | 'label'=value[UOM];warn;crit;min;max …
//! LONG TEXT
//! LONG TEXT | MORE PERFORMANCE DATA
//! MORE PERFORMANCE DATA
//! ```
//!
//! Deliberately lenient: a measurement that can't be read is left out, because
//! one odd label must not hide the others. Thresholds and ranges are the
//! plugin's business and are not read.

use crate::frame::{Safe, Unit, Value, Values};

/// More measurements than this are left out: no screen tells more, and the list is searched in order.
const MEASUREMENTS_MAX: usize = 256;

/// A plugin's output in its two parts.
#[derive(Debug, PartialEq)]
pub(super) struct Output<'a> {
    /// The first line that says something, up to the `|`.
    pub(super) text: &'a str,
    /// The measurements.
    pub(super) values: Values,
}

/// Reads the whole output of a plugin.
pub(super) fn read(output: &str) -> Output<'_> {
    let mut lines = output.lines().skip_while(|line| line.trim().is_empty());
    let first = lines.next().unwrap_or_default();
    let (text, data) = first.split_once('|').unwrap_or((first, ""));
    let mut values = Values::new();
    let mut room = MEASUREMENTS_MAX;
    measurements(data, &mut values, &mut room);
    let mut long_text = true;
    for line in lines {
        if !long_text {
            measurements(line, &mut values, &mut room);
        } else if let Some((_, data)) = line.split_once('|') {
            long_text = false;
            measurements(data, &mut values, &mut room);
        }
    }
    Output { text: text.trim(), values }
}

/// Reads `'label'=value…` items, separated by white space, into `values`.
fn measurements(data: &str, values: &mut Values, room: &mut usize) {
    let mut rest = data.trim_start();
    while !rest.is_empty() && *room > 0 {
        let Some((label, after)) = label(rest) else {
            // Not an item: go on after the next white space.
            rest = rest.split_once(char::is_whitespace).map_or("", |(_, after)| after.trim_start());
            continue;
        };
        let end = after.find(char::is_whitespace).unwrap_or(after.len());
        if let Some(value) = value(&after[..end]) {
            values.set(&*Safe::line(&label), value);
            *room -= 1;
        }
        rest = after[end..].trim_start();
    }
}

/// The label at the start of `rest`, and what follows its `=`. A quote inside a quoted label is doubled.
fn label(rest: &str) -> Option<(String, &str)> {
    let Some(mut inner) = rest.strip_prefix('\'') else {
        let (label, after) = rest.split_once('=')?;
        let plain = !label.is_empty() && !label.contains(char::is_whitespace);
        return plain.then(|| (label.to_owned(), after));
    };
    let mut label = String::new();
    loop {
        let (part, after) = inner.split_once('\'')?;
        label.push_str(part);
        if let Some(more) = after.strip_prefix('\'') {
            label.push('\'');
            inner = more;
        } else {
            let after = after.strip_prefix('=')?;
            return (!label.trim().is_empty()).then_some((label, after));
        }
    }
}

/// The value of `number[UOM][;…]`; `U` is the plugin's word for "not known".
fn value(item: &str) -> Option<Value> {
    let measured = item.split(';').next()?;
    // The longest prefix that is a number: `5e3` is one, `5exa` is 5 of a unit that nobody knows.
    let digits =
        measured.bytes().take_while(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E')).count();
    let (number, end) = (1..=digits).rev().find_map(|end| Some((measured[..end].parse::<f64>().ok()?, end)))?;
    let (factor, unit) = unit_of(&measured[end..]);
    let scaled = number * factor;
    scaled.is_finite().then_some(Value::Number(scaled, unit))
}

/// What a unit of measurement means. Plugins count bytes in powers of 1024 whatever they write.
fn unit_of(uom: &str) -> (f64, Unit) {
    const STEP: f64 = 1024.0;
    match uom {
        "s" => (1.0, Unit::Seconds),
        "ms" => (1e-3, Unit::Seconds),
        "us" | "µs" => (1e-6, Unit::Seconds),
        "ns" => (1e-9, Unit::Seconds),
        "%" => (1.0, Unit::Percent),
        "B" => (1.0, Unit::Bytes),
        "KB" | "kB" | "KiB" => (STEP, Unit::Bytes),
        "MB" | "MiB" => (STEP * STEP, Unit::Bytes),
        "GB" | "GiB" => (STEP * STEP * STEP, Unit::Bytes),
        "TB" | "TiB" => (STEP * STEP * STEP * STEP, Unit::Bytes),
        // `c` is a counter; the rest (`C`, `rpm`, `W`…) are units that the board has no word for.
        _ => (1.0, Unit::Plain),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(output: &str) -> Vec<(String, Value)> {
        read(output).values.iter().map(|(label, value)| (label.to_owned(), value.clone())).collect()
    }

    #[test]
    fn every_unit_is_read() {
        for (item, expected) in [
            ("3", Value::plain(3.0)),
            ("-0.5", Value::plain(-0.5)),
            ("+2", Value::plain(2.0)),
            ("1e3", Value::plain(1000.0)),
            ("2.5e-05s", Value::Number(2.5e-5, Unit::Seconds)),
            ("1s", Value::Number(1.0, Unit::Seconds)),
            ("250ms", Value::Number(0.25, Unit::Seconds)),
            ("12us", Value::Number(12.0 * 1e-6, Unit::Seconds)),
            ("80%", Value::percent(80.0)),
            ("1B", Value::bytes(1)),
            ("2KB", Value::bytes(2048)),
            ("3MB", Value::bytes(3 << 20)),
            ("1GB", Value::bytes(1 << 30)),
            ("1TB", Value::bytes(1 << 40)),
            ("917c", Value::plain(917.0)),
            ("41.5C", Value::plain(41.5)),
            ("5exa", Value::plain(5.0)),
            ("5;1:4;@2;0;9", Value::plain(5.0)),
        ] {
            assert_eq!(value(item), Some(expected), "{item}");
        }
        for none in ["U", "U;1;2", "", ";", "x", "-", ".", "1e999", "NaN", "inf"] {
            assert_eq!(value(none), None, "{none}");
        }
    }

    #[test]
    fn labels_may_be_quoted_and_odd_items_are_left_out() {
        assert_eq!(
            told("OK | a=1 'b c'=2s;;;0 'it''s'=3 /=4B =5 junk 'open=6"),
            vec![
                ("a".into(), Value::plain(1.0)),
                ("b c".into(), Value::Number(2.0, Unit::Seconds)),
                ("it's".into(), Value::plain(3.0)),
                ("/".into(), Value::bytes(4)),
            ]
        );
    }

    #[test]
    fn text_is_the_first_line_and_data_may_stand_on_later_lines() {
        let output = "\nDISK OK - 3 GB free; | /=2MB;5;6;0;9\nlong / text\nmore | /boot=1MB\n/home=3MB a=b c=4\n";
        assert_eq!(read(output).text, "DISK OK - 3 GB free;");
        let names: Vec<_> = told(output).into_iter().map(|(label, _)| label).collect();
        assert_eq!(names, ["/", "/boot", "/home", "c"]);
    }

    #[test]
    fn nothing_and_noise_are_read_too() {
        assert_eq!(read(""), Output { text: "", values: Values::new() });
        assert_eq!(read("|||"), Output { text: "", values: Values::new() });
        assert_eq!(read("a\r\nb").text, "a");
        let many: String = (0..100_000).map(|n| format!(" l{n}=1")).collect();
        assert_eq!(read(&format!("x|{many}")).values.iter().count(), MEASUREMENTS_MAX);
    }

    proptest::proptest! {
        #[test]
        fn no_output_breaks_the_reader(output in "(\\PC|[|'=;\n ]){0,80}") {
            let read = read(&output);
            proptest::prop_assert!(!read.text.contains('\n') && !read.text.contains('|'));
        }
    }
}
