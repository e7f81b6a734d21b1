//! Aggregate calls: collected while the expressions of a grouped SELECT are bound, each stands there as a column behind the scope's.

mod arguments;
mod result;

use std::ops::ControlFlow;

use sqlparser::ast::{
    self, DuplicateTreatment, FunctionArgumentClause, FunctionArguments, NullTreatment, Spanned as _, Visit, Visitor,
};
use weir_base::Span;
use weir_plan::{AggregateFunction, DataType, Expr, LogicalType};

use self::arguments::Bound;
use super::expr::ExprBinder;
use super::functions::is_aggregate;
use super::group::GroupCalls;
use super::refusal::{not_supported, refuse};
use super::rel::key_of_expr;
use super::scope::Scope;
use crate::catalog::display_name;
use crate::error::{SqlError, span_of};
use crate::json_syntax;

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
    /// What LISTAGG puts between two texts.
    pub separator: Option<String>,
    /// The type of the result.
    pub data_type: DataType,
}

impl Aggregate {
    /// Its expressions.
    pub(super) fn exprs_mut(&mut self) -> impl Iterator<Item = &mut Expr> {
        self.arguments.iter_mut().chain(&mut self.filter)
    }
}

/// The aggregate calls of one SELECT, equal ones once.
#[derive(Debug, Default)]
pub(super) struct Aggregates {
    /// In the order in which they were met.
    pub calls: Vec<Aggregate>,
    /// There is no GROUP BY: once all rows have gone there may be no value left.
    pub whole_stream: bool,
    /// Functions that speak of the grouping.
    pub group_calls: GroupCalls,
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
        let FunctionArguments::List(list) = &call.args else { return Err(arguments::wrong_number(&upper, span)) };
        let clauses = Clauses::of(call, list, &upper, span)?;
        let function = function_of(&upper, clauses)
            .ok_or_else(|| not_supported(span, format!("the aggregate function {upper}")))?;
        let distinct = list.duplicate_treatment == Some(DuplicateTreatment::Distinct);
        let binder = ExprBinder::new(scope);
        let Bound { arguments, separator } = arguments::bind(function, &upper, &list.args, distinct, &binder, span)?;
        if distinct {
            check_distinct(&arguments, span)?;
        }
        let filter = call.filter.as_ref().map(|tree| bind_filter(tree, &binder)).transpose()?;
        let may_be_empty = filter.is_some() || self.whole_stream;
        let data_type = result::type_of(function, &arguments, may_be_empty);
        let call = Aggregate { function, arguments, distinct, filter, separator, data_type: data_type.clone() };
        let key = key_of(&call);
        let index = self.calls.iter().position(|known| key_of(known) == key).unwrap_or_else(|| {
            self.calls.push(call);
            self.calls.len() - 1
        });
        Ok(Expr::column(scope.columns.len() + index, data_type).at(span))
    }

    /// The calls as the plan does them.
    pub(super) fn into_calls(mut self) -> Vec<Aggregate> {
        if averages_are_of_sums(&self.calls) {
            for call in &mut self.calls {
                if call.function == AggregateFunction::Avg {
                    call.function = AggregateFunction::AvgOfSum;
                }
            }
        }
        self.calls
    }
}

/// Whether Flink's plan makes averages of sums and counts: it must make variances so, and with them it makes all; else it does where fewer calls are left.
fn averages_are_of_sums(calls: &[Aggregate]) -> bool {
    use AggregateFunction as F;
    let mut left = std::collections::BTreeSet::new();
    for call in calls {
        let arguments: Vec<String> = call.arguments.iter().map(key_of_expr).collect();
        let filter = call.filter.as_ref().map(key_of_expr);
        let of = format!("{} {arguments:?} {filter:?}", call.distinct);
        // What is never NULL is counted as rows are.
        let counted = match call.arguments.first() {
            Some(argument) if argument.data_type.nullable || call.distinct => of.clone(),
            _ => format!("{:?}", filter),
        };
        match call.function {
            F::Avg | F::Sum => left.extend([format!("SUM {of}"), format!("COUNT {counted}")]),
            F::SumZero => left.extend([format!("SUM {of}")]),
            F::Count => left.extend([format!("COUNT {counted}")]),
            _ => left.extend([key_of(call)]),
        }
    }
    calls.iter().any(|call| call.function.is_variance()) || left.len() < calls.len()
}

/// What a call says beside its arguments.
#[derive(Clone, Copy)]
struct Clauses {
    /// `IGNORE NULLS`
    ignore_nulls: bool,
    /// `ABSENT ON NULL`
    absent_on_null: bool,
}

impl Clauses {
    fn of(call: &ast::Function, list: &ast::FunctionArgumentList, upper: &str, span: Span) -> Result<Self, SqlError> {
        if !call.within_group.is_empty() {
            return Err(refuse(span, format!("Aggregate expression '{upper}' must not contain a WITHIN GROUP clause"))
                .hint("leave it out: values come in the order of their arrival"));
        }
        let mut treatment = call.null_treatment;
        for clause in &list.clauses {
            match clause {
                FunctionArgumentClause::IgnoreOrRespectNulls(said) => treatment = Some(*said),
                FunctionArgumentClause::OrderBy(_) if upper == "ARRAY_AGG" => {
                    return Err(not_supported(span, format!("ORDER BY inside {upper}(...)")).hint(
                        "leave it out: values come in the order of their arrival, in Flink, too, which takes ORDER BY here and ignores it",
                    ));
                }
                FunctionArgumentClause::OrderBy(_) => return Err(refuse(span, "ORDER BY unexpected")),
                other => return Err(not_supported(span, format!("'{other}' inside {upper}(...)"))),
            }
        }
        if treatment.is_some() && upper != "ARRAY_AGG" {
            return Err(refuse(span, format!("Cannot specify IGNORE NULLS or RESPECT NULLS following '{upper}'"))
                .hint("only ARRAY_AGG takes it"));
        }
        let ignore_nulls = treatment == Some(NullTreatment::IgnoreNulls);
        Ok(Self { ignore_nulls, absent_on_null: json_syntax::is_absent_on_null(&list.args) })
    }
}

/// The function that is called `upper`, `None` if it is still to come.
fn function_of(upper: &str, clauses: Clauses) -> Option<AggregateFunction> {
    use AggregateFunction as F;
    Some(match upper {
        "COUNT" => F::Count,
        "SUM" => F::Sum,
        "$SUM0" => F::SumZero,
        "AVG" => F::Avg,
        "MIN" => F::Min,
        "MAX" => F::Max,
        "VAR_POP" => F::VarPop,
        "VAR_SAMP" | "VARIANCE" => F::VarSamp,
        "STDDEV_POP" => F::StddevPop,
        "STDDEV_SAMP" | "STDDEV" => F::StddevSamp,
        "FIRST_VALUE" => F::FirstValue,
        "LAST_VALUE" => F::LastValue,
        "SINGLE_VALUE" => F::SingleValue,
        "LISTAGG" => F::ListAgg,
        "ARRAY_AGG" => F::ArrayAgg { ignore_nulls: clauses.ignore_nulls },
        "JSON_OBJECTAGG" => F::JsonObjectAgg { absent_on_null: clauses.absent_on_null },
        "JSON_ARRAYAGG" => F::JsonArrayAgg { absent_on_null: clauses.absent_on_null },
        "PERCENTILE" => F::Percentile,
        _ => return None,
    })
}

fn bind_filter(tree: &ast::Expr, binder: &ExprBinder<'_>) -> Result<Expr, SqlError> {
    match first_aggregate(tree) {
        Some(place) => Err(refuse(place, "FILTER must not contain aggregate expression")),
        None => binder.bind_condition(tree, "FILTER"),
    }
}

/// Flink keeps distinct values as keys of a map.
fn check_distinct(arguments: &[Expr], span: Span) -> Result<(), SqlError> {
    let root = |argument: &Expr| match argument.data_type.logical {
        LogicalType::Map(..) => Some(("MAP", "map['name']")),
        LogicalType::Row(_) => Some(("ROW", "row.name")),
        _ => None,
    };
    match arguments.iter().find_map(root) {
        None => Ok(()),
        Some((root, part)) => Err(refuse(span, format!("Distinct aggregate function does not support type: {root}."))
            .hint(format!("use the values that matter, such as {part}"))),
    }
}

/// A text that is equal for equal calls.
pub(super) fn key_of(call: &Aggregate) -> String {
    let arguments: Vec<String> = call.arguments.iter().map(key_of_expr).collect();
    let filter = call.filter.as_ref().map(key_of_expr);
    format!("{:?} {} {arguments:?} {:?} {filter:?}", call.function, call.distinct, call.separator)
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
