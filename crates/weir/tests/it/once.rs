//! Each expected row once: the comparison that all tests of exactly-once end with.

use std::collections::BTreeSet;

/// What is wrong with `got`, of which each of `expected` must be there once, and nothing else; `None` if nothing is.
pub fn differences(what: &str, got: &[String], expected: &BTreeSet<String>) -> Option<String> {
    let unique: BTreeSet<String> = got.iter().cloned().collect();
    let lost: Vec<&String> = expected.difference(&unique).collect();
    let (doubled, made_up) = (got.len() - unique.len(), unique.difference(expected).count());
    if lost.is_empty() && doubled == 0 && made_up == 0 {
        return None;
    }
    let first = lost.first().map_or(String::new(), |row| format!(", the first lost is {row}"));
    Some(format!("{what}: of {} rows {} lost, {doubled} doubled, {made_up} made up{first}", expected.len(), lost.len()))
}

#[test]
fn what_is_lost_doubled_or_made_up_is_counted() {
    let rows = |text: &str| -> Vec<String> { text.split_whitespace().map(str::to_owned).collect() };
    let expected: BTreeSet<String> = rows("a b c").into_iter().collect();
    assert_eq!(differences("x", &rows("c a b"), &expected), None);
    assert_eq!(
        differences("x", &rows("a a c d"), &expected).unwrap(),
        "x: of 3 rows 1 lost, 1 doubled, 1 made up, the first lost is b"
    );
    assert_eq!(differences("x", &rows("a b c c"), &expected).unwrap(), "x: of 3 rows 0 lost, 1 doubled, 0 made up");
}
