//! The table in QuestDB: made if it is not there, checked if it is, over the PostgreSQL endpoint. What does not fit is refused with the statement that
//! makes it fit.

use std::time::Duration;

use postgres::{Config as PgConfig, NoTls, SimpleQueryMessage};
use weir_base::{Error, Kind as ErrorKind, Result};

use crate::columns::Columns;
use crate::config::Config;

/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Makes the table or checks it.
///
/// # Errors
/// QuestDB does not answer (`Unavailable`), or its table does not fit (`Invalid`).
pub(crate) fn ensure(config: &Config, columns: &Columns) -> Result<()> {
    let mut client = connect(config)?;
    run(&mut client, config, &create_statement(&config.table, columns))?;
    let facts = query(
        &mut client,
        config,
        &format!(
            "SELECT designatedTimestamp, walEnabled, dedup FROM tables() WHERE table_name = '{}'",
            text(&config.table)
        ),
    )?;
    let Some(facts) = facts.first() else {
        // QuestDB leaves names that begin with `telemetry` out of its lists.
        return Err(Error::invalid(format!("check table '{}' in QuestDB: it does not list it", config.table)).hint(
            "QuestDB hides tables whose names begin with 'telemetry': choose another name, or set telemetry.hide.tables=false in its server.conf",
        ));
    };
    let found = query(
        &mut client,
        config,
        &format!("SELECT \"column\", type, upsertKey FROM table_columns('{}')", text(&config.table)),
    )?;
    check(config, columns, facts, &found)
}

fn connect(config: &Config) -> Result<postgres::Client> {
    let (user, password) = config.login.clone().unwrap_or_else(|| ("admin".to_owned(), "quest".to_owned()));
    let mut pg = PgConfig::new();
    pg.host(&config.host)
        .port(config.pg_port)
        .user(&user)
        .password(password)
        .dbname("qdb")
        .connect_timeout(CONNECT_TIMEOUT);
    pg.connect(NoTls).map_err(|source| {
        let what = format!(
            "connect to QuestDB at {}:{} (PostgreSQL protocol) as '{user}': {}",
            config.host,
            config.pg_port,
            words(&source)
        );
        match source.as_db_error() {
            Some(_) => Error::invalid(what).hint("check 'username' and 'password'"),
            None => Error::new(ErrorKind::Unavailable, what).hint("start QuestDB, or correct 'host' and 'pg.port'"),
        }
    })
}

/// What an error of the client says, with QuestDB's words where it has any.
fn words(error: &postgres::Error) -> String {
    match error.as_db_error() {
        Some(refusal) => refusal.message().to_owned(),
        None => match std::error::Error::source(error) {
            Some(source) => source.to_string(),
            None => error.to_string(),
        },
    }
}

fn run(client: &mut postgres::Client, config: &Config, statement: &str) -> Result<()> {
    client.batch_execute(statement).map_err(|source| failed(config, statement, &source))
}

fn query(client: &mut postgres::Client, config: &Config, statement: &str) -> Result<Vec<Vec<String>>> {
    let answer = client.simple_query(statement).map_err(|source| failed(config, statement, &source))?;
    let mut rows = Vec::new();
    for message in answer {
        if let SimpleQueryMessage::Row(row) = message {
            rows.push((0..row.len()).map(|column| row.get(column).unwrap_or_default().to_owned()).collect());
        }
    }
    Ok(rows)
}

fn failed(config: &Config, statement: &str, source: &postgres::Error) -> Error {
    let what = format!("run {statement} at {}:{}: {}", config.host, config.pg_port, words(source));
    match source.as_db_error() {
        Some(_) => Error::invalid(what),
        None => Error::new(ErrorKind::Unavailable, what),
    }
}

/// The statement that makes the table.
pub(crate) fn create_statement(table: &str, columns: &Columns) -> String {
    let list: Vec<String> =
        columns.all.iter().map(|column| format!("{} {}", ident(&column.name), column.kind.name())).collect();
    format!(
        "CREATE TABLE IF NOT EXISTS {} ({}) TIMESTAMP({}) PARTITION BY DAY WAL DEDUP UPSERT KEYS({})",
        ident(table),
        list.join(", "),
        ident(&columns.all[columns.timestamp].name),
        keys(columns)
    )
}

/// The designated timestamp first, then the other keys in the table's order.
fn keys(columns: &Columns) -> String {
    let others = columns.keys.iter().filter(|key| **key != columns.timestamp);
    let order = std::iter::once(&columns.timestamp).chain(others);
    order.map(|key| ident(&columns.all[*key].name)).collect::<Vec<_>>().join(", ")
}

fn ident(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn text(value: &str) -> String {
    value.replace('\'', "''")
}

/// Compares the table as QuestDB describes it with what the job writes. `facts`: designated timestamp, WAL, deduplication; `found`: name, type and
/// upsert key of each column.
///
/// # Errors
/// The first thing that does not fit, with the statement to run.
fn check(config: &Config, columns: &Columns, facts: &[String], found: &[Vec<String>]) -> Result<()> {
    let table = ident(&config.table);
    let wrong = |what: String, statement: String| {
        Err(Error::invalid(format!("write table '{}' in QuestDB: {what}", config.table))
            .hint(format!("run: {statement}")))
    };
    let anew = format!(
        "RENAME TABLE {table} TO {}; {}",
        ident(&format!("{}_old", config.table)),
        create_statement(&config.table, columns)
    );
    let is_true = |value: &str| matches!(value, "t" | "true");
    let (designated, wal, dedup) = (&facts[0], is_true(&facts[1]), is_true(&facts[2]));
    let wanted = &columns.all[columns.timestamp].name;
    if designated != wanted {
        return wrong(format!("its designated timestamp is '{designated}', not '{wanted}'"), anew);
    }
    if !wal {
        return wrong(
            "it is no WAL table".to_owned(),
            format!("ALTER TABLE {table} SET TYPE WAL, then restart QuestDB"),
        );
    }
    for column in &columns.all {
        let name = ident(&column.name);
        match found.iter().find(|row| row[0] == column.name) {
            None => {
                let statement = format!("ALTER TABLE {table} ADD COLUMN {name} {}", column.kind.name());
                return wrong(format!("it has no column '{}'", column.name), statement);
            }
            Some(row) if !column.kind.fits(&row[1]) => {
                let statement = format!("ALTER TABLE {table} ALTER COLUMN {name} TYPE {}", column.kind.name());
                return wrong(
                    format!("its column '{}' is {}, not {}", column.name, row[1], column.kind.name()),
                    statement,
                );
            }
            Some(_) => {}
        }
    }
    let mut has: Vec<&str> = found.iter().filter(|row| is_true(&row[2])).map(|row| row[0].as_str()).collect();
    let mut wants: Vec<&str> = columns.keys.iter().map(|key| columns.all[*key].name.as_str()).collect();
    has.sort_unstable();
    wants.sort_unstable();
    if !dedup || has != wants {
        let what = if dedup {
            format!("it deduplicates by ({}), the PRIMARY KEY is ({})", has.join(", "), wants.join(", "))
        } else {
            "it does not deduplicate, so a row that is sent again would stand there twice".to_owned()
        };
        return wrong(what, format!("ALTER TABLE {table} DEDUP ENABLE UPSERT KEYS({})", keys(columns)));
    }
    Ok(())
}
