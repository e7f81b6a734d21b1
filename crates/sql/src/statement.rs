//! Statements as data: what a script says, with places, before anything is resolved or typed.

use std::collections::BTreeMap;
use std::time::Duration;

use sqlparser::ast;
use weir_base::Span;
use weir_plan::TableOptions;

use crate::catalog::{Column, Distribution, Making, Watermark};

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
    /// `CREATE [TEMPORARY] TABLE [IF NOT EXISTS] ...`, also with LIKE and AS.
    CreateTable(Box<CreateTable>),
    /// `CREATE [OR REPLACE] [TEMPORARY] VIEW [IF NOT EXISTS] ...`
    CreateView(Box<CreateView>),
    /// `CREATE CATALOG ...`
    CreateCatalog {
        /// Its name.
        name: ast::Ident,
        /// `IF NOT EXISTS`
        if_not_exists: bool,
        /// `COMMENT '...'`
        comment: Option<String>,
        /// `WITH (...)`
        options: TableOptions,
    },
    /// `CREATE DATABASE ...`
    CreateDatabase {
        /// Its name.
        name: ast::ObjectName,
        /// `IF NOT EXISTS`
        if_not_exists: bool,
        /// `COMMENT '...'`
        comment: Option<String>,
        /// `WITH (...)`
        options: TableOptions,
    },
    /// `DROP ...`
    Drop(Dropped),
    /// `ALTER TABLE [IF EXISTS] name ...`
    AlterTable {
        /// The table.
        name: ast::ObjectName,
        /// `IF EXISTS`
        if_exists: bool,
        /// What becomes of it.
        change: Box<TableChange>,
    },
    /// `ALTER VIEW [IF EXISTS] name ...`
    AlterView {
        /// The view.
        name: ast::ObjectName,
        /// `IF EXISTS`
        if_exists: bool,
        /// What becomes of it.
        change: Box<ViewChange>,
    },
    /// `ALTER DATABASE name SET (...)`
    AlterDatabase(ast::ObjectName, TableOptions),
    /// `USE CATALOG name`
    UseCatalog(ast::Ident),
    /// `USE [catalog.]database`
    UseDatabase(ast::ObjectName),
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
    /// `EXPLAIN [PLAN FOR | details] ...` of a query, an INSERT, a CREATE TABLE AS or a statement set.
    Explain(ExplainDetails, Box<Statement>),
    /// `SHOW ...`
    Show(Show),
    /// `DESCRIBE|DESC ...`
    Describe(Described),
}

/// `CREATE TABLE` as written.
#[derive(Debug, Clone)]
pub struct CreateTable {
    /// Its name.
    pub name: ast::ObjectName,
    /// TEMPORARY, IF NOT EXISTS, OR REPLACE.
    pub making: Making,
    /// What stands in its brackets.
    pub body: TableBody,
    /// `COMMENT '...'`
    pub comment: Option<String>,
    /// `DISTRIBUTED ...`
    pub distribution: Option<Distribution>,
    /// `PARTITIONED BY (...)`
    pub partition_keys: Vec<ast::Ident>,
    /// `WITH (...)`
    pub options: TableOptions,
    /// `LIKE other (...)`
    pub like: Option<Like>,
    /// `AS query`
    pub query: Option<Query>,
}

/// What stands between a table's brackets.
#[derive(Debug, Clone, Default)]
pub struct TableBody {
    /// The columns declared.
    pub columns: Vec<Column>,
    /// Names alone, as CREATE TABLE AS may list them.
    pub names: Vec<ast::Ident>,
    /// `WATERMARK FOR ...`
    pub watermark: Option<Watermark>,
    /// `PRIMARY KEY ...`
    pub primary_key: Option<PrimaryKey>,
}

/// A primary key as written.
#[derive(Debug, Clone)]
pub struct PrimaryKey {
    /// `CONSTRAINT name`
    pub name: Option<String>,
    /// Its columns.
    pub columns: Vec<ast::Ident>,
    /// Its place.
    pub span: Span,
}

/// `LIKE table (...)`: what is taken over from it.
#[derive(Debug, Clone)]
pub struct Like {
    /// The table.
    pub table: ast::ObjectName,
    /// What is done with each feature that is named, with its place.
    pub rules: Vec<(LikeFeature, Merging, Span)>,
}

/// A part of a table that LIKE takes over or leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LikeFeature {
    /// All of them.
    All,
    /// The primary key.
    Constraints,
    /// `DISTRIBUTED ...`
    Distribution,
    /// Computed columns.
    Generated,
    /// Metadata columns.
    Metadata,
    /// `WITH (...)`
    Options,
    /// `PARTITIONED BY (...)`
    Partitions,
    /// Watermarks.
    Watermarks,
}

/// What LIKE does with a feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merging {
    /// Takes it over; what both have is an error.
    Including,
    /// Leaves it out.
    Excluding,
    /// Takes it over; of what both have the new one counts.
    Overwriting,
}

/// `CREATE VIEW` as written.
#[derive(Debug, Clone)]
pub struct CreateView {
    /// Its name.
    pub name: ast::ObjectName,
    /// TEMPORARY, IF NOT EXISTS, OR REPLACE.
    pub making: Making,
    /// Names for the query's columns; empty: the query's own.
    pub columns: Vec<ast::Ident>,
    /// `COMMENT '...'`
    pub comment: Option<String>,
    /// What it stands for.
    pub query: Query,
}

/// What DROP removes.
#[derive(Debug, Clone)]
pub enum Dropped {
    /// `DROP [TEMPORARY] TABLE|VIEW [IF EXISTS] name`
    Object {
        /// Whether a view goes, not a table.
        view: bool,
        /// `TEMPORARY`
        temporary: bool,
        /// What goes.
        name: ast::ObjectName,
        /// `IF EXISTS`
        if_exists: bool,
    },
    /// `DROP CATALOG [IF EXISTS] name`
    Catalog {
        /// Its name.
        name: ast::Ident,
        /// `IF EXISTS`
        if_exists: bool,
    },
    /// `DROP DATABASE [IF EXISTS] name [RESTRICT|CASCADE]`
    Database {
        /// Its name.
        name: ast::ObjectName,
        /// `IF EXISTS`
        if_exists: bool,
        /// `CASCADE`
        cascade: bool,
    },
}

/// What ALTER TABLE does.
#[derive(Debug, Clone)]
pub enum TableChange {
    /// `ADD ...`: none of it may be there.
    Add(TableParts),
    /// `MODIFY ...`: all of it is there.
    Modify(TableParts),
    /// `DROP column` or `DROP (columns)`
    DropColumns(Vec<ast::Ident>),
    /// `DROP PRIMARY KEY`
    DropPrimaryKey(Span),
    /// `DROP CONSTRAINT name`
    DropConstraint(ast::Ident),
    /// `DROP WATERMARK`
    DropWatermark(Span),
    /// `DROP DISTRIBUTION`
    DropDistribution(Span),
    /// `RENAME TO name`
    Rename(ast::ObjectName),
    /// `RENAME column TO name`
    RenameColumn(ast::Ident, ast::Ident),
    /// `SET (...)`
    Set(TableOptions),
    /// `RESET (...)`
    Reset(Vec<(String, Span)>),
    /// `ADD PARTITION ...` or `DROP PARTITION ...`
    Partition {
        /// Whether it is dropped, not added.
        drop: bool,
        /// Its columns with their values.
        values: Vec<(String, String)>,
        /// `IF EXISTS` or `IF NOT EXISTS`
        lenient: bool,
        /// Its place.
        span: Span,
    },
}

/// Parts of a table that ALTER TABLE adds or modifies.
#[derive(Debug, Clone, Default)]
pub struct TableParts {
    /// Columns, watermark, primary key.
    pub body: TableBody,
    /// Where each column of the body goes.
    pub places: Vec<ColumnPlace>,
    /// `DISTRIBUTION ...`
    pub distribution: Option<Distribution>,
}

/// Where a column goes.
#[derive(Debug, Clone)]
pub enum ColumnPlace {
    /// A new one behind all others, an old one where it is.
    Default,
    /// `FIRST`
    First,
    /// `AFTER column`
    After(ast::Ident),
}

/// What ALTER VIEW does.
#[derive(Debug, Clone)]
pub enum ViewChange {
    /// `RENAME TO name`
    Rename(ast::ObjectName),
    /// `AS query`
    As(Query),
}

/// What EXPLAIN is to show besides the plan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ExplainDetails {
    /// `CHANGELOG_MODE`
    pub changelog_mode: bool,
    /// `JSON_EXECUTION_PLAN`
    pub json: bool,
}

/// `[NOT] LIKE|ILIKE 'pattern'`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamePattern {
    /// `NOT`
    pub negated: bool,
    /// `ILIKE`: in any case.
    pub any_case: bool,
    /// The pattern, with `%` and `_`.
    pub pattern: String,
}

/// What SHOW shows.
#[derive(Debug, Clone)]
pub enum Show {
    /// `SHOW CATALOGS`
    Catalogs(Option<NamePattern>),
    /// `SHOW DATABASES [FROM|IN catalog]`
    Databases(Option<ast::Ident>, Option<NamePattern>),
    /// `SHOW CURRENT CATALOG`
    CurrentCatalog,
    /// `SHOW CURRENT DATABASE`
    CurrentDatabase,
    /// `SHOW TABLES|VIEWS [FROM|IN database]`
    Objects {
        /// Whether views only.
        views: bool,
        /// The database.
        database: Option<ast::ObjectName>,
        /// Which names.
        pattern: Option<NamePattern>,
    },
    /// `SHOW COLUMNS FROM|IN name`
    Columns(ast::ObjectName, Option<NamePattern>),
    /// `SHOW CREATE TABLE|VIEW name`
    Create {
        /// Whether a view is shown, not a table.
        view: bool,
        /// Its name.
        name: ast::ObjectName,
    },
    /// `SHOW CREATE CATALOG name`
    CreateCatalog(ast::Ident),
    /// `SHOW [USER] FUNCTIONS`
    Functions {
        /// Functions that users made: there are none.
        user: bool,
        /// Which names.
        pattern: Option<NamePattern>,
    },
    /// `SHOW [FULL] MODULES`
    Modules {
        /// `FULL`
        full: bool,
    },
    /// `SHOW JARS`
    Jars,
    /// `SHOW PARTITIONS table`
    Partitions(ast::ObjectName),
}

/// What DESCRIBE describes.
#[derive(Debug, Clone)]
pub enum Described {
    /// A table or a view.
    Relation(ast::ObjectName),
    /// A catalog.
    Catalog {
        /// Its name.
        name: ast::Ident,
        /// `EXTENDED`: with its options.
        extended: bool,
    },
    /// A function.
    Function {
        /// Its name.
        name: ast::ObjectName,
        /// `EXTENDED`
        extended: bool,
    },
}

/// `INSERT INTO table [PARTITION (...)] [(columns)] query [ON CONFLICT DO ...]`.
#[derive(Debug, Clone)]
pub struct Insert {
    /// The table that is written.
    pub table: ast::ObjectName,
    /// Where `INSERT OVERWRITE` stands, if it does.
    pub overwrite: Option<Span>,
    /// `PARTITION (column = value, ...)`: columns with the same value in all rows.
    pub partition: Vec<(ast::Ident, ast::Expr)>,
    /// Its columns in the order of the query's; empty: all of them.
    pub columns: Vec<ast::Ident>,
    /// The rows.
    pub query: Query,
    /// `ON CONFLICT DO ...`, with its place.
    pub on_conflict: Option<(OnConflict, Span)>,
    /// Options of an `/*+ OPTIONS(...) */` hint behind the table.
    pub options: Option<TableOptions>,
    /// From `INSERT` to the last token.
    pub span: Span,
}

/// What happens where rows of different upsert keys meet in one primary key of the sink.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnConflict {
    /// `DO NOTHING`: the first one stays.
    Nothing,
    /// `DO ERROR`: the job fails.
    Error,
    /// `DO DEDUPLICATE`: the last one wins.
    Deduplicate,
}

/// A query as sqlparser read it (window functions: see `dialect`), with what sqlparser has no room for.
#[derive(Debug, Clone)]
pub struct Query {
    /// The query.
    pub ast: Box<ast::Query>,
    /// Its hints. The binder hands those of tables to `catalog::Table::options_for_source`.
    pub hints: TableHints,
    /// From its first to its last token.
    pub span: Span,
}

/// Hints by the place of what they belong to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TableHints {
    /// `/*+ OPTIONS(...) */` by the place of the table's name before it.
    pub(crate) by_place: BTreeMap<(u64, u64), TableOptions>,
    /// `SELECT /*+ STATE_TTL(...) */` by the place of the SELECT before it.
    pub(crate) state_ttls: BTreeMap<(u64, u64), Vec<StateTtl>>,
}

/// `STATE_TTL('alias' = '1d')` of one input of a SELECT.
#[derive(Debug, Clone, PartialEq)]
pub struct StateTtl {
    /// The name or alias of a table in FROM.
    pub alias: String,
    /// How long its state is kept; zero: for ever.
    pub ttl: Duration,
    /// The place of the alias.
    pub span: Span,
}

impl TableHints {
    /// The options given behind the table name whose last part is `name`.
    pub fn options_of(&self, name: &ast::Ident) -> Option<&TableOptions> {
        self.by_place.get(&(name.span.start.line, name.span.start.column))
    }

    /// The `STATE_TTL` hints behind the SELECT of `select`.
    pub fn state_ttls_of(&self, select: &ast::Select) -> &[StateTtl] {
        let start = select.select_token.0.span.start;
        self.state_ttls.get(&(start.line, start.column)).map_or(&[], Vec::as_slice)
    }
}
