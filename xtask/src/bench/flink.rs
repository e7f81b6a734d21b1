//! A real Flink as the peer: on given cores, with the memory and the collector that suit it best, and what a job took by its own account.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::broker;
use super::measured::{self, Taken};
use crate::failure::{Failure, Result};
use crate::servers::{self, Server};
use crate::update::gateway::Session;
use crate::update::statements;

/// A heap in which a few million keys fit, the collector that is fastest on one core, and no full collection for want of metaspace.
const JAVA_OPTIONS: &str = "-Xmx9g -XX:-UseSerialGC -XX:+UseParallelGC -XX:MetaspaceSize=256m";

/// How long a job may take.
const JOB_LIMIT: Duration = Duration::from_secs(1_200);

/// A Flink that was started to be measured.
pub struct Flink {
    server: &'static Server,
    rest: String,
    gateway: String,
    pids: BTreeMap<String, u32>,
}

impl Flink {
    /// Starts Flink bound to `cores`, its processes ahead of what else may run there.
    ///
    /// # Errors
    /// Fails when it does not come up.
    pub fn start(cores: &str) -> Result<Self> {
        let server = broker::server("flink")?;
        broker::up(server, cores, JAVA_OPTIONS)?;
        let rest = broker::endpoint(server, "WEIR_TEST_FLINK_REST")?;
        let gateway = broker::endpoint(server, "WEIR_TEST_FLINK_GATEWAY")?;
        Ok(Self { server, rest, gateway, pids: servers::pids_of(server) })
    }

    /// Runs the script of one job to its end. The time on the wall is what its vertices were running for, without the client, planning and
    /// deployment; the CPU time is that of job manager and task manager.
    ///
    /// # Errors
    /// Fails when Flink refuses the script or the job fails.
    pub fn run(&self, script: &str) -> Result<Taken> {
        let before = self.taken();
        let session = Session::open(&self.gateway)?;
        session.run("SET 'table.dml-sync' = 'true'")?;
        for statement in statements::split(script) {
            session.run_within(&statement, JOB_LIMIT)?;
        }
        let after = self.taken();
        Ok(Taken {
            wall: self.running_seconds()?,
            user: after.user - before.user,
            system: after.system - before.system,
            peak_bytes: after.peak_bytes,
        })
    }

    /// Stops it.
    ///
    /// # Errors
    /// Fails when a process does not end.
    pub fn stop(self) -> Result<()> {
        servers::stop(self.server)
    }

    /// What job manager and task manager have taken so far.
    fn taken(&self) -> Taken {
        let workers = ["jobmanager", "taskmanager"].iter().filter_map(|name| self.pids.get(*name));
        let seen = workers.filter_map(|pid| measured::of_process(*pid));
        seen.fold(Taken::default(), |sum, (one, _)| Taken {
            wall: 0.0,
            user: sum.user + one.user,
            system: sum.system + one.system,
            peak_bytes: sum.peak_bytes.max(one.peak_bytes),
        })
    }

    /// For how long the vertices of the newest job were running.
    fn running_seconds(&self) -> Result<f64> {
        let jobs = self.get("/jobs/overview")?;
        let start = |job: &&Value| job.get("start-time").and_then(Value::as_i64);
        let job = jobs.get("jobs").and_then(Value::as_array).and_then(|jobs| jobs.iter().max_by_key(start));
        let id = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
        let job = job.and_then(|job| id(job, "jid")).ok_or_else(|| Failure::new("find the job that Flink ran"))?;
        let details = self.get(&format!("/jobs/{job}"))?;
        let mut longest = 0;
        for vertex in details.get("vertices").and_then(Value::as_array).into_iter().flatten() {
            let Some(vertex) = id(vertex, "id") else { continue };
            let vertex = self.get(&format!("/jobs/{job}/vertices/{vertex}"))?;
            for subtask in vertex.get("subtasks").and_then(Value::as_array).into_iter().flatten() {
                let running = subtask.pointer("/status-duration/RUNNING").and_then(Value::as_u64);
                longest = longest.max(running.unwrap_or(0));
            }
        }
        if longest == 0 {
            return Err(Failure::new(format!("find for how long Flink's job {job} ran")));
        }
        Ok(Duration::from_millis(longest).as_secs_f64())
    }

    fn get(&self, path: &str) -> Result<Value> {
        let url = format!("{}{path}", self.rest);
        let failed = |error| Failure::new(format!("ask Flink at {url}: {error}"));
        let text = ureq::get(&url).call().and_then(|mut answer| answer.body_mut().read_to_string()).map_err(failed)?;
        serde_json::from_str(&text).map_err(|error| Failure::new(format!("read Flink's answer from {url}: {error}")))
    }
}
