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
    let expr = is(F::Regexp, vec![text("foo"), col(0, STRING)]);
    let message = "The regular expression '(?=f)foo' uses look-around, which is not supported.";
    assert_eq!(error(&expr, &[strings(&[Some("(?=f)foo")])]), (0, message.to_owned()));
}

#[test]
fn the_end_stands_before_a_last_line_terminator_too() {
    let extract = |value, pattern| one(&call(F::RegexpExtract, vec![text(value), text(pattern)], STRING));
    assert_eq!(extract("ab\n", "b$"), "b");
    assert_eq!(extract("ab\r\n", r".*\Z"), "ab");
    assert_eq!(extract("ab\n", r"b\s*$"), "b\n");
    assert_eq!(extract("ab\n", r"b\z"), "NULL");
    let replace = call(F::RegexpReplace, vec![text("ab\n"), text("$"), text("!")], STRING);
    assert_eq!(one(&replace), "ab!\n!");
}

#[test]
fn counts_places_and_all_matches() {
    let count = |value, pattern| one(&call(F::RegexpCount, vec![text(value), text(pattern)], T::Int));
    assert_eq!(
        [count("test1test2", "test[0-9]"), count("aaa", ""), count("aaa", "("), count("a", "b")],
        ["2", "4", "NULL", "0"]
    );
    let place = |value, pattern| one(&call(F::RegexpInstr, vec![text(value), text(pattern)], T::Int));
    assert_eq!(
        [place("healthy, wealthy", "thy"), place("😀ab", "a"), place("ab", "x"), place("ab", "(")],
        ["5", "3", "0", "NULL"]
    );
    let substr = |value, pattern| one(&call(F::RegexpSubstr, vec![text(value), text(pattern)], STRING));
    assert_eq!([substr("healthy, wealthy", ".ealthy"), substr("ab", ""), substr("ab", "x")], ["healthy", "", "NULL"]);
    let array = T::Array(Box::new(weir_plan::DataType::string()));
    let all = |value, pattern, group| {
        one(&call(F::RegexpExtractAll, vec![text(value), text(pattern), int(group)], array.clone()))
    };
    assert_eq!(all("100-200, 300-400", r"(\d+)-(\d+)", 2), "[200, 400]");
    assert_eq!(all("ab", "(a)|(b)", 1), "[a, NULL]");
    assert_eq!(
        [all("ab", "", 0), all("ab", "x", 0), all("ab", "a", 3), all("ab", "a", -1)],
        ["[, , ]", "[]", "NULL", "NULL"]
    );
}
