//! The OVER calls of one SELECT, collected while its expressions are bound.

use std::ops::ControlFlow;

use sqlparser::ast::{self, FunctionArg, FunctionArgExpr, FunctionArguments, Spanned as _, Visit, Visitor};
use weir_base::Span;
use weir_plan::{AggregateCall, DataType, Expr, ExprKind, LogicalType, OverFunction, Value};

use super::window::{OrderKey, Window, spelled};
use super::{Below, CALLS_AT, number_type};
use crate::binder::aggregates::{Aggregate, Aggregates};
use crate::binder::expr::cast::implicit_cast;
use crate::binder::expr::{ExprBinder, integer_constant};
use crate::binder::functions::is_aggregate;
use crate::binder::refusal::{not_supported, refuse};
use crate::binder::rel::{OverCall, RankType, key_of_expr};
use crate::binder::types::implicit_cast_exists;
use crate::catalog::display_name;
use crate::error::{SqlError, span_of};

/// The calls of one SELECT, equal ones once.
pub(in crate::binder) struct Overs {
    /// `WINDOW name AS (...)`
    named: Vec<ast::NamedWindowDefinition>,
    /// In the order in which they were met.
    pub(super) calls: Vec<Call>,
}

/// A call over expressions of the scope.
#[derive(Debug, Clone)]
pub(super) struct Call {
    function: Function,
    pub(super) window: Window,
    data_type: DataType,
    pub(super) span: Span,
}

#[derive(Debug, Clone)]
enum Function {
    Rank(RankType),
    Aggregate(Box<Aggregate>),
    Lag { argument: Expr, offset: u64, default: Option<Expr> },
}

impl Overs {
    /// None yet, in a SELECT with these windows.
    pub(in crate::binder) fn new(named: &[ast::NamedWindowDefinition]) -> Self {
        Self { named: named.to_vec(), calls: Vec::new() }
    }

    /// Whether there is none.
    pub(in crate::binder) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// All expressions of the calls, for one who says them in other terms.
    pub(in crate::binder) fn exprs_mut(&mut self) -> impl Iterator<Item = &mut Expr> {
        self.calls.iter_mut().flat_map(|call| {
            let of_function: Vec<&mut Expr> = match &mut call.function {
                Function::Rank(_) => Vec::new(),
                Function::Aggregate(aggregate) => aggregate.exprs_mut().collect(),
                Function::Lag { argument, default, .. } => std::iter::once(argument).chain(default).collect(),
            };
            let of_window = call.window.keys.iter_mut().chain(call.window.order.iter_mut().map(|key| &mut key.expr));
            of_function.into_iter().chain(of_window)
        })
    }

    /// Binds a call; gives the column that stands for it.
    pub(in crate::binder) fn bind(
        &mut self,
        binder: &ExprBinder<'_>,
        call: &ast::Function,
        span: Span,
    ) -> Result<Expr, SqlError> {
        let name = display_name(&call.name).to_ascii_uppercase();
        let Some(over) = &call.over else { return Err(refuse(span, format!("{name} has no OVER"))) };
        if call.filter.is_some() {
            return Err(refuse(span, "OVER must be applied to aggregate function")
                .hint("OVER takes no FILTER: write CASE WHEN ... THEN x END inside the function"));
        }
        if call.null_treatment.is_some() && !matches!(name.as_str(), "LAG" | "LEAD") {
            return Err(refuse(span, format!("Cannot specify IGNORE NULLS or RESPECT NULLS following '{name}'")));
        }
        let (function, data_type) = function_of(&name, binder, call, span)?;
        let rank = matches!(function, Function::Rank(_));
        let window = spelled(over, &self.named, span)?;
        let by_rows = matches!(function, Function::Rank(RankType::RowNumber));
        let window = window.bind(binder, by_rows, rank || name == "LAG")?;
        let is_constant = |key: &OrderKey| !key.is_proctime && !reads_columns(&key.expr);
        if rank && window.order.iter().all(is_constant) {
            return Err(refuse(
                span,
                "Over Agg: The window rank function requires order by clause with non-constant fields. \
                please re-check the over window statement.",
            )
            .hint("say by what the rows are ordered: OVER (PARTITION BY k ORDER BY x)"));
        }
        let bound = Call { function, window, data_type: data_type.clone(), span };
        let known = self.calls.iter().position(|known| known.is_same(&bound));
        let index = known.unwrap_or_else(|| {
            self.calls.push(bound);
            self.calls.len() - 1
        });
        Ok(Expr::column(CALLS_AT + index, data_type).at(span))
    }
}

fn reads_columns(expr: &Expr) -> bool {
    let mut reads = false;
    expr.visit(&mut |part| reads |= matches!(part.kind, ExprKind::Column(_)));
    reads
}

impl Call {
    fn is_same(&self, other: &Self) -> bool {
        let key = |call: &Self| match &call.function {
            Function::Rank(rank) => format!("{rank:?}"),
            Function::Aggregate(aggregate) => crate::binder::aggregates::key_of(aggregate),
            Function::Lag { argument, offset, default } => {
                format!("LAG {} {offset} {:?}", key_of_expr(argument), default.as_ref().map(key_of_expr))
            }
        };
        key(self) == key(other) && self.window.is_same(&other.window)
    }

    /// The call over the columns of `below`.
    pub(super) fn over(&self, below: &mut Below) -> OverCall {
        match &self.function {
            Function::Rank(rank) => OverCall::Rank(*rank),
            Function::Aggregate(aggregate) => OverCall::Function(OverFunction::Aggregate(AggregateCall {
                function: aggregate.function,
                arguments: aggregate.arguments.iter().map(|argument| below.place("$argument", argument)).collect(),
                argument_types: aggregate.arguments.iter().map(|argument| argument.data_type.clone()).collect(),
                distinct: aggregate.distinct,
                filter: None,
                separator: aggregate.separator.clone(),
                data_type: aggregate.data_type.clone(),
            })),
            Function::Lag { argument, offset, default } => OverCall::Function(OverFunction::Lag {
                argument: below.place("$argument", argument),
                offset: *offset,
                default: default.as_ref().map(|default| below.place("$default", default)),
                data_type: self.data_type.clone(),
            }),
        }
    }
}

fn function_of(
    name: &str,
    binder: &ExprBinder<'_>,
    call: &ast::Function,
    span: Span,
) -> Result<(Function, DataType), SqlError> {
    let rank = |rank| {
        if arguments(call).is_some_and(|arguments| arguments.is_empty()) {
            Ok((Function::Rank(rank), number_type()))
        } else {
            Err(refuse(span, format!("Invalid number of arguments to function '{name}'. Was expecting 0 arguments")))
        }
    };
    match name {
        "ROW_NUMBER" => rank(RankType::RowNumber),
        "RANK" => rank(RankType::Rank),
        "DENSE_RANK" => rank(RankType::DenseRank),
        "LAG" => lag(binder, call, span),
        "LEAD" | "NTILE" | "PERCENT_RANK" | "CUME_DIST" => {
            Err(refuse(span, format!("{name} Function is not supported in stream mode.")).hint(if name == "LEAD" {
                "a stream has no later rows yet: LAG looks back"
            } else {
                "it would need all rows of the partition: rank in a window, or with ROW_NUMBER() and WHERE rn <= n"
            }))
        }
        _ if is_aggregate(name) => {
            let mut aggregates = Aggregates::default();
            aggregates.bind(binder.scope(), name, call, span)?;
            let aggregate = aggregates.calls.pop().expect("binding a call collects it");
            let data_type = aggregate.data_type.clone();
            Ok((Function::Aggregate(Box::new(aggregate)), data_type))
        }
        _ => Err(refuse(span, "OVER must be applied to aggregate function")
            .hint(format!("{name} is no aggregate function: leave OVER out"))),
    }
}

fn arguments(call: &ast::Function) -> Option<Vec<&ast::Expr>> {
    match &call.args {
        FunctionArguments::List(list) => list
            .args
            .iter()
            .map(|argument| match argument {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(tree)) => Some(tree),
                _ => None,
            })
            .collect(),
        FunctionArguments::None => Some(Vec::new()),
        FunctionArguments::Subquery(_) => None,
    }
}

/// `LAG(value [, offset [, default]])`
fn lag(binder: &ExprBinder<'_>, call: &ast::Function, span: Span) -> Result<(Function, DataType), SqlError> {
    let trees = arguments(call).unwrap_or_default();
    let bound = trees.iter().map(|tree| binder.bind(tree)).collect::<Result<Vec<_>, _>>()?;
    let mut bound = bound.into_iter();
    let (Some(argument), offset, default, None) = (bound.next(), bound.next(), bound.next(), bound.next()) else {
        let text = "Invalid number of arguments to function 'LAG'. Was expecting 1, 2 or 3 arguments";
        return Err(refuse(span, text).hint("write LAG(value, 1, the value where there is no such row)"));
    };
    let offset = match offset {
        None => 1,
        Some(offset) => match integer_constant(&offset).map(u64::try_from) {
            Some(Ok(rows)) => rows,
            Some(Err(_)) => {
                let shown = integer_constant(&offset).unwrap_or_default();
                return Err(refuse(offset.span, format!("Offset({shown}) should be positive."))
                    .hint("LAG looks back; a stream has no later rows yet"));
            }
            None => {
                return Err(not_supported(offset.span, "LAG with an offset that is no whole number")
                    .hint("write how many rows it looks back, such as LAG(x, 2)"));
            }
        },
    };
    let logical = &argument.data_type.logical;
    let default = match default {
        None => None,
        Some(default) if matches!(default.kind, ExprKind::Literal(Value::Null)) => None,
        Some(default) if !implicit_cast_exists(&default.data_type.logical, logical) => {
            return Err(refuse(
                default.span,
                format!("Please explicitly cast default value {} to {logical}.", default.data_type),
            ));
        }
        Some(default) => Some(implicit_cast(default, logical)),
    };
    let nullable = argument.data_type.nullable || default.as_ref().is_none_or(|default| default.data_type.nullable);
    let data_type = DataType { logical: logical.clone(), nullable };
    if matches!(data_type.logical, LogicalType::Null) {
        return Err(refuse(span, "Illegal use of 'NULL'"));
    }
    Ok((Function::Lag { argument, offset, default }, data_type))
}

/// The first OVER call in `tree`.
pub(in crate::binder) fn first_over(tree: &ast::Expr) -> Option<Span> {
    struct Finder;
    impl Visitor for Finder {
        type Break = Span;
        fn pre_visit_expr(&mut self, expr: &ast::Expr) -> ControlFlow<Span> {
            match expr {
                ast::Expr::Function(function) if function.over.is_some() => ControlFlow::Break(span_of(expr.span())),
                _ => ControlFlow::Continue(()),
            }
        }
    }
    match tree.visit(&mut Finder) {
        ControlFlow::Break(span) => Some(span),
        ControlFlow::Continue(()) => None,
    }
}
