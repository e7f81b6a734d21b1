//! QuestDB from its one jar: HTTP (writes, queries) and PostgreSQL's protocol.

use serde_json::{Map, Value};

use super::fetch;
use super::place::Place;
use super::ports::Ports;
use super::server::{Process, Server, http_answers, java};
use crate::failure::{Failure, Result};

/// The version that `deploy/servers/questdb/pom.xml` names.
pub const VERSION: &str = "9.3.4";

/// QuestDB, as the tests use it.
pub static QUESTDB: Server = Server {
    name: "questdb",
    pins: &["pom.xml"],
    fetch: |place| fetch::maven(place, &["-DincludeScope=runtime"]),
    ports: &["http", "pg"],
    configure,
    processes,
    endpoints,
    env: &[
        ("WEIR_TEST_QUESTDB_HTTP", "http"),
        ("WEIR_TEST_QUESTDB_PG", "pg"),
        ("WEIR_TEST_QUESTDB_PID_FILE", "pid_file"),
    ],
};

/// Writes the config below the root directory, which QuestDB does not make itself.
fn configure(place: &Place, ports: &Ports) -> Result<()> {
    let values = [("HTTP_PORT", ports.get("http").to_string()), ("PG_PORT", ports.get("pg").to_string())];
    place.fill("server.conf", "data/conf/server.conf", &values)?;
    let jar = jar(place);
    if std::path::Path::new(&jar).is_file() {
        return Ok(());
    }
    Err(Failure::new(format!("find {jar}")).hint("remove servers/dist/questdb; it is fetched again"))
}

fn processes(place: &Place, ports: &Ports) -> Vec<Process> {
    let mut command = java(&["-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]);
    command.args(["-p", &jar(place), "-m", "io.questdb/io.questdb.ServerMain", "-d", "data"]);
    let url = format!("http://{}/exec?query=select%201", ports.address("http"));
    let pg = ports.address("pg");
    let ready =
        move || http_answers(&url, |body| body.contains("\"dataset\"")) && std::net::TcpStream::connect(&pg).is_ok();
    vec![Process { name: "questdb", command, ready: Box::new(ready) }]
}

fn endpoints(_: &Place, ports: &Ports) -> Map<String, Value> {
    Map::from_iter(["http", "pg"].map(|name| (name.to_owned(), Value::from(ports.address(name)))))
}

fn jar(place: &Place) -> String {
    place.dist.join(format!("lib/questdb-{VERSION}.jar")).display().to_string()
}
