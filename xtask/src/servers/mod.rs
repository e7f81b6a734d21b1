//! `cargo xtask servers`: real servers on this machine, without containers and without root.
//!
//! Owns fetching pinned versions into `servers/dist/KIND`, starting them on free loopback ports with generated configs
//! in `servers/run/KIND`, waiting until each really answers, and stopping what was started. What they are for is the
//! tests' affair, which read `servers/run/KIND/endpoints.json` or the variables of `servers env`.
//!
//! A kind is a [`Server`]: one file each, all alike. [`life`] carries out what a `Server` says.

mod fetch;
mod flink;
mod kafka;
mod kafka_wire;
mod life;
mod place;
mod ports;
mod process;
mod prometheus;
mod questdb;
mod server;
mod verbs;

pub use place::Place;
pub use server::{KINDS, Server};
pub use verbs::{USAGE, env_of, pids_of, run, start, stop};
