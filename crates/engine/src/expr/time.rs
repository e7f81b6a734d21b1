//! Times: reading and making timestamps, `+` and `-` with intervals, and the functions that tell the time.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowTimestampType, Date32Type, DurationMillisecondType, Float64Type, Int64Type, IntervalYearMonthType,
    Time32MillisecondType, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType,
};
use arrow_array::{Array, ArrayRef, PrimitiveArray};
use arrow_schema::{DataType as ArrowType, TimeUnit};
use weir_base::calendar::{DAY_MS, add_months};
use weir_base::{Error, Result, Span};
use weir_plan::{CastMode, DataType, Function, LogicalType};

use super::cast;
use super::compile::Family;
use super::node::{Column, EvalError, Kernel, Node, Scope};
use super::rows::{Failure, RowResult, Values, primitives};
use super::zone::{Moment, Zone};

/// The family.
pub(super) const FAMILY: Family = Family {
    functions: &[Function::CurrentTimestamp, Function::LocalTimestamp, Function::CurrentDate, Function::CurrentTime],
    compile: |call| current(call.function, call.data_type, call.zone),
};

/// Whether it is a time or an interval.
pub(super) fn is_temporal(logical: &LogicalType) -> bool {
    is_interval(logical) || is_time(logical)
}

fn is_interval(logical: &LogicalType) -> bool {
    matches!(logical, LogicalType::IntervalYearMonth | LogicalType::IntervalDayTime)
}

fn is_time(logical: &LogicalType) -> bool {
    use LogicalType as T;
    matches!(logical, T::Date | T::Time(_) | T::Timestamp(_) | T::TimestampLtz(_))
}

/// The moment of a TIMESTAMP or TIMESTAMP_LTZ at `row`.
pub(super) fn timestamp_at(array: &ArrayRef, row: usize) -> Moment {
    match array.data_type() {
        ArrowType::Timestamp(TimeUnit::Microsecond, _) => {
            Moment::of(array.as_primitive::<TimestampMicrosecondType>().value(row), TimeUnit::Microsecond)
        }
        ArrowType::Timestamp(TimeUnit::Nanosecond, _) => {
            Moment::of(array.as_primitive::<TimestampNanosecondType>().value(row), TimeUnit::Nanosecond)
        }
        ArrowType::Timestamp(TimeUnit::Second, _) => {
            Moment::of(array.as_primitive::<TimestampSecondType>().value(row), TimeUnit::Second)
        }
        _ => Moment::of(array.as_primitive::<TimestampMillisecondType>().value(row), TimeUnit::Millisecond),
    }
}

/// A column of timestamps of the Arrow type `arrow`; NULL where one lies beyond the type's range.
pub(super) fn timestamps(
    arrow: &ArrowType,
    columns: &[Column],
    scope: &Scope<'_>,
    failure: Failure,
    f: impl FnMut(usize) -> RowResult<Moment>,
) -> Result<ArrayRef, EvalError> {
    match arrow {
        ArrowType::Timestamp(TimeUnit::Microsecond, zone) => {
            stamped::<TimestampMicrosecondType>(zone.clone(), columns, scope, failure, f)
        }
        ArrowType::Timestamp(TimeUnit::Nanosecond, zone) => {
            stamped::<TimestampNanosecondType>(zone.clone(), columns, scope, failure, f)
        }
        ArrowType::Timestamp(_, zone) => stamped::<TimestampMillisecondType>(zone.clone(), columns, scope, failure, f),
        _ => stamped::<TimestampMillisecondType>(None, columns, scope, failure, f),
    }
}

fn stamped<T: ArrowTimestampType>(
    zone: Option<Arc<str>>,
    columns: &[Column],
    scope: &Scope<'_>,
    failure: Failure,
    mut f: impl FnMut(usize) -> RowResult<Moment>,
) -> Result<ArrayRef, EvalError> {
    let array = primitives::<T>(columns, scope, failure, |row| Ok(f(row)?.and_then(|moment| moment.to(T::UNIT))))?;
    let array: PrimitiveArray<T> = array.as_primitive::<T>().clone();
    Ok(Arc::new(array.with_timezone_opt(zone)))
}

/// `+ - *` where an argument is a time or an interval.
///
/// # Errors
/// Flink has no such operation.
pub(super) fn arithmetic(function: Function, nodes: Vec<Node>, data_type: DataType, span: Span) -> Result<Node> {
    let types: Vec<LogicalType> = nodes.iter().map(|node| node.data_type.logical.clone()).collect();
    let sign = if function == Function::Subtract { -1 } else { 1 };
    match (function, &types[..]) {
        (Function::Negate, [interval]) if is_interval(interval) => {
            Ok(scaled(nodes, data_type, span, |value, _| -value))
        }
        (Function::Add | Function::Subtract, [time, interval]) if is_time(time) && is_interval(interval) => {
            Ok(moved(nodes, sign, data_type, span))
        }
        (Function::Add, [interval, time]) if is_interval(interval) && is_time(time) => {
            Ok(moved(nodes.into_iter().rev().collect(), sign, data_type, span))
        }
        (Function::Add | Function::Subtract, [left, right]) if is_interval(left) && left == right => {
            Ok(scaled(nodes, data_type, span, move |left, right| left.wrapping_add(right.wrapping_mul(sign))))
        }
        (Function::Multiply, [interval, number]) if is_interval(interval) && number.is_numeric() => {
            times(nodes, data_type, span)
        }
        (Function::Multiply, [number, interval]) if is_interval(interval) && number.is_numeric() => {
            times(nodes.into_iter().rev().collect(), data_type, span)
        }
        (Function::Subtract, [left, right]) if is_time(left) && is_time(right) => Ok(distance(nodes, data_type, span)),
        _ => Err(Error::invalid(format!(
            "compile {function:?} of {}: Flink has no such operation",
            types.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
        ))),
    }
}

/// The number of an interval: months or milliseconds.
pub(super) fn interval_at(array: &ArrayRef, row: usize) -> i64 {
    match array.data_type() {
        ArrowType::Interval(_) => i64::from(array.as_primitive::<IntervalYearMonthType>().value(row)),
        _ => array.as_primitive::<DurationMillisecondType>().value(row),
    }
}

/// Intervals by `f` over the numbers of one or two intervals.
fn scaled(
    nodes: Vec<Node>,
    data_type: DataType,
    span: Span,
    f: impl Fn(i64, i64) -> i64 + Send + Sync + 'static,
) -> Node {
    let is_months = data_type.logical == LogicalType::IntervalYearMonth;
    let apply = move |columns: &[Column], scope: &Scope<'_>| {
        let at = |index: usize, row: usize| {
            columns.get(index).map_or(0, |column| interval_at(&column.array, column.index(row)))
        };
        intervals(is_months, columns, scope, |row| Some(f(at(0, row), at(1, row))))
    };
    Node::call(nodes, data_type, span, false, Box::new(apply))
}

fn intervals(
    is_months: bool,
    columns: &[Column],
    scope: &Scope<'_>,
    f: impl Fn(usize) -> Option<i64>,
) -> Result<ArrayRef, EvalError> {
    if is_months {
        return primitives::<IntervalYearMonthType>(columns, scope, Failure::Raise, |row| {
            Ok(f(row).and_then(|months| i32::try_from(months).ok()))
        });
    }
    primitives::<DurationMillisecondType>(columns, scope, Failure::Raise, |row| Ok(f(row)))
}

/// An interval times a number, cut to whole months or milliseconds.
fn times(nodes: Vec<Node>, data_type: DataType, span: Span) -> Result<Node> {
    let mut nodes = nodes.into_iter();
    let (Some(interval), Some(number)) = (nodes.next(), nodes.next()) else {
        return Err(Error::internal("compile the product of an interval: an argument is missing"));
    };
    let is_exact = number.data_type.logical.is_integer();
    let target = if is_exact { LogicalType::BigInt } else { LogicalType::Double };
    let number = cast::compile(number, &DataType::nullable(target), CastMode::Cast, &Zone::Fixed(0), span)?;
    let is_months = data_type.logical == LogicalType::IntervalYearMonth;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "as Java multiplies a long by a double"
    )]
    let apply = move |columns: &[Column], scope: &Scope<'_>| {
        let interval = |row: usize| interval_at(&columns[0].array, columns[0].index(row));
        if is_exact {
            let factors = Values::<Int64Type>::of(&columns[1]);
            return intervals(is_months, columns, scope, |row| Some(interval(row).wrapping_mul(factors.get(row))));
        }
        let factors = Values::<Float64Type>::of(&columns[1]);
        intervals(is_months, columns, scope, |row| Some((interval(row) as f64 * factors.get(row)) as i64))
    };
    Ok(Node::call(vec![interval, number], data_type, span, false, Box::new(apply)))
}

/// A time, `sign` times an interval later.
fn moved(nodes: Vec<Node>, sign: i64, data_type: DataType, span: Span) -> Node {
    let arrow = data_type.arrow();
    let is_months = nodes[1].data_type.logical == LogicalType::IntervalYearMonth;
    let apply = move |columns: &[Column], scope: &Scope<'_>| {
        let array = &columns[0].array;
        let by = |row: usize| interval_at(&columns[1].array, columns[1].index(row)).wrapping_mul(sign);
        match array.data_type() {
            ArrowType::Date32 => {
                let days = Values::<Date32Type>::of(&columns[0]);
                primitives::<Date32Type>(columns, scope, Failure::Raise, |row| {
                    let day = i64::from(days.get(row));
                    let moved = if is_months { add_months(day, by(row)) } else { day + by(row) / DAY_MS };
                    Ok(i32::try_from(moved).ok())
                })
            }
            ArrowType::Time32(_) => {
                let times = Values::<Time32MillisecondType>::of(&columns[0]);
                primitives::<Time32MillisecondType>(columns, scope, Failure::Raise, |row| {
                    let by = if is_months { 0 } else { by(row) };
                    Ok(i32::try_from(i64::from(times.get(row)).wrapping_add(by).rem_euclid(DAY_MS)).ok())
                })
            }
            _ => timestamps(&arrow, columns, scope, Failure::Raise, |row| {
                let moment = timestamp_at(array, columns[0].index(row));
                let millis = if is_months {
                    let days = add_months(moment.millis.div_euclid(DAY_MS), by(row));
                    days * DAY_MS + moment.millis.rem_euclid(DAY_MS)
                } else {
                    moment.millis.wrapping_add(by(row))
                };
                Ok(Some(Moment { millis, ..moment }))
            }),
        }
    };
    Node::call(nodes, data_type, span, false, Box::new(apply))
}

/// The wall-clock milliseconds of any time; DATE is its midnight.
pub(super) fn millis_at(array: &ArrayRef, row: usize) -> i64 {
    match array.data_type() {
        ArrowType::Date32 => i64::from(array.as_primitive::<Date32Type>().value(row)) * DAY_MS,
        ArrowType::Time32(_) => i64::from(array.as_primitive::<Time32MillisecondType>().value(row)),
        _ => timestamp_at(array, row).millis,
    }
}

/// `a - b` of two times, as an interval.
fn distance(nodes: Vec<Node>, data_type: DataType, span: Span) -> Node {
    let is_months = data_type.logical == LogicalType::IntervalYearMonth;
    let apply = move |columns: &[Column], scope: &Scope<'_>| {
        let at = |index: usize, row: usize| millis_at(&columns[index].array, columns[index].index(row));
        intervals(is_months, columns, scope, |row| {
            let (left, right) = (at(0, row), at(1, row));
            Some(if is_months { months_between(left, right) } else { left.wrapping_sub(right) })
        })
    };
    Node::call(nodes, data_type, span, false, Box::new(apply))
}

/// Whole months from `start` to `end` (wall-clock milliseconds), cut towards zero.
pub(super) fn months_between(end: i64, start: i64) -> i64 {
    if end < start {
        return -months_between(start, end);
    }
    let (end_day, start_day) = (end.div_euclid(DAY_MS), start.div_euclid(DAY_MS));
    let later = |months: i64| add_months(start_day, months) * DAY_MS + start.rem_euclid(DAY_MS);
    let mut months = (end_day - start_day) / 31;
    while later(months + 1) <= end {
        months += 1;
    }
    months
}

/// CURRENT_TIMESTAMP, LOCALTIMESTAMP and CURRENT_DATE.
///
/// # Errors
/// The result's type is none that they can have: a broken plan.
pub(super) fn current(function: Function, data_type: DataType, zone: &Zone) -> Result<Node> {
    if !is_time(&data_type.logical) {
        return Err(Error::internal(format!("compile {function:?}: its type is {data_type}")));
    }
    let kernel =
        Current { is_local: function != Function::CurrentTimestamp, arrow: data_type.arrow(), zone: zone.clone() };
    Ok(Node::new(kernel, data_type, false))
}

/// The processing time of the batch.
struct Current {
    is_local: bool,
    arrow: ArrowType,
    zone: Zone,
}

impl Kernel for Current {
    fn evaluate(&self, scope: &Scope<'_>) -> Result<Column, EvalError> {
        let millis = if self.is_local { self.zone.to_local(scope.now) } else { scope.now };
        let scope = Scope { rows: 1, mask: None, ..*scope };
        let array = match self.arrow {
            ArrowType::Date32 => primitives::<Date32Type>(&[], &scope, Failure::Raise, |_| {
                Ok(i32::try_from(millis.div_euclid(DAY_MS)).ok())
            }),
            ArrowType::Time32(_) => primitives::<Time32MillisecondType>(&[], &scope, Failure::Raise, |_| {
                Ok(i32::try_from(millis.rem_euclid(DAY_MS)).ok())
            }),
            _ => timestamps(&self.arrow, &[], &scope, Failure::Raise, |_| Ok(Some(Moment { millis, nanos: 0 }))),
        };
        array.map(Column::constant)
    }
}

#[cfg(test)]
mod tests;
