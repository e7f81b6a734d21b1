//! Any changelog: all rows are kept, for each may come back into the range when another goes.

use weir_base::RowKind;

use super::append::moved_on;
use super::output::{Output, Shown};
use super::partition::{Partition, RankedRow};
use crate::operators::rows::StoredRow;
use crate::operators::sort_key::SortBytes;

/// Takes a row in.
pub fn add(partition: &mut Partition, sort: SortBytes, row: RankedRow, told: bool, shown: Shown, out: &mut Output) {
    let new = row.row.clone();
    let place = partition.put(sort, row);
    if told {
        moved_on(partition, &place, &new, shown, out);
    } else if partition.number(&place, shown.end).is_some() {
        // Whoever stood at the last place stands behind it now.
        if let Some(gone) = partition.at(shown.end + 1) {
            out.push(RowKind::Delete, &gone.row, 1);
        }
        out.push(RowKind::Insert, &new, 1);
    }
}

/// Takes a row out. Whether it was there: one that has expired is not, and what it says is lost, as in Flink.
pub fn take(
    partition: &mut Partition,
    sort: &SortBytes,
    row: &StoredRow,
    told: bool,
    shown: Shown,
    out: &mut Output,
) -> bool {
    let Some(place) = partition.place_of_row(sort, row) else { return false };
    let number = partition.number(&place, shown.end);
    if let Some(number) = number {
        if told {
            moved_up(partition, &place, row, number, shown, out);
        } else {
            out.push(RowKind::Delete, row, 1);
            if let Some(next) = partition.at(shown.end + 1) {
                out.push(RowKind::Insert, &next.row, 1);
            }
        }
    }
    partition.remove(&place);
    true
}

/// Gives what changes in the places behind a row that is about to go.
fn moved_up(
    partition: &Partition,
    place: &super::partition::Place,
    gone: &StoredRow,
    number: u64,
    shown: Shown,
    out: &mut Output,
) {
    let mut number = number;
    let mut former = gone;
    for next in partition.behind(place) {
        if number > shown.end {
            return;
        }
        out.at(shown, RowKind::UpdateBefore, former, number);
        out.at(shown, RowKind::UpdateAfter, &next.row, number);
        former = &next.row;
        number += 1;
    }
    if number <= shown.end {
        out.at(shown, RowKind::Delete, former, number);
    }
}
