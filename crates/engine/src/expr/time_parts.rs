//! Units of time: EXTRACT, FLOOR and CEIL to a unit, TIMESTAMPDIFF.
//!
//! Before 1970 Flink's EXTRACT divides towards zero (the hour of 23:11 is 0): kept. Weeks of FLOOR and CEIL begin on Sunday, those of EXTRACT are ISO's.

use arrow_array::ArrayRef;
use arrow_array::types::{Date32Type, Int32Type, Int64Type, Time32MillisecondType};
use arrow_schema::DataType as ArrowType;
use weir_base::calendar::{DAY_MS, date_of, days_of};
use weir_base::{Error, Result, Span};
use weir_plan::{CastMode, DataType, Function, LogicalType};

use super::cast;
use super::compile::Family;
use super::node::{Apply, Column, EvalError, Node, Scope};
use super::rows::{Failure, primitives};
use super::time::{interval_at, millis_at, months_between, timestamp_at, timestamps};
use super::zone::{Moment, Zone};

/// The family.
pub(super) const FAMILY: Family = Family {
    functions: &[Function::Extract, Function::FloorTo, Function::CeilTo, Function::TimestampDiff],
    compile: |call| compile(call.function, call.nodes, call.data_type, call.zone, call.span),
};

/// A unit of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Millennium,
    Century,
    Decade,
    Year,
    Quarter,
    Month,
    Week,
    Day,
    Hour,
    Minute,
    Second,
    Millisecond,
    Microsecond,
    Nanosecond,
    Epoch,
    DayOfWeek,
    IsoDayOfWeek,
    DayOfYear,
    IsoYear,
}

impl Unit {
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "MILLENNIUM" => Self::Millennium,
            "CENTURY" => Self::Century,
            "DECADE" => Self::Decade,
            "YEAR" => Self::Year,
            "QUARTER" => Self::Quarter,
            "MONTH" => Self::Month,
            "WEEK" => Self::Week,
            "DAY" => Self::Day,
            "HOUR" => Self::Hour,
            "MINUTE" => Self::Minute,
            "SECOND" => Self::Second,
            "MILLISECOND" => Self::Millisecond,
            "MICROSECOND" => Self::Microsecond,
            "NANOSECOND" => Self::Nanosecond,
            "EPOCH" => Self::Epoch,
            "DOW" => Self::DayOfWeek,
            "ISODOW" => Self::IsoDayOfWeek,
            "DOY" => Self::DayOfYear,
            "ISOYEAR" => Self::IsoYear,
            _ => return None,
        })
    }

    /// Its milliseconds, where it has a fixed number of them.
    fn millis(self) -> Option<i64> {
        Some(match self {
            Self::Week => 7 * DAY_MS,
            Self::Day => DAY_MS,
            Self::Hour => 3_600_000,
            Self::Minute => 60_000,
            Self::Second => 1000,
            Self::Millisecond => 1,
            _ => return None,
        })
    }
}

/// EXTRACT, FLOOR TO, CEIL TO, TIMESTAMPDIFF.
///
/// # Errors
/// The unit is unknown, or cannot be had of the argument.
pub(super) fn compile(
    function: Function,
    mut nodes: Vec<Node>,
    data_type: DataType,
    zone: &Zone,
    span: Span,
) -> Result<Node> {
    let unit_node = match function {
        Function::FloorTo | Function::CeilTo => nodes.pop(),
        _ => (!nodes.is_empty()).then(|| nodes.remove(0)),
    };
    let unit_node = unit_node.ok_or_else(|| Error::internal(format!("compile {function:?}: its unit is missing")))?;
    let name = unit_node.constant_text("a unit of time")?.unwrap_or_default();
    let unit = Unit::parse(&name)
        .ok_or_else(|| Error::invalid(format!("use the unit {name} at {span}: it is none of Flink's")))?;
    match function {
        Function::Extract => extract(unit, &name, nodes, data_type, zone, span),
        Function::TimestampDiff => difference(unit, &name, nodes, data_type, zone, span),
        _ => to_unit(unit, &name, function == Function::FloorTo, nodes, data_type, zone, span),
    }
}

/// The unit cannot be had of such an argument.
fn refused(name: &str, node: &Node, span: Span) -> Error {
    Error::invalid(format!("use the unit {name} at {span}: it cannot be had of {}", node.data_type))
}

/// `EXTRACT(unit FROM a)`, BIGINT.
fn extract(unit: Unit, name: &str, nodes: Vec<Node>, data_type: DataType, zone: &Zone, span: Span) -> Result<Node> {
    let logical = nodes[0].data_type.logical.clone();
    let is_of_date = !matches!(
        unit,
        Unit::Hour
            | Unit::Minute
            | Unit::Second
            | Unit::Millisecond
            | Unit::Microsecond
            | Unit::Nanosecond
            | Unit::Epoch
    );
    let is_possible = match logical {
        LogicalType::Time(_) => !is_of_date && unit != Unit::Epoch,
        LogicalType::IntervalYearMonth => matches!(unit, Unit::Year | Unit::Month | Unit::Quarter),
        LogicalType::IntervalDayTime => unit.millis().is_some() || unit == Unit::Epoch,
        LogicalType::Date | LogicalType::Timestamp(_) | LogicalType::TimestampLtz(_) => true,
        _ => false,
    };
    if !is_possible {
        return Err(refused(name, &nodes[0], span));
    }
    let zone = zone.clone();
    let apply: Apply = Box::new(move |columns, scope| {
        let array = &columns[0].array;
        primitives::<Int64Type>(columns, scope, Failure::Raise, |row| {
            let row = columns[0].index(row);
            Ok(Some(match logical {
                LogicalType::IntervalYearMonth => of_months(unit, interval_at(array, row)),
                LogicalType::IntervalDayTime => of_interval(unit, interval_at(array, row)),
                LogicalType::Date | LogicalType::Time(_) => {
                    part(unit, Moment { millis: millis_at(array, row), nanos: 0 })
                }
                LogicalType::TimestampLtz(_) => {
                    let moment = timestamp_at(array, row);
                    part(unit, Moment { millis: zone.to_local(moment.millis), ..moment })
                }
                _ => part(unit, timestamp_at(array, row)),
            }))
        })
    });
    let bigint = DataType::nullable(LogicalType::BigInt);
    cast::compile(Node::call(nodes, bigint, span, false, apply), &data_type, CastMode::Cast, &Zone::Fixed(0), span)
}

fn of_months(unit: Unit, months: i64) -> i64 {
    match unit {
        Unit::Year => months / 12,
        Unit::Quarter => months % 12 / 3 + 1,
        _ => months % 12,
    }
}

fn of_interval(unit: Unit, millis: i64) -> i64 {
    match unit {
        Unit::Day => millis / DAY_MS,
        Unit::Week => millis / (7 * DAY_MS),
        Unit::Hour => millis % DAY_MS / 3_600_000,
        Unit::Minute => millis % 3_600_000 / 60_000,
        Unit::Second => millis % 60_000 / 1000,
        Unit::Epoch => millis / 1000,
        _ => millis % 60_000,
    }
}

/// A part of a wall-clock time.
fn part(unit: Unit, local: Moment) -> i64 {
    let millis = local.millis;
    match unit {
        Unit::Hour => millis % DAY_MS / 3_600_000,
        Unit::Minute => millis % 3_600_000 / 60_000,
        Unit::Second => millis % 60_000 / 1000,
        Unit::Millisecond => millis % 1000,
        Unit::Microsecond => millis % 1000 * 1000 + i64::from(local.nanos / 1000),
        Unit::Nanosecond => millis % 1000 * 1_000_000 + i64::from(local.nanos),
        Unit::Epoch => millis / 1000,
        _ => part_of_date(unit, millis / DAY_MS),
    }
}

/// A part of a date.
fn part_of_date(unit: Unit, days: i64) -> i64 {
    let (year, month, day) = date_of(days);
    let from_one = |size: i64| if year > 0 { (year + size - 1) / size } else { (year - size + 1) / size };
    match unit {
        Unit::Millennium => from_one(1000),
        Unit::Century => from_one(100),
        Unit::Decade => year / 10,
        Unit::Year => year,
        Unit::Quarter => (month + 2) / 3,
        Unit::Month => month,
        Unit::Day => day,
        Unit::DayOfWeek => (days + 4).rem_euclid(7) + 1,
        Unit::IsoDayOfWeek => (days + 3).rem_euclid(7) + 1,
        Unit::DayOfYear => days - days_of(year, 1, 1) + 1,
        Unit::IsoYear => iso_week(days).0,
        _ => iso_week(days).1,
    }
}

/// The ISO year and week: weeks begin on Monday, the one with 4 January is the first.
fn iso_week(days: i64) -> (i64, i64) {
    let thursday = days - (days + 3).rem_euclid(7) + 3;
    let year = date_of(thursday).0;
    (year, (thursday - days_of(year, 1, 1)) / 7 + 1)
}

/// FLOOR and CEIL of a date or time to a unit.
fn to_unit(
    unit: Unit,
    name: &str,
    is_floor: bool,
    nodes: Vec<Node>,
    data_type: DataType,
    zone: &Zone,
    span: Span,
) -> Result<Node> {
    let is_known = unit.millis().is_some()
        || matches!(unit, Unit::Millennium | Unit::Century | Unit::Decade | Unit::Year | Unit::Quarter | Unit::Month)
        || matches!(unit, Unit::Microsecond | Unit::Nanosecond);
    let logical = nodes[0].data_type.logical.clone();
    let is_time = matches!(
        logical,
        LogicalType::Date | LogicalType::Time(_) | LogicalType::Timestamp(_) | LogicalType::TimestampLtz(_)
    );
    if !is_known
        || !is_time
        || (matches!(logical, LogicalType::Time(_)) && unit.millis().is_none_or(|millis| millis >= DAY_MS))
    {
        return Err(refused(name, &nodes[0], span));
    }
    let (arrow, zone) = (nodes[0].data_type.arrow(), zone.clone());
    let natural = nodes[0].data_type.clone();
    let apply: Apply = Box::new(move |columns, scope| match logical {
        LogicalType::Date => dates_to_unit(unit, is_floor, columns, scope),
        LogicalType::Time(_) => primitives::<Time32MillisecondType>(columns, scope, Failure::Raise, |row| {
            let millis = millis_at(&columns[0].array, columns[0].index(row));
            Ok(i32::try_from(millis_to_unit(unit, is_floor, millis)).ok())
        }),
        _ => timestamps_to_unit(
            unit,
            is_floor,
            &arrow,
            matches!(logical, LogicalType::TimestampLtz(_)).then_some(&zone),
            columns,
            scope,
        ),
    });
    cast::compile(Node::call(nodes, natural, span, false, apply), &data_type, CastMode::Cast, &Zone::Fixed(0), span)
}

fn dates_to_unit(unit: Unit, is_floor: bool, columns: &[Column], scope: &Scope<'_>) -> Result<ArrayRef, EvalError> {
    primitives::<Date32Type>(columns, scope, Failure::Raise, |row| {
        let days = millis_at(&columns[0].array, columns[0].index(row)) / DAY_MS;
        let moved = match unit {
            // Flink's CEIL of a DATE to its day is the next.
            Unit::Day => days + i64::from(!is_floor),
            unit if unit.millis().is_some_and(|millis| millis < DAY_MS) => days,
            unit => days_to_unit(unit, is_floor, days),
        };
        Ok(i32::try_from(moved).ok())
    })
}

fn timestamps_to_unit(
    unit: Unit,
    is_floor: bool,
    arrow: &ArrowType,
    zone: Option<&Zone>,
    columns: &[Column],
    scope: &Scope<'_>,
) -> Result<ArrayRef, EvalError> {
    timestamps(arrow, columns, scope, Failure::Raise, |row| {
        let moment = timestamp_at(&columns[0].array, columns[0].index(row));
        if matches!(unit, Unit::Microsecond | Unit::Nanosecond) {
            return Ok(Some(moment));
        }
        let offset = zone.map_or(0, |zone| zone.offset_at(moment.millis));
        Ok(Some(Moment { millis: millis_to_unit(unit, is_floor, moment.millis + offset) - offset, nanos: 0 }))
    })
}

/// Wall-clock milliseconds moved to the unit's beginning, or to the next one.
fn millis_to_unit(unit: Unit, is_floor: bool, millis: i64) -> i64 {
    match unit.millis() {
        Some(size) if unit != Unit::Week => {
            let start = millis.div_euclid(size) * size;
            if is_floor || start == millis { start } else { start + size }
        }
        // Before 1970 Flink takes the day towards 1970: kept.
        _ => days_to_unit(unit, is_floor, millis / DAY_MS) * DAY_MS,
    }
}

/// Days moved to the beginning of the unit, or to the next one unless they are one already.
fn days_to_unit(unit: Unit, is_floor: bool, days: i64) -> i64 {
    let (year, month, day) = date_of(days);
    let is_first = month == 1 && day == 1;
    let up = |is_start: bool| i64::from(!is_floor && !is_start);
    let first_of = |size: i64| {
        let start = (year + size - 1) / size * size - size + 1;
        days_of(if is_floor { start } else { start + size }, 1, 1)
    };
    match unit {
        Unit::Millennium => first_of(1000),
        Unit::Century => first_of(100),
        Unit::Decade => days_of(10 * (year / 10 + i64::from(!is_floor)), 1, 1),
        Unit::Year => days_of(year + up(is_first), 1, 1),
        // Flink's CEIL to a quarter asks for the first of the year's days, not of the quarter's: kept.
        Unit::Quarter => days_of(year, ((month + 2) / 3 + up(is_first)) * 3 - 2, 1),
        Unit::Month => days_of(year, month + up(day == 1), 1),
        _ => {
            let from_sunday = (days + 4).rem_euclid(7);
            days - if is_floor || from_sunday == 0 { from_sunday } else { from_sunday - 7 }
        }
    }
}

/// `TIMESTAMPDIFF(unit, a, b)`: whole units from a to b.
fn difference(unit: Unit, name: &str, nodes: Vec<Node>, data_type: DataType, zone: &Zone, span: Span) -> Result<Node> {
    let months = match unit {
        Unit::Month => Some(1),
        Unit::Quarter => Some(3),
        // Flink counts years for a decade: kept.
        Unit::Year | Unit::Decade => Some(12),
        Unit::Century => Some(1200),
        _ => None,
    };
    // Flink counts what is less than a second by whole seconds: kept.
    let per_second = match unit {
        Unit::Millisecond => Some(1_000),
        Unit::Microsecond => Some(1_000_000),
        _ => None,
    };
    if months.is_none() && per_second.is_none() && unit.millis().is_none() {
        return Err(refused(name, &nodes[0], span));
    }
    let is_instant: Vec<bool> =
        nodes.iter().map(|node| matches!(node.data_type.logical, LogicalType::TimestampLtz(_))).collect();
    let zone = zone.clone();
    let apply: Apply = Box::new(move |columns, scope| {
        let at = |index: usize, row: usize| {
            let millis = millis_at(&columns[index].array, columns[index].index(row));
            let is_mixed = is_instant[0] != is_instant[1];
            if is_instant[index] && (is_mixed || months.is_some()) { zone.to_local(millis) } else { millis }
        };
        primitives::<Int32Type>(columns, scope, Failure::Raise, |row| {
            let (start, end) = (at(0, row), at(1, row));
            let whole = match (months, unit.millis()) {
                (Some(months), _) => months_between(end, start) / months,
                _ if per_second.is_some() => (end.wrapping_sub(start) / 1000).wrapping_mul(per_second.unwrap_or(1)),
                (None, size) => end.wrapping_sub(start) / size.unwrap_or(1),
            };
            #[expect(clippy::cast_possible_truncation, reason = "Flink narrows the BIGINT to INT by its low bits")]
            let narrowed = whole as i32;
            Ok(Some(narrowed))
        })
    });
    let int = DataType::nullable(LogicalType::Int);
    cast::compile(Node::call(nodes, int, span, false, apply), &data_type, CastMode::Cast, &Zone::Fixed(0), span)
}

#[cfg(test)]
mod tests;
