//! A Flink cluster for one machine: JobManager, TaskManager and SQL gateway, one JVM each, started without Flink's
//! shell scripts (quicker, and no process ids in the system's temporary directory).

use std::process::Command;

use serde_json::{Map, Value};

use super::fetch;
use super::place::Place;
use super::ports::Ports;
use super::server::{Process, Server, http_answers, java};
use crate::failure::{Failure, Result};

/// The version that `deploy/servers/flink` names.
#[cfg(test)]
pub const VERSION: &str = "2.3.0";

/// Slots of the one TaskManager: a job of parallelism 4, or a few small ones.
const SLOTS: usize = 4;

/// Packages of the JDK that Flink reaches into.
const OPENED: &str = "java.base/java.lang java.base/java.net java.base/java.io java.base/java.nio \
    java.base/sun.nio.ch java.base/java.lang.reflect java.base/java.text java.base/java.time java.base/java.util \
    java.base/java.util.concurrent java.base/java.util.concurrent.atomic java.base/java.util.concurrent.locks";
/// Packages of the JDK that Flink compiles against.
const EXPORTED: &str = "java.rmi/sun.rmi.registry jdk.compiler/com.sun.tools.javac.api \
    jdk.compiler/com.sun.tools.javac.file jdk.compiler/com.sun.tools.javac.parser \
    jdk.compiler/com.sun.tools.javac.tree jdk.compiler/com.sun.tools.javac.util java.security.jgss/sun.security.krb5";

/// What Flink's scripts would work out from the configured process size.
const TASK_MANAGER_MEMORY: &[&str] = &[
    "taskmanager.cpu.cores=1",
    "taskmanager.memory.process.size=1280m",
    "taskmanager.memory.framework.heap.size=128m",
    "taskmanager.memory.task.heap.size=256m",
    "taskmanager.memory.managed.size=256m",
    "taskmanager.memory.framework.off-heap.size=128m",
    "taskmanager.memory.task.off-heap.size=0",
    "taskmanager.memory.network.min=64m",
    "taskmanager.memory.network.max=64m",
    "taskmanager.memory.jvm-metaspace.size=256m",
    "taskmanager.memory.jvm-overhead.min=192m",
    "taskmanager.memory.jvm-overhead.max=192m",
];

/// Flink, as expected rows and comparisons are made with it.
pub static FLINK: Server = Server {
    name: "flink",
    pins: &["requirements.txt", "pom.xml"],
    fetch: |place| fetch::wheels(place).and_then(|()| fetch::maven(place, &["-DexcludeTransitive=true"])),
    ports: &["rest", "rpc", "gateway"],
    configure,
    processes,
    endpoints,
    env: &[("WEIR_TEST_FLINK_REST", "rest"), ("WEIR_TEST_FLINK_GATEWAY", "gateway")],
};

fn configure(place: &Place, ports: &Ports) -> Result<()> {
    let values = [
        ("REST_PORT", ports.get("rest").to_string()),
        ("RPC_PORT", ports.get("rpc").to_string()),
        ("GATEWAY_PORT", ports.get("gateway").to_string()),
        ("SLOTS", SLOTS.to_string()),
        ("RUN_DIR", place.run.display().to_string()),
    ];
    place.fill("config.yaml", "conf/config.yaml", &values)?;
    place.fill("log4j2.properties", "conf/log4j2.properties", &[])?;
    std::fs::create_dir_all(place.run.join("tmp")).map_err(|error| Failure::io("make a folder for Flink", &error))
}

fn processes(place: &Place, ports: &Ports) -> Vec<Process> {
    let (rest, gateway) = (ports.address("rest"), ports.address("gateway"));
    let mut job_manager = flink(place, &["-Xmx512m"]);
    job_manager.args(["org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint", "--configDir", "conf"]);
    let mut task_manager = flink(place, &["-Xmx512m", "-XX:MaxDirectMemorySize=512m"]);
    task_manager.args(["org.apache.flink.runtime.taskexecutor.TaskManagerRunner", "--configDir", "conf"]);
    for setting in TASK_MANAGER_MEMORY {
        task_manager.args(["-D", setting]);
    }
    let mut sql_gateway = flink(place, &["-Xmx256m"]);
    sql_gateway.arg("org.apache.flink.table.gateway.SqlGateway");

    let overview = format!("http://{rest}/overview");
    let slots = overview.clone();
    let info = format!("http://{gateway}/info");
    // All that there are, not all that are free: a server on which somebody's job runs is ready too.
    let has_slots = move |body: &str| body.contains(&format!("\"slots-total\":{SLOTS}"));
    vec![
        Process {
            name: "jobmanager",
            command: job_manager,
            ready: Box::new(move || http_answers(&overview, |_| true)),
        },
        Process {
            name: "taskmanager",
            command: task_manager,
            ready: Box::new(move || http_answers(&slots, has_slots)),
        },
        Process { name: "gateway", command: sql_gateway, ready: Box::new(move || http_answers(&info, |_| true)) },
    ]
}

fn endpoints(_: &Place, ports: &Ports) -> Map<String, Value> {
    Map::from_iter(
        ["rest", "gateway"].map(|name| (name.to_owned(), Value::from(format!("http://{}", ports.address(name))))),
    )
}

/// A JVM with Flink's class path and the access to the JDK that it needs.
fn flink(place: &Place, options: &[&str]) -> Command {
    let home = place.dist.join("pyflink");
    // The collector first: a measurement's own options come behind these and name another one.
    let mut command = java(&[&["-XX:+UseSerialGC"], options].concat());
    command.arg("-Dlog4j2.configurationFile=conf/log4j2.properties");
    // Whatever this user's locale: the print connector writes rows to standard output, and files are UTF-8.
    command.args(["-Dfile.encoding=UTF-8", "-Dsun.stdout.encoding=UTF-8"]);
    command.args(EXPORTED.split_whitespace().map(|package| format!("--add-exports={package}=ALL-UNNAMED")));
    command.args(OPENED.split_whitespace().map(|package| format!("--add-opens={package}=ALL-UNNAMED")));
    let path = format!("{}/*:{}/*", home.join("lib").display(), place.dist.join("lib").display());
    command.args(["-cp", &path]);
    command.env("FLINK_CONF_DIR", place.run.join("conf"));
    command.env("FLINK_LIB_DIR", home.join("lib"));
    command.env("FLINK_PLUGINS_DIR", home.join("plugins"));
    command
}
