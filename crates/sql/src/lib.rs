//! Flink SQL: from the text of a script to job graphs.
//!
//! A script is substituted (`variables`), cut into tokens and statements (`script`), parsed (`parse`, `ddl`, `dialect`), and walked in
//! order (`compile`): DDL fills the `catalog`, `SET` the `settings`, each query goes through the `binder`, which types it by Flink's
//! rules and plans it. `explain` prints a plan. Everything that is refused is a [`SqlError`] with its place.
//! It owns no connector and does no I/O: what connectors can do comes in as data ([`Environment`]).

mod catalog;
mod dialect;
mod environment;
mod error;
mod options;
mod script;
mod settings;
mod statement;
mod syntax;
mod types;

pub use catalog::{Catalog, Column, ColumnKind, Relation, Table, View, Watermark};
pub use dialect::{TableArgument, TableFunction, table_argument, table_function};
pub use environment::{Environment, Program, Step};
pub use error::{SqlError, SqlResult, did_you_mean, nearest, span_of};
pub use options::Role;
pub use settings::Settings;
pub use statement::{Insert, Query, Statement, StatementKind, TableHints};
pub use types::cast_type;
