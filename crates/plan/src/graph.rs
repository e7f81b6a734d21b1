//! The job graph: operators, exchanges between them, parallelism. What the planner decides and the engine carries out.

use std::time::Duration;

use crate::{
    AggregateCall, ChangelogMode, DataType, Expr, OverSpec, RankSpec, Schema, SortKey, TableOptions,
    WindowAggregateSpec, WindowRankSpec, WindowSpec,
};

/// A node's index in its graph; inputs have lower ids than the nodes that read them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub usize);

/// A whole job, nodes in topological order. A node read by several others is computed once.
#[derive(Debug, Clone, PartialEq)]
pub struct JobGraph {
    /// `pipeline.name`
    pub name: String,
    /// Key groups of its keyed state.
    pub max_parallelism: u16,
    /// `table.local-time-zone`, an IANA name or an offset.
    pub local_time_zone: String,
    /// The operators.
    pub nodes: Vec<Node>,
}

/// One operator with its place in the graph.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Its index in the graph.
    pub id: NodeId,
    /// A name that stays the same while the plan's shape stays: the key of its state in checkpoints.
    pub uid: String,
    /// As Flink names it in its dashboard, e.g. `Source: raw_telemetry[1]`.
    pub name: String,
    /// What it does.
    pub operator: Operator,
    /// What it reads.
    pub inputs: Vec<InputEdge>,
    /// The columns it gives (for a sink: the columns it is given).
    pub schema: Schema,
    /// The kinds of row it gives.
    pub changelog: ChangelogMode,
    /// Its number of subtasks.
    pub parallelism: u16,
}

/// An input of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputEdge {
    /// The node that is read.
    pub from: NodeId,
    /// How rows find their subtask.
    pub exchange: Exchange,
}

/// How rows get from the subtasks of one node to those of the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exchange {
    /// Each subtask to the one of the same number; such nodes are chained into one task.
    Forward,
    /// By the key group of these columns.
    Hash(Vec<usize>),
    /// Round robin.
    Rebalance,
}

/// What a node does.
#[derive(Debug, Clone, PartialEq)]
pub enum Operator {
    /// Reads a table.
    Source(Box<SourceSpec>),
    /// Filters, then projects.
    Calc {
        /// Rows where it is TRUE go on; all, if absent.
        condition: Option<Expr>,
        /// The columns given.
        projection: Vec<Expr>,
    },
    /// Generates watermarks behind a source that cannot do it per split.
    WatermarkAssigner(WatermarkSpec),
    /// Keeps the first or last row of each key.
    Deduplicate {
        /// The columns of the key.
        keys: Vec<usize>,
        /// What "first" means.
        order: Order,
        /// Which row stays.
        keep: Keep,
        /// `table.exec.state.ttl`: processing time after which a key is forgotten; zero: never.
        state_ttl: Duration,
    },
    /// Keeps the rows that stand at certain places of an order.
    Rank(Box<RankSpec>),
    /// Adds functions over the rows before each row.
    Over(Box<OverSpec>),
    /// Gives rows in the order of event time, equal times by further keys.
    TemporalSort {
        /// The rowtime column.
        rowtime: usize,
        /// The keys behind it.
        order: Vec<SortKey>,
    },
    /// Aggregates all rows of a key; output: keys, then aggregates.
    GroupAggregate(Box<GroupAggregateSpec>),
    /// Gives each row once for each projection: GROUPING SETS.
    Expand {
        /// The columns given, for each copy.
        projections: Vec<Vec<Expr>>,
    },
    /// Aggregates in windows of event or processing time; output: keys, aggregates, then the window properties.
    WindowAggregate(Box<WindowAggregateSpec>),
    /// Assigns windows without aggregating: adds window_start, window_end, window_time at the end.
    WindowAssign {
        /// The windows.
        window: WindowSpec,
        /// The time attribute.
        time: TimeDomain,
        /// `PARTITION BY` of sessions: each key has its own.
        keys: Vec<usize>,
    },
    /// Joins each row with the elements of a collection in it (`CROSS JOIN UNNEST`): the row's kept columns, then the element's.
    Correlate(Box<UnnestSpec>),
    /// Keeps the first rows of each key and window, and gives them when the window ends.
    WindowRank(Box<WindowRankSpec>),
    /// All inputs together, in any order (`UNION ALL`).
    Union,
    /// Writes a table.
    Sink(Box<SinkSpec>),
}

/// What a row is joined with: the elements of an ARRAY, the entries of a MAP.
#[derive(Debug, Clone, PartialEq)]
pub struct UnnestSpec {
    /// The columns of the input that are given, in order.
    pub kept: Vec<usize>,
    /// The ARRAY or MAP, over the input's columns. An element that is a ROW is given as its fields, and left out where it is NULL.
    pub collection: Expr,
    /// Whether the element's number, from 1, is given behind it (`WITH ORDINALITY`).
    pub ordinality: bool,
    /// Whether a row without elements goes on with NULLs in their place (`LEFT JOIN`).
    pub outer: bool,
}

/// A time attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimeDomain {
    /// Event time: the rowtime column.
    Event(usize),
    /// Processing time.
    Processing,
}

/// By what a deduplication orders the rows of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Order {
    /// By this rowtime column.
    RowTime(usize),
    /// By arrival.
    ProcTime,
}

/// Which row of a key a deduplication keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Keep {
    /// `ORDER BY time ASC`
    First,
    /// `ORDER BY time DESC`
    Last,
}

/// What a source reads and gives.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceSpec {
    /// The table's full name, `catalog.database.table`.
    pub table: String,
    /// The value of `'connector'`.
    pub connector: String,
    /// All options of the table.
    pub options: TableOptions,
    /// All physical columns of the table in DDL order: what formats without names (csv) need.
    pub physical: Schema,
    /// The columns that are really read, in the order the expressions below see them.
    pub columns: Vec<SourceColumn>,
    /// What leaves the source, over `columns`: physical, computed and metadata columns in DDL order, pruned to what the job uses.
    pub projection: Vec<Expr>,
    /// Rows for which it is not TRUE are dropped after `projection`, over its columns; None: all stay.
    pub condition: Option<Expr>,
    /// The watermark, over the columns of `projection`, when it is generated per split.
    pub watermark: Option<WatermarkSpec>,
}

/// A column that a source reads.
#[derive(Debug, Clone, PartialEq)]
pub enum SourceColumn {
    /// The physical column at this index of `physical`.
    Physical(usize),
    /// A metadata column: its key and the connector's type for it.
    Metadata(String, DataType),
}

/// How watermarks are made.
#[derive(Debug, Clone, PartialEq)]
pub struct WatermarkSpec {
    /// The rowtime column.
    pub column: usize,
    /// The watermark candidate of a row (TIMESTAMP or TIMESTAMP_LTZ of milliseconds).
    pub expression: Expr,
    /// `pipeline.auto-watermark-interval`: a candidate is given out when it exceeds the last one by this.
    pub interval: Duration,
    /// `table.exec.source.idle-timeout`; zero: a split is never idle.
    pub idle_timeout: Duration,
}

/// An aggregation without a window.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupAggregateSpec {
    /// The grouping columns; none: one group of all rows.
    pub keys: Vec<usize>,
    /// The aggregates.
    pub aggregates: Vec<AggregateCall>,
    /// Whether the input takes rows back (`-U`, `-D`): a group without rows is deleted.
    pub retracts: bool,
    /// The aggregates that rows taken back do not change: MAX of what only grows, MIN of what only becomes less.
    pub kept: Vec<usize>,
    /// `table.exec.mini-batch`: a group gives one change for each batch, of at most so many rows; `None`: one for each row.
    pub bundle_rows_max: Option<usize>,
    /// `table.exec.state.ttl`: processing time after which a group that got no row is forgotten; zero: never.
    pub state_ttl: Duration,
}

/// What a sink writes.
#[derive(Debug, Clone, PartialEq)]
pub struct SinkSpec {
    /// The table's full name.
    pub table: String,
    /// The value of `'connector'`.
    pub connector: String,
    /// All options of the table.
    pub options: TableOptions,
    /// The physical columns it is given, in DDL order; the input has exactly these, then the metadata columns.
    pub physical: Schema,
    /// Writable metadata columns behind the physical ones: keys with types.
    pub metadata: Vec<(String, DataType)>,
    /// Indices of the primary key's columns; empty if there is none.
    pub primary_key: Vec<usize>,
    /// The kinds of row it is given.
    pub changelog: ChangelogMode,
}
