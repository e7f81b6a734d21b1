//! Names, fields of rows, elements of arrays and maps, and the constructors of these.

use sqlparser::ast::{self, Ident};
use weir_base::Span;
use weir_plan::{DataType, Expr, ExprKind, Field, Function, LogicalType, Value};

use super::ExprBinder;
use super::cast::implicit_cast;
use super::compare::typed;
use super::literal::integer_constant;
use crate::binder::refusal::{not_supported, refuse};
use crate::binder::types::{calcite_name, least_restrictive_type};
use crate::binder::{functions, scope::Attribute};
use crate::error::{SqlError, did_you_mean, span_of};
use crate::reserved::check_name;

/// Functions that SQL calls without parentheses.
const WITHOUT_PARENTHESES: [&str; 7] =
    ["CURRENT_TIMESTAMP", "LOCALTIMESTAMP", "CURRENT_DATE", "CURRENT_ROW_TIMESTAMP", "CURRENT_TIME", "LOCALTIME", "PI"];

impl ExprBinder<'_> {
    /// A column, or a field inside one: `a`, `t.a`, `a.b`, `t.a.b`.
    pub(super) fn name(&self, parts: &[Ident], span: Span) -> Result<Expr, SqlError> {
        if let Some(call) = self.function_without_parentheses(parts, span) {
            return call;
        }
        if let [name] = parts
            && name.quote_style.is_none()
            && name.value.eq_ignore_ascii_case("UNKNOWN")
        {
            let data_type = DataType::nullable(LogicalType::Boolean);
            return Ok(Expr::new(ExprKind::Literal(Value::Null), data_type).at(span));
        }
        parts.iter().try_for_each(check_name)?;
        let (index, taken) = self.scope.resolve(parts)?;
        let column = &self.scope.columns[index];
        let mut expr = Expr::column(index, column.data_type.clone()).at(span);
        if column.attribute == Attribute::RowNumber && taken < parts.len() {
            return Err(refuse(span, "A row number has no fields"));
        }
        if taken < parts.len() && !matches!(column.data_type.logical, LogicalType::Row(_)) {
            let given = calcite_name(&column.data_type.logical);
            return Err(refuse(span_of(parts[0].span), format!("Table '{}' not found", parts[0].value)).hint(format!(
                "the column '{}' is of type {given}: only a ROW has fields; an element is a[1], a value m['key']",
                column.name
            )));
        }
        for (at, part) in parts.iter().enumerate().skip(taken) {
            expr = match field(expr, part, span) {
                Ok(expr) => expr,
                Err(error) => {
                    let path: Vec<_> = parts[taken - 1..=at].iter().map(|part| part.value.as_str()).collect();
                    let table = column.qualifier.as_deref().unwrap_or("the query");
                    let message = format!("Column '{}' not found in table '{table}'", path.join("."));
                    return Err(SqlError { message, ..error });
                }
            };
        }
        Ok(expr)
    }

    fn function_without_parentheses(&self, parts: &[Ident], span: Span) -> Option<Result<Expr, SqlError>> {
        let [name] = parts else { return None };
        let known = WITHOUT_PARENTHESES.iter().any(|known| known.eq_ignore_ascii_case(&name.value));
        (known && name.quote_style.is_none()).then(|| functions::call(&name.value, Vec::new(), span))
    }

    /// `root.field`, `root[index]` and chains of them.
    pub(super) fn access(&self, root: &ast::Expr, chain: &[ast::AccessExpr], span: Span) -> Result<Expr, SqlError> {
        let mut chain = chain.iter().peekable();
        let mut expr = match root {
            // `t.a[1]`: the dots up to the first bracket may belong to a qualified name.
            ast::Expr::Identifier(first) => {
                let mut parts = vec![first.clone()];
                while let Some(ast::AccessExpr::Dot(ast::Expr::Identifier(part))) = chain.peek() {
                    parts.push(part.clone());
                    chain.next();
                }
                self.name(&parts, span)?
            }
            other => self.bind(other)?,
        };
        for step in chain {
            expr = match step {
                ast::AccessExpr::Dot(ast::Expr::Identifier(part)) => field(expr, part, span)?,
                ast::AccessExpr::Subscript(ast::Subscript::Index { index }) => item(expr, self.bind(index)?, span)?,
                _ => return Err(not_supported(span, "this form of access to a field or element")),
            };
        }
        Ok(expr)
    }

    /// `ARRAY[a, ...]`
    pub(super) fn array(&self, elements: &[ast::Expr], span: Span) -> Result<Expr, SqlError> {
        let elements = self.bind_all(elements)?;
        if elements.is_empty() {
            return Err(
                refuse(span, "Require at least 1 argument").hint("an ARRAY needs an element, whose type is its own")
            );
        }
        let (elements, element) = to_common_type(elements, "ARRAY", span)?;
        if element.logical == LogicalType::Null {
            return Err(refuse(span, "Parameters must be of the same type").hint("write CAST(NULL AS the type)"));
        }
        let data_type = DataType::not_null(LogicalType::Array(Box::new(element)));
        Ok(Expr::new(ExprKind::Call(Function::ArrayOf, elements), data_type).at(span))
    }

    /// `ROW(a, ...)`
    pub(super) fn row<'t>(
        &self,
        fields: impl IntoIterator<Item = &'t ast::Expr>,
        span: Span,
    ) -> Result<Expr, SqlError> {
        let fields = self.bind_all(fields)?.into_iter().map(typed).collect::<Result<Vec<_>, _>>()?;
        if fields.is_empty() {
            return Err(refuse(span, "SQL parse failed. Encountered ')': a ROW needs a field"));
        }
        let named = fields.iter().enumerate();
        let row = named.map(|(index, field)| Field::new(format!("EXPR${index}"), field.data_type.clone())).collect();
        Ok(Expr::new(ExprKind::Call(Function::RowOf, fields), DataType::not_null(LogicalType::Row(row))).at(span))
    }

    /// `MAP[key, value, ...]`
    pub(super) fn map(&self, entries: Vec<Expr>, span: Span) -> Result<Expr, SqlError> {
        if entries.is_empty() {
            return Err(refuse(span, "Map requires at least 2 arguments")
                .hint("an empty one is CAST(NULL AS MAP<...>), or filled from a column"));
        }
        if !entries.len().is_multiple_of(2) {
            return Err(refuse(span, "Map requires an even number of arguments")
                .hint("write keys and values in turn: MAP['a', 1, 'b', 2]"));
        }
        let (keys, values): (Vec<_>, Vec<_>) = entries.into_iter().enumerate().partition(|(index, _)| index % 2 == 0);
        let (keys, key) = to_common_type(keys.into_iter().map(|(_, key)| key).collect(), "MAP", span)?;
        let (values, value) = to_common_type(values.into_iter().map(|(_, value)| value).collect(), "MAP", span)?;
        let entries = keys.into_iter().zip(values).flat_map(|(key, value)| [key, value]).collect();
        let data_type = DataType::not_null(LogicalType::Map(Box::new(key), Box::new(value)));
        Ok(Expr::new(ExprKind::Call(Function::MapOf, entries), data_type).at(span))
    }
}

/// Casts all to their common type.
pub(super) fn to_common_type(parts: Vec<Expr>, what: &str, span: Span) -> Result<(Vec<Expr>, DataType), SqlError> {
    let types: Vec<_> = parts.iter().map(|part| part.data_type.clone()).collect();
    match least_restrictive_type(&types) {
        Some(common) => Ok((parts.into_iter().map(|part| implicit_cast(part, &common.logical)).collect(), common)),
        None => {
            let names: Vec<_> = types.iter().map(|data_type| calcite_name(&data_type.logical)).collect();
            Err(refuse(span, format!("Parameters must be of the same type: {what} of {}", names.join(", "))))
        }
    }
}

fn field(expr: Expr, name: &Ident, span: Span) -> Result<Expr, SqlError> {
    check_name(name)?;
    let LogicalType::Row(fields) = &expr.data_type.logical else {
        let given = calcite_name(&expr.data_type.logical);
        return Err(refuse(
            span_of(name.span),
            format!("Incompatible types: field '{}' of a value of type {given}", name.value),
        )
        .hint("only a ROW has fields: an element of an ARRAY is a[1], a value of a MAP m['key']"));
    };
    let Some(index) = fields.iter().position(|field| field.name == name.value) else {
        let hint = did_you_mean(&name.value, fields.iter().map(|field| field.name.as_str()));
        return Err(refuse(span_of(name.span), format!("Field '{}' not found in the ROW", name.value)).hint_maybe(hint));
    };
    let mut data_type = fields[index].data_type.clone();
    data_type.nullable |= expr.data_type.nullable;
    Ok(Expr::new(ExprKind::Field(Box::new(expr), index), data_type).at(span))
}

fn item(collection: Expr, index: Expr, span: Span) -> Result<Expr, SqlError> {
    let index = typed(index)?;
    let (index_type, element) = match &collection.data_type.logical {
        LogicalType::Row(fields) => {
            let at = match &index.kind {
                ExprKind::Literal(Value::String(name)) => fields.iter().position(|field| field.name == *name),
                _ => integer_constant(&index).and_then(|at| usize::try_from(at).ok()).and_then(|at| at.checked_sub(1)),
            };
            let Some((at, field)) = at.and_then(|at| Some((at, fields.get(at)?))) else {
                let shown = match &index.kind {
                    ExprKind::Literal(Value::String(name)) => format!("'{name}'"),
                    _ => {
                        integer_constant(&index).map_or("at position null".to_owned(), |at| format!("at position {at}"))
                    }
                };
                let row = calcite_name(&collection.data_type.logical);
                return Err(refuse(index.span, format!("Cannot infer type of field {shown} within ROW type: {row}"))
                    .hint("a field is r.name, r['name'] or r[1], counted from 1; not by a value of each row"));
            };
            let mut data_type = field.data_type.clone();
            data_type.nullable |= collection.data_type.nullable;
            return Ok(Expr::new(ExprKind::Field(Box::new(collection), at), data_type).at(span));
        }
        LogicalType::Array(element) if index.data_type.logical.is_integer() => (LogicalType::Int, element.clone()),
        LogicalType::Map(key, value) if same_family(&key.logical, &index.data_type.logical) => {
            (key.logical.clone(), value.clone())
        }
        other => {
            let (collection, index) = (calcite_name(other), calcite_name(&index.data_type.logical));
            return Err(refuse(
                span,
                format!(
                    "Cannot apply 'ITEM' to arguments of type 'ITEM(<{collection}>, <{index}>)'. \
                     Supported form(s): <ARRAY>[<INTEGER>], <MAP>[<ANY>], <ROW>[<CHARACTER>|<INTEGER>]"
                ),
            ));
        }
    };
    let is_array = matches!(collection.data_type.logical, LogicalType::Array(_));
    if let Some(at) = integer_constant(&index).filter(|at| is_array && *at < 1) {
        let message = format!("Array element access needs an index starting at 1 but was {at}.");
        return Err(refuse(index.span, message));
    }
    let data_type = element.with_nullable(true);
    let index = if index_type.is_string() { index } else { implicit_cast(index, &index_type) };
    Ok(Expr::new(ExprKind::Call(Function::ItemAt, vec![collection, index]), data_type).at(span))
}

fn same_family(key: &LogicalType, index: &LogicalType) -> bool {
    (key.is_string() && index.is_string()) || (key.is_numeric() && index.is_numeric()) || key == index
}
