//! Rows by time: ties, late rows, restoring.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, TimestampMillisecondArray};
use weir_plan::{DataType, Field, LogicalType};

use super::*;
use crate::operators::test_harness::{MAX_PARALLELISM, Step, same_in_all_modes};

fn schema() -> Schema {
    Schema::new(vec![
        Field::new("time", DataType::nullable(LogicalType::Timestamp(3))),
        Field::new("value", DataType::nullable(LogicalType::BigInt)),
    ])
}

fn rows(rows: &[(i64, i64)]) -> Step {
    let columns: Vec<ArrayRef> = vec![
        Arc::new(TimestampMillisecondArray::from_iter_values(rows.iter().map(|row| row.0))),
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.1))),
    ];
    Step::rows(0, RecordBatch::try_new(schema().arrow(), columns).unwrap())
}

fn run(order: &[SortKey], steps: &[Step]) -> Vec<String> {
    let make = |groups| -> Box<dyn Operator> {
        Box::new(TemporalSort::new(0, order, &schema(), groups, MAX_PARALLELISM).unwrap())
    };
    let rows = same_in_all_modes(&make, &schema(), &[], steps).rows;
    rows.iter().map(|row| row.rsplit(", ").next().unwrap().to_owned()).collect()
}

#[test]
fn rows_come_in_the_order_of_time_and_equal_ones_as_they_came() {
    let steps = [
        rows(&[(10, 1), (8, 2), (10, 3), (12, 4)]),
        Step::watermark(0, 10),
        rows(&[(10, 5), (11, 6), (9, 7)]),
        Step::watermark(0, 20),
    ];
    assert_eq!(run(&[], &steps), ["2", "1", "3", "6", "4"]);
    let descending = [SortKey { column: 1, descending: true, nulls_last: true }];
    assert_eq!(run(&descending, &steps), ["2", "3", "1", "6", "4"]);
}
