//! `cargo xtask test`: all that CI checks, in steps. The steps are data ([`steps::STEPS`]); `run` carries them out one
//! after the other and sums them up; `servers` brings the real servers up for the tests that want them.

mod readme;
mod run;
mod servers;
mod steps;

pub use run::run;
pub use servers::Group;
