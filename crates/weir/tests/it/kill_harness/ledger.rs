//! The ledger: a line for each round, appended as soon as it is over; `cargo xtask bench kill` reads it and goes on behind its last seed.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

use super::strike::Kill;

/// The columns, as `xtask/src/bench/kill/ledger.rs` reads them.
const HEADER: &str = "scenario,seed,build,kills,verdict\n";

/// A file that rounds are written to.
pub struct Ledger {
    path: PathBuf,
    build: String,
}

impl Ledger {
    /// The one that `WEIR_KILL_LEDGER` names; an ordinary test run has none.
    pub fn of_environment() -> Option<Self> {
        let path = PathBuf::from(std::env::var_os("WEIR_KILL_LEDGER")?);
        Some(Self { path, build: std::env::var("WEIR_KILL_BUILD").unwrap_or_default() })
    }

    /// Appends a round.
    pub fn add(&self, scenario: &str, seed: u64, kills: &[Kill], wrong: &str) {
        std::fs::create_dir_all(self.path.parent().expect("a ledger is in a folder"))
            .expect("make the ledger's folder");
        let mut file = OpenOptions::new().create(true).append(true).open(&self.path).expect("open the ledger");
        let is_new = file.metadata().expect("look at the ledger").len() == 0;
        let header = if is_new { HEADER } else { "" };
        let line = line(scenario, seed, &self.build, kills, wrong);
        file.write_all(format!("{header}{line}").as_bytes()).expect("write to the ledger");
    }
}

fn line(scenario: &str, seed: u64, build: &str, kills: &[Kill], wrong: &str) -> String {
    let kills: Vec<String> = kills.iter().map(Kill::to_string).collect();
    // One round is one line, whatever a panic had to say.
    let verdict = if wrong.is_empty() { "ok".to_owned() } else { format!("{:?}", wrong.replace('"', "'")) };
    format!("{scenario},{seed},{build},{},{verdict}\n", kills.join(" "))
}

#[test]
fn a_round_is_one_line() {
    let kill = |step: &str, instant_ms| Kill { step: step.to_owned(), instant_ms };
    assert_eq!(
        line("files", 7, "2026-11-21 abc+", &[kill("start", 12), kill("decide", 340)], ""),
        "files,7,2026-11-21 abc+,start@12 decide@340,ok\n"
    );
    assert_eq!(line("kafka", 8, "", &[], "lost 1,\n\"x\""), "kafka,8,,,\"lost 1,\\n'x'\"\n");
}
