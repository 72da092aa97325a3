//! What the viewer has done: view, selection, pause, prompt and overlays.
//!
//! Nothing here draws and nothing here reads a clock: [`ViewState::key`] is a function of the
//! state, the key's name and the frame that the viewer sees.

use super::flash::{Came, Flash};
use super::roster::Roster;
use crate::config::keymap::{Action, action};
use crate::frame::{Frame, ItemId, Moment, Safe, TurnKind};
use crate::renderers::Request;

/// The most characters that can be searched for; a line of the smallest screens holds no more.
const FIND_CHARACTERS_MAX: usize = 64;

/// What the viewer has done.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct ViewState {
    /// Which view lies at the bottom.
    pub(super) view: View,
    /// How many consoles are scrolled past, in their view.
    pub(super) scroll: usize,
    /// The selected item.
    pub(super) selected: Option<ItemId>,
    /// The detail over the view.
    pub(super) detail: Option<Detail>,
    /// The help over everything, and how far it is scrolled.
    pub(super) help: Option<usize>,
    /// The prompt that is open.
    pub(super) find: Option<Find>,
    /// The stopped page.
    pub(super) paused: Option<Pause>,
    /// What came of the last key that asked something of the board.
    pub(super) flash: Option<Flash>,
}

/// Which view lies at the bottom.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum View {
    /// The shown item large, the others below.
    #[default]
    Marquee,
    /// All items over the whole screen.
    Board,
    /// The consoles over the whole screen.
    Consoles,
}

impl View {
    /// The one after it.
    pub(super) const fn next(self) -> Self {
        match self {
            Self::Marquee => Self::Board,
            Self::Board => Self::Consoles,
            Self::Consoles => Self::Marquee,
        }
    }
}

/// One item over the whole screen.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Detail {
    /// Which one.
    pub(super) item: ItemId,
    /// How many of its values are scrolled past.
    pub(super) scroll: usize,
}

/// An open prompt.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Find {
    /// What was typed so far.
    pub(super) text: String,
    /// Where the viewer came from and goes back to when leaving.
    back: (View, Option<ItemId>),
}

/// A stopped page.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pause {
    /// When it was stopped.
    pub(super) since: Moment,
    /// What it shows.
    pub(super) page: Page,
    /// Where a text too long for its room began to scroll.
    pub(super) began: Moment,
    /// The items that called already and may go on calling without ending the pause.
    known: Vec<ItemId>,
}

/// What a stopped page shows; its news stays live.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Page {
    /// An item.
    Item(ItemId),
    /// The healthy items together.
    Summary,
    /// The fallback.
    Fallback,
}

/// What a key asks for beyond the state.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// Something of the program.
    Ask(Request),
    /// The next theme.
    NextTheme,
}

impl ViewState {
    /// A key was pressed; `room` is how many rows the list shows.
    pub(super) fn key(&mut self, key: &str, frame: &Frame, roster: &Roster, room: usize) -> Option<Effect> {
        if key == "ctrl-c" {
            return Some(Effect::Ask(Request::Quit));
        }
        if self.find.is_some() {
            self.type_key(key, frame, roster, room);
            return None;
        }
        let action = action(key)?;
        if self.help.is_some() && self.key_in_help(action) {
            return None;
        }
        match action {
            Action::Quit => return Some(Effect::Ask(Request::Quit)),
            Action::Theme => return Some(Effect::NextTheme),
            Action::RunNow | Action::Acknowledge => return self.wish(action, frame).map(Effect::Ask),
            Action::Pause if self.paused.is_some() => self.paused = None,
            Action::Pause => self.pause(frame, roster),
            Action::StepBack => self.step(false, frame, roster),
            Action::StepOn => self.step(true, frame, roster),
            Action::View | Action::Detail if self.detail.is_some() => self.detail = None,
            Action::View => {
                self.view = self.view.next();
                self.scroll = 0;
            }
            // There is no item to see here whose detail could be meant.
            Action::Detail if self.view == View::Consoles => {}
            Action::Detail => self.detail = self.target(frame).map(|item| Detail { item, scroll: 0 }),
            Action::Find => {
                self.find = Some(Find { text: String::new(), back: (self.view, self.selected.clone()) });
                self.detail = None;
                self.view = View::Board;
            }
            Action::Help => self.help = Some(0),
            Action::Back => self.back(),
            Action::Erase => {}
            _ => self.travel(action, frame, roster, room),
        }
        None
    }

    /// Asks something of the item that the viewer means, or tells why that can't be had.
    fn wish(&mut self, action: Action, frame: &Frame) -> Option<Request> {
        let item = self.target(frame)?;
        let row = frame.row(&item)?;
        let known = row.acknowledged.is_none();
        let came = match action {
            // Done here alone, it would be undone by the leader's next word.
            _ if frame.role.follows() => Came::Follows(frame.leader.clone()),
            Action::RunNow if row.every.is_none() => Came::NoCheck,
            Action::RunNow => return Some(Request::RunNow(item)),
            _ if !row.level.is_alarm() => Came::NoAlarm,
            _ => Came::Asked { known },
        };
        let request = if known { Request::Acknowledge } else { Request::Unacknowledge };
        let asks = matches!(came, Came::Asked { .. }).then(|| request(item.clone()));
        self.flash = Some(Flash { item, came, at: frame.at });
        asks
    }

    /// Text was pasted: it is typed where a prompt is open.
    pub(super) fn paste(&mut self, text: &str) {
        if self.find.is_some() {
            self.append(&Safe::line(text));
        }
    }

    /// Brings the state in line with a new board: what is gone can't be shown any more, and an item
    /// that newly calls is not held up by a pause.
    pub(super) fn observe(&mut self, frame: &Frame, roster: &Roster) {
        let Some(pause) = &mut self.paused else { return };
        let ends = match &pause.page {
            Page::Item(item) => frame.row(item).is_none(),
            Page::Summary => frame.rows.is_empty(),
            Page::Fallback => !frame.is_fallback(),
        };
        if ends || roster.calling().iter().any(|item| !pause.known.contains(item)) {
            self.paused = None;
            return;
        }
        pause.known.retain(|item| roster.calling().contains(item));
    }

    /// What is typed into the prompt; nothing where none is open.
    pub(super) fn filter(&self) -> &str {
        self.find.as_ref().map_or("", |find| &find.text)
    }

    /// The item that a wish is about: the one in detail, the selected one, or the shown one.
    fn target(&self, frame: &Frame) -> Option<ItemId> {
        let picked = self.detail.as_ref().map(|detail| &detail.item).or(self.selected.as_ref());
        let known = picked.filter(|item| frame.row(item).is_some());
        known.cloned().or_else(|| self.shown_item(frame))
    }

    /// The item of the page, stopped or not.
    fn shown_item(&self, frame: &Frame) -> Option<ItemId> {
        match &self.paused {
            Some(Pause { page: Page::Item(item), .. }) => Some(item.clone()),
            Some(_) => None,
            None => frame.turn.item.clone(),
        }
    }

    fn pause(&mut self, frame: &Frame, roster: &Roster) {
        let page = match (frame.turn.kind, &frame.turn.item) {
            (TurnKind::Item, Some(item)) => Page::Item(item.clone()),
            (TurnKind::Summary(_), _) => Page::Summary,
            _ => Page::Fallback,
        };
        let known = roster.calling().to_vec();
        self.paused = Some(Pause { since: frame.at, page, began: frame.turn.began, known });
    }

    /// Shows the next or the previous item, on this console alone, and stops there.
    fn step(&mut self, on: bool, frame: &Frame, roster: &Roster) {
        let count = frame.rows.len();
        if count == 0 {
            return;
        }
        let next_to = |item: Option<&ItemId>| {
            let place = item.and_then(|item| frame.rows.iter().position(|row| row.id == *item));
            match (place, on) {
                (Some(place), true) => (place + 1) % count,
                (Some(place), false) => (place + count - 1) % count,
                (None, true) => 0,
                (None, false) => count - 1,
            }
        };
        if let Some(detail) = &mut self.detail {
            let item = frame.rows[next_to(Some(&detail.item))].id.clone();
            self.selected = Some(item.clone());
            *detail = Detail { item, scroll: 0 };
            return;
        }
        let item = frame.rows[next_to(self.shown_item(frame).as_ref())].id.clone();
        let since = self.paused.as_ref().map_or(frame.at, |pause| pause.since);
        let known = roster.calling().to_vec();
        self.paused = Some(Pause { since, page: Page::Item(item), began: frame.at, known });
    }

    /// Moves the selection, or the scrolling of the detail.
    fn travel(&mut self, action: Action, frame: &Frame, roster: &Roster, room: usize) {
        let page = room.max(2) - 1;
        if let Some(detail) = &mut self.detail {
            let last = frame.row(&detail.item).map_or(0, |row| row.values.iter().count().saturating_sub(1));
            detail.scroll = moved(action, Some(detail.scroll), last, page);
            return;
        }
        if self.view == View::Consoles {
            let last = (frame.peers.len() + 1).saturating_sub(room.max(1));
            self.scroll = moved(action, Some(self.scroll), last, page);
            return;
        }
        let order = roster.order(room);
        if order.is_empty() {
            return;
        }
        let rows = &frame.rows;
        let of = |place: usize| order.get(place).and_then(|row| rows.get(*row as usize));
        let place = self
            .selected
            .as_ref()
            .and_then(|item| (0..order.len()).find(|place| of(*place).is_some_and(|row| row.id == *item)));
        let place = moved(action, place, order.len() - 1, page);
        self.selected = of(place).map(|row| row.id.clone());
    }

    /// Whether the open help took the key.
    fn key_in_help(&mut self, action: Action) -> bool {
        match action {
            Action::Help | Action::Back | Action::Detail => self.help = None,
            Action::Quit | Action::Theme => return false,
            _ => self.help = Some(moved(action, self.help, crate::config::keymap::BINDINGS.len(), 5)),
        }
        true
    }

    /// Closes what is on top.
    fn back(&mut self) {
        let selects = self.view != View::Consoles;
        if self.detail.take().is_none() && self.selected.take_if(|_| selects).is_none() {
            self.view = View::Marquee;
        }
    }

    /// A key while the prompt is open: letters are text here, not wishes.
    fn type_key(&mut self, key: &str, frame: &Frame, roster: &Roster, room: usize) {
        match key {
            "esc" => {
                if let Some(Find { back: (view, selected), .. }) = self.find.take() {
                    (self.view, self.selected) = (view, selected);
                }
            }
            "enter" => {
                let found = |item: &ItemId| {
                    roster.order(0).iter().any(|row| frame.rows.get(*row as usize).is_some_and(|row| row.id == *item))
                };
                let kept = self.selected.take().filter(found);
                let first =
                    || roster.order(0).first().and_then(|row| frame.rows.get(*row as usize)).map(|row| row.id.clone());
                self.selected = kept.or_else(first);
                self.find = None;
            }
            "backspace" => {
                if let Some(find) = &mut self.find {
                    find.text.pop();
                }
            }
            "space" => self.append(" "),
            letter if letter.chars().count() == 1 => self.append(letter),
            other => {
                if let Some(action @ (Action::Up | Action::Down | Action::PageUp | Action::PageDown)) = action(other) {
                    self.travel(action, frame, roster, room);
                }
            }
        }
    }

    fn append(&mut self, text: &str) {
        if let Some(find) = &mut self.find {
            let left = FIND_CHARACTERS_MAX.saturating_sub(find.text.chars().count());
            find.text.extend(text.chars().filter(|letter| !letter.is_control()).take(left));
        }
    }
}

/// Where an index goes; from nowhere the first step enters at the near end.
fn moved(action: Action, place: Option<usize>, last: usize, page: usize) -> usize {
    let place = match (place, action) {
        (_, Action::Last) | (None, Action::Up | Action::PageUp) => last,
        (_, Action::First) | (None, _) => 0,
        (Some(place), Action::Up) => place.saturating_sub(1),
        (Some(place), Action::PageUp) => place.saturating_sub(page),
        (Some(place), Action::PageDown) => place + page,
        (Some(place), Action::Down) => place + 1,
        (Some(place), _) => place,
    };
    place.min(last)
}
