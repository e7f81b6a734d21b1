//! Casts among DATE, TIME, TIMESTAMP and TIMESTAMP_LTZ.
//!
//! TIMESTAMP_LTZ is an instant; it becomes wall-clock time, and back, in `table.local-time-zone`.

use arrow_array::types::{
    Date32Type, DurationMillisecondType, Int64Type, IntervalYearMonthType, Time32MillisecondType,
};
use arrow_schema::DataType as ArrowType;
use weir_base::calendar::DAY_MS;
use weir_plan::LogicalType;

use super::super::node::Column;
use super::super::rows::{Failure, Values, primitives, unary};
use super::super::time::{timestamp_at, timestamps};
use super::super::zone::{Moment, Zone};
use super::{CastKernel, number};

/// Where a moment comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum From {
    Date,
    Time,
    Local,
    Instant,
}

/// The conversion; None if there is none, Some(None) if values stay as they are.
pub(super) fn between(from: &LogicalType, to: &LogicalType, zone: &Zone) -> Option<Option<CastKernel>> {
    let source = match from {
        LogicalType::Date => From::Date,
        LogicalType::Time(_) => From::Time,
        LogicalType::Timestamp(_) => From::Local,
        LogicalType::TimestampLtz(_) => From::Instant,
        _ => return None,
    };
    Some(match (source, to) {
        (From::Time, LogicalType::Time(precision)) => time_to_time(*precision),
        (From::Local | From::Instant, LogicalType::Date) => Some(to_date(source, zone)),
        (From::Local | From::Instant, LogicalType::Time(precision)) => Some(to_time(source, *precision, zone)),
        (_, LogicalType::Timestamp(precision)) => to_timestamp(source, from, to, *precision, false, zone),
        (_, LogicalType::TimestampLtz(precision)) => to_timestamp(source, from, to, *precision, true, zone),
        _ => return None,
    })
}

/// Integers as intervals: months, or milliseconds, whatever unit is named; months wrap around as Java's int does.
pub(super) fn interval(from: &LogicalType, to: &LogicalType) -> CastKernel {
    let is_months = *to == LogicalType::IntervalYearMonth;
    let widened = (*from != LogicalType::BigInt).then(|| number::between(from, &LogicalType::BigInt));
    CastKernel::infallible(move |columns, scope| {
        let array = match &widened {
            Some(widened) => (widened.apply)(columns, scope)?,
            None => columns[0].array.clone(),
        };
        let column = Column { array, is_constant: columns[0].is_constant };
        #[expect(clippy::cast_possible_truncation, reason = "as Java narrows a long to an int")]
        Ok(if is_months {
            unary::<Int64Type, IntervalYearMonthType>(&column, |value| value as i32)
        } else {
            unary::<Int64Type, DurationMillisecondType>(&column, |value| value)
        })
    })
}

/// TIME of fewer digits.
fn time_to_time(precision: u8) -> Option<CastKernel> {
    if precision >= 3 {
        return None;
    }
    let unit = 10_i32.pow(3 - u32::from(precision));
    Some(CastKernel::infallible(move |columns, scope| {
        let values = Values::<Time32MillisecondType>::of(&columns[0]);
        primitives::<Time32MillisecondType>(columns, scope, Failure::Raise, |row| {
            Ok(Some(values.get(row) / unit * unit))
        })
    }))
}

/// The wall-clock milliseconds of a TIMESTAMP or TIMESTAMP_LTZ.
fn local_millis(source: From, moment: Moment, zone: &Zone) -> i64 {
    if source == From::Instant { zone.to_local(moment.millis) } else { moment.millis }
}

fn to_date(source: From, zone: &Zone) -> CastKernel {
    let zone = zone.clone();
    CastKernel::infallible(move |columns, scope| {
        primitives::<Date32Type>(columns, scope, Failure::Raise, |row| {
            let local = local_millis(source, timestamp_at(&columns[0].array, columns[0].index(row)), &zone);
            Ok(i32::try_from(date_of_millis(source, local)).ok())
        })
    })
}

/// The day of a wall-clock time. Before 1970 Flink counts a TIMESTAMP's day towards 1970 (the last day of 1969 is 1 January): kept.
fn date_of_millis(source: From, local: i64) -> i64 {
    if source == From::Instant { local.div_euclid(DAY_MS) } else { local / DAY_MS }
}

fn to_time(source: From, precision: u8, zone: &Zone) -> CastKernel {
    let zone = zone.clone();
    let unit = 10_i64.pow(3 - u32::from(precision.min(3)));
    CastKernel::infallible(move |columns, scope| {
        primitives::<Time32MillisecondType>(columns, scope, Failure::Raise, |row| {
            let local = local_millis(source, timestamp_at(&columns[0].array, columns[0].index(row)), &zone);
            Ok(i32::try_from(local.rem_euclid(DAY_MS) / unit * unit).ok())
        })
    })
}

fn to_timestamp(
    source: From,
    from: &LogicalType,
    to: &LogicalType,
    precision: u8,
    to_instant: bool,
    zone: &Zone,
) -> Option<CastKernel> {
    let (arrow, zone) = (to.arrow(), zone.clone());
    let from_precision = match from {
        LogicalType::Timestamp(precision) | LogicalType::TimestampLtz(precision) => *precision,
        _ => 0,
    };
    if from.arrow() == arrow && from_precision <= precision {
        return None;
    }
    Some(CastKernel::infallible(move |columns, scope| {
        let array = &columns[0].array;
        timestamps(&arrow, columns, scope, Failure::Raise, |row| {
            let row = columns[0].index(row);
            let moment = match array.data_type() {
                ArrowType::Date32 => Moment { millis: i64::from(value::<Date32Type>(array, row)) * DAY_MS, nanos: 0 },
                ArrowType::Time32(_) => {
                    Moment { millis: i64::from(value::<Time32MillisecondType>(array, row)), nanos: 0 }
                }
                _ => timestamp_at(array, row),
            };
            let millis = match (source, to_instant) {
                (From::Instant, true) | (From::Local | From::Date | From::Time, false) => moment.millis,
                (From::Instant, false) => zone.to_local(moment.millis),
                (_, true) => zone.to_instant(moment.millis),
            };
            Ok(Some(shortened(Moment { millis, ..moment }, precision)))
        })
    }))
}

/// The value of a primitive array at `row`.
fn value<T: arrow_array::ArrowPrimitiveType>(array: &arrow_array::ArrayRef, row: usize) -> T::Native {
    use arrow_array::cast::AsArray;
    array.as_primitive::<T>().value(row)
}

/// A moment with fewer digits after the second. Before 1970 Flink cuts towards 1970: kept.
fn shortened(moment: Moment, precision: u8) -> Moment {
    let digits = u32::from(precision.min(9));
    if digits <= 3 {
        let unit = 10_i64.pow(3 - digits);
        return Moment { millis: moment.millis / unit * unit, nanos: 0 };
    }
    let unit = 10_i32.pow(9 - digits);
    Moment { nanos: moment.nanos / unit * unit, ..moment }
}
