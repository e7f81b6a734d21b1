//! ORDER BY as bytes: two rows compare as their sort keys do, byte by byte.
//!
//! Shared by all operators that keep rows in an order. Sort keys are never written to a checkpoint: they are made anew from the rows.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_row::{RowConverter, Rows, SortField};
use arrow_schema::SortOptions;
use weir_base::{Error, Result};
use weir_plan::{Schema, SortKey};

/// The bytes of one row.
pub type SortBytes = Arc<[u8]>;

/// Makes the sort keys of rows.
pub struct SortKeys {
    columns: Vec<usize>,
    /// None where nothing orders the rows.
    converter: Option<RowConverter>,
}

/// The sort keys of a batch.
pub struct SortRows(Option<Rows>);

impl SortKeys {
    /// Sort keys by `order` of rows with `schema`.
    ///
    /// # Errors
    /// A column has no order.
    pub fn new(order: &[SortKey], schema: &Schema) -> Result<Self> {
        let field = |key: &SortKey| {
            let options = SortOptions { descending: key.descending, nulls_first: !key.nulls_last };
            SortField::new_with_options(schema.fields[key.column].data_type.arrow(), options)
        };
        let columns = order.iter().map(|key| key.column).collect();
        if order.is_empty() {
            return Ok(Self { columns, converter: None });
        }
        let converter = RowConverter::new(order.iter().map(field).collect())
            .map_err(|error| Error::invalid(format!("order rows: {error}")))?;
        Ok(Self { columns, converter: Some(converter) })
    }

    /// The sort keys of all rows of `data`.
    ///
    /// # Errors
    /// The columns are not those of the schema.
    pub fn of(&self, data: &RecordBatch) -> Result<SortRows> {
        let Some(converter) = &self.converter else { return Ok(SortRows(None)) };
        let columns: Vec<ArrayRef> = self.columns.iter().map(|column| Arc::clone(data.column(*column))).collect();
        let rows = converter
            .convert_columns(&columns)
            .map_err(|error| Error::internal(format!("make the sort keys of rows: {error}")))?;
        Ok(SortRows(Some(rows)))
    }
}

impl SortRows {
    /// The sort key of row `index`.
    pub fn get(&self, index: usize) -> SortBytes {
        match &self.0 {
            Some(rows) => rows.row(index).as_ref().into(),
            None => SortBytes::from([]),
        }
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::{Float64Array, StringViewArray};
    use weir_plan::{DataType, Field, LogicalType};

    use super::*;

    /// The values of two columns in the order of their sort keys.
    fn sorted(order: &[SortKey]) -> Vec<usize> {
        let schema = Schema::new(vec![
            Field::new("text", DataType::string()),
            Field::new("number", DataType::nullable(LogicalType::Double)),
        ]);
        let columns: Vec<ArrayRef> = vec![
            Arc::new(StringViewArray::from(vec![Some("b"), None, Some("ä"), Some(""), Some("b")])),
            Arc::new(Float64Array::from(vec![Some(1.0), Some(2.0), None, Some(-3.0), Some(-1.0)])),
        ];
        let data = RecordBatch::try_new(schema.arrow(), columns).unwrap();
        let keys = SortKeys::new(order, &schema).unwrap().of(&data).unwrap();
        let mut rows: Vec<usize> = (0..5).collect();
        rows.sort_by_key(|row| keys.get(*row));
        rows
    }

    fn key(column: usize, descending: bool, nulls_last: bool) -> SortKey {
        SortKey { column, descending, nulls_last }
    }

    #[test]
    fn rows_are_ordered_by_several_keys_with_null_where_it_is_asked_for() {
        assert_eq!(sorted(&[key(0, false, false), key(1, false, false)]), [1, 3, 4, 0, 2]);
        assert_eq!(sorted(&[key(0, true, true), key(1, false, false)]), [2, 4, 0, 3, 1]);
        assert_eq!(sorted(&[key(1, false, true)]), [3, 4, 0, 1, 2]);
        assert_eq!(sorted(&[key(1, true, false)]), [2, 1, 0, 4, 3]);
    }

    #[test]
    fn without_keys_all_rows_are_equal() {
        assert_eq!(sorted(&[]), [0, 1, 2, 3, 4]);
    }
}
