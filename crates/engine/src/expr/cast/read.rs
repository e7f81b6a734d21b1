//! Texts as values: what Flink reads, and its words for what it cannot.

use arrow_array::ArrayRef;
use arrow_array::ArrowPrimitiveType;
use arrow_array::types::{
    Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    Time32MillisecondType,
};
use weir_plan::LogicalType;

use super::super::decimal;
use super::super::node::{Column, EvalError, Scope};
use super::super::rows::{Failure, RowResult, Texts, booleans, primitives};
use super::super::time::timestamps;
use super::super::zone::{Moment, Zone};
use super::CastKernel;
use super::read_decimal::decimal_of_text;
use super::read_time::{date_of_text, time_of_text, timestamp_of_text};

/// The conversion of texts to `to`; None if there is none.
pub(super) fn from_text(to: &LogicalType, failure: Failure, zone: &Zone) -> Option<CastKernel> {
    let arrow = to.arrow();
    Some(match *to {
        LogicalType::Boolean => CastKernel::fallible(failure, move |columns, scope| {
            let values = Texts::of(&columns[0]);
            booleans(columns, scope, failure, |row| boolean_of_text(values.get(row)).map(Some))
        }),
        LogicalType::TinyInt => integers::<Int8Type>(failure),
        LogicalType::SmallInt => integers::<Int16Type>(failure),
        LogicalType::Int => integers::<Int32Type>(failure),
        LogicalType::BigInt => integers::<Int64Type>(failure),
        LogicalType::Float => reading::<Float32Type>(failure, |text| float_of_text(text).map(Some)),
        LogicalType::Double => reading::<Float64Type>(failure, |text| float_of_text(text).map(Some)),
        LogicalType::Decimal(precision, scale) => CastKernel::fallible(failure, move |columns, scope| {
            let read = |text: &str| decimal_of_text(text.trim_matches(' '), precision, scale);
            Ok(decimal::typed(&read_all::<Decimal128Type>(columns, scope, failure, read)?, precision, scale))
        }),
        LogicalType::Date => reading::<Date32Type>(failure, |text| date_of_text(text).map(Some)),
        LogicalType::Time(precision) => {
            reading::<Time32MillisecondType>(failure, move |text| time_of_text(text, precision).map(Some))
        }
        LogicalType::Timestamp(precision) => CastKernel::fallible(failure, move |columns, scope| {
            let values = Texts::of(&columns[0]);
            timestamps(&arrow, columns, scope, failure, |row| {
                Ok(Some(timestamp_of_text(values.get(row))?.cut(precision)))
            })
        }),
        LogicalType::TimestampLtz(precision) => {
            let zone = zone.clone();
            CastKernel::fallible(failure, move |columns, scope| {
                let values = Texts::of(&columns[0]);
                timestamps(&arrow, columns, scope, failure, |row| {
                    let local = timestamp_of_text(values.get(row))?.cut(precision);
                    Ok(Some(Moment { millis: zone.to_instant(local.millis), ..local }))
                })
            })
        }
        _ => return None,
    })
}

/// A conversion of texts by `read`.
fn reading<T: ArrowPrimitiveType>(
    failure: Failure,
    read: impl Fn(&str) -> RowResult<T::Native> + Send + Sync + 'static,
) -> CastKernel {
    CastKernel::fallible(failure, move |columns, scope| read_all::<T>(columns, scope, failure, &read))
}

fn read_all<T: ArrowPrimitiveType>(
    columns: &[Column],
    scope: &Scope<'_>,
    failure: Failure,
    read: impl Fn(&str) -> RowResult<T::Native>,
) -> Result<ArrayRef, EvalError> {
    let values = Texts::of(&columns[0]);
    primitives::<T>(columns, scope, failure, |row| read(values.get(row)))
}

fn integers<T: ArrowPrimitiveType>(failure: Failure) -> CastKernel
where
    T::Native: TryFrom<i64>,
{
    reading::<T>(failure, |text| {
        let text = text.trim_matches(' ');
        let value = integer_of_text(text)?;
        T::Native::try_from(value).map(Some).map_err(|_| format!("For input string: '{text}'. Overflow."))
    })
}

/// `t`, `true`, `y`, `yes`, `1` and their opposites, in any case.
fn boolean_of_text(text: &str) -> Result<bool, String> {
    let is = |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is(&["t", "true", "y", "yes", "1"]) {
        Ok(true)
    } else if is(&["f", "false", "n", "no", "0"]) {
        Ok(false)
    } else {
        Err(format!("Cannot parse '{text}' as BOOLEAN."))
    }
}

/// Digits with a sign; a fraction is checked and cut.
fn integer_of_text(text: &str) -> Result<i64, String> {
    let fail = |why: &str| Err(format!("For input string: '{text}'. {why}"));
    let (is_negative, digits) = match text.as_bytes() {
        [] => return fail("Input is empty."),
        [b'-' | b'+'] => return fail("Input has only positive or negative symbol."),
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        all => (false, all),
    };
    let mut value = 0_i64;
    let mut bytes = digits.iter();
    for &byte in bytes.by_ref() {
        if byte == b'.' {
            break;
        }
        if !byte.is_ascii_digit() {
            return fail("Invalid character found.");
        }
        // Counted down, because the smallest number has no positive counterpart.
        let next = value.checked_mul(10).and_then(|value| value.checked_sub(i64::from(byte - b'0')));
        match next {
            Some(next) => value = next,
            None => return fail("Overflow."),
        }
    }
    if !bytes.all(u8::is_ascii_digit) {
        return fail("Invalid character found.");
    }
    if is_negative { Ok(value) } else { value.checked_neg().map_or_else(|| fail("Overflow."), Ok) }
}

/// A number as Java's `parseDouble` takes it: blanks around it, a suffix `d` or `f`, `NaN`, `Infinity`, hexadecimal ones such as `0x1p3`.
fn float_of_text<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    let text = text.trim_matches(|character| character <= ' ');
    if text.is_empty() {
        return Err("empty String".to_owned());
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let starts_well = unsigned.starts_with(|character: char| character.is_ascii_digit() || character == '.');
    let is_special = matches!(unsigned, "NaN" | "Infinity");
    let number = if starts_well { text.strip_suffix(['d', 'D', 'f', 'F']).unwrap_or(text) } else { text };
    let parsed = if starts_well || is_special { number.parse().ok() } else { None };
    let parsed = parsed.or_else(|| format!("{:e}", hexadecimal(number)?).parse().ok());
    parsed.ok_or_else(|| format!("For input string: \"{text}\""))
}

/// `[-]0x[digits][.digits]p[-]exponent`, of up to 60 bits.
fn hexadecimal(text: &str) -> Option<f64> {
    const DIGITS_MAX: usize = 15;
    let (sign, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    let number = unsigned.strip_prefix("0x").or_else(|| unsigned.strip_prefix("0X"))?;
    let (mantissa, exponent) = number.split_once(['p', 'P'])?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = [whole, fraction].concat();
    if digits.len() > DIGITS_MAX || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let value = u64::from_str_radix(&digits, 16).ok()?;
    let exponent = exponent.parse::<i32>().ok()?.checked_sub(4 * i32::try_from(fraction.len()).ok()?)?;
    #[expect(clippy::cast_precision_loss, reason = "rounded to the nearest DOUBLE")]
    let value = value as f64;
    Some(sign * value * 2_f64.powi(exponent))
}
