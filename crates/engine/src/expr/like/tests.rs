//! LIKE and SIMILAR TO: results that Flink 2.3 gives.

use weir_plan::Function as F;

use super::super::tests::*;
use super::super::{CompileContext, Evaluator};

#[test]
fn like() {
    let cases = [
        ("a_c", r"a\_c", None, false),
        ("abc", "a_c", None, true),
        ("a_c", "a#_c", Some("#"), true),
        ("abc", "a#_c", Some("#"), false),
        ("a%c", "a#%c", Some("#"), true),
        ("a#c", "a##c", Some("#"), true),
        ("abc", "%b%", None, true),
        ("abc", "%b", None, false),
        ("abc", "ab%", None, true),
        ("abc", "%bc", None, true),
        ("abc", "abc", None, true),
        ("", "%", None, true),
        ("", "", None, true),
        ("a", "", None, false),
        ("😀", "_", None, true),
        ("😀", "__", None, false),
        ("a.c", "a.c", None, true),
        ("abc", "a.c", None, false),
        ("a\nb", "a%b", None, true),
        ("a\nb", "a_b", None, false),
        ("a\nb", "_%b", None, true),
        ("abcbd", "a%b%d", None, true),
    ];
    for (value, pattern, escape, expected) in cases {
        let mut arguments = vec![col(0, STRING), text(pattern)];
        arguments.extend(escape.map(text));
        let column = strings(&[Some(value), None]);
        assert_eq!(
            eval(&is(F::Like, arguments), &[column]),
            [expected.to_string(), "NULL".to_owned()],
            "{value} {pattern}"
        );
    }
}

#[test]
fn patterns_may_come_with_the_rows() {
    let columns =
        [strings(&[Some("abc"), Some("abc"), None, Some("x")]), strings(&[Some("a%"), Some("b%"), Some("%"), None])];
    assert_eq!(eval(&is(F::Like, vec![col(0, STRING), col(1, STRING)]), &columns), ["true", "false", "NULL", "NULL"]);
    let bad = is(F::Like, vec![col(0, STRING), col(1, STRING), text("a")]);
    let columns = [strings(&[None, Some("abc")]), strings(&[Some("a"), Some("xab")])];
    assert_eq!(error(&bad, &columns), (1, "Invalid escape sequence 'xab', 1".to_owned()));
}

#[test]
fn a_bad_escape_is_refused_at_once() {
    let expr = is(F::Like, vec![col(0, STRING), text("a#bc"), text("#")]);
    let error = Evaluator::compile(&expr, &CompileContext::new("UTC")).unwrap_err();
    assert_eq!(error.to_string(), "use the pattern 'a#bc' at 3:7: Invalid escape sequence 'a#bc', 1");
}

#[test]
fn similar_to() {
    let cases = [
        ("abc", "(a|x)bc", None, true),
        ("abc", "a%", None, true),
        ("abbb", "ab{2,3}", None, true),
        ("a1", "a[[:DIGIT:]]", None, true),
        ("ABC", "[[:alpha:]]+", None, true),
        ("abc", "a_", None, false),
        ("abc", "a.c", None, true),
        (r"a\b", r"a\b", None, true),
        ("+", r"\+", None, false),
        ("a%", "a!%", Some("!"), true),
        ("ab", "a!%", Some("!"), false),
        ("x", "[^a]", None, true),
        ("abc", "%(b|d)%", None, true),
        ("ab", "a|ab", None, true),
        ("a\n", "__", None, false),
        ("a\n", "a%", None, true),
        ("abc", "a|ab", None, false),
    ];
    for (value, pattern, escape, expected) in cases {
        let mut arguments = vec![col(0, STRING), text(pattern)];
        arguments.extend(escape.map(text));
        assert_eq!(
            eval(&is(F::SimilarTo, arguments), &[strings(&[Some(value)])]),
            [expected.to_string()],
            "{value} {pattern}"
        );
    }
}
