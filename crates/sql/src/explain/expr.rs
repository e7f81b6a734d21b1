//! Expressions as text: SQL as far as it has a form, columns by name.

use weir_plan::{CastMode, Expr, ExprKind, Function, LogicalType, Schema, Value};

/// The text of `expr` over columns of `schema`.
pub(super) fn expression(expr: &Expr, schema: Option<&Schema>) -> String {
    match &expr.kind {
        ExprKind::Column(index) => super::columns(schema, &[*index]),
        ExprKind::Literal(value) => literal(value, &expr.data_type.logical),
        ExprKind::Call(function, arguments) => call(*function, arguments, schema),
        ExprKind::Cast(inner, mode) => {
            let name = match mode {
                CastMode::Cast => "CAST",
                CastMode::TryCast => "TRY_CAST",
            };
            format!("{name}({} AS {})", expression(inner, schema), expr.data_type.logical)
        }
        ExprKind::Case { branches, otherwise } => {
            let mut text = "CASE".to_owned();
            for (condition, result) in branches {
                text.push_str(&format!(" WHEN {} THEN {}", expression(condition, schema), expression(result, schema)));
            }
            text + &format!(" ELSE {} END", expression(otherwise, schema))
        }
        ExprKind::Field(row, index) => {
            let name = match &row.data_type.logical {
                LogicalType::Row(fields) => fields.get(*index).map(|field| field.name.clone()),
                _ => None,
            };
            format!("{}.{}", expression(row, schema), name.unwrap_or_else(|| format!("${index}")))
        }
    }
}

fn call(function: Function, arguments: &[Expr], schema: Option<&Schema>) -> String {
    let texts: Vec<String> = arguments.iter().map(|argument| expression(argument, schema)).collect();
    if let Some(sign) = infix(function) {
        return format!("({})", texts.join(&format!(" {sign} ")));
    }
    match (function, texts.as_slice()) {
        (Function::Not, [inner]) => format!("NOT {inner}"),
        (Function::Negate, [inner]) => format!("-{inner}"),
        (Function::IsNull, [inner]) => format!("({inner} IS NULL)"),
        (Function::IsNotNull, [inner]) => format!("({inner} IS NOT NULL)"),
        (Function::IsTrue, [inner]) => format!("({inner} IS TRUE)"),
        (Function::IsFalse, [inner]) => format!("({inner} IS FALSE)"),
        (Function::IsNotTrue, [inner]) => format!("({inner} IS NOT TRUE)"),
        (Function::IsNotFalse, [inner]) => format!("({inner} IS NOT FALSE)"),
        (Function::In, [needle, list @ ..]) => format!("({needle} IN ({}))", list.join(", ")),
        (Function::ItemAt, [collection, index]) => format!("{collection}[{index}]"),
        (Function::IsJson, [inner, kind]) => format!("({inner} IS JSON {})", kind.trim_matches('\'')),
        (Function::ReadTimestampLtz, _) => format!("TO_TIMESTAMP_LTZ({})", texts.join(", ")),
        (Function::ArrayOf, _) => format!("ARRAY[{}]", texts.join(", ")),
        (Function::MapOf, _) => format!("MAP[{}]", texts.join(", ")),
        (Function::RowOf, _) => format!("ROW({})", texts.join(", ")),
        _ => format!("{}({})", name(function), texts.join(", ")),
    }
}

pub(super) fn infix(function: Function) -> Option<&'static str> {
    Some(match function {
        Function::And => "AND",
        Function::Or => "OR",
        Function::Equal => "=",
        Function::NotEqual => "<>",
        Function::Less => "<",
        Function::LessOrEqual => "<=",
        Function::Greater => ">",
        Function::GreaterOrEqual => ">=",
        Function::IsDistinctFrom => "IS DISTINCT FROM",
        Function::IsNotDistinctFrom => "IS NOT DISTINCT FROM",
        Function::Like => "LIKE",
        Function::SimilarTo => "SIMILAR TO",
        Function::Add => "+",
        Function::Subtract => "-",
        Function::Multiply => "*",
        Function::Divide => "/",
        Function::Modulo => "%",
        Function::Concat => "||",
        _ => return None,
    })
}

/// `ToTimestampLtz` as `TO_TIMESTAMP_LTZ`.
pub(super) fn name(function: Function) -> String {
    match function {
        Function::ToBase64 => return "TO_BASE64".to_owned(),
        Function::FromBase64 => return "FROM_BASE64".to_owned(),
        Function::StartsWith => return "STARTSWITH".to_owned(),
        Function::EndsWith => return "ENDSWITH".to_owned(),
        Function::InitCap => return "INITCAP".to_owned(),
        _ => {}
    }
    let mut name = String::new();
    for ch in format!("{function:?}").chars() {
        if ch.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(ch.to_ascii_uppercase());
    }
    name
}

fn literal(value: &Value, logical: &LogicalType) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Boolean(value) => value.to_string().to_uppercase(),
        Value::Integer(value) => value.to_string(),
        Value::Double(value) => format!("{value:?}"),
        Value::Decimal(unscaled) => decimal(*unscaled, logical),
        Value::String(text) => format!("'{}'", text.replace('\'', "''")),
        Value::Bytes(bytes) => format!("X'{}'", bytes.iter().map(|byte| format!("{byte:02X}")).collect::<String>()),
        Value::Date(days) => format!("DATE {days} days"),
        Value::Time(ms) => format!("TIME {ms} ms"),
        Value::Timestamp(nanos) => format!("TIMESTAMP {nanos} ns"),
        Value::Months(months) => format!("INTERVAL {months} months"),
        Value::Milliseconds(ms) => format!("INTERVAL {ms} ms"),
    }
}

fn decimal(unscaled: i128, logical: &LogicalType) -> String {
    let LogicalType::Decimal(_, scale) = logical else { return unscaled.to_string() };
    let scale = usize::from(*scale);
    let sign = if unscaled < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", unscaled.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}
