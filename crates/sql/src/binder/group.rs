//! GROUP BY: the SELECT list and HAVING over an aggregation, in the windows of a window function here, of all rows in `group_stream`.
//!
//! The grouped SELECT is bound over the scope with the aggregates as further columns; then every part of it that equals a grouping
//! expression becomes that key's column. The projections and filters between the window function and the SELECT are folded into one
//! Calc below the aggregation, which gives keys, arguments, filters and the time attribute as plain columns.

use std::cell::RefCell;

use sqlparser::ast::{self, Spanned as _};
use weir_base::Span;
use weir_plan::{
    AggregateCall, DataType, Expr, ExprKind, Function, LogicalType, TimeDomain, TumbleSpec, WindowProperty,
};

use super::aggregates::{Aggregate, Aggregates, first_aggregate};
use super::expr::{ExprBinder, all_of, check_divisions};
use super::over::{CALLS_AT, Overs};
use super::query::QueryBinder;
use super::refusal::{not_supported, refuse};
use super::rel::{Rel, RelColumn, RelId, RelOp, Window, key_of_expr};
use super::scope::{Attribute, Scope};
use super::select::{Item, name_of, qualify, unique_names};
use crate::error::{SqlError, span_of};

/// The window function below a grouped SELECT, with what lies between folded.
struct Windowed {
    window: Window,
    /// What the window function reads.
    input: RelId,
    /// Over the window function's columns.
    condition: Option<Expr>,
    /// The SELECT's input columns, over the window function's columns.
    columns: Vec<Expr>,
}

/// What GROUP BY names.
enum Group {
    Key(Expr),
    Property(WindowProperty),
}

impl QueryBinder<'_> {
    /// Whether a SELECT aggregates.
    pub(super) fn is_grouped(&self, select: &ast::Select, items: &[Item<'_>]) -> Result<bool, SqlError> {
        let grouped = match &select.group_by {
            ast::GroupByExpr::All(_) => return Err(not_supported(span_of(select.span()), "GROUP BY ALL")),
            ast::GroupByExpr::Expressions(trees, modifiers) => {
                if !modifiers.is_empty() {
                    return Err(not_supported(
                        span_of(select.span()),
                        "what stands behind GROUP BY (WITH ROLLUP, CUBE, TOTALS)",
                    ));
                }
                !trees.is_empty()
            }
        };
        let aggregates =
            items.iter().any(|item| matches!(item, Item::Tree(tree, _) if first_aggregate(tree).is_some()));
        Ok(grouped || aggregates || select.having.as_ref().is_some_and(|tree| first_aggregate(tree).is_some()))
    }

    /// Binds a SELECT that aggregates.
    pub(super) fn grouped(
        &mut self,
        select: &ast::Select,
        items: &[Item<'_>],
        rel: RelId,
        scope: &Scope,
        span: Span,
    ) -> Result<RelId, SqlError> {
        let ast::GroupByExpr::Expressions(trees, _) = &select.group_by else {
            return Err(not_supported(span, "GROUP BY ALL"));
        };
        let grouping = self.grouping(trees, scope)?;
        let window = self.window_groups(rel, &grouping)?;
        // Bind the SELECT list and HAVING over scope and aggregates.
        let aggregates = RefCell::new(Aggregates { calls: Vec::new(), whole_stream: grouping.is_empty() });
        let overs = RefCell::new(Overs::new(&select.named_window));
        let binder = ExprBinder::with_all(scope, &aggregates, &overs);
        let mut columns = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let expr = match item {
                Item::Column(at) => Expr::column(*at, scope.columns[*at].data_type.clone()).at(span),
                Item::Tree(tree, _) => binder.bind(tree)?,
                Item::Field(tree) => binder.bind(tree)?,
            };
            columns.push((name_of(item, scope, index), expr));
        }
        let having = select.having.as_ref().map(|tree| binder.bind_condition(tree, "HAVING")).transpose()?;
        columns.iter().map(|(_, expr)| expr).chain(&having).try_for_each(check_divisions)?;
        let qualify = qualify(select, items, &binder)?;
        let (calls, mut overs) = (aggregates.into_inner().into_calls(), overs.into_inner());
        let (aggregate, outputs) = self.aggregated(rel, window, &calls, scope, &grouping, span)?;
        // Say the rest in terms of the aggregation's columns.
        let columns = columns
            .into_iter()
            .map(|(name, expr)| Ok((name, outputs.rewritten(expr, scope)?)))
            .collect::<Result<Vec<_>, SqlError>>()?;
        let having = having.map(|expr| outputs.rewritten(expr, scope)).transpose()?;
        if overs.is_empty() {
            return Ok(self.dag.calc(aggregate, having, unique_names(columns), span));
        }
        for expr in overs.exprs_mut() {
            *expr = outputs.rewritten(expr.clone(), scope)?;
        }
        let qualify = qualify.map(|expr| outputs.rewritten(expr, scope)).transpose()?;
        let aggregate = having.into_iter().fold(aggregate, |rel, having| self.dag.filter(rel, having));
        self.over_and_calc(aggregate, columns, qualify, overs, span)
    }

    /// The aggregation, in windows or of all rows, and where its parts stand in what it gives.
    fn aggregated(
        &mut self,
        rel: RelId,
        window: Option<(Windowed, Vec<Group>)>,
        calls: &[Aggregate],
        scope: &Scope,
        grouping: &[Expr],
        span: Span,
    ) -> Result<(RelId, Outputs), SqlError> {
        let aggregate = match &window {
            Some((windowed, groups)) => self.aggregate(windowed, groups, calls, scope, grouping, span)?,
            None => self.group_aggregate(rel, calls, scope, grouping, span),
        };
        let groups = window.as_ref().map(|(_, groups)| groups.as_slice()).unwrap_or_default();
        let columns = &self.dag.get(aggregate).columns;
        let outputs = Outputs::of(groups, grouping, scope.columns.len(), calls, columns);
        Ok((aggregate, outputs))
    }

    /// The rows of `rel` grouped by `grouping`, each group once, in the order of `grouping`.
    pub(super) fn distinct_groups(
        &mut self,
        rel: RelId,
        scope: &Scope,
        grouping: Vec<Expr>,
        span: Span,
    ) -> Result<RelId, SqlError> {
        let names: Vec<String> = self.dag.get(rel).columns.iter().map(|column| column.name.clone()).collect();
        let window = self.window_groups(rel, &grouping)?;
        let (aggregate, outputs) = self.aggregated(rel, window, &[], scope, &grouping, span)?;
        let columns = names.into_iter().zip(grouping).map(|(name, expr)| Ok((name, outputs.rewritten(expr, scope)?)));
        let columns = columns.collect::<Result<Vec<_>, SqlError>>()?;
        Ok(self.dag.calc(aggregate, None, columns, span))
    }

    /// The grouping expressions over the scope, equal ones once.
    fn grouping(&self, trees: &[ast::Expr], scope: &Scope) -> Result<Vec<Expr>, SqlError> {
        let mut grouping: Vec<Expr> = Vec::with_capacity(trees.len());
        for tree in trees {
            let span = span_of(tree.span());
            match tree {
                ast::Expr::Rollup(_) | ast::Expr::Cube(_) | ast::Expr::GroupingSets(_) => {
                    return Err(not_supported(span, "GROUPING SETS, ROLLUP or CUBE"));
                }
                ast::Expr::Function(function)
                    if ["TUMBLE", "HOP", "SESSION"]
                        .contains(&crate::catalog::display_name(&function.name).to_ascii_uppercase().as_str()) =>
                {
                    return Err(not_supported(span, "a window in GROUP BY (the legacy form)").hint(
                        "write FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end",
                    ));
                }
                ast::Expr::Tuple(parts) if parts.is_empty() => {}
                _ => {
                    let expr = ExprBinder::new(scope).bind(tree)?;
                    let key = key_of_expr(&expr);
                    if !grouping.iter().any(|known| key_of_expr(known) == key) {
                        grouping.push(expr);
                    }
                }
            }
        }
        Ok(grouping)
    }

    /// The window function below, if the grouping holds its start and its end: else rows are grouped as they come.
    fn window_groups(&self, rel: RelId, grouping: &[Expr]) -> Result<Option<(Windowed, Vec<Group>)>, SqlError> {
        let Some(windowed) = self.windowed(rel) else { return Ok(None) };
        let width = self.dag.get(windowed.input).columns.len();
        let has = |index: usize| {
            let is = |expr: &Expr| matches!(substituted(expr, &windowed.columns).kind, ExprKind::Column(at) if at == width + index);
            grouping.iter().any(is)
        };
        if !has(0) || !has(1) {
            return Ok(None);
        }
        let groups = groups(grouping, &windowed, width)?;
        Ok(Some((windowed, groups)))
    }

    /// Folds the Calcs down to the window function.
    fn windowed(&self, id: RelId) -> Option<Windowed> {
        let rel = self.dag.get(id);
        match &rel.op {
            RelOp::Window(window) => {
                let columns = rel.columns.iter().enumerate();
                let columns = columns.map(|(index, column)| Expr::column(index, column.data_type.clone())).collect();
                Some(Windowed { window: *window, input: rel.inputs[0], condition: None, columns })
            }
            RelOp::Calc { condition, projection } => {
                let below = self.windowed(rel.inputs[0])?;
                let over = |expr: &Expr| substituted(expr, &below.columns);
                let conditions: Vec<Expr> =
                    below.condition.iter().cloned().chain(condition.as_ref().map(over)).collect();
                let condition = match conditions.len() {
                    0 | 1 => conditions.into_iter().next(),
                    _ => Some(all_of(Function::And, conditions, rel.span)),
                };
                let columns = projection.iter().map(over).collect();
                Some(Windowed { window: below.window, input: below.input, condition, columns })
            }
            _ => None,
        }
    }

    /// Adds the Calc with keys, arguments, filters and time, and the aggregation above it.
    fn aggregate(
        &mut self,
        windowed: &Windowed,
        groups: &[Group],
        calls: &[Aggregate],
        scope: &Scope,
        grouping: &[Expr],
        span: Span,
    ) -> Result<RelId, SqlError> {
        let width = self.dag.get(windowed.input).columns.len();
        let mut below = Below::default();
        let mut out = Vec::new();
        let plain = |name: String, data_type: &DataType| RelColumn {
            name,
            data_type: data_type.clone(),
            attribute: Attribute::None,
        };
        let mut keys = Vec::new();
        for (group, over_scope) in groups.iter().zip(grouping) {
            if let Group::Key(expr) = group {
                let name = match over_scope.kind {
                    ExprKind::Column(index) => scope.columns[index].name.clone(),
                    _ => format!("$f{}", keys.len()),
                };
                keys.push(below.column(expr.clone(), &name));
                out.push(plain(name, &expr.data_type));
            }
        }
        let mut aggregates = Vec::with_capacity(calls.len());
        for (index, call) in calls.iter().enumerate() {
            aggregates.push(below.call(call, windowed, width)?);
            out.push(plain(format!("EXPR${index}"), &call.data_type));
        }
        if let Some(condition) = &windowed.condition {
            refuse_window_columns(condition, width)?;
        }
        let time = match windowed.window.time {
            TimeDomain::Processing => TimeDomain::Processing,
            TimeDomain::Event(index) => {
                let column = &self.dag.get(windowed.input).columns[index];
                TimeDomain::Event(below.column(Expr::column(index, column.data_type.clone()), &column.name))
            }
        };
        let properties: Vec<WindowProperty> = groups
            .iter()
            .filter_map(|group| if let Group::Property(property) = group { Some(*property) } else { None })
            .collect();
        out.extend(properties.iter().map(|property| property_column(*property, &windowed.window)));
        if below.columns.is_empty() {
            // COUNT(*) by processing time reads no column; a batch needs one to carry its rows.
            let first = &self.dag.get(windowed.input).columns[0];
            below.column(Expr::column(0, first.data_type.clone()), &first.name);
        }
        let input = self.dag.calc(windowed.input, windowed.condition.clone(), unique_names(below.columns), span);
        let spec = TumbleSpec {
            size: std::time::Duration::from_millis(
                u64::try_from(windowed.window.size_ms).expect("a window's size is positive"),
            ),
            offset_ms: windowed.window.offset_ms,
            time,
            local_time: windowed.window.local_time,
            keys,
            aggregates,
            properties,
        };
        let op = RelOp::Aggregate(Box::new(spec));
        Ok(self.dag.add(Rel { op, inputs: vec![input], columns: out, span }))
    }
}

/// The columns of the Calc below an aggregation, equal ones once.
#[derive(Default)]
pub(super) struct Below {
    /// Names and expressions over what the Calc reads.
    pub columns: Vec<(String, Expr)>,
}

impl Below {
    /// The place of `expr`.
    pub(super) fn column(&mut self, expr: Expr, name: &str) -> usize {
        let key = key_of_expr(&expr);
        if let Some(index) = self.columns.iter().position(|(_, known)| key_of_expr(known) == key) {
            return index;
        }
        self.columns.push((name.to_owned(), expr));
        self.columns.len() - 1
    }

    /// The call over columns of this Calc.
    fn call(&mut self, call: &Aggregate, windowed: &Windowed, width: usize) -> Result<AggregateCall, SqlError> {
        let arguments: Vec<Expr> = call.arguments.iter().map(|expr| substituted(expr, &windowed.columns)).collect();
        let filter = call.filter.as_ref().map(|expr| substituted(expr, &windowed.columns));
        arguments.iter().chain(&filter).try_for_each(|part| refuse_window_columns(part, width))?;
        Ok(AggregateCall {
            function: call.function,
            argument_types: arguments.iter().map(|expr| expr.data_type.clone()).collect(),
            arguments: arguments.into_iter().map(|expr| self.column(expr, "$a")).collect(),
            distinct: call.distinct,
            filter: filter.map(|expr| self.column(expr, "$f")),
            separator: call.separator.clone(),
            data_type: call.data_type.clone(),
        })
    }
}

/// Where the parts of a grouped SELECT are found in the aggregation's output.
struct Outputs {
    /// Keys of grouping expressions with their output column.
    groups: Vec<(String, usize)>,
    /// Columns of the scope; those behind are aggregates.
    scope_width: usize,
    /// The output column of the first aggregate.
    aggregates_at: usize,
    /// The types of the output.
    types: Vec<DataType>,
}

impl Outputs {
    fn of(groups: &[Group], grouping: &[Expr], scope_width: usize, calls: &[Aggregate], columns: &[RelColumn]) -> Self {
        let property_of = |index: usize| matches!(groups.get(index), Some(Group::Property(_)));
        let keys = (0..grouping.len()).filter(|index| !property_of(*index)).count();
        let (mut key, mut property) = (0, keys + calls.len());
        let mut places = Vec::with_capacity(grouping.len());
        for (index, over_scope) in grouping.iter().enumerate() {
            let next = if property_of(index) { &mut property } else { &mut key };
            places.push((key_of_expr(over_scope), *next));
            *next += 1;
        }
        let types = columns.iter().map(|column| column.data_type.clone()).collect();
        Self { groups: places, scope_width, aggregates_at: keys, types }
    }

    /// `expr` over the aggregation's output.
    fn rewritten(&self, expr: Expr, scope: &Scope) -> Result<Expr, SqlError> {
        let key = key_of_expr(&expr);
        let column = |index: usize| Expr::column(index, self.types[index].clone()).at(expr.span);
        if let Some((_, index)) = self.groups.iter().find(|(group, _)| *group == key) {
            return Ok(column(*index));
        }
        let Expr { kind, data_type, span } = expr;
        let kind = match kind {
            // An OVER call, which reads the aggregation's columns itself.
            ExprKind::Column(index) if index >= CALLS_AT => ExprKind::Column(index),
            ExprKind::Column(index) if index >= self.scope_width => {
                let index = self.aggregates_at + index - self.scope_width;
                return Ok(Expr::column(index, self.types[index].clone()).at(span));
            }
            ExprKind::Column(index) => {
                return Err(refuse(span, format!("Expression '{}' is not being grouped", scope.columns[index].name))
                    .hint("put it into GROUP BY or into an aggregate"));
            }
            ExprKind::Literal(value) => ExprKind::Literal(value),
            ExprKind::Call(function, arguments) => {
                let arguments = arguments.into_iter().map(|argument| self.rewritten(argument, scope));
                ExprKind::Call(function, arguments.collect::<Result<_, _>>()?)
            }
            ExprKind::Cast(inner, mode) => ExprKind::Cast(Box::new(self.rewritten(*inner, scope)?), mode),
            ExprKind::Field(inner, index) => ExprKind::Field(Box::new(self.rewritten(*inner, scope)?), index),
            ExprKind::Case { branches, otherwise } => {
                let branches = branches
                    .into_iter()
                    .map(|(condition, result)| Ok((self.rewritten(condition, scope)?, self.rewritten(result, scope)?)));
                let branches = branches.collect::<Result<_, SqlError>>()?;
                ExprKind::Case { branches, otherwise: Box::new(self.rewritten(*otherwise, scope)?) }
            }
        };
        Ok(Expr { kind, data_type, span })
    }
}

/// `expr` with its columns replaced by what they stand for.
pub(super) fn substituted(expr: &Expr, columns: &[Expr]) -> Expr {
    let mut expr = expr.clone();
    expr.rewrite(&mut |part| {
        if let ExprKind::Column(index) = part.kind {
            let span = part.span;
            *part = columns[index].clone();
            if span.is_known() {
                part.span = span;
            }
        }
    });
    expr
}

fn groups(grouping: &[Expr], windowed: &Windowed, width: usize) -> Result<Vec<Group>, SqlError> {
    let properties = [WindowProperty::Start, WindowProperty::End, WindowProperty::Time];
    let groups = grouping.iter().map(|expr| {
        let over_window = substituted(expr, &windowed.columns);
        match over_window.kind {
            ExprKind::Column(index) if index >= width => Ok(Group::Property(properties[index - width])),
            _ => {
                refuse_window_columns(&over_window, width)?;
                Ok(Group::Key(over_window))
            }
        }
    });
    groups.collect()
}

fn refuse_window_columns(expr: &Expr, width: usize) -> Result<(), SqlError> {
    let mut place = None;
    expr.visit(&mut |part| {
        if matches!(part.kind, ExprKind::Column(index) if index >= width) {
            place.get_or_insert(if part.span.is_known() { part.span } else { expr.span });
        }
    });
    match place {
        None => Ok(()),
        Some(span) => {
            Err(not_supported(span, "window_start, window_end or window_time below the aggregation of its window")
                .hint("filter on the window's columns in a query around the aggregation"))
        }
    }
}

fn property_column(property: WindowProperty, window: &Window) -> RelColumn {
    let (name, logical, attribute) = match property {
        WindowProperty::Start => ("window_start", LogicalType::Timestamp(3), Attribute::None),
        WindowProperty::End => ("window_end", LogicalType::Timestamp(3), Attribute::None),
        WindowProperty::Time => {
            let logical = if window.local_time { LogicalType::TimestampLtz(3) } else { LogicalType::Timestamp(3) };
            let attribute =
                if window.time == TimeDomain::Processing { Attribute::ProcTime } else { Attribute::RowTime };
            ("window_time", logical, attribute)
        }
    };
    RelColumn { name: name.to_owned(), data_type: DataType::not_null(logical), attribute }
}
