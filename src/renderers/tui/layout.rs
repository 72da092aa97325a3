//! Which areas exist at a size, and where.
//!
//! A function of the size, the number of rows, and whether there is a notice or a prompt: never
//! of what a turn says, so that nothing moves when the page turns.
//!
//! Where rows are few, areas go in this order: ticker, hints, rules, air, rows of the list,
//! progress, counts, header, large letters. Level, word and text stay down to one line, and a
//! notice down to two.

use ratatui::layout::Rect;

/// The narrowest screen on which large letters are worth their rows: about six of them fit.
const BANNER_COLUMNS_MIN: u16 = 24;

/// Empty rows of a comfortable page: above and below the level, and above and below the text.
const AIR: u16 = 4;

/// With one row of the air, two lines of the smallest letters fit into so many.
const BANNER_ROWS_TWO_LINES: u16 = 5;

/// The areas of a picture. What is `None` has no room.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Layout {
    /// Title, role and clock.
    pub(super) header: Option<Rect>,
    /// What is not well with the program itself.
    pub(super) notice: Option<Rect>,
    /// The rows of the turn: between the rules, from the level to the progress.
    pub(super) page: Rect,
    /// The level's line; it holds the text too where `text` is `None`.
    pub(super) level: Rect,
    /// The text in large letters, with the air around it.
    pub(super) banner: Option<Rect>,
    /// Whether one of the banner's rows has to stay empty.
    pub(super) air: bool,
    /// The text in normal letters.
    pub(super) text: Option<Rect>,
    /// How far the turn has come.
    pub(super) progress: Option<Rect>,
    /// How many items are at each level.
    pub(super) counts: Option<Rect>,
    /// The list, the detail, or whatever fills the body.
    pub(super) body: Option<Rect>,
    /// All items in one moving line.
    pub(super) ticker: Option<Rect>,
    /// Key hints, or the prompt.
    pub(super) hints: Option<Rect>,
    /// The rows that rules are drawn in.
    pub(super) rules: Vec<u16>,
}

/// What the picture has to hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wants {
    /// How many rows the list has.
    pub(super) rows: usize,
    /// Whether there is a notice.
    pub(super) notice: bool,
    /// Whether large letters take one row per pixel.
    pub(super) ascii: bool,
    /// Whether a prompt is open.
    pub(super) prompt: bool,
}

/// Rows of each area of the marquee view.
struct Heights {
    header: u16,
    rules: u16,
    air: u16,
    banner: u16,
    text: u16,
    progress: u16,
    counts: u16,
    list: u16,
    ticker: u16,
    hints: u16,
}

impl Heights {
    /// Every row, the level's included.
    const fn total(&self) -> u16 {
        1 + self.header
            + self.rules
            + self.air
            + self.banner
            + self.text
            + self.progress
            + self.counts
            + self.list
            + self.ticker
            + self.hints
    }

    /// The rows of a comfortable picture, with at most three of the list.
    fn comfortable(columns: u16, rows: u16, ascii: bool) -> Self {
        let letters = if ascii { 5 } else { 3 };
        let banner = if columns < BANNER_COLUMNS_MIN { 0 } else { letters };
        let air = AIR;
        // A board without items has neither a list to part from the counts nor anything to tell in a ticker.
        let (rules, ticker) = if rows == 0 { (3, 0) } else { (4, 2) };
        Self { header: 1, rules, air, banner, text: 1, progress: 1, counts: 1, list: rows.min(3), ticker, hints: 1 }
    }

    /// Gives up areas until the rest fits into `room`.
    fn shrink(&mut self, room: u16) {
        let steps: [fn(&mut Self); 6] = [
            |heights| heights.ticker = 0,
            |heights| (heights.hints, heights.rules) = (0, heights.rules.saturating_sub(1)),
            |heights| heights.rules = 0,
            |heights| heights.air = 2,
            |heights| heights.air = 0,
            |heights| heights.list = heights.list.min(1),
        ];
        let last: [fn(&mut Self); 6] = [
            |heights| heights.list = 0,
            |heights| heights.progress = 0,
            |heights| heights.counts = 0,
            |heights| heights.header = 0,
            |heights| heights.banner = 0,
            |heights| heights.text = 0,
        ];
        for step in steps.into_iter().chain(last) {
            if self.total() <= room {
                break;
            }
            step(self);
        }
        // What was given up for a large area that then had to go as well comes back.
        if self.banner == 0 {
            (self.header, self.counts, self.progress) = (0, 0, 0);
            let back: [fn(&mut Self); 3] =
                [|heights| heights.header = 1, |heights| heights.counts = 1, |heights| heights.progress = 1];
            for give_back in back {
                if self.total() < room {
                    give_back(self);
                }
            }
        }
    }
}

impl Layout {
    /// The marquee view.
    pub(super) fn marquee(area: Rect, wants: Wants) -> Self {
        let mut layout = Self::default();
        let notice = u16::from(wants.notice && area.height > 1);
        let room = area.height - notice;
        let rows = u16::try_from(wants.rows).unwrap_or(u16::MAX);
        let mut heights = Heights::comfortable(area.width, rows, wants.ascii);
        heights.shrink(room);
        // A larger screen gives the letters room for two small lines, then the list as many rows as it has, up to
        // half of what is left; the page takes the rest.
        let spare = room.saturating_sub(heights.total());
        if heights.air == AIR && heights.banner > 0 {
            heights.banner += spare.min(BANNER_ROWS_TWO_LINES.saturating_sub(heights.banner));
            // A notice must not cost the large letters: the list is read from near, they are not.
            let short = BANNER_ROWS_TWO_LINES.saturating_sub(heights.banner).min(heights.list.saturating_sub(2));
            (heights.banner, heights.list) = (heights.banner + short, heights.list - short);
        }
        let spare = room.saturating_sub(heights.total());
        if heights.list > 0 {
            let wanted = rows - heights.list.min(rows);
            let shared = if heights.air < AIR || wanted <= 2 { spare } else { spare.div_ceil(2) };
            heights.list += wanted.min(shared);
        }
        // The empty row above the ticker is better used by an item, or by how many more there are.
        if heights.ticker == 2 && heights.list < rows {
            (heights.ticker, heights.list) = (1, heights.list + 1);
        }
        let spare = room.saturating_sub(heights.total());
        if heights.banner > 0 || heights.list == 0 {
            heights.banner += if area.width < BANNER_COLUMNS_MIN { 0 } else { spare };
        }

        let mut pen = Pen { area, y: area.y };
        layout.header = pen.take(heights.header);
        layout.notice = pen.take(notice);
        layout.rule(&mut pen, heights.rules > 0);
        let page = pen.y;
        pen.skip(u16::from(heights.air > 2));
        layout.level = pen.take(1).unwrap_or_default();
        // The air above and below the large letters is theirs: small ones stand in its middle.
        let air = heights.air.min(if heights.banner > 0 { 2 } else { 1 });
        layout.banner = pen.take(heights.banner + air).filter(|_| heights.banner > 0);
        layout.air = air > 0;
        layout.text = pen.take(heights.text);
        pen.skip(u16::from(heights.air > 2));
        layout.progress = pen.take(heights.progress);
        layout.page = Rect { y: page, height: pen.y - page, ..area };
        layout.rule(&mut pen, heights.rules > 0);
        layout.counts = pen.take(heights.counts);
        layout.rule(&mut pen, heights.rules > 0 && heights.list > 0);
        layout.body = pen.take(heights.list);
        let ruled = heights.rules > 0 && heights.hints > 0;
        pen.y = area.bottom().saturating_sub(heights.ticker.min(1) + heights.hints + u16::from(ruled)).max(pen.y);
        layout.ticker = pen.take(heights.ticker.min(1));
        layout.rule(&mut pen, ruled);
        layout.hints = pen.take(heights.hints);
        layout
    }

    /// A view that fills the screen with one body, below a line that tells the shown item.
    pub(super) fn whole(area: Rect, wants: Wants) -> Self {
        let mut layout = Self::default();
        let mut left = area.height;
        let mut affords = |rows: u16, beside: u16| {
            let fits = left >= rows + beside;
            left -= if fits { rows } else { 0 };
            fits
        };
        // In order of importance; the second number is what has to remain for the others.
        let level = affords(1, 0);
        let notice = wants.notice && affords(1, 0);
        let prompt = wants.prompt && affords(1, 0);
        let body = affords(1, 0);
        let header = affords(1, 2);
        let counts = affords(1, 3);
        let rules = affords(3, 4);
        let hints = prompt || affords(1, 4);
        let last_rule = rules && hints && affords(1, 4);

        let mut pen = Pen { area, y: area.y };
        layout.header = pen.take(u16::from(header));
        layout.notice = pen.take(u16::from(notice));
        layout.rule(&mut pen, rules);
        layout.level = pen.take(u16::from(level)).unwrap_or_default();
        layout.page = layout.level;
        layout.rule(&mut pen, rules);
        layout.body = pen.take(u16::from(body) + left);
        layout.rule(&mut pen, rules);
        layout.counts = pen.take(u16::from(counts));
        layout.rule(&mut pen, last_rule);
        layout.hints = pen.take(u16::from(hints));
        layout
    }

    fn rule(&mut self, pen: &mut Pen, wanted: bool) {
        if wanted {
            self.rules.extend(pen.take(1).map(|area| area.y));
        }
    }
}

/// Hands out rows from top to bottom.
struct Pen {
    area: Rect,
    y: u16,
}

impl Pen {
    fn take(&mut self, rows: u16) -> Option<Rect> {
        let rows = rows.min(self.area.bottom().saturating_sub(self.y));
        let taken = Rect { y: self.y, height: rows, ..self.area };
        self.y += rows;
        (rows > 0).then_some(taken)
    }

    fn skip(&mut self, rows: u16) {
        self.y = (self.y + rows).min(self.area.bottom());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type IsGone = fn(&Layout) -> bool;

    const WANTS: Wants = Wants { rows: 3, notice: false, ascii: false, prompt: false };

    fn areas(layout: &Layout) -> Vec<Rect> {
        let level = Some(layout.level);
        let all = [layout.header, layout.notice, level, layout.banner, layout.text, layout.progress];
        let below = [layout.counts, layout.body, layout.ticker, layout.hints];
        let rules = layout.rules.iter().map(|y| Some(Rect { y: *y, height: 1, ..layout.level }));
        all.into_iter().chain(below).chain(rules).flatten().collect()
    }

    #[test]
    fn areas_lie_within_the_screen_and_apart_at_every_size() {
        for (columns, rows) in (1..=100).step_by(9).flat_map(|columns| (1..=70).map(move |rows| (columns, rows))) {
            let screen = Rect::new(0, 0, columns, rows);
            for (items, notice, prompt) in [(0, false, false), (3, true, true), (500, false, true), (500, true, false)]
            {
                let wants = Wants { rows: items, notice, ascii: items == 3, prompt };
                for layout in [Layout::marquee(screen, wants), Layout::whole(screen, wants)] {
                    let areas = areas(&layout);
                    assert_eq!(layout.level.height, 1);
                    assert!(areas.iter().all(|area| screen.union(*area) == screen), "{columns}x{rows} {layout:?}");
                    for (place, area) in areas.iter().enumerate() {
                        assert!(
                            areas[..place].iter().all(|other| !other.intersects(*area)),
                            "{columns}x{rows} {layout:?}"
                        );
                    }
                    assert_eq!(layout.notice.is_some(), notice && rows > 1);
                }
            }
        }
    }

    #[test]
    fn areas_go_in_the_order_of_their_worth() {
        let at = |rows| Layout::marquee(Rect::new(0, 0, 80, rows), WANTS);
        let gone: [(u16, IsGone); 8] = [
            (21, |layout| layout.ticker.is_none()),
            (19, |layout| layout.hints.is_none()),
            (17, |layout| layout.rules.is_empty()),
            (8, |layout| layout.body.is_none()),
            (7, |layout| layout.progress.is_none()),
            (6, |layout| layout.counts.is_none()),
            (5, |layout| layout.header.is_none()),
            (4, |layout| layout.banner.is_none()),
        ];
        for (rows, is_gone) in gone {
            assert!(is_gone(&at(rows)), "at {rows}: {:?}", at(rows));
            assert!(!is_gone(&at(rows + 1)), "at {}: {:?}", rows + 1, at(rows + 1));
        }
        assert!(at(2).text.is_some() && at(1).text.is_none());
    }

    #[test]
    fn what_a_turn_says_moves_nothing_and_rows_have_half_of_a_large_screen() {
        let large = |rows| Layout::marquee(Rect::new(0, 0, 200, 50), Wants { rows, ..WANTS });
        assert_eq!(large(3).body.map(|area| area.height), Some(3));
        let body = large(500).body.map_or(0, |area| area.height);
        assert!((14..=24).contains(&body), "{body}");
    }
}
