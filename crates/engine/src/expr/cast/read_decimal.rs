//! Texts and DOUBLEs as DECIMAL.
//!
//! Flink reads short texts with a parser of its own and long ones with Java's `BigDecimal`; the words for what cannot be read differ accordingly.

use super::super::decimal::{PRECISION_MAX, divide_half_up, fits, power_of_ten};
use super::super::rows::RowResult;
use super::write::write_double;

/// The longest text, and the largest precision, that Flink's own parser takes.
const SHORT_MAX: usize = 18;

/// Where Flink's own parser stops reading an exponent.
const EXPONENT_STOP: i32 = 40;

/// The most digits that Flink's own parser can cut off: its powers of ten end there.
const CUT_MAX: u32 = 18;

/// A decimal number in a text without blanks around it; NULL where it has too many digits.
pub(super) fn decimal_of_text(text: &str, precision: u8, scale: u8) -> RowResult<i128> {
    let overflow = || format!("For input string: '{text}'. Overflow.");
    if usize::from(precision) <= SHORT_MAX && text.len() <= SHORT_MAX {
        return short_decimal(text.as_bytes(), precision, scale).map(Some).ok_or_else(overflow);
    }
    match parts(text.trim_matches([' ', '\n', '\t'])) {
        Ok(parts) => parts.scaled(precision, scale).map(Some).ok_or_else(overflow),
        Err(Some(character)) => Err(format!(
            "Character {character} is neither a decimal digit number, decimal point, nor \"e\" notation exponential mark."
        )),
        Err(None) => Err("No digits found.".to_owned()),
    }
}

/// Flink's own reading of short texts, oddities kept: the character at which the digits end is passed over (`7x` is 7), no digits are 0, and a number
/// that is rounded up may have one digit more than the precision.
fn short_decimal(text: &[u8], precision: u8, scale: u8) -> Option<i128> {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\n' | b'\t');
    let start = text.iter().position(|byte| !is_blank(byte))?;
    let (is_negative, mut at) = signed(text, start)?;
    let (mut value, mut digits, mut point) = (0_i128, 0_i32, None);
    let mut last = 0;
    while let Some(&byte) = text.get(at) {
        (last, at) = (byte, at + 1);
        match byte {
            b'0'..=b'9' => (value, digits) = (value * 10 + i128::from(byte - b'0'), digits + 1),
            b'.' if point.is_some() => return None,
            b'.' => point = Some(digits),
            _ => break,
        }
    }
    let mut exponent = 0_i32;
    if matches!(last, b'e' | b'E') && at < text.len() {
        let (is_small, behind) = signed(text, at)?;
        at = behind;
        while let Some(&byte) = text.get(at) {
            at += 1;
            match byte {
                b'0'..=b'9' if exponent < EXPONENT_STOP => exponent = exponent * 10 + i32::from(byte - b'0'),
                b'0'..=b'9' => {}
                _ => break,
            }
        }
        exponent = if is_small { -exponent } else { exponent };
    }
    if !text[at..].iter().all(is_blank) {
        return None;
    }
    let change = exponent - (digits - point.unwrap_or(digits)) + i32::from(scale);
    let value = if is_negative { -value } else { value };
    match u32::try_from(change) {
        _ if digits + change > i32::from(precision) => None,
        Ok(zeros) => value.checked_mul(10_i128.checked_pow(zeros)?),
        Err(_) => {
            let cut = change.unsigned_abs();
            (cut <= CUT_MAX).then(|| divide_half_up(value, power_of_ten(cut)))
        }
    }
}

/// The sign at `at` and the index behind it; None where nothing follows a sign.
fn signed(text: &[u8], at: usize) -> Option<(bool, usize)> {
    match text.get(at)? {
        b'-' | b'+' if at + 1 == text.len() => None,
        sign @ (b'-' | b'+') => Some((*sign == b'-', at + 1)),
        _ => Some((false, at)),
    }
}

/// The DECIMAL of the digits that Java writes for a DOUBLE; NULL where it does not fit.
pub(crate) fn decimal_of_double(value: f64, precision: u8, scale: u8) -> RowResult<i128> {
    if !value.is_finite() {
        let first = if value.is_nan() { 'N' } else { 'I' };
        return Err(format!(
            "Character {first} is neither a decimal digit number, decimal point, nor \"e\" notation exponential mark."
        ));
    }
    let mut text = String::with_capacity(24);
    write_double(value, &mut text);
    Ok(parts(&text).ok().and_then(|parts| parts.scaled(precision, scale)))
}

/// The digits of a number, the power of ten of the last, and the sign.
struct Parts {
    is_negative: bool,
    digits: Vec<u8>,
    exponent: i64,
}

/// Reads `[+-]digits[.digits][e[+-]digits]`; what is wrong otherwise: the first bad character, or None where digits are missing.
fn parts(text: &str) -> Result<Parts, Option<char>> {
    let (is_negative, rest) = match text.strip_prefix(['-', '+']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text),
    };
    let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().map_err(|_| exponent.chars().next())?),
        None => (rest, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if let Some(bad) = whole.chars().chain(fraction.chars()).find(|character| !character.is_ascii_digit()) {
        return Err(Some(bad));
    }
    let digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).map(|byte| byte - b'0').collect();
    if digits.is_empty() {
        return Err(None);
    }
    let fraction = i64::try_from(fraction.len()).map_err(|_| None)?;
    Ok(Parts { is_negative, digits, exponent: i64::from(exponent) - fraction })
}

impl Parts {
    /// The number in `scale`, rounded half up; None if it has more than `precision` digits.
    fn scaled(&self, precision: u8, scale: u8) -> Option<i128> {
        let first = self.digits.iter().position(|digit| *digit != 0).unwrap_or(self.digits.len());
        let digits = &self.digits[first..];
        // Digits that stay before the scale's end; the one behind decides the rounding.
        let kept = i64::try_from(digits.len()).ok()? + self.exponent + i64::from(scale);
        if digits.is_empty() || kept < 0 {
            return Some(0);
        }
        let kept = usize::try_from(kept).ok().filter(|kept| *kept <= usize::try_from(PRECISION_MAX).unwrap_or(0))?;
        let number = |digits: &[u8]| digits.iter().fold(0_i128, |value, digit| value * 10 + i128::from(*digit));
        let value = if kept >= digits.len() {
            let zeros = u32::try_from(kept - digits.len()).ok()?;
            number(digits) * power_of_ten(zeros)
        } else if kept < usize::try_from(PRECISION_MAX).unwrap_or(0) {
            divide_half_up(number(&digits[..=kept]), 10)
        } else {
            number(&digits[..kept]) + i128::from(digits[kept] >= 5)
        };
        let value = if self.is_negative { -value } else { value };
        fits(value, precision).then_some(value)
    }
}
