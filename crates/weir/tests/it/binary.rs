//! The binary under test, and the folder it works in.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;
use weir_base::{Clock, SystemClock};

/// A folder with everything of one test; removed when the test has passed.
pub struct Place {
    dir: TempDir,
}

impl Place {
    /// An empty folder.
    pub fn new() -> Self {
        Self { dir: tempfile::tempdir().expect("a temporary folder") }
    }

    /// Keeps it for whoever looks why its test failed.
    pub fn keep(&mut self) -> &Path {
        self.dir.disable_cleanup(true);
        self.dir.path()
    }

    /// A path in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file in it.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a path below the folder")).expect("make the folder");
        std::fs::write(&path, text).expect("write the file");
        path
    }

    /// The command `weir ARGS`, working in it, on metric ports of its own choice.
    pub fn weir<S: AsRef<std::ffi::OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        // Long runs name a copy that no build replaces meanwhile.
        let binary = std::env::var_os("WEIR_TEST_BINARY").unwrap_or_else(|| env!("CARGO_BIN_EXE_weir").into());
        let mut command = Command::new(binary);
        command.args(args).current_dir(self.dir.path()).stdin(Stdio::null()).env("NO_COLOR", "1");
        command
    }

    /// Runs the script `sql` with `args`.
    pub fn run(&self, sql: &str, args: &[&str]) -> Ran {
        self.write("job.sql", sql);
        let mut all = vec!["run", "job.sql", "-D", "metrics.reporter.prom.port=21000-29999"];
        all.extend(args);
        Ran::of(self.weir(all).output().expect("start weir"))
    }

    /// Starts the script `sql` with `args` and lets it run.
    pub fn start(&self, sql: &str, args: &[&str]) -> Child {
        self.write("job.sql", sql);
        let mut all = vec!["run", "job.sql", "-D", "metrics.reporter.prom.port=21000-29999"];
        all.extend(args);
        self.weir(all).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("start weir")
    }

    /// All lines of the committed files of a file sink, sorted.
    pub fn lines(&self, name: &str) -> Vec<String> {
        let mut lines = Vec::new();
        collect_lines(&self.path(name), &mut lines);
        lines.sort();
        lines
    }
}

fn collect_lines(dir: &Path, lines: &mut Vec<String>) {
    let Ok(entries) = std::fs::read_dir(dir) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with(['.', '_']) {
            continue;
        }
        if entry.path().is_dir() {
            collect_lines(&entry.path(), lines);
        } else {
            let text = std::fs::read_to_string(entry.path()).expect("read a part file");
            lines.extend(text.lines().map(str::to_owned));
        }
    }
}

/// How a run ended.
#[derive(Debug)]
pub struct Ran {
    /// Its exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// Its standard output.
    pub out: String,
    /// Its standard error.
    pub err: String,
}

impl Ran {
    /// The end of a process.
    pub fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Asserts the exit code 0.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }
}

/// Lets a process of the shipped binary run for a while: what it does in real time is what these tests are about.
pub fn wait(duration: std::time::Duration) {
    SystemClock::new().sleep(duration);
}
