//! Tests of the shipped binary: what a user runs, with real files, real signals, and real servers where a test says so.

mod answers;
#[path = "../../../../xtask/src/update/answers.rs"]
mod answers_format;
mod bad_clock;
mod bad_disk;
mod bad_input;
mod bad_servers;
mod binary;
#[path = "../../../../xtask/src/update/case.rs"]
mod case;
mod cases;
mod codecs;
mod demo;
mod formats;
mod kafka;
mod keys;
mod kill_harness;
mod kills;
mod late;
mod metrics;
mod once;
mod outages;
mod pipeline;
#[path = "../../../../xtask/src/update/refused.rs"]
mod refusal_format;
mod refusals;
mod refused;
mod restores;
mod resume;
mod run;
mod sensors;
mod servers;
mod settings;
mod telemetry;
mod topics;
