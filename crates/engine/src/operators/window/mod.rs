//! Windows: aggregation in them (`WindowAggregate`, `SessionAggregate`) and assignment without it (`WindowAssign`, `SessionAssign`), and first rows
//! (`WindowRank`).

mod aggregate;
mod assign;
mod counted;
mod delta;
mod properties;
mod rank;
mod session_aggregate;
mod session_assign;
mod sessions;
mod slice;
mod windows;

pub use aggregate::{WindowAggregate, WindowContext};
pub use assign::WindowAssign;
pub use rank::WindowRank;
pub use session_aggregate::SessionAggregate;
pub use session_assign::SessionAssign;
