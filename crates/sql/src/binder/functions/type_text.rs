//! TYPEOF: a type as Flink writes it, in short (`STRING`) or in full (`VARCHAR(2147483647)`).

use weir_base::Span;
use weir_plan::{DataType, Expr, ExprKind, LENGTH_MAX, LogicalType, Value};

use crate::binder::refusal::refuse;
use crate::error::SqlError;

/// `TYPEOF(a [, force_serializable])`, a constant.
///
/// # Errors
/// There is not one argument, or a second that is no TRUE or FALSE.
pub(in crate::binder) fn type_of(arguments: &[Expr], span: Span) -> Result<Expr, SqlError> {
    let (typed, is_full) = match arguments {
        [typed] => (typed, false),
        [typed, Expr { kind: ExprKind::Literal(Value::Boolean(is_full)), .. }] => (typed, *is_full),
        [_, _] => {
            return Err(refuse(span, "Invalid function call: the second argument of TYPEOF must be TRUE or FALSE")
                .hint("expected signature(s): TYPEOF(input <ANY>), TYPEOF(input <ANY>, force_serializable [<BOOLEAN> & <LITERAL NOT NULL>])"));
        }
        _ => {
            return Err(refuse(
                span,
                "No match found for function signature TYPEOF: it takes a value, and TRUE for its full form",
            ));
        }
    };
    let text = text_of(&typed.data_type, is_full);
    Ok(Expr::new(ExprKind::Literal(Value::String(text)), DataType::string()).at(span))
}

fn text_of(data_type: &DataType, is_full: bool) -> String {
    use LogicalType as T;
    let inner = |data_type: &DataType| text_of(data_type, is_full);
    let text = match &data_type.logical {
        T::Null => return "NULL".to_owned(),
        T::Varchar(LENGTH_MAX) if is_full => format!("VARCHAR({LENGTH_MAX})"),
        T::Varbinary(LENGTH_MAX) if is_full => format!("VARBINARY({LENGTH_MAX})"),
        T::TimestampLtz(precision) if is_full => format!("TIMESTAMP({precision}) WITH LOCAL TIME ZONE"),
        T::IntervalDayTime => "INTERVAL SECOND(3)".to_owned(),
        T::IntervalYearMonth => "INTERVAL MONTH".to_owned(),
        T::Array(element) => format!("ARRAY<{}>", inner(element)),
        T::Map(key, value) => format!("MAP<{}, {}>", inner(key), inner(value)),
        T::Row(fields) => {
            let fields: Vec<_> =
                fields.iter().map(|field| format!("`{}` {}", field.name, inner(&field.data_type))).collect();
            format!("ROW<{}>", fields.join(", "))
        }
        other => other.to_string(),
    };
    if data_type.nullable { text } else { format!("{text} NOT NULL") }
}
