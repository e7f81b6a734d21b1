//! One Kafka node (KRaft: broker and controller in one process) from its jars.

use std::time::Duration;

use serde_json::{Map, Value};

use super::fetch;
use super::kafka_wire;
use super::place::Place;
use super::ports::Ports;
use super::server::{Process, Server, java};
use crate::command;
use crate::failure::Result;

/// The version that `deploy/servers/kafka/pom.xml` names.
#[cfg(test)]
pub const VERSION: &str = "4.3.1";

/// The cluster's id: any 16 bytes in base64 will do, the same ones each time keep logs alike.
const CLUSTER_ID: &str = "d2Vpci10ZXN0LWthZmthMQ";

/// Kafka, as the tests use it.
pub static KAFKA: Server = Server {
    name: "kafka",
    pins: &["pom.xml"],
    fetch: |place| fetch::maven(place, &["-DincludeScope=runtime"]),
    ports: &["kafka", "sasl", "controller"],
    configure,
    processes,
    endpoints,
    env: &[
        ("WEIR_TEST_KAFKA", "bootstrap"),
        ("WEIR_TEST_KAFKA_SASL", "sasl"),
        ("WEIR_TEST_KAFKA_PID_FILE", "pid_file"),
    ],
};

/// Writes the configs and formats the log directory.
fn configure(place: &Place, ports: &Ports) -> Result<()> {
    let values = [
        ("KAFKA_PORT", ports.get("kafka").to_string()),
        ("SASL_PORT", ports.get("sasl").to_string()),
        ("CONTROLLER_PORT", ports.get("controller").to_string()),
    ];
    place.fill("server.properties", "server.properties", &values)?;
    place.fill("log4j2.yaml", "log4j2.yaml", &[])?;
    let mut format = java(&["-Xmx128m", "-XX:TieredStopAtLevel=1"]);
    format.args(["-cp", &jars(place), "kafka.tools.StorageTool"]);
    format.current_dir(&place.run).args(["format", "-t", CLUSTER_ID, "-c", "server.properties"]);
    command::output(&mut format).map(drop)
}

fn processes(place: &Place, ports: &Ports) -> Vec<Process> {
    let mut command = java(&["-Xms256m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]);
    command.args(["-Dlog4j2.configurationFile=log4j2.yaml", "-cp", &jars(place), "kafka.Kafka", "server.properties"]);
    let address = ports.address("kafka");
    // The coordinators make their internal topics when first asked: asked here, no test waits for it.
    let ready = move || kafka_wire::answers(&address, Duration::from_secs(2));
    vec![Process { name: "kafka", command, ready: Box::new(ready) }]
}

fn endpoints(_: &Place, ports: &Ports) -> Map<String, Value> {
    let address = |name: &str, port: &str| (name.to_owned(), Value::from(ports.address(port)));
    Map::from_iter([address("bootstrap", "kafka"), address("sasl", "sasl")])
}

fn jars(place: &Place) -> String {
    place.dist.join("lib/*").display().to_string()
}
