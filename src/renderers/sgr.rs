//! Colours as escape sequences (SGR), mapped to what a terminal has.
//!
//! For lines of text alone; the full-screen renderer paints cells and needs none
//! of this. Deliberately never bold or blinking: brightness of bold differs from
//! terminal to terminal, and the level is told by symbol and word anyway.

use super::ColourDepth;
use crate::config::theme::Rgb;

/// A colour as a terminal is told it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// A place in the terminal's palette: 0 to 7, 8 to 15 bright, 16 to 255 by the xterm table.
    Palette(u8),
    /// 24 bits.
    True(Rgb),
}

const BLACK: u8 = 0;
const WHITE: u8 = 7;
const BRIGHT_BLACK: u8 = 8;
const BRIGHT_WHITE: u8 = 15;
const CYAN: u8 = 6;

/// The palette's places around the circle of hues, 60 degrees each: red, yellow, green, cyan, blue, magenta.
const HUES: [u8; 6] = [1, 3, 2, 6, 4, 5];

/// Below this distance between its strongest and its weakest part a colour is a grey.
const CHROMA_MIN: u8 = 0x30;
/// From here on a part is so strong that the bright half of the palette is nearer.
const BRIGHT_MIN: u8 = 0xC8;
/// Greys in the four that the palette has: the upper ends of black, bright black and white, by luma.
const GREY_ENDS: [u8; 3] = [0x30, 0x88, 0xE8];
/// With eight colours: the upper end of black, by luma.
const BLACK_END: u8 = 0x60;
/// With eight colours, from this luma on cyan stands for blue: on black, dark blue can't be read.
const LIGHT_BLUE_MIN: u8 = 0x80;
/// From this luma on a ground is light and takes black letters.
const LIGHT_MIN: u8 = 0x80;

/// The parts of the xterm cube.
const CUBE: [u8; 6] = [0, 95, 135, 175, 215, 255];

/// The nearest ink of a terminal; `None` where it has no colours.
#[must_use]
pub fn nearest(colour: Rgb, depth: ColourDepth) -> Option<Ink> {
    match depth {
        ColourDepth::Mono => None,
        ColourDepth::Eight => Some(Ink::Palette(by_hue(colour, false))),
        ColourDepth::Sixteen => Some(Ink::Palette(by_hue(colour, true))),
        ColourDepth::Indexed => Some(Ink::Palette(indexed(colour))),
        ColourDepth::True => Some(Ink::True(colour)),
    }
}

/// The inks of letters and of their ground, so that the letters can be read whatever the terminal has.
#[must_use]
pub fn inks(fg: Option<Rgb>, bg: Option<Rgb>, depth: ColourDepth) -> (Option<Ink>, Option<Ink>) {
    let (letters, ground) = (fg.and_then(|fg| nearest(fg, depth)), bg.and_then(|bg| nearest(bg, depth)));
    match (letters, ground, bg) {
        // Two colours fell on one: letters that can be read matter more than their hue.
        (Some(Ink::Palette(front)), Some(Ink::Palette(behind)), Some(bg)) if is_one_hue(front, behind) => {
            let light = if depth == ColourDepth::Eight { WHITE } else { BRIGHT_WHITE };
            let dark_ground = luma(bg) < LIGHT_MIN && behind != light;
            (Some(Ink::Palette(if dark_ground { light } else { BLACK })), ground)
        }
        _ => (letters, ground),
    }
}

/// Whether two places of the palette are the same colour, or its dark and its bright half.
/// Bright black on black is let be: it is what a terminal has for calm lines.
const fn is_one_hue(front: u8, behind: u8) -> bool {
    front == behind || (front < 16 && behind < 16 && front % 8 == behind % 8 && front != BRIGHT_BLACK)
}

/// `text` in these colours, and back to the terminal's own behind it. `None` is the terminal's own.
#[must_use]
pub fn paint(text: &str, fg: Option<Rgb>, bg: Option<Rgb>, depth: ColourDepth) -> String {
    let (letters, ground) = inks(fg, bg, depth);
    let codes = letters.map(|ink| code(ink, 30)).into_iter().chain(ground.map(|ink| code(ink, 40)));
    let codes = codes.collect::<Vec<_>>().join(";");
    if codes.is_empty() { text.to_owned() } else { format!("\u{1b}[{codes}m{text}\u{1b}[0m") }
}

/// The parameters of one ink; `base` is 30 for letters and 40 for the ground.
fn code(ink: Ink, base: u8) -> String {
    match ink {
        Ink::Palette(place @ 0..8) => (base + place).to_string(),
        Ink::Palette(place @ 8..16) => (base + 60 + place - 8).to_string(),
        Ink::Palette(place) => format!("{};5;{place}", base + 8),
        Ink::True(Rgb(red, green, blue)) => format!("{};2;{red};{green};{blue}", base + 8),
    }
}

/// How light a colour looks, from 0 to 255 (the weights of ITU-R BT.601, which suit screens' own numbers).
fn luma(Rgb(red, green, blue): Rgb) -> u8 {
    let sum = u32::from(red) * 299 + u32::from(green) * 587 + u32::from(blue) * 114;
    u8::try_from(sum / 1_000).unwrap_or(u8::MAX)
}

/// The nearest of eight or sixteen by hue. By distance, every soft colour would become a grey and lose its meaning.
fn by_hue(colour: Rgb, bright: bool) -> u8 {
    let Rgb(red, green, blue) = colour;
    let (most, least) = (red.max(green).max(blue), red.min(green).min(blue));
    let (chroma, luma) = (most - least, luma(colour));
    if chroma < CHROMA_MIN {
        return match (bright, GREY_ENDS.iter().filter(|end| luma > **end).count()) {
            (false, _) if luma <= BLACK_END => BLACK,
            (false, _) | (true, 2) => WHITE,
            (true, 0) => BLACK,
            (true, 1) => BRIGHT_BLACK,
            (true, _) => BRIGHT_WHITE,
        };
    }
    // The usual hexagon of hues in degrees, kept in whole numbers.
    let part = |a: u8, b: u8| 60 * (i32::from(a) - i32::from(b)) / i32::from(chroma);
    let hue = match most {
        _ if most == red => part(green, blue),
        _ if most == green => part(blue, red) + 120,
        _ => part(red, green) + 240,
    };
    let sector = usize::try_from((hue + 360 + 30) / 60 % 6).unwrap_or_default();
    let place = HUES[sector];
    match place {
        4 if !bright && luma >= LIGHT_BLUE_MIN => CYAN,
        place if bright && most >= BRIGHT_MIN => place + 8,
        place => place,
    }
}

/// The nearest of the xterm table's cube and greys, by distance. The first sixteen are left out: every user sets them anew.
fn indexed(colour: Rgb) -> u8 {
    let distance = |Rgb(red, green, blue): Rgb| {
        let part = |a: u8, b: u8| u32::from(a.abs_diff(b)).pow(2);
        part(red, colour.0) + part(green, colour.1) + part(blue, colour.2)
    };
    let cube = (0_u8..216).map(|n| {
        let part = |n: u8| CUBE[usize::from(n % 6)];
        (16 + n, Rgb(part(n / 36), part(n / 6), part(n)))
    });
    let greys = (0_u8..24).map(|n| (232 + n, Rgb(8 + 10 * n, 8 + 10 * n, 8 + 10 * n)));
    cube.chain(greys).min_by_key(|(_, there)| distance(*there)).map_or(WHITE, |(place, _)| place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_find_their_place() {
        for (colour, eight, sixteen, of_256) in [
            ("#000000", 0, 0, 16),
            ("#ffffff", 7, 15, 231),
            ("#808080", 7, 8, 244),
            ("#c0c0c0", 7, 7, 250),
            ("#b00020", 1, 1, 124),
            ("#ffb224", 3, 11, 214),
            ("#f09bff", 5, 13, 213),
            ("#8ab4ff", 6, 12, 111),
            ("#0b3f94", 4, 4, 24),
            ("#00c000", 2, 2, 34),
            ("#00ffff", 6, 14, 51),
            ("#ff0010", 1, 9, 196),
        ] {
            let colour: Rgb = colour.parse().unwrap();
            assert_eq!(nearest(colour, ColourDepth::Mono), None);
            assert_eq!(nearest(colour, ColourDepth::Eight), Some(Ink::Palette(eight)), "{colour} in 8");
            assert_eq!(nearest(colour, ColourDepth::Sixteen), Some(Ink::Palette(sixteen)), "{colour} in 16");
            assert_eq!(nearest(colour, ColourDepth::Indexed), Some(Ink::Palette(of_256)), "{colour} in 256");
            assert_eq!(nearest(colour, ColourDepth::True), Some(Ink::True(colour)));
        }
    }

    #[test]
    fn text_is_painted_and_the_paint_taken_off_again() {
        let (amber, red) = (Some(Rgb(0xFF, 0xB2, 0x24)), Some(Rgb(0xB0, 0, 0x20)));
        let white = Some(Rgb(255, 255, 255));
        assert_eq!(paint("x", amber, red, ColourDepth::Mono), "x");
        assert_eq!(paint("x", None, None, ColourDepth::True), "x");
        assert_eq!(paint("x", amber, None, ColourDepth::Eight), "\u{1b}[33mx\u{1b}[0m");
        assert_eq!(paint("x", white, red, ColourDepth::Sixteen), "\u{1b}[97;41mx\u{1b}[0m");
        assert_eq!(paint("x", white, red, ColourDepth::Indexed), "\u{1b}[38;5;231;48;5;124mx\u{1b}[0m");
        assert_eq!(paint("x", None, red, ColourDepth::True), "\u{1b}[48;2;176;0;32mx\u{1b}[0m");
    }

    #[test]
    fn no_letters_vanish_in_their_ground() {
        let steps = [0_u8, 90, 170, 255];
        let colours: Vec<Rgb> = (0..64).map(|n| Rgb(steps[n / 16], steps[n / 4 % 4], steps[n % 4])).collect();
        for (depth, _) in ColourDepth::ALL {
            for fg in &colours {
                for bg in colours.iter().filter(|bg| *bg != fg) {
                    let (letters, ground) = inks(Some(*fg), Some(*bg), depth);
                    assert!(depth == ColourDepth::Mono || letters != ground, "{fg} on {bg} is {letters:?}");
                }
            }
        }
    }
}
