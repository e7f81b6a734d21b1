//! A filter on a row number: which places of the order it keeps, and the `Rank` or `Deduplicate` that gives just them.

use weir_base::Span;
use weir_plan::{DataType, Expr, ExprKind, Function, Keep, LogicalType, Order, RankEnd, RankRange, SortKey, Value};

use super::{CALLS_AT, number_type};
use crate::binder::expr::{all_of, integer_constant};
use crate::binder::query::QueryBinder;
use crate::binder::refusal::refuse;
use crate::binder::rel::{Over, RankType, Ranking, RankingKind, Rel, RelColumn, RelId, RelOp};
use crate::binder::scope::Attribute;
use crate::binder::window_rank::WindowRanking;
use crate::error::SqlError;

/// What a comparison says of a row number.
#[derive(Debug, Clone)]
enum Bound {
    /// It is at least this.
    Lower(i64),
    /// It is at most this.
    Upper(i64),
    /// It is this.
    Exactly(i64),
    /// It is at most what this column says.
    Column(Expr),
}

impl QueryBinder<'_> {
    /// Applies a WHERE or QUALIFY: comparisons of a row number become a ranking, the rest a filter above it.
    pub(in crate::binder) fn filter(&mut self, input: RelId, condition: Expr) -> Result<RelId, SqlError> {
        if matches!(self.dag.get(input).op, RelOp::Correlate(_)) {
            return self.filter_correlated(input, condition);
        }
        let span = condition.span;
        let parts = conjuncts(condition.clone());
        let bounds: Vec<Option<Bound>> = parts.iter().map(|part| self.bound(input, part)).collect();
        let compares: Vec<bool> = parts.iter().map(|part| self.compares_number(input, part)).collect();
        // A comparison that says no bound leaves all of them to the filter, as in Flink.
        let all_bound = compares.iter().zip(&bounds).all(|(compares, bound)| !compares || bound.is_some());
        if !all_bound || !compares.contains(&true) {
            return Ok(self.dag.filter(input, condition));
        }
        let place = parts.iter().zip(&compares).find(|(_, compares)| **compares).map_or(span, |(part, _)| part.span);
        let rest: Vec<Expr> =
            parts.into_iter().zip(&compares).filter(|(_, compares)| !**compares).map(|(part, _)| part).collect();
        let bounds: Vec<Bound> = bounds.into_iter().flatten().collect();
        let ranked = match range_of(&bounds, place)? {
            None => return Ok(self.dag.filter(input, condition)),
            Some(Range::Empty) => {
                let never =
                    Expr::new(ExprKind::Literal(Value::Boolean(false)), DataType::not_null(LogicalType::Boolean));
                self.dag.filter(input, never.at(place))
            }
            Some(Range::Places(range)) => self.ranked(input, range, place)?,
        };
        let condition = match rest.len() {
            0 => return Ok(ranked),
            1 => rest.into_iter().next().expect("there is one part"),
            _ => all_of(Function::And, rest, span),
        };
        Ok(self.dag.filter(ranked, condition))
    }

    /// Whether `expr` is the bare number of a row, of a relation that can be ranked.
    fn is_number(&self, input: RelId, expr: &Expr) -> bool {
        let ExprKind::Column(index) = expr.kind else { return false };
        self.dag.get(input).columns[index].attribute == Attribute::RowNumber && self.ranking_below(input).is_some()
    }

    /// The OVER relation below a chain of projections and filters, if all it computes is a place in an order.
    fn ranking_below(&self, id: RelId) -> Option<&Over> {
        let rel = self.dag.get(id);
        match &rel.op {
            RelOp::Over(over) => matches!(over.calls.as_slice(), [call] if call.rank().is_some()).then_some(over),
            RelOp::Calc { .. } => self.ranking_below(rel.inputs[0]),
            _ => None,
        }
    }

    /// Whether `part` compares a row number with something that does not read it.
    fn compares_number(&self, input: RelId, part: &Expr) -> bool {
        self.sides(input, part).is_some()
    }

    /// The comparison with the number on its left, and what stands on the other side.
    fn sides<'e>(&self, input: RelId, part: &'e Expr) -> Option<(Function, &'e Expr)> {
        let ExprKind::Call(function, sides) = &part.kind else { return None };
        let [left, right] = sides.as_slice() else { return None };
        let turned = match function {
            Function::Equal => Function::Equal,
            Function::Less => Function::Greater,
            Function::LessOrEqual => Function::GreaterOrEqual,
            Function::Greater => Function::Less,
            Function::GreaterOrEqual => Function::LessOrEqual,
            _ => return None,
        };
        let reads = |expr: &Expr| {
            let mut reads = false;
            expr.visit(&mut |part| reads |= self.is_number(input, part));
            reads
        };
        if self.is_number(input, uncast(left)) && !reads(right) {
            Some((*function, right))
        } else if self.is_number(input, uncast(right)) && !reads(left) {
            Some((turned, left))
        } else {
            None
        }
    }

    fn bound(&self, input: RelId, part: &Expr) -> Option<Bound> {
        let (function, other) = self.sides(input, part)?;
        let constant = number_of(other);
        match (function, constant) {
            (Function::Less, Some(number)) => Some(Bound::Upper(number.saturating_sub(1))),
            (Function::LessOrEqual, Some(number)) => Some(Bound::Upper(number)),
            (Function::Greater, Some(number)) => Some(Bound::Lower(number.saturating_add(1))),
            (Function::GreaterOrEqual, Some(number)) => Some(Bound::Lower(number)),
            (_, Some(number)) => Some(Bound::Exactly(number)),
            // Flink takes a column for the last place whether the comparison is strict or not; one that it has to cast only where the comparison casts nothing.
            (Function::Less | Function::LessOrEqual, None) => column_of(uncast(other)),
            (Function::Equal, None) => column_of(other),
            _ => None,
        }
    }

    /// `rel` with its OVER replaced by a ranking of `range`.
    fn ranked(&mut self, id: RelId, range: Found, span: Span) -> Result<RelId, SqlError> {
        let rel = self.dag.get(id).clone();
        match rel.op {
            RelOp::Over(over) => self.rank(rel.inputs[0], *over, &range, rel.span, span),
            RelOp::Calc { condition, projection } => {
                let end = range.end.map_column(|column| match &projection[column].kind {
                    ExprKind::Column(index) => Some(*index),
                    _ => None,
                });
                let Some(end) = end else {
                    return Err(refuse(span, "The last place of a ranking must be a column of the ranked rows"));
                };
                let input = self.ranked(rel.inputs[0], Found { end, ..range }, span)?;
                let columns = rel.columns.iter().map(|column| column.name.clone()).zip(projection).collect();
                let calc = self.dag.calc(input, condition, columns, rel.span);
                let proctime = |index: &usize| rel.columns[*index].attribute == Attribute::ProcTime;
                let proctimes: Vec<usize> = (0..rel.columns.len()).filter(proctime).collect();
                Ok(proctimes
                    .into_iter()
                    .fold(calc, |calc, index| self.dag.set_attribute(calc, index, Attribute::ProcTime)))
            }
            _ => Err(refuse(span, "A row number is filtered where no ranking can be made of it")),
        }
    }

    fn rank(
        &mut self,
        input: RelId,
        over: Over,
        range: &Found,
        over_span: Span,
        span: Span,
    ) -> Result<RelId, SqlError> {
        let rank = over.calls.first().and_then(|call| call.rank());
        let ranking = WindowRanking {
            input,
            keys: &over.keys,
            order: &over.order,
            first: u64::try_from(range.start).unwrap_or(1).max(1),
            last: match range.end {
                Last::Constant(end) => u64::try_from(end).ok().filter(|end| *end > 0),
                Last::Column(_) => None,
            },
            function: rank.map_or("ROW_NUMBER", RankType::name),
            span: over_span,
        };
        if let Some(ranked) = self.window_rank(&ranking)? {
            return Ok(ranked);
        }
        if let Some(rank @ (RankType::Rank | RankType::DenseRank)) = rank {
            return Err(refuse(over_span, format!("{}() on streaming table is not supported currently", rank.name()))
                .hint("number rows with ROW_NUMBER(): rows that are equal in the order get different numbers"));
        }
        let end = match range.end {
            Last::Constant(end) => match u64::try_from(end) {
                Ok(end) if end > 0 => RankEnd::Constant(end),
                _ => {
                    return Err(refuse(span, format!("Rank end should not less than zero, but now is {end}"))
                        .hint("row numbers begin at 1"));
                }
            },
            Last::Column(column) => RankEnd::Column(self.last_place(input, column, span)?),
        };
        let range = RankRange { start: u64::try_from(range.start).unwrap_or(1).max(1), end };
        let below = self.dag.get(input).columns.clone();
        let first = range == RankRange { start: 1, end: RankEnd::Constant(1) };
        let time = match over.order.as_slice() {
            [key] => time_of(&below, key),
            _ => None,
        };
        if let Some((order, keep)) = time.filter(|_| first) {
            let op = RelOp::Deduplicate { keys: over.keys, order, keep };
            let rel = self.dag.add(Rel { op, inputs: vec![input], columns: below, span: over_span });
            return Ok(self.with_number(rel, 1, over_span));
        }
        let constant = matches!(range.end, RankEnd::Constant(end) if end == range.start);
        let mut columns = below;
        if !constant {
            let attribute = Attribute::None;
            columns.push(RelColumn { name: "w0$o0".to_owned(), data_type: number_type(), attribute });
        }
        let ranking = Ranking {
            kind: RankingKind::Top,
            keys: over.keys,
            order: over.order,
            range,
            number: !constant,
            updates: None,
        };
        let rel =
            self.dag.add(Rel { op: RelOp::Rank(Box::new(ranking)), inputs: vec![input], columns, span: over_span });
        Ok(if constant { self.with_number(rel, range.start, over_span) } else { rel })
    }

    /// Adds the place of all rows, where there is but one.
    fn with_number(&mut self, rel: RelId, number: u64, span: Span) -> RelId {
        let mut columns = self.dag.pass(rel);
        let number = ExprKind::Literal(Value::Integer(i64::try_from(number).unwrap_or(i64::MAX)));
        columns.push(("w0$o0".to_owned(), Expr::new(number, number_type()).at(span)));
        let attributes = self.dag.get(rel).columns.iter().map(|column| column.attribute).collect();
        self.with_columns(rel, columns, attributes, span)
    }

    fn last_place(&self, input: RelId, column: usize, span: Span) -> Result<usize, SqlError> {
        let logical = &self.dag.get(input).columns[column].data_type.logical;
        if matches!(logical, LogicalType::SmallInt | LogicalType::Int | LogicalType::BigInt) {
            return Ok(column);
        }
        Err(refuse(span, format!("variable rank index column must be long type, while input type is {logical}"))
            .hint("CAST it AS BIGINT in the subquery that numbers the rows"))
    }
}

/// The places that bounds leave.
enum Range {
    Empty,
    Places(Found),
}

/// The first and the last place.
#[derive(Debug, Clone)]
struct Found {
    start: i64,
    end: Last,
}

/// The last place.
#[derive(Debug, Clone, Copy)]
enum Last {
    Constant(i64),
    /// What this column of the filtered relation says.
    Column(usize),
}

impl Last {
    fn map_column(self, place: impl Fn(usize) -> Option<usize>) -> Option<Self> {
        match self {
            Self::Constant(end) => Some(Self::Constant(end)),
            Self::Column(column) => place(column).map(Self::Column),
        }
    }
}

/// The places that `bounds` leave; `None` where Flink makes no ranking of them.
fn range_of(bounds: &[Bound], span: Span) -> Result<Option<Range>, SqlError> {
    if let [Bound::Column(expr)] = bounds {
        let ExprKind::Column(column) = expr.kind else { return Ok(None) };
        return Ok(Some(Range::Places(Found { start: 1, end: Last::Column(column) })));
    }
    let (mut start, mut end) = (None, None);
    let least = |known: Option<i64>, bound: i64| Some(known.map_or(bound, |known| known.max(bound)));
    let most = |known: Option<i64>, bound: i64| Some(known.map_or(bound, |known| known.min(bound)));
    for bound in bounds {
        match bound {
            Bound::Lower(bound) => start = least(start, *bound),
            Bound::Upper(bound) => end = most(end, *bound),
            Bound::Exactly(bound) => (start, end) = (least(start, *bound), most(end, *bound)),
            Bound::Column(_) => return Ok(None),
        }
    }
    let Some(end) = end else {
        let text =
            "Rank end is not specified. Currently rank only support TopN, which means the rank end must be specified.";
        return Err(refuse(span, text).hint("say the last number too: WHERE rn BETWEEN 2 AND 10"));
    };
    if start.is_some_and(|start| start > end) && end > 0 {
        return Ok(Some(Range::Empty));
    }
    Ok(Some(Range::Places(Found { start: start.unwrap_or(1), end: Last::Constant(end) })))
}

/// The order of a deduplication, if `key` is a time attribute.
fn time_of(columns: &[RelColumn], key: &SortKey) -> Option<(Order, Keep)> {
    let keep = if key.descending { Keep::Last } else { Keep::First };
    match columns[key.column].attribute {
        Attribute::RowTime => Some((Order::RowTime(key.column), keep)),
        Attribute::ProcTime => Some((Order::ProcTime, keep)),
        _ => None,
    }
}

fn column_of(expr: &Expr) -> Option<Bound> {
    matches!(expr.kind, ExprKind::Column(index) if index < CALLS_AT).then(|| Bound::Column(expr.clone()))
}

fn uncast(expr: &Expr) -> &Expr {
    match &expr.kind {
        ExprKind::Cast(inner, _) if expr.data_type.logical.is_numeric() => uncast(inner),
        _ => expr,
    }
}

/// The whole number that Flink reads a constant for: of a DECIMAL its digits without the point.
fn number_of(expr: &Expr) -> Option<i64> {
    match &uncast(expr).kind {
        ExprKind::Literal(Value::Decimal(digits)) => i64::try_from(*digits).ok(),
        _ => integer_constant(expr),
    }
}

/// The parts of a condition that must all hold, in order.
pub(in crate::binder) fn conjuncts(condition: Expr) -> Vec<Expr> {
    match condition.kind {
        ExprKind::Call(Function::And, parts) => parts.into_iter().flat_map(conjuncts).collect(),
        _ => vec![condition],
    }
}
