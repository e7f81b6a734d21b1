//! JSON paths: `$.a.b[1]['c d']`, with `lax` or `strict` before it.

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// The value of a key.
    Key(String),
    /// An element, from 0; negative: from the end.
    Index(i64),
}

/// The way from the root to a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    /// The steps, outermost first.
    pub(super) steps: Vec<Step>,
}

impl Path {
    /// Reads a path; None if it is malformed, which finds nothing.
    ///
    /// # Errors
    /// It is one of Flink's that is not supported.
    pub(super) fn parse(text: &str) -> Result<Option<Self>, String> {
        let text = text.trim();
        let text = ["strict ", "lax "].iter().find_map(|mode| text.strip_prefix(mode)).unwrap_or(text).trim();
        let mut steps = Vec::new();
        let mut rest = match text.strip_prefix('$') {
            Some(rest) => rest,
            // A path without `$` begins with a key.
            None => {
                let (key, rest) = key_of(text);
                steps.push(Step::Key(key.to_owned()));
                rest
            }
        };
        if rest.contains("..") || rest.contains('*') || rest.contains('?') {
            return Err("wildcards, filters and '..' are not supported".to_owned());
        }
        while !rest.is_empty() {
            let (step, behind) = match rest.strip_prefix('.') {
                Some(named) => {
                    let (key, behind) = key_of(named);
                    (Some(Step::Key(key.to_owned())).filter(|_| !key.is_empty()), behind)
                }
                None => match rest.strip_prefix('[').and_then(|inner| bracket_of(inner)) {
                    Some((step, behind)) => (Some(step), behind),
                    None => (None, ""),
                },
            };
            let Some(step) = step else { return Ok(None) };
            steps.push(step);
            rest = behind;
        }
        Ok(Some(Self { steps }))
    }
}

/// A key up to the next `.` or `[`, and what is behind it.
fn key_of(text: &str) -> (&str, &str) {
    text.split_at(text.find(['.', '[']).unwrap_or(text.len()))
}

/// What stands in brackets: an index or a quoted key, and what is behind.
fn bracket_of(text: &str) -> Option<(Step, &str)> {
    let text = text.trim_start();
    for quote in ['\'', '"'] {
        if let Some(quoted) = text.strip_prefix(quote) {
            let (key, behind) = quoted.split_once(quote)?;
            return Some((Step::Key(key.to_owned()), behind.trim_start().strip_prefix(']')?));
        }
    }
    let (index, behind) = text.split_once(']')?;
    Some((Step::Index(index.trim().parse().ok()?), behind))
}
