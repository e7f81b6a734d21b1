//! Expressions as the optimizer writes them: the function first, columns by name or by number.

use weir_plan::{CastMode, Expr, ExprKind, Schema};

/// The text of `expr`: `>($0, 1)`, or with the names of `schema` `>(id, 1)`.
pub(crate) fn rex(expr: &Expr, schema: Option<&Schema>) -> String {
    let all = |arguments: &[Expr]| arguments.iter().map(|part| rex(part, schema)).collect::<Vec<_>>().join(", ");
    match &expr.kind {
        ExprKind::Call(function, arguments) => {
            let name = match (super::expr::infix(*function), arguments.len()) {
                (Some(sign), _) => sign.to_owned(),
                (None, _) => super::expr::name(*function),
            };
            format!("{name}({})", all(arguments))
        }
        ExprKind::Cast(inner, mode) => {
            let name = if *mode == CastMode::TryCast { "TRY_CAST" } else { "CAST" };
            match schema {
                Some(_) => format!("{name}({} AS {})", rex(inner, schema), expr.data_type.logical),
                None => format!("{name}({}):{}", rex(inner, schema), expr.data_type),
            }
        }
        ExprKind::Case { branches, otherwise } => {
            let mut parts: Vec<String> = Vec::new();
            for (condition, result) in branches {
                parts.push(rex(condition, schema));
                parts.push(rex(result, schema));
            }
            parts.push(rex(otherwise, schema));
            format!("CASE({})", parts.join(", "))
        }
        _ => super::expression(expr, schema),
    }
}
