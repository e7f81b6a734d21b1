//! Reads a text by a pattern of `DateTimeFormatter`: strictly, names in their case, and completed by Flink's defaults.

use super::super::zone::Moment;
use super::calendar::{DAYS, MONTHS};
use super::resolve::Fields;
use super::{Item, Pattern};

/// The time that `text` names; None if it does not fit the pattern.
pub(in super::super) fn read(pattern: &Pattern, text: &str) -> Option<Moment> {
    let mut fields = Fields::default();
    let end = read_items(&pattern.items, text, 0, &mut fields)?;
    (end == text.len()).then(|| fields.resolve())?
}

/// Reads all items from `at`; where they end.
fn read_items(items: &[Item], text: &str, mut at: usize, fields: &mut Fields) -> Option<usize> {
    for (index, item) in items.iter().enumerate() {
        at = match item {
            Item::Text(expected) => text[at..].starts_with(expected.as_str()).then(|| at + expected.len())?,
            Item::Field(letter, count) => {
                let behind = reserved(&items[index + 1..]);
                read_field(*letter, *count, text, at, behind, fields)?
            }
            Item::Optional(inner) => {
                let mut tried = fields.clone();
                match read_items(inner, text, at, &mut tried) {
                    Some(end) => {
                        *fields = tried;
                        end
                    }
                    None => at,
                }
            }
        };
    }
    Some(at)
}

/// Whether a field is a number of exactly as many digits as it has letters.
fn fixed_width(letter: char, count: usize) -> Option<usize> {
    match letter {
        'd' | 'h' | 'H' | 'k' | 'K' | 'm' | 's' | 'M' | 'L' if count == 2 => Some(2),
        'y' | 'u' if count == 2 => Some(2),
        'D' if count == 3 => Some(3),
        'S' => Some(count),
        _ => None,
    }
}

/// The digits that fields of fixed width right behind need.
fn reserved(items: &[Item]) -> usize {
    let widths = items.iter().map_while(|item| match item {
        Item::Field(letter, count) => fixed_width(*letter, *count),
        _ => None,
    });
    widths.sum()
}

fn read_field(letter: char, count: usize, text: &str, at: usize, behind: usize, fields: &mut Fields) -> Option<usize> {
    match letter {
        'a' => named(&["AM", "PM"], 2, text, at, 'a', fields),
        'G' => named(&["BC", "AD"], 2, text, at, 'G', fields),
        'M' | 'L' if count >= 3 => {
            let length = if count == 3 { 3 } else { usize::MAX };
            let end = named(&MONTHS, length, text, at, '?', &mut Fields::default())?;
            let month = MONTHS.iter().position(|name| text[at..end] == name[..length.min(name.len())])?;
            fields.set('M', i64::try_from(month).ok()? + 1).then_some(end)
        }
        'E' | 'e' | 'c' if letter == 'E' || count >= 3 => {
            named(&DAYS, if count == 4 { usize::MAX } else { 3 }, text, at, 'E', fields)
        }
        'X' | 'x' | 'Z' | 'z' => offset_end(letter, text, at),
        _ => read_number(letter, count, text, at, behind, fields),
    }
}

/// One of several names, cut to `length`: the longest that fits; its number is noted.
fn named(names: &[&str], length: usize, text: &str, at: usize, letter: char, fields: &mut Fields) -> Option<usize> {
    let fits = |(_, name): &(usize, &&str)| text[at..].starts_with(&name[..length.min(name.len())]);
    let (index, name) = names.iter().enumerate().filter(fits).max_by_key(|(_, name)| name.len())?;
    fields.set(letter, i64::try_from(index).ok()?).then_some(at + length.min(name.len()))
}

/// Passes an offset (`Z`, `+02`, `+0200`, `+02:00`) or a zone of letters; the wall-clock time is what counts.
fn offset_end(letter: char, text: &str, at: usize) -> Option<usize> {
    let rest = text.as_bytes().get(at..)?;
    match rest.first()? {
        b'Z' if letter == 'X' || letter == 'z' => Some(at + 1),
        b'+' | b'-' => {
            let length = rest[1..].iter().take_while(|byte| byte.is_ascii_digit() || **byte == b':').count();
            (length >= 2).then_some(at + 1 + length)
        }
        first if first.is_ascii_alphabetic() && letter == 'z' => {
            Some(at + rest.iter().take_while(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'/' | b'_')).count())
        }
        _ => None,
    }
}

fn read_number(letter: char, count: usize, text: &str, at: usize, behind: usize, fields: &mut Fields) -> Option<usize> {
    let bytes = text.as_bytes();
    let is_year = matches!(letter, 'y' | 'u');
    let (is_signed, start) = match bytes.get(at) {
        Some(b'+') if is_year && count >= 4 => (true, at + 1),
        _ => (false, at),
    };
    let digits = bytes[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let width = match fixed_width(letter, count) {
        Some(width) => width,
        None => digits.min(19).saturating_sub(behind).max(1),
    };
    // A year of more digits than the pattern's needs a sign, and a sign needs more digits.
    let fits_year = !is_year || count < 4 || (width > count) == is_signed;
    let is_short = is_year && count >= 3 && width < count;
    if digits < width || !fits_year || is_short {
        return None;
    }
    let mut value: i64 = text[start..start + width].parse().ok()?;
    let letter = match letter {
        'L' => 'M',
        'u' => 'y',
        'S' => {
            value *= 10_i64.pow(9 - u32::try_from(count).ok()?);
            'S'
        }
        other => other,
    };
    if is_year && count == 2 {
        value += 2000;
    }
    fields.set(letter, value).then_some(start + width)
}
