//! The pool: a queue of tasks that have something to do, and threads that step them.
//!
//! With a seed there is one thread, and it picks the next task at random: the same seed tries the same order, so that a test can try many.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use weir_base::{Clock, Result, Rng, Thread, spawn};

use super::{Step, Task};

/// How often tasks that watch processing time are stepped, unless something wants it more often.
const TICK: Duration = Duration::from_millis(50);
/// The shortest time between two such steps.
const TICK_MIN: Duration = Duration::from_millis(1);

const IDLE: u8 = 0;
const QUEUED: u8 = 1;
const RUNNING: u8 = 2;
const RUNNING_WOKEN: u8 = 3;
const DONE: u8 = 4;

/// Wakes a task from anywhere.
pub type Waker = Arc<TaskHandle>;

/// A task in the pool.
pub struct TaskHandle {
    state: AtomicU8,
    task: Mutex<Option<Box<dyn Task>>>,
    shared: Weak<Shared>,
}

/// A fixed number of threads that step tasks.
pub struct Pool {
    shared: Arc<Shared>,
    threads: Vec<Thread<()>>,
}

struct Shared {
    queue: Mutex<Queue>,
    ready: Condvar,
    stopping: AtomicBool,
    ticked_us: AtomicU64,
    tick_us: AtomicU64,
    ticking: Mutex<Vec<Weak<TaskHandle>>>,
    clock: Arc<dyn Clock>,
}

struct Queue {
    tasks: VecDeque<Arc<TaskHandle>>,
    order: Option<Rng>,
}

impl Pool {
    /// Starts `threads` threads; with a `seed` only one, which takes tasks in an order that the seed determines.
    ///
    /// # Errors
    /// The system gives no threads.
    pub fn start(threads: usize, seed: Option<u64>, clock: Arc<dyn Clock>) -> Result<Self> {
        let count = if seed.is_some() { 1 } else { threads.max(1) };
        let shared = Arc::new(Shared {
            queue: Mutex::new(Queue { tasks: VecDeque::new(), order: seed.map(Rng::new) }),
            ready: Condvar::new(),
            stopping: AtomicBool::new(false),
            ticked_us: AtomicU64::new(0),
            tick_us: AtomicU64::new(micros(TICK)),
            ticking: Mutex::default(),
            clock,
        });
        let threads = (0..count)
            .map(|index| {
                let shared = Arc::clone(&shared);
                spawn(format!("weir-task-{index}"), move || shared.work())
            })
            .collect::<Result<_>>()?;
        Ok(Self { shared, threads })
    }

    /// Steps tasks that watch processing time at least once in `interval` (or a millisecond, if that is longer) from now on.
    pub fn tick_every(&self, interval: Duration) {
        self.shared.tick_us.fetch_min(micros(interval.max(TICK_MIN)), Ordering::Relaxed);
    }

    /// Makes room for a task, so that others can hold its waker before it exists.
    pub fn reserve(&self) -> Waker {
        Arc::new(TaskHandle {
            state: AtomicU8::new(RUNNING),
            task: Mutex::new(None),
            shared: Arc::downgrade(&self.shared),
        })
    }

    /// Puts `task` in its place and steps it for the first time.
    pub fn start_task(&self, handle: &Waker, task: Box<dyn Task>) {
        if task.wants_ticks() {
            lock(&self.shared.ticking).push(Arc::downgrade(handle));
        }
        *lock(&handle.task) = Some(task);
        handle.state.store(QUEUED, Ordering::Release);
        self.shared.push(Arc::clone(handle));
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::Release);
        self.shared.ready.notify_all();
        for thread in self.threads.drain(..) {
            // A thread that panicked has already said so on standard error.
            let _ = thread.join();
        }
    }
}

impl TaskHandle {
    /// Lets the task be stepped soon. Cheap when it already will be.
    pub fn wake(self: &Arc<Self>) {
        loop {
            let state = self.state.load(Ordering::Acquire);
            let next = match state {
                IDLE => QUEUED,
                RUNNING => RUNNING_WOKEN,
                _ => return,
            };
            if self.state.compare_exchange(state, next, Ordering::AcqRel, Ordering::Acquire).is_ok() {
                if next == QUEUED
                    && let Some(shared) = self.shared.upgrade()
                {
                    shared.push(Arc::clone(self));
                }
                return;
            }
        }
    }

    /// Whether the task has ended.
    pub fn is_done(&self) -> bool {
        self.state.load(Ordering::Acquire) == DONE
    }

    /// Steps the task once; whether it must be queued again.
    fn run(&self) -> bool {
        self.state.store(RUNNING, Ordering::Release);
        let mut place = lock(&self.task);
        let Some(task) = place.as_mut() else { return false };
        match task.step() {
            Step::Progress => {
                self.state.store(QUEUED, Ordering::Release);
                true
            }
            Step::Idle | Step::Blocked => {
                let slept = self.state.compare_exchange(RUNNING, IDLE, Ordering::AcqRel, Ordering::Acquire).is_ok();
                if !slept {
                    self.state.store(QUEUED, Ordering::Release);
                }
                !slept
            }
            Step::Finished => {
                *place = None;
                self.state.store(DONE, Ordering::Release);
                false
            }
        }
    }
}

impl Shared {
    fn push(&self, handle: Arc<TaskHandle>) {
        lock(&self.queue).tasks.push_back(handle);
        self.ready.notify_one();
    }

    fn work(&self) {
        while let Some(handle) = self.next() {
            if handle.run() {
                self.push(handle);
            }
            self.tick();
        }
    }

    /// The next task to step; `None` when the pool stops.
    fn next(&self) -> Option<Arc<TaskHandle>> {
        let mut queue = lock(&self.queue);
        loop {
            if self.stopping.load(Ordering::Acquire) {
                return None;
            }
            if let Some(handle) = queue.take() {
                return Some(handle);
            }
            let (guard, timeout) =
                self.ready.wait_timeout(queue, self.interval()).unwrap_or_else(PoisonError::into_inner);
            queue = guard;
            if timeout.timed_out() {
                drop(queue);
                self.tick();
                queue = lock(&self.queue);
            }
        }
    }

    fn interval(&self) -> Duration {
        Duration::from_micros(self.tick_us.load(Ordering::Relaxed))
    }

    /// Wakes the tasks that watch processing time, once in the interval, by whichever thread comes first.
    fn tick(&self) {
        let now = self.clock.monotonic_us();
        let last = self.ticked_us.load(Ordering::Relaxed);
        let due = now.saturating_sub(last) >= self.tick_us.load(Ordering::Relaxed);
        if due && self.ticked_us.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            lock(&self.ticking).retain(|task| {
                task.upgrade().is_some_and(|task| {
                    task.wake();
                    !task.is_done()
                })
            });
        }
    }
}

impl Queue {
    fn take(&mut self) -> Option<Arc<TaskHandle>> {
        match &mut self.order {
            Some(rng) if !self.tasks.is_empty() => {
                let index = usize::try_from(rng.below(self.tasks.len() as u64)).unwrap_or(0);
                self.tasks.remove(index)
            }
            _ => self.tasks.pop_front(),
        }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
