//! The arguments of aggregate calls: how many, of which types, and what they are cast to.

use sqlparser::ast::{FunctionArg, FunctionArgExpr};
use weir_base::Span;
use weir_plan::{AggregateFunction, DataType, Expr, ExprKind, Function, LogicalType, Value};

use super::first_aggregate;
use crate::binder::expr::cast::implicit_cast;
use crate::binder::expr::{ExprBinder, is_untyped};
use crate::binder::functions;
use crate::binder::refusal::refuse;
use crate::binder::types::calcite_name;
use crate::error::SqlError;

/// Arguments that are columns of the aggregation's input, and what is a constant of the call.
pub(super) struct Bound {
    /// None for `COUNT(*)`.
    pub arguments: Vec<Expr>,
    /// The separator of LISTAGG.
    pub separator: Option<String>,
}

/// Binds the arguments of `function`, called `name`.
pub(super) fn bind(
    function: AggregateFunction,
    name: &str,
    args: &[FunctionArg],
    distinct: bool,
    binder: &ExprBinder<'_>,
    span: Span,
) -> Result<Bound, SqlError> {
    use AggregateFunction as F;
    if let [FunctionArg::Unnamed(FunctionArgExpr::Wildcard)] = args {
        return match function {
            F::Count if !distinct => Ok(Bound { arguments: Vec::new(), separator: None }),
            _ => Err(refuse(span, "Unknown identifier '*'").hint("only COUNT(*) takes all columns")),
        };
    }
    // How a JSON aggregate takes NULL stands in front of its arguments.
    let args = if matches!(function, F::JsonObjectAgg { .. } | F::JsonArrayAgg { .. }) {
        args.get(1..).unwrap_or_default()
    } else {
        args
    };
    let (least, most) = match function {
        F::Count => (1, usize::MAX),
        F::ListAgg => (1, 2),
        F::JsonObjectAgg { .. } => (2, 2),
        F::Percentile => (2, 3),
        _ => (1, 1),
    };
    if args.len() < least || args.len() > most {
        return Err(wrong_number(name, span));
    }
    let arguments = args.iter().map(|arg| bind_one(arg, name, binder, span)).collect::<Result<Vec<_>, _>>()?;
    match function {
        F::Count => count(arguments, distinct, span),
        F::ListAgg => list_agg(arguments, span),
        F::Percentile => percentile(arguments, span),
        F::JsonObjectAgg { absent_on_null } => json_object(arguments, absent_on_null, span),
        F::JsonArrayAgg { .. } => {
            plain(arguments.into_iter().map(|value| json(value, span)).collect::<Result<_, _>>()?)
        }
        _ => {
            check_type(function, name, &arguments[0], span)?;
            plain(arguments)
        }
    }
}

/// The error of a call with too few or too many arguments.
pub(super) fn wrong_number(name: &str, span: Span) -> SqlError {
    let expected = match name {
        "PERCENTILE" => "2 or 3",
        "LISTAGG" => "1 or 2",
        _ => "1",
    };
    refuse(span, format!("Invalid number of arguments to function '{name}'. Was expecting {expected} arguments"))
}

fn plain(arguments: Vec<Expr>) -> Result<Bound, SqlError> {
    Ok(Bound { arguments, separator: None })
}

fn bind_one(arg: &FunctionArg, name: &str, binder: &ExprBinder<'_>, span: Span) -> Result<Expr, SqlError> {
    let FunctionArg::Unnamed(FunctionArgExpr::Expr(tree)) = arg else { return Err(wrong_number(name, span)) };
    if let Some(place) = first_aggregate(tree) {
        return Err(refuse(place, "Aggregate expressions cannot be nested")
            .hint("aggregate in a query below, and its result in the query around it"));
    }
    let argument = binder.bind(tree)?;
    if is_untyped(&argument.data_type) {
        return Err(refuse(argument.span, "Illegal use of 'NULL'").hint("write CAST(NULL AS INT)"));
    }
    Ok(argument)
}

/// `COUNT(a, b)`: what is NOT NULL needs no counting; of the rest Flink takes one.
fn count(arguments: Vec<Expr>, distinct: bool, span: Span) -> Result<Bound, SqlError> {
    if arguments.len() == 1 {
        return plain(arguments);
    }
    let nullable = |argument: &Expr| argument.data_type.nullable;
    let arguments: Vec<Expr> = arguments.into_iter().filter(|argument| distinct || nullable(argument)).collect();
    if arguments.len() > 1 {
        let hint = if distinct {
            "count the distinct texts of both, such as COUNT(DISTINCT a || ',' || b)"
        } else {
            "write COUNT(*) FILTER (WHERE a IS NOT NULL AND b IS NOT NULL)"
        };
        return Err(refuse(span, "We now only support the count of one field.").hint(hint));
    }
    plain(arguments)
}

fn list_agg(mut arguments: Vec<Expr>, span: Span) -> Result<Bound, SqlError> {
    if !arguments.iter().all(|argument| argument.data_type.logical.is_string()) {
        return Err(wrong_types("LISTAGG", &arguments, "'LISTAGG(<CHARACTER>)'", span));
    }
    let separator = match arguments.len() {
        2 => literal_text(&arguments.remove(1), span)?,
        _ => ",".to_owned(),
    };
    Ok(Bound { arguments, separator: Some(separator) })
}

fn literal_text(argument: &Expr, span: Span) -> Result<String, SqlError> {
    let of_function = "Argument to function 'LISTAGG' must";
    match &argument.kind {
        ExprKind::Literal(Value::String(text)) => Ok(text.clone()),
        ExprKind::Literal(Value::Null) => Err(refuse(span, format!("{of_function} not be NULL"))),
        ExprKind::Cast(inner, _) if matches!(inner.kind, ExprKind::Literal(Value::Null)) => {
            Err(refuse(span, format!("{of_function} not be NULL")))
        }
        _ => Err(refuse(span, format!("{of_function} be a literal")).hint("write the separator as a text: ', '")),
    }
}

fn percentile(arguments: Vec<Expr>, span: Span) -> Result<Bound, SqlError> {
    let forms = "'PERCENTILE(expr <NUMERIC>, percentage [<NUMERIC NOT NULL> | <ARRAY<NUMERIC NOT NULL> NOT NULL>])', \
                 'PERCENTILE(expr <NUMERIC>, percentage [...], frequency <INTEGER_NUMERIC>)'";
    let double = LogicalType::Double;
    let share = |data_type: &DataType| !data_type.nullable && data_type.logical.is_numeric();
    let fits = arguments[0].data_type.logical.is_numeric()
        && match &arguments[1].data_type {
            DataType { logical: LogicalType::Array(element), nullable: false } => share(element),
            other => share(other),
        }
        && arguments.get(2).is_none_or(|frequency| frequency.data_type.logical.is_integer());
    if !fits {
        return Err(wrong_types("PERCENTILE", &arguments, forms, span));
    }
    if let Some(outside) = constants(&arguments[1]).into_iter().find(|share| !(0.0..=1.0).contains(share)) {
        return Err(refuse(
            arguments[1].span,
            format!("Percentage of PERCENTILE should be between [0.0, 1.0], but was '{outside:?}'."),
        ));
    }
    let mut arguments = arguments;
    let target = match &arguments[1].data_type.logical {
        LogicalType::Array(_) => LogicalType::Array(Box::new(DataType::not_null(double))),
        _ => double,
    };
    let shares = arguments.remove(1);
    arguments.insert(1, implicit_cast(shares, &target));
    plain(arguments)
}

/// The shares that are constants.
fn constants(shares: &Expr) -> Vec<f64> {
    match &shares.kind {
        ExprKind::Literal(Value::Double(share)) => vec![*share],
        #[expect(clippy::cast_precision_loss, reason = "only for the comparison with 0 and 1")]
        ExprKind::Literal(Value::Integer(share)) => vec![*share as f64],
        #[expect(clippy::cast_precision_loss, reason = "only for the comparison with 0 and 1")]
        ExprKind::Literal(Value::Decimal(share)) => match shares.data_type.logical {
            LogicalType::Decimal(_, scale) => vec![*share as f64 / 10_f64.powi(i32::from(scale))],
            _ => Vec::new(),
        },
        ExprKind::Cast(inner, _) => constants(inner),
        ExprKind::Call(_, parts) => parts.iter().flat_map(constants).collect(),
        _ => Vec::new(),
    }
}

fn json_object(mut arguments: Vec<Expr>, absent_on_null: bool, span: Span) -> Result<Bound, SqlError> {
    if !arguments[0].data_type.logical.is_string() {
        let name = if absent_on_null { "JSON_OBJECTAGG_ABSENT_ON_NULL" } else { "JSON_OBJECTAGG_NULL_ON_NULL" };
        return Err(wrong_types(name, &arguments, &format!("'{name}(<CHARACTER>, <ANY>)'"), span));
    }
    let value = json(arguments.remove(1), span)?;
    arguments.push(value);
    plain(arguments)
}

/// `value` as JSON text; what JSON_OBJECT or JSON_ARRAY gives is that already.
fn json(value: Expr, span: Span) -> Result<Expr, SqlError> {
    match value.kind {
        ExprKind::Call(Function::JsonObject | Function::JsonArray, _) => Ok(value),
        _ => functions::call("JSON_STRING", vec![value], span),
    }
}

fn check_type(function: AggregateFunction, name: &str, argument: &Expr, span: Span) -> Result<(), SqlError> {
    use AggregateFunction as F;
    let logical = &argument.data_type.logical;
    match function {
        F::Sum | F::SumZero | F::Avg | F::VarPop | F::VarSamp | F::StddevPop | F::StddevSamp
            if !logical.is_numeric() =>
        {
            Err(wrong_types(name, std::slice::from_ref(argument), &format!("'{name}(<NUMERIC>)'"), span))
        }
        F::Min | F::Max => match without_order(logical) {
            None => Ok(()),
            Some(root) => {
                let title = if function == F::Min { "Min" } else { "Max" };
                Err(refuse(span, format!("{title} aggregate function does not support type: ''{root}''.")))
            }
        },
        _ => Ok(()),
    }
}

/// Flink's name of a type that MIN and MAX do not take.
fn without_order(logical: &LogicalType) -> Option<&'static str> {
    Some(match logical {
        LogicalType::Binary(_) => "BINARY",
        LogicalType::Varbinary(_) => "VARBINARY",
        LogicalType::IntervalYearMonth => "INTERVAL_YEAR_MONTH",
        LogicalType::IntervalDayTime => "INTERVAL_DAY_TIME",
        LogicalType::Array(_) => "ARRAY",
        LogicalType::Map(..) => "MAP",
        LogicalType::Row(_) => "ROW",
        _ => return None,
    })
}

fn wrong_types(name: &str, arguments: &[Expr], forms: &str, span: Span) -> SqlError {
    let types: Vec<String> =
        arguments.iter().map(|argument| format!("<{}>", calcite_name(&argument.data_type.logical))).collect();
    let given = format!("{name}({})", types.join(", "));
    refuse(span, format!("Cannot apply '{name}' to arguments of type '{given}'. Supported form(s): {forms}"))
}
