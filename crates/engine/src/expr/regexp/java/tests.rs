//! What becomes of Java's patterns.

use super::{Misfit, translated};

fn regex(pattern: &str) -> String {
    translated(pattern).map_or_else(|misfit| format!("{misfit:?}"), |translated| translated.regex)
}

/// Whether the whole text fits the pattern.
fn fits(pattern: &str, text: &str) -> bool {
    regex::Regex::new(&format!(r"\A(?:{})\z", regex(pattern))).unwrap().is_match(text)
}

#[test]
fn what_is_written_differently() {
    assert!(fits(r"\d\w\s", "1a ") && !fits(r"\d", "٣") && !fits(r"\w", "ä"));
    assert!(fits("(?s).", "\n") && !fits(".", "\r") && !fits(".", "\u{2028}") && fits("(?d).", "\r"));
    assert!(fits("(?i)aß[b-d]", "AßC") && !fits("(?i)ä", "Ä") && fits("(?iu)ä", "Ä") && fits("(?iu)[ä]", "Ä"));
    assert!(fits("a(?i)b(?-i)c", "aBc") && !fits("a(?i)b(?-i)c", "aBC") && fits("(?i:a)b", "Ab"));
    assert!(fits(r"\Qa.b\E+", "a.bb") && !fits(r"\Qa.b\E", "axb"));
    assert!(fits(r"\h\v\R", "\u{a0}\u{b}\r\n"));
    assert!(fits(r"\x41\u0042\x{1F600}\uD83D\uDE00\0101\cA\t", "AB😀😀A\u{1}\t"));
    assert!(fits(r"(?x) a b # comment", "ab"));
    assert!(fits(r"\p{Alpha}\p{Lu}\pN\P{L}\p{IsGreek}\p{IsAlphabetic}", "aÄ1-αä"));
}

#[test]
fn classes() {
    assert!(fits("[a-c[x-z]]+", "axcz") && fits("[a-z&&[^b-y]]+", "az") && !fits("[a-z&&[^b-y]]", "c"));
    assert!(fits(r"[\d.\-\]]+", "1.-]") && fits("[]a]+", "]a") && fits("[a-]+", "a-"));
    assert!(fits("[[:alpha:]]+", "a:lph") && !fits("[[:alpha:]]", "z"));
    assert!(fits("[a--b~~]", "-") || regex("[a--b~~]") == "Malformed");
    assert!(fits(r"[^\W_]+", "a1") && fits(r"[\Q^]\E]+", "^]"));
}

#[test]
fn what_is_malformed_in_java_too() {
    for pattern in [
        "(",
        ")",
        "[",
        "[a",
        "*a",
        "a**",
        "a{",
        "a{,3}",
        "a{3,1}",
        "{1}",
        r"\y",
        r"\E",
        "(?<1a>x)",
        "(?P<a>x)",
        "[z-a]",
        "(?q)",
        r"\x4",
        r"\p{Nope}",
        "a|*",
    ] {
        assert_eq!(translated(pattern), Err(Misfit::Malformed), "{pattern}");
    }
}

#[test]
fn what_is_refused_by_name() {
    for (pattern, what) in [
        ("(?=a)", "look-around"),
        ("(?<!a)b", "look-around"),
        (r"(a)\1", "a back reference"),
        (r"(?<n>a)\k<n>", "a back reference"),
        ("a*+", "a possessive quantifier"),
        ("(?>a)", "an atomic group"),
        ("(?m)^a", "the flag m (lines)"),
        (r"\p{InGreek}", "a block of Unicode"),
    ] {
        assert_eq!(translated(pattern), Err(Misfit::Unsupported(what)), "{pattern}");
    }
}
