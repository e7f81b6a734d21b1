//! A table or topic as DataFusion reads it: batch after batch, only the columns that are asked for.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use weir_embedded::{Scan, TableReader, TopicReader};

/// What can be read.
#[derive(Debug, Clone)]
pub(crate) enum Readable {
    /// An embedded table.
    Table(TableReader),
    /// An embedded topic.
    Topic(TopicReader),
}

impl Readable {
    fn schema(&self) -> SchemaRef {
        match self {
            Self::Table(table) => table.schema(),
            Self::Topic(topic) => topic.schema(),
        }
    }

    fn scan(&self, columns: &[usize]) -> weir_base::Result<Scan> {
        match self {
            Self::Table(table) => table.scan(Some(columns)),
            Self::Topic(topic) => topic.scan(Some(columns)),
        }
    }
}

/// A table of the session.
#[derive(Debug)]
pub(crate) struct EmbeddedProvider {
    readable: Readable,
}

impl EmbeddedProvider {
    /// A table over `readable`.
    pub fn new(readable: Readable) -> Self {
        Self { readable }
    }
}

#[async_trait]
impl TableProvider for EmbeddedProvider {
    fn schema(&self) -> SchemaRef {
        self.readable.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>, DataFusionError> {
        let all = self.schema();
        let columns = projection.cloned().unwrap_or_else(|| (0..all.fields().len()).collect());
        let schema = Arc::new(all.project(&columns)?);
        let part = Part { readable: self.readable.clone(), columns, schema: Arc::clone(&schema) };
        Ok(Arc::new(StreamingTableExec::try_new(schema, vec![Arc::new(part)], None, None, false, limit)?))
    }
}

/// The one partition of a scan.
#[derive(Debug)]
struct Part {
    readable: Readable,
    columns: Vec<usize>,
    schema: SchemaRef,
}

impl PartitionStream for Part {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let external = |error: weir_base::Error| DataFusionError::External(Box::new(error));
        let schema = Arc::clone(&self.schema);
        match self.readable.scan(&self.columns) {
            Ok(scan) => {
                let batches = scan.map(move |batch| batch.map_err(external));
                Box::pin(RecordBatchStreamAdapter::new(schema, futures::stream::iter(batches)))
            }
            Err(error) => {
                let failed = futures::stream::iter([Err(external(error))]);
                Box::pin(RecordBatchStreamAdapter::new(schema, failed))
            }
        }
    }
}
