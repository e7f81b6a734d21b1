//! Rows with their windows' columns.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int32Array, TimestampMillisecondArray};
use weir_plan::{DataType, Field, LogicalType, WindowKind};

use super::*;
use crate::operators::test_harness::Collected;

fn schemas(time: LogicalType) -> (Schema, Schema) {
    let input = vec![
        Field::new("number", DataType::nullable(LogicalType::Int)),
        Field::new("time", DataType::nullable(time.clone())),
    ];
    let mut output = input.clone();
    output.extend(
        ["window_start", "window_end"].map(|name| Field::new(name, DataType::not_null(LogicalType::Timestamp(3)))),
    );
    output.push(Field::new("window_time", DataType::not_null(time)));
    (Schema::new(input), Schema::new(output))
}

fn run(
    kind: WindowKind,
    time: LogicalType,
    domain: TimeDomain,
    zone: &str,
    times: Vec<Option<i64>>,
    now: i64,
) -> (Vec<String>, Equation) {
    let (input, output) = schemas(time.clone());
    let numbers: ArrayRef = Arc::new(Int32Array::from_iter_values((0..).take(times.len())));
    let times = TimestampMillisecondArray::from(times).with_data_type(input.fields[1].data_type.arrow());
    let data = RecordBatch::try_new(input.arrow(), vec![numbers, Arc::new(times)]).unwrap();
    let local_time = matches!(time, LogicalType::TimestampLtz(_));
    let spec = WindowSpec { kind, offset_ms: 0, local_time };
    let mut operator = WindowAssign::new(&spec, domain, &output, zone).unwrap();
    let mut collected = Collected::default();
    operator.on_batch(Batch::inserts(data, 0), now, &mut collected).unwrap();
    (collected.rows, operator.equation())
}

const TUMBLE: WindowKind = WindowKind::Tumble { size_ms: 10_000 };

#[test]
fn each_row_gets_its_window_and_one_without_a_time_is_left_out() {
    let times = vec![Some(9_999), None, Some(10_000)];
    let (rows, equation) = run(TUMBLE, LogicalType::Timestamp(3), TimeDomain::Event(1), "Asia/Shanghai", times, 0);
    let expected = [
        "+I 0, 1970-01-01T00:00:09.999, 1970-01-01T00:00:00, 1970-01-01T00:00:10, 1970-01-01T00:00:09.999",
        "+I 2, 1970-01-01T00:00:10, 1970-01-01T00:00:10, 1970-01-01T00:00:20, 1970-01-01T00:00:19.999",
    ];
    assert_eq!(rows, expected);
    assert_eq!(equation, Equation { rows_in: 3, passed: 2, filtered: 1, ..Equation::default() });
}

#[test]
fn a_row_is_given_once_for_each_of_its_windows_and_not_at_all_where_it_has_none() {
    let hop = |slide_ms, size_ms| WindowKind::Hop { slide_ms, size_ms };
    let given = |kind, times| run(kind, LogicalType::Timestamp(3), TimeDomain::Event(1), "UTC", times, 0);
    let (rows, equation) = given(hop(5_000, 10_000), vec![Some(7_000), Some(12_000)]);
    assert_eq!(rows.len(), 4);
    assert!(rows[0].contains("1970-01-01T00:00:05, 1970-01-01T00:00:15"), "{}", rows[0]);
    assert!(rows[1].contains("1970-01-01T00:00:00, 1970-01-01T00:00:10"), "{}", rows[1]);
    assert_eq!(equation, Equation { rows_in: 2, passed: 2, ..Equation::default() });
    let (rows, equation) = given(hop(10_000, 4_000), vec![Some(3_000), Some(4_000), Some(10_000)]);
    assert_eq!(rows.len(), 2);
    assert_eq!(equation, Equation { rows_in: 3, passed: 2, filtered: 1, ..Equation::default() });
}

#[test]
fn windows_over_instants_are_local_times_and_processing_time_is_one_of_them() {
    let local = LogicalType::TimestampLtz(3);
    let expected = "1970-01-01T08:00:00, 1970-01-01T08:00:10, 1970-01-01T00:00:09.999";
    let (rows, _) = run(TUMBLE, local.clone(), TimeDomain::Event(1), "Asia/Shanghai", vec![Some(0)], 0);
    assert_eq!(rows, [format!("+I 0, 1970-01-01T00:00:00, {expected}")]);
    let (rows, _) = run(TUMBLE, local, TimeDomain::Processing, "Asia/Shanghai", vec![None], 3);
    assert_eq!(rows, [format!("+I 0, NULL, {expected}")]);
}
