//! From a theme's 24-bit colours to those that a terminal has.
//!
//! Pure arithmetic. With 16 or 8 colours nobody knows the exact shades of the terminal, so the
//! hue decides there and not the distance: red stays red and amber becomes yellow.

use ratatui::style::Color;

use crate::config::theme::Rgb;
use crate::renderers::ColourDepth;

/// The sixteen colours by their numbers.
const ANSI: [Color; 16] = [
    Color::Black,
    Color::Red,
    Color::Green,
    Color::Yellow,
    Color::Blue,
    Color::Magenta,
    Color::Cyan,
    Color::Gray,
    Color::DarkGray,
    Color::LightRed,
    Color::LightGreen,
    Color::LightYellow,
    Color::LightBlue,
    Color::LightMagenta,
    Color::LightCyan,
    Color::White,
];

/// A colour of letters and lines; `None`: the terminal's own.
pub(super) fn foreground(colour: Option<Rgb>, depth: ColourDepth) -> Option<Color> {
    let colour = colour?;
    match depth {
        ColourDepth::Mono => None,
        ColourDepth::Eight => Some(
            ANSI[match sixteen(colour) {
                // Dark grey needs the bright half; plain white is what eight colours have for it.
                8 => 7,
                other => other % 8,
            }],
        ),
        ColourDepth::Sixteen => Some(ANSI[sixteen(colour)]),
        ColourDepth::Indexed => Some(Color::Indexed(indexed(colour))),
        ColourDepth::True => Some(Color::Rgb(colour.0, colour.1, colour.2)),
    }
}

/// A colour behind letters; `None`: the terminal's own.
pub(super) fn background(colour: Option<Rgb>, depth: ColourDepth) -> Option<Color> {
    let colour = colour?;
    match depth {
        ColourDepth::Mono => None,
        // A dark tint is nearer to black than to the full colour of the same hue, and old
        // terminals have no bright backgrounds but white.
        ColourDepth::Eight | ColourDepth::Sixteen => Some(
            ANSI[match sixteen(colour) {
                _ if brightest(colour) < 96 => 0,
                15 if depth == ColourDepth::Sixteen => 15,
                8 => 0,
                other => other % 8,
            }],
        ),
        _ => foreground(Some(colour), depth),
    }
}

/// A colour that can be read on `behind`, where `colour` itself has become the same.
pub(super) fn apart(colour: Option<Color>, behind: Option<Color>, depth: ColourDepth) -> Option<Color> {
    match (colour, behind) {
        (Some(colour), Some(behind)) if colour == behind && depth < ColourDepth::Indexed => {
            let light = matches!(behind, Color::Gray | Color::White | Color::Yellow | Color::Cyan | Color::Green);
            Some(match (light, depth) {
                (true, ColourDepth::Sixteen) => Color::DarkGray,
                (true, _) => Color::Black,
                (false, _) => Color::Gray,
            })
        }
        _ => colour,
    }
}

/// `share` percent of `one`, the rest of `other`.
pub(super) fn blend(one: Rgb, other: Rgb, share: u16) -> Rgb {
    let mix = |one: u8, other: u8| {
        let sum = u16::from(one) * share + u16::from(other) * (100 - share.min(100));
        u8::try_from(sum / 100).unwrap_or(u8::MAX)
    };
    Rgb(mix(one.0, other.0), mix(one.1, other.1), mix(one.2, other.2))
}

fn brightest(colour: Rgb) -> u8 {
    colour.0.max(colour.1).max(colour.2)
}

/// The nearest of the 6x6x6 cube and the 24 greys.
fn indexed(colour: Rgb) -> u8 {
    /// The levels of the cube, as xterm has them.
    const CUBE: [u8; 6] = [0, 95, 135, 175, 215, 255];
    let nearest = |channel: u8| (0..6).min_by_key(|step| CUBE[usize::from(*step)].abs_diff(channel)).unwrap_or(0);
    let (r, g, b) = (nearest(colour.0), nearest(colour.1), nearest(colour.2));
    let cube = Rgb(CUBE[usize::from(r)], CUBE[usize::from(g)], CUBE[usize::from(b)]);
    let step = (0..24_u8).min_by_key(|step| distance(grey(*step), colour)).unwrap_or(0);
    if distance(grey(step), colour) < distance(cube, colour) { 232 + step } else { 16 + 36 * r + 6 * g + b }
}

const fn grey(step: u8) -> Rgb {
    let level = 8 + 10 * step;
    Rgb(level, level, level)
}

fn distance(one: Rgb, other: Rgb) -> u32 {
    let square = |one: u8, other: u8| u32::from(one.abs_diff(other)).pow(2);
    square(one.0, other.0) + square(one.1, other.1) + square(one.2, other.2)
}

/// The number among the sixteen that a person would call this colour.
fn sixteen(colour: Rgb) -> usize {
    let (r, g, b) = (i32::from(colour.0), i32::from(colour.1), i32::from(colour.2));
    let (high, low) = (r.max(g).max(b), r.min(g).min(b));
    let chroma = high - low;
    if chroma < 40 || chroma * 5 < high {
        return match (r * 3 + g * 6 + b) / 10 {
            ..50 => 0,
            50..120 => 8,
            120..200 => 7,
            _ => 15,
        };
    }
    let hue = if high == r {
        60 * (g - b) / chroma
    } else if high == g {
        120 + 60 * (b - r) / chroma
    } else {
        240 + 60 * (r - g) / chroma
    };
    let base = match hue.rem_euclid(360) {
        20..70 => 3,
        70..160 => 2,
        160..200 => 6,
        200..265 => 4,
        265..340 => 5,
        _ => 1,
    };
    if high > 170 { base + 8 } else { base }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hues_keep_their_names() {
        for (colour, number) in [
            (Rgb(0, 0, 0), 0),
            (Rgb(90, 90, 96), 8),
            (Rgb(150, 155, 160), 7),
            (Rgb(240, 240, 240), 15),
            (Rgb(255, 90, 90), 9),
            (Rgb(140, 20, 20), 1),
            (Rgb(255, 180, 80), 11),
            (Rgb(220, 130, 240), 13),
            (Rgb(120, 180, 255), 12),
            (Rgb(90, 200, 120), 10),
        ] {
            assert_eq!(sixteen(colour), number, "{colour:?}");
        }
    }

    #[test]
    fn the_cube_and_the_greys_are_met_exactly() {
        assert_eq!(indexed(Rgb(255, 0, 0)), 196);
        assert_eq!(indexed(Rgb(8, 8, 8)), 232);
        assert_eq!(indexed(Rgb(238, 238, 238)), 255);
        assert_eq!(indexed(Rgb(95, 135, 175)), 67);
    }

    #[test]
    fn each_depth_uses_what_it_has() {
        let amber = Some(Rgb(255, 180, 80));
        assert_eq!(foreground(amber, ColourDepth::Mono), None);
        assert_eq!(foreground(amber, ColourDepth::Eight), Some(Color::Yellow));
        assert_eq!(foreground(amber, ColourDepth::Sixteen), Some(Color::LightYellow));
        assert_eq!(foreground(amber, ColourDepth::True), Some(Color::Rgb(255, 180, 80)));
        assert_eq!(background(Some(Rgb(60, 20, 20)), ColourDepth::Sixteen), Some(Color::Black));
        assert_eq!(background(Some(Rgb(250, 250, 250)), ColourDepth::Eight), Some(Color::Gray));
        let grey = Some(Color::Gray);
        assert_eq!(apart(grey, grey, ColourDepth::Eight), Some(Color::Black));
        assert_eq!(apart(grey, Some(Color::Black), ColourDepth::Eight), grey);
    }
}
