//! Filter and projection: rows where the condition is TRUE, with the projected columns.

use std::sync::Arc;

use arrow_array::BooleanArray;
use arrow_buffer::BooleanBuffer;
use arrow_select::filter::filter_record_batch;
use weir_base::{Error, Result, RowKind, Timestamp};
use weir_connector::Batch;
use weir_plan::{Expr, Schema};

use super::{Collector, Equation, Operator};
use crate::expr::{self, CompileContext, Predicate};

/// `Calc`: a condition, then a projection.
pub struct Calc {
    calc: expr::Calc,
    rows_in: u64,
    filtered: u64,
}

impl Calc {
    /// A calc that gives `output`.
    ///
    /// # Errors
    /// An expression cannot be compiled.
    pub fn new(
        condition: Option<&Expr>,
        projection: &[Expr],
        output: &Schema,
        context: &CompileContext,
    ) -> Result<Self> {
        let calc = expr::Calc::compile(condition, projection, output.arrow(), context)?;
        Ok(Self { calc, rows_in: 0, filtered: 0 })
    }
}

impl Operator for Calc {
    fn on_batch(&mut self, batch: Batch, now: Timestamp, out: &mut dyn Collector) -> Result<()> {
        let calculated = self.calc.evaluate(&batch.data, now)?;
        self.rows_in += batch.rows() as u64;
        self.filtered += (batch.rows() - calculated.batch.num_rows()) as u64;
        let kinds = match &calculated.kept {
            None => batch.kinds,
            Some(kept) => batch.kinds.as_deref().map(|kinds| kept_kinds(kinds, kept)),
        };
        out.batch(Batch { data: calculated.batch, kinds, fetched_us: batch.fetched_us })
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

fn kept_kinds(kinds: &[RowKind], kept: &BooleanBuffer) -> Arc<[RowKind]> {
    kept.set_indices().map(|row| kinds[row]).collect()
}

/// The rows of `batch` for which `condition` is TRUE; all of them without a copy.
///
/// # Errors
/// The condition fails for a row.
pub fn keep_rows(condition: &Predicate, batch: &Batch, now: Timestamp) -> Result<Batch> {
    let keep = condition.evaluate(batch.data.columns(), batch.rows(), now)?;
    if keep.count_set_bits() == batch.rows() {
        return Ok(batch.clone());
    }
    let kinds = batch.kinds.as_deref().map(|kinds| kept_kinds(kinds, &keep));
    let data = filter_record_batch(&batch.data, &BooleanArray::new(keep, None))
        .map_err(|error| Error::internal(format!("filter rows: {error}")))?;
    Ok(Batch { data, kinds, fetched_us: batch.fetched_us })
}
