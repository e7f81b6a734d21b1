//! Rows as bytes: how operators keep rows in their state. Each carries a mark of its columns' types, so that a row of another schema is never misread.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_row::{Row, RowConverter, Rows, SortField};
use arrow_schema::SchemaRef;
use weir_base::{Error, Kind, Result, RowKind};
use weir_connector::Batch;
use weir_plan::Schema;
use xxhash_rust::xxh3::xxh3_64;

const MARK_BYTES: usize = 4;

/// A row as bytes.
pub type StoredRow = Arc<[u8]>;

/// Turns rows of one schema into bytes and back.
pub struct RowCodec {
    converter: RowConverter,
    schema: SchemaRef,
    mark: [u8; MARK_BYTES],
}

impl RowCodec {
    /// A codec of rows with `schema`.
    ///
    /// # Errors
    /// A column has a type that cannot be kept.
    pub fn new(schema: &Schema) -> Result<Self> {
        let arrow = schema.arrow();
        let fields = arrow.fields().iter().map(|field| SortField::new(field.data_type().clone())).collect();
        let converter = RowConverter::new(fields)
            .map_err(|error| Error::invalid(format!("keep rows of {} in state: {error}", types_of(schema))))?;
        let hash = xxh3_64(types_of(schema).as_bytes()).to_le_bytes();
        let mark = *hash.first_chunk().expect("a mark is shorter than a hash");
        Ok(Self { converter, schema: arrow, mark })
    }

    /// Encodes all rows of `columns`.
    ///
    /// # Errors
    /// The columns are not those of the schema.
    pub fn encode(&self, columns: &[ArrayRef]) -> Result<Rows> {
        self.converter.convert_columns(columns).map_err(|error| Error::internal(format!("encode rows: {error}")))
    }

    /// A row to be kept, with `time` beside it.
    pub fn store(&self, row: Row<'_>, time: i64) -> StoredRow {
        let row: &[u8] = row.as_ref();
        self.mark.iter().copied().chain(time.to_le_bytes()).chain(row.iter().copied()).collect()
    }

    /// Checks a row that comes out of a checkpoint and gives the time beside it.
    ///
    /// # Errors
    /// It has other columns, or is too short.
    pub fn check(&self, stored: &[u8]) -> Result<i64> {
        let Some((mark, rest)) = stored.split_first_chunk::<MARK_BYTES>() else {
            return Err(Error::new(Kind::Corrupt, format!("read a row from state: it has {} bytes", stored.len())));
        };
        if *mark != self.mark {
            let columns: Vec<String> =
                self.schema.fields().iter().map(|field| format!("{} {}", field.name(), field.data_type())).collect();
            return Err(Error::invalid(format!(
                "restore a row: the state was written with other columns than ({})",
                columns.join(", ")
            ))
            .hint("start with --fresh, or with the SQL that wrote it"));
        }
        match rest.first_chunk() {
            Some(time) => Ok(i64::from_le_bytes(*time)),
            None => Err(Error::new(Kind::Corrupt, format!("read a row from state: it has {} bytes", stored.len()))),
        }
    }

    /// Decodes kept rows.
    ///
    /// # Errors
    /// They are not rows.
    pub fn decode<'a>(&self, stored: impl IntoIterator<Item = &'a StoredRow>) -> Result<RecordBatch> {
        let parser = self.converter.parser();
        let rows = stored.into_iter().map(|stored| parser.parse(&stored[MARK_BYTES + size_of::<i64>()..]));
        let failed = |error| Error::new(Kind::Corrupt, format!("decode rows kept in state: {error}"));
        let columns = self.converter.convert_rows(rows).map_err(failed)?;
        RecordBatch::try_new(Arc::clone(&self.schema), columns).map_err(failed)
    }
}

/// Checks that `batch` has inserts only, for an operator that does `what`; the planner has seen to it.
///
/// # Errors
/// It has a row of another kind.
pub fn check_insert_only(batch: &Batch, what: &str) -> Result<()> {
    match &batch.kinds {
        Some(kinds) if kinds.iter().any(|kind| *kind != RowKind::Insert) => {
            Err(Error::internal(format!("{what}: the input must be insert-only")))
        }
        _ => Ok(()),
    }
}

fn types_of(schema: &Schema) -> String {
    let types: Vec<String> = schema.fields.iter().map(|field| field.data_type.logical.to_string()).collect();
    format!("({})", types.join(", "))
}
