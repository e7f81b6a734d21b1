//! Filter, then project: a condition and a projection over a batch.
//!
//! Where all rows pass nothing is copied, and a projected column that is a bare input column is shared, never copied twice.

use arrow_array::{ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions};
use arrow_buffer::BooleanBuffer;
use arrow_schema::SchemaRef;
use arrow_select::filter::{FilterBuilder, FilterPredicate};
use weir_base::{Error, Result, Timestamp};
use weir_plan::{Expr, ExprKind};

use super::evaluator::{CompileContext, Evaluator, Predicate};
use super::node::EvalError;

/// A compiled condition and projection.
#[derive(Debug)]
pub struct Calc {
    condition: Option<Predicate>,
    projection: Vec<Evaluator>,
    /// The input columns that the projection reads.
    used: Vec<bool>,
    schema: SchemaRef,
}

/// What a [`Calc`] made of a batch.
#[derive(Debug, Clone)]
pub struct Calculated {
    /// The rows that passed, projected.
    pub batch: RecordBatch,
    /// Which rows of the input passed; None: all.
    pub kept: Option<BooleanBuffer>,
}

impl Calc {
    /// Compiles `condition` (None: all rows pass) and `projection`, whose results have the types of `schema` in order.
    ///
    /// # Errors
    /// The types are not the schema's, or as [`Evaluator::compile`].
    pub fn compile(
        condition: Option<&Expr>,
        projection: &[Expr],
        schema: SchemaRef,
        context: &CompileContext,
    ) -> Result<Self> {
        let mut used = Vec::new();
        for expr in projection {
            expr.visit(&mut |part| {
                if let ExprKind::Column(index) = part.kind {
                    used.resize(used.len().max(index + 1), false);
                    used[index] = true;
                }
            });
        }
        let types = projection.iter().map(|expr| expr.data_type.arrow());
        if !types.eq(schema.fields().iter().map(|field| field.data_type().clone())) {
            return Err(Error::internal(format!(
                "compile a projection: its types are not those of its output ({schema})"
            )));
        }
        Ok(Self {
            condition: condition.map(|condition| Predicate::compile(condition, context)).transpose()?,
            projection: projection.iter().map(|expr| Evaluator::compile(expr, context)).collect::<Result<_>>()?,
            used,
            schema,
        })
    }

    /// The schema of what it gives.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Filters and projects `batch` at the processing time `now`.
    ///
    /// # Errors
    /// A row has no value; the row is counted in `batch`, before filtering.
    pub fn evaluate(&self, batch: &RecordBatch, now: Timestamp) -> Result<Calculated, EvalError> {
        let rows = batch.num_rows();
        let kept = match &self.condition {
            None => None,
            Some(condition) => Some(condition.evaluate(batch.columns(), rows, now)?).filter(BooleanBuffer::has_false),
        };
        let Some(kept) = kept else {
            return Ok(Calculated { batch: self.project(batch.columns(), rows, now)?, kept: None });
        };
        let selection = BooleanArray::new(kept, None);
        let filter = FilterBuilder::new(&selection).optimize().build();
        let columns = self.filtered(batch.columns(), &filter);
        let kept = selection.values().clone();
        let projected = self.project(&columns, filter.count(), now).map_err(|error| {
            let row = kept.set_indices().nth(error.row).unwrap_or(error.row);
            EvalError { row, ..error }
        })?;
        Ok(Calculated { batch: projected, kept: Some(kept) })
    }

    /// The used columns, filtered; the others as they are, since nobody reads them.
    fn filtered(&self, columns: &[ArrayRef], filter: &FilterPredicate) -> Vec<ArrayRef> {
        let one = |(index, column): (usize, &ArrayRef)| {
            if self.used.get(index) != Some(&true) {
                return column.clone();
            }
            filter.filter(column).expect("the selection is as long as the column")
        };
        columns.iter().enumerate().map(one).collect()
    }

    fn project(&self, columns: &[ArrayRef], rows: usize, now: Timestamp) -> Result<RecordBatch, EvalError> {
        let projected = self.projection.iter().map(|evaluator| evaluator.evaluate(columns, rows, now));
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch =
            RecordBatch::try_new_with_options(self.schema.clone(), projected.collect::<Result<_, _>>()?, &options);
        Ok(batch.expect("the types were compared with the schema's"))
    }
}

#[cfg(test)]
mod tests;
