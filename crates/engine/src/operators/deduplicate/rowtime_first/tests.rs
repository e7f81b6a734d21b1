//! First rows in event time: waiting for the watermark, late rows, order, restoring, rescaling.

use std::sync::Arc;
use std::time::Duration;

use arrow_array::{ArrayRef, Int64Array, StringViewArray, TimestampMillisecondArray};
use weir_base::Rng;
use weir_plan::{DataType, Field, Keep, LogicalType, Order, Schema};

use super::super::deduplicate;
use super::*;
use crate::operators::test_harness::{Between, Harness, MAX_PARALLELISM, Outcome, Step, same_in_all_modes};

fn schema() -> Schema {
    Schema::new(vec![
        Field::new("id", DataType::string()),
        Field::new("time", DataType::nullable(LogicalType::TimestampLtz(3))),
        Field::new("number", DataType::nullable(LogicalType::BigInt)),
    ])
}

fn rows(rows: &[(&str, i64, i64)]) -> RecordBatch {
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringViewArray::from_iter_values(rows.iter().map(|row| row.0))),
        Arc::new(TimestampMillisecondArray::from_iter_values(rows.iter().map(|row| row.1)).with_timezone("UTC")),
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.2))),
    ];
    RecordBatch::try_new(schema().arrow(), columns).unwrap()
}

fn make(ttl_ms: u64, key_groups: std::ops::Range<u16>) -> Box<dyn Operator> {
    let schema = schema();
    let context = DeduplicateContext {
        input: &schema,
        state_ttl: Duration::from_millis(ttl_ms),
        key_groups,
        max_parallelism: MAX_PARALLELISM,
        exact: false,
        update_before: true,
    };
    deduplicate(&[0], Order::RowTime(1), Keep::First, &context).unwrap()
}

fn run(ttl_ms: u64, steps: &[Step]) -> (Vec<String>, Outcome) {
    let outcome = same_in_all_modes(&|groups| make(ttl_ms, groups), &schema(), &[0], steps);
    let short = |row: &String| {
        let parts: Vec<&str> = row.split(", ").collect();
        format!("{} {}", parts[0], parts[2])
    };
    (outcome.rows.iter().map(short).collect(), outcome)
}

#[test]
fn the_earliest_row_of_a_key_is_given_when_the_watermark_reaches_it() {
    let steps = [
        Step::rows(0, rows(&[("a", 100, 1), ("a", 90, 2), ("a", 90, 3), ("b", 80, 4), ("a", 95, 5)])),
        Step::watermark(0, 79),
        Step::rows(0, rows(&[("c", 79, 6), ("c", 78, 7)])), // at the watermark is in time, below it is late
        Step::watermark(0, 80),
        Step::rows(0, rows(&[("b", 80, 8), ("a", 85, 9)])), // b was given
        Step::watermark(0, 200),
        Step::rows(0, rows(&[("a", 300, 10), ("d", 300, 11)])),
        Step::watermark(0, Timestamp::MAX),
    ];
    let (rows, outcome) = run(0, &steps);
    assert_eq!(rows, ["+I c 6", "+I b 4", "+I a 9", "+I d 11"]);
    let expected = Equation { rows_in: 11, passed: 4, deduplicated: 6, late: 1, ..Equation::default() };
    assert_eq!(outcome.equation, expected);
}

#[test]
fn a_watermark_that_goes_back_or_stands_still_gives_nothing() {
    let steps = [
        Step::watermark(0, 100),
        Step::rows(0, rows(&[("a", 100, 1)])),
        Step::watermark(0, 100),
        Step::watermark(0, 50),
        Step::rows(0, rows(&[("b", 99, 2)])),
    ];
    let (rows, outcome) = run(0, &steps);
    assert_eq!(rows, [""; 0]);
    assert_eq!(outcome.equation, Equation { rows_in: 2, held: 1, late: 1, ..Equation::default() });
}

#[test]
fn a_given_key_is_forgotten_after_its_time_to_live_but_a_waiting_row_never() {
    let steps = [
        Step::rows(0, rows(&[("a", 100, 1)])),
        Step::tick(5_000),
        Step::watermark(5_000, 100),
        Step::rows(5_999, rows(&[("a", 200, 2)])),
        Step::rows(6_000, rows(&[("a", 300, 3)])),
        Step::watermark(6_000, 400),
    ];
    assert_eq!(run(1_000, &steps).0, ["+I a 1", "+I a 3"]);
}

#[test]
fn a_random_stream_gives_the_same_rows_in_all_modes() {
    for (seed, ttl_ms) in [(1, 0), (2, 200)] {
        let mut rng = Rng::new(seed);
        let mut now = 1_000;
        let step = |_| {
            now += i64::try_from(rng.next_u64() % 50).unwrap();
            let values: Vec<(String, i64, i64)> = (0..rng.next_u64() % 20)
                .map(|number| {
                    let time = now - 30 + i64::try_from(rng.next_u64() % 60).unwrap();
                    (format!("id-{}", rng.next_u64() % 150), time, i64::try_from(number).unwrap())
                })
                .collect();
            let values: Vec<_> = values.iter().map(|(id, time, number)| (id.as_str(), *time, *number)).collect();
            [Step::rows(now, rows(&values)), Step::watermark(now, now - 20), Step::tick(now)]
        };
        let steps: Vec<Step> = (0..60).flat_map(step).collect();
        let (rows, outcome) = run(ttl_ms, &steps);
        let Equation { late, deduplicated, .. } = outcome.equation;
        assert!(late > 0 && deduplicated > 0 && rows.len() > 50, "{:?}", outcome.equation);
    }
}

#[test]
fn batches_given_are_bounded() {
    let ids: Vec<String> = (0..20_000).map(|number| format!("id-{number}")).collect();
    let values: Vec<_> = ids.iter().map(|id| (id.as_str(), 5, 0)).collect();
    let steps = [Step::rows(0, rows(&values)), Step::watermark(0, 10)];
    let harness =
        Harness { make: &|groups| make(0, groups), schema: &schema(), keys: &[0], between: &|_| Between::Nothing };
    assert_eq!(harness.run(&steps).unwrap().batch_rows, [8_192, 8_192, 3_616]);
}

#[test]
fn what_was_given_leaves_the_state_of_waiting_rows() {
    let steps = [
        Step::rows(0, rows(&[("a", 1, 1), ("b", 50, 1)])),
        Step::watermark(0, 10),
        Step::rows(0, rows(&[("c", 20, 1)])),
        Step::watermark(0, 30),
    ];
    let harness =
        Harness { make: &|groups| make(0, groups), schema: &schema(), keys: &[0], between: &|_| Between::Checkpoint };
    let outcome = harness.run(&steps).unwrap();
    // b waits; a and c were given; and a watermark for each key group.
    assert_eq!(outcome.chain.live(0), 3 + usize::from(MAX_PARALLELISM));
}
