//! `cargo xtask doctor`: what this machine lacks to build, to test, or to compare with Flink, each with the way to get it.

use std::path::Path;
use std::process::Command;

use crate::command;
use crate::failure::{Failure, Result};

/// The oldest compiler that builds Weir; `rust-version` of the workspace says the same.
const RUSTC_MIN: (u32, u32) = (1, 95);
/// The oldest Java that Kafka 4, QuestDB 9 and Flink 2.3 run on.
const JAVA_MIN: u32 = 17;

/// What a finding keeps one from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Need {
    Build,
    Test,
    Flink,
}

impl Need {
    fn words(self) -> &'static str {
        match self {
            Self::Build => "needed to build",
            Self::Test => "needed to test against real servers",
            Self::Flink => "needed to compare with Flink only",
        }
    }
}

/// One thing that is looked for: what was found, or how to get it.
struct Finding {
    name: &'static str,
    need: Need,
    found: std::result::Result<String, &'static str>,
}

/// Looks for everything and prints a line each.
///
/// # Errors
/// Fails when something is missing that building or testing needs.
pub fn run(_: &[String]) -> Result<()> {
    let findings = look();
    for finding in &findings {
        println!("{}", line(finding));
    }
    let missing: Vec<&str> =
        findings.iter().filter(|each| each.found.is_err() && each.need != Need::Flink).map(|each| each.name).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!("find all that building and testing need: {} missing", missing.join(", "))))
}

/// A finding as it is printed.
fn line(finding: &Finding) -> String {
    match &finding.found {
        Ok(what) => format!("  ok       {:<13} {what}", finding.name),
        Err(get) => format!("  MISSING  {:<13} {}: {get}", finding.name, finding.need.words()),
    }
}

fn look() -> Vec<Finding> {
    let find = |name, need, found: Option<String>, get| Finding { name, need, found: found.ok_or(get) };
    vec![
        find("rustc >= 1.95", Need::Build, rustc(), "https://rustup.rs, then `rustup update stable`"),
        find(
            "C compiler",
            Need::Build,
            first_line("cc", &["--version"]),
            "`apt-get install gcc` or `brew install gcc`",
        ),
        find(
            "make",
            Need::Build,
            first_line("make", &["--version"]),
            "`apt-get install make` or `xcode-select --install`",
        ),
        find("zlib headers", Need::Build, zlib(), "`apt-get install zlib1g-dev` or `dnf install zlib-devel`"),
        find(
            "java >= 17",
            Need::Test,
            java(),
            "`apt-get install openjdk-17-jre-headless` or `brew install openjdk@17`",
        ),
        find(
            "awk",
            Need::Test,
            first_line("awk", &["BEGIN { print \"it runs\" }"]),
            "`apt-get install mawk` or `brew install gawk`",
        ),
        find("mvn", Need::Test, first_line("mvn", &["-v"]), "`apt-get install maven` or `brew install maven`"),
        find(
            "python3, pip",
            Need::Flink,
            first_line("python3", &["-m", "pip", "--version"]),
            "`apt-get install python3-pip`",
        ),
        find(
            "dpkg-deb",
            Need::Flink,
            first_line("dpkg-deb", &["--version"]),
            "promtool comes as a Debian package; elsewhere its checks are skipped",
        ),
    ]
}

fn rustc() -> Option<String> {
    let line = first_line("rustc", &["--version"])?;
    (version(&line)? >= RUSTC_MIN).then_some(line)
}

fn java() -> Option<String> {
    let line = first_line("java", &["-version"])?;
    (version(&line)?.0 >= JAVA_MIN).then_some(line)
}

/// Whether a program that uses zlib compiles: where the header lies differs from system to system.
fn zlib() -> Option<String> {
    let mut cc = Command::new("sh");
    cc.args(["-c", "echo '#include <zlib.h>' | cc -E -x c - >/dev/null"]);
    command::output(&mut cc).ok().map(|_| {
        let here = Path::new("/usr/include/zlib.h");
        if here.is_file() { here.display().to_string() } else { "zlib.h".to_owned() }
    })
}

/// The first line that a program says about its version, on stdout or (Java) stderr, without colours.
fn first_line(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).output().ok().filter(|output| output.status.success())?;
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).replace("\u{1b}[1m", "").replace("\u{1b}[m", "");
    text.lines().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned)
}

/// The first `MAJOR.MINOR` in `line`; a lone `MAJOR` has minor 0.
fn version(line: &str) -> Option<(u32, u32)> {
    let word = line.split([' ', '"']).find(|word| word.starts_with(|first: char| first.is_ascii_digit()))?;
    let mut numbers = word.split(|end: char| !end.is_ascii_digit()).map(str::parse::<u32>);
    let major = numbers.next()?.ok()?;
    Some((major, numbers.next().and_then(std::result::Result::ok).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_programs_say() {
        let cases = [
            ("rustc 1.95.0 (59807616e 2026-04-14)", Some((1, 95))),
            ("openjdk version \"17.0.15\" 2025-04-15", Some((17, 0))),
            ("java version \"1.8.0_292\"", Some((1, 8))),
            ("openjdk version \"24\" 2026-03-18", Some((24, 0))),
            ("no number", None),
        ];
        for (line, expected) in cases {
            assert_eq!(version(line), expected, "{line}");
        }
    }

    #[test]
    fn what_is_missing_comes_with_the_way_to_get_it() {
        let missing = Finding { name: "mvn", need: Need::Test, found: Err("`apt-get install maven`") };
        let words = "  MISSING  mvn           needed to test against real servers: `apt-get install maven`";
        assert_eq!(line(&missing), words);
        let found = Finding { name: "mvn", need: Need::Test, found: Ok("3.8".to_owned()) };
        assert_eq!(line(&found), "  ok       mvn           3.8");
    }

    #[test]
    fn the_compiler_asked_for_is_the_workspace_s() {
        let manifest = std::fs::read_to_string(command::root().join("Cargo.toml")).unwrap();
        let (major, minor) = RUSTC_MIN;
        assert!(manifest.contains(&format!("rust-version = \"{major}.{minor}\"")));
    }
}
