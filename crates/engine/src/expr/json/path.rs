//! JSON paths as Flink has them (Jayway's): `$.a.b[1]['c d']`, wildcards, slices, `..`, filters; with `lax` or `strict` before them.
//!
//! A path without a mode is strict. It is definite where it leads to one value at most; one that is not gives an array of all it finds.

use super::filter::Filter;

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// The value of a key.
    Key(String),
    /// The values of several keys.
    Keys(Vec<String>),
    /// An element, from 0; negative: from the end.
    Index(i64),
    /// Several elements.
    Indices(Vec<i64>),
    /// The elements from one to before another.
    Slice(Option<i64>, Option<i64>),
    /// All elements or values.
    All,
    /// What follows, here and at every depth below.
    Deep,
    /// The elements for which it is true.
    Where(Filter),
}

/// How a path treats what it does not find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Nothing is found: that is empty.
    Lax,
    /// That is an error.
    Strict,
}

/// The way from the root to values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    /// What is not found.
    pub(super) mode: Mode,
    /// The steps, outermost first.
    pub(super) steps: Vec<Step>,
}

impl Step {
    /// Whether it leads to one value at most. Several keys at the end of a path are one object.
    pub(super) fn is_definite(&self, is_last: bool) -> bool {
        match self {
            Self::Key(_) | Self::Index(_) => true,
            Self::Keys(_) => is_last,
            _ => false,
        }
    }
}

impl Path {
    /// Reads a path; None if it is malformed, which is an error for each row.
    ///
    /// # Errors
    /// It is one of Flink's that is not supported.
    pub(super) fn parse(text: &str) -> Result<Option<Self>, String> {
        let (mode, rest) = mode_of(text);
        let rest = rest.trim();
        // A path without `$` begins with a key.
        let prefixed = if rest.starts_with('$') { rest.to_owned() } else { format!("$.{rest}") };
        Ok(steps(&prefixed[1..])?.map(|steps| Self { mode, steps }))
    }

    /// Whether it leads to one value at most.
    pub(super) fn is_definite(&self) -> bool {
        self.steps.iter().enumerate().all(|(index, step)| step.is_definite(index + 1 == self.steps.len()))
    }

    /// Whether it goes by keys and indices only.
    pub(super) fn is_plain(&self) -> bool {
        self.steps.iter().all(|step| matches!(step, Step::Key(_) | Step::Index(_)))
    }
}

/// The mode in front of a path, strict where there is none, and the path.
fn mode_of(text: &str) -> (Mode, &str) {
    let trimmed = text.trim_start();
    for (word, mode) in [("strict", Mode::Strict), ("lax", Mode::Lax)] {
        if let (Some(head), Some(rest)) = (trimmed.get(..word.len()), trimmed.get(word.len()..))
            && head.eq_ignore_ascii_case(word)
            && rest.starts_with(char::is_whitespace)
            && !rest.trim().is_empty()
        {
            return (mode, rest);
        }
    }
    (Mode::Strict, text)
}

/// The steps behind a root.
///
/// # Errors
/// There is one that is not supported.
pub(super) fn steps(mut rest: &str) -> Result<Option<Vec<Step>>, String> {
    let mut steps = Vec::new();
    while !rest.is_empty() {
        let Some((step, behind)) = next(rest)? else { return Ok(None) };
        steps.push(step);
        rest = behind;
        // `..` must be followed by what it looks for.
        if steps.last() == Some(&Step::Deep) {
            rest = match rest.chars().next() {
                Some('[') => rest,
                Some('.') | None => return Ok(None),
                Some(_) => {
                    let Some((step, behind)) = named(rest)? else { return Ok(None) };
                    steps.push(step);
                    behind
                }
            };
        }
    }
    Ok(Some(steps))
}

/// The next step and what is behind it; None if it is malformed.
fn next(text: &str) -> Result<Option<(Step, &str)>, String> {
    if let Some(behind) = text.strip_prefix("..") {
        return Ok(Some((Step::Deep, behind)));
    }
    match (text.strip_prefix('.'), text.strip_prefix('[')) {
        (Some(name), _) if name.starts_with('[') => next(name),
        (Some(name), _) => named(name),
        (None, Some(inner)) => bracket(inner),
        (None, None) => Ok(None),
    }
}

/// A key up to the next `.` or `[`, or `*`.
fn named(text: &str) -> Result<Option<(Step, &str)>, String> {
    let (key, behind) = text.split_at(text.find(['.', '[', '(']).unwrap_or(text.len()));
    if behind.starts_with('(') {
        return Err(format!("the function '{key}()' in a path is not supported"));
    }
    let step = match key {
        "" => return Ok(None),
        "*" => Step::All,
        key => Step::Key(key.to_owned()),
    };
    Ok(Some((step, behind)))
}

/// What stands in brackets, and what is behind them.
fn bracket(text: &str) -> Result<Option<(Step, &str)>, String> {
    let text = text.trim_start();
    if let Some(inner) = text.strip_prefix('?') {
        return Ok(Filter::parse(inner)?.map(|(filter, behind)| (Step::Where(filter), behind)));
    }
    if text.starts_with(['\'', '"']) {
        return Ok(quoted_keys(text));
    }
    let Some((inner, behind)) = text.split_once(']') else { return Ok(None) };
    Ok(indices(inner.trim()).map(|step| (step, behind)))
}

/// `'a'`, or `'a', 'b'`, then the closing bracket.
fn quoted_keys(mut text: &str) -> Option<(Step, &str)> {
    let mut keys = Vec::new();
    loop {
        let (key, behind) = quoted(text)?;
        keys.push(key);
        let behind = behind.trim_start();
        if let Some(behind) = behind.strip_prefix(']') {
            let step = if keys.len() == 1 { Step::Key(keys.remove(0)) } else { Step::Keys(keys) };
            return Some((step, behind));
        }
        text = behind.strip_prefix(',')?.trim_start();
    }
}

/// A text in quotes, `\` taking the next character as it is.
pub(super) fn quoted(text: &str) -> Option<(String, &str)> {
    let quote = text.chars().next().filter(|ch| matches!(ch, '\'' | '"'))?;
    let mut key = String::new();
    let mut chars = text[1..].char_indices();
    while let Some((at, ch)) = chars.next() {
        match ch {
            '\\' => key.push(chars.next()?.1),
            ch if ch == quote => return Some((key, &text[at + 2..])),
            ch => key.push(ch),
        }
    }
    None
}

/// `*`, `1`, `1,2`, `1:2`
fn indices(text: &str) -> Option<Step> {
    let number = |text: &str| text.trim().parse::<i64>().ok();
    if text == "*" {
        return Some(Step::All);
    }
    if let Some((from, to)) = text.split_once(':') {
        let bound = |text: &str| if text.trim().is_empty() { Some(None) } else { number(text).map(Some) };
        let (from, to) = (bound(from)?, bound(to)?);
        return (from.is_some() || to.is_some()).then_some(Step::Slice(from, to));
    }
    let all: Vec<i64> = text.split(',').map(number).collect::<Option<_>>()?;
    Some(match all.as_slice() {
        [one] => Step::Index(*one),
        _ => Step::Indices(all),
    })
}
