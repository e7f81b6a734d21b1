//! The columns that tell of a window, behind what an operator gives.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions, TimestampMillisecondArray};
use arrow_schema::SchemaRef;
use weir_base::{Error, Result, Timestamp};
use weir_plan::WindowProperty;

/// A window that a row belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fired {
    /// Its start on the wall clock.
    pub start: Timestamp,
    /// Its exclusive end on the wall clock.
    pub end: Timestamp,
    /// The instant of its last millisecond.
    pub time: Timestamp,
}

impl Fired {
    fn property(&self, property: WindowProperty) -> Timestamp {
        match property {
            WindowProperty::Start => self.start,
            WindowProperty::End => self.end,
            WindowProperty::Time => self.time,
        }
    }
}

/// `columns` and behind them the `properties` of each row's window, as a batch of the schema `output`.
///
/// # Errors
/// The columns are not those of the schema.
pub fn with_properties(
    mut columns: Vec<ArrayRef>,
    properties: &[WindowProperty],
    windows: &[Fired],
    output: &SchemaRef,
) -> Result<RecordBatch> {
    for property in properties {
        let times =
            TimestampMillisecondArray::from_iter_values(windows.iter().map(|window| window.property(*property)));
        let data_type = output.field(columns.len()).data_type().clone();
        columns.push(Arc::new(times.with_data_type(data_type)));
    }
    let options = RecordBatchOptions::new().with_row_count(Some(windows.len()));
    RecordBatch::try_new_with_options(Arc::clone(output), columns, &options)
        .map_err(|error| Error::internal(format!("give the rows of a window: {error}")))
}
