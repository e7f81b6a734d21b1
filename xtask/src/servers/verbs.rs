//! The command line of `cargo xtask servers`, and the two calls that `cargo xtask test` makes.

use std::collections::BTreeMap;

use serde_json::Value;

use super::life::{self, State};
use super::place::Place;
use super::server::{KINDS, Server, kind};
use crate::clock;
use crate::failure::{Failure, Result};

/// What stands behind `servers` in the help.
pub const USAGE: &str = "up|down|restart|status|logs|env [KIND...]";

/// Lines of each log that `servers logs` shows.
const LOG_LINES_MAX: usize = 200;

/// Reads the words behind `servers` and does what they say.
///
/// # Errors
/// Fails on words that it does not know, and when a server does not do as it is told.
pub fn run(words: &[String]) -> Result<()> {
    let (verb, kinds) = words.split_first().ok_or_else(|| usage("a verb is missing"))?;
    let all_when_empty = !matches!(verb.as_str(), "up" | "restart");
    let servers = chosen(kinds, all_when_empty)?;
    match verb.as_str() {
        "up" => servers.iter().try_for_each(|server| shown_start(server, life::up)),
        "restart" => servers.iter().try_for_each(|server| shown_start(server, life::restart)),
        "down" => servers.iter().try_for_each(|server| stop(server)),
        "status" => servers.iter().try_for_each(|server| status(server)),
        "logs" => servers.iter().try_for_each(|server| logs(server)),
        "env" => servers.iter().try_for_each(|server| env(server, !kinds.is_empty())),
        other => Err(usage(&format!("there is no verb '{other}'"))),
    }
}

/// Sees to it that `server` runs; `true` if it was not up before, so that the caller stops what it started.
///
/// # Errors
/// Fails when it does not come up.
pub fn start(server: &Server) -> Result<bool> {
    let was_up = matches!(life::state(&Place::of(server.name)), State::Up { .. });
    shown_start(server, life::up).map(|()| !was_up)
}

/// Stops `server`, if it runs.
///
/// # Errors
/// Fails when a process does not end.
pub fn stop(server: &Server) -> Result<()> {
    if life::down(&Place::of(server.name))? {
        println!("{}: stopped", server.name);
    }
    Ok(())
}

/// The variables under which tests find `server`; empty while it is not up.
pub fn env_of(server: &Server) -> Vec<(&'static str, String)> {
    let State::Up { endpoints } = life::state(&Place::of(server.name)) else { return Vec::new() };
    let value = |key: &str| endpoints.get(key).and_then(Value::as_str).map(str::to_owned);
    server.env.iter().filter_map(|(name, key)| Some((*name, value(key)?))).collect()
}

/// The process ids of `server` by the names of its processes; empty while it is not up.
pub fn pids_of(server: &Server) -> BTreeMap<String, u32> {
    let State::Up { endpoints } = life::state(&Place::of(server.name)) else { return BTreeMap::new() };
    let pids = endpoints.get("pids").and_then(Value::as_object).cloned().unwrap_or_default();
    let pid = |value: &Value| value.as_u64().and_then(|pid| u32::try_from(pid).ok());
    pids.iter().filter_map(|(name, value)| Some((name.clone(), pid(value)?))).collect()
}

fn shown_start(server: &Server, begin: fn(&Server, &Place) -> Result<Value>) -> Result<()> {
    let start = clock::now();
    let endpoints = begin(server, &Place::of(server.name))?;
    println!("{}: up after {}: {endpoints}", server.name, clock::shown(start.elapsed()));
    Ok(())
}

fn status(server: &Server) -> Result<()> {
    let line = match life::state(&Place::of(server.name)) {
        State::Down => "down".to_owned(),
        State::Broken { gone } => {
            format!("broken: {} ended; `cargo xtask servers restart {}`", gone.join(", "), server.name)
        }
        State::Up { endpoints } => format!("up {endpoints}"),
    };
    println!("{}: {line}", server.name);
    Ok(())
}

fn logs(server: &Server) -> Result<()> {
    for (path, text) in life::logs(&Place::of(server.name), LOG_LINES_MAX) {
        println!("==> {path} <==\n{text}");
    }
    Ok(())
}

/// Prints `NAME=value` lines; a server that was asked for by name must be up.
fn env(server: &Server, is_asked_for: bool) -> Result<()> {
    let lines = env_of(server);
    if lines.is_empty() && is_asked_for {
        let hint = format!("`cargo xtask servers up {}` starts it", server.name);
        return Err(Failure::new(format!("name the endpoints of {}: it is not up", server.name)).hint(hint));
    }
    for (name, value) in lines {
        println!("{name}={value}");
    }
    Ok(())
}

/// The servers called by `names`; none named means all where `all_when_empty` says so.
fn chosen(names: &[String], all_when_empty: bool) -> Result<Vec<&'static Server>> {
    if names.is_empty() && all_when_empty {
        return Ok(KINDS.to_vec());
    }
    if names.is_empty() {
        return Err(usage("a KIND is missing"));
    }
    names.iter().map(|name| kind(name).ok_or_else(|| usage(&format!("there is no kind '{name}'")))).collect()
}

fn usage(wrong: &str) -> Failure {
    let kinds: Vec<&str> = KINDS.iter().map(|server| server.name).collect();
    Failure::usage(format!("read the arguments: {wrong}"))
        .hint(format!("cargo xtask servers {USAGE}, KIND in {}", kinds.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_words_are_named_with_what_would_be_right() {
        let hint = "hint: cargo xtask servers up|down|restart|status|logs|env [KIND...], \
                    KIND in kafka, questdb, flink, prometheus";
        let cases = [
            (&[][..], "a verb is missing"),
            (&["up"], "a KIND is missing"),
            (&["up", "redis"], "there is no kind 'redis'"),
            (&["begin", "kafka"], "there is no verb 'begin'"),
        ];
        for (words, wrong) in cases {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            let failure = run(&words).unwrap_err();
            assert!(failure.is_usage());
            assert_eq!(failure.to_string(), format!("read the arguments: {wrong}\n{hint}"));
        }
    }
}
