//! What stands behind a comma or JOIN in FROM: `UNNEST(a)` of a column before it. Joins of two tables are refused by name.

use sqlparser::ast::{self, JoinConstraint, JoinOperator, Spanned as _, TableFactor};
use weir_base::Span;
use weir_plan::{DataType, Expr, ExprKind, Function, LogicalType, UnnestSpec};

use super::expr::{ExprBinder, all_of};
use super::over::conjuncts;
use super::query::QueryBinder;
use super::refusal::{not_supported, refuse};
use super::rel::{Rel, RelColumn, RelId, RelOp};
use super::scope::{Attribute, Scope, ScopeColumn};
use super::source::shift_columns;
use super::types::calcite_name;
use crate::catalog::display_name;
use crate::dialect::{TableFunction, table_function};
use crate::error::{SqlError, span_of};
use crate::reserved::check_name;

/// How a query says what it may.
const HINT: &str = "an array or a map of the row can be joined: CROSS JOIN UNNEST(a) AS t (x), or LEFT JOIN UNNEST(a) AS t (x) ON TRUE";

/// `UNNEST(...)`, if `factor` is that, and whether `WITH ORDINALITY` stands behind it.
fn unnest(factor: &TableFactor) -> Option<(TableFunction<'_>, bool)> {
    let function = table_function(factor)?;
    let is_ordinal = matches!(factor, TableFactor::Table { with_ordinality: true, .. });
    display_name(function.name).eq_ignore_ascii_case("UNNEST").then_some((function, is_ordinal))
}

impl QueryBinder<'_> {
    /// `FROM UNNEST(...)`, where nothing stands before it: its elements are the rows.
    pub(super) fn unnest_alone(
        &mut self,
        select: &ast::Select,
        factor: &TableFactor,
    ) -> Result<Option<(RelId, Scope)>, SqlError> {
        let Some((function, ordinality)) = unnest(factor) else { return Ok(None) };
        let (rel, scope) = self.one_row(select);
        self.unnested(rel, scope, &function, ordinality, false).map(Some)
    }

    /// `left, right`
    pub(super) fn comma(&mut self, left: (RelId, Scope), right: &TableFactor) -> Result<(RelId, Scope), SqlError> {
        match unnest(right) {
            Some((function, ordinality)) => self.unnested(left.0, left.1, &function, ordinality, false),
            None => Err(refused(right, "a join (a second table in FROM)")),
        }
    }

    /// `left JOIN right ON ...`
    pub(super) fn join(&mut self, left: (RelId, Scope), join: &ast::Join) -> Result<(RelId, Scope), SqlError> {
        let Some((function, ordinality)) = unnest(&join.relation) else {
            return Err(refused(&join.relation, kind(&join.join_operator)));
        };
        let (constraint, outer) = match &join.join_operator {
            JoinOperator::CrossJoin(constraint) => (constraint, false),
            JoinOperator::Join(constraint) | JoinOperator::Inner(constraint) => (constraint, false),
            JoinOperator::Left(constraint) | JoinOperator::LeftOuter(constraint) => (constraint, true),
            other => {
                let what = format!("{} with UNNEST", kind(other));
                return Err(not_supported(function.span, what).hint(HINT));
            }
        };
        match constraint {
            JoinConstraint::None if !outer => {}
            JoinConstraint::On(ast::Expr::Value(value)) if matches!(value.value, ast::Value::Boolean(true)) => {}
            JoinConstraint::On(condition) => {
                return Err(not_supported(
                    span_of(condition.span()),
                    "a join with UNNEST ON a condition other than TRUE",
                )
                .hint("write ON TRUE, and the condition into WHERE"));
            }
            _ => {
                return Err(refuse(function.span, "a LEFT JOIN with UNNEST needs ON TRUE").hint(HINT));
            }
        }
        self.unnested(left.0, left.1, &function, ordinality, outer)
    }

    /// A WHERE above UNNEST: what it says of the row alone is asked before the row becomes several, as Flink does it.
    pub(super) fn filter_correlated(&mut self, id: RelId, condition: Expr) -> Result<RelId, SqlError> {
        let rel = self.dag.get(id).clone();
        let RelOp::Correlate(spec) = &rel.op else { return Ok(self.dag.filter(id, condition)) };
        let span = condition.span;
        let of_row = |part: &Expr| {
            let mut only = true;
            part.visit(&mut |inner| match &inner.kind {
                ExprKind::Column(index) => only &= *index < spec.kept.len(),
                ExprKind::Call(Function::MetricCount | Function::MetricHistogram, _) => only = false,
                _ => {}
            });
            only
        };
        let (mut below, above): (Vec<Expr>, Vec<Expr>) = conjuncts(condition).into_iter().partition(of_row);
        let joined = |mut parts: Vec<Expr>| match parts.len() {
            0 | 1 => parts.pop(),
            _ => Some(all_of(Function::And, parts, span)),
        };
        below.iter_mut().for_each(|part| shift_columns(part, |index| spec.kept.get(index).copied().unwrap_or(index)));
        let mut filtered = id;
        if let Some(below) = joined(below) {
            let input = self.filter(rel.inputs[0], below)?;
            let mut moved = rel.clone();
            for (column, index) in moved.columns.iter_mut().zip(&spec.kept) {
                *column = self.dag.get(input).columns[*index].clone();
            }
            moved.inputs = vec![input];
            filtered = self.dag.add(moved);
        }
        Ok(match joined(above) {
            Some(above) => self.dag.filter(filtered, above),
            None => filtered,
        })
    }

    fn unnested(
        &mut self,
        left: RelId,
        mut scope: Scope,
        function: &TableFunction<'_>,
        ordinality: bool,
        outer: bool,
    ) -> Result<(RelId, Scope), SqlError> {
        let span = function.span;
        let [ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(tree))] = function.args else {
            return Err(not_supported(span, "UNNEST of several arrays").hint("write an UNNEST for each"));
        };
        let collection = ExprBinder::new(&scope).bind(tree)?;
        let elements = elements(&collection, function.alias, ordinality, outer, span)?;
        let kept: Vec<usize> = (0..scope.columns.len()).collect();
        let below = self.dag.get(left);
        let mut columns: Vec<RelColumn> = kept.iter().map(|index| below.columns[*index].clone()).collect();
        let qualifier = function.alias.map(|alias| alias.name.value.clone());
        for (name, data_type) in elements {
            let attribute = Attribute::None;
            columns.push(RelColumn { name: name.clone(), data_type: data_type.clone(), attribute });
            scope.columns.push(ScopeColumn { qualifier: qualifier.clone(), name, data_type, attribute });
        }
        let spec = UnnestSpec { kept, collection, ordinality, outer };
        let op = RelOp::Correlate(Box::new(spec));
        Ok((self.dag.add(Rel { op, inputs: vec![left], columns, span }), scope))
    }
}

/// The columns that an element is given as.
fn elements(
    collection: &Expr,
    alias: Option<&ast::TableAlias>,
    ordinality: bool,
    outer: bool,
    span: Span,
) -> Result<Vec<(String, DataType)>, SqlError> {
    let mut columns: Vec<(String, DataType)> = match &collection.data_type.logical {
        LogicalType::Array(element) => match &element.logical {
            LogicalType::Row(fields) => {
                fields.iter().map(|field| (field.name.clone(), field.data_type.clone())).collect()
            }
            _ => {
                let name = alias.map_or_else(|| "EXPR$0".to_owned(), |alias| alias.name.value.clone());
                vec![(name, (**element).clone())]
            }
        },
        LogicalType::Map(key, value) => {
            vec![("KEY".to_owned(), (**key).clone()), ("VALUE".to_owned(), (**value).clone())]
        }
        other => {
            let given = calcite_name(other);
            return Err(refuse(
                span,
                format!(
                    "Cannot apply 'UNNEST' to arguments of type 'UNNEST(<{given}>)'. Supported form(s): 'UNNEST(<ARRAY>)', 'UNNEST(<MAP>)'"
                ),
            ));
        }
    };
    if ordinality {
        columns.push(("ORDINALITY".to_owned(), DataType::not_null(LogicalType::Int)));
    }
    if outer {
        columns.iter_mut().for_each(|(_, data_type)| data_type.nullable = true);
    }
    let Some(alias) = alias else { return Ok(columns) };
    check_name(&alias.name)?;
    if alias.columns.is_empty() {
        return Ok(columns);
    }
    alias.columns.iter().try_for_each(|column| check_name(&column.name))?;
    if alias.columns.len() != columns.len() {
        let names: Vec<String> = columns.iter().map(|(name, _)| format!("'{name}'")).collect();
        return Err(refuse(
            alias.columns.first().map_or(span, |column| span_of(column.name.span)),
            format!(
                "List of column aliases must have same degree as table; table has {} columns ({}), whereas alias list has {} columns",
                columns.len(),
                names.join(", "),
                alias.columns.len()
            ),
        ));
    }
    Ok(columns
        .into_iter()
        .zip(&alias.columns)
        .map(|((_, data_type), name)| (name.name.value.clone(), data_type))
        .collect())
}

/// The join by its name.
fn kind(operator: &JoinOperator) -> &'static str {
    match operator {
        JoinOperator::Join(_) | JoinOperator::Inner(_) => "an INNER JOIN",
        JoinOperator::Left(_) | JoinOperator::LeftOuter(_) => "a LEFT JOIN",
        JoinOperator::Right(_) | JoinOperator::RightOuter(_) => "a RIGHT JOIN",
        JoinOperator::FullOuter(_) => "a FULL JOIN",
        JoinOperator::CrossJoin(_) => "a CROSS JOIN",
        JoinOperator::Semi(_) | JoinOperator::LeftSemi(_) | JoinOperator::RightSemi(_) => "a SEMI JOIN",
        JoinOperator::Anti(_) | JoinOperator::LeftAnti(_) | JoinOperator::RightAnti(_) => "an ANTI JOIN",
        _ => "this form of JOIN",
    }
}

/// The refusal of a join with `right`, by what it is.
fn refused(right: &TableFactor, join: &str) -> SqlError {
    let span = span_of(right.span());
    if matches!(right, TableFactor::Table { version: Some(_), .. }) {
        return not_supported(span, "a temporal or lookup join (FOR SYSTEM_TIME AS OF)").hint(HINT);
    }
    if let Some(function) = table_function(right) {
        return table_function_refused(&function, join);
    }
    if let TableFactor::Derived { lateral: true, .. } = right {
        return not_supported(span, "a join with LATERAL (SELECT ...)").hint(HINT);
    }
    not_supported(span, join).hint(HINT)
}

/// A function behind a join that is not UNNEST: Flink has no other table function of its own but the windows.
fn table_function_refused(function: &TableFunction<'_>, join: &str) -> SqlError {
    let name = display_name(function.name);
    let upper = name.to_ascii_uppercase();
    if matches!(upper.as_str(), "TUMBLE" | "HOP" | "CUMULATE" | "SESSION") {
        return not_supported(function.span, format!("{join} of windows ({upper})")).hint(HINT);
    }
    if super::functions::is_scalar(&upper) {
        return refuse(function.span, format!("Function '{upper}' cannot be used as a table function."))
            .hint("make an array of its result, and UNNEST that");
    }
    refuse(function.span, format!("No match found for function signature {name}"))
        .hint("Flink SQL has no table function of its own but UNNEST and the windows")
}
