//! Last rows: updates, time to live, late rows, restoring, rescaling.

use std::sync::Arc;
use std::time::Duration;

use arrow_array::{ArrayRef, RecordBatch, StringViewArray, TimestampMillisecondArray};
use weir_base::Rng;
use weir_plan::{DataType, Field, Keep, LogicalType, Schema};

use super::super::deduplicate;
use super::*;
use crate::operators::test_harness::{Between, Collected, Harness, MAX_PARALLELISM, Step, same_in_all_modes};

const ROWTIME: Order = Order::RowTime(1);

fn schema() -> Schema {
    Schema::new(vec![
        Field::new("id", DataType::string()),
        Field::new("time", DataType::nullable(LogicalType::Timestamp(3))),
        Field::new("text", DataType::string()),
    ])
}

fn rows(rows: &[(&str, i64, &str)]) -> RecordBatch {
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringViewArray::from_iter_values(rows.iter().map(|row| row.0))),
        Arc::new(TimestampMillisecondArray::from_iter_values(rows.iter().map(|row| row.1))),
        Arc::new(StringViewArray::from_iter_values(rows.iter().map(|row| row.2))),
    ];
    RecordBatch::try_new(schema().arrow(), columns).unwrap()
}

fn make(order: Order, ttl_ms: u64, update_before: bool, key_groups: std::ops::Range<u16>) -> Box<dyn Operator> {
    let schema = schema();
    let context = DeduplicateContext {
        input: &schema,
        state_ttl: Duration::from_millis(ttl_ms),
        key_groups,
        max_parallelism: MAX_PARALLELISM,
        exact: false,
        update_before,
    };
    deduplicate(&[0], order, Keep::Last, &context).unwrap()
}

/// Kind, id and text of each row given.
fn run(order: Order, ttl_ms: u64, update_before: bool, steps: &[Step]) -> Vec<String> {
    let outcome = same_in_all_modes(&|groups| make(order, ttl_ms, update_before, groups), &schema(), &[0], steps);
    let short = |row: &String| {
        let parts: Vec<&str> = row.split(", ").collect();
        format!("{} {}", parts[0], parts[2])
    };
    outcome.rows.iter().map(short).collect()
}

#[test]
fn by_processing_time_every_other_row_is_an_update() {
    let steps = [
        Step::rows(0, rows(&[("a", 9, "1"), ("b", 9, "1"), ("a", 9, "2"), ("a", 9, "2")])),
        Step::rows(1, rows(&[("b", 1, "2"), ("a", 9, "2"), ("c", 1, "1")])),
    ];
    let updates = ["+I a 1", "+I b 1", "-U a 1", "+U a 2", "-U b 1", "+U b 2", "+I c 1"];
    assert_eq!(run(Order::ProcTime, 0, true, &steps), updates);
    let upserts = ["+I a 1", "+I b 1", "+U a 2", "+U b 2", "+I c 1"];
    assert_eq!(run(Order::ProcTime, 0, false, &steps), upserts);
}

#[test]
fn where_keys_expire_an_equal_row_is_given_again_and_keeps_its_key_alive() {
    let at = |now, text| Step::rows(now, rows(&[("a", 0, text)]));
    let steps = [at(0, "1"), at(900, "1"), at(1800, "2"), at(2800, "2"), at(3799, "3")];
    let expected = ["+I a 1", "-U a 1", "+U a 1", "-U a 1", "+U a 2", "+I a 2", "-U a 2", "+U a 3"];
    assert_eq!(run(Order::ProcTime, 1000, true, &steps), expected);
}

#[test]
fn by_event_time_an_older_row_is_left_out_and_one_as_old_is_taken() {
    let steps = [
        Step::rows(0, rows(&[("a", 10, "1"), ("a", 9, "old"), ("a", 10, "2"), ("b", 5, "1")])),
        Step::rows(1, rows(&[("a", 10, "2"), ("b", 4, "old"), ("b", 6, "2")])),
    ];
    let expected = ["+I a 1", "-U a 1", "+U a 2", "+I b 1", "-U a 2", "+U a 2", "-U b 1", "+U b 2"];
    assert_eq!(run(ROWTIME, 0, true, &steps), expected);
}

#[test]
fn by_event_time_only_rows_that_are_taken_keep_a_key_alive() {
    let at = |now, time, text| Step::rows(now, rows(&[("a", time, text)]));
    let steps = [at(0, 10, "1"), at(900, 9, "old"), at(1000, 8, "2"), at(1999, 8, "3")];
    assert_eq!(run(ROWTIME, 1000, true, &steps), ["+I a 1", "+I a 2", "-U a 2", "+U a 3"]);
}

#[test]
fn a_random_stream_gives_the_same_rows_in_all_modes() {
    for (seed, order, ttl_ms) in
        [(1, Order::ProcTime, 0), (2, ROWTIME, 0), (3, Order::ProcTime, 300), (4, ROWTIME, 300)]
    {
        let mut rng = Rng::new(seed);
        let mut now = 1_000;
        let mut step = |_| {
            now += i64::try_from(rng.next_u64() % 100).unwrap();
            let values: Vec<(String, i64, String)> = (0..rng.next_u64() % 20)
                .map(|_| {
                    let time = i64::try_from(rng.next_u64() % 50).unwrap() + now;
                    (format!("id-{}", rng.next_u64() % 20), time, format!("{}", rng.next_u64() % 3))
                })
                .collect();
            let values: Vec<_> = values.iter().map(|(id, time, text)| (id.as_str(), *time, text.as_str())).collect();
            [Step::rows(now, rows(&values)), Step::tick(now)]
        };
        let steps: Vec<Step> = (0..40).flat_map(&mut step).collect();
        assert!(run(order, ttl_ms, true, &steps).iter().any(|row| row.starts_with("-U")));
    }
}

#[test]
fn a_checkpoint_writes_each_changed_key_once() {
    let steps = [
        Step::rows(0, rows(&[("a", 1, "1"), ("b", 1, "1"), ("a", 2, "2")])),
        Step::rows(0, rows(&[("a", 3, "3")])),
        Step::rows(0, rows(&[("a", 3, "3")])),
    ];
    let harness = Harness {
        make: &|groups| make(Order::ProcTime, 0, true, groups),
        schema: &schema(),
        keys: &[0],
        between: &|_| Between::Checkpoint,
    };
    // Before anything, then a and b, then a; an equal row changes nothing.
    assert_eq!(harness.run(&steps).unwrap().written, [0, 2, 1, 0]);
}

#[test]
fn a_rowtime_that_is_null_fails_the_job_in_flinks_words() {
    let mut columns = rows(&[("a", 1, "1")]).columns().to_vec();
    columns[1] = Arc::new(TimestampMillisecondArray::from(vec![None::<i64>]));
    let batch = Batch::inserts(RecordBatch::try_new(schema().arrow(), columns).unwrap(), 0);
    for keep in [Keep::First, Keep::Last] {
        let schema = schema();
        let context = DeduplicateContext {
            input: &schema,
            state_ttl: Duration::ZERO,
            key_groups: 0..MAX_PARALLELISM,
            max_parallelism: MAX_PARALLELISM,
            exact: false,
            update_before: true,
        };
        let mut operator = deduplicate(&[0], ROWTIME, keep, &context).unwrap();
        let error = operator.on_batch(batch.clone(), 0, &mut Collected::default()).unwrap_err();
        assert_eq!(error.to_string(), "RowTime field should not be null, please convert it to a non-null long value.");
    }
}

#[test]
fn a_row_of_another_schema_is_not_misread() {
    let other = Schema::new(vec![
        Field::new("id", DataType::string()),
        Field::new("time", DataType::nullable(LogicalType::BigInt)),
        Field::new("text", DataType::string()),
    ]);
    let (written, read) = (RowCodec::new(&other).unwrap(), RowCodec::new(&schema()).unwrap());
    let batch = rows(&[("a", 1, "1")]);
    let mut columns = batch.columns().to_vec();
    columns[1] = Arc::new(arrow_array::Int64Array::from(vec![1]));
    let stored = written.store(written.encode(&columns).unwrap().row(0), 1);
    assert_eq!(
        read.check(&stored).unwrap_err().to_string(),
        "restore a row: the state was written with other columns than \
         (id Utf8View, time Timestamp(ms), text Utf8View); start with --fresh, or with the SQL that wrote it"
    );
    assert_eq!(read.check(&[1]).unwrap_err().to_string(), "read a row from state: it has 1 bytes");
    assert_eq!(written.check(&stored).unwrap(), 1);
}
