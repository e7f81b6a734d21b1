//! The format of cases: a Flink SQL script with its input and, beside it, the rows that a real Flink gave for it.
//!
//! Owns reading `cases/FEATURE/NAME.case` and the header of `NAME.expected`; neither runs anything. The test that runs
//! the cases through the binary reads them by this same file, so both mean the same by a case. A case is
//!
//! ```text
//! -- What it shows, in one sentence.
//! -- rows: ordered            (or any-order)
//! CREATE TABLE ... WITH ('connector' = 'filesystem', 'path' = '${CASE_DIR}/in', ...);
//! ---- input in
//! {"id":1}
//! ```
//!
//! A case of an extension, which Flink does not have, says so and names the Flink SQL that writes the same rows:
//!
//! ```text
//! -- weir-extension: METRIC_COUNT
//! ...
//! ---- flink-sql
//! CREATE TABLE ...;
//! ---- input in
//! ```

use std::path::{Path, PathBuf};

/// What stands before the name of an input.
const INPUT: &str = "---- input ";

/// What stands before the SQL that Flink runs in place of a case's script.
const FLINK_SQL: &str = "---- flink-sql\n";

/// How a case says that it shows what Flink does not have.
const EXTENSION: &str = "-- weir-extension: ";

/// What a script writes for the folder of its inputs.
pub const CASE_DIR: &str = "${CASE_DIR}";

/// A case, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// `feature/name`.
    pub name: String,
    /// Its first line: what it shows.
    pub title: String,
    /// Whether its rows come in one order at parallelism 1, whatever is done to the batches.
    pub is_ordered: bool,
    script: String,
    /// The extension that it shows, with the SQL that Flink runs for its rows.
    extension: Option<(String, String)>,
    /// Each input's path below the case's folder, and its bytes.
    pub inputs: Vec<(String, String)>,
}

impl Case {
    /// Reads the case called `name` from its `text`.
    ///
    /// # Errors
    /// Fails with what the text lacks; fits after "failed to read NAME:".
    pub fn parse(name: &str, text: &str) -> Result<Self, String> {
        let mut sections = text.split(INPUT);
        let scripts = sections.next().unwrap_or_default();
        let (script, flink_sql) = match scripts.split_once(FLINK_SQL) {
            Some((script, flink_sql)) => (script.to_owned(), Some(flink_sql.to_owned())),
            None => (scripts.to_owned(), None),
        };
        let comment = |line: &str| line.strip_prefix("-- ").map(str::trim).map(str::to_owned);
        let title = script.lines().next().and_then(comment).ok_or("the first line is no `-- What it shows.`")?;
        let rows = script.lines().find_map(|line| line.strip_prefix("-- rows: "));
        let is_ordered = match rows.map(str::trim) {
            Some("ordered") => true,
            Some("any-order") => false,
            _ => return Err("a line `-- rows: ordered` or `-- rows: any-order` is missing".to_owned()),
        };
        let extension = script.lines().find_map(|line| line.strip_prefix(EXTENSION)).map(|name| name.trim().to_owned());
        let extension = match (extension, flink_sql) {
            (Some(name), Some(flink_sql)) => Some((name, flink_sql)),
            (None, None) => None,
            (Some(_), None) => return Err("it shows an extension: a section `---- flink-sql` is missing".to_owned()),
            (None, Some(_)) => return Err("it has Flink's SQL: a line `-- weir-extension: NAME` is missing".to_owned()),
        };
        let inputs: Vec<(String, String)> = sections
            .filter_map(|section| section.split_once('\n'))
            .map(|(path, lines)| (path.trim().to_owned(), lines.to_owned()))
            .collect();
        if let Some((path, _)) = inputs.iter().find(|(path, _)| !script.contains(root_of(path))) {
            return Err(format!("the script does not read the input {path}"));
        }
        Ok(Self { name: name.to_owned(), title, is_ordered, script, extension, inputs })
    }

    /// The script with `dir` for the folder of its inputs.
    pub fn script_in(&self, dir: &Path) -> String {
        self.script.replace(CASE_DIR, &dir.display().to_string())
    }

    /// The script that Flink runs for its rows, with `dir` for the folder of its inputs: the case's own unless it shows an extension.
    pub fn flink_script_in(&self, dir: &Path) -> String {
        match &self.extension {
            Some((_, flink_sql)) => flink_sql.replace(CASE_DIR, &dir.display().to_string()),
            None => self.script_in(dir),
        }
    }

    /// The first line of its `.expected`: of which Flink the rows are, and from what.
    pub fn expected_header(&self) -> String {
        let mut input = Hash::new();
        for (path, lines) in &self.inputs {
            input.add(path);
            input.add(lines);
        }
        let mut sql = Hash::new();
        sql.add(&self.script);
        let mut end = String::new();
        if let Some((name, flink_sql)) = &self.extension {
            sql.add(flink_sql);
            end = format!(" weir-extension:{name}");
        }
        format!("-- flink 2.3.0 sql:{:016x} input:{:016x}{end}", sql.value(), input.value())
    }

    /// Writes its inputs below `dir`.
    ///
    /// # Errors
    /// Fails when a file cannot be written.
    pub fn write_inputs(&self, dir: &Path) -> std::io::Result<()> {
        for (path, lines) in &self.inputs {
            let path = dir.join(path);
            std::fs::create_dir_all(path.parent().unwrap_or(dir))?;
            std::fs::write(path, lines)?;
        }
        Ok(())
    }
}

/// The first folder of an input's path, which is what a script may name.
fn root_of(path: &str) -> &str {
    path.split('/').next().unwrap_or(path)
}

/// The `.case` files below `cases`, sorted, each with its name `feature/name`.
///
/// # Errors
/// Fails when a folder cannot be read.
pub fn all(cases: &Path) -> std::io::Result<Vec<(String, PathBuf)>> {
    files(cases, "case")
}

/// The files below `cases` that end in `.end`, sorted, each with its name `feature/name`.
///
/// # Errors
/// Fails when a folder cannot be read.
pub fn files(cases: &Path, end: &str) -> std::io::Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    for feature in std::fs::read_dir(cases)? {
        let feature = feature?.path();
        if !feature.is_dir() {
            continue;
        }
        for file in std::fs::read_dir(&feature)? {
            let path = file?.path();
            if path.extension().is_some_and(|extension| extension == end) {
                let name = path.with_extension("");
                let name = name.strip_prefix(cases).unwrap_or(&name).display().to_string();
                found.push((name, path));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// FNV-1a with 64 bits: tells versions of a case apart, protects against nothing.
pub struct Hash(u64);

impl Hash {
    /// Of nothing.
    pub const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    /// Adds `text` and its end.
    pub fn add(&mut self, text: &str) {
        for byte in text.bytes().chain([0xff]) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// The hash of what was added.
    pub const fn value(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "-- Shows a thing.\n-- rows: any-order\nSELECT '${CASE_DIR}/in';\n---- input in/a\n1\n\n2\n---- input in/b\n3\n";

    #[test]
    fn a_case_has_a_title_a_script_and_inputs_byte_for_byte() {
        let case = Case::parse("f/a", TEXT).unwrap();
        assert_eq!((case.title.as_str(), case.is_ordered), ("Shows a thing.", false));
        let inputs = [("in/a", "1\n\n2\n"), ("in/b", "3\n")].map(|(path, text)| (path.to_owned(), text.to_owned()));
        assert_eq!(case.inputs, inputs);
        assert!(case.script_in(Path::new("/x")).ends_with("SELECT '/x/in';\n"));
    }

    #[test]
    fn what_is_missing_is_named() {
        let cases = [
            ("SELECT 1;", "the first line is no `-- What it shows.`"),
            ("-- A.\nSELECT 1;", "a line `-- rows: ordered` or `-- rows: any-order` is missing"),
            ("-- A.\n-- rows: ordered\nSELECT 1;\n---- input in\n1\n", "the script does not read the input in"),
            (
                "-- A.\n-- rows: ordered\n-- weir-extension: F\nSELECT F(1);\n",
                "it shows an extension: a section `---- flink-sql` is missing",
            ),
            (
                "-- A.\n-- rows: ordered\nSELECT F(1);\n---- flink-sql\nSELECT 1;\n",
                "it has Flink's SQL: a line `-- weir-extension: NAME` is missing",
            ),
        ];
        for (text, wrong) in cases {
            assert_eq!(Case::parse("f/a", text).unwrap_err(), wrong);
        }
    }

    #[test]
    fn an_extension_is_run_by_flink_as_other_sql_and_says_so() {
        let text = "-- A.\n-- rows: ordered\n-- weir-extension: F\nSELECT F('${CASE_DIR}/in');\n---- flink-sql\nSELECT '${CASE_DIR}/in';\n---- input in\n1\n";
        let case = Case::parse("f/a", text).unwrap();
        assert!(case.script_in(Path::new("/x")).ends_with("SELECT F('/x/in');\n"));
        assert_eq!(case.flink_script_in(Path::new("/x")), "SELECT '/x/in';\n");
        assert!(case.expected_header().ends_with(" weir-extension:F"));
        let other = Case::parse("f/a", &text.replace("SELECT '$", "SELECT DISTINCT '$")).unwrap();
        assert_ne!(case.expected_header(), other.expected_header());
    }

    #[test]
    fn the_header_changes_with_the_script_and_with_the_input() {
        let header = |text: &str| Case::parse("f/a", text).unwrap().expected_header();
        let first = header(TEXT);
        let (other_sql, other_input) = (header(&TEXT.replace("SELECT", "select")), header(&TEXT.replace('3', "4")));
        let parts = |header: &str| header.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(parts(&first)[..3], ["--", "flink", "2.3.0"]);
        assert!(parts(&first)[3] != parts(&other_sql)[3] && parts(&first)[4] == parts(&other_sql)[4]);
        assert!(parts(&first)[3] == parts(&other_input)[3] && parts(&first)[4] != parts(&other_input)[4]);
    }
}
