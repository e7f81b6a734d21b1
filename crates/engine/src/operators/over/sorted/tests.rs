//! OVER by a column: what a row between others changes, and what a row that goes does.

use std::sync::Arc;
use std::time::Duration;

use arrow_array::{ArrayRef, Int64Array};
use weir_plan::{AggregateCall, AggregateFunction, DataType, Field, LogicalType, OverFunction, OverOrder};

use super::super::over;
use super::*;
use crate::operators::test_harness::{MAX_PARALLELISM, Step, same_in_all_modes};

use RowKind::{Delete as D, Insert as I, UpdateAfter as UA, UpdateBefore as UB};

fn schema(results: usize) -> Schema {
    let bigint = || DataType::nullable(LogicalType::BigInt);
    let mut fields = vec![Field::new("key", bigint()), Field::new("order", bigint()), Field::new("value", bigint())];
    fields.extend((0..results).map(|index| Field::new(format!("r{index}"), bigint())));
    Schema::new(fields)
}

fn changes(now: Timestamp, changes: &[(RowKind, i64, i64, i64)]) -> Step {
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values(changes.iter().map(|change| change.1))),
        Arc::new(Int64Array::from_iter_values(changes.iter().map(|change| change.2))),
        Arc::new(Int64Array::from_iter_values(changes.iter().map(|change| change.3))),
    ];
    let data = RecordBatch::try_new(schema(0).arrow(), columns).unwrap();
    Step::changes(now, data, changes.iter().map(|change| change.0).collect())
}

fn run(frame: OverFrame, function: AggregateFunction, distinct: bool, ttl_ms: u64, steps: &[Step]) -> Vec<String> {
    let bigint = DataType::nullable(LogicalType::BigInt);
    let call = AggregateCall {
        function,
        arguments: vec![2],
        argument_types: vec![bigint.clone()],
        distinct,
        filter: None,
        separator: None,
        data_type: bigint,
    };
    let spec = OverSpec {
        keys: vec![0],
        order: OverOrder::Column(SortKey { column: 1, descending: false, nulls_last: false }),
        frame,
        functions: vec![OverFunction::Aggregate(call)],
        state_ttl: Duration::from_millis(ttl_ms),
    };
    let (input, output) = (schema(0), schema(1));
    let make = |key_groups| {
        let context = OverContext { input: &input, output: &output, key_groups, max_parallelism: MAX_PARALLELISM };
        over(&spec, &context).unwrap()
    };
    same_in_all_modes(&make, &input, &[0], steps).rows
}

#[test]
fn a_row_between_others_updates_those_behind_it() {
    let steps = [changes(0, &[(I, 1, 10, 1), (I, 1, 30, 2), (I, 1, 20, 4), (I, 2, 5, 9), (I, 1, 20, 8)])];
    let range = [
        "+I 1, 10, 1, 1",
        "+I 1, 30, 2, 3",
        "+I 1, 20, 4, 5",
        "-U 1, 30, 2, 3",
        "+U 1, 30, 2, 7",
        "+I 2, 5, 9, 9",
        "-U 1, 20, 4, 5",
        "+U 1, 20, 4, 13",
        "+I 1, 20, 8, 13",
        "-U 1, 30, 2, 7",
        "+U 1, 30, 2, 15",
    ];
    assert_eq!(run(OverFrame::Range(None), AggregateFunction::Sum, false, 0, &steps), range);
    let rows: Vec<&str> = range.into_iter().filter(|row| !row.contains("20, 4, 5") || row.starts_with("+I")).collect();
    let rows: Vec<&str> = rows.into_iter().filter(|row| *row != "+U 1, 20, 4, 13").collect();
    assert_eq!(run(OverFrame::Rows(None), AggregateFunction::Sum, false, 0, &steps), rows);
}

#[test]
fn a_row_that_goes_updates_those_behind_it() {
    let steps = [
        changes(0, &[(I, 1, 10, 1), (I, 1, 20, 2), (I, 1, 20, 4), (I, 1, 30, 8)]),
        changes(1, &[(UB, 1, 20, 2), (UA, 1, 40, 2), (D, 1, 10, 1), (D, 1, 77, 7)]),
    ];
    let given = run(OverFrame::Range(None), AggregateFunction::Sum, false, 0, &steps);
    let gone = [
        "-D 1, 20, 2, 7",
        "-U 1, 20, 4, 7",
        "+U 1, 20, 4, 5",
        "-U 1, 30, 8, 15",
        "+U 1, 30, 8, 13",
        "+U 1, 40, 2, 15",
        "-D 1, 10, 1, 1",
        "-U 1, 20, 4, 5",
        "+U 1, 20, 4, 4",
        "-U 1, 30, 8, 13",
        "+U 1, 30, 8, 12",
        "-U 1, 40, 2, 15",
        "+U 1, 40, 2, 14",
    ];
    assert_eq!(given[given.len() - gone.len()..], gone);
}

#[test]
fn nothing_is_given_where_the_functions_stay_as_they_were() {
    let steps = [changes(0, &[(I, 1, 10, 5), (I, 1, 30, 5), (I, 1, 20, 9), (I, 1, 15, 7)])];
    let least = ["+I 1, 10, 5, 5", "+I 1, 30, 5, 5", "+I 1, 20, 9, 5", "+I 1, 15, 7, 5"];
    assert_eq!(run(OverFrame::Range(None), AggregateFunction::Min, false, 0, &steps), least);
    let distinct = [
        "+I 1, 10, 5, 1",
        "+I 1, 30, 5, 1",
        "+I 1, 20, 9, 2",
        "-U 1, 30, 5, 1",
        "+U 1, 30, 5, 2",
        "+I 1, 15, 7, 2",
        "-U 1, 20, 9, 2",
        "+U 1, 20, 9, 3",
        "-U 1, 30, 5, 2",
        "+U 1, 30, 5, 3",
    ];
    assert_eq!(run(OverFrame::Range(None), AggregateFunction::Count, true, 0, &steps), distinct);
}

#[test]
fn rows_expire() {
    let steps = [
        changes(0, &[(I, 1, 10, 1)]),
        changes(900, &[(I, 1, 20, 2)]),
        changes(1000, &[(I, 1, 30, 4)]),
        Step::tick(2500),
        changes(3000, &[(I, 1, 40, 8)]),
    ];
    let given = ["+I 1, 10, 1, 1", "+I 1, 20, 2, 3", "+I 1, 30, 4, 7", "+I 1, 40, 8, 8"];
    assert_eq!(run(OverFrame::Range(None), AggregateFunction::Sum, false, 1000, &steps), given);
}
