//! A server's life: up, restarted, down. Carries out what a [`Server`] says; knows none by name.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use serde_json::{Map, Value};

use super::fetch;
use super::place::{self, Place};
use super::ports::Ports;
use super::process::{self, Started};
use super::server::{Process, Server};
use crate::clock;
use crate::command;
use crate::failure::{Failure, Result};

/// How long a server may take until it answers; Flink on a busy machine takes half of it.
const READY_LIMIT: Duration = Duration::from_secs(120);
/// How long a server that runs already may take until it answers.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);
/// How often other ports are tried, when somebody took ours between the search and the start.
const PORT_ATTEMPTS: u32 = 3;

/// Lines of a log in which a lost port is looked for: stack traces are long.
const LOG_LINES_READ: usize = 500;

/// What a server is found to be.
#[derive(Debug, Clone, PartialEq)]
pub enum State {
    /// Nothing was started.
    Down,
    /// It was started, and a process is gone: killed, or fallen.
    Broken { gone: Vec<String> },
    /// All its processes run.
    Up { endpoints: Value },
}

/// What is known about the server now; asks the system for its processes, not the server.
pub fn state(place: &Place) -> State {
    let Some(endpoints) = read(&place.endpoints()) else { return State::Down };
    let gone: Vec<String> =
        started(place).into_iter().filter(|process| !process.is_alive()).map(|process| process.name).collect();
    if gone.is_empty() { State::Up { endpoints } } else { State::Broken { gone } }
}

/// Sees to it that the server runs and answers, and gives its endpoints. One that answers is left alone; one that does
/// not (ended, or paused and forgotten) begins with empty data.
///
/// # Errors
/// Fails when it cannot be fetched or started, or does not answer in time; nothing stays running then.
pub fn up(server: &Server, place: &Place) -> Result<Value> {
    let _lock = place.lock()?;
    fetch::ensure(server, place)?;
    if let Some(endpoints) = answering(server, place) {
        return Ok(endpoints);
    }
    let mut attempt = 1;
    loop {
        stop_all(place)?;
        place::remove(&place.run)?;
        fs::create_dir_all(&place.run)
            .map_err(|error| Failure::io(format_args!("make {}", place.run.display()), &error))?;
        let ports = Ports::free(server.ports, std::process::id().wrapping_add(attempt))?;
        let begun = (server.configure)(place, &ports).and_then(|()| begin(server, place, &ports));
        if begun.is_ok() || attempt == PORT_ATTEMPTS || !lost_a_port(place) {
            return begun;
        }
        attempt += 1;
    }
}

/// The endpoints of a server that runs and answers soon.
fn answering(server: &Server, place: &Place) -> Option<Value> {
    let State::Up { endpoints } = state(place) else { return None };
    let ports = ports_of(&endpoints, server)?;
    let mut processes = (server.processes)(place, &ports).into_iter();
    let is_ready = |process: Process| clock::wait_for(ANSWER_LIMIT, || (process.ready)().then_some(())).is_some();
    processes.all(is_ready).then_some(endpoints)
}

/// The ports that a server was started with.
fn ports_of(endpoints: &Value, server: &Server) -> Option<Ports> {
    Ports::of_json(endpoints.get("ports")?, server.ports)
}

/// Stops what runs of the server and starts it again with the same ports and data.
///
/// # Errors
/// Fails when it was never up, or does not come up again.
pub fn restart(server: &Server, place: &Place) -> Result<Value> {
    let _lock = place.lock()?;
    let ports = read(&place.endpoints()).and_then(|found| ports_of(&found, server));
    let ports = ports.ok_or_else(|| {
        let up = format!("cargo xtask servers up {}", server.name);
        Failure::new(format!("restart {}: it is not up", server.name)).hint(format!("`{up}` starts it"))
    })?;
    stop_all(place)?;
    begin(server, place, &ports)
}

/// Stops the server; its logs stay until it is next up.
///
/// # Errors
/// Fails when a process does not end.
pub fn down(place: &Place) -> Result<bool> {
    let _lock = place.lock()?;
    let was_up = state(place) != State::Down;
    stop_all(place)?;
    for file in [place.endpoints(), place.processes()] {
        // Neither is there when it was down.
        let _ = fs::remove_file(file);
    }
    Ok(was_up)
}

/// The logs of all its processes, the last `lines_max` lines each, by the file's name.
pub fn logs(place: &Place, lines_max: usize) -> BTreeMap<String, String> {
    let entries = fs::read_dir(&place.run).into_iter().flatten().flatten().map(|entry| entry.path());
    let logs = entries.filter(|path| path.extension().is_some_and(|end| end == "log"));
    logs.map(|path| {
        let text = fs::read(&path).unwrap_or_default();
        (path.display().to_string(), command::tail(&String::from_utf8_lossy(&text), lines_max))
    })
    .collect()
}

/// Whether a process says that somebody else took its port.
fn lost_a_port(place: &Place) -> bool {
    let logs = logs(place, LOG_LINES_READ);
    logs.values().any(|text| text.contains("Address already in use") || text.contains("BindException"))
}

/// Starts all processes, waits until each answers, and writes `endpoints.json`; stops them all if one does not.
fn begin(server: &Server, place: &Place, ports: &Ports) -> Result<Value> {
    let result = start_all(server, place, ports);
    if result.is_err() {
        stop_all(place)?;
    }
    result
}

fn start_all(server: &Server, place: &Place, ports: &Ports) -> Result<Value> {
    let mut started: Vec<Started> = Vec::new();
    let mut waiting = Vec::new();
    for process in (server.processes)(place, ports) {
        started.push(process::start(place, process.name, process.command)?);
        // Written at once: whoever interrupts us now finds with `down` what runs.
        let list = started.iter().map(Started::to_json).collect::<Vec<_>>();
        place::write(&place.processes(), &Value::from(list).to_string())?;
        waiting.push(process.ready);
    }
    for (process, ready) in started.iter().zip(waiting) {
        wait(server, place, process, &*ready)?;
    }
    let mut endpoints = (server.endpoints)(place, ports);
    let pids = started.iter().map(|process| (process.name.clone(), Value::from(process.pid)));
    endpoints.insert("kind".to_owned(), Value::from(server.name));
    endpoints.insert("ports".to_owned(), ports.to_json());
    if let [only] = &started[..] {
        endpoints.insert("pid".to_owned(), Value::from(only.pid));
        // A restart gives another process: a test that pauses it reads here which one.
        place::write(&place.pid(), &format!("{}\n", only.pid))?;
        endpoints.insert("pid_file".to_owned(), Value::from(place.pid().display().to_string()));
    }
    endpoints.insert("pids".to_owned(), Value::Object(pids.collect::<Map<_, _>>()));
    let endpoints = Value::Object(endpoints);
    place::write(&place.endpoints(), &format!("{endpoints}\n"))?;
    Ok(endpoints)
}

/// Waits until `process` is `ready`.
fn wait(server: &Server, place: &Place, process: &Started, ready: &dyn Fn() -> bool) -> Result<()> {
    let answer = clock::wait_for(READY_LIMIT, || match (process.is_alive(), ready()) {
        (true, true) => Some(true),
        (true, false) => None,
        (false, _) => Some(false),
    });
    let why = match answer {
        Some(true) => return Ok(()),
        Some(false) => "it ended".to_owned(),
        None => format!("it does not answer after {}", clock::shown(READY_LIMIT)),
    };
    let log = place.log(&process.name);
    let said = fs::read(&log).unwrap_or_default();
    let said = command::tail(&String::from_utf8_lossy(&said), 20);
    Err(Failure::new(format!(
        "start {} of {}: {why}; its last words ({}):\n{said}",
        process.name,
        server.name,
        log.display()
    )))
}

/// Stops all processes of the server, the last one first.
fn stop_all(place: &Place) -> Result<()> {
    started(place).iter().rev().try_for_each(Started::stop)
}

/// The processes that were started.
fn started(place: &Place) -> Vec<Started> {
    let list = read(&place.processes()).and_then(|found| found.as_array().cloned()).unwrap_or_default();
    list.iter().filter_map(Started::of_json).collect()
}

/// A JSON file, if it is there and whole.
fn read(path: &std::path::Path) -> Option<Value> {
    serde_json::from_str(&fs::read_to_string(path).ok()?).ok()
}
