//! JSON functions that are called like any other; those with words between their arguments are bound in `expr/json`.

use weir_base::Span;
use weir_plan::{Expr, Function as F};

use super::super::json_support;
use super::super::results as r;
use super::super::signature::Argument::{Any, Text};
use super::super::signature::Signature;
use super::fixed;
use crate::binder::refusal::refuse;
use crate::error::SqlError;

/// The family.
#[rustfmt::skip]
pub(super) const FUNCTIONS: &[Signature] = &[
    fixed("JSON_STRING", F::JsonString, &[Any], r::string).finish(convertible).inferred("JSON_STRING(<ANY>)"),
    fixed("JSON_QUOTE", F::JsonQuote, &[Text], r::string).inferred("JSON_QUOTE(<CHARACTER_STRING>)"),
    fixed("JSON_UNQUOTE", F::JsonUnquote, &[Text], r::string).inferred("JSON_UNQUOTE(<CHARACTER_STRING>)"),
    fixed("JSON", F::Json, &[Text], r::string).finish(out_of_place),
];

/// JSON_STRING takes what has a form in JSON.
#[expect(clippy::ptr_arg, reason = "a last step of binding: others of its type add arguments")]
fn convertible(arguments: &mut Vec<Expr>, _: Span) -> Result<(), SqlError> {
    json_support::check(&arguments[0])
}

/// `JSON(text)` as a value of JSON_OBJECT or JSON_ARRAY does not come here.
fn out_of_place(_: &mut Vec<Expr>, span: Span) -> Result<(), SqlError> {
    let text =
        "The JSON() function is currently only supported inside JSON_ARRAY() or as the VALUE param of JSON_OBJECT().";
    Err(refuse(span, text).hint("write JSON_OBJECT('a' VALUE JSON(text)) or JSON_ARRAY(JSON(text))"))
}
