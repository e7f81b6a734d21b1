//! The catalogs of a script, in memory: databases in catalogs, tables and views in databases, and temporary ones before them.
//!
//! What a table and a view are stands here; `names` says what a name means, `store` holds tables and views, `databases` what they are in.
//! Names are case-sensitive, as in Flink.

mod databases;
mod names;
mod store;

use sqlparser::ast;
use weir_base::Span;
use weir_plan::{DataType, Field, Schema, TableOptions};

use crate::Query;

pub use databases::{CatalogInfo, DatabaseInfo};
pub use names::{ObjectPath, display_name, place_of, quoted};
pub use store::{Catalog, Making};

/// A table as declared.
#[derive(Debug, Clone)]
pub struct Table {
    /// `default_catalog.default_database.name`
    pub full_name: String,
    /// The last part of its name.
    pub name: String,
    /// All columns in DDL order.
    pub columns: Vec<Column>,
    /// `WATERMARK FOR ...`
    pub watermark: Option<Watermark>,
    /// Names of the primary key's columns (which are NOT NULL by that); empty if there is none.
    pub primary_key: Vec<String>,
    /// The name of the primary key's constraint, where it was given one.
    pub primary_key_name: Option<String>,
    /// `DISTRIBUTED ...`
    pub distribution: Option<Distribution>,
    /// `PARTITIONED BY (...)`: names of physical columns.
    pub partition_keys: Vec<String>,
    /// Partitions that ALTER TABLE added, as SHOW PARTITIONS shows them.
    pub partitions: Vec<String>,
    /// `WITH (...)`
    pub options: TableOptions,
    /// `COMMENT '...'`
    pub comment: Option<String>,
    /// The place of its name in the script.
    pub span: Span,
}

/// A column of a table.
#[derive(Debug, Clone)]
pub struct Column {
    /// Its name, as written.
    pub name: String,
    /// What it holds.
    pub kind: ColumnKind,
    /// `COMMENT '...'`
    pub comment: Option<String>,
    /// The place of its name.
    pub span: Span,
}

/// `DISTRIBUTED [BY [HASH|RANGE] (columns)] [INTO n BUCKETS]`: kept and shown; connectors here take none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distribution {
    /// `HASH` or `RANGE`, where one is given.
    pub kind: Option<&'static str>,
    /// The bucket keys; empty for `DISTRIBUTED INTO n BUCKETS`.
    pub keys: Vec<String>,
    /// `INTO n BUCKETS`
    pub buckets: Option<u64>,
    /// Its place.
    pub span: Span,
}

/// What a column holds.
#[derive(Debug, Clone)]
pub enum ColumnKind {
    /// Stored by the connector.
    Physical(DataType),
    /// `name AS expression`
    Computed(Box<ast::Expr>),
    /// `name type METADATA [FROM 'key'] [VIRTUAL]`
    Metadata {
        /// The key; the column's name where no FROM is given. Checked against the connector.
        key: String,
        /// The type as declared: the connector's value is cast to it.
        data_type: DataType,
        /// `VIRTUAL`: read only.
        is_virtual: bool,
    },
}

/// `WATERMARK FOR column AS expression`.
#[derive(Debug, Clone)]
pub struct Watermark {
    /// The rowtime column; it exists.
    pub column: String,
    /// The candidate of a row, over all columns of the table.
    pub expression: Box<ast::Expr>,
    /// The place of the column's name in the clause.
    pub span: Span,
}

/// A view as declared.
#[derive(Debug, Clone)]
pub struct View {
    /// `default_catalog.default_database.name`
    pub full_name: String,
    /// The last part of its name.
    pub name: String,
    /// Names for the query's columns; empty: the query's own.
    pub columns: Vec<ast::Ident>,
    /// What it stands for; its tables by full names.
    pub query: Query,
    /// `COMMENT '...'`
    pub comment: Option<String>,
    /// The place of its name in the script.
    pub span: Span,
}

/// What a name in FROM stands for.
#[derive(Debug, Clone, Copy)]
pub enum Relation<'a> {
    /// A table.
    Table(&'a Table),
    /// A view.
    View(&'a View),
}

impl Table {
    /// The physical columns in DDL order: what a connector reads and writes.
    pub fn physical(&self) -> Schema {
        let fields = self.columns.iter().filter_map(|column| match &column.kind {
            ColumnKind::Physical(data_type) => Some(Field::new(&column.name, data_type.clone())),
            ColumnKind::Computed(_) | ColumnKind::Metadata { .. } => None,
        });
        Schema::new(fields.collect())
    }

    /// The column called exactly `name`.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}
