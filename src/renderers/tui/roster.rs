//! The rows in the order they are listed, computed once per board and filter.
//!
//! Ten thousand rows are walked when the board changes; a picture that only moves its clock
//! touches none but the visible ones.

use std::sync::Arc;

use crate::frame::{ItemId, Row};

/// Rows in order, by their place among the frame's rows.
#[derive(Debug, Default)]
pub(super) struct Roster {
    /// The rows that the orders below are about; kept, so that another board can't have its address.
    rows: Arc<Vec<Arc<Row>>>,
    filter: String,
    in_place: Vec<u32>,
    alarms_first: Vec<u32>,
    matches: Option<Vec<u32>>,
    calling: Vec<ItemId>,
    alarms: usize,
    id_columns: usize,
    runs: bool,
    reports: bool,
}

impl Roster {
    /// Brings the orders in line with `rows` and `filter` (`None`: no prompt is open); tells whether the rows are others now.
    pub(super) fn refresh(&mut self, rows: &Arc<Vec<Arc<Row>>>, filter: Option<&str>) -> bool {
        let others = !Arc::ptr_eq(&self.rows, rows);
        if others {
            self.rows = Arc::clone(rows);
            self.sort();
        }
        match filter {
            None => self.matches = None,
            Some(filter) if others || self.matches.is_none() || filter != self.filter => {
                filter.clone_into(&mut self.filter);
                let wanted: Vec<char> = filter.chars().flat_map(char::to_lowercase).collect();
                let fits = |row: &Row| contains(row.id.as_str(), &wanted) || contains(&row.text, &wanted);
                let matches = (0_u32..).zip(rows.iter()).filter(|(_, row)| fits(row)).map(|(place, _)| place);
                self.matches = Some(matches.collect());
            }
            Some(_) => {}
        }
        others
    }

    fn sort(&mut self) {
        self.in_place.clear();
        self.alarms_first.clear();
        self.calling.clear();
        self.id_columns = 0;
        (self.runs, self.reports) = (false, false);
        let mut quiet = Vec::with_capacity(self.rows.len());
        for (place, row) in (0_u32..).zip(self.rows.iter()) {
            self.in_place.push(place);
            if row.level.is_alarm() { &mut self.alarms_first } else { &mut quiet }.push(place);
            if row.calling {
                self.calling.push(row.id.clone());
            }
            self.id_columns = self.id_columns.max(row.id.as_str().len());
            self.runs |= row.every.is_some();
            self.reports |= row.every.is_some() || row.updated.is_some();
        }
        self.alarms = self.alarms_first.len();
        // Worst news first in line; among alike the places stay.
        let rows = &self.rows;
        self.alarms_first.sort_by_key(|place| rows[*place as usize].level);
        self.alarms_first.append(&mut quiet);
    }

    /// The order of the list where `room` rows fit: every row in its place where all fit, else alarms first, worst first.
    pub(super) fn order(&self, room: usize) -> &[u32] {
        match &self.matches {
            Some(matches) => matches,
            None if self.in_place.len() <= room => &self.in_place,
            None => &self.alarms_first,
        }
    }

    /// The row at a place of an order.
    pub(super) fn row(&self, place: u32) -> Option<&Arc<Row>> {
        self.rows.get(place as usize)
    }

    /// The items that call.
    pub(super) fn calling(&self) -> &[ItemId] {
        &self.calling
    }

    /// The alarms, worst first, then the others.
    pub(super) fn alarms_first(&self) -> &[u32] {
        &self.alarms_first
    }

    /// How many alarms there are.
    pub(super) const fn alarms(&self) -> usize {
        self.alarms
    }

    /// The columns of the longest id.
    pub(super) const fn id_columns(&self) -> usize {
        self.id_columns
    }

    /// Whether any item is asked again and again.
    pub(super) const fn runs(&self) -> bool {
        self.runs
    }

    /// Whether any item has news that age.
    pub(super) const fn reports(&self) -> bool {
        self.reports
    }

    /// How many rows there are, filtered or not.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }
}

/// Whether `text` contains the small letters `wanted`, whatever its own case.
fn contains(text: &str, wanted: &[char]) -> bool {
    let Some(first) = wanted.first() else { return true };
    text.char_indices().any(|(place, letter)| {
        letter.to_lowercase().next() == Some(*first) && {
            let mut rest = text[place..].chars().flat_map(char::to_lowercase);
            wanted.iter().all(|letter| rest.next() == Some(*letter))
        }
    })
}
