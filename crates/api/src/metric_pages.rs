//! The metric pages: `/metrics` of the job manager's scope on the first port of the range, of the task manager's on the next free one.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use tokio::sync::oneshot;
use weir_base::{Clock, Error, Kind, Result, Thread, spawn};
use weir_metrics::{Page, Registry, exposition};

/// Prometheus' text format.
const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Two pages on two ports, served until they are dropped.
pub struct MetricPages {
    addresses: [SocketAddr; 2],
    stop: Option<oneshot::Sender<()>>,
    thread: Option<Thread<()>>,
}

impl MetricPages {
    /// Serves `registry` on two free ports of `range` (`9249-9260`, or one port: that one and the next), on all IPv4 addresses as Flink does. Once a
    /// second it lets the registry's meters take their sample.
    ///
    /// # Errors
    /// The range cannot be read, or no two of its ports are free.
    pub fn start(registry: &Registry, range: &str, clock: &Arc<dyn Clock>) -> Result<Self> {
        let range = parse_range(range)?;
        let job_manager = bind(range.clone())?;
        let task_manager = bind(range)?;
        let addresses = [local(&job_manager)?, local(&task_manager)?];
        let (stop, stopped) = oneshot::channel();
        let (registry, clock) = (registry.clone(), Arc::clone(clock));
        let thread = spawn("weir-metrics", move || serve(&registry, &clock, job_manager, task_manager, stopped))?;
        Ok(Self { addresses, stop: Some(stop), thread: Some(thread) })
    }

    /// Where they answer: job manager, task manager.
    pub fn addresses(&self) -> [SocketAddr; 2] {
        self.addresses
    }
}

impl Drop for MetricPages {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // The server may have ended by itself.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn parse_range(text: &str) -> Result<RangeInclusive<u16>> {
    let wrong = || {
        Error::invalid(format!(
            "use the configuration key 'metrics.reporter.prom.port': '{text}' is neither a port nor a range"
        ))
        .hint("write one port, or two joined by '-', such as 9249-9260")
    };
    let (first, last) = text.split_once('-').unwrap_or((text, ""));
    let first: u16 = first.trim().parse().map_err(|_| wrong())?;
    let last = if last.is_empty() { first.saturating_add(1) } else { last.trim().parse().map_err(|_| wrong())? };
    if first > last { Err(wrong()) } else { Ok(first..=last) }
}

fn bind(range: RangeInclusive<u16>) -> Result<TcpListener> {
    for port in range.clone() {
        if let Ok(listener) = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)) {
            return Ok(listener);
        }
    }
    let (first, last) = range.into_inner();
    Err(Error::new(Kind::Conflict, format!("serve metrics: two ports are needed, and {first} to {last} are taken"))
        .hint("give another range with -D metrics.reporter.prom.port=FIRST-LAST"))
}

fn local(listener: &TcpListener) -> Result<SocketAddr> {
    listener.local_addr().map_err(|source| Error::io("ask for the port of the metric page", source))
}

fn serve(
    registry: &Registry,
    clock: &Arc<dyn Clock>,
    job_manager: TcpListener,
    task_manager: TcpListener,
    stopped: oneshot::Receiver<()>,
) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "cannot serve metrics");
            return;
        }
    };
    runtime.block_on(async {
        let job_manager = page(registry, Page::JobManager, job_manager);
        let task_manager = page(registry, Page::TaskManager, task_manager);
        tokio::select! {
            ended = job_manager => tracing::error!(?ended, "the job manager's metric page ended"),
            ended = task_manager => tracing::error!(?ended, "the task manager's metric page ended"),
            () = ticks(registry, clock) => {}
            _ = stopped => {}
        }
    });
}

async fn page(registry: &Registry, page: Page, listener: TcpListener) -> std::io::Result<()> {
    listener.set_nonblocking(true)?;
    let port = listener.local_addr()?.port();
    let mut labels = vec![("host", "localhost".to_owned())];
    if page == Page::TaskManager {
        labels.push(("tm_id", format!("localhost:{port}")));
    }
    let (registry, labels) = (registry.clone(), Arc::new(labels));
    let answer = move || {
        let text = exposition(&registry.metrics(), page, &labels);
        async move { ([(CONTENT_TYPE, TEXT_FORMAT)], text) }
    };
    let router = Router::new().route("/metrics", get(answer.clone())).route("/", get(answer));
    axum::serve(tokio::net::TcpListener::from_std(listener)?, router).await
}

/// Samples the meters once a second of the clock, however late a wake-up comes.
async fn ticks(registry: &Registry, clock: &Arc<dyn Clock>) {
    let mut due_us = clock.monotonic_us();
    loop {
        let now_us = clock.monotonic_us();
        while due_us <= now_us {
            registry.tick();
            due_us += 1_000_000;
        }
        tokio::time::sleep(Duration::from_micros(due_us.saturating_sub(now_us))).await;
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;

    use weir_base::SystemClock;
    use weir_metrics::Scope;

    use super::*;

    #[test]
    fn two_pages_answer_on_two_free_ports() {
        let registry = Registry::default();
        registry.counter(Scope::JobManager, "numRunningJobs").add(1);
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let pages = MetricPages::start(&registry, "19249-19299", &clock).unwrap();
        let [job_manager, task_manager] = pages.addresses();
        assert_ne!(job_manager.port(), task_manager.port());
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, job_manager.port())).unwrap();
        stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.contains("text/plain; version=0.0.4"), "{answer}");
        assert!(answer.contains("flink_jobmanager_numRunningJobs{host=\"localhost\",} 1.0\n"), "{answer}");
    }

    #[test]
    fn a_range_that_is_none_says_what_to_write() {
        let error = parse_range("many").unwrap_err();
        assert_eq!(
            error.to_string(),
            "use the configuration key 'metrics.reporter.prom.port': 'many' is neither a port nor a range; \
             write one port, or two joined by '-', such as 9249-9260"
        );
    }
}
