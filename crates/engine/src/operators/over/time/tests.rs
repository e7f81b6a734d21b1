//! OVER by time: frames, late rows, time to live, restoring and rescaling.

use std::sync::Arc;
use std::time::Duration;

use arrow_array::{ArrayRef, Int64Array, StringViewArray, TimestampMillisecondArray};
use weir_plan::{AggregateCall, AggregateFunction, DataType, Field, LogicalType, OverFunction, OverOrder, Schema};

use super::super::over;
use super::*;
use crate::operators::test_harness::{MAX_PARALLELISM, Step, same_in_all_modes};

fn schema(results: usize) -> Schema {
    let mut fields = vec![
        Field::new("key", DataType::string()),
        Field::new("time", DataType::nullable(LogicalType::Timestamp(3))),
        Field::new("value", DataType::nullable(LogicalType::BigInt)),
    ];
    fields.extend((0..results).map(|index| Field::new(format!("r{index}"), DataType::nullable(LogicalType::BigInt))));
    Schema::new(fields)
}

fn rows(now: Timestamp, rows: &[(&str, i64, Option<i64>)]) -> Step {
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringViewArray::from_iter_values(rows.iter().map(|row| row.0))),
        Arc::new(TimestampMillisecondArray::from_iter_values(rows.iter().map(|row| row.1))),
        Arc::new(Int64Array::from_iter(rows.iter().map(|row| row.2))),
    ];
    Step::rows(now, RecordBatch::try_new(schema(0).arrow(), columns).unwrap())
}

fn call(function: AggregateFunction, distinct: bool) -> OverFunction {
    let bigint = DataType::nullable(LogicalType::BigInt);
    OverFunction::Aggregate(AggregateCall {
        function,
        arguments: vec![2],
        argument_types: vec![bigint.clone()],
        distinct,
        filter: None,
        separator: None,
        data_type: bigint,
    })
}

fn sum() -> Vec<OverFunction> {
    vec![call(AggregateFunction::Sum, false)]
}

/// Key, value and results of each row given.
fn run(domain: TimeDomain, frame: OverFrame, functions: Vec<OverFunction>, ttl_ms: u64, steps: &[Step]) -> Vec<String> {
    let spec = OverSpec {
        keys: vec![0],
        order: OverOrder::Time(domain),
        frame,
        functions,
        state_ttl: Duration::from_millis(ttl_ms),
    };
    let (input, output) = (schema(0), schema(spec.functions.len()));
    let make = |key_groups| {
        let context = OverContext { input: &input, output: &output, key_groups, max_parallelism: MAX_PARALLELISM };
        over(&spec, &context).unwrap()
    };
    let short = |row: &String| {
        let parts: Vec<&str> = row.trim_start_matches("+I ").split(", ").collect();
        format!("{} {}", parts[0], parts[2..].join(" "))
    };
    same_in_all_modes(&make, &input, &[0], steps).rows.iter().map(short).collect()
}

const EVENT: TimeDomain = TimeDomain::Event(1);

fn some_rows() -> [Step; 4] {
    [
        rows(0, &[("a", 10, Some(1)), ("a", 8, Some(2)), ("b", 9, None), ("a", 10, Some(4))]),
        Step::watermark(0, 10),
        rows(1, &[("a", 9, Some(100)), ("a", 12, Some(8)), ("a", 11, Some(16)), ("b", 20, Some(32))]),
        Step::watermark(1, 30),
    ]
}

#[test]
fn without_a_bound_equal_times_are_taken_together_with_range_and_one_by_one_with_rows() {
    let range = ["a 2 2", "b NULL NULL", "a 1 7", "a 4 7", "a 16 23", "a 8 31", "b 32 32"];
    assert_eq!(run(EVENT, OverFrame::Range(None), sum(), 0, &some_rows()), range);
    let rows = ["a 2 2", "b NULL NULL", "a 1 3", "a 4 7", "a 16 23", "a 8 31", "b 32 32"];
    assert_eq!(run(EVENT, OverFrame::Rows(None), sum(), 0, &some_rows()), rows);
}

#[test]
fn rows_leave_a_bounded_frame() {
    let rows = ["a 2 2", "b NULL NULL", "a 1 3", "a 4 5", "a 16 20", "a 8 24", "b 32 32"];
    assert_eq!(run(EVENT, OverFrame::Rows(Some(1)), sum(), 0, &some_rows()), rows);
    let range = ["a 2 2", "b NULL NULL", "a 1 7", "a 4 7", "a 16 21", "a 8 29", "b 32 32"];
    assert_eq!(run(EVENT, OverFrame::Range(Some(2)), sum(), 0, &some_rows()), range);
}

#[test]
fn with_a_bound_a_row_is_late_only_behind_the_last_of_its_partition() {
    let steps = [
        rows(0, &[("a", 10, Some(1)), ("b", 50, Some(1))]),
        Step::watermark(0, 40),
        rows(0, &[("a", 10, Some(2)), ("a", 11, Some(4)), ("c", 3, Some(8)), ("c", -3, Some(16))]),
        Step::watermark(0, 41),
        Step::watermark(0, 60),
    ];
    let given = ["a 1 1", "c 8 8", "a 4 5", "b 1 1"];
    assert_eq!(run(EVENT, OverFrame::Rows(Some(9)), sum(), 0, &steps), given);
    let only_in_time = ["a 1 1", "b 1 1"];
    assert_eq!(run(EVENT, OverFrame::Rows(None), sum(), 0, &steps), only_in_time);
}

#[test]
fn by_processing_time_rows_are_given_at_once() {
    let steps = [rows(0, &[("a", 0, Some(1)), ("b", 0, Some(2)), ("a", 0, Some(4))]), rows(5, &[("a", 0, Some(8))])];
    let all = ["a 1 1", "b 2 2", "a 4 5", "a 8 13"];
    assert_eq!(run(TimeDomain::Processing, OverFrame::Range(None), sum(), 0, &steps), all);
    let two = ["a 1 1", "b 2 2", "a 4 5", "a 8 12"];
    assert_eq!(run(TimeDomain::Processing, OverFrame::Rows(Some(1)), sum(), 0, &steps), two);
}

#[test]
fn by_processing_time_rows_of_an_interval_are_given_when_their_millisecond_is_over() {
    let steps = [
        rows(10, &[("a", 0, Some(1)), ("a", 0, Some(2))]),
        Step::tick(11),
        rows(13, &[("a", 0, Some(4))]),
        Step::tick(14),
        rows(16, &[("a", 0, Some(8))]),
        Step::tick(20),
    ];
    let given = ["a 1 3", "a 2 3", "a 4 7", "a 8 12"];
    assert_eq!(run(TimeDomain::Processing, OverFrame::Range(Some(3)), sum(), 0, &steps), given);
}

#[test]
fn distinct_and_extremes_follow_the_frame() {
    let functions = vec![
        call(AggregateFunction::Count, true),
        call(AggregateFunction::Min, false),
        call(AggregateFunction::Max, false),
    ];
    let steps = [
        rows(0, &[("a", 1, Some(5)), ("a", 2, Some(5)), ("a", 3, Some(7)), ("a", 4, Some(1)), ("a", 5, None)]),
        Step::watermark(0, 3),
        Step::watermark(0, 9),
    ];
    let bounded = ["a 5 1 5 5", "a 5 1 5 5", "a 7 2 5 7", "a 1 2 1 7", "a NULL 1 1 1"];
    assert_eq!(run(EVENT, OverFrame::Rows(Some(1)), functions.clone(), 0, &steps), bounded);
    let unbounded = ["a 5 1 5 5", "a 5 1 5 5", "a 7 2 5 7", "a 1 3 1 7", "a NULL 3 1 7"];
    assert_eq!(run(EVENT, OverFrame::Range(None), functions, 0, &steps), unbounded);
}

#[test]
fn lag_looks_back_by_rows() {
    let lag = |offset, default| OverFunction::Lag {
        argument: 2,
        offset,
        default,
        data_type: DataType::nullable(LogicalType::BigInt),
    };
    let functions = vec![lag(1, None), lag(2, Some(2)), lag(0, None)];
    let steps = [
        rows(0, &[("a", 1, Some(1)), ("b", 1, Some(9)), ("a", 2, None), ("a", 3, Some(3))]),
        Step::watermark(0, 2),
        Step::watermark(0, 9),
    ];
    let given = ["a 1 NULL 1 1", "b 9 NULL 9 9", "a NULL 1 NULL NULL", "a 3 NULL 1 3"];
    assert_eq!(run(EVENT, OverFrame::Range(None), functions, 0, &steps), given);
}

#[test]
fn a_partition_without_rows_is_forgotten_between_its_time_to_live_and_half_of_it_later() {
    let at = |now, value| rows(now, &[("a", 0, Some(value))]);
    let steps = [at(0, 1), at(400, 2), Step::tick(1400), at(1499, 4), at(4000, 8)];
    let given = ["a 1 1", "a 2 3", "a 4 7", "a 8 8"];
    assert_eq!(run(TimeDomain::Processing, OverFrame::Range(None), sum(), 1000, &steps), given);
}
