//! Input that updates rows by key and only raises them: a row of the range moves up in it, one outside enters like a new one.

use weir_base::RowKind;

use super::append::{may_enter, moved_on, unnumbered};
use super::output::{Output, Shown};
use super::partition::{Partition, Place, RankedRow};
use crate::operators::sort_key::SortBytes;

/// Takes a row in. Whether the partition has changed.
pub fn apply(
    partition: &mut Partition,
    sort: SortBytes,
    row: RankedRow,
    told: bool,
    room: u64,
    shown: Shown,
    out: &mut Output,
) -> bool {
    let place = row.key.as_ref().and_then(|key| partition.place_of_key(key));
    match place {
        Some(place) if told => moved(partition, &place, sort, row, shown, out),
        Some(place) => {
            let new = row.row.clone();
            let former = put_over(partition, &place, sort, row).1;
            if shown.update_before {
                out.push(RowKind::UpdateBefore, &former, 1);
            }
            out.push(RowKind::UpdateAfter, &new, 1);
        }
        None if !may_enter(partition, &sort, room) => return false,
        None if told => {
            let new = row.row.clone();
            let place = partition.put(sort, row);
            moved_on(partition, &place, &new, shown, out);
            partition.truncate(shown.end);
        }
        None => unnumbered(partition, sort, row, shown, out),
    }
    true
}

/// Puts a row in the stead of its former version; gives its place and the former version.
fn put_over(
    partition: &mut Partition,
    place: &Place,
    sort: SortBytes,
    row: RankedRow,
) -> (Place, crate::operators::rows::StoredRow) {
    let new = row.row.clone();
    if sort == place.sort {
        let former = partition.replace(place, row).map_or(new, |former| former.row);
        return (place.clone(), former);
    }
    let former = partition.remove(place).map_or(new, |former| former.row);
    (partition.put(sort, row), former)
}

/// Moves a row from its place to that of its new version, telling all places between.
fn moved(partition: &mut Partition, from: &Place, sort: SortBytes, row: RankedRow, shown: Shown, out: &mut Output) {
    let all = partition.len() as u64;
    let Some(from_number) = partition.number(from, all) else { return };
    let new = row.row.clone();
    let (to, former) = put_over(partition, from, sort, row);
    let Some(mut number) = partition.number(&to, all) else { return };
    if number <= from_number {
        let mut current = &new;
        let mut told_former = false;
        for next in partition.behind(&to).take(usize::try_from(from_number - number).unwrap_or(usize::MAX)) {
            out.at(shown, RowKind::UpdateBefore, &next.row, number);
            if !told_former {
                out.at(shown, RowKind::UpdateBefore, &former, from_number);
                told_former = true;
            }
            out.at(shown, RowKind::UpdateAfter, current, number);
            current = &next.row;
            number += 1;
        }
        if !told_former {
            out.at(shown, RowKind::UpdateBefore, &former, from_number);
        }
        out.at(shown, RowKind::UpdateAfter, current, from_number);
        return;
    }
    // The row has gone down against what the plan says: its former version was forgotten upstream.
    out.at(shown, RowKind::UpdateBefore, &former, from_number);
    let between = usize::try_from(number - from_number).unwrap_or(usize::MAX);
    let skipped = usize::try_from(from_number - 1).unwrap_or(usize::MAX);
    for (at, (_, next)) in (from_number..).zip(partition.iter().skip(skipped).take(between)) {
        out.at(shown, RowKind::UpdateBefore, &next.row, at + 1);
        out.at(shown, RowKind::UpdateAfter, &next.row, at);
    }
    out.at(shown, RowKind::UpdateAfter, &new, number);
}
