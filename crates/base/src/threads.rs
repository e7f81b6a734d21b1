//! Threads, each with a name: the one place where they are made.

use std::thread::JoinHandle;

use crate::{Error, Kind, Result};

/// A running thread that ends with a `T`.
pub type Thread<T> = JoinHandle<T>;

/// Starts a thread called `name` (at most 15 bytes show in the system's tools).
///
/// # Errors
/// Fails when the system gives no more threads.
pub fn spawn<T, F>(name: impl Into<String>, body: F) -> Result<Thread<T>>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let name = name.into();
    #[expect(clippy::disallowed_methods, reason = "this is the one place that makes threads")]
    let started = std::thread::Builder::new().name(name.clone()).spawn(body);
    started.map_err(|source| {
        Error::new(Kind::Exhausted, format!("start the thread '{name}': {source}"))
            .hint("raise the limit of processes for this user (ulimit -u)")
    })
}
