//! The kinds of row that pass from one operator to the next, as a set.

use std::fmt;

use weir_base::RowKind;

/// The kinds of row that an operator gives, a source gives or a sink takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ChangelogMode {
    /// One bit a kind.
    bits: u8,
}

impl ChangelogMode {
    /// `+I` only.
    pub const INSERT_ONLY: Self = Self { bits: bit(RowKind::Insert) };
    /// `+I`, `+U`, `-D`: a row is told from others by a key, and a new one takes the place of the former.
    pub const UPSERT: Self = Self::INSERT_ONLY.with(RowKind::UpdateAfter).with(RowKind::Delete);
    /// All four kinds.
    pub const ALL: Self = Self::UPSERT.with(RowKind::UpdateBefore);

    /// This set and `kind`.
    #[must_use]
    pub const fn with(self, kind: RowKind) -> Self {
        Self { bits: self.bits | bit(kind) }
    }

    /// This set without `kind`.
    #[must_use]
    pub const fn without(self, kind: RowKind) -> Self {
        Self { bits: self.bits & !bit(kind) }
    }

    /// What is in either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self { bits: self.bits | other.bits }
    }

    /// Whether `kind` is in the set.
    pub const fn contains(self, kind: RowKind) -> bool {
        self.bits & bit(kind) != 0
    }

    /// Whether no other kind than `+I` is in the set.
    pub const fn is_insert_only(self) -> bool {
        self.bits & !bit(RowKind::Insert) == 0
    }

    /// Whether rows change their content: `+U`, with or without `-U`.
    pub const fn updates(self) -> bool {
        self.contains(RowKind::UpdateAfter)
    }
}

const fn bit(kind: RowKind) -> u8 {
    match kind {
        RowKind::Insert => 1,
        RowKind::UpdateBefore => 2,
        RowKind::UpdateAfter => 4,
        RowKind::Delete => 8,
    }
}

/// As `EXPLAIN CHANGELOG_MODE` writes it, such as `I,UB,UA`.
impl fmt::Display for ChangelogMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [
            (RowKind::Insert, "I"),
            (RowKind::UpdateBefore, "UB"),
            (RowKind::UpdateAfter, "UA"),
            (RowKind::Delete, "D"),
        ];
        let names: Vec<&str> = names.iter().filter(|(kind, _)| self.contains(*kind)).map(|(_, name)| *name).collect();
        f.write_str(if names.is_empty() { "NONE" } else { "" })?;
        f.write_str(&names.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_written_as_flink_writes_them() {
        let shown = |mode: ChangelogMode| mode.to_string();
        assert_eq!(shown(ChangelogMode::INSERT_ONLY), "I");
        assert_eq!(shown(ChangelogMode::UPSERT), "I,UA,D");
        assert_eq!(shown(ChangelogMode::ALL), "I,UB,UA,D");
        assert_eq!(shown(ChangelogMode::ALL.without(RowKind::Delete)), "I,UB,UA");
        assert_eq!(shown(ChangelogMode::INSERT_ONLY.without(RowKind::Insert)), "NONE");
        assert!(ChangelogMode::INSERT_ONLY.is_insert_only() && !ChangelogMode::UPSERT.is_insert_only());
    }
}
