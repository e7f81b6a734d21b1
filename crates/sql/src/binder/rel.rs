//! Relations between binding and the job graph: a DAG of unpruned operators, equal ones held once.
//!
//! The binder adds nodes; [`Dag::add`] gives back the node that is there already when an equal one was added before, so that a view or
//! source read by several INSERTs is one node. `optimize` rebuilds the DAG, `graph` turns it into a `JobGraph`.

use std::collections::HashMap;
use std::time::Duration;

use weir_base::Span;
use weir_plan::{
    AggregateCall, DataType, Expr, ExprKind, Field, Keep, LogicalType, Order, OverFrame, OverFunction, RankEnd,
    RankRange, Schema, SinkSpec, SortKey, SourceSpec, TimeDomain, UnnestSpec, WindowAggregateSpec, WindowRankSpec,
    WindowSpec,
};

use super::scope::Attribute;

/// A node's index in its [`Dag`]; inputs have lower ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct RelId(pub usize);

/// A column of a relation.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RelColumn {
    /// Its name.
    pub name: String,
    /// Its type.
    pub data_type: DataType,
    /// What else it is.
    pub attribute: Attribute,
}

/// A relation.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rel {
    /// What it does.
    pub op: RelOp,
    /// What it reads.
    pub inputs: Vec<RelId>,
    /// Its columns.
    pub columns: Vec<RelColumn>,
    /// Where it stands in the script.
    pub span: Span,
}

/// What a relation does.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum RelOp {
    /// Reads a table.
    Scan(Box<Scan>),
    /// Filters, then projects.
    Calc {
        /// Rows where it is TRUE go on.
        condition: Option<Expr>,
        /// The columns.
        projection: Vec<Expr>,
    },
    /// Adds functions over the rows before each as the last columns; a filter on a row number makes a `Rank` or a `Deduplicate` of it.
    Over(Box<Over>),
    /// Keeps the rows at certain places of an order; the place is the last column if it is wanted.
    Rank(Box<Ranking>),
    /// Gives rows in the order of a time attribute.
    Sort(Vec<SortKey>),
    /// Keeps one row of each key.
    Deduplicate {
        /// The key.
        keys: Vec<usize>,
        /// By what.
        order: Order,
        /// Which one.
        keep: Keep,
    },
    /// Gives each row once for each projection.
    Expand {
        /// The columns, for each copy.
        projections: Vec<Vec<Expr>>,
    },
    /// Adds window_start, window_end, window_time.
    Window(Window),
    /// Aggregates in windows.
    WindowAggregate(Box<WindowAggregateSpec>),
    /// Keeps the first rows of each key and window, with their place as the last column.
    WindowRank(Box<WindowRankSpec>),
    /// Aggregates all rows of a key; gives the keys, then the aggregates.
    GroupAggregate(Box<GroupAggregate>),
    /// Joins rows with the elements of a collection in them: columns behind the kept ones are the element's.
    Correlate(Box<UnnestSpec>),
    /// All inputs.
    Union,
    /// Writes a table.
    Sink(Box<SinkSpec>),
}

/// A read of a table.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scan {
    /// What becomes of it in the plan; the watermark is always here.
    pub spec: SourceSpec,
    /// Whether the connector makes watermarks per split.
    pub watermark_per_split: bool,
    /// The columns given that are the table's primary key; empty where it has none, or where one of them is not given.
    pub primary_key: Vec<usize>,
}

/// An aggregation without a window.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct GroupAggregate {
    /// `GROUP BY`: columns of the input; none for the whole stream.
    pub keys: Vec<usize>,
    /// The aggregates.
    pub aggregates: Vec<AggregateCall>,
    /// Those that rows taken back do not change; known once the kinds of row are.
    pub kept: Vec<usize>,
    /// `STATE_TTL` of its SELECT; None: `table.exec.state.ttl`.
    pub state_ttl: Option<Duration>,
}

/// An OVER aggregation.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Over {
    /// `PARTITION BY`
    pub keys: Vec<usize>,
    /// `ORDER BY`
    pub order: Vec<SortKey>,
    /// `ROWS` or `RANGE`
    pub frame: OverFrame,
    /// The functions, a column each.
    pub calls: Vec<OverCall>,
    /// Whether the order is a time attribute: rows are given once.
    pub by_time: bool,
}

/// A function of an OVER aggregation.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum OverCall {
    /// A place in the order.
    Rank(RankType),
    /// Any other.
    Function(OverFunction),
}

impl OverCall {
    /// What place it tells, if it does.
    pub(super) fn rank(&self) -> Option<RankType> {
        match self {
            Self::Rank(rank) => Some(*rank),
            Self::Function(_) => None,
        }
    }

    /// The type of its column.
    pub(super) fn data_type(&self) -> DataType {
        match self {
            Self::Rank(_) => DataType::not_null(LogicalType::BigInt),
            Self::Function(OverFunction::Aggregate(call)) => call.data_type.clone(),
            Self::Function(OverFunction::Lag { data_type, .. }) => data_type.clone(),
        }
    }

    /// The columns that it reads.
    pub(super) fn columns_mut(&mut self) -> impl Iterator<Item = &mut usize> {
        let columns: Vec<&mut usize> = match self {
            Self::Rank(_) => Vec::new(),
            Self::Function(OverFunction::Aggregate(call)) => {
                call.arguments.iter_mut().chain(&mut call.filter).collect()
            }
            Self::Function(OverFunction::Lag { argument, default, .. }) => {
                std::iter::once(argument).chain(default).collect()
            }
        };
        columns.into_iter()
    }
}

/// Which place in the order a function tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RankType {
    /// `ROW_NUMBER()`
    RowNumber,
    /// `RANK()`
    Rank,
    /// `DENSE_RANK()`
    DenseRank,
}

impl RankType {
    /// Its SQL name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::RowNumber => "ROW_NUMBER",
            Self::Rank => "RANK",
            Self::DenseRank => "DENSE_RANK",
        }
    }
}

/// The rows at certain places of an order.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ranking {
    /// What it comes from.
    pub kind: RankingKind,
    /// `PARTITION BY`
    pub keys: Vec<usize>,
    /// `ORDER BY`
    pub order: Vec<SortKey>,
    /// The places.
    pub range: RankRange,
    /// Whether the place is the last column.
    pub number: bool,
    /// The key by which the input's rows are updated, where they only rise in the order; set when the kinds of row are inferred.
    pub updates: Option<Vec<usize>>,
}

impl Ranking {
    /// Whether it keeps the first row only.
    pub(super) fn is_first(&self) -> bool {
        self.range == RankRange { start: 1, end: RankEnd::Constant(1) }
    }

    /// Whether Flink holds it to give inserts only over insert-only input. It leaves former rows out then, also where a row takes the place of another.
    pub(super) fn is_insert_only(&self) -> bool {
        match self.kind {
            RankingKind::Top => self.is_first() && !matches!(self.order.as_slice(), [key] if key.descending),
            RankingKind::Limit => true,
            RankingKind::SortLimit => false,
        }
    }
}

/// What a ranking comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RankingKind {
    /// A filter on a row number.
    Top,
    /// `LIMIT`
    Limit,
    /// `ORDER BY ... LIMIT`
    SortLimit,
}

/// A window function in FROM.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Window {
    /// The windows.
    pub spec: WindowSpec,
    /// The time attribute.
    pub time: TimeDomain,
    /// `PARTITION BY` of sessions.
    pub keys: Vec<usize>,
}

/// Relations, equal ones once.
#[derive(Debug, Default, Clone)]
pub(super) struct Dag {
    rels: Vec<Rel>,
    by_key: HashMap<String, RelId>,
}

impl Dag {
    /// Adds a relation, or finds the equal one.
    pub(super) fn add(&mut self, rel: Rel) -> RelId {
        let key = key_of(&rel);
        if let Some(id) = self.by_key.get(&key) {
            return *id;
        }
        let id = RelId(self.rels.len());
        self.rels.push(rel);
        self.by_key.insert(key, id);
        id
    }

    /// Adds a relation that is shared with none.
    pub(super) fn add_anew(&mut self, rel: Rel) -> RelId {
        self.rels.push(rel);
        RelId(self.rels.len() - 1)
    }

    /// The relation at `id`.
    pub(super) fn get(&self, id: RelId) -> &Rel {
        &self.rels[id.0]
    }

    /// Number of relations.
    pub(super) fn len(&self) -> usize {
        self.rels.len()
    }

    /// Adds a Calc over `input`; a column passed on bare keeps its attribute.
    pub(super) fn calc(
        &mut self,
        input: RelId,
        condition: Option<Expr>,
        columns: Vec<(String, Expr)>,
        span: Span,
    ) -> RelId {
        let below = self.get(input);
        let attribute = |expr: &Expr| match expr.kind {
            ExprKind::Column(index) => below.columns[index].attribute,
            _ => Attribute::None,
        };
        let rel_columns = columns
            .iter()
            .map(|(name, expr)| RelColumn {
                name: name.clone(),
                data_type: expr.data_type.clone(),
                attribute: attribute(expr),
            })
            .collect();
        let projection: Vec<Expr> = columns.into_iter().map(|(_, expr)| expr).collect();
        let op = RelOp::Calc { condition, projection };
        self.add(Rel { op, inputs: vec![input], columns: rel_columns, span })
    }

    /// Adds a filter over `input`.
    pub(super) fn filter(&mut self, input: RelId, condition: Expr) -> RelId {
        let span = condition.span;
        let columns = self.pass(input);
        self.calc(input, Some(condition), columns, span)
    }

    /// All columns of `input` as expressions over it.
    pub(super) fn pass(&self, input: RelId) -> Vec<(String, Expr)> {
        let columns = self.get(input).columns.iter().enumerate();
        columns.map(|(index, column)| (column.name.clone(), Expr::column(index, column.data_type.clone()))).collect()
    }

    /// The relation at `id` with another attribute at one column.
    pub(super) fn set_attribute(&mut self, id: RelId, index: usize, attribute: Attribute) -> RelId {
        let mut rel = self.get(id).clone();
        rel.columns[index].attribute = attribute;
        self.add(rel)
    }
}

impl Rel {
    /// Its columns as a schema.
    pub(super) fn schema(&self) -> Schema {
        Schema::new(self.columns.iter().map(|column| Field::new(&column.name, column.data_type.clone())).collect())
    }
}

/// The indices of the columns that `expr` reads.
pub(super) fn columns_of(expr: &Expr, into: &mut std::collections::BTreeSet<usize>) {
    expr.visit(&mut |part| {
        if let ExprKind::Column(index) = part.kind {
            into.insert(index);
        }
    });
}

/// A text that is equal for equal expressions, wherever they stand.
pub(super) fn key_of_expr(expr: &Expr) -> String {
    let mut expr = expr.clone();
    expr.rewrite(&mut |part| part.span = Span::default());
    format!("{expr:?}")
}

/// A text that is equal for equal relations, wherever they stand.
fn key_of(rel: &Rel) -> String {
    let mut rel = rel.clone();
    rel.span = Span::default();
    let strip = |expr: &mut Expr| expr.rewrite(&mut |part| part.span = Span::default());
    match &mut rel.op {
        RelOp::Calc { condition, projection } => condition.iter_mut().chain(projection).for_each(strip),
        RelOp::Expand { projections } => projections.iter_mut().flatten().for_each(strip),
        RelOp::Scan(scan) => {
            scan.spec.options.spans.clear();
            scan.spec.projection.iter_mut().chain(&mut scan.spec.condition).for_each(strip);
            scan.spec.watermark.iter_mut().for_each(|watermark| strip(&mut watermark.expression));
        }
        RelOp::Correlate(spec) => strip(&mut spec.collection),
        RelOp::Over(_)
        | RelOp::Rank(_)
        | RelOp::Sort(_)
        | RelOp::Deduplicate { .. }
        | RelOp::Window(_)
        | RelOp::WindowAggregate(_)
        | RelOp::WindowRank(_)
        | RelOp::GroupAggregate(_)
        | RelOp::Union
        | RelOp::Sink(_) => {}
    }
    format!("{:?} {:?} {:?}", rel.op, rel.inputs, rel.columns)
}
