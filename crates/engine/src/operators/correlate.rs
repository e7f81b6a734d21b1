//! `CROSS JOIN UNNEST` and `LEFT JOIN UNNEST`: each row with each element of a collection in it. Row kinds pass on: each element has its row's.
//!
//! Rows multiply, so the equation counts rows taken only: those of which at least one row was made have passed, the others are filtered.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, Int32Array, RecordBatch, RecordBatchOptions, UInt32Array};
use arrow_schema::{DataType as ArrowType, SchemaRef};
use arrow_select::take::take;
use weir_base::limits::BATCH_ROWS_MAX;
use weir_base::{Error, Result, RowKind, Timestamp};
use weir_connector::Batch;
use weir_plan::{Schema, UnnestSpec};

use super::{Collector, Equation, Operator};
use crate::expr::{CompileContext, Evaluator};

/// Rows joined with elements.
pub struct Correlate {
    kept: Vec<usize>,
    collection: Evaluator,
    ordinality: bool,
    outer: bool,
    schema: SchemaRef,
    rows_in: u64,
    filtered: u64,
}

/// The rows that come of a batch: for each its row of the input, and its element among all elements.
#[derive(Default)]
struct Joined {
    rows: Vec<u32>,
    elements: Vec<Option<u32>>,
    numbers: Vec<Option<i32>>,
}

impl Correlate {
    /// An operator that gives `output`.
    ///
    /// # Errors
    /// The collection's expression cannot be compiled.
    pub fn new(spec: &UnnestSpec, output: &Schema, context: &CompileContext) -> Result<Self> {
        Ok(Self {
            kept: spec.kept.clone(),
            collection: Evaluator::compile(&spec.collection, context)?,
            ordinality: spec.ordinality,
            outer: spec.outer,
            schema: output.arrow(),
            rows_in: 0,
            filtered: 0,
        })
    }

    /// Gives what has been joined, and forgets it.
    fn give(&self, batch: &Batch, elements: &[ArrayRef], joined: &mut Joined, out: &mut dyn Collector) -> Result<()> {
        let Joined { rows, elements: places, numbers } = std::mem::take(joined);
        if rows.is_empty() {
            return Ok(());
        }
        let kinds: Option<Arc<[RowKind]>> = batch
            .kinds
            .as_ref()
            .map(|kinds| rows.iter().filter_map(|row| kinds.get(usize::try_from(*row).ok()?).copied()).collect());
        let count = rows.len();
        let (rows, places) = (UInt32Array::from(rows), UInt32Array::from(places));
        let taken = |array: &ArrayRef, indices: &UInt32Array| {
            take(array, indices, None).map_err(|error| Error::internal(format!("join rows with elements: {error}")))
        };
        let kept = self.kept.iter().map(|index| taken(batch.data.column(*index), &rows));
        let mut columns: Vec<ArrayRef> = kept.collect::<Result<_>>()?;
        for part in elements {
            columns.push(taken(part, &places)?);
        }
        if self.ordinality {
            columns.push(Arc::new(Int32Array::from(numbers)));
        }
        let options = RecordBatchOptions::new().with_row_count(Some(count));
        let data = RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)
            .map_err(|error| Error::internal(format!("join rows with elements: {error}")))?;
        out.batch(Batch { data, kinds, fetched_us: batch.fetched_us })
    }
}

impl Operator for Correlate {
    fn on_batch(&mut self, batch: Batch, now: Timestamp, out: &mut dyn Collector) -> Result<()> {
        let collections = self.collection.evaluate_batch(&batch.data, now)?;
        self.rows_in += batch.rows() as u64;
        let elements = columns_of(&collections)?;
        let is_row = matches!(collections.data_type(), ArrowType::List(field) if matches!(field.data_type(), ArrowType::Struct(_)));
        let offsets = match collections.data_type() {
            ArrowType::Map(..) => collections.as_map().value_offsets(),
            _ => collections.as_list::<i32>().value_offsets(),
        };
        let is_left_out = |at: i32| {
            let element = usize::try_from(at).unwrap_or(0);
            is_row && !self.ordinality && collections.as_list::<i32>().values().is_null(element)
        };
        let mut joined = Joined::default();
        for row in 0..batch.rows() {
            let place = u32::try_from(row).map_err(|_| Error::internal("join a batch of more than 2^32 rows"))?;
            let all = if collections.is_null(row) { 0..0 } else { offsets[row]..offsets[row + 1] };
            let mut is_matched = false;
            for (number, at) in (1_i32..).zip(all).filter(|(_, at)| !is_left_out(*at)) {
                joined.rows.push(place);
                joined.elements.push(u32::try_from(at).ok());
                joined.numbers.push(Some(number));
                is_matched = true;
                if joined.rows.len() == BATCH_ROWS_MAX {
                    self.give(&batch, &elements, &mut joined, out)?;
                }
            }
            if !is_matched && self.outer {
                joined.rows.push(place);
                joined.elements.push(None);
                joined.numbers.push(None);
            }
            self.filtered += u64::from(!is_matched && !self.outer);
        }
        self.give(&batch, &elements, &mut joined, out)
    }

    fn equation(&self) -> Equation {
        Equation {
            rows_in: self.rows_in,
            passed: self.rows_in - self.filtered,
            filtered: self.filtered,
            ..Equation::default()
        }
    }
}

/// The columns that the elements of all rows are given as: the fields of a ROW, key and value of an entry, else the element.
fn columns_of(collections: &ArrayRef) -> Result<Vec<ArrayRef>> {
    match collections.data_type() {
        ArrowType::Map(..) => {
            let map = collections.as_map();
            Ok(vec![map.keys().clone(), map.values().clone()])
        }
        ArrowType::List(_) => {
            let values = collections.as_list::<i32>().values();
            let Some(rows) = values.as_struct_opt() else { return Ok(vec![values.clone()]) };
            Ok(rows
                .columns()
                .iter()
                .map(|column| match rows.nulls() {
                    None => column.clone(),
                    Some(nulls) => crate::expr::with_nulls(column, nulls),
                })
                .collect())
        }
        other => Err(Error::internal(format!("unnest a {other}: it is no ARRAY and no MAP"))),
    }
}

#[cfg(test)]
mod tests;
