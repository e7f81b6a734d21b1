//! Where something stands in a text: lines and columns from 1, columns in characters.

use std::fmt;

/// A stretch of a text; `(0, 0)` means "nowhere": made by Weir, not written by a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Span {
    /// Line of the first character, from 1.
    pub line: u32,
    /// Column of the first character, from 1.
    pub column: u32,
    /// Line of the last character, from 1.
    pub line_end: u32,
    /// Column of the last character, from 1, inclusive.
    pub column_end: u32,
}

impl Span {
    /// A span of one character.
    pub fn at(line: u32, column: u32) -> Self {
        Self { line, column, line_end: line, column_end: column }
    }

    /// Whether it points at anything a user wrote.
    pub fn is_known(self) -> bool {
        self.line > 0
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}
