//! `'connector' = 'print'`: rows as `+I[1, abc]` on standard output or standard error; and `collect`, which hands the rows of a bare SELECT to
//! whoever asked for them.
//!
//! Both show rows at once, without waiting for a checkpoint: after a failure they may show some again.

mod collect;
mod factory;
mod sink;

pub use collect::{CollectFactory, collect_spec};
pub use factory::{Factory, spec};
