//! Insert-only input: a row that cannot enter the range is never kept, one that falls out of it is forgotten.

use weir_base::RowKind;

use super::output::{Output, Shown};
use super::partition::{Partition, RankedRow};
use crate::operators::sort_key::SortBytes;

/// Keeps the first row alone: a new one takes its place if it stands strictly before it. Whether the partition has changed.
pub fn top_one(partition: &mut Partition, sort: SortBytes, row: RankedRow, shown: Shown, out: &mut Output) -> bool {
    let Some((place, former)) = partition.first() else {
        out.at(shown, RowKind::Insert, &row.row, 1);
        partition.put(sort, row);
        return true;
    };
    if sort >= place.sort {
        return false;
    }
    out.at(shown, RowKind::UpdateBefore, &former.row, 1);
    out.at(shown, RowKind::UpdateAfter, &row.row, 1);
    let place = place.clone();
    partition.remove(&place);
    partition.put(sort, row);
    true
}

/// Whether a new row with this sort key may enter: there is room, or it stands before the last row.
pub fn may_enter(partition: &Partition, sort: &SortBytes, room: u64) -> bool {
    (partition.len() as u64) < room || partition.last().is_some_and(|(last, _)| *sort < last.sort)
}

/// Enters a row where places are told: the rows behind it move on by one. Whether the partition has changed.
pub fn numbered(partition: &mut Partition, sort: SortBytes, row: RankedRow, shown: Shown, out: &mut Output) {
    let new = row.row.clone();
    let place = partition.put(sort, row);
    moved_on(partition, &place, &new, shown, out);
    partition.truncate(shown.end);
}

/// Gives what a row that has just come to `place` changes in the places behind it.
pub fn moved_on(
    partition: &Partition,
    place: &super::partition::Place,
    new: &crate::operators::rows::StoredRow,
    shown: Shown,
    out: &mut Output,
) {
    let Some(mut number) = partition.number(place, shown.end) else { return };
    let mut current = new;
    for former in partition.behind(place) {
        if number > shown.end {
            return;
        }
        out.at(shown, RowKind::UpdateBefore, &former.row, number);
        out.at(shown, RowKind::UpdateAfter, current, number);
        current = &former.row;
        number += 1;
    }
    if number <= shown.end {
        out.at(shown, RowKind::Insert, current, number);
    }
}

/// Enters a row where places are not told: it comes, and what falls out of the range goes before it.
pub fn unnumbered(partition: &mut Partition, sort: SortBytes, row: RankedRow, shown: Shown, out: &mut Output) {
    let new = row.row.clone();
    let place = partition.put(sort, row);
    if partition.len() as u64 > shown.end {
        let Some(last) = partition.last().map(|(last, _)| last.clone()) else { return };
        let gone = partition.remove(&last);
        match gone {
            Some(gone) if last != place && gone.row != new => out.push(RowKind::Delete, &gone.row, 1),
            _ => return,
        }
    }
    out.push(RowKind::Insert, &new, 1);
}
