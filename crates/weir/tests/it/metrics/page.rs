//! The metric pages as a scraper reads them, and a binary at work that answers with them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::time::Duration;

use weir_base::{Clock, SystemClock};

use crate::binary::{Place, wait};

/// How long a test waits for what must come to be.
const LIMIT_MS: f64 = 30_000.0;

/// A sample: name, labels, value.
pub type Sample = (String, BTreeMap<String, String>, f64);

/// The samples of a page.
pub struct Page {
    pub text: String,
    pub samples: Vec<Sample>,
}

impl Page {
    pub fn of(text: String) -> Self {
        let sample = |line: &str| {
            let (name, rest) = line.split_once('{').expect("labels");
            let (labels, value) = rest.split_once("} ").expect("a value");
            let labels = labels.split_terminator(',').map(|label| {
                let (name, value) = label.split_once('=').expect("a label's value");
                (name.to_owned(), value.trim_matches('"').to_owned())
            });
            (name.to_owned(), labels.collect(), value.parse().expect("a number"))
        };
        let samples = text.lines().filter(|line| !line.starts_with('#')).map(sample).collect();
        Self { text, samples }
    }

    /// The names of all families.
    pub fn families(&self) -> BTreeSet<&str> {
        let typed = self.text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
        typed.filter_map(|line| line.split(' ').next()).collect()
    }

    /// The samples of `name`, of the operator or task whose name begins with `of`.
    pub fn samples_of<'a>(&'a self, name: &'a str, of: &'a str) -> impl Iterator<Item = &'a Sample> {
        let of_name = move |labels: &BTreeMap<String, String>| {
            let named = labels.get("operator_name").or_else(|| labels.get("task_name"));
            of.is_empty() || named.is_some_and(|value| value.starts_with(of))
        };
        self.samples.iter().filter(move |(sample, labels, _)| sample == name && of_name(labels))
    }

    /// Their values, sorted.
    pub fn all(&self, name: &str, of: &str) -> Vec<f64> {
        let mut all: Vec<f64> = self.samples_of(name, of).map(|(_, _, value)| *value).collect();
        all.sort_by(f64::total_cmp);
        all
    }

    /// The value of the only one.
    #[track_caller]
    pub fn one(&self, name: &str, of: &str) -> f64 {
        let all = self.all(name, of);
        assert_eq!(all.len(), 1, "{name} of '{of}' in\n{}", self.text);
        all[0]
    }

    /// The only value of `name`, or minus infinity: for waiting.
    pub fn peek(&self, name: &str, of: &str) -> f64 {
        self.all(name, of).first().copied().unwrap_or(f64::NEG_INFINITY)
    }
}

/// The binary at work, killed when the test is over.
pub struct Held {
    pub child: Child,
    ports: [u16; 2],
}

impl Held {
    /// Starts the script `sql`; standard output goes to `out`, the log to the file `log`.
    pub fn start(place: &Place, sql: &str, args: &[&str], out: Stdio) -> Self {
        let ports = free_ports();
        place.write("job.sql", sql);
        let log = std::fs::File::create(place.path("log")).expect("make the log");
        let range = format!("metrics.reporter.prom.port={}-{}", ports[0], ports[1]);
        let mut command = place.weir(["run", "job.sql", "-D", "weir.threads=3", "-D", &range]);
        let child = command.args(args).stdout(out).stderr(log).spawn().expect("start weir");
        Self { child, ports }
    }

    fn page(&self, index: usize) -> Option<Page> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.ports[index])).ok()?;
        stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(Page::of(answer.split_once("\r\n\r\n")?.1.to_owned()))
    }

    /// The job manager's page and the task manager's, once `ready` holds for them.
    #[track_caller]
    pub fn pages(&self, what: &str, ready: impl Fn(&Page, &Page) -> bool) -> (Page, Page) {
        let until = now_ms() + LIMIT_MS;
        loop {
            let pages = self.page(0).zip(self.page(1));
            match pages {
                Some((jobs, tasks)) if ready(&jobs, &tasks) => return (jobs, tasks),
                pages => {
                    let text = pages.map(|(jobs, tasks)| jobs.text + &tasks.text).unwrap_or_default();
                    assert!(now_ms() < until, "{what} did not come to be: {text}");
                    wait(Duration::from_millis(50));
                }
            }
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Two ports that follow each other, free a moment ago.
fn free_ports() -> [u16; 2] {
    loop {
        let first = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).expect("a free port");
        let port = first.local_addr().expect("its number").port();
        if port < u16::MAX && TcpListener::bind((Ipv4Addr::UNSPECIFIED, port + 1)).is_ok() {
            return [port, port + 1];
        }
    }
}

pub fn now_ms() -> f64 {
    let now = u64::try_from(SystemClock::new().now()).expect("a clock past 1970");
    Duration::from_millis(now).as_secs_f64() * 1000.0
}

pub fn operator(name: &str) -> String {
    format!("flink_taskmanager_job_task_operator_{name}")
}

pub fn task(name: &str) -> String {
    format!("flink_taskmanager_job_task_{name}")
}

pub fn job(name: &str) -> String {
    format!("flink_jobmanager_job_{name}")
}
