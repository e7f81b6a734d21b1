//! Gives each row once for each of several projections: the copies of a row that grouping sets aggregate.
//!
//! Copies of a row follow each other in the order of the projections; row kinds stay.

use std::sync::Arc;

use arrow_array::UInt32Array;
use arrow_schema::SchemaRef;
use arrow_select::concat::concat_batches;
use arrow_select::take::take_record_batch;
use weir_base::limits::BATCH_ROWS_MAX;
use weir_base::{Error, Result, RowKind, Timestamp};
use weir_connector::Batch;
use weir_plan::{Expr, Schema};

use super::{Collector, Equation, Operator};
use crate::expr::{Calc, CompileContext};

/// The operator.
pub struct Expand {
    copies: Vec<Calc>,
    output: SchemaRef,
    rows: u64,
}

impl Expand {
    /// The copies that `projections` make, of the schema `output`.
    ///
    /// # Errors
    /// An expression cannot be compiled.
    pub fn new(projections: &[Vec<Expr>], output: &Schema, compile: &CompileContext) -> Result<Self> {
        let copy = |projection: &Vec<Expr>| Calc::compile(None, projection, output.arrow(), compile);
        let copies = projections.iter().map(copy).collect::<Result<_>>()?;
        Ok(Self { copies, output: output.arrow(), rows: 0 })
    }

    /// The copies of each row of a part of a batch.
    fn expanded(&mut self, batch: &Batch, now: Timestamp) -> Result<Batch> {
        let copies = self
            .copies
            .iter_mut()
            .map(|copy| Ok(copy.evaluate(&batch.data, now)?.batch))
            .collect::<Result<Vec<_>>>()?;
        let failed = |error| Error::internal(format!("copy rows for grouping sets: {error}"));
        let all = concat_batches(&self.output, &copies).map_err(failed)?;
        let count = u32::try_from(batch.rows()).expect("a batch has far fewer rows than a u32 counts");
        let width = u32::try_from(self.copies.len()).expect("there are few grouping sets");
        let order: UInt32Array = (0..count).flat_map(|row| (0..width).map(move |copy| copy * count + row)).collect();
        let data = take_record_batch(&all, &order).map_err(failed)?;
        let kinds = batch.kinds.as_ref().map(|kinds| {
            kinds.iter().flat_map(|kind| std::iter::repeat_n(*kind, self.copies.len())).collect::<Arc<[RowKind]>>()
        });
        Ok(Batch { data, kinds, fetched_us: batch.fetched_us })
    }
}

impl Operator for Expand {
    fn on_batch(&mut self, batch: Batch, now: Timestamp, out: &mut dyn Collector) -> Result<()> {
        self.rows += batch.rows() as u64;
        let step = (BATCH_ROWS_MAX / self.copies.len().max(1)).max(1);
        for start in (0..batch.rows()).step_by(step) {
            let length = step.min(batch.rows() - start);
            let part = Batch {
                data: batch.data.slice(start, length),
                kinds: batch.kinds.as_ref().map(|kinds| kinds[start..start + length].into()),
                fetched_us: batch.fetched_us,
            };
            out.batch(self.expanded(&part, now)?)?;
        }
        Ok(())
    }

    fn equation(&self) -> Equation {
        Equation { rows_in: self.rows, passed: self.rows, ..Equation::default() }
    }
}
