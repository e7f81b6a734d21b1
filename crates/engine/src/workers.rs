//! The `Workers` port over a pool of threads in this process.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use weir_base::{Clock, Epoch, Result};
use weir_connector::Source;
use weir_ports::{Barrier, BufferTimeout, Deployment, Event, Run, RunId, SplitState, Workers};

use crate::deploy::{Deployer, RunningSource, task_counts};
use crate::scheduler::{Pool, Waker};
use crate::task::{RunShared, RunTask, TaskMetrics};

/// How often a cancelled run is looked at until its tasks have ended.
const CANCEL_POLL: Duration = Duration::from_millis(2);

/// Runs jobs in this process, all on one pool of threads.
pub struct LocalWorkers {
    pool: Pool,
    deterministic: bool,
    runs: AtomicU64,
}

struct LocalRun {
    id: RunId,
    shared: Arc<RunShared>,
    tasks: Vec<Waker>,
    events: Receiver<Event>,
    sources: Mutex<Vec<(Arc<dyn Source>, RunningSource)>>,
}

impl LocalWorkers {
    /// Workers of `threads` threads. With a `seed`, one thread that steps tasks in an order the seed determines, and no reader threads.
    ///
    /// # Errors
    /// The system gives no threads.
    pub fn start(threads: usize, seed: Option<u64>, clock: Arc<dyn Clock>) -> Result<Self> {
        Ok(Self { pool: Pool::start(threads, seed, clock)?, deterministic: seed.is_some(), runs: AtomicU64::new(0) })
    }
}

impl Workers for LocalWorkers {
    fn deploy(&self, deployment: Deployment) -> Result<Box<dyn Run>> {
        if let BufferTimeout::After(timeout) = deployment.settings.buffer_timeout {
            // Rows that wait must be looked at in time.
            self.pool.tick_every(timeout);
        }
        let (tasks, sources) = task_counts(&deployment.graph);
        let (tell, events) = channel();
        let shared = Arc::new(RunShared::new(Arc::clone(&deployment.clock), tasks, sources, tell));
        let wakers: Vec<Waker> = (0..tasks).map(|_| self.pool.reserve()).collect();
        let mut deployer = Deployer::new(&deployment, Arc::clone(&shared), &wakers, self.deterministic)?;
        let planned = deployer.tasks().inspect_err(|_| shared.cancel())?;
        let running = std::mem::take(&mut deployer.sources);
        drop(deployer);
        for (waker, task) in wakers.iter().zip(planned) {
            let metrics = TaskMetrics::register(&task.metrics);
            let framed = RunTask::new(task.id, task.name, task.body, Arc::clone(&shared), metrics);
            self.pool.start_task(waker, Box::new(framed));
        }
        let sources = running
            .into_iter()
            .filter_map(|running| Some((Arc::clone(deployment.sources.get(&running.node)?), running)))
            .collect();
        let id = RunId(self.runs.fetch_add(1, Ordering::Relaxed));
        Ok(Box::new(LocalRun { id, shared, tasks: wakers, events, sources: Mutex::new(sources) }))
    }
}

impl LocalRun {
    fn wake_all(&self) {
        self.tasks.iter().for_each(|task| task.wake());
    }
}

impl Run for LocalRun {
    fn id(&self) -> RunId {
        self.id
    }

    fn events(&self) -> &Receiver<Event> {
        &self.events
    }

    fn barrier(&self, barrier: Barrier) {
        self.shared.request(barrier);
        self.wake_all();
    }

    fn decided(&self, epoch: Epoch) {
        self.shared.set_decided(epoch);
        self.wake_all();
    }

    fn completed(&self, epoch: Epoch) {
        self.shared.set_completed(epoch);
        self.wake_all();
    }

    fn discover(&self) -> Result<()> {
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        for (source, running) in sources.iter_mut().filter(|(source, _)| source.discovery_interval().is_some()) {
            for split in source.splits()? {
                if running.known.insert(split.clone()) {
                    let state = SplitState { split, position: None, finished: false };
                    running.assigned[running.turn].lock().unwrap_or_else(PoisonError::into_inner).push(state);
                    self.tasks[running.tasks[running.turn]].wake();
                    running.turn = (running.turn + 1) % running.assigned.len();
                }
            }
        }
        Ok(())
    }

    fn drain(&self) {
        self.shared.drain();
        self.wake_all();
    }

    fn cancel(&self, wait: Duration) -> bool {
        self.shared.cancel();
        self.wake_all();
        let clock = &self.shared.clock;
        let deadline = clock.monotonic_us().saturating_add(u64::try_from(wait.as_micros()).unwrap_or(u64::MAX));
        loop {
            if self.tasks.iter().all(|task| task.is_done()) {
                return true;
            }
            if clock.monotonic_us() >= deadline {
                return false;
            }
            clock.sleep(CANCEL_POLL);
        }
    }
}

impl Drop for LocalRun {
    fn drop(&mut self) {
        self.shared.cancel();
        self.wake_all();
    }
}
