//! Texts of times in zones that the call names: CONVERT_TZ, and TO_TIMESTAMP_LTZ of a text.

use arrow_array::Array as _;
use weir_base::{Error, Result, Span};
use weir_plan::{DataType, Function, LogicalType};

use super::cast::timestamp_of_text;
use super::compile::{Called, Family};
use super::node::{Apply, Column, Node, Scope};
use super::rows::{Failure, Texts, texts};
use super::time::timestamps;
use super::time_pattern::{Dialect, Instant, Pattern, read, read_simple, write};
use super::time_text::{Patterns, jdbc_timestamp};
use super::zone::{Moment, Zone};

/// The family.
pub(super) const FAMILY: Family =
    Family { functions: &[Function::ConvertTz, Function::ReadTimestampLtz], compile: compile_one };

fn compile_one(call: Called<'_>) -> Result<Node> {
    match call.function {
        Function::ConvertTz => convert(call.nodes, call.data_type, call.span),
        _ => to_timestamp_ltz(call.nodes, call.data_type, call.span),
    }
}

/// A zone by Java's old rules: a name, or `GMT+02:00`; what is neither is GMT.
fn lenient_zone(name: &str) -> Zone {
    let is_bare_offset = ["+", "-", "UTC+", "UTC-", "UT+", "UT-"].iter().any(|start| name.starts_with(start));
    if is_bare_offset { Zone::Fixed(0) } else { Zone::parse(name).unwrap_or(Zone::Fixed(0)) }
}

/// `CONVERT_TZ(text, from, to)`: NULL for what is no `yyyy-MM-dd HH:mm:ss`.
fn convert(nodes: Vec<Node>, data_type: DataType, span: Span) -> Result<Node> {
    let pattern = Pattern::parse("yyyy-MM-dd HH:mm:ss", Dialect::Simple).map_err(Error::internal)?;
    let apply: Apply = Box::new(move |columns, scope| {
        let [text, from, to] = [0, 1, 2].map(|index| Texts::of(&columns[index]));
        texts(columns, scope, Failure::Raise, |row, out| {
            let (from, to) = (lenient_zone(from.get(row)), lenient_zone(to.get(row)));
            let Some(instant) = read_simple(&pattern, text.get(row), &from, scope.now) else { return Ok(false) };
            let local = Moment { millis: to.to_local(instant), nanos: 0 };
            write(&pattern, &Instant { local, zone: None }, out).map(|()| true)
        })
    });
    Ok(Node::call_each_batch(nodes, data_type, span, false, apply))
}

/// `TO_TIMESTAMP_LTZ(text [, format [, zone]])`: without a format the text must be a timestamp; with one, NULL for what it cannot read.
fn to_timestamp_ltz(nodes: Vec<Node>, data_type: DataType, span: Span) -> Result<Node> {
    let arrow = data_type.arrow();
    let digits = if let LogicalType::TimestampLtz(digits) = data_type.logical { digits } else { 3 };
    if nodes.len() == 1 {
        let apply = move |columns: &[Column], scope: &Scope<'_>| {
            let values = Texts::of(&columns[0]);
            timestamps(&arrow, columns, scope, Failure::Raise, |row| {
                let text = values.get(row);
                let read = timestamp_of_text(text).map_err(|_| format!("Text '{text}' could not be parsed"))?;
                Ok(Some(read.cut(digits)))
            })
        };
        return Ok(Node::call(nodes, data_type, span, true, Box::new(apply)));
    }
    if let Some(zone) = nodes.get(2).filter(|node| node.constant.as_ref().is_some_and(|zone| !zone.is_null(0))) {
        Zone::parse(&zone.constant_text("a time zone")?.unwrap_or_default())
            .map_err(|_| Error::invalid(format!("use the time zone at {span}: it is no known name or offset")))?;
    }
    let patterns = Patterns::of(&nodes, 1, "", Dialect::Formatter, span)?;
    let is_fallible = patterns.is_fallible();
    let apply = move |columns: &[Column], scope: &Scope<'_>| {
        let (values, mut last) = (Texts::of(&columns[0]), None);
        timestamps(&arrow, columns, scope, Failure::Raise, |row| {
            let pattern = patterns.get(Some(Texts::of(&columns[1]).get(row)), &mut last)?;
            let zone = match columns.get(2) {
                None => Zone::Fixed(0),
                Some(column) => match Zone::parse(Texts::of(column).get(row)) {
                    Ok(zone) => zone,
                    Err(_) => return Ok(None),
                },
            };
            let text = values.get(row);
            let local = read(pattern, text).or_else(|| jdbc_timestamp(text));
            Ok(local.map(|local| Moment { millis: zone.to_instant(local.millis), ..local }.cut(digits)))
        })
    };
    Ok(Node::call(nodes, data_type, span, is_fallible, Box::new(apply)))
}

#[cfg(test)]
mod tests {
    use weir_plan::Function as F;

    use super::super::tests::*;

    #[test]
    fn texts_move_from_zone_to_zone() {
        let convert = |text_of: &str, from: &str, to: &str| {
            let arguments = [text_of, from, to].map(text).to_vec();
            eval(&call(F::ConvertTz, arguments, STRING), &[]).remove(0)
        };
        let cases = [
            ("1970-01-01 00:00:00", "UTC", "America/Los_Angeles", "1969-12-31 16:00:00"),
            ("2024-03-10 02:30:00", "America/New_York", "UTC", "2024-03-10 07:30:00"),
            ("2024-01-01 00:00:00", "UTC", "+05:30", "2024-01-01 00:00:00"),
            ("2024-01-01 00:00:00", "UTC", "GMT+5", "2024-01-01 05:00:00"),
            ("2024-01-01", "UTC", "Asia/Tokyo", "NULL"),
            ("x", "UTC", "UTC", "NULL"),
        ];
        for (text_of, from, to, expected) in cases {
            assert_eq!(convert(text_of, from, to), expected, "{text_of} {from} {to}");
        }
    }
}
