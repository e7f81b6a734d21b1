//! Texts and DOUBLEs as DECIMAL.
//!
//! Flink reads short texts with a parser of its own and long ones with Java's `BigDecimal`; the words for what cannot be read differ accordingly.

use super::super::decimal::{PRECISION_MAX, divide_half_up, fits, power_of_ten};
use super::super::rows::RowResult;
use super::write::write_double;

/// The longest text, and the largest precision, that Flink's own parser takes.
const SHORT_MAX: usize = 18;

/// A decimal number in a text without blanks around it.
pub(super) fn decimal_of_text(text: &str, precision: u8, scale: u8) -> Result<i128, String> {
    let overflow = || format!("For input string: '{text}'. Overflow.");
    let inner = text.trim_matches([' ', '\n', '\t']);
    let is_long = usize::from(precision) > SHORT_MAX || text.len() > SHORT_MAX;
    match parts(inner) {
        Ok(parts) => parts.scaled(precision, scale).ok_or_else(overflow),
        Err(bad) if is_long => Err(match bad {
            Some(character) => format!(
                "Character {character} is neither a decimal digit number, decimal point, nor \"e\" notation exponential mark."
            ),
            None => "No digits found.".to_owned(),
        }),
        Err(_) => Err(overflow()),
    }
}

/// The DECIMAL of the digits that Java writes for a DOUBLE; NULL where it does not fit.
pub(super) fn decimal_of_double(value: f64, precision: u8, scale: u8) -> RowResult<i128> {
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
