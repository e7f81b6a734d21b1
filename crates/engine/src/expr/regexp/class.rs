//! Classes of characters in Java's regular expressions: `[...]` with unions and intersections, and the predefined ones behind a backslash.

use super::java::{Misfit, Result, Translator, quoted};

/// What a class consists of.
pub(super) enum Item {
    /// A character.
    One(char),
    /// Several, as they are written inside brackets.
    Set(String),
}

/// Translates a class whose `[` has been read.
///
/// # Errors
/// It is malformed or not supported.
pub(super) fn translate(translator: &mut Translator<'_>) -> Result<()> {
    let by_unicode = translator.flags.ignores_case && translator.flags.is_unicode;
    if by_unicode {
        translator.out.push_str("(?i:");
    }
    // For each open bracket, whether something stands in it already.
    let mut open = vec![false];
    begin(translator);
    while let Some(is_filled) = open.last_mut() {
        let character = translator.rest.next().ok_or(Misfit::Malformed)?;
        match character {
            ']' if *is_filled => {
                translator.out.push(']');
                open.pop();
                if let Some(around) = open.last_mut() {
                    *around = true;
                }
            }
            '[' => {
                begin(translator);
                open.push(false);
            }
            '&' if translator.peek() == Some('&') => {
                while translator.take("&") {}
                translator.out.push_str("&&");
            }
            ' ' | '\t' | '\n' | '\x0B' | '\x0C' | '\r' if translator.flags.has_comments => {}
            '\\' if translator.take("Q") => {
                let (quoted, length) = quoted(translator.rest.as_str());
                quoted.chars().for_each(|character| range(&mut translator.out, character, character, false));
                translator.rest = translator.rest.as_str()[length..].chars();
                *is_filled = true;
            }
            '\\' => {
                *is_filled = true;
                match escaped(translator)? {
                    Item::One(character) => item(translator, character)?,
                    Item::Set(set) => translator.out.push_str(&set),
                }
            }
            other => {
                *is_filled = true;
                item(translator, other)?;
            }
        }
    }
    if by_unicode {
        translator.out.push(')');
    }
    Ok(())
}

fn begin(translator: &mut Translator<'_>) {
    translator.out.push('[');
    if translator.take("^") {
        translator.out.push('^');
    }
}

/// A character, or a range that begins with it.
fn item(translator: &mut Translator<'_>, first: char) -> Result<()> {
    let both_cases = translator.flags.ignores_case && !translator.flags.is_unicode;
    let mut ahead = translator.rest.clone();
    let is_range = ahead.next() == Some('-') && !matches!(ahead.next(), Some(']' | '[') | None);
    let mut last = first;
    if is_range {
        translator.rest.next();
        last = match translator.rest.next() {
            Some('\\') => match escaped(translator)? {
                Item::One(character) => character,
                Item::Set(_) => return Err(Misfit::Malformed),
            },
            Some(character) => character,
            None => return Err(Misfit::Malformed),
        };
        if last < first {
            return Err(Misfit::Malformed);
        }
    }
    range(&mut translator.out, first, last, both_cases);
    Ok(())
}

/// Writes a range, with its letters of ASCII in both cases if asked for.
fn range(out: &mut String, first: char, last: char, both_cases: bool) {
    let one = |character: char| format!(r"\x{{{:x}}}", u32::from(character));
    out.push_str(&format!("{}-{}", one(first), one(last)));
    if both_cases {
        for (low, high, shift) in [('a', 'z', -32), ('A', 'Z', 32)] {
            let (low, high) = (first.max(low), last.min(high));
            if low <= high {
                let swapped = |character: char| {
                    char::from_u32(u32::from(character).wrapping_add_signed(shift)).unwrap_or(character)
                };
                out.push_str(&format!("{}-{}", one(swapped(low)), one(swapped(high))));
            }
        }
    }
}

const HORIZONTAL: &str = r" \t\x{a0}\x{1680}\x{180e}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}";
const VERTICAL: &str = r"\n\x0B\f\r\x{85}\x{2028}\x{2029}";

/// What stands behind a backslash that means the same inside and outside of a class.
///
/// # Errors
/// It means nothing, or is not supported.
pub(super) fn escaped(translator: &mut Translator<'_>) -> Result<Item> {
    let unicode = translator.flags.unicode_classes;
    let set = |ascii: &str, short: &str| Ok(Item::Set(if unicode { short.to_owned() } else { ascii.to_owned() }));
    let one = |code: u32| char::from_u32(code).map(Item::One).ok_or(Misfit::Malformed);
    match translator.rest.next().ok_or(Misfit::Malformed)? {
        'd' => set("0-9", r"\d"),
        'D' => set("[^0-9]", r"\D"),
        'w' => set("a-zA-Z_0-9", r"\w"),
        'W' => set("[^a-zA-Z_0-9]", r"\W"),
        's' => set(r" \t\n\x0B\f\r", r"\s"),
        'S' => set(r"[^ \t\n\x0B\f\r]", r"\S"),
        'h' => Ok(Item::Set(HORIZONTAL.to_owned())),
        'H' => Ok(Item::Set(format!("[^{HORIZONTAL}]"))),
        'v' => Ok(Item::Set(VERTICAL.to_owned())),
        'V' => Ok(Item::Set(format!("[^{VERTICAL}]"))),
        't' => Ok(Item::One('\t')),
        'n' => Ok(Item::One('\n')),
        'r' => Ok(Item::One('\r')),
        'f' => Ok(Item::One('\x0C')),
        'a' => Ok(Item::One('\x07')),
        'e' => Ok(Item::One('\x1B')),
        'c' => one(u32::from(translator.rest.next().ok_or(Misfit::Malformed)?) ^ 64),
        '0' => one(octal(translator)?),
        'x' if translator.take("{") => {
            let digits: String = translator.rest.by_ref().take_while(|digit| *digit != '}').collect();
            one(u32::from_str_radix(&digits, 16).map_err(|_| Misfit::Malformed)?)
        }
        'x' => one(hexadecimal(translator, 2)?),
        'u' => {
            let unit = hexadecimal(translator, 4)?;
            if (0xd800..0xdc00).contains(&unit) && translator.take(r"\u") {
                let low = hexadecimal(translator, 4)?;
                return one(0x1_0000 + ((unit - 0xd800) << 10) + low.wrapping_sub(0xdc00));
            }
            one(unit)
        }
        'p' => property(translator, false),
        'P' => property(translator, true),
        'N' => Err(Misfit::Unsupported(r"\N")),
        letter if letter.is_ascii_alphabetic() => Err(Misfit::Malformed),
        other => Ok(Item::One(other)),
    }
}

fn hexadecimal(translator: &mut Translator<'_>, count: usize) -> Result<u32> {
    let digits: String = translator.rest.by_ref().take(count).collect();
    let is_right = digits.len() == count && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_right { u32::from_str_radix(&digits, 16).map_err(|_| Misfit::Malformed) } else { Err(Misfit::Malformed) }
}

/// One to three digits, at most 377.
fn octal(translator: &mut Translator<'_>) -> Result<u32> {
    let mut code = None::<u32>;
    for _ in 0..3 {
        let Some(digit) = translator.peek().and_then(|digit| digit.to_digit(8)) else { break };
        let longer = code.unwrap_or(0) * 8 + digit;
        if longer > 0o377 {
            break;
        }
        code = Some(longer);
        translator.rest.next();
    }
    code.ok_or(Misfit::Malformed)
}

/// `\pL`, `\p{Lu}`, `\p{Alpha}`, `\p{IsGreek}`, `\p{script=Greek}`
fn property(translator: &mut Translator<'_>, is_negated: bool) -> Result<Item> {
    let name: String = if translator.take("{") {
        let (name, _) = translator.rest.as_str().split_once('}').ok_or(Misfit::Malformed)?;
        let name = name.to_owned();
        translator.rest = translator.rest.as_str()[name.len() + 1..].chars();
        name
    } else {
        translator.rest.next().ok_or(Misfit::Malformed)?.to_string()
    };
    let set = named(&name)?;
    Ok(Item::Set(if is_negated { format!("[^{set}]") } else { set }))
}

fn named(name: &str) -> Result<String> {
    let ascii = match name {
        "Lower" => "a-z",
        "Upper" => "A-Z",
        "ASCII" => r"\x00-\x7F",
        "Alpha" => "a-zA-Z",
        "Digit" => "0-9",
        "Alnum" => "a-zA-Z0-9",
        "Punct" => "[:punct:]",
        "Graph" => "[:graph:]",
        "Print" => "[:print:]",
        "Blank" => r" \t",
        "Cntrl" => "[:cntrl:]",
        "XDigit" => "0-9a-fA-F",
        "Space" => r" \t\n\x0B\f\r",
        "javaLowerCase" => r"\p{Lowercase}",
        "javaUpperCase" => r"\p{Uppercase}",
        "javaWhitespace" | "javaMirrored" => return Err(Misfit::Unsupported("the properties of Java's Character")),
        "LD" => r"\p{L}\p{Nd}",
        "L1" => r"\x00-\x{FF}",
        "all" => r"\x{0}-\x{10FFFF}",
        _ => "",
    };
    if !ascii.is_empty() {
        return Ok(ascii.to_owned());
    }
    let of_unicode = match name.split_once('=') {
        Some(("script" | "sc", value)) => format!("sc={value}"),
        Some(("general_category" | "gc", value)) => format!("gc={value}"),
        Some(("block" | "blk", _)) => return Err(Misfit::Unsupported("a block of Unicode")),
        Some(_) => return Err(Misfit::Malformed),
        None if name.starts_with("In") => return Err(Misfit::Unsupported("a block of Unicode")),
        None => match name.strip_prefix("Is") {
            Some(binary) => binary.to_owned(),
            // A general category: one letter or two, written exactly so.
            None if matches!(name.as_bytes(), [b'A'..=b'Z'] | [b'A'..=b'Z', b'a'..=b'z'] | b"LC") => name.to_owned(),
            None => return Err(Misfit::Malformed),
        },
    };
    Ok(format!(r"\p{{{of_unicode}}}"))
}
