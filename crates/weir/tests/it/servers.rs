//! Real servers that a test needs: `cargo xtask test` starts them and names them in the environment.

/// The addresses of Kafka and QuestDB.
pub struct Servers {
    /// `host:port` of the broker.
    pub kafka: String,
    /// `host:port` of QuestDB's HTTP endpoint.
    pub questdb_http: String,
    /// `host:port` of QuestDB's PostgreSQL endpoint.
    pub questdb_pg: String,
}

/// Kafka and QuestDB, or `None` where they are not there: said loudly, and a failure under CI.
pub fn servers(test: &str) -> Option<Servers> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let all = (variable("WEIR_TEST_KAFKA"), variable("WEIR_TEST_QUESTDB_HTTP"), variable("WEIR_TEST_QUESTDB_PG"));
    if let (Some(kafka), Some(questdb_http), Some(questdb_pg)) = all {
        return Some(Servers { kafka, questdb_http, questdb_pg });
    }
    let message =
        format!("{test} needs Kafka and QuestDB: cargo xtask servers up kafka questdb, then cargo xtask servers env");
    assert!(std::env::var("CI").is_err(), "{message}");
    eprintln!("SKIPPED: {message}");
    None
}
