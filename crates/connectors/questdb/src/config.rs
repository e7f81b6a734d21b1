//! The options of a table, read from text.

use std::time::Duration;

use weir_base::{Error, Result};
use weir_plan::{SinkSpec, TableOptions};

/// Rows of a request unless the table says otherwise: some 1.5 MB of telemetry, answered within tens of milliseconds.
const BATCH_ROWS_DEFAULT: usize = 10_000;
/// Requests in flight unless the table says otherwise.
const IN_FLIGHT_DEFAULT: usize = 100;
/// How long a request waits for its answer unless the table says otherwise.
const REQUEST_TIMEOUT_DEFAULT: Duration = Duration::from_secs(10);

/// Where and how a table is written.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// The table in QuestDB.
    pub table: String,
    pub host: String,
    pub http_port: u16,
    pub pg_port: u16,
    /// User and password, if given.
    pub login: Option<(String, String)>,
    pub symbols: Vec<String>,
    pub timestamp: Option<String>,
    pub batch_rows: usize,
    pub request_timeout: Duration,
}

impl Config {
    /// Reads them.
    ///
    /// # Errors
    /// Options that are missing or cannot be read, by name.
    pub(crate) fn read(spec: &SinkSpec) -> Result<Self> {
        let options = &spec.options;
        let given = options.get("host").map(str::trim).filter(|host| !host.is_empty());
        let given = given.ok_or_else(|| Error::invalid("find QuestDB: 'host' is missing"))?;
        let (host, port) = match given.rsplit_once(':') {
            Some((host, port)) => {
                let port = port.parse().map_err(|_| {
                    Error::invalid(format!(
                        "read 'host' = '{given}': it must be a host, or host:port of the HTTP endpoint"
                    ))
                })?;
                (host, Some(port))
            }
            None => (given, None),
        };
        let http_port: Option<u16> = number(options, "http.port")?;
        if let (Some(one), Some(other)) = (port, http_port)
            && one != other
        {
            return Err(Error::invalid(format!(
                "read 'host' = '{given}' and 'http.port' = '{other}': they name two ports"
            )));
        }
        let login = match (options.get("username"), options.get("password")) {
            (Some(user), password) => Some((user.to_owned(), password.unwrap_or("quest").to_owned())),
            (None, Some(_)) => return Err(Error::invalid("read 'password': it needs 'username'")),
            (None, None) => None,
        };
        let own_name = spec.table.rsplit('.').next().unwrap_or(&spec.table);
        let in_flight: usize = number(options, "async.operations.maximum-size")?.unwrap_or(IN_FLIGHT_DEFAULT);
        let batch_rows: usize = number(options, "sink.batch.max-size")?.unwrap_or(BATCH_ROWS_DEFAULT);
        for (key, value) in [("async.operations.maximum-size", in_flight), ("sink.batch.max-size", batch_rows)] {
            if value == 0 {
                return Err(Error::invalid(format!("read '{key}' = '0': it must be at least 1")));
            }
        }
        let symbols =
            options.get("symbols").unwrap_or("").split([';', ',']).map(str::trim).filter(|name| !name.is_empty());
        Ok(Self {
            table: options.get("table").unwrap_or(own_name).to_owned(),
            host: host.to_owned(),
            http_port: port.or(http_port).unwrap_or(9000),
            pg_port: number(options, "pg.port")?.unwrap_or(8812),
            login,
            symbols: symbols.map(str::to_owned).collect(),
            timestamp: options.get("timestamp.field.name").map(str::to_owned),
            batch_rows,
            request_timeout: match options.get("request.timeout") {
                Some(text) => weir_config::parse_duration(text).map_err(|_| {
                    Error::invalid(format!("read 'request.timeout' = '{text}': it must be a duration such as '10s'"))
                })?,
                None => REQUEST_TIMEOUT_DEFAULT,
            },
        })
    }
}

fn number<T: std::str::FromStr>(options: &TableOptions, key: &str) -> Result<Option<T>> {
    let read = |text: &str| {
        text.trim()
            .parse()
            .map_err(|_| Error::invalid(format!("read '{key}' = '{text}': it must be a whole number in range")))
    };
    options.get(key).map(read).transpose()
}
