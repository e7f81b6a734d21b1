//! Reads a text by a pattern of `SimpleDateFormat`: leniently. Fields roll over (31 February is 2 March), what is behind the pattern's end is left out.

use weir_base::calendar::{DAY_MS, date_of, days_of};

use super::super::zone::Zone;
use super::calendar::{DAYS, MONTHS};
use super::{Item, Pattern};

/// The instant in milliseconds that `text` names in `zone`, `now` being the processing time (it decides the century of two-digit years); None if it
/// does not fit the pattern.
pub(in super::super) fn read_simple(pattern: &Pattern, text: &str, zone: &Zone, now: i64) -> Option<i64> {
    let mut time = Fields { month: 1, day: 1, year: 1970, ..Fields::default() };
    let mut at = 0;
    for (index, item) in pattern.items.iter().enumerate() {
        at = match item {
            Item::Text(expected) => pass_text(text, at, expected)?,
            Item::Field(letter, count) => {
                let is_followed =
                    matches!(pattern.items.get(index + 1), Some(Item::Field(next, count)) if is_number(*next, *count));
                time.read(*letter, *count, text, at, is_followed, now)?
            }
            Item::Optional(_) => return None,
        };
    }
    let local = time.local();
    Some(time.offset.map_or_else(|| zone.to_later_instant(local), |offset| local - offset))
}

/// Passes a text; a blank in it stands for any number of blanks.
fn pass_text(text: &str, mut at: usize, expected: &str) -> Option<usize> {
    for character in expected.chars() {
        let rest = &text[at..];
        if character == ' ' {
            let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
            if blanks == 0 {
                return None;
            }
            at += blanks;
        } else {
            at += rest.starts_with(character).then(|| character.len_utf8())?;
        }
    }
    Some(at)
}

/// Whether a field is read as a number.
fn is_number(letter: char, count: usize) -> bool {
    match letter {
        'G' | 'E' | 'a' | 'z' | 'Z' | 'X' => false,
        'M' | 'L' => count < 3,
        _ => true,
    }
}

/// What has been read so far; values may lie outside their ranges.
#[derive(Default)]
struct Fields {
    year: i64,
    month: i64,
    day: i64,
    day_of_year: Option<i64>,
    hour: i64,
    half: i64,
    minute: i64,
    second: i64,
    millis: i64,
    offset: Option<i64>,
}

impl Fields {
    /// The wall-clock milliseconds, rolled over.
    fn local(&self) -> i64 {
        let days = match self.day_of_year {
            Some(day) => days_of(self.year, 1, 1) + day - 1,
            None => days_of(self.year, self.month, 1) + self.day - 1,
        };
        days * DAY_MS + (self.hour + self.half) * 3_600_000 + self.minute * 60_000 + self.second * 1000 + self.millis
    }

    /// Reads a field at `at`; where it ends.
    fn read(
        &mut self,
        letter: char,
        count: usize,
        text: &str,
        at: usize,
        is_followed: bool,
        now: i64,
    ) -> Option<usize> {
        let at = at + (text[at..].len() - text[at..].trim_start_matches([' ', '\t']).len());
        let named = |names: &[&'static str]| named(names, &text[at..]).map(|(index, length)| (index, at + length));
        match (letter, count) {
            ('G', _) => named(&["AD", "BC"]).map(|(_, end)| end),
            ('a', _) => named(&["AM", "PM"]).map(|(half, end)| {
                self.half = half * 12;
                end
            }),
            ('E', _) => named(&DAYS).map(|(_, end)| end),
            ('M' | 'L', 3..) => named(&MONTHS).map(|(month, end)| {
                self.month = month + 1;
                end
            }),
            ('z' | 'Z' | 'X', _) => {
                let (offset, length) = offset(&text[at..])?;
                self.offset = Some(offset);
                Some(at + length)
            }
            _ => self.read_number(letter, count, text, at, is_followed, now),
        }
    }

    fn read_number(
        &mut self,
        letter: char,
        count: usize,
        text: &str,
        at: usize,
        is_followed: bool,
        now: i64,
    ) -> Option<usize> {
        let rest = &text.as_bytes()[at..];
        let sign = usize::from(rest.first() == Some(&b'-') && !is_followed);
        let digits = rest[sign..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        // A field with a number right behind it takes as many digits as it has letters.
        let digits = if is_followed { digits.min(count) } else { digits.min(18) };
        if digits == 0 {
            return None;
        }
        let value: i64 = text[at..at + sign + digits].parse().ok()?;
        match letter {
            'y' if count <= 2 && digits == 2 && sign == 0 => self.year = century(value, now),
            'y' | 'Y' => self.year = value,
            'M' | 'L' => self.month = value,
            'd' => self.day = value,
            'D' => self.day_of_year = Some(value),
            'H' | 'K' => self.hour = value,
            'k' => self.hour = value % 24,
            'h' => self.hour = value % 12,
            'm' => self.minute = value,
            's' => self.second = value,
            'S' => self.millis = value,
            _ => {}
        }
        Some(at + sign + digits)
    }
}

/// A year of two digits: within 80 years before and 20 after the processing time.
fn century(year: i64, now: i64) -> i64 {
    let start = date_of(now.div_euclid(DAY_MS)).0 - 80;
    let guess = start - start.rem_euclid(100) + year;
    if guess < start { guess + 100 } else { guess }
}

/// The longest of `names`, or of their first three letters, that the text begins with in any case: its number and length.
fn named(names: &[&str], text: &str) -> Option<(i64, usize)> {
    let begins = |name: &str| text.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
    let found = names.iter().enumerate().find_map(|(index, name)| {
        let short = &name[..name.len().min(3)];
        let length = if begins(name) { name.len() } else { begins(short).then_some(short.len())? };
        Some((index, length))
    })?;
    Some((i64::try_from(found.0).ok()?, found.1))
}

/// `Z`, `UTC`, `GMT`, `+hh`, `+hhmm`, `+hh:mm`, `GMT+hh:mm`: the distance from UTC in milliseconds, and the length.
fn offset(text: &str) -> Option<(i64, usize)> {
    let prefix = ["GMT", "UTC"].iter().find(|prefix| text.starts_with(**prefix)).map_or(0, |prefix| prefix.len());
    let rest = text.as_bytes().get(prefix..)?;
    let sign = match rest.first() {
        Some(b'+') => 1,
        Some(b'-') => -1,
        Some(b'Z') if prefix == 0 => return Some((0, 1)),
        _ => return (prefix > 0).then_some((0, prefix)),
    };
    let digit = |at: usize| rest.get(at).filter(|byte| byte.is_ascii_digit()).map(|byte| i64::from(byte - b'0'));
    let hours = digit(1)? * 10 + digit(2)?;
    let at = if rest.get(3) == Some(&b':') { 4 } else { 3 };
    let (minutes, end) = match (digit(at), digit(at + 1)) {
        (Some(tens), Some(ones)) => (tens * 10 + ones, at + 2),
        _ => (0, 3),
    };
    Some((sign * (hours * 3_600_000 + minutes * 60_000), prefix + end))
}
