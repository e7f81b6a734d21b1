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
fn what_a_path_may_not_have_is_named() {
    let cases = [
        ("$.a.length()", "the function 'length()' in a path is not supported"),
        ("$.a[?(@.b =~ /x/)]", "the operator '=~' in a filter of a path is not supported"),
        ("$.a[?(@.b in [1])]", "the operator 'in' in a filter of a path is not supported"),
    ];
    for (path, why) in cases {
        let expr = call(F::JsonValue, vec![col(0, STRING), text(path)], STRING);
        let error = Evaluator::compile(&expr, &CompileContext::new("UTC")).unwrap_err();
        let hint = "keys, indices, slices, wildcards, '..' and filters that compare are supported";
        assert_eq!(error.to_string(), format!("use the JSON path '{path}' at 3:7: {why}; {hint}"));
    }
}

/// `JSON_QUERY(json, path)` with an UNCONDITIONAL wrapper or none.
fn query(json: &str, path: &str, wrapper: &str) -> String {
    let behaviours = [wrapper, "NULL", "NULL"].map(text);
    let arguments = [col(0, STRING), text(path)].into_iter().chain(behaviours).collect();
    eval(&call(F::JsonQuery, arguments, STRING), &[strings(&[Some(json)])]).remove(0)
}

#[test]
fn paths_that_lead_to_several_values_give_an_array() {
    let json = r#"{"a":[{"b":1,"c":"x"},{"b":2.50},{"b":3,"c":null}],"d":{"b":4,"a":[5]}}"#;
    let cases = [
        ("$.a[*].b", "[1,2.50,3]"),
        ("$.a[*].c", r#"["x",null]"#),
        ("$..b", "[1,2.50,3,4]"),
        ("$..a[0]", r#"[{"b":1,"c":"x"},5]"#),
        ("$.a[0,2].b", "[1,3]"),
        ("$.a[1:].b", "[2.50,3]"),
        ("$.a[:-1].b", "[1,2.50]"),
        ("$.a[?(@.b > 1)].b", "[2.50,3]"),
        ("$.a[?(@.c)].b", "[1,3]"),
        ("$.a[?(!@.c)].b", "[2.50]"),
        ("$.a[?(@.c == 'x' || @.b == 3)].b", "[1,3]"),
        ("$.a[?(@.b >= 2 && @.c == null)].b", "[3]"),
        ("$.a[?(@.b == $.d.a[0])]", "[]"),
        ("$.d.*", "[4,[5]]"),
        ("$['d']['b','a']", r#"{"a":[5],"b":4}"#),
        ("$.x[*]", "NULL"),
        ("lax $.x[*]", "[]"),
        ("$.d", r#"{"a":[5],"b":4}"#),
        ("$.d.b", "NULL"),
    ];
    for (path, expected) in cases {
        assert_eq!(query(json, path, "WITHOUT"), expected, "{path}");
    }
    assert_eq!(query(json, "$.d.b", "UNCONDITIONAL"), "[4]");
    assert_eq!(query(json, "$.d.b", "CONDITIONAL"), "[4]");
    assert_eq!(query(json, "$.d.a", "CONDITIONAL"), "[5]");
}

#[test]
fn what_is_not_found_is_empty_in_lax_mode_and_an_error_in_strict() {
    let value = |json: &str, path: &str| {
        let behaviours = ["DEFAULT", "e", "DEFAULT", "r"].map(text);
        let arguments = [col(0, STRING), text(path)].into_iter().chain(behaviours).collect();
        eval(&call(F::JsonValue, arguments, STRING), &[strings(&[Some(json)])]).remove(0)
    };
    let cases = [
        (r#"{"a":1}"#, "lax $.b", "e"),
        (r#"{"a":1"#, "lax $.b", "e"),
        (r#"{"a":1"#, "LAX  $.a", "e"),
        (r#"{"a":1"#, "$.b", "r"),
        (r#"{"a":1}"#, "$.b", "r"),
        (r#"{"a":null}"#, "$.a", "r"),
        (r#"{"a":null}"#, "lax $.a", "e"),
        (r#"{"a":[1]}"#, "$.a", "r"),
        (r#"{"a":[1]}"#, "lax $.a", "e"),
        ("null", "lax $", "r"),
        ("[1]", "$[", "r"),
        ("[1]", "lax $[", "r"),
        ("[1]", "$[0]", "1"),
    ];
    for (json, path, expected) in cases {
        assert_eq!(value(json, path), expected, "{json} {path}");
    }
}

#[test]
fn texts_in_quotes() {
    let json = [strings(&[Some("a\"b/ü😀\n\u{1}")])];
    let quoted = call(F::JsonQuote, vec![col(0, STRING)], STRING);
    assert_eq!(eval(&quoted, &json), ["\"a\\\"b\\/\\u00fc\\u1f600\\ude00\\n\u{1}\""]);
    let unquoted = call(F::JsonUnquote, vec![col(0, STRING)], STRING);
    let texts = [r#""a\u00fc\n""#, "abc", "\"abc", r#""\q""#, "\"\"", "\"ab\"c\"", " \"a\" "].map(Some);
    assert_eq!(eval(&unquoted, &[strings(&texts)]), ["aü\n", "abc", "\"abc", r#""\q""#, "", "ab\"c", " \"a\" "]);
}

#[test]
fn objects_and_arrays() {
    let inner = call(F::JsonArray, vec![text("ABSENT"), int(1), null(T::Int)], STRING);
    let raw = call(F::Json, vec![text(r#"{"z": 1.0}"#)], STRING);
    let arguments = vec![
        text("NULL"),
        text("b"),
        inner,
        text("a"),
        raw,
        text("c"),
        col(0, STRING),
        text("d"),
        double(1e20),
        text("b2"),
        double(0.5),
    ];
    let object = call(F::JsonObject, arguments, STRING);
    assert_eq!(
        eval(&object, &[strings(&[Some("[1]"), None])]),
        [
            r#"{"a":{"z":1.0},"b":[1],"b2":0.5,"c":"[1]","d":1.0E+20}"#,
            r#"{"a":{"z":1.0},"b":[1],"b2":0.5,"c":null,"d":1.0E+20}"#
        ]
    );
}

#[test]
fn deep_nesting_is_no_json() {
    let deep = "[".repeat(100_000);
    let expr = call(F::JsonValue, vec![col(0, STRING), text("$.a")], STRING);
    assert_eq!(eval(&expr, &[strings(&[Some(&deep)])]), ["NULL"]);
}
