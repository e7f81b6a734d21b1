//! SHOW, DESCRIBE and USE.

use super::table::parse_name;
use crate::error::{SqlResult, did_you_mean};
use crate::statement::{Described, NamePattern, Show};
use crate::syntax::Tokens;
use crate::{SqlError, StatementKind};

/// What can be shown, for suggestions.
const SHOWN: &[&str] = &[
    "CATALOGS",
    "COLUMNS",
    "CREATE",
    "CURRENT",
    "DATABASES",
    "FULL",
    "FUNCTIONS",
    "JARS",
    "MODULES",
    "PARTITIONS",
    "TABLES",
    "USER",
    "VIEWS",
];

/// What is not shown, with the reason.
const REFUSED: &[(&str, &str)] = &[
    ("CONNECTIONS", "there are no connections"),
    ("JOBS", "a script is run by one process: 'weir run' shows its job while it runs"),
    ("MATERIALIZED", "there are no materialized tables"),
    ("MODELS", "there are no models"),
    ("PROCEDURES", "there are no procedures"),
];

/// Reads a SHOW.
pub(super) fn parse_show(tokens: &mut Tokens<'_, '_>) -> SqlResult<StatementKind> {
    tokens.expect_word("SHOW")?;
    let place = tokens.span();
    let word = tokens.plain_word().unwrap_or_default();
    if let Some((refused, way_out)) = REFUSED.iter().find(|(refused, _)| *refused == word) {
        return Err(SqlError::new(place, format!("SHOW {refused} is not supported")).hint(*way_out));
    }
    if !SHOWN.contains(&word.as_str()) {
        let hint = did_you_mean(&word, SHOWN.iter().copied());
        return Err(tokens.expected("what to show, such as TABLES or CREATE TABLE").hint_maybe(hint));
    }
    tokens.parser.next_token();
    let show = match word.as_str() {
        "CATALOGS" => Show::Catalogs(parse_pattern(tokens, true)?),
        "DATABASES" => {
            let catalog = if parse_from(tokens) { Some(tokens.identifier("the name of a catalog")?) } else { None };
            Show::Databases(catalog, parse_pattern(tokens, true)?)
        }
        "CURRENT" if tokens.word("CATALOG") => Show::CurrentCatalog,
        "CURRENT" if tokens.word("DATABASE") => Show::CurrentDatabase,
        "CURRENT" => return Err(tokens.expected("CATALOG or DATABASE")),
        "TABLES" | "VIEWS" => {
            let database = if parse_from(tokens) { Some(parse_name(tokens)?) } else { None };
            Show::Objects { views: word == "VIEWS", database, pattern: parse_pattern(tokens, false)? }
        }
        "COLUMNS" => {
            if !parse_from(tokens) {
                return Err(tokens.expected("FROM or IN behind COLUMNS"));
            }
            Show::Columns(parse_name(tokens)?, parse_pattern(tokens, false)?)
        }
        "CREATE" => parse_create(tokens)?,
        "USER" => {
            tokens.expect_word("FUNCTIONS")?;
            parse_functions(tokens, true)?
        }
        "FUNCTIONS" => parse_functions(tokens, false)?,
        "FULL" => {
            tokens.expect_word("MODULES")?;
            Show::Modules { full: true }
        }
        "MODULES" => Show::Modules { full: false },
        "JARS" => Show::Jars,
        _ => {
            let table = parse_name(tokens)?;
            if tokens.is_word(0, "PARTITION") {
                return Err(SqlError::new(tokens.span(), "SHOW PARTITIONS ... PARTITION is not supported")
                    .hint("leave PARTITION (...) out: the catalog in memory lists no partitions"));
            }
            Show::Partitions(table)
        }
    };
    tokens.expect_end()?;
    Ok(StatementKind::Show(show))
}

/// `FROM` or `IN`
fn parse_from(tokens: &mut Tokens<'_, '_>) -> bool {
    tokens.word("FROM") || tokens.word("IN")
}

/// `[NOT] LIKE 'pattern'`, with ILIKE where Flink takes it.
fn parse_pattern(tokens: &mut Tokens<'_, '_>, takes_ilike: bool) -> SqlResult<Option<NamePattern>> {
    let negated = tokens.word("NOT");
    let any_case = takes_ilike && tokens.word("ILIKE");
    if !any_case && !tokens.word("LIKE") {
        return if negated { Err(tokens.expected("LIKE behind NOT")) } else { Ok(None) };
    }
    let (pattern, _) = tokens.text("a pattern in single quotes")?;
    Ok(Some(NamePattern { negated, any_case, pattern }))
}

fn parse_create(tokens: &mut Tokens<'_, '_>) -> SqlResult<Show> {
    let place = tokens.span();
    if tokens.word("CATALOG") {
        return Ok(Show::CreateCatalog(tokens.identifier("the name of a catalog")?));
    }
    if tokens.is_word(0, "MODEL") || tokens.is_word(0, "MATERIALIZED") || tokens.is_word(0, "DATABASE") {
        let word = tokens.plain_word().unwrap_or_default();
        return Err(SqlError::new(place, format!("SHOW CREATE {word} is not supported"))
            .hint("SHOW CREATE TABLE, SHOW CREATE VIEW and SHOW CREATE CATALOG are"));
    }
    let view = tokens.word("VIEW");
    if !view && !tokens.word("TABLE") {
        return Err(tokens.expected("TABLE, VIEW or CATALOG"));
    }
    Ok(Show::Create { view, name: parse_name(tokens)? })
}

fn parse_functions(tokens: &mut Tokens<'_, '_>, user: bool) -> SqlResult<Show> {
    if parse_from(tokens) {
        // Functions are built in: they are in every database.
        parse_name(tokens)?;
    }
    Ok(Show::Functions { user, pattern: parse_pattern(tokens, true)? })
}

/// Reads a DESCRIBE.
pub(super) fn parse_describe(tokens: &mut Tokens<'_, '_>) -> SqlResult<StatementKind> {
    tokens.parser.next_token();
    let place = tokens.span();
    let is_name = tokens.parser.peek_nth_token_ref(1).token == sqlparser::tokenizer::Token::EOF;
    let described = if is_name {
        Described::Relation(parse_name(tokens)?)
    } else if tokens.word("CATALOG") {
        let extended = tokens.word("EXTENDED");
        Described::Catalog { name: tokens.identifier("the name of a catalog")?, extended }
    } else if tokens.word("FUNCTION") {
        let extended = tokens.word("EXTENDED");
        Described::Function { name: parse_name(tokens)?, extended }
    } else if tokens.is_word(0, "DATABASE") || tokens.is_word(0, "MODEL") || tokens.is_word(0, "JOB") {
        let word = tokens.plain_word().unwrap_or_default();
        return Err(SqlError::new(place, format!("DESCRIBE {word} is not supported"))
            .hint("DESCRIBE takes a table, a view, CATALOG name and FUNCTION name; SHOW DATABASES lists databases"));
    } else {
        tokens.word("EXTENDED");
        Described::Relation(parse_name(tokens)?)
    };
    tokens.expect_end()?;
    Ok(StatementKind::Describe(described))
}

/// Reads a USE.
pub(super) fn parse_use(tokens: &mut Tokens<'_, '_>) -> SqlResult<StatementKind> {
    tokens.expect_word("USE")?;
    let place = tokens.span();
    if tokens.word("MODULES") {
        return Err(
            SqlError::new(place, "USE MODULES is not supported").hint("there is one module, 'core', and it is in use")
        );
    }
    let kind = if tokens.word("CATALOG") {
        StatementKind::UseCatalog(tokens.identifier("the name of a catalog")?)
    } else {
        StatementKind::UseDatabase(parse_name(tokens)?)
    };
    tokens.expect_end()?;
    Ok(kind)
}
