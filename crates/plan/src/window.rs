//! Windows as plain data: which there are, how rows come into them, and what is aggregated there.

use crate::{AggregateCall, SortKey, TimeDomain};

/// A window function with its sizes, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WindowKind {
    /// `TUMBLE`
    Tumble {
        /// The length.
        size_ms: i64,
    },
    /// `HOP`: windows overlap where the slide is less than the size, and leave gaps where it is greater.
    Hop {
        /// From one start to the next.
        slide_ms: i64,
        /// The length.
        size_ms: i64,
    },
    /// `CUMULATE`: windows of one start that grow step by step.
    Cumulate {
        /// By how much each is longer than the one before.
        step_ms: i64,
        /// The length of the longest, a multiple of the step.
        size_ms: i64,
    },
    /// `SESSION`: a window lasts until no row has come for the gap.
    Session {
        /// The gap.
        gap_ms: i64,
    },
}

impl WindowKind {
    /// The function's SQL name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tumble { .. } => "TUMBLE",
            Self::Hop { .. } => "HOP",
            Self::Cumulate { .. } => "CUMULATE",
            Self::Session { .. } => "SESSION",
        }
    }
}

/// The windows of a window function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct WindowSpec {
    /// Kind and sizes.
    pub kind: WindowKind,
    /// Shift of the windows' start, may be negative milliseconds.
    pub offset_ms: i64,
    /// Whether the time attribute is TIMESTAMP_LTZ: windows then lie on the wall clock of `table.local-time-zone`.
    pub local_time: bool,
}

/// How a row comes into its windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RowWindows {
    /// By its time.
    Time(TimeDomain),
    /// It brings its one window along: this column holds the window's end.
    End(usize),
}

/// An aggregation in windows.
#[derive(Debug, Clone, PartialEq)]
pub struct WindowAggregateSpec {
    /// The windows.
    pub window: WindowSpec,
    /// How rows come into them.
    pub rows: RowWindows,
    /// The grouping columns.
    pub keys: Vec<usize>,
    /// The aggregates.
    pub aggregates: Vec<AggregateCall>,
    /// The window columns at the end of the output.
    pub properties: Vec<WindowProperty>,
    /// Whether the input takes rows back (`-U`, `-D`): a key without rows is not given.
    pub retracts: bool,
}

/// A column that tells of a row's window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WindowProperty {
    /// `window_start`, TIMESTAMP(3)
    Start,
    /// `window_end`, TIMESTAMP(3), exclusive
    End,
    /// `window_time`: the end less one millisecond, a rowtime of the type of the time attribute
    Time,
}

/// The first rows of each key and window, given when the window ends; output: the input's columns, and the place as BIGINT NOT NULL if it is wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct WindowRankSpec {
    /// The windows.
    pub window: WindowSpec,
    /// The column that holds the window's end.
    pub end: usize,
    /// `PARTITION BY`, without the window's columns.
    pub keys: Vec<usize>,
    /// `ORDER BY`
    pub order: Vec<SortKey>,
    /// The first place that is given, from 1.
    pub first: u64,
    /// The last place that is given.
    pub last: u64,
    /// Whether of rows that are equal in the order the newest stands first; else the oldest does.
    pub newest_first: bool,
    /// Whether the place is the last column.
    pub number: bool,
}
