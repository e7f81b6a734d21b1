//! `TABLE(TUMBLE(...))`, HOP and CUMULATE without aggregation: gives each row once for each of its windows, with `window_start`, `window_end`, `window_time`.
//!
//! It keeps no state; row kinds stay. As in Flink, a row whose rowtime is NULL belongs to no window and is left out (`numNullRowTimeRecordsDropped`).

use arrow_array::{Array, BooleanArray, RecordBatch, UInt32Array};
use arrow_schema::SchemaRef;
use arrow_select::filter::filter_record_batch;
use arrow_select::take::take_record_batch;
use weir_base::limits::BATCH_ROWS_MAX;
use weir_base::{Error, Result, Timestamp};
use weir_connector::Batch;
use weir_plan::{Schema, TimeDomain, WindowProperty, WindowSpec};

use super::properties::{Fired, with_properties};
use super::windows::Windows;
use crate::operators::rowtime::{rowtimes, rowtimes_or_null};
use crate::operators::{Collector, Equation, Operator};

/// What is added to each row.
pub const ADDED: [WindowProperty; 3] = [WindowProperty::Start, WindowProperty::End, WindowProperty::Time];

/// The operator.
pub struct WindowAssign {
    windows: Windows,
    time: TimeDomain,
    output: SchemaRef,
    rows_in: u64,
    outside: u64,
}

impl WindowAssign {
    /// The windows of `spec` over `time`.
    ///
    /// # Errors
    /// The window has an impossible size, or the time zone is not known.
    pub fn new(spec: &WindowSpec, time: TimeDomain, output: &Schema, local_time_zone: &str) -> Result<Self> {
        let windows = Windows::new(spec, local_time_zone)?;
        Ok(Self { windows, time, output: output.arrow(), rows_in: 0, outside: 0 })
    }

    /// The rows to give, each with its window, and how many rows have none.
    fn windows(&mut self, data: &RecordBatch, now: Timestamp) -> Result<(Vec<u32>, Vec<Fired>, u64)> {
        let (mut rows, mut windows, mut outside) = (Vec::new(), Vec::new(), 0);
        let count = u32::try_from(data.num_rows()).expect("a batch has far fewer rows than a u32 counts");
        let times = match self.time {
            TimeDomain::Processing => None,
            TimeDomain::Event(column) => Some(rowtimes(data, column)?.values()),
        };
        let mut known: Vec<(Timestamp, Timestamp)> = Vec::new();
        for row in 0..count {
            let time = times.map_or(now, |times| times[row as usize]);
            known.clear();
            self.windows.each(time, |start, end| known.push((start, end)));
            outside += u64::from(known.is_empty());
            for (start, end) in &known {
                rows.push(row);
                windows.push(Fired { start: *start, end: *end, time: self.windows.time_of(*end) });
            }
        }
        Ok((rows, windows, outside))
    }
}

/// The rows of `batch` that have a time.
///
/// # Errors
/// The column is no rowtime.
pub fn with_time(batch: Batch, time: TimeDomain) -> Result<Batch> {
    let TimeDomain::Event(column) = time else { return Ok(batch) };
    let nulls = rowtimes_or_null(&batch.data, column)?.nulls().filter(|nulls| nulls.null_count() > 0);
    let Some(nulls) = nulls.cloned() else { return Ok(batch) };
    let data = filter_record_batch(&batch.data, &BooleanArray::new(nulls.inner().clone(), None))
        .map_err(|error| Error::internal(format!("leave out rows without a time: {error}")))?;
    let kinds = batch.kinds.as_ref().map(|kinds| nulls.valid_indices().map(|row| kinds[row]).collect());
    Ok(Batch { data, kinds, fetched_us: batch.fetched_us })
}

impl Operator for WindowAssign {
    fn on_batch(&mut self, batch: Batch, now: Timestamp, out: &mut dyn Collector) -> Result<()> {
        let before = batch.rows();
        let Batch { data, kinds, fetched_us } = with_time(batch, self.time)?;
        self.rows_in += before as u64;
        self.outside += (before - data.num_rows()) as u64;
        if data.num_rows() == 0 {
            return Ok(());
        }
        let (rows, windows, outside) = self.windows(&data, now)?;
        self.outside += outside;
        let once = rows.len() == data.num_rows() && outside == 0;
        for start in (0..rows.len()).step_by(BATCH_ROWS_MAX) {
            let end = rows.len().min(start + BATCH_ROWS_MAX);
            let taken = if once {
                data.slice(start, end - start)
            } else {
                take_record_batch(&data, &UInt32Array::from(rows[start..end].to_vec()))
                    .map_err(|error| Error::internal(format!("assign windows: {error}")))?
            };
            let columns = taken.columns().to_vec();
            let data = with_properties(columns, &ADDED, &windows[start..end], &self.output)?;
            let kinds = kinds.as_ref().map(|kinds| rows[start..end].iter().map(|row| kinds[*row as usize]).collect());
            out.batch(Batch { data, kinds, fetched_us })?;
        }
        Ok(())
    }

    fn equation(&self) -> Equation {
        Equation {
            rows_in: self.rows_in,
            passed: self.rows_in - self.outside,
            filtered: self.outside,
            ..Equation::default()
        }
    }
}

#[cfg(test)]
#[path = "assign/tests.rs"]
mod tests;
