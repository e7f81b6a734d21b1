//! The two ways to use a compiled expression: for its values, or for the rows where it is TRUE.

use std::fmt;

use arrow_array::{ArrayRef, RecordBatch, new_empty_array};
use arrow_buffer::BooleanBuffer;
use weir_base::{Error, Result, Timestamp};
use weir_plan::{DataType, Expr, LogicalType};

use super::compile::Compiler;
use super::metric::OwnMetrics;
use super::node::{EvalError, Node, Scope};
use super::rows::truth;
use super::zone::Zone;

/// What expressions take from their job.
#[derive(Debug, Clone)]
pub struct CompileContext {
    /// `table.local-time-zone`: an IANA name (`Europe/Berlin`) or an offset (`GMT+02:00`).
    pub local_time_zone: String,
    /// Where METRIC_COUNT and METRIC_HISTOGRAM show what they see.
    pub metrics: OwnMetrics,
}

impl CompileContext {
    /// The context of a job whose `table.local-time-zone` is this.
    pub fn new(local_time_zone: impl Into<String>) -> Self {
        Self { local_time_zone: local_time_zone.into(), metrics: OwnMetrics::default() }
    }

    /// The same context for an operator whose own metrics go to `metrics`.
    #[must_use]
    pub fn with_metrics(&self, metrics: OwnMetrics) -> Self {
        Self { metrics, ..self.clone() }
    }

    /// `expr` as a node.
    pub(super) fn compile(&self, expr: &Expr) -> Result<Node> {
        let zone = Zone::parse(&self.local_time_zone)?;
        Compiler { zone: &zone, metrics: &self.metrics }.compile(expr)
    }
}

/// An expression, compiled: gives its value for every row of a batch.
pub struct Evaluator {
    node: Node,
}

impl fmt::Debug for Evaluator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Evaluator of {}", self.node.data_type)
    }
}

impl Evaluator {
    /// Compiles `expr`.
    ///
    /// # Errors
    /// It asks for something that is not supported (a pattern letter, a time zone), or the plan is broken.
    pub fn compile(expr: &Expr, context: &CompileContext) -> Result<Self> {
        Ok(Self { node: context.compile(expr)? })
    }

    /// The type of its values.
    pub fn data_type(&self) -> &DataType {
        &self.node.data_type
    }

    /// Whether a row can fail.
    pub fn is_fallible(&self) -> bool {
        self.node.is_fallible
    }

    /// The values for `rows` rows of `columns` at the processing time `now`; a bare column is not copied.
    ///
    /// # Errors
    /// A row has no value; the first part of the expression that fails says which row.
    pub fn evaluate(&self, columns: &[ArrayRef], rows: usize, now: Timestamp) -> Result<ArrayRef, EvalError> {
        if rows == 0 {
            return Ok(new_empty_array(&self.node.data_type.arrow()));
        }
        Ok(self.node.evaluate(&Scope { columns, rows, now, mask: None })?.into_array(rows))
    }

    /// The values for the rows of a batch at the processing time `now`.
    ///
    /// # Errors
    /// As [`Self::evaluate`].
    pub fn evaluate_batch(&self, batch: &RecordBatch, now: Timestamp) -> Result<ArrayRef, EvalError> {
        self.evaluate(batch.columns(), batch.num_rows(), now)
    }
}

/// A condition, compiled: gives the rows where it is TRUE.
pub struct Predicate {
    node: Node,
}

impl fmt::Debug for Predicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Predicate")
    }
}

impl Predicate {
    /// Compiles `expr`, a BOOLEAN.
    ///
    /// # Errors
    /// It is no BOOLEAN, or as [`Evaluator::compile`].
    pub fn compile(expr: &Expr, context: &CompileContext) -> Result<Self> {
        let node = context.compile(expr)?;
        if node.data_type.logical != LogicalType::Boolean {
            return Err(Error::internal(format!("compile a condition: it is {}, not BOOLEAN", node.data_type)));
        }
        Ok(Self { node })
    }

    /// The rows where it is TRUE; FALSE and NULL are left out alike.
    ///
    /// # Errors
    /// A row has no value.
    pub fn evaluate(&self, columns: &[ArrayRef], rows: usize, now: Timestamp) -> Result<BooleanBuffer, EvalError> {
        if rows == 0 {
            return Ok(BooleanBuffer::new_unset(0));
        }
        Ok(truth(&self.node.evaluate(&Scope { columns, rows, now, mask: None })?, rows).0)
    }
}
