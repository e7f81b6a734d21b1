//! The kill harness: rounds of SIGKILL over a scenario, after which every row must be there once.
//!
//! It owns which rounds are run, when a process is killed, what is counted and what is written to the ledger. A scenario owns its job, its input and its
//! comparison. Data passes so: a seed makes a round; the round's process is struck down several times ([`strike`]) and then runs to its end; what is wrong
//! then goes into the tally and into the ledger.
//!
//! Two kinds of kills are mixed. Some come at a wholly random instant of a process that runs as it would for a user: most of them fall between
//! checkpoints. The others are aimed: a step of the protocol is drawn out by a hook, and the kill comes at a random instant from the step's mark on until
//! a little past the drawn-out part, so that some find the step's own work under way. Which step is aimed at goes in turn over rounds and kills: so each
//! gets its share whatever the machine does. Every kill is counted where it fell, by the marks that the process left, wherever it was aimed.

mod aim;
mod ledger;
mod rounds;
mod strike;
mod tally;

pub use aim::Bounds;
pub use rounds::{Round, Scenario, run, run_seeds};
pub use strike::Hooks;
