//! JSON_VALUE: results that Flink 2.3 gives.

use weir_plan::Function as F;

use super::super::tests::*;
use super::super::{CompileContext, Evaluator};

#[test]
fn values_at_paths() {
    let cases = [
        (r#"{"a":{"b":[1,2.50,"x"]}}"#, "$.a.b[1]", "2.50"),
        (r#"{"a":{"b":[1,2.50,"x"]}}"#, "$.a.b[2]", "x"),
        (r#"{"a":{"b":[1,2,"x"]}}"#, "$.a.b", "NULL"),
        (r#"{"a":true}"#, "$.a", "true"),
        (r#"{"a":null}"#, "$.a", "NULL"),
        (r#"{"a":1}"#, "$.b", "NULL"),
        ("abc", "$.b", "NULL"),
        (r#"{"a":1}"#, "strict $.b", "NULL"),
        (r#"{"a":1}"#, "lax $.a", "1"),
        (r#"{"a b":"q\"w\u00e9"}"#, "$['a b']", "q\"wé"),
        (r#"{"a":"\ud83d\ude00\n"}"#, "$.a", "😀\n"),
        (r#""x""#, "$", "x"),
        (r#"{"a":1e400}"#, "$.a", "1E+400"),
        (r#"{"a":12345678901234567890123}"#, "$.a", "12345678901234567890123"),
        (r#"{"a":1.0e2}"#, "$.a", "1.0E+2"),
        (r#"{"a":1.10}"#, "$.a", "1.10"),
        (r#"{"a":1.5E-7}"#, "$.a", "1.5E-7"),
        (r#"{"a":0.00000015}"#, "$.a", "1.5E-7"),
        (r#"{"a":-0}"#, "$.a", "0"),
        (r#"{"a":-0.5}"#, "$.a", "-0.5"),
        (r#"{"a":1"#, "$.a", "NULL"),
        (r#"{"a":1}"#, "$[", "NULL"),
        ("", "$.a", "NULL"),
        ("[1,2]", "$[-1]", "2"),
        ("[1,2]", "$[-3]", "NULL"),
        (r#"{"a":{"b":1}}"#, r#"$.a["b"]"#, "1"),
        (r#"{"a.b":1}"#, "$.a.b", "NULL"),
        (r#"{"a":[{"b":1},{"b":2}]}"#, "$.a[0].b", "1"),
        (r#"{"a":1, "a":2}"#, "$.a", "2"),
        (r#" {"a" : "x" } trailing"#, "$.a", "x"),
        (r#"{"a":1}"#, "a", "1"),
        ("[5]", "$.a", "NULL"),
        (r#"{"a":5}"#, "$[0].a", "NULL"),
        (r#"{"größe":1}"#, "$.größe", "1"),
        (r#"{"a":00}"#, "$.a", "NULL"),
        (r#"{"a":tru}"#, "$.a", "NULL"),
    ];
    for (json, path, expected) in cases {
        let expr = call(F::JsonValue, vec![col(0, STRING), text(path)], STRING);
        assert_eq!(eval(&expr, &[strings(&[Some(json), None])]), [expected, "NULL"], "{json} {path}");
    }
}

#[test]
fn wildcards_are_refused() {
    let expr = call(F::JsonValue, vec![col(0, STRING), text("$.a[*]")], STRING);
    let error = Evaluator::compile(&expr, &CompileContext::new("UTC")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "use the JSON path '$.a[*]' at 3:7: wildcards, filters and '..' are not supported; name keys and indices only"
    );
}

#[test]
fn deep_nesting_is_no_json() {
    let deep = "[".repeat(100_000);
    let expr = call(F::JsonValue, vec![col(0, STRING), text("$.a")], STRING);
    assert_eq!(eval(&expr, &[strings(&[Some(&deep)])]), ["NULL"]);
}
