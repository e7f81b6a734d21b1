//! What the tests of all families share: short ways to write expressions and columns, and rows read back as text.

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Float64Array, Int32Array, Int64Array, StringViewArray};
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_schema::DataType as ArrowType;
use weir_base::Span;
use weir_plan::{CastMode, DataType, Expr, ExprKind, Function, LogicalType, Value};

use super::{CompileContext, EvalError, Evaluator};

pub(super) type T = LogicalType;

/// The processing time in tests: 2024-02-03 09:11:12.345 UTC.
pub(super) const NOW: i64 = 1_706_951_472_345;

pub(super) const STRING: T = T::Varchar(2_147_483_647);

/// Column `index`.
pub(super) fn col(index: usize, logical: T) -> Expr {
    Expr::column(index, DataType::nullable(logical))
}

/// A constant.
pub(super) fn lit(value: Value, logical: T) -> Expr {
    Expr::new(ExprKind::Literal(value), DataType::nullable(logical))
}

pub(super) fn int(value: i64) -> Expr {
    lit(Value::Integer(value), T::Int)
}

pub(super) fn double(value: f64) -> Expr {
    lit(Value::Double(value), T::Double)
}

pub(super) fn text(value: &str) -> Expr {
    let length = u32::try_from(value.chars().count()).unwrap();
    lit(Value::String(value.to_owned()), T::Char(length.max(1)))
}

pub(super) fn null(logical: T) -> Expr {
    lit(Value::Null, logical)
}

/// A call, standing at 3:7.
pub(super) fn call(function: Function, arguments: Vec<Expr>, logical: T) -> Expr {
    Expr::new(ExprKind::Call(function, arguments), DataType::nullable(logical)).at(Span::at(3, 7))
}

/// A call that gives BOOLEAN.
pub(super) fn is(function: Function, arguments: Vec<Expr>) -> Expr {
    call(function, arguments, T::Boolean)
}

pub(super) fn cast(expr: Expr, logical: T) -> Expr {
    Expr::new(ExprKind::Cast(Box::new(expr), CastMode::Cast), DataType::nullable(logical)).at(Span::at(3, 7))
}

pub(super) fn try_cast(expr: Expr, logical: T) -> Expr {
    Expr::new(ExprKind::Cast(Box::new(expr), CastMode::TryCast), DataType::nullable(logical))
}

pub(super) fn case(branches: Vec<(Expr, Expr)>, otherwise: Expr) -> Expr {
    let data_type = otherwise.data_type.clone();
    Expr::new(ExprKind::Case { branches, otherwise: Box::new(otherwise) }, data_type)
}

pub(super) fn ints(values: &[Option<i32>]) -> ArrayRef {
    Arc::new(Int32Array::from(values.to_vec()))
}

pub(super) fn longs(values: &[Option<i64>]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

pub(super) fn doubles(values: &[Option<f64>]) -> ArrayRef {
    Arc::new(Float64Array::from(values.to_vec()))
}

pub(super) fn bools(values: &[Option<bool>]) -> ArrayRef {
    Arc::new(BooleanArray::from(values.to_vec()))
}

pub(super) fn strings(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(values.iter().collect::<StringViewArray>())
}

/// Evaluates over `columns` in the zone Europe/Berlin.
pub(super) fn evaluate(expr: &Expr, columns: &[ArrayRef]) -> Result<ArrayRef, EvalError> {
    let evaluator = Evaluator::compile(expr, &CompileContext::new("Europe/Berlin")).unwrap();
    let rows = columns.first().map_or(1, |column| column.len());
    let array = evaluator.evaluate(columns, rows, NOW)?;
    assert_eq!(array.data_type(), &expr.data_type.arrow(), "the physical type");
    assert_eq!(array.len(), rows, "a value a row");
    array.to_data().validate_full().unwrap();
    Ok(array)
}

/// The rows of a result as texts, NULL as `NULL`.
pub(super) fn rows(array: &ArrayRef) -> Vec<String> {
    // Arrow's display knows offsets, not names of zones.
    let array = &match array.data_type() {
        ArrowType::Timestamp(unit, Some(_)) => {
            arrow_cast::cast(array, &ArrowType::Timestamp(*unit, Some("+00:00".into()))).unwrap()
        }
        _ => array.clone(),
    };
    let options = FormatOptions::default().with_null("NULL").with_display_error(true);
    let formatter = ArrayFormatter::try_new(array, &options).unwrap();
    (0..array.len()).map(|row| formatter.value(row).to_string()).collect()
}

/// The rows of an expression over `columns`.
pub(super) fn eval(expr: &Expr, columns: &[ArrayRef]) -> Vec<String> {
    rows(&evaluate(expr, columns).unwrap())
}

/// The one value of an expression without columns.
pub(super) fn one(expr: &Expr) -> String {
    eval(expr, &[]).remove(0)
}

/// The error of an expression over `columns`: row and words.
pub(super) fn error(expr: &Expr, columns: &[ArrayRef]) -> (usize, String) {
    let error = evaluate(expr, columns).unwrap_err();
    (error.row, error.message)
}

/// The cast of a column of `from` values to `to`, for each value alone: its text, or the error's words.
pub(super) fn casts(column: &ArrayRef, from: T, to: T) -> Vec<String> {
    let expr = cast(cast(col(0, from), to), STRING);
    (0..column.len())
        .map(|row| match evaluate(&expr, &[column.slice(row, 1)]) {
            Ok(array) => rows(&array).remove(0),
            Err(error) => format!("! {}", error.message),
        })
        .collect()
}
