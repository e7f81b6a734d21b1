//! The plan: Flink's types, typed expressions and the job graph, as plain data.
//!
//! `sql` makes it, `engine` runs it, `explain` prints it. It owns no behaviour of a running job, and does no I/O.

mod aggregate;
mod catalog;
mod changelog;
mod expr;
mod graph;
mod over;
mod rank;
mod types;
mod value;
mod window;

pub use aggregate::{AggregateCall, AggregateFunction};
pub use catalog::{ConnectorSpec, FormatSpec, MetadataKey, OptionSpec, OptionType, TableOptions};
pub use changelog::ChangelogMode;
pub use expr::{CastMode, Expr, ExprKind, Function};
pub use graph::{
    Exchange, GroupAggregateSpec, InputEdge, JobGraph, Keep, Node, NodeId, Operator, Order, SinkSpec, SourceColumn,
    SourceSpec, TimeDomain, UnnestSpec, WatermarkSpec,
};
pub use over::{OverFrame, OverFunction, OverOrder, OverSpec};
pub use rank::{RankEnd, RankRange, RankSpec, RankStrategy, SortKey};
pub use types::{DataType, Field, LENGTH_MAX, LogicalType, Schema};
pub use value::Value;
pub use window::{RowWindows, WindowAggregateSpec, WindowKind, WindowProperty, WindowRankSpec, WindowSpec};
