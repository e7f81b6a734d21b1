//! A bounded queue from one subtask to another, waking each side when the other has moved.
//!
//! It is bounded by batches and bytes. Control elements (watermarks, barriers) are small and never refused, so a barrier always gets through
//! behind the batches that were let in before it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use weir_base::limits::{CHANNEL_BATCHES_MAX, CHANNEL_BYTES_MAX};

use crate::element::Element;
use crate::scheduler::Waker;

/// Makes a channel; both ends must be given a waker before anything is sent.
pub fn channel() -> (Sender, Receiver) {
    let shared = Arc::new(Shared {
        queue: Mutex::default(),
        bytes_max: AtomicUsize::new(CHANNEL_BYTES_MAX),
        sender: OnceLock::new(),
        receiver: OnceLock::new(),
    });
    (Sender(Arc::clone(&shared)), Receiver(shared))
}

struct Shared {
    queue: Mutex<Queue>,
    /// Bytes at which the sender waits.
    bytes_max: AtomicUsize,
    sender: OnceLock<Waker>,
    receiver: OnceLock<Waker>,
}

#[derive(Default)]
struct Queue {
    elements: VecDeque<Element>,
    batches: usize,
    bytes: usize,
    refused: bool,
}

/// The end that elements go into.
pub struct Sender(Arc<Shared>);

/// The end that elements come out of.
pub struct Receiver(Arc<Shared>);

/// A look at a channel from aside; it does not keep the channel alive.
pub struct Fill(Weak<Shared>);

impl Fill {
    /// How full the channel is, from 0 to 1; 0 when it is gone.
    pub fn usage(&self) -> f64 {
        self.0.upgrade().map_or(0.0, |shared| usage(&shared))
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sender {
    /// Puts `element` in, or gives it back if the channel is full; the sender is woken when there is room again.
    pub fn try_send(&self, element: Element) -> Result<(), Element> {
        let mut queue = self.0.lock();
        if let Element::Batch(batch) = &element {
            if queue.batches >= CHANNEL_BATCHES_MAX || queue.bytes >= self.0.bytes_max.load(Ordering::Relaxed) {
                queue.refused = true;
                return Err(element);
            }
            queue.batches += 1;
            queue.bytes += batch_bytes(batch);
        }
        let was_empty = queue.elements.is_empty();
        queue.elements.push_back(element);
        drop(queue);
        if was_empty && let Some(waker) = self.0.receiver.get() {
            waker.wake();
        }
        Ok(())
    }

    /// Names the task that sends.
    pub fn set_waker(&self, waker: Waker) {
        // A second call would name the same task: a sender belongs to one.
        let _ = self.0.sender.set(waker);
    }

    /// A look at how full the channel is.
    pub fn fill(&self) -> Fill {
        Fill(Arc::downgrade(&self.0))
    }
}

impl Receiver {
    /// The oldest element.
    pub fn pop(&self) -> Option<Element> {
        let mut queue = self.0.lock();
        let element = queue.elements.pop_front()?;
        if let Element::Batch(batch) = &element {
            queue.batches -= 1;
            queue.bytes = queue.bytes.saturating_sub(batch_bytes(batch));
        }
        let wake = std::mem::take(&mut queue.refused);
        drop(queue);
        if wake && let Some(waker) = self.0.sender.get() {
            waker.wake();
        }
        Some(element)
    }

    /// Bounds the bytes that it holds before its sender waits; an empty channel takes a batch of any size.
    pub fn bound(&self, bytes_max: usize) {
        self.0.bytes_max.store(bytes_max.clamp(1, CHANNEL_BYTES_MAX), Ordering::Relaxed);
    }

    /// Names the task that receives.
    pub fn set_waker(&self, waker: Waker) {
        let _ = self.0.receiver.set(waker);
    }

    /// A look at how full the channel is.
    pub fn fill(&self) -> Fill {
        Fill(Arc::downgrade(&self.0))
    }
}

#[expect(clippy::cast_precision_loss, reason = "a share of a small bound")]
fn usage(shared: &Shared) -> f64 {
    let queue = shared.lock();
    let batches = queue.batches as f64 / CHANNEL_BATCHES_MAX as f64;
    batches.max(queue.bytes as f64 / shared.bytes_max.load(Ordering::Relaxed) as f64).min(1.0)
}

/// Bytes that a batch counts for: those of its rows, not of buffers it shares with others.
pub fn batch_bytes(batch: &weir_connector::Batch) -> usize {
    // A view array shares its source's whole buffer with its siblings; what it costs here is its views.
    batch.rows() * batch.data.num_columns() * 16
}
