//! What the process uses, as the system tells it; the metrics that Flink has of its JVM.

use std::sync::{Arc, Mutex, PoisonError};

use weir_base::Clock;
use weir_metrics::{Registry, Scope};

/// Ticks of the system's CPU account in a second: fixed in Linux' interface to programs.
const TICKS_PER_SECOND: u64 = 100;

/// CPU and memory of the process.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Percent of one core since the last look.
    pub cpu_percent: u64,
    /// Resident bytes.
    pub memory_bytes: u64,
}

/// Remembers the last look.
#[derive(Debug, Default)]
pub struct Process {
    last: Option<(u64, u64)>,
}

impl Process {
    /// The usage now; zeros where the system does not tell.
    pub fn usage(&mut self, now_us: u64) -> Usage {
        let cpu_us = cpu_us().unwrap_or(0);
        let cpu_percent = match self.last {
            Some((then_us, then_cpu_us)) if now_us > then_us => {
                cpu_us.saturating_sub(then_cpu_us).saturating_mul(100) / (now_us - then_us)
            }
            _ => 0,
        };
        self.last = Some((now_us, cpu_us));
        Usage { cpu_percent, memory_bytes: memory_bytes().unwrap_or(0) }
    }
}

/// Registers what Flink shows of its JVM and has a meaning here.
#[expect(clippy::cast_precision_loss, reason = "a page shows doubles")]
pub fn register(registry: &Registry, clock: &Arc<dyn Clock>) {
    for scope in [Scope::JobManager, Scope::TaskManager] {
        let process = Mutex::new(Process::default());
        let clock = Arc::clone(clock);
        let cores = std::thread::available_parallelism().map_or(1, usize::from) as f64;
        registry.computed(scope, "Status_JVM_CPU_Load", move || {
            let mut process = process.lock().unwrap_or_else(PoisonError::into_inner);
            process.usage(clock.monotonic_us()).cpu_percent as f64 / 100.0 / cores
        });
        registry.computed(scope, "Status_JVM_CPU_Time", || cpu_us().unwrap_or(0) as f64 * 1000.0);
        registry.computed(scope, "Status_JVM_Memory_Heap_Used", || memory_bytes().unwrap_or(0) as f64);
        registry.computed(scope, "Status_JVM_Threads_Count", || threads().unwrap_or(0) as f64);
    }
    // State lies in the memory of the process: what it may take at most is all there is. Flink's name, and the one of older dashboards.
    for name in ["Status_Flink_Memory_Managed_Total", "memory_managed_total"] {
        registry.computed(Scope::TaskManager, name, || memory_bytes_max().unwrap_or(0) as f64);
    }
    registry.sum_of(Scope::TaskManager, "Status_Flink_Memory_Managed_Used", Scope::Operator, "managedMemoryUsed");
}

/// Bytes of memory that the process may use: its container's limit if there is one, else what the machine has.
fn memory_bytes_max() -> Option<u64> {
    let machine = number_of("/proc/meminfo", "MemTotal:").map(|kilobytes| kilobytes * 1024);
    let limit = |path: &str| std::fs::read_to_string(path).ok()?.trim().parse().ok();
    let container =
        ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"].into_iter().find_map(limit);
    machine.into_iter().chain(container).min()
}

/// Microseconds of CPU that the process has used.
fn cpu_us() -> Option<u64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The fields stand behind the name, which may hold anything but ends with the last ')'.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: u64 = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    Some(ticks * 1_000_000 / TICKS_PER_SECOND)
}

fn memory_bytes() -> Option<u64> {
    status_number("VmRSS:").map(|kilobytes| kilobytes * 1024)
}

fn threads() -> Option<u64> {
    status_number("Threads:")
}

fn status_number(key: &str) -> Option<u64> {
    number_of("/proc/self/status", key)
}

/// The number behind `key` in a file of lines `key number unit`.
fn number_of(path: &str, key: &str) -> Option<u64> {
    let text = std::fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(key))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
