//! The one error of this crate: what is wrong, where it stands in the script, what to do.
//!
//! Everything that reads SQL makes it; whoever has the text renders it with the line and a caret.

use std::fmt;

use sqlparser::tokenizer::{Location, Span as ParserSpan};
use weir_base::{Error, Span};

/// What is wrong with a script, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlError {
    /// What is wrong.
    pub message: String,
    /// Where it stands; nowhere for what has no place in the text (a `-D` option).
    pub span: Span,
    /// What to do.
    pub hint: Option<String>,
}

/// The result of reading and planning SQL.
pub type SqlResult<T> = Result<T, SqlError>;

impl SqlError {
    /// `message` about the text at `span`.
    pub fn new(span: Span, message: impl Into<String>) -> Self {
        Self { message: message.into(), span, hint: None }
    }

    /// Adds what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds what to do, where something is known.
    #[must_use]
    pub fn hint_maybe(mut self, hint: Option<String>) -> Self {
        self.hint = hint.or(self.hint);
        self
    }

    /// Places the error at `span` unless it has a place already.
    #[must_use]
    pub fn at(mut self, span: Span) -> Self {
        if !self.span.is_known() {
            self.span = span;
        }
        self
    }

    /// The error as a person reads it: `FILE:LINE:COLUMN: message`, the line of `text`, a caret below, the hint.
    pub fn render(&self, file: &str, text: &str) -> String {
        let mut out = if self.span.is_known() {
            format!("{file}:{}: {}", self.span, self.message)
        } else {
            format!("{file}: {}", self.message)
        };
        if self.span.is_known()
            && let Some(line) = text.split('\n').nth(index_of(self.span.line))
        {
            out.push_str(&excerpt(line.trim_end_matches('\r'), self.span));
        }
        if let Some(hint) = &self.hint {
            out.push_str("\nhint: ");
            out.push_str(hint);
        }
        out
    }
}

/// Characters of a line that an excerpt shows at most.
const EXCERPT_CHARS_MAX: usize = 160;

/// The line with a caret line below; of a long line the part around the place.
fn excerpt(line: &str, span: Span) -> String {
    let first = index_of(span.column);
    let skipped = if first + 1 > EXCERPT_CHARS_MAX { first - EXCERPT_CHARS_MAX / 2 } else { 0 };
    let shown: String = line.chars().skip(skipped).take(EXCERPT_CHARS_MAX).collect();
    let last = if span.line_end == span.line { index_of(span.column_end) } else { usize::MAX };
    let end = last.min((skipped + shown.chars().count()).saturating_sub(1)).max(first);
    // A tab stays a tab in the caret line, so that the caret stands below its character whatever a tab's width is.
    let before: String = shown.chars().take(first - skipped).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
    format!("\n  | {shown}\n  | {before}{}", "^".repeat((end - first + 1).min(EXCERPT_CHARS_MAX)))
}

/// A line or column from 1 as an index from 0.
fn index_of(number: u32) -> usize {
    usize::try_from(number.saturating_sub(1)).unwrap_or(usize::MAX)
}

impl fmt::Display for SqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.span.is_known() {
            write!(f, "{}: ", self.span)?;
        }
        f.write_str(&self.message)?;
        if let Some(hint) = &self.hint {
            write!(f, "; {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for SqlError {}

impl From<SqlError> for Error {
    fn from(error: SqlError) -> Self {
        let place = if error.span.is_known() { format!(" at {}", error.span) } else { String::new() };
        let converted = Self::invalid(format!("plan the SQL{place}: {}", error.message));
        match error.hint {
            Some(hint) => converted.hint(hint),
            None => converted,
        }
    }
}

/// The place of something that sqlparser read; its ends are exclusive, ours inclusive.
pub fn span_of(span: ParserSpan) -> Span {
    let number = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
    let (Location { line, column }, Location { line: line_end, column: column_end }) = (span.start, span.end);
    if line == 0 {
        return Span::default();
    }
    let column_end =
        if line_end == line { column_end.saturating_sub(1).max(column) } else { column_end.saturating_sub(1).max(1) };
    Span { line: number(line), column: number(column), line_end: number(line_end), column_end: number(column_end) }
}

/// The one of `known` that `word` was probably meant to be.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const SIMILARITY_MIN: f64 = 0.75;
    let lower = word.to_lowercase();
    known
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(similarity, _)| *similarity >= SIMILARITY_MIN)
        .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(a.1)))
        .map(|(_, candidate)| candidate)
}

/// `did you mean 'x'?` for the one of `known` that is near to `word`.
pub fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(word, known).map(|near| format!("did you mean '{near}'?"))
}
