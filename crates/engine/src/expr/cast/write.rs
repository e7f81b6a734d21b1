//! Values as texts, in Flink's forms: `TRUE`, `1.0E10`, `2024-02-03 10:11:12.120`, `[1, NULL]`, `(1, a)`, `{a=1}`.

use std::fmt::Write;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, DurationMillisecondType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, IntervalYearMonthType, Time32MillisecondType,
};
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType as ArrowType;
use weir_base::calendar::{DAY_MS, date_of};
use weir_format::text;
use weir_plan::{DataType, LogicalType};

use super::super::rows::{Failure, texts};
use super::super::time::timestamp_at;
use super::super::zone::{Moment, Zone};
use super::CastKernel;
use super::length::{fit_decoded, fit_text};

/// Bytes that most numbers are written in.
const NUMBER_BYTES: usize = 24;

/// Any type as CHAR or VARCHAR.
pub(super) fn to_text(source: &DataType, to: &LogicalType, zone: &Zone) -> CastKernel {
    let (source, to, zone) = (source.logical.clone(), to.clone(), zone.clone());
    let is_bounded = to != LogicalType::Varchar(i32::MAX.cast_unsigned());
    let is_decoded = matches!(source, LogicalType::Binary(_) | LogicalType::Varbinary(_));
    let fit: fn(&str, &LogicalType, &mut String) = if is_decoded { fit_decoded } else { fit_text };
    CastKernel::infallible(move |columns, scope| {
        let array = &columns[0].array;
        let mut whole = String::new();
        texts(columns, scope, Failure::Raise, |row, out| {
            let row = columns[0].index(row);
            if !is_bounded {
                write_value(array, row, &source, &zone, out);
                return Ok(true);
            }
            whole.clear();
            write_value(array, row, &source, &zone, &mut whole);
            fit(&whole, &to, out);
            Ok(true)
        })
    })
}

/// Appends the text of a value; `NULL` where it is.
pub(in super::super) fn write_value(
    array: &ArrayRef,
    row: usize,
    logical: &LogicalType,
    zone: &Zone,
    out: &mut String,
) {
    if array.is_null(row) {
        out.push_str("NULL");
        return;
    }
    let display = |out: &mut String, value: &dyn std::fmt::Display| {
        let _ = write!(out, "{value}");
    };
    match logical {
        LogicalType::Null => out.push_str("NULL"),
        LogicalType::Boolean => out.push_str(if array.as_boolean().value(row) { "TRUE" } else { "FALSE" }),
        LogicalType::TinyInt => display(out, &array.as_primitive::<Int8Type>().value(row)),
        LogicalType::SmallInt => display(out, &array.as_primitive::<Int16Type>().value(row)),
        LogicalType::Int => display(out, &array.as_primitive::<Int32Type>().value(row)),
        LogicalType::BigInt => display(out, &array.as_primitive::<Int64Type>().value(row)),
        LogicalType::Float => write_float(array.as_primitive::<Float32Type>().value(row), out),
        LogicalType::Double => write_double(array.as_primitive::<Float64Type>().value(row), out),
        LogicalType::Decimal(_, scale) => {
            let unscaled = array.as_primitive::<Decimal128Type>().value(row);
            write_ascii(out, |bytes| text::write_decimal(unscaled, *scale, true, bytes));
        }
        LogicalType::Char(_) | LogicalType::Varchar(_) => out.push_str(array.as_string_view().value(row)),
        LogicalType::Binary(_) | LogicalType::Varbinary(_) => {
            out.push_str(&String::from_utf8_lossy(array.as_binary_view().value(row)));
        }
        LogicalType::Date => write_date(i64::from(array.as_primitive::<Date32Type>().value(row)), out),
        LogicalType::Time(precision) => {
            write_time(array.as_primitive::<Time32MillisecondType>().value(row), *precision, out);
        }
        LogicalType::Timestamp(precision) => write_timestamp(timestamp_at(array, row), *precision, out),
        LogicalType::TimestampLtz(precision) => {
            let moment = timestamp_at(array, row);
            let local = Moment { millis: zone.to_local(moment.millis), ..moment };
            write_timestamp(local, *precision, out);
        }
        LogicalType::IntervalYearMonth => write_months(array.as_primitive::<IntervalYearMonthType>().value(row), out),
        LogicalType::IntervalDayTime => write_interval(array.as_primitive::<DurationMillisecondType>().value(row), out),
        LogicalType::Array(_) | LogicalType::Map(..) | LogicalType::Row(_) => {
            write_nested(array, row, logical, zone, out)
        }
    }
}

/// `[1, 2]`, `{a=1}`, `(1, a)`
fn write_nested(array: &ArrayRef, row: usize, logical: &LogicalType, zone: &Zone, out: &mut String) {
    let comma = |index: usize, out: &mut String| {
        if index > 0 {
            out.push_str(", ");
        }
    };
    match (logical, array.data_type()) {
        (LogicalType::Array(element), ArrowType::List(_)) => {
            let items = array.as_list::<i32>().value(row);
            out.push('[');
            for index in 0..items.len() {
                comma(index, out);
                write_value(&items, index, &element.logical, zone, out);
            }
            out.push(']');
        }
        (LogicalType::Map(key, value), _) => {
            let entries = array.as_map().value(row);
            out.push('{');
            for index in 0..entries.len() {
                comma(index, out);
                write_value(entries.column(0), index, &key.logical, zone, out);
                out.push('=');
                write_value(entries.column(1), index, &value.logical, zone, out);
            }
            out.push('}');
        }
        (LogicalType::Row(fields), _) => {
            let row_array = array.as_struct();
            out.push('(');
            for (index, field) in fields.iter().enumerate() {
                comma(index, out);
                write_value(row_array.column(index), row, &field.data_type.logical, zone, out);
            }
            out.push(')');
        }
        _ => {}
    }
}

/// `2024-02-03`
pub(in super::super) fn write_date(days: i64, out: &mut String) {
    let (year, month, day) = date_of(days);
    let _ = write!(out, "{year:04}-{month:02}-{day:02}");
}

/// `10:11:12`, with a fraction where the precision has one: at least a digit, no zeros at its end.
fn write_time(millis: i32, precision: u8, out: &mut String) {
    let millis = i64::from(millis).rem_euclid(DAY_MS);
    let _ = write!(out, "{:02}:{:02}:{:02}", millis / 3_600_000, millis / 60_000 % 60, millis / 1000 % 60);
    if precision > 0 {
        let digits = format!("{:03}", millis % 1000);
        let kept = digits.trim_end_matches('0').len().clamp(1, usize::from(precision.min(3)));
        let _ = write!(out, ".{}", &digits[..kept]);
    }
}

/// `2024-02-03 10:11:12.120`: as many digits after the second as the precision says.
pub(in super::super) fn write_timestamp(moment: Moment, precision: u8, out: &mut String) {
    write_date(moment.millis.div_euclid(DAY_MS), out);
    let of_day = moment.millis.rem_euclid(DAY_MS);
    let _ = write!(out, " {:02}:{:02}:{:02}", of_day / 3_600_000, of_day / 60_000 % 60, of_day / 1000 % 60);
    if precision > 0 {
        let nanos = format!("{:09}", moment.nanos_of_second());
        let _ = write!(out, ".{}", &nanos[..usize::from(precision.min(9))]);
    }
}

/// `+1-02`: years and months.
fn write_months(months: i32, out: &mut String) {
    let sign = if months < 0 { '-' } else { '+' };
    let months = months.unsigned_abs();
    let _ = write!(out, "{sign}{}-{:02}", months / 12, months % 12);
}

/// `+1 02:03:04.567`: days and time.
fn write_interval(millis: i64, out: &mut String) {
    let sign = if millis < 0 { '-' } else { '+' };
    let millis = millis.unsigned_abs();
    let (seconds, minutes, hours) = (millis / 1000 % 60, millis / 60_000 % 60, millis / 3_600_000 % 24);
    let _ = write!(out, "{sign}{} {hours:02}:{minutes:02}:{seconds:02}.{:03}", millis / 86_400_000, millis % 1000);
}

/// A DOUBLE as Java writes it: the shortest digits that read back, plain from 0.001 to 10,000,000, else with an exponent.
///
/// Java before 19 writes more digits than needed for a few numbers (`9.999999999999999E22`); this is Java 19's shortest (`1.0E23`).
pub(in super::super) fn write_double(value: f64, out: &mut String) {
    write_ascii(out, |bytes| text::write_double(value, bytes));
}

/// A FLOAT as Java writes it.
pub(in super::super) fn write_float(value: f32, out: &mut String) {
    write_ascii(out, |bytes| text::write_float(value, bytes));
}

/// Appends what a writer of bytes writes.
fn write_ascii(out: &mut String, write: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = Vec::with_capacity(NUMBER_BYTES);
    write(&mut bytes);
    out.push_str(std::str::from_utf8(&bytes).expect("numbers are written in ASCII"));
}
