//! Regular expressions: results that Flink 2.3 gives.

use weir_plan::Function as F;

use super::super::tests::*;

#[test]
fn extract() {
    let cases = [
        ("foothebar", "foo(.*?)(bar)", Some(2), "bar"),
        ("foothebar", "foo(.*?)(bar)", None, "foothebar"),
        ("foothebar", "foo(.*?)(bar)", Some(5), "NULL"),
        ("foothebar", "(", Some(0), "NULL"),
        ("abc", "x", None, "NULL"),
        ("abc", "(x)?b", Some(1), "NULL"),
        ("abc", "b", Some(-1), "NULL"),
        ("x=12", r"(?<n>\d+)", Some(1), "12"),
        ("٣", r"\d", None, "NULL"),
        ("größe", "ö.", None, "öß"),
    ];
    for (value, pattern, group, expected) in cases {
        let mut arguments = vec![col(0, STRING), text(pattern)];
        arguments.extend(group.map(int));
        assert_eq!(
            eval(&call(F::RegexpExtract, arguments, STRING), &[strings(&[Some(value)])]),
            [expected],
            "{pattern}"
        );
    }
}

#[test]
fn replace() {
    let cases = [
        ("foobar", "oo|ar", "$1", "f$1b$1"),
        ("foobar", "(", "x", "NULL"),
        ("aab", "a*", "-", "--b-"),
        ("жaж", "", "-", "-ж-a-ж-"),
        ("abc", "x", "-", "abc"),
    ];
    for (value, pattern, by, expected) in cases {
        let expr = call(F::RegexpReplace, vec![col(0, STRING), text(pattern), text(by)], STRING);
        assert_eq!(eval(&expr, &[strings(&[Some(value)])]), [expected], "{pattern}");
    }
}

#[test]
fn regexp() {
    let columns = [
        strings(&[Some("abc"), Some("abc"), Some("abc"), None]),
        strings(&[Some(""), Some("b+"), Some("("), Some("a")]),
    ];
    let expr = is(F::Regexp, vec![col(0, STRING), col(1, STRING)]);
    assert_eq!(eval(&expr, &columns), ["false", "true", "false", "NULL"]);
}

#[test]
fn what_only_java_knows_fails_by_name() {
    let expr = is(F::Regexp, vec![col(0, STRING), text("(?=f)foo")]);
    let message = "The regular expression '(?=f)foo' uses look-around or a back reference, which are not supported.";
    assert_eq!(error(&expr, &[strings(&[Some("foo")])]), (0, message.to_owned()));
}
