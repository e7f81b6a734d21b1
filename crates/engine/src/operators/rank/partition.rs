//! The rows of a partition that a ranking keeps, in their order.

use std::collections::BTreeMap;
use std::ops::Bound;

use hashbrown::HashMap;
use weir_base::Timestamp;

use crate::keys::StoredKey;
use crate::operators::deduplicate::table::{Kept, shared_bytes};
use crate::operators::rows::StoredRow;
use crate::operators::sort_key::SortBytes;

/// Where a row stands: equal sort keys in the order in which the rows came there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// By the ORDER BY.
    pub sort: SortBytes,
    /// Counts the rows of the partition; names the row in state.
    pub sequence: u64,
}

/// A row that is kept.
#[derive(Debug, Clone)]
pub struct RankedRow {
    /// The row.
    pub row: StoredRow,
    /// What tells it from other rows; only where rows are updated by key.
    pub key: Option<StoredKey>,
    /// When it is forgotten.
    pub expires: Timestamp,
}

/// A row that was put or taken out, to be written to the next checkpoint.
pub struct Changed {
    /// Its name.
    pub sequence: u64,
    /// What it is now; None: gone.
    pub now: Option<StoredRow>,
    /// Whether a row of this name was there before.
    pub known: bool,
}

/// The rows of one partition.
#[derive(Default)]
pub struct Partition {
    rows: BTreeMap<Place, RankedRow>,
    by_key: HashMap<StoredKey, Place>,
    next: u64,
    /// The last place given, where the partition's first row said it.
    pub end: Option<u64>,
    /// What has changed since it was last taken.
    pub changed: Vec<Changed>,
    heap_bytes: usize,
}

impl Kept for Partition {
    fn heap_bytes(&self) -> usize {
        self.heap_bytes
    }
}

fn bytes_of(place: &Place, row: &RankedRow) -> usize {
    let key = row.key.as_ref().map_or(0, |key| shared_bytes(key) + size_of::<(StoredKey, Place)>());
    shared_bytes(&place.sort) + shared_bytes(&row.row) + key + size_of::<(Place, RankedRow)>()
}

impl Partition {
    /// Rows kept.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// All rows in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&Place, &RankedRow)> {
        self.rows.iter()
    }

    /// The rows behind `place`.
    pub fn behind(&self, place: &Place) -> impl Iterator<Item = &RankedRow> {
        self.rows.range((Bound::Excluded(place), Bound::Unbounded)).map(|(_, row)| row)
    }

    /// The first row.
    pub fn first(&self) -> Option<(&Place, &RankedRow)> {
        self.rows.first_key_value()
    }

    /// The last row.
    pub fn last(&self) -> Option<(&Place, &RankedRow)> {
        self.rows.last_key_value()
    }

    /// The row at `number`, from 1.
    pub fn at(&self, number: u64) -> Option<&RankedRow> {
        let index = usize::try_from(number.checked_sub(1)?).ok()?;
        self.rows.values().nth(index)
    }

    /// The number of the row at `place`, from 1, if it is not behind `last`.
    pub fn number(&self, place: &Place, last: u64) -> Option<u64> {
        (1..=last).zip(self.rows.keys()).find(|(_, at)| *at == place).map(|(number, _)| number)
    }

    /// Where the row with `key` stands.
    pub fn place_of_key(&self, key: &[u8]) -> Option<Place> {
        self.by_key.get(key).cloned()
    }

    /// Where the first row with this sort key and these bytes stands.
    pub fn place_of_row(&self, sort: &SortBytes, row: &StoredRow) -> Option<Place> {
        let from = Place { sort: SortBytes::clone(sort), sequence: 0 };
        let same = self.rows.range(from..).take_while(|(place, _)| place.sort == *sort);
        same.into_iter().find(|(_, kept)| kept.row == *row).map(|(place, _)| place.clone())
    }

    /// Puts a row behind all with the same sort key; gives its place.
    pub fn put(&mut self, sort: SortBytes, row: RankedRow) -> Place {
        let place = Place { sort, sequence: self.next };
        self.changed.push(Changed { sequence: self.next, now: Some(StoredRow::clone(&row.row)), known: false });
        self.restore(place.clone(), row);
        place
    }

    /// Puts a row where one with the same sort key stands; gives the former.
    pub fn replace(&mut self, place: &Place, row: RankedRow) -> Option<RankedRow> {
        let now = Some(StoredRow::clone(&row.row));
        self.changed.push(Changed { sequence: place.sequence, now, known: true });
        let former = self.take(place);
        self.restore(place.clone(), row);
        former
    }

    /// Puts a row that is in the checkpoint already.
    pub fn restore(&mut self, place: Place, row: RankedRow) {
        self.next = self.next.max(place.sequence + 1);
        self.heap_bytes += bytes_of(&place, &row);
        if let Some(key) = &row.key {
            self.by_key.insert(StoredKey::clone(key), place.clone());
        }
        self.rows.insert(place, row);
    }

    fn take(&mut self, place: &Place) -> Option<RankedRow> {
        let row = self.rows.remove(place)?;
        self.heap_bytes = self.heap_bytes.saturating_sub(bytes_of(place, &row));
        if let Some(key) = &row.key {
            self.by_key.remove(key);
        }
        Some(row)
    }

    /// Takes a row out.
    pub fn remove(&mut self, place: &Place) -> Option<RankedRow> {
        let row = self.take(place)?;
        self.changed.push(Changed { sequence: place.sequence, now: None, known: true });
        Some(row)
    }

    /// Takes out all rows behind number `last`.
    pub fn truncate(&mut self, last: u64) {
        while self.rows.len() as u64 > last {
            let Some(place) = self.rows.last_key_value().map(|(place, _)| place.clone()) else { return };
            self.remove(&place);
        }
    }

    /// Forgets rows that have expired, telling `gone` their names.
    pub fn expire(&mut self, now: Timestamp, mut gone: impl FnMut(u64)) {
        let expired = |(place, row): (&Place, &RankedRow)| (row.expires <= now).then(|| place.clone());
        let places: Vec<Place> = self.rows.iter().filter_map(expired).collect();
        for place in places {
            self.take(&place);
            gone(place.sequence);
        }
    }
}
