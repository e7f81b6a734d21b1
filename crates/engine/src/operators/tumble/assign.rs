//! `TABLE(TUMBLE(...))` without aggregation: adds `window_start`, `window_end` and `window_time` to each row.
//!
//! It keeps no state. As in Flink, a row whose rowtime is NULL belongs to no window and is left out (`numNullRowTimeRecordsDropped`).

use std::sync::Arc;
use std::time::Duration;

use arrow_array::{Array, BooleanArray, RecordBatch, TimestampMillisecondArray};
use arrow_schema::SchemaRef;
use arrow_select::filter::filter_record_batch;
use weir_base::{Error, Result, Timestamp};
use weir_connector::Batch;
use weir_plan::{LogicalType, Schema, TimeDomain};

use super::windows::Windows;
use crate::expr::Zone;
use crate::operators::rows::check_insert_only;
use crate::operators::rowtime::{rowtimes, rowtimes_or_null};
use crate::operators::{Collector, Equation, Operator};

/// The operator.
pub struct TumbleAssign {
    windows: Windows,
    time: TimeDomain,
    output: SchemaRef,
    rows_in: u64,
    without_time: u64,
}

impl TumbleAssign {
    /// Windows of `size`, shifted by `offset_ms`, over `time`. Over TIMESTAMP_LTZ and processing time they lie on the wall clock of `local_time_zone`.
    ///
    /// # Errors
    /// The window has an impossible size, or the time zone is not known.
    pub fn new(
        size: Duration,
        offset_ms: i64,
        time: TimeDomain,
        input: &Schema,
        output: &Schema,
        local_time_zone: &str,
    ) -> Result<Self> {
        let local = match time {
            TimeDomain::Processing => true,
            TimeDomain::Event(column) => {
                matches!(input.fields[column].data_type.logical, LogicalType::TimestampLtz(_))
            }
        };
        let zone = local.then(|| Zone::parse(local_time_zone)).transpose()?;
        let windows = Windows::new(size, offset_ms, zone)?;
        Ok(Self { windows, time, output: output.arrow(), rows_in: 0, without_time: 0 })
    }

    fn ends(&mut self, data: &RecordBatch, now: Timestamp) -> Result<Vec<Timestamp>> {
        match self.time {
            TimeDomain::Processing => Ok(vec![self.windows.end_of(now); data.num_rows()]),
            TimeDomain::Event(column) => {
                Ok(rowtimes(data, column)?.values().iter().map(|time| self.windows.end_of(*time)).collect())
            }
        }
    }

    /// The rows that have a time.
    fn with_time(&self, data: RecordBatch) -> Result<RecordBatch> {
        let TimeDomain::Event(column) = self.time else { return Ok(data) };
        let nulls = rowtimes_or_null(&data, column)?.nulls().filter(|nulls| nulls.null_count() > 0);
        match nulls {
            None => Ok(data),
            Some(nulls) => filter_record_batch(&data, &BooleanArray::new(nulls.inner().clone(), None))
                .map_err(|error| Error::internal(format!("leave out rows without a time: {error}"))),
        }
    }
}

impl Operator for TumbleAssign {
    fn on_batch(&mut self, batch: Batch, now: Timestamp, out: &mut dyn Collector) -> Result<()> {
        check_insert_only(&batch, "assign windows")?;
        let before = batch.rows();
        let data = self.with_time(batch.data)?;
        self.rows_in += before as u64;
        self.without_time += (before - data.num_rows()) as u64;
        if data.num_rows() == 0 {
            return Ok(());
        }
        let ends = self.ends(&data, now)?;
        let windows = &self.windows;
        let column = |index: usize, time: &dyn Fn(Timestamp) -> Timestamp| {
            let times = TimestampMillisecondArray::from_iter_values(ends.iter().map(|end| time(*end)));
            let output = self.output.field(data.num_columns() + index).data_type();
            Arc::new(times.with_data_type(output.clone())) as _
        };
        let mut columns = data.columns().to_vec();
        columns.extend([
            column(0, &|end| windows.start_of(end)),
            column(1, &|end| end),
            column(2, &|end| windows.time_of(end)),
        ]);
        let data = RecordBatch::try_new(Arc::clone(&self.output), columns)
            .map_err(|error| Error::internal(format!("assign windows: {error}")))?;
        out.batch(Batch::inserts(data, batch.fetched_us))
    }

    fn equation(&self) -> Equation {
        Equation {
            rows_in: self.rows_in,
            passed: self.rows_in - self.without_time,
            filtered: self.without_time,
            ..Equation::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::{ArrayRef, Int32Array};
    use weir_plan::{DataType, Field};

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
        time: LogicalType,
        domain: TimeDomain,
        zone: &str,
        times: Vec<Option<i64>>,
        now: i64,
    ) -> (Vec<String>, Equation) {
        let (input, output) = schemas(time);
        let numbers: ArrayRef = Arc::new(Int32Array::from_iter_values((0..).take(times.len())));
        let times = TimestampMillisecondArray::from(times).with_data_type(input.fields[1].data_type.arrow());
        let data = RecordBatch::try_new(input.arrow(), vec![numbers, Arc::new(times)]).unwrap();
        let mut operator = TumbleAssign::new(Duration::from_secs(10), 0, domain, &input, &output, zone).unwrap();
        let mut collected = Collected::default();
        operator.on_batch(Batch::inserts(data, 0), now, &mut collected).unwrap();
        (collected.rows, operator.equation())
    }

    #[test]
    fn each_row_gets_its_window_and_one_without_a_time_is_left_out() {
        let times = vec![Some(9_999), None, Some(10_000)];
        let (rows, equation) = run(LogicalType::Timestamp(3), TimeDomain::Event(1), "Asia/Shanghai", times, 0);
        let expected = [
            "+I 0, 1970-01-01T00:00:09.999, 1970-01-01T00:00:00, 1970-01-01T00:00:10, 1970-01-01T00:00:09.999",
            "+I 2, 1970-01-01T00:00:10, 1970-01-01T00:00:10, 1970-01-01T00:00:20, 1970-01-01T00:00:19.999",
        ];
        assert_eq!(rows, expected);
        assert_eq!(equation, Equation { rows_in: 3, passed: 2, filtered: 1, ..Equation::default() });
    }

    #[test]
    fn windows_over_instants_are_local_times_and_processing_time_is_one_of_them() {
        let local = LogicalType::TimestampLtz(3);
        let expected = "1970-01-01T08:00:00, 1970-01-01T08:00:10, 1970-01-01T00:00:09.999";
        let (rows, _) = run(local.clone(), TimeDomain::Event(1), "Asia/Shanghai", vec![Some(0)], 0);
        assert_eq!(rows, [format!("+I 0, 1970-01-01T00:00:00, {expected}")]);
        let (rows, _) = run(local, TimeDomain::Processing, "Asia/Shanghai", vec![None], 3);
        assert_eq!(rows, [format!("+I 0, NULL, {expected}")]);
    }
}
