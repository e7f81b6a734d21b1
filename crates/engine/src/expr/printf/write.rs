//! One value written by one specifier.
//!
//! DOUBLE and FLOAT are rounded half up on the digits that Java writes for the number, not on its exact value: `%.1f` of 0.35 is 0.4.

use super::super::cast::{write_double, write_float};
use super::super::text_make::push_units;
use super::Value;
use super::format::{Flags, Specifier};

/// Why nothing was written.
#[derive(Debug, PartialEq)]
pub(super) enum Unwritten {
    /// An error in Java: the value does not fit the conversion.
    Wrong,
    /// Java writes something, we do not.
    Unsupported(&'static str),
}

/// Appends `value` as `specifier` says.
///
/// # Errors
/// It cannot be written so.
pub(super) fn write(specifier: &Specifier, value: &Value<'_>, out: &mut String) -> Result<(), Unwritten> {
    let text = match (specifier.conversion, value) {
        ('n', _) => {
            out.push('\n');
            return Ok(());
        }
        ('%', _) => "%".to_owned(),
        ('t', _) => return Err(Unwritten::Unsupported("%t (dates and times)")),
        ('b', Value::Null) => cut(specifier, "false"),
        ('b', Value::Truth(value)) => cut(specifier, if *value { "true" } else { "false" }),
        ('b', _) => cut(specifier, "true"),
        (_, Value::Null) => cut(specifier, "null"),
        ('s', value) => cut(specifier, &text_of(value)),
        ('h', value) => cut(specifier, &format!("{:x}", hash_of(value)?)),
        ('c', Value::Whole(code, 8 | 16 | 32)) => character(*code)?,
        ('d', Value::Whole(value, _)) => {
            whole(specifier, *value, out);
            return Ok(());
        }
        ('o', Value::Whole(value, bits)) => prefixed(specifier, "0", &format!("{:o}", masked(*value, *bits))),
        ('x', Value::Whole(value, bits)) => prefixed(specifier, "0x", &format!("{:x}", masked(*value, *bits))),
        ('e' | 'f' | 'g', Value::Double(value)) => return real(specifier, *value, out),
        ('e' | 'f' | 'g', Value::Float(value)) => return real(specifier, f64::from(*value), out),
        ('a', Value::Double(_) | Value::Float(_)) => return Err(Unwritten::Unsupported("%a (hexadecimal fractions)")),
        _ => return Err(Unwritten::Wrong),
    };
    padded(specifier, &text, out);
    Ok(())
}

/// The first UTF-16 units of a text, as many as the precision says.
fn cut(specifier: &Specifier, text: &str) -> String {
    match specifier.precision {
        Some(precision) if text.len() > precision => {
            let units: Vec<u16> = text.encode_utf16().take(precision).collect();
            let mut cut = String::new();
            push_units(&units, &mut cut);
            cut
        }
        _ => text.to_owned(),
    }
}

/// Appends a text, filled up with blanks to the width in UTF-16 units.
fn padded(specifier: &Specifier, text: &str, out: &mut String) {
    let upper;
    let text = if specifier.is_upper {
        upper = text.to_uppercase();
        &upper
    } else {
        text
    };
    let missing = specifier.width.unwrap_or(0).saturating_sub(text.encode_utf16().count());
    let blanks = std::iter::repeat_n(' ', missing);
    if specifier.flags.left {
        out.push_str(text);
        out.extend(blanks);
    } else {
        out.extend(blanks);
        out.push_str(text);
    }
}

/// Java's `toString`.
fn text_of(value: &Value<'_>) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Whole(value, _) => value.to_string(),
        Value::Float(value) => {
            let mut text = String::new();
            write_float(*value, &mut text);
            text
        }
        Value::Double(value) => {
            let mut text = String::new();
            write_double(*value, &mut text);
            text
        }
        Value::Truth(value) => value.to_string(),
        Value::Text(text) => text.clone().into_owned(),
    }
}

/// Java's `hashCode`, as an unsigned number.
fn hash_of(value: &Value<'_>) -> Result<u32, Unwritten> {
    let fold = |value: u64| u32::try_from((value ^ (value >> 32)) & u64::from(u32::MAX)).expect("masked to 32 bits");
    Ok(match value {
        Value::Whole(value, 64) => fold(value.cast_unsigned()),
        Value::Whole(value, _) => {
            u32::try_from(value.cast_unsigned() & u64::from(u32::MAX)).expect("masked to 32 bits")
        }
        Value::Truth(value) => {
            if *value {
                1231
            } else {
                1237
            }
        }
        Value::Float(value) => value.to_bits(),
        Value::Double(value) => fold(value.to_bits()),
        Value::Null | Value::Text(_) => return Err(Unwritten::Unsupported("%h (a hash code) of this type")),
    })
}

/// The character of a code point.
fn character(code: i64) -> Result<String, Unwritten> {
    let code = u32::try_from(code).map_err(|_| Unwritten::Wrong)?;
    match char::from_u32(code) {
        Some(character) => Ok(character.to_string()),
        // Half of a pair.
        None if code <= 0xffff => Ok("?".to_owned()),
        None => Err(Unwritten::Wrong),
    }
}

/// The low bits of a number, unsigned.
fn masked(value: i64, bits: u32) -> u64 {
    value.cast_unsigned() & (u64::MAX >> (64 - bits))
}

/// Digits behind what tells their base, with zeros between up to the width if asked for.
fn prefixed(specifier: &Specifier, prefix: &str, digits: &str) -> String {
    let prefix = if specifier.flags.alternate { prefix } else { "" };
    let width = if specifier.flags.zeros { specifier.width.unwrap_or(0) } else { 0 };
    let missing = width.saturating_sub(prefix.len() + digits.len());
    format!("{prefix}{}{digits}", "0".repeat(missing))
}

/// `%d`
fn whole(specifier: &Specifier, value: i64, out: &mut String) {
    signed(specifier, value < 0, &value.unsigned_abs().to_string(), "", out);
}

/// Appends a number: its sign, the digits before the point in groups, and what is behind.
fn signed(specifier: &Specifier, is_negative: bool, before: &str, behind: &str, out: &mut String) {
    let flags = specifier.flags;
    let (open, close) = match (is_negative, flags.parentheses) {
        (true, true) => ("(", ")"),
        (true, false) => ("-", ""),
        (false, _) if flags.plus => ("+", ""),
        (false, _) if flags.blank => (" ", ""),
        (false, _) => ("", ""),
    };
    let before = if flags.groups { grouped(before) } else { before.to_owned() };
    let length = open.len() + before.len() + behind.len() + close.len();
    let missing = if flags.zeros { specifier.width.unwrap_or(0).saturating_sub(length) } else { 0 };
    padded(specifier, &format!("{open}{}{before}{behind}{close}", "0".repeat(missing)), out);
}

fn grouped(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `0.DIGITS * 10^exponent`, the first digit not 0 unless it is zero.
#[derive(Debug, Clone)]
struct Decimal {
    digits: String,
    exponent: i32,
}

impl Decimal {
    const ZERO: Self = Self { digits: String::new(), exponent: 0 };

    /// From `12.5`, `1.25e-7`.
    fn of(text: &str) -> Self {
        let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
        let (before, behind) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = [before, behind].concat();
        let leading = all.len() - all.trim_start_matches('0').len();
        let digits = all.trim_matches('0').to_owned();
        let before = i32::try_from(before.len()).unwrap_or(0) - i32::try_from(leading).unwrap_or(0);
        let exponent = if digits.is_empty() { 0 } else { exponent.parse::<i32>().unwrap_or(0) + before };
        Self { digits, exponent }
    }

    /// Rounded half up to so many digits; below one digit it may vanish or become one.
    fn rounded(&self, count: i64) -> Self {
        let Ok(count) = usize::try_from(count) else { return Self::ZERO };
        if count >= self.digits.len() {
            return self.clone();
        }
        let (kept, dropped) = self.digits.split_at(count);
        let mut kept = kept.as_bytes().to_vec();
        if dropped.as_bytes()[0] < b'5' {
            let digits = String::from_utf8(kept).expect("digits are ASCII");
            return Self { digits, exponent: self.exponent };
        }
        let mut at = kept.len();
        while at > 0 && kept[at - 1] == b'9' {
            at -= 1;
            kept[at] = b'0';
        }
        let mut exponent = self.exponent;
        if at > 0 {
            kept[at - 1] += 1;
        } else {
            kept.insert(0, b'1');
            exponent += 1;
        }
        Self { digits: String::from_utf8(kept).expect("digits are ASCII"), exponent }
    }

    /// The digits before the point, and so many behind it.
    fn fixed(&self, places: usize) -> (String, String) {
        let rounded = self.rounded(i64::from(self.exponent) + i64::try_from(places).unwrap_or(i64::MAX / 2));
        let mut digits = rounded.digits.chars().chain(std::iter::repeat('0'));
        let before = match usize::try_from(rounded.exponent) {
            Ok(count @ 1..) if !rounded.digits.is_empty() => digits.by_ref().take(count).collect(),
            _ => "0".to_owned(),
        };
        let zeros = usize::try_from(-i64::from(rounded.exponent)).unwrap_or(0).min(places);
        let zeros = if rounded.digits.is_empty() { places } else { zeros };
        let behind = std::iter::repeat_n('0', zeros).chain(digits.take(places - zeros)).collect();
        (before, behind)
    }

    /// One digit before the point, so many behind it, and the power of ten.
    fn scientific(&self, places: usize) -> (String, String, i32) {
        let rounded = self.rounded(i64::try_from(places).unwrap_or(i64::MAX / 2) + 1);
        let mut digits = rounded.digits.chars().chain(std::iter::repeat('0'));
        let first = digits.next().into_iter().collect();
        let power = if rounded.digits.is_empty() { 0 } else { rounded.exponent - 1 };
        (first, digits.take(places).collect(), power)
    }
}

/// `%e`, `%f`, `%g`
fn real(specifier: &Specifier, value: f64, out: &mut String) -> Result<(), Unwritten> {
    let is_negative = value.is_sign_negative();
    if !value.is_finite() {
        let plain = Specifier { flags: Flags { zeros: false, groups: false, ..specifier.flags }, ..specifier.clone() };
        if value.is_nan() {
            padded(&plain, "NaN", out);
        } else {
            signed(&plain, is_negative, "Infinity", "", out);
        }
        return Ok(());
    }
    let digits = Decimal::of(ryu::Buffer::new().format_finite(value.abs()));
    let places = specifier.precision.unwrap_or(6);
    match specifier.conversion {
        'f' => {
            let (before, behind) = digits.fixed(places);
            signed(specifier, is_negative, &before, &fraction(specifier, &behind), out);
        }
        'e' => exponential(specifier, is_negative, digits.scientific(places), out),
        _ => general(specifier, is_negative, &digits, out),
    }
    Ok(())
}

fn fraction(specifier: &Specifier, behind: &str) -> String {
    let point = if !behind.is_empty() || specifier.flags.alternate { "." } else { "" };
    format!("{point}{behind}")
}

fn exponential(specifier: &Specifier, is_negative: bool, number: (String, String, i32), out: &mut String) {
    let (first, behind, power) = number;
    let sign = if power < 0 { '-' } else { '+' };
    let behind = format!("{}e{sign}{:02}", fraction(specifier, &behind), power.unsigned_abs());
    signed(specifier, is_negative, &first, &behind, out);
}

/// `%g`: by the number's size one of the others, with so many digits in all.
fn general(specifier: &Specifier, is_negative: bool, digits: &Decimal, out: &mut String) {
    let count = specifier.precision.unwrap_or(6).max(1);
    let rounded = digits.rounded(i64::try_from(count).unwrap_or(i64::MAX));
    let size = i64::from(rounded.exponent);
    let is_fixed = rounded.digits.is_empty() || (size > -4 && size <= i64::try_from(count).unwrap_or(i64::MAX));
    if is_fixed {
        let places = i64::try_from(count).unwrap_or(0) - if rounded.digits.is_empty() { 1 } else { size };
        let places = usize::try_from(places).unwrap_or(0);
        let (before, behind) = rounded.fixed(places);
        signed(specifier, is_negative, &before, &fraction(specifier, &behind), out);
    } else {
        let groupless = Specifier { flags: Flags { groups: false, ..specifier.flags }, ..specifier.clone() };
        exponential(&groupless, is_negative, rounded.scientific(count - 1), out);
    }
}
