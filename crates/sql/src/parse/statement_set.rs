//! Statement sets: `EXECUTE STATEMENT SET BEGIN ... END` and `BEGIN STATEMENT SET; ... END;`, each one statement of several INSERTs.

use super::{parse_chunk, word_at};
use crate::error::SqlResult;
use crate::script::Chunk;
use crate::{SqlError, Statement, StatementKind};

/// How many tokens open a statement set: none, `BEGIN STATEMENT SET` or `[EXECUTE] STATEMENT SET BEGIN`.
pub(super) fn opening(chunk: &Chunk) -> usize {
    const OPENINGS: &[&[&str]] =
        &[&["EXECUTE", "STATEMENT", "SET", "BEGIN"], &["STATEMENT", "SET", "BEGIN"], &["BEGIN", "STATEMENT", "SET"]];
    let opening =
        OPENINGS.iter().find(|words| words.iter().enumerate().all(|(index, word)| word_at(chunk, index) == *word));
    opening.map_or(0, |words| words.len())
}

/// Collects the INSERTs up to `END`. The opening may share its chunk with the first INSERT, as no `;` stands between them.
pub(super) fn parse(first: Chunk, opening: usize, chunks: &mut impl Iterator<Item = Chunk>) -> SqlResult<Statement> {
    let mut span = first.span();
    let start = Chunk { tokens: first.tokens[..opening].to_vec(), hints: Vec::new() }.span();
    let mut inserts = Vec::new();
    let rest = Chunk { tokens: first.tokens[opening..].to_vec(), hints: first.hints };
    let mut next = if rest.tokens.is_empty() { chunks.next() } else { Some(rest) };
    loop {
        let Some(chunk) = next else {
            return Err(SqlError::new(start, "a statement set is not closed: END is missing")
                .hint("write 'END;' behind the last INSERT"));
        };
        let end = chunk.span();
        (span.line_end, span.column_end) = (end.line_end, end.column_end);
        if word_at(&chunk, 0) == "END" {
            if chunk.tokens.len() > 1 {
                return Err(SqlError::new(end, "SQL parse failed. END is followed by more, expected ';'"));
            }
            break;
        }
        let is_insert =
            word_at(&chunk, 0) == "INSERT" || (word_at(&chunk, 0) == "EXECUTE" && word_at(&chunk, 1) == "INSERT");
        if !is_insert {
            return Err(SqlError::new(end, "only INSERT statements are allowed in a statement set")
                .hint("put it before the statement set, or close the set with 'END;'"));
        }
        if let Statement { kind: StatementKind::Insert(insert), .. } = parse_chunk(&chunk)? {
            inserts.push(*insert);
        }
        next = chunks.next();
    }
    if inserts.is_empty() {
        return Err(SqlError::new(start, "NO statements in statement set")
            .hint("write at least one INSERT between BEGIN and END"));
    }
    Ok(Statement { kind: StatementKind::StatementSet(inserts), span })
}
