//! DROP: tables, views, databases, catalogs.

use super::table::parse_name;
use crate::error::SqlResult;
use crate::statement::Dropped;
use crate::syntax::Tokens;
use crate::{SqlError, StatementKind};

/// Reads a DROP.
pub(super) fn parse_drop(tokens: &mut Tokens<'_, '_>) -> SqlResult<StatementKind> {
    const REFUSED: &[(&str, &str)] = &[
        ("FUNCTION", "only built-in functions are there, and they stay"),
        ("SYSTEM", "only built-in functions are there, and they stay"),
        ("MODEL", "there are no models"),
        ("MATERIALIZED", "there are no materialized tables: DROP TABLE drops a table"),
        ("CONNECTION", "there are no connections"),
    ];
    tokens.expect_word("DROP")?;
    let temporary = tokens.word("TEMPORARY");
    let place = tokens.span();
    let word = tokens.plain_word().unwrap_or_default();
    if let Some((refused, way_out)) = REFUSED.iter().find(|(refused, _)| *refused == word) {
        return Err(SqlError::new(place, format!("DROP {refused} is not supported")).hint(*way_out));
    }
    let dropped = match word.as_str() {
        "TABLE" | "VIEW" => {
            tokens.parser.next_token();
            let if_exists = tokens.words(&["IF", "EXISTS"]);
            let name = parse_name(tokens)?;
            Dropped::Object { view: word == "VIEW", temporary, name, if_exists }
        }
        "CATALOG" if !temporary => {
            tokens.parser.next_token();
            let if_exists = tokens.words(&["IF", "EXISTS"]);
            Dropped::Catalog { name: tokens.identifier("the name of a catalog")?, if_exists }
        }
        "DATABASE" if !temporary => {
            tokens.parser.next_token();
            let if_exists = tokens.words(&["IF", "EXISTS"]);
            let name = parse_name(tokens)?;
            let cascade = tokens.word("CASCADE");
            if !cascade {
                tokens.word("RESTRICT");
            }
            Dropped::Database { name, if_exists, cascade }
        }
        _ => return Err(tokens.expected("TABLE, VIEW, DATABASE or CATALOG")),
    };
    tokens.expect_end()?;
    Ok(StatementKind::Drop(dropped))
}
