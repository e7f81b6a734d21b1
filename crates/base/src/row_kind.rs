//! The four kinds of row in a changelog, with Flink's short names.

use std::fmt;

/// What a row does to the table that it describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum RowKind {
    /// `+I`: a new row.
    Insert = 0,
    /// `-U`: the former content of a row that changes.
    UpdateBefore = 1,
    /// `+U`: the new content of a row that changes.
    UpdateAfter = 2,
    /// `-D`: a row goes.
    Delete = 3,
}

impl RowKind {
    /// Flink's short name: `+I`, `-U`, `+U` or `-D`.
    pub fn short(self) -> &'static str {
        match self {
            Self::Insert => "+I",
            Self::UpdateBefore => "-U",
            Self::UpdateAfter => "+U",
            Self::Delete => "-D",
        }
    }

    /// Whether the row adds content (`+I`, `+U`) rather than taking it away.
    pub fn adds(self) -> bool {
        matches!(self, Self::Insert | Self::UpdateAfter)
    }
}

impl fmt::Display for RowKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.short())
    }
}
