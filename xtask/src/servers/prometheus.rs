//! Prometheus's own tool: `promtool` judges the metric pages that Weir writes. No server is started.

use std::path::PathBuf;

use serde_json::{Map, Value};

use super::fetch;
use super::place::Place;
use super::server::Server;
use crate::failure::{Failure, Result};

/// promtool, as the tests use it.
pub static PROMETHEUS: Server = Server {
    name: "prometheus",
    pins: &["packages.txt"],
    fetch: fetch::debian,
    ports: &[],
    configure: |place, _| is_unpacked(place),
    processes: |_, _| Vec::new(),
    endpoints: |place, _| Map::from_iter([("promtool".to_owned(), Value::from(promtool(place).display().to_string()))]),
    env: &[("WEIR_TEST_PROMTOOL", "promtool")],
};

fn is_unpacked(place: &Place) -> Result<()> {
    if promtool(place).is_file() {
        return Ok(());
    }
    Err(Failure::new(format!("find {}", promtool(place).display()))
        .hint("remove servers/dist/prometheus; it is fetched again"))
}

fn promtool(place: &Place) -> PathBuf {
    place.dist.join("usr/bin/promtool")
}
