//! METRIC_COUNT and METRIC_HISTOGRAM: values that pass through and are shown under a name of the job's own, in the scope of their operator.
//!
//! A row is counted when its value is asked for: behind CASE, AND or a filter only the rows that come there. A name stands for one cell in its operator,
//! however often it is written.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use weir_base::{Error, Result};
use weir_metrics::{Counter, Histogram, Registry, Scope as MetricScope};
use weir_plan::{CastMode, DataType, Function, LogicalType};

use super::cast;
use super::compile::Called;
use super::node::{Column, EvalError, InputColumn, Kernel, Node, Scope};

/// Where an operator's expressions show metrics of their own; cheap to clone, shared by its clones.
#[derive(Clone, Default)]
pub struct OwnMetrics {
    registry: Registry,
    cells: Arc<Mutex<HashMap<String, Cell>>>,
}

#[derive(Clone)]
enum Cell {
    Count(Counter),
    Values(Histogram),
}

impl fmt::Debug for OwnMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OwnMetrics")
    }
}

impl OwnMetrics {
    /// Metrics that are registered in `registry`, which carries the operator's labels.
    pub fn of(registry: Registry) -> Self {
        Self { registry, cells: Arc::default() }
    }

    /// The cell of `name`, registered when it is first asked for.
    fn cell(&self, name: &str, is_count: bool) -> Result<Cell> {
        let mut cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cell) = cells.get(name) {
            return match (cell, is_count) {
                (Cell::Count(_), true) | (Cell::Values(_), false) => Ok(cell.clone()),
                _ => Err(Error::invalid(format!("show the metric '{name}': it is a count and a histogram"))
                    .hint("give the two different names")),
            };
        }
        let cell = if is_count {
            Cell::Count(self.registry.own_counter(MetricScope::Operator, name))
        } else {
            Cell::Values(self.registry.own_histogram(MetricScope::Operator, name))
        };
        cells.insert(name.to_owned(), cell.clone());
        Ok(cell)
    }
}

/// One of the two: arguments the name, the value.
///
/// # Errors
/// The name is used for a metric of the other kind, or the plan is broken.
pub(super) fn compile(call: Called<'_>, metrics: &OwnMetrics) -> Result<Node> {
    let Called { function, nodes, data_type, zone, span } = call;
    let [name, value] = <[Node; 2]>::try_from(nodes)
        .map_err(|_| Error::internal(format!("compile {function:?}: it has two arguments")))?;
    let name = name.constant_text("the name of a metric")?;
    let name = name.ok_or_else(|| Error::invalid("compile a metric: its name is NULL"))?;
    let cell = metrics.cell(&name, function == Function::MetricCount)?;
    let passed = Node::new(InputColumn(0), value.data_type.clone(), false);
    let whole = match cell {
        Cell::Count(_) => passed,
        Cell::Values(_) => {
            cast::compile(passed, &DataType::nullable(LogicalType::BigInt), CastMode::TryCast, zone, span)?
        }
    };
    // It must see which rows are asked for: so it is treated as one that may fail.
    Ok(Node::new(Watched { value, whole, cell }, data_type, true))
}

/// A value that is counted as it passes.
struct Watched {
    value: Node,
    /// The value, given as column 0: for a histogram cut to a whole number, NULL beyond 64 bits.
    whole: Node,
    cell: Cell,
}

impl Kernel for Watched {
    fn evaluate(&self, scope: &Scope<'_>) -> std::result::Result<Column, EvalError> {
        let column = self.value.evaluate(scope)?;
        let columns = [column.array.clone()];
        let given = Scope { columns: &columns, rows: column.array.len(), now: scope.now, mask: None };
        let whole = self.whole.evaluate(&given)?.into_array(given.rows);
        let places = (0..scope.rows).filter(|row| scope.is_selected(*row)).map(|row| column.index(row));
        let places = places.filter(|at| whole.is_valid(*at));
        match &self.cell {
            Cell::Count(counter) => {
                let truths = whole.as_boolean();
                counter.add(places.filter(|at| truths.value(*at)).count() as u64);
            }
            Cell::Values(histogram) => {
                let numbers = whole.as_primitive::<Int64Type>();
                // A distribution of whole numbers from 0 on: what is less counts as 0.
                places.for_each(|at| histogram.record(u64::try_from(numbers.value(at)).unwrap_or(0), 1));
            }
        }
        Ok(column)
    }
}

#[cfg(test)]
mod tests;
