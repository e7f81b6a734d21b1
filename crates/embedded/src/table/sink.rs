//! An embedded table as an exactly-once sink: each writer appends batches to its lane; the committer moves the marks.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch, UInt8Array};
use arrow_schema::{DataType as ArrowType, Field as ArrowField, Schema as ArrowSchema, SchemaRef};
use arrow_select::concat::concat_batches;
use serde::{Deserialize, Serialize};
use weir_base::limits::BATCH_ROWS_MAX;
use weir_base::{Epoch, Error, Kind, Result, RowKind};
use weir_connector::{Batch, Committer, Flush, Prepared, Ready, Role, Sink, Writer, WriterContext};

use super::FRAME_BYTES;
use super::columns::{compact, encode, key_hashes};
use super::lanes::Lanes;
use crate::log::Place;

/// The hidden column of the rows' kinds, behind the table's own.
const KIND_COLUMN: &str = "__weir_kind";

/// The sink of a table.
pub(super) struct TableSink {
    lanes: Arc<Lanes>,
    table: Arc<str>,
    schema: SchemaRef,
    primary_key: Arc<[usize]>,
}

/// The end of a lane at a barrier, as it stands in a checkpoint.
#[derive(Serialize, Deserialize)]
struct LaneEnd {
    lane: String,
    end: Place,
}

impl TableSink {
    /// A sink into `lanes` of `table` with columns `schema`; a row replaces the one of its primary key, if there is any.
    pub fn new(lanes: Lanes, table: &str, schema: &SchemaRef, primary_key: &[usize]) -> Self {
        let mut fields: Vec<_> = schema.fields().iter().cloned().collect();
        fields.push(Arc::new(ArrowField::new(KIND_COLUMN, ArrowType::UInt8, false)));
        Self {
            lanes: Arc::new(lanes),
            table: table.into(),
            schema: Arc::new(ArrowSchema::new(fields)),
            primary_key: primary_key.into(),
        }
    }
}

impl Sink for TableSink {
    fn role(&self) -> Role {
        Role::Local
    }

    fn recover(&self, prepared: &[Prepared]) -> Result<()> {
        self.lanes.recover(&ends(&self.table, prepared)?)
    }

    fn writer(&self, context: &WriterContext) -> Result<Box<dyn Writer>> {
        Ok(Box::new(TableWriter {
            lane: self.lanes.open(context.subtask)?,
            lanes: Arc::clone(&self.lanes),
            table: Arc::clone(&self.table),
            schema: Arc::clone(&self.schema),
            primary_key: Arc::clone(&self.primary_key),
            subtask: context.subtask,
            epoch: context.epoch,
            pending: Vec::new(),
            pending_rows: 0,
            pending_bytes: 0,
            payload: Vec::new(),
            bytes: 0,
        }))
    }

    fn committer(&self) -> Result<Box<dyn Committer>> {
        Ok(Box::new(TableCommitter { lanes: Arc::clone(&self.lanes), table: Arc::clone(&self.table) }))
    }
}

fn ends(table: &str, prepared: &[Prepared]) -> Result<BTreeMap<String, Place>> {
    let mut ends = BTreeMap::<String, Place>::new();
    for prepared in prepared.iter().filter(|prepared| !prepared.state.is_empty()) {
        let LaneEnd { lane, end } = serde_json::from_slice(&prepared.state).map_err(|error| {
            Error::new(Kind::Corrupt, format!("read what was prepared for the table {table}: {error}"))
        })?;
        let farthest = ends.entry(lane).or_default();
        *farthest = (*farthest).max(end);
    }
    Ok(ends)
}

struct TableWriter {
    lanes: Arc<Lanes>,
    lane: String,
    table: Arc<str>,
    schema: SchemaRef,
    primary_key: Arc<[usize]>,
    subtask: u16,
    /// The epoch that the next barrier closes.
    epoch: Epoch,
    pending: Vec<RecordBatch>,
    pending_rows: usize,
    pending_bytes: usize,
    payload: Vec<u8>,
    /// Bytes of frames appended.
    bytes: u64,
}

impl TableWriter {
    /// Appends what is pending as one frame: run, epoch, then the rows.
    fn append(&mut self) -> Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let batches = std::mem::take(&mut self.pending);
        let rows = concat_batches(&self.schema, &batches)
            .map_err(|error| Error::internal(format!("write to the table {}: {error}", self.table)))?;
        (self.pending_rows, self.pending_bytes) = (0, 0);
        self.payload.clear();
        self.payload.extend_from_slice(&self.lanes.run.to_le_bytes());
        self.payload.extend_from_slice(&self.epoch.0.to_le_bytes());
        encode(&rows, &mut self.payload)?;
        self.bytes += self.payload.len() as u64;
        let count = u32::try_from(rows.num_rows()).expect("pending rows are bounded far below 2^32");
        let columns: Vec<ArrayRef> = self.primary_key.iter().map(|index| Arc::clone(rows.column(*index))).collect();
        let keys = if columns.is_empty() { Vec::new() } else { key_hashes(&columns, rows.num_rows()) };
        self.lanes.append(&self.lane, count, &self.payload, &keys)
    }

    /// The batch with its kinds as a column. A former row (`-U`) goes: its new content may have another key, or may have been left out by a filter.
    fn with_kinds(&self, batch: &Batch) -> Result<RecordBatch> {
        let kinds = (0..batch.rows()).map(|row| batch.kind(row));
        if self.primary_key.is_empty()
            && let Some(row) = kinds.clone().position(|kind| kind != RowKind::Insert)
        {
            let text = format!(
                "write to the table {}: row {row} is {}, but the table has no primary key",
                self.table,
                batch.kind(row)
            );
            return Err(Error::invalid(text).hint("give the table a PRIMARY KEY ... NOT ENFORCED"));
        }
        let mut columns: Vec<ArrayRef> = batch.data.columns().iter().map(compact).collect();
        let stored = kinds.map(|kind| if kind == RowKind::UpdateBefore { RowKind::Delete } else { kind } as u8);
        columns.push(Arc::new(UInt8Array::from_iter_values(stored)));
        let failed =
            |error: arrow_schema::ArrowError| Error::internal(format!("write to the table {}: {error}", self.table));
        RecordBatch::try_new(Arc::clone(&self.schema), columns).map_err(failed)
    }
}

impl Writer for TableWriter {
    fn ready(&mut self) -> Result<Ready> {
        Ok(Ready::Yes)
    }

    fn write(&mut self, batch: &Batch) -> Result<()> {
        let rows = self.with_kinds(batch)?;
        if rows.num_rows() == 0 {
            return Ok(());
        }
        self.pending_rows += rows.num_rows();
        self.pending_bytes += rows.columns().iter().map(|column| column.get_array_memory_size()).sum::<usize>();
        self.pending.push(rows);
        if self.pending_rows >= BATCH_ROWS_MAX || self.pending_bytes >= FRAME_BYTES {
            self.append()?;
        }
        Ok(())
    }

    fn bytes_written(&self) -> Option<u64> {
        Some(self.bytes)
    }

    fn prepare(&mut self, epoch: Epoch) -> Result<(Prepared, Option<Flush>)> {
        self.append()?;
        self.epoch = epoch.next();
        let (end, unsynced) = self.lanes.end(&self.lane)?;
        let state = LaneEnd { lane: self.lane.clone(), end };
        let state = serde_json::to_vec(&state).map_err(|error| Error::internal(error.to_string()))?;
        let flush: Flush = Box::new(move || unsynced.sync());
        Ok((Prepared { subtask: self.subtask, epoch, state }, Some(flush)))
    }
}

struct TableCommitter {
    lanes: Arc<Lanes>,
    table: Arc<str>,
}

impl Committer for TableCommitter {
    fn apply(&mut self, _epoch: Epoch, prepared: &[Prepared]) -> Result<()> {
        self.lanes.show(&ends(&self.table, prepared)?)
    }
}
