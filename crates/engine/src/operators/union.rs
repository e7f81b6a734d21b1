//! `UNION ALL`: rows of all inputs as they come; the gate in front has merged them already.

use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_schema::SchemaRef;
use weir_base::{Error, Result, Timestamp};
use weir_connector::Batch;

use super::{Collector, Equation, Operator};

/// Passes rows on under one schema.
pub struct Union {
    schema: SchemaRef,
    rows: u64,
}

impl Union {
    /// A union that gives `schema`.
    pub fn new(schema: SchemaRef) -> Self {
        Self { schema, rows: 0 }
    }
}

impl Operator for Union {
    fn on_batch(&mut self, batch: Batch, _now: Timestamp, out: &mut dyn Collector) -> Result<()> {
        self.rows += batch.rows() as u64;
        let options = RecordBatchOptions::new().with_row_count(Some(batch.rows()));
        let columns = batch.data.columns().to_vec();
        let data = RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)
            .map_err(|error| Error::internal(format!("join the inputs of a UNION ALL: {error}")))?;
        out.batch(Batch { data, ..batch })
    }

    fn equation(&self) -> Equation {
        Equation { rows_in: self.rows, passed: self.rows, ..Equation::default() }
    }
}
