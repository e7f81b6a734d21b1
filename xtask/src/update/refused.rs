//! The format of refusals: wrong statements with what a real Flink says of each and what Weir says, beside each other.
//!
//! Owns reading and writing `cases/FEATURE/NAME.refused`; runs nothing. The test that runs them through the binary reads them by this same
//! file. Flink's words are written by `cargo xtask update --from-flink`, Weir's by the test with `UPDATE=1`. A file of refusals is
//!
//! ```text
//! -- What is refused, in one sentence.
//! -- flink 2.3.0 sql:0123456789abcdef
//! CREATE TABLE t ...;                 what all of them stand behind
//! ---- refused
//! SELECT nope FROM t;
//! ---- flink
//! Column 'nope' not found in any table
//! ---- weir
//! exit 2
//! job.sql:3:8: ...
//! ```

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::case::{CASE_DIR, Hash, files};

/// What stands before the name of a section.
const SECTION: &str = "---- ";

/// What the header begins with.
const HEADER: &str = "-- flink 2.3.0 sql:";

/// A file of refusals, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusals {
    /// `feature/name`.
    pub name: String,
    /// Its first line: what is refused.
    pub title: String,
    /// The header as it stands; `None` before Flink was asked.
    pub header: Option<String>,
    setup: String,
    /// The wrong statements.
    pub refusals: Vec<Refusal>,
}

/// One wrong statement, or a few of which the last one is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The statements.
    pub sql: String,
    /// What Flink says of it: `accepted` where it takes what Weir does not have.
    pub flink: Option<String>,
    /// What Weir says of it: the exit code, then its words.
    pub weir: Option<String>,
}

impl Refusals {
    /// Reads the refusals called `name` from their `text`.
    ///
    /// # Errors
    /// Fails with what the text lacks; fits after "failed to read NAME:".
    pub fn parse(name: &str, text: &str) -> Result<Self, String> {
        let mut lines = text.lines().peekable();
        let comment = |line: &str| line.strip_prefix("-- ").map(str::trim).map(str::to_owned);
        let title = lines.next().and_then(comment).ok_or("the first line is no `-- What is refused.`")?;
        let header = lines.next_if(|line| line.starts_with(HEADER)).map(str::to_owned);
        let mut read = Self { name: name.to_owned(), title, header, setup: String::new(), refusals: Vec::new() };
        let mut section = "setup".to_owned();
        for line in lines {
            if let Some(next) = line.strip_prefix(SECTION) {
                section = next.trim().to_owned();
                read.open(&section)?;
                continue;
            }
            let text = match (section.as_str(), read.refusals.last_mut()) {
                ("setup", _) => &mut read.setup,
                ("flink", Some(last)) => last.flink.get_or_insert_default(),
                ("weir", Some(last)) => last.weir.get_or_insert_default(),
                (_, Some(last)) => &mut last.sql,
                (_, None) => return Err("a section stands before the first `---- refused`".to_owned()),
            };
            text.push_str(line);
            text.push('\n');
        }
        if read.refusals.is_empty() {
            return Err("no statement stands behind a line `---- refused`".to_owned());
        }
        Ok(read)
    }

    /// Begins the section called `section`.
    fn open(&mut self, section: &str) -> Result<(), String> {
        let last = self.refusals.last_mut();
        match (section, last) {
            ("refused", _) => self.refusals.push(Refusal { sql: String::new(), flink: None, weir: None }),
            ("flink", Some(last)) => last.flink = Some(String::new()),
            ("weir", Some(last)) => last.weir = Some(String::new()),
            _ => return Err(format!("`---- {section}` is no section here: there are refused, then flink and weir")),
        }
        Ok(())
    }

    /// The whole script of `refusal`, with `dir` for the folder of inputs.
    pub fn script_in(&self, dir: &Path, refusal: &Refusal) -> String {
        format!("{}{}", self.setup, refusal.sql).replace(CASE_DIR, &dir.display().to_string())
    }

    /// The header that it has once Flink was asked.
    pub fn current_header(&self) -> String {
        let mut hash = Hash::new();
        hash.add(&self.setup);
        self.refusals.iter().for_each(|refusal| hash.add(&refusal.sql));
        format!("{HEADER}{:016x}", hash.value())
    }

    /// Whether Flink was asked of just these statements.
    pub fn is_current(&self) -> bool {
        self.header.as_ref() == Some(&self.current_header()) && self.refusals.iter().all(|each| each.flink.is_some())
    }

    /// The text of the file.
    pub fn print(&self) -> String {
        let mut text = format!("-- {}\n", self.title);
        if let Some(header) = &self.header {
            let _ = writeln!(text, "{header}");
        }
        text.push_str(&self.setup);
        for refusal in &self.refusals {
            section(&mut text, "refused", Some(&refusal.sql));
            section(&mut text, "flink", refusal.flink.as_deref());
            section(&mut text, "weir", refusal.weir.as_deref());
        }
        text
    }
}

/// Adds a section if there is one.
fn section(text: &mut String, name: &str, body: Option<&str>) {
    if let Some(body) = body {
        let _ = write!(text, "{SECTION}{name}\n{}\n", body.trim_end());
    }
}

/// The `.refused` files below `cases`, sorted, each with its name `feature/name`.
///
/// # Errors
/// Fails when a folder cannot be read.
pub fn all(cases: &Path) -> std::io::Result<Vec<(String, PathBuf)>> {
    files(cases, "refused")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "-- Shows.\nCREATE TABLE t;\n---- refused\nSELECT a;\n---- refused\nSELECT b;\n---- flink\nno b\n---- weir\nexit 2\nno b\n";

    #[test]
    fn what_is_read_is_printed_again() {
        let read = Refusals::parse("f/a", TEXT).unwrap();
        assert_eq!((read.title.as_str(), read.refusals.len()), ("Shows.", 2));
        assert_eq!(read.script_in(Path::new("/x"), &read.refusals[1]), "CREATE TABLE t;\nSELECT b;\n");
        assert_eq!(read.print(), TEXT);
        assert!(!read.is_current());
    }

    #[test]
    fn it_is_current_once_flink_was_asked_of_all_of_it() {
        let mut read = Refusals::parse("f/a", TEXT).unwrap();
        read.header = Some(read.current_header());
        assert!(!read.is_current());
        read.refusals[0].flink = Some("no a\n".to_owned());
        let text = read.print();
        assert!(Refusals::parse("f/a", &text).unwrap().is_current());
        assert!(!Refusals::parse("f/a", &text.replace("SELECT a", "SELECT c")).unwrap().is_current());
    }

    #[test]
    fn what_is_missing_is_named() {
        let cases = [
            ("SELECT 1;", "the first line is no `-- What is refused.`"),
            ("-- A.\nSELECT 1;", "no statement stands behind a line `---- refused`"),
            ("-- A.\n---- weir\n", "`---- weir` is no section here: there are refused, then flink and weir"),
        ];
        for (text, wrong) in cases {
            assert_eq!(Refusals::parse("f/a", text).unwrap_err(), wrong);
        }
    }
}
