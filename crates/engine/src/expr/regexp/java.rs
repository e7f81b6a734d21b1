//! Java's regular expressions as those of the `regex` crate: what is written differently is translated, what has no counterpart is refused by name.
//!
//! Different are: `.` and `$` (Java knows five line terminators), `\d \w \s` and `(?i)` (ASCII only), `\h \v \R`, `\Q...\E`, classes (`class`), flags,
//! and what is an error. It owns no matching.

use super::class;

/// A pattern for the `regex` crate.
#[derive(Debug, PartialEq)]
pub(super) struct Translated {
    /// The pattern; `$` and `\Z` are written as the end of the text.
    pub(super) regex: String,
    /// Whether there was one of these.
    pub(super) looks_at_end: bool,
}

/// Why there is no translation.
#[derive(Debug, PartialEq)]
pub(super) enum Misfit {
    /// It is an error in Java, too.
    Malformed,
    /// Java has it, we do not.
    Unsupported(&'static str),
}

pub(super) type Result<T> = std::result::Result<T, Misfit>;

/// Flags that stand in `(?...)`.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Flags {
    /// `i`
    pub(super) ignores_case: bool,
    /// `u`: case by Unicode
    pub(super) is_unicode: bool,
    /// `s`: the point is any character
    dot_all: bool,
    /// `d`: only `\n` ends a line
    unix_lines: bool,
    /// `x`: blanks and comments are left out
    pub(super) has_comments: bool,
    /// `U`: predefined classes by Unicode
    pub(super) unicode_classes: bool,
}

/// Reads a pattern, writes another.
pub(super) struct Translator<'a> {
    pub(super) rest: std::str::Chars<'a>,
    pub(super) out: String,
    pub(super) flags: Flags,
    /// The flags around each open group.
    around: Vec<Flags>,
    looks_at_end: bool,
    /// Whether something stands before that a quantifier can repeat.
    is_repeatable: bool,
}

/// The `regex` crate's writing of Java's `pattern`.
///
/// # Errors
/// There is none.
pub(super) fn translated(pattern: &str) -> Result<Translated> {
    let mut translator = Translator {
        rest: pattern.chars(),
        out: String::with_capacity(pattern.len() + 16),
        flags: Flags::default(),
        around: Vec::new(),
        looks_at_end: false,
        is_repeatable: false,
    };
    while let Some(character) = translator.rest.next() {
        translator.step(character)?;
    }
    if !translator.around.is_empty() {
        return Err(Misfit::Malformed);
    }
    Ok(Translated { regex: translator.out, looks_at_end: translator.looks_at_end })
}

impl Translator<'_> {
    pub(super) fn peek(&self) -> Option<char> {
        self.rest.clone().next()
    }

    /// Whether `wanted` comes next; it is taken then.
    pub(super) fn take(&mut self, wanted: &str) -> bool {
        let behind = self.rest.as_str().strip_prefix(wanted).map(str::chars);
        behind.map(|behind| self.rest = behind).is_some()
    }

    fn step(&mut self, character: char) -> Result<()> {
        let mut is_repeatable = true;
        match character {
            '\\' => is_repeatable = self.escape()?,
            '[' => class::translate(self)?,
            '(' => is_repeatable = self.open()?,
            ')' => {
                self.flags = self.around.pop().ok_or(Misfit::Malformed)?;
                self.out.push(')');
            }
            '|' => {
                is_repeatable = false;
                self.out.push('|');
            }
            '^' => self.out.push('^'),
            '$' => self.end(),
            '.' => self.out.push_str(if self.flags.dot_all {
                "(?s:.)"
            } else if self.flags.unix_lines {
                r"[^\n]"
            } else {
                r"[^\n\r\x{85}\x{2028}\x{2029}]"
            }),
            '*' | '+' | '?' | '{' => {
                self.quantifier(character)?;
                is_repeatable = false;
            }
            ' ' | '\t' | '\n' | '\x0B' | '\x0C' | '\r' if self.flags.has_comments => return Ok(()),
            '#' if self.flags.has_comments => {
                while self.rest.next().is_some_and(|character| character != '\n') {}
                return Ok(());
            }
            other => self.literal(other),
        }
        self.is_repeatable = is_repeatable;
        Ok(())
    }

    fn end(&mut self) {
        self.out.push_str(r"\z");
        self.looks_at_end = true;
    }

    /// A character that means itself.
    fn literal(&mut self, character: char) {
        let escaped = regex::escape(character.encode_utf8(&mut [0; 4]));
        if self.flags.ignores_case && self.flags.is_unicode {
            self.out.push_str(&format!("(?i:{escaped})"));
        } else if self.flags.ignores_case && character.is_ascii_alphabetic() {
            self.out.push_str(&format!("[{}{}]", character.to_ascii_lowercase(), character.to_ascii_uppercase()));
        } else {
            self.out.push_str(&escaped);
        }
    }

    fn quantifier(&mut self, first: char) -> Result<()> {
        if !self.is_repeatable {
            return Err(Misfit::Malformed);
        }
        self.out.push(first);
        if first == '{' {
            let (bounds, _) = self.rest.as_str().split_once('}').ok_or(Misfit::Malformed)?;
            let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u32>().ok());
            let is_right = match bounds.split_once(',') {
                None => number(bounds).flatten().is_some(),
                Some((least, "")) => number(least).flatten().is_some(),
                Some((least, most)) => number(least).flatten().zip(number(most).flatten()).is_some_and(|(a, b)| a <= b),
            };
            if !is_right {
                return Err(Misfit::Malformed);
            }
            self.out.extend(self.rest.by_ref().take(bounds.len() + 1));
        }
        match self.peek() {
            Some('+') => Err(Misfit::Unsupported("a possessive quantifier")),
            Some('?') => {
                self.rest.next();
                self.out.push('?');
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Behind `(`: a group, or flags for the rest of the group around, which repeat nothing.
    fn open(&mut self) -> Result<bool> {
        let around = self.flags;
        if !self.take("?") {
            self.out.push('(');
        } else if self.take(":") {
            self.out.push_str("(?:");
        } else if self.take("=") || self.take("!") || self.take("<=") || self.take("<!") {
            return Err(Misfit::Unsupported("look-around"));
        } else if self.take(">") {
            return Err(Misfit::Unsupported("an atomic group"));
        } else if self.take("<") {
            let (name, _) = self.rest.as_str().split_once('>').ok_or(Misfit::Malformed)?;
            let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic())
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
            if !is_name {
                return Err(Misfit::Malformed);
            }
            self.out.push_str("(?<");
            self.out.extend(self.rest.by_ref().take(name.len() + 1));
        } else if self.read_flags()? {
            self.out.push_str("(?:");
        } else {
            return Ok(false);
        }
        self.around.push(around);
        Ok(false)
    }

    /// The flags behind `(?`: whether they are for a group of their own.
    fn read_flags(&mut self) -> Result<bool> {
        let mut is_on = true;
        loop {
            match self.rest.next().ok_or(Misfit::Malformed)? {
                'i' => self.flags.ignores_case = is_on,
                'u' => self.flags.is_unicode = is_on,
                's' => self.flags.dot_all = is_on,
                'd' => self.flags.unix_lines = is_on,
                'x' => self.flags.has_comments = is_on,
                'U' => {
                    self.flags.unicode_classes = is_on;
                    self.flags.is_unicode |= is_on;
                }
                'm' if is_on => return Err(Misfit::Unsupported("the flag m (lines)")),
                'm' => {}
                '-' if is_on => is_on = false,
                ':' => return Ok(true),
                ')' => return Ok(false),
                _ => return Err(Misfit::Malformed),
            }
        }
    }

    /// Behind a backslash, outside of a class: whether a quantifier can repeat it.
    fn escape(&mut self) -> Result<bool> {
        let Some(first) = self.peek() else { return Err(Misfit::Malformed) };
        match first {
            'b' | 'B' | 'A' | 'z' => {
                self.rest.next();
                if first == 'b' && self.peek() == Some('{') {
                    return Err(Misfit::Unsupported(r"\b{g}"));
                }
                self.out.extend(['\\', first]);
            }
            'Z' => {
                self.rest.next();
                self.end();
            }
            'R' => {
                self.rest.next();
                self.out.push_str(r"(?:\r\n|[\n\x0B\f\r\x{85}\x{2028}\x{2029}])");
            }
            'Q' => {
                self.rest.next();
                let (quoted, length) = quoted(self.rest.as_str());
                let quoted: String = quoted.to_owned();
                quoted.chars().for_each(|character| self.literal(character));
                self.rest = self.rest.as_str()[length..].chars();
                return Ok(!quoted.is_empty() || self.is_repeatable);
            }
            '1'..='9' | 'k' => return Err(Misfit::Unsupported("a back reference")),
            'G' => return Err(Misfit::Unsupported(r"\G")),
            'X' => return Err(Misfit::Unsupported(r"\X")),
            _ => match class::escaped(self)? {
                class::Item::One(character) => self.literal(character),
                class::Item::Set(set) => self.out.push_str(&format!("[{set}]")),
            },
        }
        Ok(true)
    }
}

/// What stands between `\Q` and `\E`, and how long both are.
pub(super) fn quoted(text: &str) -> (&str, usize) {
    text.split_once(r"\E").map_or((text, text.len()), |(quoted, _)| (quoted, quoted.len() + 2))
}

#[cfg(test)]
mod tests;
