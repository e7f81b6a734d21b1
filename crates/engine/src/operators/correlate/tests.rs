//! Rows joined with elements: kinds, NULL, emptiness, output in pieces.

use std::sync::Arc;

use arrow_array::Int64Array;
use arrow_array::builder::{Int64Builder, ListBuilder};
use arrow_schema::{DataType as ArrowType, Field as ArrowField};
use weir_plan::{DataType, Expr, Field, LogicalType};

use super::super::test_harness::Collected;
use super::*;

fn bigint() -> DataType {
    DataType::nullable(LogicalType::BigInt)
}

/// An operator over (id, xs) that gives id, the element and, if asked for, its number.
fn correlate(ordinality: bool, outer: bool) -> Correlate {
    let array = DataType::nullable(LogicalType::Array(Box::new(bigint())));
    let spec = UnnestSpec { kept: vec![0], collection: Expr::column(1, array), ordinality, outer };
    let mut fields = vec![Field::new("id", bigint()), Field::new("x", bigint())];
    fields.extend(ordinality.then(|| Field::new("n", DataType::nullable(LogicalType::Int))));
    Correlate::new(&spec, &Schema::new(fields), &CompileContext::new("UTC")).unwrap()
}

/// A batch of ids 0, 1, ... with these arrays.
fn batch(arrays: &[Option<Vec<Option<i64>>>]) -> Batch {
    let item = Arc::new(ArrowField::new("item", ArrowType::Int64, true));
    let mut builder = ListBuilder::new(Int64Builder::new()).with_field(item);
    for array in arrays {
        builder.append_option(array.clone());
    }
    let ids: ArrayRef = Arc::new(Int64Array::from_iter_values((0_i64..).take(arrays.len())));
    let data = RecordBatch::try_from_iter([("id", ids), ("xs", Arc::new(builder.finish()) as ArrayRef)]).unwrap();
    Batch::inserts(data, 0)
}

fn rows(operator: &mut Correlate, batch: Batch) -> Vec<String> {
    let mut out = Collected::default();
    operator.on_batch(batch, 0, &mut out).unwrap();
    assert!(operator.equation().holds());
    out.rows
}

#[test]
fn each_element_is_a_row_and_none_is_no_row_unless_it_is_outer() {
    let arrays = [Some(vec![Some(7), None]), Some(Vec::new()), None, Some(vec![Some(8)])];
    let mut inner = correlate(false, false);
    assert_eq!(rows(&mut inner, batch(&arrays)), ["+I 0, 7", "+I 0, NULL", "+I 3, 8"]);
    let expected = Equation { rows_in: 4, passed: 2, filtered: 2, ..Equation::default() };
    assert_eq!(inner.equation(), expected);
    let mut outer = correlate(true, true);
    let all = ["+I 0, 7, 1", "+I 0, NULL, 2", "+I 1, NULL, NULL", "+I 2, NULL, NULL", "+I 3, 8, 1"];
    assert_eq!(rows(&mut outer, batch(&arrays)), all);
    assert_eq!(outer.equation(), Equation { rows_in: 4, passed: 4, ..Equation::default() });
}

#[test]
fn elements_have_the_kind_of_their_row() {
    let arrays = [Some(vec![Some(1), Some(2)]), Some(vec![Some(3)])];
    let kinds: Arc<[RowKind]> = Arc::new([RowKind::UpdateBefore, RowKind::UpdateAfter]);
    let changes = Batch { kinds: Some(kinds), ..batch(&arrays) };
    assert_eq!(rows(&mut correlate(false, false), changes), ["-U 0, 1", "-U 0, 2", "+U 1, 3"]);
}

#[test]
fn many_elements_are_given_in_pieces() {
    let long: Vec<Option<i64>> = (0_i64..20_000).map(Some).collect();
    let mut out = Collected::default();
    correlate(false, false).on_batch(batch(&[Some(long)]), 0, &mut out).unwrap();
    assert_eq!(out.batch_rows, [BATCH_ROWS_MAX, BATCH_ROWS_MAX, 20_000 - 2 * BATCH_ROWS_MAX]);
    assert_eq!(out.rows.last().map(String::as_str), Some("+I 0, 19999"));
}
