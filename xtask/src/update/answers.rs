//! The format of answers: scripts of SHOW, DESCRIBE and their like with the tables that a real Flink answered.
//!
//! Owns reading and writing `cases/FEATURE/NAME.answers`, and a table as Flink's SQL client draws it; runs nothing. The test that runs the scripts through
//! the binary reads them by this same file. A file of answers is
//!
//! ```text
//! -- What it shows, in one sentence.
//! -- flink 2.3.0 sql:0123456789abcdef
//! CREATE TABLE t ...;
//! SHOW TABLES;
//! ---- answers
//! +------------+
//! | table name |
//! ...
//! ```

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::case::{Hash, files};

/// What stands between the script and the answers.
const ANSWERS: &str = "---- answers\n";

/// What the header begins with.
const HEADER: &str = "-- flink 2.3.0 sql:";

/// A file of answers, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answers {
    /// `feature/name`.
    pub name: String,
    /// Its first line: what it shows.
    pub title: String,
    /// The header as it stands; `None` before Flink was asked.
    pub header: Option<String>,
    /// The statements.
    pub script: String,
    /// What Flink answered.
    pub answers: String,
}

impl Answers {
    /// Reads the answers called `name` from their `text`.
    ///
    /// # Errors
    /// Fails with what the text lacks; fits after "failed to read NAME:".
    pub fn parse(name: &str, text: &str) -> Result<Self, String> {
        let (title, mut rest) = text.split_once('\n').unwrap_or((text, ""));
        let title = title.strip_prefix("-- ").ok_or("the first line is no `-- What it shows.`")?.trim().to_owned();
        let mut header = None;
        if rest.starts_with(HEADER) {
            let (line, behind) = rest.split_once('\n').unwrap_or((rest, ""));
            header = Some(line.to_owned());
            rest = behind;
        }
        let (script, answers) = rest.split_once(ANSWERS).unwrap_or((rest, ""));
        if script.trim().is_empty() {
            return Err("it has no statement".to_owned());
        }
        Ok(Self { name: name.to_owned(), title, header, script: script.to_owned(), answers: answers.to_owned() })
    }

    /// The header that it has once Flink was asked.
    pub fn current_header(&self) -> String {
        let mut hash = Hash::new();
        hash.add(&self.script);
        format!("{HEADER}{:016x}", hash.value())
    }

    /// Whether Flink was asked of just this script.
    pub fn is_current(&self) -> bool {
        self.header.as_ref() == Some(&self.current_header())
    }

    /// The text of the file.
    pub fn print(&self) -> String {
        let header = self.header.as_ref().map(|header| format!("{header}\n")).unwrap_or_default();
        format!("-- {}\n{header}{}\n{ANSWERS}{}\n", self.title, self.script.trim_end(), self.answers.trim_end())
    }
}

/// The `.answers` files below `cases`, sorted, each with its name `feature/name`.
///
/// # Errors
/// Fails when a folder cannot be read.
pub fn all(cases: &Path) -> std::io::Result<Vec<(String, PathBuf)>> {
    files(cases, "answers")
}

/// A table as Flink's SQL client draws it: values to the right, as wide as the widest of each column, NULL as nothing.
pub fn table(columns: &[String], rows: &[Vec<String>]) -> String {
    if rows.is_empty() {
        return "Empty set\n".to_owned();
    }
    let width = |index: usize| {
        let cells = rows.iter().filter_map(|row| row.get(index));
        cells.chain([&columns[index]]).map(|cell| cell.chars().count()).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let rule: String = widths.iter().map(|width| format!("+{}", "-".repeat(width + 2))).collect();
    let line = |cells: &[String]| {
        let cells = cells.iter().zip(&widths).map(|(cell, width)| format!("| {cell:>width$} "));
        format!("{}|\n", cells.collect::<String>())
    };
    let mut table = format!("{rule}+\n{}{rule}+\n", line(columns));
    rows.iter().for_each(|row| table.push_str(&line(row)));
    let noun = if rows.len() == 1 { "row" } else { "rows" };
    // Writing into a String cannot fail.
    let _ = writeln!(table, "{rule}+\n{} {noun} in set", rows.len());
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_printed_again() {
        let text = "-- Shows.\n-- flink 2.3.0 sql:1\nSHOW TABLES;\n---- answers\nEmpty set\n";
        let read = Answers::parse("f/a", text).unwrap();
        assert_eq!((read.title.as_str(), read.script.as_str(), read.is_current()), ("Shows.", "SHOW TABLES;\n", false));
        assert_eq!(read.print(), text);
        assert_eq!(Answers::parse("f/a", "SHOW").unwrap_err(), "the first line is no `-- What it shows.`");
        assert_eq!(Answers::parse("f/a", "-- A.\n").unwrap_err(), "it has no statement");
    }

    #[test]
    fn a_table_is_as_wide_as_its_cells() {
        let cells = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>();
        let drawn = table(&cells(&["a", "long"]), &[cells(&["1", ""]), cells(&["äöü", "x"])]);
        let expected = "\
+-----+------+
|   a | long |
+-----+------+
|   1 |      |
| äöü |    x |
+-----+------+
2 rows in set
";
        assert_eq!(drawn, expected);
        assert_eq!(table(&cells(&["a"]), &[]), "Empty set\n");
    }
}
