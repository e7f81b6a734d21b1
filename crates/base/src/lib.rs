//! The ground that every other crate of Weir stands on: identities, time, randomness, threads, row kinds, errors and limits.
//!
//! It owns no domain logic and does no I/O. Nothing in Weir takes time, randomness or threads from the air: they are handed in from here.

pub mod calendar;
mod error;
mod ids;
mod key_group;
pub mod limits;
mod quantities;
mod rng;
mod row_kind;
mod span;
mod threads;
mod time;

pub use error::{Error, Kind, Result};
pub use ids::{Epoch, Generation, JobId};
pub use key_group::{key_group_of_hash, key_group_range, subtask_of_key_group};
pub use quantities::{parse_duration, parse_memory_size};
pub use rng::Rng;
pub use row_kind::RowKind;
pub use span::Span;
pub use threads::{Thread, spawn};
pub use time::{Clock, ManualClock, SystemClock, Timestamp};
