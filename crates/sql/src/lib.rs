//! Flink SQL: from the text of a script to job graphs.
//!
//! A script is substituted (`variables`), cut into tokens and statements (`script`), parsed (`parse`, `dialect`), and walked in order
//! (`compile`): DDL fills the `catalog` with what `declare` makes of it, `SET` the `settings`, each query goes through the `binder`, which
//! types it by Flink's rules and plans it. `explain` prints a plan, `unparse` a table. Everything that is refused is a [`SqlError`] with its
//! place.
//! It owns no connector and does no I/O: what connectors can do comes in as data ([`Environment`]).

mod binder;
mod catalog;
mod compile;
mod declare;
mod dialect;
mod environment;
mod error;
mod explain;
mod hints;
mod json_syntax;
mod literals;
mod options;
mod parse;
mod reserved;
mod script;
mod settings;
mod statement;
mod syntax;
mod types;
mod unparse;
mod values;
mod variables;
mod views;

pub use catalog::{Catalog, Column, ColumnKind, Distribution, Relation, Table, View, Watermark};
pub use compile::compile;
pub use dialect::{TableArgument, TableFunction, table_argument, table_function};
pub use environment::{Environment, Program, Step};
pub use error::{SqlError, SqlResult, did_you_mean, nearest, span_of};
pub use explain::explain;
pub use options::{Role, options_for};
pub use settings::Settings;
pub use statement::{Insert, OnConflict, Query, StateTtl, Statement, StatementKind, TableHints};
pub use types::cast_type;

#[cfg(test)]
mod tests;
