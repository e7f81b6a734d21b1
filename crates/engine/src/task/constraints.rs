//! What the declared types of a sink's columns demand of its rows: NOT NULL, and the lengths of texts and bytes.
//!
//! It looks at whole columns of a batch and touches only those that do not keep to their type. What stands inside ROW, ARRAY and MAP is not looked at.

use std::sync::Arc;

use arrow_array::{Array, BooleanArray, RecordBatch};
use arrow_select::filter::filter_record_batch;
use weir_base::{Error, Result, RowKind};
use weir_connector::Batch;
use weir_plan::{LogicalType, SinkSpec};
use weir_ports::{LengthEnforcer, SinkConstraints};

use crate::expr::{fitted, misfit};

/// The demands of one sink.
pub struct Constraints {
    table: String,
    /// Columns that must not be NULL.
    not_null: Vec<(usize, String)>,
    /// Columns of a length.
    lengths: Vec<(usize, String, LogicalType)>,
    settings: SinkConstraints,
}

impl Constraints {
    /// The demands of the table of `spec`.
    pub fn new(spec: &SinkSpec, settings: SinkConstraints) -> Self {
        let columns = || spec.physical.fields.iter().enumerate();
        let not_null = columns()
            .filter(|(_, field)| !field.data_type.nullable)
            .map(|(index, field)| (index, field.name.clone()))
            .collect();
        let has_length = |logical: &LogicalType| match logical {
            LogicalType::Char(_) | LogicalType::Binary(_) => true,
            LogicalType::Varchar(length) | LogicalType::Varbinary(length) => *length != weir_plan::LENGTH_MAX,
            _ => false,
        };
        let lengths = columns()
            .filter(|(_, field)| settings.lengths != LengthEnforcer::Ignore && has_length(&field.data_type.logical))
            .map(|(index, field)| (index, field.name.clone(), field.data_type.logical.clone()))
            .collect();
        Self { table: spec.table.clone(), not_null, lengths, settings }
    }

    /// The rows that may be written; `None` when that is the batch as it is.
    ///
    /// # Errors
    /// A row does not keep to the types, and the settings say that this fails the job; Flink's words.
    pub fn keep(&self, batch: &Batch) -> Result<Option<Batch>> {
        let kept = self.without_nulls(batch)?;
        let fitted = self.fitted(kept.as_ref().unwrap_or(batch))?;
        Ok(fitted.or(kept))
    }

    fn without_nulls(&self, batch: &Batch) -> Result<Option<Batch>> {
        let offending = self.not_null.iter().find(|(index, _)| batch.data.column(*index).logical_null_count() > 0);
        let Some((_, name)) = offending else { return Ok(None) };
        if !self.settings.not_null_drop {
            return Err(Error::invalid(format!(
                "write to the table '{}': Column '{name}' is NOT NULL, however, a null value is being written into it",
                self.table
            ))
            .hint("set 'table.exec.sink.not-null-enforcer' = 'DROP' to leave such rows out"));
        }
        let valid = |row: usize| self.not_null.iter().all(|(index, _)| !batch.data.column(*index).is_null(row));
        let keep: BooleanArray = (0..batch.rows()).map(|row| Some(valid(row))).collect();
        let data = filter_record_batch(&batch.data, &keep).map_err(|error| Error::internal(error.to_string()))?;
        let kinds = batch.kinds.as_ref().map(|kinds| -> Arc<[RowKind]> {
            kinds.iter().zip(keep.values()).filter(|(_, keep)| *keep).map(|(kind, _)| *kind).collect()
        });
        Ok(Some(Batch { data, kinds, fetched_us: batch.fetched_us }))
    }

    /// Texts and bytes cut or filled up; `None` where all have their lengths.
    fn fitted(&self, batch: &Batch) -> Result<Option<Batch>> {
        let mut columns = batch.data.columns().to_vec();
        let mut changed = false;
        for (index, name, logical) in &self.lengths {
            if self.settings.lengths == LengthEnforcer::Error {
                let Some(length) = misfit(&columns[*index], logical) else { continue };
                return Err(Error::invalid(format!(
                    "write to the table '{}': Column '{name}' is {logical}, however, a string of length {length} is \
                     being written into it",
                    self.table
                ))
                .hint(
                    "set 'table.exec.sink.type-length-enforcer' to IGNORE or TRIM_PAD, or declare the column longer",
                ));
            }
            if let Some(fitted) = fitted(&columns[*index], logical) {
                columns[*index] = fitted;
                changed = true;
            }
        }
        if !changed {
            return Ok(None);
        }
        let data = RecordBatch::try_new(batch.data.schema(), columns);
        let data = data.map_err(|error| Error::internal(error.to_string()))?;
        Ok(Some(Batch { data, kinds: batch.kinds.clone(), fetched_us: batch.fetched_us }))
    }
}
