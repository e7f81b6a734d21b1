//! Generators: the values of one field for given rows.
//!
//! Each value is drawn from a generator of numbers of its own, made from row and field, so that it is the same whichever rows come with it.

use std::sync::Arc;

use arrow_array::builder::{BinaryViewBuilder, StringViewBuilder};
use arrow_array::types::{
    Date32Type, Decimal128Type, DurationMillisecondType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, IntervalYearMonthType, Time32MillisecondType, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType,
};
use arrow_array::{
    Array, ArrayRef, ArrowPrimitiveType, BooleanArray, ListArray, MapArray, NullArray, PrimitiveArray, StructArray,
};
use arrow_buffer::{BooleanBuffer, NullBuffer, OffsetBuffer};
use arrow_schema::{DataType as ArrowType, TimeUnit};
use weir_base::calendar::DAY_MS;
use weir_base::{Error, Result, Rng, Timestamp};
use weir_plan::{DataType, LogicalType};

use crate::options::{Options, wrong};

/// Bytes of a value of a type that has a size, at most.
const FIXED_BYTES_MAX: u64 = 16;

/// Makes the values of a field.
pub(crate) struct Generator {
    arrow: ArrowType,
    kind: Kind,
    null_rate: f64,
}

enum Kind {
    Null,
    Boolean,
    /// A whole number from the first to the second, both inclusive.
    Integer(i64, i64),
    /// A number from the first up to the second.
    Float(f64, f64),
    /// An unscaled number from the first to the second, both inclusive.
    Decimal(i128, i128),
    /// Hexadecimal digits.
    String(Length),
    Bytes(Length),
    /// Today.
    Date,
    /// The time of day now.
    Time,
    /// Now, less at most so many milliseconds.
    Timestamp(u64),
    /// The first number, then one more for each row; with the factor of a decimal's scale.
    Sequence(i64),
    Array(Box<Generator>, Length),
    Map(Box<Generator>, Box<Generator>, Length),
    Row(Vec<Generator>),
}

/// How long values are.
#[derive(Clone, Copy)]
struct Length {
    most: u32,
    vary: bool,
}

impl Length {
    fn draw(self, random: &mut Rng) -> usize {
        let length = if self.vary { 1 + random.below(u64::from(self.most.max(1))) } else { u64::from(self.most) };
        usize::try_from(length).unwrap_or(usize::MAX)
    }
}

/// A generator, and the number of rows it has values for: `None` for ever.
pub(crate) type Bounded = (Generator, Option<u64>);

impl Generator {
    /// The generator of the field whose options stand under `prefix` (`fields.name`).
    ///
    /// # Errors
    /// Options with values that are none, or a type that cannot be generated so.
    pub fn new(prefix: &str, data_type: &DataType, options: &Options<'_>) -> Result<Bounded> {
        let key = |name: &str| format!("{prefix}.{name}");
        let kind_key = key("kind");
        let kind = options.text(&kind_key).unwrap_or("random");
        let (kind, rows) = match kind.to_ascii_lowercase().as_str() {
            "random" => (Kind::random(prefix, data_type, options)?, None),
            "sequence" => Kind::sequence(prefix, data_type, options)?,
            _ => return Err(wrong(&kind_key, kind, "random or sequence")),
        };
        let null_key = key("null-rate");
        let null_rate = match (&kind, rows) {
            (Kind::Sequence(_), _) => 0.0,
            _ => options.value::<f64>(&null_key, "a number from 0 to 1")?.unwrap_or(0.0),
        };
        if !(0.0..=1.0).contains(&null_rate) {
            return Err(wrong(&null_key, &null_rate.to_string(), "a number from 0 to 1"));
        }
        Ok((Self { arrow: data_type.arrow(), kind, null_rate }, rows))
    }

    /// One value for each of `randoms`; the first is that of row `first` (sequences), and it is `now`.
    ///
    /// # Errors
    /// Only for broken invariants.
    pub fn values(&self, randoms: &mut [Rng], first: u64, now: Timestamp) -> Result<ArrayRef> {
        let nulls = if self.null_rate > 0.0 {
            let there = BooleanBuffer::collect_bool(randoms.len(), |index| randoms[index].unit() >= self.null_rate);
            Some(NullBuffer::new(there))
        } else {
            None
        };
        let there = |index: usize| nulls.as_ref().is_none_or(|nulls: &NullBuffer| nulls.is_valid(index));
        let array: ArrayRef = match &self.kind {
            Kind::Null => Arc::new(NullArray::new(randoms.len())),
            Kind::Boolean => {
                let values = BooleanBuffer::collect_bool(randoms.len(), |index| randoms[index].next_u64() & 1 == 1);
                Arc::new(BooleanArray::new(values, nulls))
            }
            Kind::String(length) => {
                let mut builder = StringViewBuilder::with_capacity(randoms.len());
                for (index, random) in randoms.iter_mut().enumerate() {
                    if there(index) {
                        builder.append_value(hexadecimal(length.draw(random), random));
                    } else {
                        builder.append_null();
                    }
                }
                Arc::new(builder.finish())
            }
            Kind::Bytes(length) => {
                let mut builder = BinaryViewBuilder::with_capacity(randoms.len());
                for (index, random) in randoms.iter_mut().enumerate() {
                    if there(index) {
                        let bytes: Vec<u8> = (0..length.draw(random)).map(|_| byte(random)).collect();
                        builder.append_value(bytes);
                    } else {
                        builder.append_null();
                    }
                }
                Arc::new(builder.finish())
            }
            Kind::Sequence(start) if self.arrow == ArrowType::Utf8View => {
                let numbers = (0..randoms.len() as u64).map(|index| sequence_value(*start, first + index).to_string());
                let mut builder = StringViewBuilder::with_capacity(randoms.len());
                numbers.for_each(|number| builder.append_value(number));
                Arc::new(builder.finish())
            }
            Kind::Array(..) | Kind::Map(..) | Kind::Row(_) => self.nested(randoms, now, nulls)?,
            _ => self.scalars(randoms, first, now, nulls)?,
        };
        Ok(array)
    }

    /// Values of fixed size.
    fn scalars(&self, randoms: &mut [Rng], first: u64, now: Timestamp, nulls: Option<NullBuffer>) -> Result<ArrayRef> {
        if matches!(self.arrow, ArrowType::Float32 | ArrowType::Float64) {
            return Ok(self.floats(randoms, first, nulls));
        }
        let scale = if let ArrowType::Decimal128(_, scale) = self.arrow { scale } else { 0 };
        let factor = 10_i128.pow(u32::try_from(scale).unwrap_or_default());
        let units = if let ArrowType::Timestamp(unit, _) = self.arrow { units_of_millisecond(unit) } else { 1 };
        let mut numbers = Vec::with_capacity(randoms.len());
        for (index, random) in (0..).zip(randoms.iter_mut()) {
            numbers.push(match self.kind {
                Kind::Integer(least, most) => i128::from(between(least, most, random)),
                Kind::Decimal(least, most) => decimal_between(least, most, random),
                Kind::Sequence(start) => i128::from(sequence_value(start, first + index)) * factor,
                Kind::Date => i128::from(now.div_euclid(DAY_MS)),
                Kind::Time => i128::from(now.rem_euclid(DAY_MS)),
                Kind::Timestamp(past) => {
                    let past = random.below(past.saturating_add(1));
                    (i128::from(now) - i128::from(past)) * units
                }
                _ => 0,
            });
        }
        self.integers(numbers, nulls)
    }

    fn integers(&self, numbers: Vec<i128>, nulls: Option<NullBuffer>) -> Result<ArrayRef> {
        Ok(match &self.arrow {
            ArrowType::Int8 => primitive::<Int8Type>(numbers, nulls)?,
            ArrowType::Int16 => primitive::<Int16Type>(numbers, nulls)?,
            ArrowType::Int32 => primitive::<Int32Type>(numbers, nulls)?,
            ArrowType::Int64 => primitive::<Int64Type>(numbers, nulls)?,
            ArrowType::Date32 => primitive::<Date32Type>(numbers, nulls)?,
            ArrowType::Time32(_) => primitive::<Time32MillisecondType>(numbers, nulls)?,
            ArrowType::Interval(_) => primitive::<IntervalYearMonthType>(numbers, nulls)?,
            ArrowType::Duration(_) => primitive::<DurationMillisecondType>(numbers, nulls)?,
            ArrowType::Decimal128(..) => {
                let array = PrimitiveArray::<Decimal128Type>::new(numbers.into(), nulls);
                Arc::new(array.with_data_type(self.arrow.clone()))
            }
            ArrowType::Timestamp(unit, zone) => {
                let zone = zone.clone();
                let values: Vec<i64> = convert(numbers)?;
                match unit {
                    TimeUnit::Microsecond => Arc::new(
                        PrimitiveArray::<TimestampMicrosecondType>::new(values.into(), nulls).with_timezone_opt(zone),
                    ),
                    TimeUnit::Nanosecond => Arc::new(
                        PrimitiveArray::<TimestampNanosecondType>::new(values.into(), nulls).with_timezone_opt(zone),
                    ),
                    _ => Arc::new(
                        PrimitiveArray::<TimestampMillisecondType>::new(values.into(), nulls).with_timezone_opt(zone),
                    ),
                }
            }
            other => return Err(Error::internal(format!("generate values of the type {other}"))),
        })
    }

    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "a FLOAT is an approximation")]
    fn floats(&self, randoms: &mut [Rng], first: u64, nulls: Option<NullBuffer>) -> ArrayRef {
        let draw = |(index, random): (u64, &mut Rng)| match self.kind {
            Kind::Float(least, most) => least + random.unit() * (most - least),
            Kind::Sequence(start) => sequence_value(start, first + index) as f64,
            _ => 0.0,
        };
        let values = (0..).zip(randoms.iter_mut()).map(draw);
        if self.arrow == ArrowType::Float32 {
            let values: Vec<f32> = values.map(|value| value as f32).collect();
            return Arc::new(PrimitiveArray::<Float32Type>::new(values.into(), nulls));
        }
        let values: Vec<f64> = values.collect();
        Arc::new(PrimitiveArray::<Float64Type>::new(values.into(), nulls))
    }

    fn nested(&self, randoms: &mut [Rng], now: Timestamp, nulls: Option<NullBuffer>) -> Result<ArrayRef> {
        let broken = |source: arrow_schema::ArrowError| {
            Error::internal(format!("put generated values together: {source}")).caused_by(source)
        };
        let children = |randoms: &mut [Rng], length: Length| {
            let lengths: Vec<usize> = randoms.iter_mut().map(|random| length.draw(random)).collect();
            let children: Vec<Rng> = randoms
                .iter_mut()
                .zip(&lengths)
                .flat_map(|(random, length)| (0..*length).map(|_| Rng::new(random.next_u64())).collect::<Vec<_>>())
                .collect();
            (OffsetBuffer::<i32>::from_lengths(lengths), children)
        };
        Ok(match (&self.kind, &self.arrow) {
            (Kind::Array(element, length), ArrowType::List(field)) => {
                let (offsets, mut elements) = children(randoms, *length);
                let elements = element.values(&mut elements, 0, now)?;
                Arc::new(ListArray::try_new(Arc::clone(field), offsets, elements, nulls).map_err(broken)?)
            }
            (Kind::Map(key, value, length), ArrowType::Map(field, ordered)) => {
                let (offsets, mut entries) = children(randoms, *length);
                let arrays = vec![key.values(&mut entries, 0, now)?, value.values(&mut entries, 0, now)?];
                let ArrowType::Struct(fields) = field.data_type() else {
                    return Err(Error::internal("generate a MAP"));
                };
                let entries = StructArray::try_new(fields.clone(), arrays, None).map_err(broken)?;
                Arc::new(MapArray::try_new(Arc::clone(field), offsets, entries, nulls, *ordered).map_err(broken)?)
            }
            (Kind::Row(generators), ArrowType::Struct(fields)) => {
                let mut arrays = Vec::with_capacity(generators.len());
                for generator in generators {
                    let mut own: Vec<Rng> = randoms.iter_mut().map(|random| Rng::new(random.next_u64())).collect();
                    arrays.push(generator.values(&mut own, 0, now)?);
                }
                let length = randoms.len();
                Arc::new(StructArray::try_new_with_length(fields.clone(), arrays, nulls, length).map_err(broken)?)
            }
            _ => return Err(Error::internal("generate a nested value of another type")),
        })
    }
}

impl Generator {
    /// Bytes of a value at most, roughly: of what options can make large.
    pub fn bytes_max(&self) -> u64 {
        let many = |length: &Length, each: u64| u64::from(length.most).saturating_mul(each);
        match &self.kind {
            Kind::String(length) | Kind::Bytes(length) => many(length, 1),
            Kind::Array(element, length) => many(length, element.bytes_max()),
            Kind::Map(key, value, length) => many(length, key.bytes_max().saturating_add(value.bytes_max())),
            Kind::Row(fields) => fields.iter().fold(0, |sum, field| sum.saturating_add(field.bytes_max())),
            _ => FIXED_BYTES_MAX,
        }
    }
}

impl Kind {
    fn random(prefix: &str, data_type: &DataType, options: &Options<'_>) -> Result<Self> {
        let key = |name: &str| format!("{prefix}.{name}");
        let integer = |least: i64, most: i64| -> Result<Self> {
            let number = |name: &str| options.value::<i64>(&key(name), "a whole number");
            let (least, most) = (number("min")?.unwrap_or(least).max(least), number("max")?.unwrap_or(most).min(most));
            in_order(prefix, least, most)?;
            Ok(Self::Integer(least, most))
        };
        let float = |most: f64| -> Result<Self> {
            let number = |name: &str| options.value::<f64>(&key(name), "a number");
            let (least, most) = (number("min")?.unwrap_or(0.0), number("max")?.unwrap_or(most));
            in_order(prefix, least, most)?;
            Ok(Self::Float(least, most))
        };
        let length = |default: u32| -> Result<Length> {
            let most = options.value::<u32>(&key("length"), "a whole number, not negative")?.unwrap_or(default);
            let vary = options.value::<bool>(&key("var-len"), "true or false")?.unwrap_or(false);
            Ok(Length { most, vary })
        };
        let child = |name: &str, data_type: &DataType| -> Result<Box<Generator>> {
            let (generator, rows) = Generator::new(&key(name), data_type, options)?;
            if rows.is_some() {
                return Err(Error::invalid(format!(
                    "use the option '{}.kind' = 'sequence': a nested field cannot be a sequence",
                    key(name)
                )));
            }
            Ok(Box::new(generator))
        };
        Ok(match &data_type.logical {
            LogicalType::Null => Self::Null,
            LogicalType::Boolean => Self::Boolean,
            LogicalType::TinyInt => integer(i8::MIN.into(), i8::MAX.into())?,
            LogicalType::SmallInt => integer(i16::MIN.into(), i16::MAX.into())?,
            LogicalType::Int => integer(i32::MIN.into(), i32::MAX.into())?,
            LogicalType::BigInt => integer(i64::MIN, i64::MAX)?,
            LogicalType::Float => float(f64::from(f32::MAX))?,
            LogicalType::Double => float(f64::MAX)?,
            LogicalType::Decimal(precision, scale) => Self::random_decimal(prefix, *precision, *scale, options)?,
            LogicalType::Char(characters) => Self::String(Length { most: *characters, vary: false }),
            LogicalType::Varchar(most) => {
                let length = length((*most).min(100))?;
                Self::String(Length { most: length.most.min(*most), ..length })
            }
            LogicalType::Binary(bytes) => Self::Bytes(Length { most: *bytes, vary: false }),
            LogicalType::Varbinary(most) => {
                let length = length((*most).min(100))?;
                Self::Bytes(Length { most: length.most.min(*most), ..length })
            }
            LogicalType::Date => Self::Date,
            LogicalType::Time(_) => Self::Time,
            LogicalType::Timestamp(_) | LogicalType::TimestampLtz(_) => {
                let past = options.duration(&key("max-past"))?.unwrap_or_default();
                Self::Timestamp(u64::try_from(past.as_millis()).unwrap_or(u64::MAX))
            }
            LogicalType::IntervalYearMonth => integer(0, 120_000)?,
            LogicalType::IntervalDayTime => integer(0, i64::MAX)?,
            LogicalType::Array(element) => Self::Array(child("element", element)?, length(3)?),
            LogicalType::Map(map_key, value) => Self::Map(child("key", map_key)?, child("value", value)?, length(3)?),
            LogicalType::Row(fields) => {
                let fields = fields.iter().map(|field| child(&field.name, &field.data_type).map(|boxed| *boxed));
                Self::Row(fields.collect::<Result<_>>()?)
            }
        })
    }

    fn random_decimal(prefix: &str, precision: u8, scale: u8, options: &Options<'_>) -> Result<Self> {
        let limit = 10_i128.pow(u32::from(precision)) - 1;
        let number = |name: &str, default: i128| -> Result<i128> {
            let key = format!("{prefix}.{name}");
            let Some(text) = options.text(&key) else { return Ok(default) };
            let number = unscaled(text, scale).ok_or_else(|| wrong(&key, text, "a number"))?;
            Ok(number.clamp(-limit, limit))
        };
        let (least, most) = (number("min", -limit)?, number("max", limit)?);
        in_order(prefix, least, most)?;
        Ok(Self::Decimal(least, most))
    }

    fn sequence(prefix: &str, data_type: &DataType, options: &Options<'_>) -> Result<(Self, Option<u64>)> {
        let number = |name: &str| -> Result<i64> {
            let key = format!("{prefix}.{name}");
            options.value::<i64>(&key, "a whole number")?.ok_or_else(|| {
                Error::invalid(format!("use the option '{prefix}.kind' = 'sequence': the option '{key}' is missing"))
            })
        };
        let numeric = data_type.logical.is_numeric() || data_type.logical.is_string();
        if !numeric {
            let message = format!("use the option '{prefix}.kind' = 'sequence': there is no sequence of {data_type}");
            return Err(Error::invalid(message).hint("sequences are numbers or strings"));
        }
        let (start, end) = (number("start")?, number("end")?);
        if start > end {
            return Err(wrong(&format!("{prefix}.start"), &start.to_string(), &format!("at most the end, {end}")));
        }
        let (least, most) = match &data_type.logical {
            LogicalType::TinyInt => (i64::from(i8::MIN), i64::from(i8::MAX)),
            LogicalType::SmallInt => (i64::from(i16::MIN), i64::from(i16::MAX)),
            LogicalType::Int => (i64::from(i32::MIN), i64::from(i32::MAX)),
            LogicalType::Decimal(precision, scale) if precision - scale < 18 => {
                let limit = 10_i64.pow(u32::from(precision - scale)) - 1;
                (-limit, limit)
            }
            _ => (i64::MIN, i64::MAX),
        };
        if start < least || end > most {
            let message =
                format!("use the sequence from {start} to {end} for '{prefix}': {data_type} holds {least} to {most}");
            return Err(Error::invalid(message));
        }
        let rows = u64::try_from(i128::from(end) - i128::from(start) + 1).unwrap_or(u64::MAX);
        Ok((Self::Sequence(start), Some(rows)))
    }
}

fn in_order<T: PartialOrd + std::fmt::Display>(prefix: &str, least: T, most: T) -> Result<()> {
    if least > most {
        let message = format!("use the options '{prefix}.min' and '{prefix}.max': {least} is more than {most}");
        return Err(Error::invalid(message));
    }
    Ok(())
}

fn sequence_value(start: i64, row: u64) -> i64 {
    start.wrapping_add_unsigned(row)
}

fn between(least: i64, most: i64, random: &mut Rng) -> i64 {
    match most.abs_diff(least).checked_add(1) {
        Some(count) => least.wrapping_add_unsigned(random.below(count)),
        None => random.next_u64().cast_signed(),
    }
}

fn decimal_between(least: i128, most: i128, random: &mut Rng) -> i128 {
    let wide = (u128::from(random.next_u64()) << 64) | u128::from(random.next_u64());
    least.wrapping_add_unsigned(wide % (most.abs_diff(least) + 1))
}

fn byte(random: &mut Rng) -> u8 {
    u8::try_from(random.below(256)).unwrap_or_default()
}

fn hexadecimal(length: usize, random: &mut Rng) -> String {
    let mut text = String::with_capacity(length + 16);
    while text.len() < length {
        text.push_str(&format!("{:016x}", random.next_u64()));
    }
    text.truncate(length);
    text
}

/// `text` as a number with `scale` digits behind the point, without the point; what lies behind them is cut.
fn unscaled(text: &str, scale: u8) -> Option<i128> {
    let text = text.trim();
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let scale = usize::from(scale);
    let kept = fraction.get(..scale.min(fraction.len()))?;
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: i128 = format!("{whole}{kept:0<scale$}").parse().ok()?;
    Some(if negative { -number } else { number })
}

fn units_of_millisecond(unit: TimeUnit) -> i128 {
    match unit {
        TimeUnit::Microsecond => 1_000,
        TimeUnit::Nanosecond => 1_000_000,
        _ => 1,
    }
}

fn convert<T: TryFrom<i128>>(numbers: Vec<i128>) -> Result<Vec<T>> {
    let wrong = |_| Error::internal("generate a number that its type holds");
    numbers.into_iter().map(|number| T::try_from(number).map_err(wrong)).collect()
}

fn primitive<T: ArrowPrimitiveType>(numbers: Vec<i128>, nulls: Option<NullBuffer>) -> Result<ArrayRef>
where
    T::Native: TryFrom<i128>,
{
    let values: Vec<T::Native> = convert(numbers)?;
    let array: ArrayRef = Arc::new(PrimitiveArray::<T>::new(values.into(), nulls));
    debug_assert!(!array.data_type().is_nested());
    Ok(array)
}
