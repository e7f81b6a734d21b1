//! Values as bytes, in Flink's order of their type: what collections hold. A value may be of several columns.

use std::sync::Arc;

use arrow_array::{ArrayRef, new_empty_array, new_null_array};
use arrow_row::{RowConverter, Rows, SortField};
use arrow_schema::DataType as ArrowType;
use weir_base::{Error, Kind, Result};
use weir_plan::DataType;

use super::multiset::Value;

/// Turns values into bytes and back. The bytes of two values compare as the values do; NULL is before all others.
#[derive(Debug, Clone)]
pub struct ValueCodec {
    converter: Arc<RowConverter>,
    types: Vec<ArrowType>,
    /// The bytes of a value that is NULL in all columns.
    null: Value,
}

impl ValueCodec {
    /// A codec of values of `types`.
    ///
    /// # Errors
    /// Values of a type cannot be kept.
    pub fn new(types: &[DataType]) -> Result<Self> {
        let failed = |error| {
            let types: Vec<_> = types.iter().map(|data_type| data_type.logical.to_string()).collect();
            Error::invalid(format!("keep values of {} in state: {error}", types.join(", ")))
        };
        let types: Vec<ArrowType> = types.iter().map(DataType::arrow).collect();
        let fields = types.iter().map(|arrow| SortField::new(arrow.clone())).collect();
        let converter = RowConverter::new(fields).map_err(failed)?;
        let nulls: Vec<ArrayRef> = types.iter().map(|arrow| new_null_array(arrow, 1)).collect();
        let null = converter.convert_columns(&nulls).map_err(failed)?.row(0).data().into();
        Ok(Self { converter: Arc::new(converter), types, null })
    }

    /// The bytes of all values of `columns`.
    ///
    /// # Errors
    /// The columns are of other types.
    pub fn encode(&self, columns: &[ArrayRef]) -> Result<Rows> {
        self.converter
            .convert_columns(columns)
            .map_err(|error| Error::internal(format!("encode values to aggregate: {error}")))
    }

    /// The columns of values from their bytes; `None` is NULL.
    ///
    /// # Errors
    /// They are no values of these types.
    pub fn decode_columns<'a>(&self, values: impl Iterator<Item = Option<&'a Value>>) -> Result<Vec<ArrayRef>> {
        let parser = self.converter.parser();
        let rows: Vec<_> = values.map(|value| parser.parse(value.unwrap_or(&self.null))).collect();
        if rows.is_empty() {
            return Ok(self.types.iter().map(new_empty_array).collect());
        }
        let failed = |error| Error::new(Kind::Corrupt, format!("decode values of an aggregate: {error}"));
        self.converter.convert_rows(rows).map_err(failed)
    }

    /// As `decode_columns`, for values of one column.
    ///
    /// # Errors
    /// They are no values of this type.
    pub fn decode<'a>(&self, values: impl Iterator<Item = Option<&'a Value>>) -> Result<ArrayRef> {
        let mut columns = self.decode_columns(values)?;
        columns.pop().ok_or_else(|| Error::internal("decode values of an aggregate: they have no column"))
    }
}
