//! Flink's SQL gateway: a session, and statements in it until each has ended.
//!
//! Endpoints: <https://nightlies.apache.org/flink/flink-docs-stable/docs/dev/table/sql-gateway/rest/>.

use std::time::Duration;

use serde_json::{Value, json};

use crate::clock;
use crate::failure::{Failure, Result};

/// How long a statement may take: a case's whole job, on a machine that is busy.
const STATEMENT_LIMIT: Duration = Duration::from_secs(120);

/// Lines of a cause that are kept: some list every type or table there is.
const CAUSE_LINES_MAX: usize = 6;

/// A session of its own: tables and settings of one case do not reach another.
pub struct Session {
    base: String,
    handle: String,
}

impl Session {
    /// Opens a session at the gateway `base`, a URL.
    ///
    /// # Errors
    /// Fails when the gateway does not answer, or refuses.
    pub fn open(base: &str) -> Result<Self> {
        let answer = post(&format!("{base}/v1/sessions"), &json!({}))?;
        Ok(Self { base: base.to_owned(), handle: text(&answer, "sessionHandle")? })
    }

    /// Runs `statement` to its end; an `INSERT` with `table.dml-sync` to the end of its job.
    ///
    /// # Errors
    /// Fails with Flink's innermost words when it refuses the statement or the job fails.
    pub fn run(&self, statement: &str) -> Result<()> {
        self.run_within(statement, STATEMENT_LIMIT)
    }

    /// The same for a statement that may take up to `limit`.
    ///
    /// # Errors
    /// As [`Session::run`].
    pub fn run_within(&self, statement: &str, limit: Duration) -> Result<()> {
        match self.outcome(statement, limit)? {
            None => Ok(()),
            Some(errors) => Err(Failure::new(format!("have Flink do it: {}", innermost(&errors)))),
        }
    }

    /// The words with which Flink refuses `statement` or its job fails, if it does; `None`: it takes it.
    ///
    /// # Errors
    /// Fails when the gateway does not answer, or the statement has not ended in time.
    pub fn refusal(&self, statement: &str) -> Result<Option<String>> {
        Ok(self.outcome(statement, STATEMENT_LIMIT)?.map(|errors| cause(&errors)))
    }

    /// What `statement` answers, if it has more to say than that it was done: its columns, and its rows as text, NULL as nothing.
    ///
    /// # Errors
    /// As [`Session::run`].
    pub fn table(&self, statement: &str) -> Result<Option<Table>> {
        let mut table = None;
        match self.results(statement, STATEMENT_LIMIT, |answer| take_rows(answer, &mut table))? {
            None => Ok(table),
            Some(errors) => Err(Failure::new(format!("have Flink do it: {}", innermost(&errors)))),
        }
    }

    /// The errors with which `statement` ends, if it does.
    fn outcome(&self, statement: &str, limit: Duration) -> Result<Option<Vec<Value>>> {
        self.results(statement, limit, |_| {})
    }

    /// Hands all results of `statement` to `take`; gives the errors with which it ends, if it does.
    fn results(&self, statement: &str, limit: Duration, mut take: impl FnMut(&Value)) -> Result<Option<Vec<Value>>> {
        let session = format!("{}/v1/sessions/{}", self.base, self.handle);
        let answer = match post_for(&format!("{session}/statements"), &json!({ "statement": statement }))? {
            Answer::Errors(errors) => return Ok(Some(errors)),
            Answer::Body(body) => body,
        };
        let operation = text(&answer, "operationHandle")?;
        let mut url = format!("{session}/operations/{operation}/result/0?rowFormat=JSON");
        let ended = clock::wait_for(limit, || match get(&url) {
            Err(failure) => Some(Err(failure)),
            Ok(Answer::Errors(errors)) => Some(Ok(Some(errors))),
            Ok(Answer::Body(answer)) => match answer.get("resultType").and_then(Value::as_str) {
                Some("EOS") => {
                    take(&answer);
                    Some(Ok(None))
                }
                Some("PAYLOAD") => {
                    take(&answer);
                    if let Some(next) = answer.get("nextResultUri").and_then(Value::as_str) {
                        url = format!("{}{next}", self.base);
                    }
                    None
                }
                _ => None,
            },
        });
        let late = || Err(Failure::new(format!("see the end of the statement within {limit:?}")));
        ended.unwrap_or_else(late)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // A session that stays is closed by the gateway when it has been idle for a while.
        let _ = ureq::delete(format!("{}/v1/sessions/{}", self.base, self.handle)).call();
    }
}

/// Columns and rows as text.
pub type Table = (Vec<String>, Vec<Vec<String>>);

/// Adds the rows of `answer` to `table`, unless it says only that the statement was done.
fn take_rows(answer: &Value, table: &mut Option<Table>) {
    if answer.get("resultKind").and_then(Value::as_str) != Some("SUCCESS_WITH_CONTENT") {
        return;
    }
    let list = |value: &Value, key: &str| value.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let results = answer.get("results").cloned().unwrap_or_default();
    let name = |column: &Value| column.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    let columns = || list(&results, "columns").iter().map(name).collect();
    let (_, rows) = table.get_or_insert_with(|| (columns(), Vec::new()));
    for row in list(&results, "data") {
        rows.push(list(&row, "fields").iter().map(cell).collect());
    }
}

/// A value as the SQL client shows it.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(value) => value.to_string().to_uppercase(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// What the gateway answers.
enum Answer {
    Body(Value),
    /// The traces of what went wrong.
    Errors(Vec<Value>),
}

fn post(url: &str, body: &Value) -> Result<Value> {
    match post_for(url, body)? {
        Answer::Body(body) => Ok(body),
        Answer::Errors(errors) => Err(Failure::new(format!("have Flink do it: {}", innermost(&errors)))),
    }
}

fn post_for(url: &str, body: &Value) -> Result<Answer> {
    let request = ureq::post(url).config().http_status_as_error(false).build();
    read(url, request.content_type("application/json").send(body.to_string()))
}

fn get(url: &str) -> Result<Answer> {
    read(url, ureq::get(url).config().http_status_as_error(false).build().call())
}

fn read(url: &str, answer: std::result::Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Answer> {
    let failed = |error| Failure::new(format!("ask Flink's SQL gateway at {url}: {error}"));
    let text = answer.and_then(|mut answer| answer.body_mut().read_to_string()).map_err(failed)?;
    let body: Value = serde_json::from_str(&text)
        .map_err(|error| Failure::new(format!("read the answer of Flink's SQL gateway at {url}: {error}: {text}")))?;
    match body.get("errors").and_then(Value::as_array) {
        Some(errors) => Ok(Answer::Errors(errors.clone())),
        None => Ok(Answer::Body(body)),
    }
}

/// The words of the innermost cause in the traces, without its class, up to where the trace begins.
fn cause(errors: &[Value]) -> String {
    let lines: Vec<&str> = errors.iter().filter_map(Value::as_str).flat_map(str::lines).collect();
    let first = lines.iter().rposition(|line| line.trim_start().starts_with("Caused by: "));
    let first = first.unwrap_or_else(|| lines.iter().position(|line| line.contains("Exception")).unwrap_or(0));
    let is_trace =
        |line: &&&str| !matches!(line.trim_start(), trace if trace.starts_with("at ") || trace.starts_with("... "));
    let words = lines.iter().skip(first).take_while(is_trace).take(CAUSE_LINES_MAX).map(|line| line.trim_end());
    let words = words.collect::<Vec<_>>().join("\n");
    let words = words.trim_start().trim_start_matches("Caused by: ");
    match words.split_once(": ") {
        Some((class, rest)) if class.contains('.') && !class.contains(' ') => rest.to_owned(),
        _ => words.rsplit('.').next().filter(|_| !words.contains(' ')).unwrap_or(words).to_owned(),
    }
}

/// The innermost causes in the traces that the gateway answers with.
fn innermost(errors: &[Value]) -> String {
    let lines = errors.iter().filter_map(Value::as_str).flat_map(str::lines).map(str::trim);
    let causes: Vec<&str> = lines.clone().filter(|line| line.starts_with("Caused by: ")).collect();
    match causes.last() {
        Some(_) => causes.iter().rev().take(2).copied().collect::<Vec<_>>().join("; "),
        None => lines.take(3).collect::<Vec<_>>().join(" "),
    }
}

fn text(answer: &Value, key: &str) -> Result<String> {
    let missing = || Failure::new(format!("find '{key}' in the answer of Flink's SQL gateway: {answer}"));
    answer.get(key).and_then(Value::as_str).map(str::to_owned).ok_or_else(missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_cause_its_words_are_kept_without_its_class_and_its_trace() {
        let trace =
            "Internal.\na.b.SqlException: top\n\tat x\nCaused by: c.d.Validation: it is\nwrong\n\tat y\n\t... 3 more\n";
        assert_eq!(cause(&[json!("<Exception on server side:"), json!(trace)]), "it is\nwrong");
        assert_eq!(cause(&[json!("a.b.SqlException: top\n\tat x")]), "top");
        assert_eq!(cause(&[json!("Caused by: java.lang.NullPointerException\n\tat x")]), "NullPointerException");
    }

    #[test]
    fn of_a_trace_the_innermost_causes_are_told() {
        let trace = "top\nCaused by: a\n\tat x\nCaused by: b\n\tat y\nCaused by: c\n";
        assert_eq!(innermost(&[json!(trace)]), "Caused by: c; Caused by: b");
        assert_eq!(innermost(&[json!("Internal server error."), json!("why")]), "Internal server error. why");
    }
}
