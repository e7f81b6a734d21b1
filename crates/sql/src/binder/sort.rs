//! ORDER BY, LIMIT, OFFSET and FETCH behind a query.
//!
//! Keys of ORDER BY that are no columns of the result are bound with the SELECT as further columns and dropped again. With a LIMIT an order is a ranking of all
//! rows; without one it must begin with a time attribute. In a subquery an order without LIMIT says nothing and is left out, as in Flink.

use sqlparser::ast::{self, Spanned as _};
use weir_base::Span;
use weir_plan::{DataType, Expr, ExprKind, LogicalType, RankEnd, RankRange, SortKey, Value};

use super::query::QueryBinder;
use super::refusal::{not_supported, refuse};
use super::rel::{Ranking, RankingKind, Rel, RelId, RelOp};
use super::scope::{Attribute, Scope, ScopeColumn};
use super::select::spell_aliases;
use crate::error::{SqlError, span_of};

/// What stands behind a query.
pub(super) struct Tail<'t> {
    order: &'t [ast::OrderByExpr],
    /// How many rows are left out first.
    offset: Option<u64>,
    /// How many are given.
    fetch: Option<u64>,
    span: Span,
}

/// By what one key of ORDER BY orders.
enum Key {
    /// The column of the result.
    Output(usize),
    /// An expression over what the SELECT reads.
    Hidden(Box<ast::Expr>),
}

impl<'t> Tail<'t> {
    /// Reads the clauses; `None` where there are none.
    ///
    /// # Errors
    /// When one is wrong, or is none of Flink's.
    pub(super) fn of(query: &'t ast::Query) -> Result<Option<Self>, SqlError> {
        let order = match &query.order_by {
            None => [].as_slice(),
            Some(order) if order.interpolate.is_some() => {
                return Err(not_supported(span_of(query.span()), "INTERPOLATE behind ORDER BY"));
            }
            Some(order) => match &order.kind {
                ast::OrderByKind::Expressions(keys) => keys.as_slice(),
                ast::OrderByKind::All(_) => {
                    return Err(not_supported(span_of(query.span()), "ORDER BY ALL").hint("name the columns"));
                }
            },
        };
        let span = span_of(order.first().map_or_else(|| query.span(), ast::Spanned::span));
        let (mut offset, mut fetch) = (None, None);
        match &query.limit_clause {
            None => {}
            Some(ast::LimitClause::LimitOffset { limit, offset: skip, limit_by }) if limit_by.is_empty() => {
                fetch = limit.as_ref().map(|tree| count(tree, "LIMIT", span)).transpose()?;
                offset = skip.as_ref().map(|skip| count(&skip.value, "OFFSET", span)).transpose()?;
            }
            Some(ast::LimitClause::OffsetCommaLimit { .. }) => {
                return Err(not_supported(span, "LIMIT offset, count").hint("write LIMIT count OFFSET offset"));
            }
            Some(_) => return Err(not_supported(span, "LIMIT ... BY")),
        }
        if let Some(clause) = &query.fetch {
            if clause.with_ties || clause.percent {
                return Err(
                    not_supported(span, "FETCH with PERCENT or WITH TIES").hint("write FETCH FIRST 10 ROWS ONLY")
                );
            }
            fetch = Some(match &clause.quantity {
                Some(tree) => count(tree, "FETCH", span)?,
                None => return Err(refuse(span, "FETCH needs a number of rows").hint("write FETCH FIRST 1 ROWS ONLY")),
            });
        }
        if order.is_empty() && offset.is_none() && fetch.is_none() {
            return Ok(None);
        }
        Ok(Some(Self { order, offset, fetch, span }))
    }
}

/// The whole number of a LIMIT; what stands behind the point is cut off, as Flink does it.
fn count(tree: &ast::Expr, clause: &str, around: Span) -> Result<u64, SqlError> {
    let wrong = |span: Span| {
        refuse(span, format!("{clause} must be a whole number that is not negative"))
            .hint(format!("such as {clause} 10"))
    };
    let span = span_of(tree.span());
    let span = if span == Span::default() { around } else { span };
    let ast::Expr::Value(value) = tree else { return Err(wrong(span)) };
    let ast::Value::Number(digits, _) = &value.value else { return Err(wrong(span)) };
    digits.split('.').next().and_then(|digits| digits.parse().ok()).ok_or_else(|| wrong(span))
}

impl QueryBinder<'_> {
    /// Binds a query's body with what stands behind it; `is_top`: no query stands around it.
    pub(super) fn with_tail(
        &mut self,
        body: &ast::SetExpr,
        tail: Option<&Tail<'_>>,
        is_top: bool,
    ) -> Result<RelId, SqlError> {
        let Some(tail) = tail else { return self.body(body) };
        if tail.offset.is_some() && tail.fetch.is_none() {
            let text = "FETCH is missed, which on streaming table is not supported currently.";
            return Err(refuse(tail.span, text).hint("say how many rows are wanted: LIMIT 10 OFFSET 5"));
        }
        if tail.fetch.is_none() && !is_top {
            return self.body(body);
        }
        let keys = keys_of(tail, body)?;
        let hidden: Vec<&ast::Expr> = keys
            .iter()
            .filter_map(|key| match key {
                Key::Hidden(tree) => Some(&**tree),
                Key::Output(_) => None,
            })
            .collect();
        let rel = match body {
            ast::SetExpr::Select(select) => self.select(select, &hidden)?,
            other => self.body(other)?,
        };
        let width = self.dag.get(rel).columns.len() - hidden.len();
        let keys = match body {
            ast::SetExpr::Select(_) => keys,
            _ => self.outputs_of(rel, tail)?,
        };
        let mut next = width;
        let mut order = Vec::with_capacity(keys.len());
        for (key, tree) in keys.iter().zip(tail.order) {
            let column = match key {
                Key::Output(column) if *column >= width => {
                    return Err(refuse(span_of(tree.expr.span()), "Ordinal out of range")
                        .hint(format!("the query has {width} columns")));
                }
                Key::Output(column) => *column,
                Key::Hidden(_) => {
                    next += 1;
                    next - 1
                }
            };
            order.push(sort_key(tree, column)?);
        }
        let sorted = self.sorted(rel, order, tail)?;
        if width == self.dag.get(sorted).columns.len() {
            return Ok(sorted);
        }
        let columns = self.dag.pass(sorted).into_iter().take(width).collect();
        Ok(self.dag.calc(sorted, None, columns, tail.span))
    }

    fn sorted(&mut self, input: RelId, order: Vec<SortKey>, tail: &Tail<'_>) -> Result<RelId, SqlError> {
        let columns = self.dag.get(input).columns.clone();
        let span = tail.span;
        let Some(fetch) = tail.fetch else {
            let first = order.first().filter(|key| !key.descending && columns[key.column].attribute.is_time());
            if first.is_none() {
                return Err(refuse(span, "Sort on a non-time-attribute field is not supported.").hint(
                    "order by the WATERMARK column first, or say how many rows are wanted: ORDER BY ... LIMIT 10",
                ));
            }
            if columns[order[0].column].attribute == Attribute::ProcTime {
                return if order.len() == 1 {
                    Ok(input)
                } else {
                    Err(not_supported(span, "ORDER BY processing time and other columns")
                        .hint("rows come one after the other: say how many are wanted, ORDER BY ... LIMIT 10"))
                };
            }
            return Ok(self.dag.add(Rel { op: RelOp::Sort(order), inputs: vec![input], columns, span }));
        };
        if fetch == 0 {
            let never = Expr::new(ExprKind::Literal(Value::Boolean(false)), DataType::not_null(LogicalType::Boolean));
            return Ok(self.dag.filter(input, never.at(span)));
        }
        let offset = tail.offset.unwrap_or(0);
        let range = RankRange { start: offset.saturating_add(1), end: RankEnd::Constant(offset.saturating_add(fetch)) };
        let kind = if order.is_empty() { RankingKind::Limit } else { RankingKind::SortLimit };
        let ranking = Ranking { kind, keys: Vec::new(), order, range, number: false, updates: None };
        Ok(self.dag.add(Rel { op: RelOp::Rank(Box::new(ranking)), inputs: vec![input], columns, span }))
    }

    /// The keys of an ORDER BY behind a set operation or VALUES: columns of the result.
    fn outputs_of(&self, rel: RelId, tail: &Tail<'_>) -> Result<Vec<Key>, SqlError> {
        let column = |column: &super::rel::RelColumn| ScopeColumn {
            qualifier: None,
            name: column.name.clone(),
            data_type: column.data_type.clone(),
            attribute: Attribute::None,
        };
        let scope = Scope { columns: self.dag.get(rel).columns.iter().map(column).collect() };
        let key = |key: &ast::OrderByExpr| match ordinal(&key.expr) {
            Some(at) => Ok(Key::Output(at)),
            None => match &key.expr {
                ast::Expr::Identifier(name) => {
                    scope.resolve(std::slice::from_ref(name)).map(|(index, _)| Key::Output(index))
                }
                other => Err(not_supported(span_of(other.span()), "ORDER BY an expression behind this query")
                    .hint("compute it as a column of a subquery and order by that")),
            },
        };
        tail.order.iter().map(key).collect()
    }
}

fn sort_key(key: &ast::OrderByExpr, column: usize) -> Result<SortKey, SqlError> {
    if key.with_fill.is_some() {
        return Err(not_supported(span_of(key.expr.span()), "WITH FILL"));
    }
    let descending = key.options.asc == Some(false);
    Ok(SortKey { column, descending, nulls_last: key.options.nulls_first.map_or(descending, |first| !first) })
}

/// The column of `ORDER BY 2`.
fn ordinal(tree: &ast::Expr) -> Option<usize> {
    let ast::Expr::Value(value) = tree else { return None };
    let ast::Value::Number(digits, _) = &value.value else { return None };
    let number: usize = digits.parse().ok()?;
    // 0 is out of range, too.
    Some(number.wrapping_sub(1))
}

/// What the keys are in terms of a SELECT; aliases before columns of what it reads.
fn keys_of<'t>(tail: &Tail<'_>, body: &'t ast::SetExpr) -> Result<Vec<Key>, SqlError> {
    let ast::SetExpr::Select(select) = body else { return Ok(Vec::new()) };
    let alias = |item: &'t ast::SelectItem| match item {
        ast::SelectItem::ExprWithAlias { expr, alias } => Some((alias.value.as_str(), expr)),
        _ => None,
    };
    let aliases: Vec<(&str, &ast::Expr)> = select.projection.iter().filter_map(alias).collect();
    let key = |key: &ast::OrderByExpr| {
        if let Some(at) = ordinal(&key.expr) {
            return Key::Output(at);
        }
        let mut tree = key.expr.clone();
        spell_aliases(&mut tree, &aliases);
        Key::Hidden(Box::new(tree))
    };
    Ok(tail.order.iter().map(key).collect())
}
