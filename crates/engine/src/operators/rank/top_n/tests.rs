//! Rankings: what each strategy gives row by row, time to live, restoring and rescaling, against a model.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringViewArray};
use weir_base::Rng;
use weir_plan::{DataType, Field, LogicalType, Schema, SortKey};

use super::super::rank;
use super::*;
use crate::operators::test_harness::{MAX_PARALLELISM, Step, same_in_all_modes};

type Change = (RowKind, &'static str, Option<i64>, i64);

use RowKind::{Delete as D, Insert as I, UpdateAfter as UA, UpdateBefore as UB};

fn schema(number: bool) -> Schema {
    let mut fields = vec![
        Field::new("key", DataType::string()),
        Field::new("value", DataType::nullable(LogicalType::BigInt)),
        Field::new("id", DataType::nullable(LogicalType::BigInt)),
    ];
    if number {
        fields.push(Field::new("place", DataType::not_null(LogicalType::BigInt)));
    }
    Schema::new(fields)
}

fn changes(now: Timestamp, changes: &[Change]) -> Step {
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringViewArray::from_iter_values(changes.iter().map(|change| change.1))),
        Arc::new(Int64Array::from_iter(changes.iter().map(|change| change.2))),
        Arc::new(Int64Array::from_iter_values(changes.iter().map(|change| change.3))),
    ];
    let data = RecordBatch::try_new(schema(false).arrow(), columns).unwrap();
    Step::changes(now, data, changes.iter().map(|change| change.0).collect())
}

fn inserts(now: Timestamp, rows: &[(&'static str, Option<i64>, i64)]) -> Step {
    changes(now, &rows.iter().map(|row| (I, row.0, row.1, row.2)).collect::<Vec<_>>())
}

/// The first `end` by the value, greatest first.
fn spec(strategy: RankStrategy, range: (u64, u64), number: bool, ttl_ms: u64) -> RankSpec {
    RankSpec {
        keys: vec![0],
        order: vec![SortKey { column: 1, descending: true, nulls_last: true }],
        range: RankRange { start: range.0, end: RankEnd::Constant(range.1) },
        number,
        strategy,
        state_ttl: Duration::from_millis(ttl_ms),
    }
}

fn run(spec: &RankSpec, update_before: bool, steps: &[Step]) -> Vec<String> {
    let (input, output) = (schema(false), schema(spec.number));
    let make = |key_groups| {
        let context =
            RankContext { input: &input, output: &output, key_groups, max_parallelism: MAX_PARALLELISM, update_before };
        rank(spec, &context).unwrap()
    };
    same_in_all_modes(&make, &input, &[0], steps).rows
}

#[test]
fn an_append_only_ranking_with_places_moves_the_rows_behind_on() {
    let steps = [
        inserts(0, &[("a", Some(10), 1), ("a", Some(30), 2), ("b", None, 3), ("a", Some(20), 4)]),
        inserts(1, &[("a", Some(20), 5), ("a", Some(5), 6), ("a", Some(40), 7)]),
    ];
    let expected = [
        "+I a, 10, 1, 1",
        "-U a, 10, 1, 1",
        "+U a, 30, 2, 1",
        "+I a, 10, 1, 2",
        "+I b, NULL, 3, 1",
        "-U a, 10, 1, 2",
        "+U a, 20, 4, 2",
        "-U a, 30, 2, 1",
        "+U a, 40, 7, 1",
        "-U a, 20, 4, 2",
        "+U a, 30, 2, 2",
    ];
    assert_eq!(run(&spec(RankStrategy::AppendFast, (1, 2), true, 0), true, &steps), expected);
    let upserts: Vec<&str> = expected.into_iter().filter(|row| !row.starts_with("-U")).collect();
    assert_eq!(run(&spec(RankStrategy::AppendFast, (1, 2), true, 0), false, &steps), upserts);
}

#[test]
fn an_append_only_ranking_without_places_deletes_what_falls_out() {
    let steps = [inserts(0, &[("a", Some(1), 1), ("a", Some(2), 2), ("a", Some(3), 3), ("a", Some(2), 4)])];
    let expected = ["+I a, 1, 1", "+I a, 2, 2", "-D a, 1, 1", "+I a, 3, 3"];
    assert_eq!(run(&spec(RankStrategy::AppendFast, (1, 2), false, 0), true, &steps), expected);
}

#[test]
fn the_first_of_each_partition_is_updated_by_a_row_that_stands_strictly_before_it() {
    let steps = [inserts(0, &[("a", Some(1), 1), ("a", Some(1), 2), ("b", None, 3), ("b", Some(0), 4)])];
    let expected = ["+I a, 1, 1", "+I b, NULL, 3", "-U b, NULL, 3", "+U b, 0, 4"];
    assert_eq!(run(&spec(RankStrategy::AppendFast, (1, 1), false, 0), true, &steps), expected);
}

#[test]
fn a_retracted_row_makes_room_for_the_next() {
    let steps = [
        changes(0, &[(I, "a", Some(3), 1), (I, "a", Some(2), 2), (I, "a", Some(1), 3)]),
        changes(1, &[(UB, "a", Some(3), 1), (UA, "a", Some(0), 1), (D, "a", Some(2), 2), (D, "a", Some(9), 9)]),
    ];
    let plain = ["+I a, 3, 1", "+I a, 2, 2", "-D a, 3, 1", "+I a, 1, 3", "-D a, 2, 2", "+I a, 0, 1"];
    assert_eq!(run(&spec(RankStrategy::Retract, (1, 2), false, 0), true, &steps), plain);
    let places = [
        "+I a, 3, 1, 1",
        "+I a, 2, 2, 2",
        "-U a, 3, 1, 1",
        "+U a, 2, 2, 1",
        "-U a, 2, 2, 2",
        "+U a, 1, 3, 2",
        "-U a, 2, 2, 1",
        "+U a, 1, 3, 1",
        "-U a, 1, 3, 2",
        "+U a, 0, 1, 2",
    ];
    assert_eq!(run(&spec(RankStrategy::Retract, (1, 2), true, 0), true, &steps), places);
    let seconds: Vec<&str> = places.iter().filter_map(|row| row.strip_suffix(", 2")).collect();
    assert_eq!(run(&spec(RankStrategy::Retract, (2, 2), false, 0), true, &steps), seconds);
}

#[test]
fn rows_updated_by_key_move_up() {
    let update = RankStrategy::UpdateFast(vec![0, 2]);
    let steps = [
        changes(0, &[(I, "a", Some(1), 1), (I, "a", Some(1), 2), (UA, "a", Some(2), 2)]),
        changes(1, &[(UA, "a", Some(3), 2), (I, "a", Some(9), 3), (UA, "a", Some(9), 3)]),
    ];
    let places = [
        "+I a, 1, 1, 1",
        "+I a, 1, 2, 2",
        "-U a, 1, 1, 1",
        "-U a, 1, 2, 2",
        "+U a, 2, 2, 1",
        "+U a, 1, 1, 2",
        "-U a, 2, 2, 1",
        "+U a, 3, 2, 1",
        "-U a, 3, 2, 1",
        "+U a, 9, 3, 1",
        "-U a, 1, 1, 2",
        "+U a, 3, 2, 2",
        "-U a, 9, 3, 1",
        "+U a, 9, 3, 1",
    ];
    let given = run(&spec(update.clone(), (1, 2), true, 0), true, &steps);
    assert_eq!(given, places);
    let plain = [
        "+I a, 1, 1",
        "+I a, 1, 2",
        "-U a, 1, 2",
        "+U a, 2, 2",
        "-U a, 2, 2",
        "+U a, 3, 2",
        "-D a, 1, 1",
        "+I a, 9, 3",
        "-U a, 9, 3",
        "+U a, 9, 3",
    ];
    assert_eq!(run(&spec(update, (1, 2), false, 0), true, &steps), plain);
}

#[test]
fn rows_expire_when_they_are_not_written_again() {
    let steps = [
        inserts(0, &[("a", Some(9), 1)]),
        inserts(900, &[("a", Some(5), 2)]),
        inserts(1000, &[("a", Some(4), 3)]),
        Step::tick(1900),
        inserts(2000, &[("a", Some(1), 4)]),
    ];
    let expected = ["+I a, 9, 1", "+I a, 5, 2", "+I a, 4, 3", "+I a, 1, 4"];
    assert_eq!(run(&spec(RankStrategy::AppendFast, (1, 2), false, 1000), true, &steps), expected);
}

#[test]
fn the_first_rows_are_counted_for_each_partition() {
    let steps = [
        inserts(0, &[("a", Some(1), 1), ("b", Some(1), 2), ("a", Some(2), 3)]),
        inserts(1, &[("a", Some(3), 4), ("b", Some(3), 5), ("a", Some(4), 6)]),
    ];
    let expected = ["+I a, 2, 3, 2", "+I a, 3, 4, 3", "+I b, 3, 5, 2"];
    assert_eq!(run(&spec(RankStrategy::FirstRows, (2, 3), true, 0), true, &steps), expected);
}

#[test]
fn the_first_row_of_a_partition_says_its_last_place() {
    let mut spec = spec(RankStrategy::Retract, (1, 1), false, 0);
    spec.range.end = RankEnd::Column(2);
    let steps = [
        changes(0, &[(I, "a", Some(1), 2), (I, "a", Some(1), 1), (I, "b", Some(1), 1), (I, "a", Some(3), 9)]),
        changes(1, &[(I, "b", Some(2), 5), (D, "a", Some(3), 9)]),
    ];
    let expected = [
        "+I a, 1, 2",
        "+I a, 1, 1",
        "+I b, 1, 1",
        "-D a, 1, 1",
        "+I a, 3, 9",
        "-D b, 1, 1",
        "+I b, 2, 5",
        "-D a, 3, 9",
        "+I a, 1, 1",
    ];
    assert_eq!(run(&spec, true, &steps), expected);
}

/// The rows that a changelog comes to.
fn materialised(rows: &[String]) -> Vec<String> {
    let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
    for row in rows {
        let (kind, row) = row.split_at(3);
        *counts.entry(row).or_default() += if matches!(kind, "+I " | "+U ") { 1 } else { -1 };
    }
    assert!(counts.values().all(|count| *count >= 0), "a row was taken back that was never given");
    counts.into_iter().flat_map(|(row, count)| (0..count).map(move |_| row.to_owned())).collect()
}

#[test]
fn random_changes_come_to_the_rows_that_a_model_has() {
    for seed in 0..6 {
        let mut rng = Rng::new(seed);
        let mut live: Vec<Change> = Vec::new();
        let mut steps = Vec::new();
        for now in 0..20 {
            let batch: Vec<Change> = (0..8)
                .map(|id| {
                    if !live.is_empty() && rng.next_u64().is_multiple_of(3) {
                        let gone = live.remove(usize::try_from(rng.next_u64()).unwrap() % live.len());
                        return (D, gone.1, gone.2, gone.3);
                    }
                    let key = ["a", "b", "c"][usize::try_from(rng.next_u64() % 3).unwrap()];
                    let value = i64::try_from(rng.next_u64() % 7).unwrap();
                    live.push((I, key, (value != 0).then_some(value), now * 8 + id));
                    live[live.len() - 1]
                })
                .collect();
            steps.push(changes(now, &batch));
        }
        for (number, range) in [(false, (1, 3)), (true, (1, 3)), (true, (2, 4))] {
            let given = materialised(&run(&spec(RankStrategy::Retract, range, number, 0), true, &steps));
            let mut wanted = Vec::new();
            for key in ["a", "b", "c"] {
                let mut rows: Vec<&Change> = live.iter().filter(|row| row.1 == key).collect();
                rows.sort_by_key(|row| (std::cmp::Reverse(row.2), row.3));
                for (place, row) in (1..).zip(rows).filter(|(place, _)| (range.0..=range.1).contains(place)) {
                    let value = row.2.map_or_else(|| "NULL".to_owned(), |value| value.to_string());
                    let place = if number { format!(", {place}") } else { String::new() };
                    wanted.push(format!("{}, {value}, {}{place}", row.1, row.3));
                }
            }
            wanted.sort();
            assert_eq!(given, wanted, "seed {seed}, places {range:?}");
        }
    }
}
