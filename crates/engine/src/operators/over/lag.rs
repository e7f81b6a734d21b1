//! `LAG`: the last few values of each partition.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, UInt32Array, new_null_array};
use arrow_row::{RowConverter, SortField};
use arrow_select::take::take;
use weir_base::{Error, Kind, Result};
use weir_plan::DataType;

use crate::operators::aggregate::{Fixed, put_bytes, take_bytes};

/// A value as bytes.
type Value = Box<[u8]>;

/// One LAG with the values of each partition.
pub struct Lag {
    argument: usize,
    offset: usize,
    default: Option<usize>,
    converter: RowConverter,
    null: Value,
    states: Vec<Last>,
}

/// The values of a partition.
#[derive(Debug, Clone, Default)]
struct Last {
    /// The newest last; never more than reach back to the value that is asked for.
    values: VecDeque<Value>,
    /// What the newest row gives where no row is as far back.
    default: Option<Value>,
}

impl Lag {
    /// Without values.
    ///
    /// # Errors
    /// The type cannot be kept.
    pub fn new(argument: usize, offset: u64, default: Option<usize>, data_type: &DataType) -> Result<Self> {
        let arrow = data_type.arrow();
        let failed = |error| Error::invalid(format!("keep values of {} for LAG: {error}", data_type.logical));
        let converter = RowConverter::new(vec![SortField::new(arrow.clone())]).map_err(failed)?;
        let null = converter.convert_columns(&[new_null_array(&arrow, 1)]).map_err(failed)?.row(0).as_ref().into();
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        Ok(Self { argument, offset, default, converter, null, states: Vec::new() })
    }

    /// Adds states until there are `keys`.
    pub fn grow(&mut self, keys: usize) {
        self.states.resize(keys, Last::default());
    }

    fn values_of(&self, column: &ArrayRef, rows: &UInt32Array) -> Result<Vec<Value>> {
        let failed = |error| Error::internal(format!("keep values for LAG: {error}"));
        let values = take(column, rows, None).map_err(failed)?;
        let rows = self.converter.convert_columns(&[values]).map_err(failed)?;
        Ok(rows.iter().map(|row| row.as_ref().into()).collect())
    }

    /// Takes rows in.
    ///
    /// # Errors
    /// A column has another type than the plan says.
    pub fn update(&mut self, data: &RecordBatch, rows: &[u32], keys: &[u32]) -> Result<()> {
        let rows = UInt32Array::from(rows.to_vec());
        let values = self.values_of(data.column(self.argument), &rows)?;
        let defaults = self.default.map(|column| self.values_of(data.column(column), &rows)).transpose()?;
        for (index, (value, key)) in values.into_iter().zip(keys).enumerate() {
            let state = &mut self.states[*key as usize];
            state.values.push_back(value);
            if state.values.len() > self.offset.saturating_add(1) {
                state.values.pop_front();
            }
            state.default = defaults.as_ref().map(|defaults| defaults[index].clone());
        }
        Ok(())
    }

    /// The results for `keys`.
    ///
    /// # Errors
    /// A value does not read back.
    pub fn finish_keys(&self, keys: &[u32]) -> Result<ArrayRef> {
        let parser = self.converter.parser();
        let value = |key: &u32| {
            let state = &self.states[*key as usize];
            let reaches = state.values.len() > self.offset;
            let value = if reaches { state.values.front() } else { state.default.as_ref() };
            parser.parse(value.unwrap_or(&self.null))
        };
        let columns = self
            .converter
            .convert_rows(keys.iter().map(value))
            .map_err(|error| Error::new(Kind::Corrupt, format!("read values kept for LAG: {error}")))?;
        columns.first().map(Arc::clone).ok_or_else(|| Error::internal("read values kept for LAG: there is no column"))
    }

    /// Makes a state as if it had seen nothing.
    pub fn reset(&mut self, key: u32) {
        self.states[key as usize] = Last::default();
    }

    /// Adds the bytes of a state.
    pub fn write(&self, key: u32, out: &mut Vec<u8>) {
        let state = &self.states[key as usize];
        u32::try_from(state.values.len()).expect("values of one LAG are counted by a u32").put(out);
        state.values.iter().for_each(|value| put_bytes(value, out));
        put_bytes(state.default.as_deref().unwrap_or(&[]), out);
    }

    /// Takes a state from the front of `bytes`; `None` if it is none.
    pub fn read(&mut self, key: u32, bytes: &mut &[u8]) -> Option<()> {
        let count = u32::take(bytes)?;
        let values = (0..count).map(|_| take_bytes(bytes).map(Value::from)).collect::<Option<_>>()?;
        let default = take_bytes(bytes).filter(|default| !default.is_empty()).map(Value::from);
        self.states[key as usize] = Last { values, default };
        Some(())
    }

    /// Bytes of memory that the states take.
    pub fn bytes(&self) -> usize {
        let of = |state: &Last| {
            state.values.iter().chain(&state.default).map(|value| value.len() + size_of::<Value>()).sum::<usize>()
        };
        self.states.capacity() * size_of::<Last>() + self.states.iter().map(of).sum::<usize>()
    }
}
