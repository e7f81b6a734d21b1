//! The servers that the tests want, up for the time of the tests. Flink is not among them: what it has to say is written
//! down in the cases.

use crate::command;
use crate::failure::Result;
use crate::servers::{self, KINDS, Server};

/// The kinds that `cargo xtask test` brings up.
pub const WANTED: &[&str] = &["kafka", "questdb", "prometheus"];

/// Servers that are up for the tests.
pub struct Group {
    all: Vec<&'static Server>,
    ours: Vec<&'static Server>,
}

impl Group {
    /// Brings the servers of these kinds up. Elsewhere than in CI one that cannot be had is told loudly and its tests skip.
    ///
    /// # Errors
    /// Fails in CI, when one does not come up; the others are stopped then.
    pub fn start(wanted: &[&str]) -> Result<Self> {
        let mut group = Self { all: Vec::new(), ours: Vec::new() };
        for server in KINDS.iter().copied().filter(|server| wanted.contains(&server.name)) {
            match servers::start(server) {
                Ok(is_ours) => {
                    group.all.push(server);
                    group.ours.extend(is_ours.then_some(server));
                }
                Err(failure) if command::is_ci() => {
                    group.stop()?;
                    return Err(failure);
                }
                Err(failure) => eprintln!(
                    "\n*** {} IS NOT THERE: ITS TESTS ARE SKIPPED (red in CI) ***\nfailed to {failure}\n",
                    server.name.to_uppercase()
                ),
            }
        }
        Ok(group)
    }

    /// The variables under which the tests find the servers, and this program (`WEIR_TEST_XTASK`), with which a test
    /// that killed a server brings it back: `$WEIR_TEST_XTASK servers restart KIND`.
    pub fn env(&self) -> Vec<(&'static str, String)> {
        let mut env: Vec<_> = self.all.iter().flat_map(|server| servers::env_of(server)).collect();
        if let Ok(xtask) = std::env::current_exe() {
            env.push(("WEIR_TEST_XTASK", xtask.display().to_string()));
        }
        env
    }

    /// Stops those that were not up before.
    ///
    /// # Errors
    /// Fails when a process does not end.
    pub fn stop(self) -> Result<()> {
        for server in self.all.iter().filter(|server| !self.ours.iter().any(|ours| ours.name == server.name)) {
            println!("{0}: was up before, stays up; `cargo xtask servers down {0}` stops it", server.name);
        }
        self.ours.iter().try_for_each(|server| servers::stop(server))
    }
}
