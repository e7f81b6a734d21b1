//! Bending an input: a few random changes of the kinds that find something.

use weir_base::Rng;

/// Changes of an input at most.
const CHANGES_MAX: u64 = 6;

/// Numbers at the edges of types, and beyond.
const NUMBERS: &[&str] = &[
    "0",
    "-1",
    "127",
    "128",
    "65535",
    "65536",
    "2147483647",
    "-2147483649",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551616",
    "1e308",
    "1e400",
    "-0.0",
    "0.1e-400",
    "99999999999999999999999999999999999999.9",
];

/// What scripts are made of.
pub const SQL_TOKENS: &[&str] = &[
    "SELECT ",
    " FROM ",
    " WHERE ",
    "(",
    ")",
    ",",
    ";",
    "''",
    "'",
    "`",
    "\"",
    "--",
    "/*",
    "*/",
    "/*+ OPTIONS('path'='x') */",
    " UNION ALL ",
    " NULL ",
    "CAST(",
    " AS ",
    "TIMESTAMP '",
    "INTERVAL '1' ",
    "DAY(3)",
    "DECIMAL(38, 38)",
    "ROW<",
    "ARRAY[",
    "MAP[",
    "CASE WHEN ",
    " END",
    " OVER (PARTITION BY ",
    "TUMBLE(TABLE ",
    "DESCRIPTOR(",
    "${",
    "}",
    "SET '",
    " = ",
    " <> ",
    " BETWEEN ",
    " IN (",
    "PROCTIME()",
    "\u{1F600}",
    "\r\n",
    "\t",
    "\0",
];

/// What records are made of.
pub const JSON_TOKENS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"",
    "\\",
    "\\u",
    "\\ud83d",
    "\\ude00",
    "\\u0000",
    "null",
    "true",
    "false",
    "NaN",
    "-",
    ".",
    "e+",
    "\n",
    "\r",
    " ",
    "\u{1F600}",
    "\u{feff}",
    "2024-02-29 23:59:60.999999999",
    "0000-00-00",
    "T",
    "Z",
    "\"\":",
    "{\"a\":",
    "[[[[[[[[",
    "{}",
    "[]",
];

/// What lines of CSV are made of.
pub const CSV_TOKENS: &[&str] = &[
    ",",
    ";",
    "\"",
    "\"\"",
    "\\",
    "#",
    "\n",
    "\r",
    "\r\n",
    " ",
    "null",
    "NULL",
    "\u{1F600}",
    "\u{feff}",
    ",,,,,,,,",
    "true",
    "AAEC",
    "2024-02-29",
    "23:59:60",
    "1;2;3",
];

/// An input bent from one of `seeds`, with parts of others.
pub fn mutated(rng: &mut Rng, seeds: &[Vec<u8>], tokens: &[&str]) -> Vec<u8> {
    let mut input = pick(rng, seeds).cloned().unwrap_or_default();
    for _ in 0..=rng.below(CHANGES_MAX) {
        let at = place(rng, input.len() + 1);
        let length_max = 1 << place(rng, 8);
        let end = (at + place(rng, length_max)).min(input.len());
        match rng.below(10) {
            0 if at < input.len() => input[at] ^= 1 << rng.below(8),
            1 if at < input.len() => input[at] = rng.next_u64().to_le_bytes()[0],
            2 => drop(input.drain(at..end)),
            3 => input.truncate(at),
            4 => {
                let copied = input[at..end].to_vec();
                let to = place(rng, input.len() + 1);
                insert(&mut input, to, &copied);
            }
            5 => {
                let copied = input[at..end].repeat(1 + place(rng, 64));
                insert(&mut input, at, &copied);
            }
            6 => {
                let other = pick(rng, seeds).cloned().unwrap_or_default();
                let from = place(rng, other.len() + 1);
                let to = (from + place(rng, 200)).min(other.len());
                insert(&mut input, at, &other[from..to]);
            }
            7 => insert(&mut input, at, pick(rng, NUMBERS).copied().unwrap_or_default().as_bytes()),
            8 => replace_number(rng, &mut input, at),
            _ => insert(&mut input, at, pick(rng, tokens).copied().unwrap_or_default().as_bytes()),
        }
    }
    input
}

/// Puts a number of `NUMBERS` in the place of the first one behind `at`.
fn replace_number(rng: &mut Rng, input: &mut Vec<u8>, at: usize) {
    let Some(start) = input[at..].iter().position(u8::is_ascii_digit).map(|found| at + found) else { return };
    let length = input[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let number = pick(rng, NUMBERS).copied().unwrap_or_default();
    input.splice(start..start + length, number.bytes());
}

fn insert(input: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    input.splice(at..at, bytes.iter().copied());
}

fn pick<'a, T>(rng: &mut Rng, all: &'a [T]) -> Option<&'a T> {
    all.get(place(rng, all.len()))
}

/// A number below `bound`, or 0.
fn place(rng: &mut Rng, bound: usize) -> usize {
    usize::try_from(rng.below(bound as u64)).expect("it is below a usize")
}
