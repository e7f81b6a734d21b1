//! JSON functions, whose syntax `json_syntax` has taken apart: types of arguments, what RETURNING may name, what can be written as JSON.

use sqlparser::ast;
use weir_base::Span;
use weir_plan::{DataType, Expr, ExprKind, Function, LENGTH_MAX, LogicalType, Value};

use super::ExprBinder;
use super::cast::implicit_cast;
use crate::binder::functions::json_support;
use crate::binder::refusal::refuse;
use crate::binder::types::{calcite_name, implicit_cast_exists};
use crate::dialect::function_args;
use crate::error::SqlError;
use crate::json_syntax::{IS_JSON, JSON_ARRAY, JSON_EXISTS, JSON_OBJECT, JSON_QUERY, JSON_VALUE};

impl ExprBinder<'_> {
    /// The JSON function that `json_syntax` has made a call called `name`; None if it is none.
    pub(super) fn json(&self, name: &str, function: &ast::Function, span: Span) -> Option<Result<Expr, SqlError>> {
        let arguments: Vec<&ast::Expr> = function_args(function)
            .iter()
            .filter_map(|argument| match argument {
                ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(tree)) => Some(tree),
                _ => None,
            })
            .collect();
        Some(match name {
            JSON_VALUE => self.json_value(&arguments, span),
            JSON_QUERY => self.json_query(&arguments, span),
            JSON_EXISTS => self.json_exists(&arguments, span),
            JSON_OBJECT => self.json_object(&arguments, span),
            JSON_ARRAY => self.json_array(&arguments, span),
            IS_JSON => self.is_json(&arguments, span),
            _ => return None,
        })
    }

    /// Text and path, both CHARACTER.
    fn json_input(&self, name: &str, arguments: &[&ast::Expr], span: Span) -> Result<Vec<Expr>, SqlError> {
        let input = [self.bind(arguments[0])?, self.bind(arguments[1])?];
        if let Some(null) = input.iter().find(|part| part.data_type.logical == LogicalType::Null) {
            return Err(refuse(null.span, "Illegal use of 'NULL'").hint("give it a type: CAST(NULL AS STRING)"));
        }
        if input.iter().any(|part| !part.data_type.logical.is_string()) {
            let types: Vec<_> =
                input.iter().map(|part| format!("<{}>", calcite_name(&part.data_type.logical))).collect();
            let given = types.join(", ");
            return Err(refuse(
                span,
                format!(
                    "Cannot apply '{name}' to arguments of type '{name}({given})'. Supported form(s): '{name}(<CHARACTER>, <CHARACTER>)'"
                ),
            ));
        }
        Ok(input.into())
    }

    fn json_value(&self, arguments: &[&ast::Expr], span: Span) -> Result<Expr, SqlError> {
        let mut bound = self.json_input("JSON_VALUE", arguments, span)?;
        let logical = match returning(arguments[2], span)? {
            None => LogicalType::Varchar(LENGTH_MAX),
            Some(LogicalType::Char(_) | LogicalType::Varchar(_)) => LogicalType::Varchar(LENGTH_MAX),
            Some(logical @ (LogicalType::Boolean | LogicalType::Int | LogicalType::Double)) => logical,
            Some(other) => {
                return Err(refuse(span, format!("Unsupported type '{other}' for RETURNING in JSON_VALUE()."))
                    .hint("RETURNING takes STRING, BOOLEAN, INTEGER and DOUBLE; CAST the STRING to any other type"));
            }
        };
        let mut pairs: Vec<&[&ast::Expr]> = arguments[3..].chunks(2).collect();
        // NULL on empty and on error is what there is without words.
        if pairs.iter().all(|pair| matches!(pair[0], ast::Expr::Value(word) if word.value == ast::Value::SingleQuotedString("NULL".to_owned()))) {
            pairs.clear();
        }
        for pair in pairs {
            bound.push(self.bind(pair[0])?);
            bound.push(self.json_default(pair[1], &logical)?);
        }
        let data_type = DataType::nullable(logical);
        Ok(Expr::new(ExprKind::Call(Function::JsonValue, bound), data_type).at(span))
    }

    /// What DEFAULT names, as a value of the type that is returned.
    fn json_default(&self, tree: &ast::Expr, logical: &LogicalType) -> Result<Expr, SqlError> {
        let default = self.bind(tree)?;
        let from = &default.data_type.logical;
        let fits = *from == LogicalType::Null || logical.is_string() || from == logical;
        if !fits {
            let (from, to) = (calcite_name(from), calcite_name(logical));
            return Err(refuse(
                default.span,
                format!("The default of JSON_VALUE is {from}, and cannot be cast to {to}, which RETURNING names"),
            )
            .hint(format!("write a default of type {logical}")));
        }
        Ok(if logical.is_string() && !from.is_string() && *from != LogicalType::Null {
            let data_type = DataType { logical: logical.clone(), nullable: default.data_type.nullable };
            let span = default.span;
            Expr::new(ExprKind::Cast(Box::new(default), weir_plan::CastMode::Cast), data_type).at(span)
        } else {
            implicit_cast(default, logical)
        })
    }

    fn json_query(&self, arguments: &[&ast::Expr], span: Span) -> Result<Expr, SqlError> {
        let mut bound = self.json_input("JSON_QUERY", arguments, span)?;
        let data_type = match returning(arguments[2], span)? {
            None | Some(LogicalType::Char(_) | LogicalType::Varchar(_)) => DataType::string(),
            Some(LogicalType::Array(element)) if element.logical.is_string() => {
                DataType::nullable(LogicalType::Array(Box::new(DataType::string())))
            }
            Some(LogicalType::Array(element)) => {
                let element = calcite_name(&element.logical);
                return Err(refuse(
                    span,
                    format!("Unsupported array element type '{element}' for RETURNING ARRAY in JSON_QUERY()."),
                )
                .hint("write RETURNING ARRAY<STRING>, and CAST its elements"));
            }
            Some(other) => {
                return Err(refuse(span, format!("Unsupported type '{other}' for RETURNING in JSON_QUERY()."))
                    .hint("RETURNING takes STRING and ARRAY<STRING>"));
            }
        };
        for tree in &arguments[3..] {
            bound.push(self.bind(tree)?);
        }
        let gives_array = matches!(data_type.logical, LogicalType::Array(_));
        for (behaviour, what) in bound[3..].iter().zip(["empty", "error"]) {
            if gives_array && is_word(behaviour, "EMPTY OBJECT") {
                let text = format!(
                    "Illegal on {what} behavior 'EMPTY OBJECT' for return type: {}",
                    calcite_name(&data_type.logical)
                );
                return Err(refuse(span, text).hint("write EMPTY ARRAY or NULL"));
            }
        }
        Ok(Expr::new(ExprKind::Call(Function::JsonQuery, bound), data_type).at(span))
    }

    fn json_exists(&self, arguments: &[&ast::Expr], span: Span) -> Result<Expr, SqlError> {
        let mut bound = self.json_input("JSON_EXISTS", arguments, span)?;
        bound.push(self.bind(arguments[2])?);
        let data_type = DataType::nullable(LogicalType::Boolean);
        Ok(Expr::new(ExprKind::Call(Function::JsonExists, bound), data_type).at(span))
    }

    fn json_object(&self, arguments: &[&ast::Expr], span: Span) -> Result<Expr, SqlError> {
        let mut bound = vec![self.bind(arguments[0])?];
        for pair in arguments[1..].chunks(2) {
            let key = self.bind(pair[0])?;
            if !key.data_type.logical.is_string() {
                return Err(refuse(key.span, "Expected a character type: a key of JSON_OBJECT is a text"));
            }
            bound.push(key);
            bound.push(self.json_part(pair[1])?);
        }
        let data_type = DataType::not_null(LogicalType::Varchar(LENGTH_MAX));
        Ok(Expr::new(ExprKind::Call(Function::JsonObject, bound), data_type).at(span))
    }

    fn json_array(&self, arguments: &[&ast::Expr], span: Span) -> Result<Expr, SqlError> {
        let mut bound = vec![self.bind(arguments[0])?];
        for tree in &arguments[1..] {
            bound.push(self.json_part(tree)?);
        }
        let data_type = DataType::not_null(LogicalType::Varchar(LENGTH_MAX));
        Ok(Expr::new(ExprKind::Call(Function::JsonArray, bound), data_type).at(span))
    }

    /// A value of JSON_OBJECT or JSON_ARRAY; `JSON(text)` stands here and nowhere else.
    fn json_part(&self, tree: &ast::Expr) -> Result<Expr, SqlError> {
        if let ast::Expr::Function(function) = tree
            && crate::catalog::display_name(&function.name).eq_ignore_ascii_case("JSON")
        {
            let span = crate::error::span_of(ast::Spanned::span(tree));
            let inner = super::call::plain_arguments(function, "JSON", span)?;
            let [inner] = inner.as_slice() else {
                return Err(refuse(span, "No match found for function signature JSON: it takes one text"));
            };
            let text = self.bind(inner)?;
            if !implicit_cast_exists(&text.data_type.logical, &LogicalType::Varchar(LENGTH_MAX)) {
                return Err(refuse(span, "Invalid function call: JSON takes a text"));
            }
            let text = implicit_cast(text, &LogicalType::Varchar(LENGTH_MAX));
            let data_type = text.data_type.clone();
            return Ok(Expr::new(ExprKind::Call(Function::Json, vec![text]), data_type).at(span));
        }
        let value = self.bind(tree)?;
        json_support::check(&value)?;
        Ok(value)
    }

    fn is_json(&self, arguments: &[&ast::Expr], span: Span) -> Result<Expr, SqlError> {
        let (inner, kind) = (self.bind(arguments[0])?, self.bind(arguments[1])?);
        if !inner.data_type.logical.is_string() {
            let name = match &kind.kind {
                ExprKind::Literal(Value::String(kind)) => format!("IS JSON {kind}"),
                _ => "IS JSON".to_owned(),
            };
            let given = calcite_name(&inner.data_type.logical);
            return Err(refuse(
                span,
                format!(
                    "Cannot apply '{name}' to arguments of type '<{given}> {name}'. Supported form(s): '<CHARACTER> {name}'"
                ),
            ));
        }
        let data_type = DataType::not_null(LogicalType::Boolean);
        let test = Expr::new(ExprKind::Call(Function::IsJson, vec![inner, kind]), data_type).at(span);
        if is_word(&self.bind(arguments[2])?, "NOT") {
            return self.operator(Function::Not, vec![test], span);
        }
        Ok(test)
    }
}

/// Whether it is this literal.
fn is_word(expr: &Expr, word: &str) -> bool {
    matches!(&expr.kind, ExprKind::Literal(Value::String(text)) if text == word)
}

/// The type that RETURNING names.
fn returning(tree: &ast::Expr, span: Span) -> Result<Option<LogicalType>, SqlError> {
    match tree {
        ast::Expr::Cast { data_type, .. } => {
            crate::cast_type(data_type).map(|data_type| Some(data_type.logical)).map_err(|error| error.at(span))
        }
        _ => Ok(None),
    }
}
