//! A marquee inside another program: its items, its renderer, no files and no dependencies.

use std::io;
use std::thread::park_timeout;
use std::time::Duration;

use marquee::frame::Frame;
use marquee::kernel::board::Level;
use marquee::renderers::Renderer;
use marquee::{FixedItem, Marquee};

struct Lines;

impl Renderer for Lines {
    fn name(&self) -> &'static str {
        "lines"
    }
    fn draw(&mut self, frame: &Frame) -> io::Result<()> {
        println!("{} {} {}", frame.seq, frame.turn.level, frame.turn.text);
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let oven = FixedItem::new("oven", "Oven 182 °C", Level::Healthy)?;
    let press = FixedItem::new("press", "Press 7 waits for oil", Level::Warning)?;
    let board = Marquee::builder("Line 3").items([oven.clone(), press]).order(["press"]);
    let board = board.interval(Duration::from_millis(100)).fallback("No news").renderer(Lines).start()?;
    park_timeout(Duration::from_millis(500));
    board.replace([oven, FixedItem::new("press", "Press 7 runs", Level::Healthy)?]);
    park_timeout(Duration::from_millis(500));
    println!("now: {}", board.frame().map(|frame| frame.turn.text.to_string()).unwrap_or_default());
    Ok(board.stop()?)
}
