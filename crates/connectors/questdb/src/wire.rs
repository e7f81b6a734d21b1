//! The wire: rows into the official client's buffer, a buffer to QuestDB over HTTP, its answer into one of three outcomes.

use questdb::ErrorCode;
use questdb::ingress::{Buffer, ColumnName, Sender, TableName, TimestampMicros};
use weir_base::{Error, Result};

use crate::columns::{Columns, Kind};
use crate::config::Config;
use crate::frame::{Value, decode};

/// How a request ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// All its rows are in the table.
    Accepted,
    /// None of its rows is: QuestDB does not take at least one of them, in its words.
    Refused(String),
    /// Nobody knows: no answer, or one that says nothing of the rows. To be sent again.
    Failed(String),
}

/// A connection to QuestDB, made when first needed.
pub(crate) struct Wire {
    config: Config,
    sender: Option<Sender>,
    buffer: Option<Buffer>,
}

impl Wire {
    pub(crate) fn new(config: Config) -> Self {
        Self { config, sender: None, buffer: None }
    }

    /// Checks names once, before anything is written.
    ///
    /// # Errors
    /// A name that QuestDB does not take.
    pub(crate) fn check_names(table: &str, columns: &Columns) -> Result<()> {
        let refused = |what: &str, name: &str, error: &questdb::Error| {
            Error::invalid(format!("write to QuestDB: it does not take the {what} '{name}': {}", error.msg()))
        };
        TableName::new(table).map_err(|error| refused("table name", table, &error))?;
        for column in &columns.all {
            ColumnName::new(&column.name).map_err(|error| refused("column name", &column.name, &error))?;
        }
        Ok(())
    }

    fn connect(&mut self) -> Result<(), questdb::Error> {
        if self.sender.is_some() {
            return Ok(());
        }
        let value = |text: &str| text.replace(';', ";;");
        let mut conf = format!(
            "http::addr={}:{};request_timeout={};retry_timeout=0;",
            value(&self.config.host),
            self.config.http_port,
            self.config.request_timeout.as_millis().max(1)
        );
        if let Some((user, password)) = &self.config.login {
            conf.push_str(&format!("username={};password={};", value(user), value(password)));
        }
        let sender = Sender::from_conf(conf)?;
        self.buffer = Some(sender.new_buffer());
        self.sender = Some(sender);
        Ok(())
    }

    /// Sends rows in one request.
    pub(crate) fn send(&mut self, rows: &[&[u8]], columns: &Columns) -> Outcome {
        if let Err(error) = self.connect() {
            return Outcome::Failed(format!(
                "connect to {}:{}: {}",
                self.config.host,
                self.config.http_port,
                error.msg()
            ));
        }
        let (Some(sender), Some(buffer)) = (self.sender.as_mut(), self.buffer.as_mut()) else {
            return Outcome::Failed("there is no connection".to_owned());
        };
        buffer.clear();
        let mut values = Vec::with_capacity(columns.all.len());
        for row in rows {
            if let Err(words) = fill(buffer, &self.config.table, row, columns, &mut values) {
                return Outcome::Refused(words);
            }
        }
        match sender.flush_and_keep(buffer) {
            Ok(()) => Outcome::Accepted,
            Err(error) => {
                let outcome = outcome_of(&error);
                if sender.must_close() || matches!(outcome, Outcome::Failed(_)) {
                    self.sender = None;
                }
                outcome
            }
        }
    }
}

/// What an error says of the rows. QuestDB takes a request to one table as a whole or not at all.
fn outcome_of(error: &questdb::Error) -> Outcome {
    let text = error.msg().trim_start_matches("Could not flush buffer: ");
    match error.code() {
        ErrorCode::ServerFlushError => {
            let (code, words) = answer(text);
            match code.as_deref() {
                Some("invalid" | "request too large") => Outcome::Refused(words),
                _ => Outcome::Failed(words),
            }
        }
        ErrorCode::InvalidApiCall
        | ErrorCode::InvalidUtf8
        | ErrorCode::InvalidName
        | ErrorCode::InvalidTimestamp
        | ErrorCode::ServerRejection => Outcome::Refused(text.to_owned()),
        _ => Outcome::Failed(text.to_owned()),
    }
}

/// The code and the words of an answer: JSON as QuestDB sends it, or as the client shows it (`... [id: x, code: y, line: z]`).
fn answer(text: &str) -> (Option<String>, String) {
    if let Ok(json) = serde_json::from_str::<serde_json::Value>(text) {
        let field = |name: &str| json.get(name).and_then(serde_json::Value::as_str).map(str::to_owned);
        return (field("code"), field("message").unwrap_or_else(|| text.to_owned()).replace('\n', " "));
    }
    let code = text.split_once("code: ").map(|(_, rest)| rest.split([',', ']']).next().unwrap_or(rest).to_owned());
    (code, text.to_owned())
}

fn fill<'a>(
    buffer: &mut Buffer,
    table: &str,
    row: &'a [u8],
    columns: &Columns,
    values: &mut Vec<Value<'a>>,
) -> Result<(), String> {
    decode(row, columns, values).map_err(|error| error.to_string())?;
    put(buffer, table, columns, values).map_err(|error| error.msg().to_owned())
}

fn put(buffer: &mut Buffer, table: &str, columns: &Columns, values: &[Value<'_>]) -> Result<(), questdb::Error> {
    // The names were checked when the sink was made.
    buffer.table(TableName::new_unchecked(table))?;
    let pairs = || columns.all.iter().zip(values).enumerate();
    // Symbols come before all other columns in the protocol.
    for (_, (column, value)) in pairs().filter(|(_, (column, _))| column.kind == Kind::Symbol) {
        if let Value::Text(text) = value {
            buffer.symbol(ColumnName::new_unchecked(&column.name), *text)?;
        }
    }
    let mut at = None;
    for (index, (column, value)) in pairs() {
        let name = ColumnName::new_unchecked(&column.name);
        match value {
            Value::Timestamp(micros) if index == columns.timestamp => at = Some(TimestampMicros::new(*micros)),
            // What is NULL is left out.
            Value::Null => {}
            Value::Text(_) if column.kind == Kind::Symbol => {}
            Value::Boolean(value) => drop(buffer.column_bool(name, *value)?),
            Value::Long(value) => drop(buffer.column_i64(name, *value)?),
            Value::Double(value) => drop(buffer.column_f64(name, *value)?),
            Value::Text(text) => drop(buffer.column_str(name, *text)?),
            Value::Timestamp(micros) => drop(buffer.column_ts(name, TimestampMicros::new(*micros))?),
        }
    }
    match at {
        Some(at) => buffer.at(at),
        None => buffer.at_now(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_in_both_forms() {
        let cases = [
            (
                r#"{"code":"invalid","message":"failed:\nerror in line 2","line":2}"#,
                Some("invalid"),
                "failed: error in line 2",
            ),
            ("failed [id: 1, code: invalid, line: 2]", Some("invalid"), "failed [id: 1, code: invalid, line: 2]"),
            ("failed [code: internal error]", Some("internal error"), "failed [code: internal error]"),
            ("<html>", None, "<html>"),
        ];
        for (text, code, words) in cases {
            assert_eq!(answer(text), (code.map(str::to_owned), words.to_owned()));
        }
    }
}
