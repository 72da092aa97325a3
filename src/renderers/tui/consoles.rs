//! The view of the consoles: who leads, who follows, and how far their clocks are off.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::board::list_rows;
use super::clock::one_unit;
use super::header::milliseconds;
use super::list::visible;
use super::scene::Scene;
use super::text::{put, put_cut, put_right, width};
use crate::frame::{Apart, Peer, Span};
use crate::renderers::words::Word;

/// The longest that a name may make its column.
const NAME_COLUMNS_MAX: usize = 32;

/// A name keeps so many columns before another column has to go.
const NAME_COLUMNS_MIN: u16 = 14;

/// It keeps so many before one of the columns goes that are worth the least.
const NAME_COLUMNS_KEPT: u16 = 24;

/// How many columns are worth more than a long name.
const WORTH_MORE: usize = 3;

/// Columns left of the name: pointer, sign and a space, with the margin.
const LEAD: u16 = 4;

/// Columns that stay free at the right.
const MARGIN: u16 = 1;

/// A column behind the name; all but the role are right-aligned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Role,
    Since,
    Version,
    Offset,
    Within,
    Seen,
}

impl Column {
    /// As they stand, from the left.
    const ALL: [Self; 6] = [Self::Role, Self::Since, Self::Version, Self::Offset, Self::Within, Self::Seen];

    /// As they get their room: when somebody was last seen is asked before which version it is.
    const BY_WORTH: [Self; 6] = [Self::Role, Self::Seen, Self::Offset, Self::Since, Self::Within, Self::Version];

    /// Its columns, with the gap before it.
    const fn columns(self) -> u16 {
        match self {
            Self::Role | Self::Since | Self::Offset | Self::Within => 10,
            Self::Version => 9,
            Self::Seen => 11,
        }
    }

    const fn title(self) -> Word {
        match self {
            Self::Role => Word::Role,
            Self::Since => Word::RoleSince,
            Self::Version => Word::Version,
            Self::Offset => Word::Offset,
            Self::Within => Word::Within,
            Self::Seen => Word::Seen,
        }
    }

    /// Those that have room beside names of so many columns.
    fn fitting(room: u16, names: u16) -> Vec<Self> {
        let mut taken = LEAD + MARGIN;
        let mut fitting = Vec::new();
        for (place, column) in Self::BY_WORTH.into_iter().enumerate() {
            // Who it is matters more than the columns that are worth the least.
            let name = if place < WORTH_MORE { NAME_COLUMNS_MIN } else { names.min(NAME_COLUMNS_KEPT) };
            taken += column.columns();
            if taken + name > room {
                break;
            }
            fitting.push(column);
        }
        Self::ALL.into_iter().filter(|column| fitting.contains(column)).collect()
    }
}

/// Draws titles and consoles.
pub(super) fn draw(scene: &Scene<'_>, area: Rect, buffer: &mut Buffer) {
    let (look, peers) = (scene.look, &scene.frame.peers);
    if peers.is_empty() {
        put(buffer, area.x + LEAD, area.y, area.width.saturating_sub(LEAD), look.word(Word::Asking), look.muted);
        return;
    }
    let table = Table::new(scene, area);
    let rows = list_rows(area.height);
    if rows < area.height {
        table.draw_titles(scene, area.y, buffer);
    }
    let list = Rect { y: area.bottom() - rows, height: rows, ..area };
    let room = usize::from(rows);
    let shown = visible(peers.len(), room).max(1);
    let top = scene.state.scroll.min(peers.len().saturating_sub(shown));
    for (peer, y) in peers[top..].iter().take(shown).zip(list.y..) {
        table.draw_row(scene, peer, Rect { y, height: 1, ..list }, buffer);
    }
    let hidden = peers.len() - shown.min(peers.len());
    if hidden > 0 && shown < room {
        let more = format!("{} {hidden}{}", look.signs.ellipsis, look.word(Word::More));
        put(buffer, area.x + LEAD, list.bottom() - 1, area.width.saturating_sub(LEAD), &more, look.muted);
    }
}

/// Where the columns stand.
struct Table {
    area: Rect,
    name: u16,
    columns: Vec<Column>,
}

impl Table {
    fn new(scene: &Scene<'_>, area: Rect) -> Self {
        let names = scene.frame.peers.iter().map(|peer| width(&called(scene, peer))).max().unwrap_or(0);
        let names = u16::try_from(names.clamp(NAME_COLUMNS_MIN.into(), NAME_COLUMNS_MAX)).unwrap_or(NAME_COLUMNS_MIN);
        let columns = Column::fitting(area.width, names);
        let taken: u16 = columns.iter().map(|column| column.columns()).sum();
        let name = names.min(area.width.saturating_sub(LEAD + taken + MARGIN));
        Self { area, name, columns }
    }

    fn draw_titles(&self, scene: &Scene<'_>, y: u16, buffer: &mut Buffer) {
        let look = scene.look;
        put(buffer, self.area.x + LEAD, y, self.name, look.word(Word::Name), look.muted);
        for (column, x) in self.places() {
            put_column(column, (x, y), look.word(column.title()), look.muted, buffer);
        }
    }

    fn draw_row(&self, scene: &Scene<'_>, peer: &Peer, area: Rect, buffer: &mut Buffer) {
        let look = scene.look;
        let (sign, told) = match &*peer.role {
            _ if is_apart(scene, peer) => (look.signs.apart, look.notice()),
            "leader" | "alone" => (look.signs.parts[0], look.text),
            _ => (look.signs.parts[1], look.text),
        };
        let named = if peer.own { look.strong } else { told };
        if peer.own {
            put(buffer, area.x, area.y, 1, look.signs.pointer, look.strong);
        }
        put(buffer, area.x + 2, area.y, 1, sign, told);
        let room = self.name.min(area.width.saturating_sub(LEAD));
        put_cut(buffer, (area.x + LEAD, area.y, room), &called(scene, peer), named, look.signs.ellipsis);
        for (column, x) in self.places() {
            let style = if column == Column::Role { told } else { look.muted };
            put_column(column, (x, area.y), &cell(scene, peer, column), style, buffer);
        }
    }

    /// The columns, and where each begins.
    fn places(&self) -> impl Iterator<Item = (Column, u16)> {
        let mut x = self.area.x + LEAD + self.name;
        self.columns.iter().map(move |column| {
            let begins = x;
            x += column.columns();
            (*column, begins)
        })
    }
}

/// Writes what a column says into its room, two columns apart from the one before.
fn put_column(column: Column, (x, y): (u16, u16), text: &str, style: Style, buffer: &mut Buffer) {
    let room = column.columns() - 2;
    if column == Column::Role {
        put(buffer, x + 2, y, room, text, style);
    } else {
        put_right(buffer, x + column.columns(), y, room, text, style);
    }
}

/// The name of a console, and that it is this one.
fn called(scene: &Scene<'_>, peer: &Peer) -> String {
    let look = scene.look;
    if peer.own { format!("{}{}{}", peer.name, look.signs.dot, look.word(Word::Here)) } else { peer.name.to_string() }
}

/// Whether a console is known not to be in sync: by its own word, or because this one is not in sync with it.
fn is_apart(scene: &Scene<'_>, peer: &Peer) -> bool {
    let apart = scene.frame.apart;
    let unheard = matches!(apart, Some(Apart::Unheard(_))) && scene.frame.leader.as_ref() == Some(&peer.name);
    // Of two that say they lead the first is the newer; the other was killed or stopped.
    let newest = scene.frame.peers.first();
    let deposed = &*peer.role == "leader" && newest.is_some_and(|newest| !std::ptr::eq(newest, peer));
    &*peer.role == "local" || deposed || if peer.own { apart.is_some() } else { unheard }
}

fn cell(scene: &Scene<'_>, peer: &Peer, column: Column) -> String {
    let look = scene.look;
    let passed = |then| Span::from_secs(scene.tick.wall.since(then).as_secs());
    let aged = |span| format!("{}{}{}", look.word(Word::AgoBefore), one_unit(span), look.word(Word::AgoAfter));
    match column {
        Column::Role => match &*peer.role {
            "leader" => look.word(Word::Leader).to_owned(),
            "follower" => look.word(Word::Follower).to_owned(),
            "local" => look.word(Word::OnItsOwn).to_owned(),
            "alone" => look.word(Word::Alone).to_owned(),
            other => other.to_owned(),
        },
        Column::Since => aged(passed(peer.since)),
        Column::Version => peer.version.to_string(),
        Column::Offset => {
            let sign = if peer.offset_nanos < 0 { '-' } else { '+' };
            format!("{sign}{}", milliseconds(Span::from_nanos(peer.offset_nanos.unsigned_abs())))
        }
        Column::Within => format!("{}{}", look.signs.within, milliseconds(peer.bound)),
        Column::Seen if peer.own => look.word(Word::Now).to_owned(),
        Column::Seen => aged(passed(peer.seen)),
    }
}
