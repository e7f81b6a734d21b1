//! Aggregate calls: collected while the expressions of a grouped SELECT are bound, each stands there as a column behind the scope's.

use std::ops::ControlFlow;

use sqlparser::ast::{
    self, DuplicateTreatment, FunctionArg, FunctionArgExpr, FunctionArguments, Spanned as _, Visit, Visitor,
};
use weir_base::Span;
use weir_plan::{AggregateFunction, DataType, Expr, LogicalType};

use super::expr::{ExprBinder, is_untyped};
use super::functions::is_aggregate;
use super::refusal::{not_supported, refuse};
use super::rel::key_of_expr;
use super::scope::Scope;
use super::types::{average_type, calcite_name, sum_type};
use crate::catalog::display_name;
use crate::error::{SqlError, span_of};

/// An aggregate call over expressions of the scope.
#[derive(Debug, Clone)]
pub(super) struct Aggregate {
    /// The function.
    pub function: AggregateFunction,
    /// None for `COUNT(*)`.
    pub arguments: Vec<Expr>,
    /// `DISTINCT`
    pub distinct: bool,
    /// `FILTER (WHERE ...)`
    pub filter: Option<Expr>,
    /// The type of the result.
    pub data_type: DataType,
}

/// The aggregate calls of one SELECT, equal ones once.
#[derive(Debug, Default)]
pub(super) struct Aggregates {
    /// In the order in which they were met.
    pub calls: Vec<Aggregate>,
    /// There is no GROUP BY: once all rows have gone there may be no value left.
    pub whole_stream: bool,
}

impl Aggregates {
    /// Binds a call; gives the column that stands for it.
    pub(super) fn bind(
        &mut self,
        scope: &Scope,
        name: &str,
        call: &ast::Function,
        span: Span,
    ) -> Result<Expr, SqlError> {
        let upper = name.to_ascii_uppercase();
        let function = match upper.as_str() {
            "COUNT" => AggregateFunction::Count,
            "SUM" => AggregateFunction::Sum,
            "AVG" => AggregateFunction::Avg,
            "MIN" => AggregateFunction::Min,
            _ => AggregateFunction::Max,
        };
        let FunctionArguments::List(list) = &call.args else {
            return Err(refuse(
                span,
                format!("Invalid number of arguments to function '{upper}'. Was expecting 1 arguments"),
            ));
        };
        if let Some(clause) = list.clauses.first() {
            return Err(not_supported(span, format!("'{clause}' inside {upper}(...)")));
        }
        let distinct = list.duplicate_treatment == Some(DuplicateTreatment::Distinct);
        let binder = ExprBinder::new(scope);
        let arguments = match list.args.as_slice() {
            [FunctionArg::Unnamed(FunctionArgExpr::Wildcard)] if function == AggregateFunction::Count && !distinct => {
                Vec::new()
            }
            [FunctionArg::Unnamed(FunctionArgExpr::Expr(tree))] => {
                if let Some(place) = first_aggregate(tree) {
                    return Err(refuse(place, "Aggregate expressions cannot be nested"));
                }
                vec![binder.bind(tree)?]
            }
            _ => {
                return Err(refuse(
                    span,
                    format!("Invalid number of arguments to function '{upper}'. Was expecting 1 arguments"),
                ));
            }
        };
        let filter = call.filter.as_ref().map(|tree| binder.bind_condition(tree, "FILTER")).transpose()?;
        let may_be_empty = filter.is_some() || self.whole_stream;
        let data_type = result_type(function, arguments.first(), may_be_empty, span)?;
        let call = Aggregate { function, arguments, distinct, filter, data_type: data_type.clone() };
        let key = key_of(&call);
        let index = self.calls.iter().position(|known| key_of(known) == key).unwrap_or_else(|| {
            self.calls.push(call);
            self.calls.len() - 1
        });
        Ok(Expr::column(scope.columns.len() + index, data_type).at(span))
    }
}

fn key_of(call: &Aggregate) -> String {
    let arguments: Vec<String> = call.arguments.iter().map(key_of_expr).collect();
    let filter = call.filter.as_ref().map(key_of_expr);
    format!("{:?} {} {arguments:?} {filter:?}", call.function, call.distinct)
}

fn result_type(
    function: AggregateFunction,
    argument: Option<&Expr>,
    may_be_empty: bool,
    span: Span,
) -> Result<DataType, SqlError> {
    if function == AggregateFunction::Count {
        return Ok(DataType::not_null(LogicalType::BigInt));
    }
    let Some(argument) = argument else { return Err(refuse(span, format!("{} needs an argument", function.name()))) };
    let logical = &argument.data_type.logical;
    let fits = match function {
        AggregateFunction::Sum | AggregateFunction::Avg => logical.is_numeric(),
        _ => !matches!(
            logical,
            LogicalType::Array(_)
                | LogicalType::Map(..)
                | LogicalType::Row(_)
                | LogicalType::Binary(_)
                | LogicalType::Varbinary(_)
        ),
    };
    if !fits || is_untyped(&argument.data_type) {
        let name = function.name();
        let form = if matches!(function, AggregateFunction::Sum | AggregateFunction::Avg) {
            "NUMERIC"
        } else {
            "COMPARABLE_TYPE"
        };
        return Err(refuse(
            span,
            format!(
                "Cannot apply '{name}' to arguments of type '{name}(<{}>)'. Supported form(s): '{name}(<{form}>)'",
                calcite_name(logical)
            ),
        ));
    }
    let result = match function {
        AggregateFunction::Sum => sum_type(logical),
        AggregateFunction::Avg => average_type(logical),
        _ => logical.clone(),
    };
    // A group has rows, but a filter may leave none of them, and so may a stream.
    Ok(DataType { logical: result, nullable: argument.data_type.nullable || may_be_empty })
}

/// The place of the first aggregate call inside `tree`.
pub(super) fn first_aggregate(tree: &ast::Expr) -> Option<Span> {
    struct Finder;
    impl Visitor for Finder {
        type Break = Span;
        fn pre_visit_expr(&mut self, expr: &ast::Expr) -> ControlFlow<Span> {
            match expr {
                ast::Expr::Function(function)
                    if function.over.is_none() && is_aggregate(&display_name(&function.name)) =>
                {
                    ControlFlow::Break(span_of(expr.span()))
                }
                _ => ControlFlow::Continue(()),
            }
        }
    }
    match tree.visit(&mut Finder) {
        ControlFlow::Break(span) => Some(span),
        ControlFlow::Continue(()) => None,
    }
}
