//! A case run on a real Flink: its rows, as Flink's print connector wrote them into the task manager's output.

use std::fs;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::answers::{self, Answers};
use super::case::Case;
use super::gateway::Session;
use super::refused::Refusals;
use super::statements;
use crate::failure::{Failure, Result};

/// What every case's session is set to: rows in one order, watermarks by the rows alone (no timer).
const SETTINGS: &[(&str, &str)] =
    &[("parallelism.default", "1"), ("pipeline.auto-watermark-interval", "0"), ("table.dml-sync", "true")];

/// How a case writes its sinks' connector, so that their rows can be told apart in the log.
const PRINT: &str = "'connector' = 'print'";

/// How a case names a sink of its own.
const IDENTIFIER: &str = "'print-identifier' = '";

/// What is written where Flink takes a statement that Weir refuses.
const ACCEPTED: &str = "accepted";

/// A Flink that runs.
pub struct Flink {
    /// The gateway's URL.
    pub gateway: String,
    /// Where the task manager's output goes.
    pub log: PathBuf,
    /// A folder for inputs that this user may write.
    pub inputs: PathBuf,
}

impl Flink {
    /// The rows of `case`, sorted where it has no order.
    ///
    /// # Errors
    /// Fails when Flink refuses the script or its job fails.
    pub fn rows(&self, case: &Case) -> Result<Vec<String>> {
        let dir = self.inputs.join(&case.name);
        case.write_inputs(&dir).map_err(|error| Failure::io(format_args!("write {}", dir.display()), &error))?;
        let from = self.log_length()?;
        let session = self.session()?;
        for statement in statements::split(&case.flink_script_in(&dir)) {
            session.run(&identified(&case.name, &statement))?;
        }
        let mut rows = rows_in(&self.log_from(from)?, &case.name);
        if !case.is_ordered {
            rows.sort();
        }
        Ok(rows)
    }

    /// Asks Flink of each wrong statement, in a session of its own.
    ///
    /// # Errors
    /// Fails when Flink refuses what stands before the wrong one.
    pub fn refuse(&self, refusals: &mut Refusals) -> Result<()> {
        let dir = self.inputs.join(&refusals.name);
        for index in 0..refusals.refusals.len() {
            let statements = statements::split(&refusals.script_in(&dir, &refusals.refusals[index]));
            let session = self.session()?;
            let mut said = None;
            for statement in statements {
                said = session.refusal(&statement)?;
                if said.is_some() {
                    break;
                }
            }
            refusals.refusals[index].flink = Some(said.unwrap_or_else(|| ACCEPTED.to_owned()));
        }
        refusals.header = Some(refusals.current_header());
        Ok(())
    }

    /// Has Flink answer a script.
    ///
    /// # Errors
    /// Fails when Flink refuses a statement of it, or answers none.
    pub fn answer(&self, script: &mut Answers) -> Result<()> {
        // Not `session()`: its settings would be shown by SET.
        let session = Session::open(&self.gateway)?;
        let mut text = String::new();
        for statement in statements::split(&script.script) {
            if let Some((columns, rows)) = session.table(&statement)? {
                text.push_str(&answers::table(&columns, &rows));
            }
        }
        if text.is_empty() {
            return Err(Failure::new("find an answer in it: a script without one proves nothing"));
        }
        script.answers = text;
        script.header = Some(script.current_header());
        Ok(())
    }

    /// A session with the settings of all cases.
    fn session(&self) -> Result<Session> {
        let session = Session::open(&self.gateway)?;
        for (key, value) in SETTINGS {
            session.run(&format!("SET '{key}' = '{value}'"))?;
        }
        Ok(session)
    }

    fn log_length(&self) -> Result<u64> {
        let failed = |error| Failure::io(format_args!("read {}", self.log.display()), &error);
        fs::metadata(&self.log).map(|found| found.len()).map_err(failed)
    }

    fn log_from(&self, from: u64) -> Result<String> {
        let read = |path: &Path| -> std::io::Result<Vec<u8>> {
            let mut file = fs::File::open(path)?;
            file.seek(SeekFrom::Start(from))?;
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        let failed = |error| Failure::io(format_args!("read {}", self.log.display()), &error);
        read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).map_err(failed)
    }
}

/// `statement` with the case's name before what its sinks print; a name that a sink has already stays behind it.
fn identified(name: &str, statement: &str) -> String {
    if statement.contains(IDENTIFIER) {
        return statement.replace(IDENTIFIER, &format!("{IDENTIFIER}{name}|"));
    }
    statement.replace(PRINT, &format!("{PRINT}, {IDENTIFIER}{name}'"))
}

/// The rows of the case called `name` among the lines of `log`.
fn rows_in(log: &str, name: &str) -> Vec<String> {
    let row = |line: &str| {
        let rest = line.strip_prefix(name)?;
        rest.strip_prefix("> ").or_else(|| rest.strip_prefix('|')).map(str::to_owned)
    };
    log.lines().filter_map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_by_the_name_that_their_sink_got() {
        let plain = identified("f/a", "CREATE TABLE t (x INT) WITH ('connector' = 'print')");
        assert_eq!(plain, "CREATE TABLE t (x INT) WITH ('connector' = 'print', 'print-identifier' = 'f/a')");
        let named = identified("f/a", "... ('connector' = 'print', 'print-identifier' = 'high')");
        assert_eq!(named, "... ('connector' = 'print', 'print-identifier' = 'f/a|high')");
        let log = "INFO f/a> no\nf/a> +I[1]\nf/ab> +I[2]\nf/a|high> +I[3]\n";
        assert_eq!(rows_in(log, "f/a"), ["+I[1]", "high> +I[3]"]);
    }
}
