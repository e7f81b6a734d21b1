//! The groups of an aggregation: their keys, how many rows each has, and what of them checkpoints do not hold yet.
//!
//! A group has a number, by which the aggregates know its state; numbers of groups that have gone are given to new ones. In state a group is an entry: a mark
//! of the aggregates, its number of rows, and the states; elements of large states stand beside it.

use std::collections::BTreeMap;
use std::sync::Arc;

use hashbrown::hash_table::Entry;
use weir_base::{Epoch, Error, Kind, Result, Timestamp};
use weir_state::{FrozenPart, Unconfirmed};

use crate::keys::{StoredKey, check_stored, group_of};
use crate::operators::Restore;
use crate::operators::aggregate::{Aggregates, ELEMENTS, Fixed, FrozenAggregates, StoredElements, read_element_key};
use crate::operators::deduplicate::table::{Kept, KeyTable, Slot, expires, shared_bytes};

/// The part of state.
const GROUPS: &str = "groups";

/// It has rows.
const ALIVE: u8 = 1;
/// It has changed since the last barrier.
const CHANGED: u8 = 2;
/// It stands in the list of changed ones.
const LISTED: u8 = 4;
/// Some checkpoint may hold it.
const WRITTEN: u8 = 8;

impl Kept for u32 {}

/// The groups.
pub struct Groups {
    ttl_ms: i64,
    max_parallelism: u16,
    mark: u32,
    table: KeyTable<u32>,
    groups: Vec<Group>,
    free: Vec<u32>,
    changed: Vec<u32>,
    gone: Vec<Gone>,
    unconfirmed: Unconfirmed<Arc<Delta>>,
}

/// A group by its number.
struct Group {
    key: StoredKey,
    rows: i64,
    expires: Timestamp,
    marks: u8,
}

/// A group that has gone, or such elements of it.
struct Gone {
    key: StoredKey,
    /// Whether its own entry is to be deleted; one that has expired goes by itself.
    entry: bool,
    elements: StoredElements,
}

/// What happened between two barriers.
#[derive(Default)]
struct Delta {
    gone: Vec<Gone>,
    keys: Vec<StoredKey>,
    rows: Vec<i64>,
    expires: Vec<Timestamp>,
    states: FrozenAggregates,
}

/// What a row does to its group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The group begins.
    First,
    /// The group changes.
    Next,
    /// The group has no row any more.
    Last,
}

impl Groups {
    /// No groups, that live for `ttl_ms` after their last row; zero: for good.
    pub fn new(ttl_ms: i64, max_parallelism: u16, mark: u32) -> Self {
        Self {
            ttl_ms,
            max_parallelism,
            mark,
            table: KeyTable::new(),
            groups: Vec::new(),
            free: Vec::new(),
            changed: Vec::new(),
            gone: Vec::new(),
            unconfirmed: Unconfirmed::default(),
        }
    }

    /// Numbers that are given out, or were.
    pub fn numbers(&self) -> usize {
        self.groups.len()
    }

    /// Takes a row of `key`: the number of its group, and what the row does to it. `None`: a row is taken back from a group that is not there, which changes
    /// nothing. `counts`: whether a group goes when no row is left.
    pub fn take(
        &mut self,
        key: &[u8],
        adds: bool,
        counts: bool,
        now: Timestamp,
        aggregates: &mut Aggregates,
    ) -> Option<(u32, Effect)> {
        let lives_until = expires(now, self.ttl_ms);
        let number = match self.table.entry(key) {
            Entry::Occupied(mut slot) => {
                let slot = slot.get_mut();
                let group = &mut self.groups[slot.value as usize];
                if slot.expires <= now && group.marks & ALIVE != 0 {
                    group.marks &= !ALIVE;
                    forget(group, slot.value, false, aggregates, &mut self.gone);
                }
                if group.marks & ALIVE == 0 && !adds {
                    return None;
                }
                slot.expires = lives_until;
                slot.value
            }
            Entry::Vacant(_) if !adds => return None,
            Entry::Vacant(vacant) => {
                let key = StoredKey::from(key);
                let group = Group { key: StoredKey::clone(&key), rows: 0, expires: lives_until, marks: 0 };
                let number = number(&mut self.groups, &mut self.free, group);
                let bytes = shared_bytes(&key);
                vacant.insert(Slot { key, expires: lives_until, value: number });
                self.table.moved(bytes, 0);
                aggregates.grow(self.groups.len());
                number
            }
        };
        let group = &mut self.groups[number as usize];
        let first = group.marks & ALIVE == 0;
        group.rows = if first { 0 } else { group.rows } + if adds { 1 } else { -1 };
        group.expires = lives_until;
        group.marks |= ALIVE | CHANGED;
        if group.marks & LISTED == 0 {
            group.marks |= LISTED;
            self.changed.push(number);
        }
        let last = counts && group.rows == 0;
        if last {
            group.marks &= !ALIVE;
        }
        Some((
            number,
            if last {
                Effect::Last
            } else if first {
                Effect::First
            } else {
                Effect::Next
            },
        ))
    }

    /// The group `number` has no row any more, and its state is given up; the number stays its own until `release`.
    pub fn clear(&mut self, number: u32, aggregates: &mut Aggregates) {
        forget(&mut self.groups[number as usize], number, true, aggregates, &mut self.gone);
    }

    /// Lets the number go if its group has no row.
    pub fn release(&mut self, number: u32) {
        let group = &mut self.groups[number as usize];
        if group.marks & ALIVE != 0 {
            return;
        }
        // A group that went twice in a batch is released once.
        if self.table.remove(&group.key).is_some() {
            group.marks &= LISTED;
            self.free.push(number);
        }
    }

    /// Drops some of the groups that have expired.
    pub fn sweep(&mut self, now: Timestamp, aggregates: &mut Aggregates) {
        let (groups, free, gone) = (&mut self.groups, &mut self.free, &mut self.gone);
        self.table.sweep(now, |slot| {
            let group = &mut groups[slot.value as usize];
            forget(group, slot.value, false, aggregates, gone);
            group.marks &= LISTED;
            free.push(slot.value);
        });
    }

    /// Closes the epoch: what no completed checkpoint holds.
    pub fn freeze(&mut self, epoch: Epoch, aggregates: &mut Aggregates) -> Vec<FrozenPart> {
        let mut delta = Delta { gone: std::mem::take(&mut self.gone), ..Delta::default() };
        let mut numbers = std::mem::take(&mut self.changed);
        for number in &numbers {
            self.groups[*number as usize].marks &= !LISTED;
        }
        numbers.retain(|number| self.groups[*number as usize].marks & CHANGED != 0);
        for number in &numbers {
            let group = &mut self.groups[*number as usize];
            group.marks = group.marks & !CHANGED | WRITTEN;
            delta.keys.push(StoredKey::clone(&group.key));
            delta.rows.push(group.rows);
            delta.expires.push(group.expires);
        }
        delta.states = aggregates.freeze(&numbers);
        let deltas = self.unconfirmed.close(epoch, Arc::new(delta));
        let mut parts = vec![groups_part(deltas.clone(), self.mark, self.max_parallelism)];
        if aggregates.has_elements() {
            parts.push(elements_part(deltas, self.max_parallelism));
        }
        parts
    }

    /// Forgets what the completed checkpoint `epoch` holds.
    pub fn confirm(&mut self, epoch: Epoch) {
        self.unconfirmed.confirm(epoch);
    }

    /// Takes the groups back that `owned` has.
    ///
    /// # Errors
    /// The state cannot be read, or is of other aggregates.
    pub fn restore(
        &mut self,
        restore: &Restore<'_>,
        owned: impl Fn(u16) -> bool,
        aggregates: &mut Aggregates,
    ) -> Result<()> {
        restore.state.visit(GROUPS, restore.now, &mut |group, key, value| {
            if !owned(group) {
                return Ok(());
            }
            check_stored(key)?;
            match value {
                Some((value, expires)) if expires > restore.now => self.put_back(key, value, expires, aggregates),
                _ => {
                    self.take_out(key, aggregates);
                    Ok(())
                }
            }
        })?;
        if aggregates.has_elements() { self.restore_elements(restore, owned, aggregates) } else { Ok(()) }
    }

    fn put_back(
        &mut self,
        key: &[u8],
        mut value: &[u8],
        expires: Timestamp,
        aggregates: &mut Aggregates,
    ) -> Result<()> {
        let found = u32::take(&mut value).ok_or_else(|| corrupt("it is cut off"))?;
        if found != self.mark {
            return Err(Error::invalid("restore a group: the state was written with other aggregates")
                .hint("start with --fresh, or with the SQL that wrote it"));
        }
        let rows = i64::take(&mut value).ok_or_else(|| corrupt("it is cut off"))?;
        self.take_out(key, aggregates);
        let group = Group { key: key.into(), rows, expires, marks: ALIVE | WRITTEN };
        let number = number(&mut self.groups, &mut self.free, group);
        aggregates.grow(self.groups.len());
        self.table.put(key, number, expires);
        aggregates.read(number, value)
    }

    fn take_out(&mut self, key: &[u8], aggregates: &mut Aggregates) {
        if let Some(slot) = self.table.remove(key) {
            aggregates.reset(&[slot.value]);
            self.free.push(slot.value);
        }
    }

    fn restore_elements(
        &mut self,
        restore: &Restore<'_>,
        owned: impl Fn(u16) -> bool,
        aggregates: &mut Aggregates,
    ) -> Result<()> {
        let mut elements: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
        restore.state.visit(ELEMENTS, restore.now, &mut |group, key, value| {
            match value {
                _ if !owned(group) => {}
                Some((value, _)) => {
                    elements.insert(key.to_vec(), value.to_vec());
                }
                None => {
                    elements.remove(key);
                }
            }
            Ok(())
        })?;
        for (key, value) in &elements {
            let element = read_element_key(key)?;
            // What belongs to a group that has expired is left where it is: it is never read again.
            if let Some(slot) = self.table.find(element.owner) {
                aggregates.read_element(slot.value, &element, value)?;
            }
        }
        Ok(())
    }

    /// Bytes of memory that they take, without their states.
    pub fn bytes(&self) -> usize {
        self.table.bytes()
            + self.groups.capacity() * size_of::<Group>()
            + (self.free.capacity() + self.changed.capacity()) * size_of::<u32>()
    }
}

/// A number for `group`.
fn number(groups: &mut Vec<Group>, free: &mut Vec<u32>, mut group: Group) -> u32 {
    match free.pop() {
        Some(number) => {
            let place = &mut groups[number as usize];
            group.marks |= place.marks & LISTED;
            *place = group;
            number
        }
        None => {
            groups.push(group);
            u32::try_from(groups.len() - 1).expect("there are fewer groups than a u32 counts")
        }
    }
}

/// Gives up the state of a group, and notes what checkpoints hold of it.
fn forget(group: &mut Group, number: u32, entry: bool, aggregates: &mut Aggregates, gone: &mut Vec<Gone>) {
    let elements = aggregates.forget(number);
    let entry = entry && group.marks & WRITTEN != 0;
    if entry || !elements.is_empty() {
        gone.push(Gone { key: StoredKey::clone(&group.key), entry, elements });
    }
    // A group that a later row of the batch has begun anew is to be written nevertheless.
    group.marks &= if group.marks & ALIVE == 0 { !(CHANGED | WRITTEN) } else { !WRITTEN };
    aggregates.reset(&[number]);
}

fn groups_part(deltas: Vec<Arc<Delta>>, mark: u32, max_parallelism: u16) -> FrozenPart {
    FrozenPart {
        name: GROUPS,
        full: false,
        entries: Box::new(move |entries| {
            let mut value = Vec::new();
            for delta in &deltas {
                for gone in delta.gone.iter().filter(|gone| gone.entry) {
                    entries.delete(group_of(&gone.key, max_parallelism), &gone.key)?;
                }
                for (index, key) in delta.keys.iter().enumerate() {
                    value.clear();
                    mark.put(&mut value);
                    delta.rows[index].put(&mut value);
                    value.extend_from_slice(delta.states.state(index));
                    entries.put(group_of(key, max_parallelism), key, &value, delta.expires[index])?;
                }
            }
            Ok(())
        }),
    }
}

fn elements_part(deltas: Vec<Arc<Delta>>, max_parallelism: u16) -> FrozenPart {
    FrozenPart {
        name: ELEMENTS,
        full: false,
        entries: Box::new(move |entries| {
            for delta in &deltas {
                for gone in &delta.gone {
                    gone.elements.delete(entries, group_of(&gone.key, max_parallelism), &gone.key)?;
                }
                delta.states.write_elements(entries, |index, owner| {
                    owner.extend_from_slice(&delta.keys[index]);
                    group_of(&delta.keys[index], max_parallelism)
                })?;
            }
            Ok(())
        }),
    }
}

fn corrupt(what: &str) -> Error {
    Error::new(Kind::Corrupt, format!("read a group from state: {what}"))
}
