//! `PERCENTILE(x, p [, frequency])`: the value at a share `p` of the values in order, between two of them by their distance; an array of shares gives an array.
//! A key's shares are those of its first row. NULL where no value is.

use std::sync::Arc;

use arrow_array::builder::{Float64Builder, ListBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef, Float64Array};
use arrow_schema::{DataType as ArrowType, Field};
use weir_base::{Error, Result};
use weir_plan::{DataType, LogicalType};

use super::bytes::Fixed;
use super::elements::ElementSink;
use super::fold::Fold;
use super::multiset::OrderedMultiset;
use super::rows::{Rows, other_type};
use crate::expr::decimal_to_double;

/// A percentile, or several.
#[derive(Debug, Clone)]
pub struct Percentile {
    arguments: Vec<DataType>,
    several: bool,
}

/// What has been seen of the values of a key.
#[derive(Debug, Clone, Default)]
pub struct Shares {
    /// `None` before the first row.
    shares: Option<Vec<f64>>,
    values: OrderedMultiset,
}

impl Percentile {
    /// Of arguments of these types.
    pub fn new(arguments: &[DataType]) -> Self {
        let several = arguments.get(1).is_some_and(|shares| matches!(shares.logical, LogicalType::Array(_)));
        Self { arguments: arguments.to_vec(), several }
    }

    fn scale(&self) -> u8 {
        match self.arguments.first().map(|argument| &argument.logical) {
            Some(LogicalType::Decimal(_, scale)) => *scale,
            _ => 0,
        }
    }

    /// The shares that `row` of the second argument says.
    fn shares(&self, column: &ArrayRef, row: usize) -> Result<Vec<f64>> {
        let doubles = |array: &ArrayRef, row: usize| -> Result<Vec<f64>> {
            let array = array.as_primitive_opt::<Float64Type>().ok_or_else(|| other_type(array))?;
            Ok(vec![array.value(row)])
        };
        let shares = if self.several {
            let list = column.as_list_opt::<i32>().ok_or_else(|| other_type(column))?;
            let items = list.value(row);
            (0..items.len()).map(|item| Ok(doubles(&items, item)?[0])).collect::<Result<Vec<_>>>()?
        } else {
            doubles(column, row)?
        };
        match shares.iter().find(|share| **share < 0.0 || **share > 1.0) {
            None => Ok(shares),
            Some(share) => Err(Error::invalid(format!(
                "Percentage of PERCENTILE should be between [0.0, 1.0], but was '{share:?}'."
            ))),
        }
    }

    fn take(&self, states: &mut [Shares], heap: &mut usize, rows: &Rows<'_>, step: i64) -> Result<()> {
        let values = doubles(rows.argument(0)?, self.scale())?;
        let shares = rows.argument(1)?;
        let frequency = match rows.arguments.len() {
            2 => None,
            _ => Some(integers(rows.argument(2)?)?),
        };
        for (row, key) in rows.rows.iter().zip(rows.keys) {
            let (row, state) = (*row as usize, &mut states[*key as usize]);
            if state.shares.is_none() && step > 0 {
                let read = self.shares(shares, row)?;
                *heap += read.capacity() * size_of::<f64>();
                state.shares = Some(read);
            }
            let count = match &frequency {
                None => 1,
                Some(frequency) if frequency.is_valid(row) && frequency.value(row) > 0 => frequency.value(row),
                Some(_) => continue,
            };
            if values.is_valid(row) {
                state.values.add(&ordered(values.value(row)), step * count, heap);
            }
        }
        Ok(())
    }
}

/// A column of numbers as DOUBLE; `scale` is that of a DECIMAL.
fn doubles(column: &ArrayRef, scale: u8) -> Result<Float64Array> {
    if let Some(values) = column.as_primitive_opt::<Decimal128Type>() {
        return Ok(values.unary(|value| decimal_to_double(value, scale)));
    }
    if let Some(values) = column.as_primitive_opt::<Float64Type>() {
        return Ok(values.clone());
    }
    if let Some(values) = column.as_primitive_opt::<Float32Type>() {
        return Ok(values.unary(f64::from));
    }
    #[expect(clippy::cast_precision_loss, reason = "Java's widening of a long")]
    Ok(integers(column)?.unary(|value| value as f64))
}

/// A column of integers as BIGINT.
fn integers(column: &ArrayRef) -> Result<arrow_array::Int64Array> {
    Ok(match column.data_type() {
        ArrowType::Int8 => column.as_primitive::<Int8Type>().unary(i64::from),
        ArrowType::Int16 => column.as_primitive::<Int16Type>().unary(i64::from),
        ArrowType::Int32 => column.as_primitive::<Int32Type>().unary(i64::from),
        ArrowType::Int64 => column.as_primitive::<Int64Type>().clone(),
        _ => return Err(other_type(column)),
    })
}

/// Bytes that are ordered as Java's `Double.compare` orders the values: -0.0 before 0.0, NaN last.
fn ordered(value: f64) -> [u8; 8] {
    let bits = if value.is_nan() { f64::NAN.to_bits() } else { value.to_bits() };
    let flipped = if bits >> 63 == 0 { bits ^ (1 << 63) } else { !bits };
    flipped.to_be_bytes()
}

/// The value of `ordered` bytes.
fn value_of(bytes: &[u8]) -> f64 {
    let flipped = bytes.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
    f64::from_bits(if flipped >> 63 == 1 { flipped ^ (1 << 63) } else { !flipped })
}

impl Shares {
    /// The percentile at each share; `None` where no value is.
    fn percentiles(&self) -> Option<Vec<f64>> {
        let shares = self.shares.as_ref()?;
        let values: Vec<(f64, i64)> = self.values.iter().map(|(value, count)| (value_of(value), count)).collect();
        let total: i64 = values.iter().map(|(_, count)| count).sum();
        (total > 0).then(|| shares.iter().map(|share| percentile(&values, total, *share)).collect())
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "a position lies between one and the number of values, which is far below 2^53"
)]
fn percentile(values: &[(f64, i64)], total: i64, share: f64) -> f64 {
    let position = share * (total - 1) as f64 + 1.0;
    let (lower, higher) = (position.floor() as i64, position.ceil() as i64);
    let (mut index, mut before) = (0, values[0].1);
    while before < lower && index + 1 < values.len() {
        index += 1;
        before += values[index].1;
    }
    let value = values[index].0;
    match values.get(index + 1) {
        Some((next, _)) if before < higher => (higher as f64 - position) * value + (position - lower as f64) * next,
        _ => value,
    }
}

impl Fold for Percentile {
    type State = Shares;

    fn update(&self, states: &mut [Shares], heap: &mut usize, rows: &Rows<'_>) -> Result<()> {
        self.take(states, heap, rows, 1)
    }

    fn retract(&self, states: &mut [Shares], heap: &mut usize, rows: &Rows<'_>) -> Result<()> {
        self.take(states, heap, rows, -1)
    }

    fn merge(&self, into: &mut Shares, heap: &mut usize, from: &Shares) -> Result<()> {
        if into.shares.is_none() && from.shares.is_some() {
            into.shares.clone_from(&from.shares);
            *heap += into.shares.as_ref().map_or(0, |shares| shares.capacity() * size_of::<f64>());
        }
        into.values.merge(&from.values, heap);
        Ok(())
    }

    fn write(&self, state: &Shares, out: &mut Vec<u8>) {
        let shares = state.shares.as_deref().unwrap_or_default();
        u8::from(state.shares.is_some()).put(out);
        (shares.len() as u64).put(out);
        shares.iter().for_each(|share| share.put(out));
    }

    fn read(&self, bytes: &mut &[u8], heap: &mut usize) -> Option<Shares> {
        let is_there = u8::take(bytes)? != 0;
        let count = u64::take(bytes)?;
        let shares: Vec<f64> = (0..count).map(|_| f64::take(bytes)).collect::<Option<_>>()?;
        *heap += shares.capacity() * size_of::<f64>();
        Some(Shares { shares: is_there.then_some(shares), values: OrderedMultiset::default() })
    }

    fn finish<'a>(&self, states: impl Iterator<Item = &'a Shares> + Clone) -> Result<ArrayRef> {
        if !self.several {
            let first = |state: &Shares| state.percentiles().and_then(|all| all.first().copied());
            return Ok(Arc::new(states.map(first).collect::<Float64Array>()));
        }
        let mut lists =
            ListBuilder::new(Float64Builder::new()).with_field(Field::new("item", ArrowType::Float64, true));
        for state in states {
            match state.percentiles().filter(|all| !all.is_empty()) {
                Some(all) => lists.append_value(all.into_iter().map(Some)),
                None => lists.append_null(),
            }
        }
        Ok(Arc::new(lists.finish()))
    }

    fn heap_bytes(&self, state: &Shares) -> usize {
        state.values.bytes() + state.shares.as_ref().map_or(0, |shares| shares.capacity() * size_of::<f64>())
    }

    fn has_elements(&self) -> bool {
        true
    }

    fn freeze_elements(&self, state: &mut Shares, sink: &mut ElementSink<'_>) {
        state.values.freeze(sink);
    }

    fn forget_elements(&self, state: &Shares, sink: &mut ElementSink<'_>) {
        state.values.forget(sink);
    }

    fn read_element(&self, state: &mut Shares, heap: &mut usize, key: &[u8], value: &[u8]) -> Option<()> {
        state.values.read(key, value, heap)
    }
}
