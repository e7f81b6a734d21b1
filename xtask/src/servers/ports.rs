//! Free ports of the loopback interface, by name.
//!
//! They are taken below the range from which the system serves outgoing connections: a client that tries to reach a
//! server that is down would otherwise sooner or later be given the server's own port, and keep it from coming back.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpListener};

use serde_json::{Map, Value};

use crate::failure::{Failure, Result};

/// The lowest port that is tried.
const PORT_MIN: u16 = 15_000;
/// One above the highest port that is tried, where the system does not say where its own range begins.
const PORT_END: u16 = 32_000;

/// The ports of one server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ports(BTreeMap<String, u16>);

impl Ports {
    /// A free port for each of `names`, all different; the search begins at a place that `seed` determines, so that two
    /// servers started at once do not run after the same ports.
    ///
    /// # Errors
    /// Fails when there are not enough free ports.
    pub fn free(names: &[&str], seed: u32) -> Result<Self> {
        let end = outgoing_begin().map_or(PORT_END, |begin| begin.min(PORT_END)).max(PORT_MIN + 1);
        let width = u32::from(end - PORT_MIN);
        let offsets = (0..width).map(|step| seed.wrapping_mul(2_654_435_761).wrapping_add(step) % width);
        let mut candidates = offsets.filter_map(|offset| u16::try_from(offset + u32::from(PORT_MIN)).ok());
        let mut ports = BTreeMap::new();
        for name in names {
            let port = candidates.by_ref().find(|port| is_free(*port)).ok_or_else(|| {
                Failure::new(format!("find a free port in {PORT_MIN}..{end}"))
                    .hint("stop what listens there: `ss -ltn`")
            })?;
            ports.insert((*name).to_owned(), port);
        }
        Ok(Self(ports))
    }

    /// The port called `name`; 0 if there is none, which no server takes for its own.
    pub fn get(&self, name: &str) -> u16 {
        self.0.get(name).copied().unwrap_or(0)
    }

    /// `127.0.0.1:PORT` of the port called `name`.
    pub fn address(&self, name: &str) -> String {
        format!("127.0.0.1:{}", self.get(name))
    }

    /// For `endpoints.json`.
    pub fn to_json(&self) -> Value {
        Value::Object(self.0.iter().map(|(name, port)| (name.clone(), Value::from(*port))).collect::<Map<_, _>>())
    }

    /// The ports that stand in `endpoints.json`, if all of `names` do.
    pub fn of_json(value: &Value, names: &[&str]) -> Option<Self> {
        let port = |name: &&str| Some(((*name).to_owned(), u16::try_from(value.get(name)?.as_u64()?).ok()?));
        names.iter().map(port).collect::<Option<BTreeMap<_, _>>>().map(Self)
    }
}

/// Whether nobody listens on `port` of the loopback interface.
fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// The first port of the range for outgoing connections, where Linux tells it.
fn outgoing_begin() -> Option<u16> {
    let text = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok()?;
    text.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_ports_differ_and_survive_the_way_through_json() {
        let names = ["http", "pg"];
        let ports = Ports::free(&names, 7).unwrap();
        assert_ne!(ports.get("http"), ports.get("pg"));
        assert!(ports.get("http") >= PORT_MIN);
        assert_eq!(Ports::of_json(&ports.to_json(), &names), Some(ports.clone()));
        assert_eq!(Ports::of_json(&ports.to_json(), &["http", "other"]), None);
        assert_eq!(ports.address("http"), format!("127.0.0.1:{}", ports.get("http")));
    }

    #[test]
    fn a_taken_port_is_left_alone() {
        let first = Ports::free(&["a"], 42).unwrap().get("a");
        let _taken = TcpListener::bind((Ipv4Addr::LOCALHOST, first)).unwrap();
        assert_ne!(Ports::free(&["a"], 42).unwrap().get("a"), first);
    }
}
