//! JSON values into columns, with Flink's leniency: what does not fit its column becomes NULL and is noted, only what is no JSON fails.

use crate::column::{Column, Values, list_start, put};
use crate::json::Keys;
use crate::json::compact::write_compact;
use crate::json::cursor::{Broken, Cursor, Number, Step, Text};
use crate::json::keys::SKIP;
use crate::json::unescape::unescape;
use crate::parse::{self, TimestampFormat};
use crate::scalar::{TextRead, set_text};
use crate::view::{RECORDS, SIDE, view_of};

/// What reading values shares within one batch.
pub(crate) struct Context {
    /// Text that is not in the records as it is: escapes taken out, compact JSON.
    pub side: Vec<u8>,
    /// Fields that became NULL because they did not fit: where the value starts in the buffer, and why.
    pub misfits: Vec<(usize, String)>,
    /// `timestamp-format.standard`
    pub timestamp_format: TimestampFormat,
    /// `fail-on-missing-field`
    pub fail_on_missing_field: bool,
    /// The first field found missing in a record, where `fail_on_missing_field`.
    pub missing: Option<String>,
    scratch: Vec<u8>,
}

impl Context {
    /// A context with nothing in it.
    pub fn new(timestamp_format: TimestampFormat, fail_on_missing_field: bool) -> Self {
        Self {
            side: Vec::new(),
            misfits: Vec::new(),
            timestamp_format,
            fail_on_missing_field,
            missing: None,
            scratch: Vec::new(),
        }
    }

    /// Notes that the value at `at` does not fit `column`; it is NULL then.
    #[cold]
    #[inline(never)]
    fn misfit(&mut self, column: &Column, cursor: &Cursor<'_>, start: usize) -> bool {
        const SHOWN_MAX: usize = 64;
        let end = cursor.at.min(cursor.text.len());
        let whole = String::from_utf8_lossy(&cursor.text[start.min(end)..end]);
        let shown: String = whole.chars().take(SHOWN_MAX).collect();
        let more = if shown.len() < whole.len() { "..." } else { "" };
        self.misfits.push((start, format!("field '{}': {shown}{more} does not fit {}", column.path, column.data_type)));
        false
    }
}

/// Which fields of a row were given a value: 64 without a heap.
struct Present {
    first: u64,
    more: Vec<u64>,
}

impl Present {
    #[inline]
    fn new(count: usize) -> Self {
        let more = if count <= 64 { Vec::new() } else { vec![0; count.div_ceil(64) - 1] };
        Self { first: 0, more }
    }

    #[inline]
    fn set(&mut self, index: usize, present: bool) {
        let word = match index / 64 {
            0 => &mut self.first,
            more => &mut self.more[more - 1],
        };
        *word = (*word & !(1 << (index % 64))) | (u64::from(present) << (index % 64));
    }

    #[inline]
    fn get(&self, index: usize) -> bool {
        let word = if index < 64 { self.first } else { self.more[index / 64 - 1] };
        word & (1 << (index % 64)) != 0
    }

    #[inline]
    fn is_full(&self, count: usize) -> bool {
        if count > 64 {
            return (0..count).all(|index| self.get(index));
        }
        count == 0 || self.first == u64::MAX >> (64 - count)
    }
}

/// Reads an object into row `row` of `columns`; the cursor stands on its `{`.
pub(crate) fn read_object(
    columns: &mut [Column],
    keys: &mut Keys,
    row: usize,
    cursor: &mut Cursor<'_>,
    context: &mut Context,
    depth: u32,
) -> Step<()> {
    cursor.enter(depth)?;
    let count = columns.len();
    let mut present = Present::new(count);
    let mut seen = Present::new(if context.fail_on_missing_field { count } else { 0 });
    if cursor.token() == b'}' {
        cursor.at += 1;
    } else {
        let mut expected = keys.first();
        let mut previous = None;
        loop {
            if cursor.peek().is_some_and(|byte| byte <= b' ') {
                cursor.white();
            }
            let index = match keys.matches(expected, cursor.data, cursor.at) {
                Some(length) => {
                    cursor.at += length;
                    Some(expected)
                }
                None => find_key(keys, previous, cursor, context)?,
            };
            let (column, next) = index.map_or((SKIP, expected), |index| keys.column_and_next(index));
            expected = next;
            previous = index.or(previous);
            if column == SKIP {
                cursor.skip(depth)?;
            } else {
                let column = column as usize;
                let there = read_value(&mut columns[column], row, cursor, context, depth)?;
                present.set(column, there);
                if context.fail_on_missing_field {
                    seen.set(column, true);
                }
            }
            if !cursor.another(b'}', "expected ',' or '}' after a value")? {
                break;
            }
        }
    }
    if context.fail_on_missing_field && context.missing.is_none() {
        context.missing = (0..count).find(|index| !seen.get(*index)).map(|index| columns[index].path.clone());
    }
    if present.is_full(count) {
        for column in columns.iter_mut() {
            column.mark(row, true);
        }
    } else {
        for (index, column) in columns.iter_mut().enumerate() {
            column.mark(row, present.get(index));
        }
    }
    Ok(())
}

/// The key here when it was not the expected one; `None`: nobody knows it.
#[inline(never)]
fn find_key(
    keys: &mut Keys,
    previous: Option<u32>,
    cursor: &mut Cursor<'_>,
    context: &mut Context,
) -> Step<Option<u32>> {
    let name = cursor.key()?;
    if !name.escaped {
        return Ok(keys.look_up(cursor.data, name.start, name.end, previous));
    }
    context.scratch.clear();
    unescape(&cursor.data[name.start..name.end], &mut context.scratch);
    Ok(keys.look_up(&context.scratch, 0, context.scratch.len(), previous))
}

/// Reads the value here into `column` at `position`; gives whether it is there rather than NULL.
#[inline]
fn read_value(
    column: &mut Column,
    position: usize,
    cursor: &mut Cursor<'_>,
    context: &mut Context,
    depth: u32,
) -> Step<bool> {
    match cursor.token() {
        b'"' => {
            let text = cursor.string()?;
            if let Values::String(views) = &mut column.values {
                let view = if text.escaped {
                    unescaped_view(cursor, text, context)
                } else {
                    view_of(cursor.data, text.start, text.end, RECORDS)
                };
                put(views, position, view);
                return Ok(true);
            }
            Ok(read_text(column, position, cursor, text, context))
        }
        b'-' | b'0'..=b'9' => {
            let number = cursor.number()?;
            Ok(read_number(column, position, cursor, number, context))
        }
        b'n' => {
            cursor.literal(b"null")?;
            Ok(false)
        }
        b't' => read_boolean(column, position, cursor, context, true),
        b'f' => read_boolean(column, position, cursor, context, false),
        b'{' | b'[' => read_nested(column, position, cursor, context, depth + 1),
        _ => cursor.fail("expected a value"),
    }
}

#[cold]
fn unescaped_view(cursor: &Cursor<'_>, text: Text, context: &mut Context) -> u128 {
    let start = context.side.len();
    unescape(&cursor.data[text.start..text.end], &mut context.side);
    view_of(&context.side, start, context.side.len(), SIDE)
}

fn read_boolean(
    column: &mut Column,
    position: usize,
    cursor: &mut Cursor<'_>,
    context: &mut Context,
    value: bool,
) -> Step<bool> {
    let start = cursor.at;
    cursor.literal(if value { b"true" } else { b"false" })?;
    match &mut column.values {
        Values::Boolean(values) => put(values, position, value),
        Values::String(views) => put(views, position, view_of(cursor.data, start, cursor.at, RECORDS)),
        _ => return Ok(context.misfit(column, cursor, start)),
    }
    Ok(true)
}

/// A number into a column: as Jackson gives it to Flink, fractions cut for INT and BIGINT.
#[inline]
fn read_number(
    column: &mut Column,
    position: usize,
    cursor: &Cursor<'_>,
    number: Number,
    context: &mut Context,
) -> bool {
    match &mut column.values {
        Values::Int64(values) => {
            if let Some(value) = number_to_integer(cursor, number) {
                put(values, position, value);
                return true;
            }
        }
        Values::Float64(values) => {
            put(values, position, number_to_double(cursor, number));
            return true;
        }
        Values::Int32(values) => {
            if let Some(value) = number_to_integer(cursor, number).and_then(|value| i32::try_from(value).ok()) {
                put(values, position, value);
                return true;
            }
        }
        Values::String(views) => {
            put(views, position, view_of(cursor.data, number.start, number.end, RECORDS));
            return true;
        }
        _ => return read_rare_number(column, position, cursor, number, context),
    }
    context.misfit(column, cursor, number.start)
}

fn read_rare_number(
    column: &mut Column,
    position: usize,
    cursor: &Cursor<'_>,
    number: Number,
    context: &mut Context,
) -> bool {
    let whole = || if number.float { None } else { number_to_integer(cursor, number) };
    let done = match &mut column.values {
        Values::Int8(values) => {
            whole().and_then(|value| i8::try_from(value).ok()).map(|value| put(values, position, value))
        }
        Values::Int16(values) => {
            whole().and_then(|value| i16::try_from(value).ok()).map(|value| put(values, position, value))
        }
        Values::Float32(values) => parse::float(number_text(cursor, number)).map(|value| put(values, position, value)),
        Values::Decimal(values, precision, scale) => {
            match parse::decimal(number_text(cursor, number), *precision, *scale) {
                Some(None) => return false,
                value => value.flatten().map(|value| put(values, position, value)),
            }
        }
        // Boolean.parseBoolean of a number's text: never "true".
        Values::Boolean(values) => {
            put(values, position, false);
            Some(())
        }
        _ => None,
    };
    done.is_some() || context.misfit(column, cursor, number.start)
}

/// A number's text: digits, signs and points, so it is UTF-8.
fn number_text<'a>(cursor: &Cursor<'a>, number: Number) -> &'a str {
    std::str::from_utf8(&cursor.data[number.start..number.end]).unwrap_or_default()
}

#[inline]
fn number_to_integer(cursor: &Cursor<'_>, number: Number) -> Option<i64> {
    if !number.float && number.digits <= 18 {
        let value = i64::try_from(number.mantissa).ok()?;
        return Some(if number.negative { -value } else { value });
    }
    if !number.float {
        return number_text(cursor, number).parse().ok();
    }
    let value = number_to_double(cursor, number);
    // Java's bounds for a double that becomes a long: Long.MIN_VALUE and Long.MAX_VALUE, both as doubles.
    if !(-9_223_372_036_854_775_808.0..=9_223_372_036_854_775_808.0).contains(&value) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "cutting the fraction is what Flink does")]
    let cut = value as i64;
    Some(cut)
}

#[inline]
fn number_to_double(cursor: &Cursor<'_>, number: Number) -> f64 {
    const POWERS: [f64; 23] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
        1e20, 1e21, 1e22,
    ];
    // Both numbers are exact doubles then, so one division rounds once (Clinger 1990).
    if number.digits <= 19 && number.mantissa < (1 << 53) && number.fraction <= 22 && !number.exponent {
        #[expect(clippy::cast_precision_loss, reason = "the mantissa was just found to fit in 53 bits")]
        let value = number.mantissa as f64 / POWERS[number.fraction];
        return if number.negative { -value } else { value };
    }
    fast_float2::parse(&cursor.data[number.start..number.end]).unwrap_or(f64::NAN)
}

/// A string into a column that is none: parsed as Flink parses it.
fn read_text(column: &mut Column, position: usize, cursor: &Cursor<'_>, text: Text, context: &mut Context) -> bool {
    let mut scratch = std::mem::take(&mut context.scratch);
    scratch.clear();
    if text.escaped {
        unescape(&cursor.data[text.start..text.end], &mut scratch);
    } else {
        scratch.extend_from_slice(&cursor.data[text.start..text.end]);
    }
    let value = std::str::from_utf8(&scratch).unwrap_or_default();
    let read = set_text(column, position, value, context.timestamp_format, &mut context.side);
    context.scratch = scratch;
    match read {
        TextRead::Value => true,
        TextRead::Null => false,
        TextRead::Misfit => context.misfit(column, cursor, text.start - 1),
    }
}

/// An object or array into a column; `depth` counts it.
fn read_nested(
    column: &mut Column,
    position: usize,
    cursor: &mut Cursor<'_>,
    context: &mut Context,
    depth: u32,
) -> Step<bool> {
    let start = cursor.at;
    let object = cursor.peek() == Some(b'{');
    match &mut column.values {
        Values::Row(columns, keys) if object => {
            read_object(columns, keys, position, cursor, context, depth)?;
            Ok(true)
        }
        Values::List(ends, child) if !object => {
            let end = read_array(child, list_start(ends, position), cursor, context, depth)?;
            put(ends, position, end);
            Ok(true)
        }
        Values::Map(ends, keys, values) if object => {
            let end = read_map(keys, values, list_start(ends, position), cursor, context, depth)?;
            put(ends, position, end);
            Ok(true)
        }
        Values::String(views) => {
            cursor.skip(depth - 1)?;
            let from = context.side.len();
            write_compact(&cursor.data[start..cursor.at], &mut context.side);
            put(views, position, view_of(&context.side, from, context.side.len(), SIDE));
            Ok(true)
        }
        _ => {
            cursor.skip(depth - 1)?;
            Ok(context.misfit(column, cursor, start))
        }
    }
}

fn next_position(position: u32, cursor: &mut Cursor<'_>) -> Step<u32> {
    match position.checked_add(1) {
        Some(next) => Ok(next),
        None => cursor.fail("more than 4294967295 array elements in one batch"),
    }
}

/// The elements of an array from position `at` of `child`; gives where they end.
fn read_array(
    child: &mut Column,
    mut at: u32,
    cursor: &mut Cursor<'_>,
    context: &mut Context,
    depth: u32,
) -> Step<u32> {
    cursor.enter(depth)?;
    if cursor.token() == b']' {
        cursor.at += 1;
        return Ok(at);
    }
    loop {
        let there = read_value(child, at as usize, cursor, context, depth)?;
        child.mark(at as usize, there);
        at = next_position(at, cursor)?;
        if !cursor.another(b']', "expected ',' or ']' after a value")? {
            return Ok(at);
        }
    }
}

/// The entries of a map from position `at` of `keys` and `values`; gives where they end. Of two equal keys the later value counts.
fn read_map(
    keys: &mut Column,
    values: &mut Column,
    at: u32,
    cursor: &mut Cursor<'_>,
    context: &mut Context,
    depth: u32,
) -> Step<u32> {
    cursor.enter(depth)?;
    let mut end = at;
    if cursor.token() == b'}' {
        cursor.at += 1;
        return Ok(end);
    }
    let mut positions = std::collections::BTreeMap::new();
    loop {
        let name = cursor.key()?;
        let mut text = Vec::new();
        if name.escaped {
            unescape(&cursor.data[name.start..name.end], &mut text);
        } else {
            text.extend_from_slice(&cursor.data[name.start..name.end]);
        }
        // A nested value's children stand in a row and cannot be replaced: there both entries stay, the later one behind.
        let known = positions.get(&text).copied().filter(|_| !values.is_nested());
        let position = known.unwrap_or(end);
        if known.is_none() {
            let Values::String(views) = &mut keys.values else { return Err(Broken) };
            let view = if name.escaped {
                unescaped_view(cursor, name, context)
            } else {
                view_of(cursor.data, name.start, name.end, RECORDS)
            };
            put(views, position as usize, view);
            keys.mark(position as usize, true);
            end = next_position(end, cursor)?;
            positions.insert(text, position);
        }
        let there = read_value(values, position as usize, cursor, context, depth)?;
        values.mark(position as usize, there);
        if !cursor.another(b'}', "expected ',' or '}' after a value")? {
            return Ok(end);
        }
    }
}
