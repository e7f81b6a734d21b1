//! Formats taken apart: text, and specifiers `%[index$][flags][width][.precision]conversion`.

/// A format.
#[derive(Debug, PartialEq)]
pub(super) struct Format {
    pub(super) parts: Vec<Part>,
}

/// A stretch of a format.
#[derive(Debug, PartialEq)]
pub(super) enum Part {
    /// It stands for itself.
    Text(String),
    /// It stands for a value.
    Value(Specifier),
}

/// Which argument is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Index {
    /// The one behind that of the last specifier without an index.
    Next,
    /// `<`: that of the specifier before.
    Previous,
    /// `1$`, from 0 here.
    At(usize),
}

/// How a value is to be written.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Specifier {
    pub(super) index: Index,
    pub(super) flags: Flags,
    pub(super) width: Option<usize>,
    pub(super) precision: Option<usize>,
    /// In lower case.
    pub(super) conversion: char,
    /// Whether what is written becomes upper case.
    pub(super) is_upper: bool,
}

/// The signs before the width.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Flags {
    /// `-`
    pub(super) left: bool,
    /// `#`
    pub(super) alternate: bool,
    /// `+`
    pub(super) plus: bool,
    /// a blank
    pub(super) blank: bool,
    /// `0`
    pub(super) zeros: bool,
    /// `,`
    pub(super) groups: bool,
    /// `(`
    pub(super) parentheses: bool,
}

impl Format {
    /// The format; None where Java finds it malformed.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once('%') {
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            let (specifier, behind) = Specifier::parse(behind)?;
            parts.push(Part::Value(specifier));
            rest = behind;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Some(Self { parts })
    }
}

/// The digits that `text` begins with, and what is behind them.
fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len()))
}

impl Specifier {
    /// What stands behind a `%`, and the rest.
    fn parse(text: &str) -> Option<(Self, &str)> {
        let (index, text) = match digits(text) {
            (number, behind) if !number.is_empty() && behind.starts_with('$') => {
                (Index::At(number.parse::<usize>().ok()?.checked_sub(1)?), &behind[1..])
            }
            _ => match text.strip_prefix('<') {
                Some(behind) => (Index::Previous, behind),
                None => (Index::Next, text),
            },
        };
        let (flags, text) = Flags::parse(text)?;
        let (width, text) = digits(text);
        let width = if width.is_empty() {
            None
        } else {
            Some(width.parse::<usize>().ok().filter(|width| *width <= WIDTH_MAX)?)
        };
        let (precision, text) = match text.strip_prefix('.') {
            None => (None, text),
            Some(behind) => {
                let (precision, behind) = digits(behind);
                (Some(precision.parse::<usize>().ok().filter(|precision| *precision <= WIDTH_MAX)?), behind)
            }
        };
        let conversion = text.chars().next()?;
        let is_upper = matches!(conversion, 'B' | 'H' | 'S' | 'C' | 'X' | 'E' | 'G' | 'A' | 'T');
        let conversion_lower = conversion.to_ascii_lowercase();
        if !is_upper
            && !matches!(conversion, 'b' | 'h' | 's' | 'c' | 'd' | 'o' | 'x' | 'e' | 'f' | 'g' | 'a' | 't' | '%' | 'n')
        {
            return None;
        }
        let specifier = Self { index, flags, width, precision, conversion: conversion_lower, is_upper };
        specifier.is_right().then(|| (specifier, &text[conversion.len_utf8()..]))
    }

    /// Whether an argument is taken.
    pub(super) fn takes_value(&self) -> bool {
        !matches!(self.conversion, '%' | 'n')
    }

    /// Whether flags, width and precision fit the conversion and each other.
    fn is_right(&self) -> bool {
        let flags = self.flags;
        let fills_without_width = (flags.left || flags.zeros) && self.width.is_none();
        let has_number_flags = flags.plus || flags.blank || flags.zeros || flags.groups || flags.parentheses;
        let contradicts = (flags.plus && flags.blank) || (flags.left && flags.zeros);
        if fills_without_width {
            return false;
        }
        match self.conversion {
            'n' => self.width.is_none() && self.precision.is_none() && flags == Flags::default(),
            '%' => self.precision.is_none() && !has_number_flags && !flags.alternate,
            'b' | 'h' | 's' => !has_number_flags && !flags.alternate,
            'c' => !has_number_flags && !flags.alternate && self.precision.is_none(),
            'd' => !contradicts && !flags.alternate && self.precision.is_none(),
            // A sign is for BigInteger only.
            'o' | 'x' => {
                let has_sign = flags.plus || flags.blank || flags.parentheses;
                !contradicts && !flags.groups && !has_sign && self.precision.is_none()
            }
            'e' => !contradicts && !flags.groups,
            'f' => !contradicts,
            'g' => !contradicts && !flags.alternate,
            'a' => !contradicts && !flags.groups && !flags.parentheses,
            _ => true,
        }
    }
}

/// The widest that a value is written: a row is to stay far below the bound of a batch.
const WIDTH_MAX: usize = 1024 * 1024;

impl Flags {
    /// The flags that `text` begins with, each at most once, and the rest.
    fn parse(text: &str) -> Option<(Self, &str)> {
        let mut flags = Self::default();
        let mut rest = text;
        loop {
            let flag = match rest.bytes().next() {
                Some(b'-') => &mut flags.left,
                Some(b'#') => &mut flags.alternate,
                Some(b'+') => &mut flags.plus,
                Some(b' ') => &mut flags.blank,
                Some(b'0') => &mut flags.zeros,
                Some(b',') => &mut flags.groups,
                Some(b'(') => &mut flags.parentheses,
                _ => return Some((flags, rest)),
            };
            if std::mem::replace(flag, true) {
                return None;
            }
            rest = &rest[1..];
        }
    }
}
