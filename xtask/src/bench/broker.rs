//! A real broker on given cores, and plain librdkafka (`benches/wire`) to fill, empty and watch its topics.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use super::measured::{self, Taken};
use crate::command;
use crate::failure::{Failure, Result};
use crate::servers::{self, KINDS, Server};

/// The compiler that a broker under load needs, and memory for it.
const JAVA_OPTIONS: &str = "-Xmx1g -XX:TieredStopAtLevel=4";

/// An empty broker.
pub struct Broker {
    server: &'static Server,
    wire: PathBuf,
    cores: String,
    /// Its address.
    pub address: String,
}

/// A `wire` that works beside us.
pub struct Wire(Child);

impl Broker {
    /// Starts an empty one bound to `cores`.
    ///
    /// # Errors
    /// It does not come up, or `benches/wire` does not build.
    pub fn start(cores: &str) -> Result<Self> {
        let wire = super::release_binary("weir-wire", "weir-wire")?;
        let server = server("kafka")?;
        up(server, cores, JAVA_OPTIONS)?;
        let address = endpoint(server, "WEIR_TEST_KAFKA")?;
        Ok(Self { server, wire, cores: cores.to_owned(), address })
    }

    /// Runs `wire` with `words` on `cores` to its end; what it says, by name.
    ///
    /// # Errors
    /// Fails as it does.
    pub fn wire(&self, cores: &str, words: &[&str]) -> Result<BTreeMap<String, u64>> {
        command::output(&mut self.wire_command(cores, words)).map(|line| pairs(&line))
    }

    /// The same, measured; its line is left in the log.
    ///
    /// # Errors
    /// Fails as it does.
    pub fn measured_wire(&self, cores: &str, words: &[&str]) -> Result<Taken> {
        let log = command::target_dir().join("bench/wire.log");
        measured::run(&mut self.wire_command(cores, words), &log)
    }

    /// Starts `wire` with `words`, on the broker's cores.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start_wire(&self, words: &[&str]) -> Result<Wire> {
        let mut command = self.wire_command(&self.cores, words);
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        child.map(Wire).map_err(|error| Failure::io(format_args!("start `{}`", command::typed(&command)), &error))
    }

    /// Stops it.
    ///
    /// # Errors
    /// A process does not end.
    pub fn stop(self) -> Result<()> {
        servers::stop(self.server)
    }

    fn wire_command(&self, cores: &str, words: &[&str]) -> Command {
        let mut command = measured::pinned(cores, &self.wire);
        let (verb, rest) = words.split_first().map_or(("", words), |(verb, rest)| (*verb, rest));
        command.arg(verb).arg(&self.address).args(rest);
        command
    }
}

impl Wire {
    /// Waits for its end; what it said, by name.
    ///
    /// # Errors
    /// It failed.
    pub fn end(self) -> Result<BTreeMap<String, u64>> {
        let output = self.0.wait_with_output().map_err(|error| Failure::io("wait for wire", &error))?;
        if output.status.success() {
            return Ok(pairs(&String::from_utf8_lossy(&output.stdout)));
        }
        Err(Failure::new(format!("run wire: {}", output.status)))
    }
}

/// The kind of server called `name`.
pub fn server(name: &str) -> Result<&'static Server> {
    let found = KINDS.iter().copied().find(|kind| kind.name == name);
    found.ok_or_else(|| Failure::new(format!("find the kind '{name}' among the servers")))
}

/// Starts `server` anew, bound to `cores`: one that is up may have been started for something else.
pub fn up(server: &'static Server, cores: &str, java: &str) -> Result<()> {
    servers::stop(server)?;
    let ourselves = std::env::current_exe().map_err(|error| Failure::io("find this program", &error))?;
    let mut up = measured::pinned(cores, &ourselves);
    command::run(up.args(["servers", "up", server.name]).env("WEIR_SERVERS_JAVA_OPTS", java))
}

/// The endpoint of `server` that tests know under `variable`.
pub fn endpoint(server: &'static Server, variable: &str) -> Result<String> {
    let found = servers::env_of(server).into_iter().find(|(name, _)| *name == variable);
    found.map(|(_, value)| value).ok_or_else(|| Failure::new(format!("find {variable} among the servers' endpoints")))
}

/// `a 1 b 2` by name.
fn pairs(line: &str) -> BTreeMap<String, u64> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let pair = |pair: &[&str]| match pair {
        [name, value] => Some(((*name).to_owned(), value.parse().ok()?)),
        _ => None,
    };
    words.chunks(2).filter_map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_wire_says_is_read_by_name() {
        let expected = BTreeMap::from([("records".to_owned(), 7), ("p50".to_owned(), 12)]);
        assert_eq!(pairs("records 7 p50 12\n"), expected);
    }
}
