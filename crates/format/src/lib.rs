//! Formats: raw records to Arrow columns and back, by a schema.
//!
//! A decoder never loses a record silently: each raw record becomes a row or a `BadRecord`. It owns no I/O; the source's task feeds it.

mod raw_records;
mod traits;

pub use raw_records::{RawRecord, RawRecords};
pub use traits::{BadKind, BadRecord, Decoded, Decoder, Encoder};
