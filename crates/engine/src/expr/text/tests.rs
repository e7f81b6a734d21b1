//! Joining texts.

use weir_plan::Function as F;

use super::super::tests::*;

#[test]
fn concat_is_null_with_a_null_and_concat_ws_leaves_it_out() {
    let columns = [strings(&[Some("a"), None, Some("ж")]), strings(&[Some("x"), Some("y"), None])];
    let concat = call(F::Concat, vec![col(0, STRING), text("-"), col(1, STRING)], STRING);
    assert_eq!(eval(&concat, &columns), ["a-x", "NULL", "NULL"]);
    let with = call(F::ConcatWs, vec![text(", "), col(0, STRING), col(1, STRING), text("z")], STRING);
    assert_eq!(eval(&with, &columns), ["a, x, z", "y, z", "ж, z"]);
    assert_eq!(eval(&call(F::ConcatWs, vec![null(STRING), col(0, STRING)], STRING), &columns), ["NULL"; 3]);
    assert_eq!(one(&call(F::ConcatWs, vec![text(","), null(STRING)], STRING)), "");
}
