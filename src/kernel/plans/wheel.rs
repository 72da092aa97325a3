//! The timing wheel: which of a million deadlines come next.
//!
//! Eight levels of 64 slots. A slot of the lowest level is one tick wide, a slot
//! of the next as wide as the whole level below, so that together they hold
//! every deadline a [`Moment`] can name and nothing ever waits outside. Insert
//! and cancel touch one slot; an advance touches the slots that hold something,
//! found by their bits, and never walks over empty time.
//!
//! A slot lists the numbers of its entries side by side. Linked entries would need
//! less code and be slower: a thread that slept finds its cache gone, and a chain
//! is then read one miss after the other where a list is read many at once.
//!
//! The tick sorts, it does not round: deadlines are kept to the nanosecond, the
//! entries of the current tick wait in a heap, and nothing fires early.
//! Deliberately without a clock, and without a word on what is due.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::kernel::Moment;

/// A tick is 2^17 ns, 131 µs: a plant's ten thousand plans at 100 ms put about a
/// dozen entries into one, which a heap orders for next to nothing.
const TICK_BITS: u32 = 17;
/// A level has 64 slots, so that the bits of one word say which are occupied.
const SLOT_BITS: u32 = 6;
const SLOTS: usize = 1 << SLOT_BITS;
/// 17 + 8 x 6 bits reach beyond the 64 of a [`Moment`].
const LEVELS: usize = 8;
/// The end of the free entries.
const NIL: u32 = u32::MAX;
/// In the place of a slot: the entry waits in the heap of the current tick.
const NEAR: u16 = u16::MAX;
/// So many dead entries the heap may carry before it is swept, however few are alive.
const DEAD_AT_MOST: usize = 64;
/// A list that grew longer than this is freed when it is empty, so that a herd
/// does not leave its size in every slot it passes; shorter ones are used again.
const KEPT_AT_MOST: usize = 4096;

/// Names one entry of one wheel, and never another one: an index that is used
/// again gets a new generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    index: u32,
    generation: u32,
}

/// Deadlines with what is to happen at them. See the module's head.
#[derive(Debug)]
pub struct Wheel<T> {
    /// The tick that the wheel stands at; entries of it and of the past are in `near`.
    tick: u64,
    entries: Vec<Entry<T>>,
    free: u32,
    len: usize,
    slots: Vec<Slot>,
    /// Empty lists that have their memory already.
    spare: Vec<Vec<u32>>,
    /// One word a level; bit n: slot n holds something.
    occupied: [u64; LEVELS],
    near: BinaryHeap<Reverse<Near>>,
    near_alive: usize,
}

/// An entry of the slab: armed while it has a value, else in the list of free ones.
#[derive(Debug)]
struct Entry<T> {
    at: u64,
    generation: u32,
    /// The place in the slot's list; of a free entry, the next free one.
    place: u32,
    slot: u16,
    value: Option<T>,
}

/// What waits in a slot, and a time that nothing of it is due before.
#[derive(Clone, Debug)]
struct Slot {
    list: Vec<u32>,
    earliest: u64,
}

const EMPTY: Slot = Slot { list: Vec::new(), earliest: u64::MAX };

/// An entry of the current tick: deadline, then its key.
type Near = (u64, u32, u32);

impl<T> Wheel<T> {
    /// An empty wheel that stands at `now`.
    #[must_use]
    pub fn new(now: Moment) -> Self {
        Self {
            tick: now.unix_nanos() >> TICK_BITS,
            entries: Vec::new(),
            free: NIL,
            len: 0,
            slots: vec![EMPTY; LEVELS * SLOTS],
            occupied: [0; LEVELS],
            spare: Vec::new(),
            near: BinaryHeap::new(),
            near_alive: 0,
        }
    }

    /// How many entries wait.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing waits.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Puts `value` in at its deadline. One that is past comes with the next [`Wheel::advance`].
    pub fn insert(&mut self, at: Moment, value: T) -> Key {
        let at = at.unix_nanos();
        let fresh = Entry { at, generation: 0, place: 0, slot: NEAR, value: Some(value) };
        let index = self.free;
        let key = if let Some(entry) = self.entries.get_mut(index as usize) {
            self.free = entry.place;
            *entry = Entry { generation: entry.generation, ..fresh };
            Key { index, generation: entry.generation }
        } else {
            #[expect(clippy::cast_possible_truncation, reason = "four billion entries are beyond any machine's memory")]
            let index = self.entries.len() as u32;
            self.entries.push(fresh);
            Key { index, generation: 0 }
        };
        self.len += 1;
        self.place(key.index);
        key
    }

    /// Takes an entry out; `None` where it has fired or was cancelled before.
    pub fn cancel(&mut self, key: Key) -> Option<T> {
        let entry = self.entries.get(key.index as usize)?;
        if entry.generation != key.generation || entry.value.is_none() {
            return None;
        }
        if entry.slot == NEAR {
            let value = self.release(key.index);
            self.near_alive -= 1;
            self.sweep();
            return value;
        }
        self.unlist(key.index);
        self.release(key.index)
    }

    /// The moment to come back at with [`Wheel::advance`]; `None` where nothing waits.
    ///
    /// It is the earliest deadline, exactly, as long as nothing was cancelled;
    /// where the first entry of a slot was cancelled it may be too early, by no
    /// more than the slot's width, and an advance to it finds a better one. It
    /// is never later than the earliest deadline.
    #[must_use]
    pub fn next(&self) -> Option<Moment> {
        if let Some(Reverse((at, ..))) = self.near.peek() {
            return Some(Moment::from_unix_nanos(*at));
        }
        // All of a level lies within one slot of the level above and before the
        // slots there that are occupied: the lowest level has the earliest.
        let level = self.occupied.iter().position(|bits| *bits != 0)?;
        let slot = level * SLOTS + self.occupied[level].trailing_zeros() as usize;
        Some(Moment::from_unix_nanos(self.slots[slot].earliest))
    }

    /// Appends what is due at `now` to `due`, earliest deadline first; equal ones in no order.
    ///
    /// A `now` before that of an earlier call turns nothing back.
    pub fn advance(&mut self, now: Moment, due: &mut Vec<(Moment, T)>) {
        let (now, from) = (now.unix_nanos(), due.len());
        self.turn(now, due);
        while let Some(Reverse((_, index, generation))) =
            self.near.peek().copied().filter(|Reverse((at, ..))| *at <= now)
        {
            self.near.pop();
            if self.is_alive(index, generation) {
                self.near_alive -= 1;
                self.fire(index, due);
            }
        }
        self.sweep();
        due[from..].sort_unstable_by_key(|(at, _)| *at);
    }

    /// Turns the wheel to the tick of `now`. What lies in passed slots is due as
    /// a whole; the slot that is stood in now is dealt out to the levels below.
    fn turn(&mut self, now: u64, due: &mut Vec<(Moment, T)>) {
        let tick = now >> TICK_BITS;
        if tick <= self.tick {
            return;
        }
        let old = std::mem::replace(&mut self.tick, tick);
        for (level, shift) in (0..LEVELS).zip((0..).step_by(SLOT_BITS as usize)) {
            let above = shift + SLOT_BITS;
            let within = old >> above == tick >> above;
            let here = 1 << ((tick >> shift) % SLOTS as u64);
            let mut passed = self.occupied[level] & if within { here - 1 } else { u64::MAX };
            let stood_in = within && self.occupied[level] & here != 0;
            self.occupied[level] &= !passed;
            while passed != 0 {
                let list = self.empty(level, passed);
                for index in &list {
                    self.fire(*index, due);
                }
                self.keep(list);
                passed &= passed - 1;
            }
            if stood_in {
                self.occupied[level] &= !here;
                let list = self.empty(level, here);
                for index in &list {
                    if self.entries[*index as usize].at <= now {
                        self.fire(*index, due);
                    } else {
                        self.place(*index);
                    }
                }
                self.keep(list);
            }
            if within {
                break;
            }
        }
    }

    /// Empties the slot of the lowest of `bits`; what was in it.
    fn empty(&mut self, level: usize, bits: u64) -> Vec<u32> {
        let slot = level * SLOTS + bits.trailing_zeros() as usize;
        std::mem::replace(&mut self.slots[slot], EMPTY).list
    }

    /// Keeps a list that was emptied for the next slot that needs one.
    fn keep(&mut self, mut list: Vec<u32>) {
        if list.capacity() <= KEPT_AT_MOST {
            list.clear();
            self.spare.push(list);
        }
    }

    /// Hands a due entry out.
    fn fire(&mut self, index: u32, due: &mut Vec<(Moment, T)>) {
        let at = Moment::from_unix_nanos(self.entries[index as usize].at);
        due.extend(self.release(index).map(|value| (at, value)));
    }

    /// Puts an armed entry where its deadline belongs, as seen from the current tick.
    fn place(&mut self, index: u32) {
        let entry = &mut self.entries[index as usize];
        let tick = entry.at >> TICK_BITS;
        if tick <= self.tick {
            entry.slot = NEAR;
            self.near_alive += 1;
            self.near.push(Reverse((entry.at, index, entry.generation)));
            return;
        }
        // The highest bit in which the ticks differ says how far away it is.
        let level = (tick ^ self.tick).ilog2() / SLOT_BITS;
        let bit = (tick >> (level * SLOT_BITS)) % SLOTS as u64;
        self.occupied[level as usize] |= 1 << bit;
        #[expect(clippy::cast_possible_truncation, reason = "there are 512 slots")]
        let number = level as u16 * SLOTS as u16 + bit as u16;
        let slot = &mut self.slots[usize::from(number)];
        if slot.list.capacity() == 0 {
            slot.list = self.spare.pop().unwrap_or_default();
        }
        entry.slot = number;
        #[expect(clippy::cast_possible_truncation, reason = "a list holds no more than there are entries")]
        let place = slot.list.len() as u32;
        entry.place = place;
        slot.earliest = slot.earliest.min(entry.at);
        slot.list.push(index);
    }

    /// Takes an entry out of its slot's list; the last of the list takes its place.
    fn unlist(&mut self, index: u32) {
        let Entry { place, slot, .. } = self.entries[index as usize];
        let number = usize::from(slot);
        let list = &mut self.slots[number].list;
        list.swap_remove(place as usize);
        if let Some(moved) = list.get(place as usize) {
            self.entries[*moved as usize].place = place;
        } else if list.is_empty() {
            self.occupied[number / SLOTS] &= !(1 << (number % SLOTS));
            let list = std::mem::replace(&mut self.slots[number], EMPTY).list;
            self.keep(list);
        }
    }

    /// Gives an entry back to the free ones; its key is worth nothing from now on.
    fn release(&mut self, index: u32) -> Option<T> {
        let entry = &mut self.entries[index as usize];
        let value = entry.value.take();
        self.len -= 1;
        // An entry whose generations are used up is left out for ever rather than have two lives under one key.
        if let Some(generation) = entry.generation.checked_add(1) {
            entry.generation = generation;
            entry.place = std::mem::replace(&mut self.free, index);
        }
        value
    }

    fn is_alive(&self, index: u32, generation: u32) -> bool {
        let entry = &self.entries[index as usize];
        entry.generation == generation && entry.value.is_some()
    }

    /// Keeps the heap's top alive, so that [`Wheel::next`] is exact there, and its dead few.
    fn sweep(&mut self) {
        while let Some(Reverse((_, index, generation))) = self.near.peek() {
            if self.is_alive(*index, *generation) {
                break;
            }
            self.near.pop();
        }
        if self.near.len() > 2 * self.near_alive + DEAD_AT_MOST {
            let mut near = std::mem::take(&mut self.near);
            near.retain(|Reverse((_, index, generation))| self.is_alive(*index, *generation));
            self.near = near;
        }
    }
}

#[cfg(test)]
mod tests;
