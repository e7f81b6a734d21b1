//! Real servers that a test needs: `cargo xtask test` starts them and names them in the environment.
//!
//! Most tests share them. One that kills, pauses or restarts a server has them alone meanwhile: the lock here sees to it within this binary, and cargo
//! runs one test binary after the other.

use std::process::Command;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Held by those who share the servers, and by the one who has them alone.
static USERS: RwLock<()> = RwLock::new(());

/// The addresses of Kafka and QuestDB.
pub struct Servers {
    /// `host:port` of the broker.
    pub kafka: String,
    /// `host:port` at which the broker wants a user: `weir`, with the password `secret`.
    pub kafka_sasl: String,
    /// `host:port` of QuestDB's HTTP endpoint.
    pub questdb_http: String,
    /// `host:port` of QuestDB's PostgreSQL endpoint.
    pub questdb_pg: String,
    /// Released with the servers.
    _use: Use,
}

/// How a test uses the servers.
enum Use {
    Shared { _guard: RwLockReadGuard<'static, ()> },
    Alone { _guard: RwLockWriteGuard<'static, ()> },
}

/// A server that a test may treat badly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The broker.
    Kafka,
    /// The table's database.
    QuestDb,
}

/// Kafka and QuestDB, shared with other tests, or `None` where they are not there: said loudly, and a failure under CI.
pub fn servers(test: &str) -> Option<Servers> {
    find(test, || Use::Shared { _guard: USERS.read().unwrap_or_else(PoisonError::into_inner) })
}

/// As `servers`, alone: no other test uses them until the answer is dropped.
pub fn servers_alone(test: &str) -> Option<Servers> {
    find(test, || Use::Alone { _guard: USERS.write().unwrap_or_else(PoisonError::into_inner) })
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn find(test: &str, lock: impl FnOnce() -> Use) -> Option<Servers> {
    let names = ["KAFKA", "KAFKA_SASL", "QUESTDB_HTTP", "QUESTDB_PG"];
    let all = names.map(|name| variable(&format!("WEIR_TEST_{name}")));
    if let [Some(kafka), Some(kafka_sasl), Some(questdb_http), Some(questdb_pg)] = all {
        return Some(Servers { kafka, kafka_sasl, questdb_http, questdb_pg, _use: lock() });
    }
    let message =
        format!("{test} needs Kafka and QuestDB: cargo xtask servers up kafka questdb, then cargo xtask servers env");
    assert!(std::env::var("CI").is_err(), "{message}");
    eprintln!("SKIPPED: {message}");
    None
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Kafka => "kafka",
            Self::QuestDb => "questdb",
        }
    }

    /// The process as it is now: a restart gives another one.
    fn pid(self) -> libc::pid_t {
        let name = format!("WEIR_TEST_{}_PID_FILE", self.name().to_uppercase());
        let file = variable(&name).expect("a server that runs names its process: cargo xtask servers env");
        let text = std::fs::read_to_string(&file).expect("read the file with the server's process id");
        text.trim().parse().expect("a process id")
    }

    fn signal(self, signal: libc::c_int) {
        // SAFETY: a signal to a process that is no memory of ours.
        assert_eq!(unsafe { libc::kill(self.pid(), signal) }, 0, "signal {}", self.name());
    }

    /// Ends it as a power cut would, until the answer is dropped, also by a test that fails: then it is started again, with the same ports and data,
    /// and answers.
    pub fn kill(self) -> Killed {
        self.signal(libc::SIGKILL);
        Killed(self)
    }

    fn restart(self) {
        let xtask = variable("WEIR_TEST_XTASK").expect("WEIR_TEST_XTASK names the program that restarts servers");
        let output = Command::new(xtask).args(["servers", "restart", self.name()]).output().expect("start xtask");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Pauses it until the answer is dropped, also by a test that fails.
    pub fn pause(self) -> Paused {
        self.signal(libc::SIGSTOP);
        Paused(self)
    }
}

/// A server that is paused.
pub struct Paused(Kind);

impl Drop for Paused {
    fn drop(&mut self) {
        self.0.signal(libc::SIGCONT);
    }
}

/// A server that was killed.
pub struct Killed(Kind);

impl Drop for Killed {
    fn drop(&mut self) {
        self.0.restart();
    }
}
