//! The picture in the README: what the real program draws of `sample-configs/line-3.yaml`, as SVG and as text.
//!
//! With `MARQUEE_BLESS` set, both are written instead of compared. What time alone decides (the
//! clock, the age, how far the turn has come) is set to one moment first; nothing else is touched.

use std::fmt::Write as _;
use std::fs;

use vt100::{Color, Screen};

use crate::readme::{blesses, keep, root};
use crate::support::pipe::text;
use crate::support::pty::clock;
use crate::support::{Pty, Size, TempHome};

/// The moment of the picture.
const CLOCK: &str = "14:03:22";

/// Columns of the bar that have passed: two fifths of the turn.
const PASSED: usize = 26;

/// A cell in pixels, and what lies around the screen. The size of the letters makes one of them
/// as wide as a cell in the fonts that are named first.
const CELL: (usize, usize) = (9, 18);
const MARGIN: usize = 14;
const LETTERS: &str =
    r#"font-family="'DejaVu Sans Mono', Menlo, Consolas, 'Liberation Mono', monospace" font-size="14.95""#;

/// What a terminal shows at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Cell {
    sign: String,
    ink: String,
    ground: String,
    bold: bool,
}

#[test]
fn the_picture_in_the_readme_is_what_the_program_draws() {
    let cells = screen_of_line_3();
    keep("```text\n", "```", &plain(&cells));
    let (path, drawn) = (root("docs/screen.svg"), svg(&cells));
    if blesses() {
        fs::write(&path, &drawn).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == drawn, "docs/screen.svg is not what the program draws; MARQUEE_BLESS=1 writes it anew");
}

/// The program's screen while it shows the warning, at the moment of the picture.
fn screen_of_line_3() -> Vec<Vec<Cell>> {
    let home = TempHome::new();
    let config = root("sample-configs/line-3.yaml");
    let pty = Pty::open(&home, Size::USUAL, &["--config", text(&config)], &[("COLORTERM", "truecolor")]);
    pty.wait_for("the second turn, and a bar that is neither empty nor full", |screen| {
        let shown = screen.contents();
        let bar = shown.lines().find(|line| line.contains("2 of 3")).unwrap_or_default();
        shown.contains("WARNING") && clock(&shown).is_some() && bar.contains('━') && bar.contains('─')
    });
    let mut cells = pty.look(read);
    pty.quit();
    set_moment(&mut cells);
    cells
}

fn read(screen: &Screen) -> Vec<Vec<Cell>> {
    let (rows, columns) = screen.size();
    let cell = |row, column| {
        let cell = screen.cell(row, column).unwrap();
        let (mut ink, mut ground) = (colour(cell.fgcolor(), "#d5dbe3"), colour(cell.bgcolor(), "#0e1218"));
        if cell.inverse() {
            std::mem::swap(&mut ink, &mut ground);
        }
        let sign = if cell.contents().is_empty() { " " } else { cell.contents() };
        Cell { sign: sign.to_owned(), ink, ground, bold: cell.bold() }
    };
    (0..rows.get()).map(|row| (0..columns.get()).map(|column| cell(row, column)).collect()).collect()
}

fn colour(colour: Color, own: &str) -> String {
    match colour {
        Color::Default => own.to_owned(),
        Color::Rgb(red, green, blue) => format!("#{red:02x}{green:02x}{blue:02x}"),
        Color::Idx(number) => panic!("colour {number} of a palette on a terminal with all colours"),
    }
}

/// Sets the clock, the age and the bar to the moment of the picture.
fn set_moment(cells: &mut [Vec<Cell>]) {
    let clock_at = clock(&told(&cells[0])).and_then(|clock| told(&cells[0]).find(&clock)).expect("a clock on top");
    let clock_at = told(&cells[0])[..clock_at].chars().count();
    for (cell, letter) in cells[0][clock_at..].iter_mut().zip(CLOCK.chars()) {
        cell.sign = letter.to_string();
    }
    let level = row_with(cells, "WARNING");
    let second = level.iter().rposition(|cell| cell.sign == "s").expect("an age in seconds");
    level[second - 1].sign = "3".to_owned();
    let bar = row_with(cells, "2 of 3");
    let find = |sign: &str| bar.iter().find(|cell| cell.sign == sign).cloned().expect("both parts of the bar");
    let (passed, left) = (find("━"), find("─"));
    for (place, cell) in bar.iter_mut().filter(|cell| cell.sign == "━" || cell.sign == "─").enumerate() {
        cell.clone_from(if place < PASSED { &passed } else { &left });
    }
}

fn row_with<'a>(cells: &'a mut [Vec<Cell>], wanted: &str) -> &'a mut Vec<Cell> {
    cells.iter_mut().find(|row| told(row).contains(wanted)).expect("a row of the page")
}

fn told(row: &[Cell]) -> String {
    row.iter().map(|cell| cell.sign.as_str()).collect()
}

fn plain(cells: &[Vec<Cell>]) -> String {
    cells.iter().map(|row| format!("{}\n", told(row).trim_end())).collect()
}

/// Draws the cells. Blocks and lines are rectangles, so that they join whatever the font; words
/// stand at their columns, each on its own, so that no font drifts.
fn svg(cells: &[Vec<Cell>]) -> String {
    let (width, height) = (cells[0].len() * CELL.0 + 2 * MARGIN, cells.len() * CELL.1 + 2 * MARGIN);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" {LETTERS}>\n"
    );
    svg.push_str("<title>marquee shows a warning: Redis TTL &gt; 30s</title>\n");
    let ground = &cells[0][0].ground;
    let _ = writeln!(svg, "<rect width=\"{width}\" height=\"{height}\" rx=\"8\" fill=\"{ground}\"/>");
    svg.push_str("<g shape-rendering=\"crispEdges\">\n");
    for (y, row) in cells.iter().enumerate() {
        draw_runs(&mut svg, row, y, |cell| (cell.ground != *ground).then(|| ((0, CELL.1), cell.ground.clone())));
        draw_runs(&mut svg, row, y, |cell| block(&cell.sign).map(|part| (part, cell.ink.clone())));
    }
    svg.push_str("</g>\n");
    for (y, row) in cells.iter().enumerate() {
        draw_words(&mut svg, row, y);
    }
    svg.push_str("</svg>\n");
    svg
}

/// The rows of pixels of a cell that a block or a line covers: where they begin and how many they are.
fn block(sign: &str) -> Option<(usize, usize)> {
    let half = CELL.1 / 2;
    match sign {
        "█" => Some((0, CELL.1)),
        "▀" => Some((0, half)),
        "▄" => Some((half, half)),
        "─" => Some((half, 1)),
        "━" => Some((half - 1, 3)),
        _ => None,
    }
}

/// Draws neighbours that look the same as one rectangle.
fn draw_runs(svg: &mut String, row: &[Cell], y: usize, look: impl Fn(&Cell) -> Option<((usize, usize), String)>) {
    let looks: Vec<_> = row.iter().map(look).collect();
    let mut x = 0;
    for run in looks.chunk_by(PartialEq::eq) {
        if let Some(((top, high), fill)) = &run[0] {
            let (left, top, wide) = (MARGIN + x * CELL.0, MARGIN + y * CELL.1 + top, run.len() * CELL.0);
            let _ =
                writeln!(svg, "<rect x=\"{left}\" y=\"{top}\" width=\"{wide}\" height=\"{high}\" fill=\"{fill}\"/>");
        }
        x += run.len();
    }
}

fn draw_words(svg: &mut String, row: &[Cell], y: usize) {
    let kind = |cell: &Cell| (cell.sign != " " && block(&cell.sign).is_none(), cell.ink.clone(), cell.bold);
    let mut x = 0;
    // A sign beyond ASCII may come from another font, of another width: it stands alone.
    for word in row.chunk_by(|one, other| kind(one) == kind(other) && one.sign.is_ascii() && other.sign.is_ascii()) {
        let (drawn, ink, bold) = kind(&word[0]);
        if drawn {
            let letters = told(word).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            let wide = word.len() * CELL.0;
            let (left, base) = (MARGIN + x * CELL.0, MARGIN + y * CELL.1 + 14);
            let weight = if bold { " font-weight=\"bold\"" } else { "" };
            let place = if word[0].sign.is_ascii() {
                format!("x=\"{left}\" textLength=\"{wide}\" lengthAdjust=\"spacingAndGlyphs\"")
            } else {
                format!("x=\"{}.5\" text-anchor=\"middle\"", left + CELL.0 / 2)
            };
            let _ = writeln!(svg, "<text {place} y=\"{base}\" fill=\"{ink}\"{weight}>{letters}</text>");
        }
        x += word.len();
    }
}

#[test]
fn drawn_cells_keep_their_places() {
    let cell = |sign: &str| Cell { sign: sign.into(), ink: "#111111".into(), ground: "#000000".into(), bold: false };
    let row: Vec<_> = ["a", "<", " ", "▲", "█", "█", "▄"].map(cell).into();
    let drawn = svg(&[row]);
    for wanted in [
        "x=\"14\" textLength=\"18\" lengthAdjust=\"spacingAndGlyphs\" y=\"28\" fill=\"#111111\">a&lt;</text>",
        "x=\"45.5\" text-anchor=\"middle\" y=\"28\" fill=\"#111111\">▲</text>",
        "<rect x=\"50\" y=\"14\" width=\"18\" height=\"18\" fill=\"#111111\"/>",
        "<rect x=\"68\" y=\"23\" width=\"9\" height=\"9\" fill=\"#111111\"/>",
    ] {
        assert!(drawn.contains(wanted), "{wanted} is not in\n{drawn}");
    }
}
