//! A column while it is being decoded: values by position, with the positions that are NULL.
//!
//! A row that turns out bad is simply written over by the next one, a field that comes twice is written twice: nothing is ever taken back.
//! Strings are views into the records' own buffer (index 0) or into a side buffer (index 1) for text that had to be changed.

use std::sync::Arc;

use arrow_array::types::{
    DurationMillisecondType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    IntervalYearMonthType, Time32MillisecondType, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType,
};
use arrow_array::{
    ArrayRef, ArrowPrimitiveType, BinaryViewArray, BooleanArray, Date32Array, Decimal128Array, ListArray, MapArray,
    NullArray, PrimitiveArray, StringViewArray, StructArray,
};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType as ArrowType, TimeUnit};
use weir_base::{Error, Result};
use weir_plan::{DataType, LogicalType};

use crate::json::Keys;

/// One column, or the children of a nested one.
pub(crate) struct Column {
    /// Where its values come from, for messages: `metadata.fw`, `tags[]`.
    pub path: String,
    /// Flink's type.
    pub data_type: LogicalType,
    /// The values.
    pub values: Values,
    nulls: Nulls,
    arrow: ArrowType,
}

/// Values by position; what stands at a NULL's position means nothing.
pub(crate) enum Values {
    Null,
    Boolean(Vec<bool>),
    Int8(Vec<i8>),
    Int16(Vec<i16>),
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    Float32(Vec<f32>),
    Float64(Vec<f64>),
    /// Unscaled numbers, with precision and scale.
    Decimal(Vec<i128>, u8, u8),
    String(Vec<u128>),
    Binary(Vec<u128>),
    Date(Vec<i32>),
    /// Milliseconds of the day.
    Time(Vec<i32>),
    /// In the unit of the precision.
    Timestamp(Vec<i64>, u8),
    /// Where each list ends in the child.
    List(Vec<u32>, Box<Column>),
    /// Where each map ends in keys and values.
    Map(Vec<u32>, Box<Column>, Box<Column>),
    /// The fields, and how their names are found.
    Row(Vec<Column>, Keys),
}

/// Positions that are NULL: a bit for each, none while there is no NULL.
#[derive(Default)]
struct Nulls {
    words: Vec<u64>,
}

impl Nulls {
    fn set(&mut self, position: usize) {
        let word = position / 64;
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        self.words[word] |= 1 << (position % 64);
    }

    fn clear(&mut self, position: usize) {
        if let Some(word) = self.words.get_mut(position / 64) {
            *word &= !(1 << (position % 64));
        }
    }

    fn finish(&mut self, length: usize) -> Option<NullBuffer> {
        if self.words.is_empty() {
            return None;
        }
        let mut words = std::mem::take(&mut self.words);
        words.resize(length.div_ceil(64), 0);
        for word in &mut words {
            *word = !*word;
        }
        let nulls = NullBuffer::new(BooleanBuffer::new(Buffer::from_vec(words), 0, length));
        (nulls.null_count() > 0).then_some(nulls)
    }
}

/// Writes `value` at `position`, which is at most one past the end.
#[inline]
pub(crate) fn put<T>(values: &mut Vec<T>, position: usize, value: T) {
    match values.get_mut(position) {
        Some(place) => *place = value,
        None => values.push(value),
    }
}

impl Column {
    /// A column for `data_type`.
    ///
    /// # Errors
    /// Types that a decoder cannot give: MAP with keys that are no strings.
    pub fn new(path: impl Into<String>, data_type: &DataType) -> Result<Self> {
        let path = path.into();
        let values = match &data_type.logical {
            LogicalType::Null => Values::Null,
            LogicalType::Boolean => Values::Boolean(Vec::new()),
            LogicalType::TinyInt => Values::Int8(Vec::new()),
            LogicalType::SmallInt => Values::Int16(Vec::new()),
            LogicalType::Int | LogicalType::IntervalYearMonth => Values::Int32(Vec::new()),
            LogicalType::BigInt | LogicalType::IntervalDayTime => Values::Int64(Vec::new()),
            LogicalType::Float => Values::Float32(Vec::new()),
            LogicalType::Double => Values::Float64(Vec::new()),
            LogicalType::Decimal(precision, scale) => Values::Decimal(Vec::new(), *precision, *scale),
            LogicalType::Char(_) | LogicalType::Varchar(_) => Values::String(Vec::new()),
            LogicalType::Binary(_) | LogicalType::Varbinary(_) => Values::Binary(Vec::new()),
            LogicalType::Date => Values::Date(Vec::new()),
            LogicalType::Time(_) => Values::Time(Vec::new()),
            LogicalType::Timestamp(precision) | LogicalType::TimestampLtz(precision) => {
                Values::Timestamp(Vec::new(), *precision)
            }
            LogicalType::Array(element) => Values::List(Vec::new(), Box::new(Self::new(format!("{path}[]"), element)?)),
            LogicalType::Map(key, value) => {
                if !key.logical.is_string() {
                    return Err(Error::invalid(format!(
                        "decode the column '{path}': a {data_type} has keys that are no strings, and text formats know only those"
                    ))
                    .hint("declare the keys as STRING and cast them in the query"));
                }
                let keys = Box::new(Self::new(format!("{path}{{key}}"), key)?);
                Values::Map(Vec::new(), keys, Box::new(Self::new(format!("{path}{{}}"), value)?))
            }
            LogicalType::Row(fields) => {
                let columns = fields.iter().map(|field| Self::new(format!("{path}.{}", field.name), &field.data_type));
                Values::Row(columns.collect::<Result<_>>()?, Keys::new(fields.iter().map(|field| field.name.as_str())))
            }
        };
        Ok(Self {
            path,
            data_type: data_type.logical.clone(),
            values,
            nulls: Nulls::default(),
            arrow: data_type.arrow(),
        })
    }

    /// Makes room for `rows` values.
    pub fn reserve(&mut self, rows: usize) {
        match &mut self.values {
            Values::Null | Values::Row(..) => {}
            Values::Boolean(values) => values.reserve(rows),
            Values::Int8(values) => values.reserve(rows),
            Values::Int16(values) => values.reserve(rows),
            Values::Int32(values) | Values::Date(values) | Values::Time(values) => values.reserve(rows),
            Values::Int64(values) | Values::Timestamp(values, _) => values.reserve(rows),
            Values::Float32(values) => values.reserve(rows),
            Values::Float64(values) => values.reserve(rows),
            Values::Decimal(values, ..) => values.reserve(rows),
            Values::String(values) | Values::Binary(values) => values.reserve(rows),
            Values::List(ends, _) | Values::Map(ends, ..) => ends.reserve(rows),
        }
        if let Values::Row(columns, _) = &mut self.values {
            columns.iter_mut().for_each(|column| column.reserve(rows));
        }
    }

    /// Makes the value at `position` NULL; all before it must have been written.
    #[cold]
    pub fn set_null(&mut self, position: usize) {
        self.nulls.set(position);
        match &mut self.values {
            Values::Null => {}
            Values::Boolean(values) => put(values, position, false),
            Values::Int8(values) => put(values, position, 0),
            Values::Int16(values) => put(values, position, 0),
            Values::Int32(values) | Values::Date(values) | Values::Time(values) => put(values, position, 0),
            Values::Int64(values) | Values::Timestamp(values, _) => put(values, position, 0),
            Values::Float32(values) => put(values, position, 0.0),
            Values::Float64(values) => put(values, position, 0.0),
            Values::Decimal(values, ..) => put(values, position, 0),
            Values::String(values) | Values::Binary(values) => put(values, position, 0),
            Values::List(ends, _) | Values::Map(ends, ..) => {
                let start = list_start(ends, position);
                put(ends, position, start);
            }
            Values::Row(columns, _) => columns.iter_mut().for_each(|column| column.set_null(position)),
        }
    }

    /// Marks the value at `position`, which was just written, as there or as NULL.
    #[inline]
    pub fn mark(&mut self, position: usize, present: bool) {
        if !present {
            self.set_null(position);
        } else if !self.nulls.words.is_empty() {
            self.nulls.clear(position);
        }
    }

    /// Whether values are nested: they have children of their own.
    pub fn is_nested(&self) -> bool {
        matches!(self.values, Values::List(..) | Values::Map(..) | Values::Row(..))
    }

    /// The first `length` values as an array, whose strings lie in `buffers`; leaves the column empty.
    ///
    /// # Errors
    /// Only if an invariant of Arrow is broken.
    pub fn finish(&mut self, length: usize, buffers: &Arc<[Buffer]>) -> Result<ArrayRef> {
        let nulls = self.nulls.finish(length);
        let array: ArrayRef = match &mut self.values {
            Values::Null => Arc::new(NullArray::new(length)),
            Values::Boolean(values) => {
                let values = taken(values, length);
                Arc::new(BooleanArray::new(BooleanBuffer::from(values), nulls))
            }
            Values::Int8(values) => primitive::<Int8Type>(values, length, nulls),
            Values::Int16(values) => primitive::<Int16Type>(values, length, nulls),
            Values::Int32(values) if self.data_type == LogicalType::IntervalYearMonth => {
                primitive::<IntervalYearMonthType>(values, length, nulls)
            }
            Values::Int32(values) => primitive::<Int32Type>(values, length, nulls),
            Values::Int64(values) if self.data_type == LogicalType::IntervalDayTime => {
                primitive::<DurationMillisecondType>(values, length, nulls)
            }
            Values::Int64(values) => primitive::<Int64Type>(values, length, nulls),
            Values::Float32(values) => primitive::<Float32Type>(values, length, nulls),
            Values::Float64(values) => primitive::<Float64Type>(values, length, nulls),
            Values::Decimal(values, ..) => {
                let array = Decimal128Array::new(ScalarBuffer::from(taken(values, length)), nulls);
                Arc::new(array.with_data_type(self.arrow.clone()))
            }
            Values::String(views) => {
                let views = ScalarBuffer::from(taken(views, length));
                // SAFETY: each view was made by `text::view_of` for bytes of `buffers` that were checked to be UTF-8 from their first to their
                // last byte, or is the 0 of a NULL: an empty string.
                Arc::new(unsafe { StringViewArray::new_unchecked(views, Arc::clone(buffers), nulls) })
            }
            Values::Binary(views) => {
                let views = ScalarBuffer::from(taken(views, length));
                Arc::new(BinaryViewArray::try_new(views, Arc::clone(buffers), nulls).map_err(broken)?)
            }
            Values::Date(values) => Arc::new(Date32Array::new(ScalarBuffer::from(taken(values, length)), nulls)),
            Values::Time(values) => primitive::<Time32MillisecondType>(values, length, nulls),
            Values::Timestamp(values, _) => timestamps(&self.arrow, values, length, nulls)?,
            Values::List(ends, child) => {
                let (offsets, total) = offsets(ends, length)?;
                let ArrowType::List(field) = &self.arrow else { return Err(Error::internal("make an ARRAY column")) };
                let child = child.finish(total, buffers)?;
                Arc::new(ListArray::try_new(Arc::clone(field), offsets, child, nulls).map_err(broken)?)
            }
            Values::Map(ends, keys, values) => {
                let (offsets, total) = offsets(ends, length)?;
                let ArrowType::Map(field, ordered) = &self.arrow else {
                    return Err(Error::internal("make a MAP column"));
                };
                let ArrowType::Struct(entry) = field.data_type() else {
                    return Err(Error::internal("make a MAP column"));
                };
                let children = vec![keys.finish(total, buffers)?, values.finish(total, buffers)?];
                let entries = StructArray::try_new_with_length(entry.clone(), children, None, total).map_err(broken)?;
                Arc::new(MapArray::try_new(Arc::clone(field), offsets, entries, nulls, *ordered).map_err(broken)?)
            }
            Values::Row(columns, _) => {
                let ArrowType::Struct(fields) = &self.arrow else { return Err(Error::internal("make a ROW column")) };
                let children =
                    columns.iter_mut().map(|column| column.finish(length, buffers)).collect::<Result<_>>()?;
                Arc::new(StructArray::try_new_with_length(fields.clone(), children, nulls, length).map_err(broken)?)
            }
        };
        Ok(array)
    }
}

/// Where the list at `position` starts in its child: the end of the one before it.
pub(crate) fn list_start(ends: &[u32], position: usize) -> u32 {
    position.checked_sub(1).map_or(0, |before| ends[before])
}

fn broken(source: arrow_schema::ArrowError) -> Error {
    Error::internal(format!("put decoded values together: {source}")).caused_by(source)
}

fn taken<T: Clone>(values: &mut Vec<T>, length: usize) -> Vec<T> {
    let mut values = std::mem::take(values);
    values.truncate(length);
    values
}

fn primitive<T: ArrowPrimitiveType>(values: &mut Vec<T::Native>, length: usize, nulls: Option<NullBuffer>) -> ArrayRef {
    Arc::new(PrimitiveArray::<T>::new(ScalarBuffer::from(taken(values, length)), nulls))
}

fn timestamps(arrow: &ArrowType, values: &mut Vec<i64>, length: usize, nulls: Option<NullBuffer>) -> Result<ArrayRef> {
    let values = ScalarBuffer::from(taken(values, length));
    let ArrowType::Timestamp(unit, zone) = arrow else { return Err(Error::internal("make a TIMESTAMP column")) };
    let zone = zone.clone();
    Ok(match unit {
        TimeUnit::Microsecond => {
            Arc::new(PrimitiveArray::<TimestampMicrosecondType>::new(values, nulls).with_timezone_opt(zone))
        }
        TimeUnit::Nanosecond => {
            Arc::new(PrimitiveArray::<TimestampNanosecondType>::new(values, nulls).with_timezone_opt(zone))
        }
        _ => Arc::new(PrimitiveArray::<TimestampMillisecondType>::new(values, nulls).with_timezone_opt(zone)),
    })
}

/// The offsets of the first `length` lists, and where the last one ends.
fn offsets(ends: &mut Vec<u32>, length: usize) -> Result<(OffsetBuffer<i32>, usize)> {
    let ends = taken(ends, length);
    let total = ends.last().map_or(0, |end| *end as usize);
    let mut offsets = Vec::with_capacity(length + 1);
    offsets.push(0i32);
    for end in ends {
        let end = i32::try_from(end);
        offsets.push(end.map_err(|_| Error::invalid("hold more than 2147483647 array elements in one batch"))?);
    }
    Ok((OffsetBuffer::new(ScalarBuffer::from(offsets)), total))
}
