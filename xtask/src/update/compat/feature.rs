//! The list of what Flink SQL has: reading `cases/features.txt`, and finding a feature in a script.

use regex::{Regex, RegexBuilder};

use crate::failure::{Failure, Result};

/// One feature.
#[derive(Debug)]
pub struct Feature {
    /// The table that it stands in.
    pub kind: String,
    /// What it is called.
    pub name: String,
    /// Why it is partial, where it is.
    pub partial: Option<String>,
    pattern: Regex,
}

impl Feature {
    /// Whether `script` uses it.
    pub fn is_in(&self, script: &str) -> bool {
        self.pattern.is_match(script)
    }

    /// Whether it is an option: tests of the binary show those, too.
    pub fn is_option(&self) -> bool {
        self.kind.starts_with("Options")
    }
}

/// The features of `text`, in order.
///
/// # Errors
/// Fails on a line before the first table, and on an expression that is none, with the line.
pub fn read(text: &str) -> Result<Vec<Feature>> {
    let mut kind = String::new();
    let mut features = Vec::new();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with("# ")) {
        if line == "#" {
            continue;
        }
        if let Some(next) = line.strip_prefix("## ") {
            next.clone_into(&mut kind);
            continue;
        }
        let wrong = |what: &str| Failure::new(format!("read line {} of the list of features: {what}", index + 1));
        if kind.is_empty() {
            return Err(wrong("a feature stands before the first `## KIND`"));
        }
        let (line, partial) = match line.split_once(" ! ") {
            Some((line, partial)) => (line, Some(partial.to_owned())),
            None => (line, None),
        };
        let (name, pattern) = match line.split_once(" ~ ") {
            Some((name, pattern)) => (name, pattern.to_owned()),
            None => (line, pattern_of(line, kind.to_lowercase().contains("functions"))),
        };
        let built = RegexBuilder::new(&pattern).case_insensitive(true).build();
        let pattern = built.map_err(|error| wrong(&error.to_string()))?;
        features.push(Feature { kind: kind.clone(), name: name.to_owned(), partial, pattern });
    }
    Ok(features)
}

/// The words of `name`, with any space between them; of a function the bracket that opens its call, or what stands in for one.
fn pattern_of(name: &str, is_function: bool) -> String {
    let bare = name.split(" (").next().unwrap_or(name);
    let words = bare.split_whitespace().map(regex::escape).collect::<Vec<_>>().join(r"\s+");
    if is_function { format!(r"\b{words}\s*\(") } else { format!(r"\b{words}\b") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feature_is_found_by_its_words_or_its_expression() {
        let list = "# about\n## Clauses\nNOT NULL\nTop-N ~ rn\\s*<=\n## Aggregate functions\nSUM\n";
        let features = read(list).unwrap();
        let names: Vec<&str> = features.iter().map(|feature| feature.name.as_str()).collect();
        assert_eq!(names, ["NOT NULL", "Top-N", "SUM"]);
        for (script, found) in [
            ("a not  null", [true, false, false]),
            ("WHERE rn <= 3", [false, true, false]),
            ("sum(a), summary", [false, false, true]),
            ("summary(a)", [false, false, false]),
        ] {
            assert_eq!(features.iter().map(|feature| feature.is_in(script)).collect::<Vec<_>>(), found, "{script}");
        }
    }

    #[test]
    fn a_wrong_line_is_named() {
        let wrong = |list: &str| read(list).unwrap_err().to_string();
        assert!(wrong("SUM\n").starts_with("read line 1 of the list of features: a feature stands before"));
        assert!(wrong("## A\nx ~ (\n").starts_with("read line 2 of the list of features: regex parse error"));
    }
}
