//! Writes an instant by a pattern.

use std::fmt::Write;

use weir_base::calendar::{DAY_MS, date_of};

use super::super::zone::Moment;
use super::calendar::{DAYS, MONTHS, day_of_year, week_of, week_of_month, weekday};
use super::{Dialect, Item, Pattern};

/// A wall-clock time, with the zone it is in where that is known.
#[derive(Debug, Clone)]
pub(in super::super) struct Instant {
    /// The wall-clock time.
    pub(in super::super) local: Moment,
    /// The distance from UTC in milliseconds, and the zone's short name.
    pub(in super::super) zone: Option<(i64, String)>,
}

/// Appends `instant` by `pattern`.
///
/// # Errors
/// The pattern asks for a zone that is not known.
pub(in super::super) fn write(pattern: &Pattern, instant: &Instant, out: &mut String) -> Result<(), String> {
    write_items(&pattern.items, pattern.dialect, instant, out)
}

fn write_items(items: &[Item], dialect: Dialect, instant: &Instant, out: &mut String) -> Result<(), String> {
    for item in items {
        match item {
            Item::Text(text) => out.push_str(text),
            Item::Field(letter, count) if is_zone(*letter) => write_zone(*letter, *count, dialect, instant, out)?,
            Item::Field(letter, count) => match date_field(*letter, *count, dialect, instant.local, out) {
                true => {}
                false => time_field(*letter, *count, dialect, instant.local, out),
            },
            Item::Optional(inner) => {
                let before = out.len();
                if write_items(inner, dialect, instant, out).is_err() {
                    out.truncate(before);
                }
            }
        }
    }
    Ok(())
}

/// A number of at least `width` digits.
fn number(value: i64, width: usize, out: &mut String) {
    let sign = if value < 0 { "-" } else { "" };
    let _ = write!(out, "{sign}{:0width$}", value.unsigned_abs());
}

/// A name: short, full, or its first letter.
fn name(full: &str, count: usize, is_simple: bool, out: &mut String) {
    out.push_str(match count {
        4 => full,
        5.. if !is_simple => &full[..1],
        5.. => full,
        _ => &full[..3],
    });
}

/// Writes a field of the date; false if the letter is none.
fn date_field(letter: char, count: usize, dialect: Dialect, local: Moment, out: &mut String) -> bool {
    let days = local.millis.div_euclid(DAY_MS);
    let (year, month, day) = date_of(days);
    let is_simple = dialect == Dialect::Simple;
    let name_at = |names: &'static [&'static str], index: i64| names[usize::try_from(index).unwrap_or(0) % names.len()];
    match letter {
        'G' if count == 5 && !is_simple => out.push_str(if year > 0 { "A" } else { "B" }),
        'G' if count == 4 && !is_simple => out.push_str(if year > 0 { "Anno Domini" } else { "Before Christ" }),
        'G' => out.push_str(if year > 0 { "AD" } else { "BC" }),
        'u' if is_simple => number(weekday(days) + 1, count, out),
        'y' => year_field(if year > 0 { year } else { 1 - year }, count, out, is_simple),
        'u' => year_field(year, count, out, is_simple),
        'Y' => year_field(week_of(days).0, count, out, is_simple),
        'M' | 'L' if count >= 3 => name(name_at(&MONTHS, month - 1), count, is_simple, out),
        'M' | 'L' => number(month, count, out),
        'Q' | 'q' => match count {
            1 | 2 => number((month + 2) / 3, count, out),
            3 => out.extend(['Q', name_at(&["1", "2", "3", "4"], (month - 1) / 3).chars().next().unwrap_or('1')]),
            4 => out.push_str(name_at(&["1st quarter", "2nd quarter", "3rd quarter", "4th quarter"], (month - 1) / 3)),
            _ => number((month + 2) / 3, 1, out),
        },
        'w' => number(week_of(days).1, count, out),
        'W' => number(week_of_month(days), count, out),
        'd' => number(day, count, out),
        'D' => number(day_of_year(days), count, out),
        'F' if is_simple => number((day - 1) / 7 + 1, count, out),
        'F' => number((day - 1) % 7 + 1, count, out),
        'e' | 'c' if count <= 2 => number((weekday(days) + 1) % 7 + 1, count, out),
        'E' | 'e' | 'c' => name(name_at(&DAYS, weekday(days)), count, is_simple, out),
        _ => return false,
    }
    true
}

/// A year: two digits where two are asked for; a plus sign before one of more digits than the pattern has, from four on.
fn year_field(year: i64, count: usize, out: &mut String, is_simple: bool) {
    match count {
        2 => number(year.rem_euclid(100), 2, out),
        _ => {
            let digits = year.unsigned_abs().checked_ilog10().unwrap_or(0) + 1;
            if !is_simple && count >= 4 && year > 0 && usize::try_from(digits).is_ok_and(|digits| digits > count) {
                out.push('+');
            }
            number(year, count, out);
        }
    }
}

/// Writes a field of the time of day.
fn time_field(letter: char, count: usize, dialect: Dialect, local: Moment, out: &mut String) {
    let of_day = local.millis.rem_euclid(DAY_MS);
    let hour = of_day / 3_600_000;
    let from_one = |hour: i64, most: i64| if hour % most == 0 { most } else { hour % most };
    match letter {
        'a' => out.push_str(if hour < 12 { "AM" } else { "PM" }),
        'H' => number(hour, count, out),
        'k' => number(from_one(hour, 24), count, out),
        'K' => number(hour % 12, count, out),
        'h' => number(from_one(hour, 12), count, out),
        'm' => number(of_day / 60_000 % 60, count, out),
        's' => number(of_day / 1000 % 60, count, out),
        'S' if dialect == Dialect::Simple => number(of_day % 1000, count, out),
        'S' => {
            let digits = format!("{:09}", local.nanos_of_second());
            out.push_str(&digits[..count.min(9)]);
        }
        'A' => number(of_day, count, out),
        'n' => number(local.nanos_of_second(), count, out),
        'N' => number(of_day * 1_000_000 + i64::from(local.nanos), count, out),
        _ => {}
    }
}

fn is_zone(letter: char) -> bool {
    matches!(letter, 'X' | 'x' | 'Z' | 'z')
}

/// Writes the zone.
fn write_zone(letter: char, count: usize, dialect: Dialect, instant: &Instant, out: &mut String) -> Result<(), String> {
    let Some((offset, name)) = &instant.zone else {
        return Err(match letter {
            'z' => "Unable to extract ZoneId from temporal".to_owned(),
            _ => "Unsupported field: OffsetSeconds".to_owned(),
        });
    };
    if letter == 'z' {
        out.push_str(name);
        return Ok(());
    }
    if letter == 'X' && *offset == 0 {
        out.push('Z');
        return Ok(());
    }
    let minutes = offset / 60_000;
    let (sign, minutes) = (if minutes < 0 { '-' } else { '+' }, minutes.unsigned_abs());
    let _ = write!(out, "{sign}{:02}", minutes / 60);
    let is_short = matches!(letter, 'X' | 'x') && count == 1;
    if is_short && (dialect == Dialect::Simple || minutes % 60 == 0) {
        return Ok(());
    }
    let colon = if matches!(letter, 'X' | 'x') && matches!(count, 3 | 5) { ":" } else { "" };
    let _ = write!(out, "{colon}{:02}", minutes % 60);
    Ok(())
}
