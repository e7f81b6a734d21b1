//! Statements as data: what a script says, with places, before anything is resolved or typed.

use std::collections::BTreeMap;

use sqlparser::ast;
use weir_base::Span;
use weir_plan::TableOptions;

use crate::{Table, View};

/// A statement with its place.
#[derive(Debug, Clone)]
pub struct Statement {
    /// What it says.
    pub kind: StatementKind,
    /// From its first to its last token.
    pub span: Span,
}

/// The kinds of statement.
#[derive(Debug, Clone)]
pub enum StatementKind {
    /// `CREATE [TEMPORARY] TABLE [IF NOT EXISTS] ...`
    CreateTable {
        /// The table; its `full_name` is complete.
        table: Box<Table>,
        /// `IF NOT EXISTS`
        if_not_exists: bool,
    },
    /// `CREATE [TEMPORARY] VIEW [IF NOT EXISTS] ...`
    CreateView {
        /// The view; its `full_name` is complete.
        view: Box<View>,
        /// `IF NOT EXISTS`
        if_not_exists: bool,
    },
    /// `DROP [TEMPORARY] TABLE|VIEW [IF EXISTS] name`
    Drop {
        /// Whether a view goes, not a table.
        view: bool,
        /// What goes.
        name: ast::ObjectName,
        /// `IF EXISTS`
        if_exists: bool,
    },
    /// `SET 'key' = 'value'`
    Set {
        /// The key.
        key: String,
        /// The place of the key.
        key_span: Span,
        /// The value.
        value: String,
        /// The place of the value.
        value_span: Span,
    },
    /// `SET`: shows what is set.
    ShowSettings,
    /// `RESET ['key']`
    Reset(Option<(String, Span)>),
    /// `INSERT INTO ...`: a job of its own.
    Insert(Box<Insert>),
    /// `EXECUTE STATEMENT SET BEGIN ... END` or `BEGIN STATEMENT SET; ... END;`: one job.
    StatementSet(Vec<Insert>),
    /// A bare query.
    Select(Box<Query>),
    /// `EXPLAIN [PLAN FOR] ...` of a query, an INSERT or a statement set.
    Explain(Box<Statement>),
    /// `SHOW TABLES`
    ShowTables,
    /// `SHOW VIEWS`
    ShowViews,
    /// `SHOW CREATE TABLE|VIEW` is refused; `DESCRIBE|DESC name` lists columns.
    Describe(ast::ObjectName),
}

/// `INSERT INTO table [(columns)] query`.
#[derive(Debug, Clone)]
pub struct Insert {
    /// The table that is written.
    pub table: ast::ObjectName,
    /// Its columns in the order of the query's; empty: all of them.
    pub columns: Vec<ast::Ident>,
    /// The rows.
    pub query: Query,
    /// Options of an `/*+ OPTIONS(...) */` hint behind the table.
    pub options: Option<TableOptions>,
    /// From `INSERT` to the last token.
    pub span: Span,
}

/// A query as sqlparser read it (window functions: see `dialect`), with what sqlparser has no room for.
#[derive(Debug, Clone)]
pub struct Query {
    /// The query.
    pub ast: Box<ast::Query>,
    /// Options of `/*+ OPTIONS(...) */` hints behind tables in it. The binder hands them to `catalog::Table::options_for_source`.
    pub hints: TableHints,
    /// From its first to its last token.
    pub span: Span,
}

/// Dynamic table options by the place of the table's name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TableHints {
    pub(crate) by_place: BTreeMap<(u64, u64), TableOptions>,
}

impl TableHints {
    /// The options given behind the table name whose last part is `name`.
    pub fn options_of(&self, name: &ast::Ident) -> Option<&TableOptions> {
        self.by_place.get(&(name.span.start.line, name.span.start.column))
    }
}
