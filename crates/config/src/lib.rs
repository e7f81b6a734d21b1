//! Configuration: Flink's keys and Weir's own, their defaults, and where they come from.
//!
//! `default.yaml` is compiled in, complete and commented: it is the reference. A key that acts stands there; Flink's keys without a meaning here are
//! accepted and named once; any other key is an error with the nearest known one.

mod file;
mod keys;
mod kinds;
mod settings;
mod values;

pub use file::{read_file, read_text};
pub use keys::{Effect, default_of, effect_of, known_keys, nearest};
pub use kinds::{Refusal, check};
pub use settings::Settings;
pub use values::{parse_bool, parse_duration, parse_memory_size};
