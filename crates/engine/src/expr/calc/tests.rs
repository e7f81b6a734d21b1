//! Condition and projection over a batch.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use weir_plan::{DataType, Expr, Field, Function as F, Schema};

use super::super::tests::*;
use super::super::{Calc, CompileContext};

fn batch() -> RecordBatch {
    let schema = Schema::new(vec![
        Field::new("n", DataType::nullable(T::Int)),
        Field::new("s", DataType::string()),
        Field::new("unused", DataType::string()),
    ]);
    let columns: Vec<ArrayRef> = vec![
        ints(&[Some(0), Some(2), None, Some(5)]),
        strings(&[Some("a"), Some("b"), Some("c"), None]),
        strings(&[None, None, None, None]),
    ];
    RecordBatch::try_new(schema.arrow(), columns).unwrap()
}

fn calc(condition: Option<Expr>, projection: Vec<Expr>) -> Calc {
    let fields = projection.iter().map(|expr| Field::new("x", expr.data_type.clone())).collect();
    let schema = Schema::new(fields).arrow();
    Calc::compile(condition.as_ref(), &projection, schema, &CompileContext::new("UTC")).unwrap()
}

#[test]
fn null_and_false_are_left_out() {
    let condition = is(F::Greater, vec![col(0, T::Int), int(1)]);
    let quotient = call(F::Divide, vec![int(10), col(0, T::Int)], T::Int);
    let calculated = calc(Some(condition), vec![col(1, STRING), quotient]).evaluate(&batch(), NOW).unwrap();
    assert_eq!(rows(calculated.batch.column(0)), ["b", "NULL"]);
    assert_eq!(rows(calculated.batch.column(1)), ["5", "2"]);
    assert_eq!(calculated.kept.unwrap().set_indices().collect::<Vec<_>>(), [1, 3]);
}

#[test]
fn where_all_pass_nothing_is_copied() {
    let batch = batch();
    let always = is(F::IsNull, vec![col(2, STRING)]);
    for condition in [None, Some(always)] {
        let calculated = calc(condition, vec![col(1, STRING), int(7)]).evaluate(&batch, NOW).unwrap();
        assert!(Arc::ptr_eq(calculated.batch.column(0), batch.column(1)), "the very column");
        assert_eq!(rows(calculated.batch.column(1)), ["7"; 4]);
        assert_eq!(calculated.kept, None);
    }
}

#[test]
fn an_error_counts_rows_before_filtering() {
    let condition = is(F::NotEqual, vec![col(1, STRING), text("a")]);
    let quotient = call(F::Divide, vec![int(1), call(F::Subtract, vec![col(0, T::Int), int(2)], T::Int)], T::Int);
    let error = calc(Some(condition), vec![quotient]).evaluate(&batch(), NOW).unwrap_err();
    assert_eq!((error.row, error.message.as_str()), (1, "/ by zero"));
}

#[test]
fn no_rows_and_no_columns() {
    let calculated = calc(None, vec![]).evaluate(&batch(), NOW).unwrap();
    assert_eq!((calculated.batch.num_rows(), calculated.batch.num_columns()), (4, 0));
    let fails = call(F::Divide, vec![int(1), int(0)], T::Int);
    let calculated = calc(None, vec![fails]).evaluate(&batch().slice(0, 0), NOW).unwrap();
    assert_eq!(calculated.batch.num_rows(), 0);
}

#[test]
fn types_must_be_the_schemas() {
    let schema = Schema::new(vec![Field::new("x", DataType::string())]).arrow();
    let error = Calc::compile(None, &[int(1)], schema, &CompileContext::new("UTC")).unwrap_err();
    assert!(error.message().starts_with("compile a projection: its types are not those of its output"), "{error}");
}
