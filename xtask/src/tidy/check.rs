//! All rules over all files of the checkout.

use super::files::{self, TrackedFile};
use super::rules;
use crate::command;
use crate::failure::{Failure, Result};

/// One breach of one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// Counted from 1; 0 for the file as a whole.
    pub line: usize,
    /// What is wrong, and why that matters.
    pub why: String,
}

/// Holds all rules against all files.
///
/// # Errors
/// Fails with one line for each breach.
pub fn run(_: &[String]) -> Result<()> {
    let files = files::tracked(&command::root())?;
    let mut lines = Vec::new();
    for file in &files {
        for breach in breaches(file) {
            let place = if breach.line == 0 { file.path.clone() } else { format!("{}:{}", file.path, breach.line) };
            lines.push(format!("{place}: {}", breach.why));
        }
    }
    if lines.is_empty() {
        println!("tidy: {} files", files.len());
        return Ok(());
    }
    Err(Failure::new(format!("keep the house in order, {} times:\n  {}", lines.len(), lines.join("\n  "))))
}

/// What is wrong with one file.
fn breaches(file: &TrackedFile) -> Vec<Breach> {
    let mut found = rules::size(file);
    let Some(text) = &file.text else { return found };
    found.extend(rules::words(&file.path, text));
    found.extend(rules::case_header(&file.path, text));
    if file.path.ends_with(".rs") {
        found.extend(rules::line_width(&file.path, text));
        found.extend(rules::rust(&file.path, text));
    }
    if file.path.ends_with(".md") {
        found.extend(rules::one_title(text));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_held_against_the_rules_of_its_kind() {
        let file = |path: &str, text: &str| TrackedFile {
            path: path.to_owned(),
            bytes: u64::try_from(text.len()).unwrap(),
            text: Some(text.to_owned()),
        };
        assert!(breaches(&file("src/a.rs", "//! A file.\n\nfn a() {}\n")).is_empty());
        assert_eq!(breaches(&file("src/a.rs", "fn a() {}\n")).len(), 1);
        assert_eq!(breaches(&file("README.md", "# One\n# Two\n")).len(), 1);
        assert!(breaches(&file("data.csv", "no header, no title\n")).is_empty());
    }
}
