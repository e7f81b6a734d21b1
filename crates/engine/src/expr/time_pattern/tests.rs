//! Patterns taken apart, and what is wrong with some.

use super::*;

#[test]
fn a_pattern_is_taken_apart() {
    let pattern = Pattern::parse("yyyy-MM'T'''[ HH]", Dialect::Formatter).unwrap();
    assert_eq!(
        pattern.items,
        [
            Item::Field('y', 4),
            Item::Text("-".into()),
            Item::Field('M', 2),
            Item::Text("T'".into()),
            Item::Optional(vec![Item::Text(" ".into()), Item::Field('H', 2)]),
        ]
    );
}

#[test]
fn malformed_patterns_are_told_in_javas_words() {
    let cases = [
        ("bogus", Dialect::Formatter, "Unknown pattern letter: b"),
        ("VV", Dialect::Formatter, "The pattern letter V is not supported"),
        ("j", Dialect::Formatter, "Unknown pattern letter: j"),
        ("b", Dialect::Simple, "Illegal pattern character 'b'"),
        ("HHH", Dialect::Formatter, "Too many pattern letters: H"),
        ("yyyy'", Dialect::Formatter, "Pattern ends with an incomplete string literal: yyyy'"),
        ("yyyy}", Dialect::Formatter, "Pattern includes reserved character: '}'"),
        ("yyyy]", Dialect::Formatter, "Pattern invalid as it contains ] without previous ["),
    ];
    for (pattern, dialect, words) in cases {
        assert_eq!(Pattern::parse(pattern, dialect).unwrap_err(), words);
    }
}
