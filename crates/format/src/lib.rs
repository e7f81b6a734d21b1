//! Formats: raw records to Arrow columns and back, by a schema.
//!
//! A decoder never loses a record silently: each raw record becomes a row or a `BadRecord`. It owns no I/O; the source's task feeds it.

mod column;
mod csv;
mod formats;
mod json;
mod keys;
mod options;
mod parse;
mod raw;
mod raw_records;
mod rows;
mod scalar;
pub mod text;
mod traits;
mod view;

pub(crate) use formats::only_inserts;
pub use formats::{decoder, encoder, ignores_parse_errors};
pub use keys::KeyColumns;
pub use options::specs;
pub use raw_records::{Oversized, RawRecord, RawRecords};
pub use traits::{BadKind, BadRecord, Decoded, Decoder, Encoder};
