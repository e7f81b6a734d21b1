//! `DISTINCT` before any aggregate: each value of a key is taken once, and given back when its last one is taken back.
//!
//! A value is all arguments together; NULL is one, too. -0.0 and 0.0 are two values, as in Flink, all NaN are one.

use std::any::Any;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{Field, Schema};
use weir_base::{Error, Result};
use weir_plan::DataType;

use super::accumulator::Accumulator;
use super::elements::ElementSink;
use super::multiset::{HashedMultiset, Value};
use super::rows::Rows;
use super::values::ValueCodec;

/// Elements of the values seen, in front of their keys; those of the function behind have the other.
const OWN: u8 = 0;
const INNER: u8 = 1;

/// An aggregate over the distinct values of each key.
pub struct Distinct {
    plain: Box<dyn Accumulator>,
    codec: ValueCodec,
    /// Values are counted, since they are taken back, too.
    retracts: bool,
    /// The values seen, by key.
    seen: Vec<HashedMultiset>,
    heap: usize,
    rows: Vec<u32>,
    keys: Vec<u32>,
}

impl Distinct {
    /// Distinct values for `plain`, whose arguments have these types; `retracts`: values are taken back, too.
    ///
    /// # Errors
    /// Values of a type cannot be kept.
    pub fn new(plain: Box<dyn Accumulator>, types: &[DataType], retracts: bool) -> Result<Self> {
        Ok(Self::with(plain, ValueCodec::new(types)?, retracts))
    }

    fn with(plain: Box<dyn Accumulator>, codec: ValueCodec, retracts: bool) -> Self {
        Self { plain, codec, retracts, seen: Vec::new(), heap: 0, rows: Vec::new(), keys: Vec::new() }
    }

    /// Counts a value; gives whether it is there now and was not before, or the other way round.
    fn count_value(&mut self, key: u32, value: &[u8], step: i64) -> bool {
        let seen = &mut self.seen[key as usize];
        if self.retracts {
            let (before, after) = seen.add(value, step, &mut self.heap);
            (before > 0) != (after > 0)
        } else {
            seen.insert(value, &mut self.heap)
        }
    }

    /// Counts the values of `rows`, and keeps the rows whose value was not there before (`step` 1) or is no longer there (`step` -1).
    fn count(&mut self, rows: &Rows<'_>, step: i64) -> Result<()> {
        let arguments = (0..rows.arguments.len()).map(|index| rows.taken(index)).collect::<Result<Vec<_>>>()?;
        let values = self.codec.encode(&arguments)?;
        self.rows.clear();
        self.keys.clear();
        for (value, (row, key)) in values.iter().zip(rows.rows.iter().zip(rows.keys)) {
            if self.count_value(*key, value.data(), step) {
                self.rows.push(*row);
                self.keys.push(*key);
            }
        }
        Ok(())
    }
}

impl Accumulator for Distinct {
    fn grow(&mut self, keys: usize) {
        self.plain.grow(keys);
        self.seen.resize_with(keys, HashedMultiset::default);
    }

    fn update(&mut self, rows: &Rows<'_>) -> Result<()> {
        self.count(rows, 1)?;
        self.plain.update(&Rows { rows: &self.rows, keys: &self.keys, ..*rows })
    }

    fn retract(&mut self, rows: &Rows<'_>) -> Result<()> {
        self.count(rows, -1)?;
        self.plain.retract(&Rows { rows: &self.rows, keys: &self.keys, ..*rows })
    }

    fn merge(&mut self, other: &dyn Accumulator, from: &[u32], to: &[u32]) -> Result<()> {
        let other = other
            .as_any()
            .downcast_ref::<Self>()
            .ok_or_else(|| Error::internal("merge the states of two different aggregates"))?;
        let (mut values, mut keys): (Vec<&Value>, Vec<u32>) = (Vec::new(), Vec::new());
        for (from, to) in from.iter().zip(to) {
            let first = values.len();
            for (value, count) in other.seen[*from as usize].iter() {
                if self.count_value(*to, value, count) {
                    values.push(value);
                    keys.push(*to);
                }
            }
            // In some order that is always the same: what came first is not known here, nor in Flink.
            values[first..].sort_unstable();
        }
        let columns = self.codec.decode_columns(values.iter().map(|value| Some(*value)))?;
        let fields: Vec<Field> =
            columns.iter().map(|column| Field::new("value", column.data_type().clone(), true)).collect();
        let arguments: Vec<usize> = (0..columns.len()).collect();
        let data = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
            .map_err(|error| Error::internal(format!("merge DISTINCT values: {error}")))?;
        let rows: Vec<u32> = (0..).take(keys.len()).collect();
        self.plain.update(&Rows { data: &data, arguments: &arguments, rows: &rows, keys: &keys })
    }

    fn reset(&mut self, keys: &[u32]) {
        self.plain.reset(keys);
        for key in keys {
            self.heap -= std::mem::take(&mut self.seen[*key as usize]).bytes();
        }
    }

    fn gather(&self, keys: &[u32]) -> Box<dyn Accumulator> {
        let seen: Vec<_> = keys.iter().map(|key| self.seen[*key as usize].clone()).collect();
        let heap = seen.iter().map(HashedMultiset::bytes).sum();
        Box::new(Self { seen, heap, ..Self::with(self.plain.gather(keys), self.codec.clone(), self.retracts) })
    }

    fn write(&self, key: usize, out: &mut Vec<u8>) {
        self.plain.write(key, out);
    }

    fn read(&mut self, key: usize, bytes: &mut &[u8]) -> Option<()> {
        self.plain.read(key, bytes)
    }

    fn has_elements(&self) -> bool {
        true
    }

    fn freeze_elements(&mut self, key: usize, sink: &mut ElementSink<'_>) {
        sink.within(OWN, |sink| self.seen[key].freeze(sink));
        sink.within(INNER, |sink| self.plain.freeze_elements(key, sink));
    }

    fn forget_elements(&self, key: usize, sink: &mut ElementSink<'_>) {
        sink.within(OWN, |sink| self.seen[key].forget(sink));
        sink.within(INNER, |sink| self.plain.forget_elements(key, sink));
    }

    fn read_element(&mut self, key: usize, element: &[u8], value: &[u8]) -> Option<()> {
        match element.split_first()? {
            (&OWN, element) => self.seen[key].read(element, value, &mut self.heap),
            (_, element) => self.plain.read_element(key, element, value),
        }
    }

    fn finish(&self) -> Result<ArrayRef> {
        self.plain.finish()
    }

    fn finish_keys(&self, keys: &[u32]) -> Result<ArrayRef> {
        self.plain.finish_keys(keys)
    }

    fn bytes(&self) -> usize {
        self.plain.bytes() + self.seen.capacity() * size_of::<HashedMultiset>() + self.heap
    }

    fn empty(&self) -> Box<dyn Accumulator> {
        Box::new(Self::with(self.plain.empty(), self.codec.clone(), self.retracts))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
