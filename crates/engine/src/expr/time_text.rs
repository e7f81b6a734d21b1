//! Times and texts by pattern: TO_TIMESTAMP, TO_DATE, DATE_FORMAT, FROM_UNIXTIME, UNIX_TIMESTAMP; and numbers as times: TO_TIMESTAMP_LTZ.

use arrow_array::Array;
use arrow_array::types::{Date32Type, Decimal128Type, Float64Type, Int64Type};
use weir_base::calendar::{DAY_MS, days_of};
use weir_base::{Error, Result, Span};
use weir_plan::{CastMode, DataType, Function, LogicalType};

use super::cast::{self, date_of_text, timestamp_of_text};
use super::compile::Family;
use super::node::{Apply, Column, Node, Scope};
use super::rows::{Failure, Texts, Values, primitives, texts};
use super::time::{timestamp_at, timestamps};
use super::time_pattern::{Dialect, Instant, Pattern, read, read_simple, write};
use super::zone::{Moment, Zone};

/// The family.
pub(super) const FAMILY: Family = Family {
    functions: &[
        Function::ToTimestampLtz,
        Function::ToTimestamp,
        Function::ToDate,
        Function::DateFormat,
        Function::FromUnixtime,
        Function::UnixTimestamp,
    ],
    compile: |call| compile(call.function, call.nodes, call.data_type, call.zone, call.span),
};

/// The first second that TO_TIMESTAMP_LTZ gives, and the one behind the last: the years 0000 to 9999.
const EPOCH_SECONDS: std::ops::Range<i128> = -62_167_219_200..253_402_300_800;

/// One of the functions above.
///
/// # Errors
/// A constant pattern is malformed or not supported.
pub(super) fn compile(
    function: Function,
    nodes: Vec<Node>,
    data_type: DataType,
    zone: &Zone,
    span: Span,
) -> Result<Node> {
    match function {
        Function::ToTimestampLtz => to_timestamp_ltz(nodes, data_type, zone, span),
        Function::ToTimestamp => to_timestamp(nodes, data_type, span),
        Function::ToDate => to_date(nodes, data_type, span),
        Function::DateFormat => date_format(nodes, data_type, zone, span),
        Function::FromUnixtime => from_unixtime(nodes, data_type, zone, span),
        _ => unix_timestamp(nodes, data_type, zone, span),
    }
}

/// A pattern that is the same for all rows, or changes with them.
pub(super) struct Patterns {
    constant: Option<Pattern>,
    dialect: Dialect,
}

/// The pattern last read.
pub(super) type Last = Option<(String, Pattern)>;

impl Patterns {
    /// The patterns of argument `index`, or `default` where there is none.
    pub(super) fn of(nodes: &[Node], index: usize, default: &str, dialect: Dialect, span: Span) -> Result<Self> {
        let text = match nodes.get(index) {
            None => Some(default.to_owned()),
            Some(node) if node.constant.as_ref().is_some_and(|value| value.is_valid(0)) => {
                node.constant_text("a pattern")?
            }
            Some(_) => None,
        };
        let parse = |text: String| {
            Pattern::parse(&text, dialect)
                .map_err(|why| Error::invalid(format!("use the pattern '{text}' of dates and times at {span}: {why}")))
        };
        Ok(Self { constant: text.map(parse).transpose()?, dialect })
    }

    /// The pattern for a row whose text is `text`.
    pub(super) fn get<'a>(&'a self, text: Option<&str>, last: &'a mut Last) -> Result<&'a Pattern, String> {
        if let Some(pattern) = &self.constant {
            return Ok(pattern);
        }
        let text = text.unwrap_or_default();
        if last.as_ref().is_none_or(|(known, _)| known != text) {
            *last = Some((text.to_owned(), Pattern::parse(text, self.dialect)?));
        }
        Ok(&last.as_ref().expect("just put there").1)
    }

    /// Whether a row's own pattern may be malformed.
    pub(super) fn is_fallible(&self) -> bool {
        self.constant.is_none()
    }
}

/// The pattern's text for a row, where it is an argument.
fn text_at(columns: &[Column], index: usize, row: usize) -> Option<&str> {
    columns.get(index).map(|column| Texts::of(column).get(row))
}

/// `TO_TIMESTAMP(text [, format])`; NULL for what it cannot read.
fn to_timestamp(nodes: Vec<Node>, data_type: DataType, span: Span) -> Result<Node> {
    let arrow = data_type.arrow();
    if nodes.len() == 1 {
        let apply = move |columns: &[Column], scope: &Scope<'_>| {
            let values = Texts::of(&columns[0]);
            timestamps(&arrow, columns, scope, Failure::Null, |row| {
                timestamp_of_text(values.get(row)).map(|time| Some(time.cut(3)))
            })
        };
        return Ok(Node::call(nodes, data_type, span, false, Box::new(apply)));
    }
    let patterns = Patterns::of(&nodes, 1, "", Dialect::Formatter, span)?;
    let is_fallible = patterns.is_fallible();
    let apply = move |columns: &[Column], scope: &Scope<'_>| {
        let (values, mut last) = (Texts::of(&columns[0]), None);
        timestamps(&arrow, columns, scope, Failure::Raise, |row| {
            let pattern = patterns.get(text_at(columns, 1, row), &mut last)?;
            let text = values.get(row);
            Ok(read(pattern, text).or_else(|| jdbc_timestamp(text)).map(|time| time.cut(3)))
        })
    };
    Ok(Node::call(nodes, data_type, span, is_fallible, Box::new(apply)))
}

/// `yyyy-[m]m-[d]d` or `yyyy-[m]m-[d]d hh:mm:ss[.f...]`, as JDBC reads them: what TO_TIMESTAMP tries when its pattern does not fit. Values roll over.
pub(super) fn jdbc_timestamp(text: &str) -> Option<Moment> {
    let text = text.trim();
    let (date, time) = text.split_once(' ').map_or((text, None), |(date, time)| (date, Some(time.trim_start())));
    let mut parts = date.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let number = |text: &str, most: usize| {
        let is_number = (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| text.parse::<i64>().ok())?
    };
    if parts.next().is_some() || year.len() != 4 {
        return None;
    }
    let (year, month, day) = (number(year, 4)?, number(month, 2)?, number(day, 2)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let days = days_of(year, month, day);
    let Some(time) = time else { return Some(Moment { millis: days * DAY_MS, nanos: 0 }) };
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let mut parts = time.split(':');
    let (hour, minute, second) = (number(parts.next()?, 9)?, number(parts.next()?, 9)?, number(parts.next()?, 9)?);
    if parts.next().is_some() {
        return None;
    }
    let nanos = number(fraction, 9)? * 10_i64.pow(9 - u32::try_from(fraction.len()).ok()?);
    let millis = days * DAY_MS + hour * 3_600_000 + minute * 60_000 + second * 1000 + nanos / 1_000_000;
    Some(Moment { millis, nanos: i32::try_from(nanos % 1_000_000).ok()? })
}

/// `TO_DATE(text [, format])`; NULL for what it cannot read.
fn to_date(nodes: Vec<Node>, data_type: DataType, span: Span) -> Result<Node> {
    let patterns = Patterns::of(&nodes, 1, "yyyy-MM-dd", Dialect::Simple, span)?;
    let (is_plain, is_fallible) = (nodes.len() == 1, patterns.is_fallible());
    let apply = move |columns: &[Column], scope: &Scope<'_>| {
        let (values, mut last) = (Texts::of(&columns[0]), None);
        primitives::<Date32Type>(columns, scope, Failure::Raise, |row| {
            if is_plain {
                return Ok(date_of_text(values.get(row)).ok());
            }
            let pattern = patterns.get(text_at(columns, 1, row), &mut last)?;
            let millis = read_simple(pattern, values.get(row), &Zone::Fixed(0), scope.now);
            Ok(millis.and_then(|millis| i32::try_from(millis.div_euclid(DAY_MS)).ok()))
        })
    };
    Ok(Node::call_each_batch(nodes, data_type, span, is_fallible, Box::new(apply)))
}

/// `DATE_FORMAT(timestamp, format)`; a text is read as `yyyy-MM-dd HH:mm:ss` first.
fn date_format(nodes: Vec<Node>, data_type: DataType, zone: &Zone, span: Span) -> Result<Node> {
    let from = nodes[0].data_type.logical.clone();
    let is_text = from.is_string();
    let dialect = if is_text { Dialect::Simple } else { Dialect::Formatter };
    let patterns = Patterns::of(&nodes, 1, "yyyy-MM-dd HH:mm:ss", dialect, span)?;
    let default = Pattern::parse("yyyy-MM-dd HH:mm:ss", Dialect::Simple).map_err(Error::internal)?;
    let zone = zone.clone();
    let apply: Apply = Box::new(move |columns, scope| {
        let mut last = None;
        texts(columns, scope, Failure::Raise, |row, out| {
            let pattern = patterns.get(text_at(columns, 1, row), &mut last)?;
            let instant = if is_text {
                let Some(millis) = read_simple(&default, Texts::of(&columns[0]).get(row), &Zone::Fixed(0), scope.now)
                else {
                    return Ok(false);
                };
                Instant { local: Moment { millis, nanos: 0 }, zone: Some((0, "UTC".to_owned())) }
            } else {
                let moment = timestamp_at(&columns[0].array, columns[0].index(row));
                let is_instant = matches!(from, LogicalType::TimestampLtz(_));
                let millis = if is_instant { zone.to_local(moment.millis) } else { moment.millis };
                Instant { local: Moment { millis, ..moment }, zone: None }
            };
            write(pattern, &instant, out).map(|()| true)
        })
    });
    Ok(Node::call_each_batch(nodes, data_type, span, true, apply))
}

/// `FROM_UNIXTIME(seconds [, format])`, in the local time zone.
fn from_unixtime(nodes: Vec<Node>, data_type: DataType, zone: &Zone, span: Span) -> Result<Node> {
    let patterns = Patterns::of(&nodes, 1, "yyyy-MM-dd HH:mm:ss", Dialect::Simple, span)?;
    let is_fallible = patterns.is_fallible();
    let mut nodes = nodes.into_iter();
    let bigint = DataType::nullable(LogicalType::BigInt);
    let seconds = nodes.next().ok_or_else(|| Error::internal("compile FROM_UNIXTIME: its argument is missing"))?;
    let mut arguments = vec![cast::compile(seconds, &bigint, CastMode::Cast, zone, span)?];
    arguments.extend(nodes);
    let zone = zone.clone();
    let apply: Apply = Box::new(move |columns, scope| {
        let (values, mut last) = (Values::<Int64Type>::of(&columns[0]), None);
        texts(columns, scope, Failure::Raise, |row, out| {
            let pattern = patterns.get(text_at(columns, 1, row), &mut last)?;
            let millis = values.get(row).wrapping_mul(1000);
            let named = Some((zone.offset_at(millis), zone.short_name_at(millis)));
            let local = Moment { millis: zone.to_local(millis), nanos: 0 };
            write(pattern, &Instant { local, zone: named }, out).map(|()| true)
        })
    });
    Ok(Node::call(arguments, data_type, span, is_fallible, apply))
}

/// `UNIX_TIMESTAMP([text [, format]])`: seconds, the smallest BIGINT for what it cannot read.
fn unix_timestamp(nodes: Vec<Node>, data_type: DataType, zone: &Zone, span: Span) -> Result<Node> {
    if nodes.is_empty() {
        let now: Apply = Box::new(|columns, scope| {
            primitives::<Int64Type>(columns, scope, Failure::Raise, |_| Ok(Some(scope.now.div_euclid(1000))))
        });
        return Ok(Node::call_each_batch(nodes, data_type, span, false, now));
    }
    let patterns = Patterns::of(&nodes, 1, "yyyy-MM-dd HH:mm:ss", Dialect::Simple, span)?;
    let is_fallible = patterns.is_fallible();
    let zone = zone.clone();
    let apply: Apply = Box::new(move |columns, scope| {
        let (values, mut last) = (Texts::of(&columns[0]), None);
        primitives::<Int64Type>(columns, scope, Failure::Raise, |row| {
            let pattern = patterns.get(text_at(columns, 1, row), &mut last)?;
            let millis = read_simple(pattern, values.get(row), &zone, scope.now);
            Ok(Some(millis.map_or(i64::MIN, |millis| millis / 1000)))
        })
    });
    Ok(Node::call_each_batch(nodes, data_type, span, is_fallible, apply))
}

/// `TO_TIMESTAMP_LTZ(number, precision)`: units of `10^-precision` seconds since the epoch; NULL outside the years 0000 to 9999.
fn to_timestamp_ltz(nodes: Vec<Node>, data_type: DataType, zone: &Zone, span: Span) -> Result<Node> {
    let mut nodes = nodes.into_iter();
    let value = nodes.next().ok_or_else(|| Error::internal("compile TO_TIMESTAMP_LTZ: its argument is missing"))?;
    let from = value.data_type.logical.clone();
    let target = match from {
        LogicalType::Float | LogicalType::Double => LogicalType::Double,
        LogicalType::Decimal(precision, scale) => LogicalType::Decimal(precision, scale),
        _ => LogicalType::BigInt,
    };
    let int = DataType::nullable(LogicalType::Int);
    let mut arguments = vec![cast::compile(value, &DataType::nullable(target.clone()), CastMode::Cast, zone, span)?];
    for node in nodes {
        arguments.push(cast::compile(node, &int, CastMode::Cast, zone, span)?);
    }
    let arrow = data_type.arrow();
    let digits = if let LogicalType::TimestampLtz(digits) = data_type.logical { digits } else { 3 };
    let apply: Apply = Box::new(move |columns, scope| {
        timestamps(&arrow, columns, scope, Failure::Raise, |row| {
            let precision =
                columns.get(1).map_or(3, |column| Values::<arrow_array::types::Int32Type>::of(column).get(row));
            let Some(precision) = u32::try_from(precision).ok().filter(|precision| *precision <= 9) else {
                return Err(format!("Precision for TO_TIMESTAMP_LTZ must be between 0 and 9 but was {precision}."));
            };
            Ok(epoch(&columns[0], row, &target, precision).map(|moment| moment.cut(digits)))
        })
    });
    Ok(Node::call(arguments, data_type, span, true, apply))
}

/// The moment of a number of units of `10^-precision` seconds; None outside the years 0000 to 9999.
fn epoch(column: &Column, row: usize, logical: &LogicalType, precision: u32) -> Option<Moment> {
    let (unit, per_second) = (10_i128.pow(9 - precision), 10_i128.pow(precision));
    let units = EPOCH_SECONDS.start * per_second..EPOCH_SECONDS.end * per_second;
    let nanos = match logical {
        LogicalType::Double => double_nanos(Values::<Float64Type>::of(column).get(row), unit, &units)?,
        LogicalType::Decimal(_, scale) => {
            // What is behind the point is cut off, as Java makes a long of a BigDecimal.
            let whole = Values::<Decimal128Type>::of(column).get(row) / super::decimal::power_of_ten(u32::from(*scale));
            units.contains(&whole).then_some(whole * unit)?
        }
        _ => {
            let whole = i128::from(Values::<Int64Type>::of(column).get(row));
            units.contains(&whole).then_some(whole * unit)?
        }
    };
    let millis = i64::try_from(nanos.div_euclid(1_000_000)).ok()?;
    Some(Moment { millis, nanos: i32::try_from(nanos.rem_euclid(1_000_000)).ok()? })
}

/// The nanoseconds of `value` units; None if it is not among `units`. Flink counts them in 64 bits: no DOUBLE gives a moment after April 2262.
#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "as Java computes with doubles")]
fn double_nanos(value: f64, unit: i128, units: &std::ops::Range<i128>) -> Option<i128> {
    if value < units.start as f64 || value > (units.end - 1) as f64 {
        return None;
    }
    Some(i128::from((value * unit as f64) as i64))
}

#[cfg(test)]
mod tests;
