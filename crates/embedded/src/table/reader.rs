//! Reading a table from any process: all visible rows, or of each primary key the newest, deletes applied.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::types::UInt8Type;
use arrow_array::{BooleanArray, RecordBatch};
use arrow_schema::SchemaRef;
use arrow_select::filter::filter_record_batch;
use hashbrown::HashMap;
use weir_base::{Error, Kind, Result, RowKind};

use super::columns::{decode, key_hashes, under};
use super::{HEAD_BYTES, layout, schema};
use crate::log::{LogReader, MarkReader, Place};
use crate::store::Scan;

/// A table.
#[derive(Debug, Clone)]
pub struct TableReader {
    dir: PathBuf,
    schema: SchemaRef,
    primary_key: Vec<usize>,
}

/// A visible frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Part {
    run: u64,
    epoch: u64,
    lane: usize,
    place: Place,
}

impl TableReader {
    /// The table called `name` under `data_dir`.
    ///
    /// # Errors
    /// There is none such, or its files cannot be read.
    pub(crate) fn open(data_dir: &Path, name: &str) -> Result<Self> {
        let dir = layout::table(data_dir, name)?;
        if !schema::is_there(&dir) {
            return Err(Error::new(Kind::NotFound, format!("find the table '{name}' in {}", data_dir.display())));
        }
        let (stored, schema) = schema::load(&dir)?;
        Ok(Self { dir, schema, primary_key: stored.primary_key })
    }

    /// Its columns.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// The rows that are visible now, with the columns of `projection` (`None`: all), batch after batch. Rows that come later are not in it.
    ///
    /// # Errors
    /// Files cannot be read, or do not read back as they were written.
    pub fn scan(&self, projection: Option<&[usize]>) -> Result<Scan> {
        let mut parts = Vec::new();
        let mut lanes = Vec::new();
        for (lane, dir) in layout::lanes(&self.dir)?.into_iter().enumerate() {
            let visible = MarkReader::new(&dir).place()?;
            // Frames are found first and read later: a segment that is compacted meanwhile must stay as it was found.
            let mut reader = LogReader::oldest(&dir, visible)?.keeping();
            loop {
                let place = reader.place();
                let Some((frame, head)) = reader.glance::<HEAD_BYTES>(visible)? else { break };
                let (run, epoch) = head.split_at(8);
                let number = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().expect("the head has two words"));
                parts.push(Part { run: number(run), epoch: number(epoch), lane, place });
                reader.skip(&frame);
            }
            lanes.push((reader, visible));
        }
        parts.sort_unstable();
        let mut frames = Frames { lanes, payload: Vec::new() };
        let newest = if self.primary_key.is_empty() { None } else { Some(self.newest(&mut frames, &parts)?) };
        let columns: Vec<usize> =
            projection.map_or_else(|| (0..self.schema.fields().len()).collect(), <[usize]>::to_vec);
        let schema = self.schema.project(&columns).map_err(|error| Error::invalid(error.to_string()))?;
        let schema = Arc::new(schema);
        let kinds = self.schema.fields().len();
        let rows = Rows { frames, parts, next: 0, newest, columns, schema: Arc::clone(&schema), kinds };
        Ok(Scan::new(schema, rows))
    }

    /// For each part the rows that are the newest of their key, ascending.
    fn newest(&self, frames: &mut Frames, parts: &[Part]) -> Result<Vec<Vec<u32>>> {
        let mut newest = HashMap::<u128, (u32, u32)>::new();
        for (part, at) in (0..).zip(parts) {
            let batch = frames.read(at, &self.primary_key)?;
            for (row, hash) in (0..).zip(key_hashes(batch.columns(), batch.num_rows())) {
                newest.insert(hash, (part, row));
            }
        }
        let mut rows = vec![Vec::new(); parts.len()];
        newest.into_values().for_each(|(part, row)| rows[part as usize].push(row));
        rows.iter_mut().for_each(|rows| rows.sort_unstable());
        Ok(rows)
    }
}

/// Reads frames of all lanes.
struct Frames {
    lanes: Vec<(LogReader, Place)>,
    payload: Vec<u8>,
}

impl Frames {
    /// The columns of a frame in the order asked for; `columns` may count the hidden one.
    fn read(&mut self, part: &Part, columns: &[usize]) -> Result<RecordBatch> {
        let (reader, visible) = &mut self.lanes[part.lane];
        reader.go(part.place);
        self.payload.clear();
        if reader.next(*visible, &mut self.payload)?.is_none() {
            return Err(Error::internal("read a frame of a table twice"));
        }
        let mut ascending = columns.to_vec();
        ascending.sort_unstable();
        ascending.dedup();
        let batch = decode(&self.payload[HEAD_BYTES..], Some(ascending.clone()))?;
        let wanted: Vec<usize> =
            columns.iter().map(|column| ascending.binary_search(column).expect("each column was asked for")).collect();
        batch.project(&wanted).map_err(|error| Error::internal(error.to_string()))
    }
}

/// The rows of a scan.
struct Rows {
    frames: Frames,
    parts: Vec<Part>,
    next: usize,
    /// For each part the rows that are the newest of their key; `None`: all rows are.
    newest: Option<Vec<Vec<u32>>>,
    columns: Vec<usize>,
    schema: SchemaRef,
    /// Index of the hidden column of kinds.
    kinds: usize,
}

impl Rows {
    fn batch(&mut self, index: usize) -> Result<RecordBatch> {
        let part = self.parts[index];
        let Some(newest) = self.newest.as_mut().map(|newest| std::mem::take(&mut newest[index])) else {
            let batch = self.frames.read(&part, &self.columns)?;
            return under(&self.schema, batch.columns().to_vec(), batch.num_rows());
        };
        let mut columns = self.columns.clone();
        columns.push(self.kinds);
        let batch = self.frames.read(&part, &columns)?;
        let kinds = batch.column(self.columns.len()).as_primitive::<UInt8Type>();
        let mut keep = vec![false; batch.num_rows()];
        for row in newest {
            let row = row as usize;
            keep[row] = kinds.value(row) != RowKind::Delete as u8;
        }
        let rows = under(&self.schema, batch.columns()[..self.columns.len()].to_vec(), batch.num_rows())?;
        filter_record_batch(&rows, &BooleanArray::from(keep)).map_err(|error| Error::internal(error.to_string()))
    }
}

impl Iterator for Rows {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.next < self.parts.len() {
            let batch = self.batch(self.next);
            self.next += 1;
            match batch {
                Ok(batch) if batch.num_rows() == 0 => {}
                batch => return Some(batch),
            }
        }
        None
    }
}
