//! `LIKE table (INCLUDING ALL ...)`: which parts of another table are taken over.

use sqlparser::tokenizer::Token;

use super::table::parse_name;
use crate::SqlError;
use crate::error::{SqlResult, did_you_mean};
use crate::statement::{Like, LikeFeature, Merging};
use crate::syntax::Tokens;

/// The features by their words.
const FEATURES: &[(&str, LikeFeature)] = &[
    ("ALL", LikeFeature::All),
    ("CONSTRAINTS", LikeFeature::Constraints),
    ("DISTRIBUTION", LikeFeature::Distribution),
    ("GENERATED", LikeFeature::Generated),
    ("METADATA", LikeFeature::Metadata),
    ("OPTIONS", LikeFeature::Options),
    ("PARTITIONS", LikeFeature::Partitions),
    ("WATERMARKS", LikeFeature::Watermarks),
];

/// Reads what stands behind LIKE.
pub(super) fn parse_like(tokens: &mut Tokens<'_, '_>) -> SqlResult<Like> {
    let mut like = Like { table: parse_name(tokens)?, rules: Vec::new() };
    if !tokens.take(&Token::LParen) {
        return Ok(like);
    }
    loop {
        let span = tokens.span();
        let merging = if tokens.word("INCLUDING") {
            Merging::Including
        } else if tokens.word("EXCLUDING") {
            Merging::Excluding
        } else if tokens.word("OVERWRITING") {
            Merging::Overwriting
        } else {
            return Err(tokens.expected("INCLUDING, EXCLUDING or OVERWRITING"));
        };
        let word = tokens.plain_word().unwrap_or_default();
        let Some((_, feature)) = FEATURES.iter().find(|(name, _)| *name == word) else {
            let known = || FEATURES.iter().map(|(name, _)| *name);
            let hint = did_you_mean(&word, known());
            let all = || format!("there are: {}", known().collect::<Vec<_>>().join(", "));
            return Err(tokens.expected("a feature of the table").hint(hint.unwrap_or_else(all)));
        };
        let overwrites = matches!(
            feature,
            LikeFeature::Generated | LikeFeature::Metadata | LikeFeature::Options | LikeFeature::Watermarks
        );
        if merging == Merging::Overwriting && !overwrites {
            return Err(SqlError::new(span, format!("Illegal merging strategy 'OVERWRITING' for '{word}' option."))
                .hint("OVERWRITING goes with GENERATED, METADATA, OPTIONS and WATERMARKS"));
        }
        if like.rules.iter().any(|(former, _, _)| former == feature) {
            return Err(SqlError::new(span, "Each like option feature can be declared only once.")
                .hint(format!("{word} stands there twice: remove one of them")));
        }
        like.rules.push((*feature, merging, span));
        tokens.parser.next_token();
        if tokens.take(&Token::RParen) {
            return Ok(like);
        }
    }
}
