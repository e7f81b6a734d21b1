//! Groups: updates, retraction, time to live, restoring, rescaling; a random stream beside a model.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arrow_array::{ArrayRef, Int32Array, RecordBatch, StringViewArray};
use weir_base::Rng;
use weir_plan::{AggregateCall, AggregateFunction, DataType, Field, LogicalType};

use super::*;
use crate::operators::test_harness::{Collected, Input, MAX_PARALLELISM, Step, same_in_all_modes};

const KINDS: [(&str, RowKind); 4] =
    [("+I", RowKind::Insert), ("-U", RowKind::UpdateBefore), ("+U", RowKind::UpdateAfter), ("-D", RowKind::Delete)];

fn schema() -> Schema {
    Schema::new(vec![Field::new("id", DataType::string()), Field::new("n", DataType::nullable(LogicalType::Int))])
}

fn output() -> Schema {
    Schema::new(vec![
        Field::new("id", DataType::string()),
        Field::new("c", DataType::not_null(LogicalType::BigInt)),
        Field::new("total", DataType::nullable(LogicalType::Int)),
        Field::new("greatest", DataType::nullable(LogicalType::Int)),
    ])
}

fn call(function: AggregateFunction, arguments: &[usize], data_type: DataType) -> AggregateCall {
    AggregateCall {
        function,
        arguments: arguments.to_vec(),
        argument_types: arguments.iter().map(|_| DataType::nullable(LogicalType::Int)).collect(),
        distinct: false,
        filter: None,
        separator: None,
        data_type,
    }
}

/// COUNT(*), SUM(n), MAX(n) by id.
fn spec(retracts: bool, ttl_ms: u64) -> GroupAggregateSpec {
    let int = DataType::nullable(LogicalType::Int);
    GroupAggregateSpec {
        keys: vec![0],
        aggregates: vec![
            call(AggregateFunction::Count, &[], DataType::not_null(LogicalType::BigInt)),
            call(AggregateFunction::Sum, &[1], int.clone()),
            call(AggregateFunction::Max, &[1], int),
        ],
        retracts,
        kept: Vec::new(),
        bundle_rows_max: None,
        state_ttl: Duration::from_millis(ttl_ms),
    }
}

fn make(spec: &GroupAggregateSpec, update_before: bool, key_groups: Range<u16>) -> Box<dyn Operator> {
    let context = GroupContext {
        input: &schema(),
        output: &output(),
        update_before,
        key_groups,
        max_parallelism: MAX_PARALLELISM,
    };
    Box::new(GroupAggregate::new(spec, &context).unwrap())
}

/// Rows as `kind id n`, NULL as `-`.
fn step(now: Timestamp, rows: &[String]) -> Step {
    let rows: Vec<Vec<&str>> = rows.iter().map(|row| row.split(' ').collect()).collect();
    let ids: StringViewArray = rows.iter().map(|row| Some(row[1]).filter(|id| *id != "-")).collect();
    let numbers: Int32Array = rows.iter().map(|row| row[2].parse().ok()).collect();
    let columns: Vec<ArrayRef> = vec![Arc::new(ids), Arc::new(numbers)];
    let kind = |row: &Vec<&str>| KINDS.iter().find(|(short, _)| *short == row[0]).unwrap().1;
    let kinds = Some(rows.iter().map(kind).collect());
    let data = RecordBatch::try_new(schema().arrow(), columns).unwrap();
    Step { now, input: Input::Rows(Batch { data, kinds, fetched_us: 0 }) }
}

fn steps(batches: &[(Timestamp, &[&str])]) -> Vec<Step> {
    let owned = |rows: &[&str]| rows.iter().map(|row| (*row).to_owned()).collect::<Vec<_>>();
    batches.iter().map(|(now, rows)| step(*now, &owned(rows))).collect()
}

fn run(spec: &GroupAggregateSpec, update_before: bool, steps: &[Step]) -> Vec<String> {
    same_in_all_modes(&|groups| make(spec, update_before, groups), &schema(), &[0], steps).rows
}

#[test]
fn each_row_updates_its_group() {
    let steps = steps(&[(0, &["+I a 1", "+I b -", "+I a 2", "+I - 5"]), (1, &["+I b 7", "+I - -"])]);
    let expected = [
        "+I a, 1, 1, 1",
        "+I b, 1, NULL, NULL",
        "-U a, 1, 1, 1",
        "+U a, 2, 3, 2",
        "+I NULL, 1, 5, 5",
        "-U b, 1, NULL, NULL",
        "+U b, 2, 7, 7",
        "-U NULL, 1, 5, 5",
        "+U NULL, 2, 5, 5",
    ];
    assert_eq!(run(&spec(false, 0), true, &steps), expected);
    let upserts: Vec<&str> = expected.into_iter().filter(|row| !row.starts_with("-U")).collect();
    assert_eq!(run(&spec(false, 0), false, &steps), upserts);
}

#[test]
fn a_result_that_stays_is_given_again_only_where_groups_expire() {
    let mut greatest = spec(false, 0);
    greatest.aggregates.truncate(1);
    greatest.aggregates[0] = call(AggregateFunction::Max, &[1], DataType::nullable(LogicalType::Int));
    let rows = steps(&[(0, &["+I a 2", "+I a 1"]), (900, &["+I a 2"]), (1899, &["+I a 3"]), (2899, &["+I a 1"])]);
    let run = |spec: &GroupAggregateSpec| {
        let output = Schema::new(vec![output().fields[0].clone(), output().fields[3].clone()]);
        let make = |key_groups| -> Box<dyn Operator> {
            let context = GroupContext {
                input: &schema(),
                output: &output,
                update_before: true,
                key_groups,
                max_parallelism: MAX_PARALLELISM,
            };
            Box::new(GroupAggregate::new(spec, &context).unwrap())
        };
        same_in_all_modes(&make, &schema(), &[0], &rows).rows
    };
    assert_eq!(run(&greatest), ["+I a, 2", "-U a, 2", "+U a, 3"]);
    greatest.state_ttl = Duration::from_millis(1000);
    let again = ["+I a, 2", "-U a, 2", "+U a, 2", "-U a, 2", "+U a, 2", "-U a, 2", "+U a, 3", "+I a, 1"];
    assert_eq!(run(&greatest), again);
}

#[test]
fn a_group_goes_with_its_last_row_and_begins_anew() {
    let steps = steps(&[
        (0, &["+I a 1", "-D a 1", "-D a 1", "+I a 2", "+U a 3", "-U a 3", "-U a 2", "+I b 1"]),
        (1, &["+I a 4", "-D c 1", "-D b 1"]),
    ]);
    let expected = [
        "+I a, 1, 1, 1",
        "-D a, 1, 1, 1",
        "+I a, 1, 2, 2",
        "-U a, 1, 2, 2",
        "+U a, 2, 5, 3",
        "-U a, 2, 5, 3",
        "+U a, 1, 2, 2",
        "-D a, 1, 2, 2",
        "+I b, 1, 1, 1",
        "+I a, 1, 4, 4",
        "-D b, 1, 1, 1",
    ];
    let spec = spec(true, 0);
    assert_eq!(run(&spec, true, &steps), expected);
    let outcome = same_in_all_modes(&|groups| make(&spec, true, groups), &schema(), &[0], &steps);
    assert_eq!(
        (outcome.equation.passed, outcome.equation.late),
        (9, 2),
        "rows taken back from no group change nothing"
    );
}

#[test]
fn an_aggregate_that_keeps_is_not_changed_by_rows_taken_back() {
    let mut spec = spec(true, 0);
    spec.kept = vec![2];
    let steps = steps(&[(0, &["+I a 1", "+I a 2", "-U a 2", "+U a 5"])]);
    let expected = [
        "+I a, 1, 1, 1",
        "-U a, 1, 1, 1",
        "+U a, 2, 3, 2",
        "-U a, 2, 3, 2",
        "+U a, 1, 1, 2",
        "-U a, 1, 1, 2",
        "+U a, 2, 6, 5",
    ];
    assert_eq!(run(&spec, true, &steps), expected);
}

#[test]
fn in_mini_batches_a_group_gives_one_change_for_each() {
    let mut spec = spec(true, 0);
    spec.bundle_rows_max = Some(4);
    let rows = ["+I a 1", "+I b 1", "+I a 2", "-D b 1", "+I a 3", "+I a 4", "-D a 4", "-D a 3", "-D a 2", "-D a 1"];
    let mut operator = make(&spec, true, 0..MAX_PARALLELISM);
    let mut out = Collected::default();
    let Input::Rows(batch) = steps(&[(0, &rows)]).remove(0).input else { unreachable!("a step of rows") };
    operator.on_batch(batch, 0, &mut out).unwrap();
    assert_eq!(out.rows, ["+I a, 2, 3, 2", "-D a, 2, 3, 2"], "the second bundle changes nothing");
    assert!(operator.equation().holds());
}

#[test]
fn groups_that_expired_are_swept() {
    let mut operator = make(&spec(true, 1000), true, 0..MAX_PARALLELISM);
    let rows: Vec<String> = (0..2_000).map(|number| format!("+I k{number} {number}")).collect();
    let Input::Rows(batch) = step(0, &rows).input else { unreachable!("a step of rows") };
    operator.on_batch(batch, 0, &mut Collected::default()).unwrap();
    let full = operator.state_bytes().unwrap();
    (0..256).for_each(|_| operator.on_tick(999, &mut Collected::default()).unwrap());
    assert_eq!(operator.state_bytes().unwrap(), full);
    (0..256).for_each(|_| operator.on_tick(1000, &mut Collected::default()).unwrap());
    assert!(operator.state_bytes().unwrap() < full, "{} of {full} bytes", operator.state_bytes().unwrap());
    let mut out = Collected::default();
    let Input::Rows(batch) = step(0, &["+I k1 7".to_owned()]).input else { unreachable!("a step of rows") };
    operator.on_batch(batch, 1001, &mut out).unwrap();
    assert_eq!(out.rows, ["+I k1, 1, 7, 7"]);
}

/// What is expected, by going over all values of a group.
fn result(values: &[Option<i32>]) -> String {
    let shown = |number: Option<i32>| number.map_or_else(|| "NULL".to_owned(), |number| number.to_string());
    let known = values.iter().flatten();
    let total = known.clone().copied().reduce(i32::wrapping_add);
    format!("{}, {}, {}", values.len(), shown(total), shown(known.max().copied()))
}

#[test]
fn a_random_stream_is_as_the_model_says() {
    for seed in 0..6 {
        let mut rng = Rng::new(seed);
        let mut model: BTreeMap<String, Vec<Option<i32>>> = BTreeMap::new();
        let (mut steps, mut expected) = (Vec::new(), Vec::new());
        for now in 0..12 {
            let mut rows = Vec::new();
            for _ in 0..rng.next_u64() % 20 {
                let id = ["a", "b", "c", "-"][usize::try_from(rng.next_u64() % 4).unwrap()].to_owned();
                let shown = if id == "-" { "NULL" } else { &id };
                let values = model.entry(id.clone()).or_default();
                let before = (!values.is_empty()).then(|| result(values));
                let takes_back = !values.is_empty() && rng.next_u64().is_multiple_of(2);
                let value = if takes_back {
                    values.remove(usize::try_from(rng.next_u64()).unwrap() % values.len())
                } else {
                    let value = i32::try_from(rng.next_u64() % 5).ok().filter(|value| *value > 0);
                    values.push(value);
                    value
                };
                let number = value.map_or_else(|| "-".to_owned(), |value| value.to_string());
                rows.push(format!("{} {id} {number}", if takes_back { "-D" } else { "+I" }));
                let after = (!values.is_empty()).then(|| result(values));
                match (before, after) {
                    (None, Some(after)) => expected.push(format!("+I {shown}, {after}")),
                    (Some(before), None) => expected.push(format!("-D {shown}, {before}")),
                    (Some(before), Some(after)) => {
                        expected.push(format!("-U {shown}, {before}"));
                        expected.push(format!("+U {shown}, {after}"));
                    }
                    (None, None) => unreachable!("a row was added or taken back"),
                }
            }
            if !rows.is_empty() {
                steps.push(step(now, &rows));
            }
        }
        assert_eq!(run(&spec(true, 0), true, &steps), expected, "seed {seed}");
    }
}
