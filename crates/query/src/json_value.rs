//! `JSON_VALUE(json, path)`: a scalar out of a JSON text, as Flink has it, so that the values of a topic can be queried.
//!
//! Paths are `$`, then `.field`, `['field']` or `[index]`. What is not there, no scalar, or no JSON gives NULL.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray as _, StringViewBuilder};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{DataFusionError, ScalarValue};
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf};

/// The function.
pub(crate) fn json_value() -> ScalarUDF {
    let arguments = vec![DataType::Utf8View, DataType::Utf8View];
    create_udf("json_value", arguments, DataType::Utf8View, Volatility::Immutable, Arc::new(evaluate))
}

fn evaluate(arguments: &[ColumnarValue]) -> Result<ColumnarValue, DataFusionError> {
    let [json, ColumnarValue::Scalar(path)] = arguments else {
        return Err(DataFusionError::Plan("JSON_VALUE takes a JSON text and a path, which must be a literal".into()));
    };
    let path = path.try_as_str().flatten().unwrap_or_default();
    let steps = steps(path).ok_or_else(|| {
        DataFusionError::Plan(format!(
            "'{path}' is no path for JSON_VALUE: write it like '$.metadata.fw' or '$.list[0]'"
        ))
    })?;
    let (column, scalar): (ArrayRef, bool) = match json {
        ColumnarValue::Array(column) => (Arc::clone(column), false),
        ColumnarValue::Scalar(value) => (value.to_array()?, true),
    };
    let column = cast(&column, &DataType::Utf8View)?;
    let mut values = StringViewBuilder::with_capacity(column.len());
    for text in column.as_string_view() {
        values.append_option(text.and_then(|text| find(text, &steps)));
    }
    let values: ArrayRef = Arc::new(values.finish());
    Ok(if scalar {
        ColumnarValue::Scalar(ScalarValue::try_from_array(&values, 0)?)
    } else {
        ColumnarValue::Array(values)
    })
}

enum Step<'a> {
    Field(&'a str),
    Index(usize),
}

fn steps(path: &str) -> Option<Vec<Step<'_>>> {
    let mut rest = path.trim();
    // Flink allows the modes of SQL's paths in front.
    for mode in ["lax ", "strict "] {
        rest = rest.strip_prefix(mode).unwrap_or(rest);
    }
    let mut rest = rest.strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(field) = rest.strip_prefix('.') {
            let end = field.find(['.', '[']).unwrap_or(field.len());
            let (name, after) = field.split_at(end);
            (!name.is_empty()).then(|| steps.push(Step::Field(name)))?;
            rest = after;
        } else {
            let (inside, after) = rest.strip_prefix('[')?.split_once(']')?;
            let quoted = inside.strip_prefix('\'').and_then(|name| name.strip_suffix('\''));
            steps.push(match quoted {
                Some(name) => Step::Field(name),
                None => Step::Index(inside.trim().parse().ok()?),
            });
            rest = after;
        }
    }
    Some(steps)
}

fn find(text: &str, steps: &[Step<'_>]) -> Option<String> {
    let json: serde_json::Value = serde_json::from_str(text).ok()?;
    let found = steps.iter().try_fold(&json, |value, step| match step {
        Step::Field(name) => value.get(name),
        Step::Index(index) => value.get(index),
    })?;
    match found {
        serde_json::Value::String(text) => Some(text.clone()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        serde_json::Value::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}
