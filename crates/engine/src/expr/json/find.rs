//! Follows a path through a JSON value, as Jayway does: what is missing is an error as long as the path is definite, and passed over behind a
//! wildcard, a slice, a filter or `..`.

use super::dom::Json;
use super::path::Step;

/// What a path leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found<'a> {
    /// One value.
    One(&'a Json),
    /// A value that is not in the document: an object of several keys.
    Made(Json),
    /// Several values, or none, in the order in which they were found.
    Many(Vec<&'a Json>),
}

/// A definite path that leads nowhere: Jayway's words.
pub(super) type Missing = String;

/// Whether `steps` lead to one value at most.
pub(super) fn definite(steps: &[Step]) -> bool {
    steps.iter().enumerate().all(|(index, step)| step.is_definite(index + 1 == steps.len()))
}

/// What `steps` lead to from `from`; filters see `root`.
///
/// # Errors
/// Something is missing where the path is still definite.
pub(super) fn find<'a>(from: &'a Json, steps: &[Step], root: &'a Json) -> Result<Found<'a>, Missing> {
    if definite(steps) {
        return one(from, steps);
    }
    let mut walk = Walk { root, found: Vec::new() };
    walk.follow(from, steps, true)?;
    Ok(Found::Many(walk.found))
}

/// A definite path.
fn one<'a>(from: &'a Json, steps: &[Step]) -> Result<Found<'a>, Missing> {
    let mut value = from;
    for step in steps {
        value = match step {
            Step::Key(key) => value.get(key),
            Step::Index(index) => element(value, *index),
            Step::Keys(keys) => {
                let Json::Object(entries) = value else { return Err(missing(steps)) };
                let kept = entries.iter().filter(|(key, _)| keys.contains(key)).cloned().collect();
                return Ok(Found::Made(Json::Object(kept)));
            }
            _ => None,
        }
        .ok_or_else(|| missing(steps))?;
    }
    Ok(Found::One(value))
}

fn missing(steps: &[Step]) -> Missing {
    let mut text = "No results for path: $".to_owned();
    for step in steps {
        match step {
            Step::Key(key) => text.push_str(&format!("['{key}']")),
            Step::Index(index) => text.push_str(&format!("[{index}]")),
            Step::Keys(keys) => text.push_str(&format!("['{}']", keys.join("','"))),
            _ => {}
        }
    }
    text
}

/// The element at `index`, negative from the end.
fn element(value: &Json, index: i64) -> Option<&Json> {
    let Json::Array(elements) = value else { return None };
    let at = match usize::try_from(index) {
        Ok(at) => at,
        Err(_) => elements.len().checked_sub(usize::try_from(index.unsigned_abs()).ok()?)?,
    };
    elements.get(at)
}

/// The elements from one to before another, negative from the end.
fn slice(elements: &[Json], from: Option<i64>, to: Option<i64>) -> &[Json] {
    let length = i64::try_from(elements.len()).unwrap_or(i64::MAX);
    let bound = |bound: i64| if bound < 0 { bound + length } else { bound }.clamp(0, length);
    let (from, to) = (bound(from.unwrap_or(0)), bound(to.unwrap_or(length)));
    let index = |bound: i64| usize::try_from(bound).unwrap_or(0);
    elements.get(index(from)..index(to)).unwrap_or(&[])
}

/// A path that may lead to several values.
struct Walk<'a> {
    root: &'a Json,
    found: Vec<&'a Json>,
}

impl<'a> Walk<'a> {
    /// Follows `steps` from `value`. `is_definite`: nothing before them may lead to several values.
    fn follow(&mut self, value: &'a Json, steps: &[Step], is_definite: bool) -> Result<(), Missing> {
        let Some((step, rest)) = steps.split_first() else {
            self.found.push(value);
            return Ok(());
        };
        match step {
            Step::Key(key) => self.follow_or_miss(value.get(key), rest, is_definite),
            Step::Index(index) => match (element(value, *index), value) {
                // An index behind the end is nothing, other than in something that is no array.
                (None, Json::Array(_)) => Ok(()),
                (found, _) => self.follow_or_miss(found, rest, is_definite),
            },
            Step::Keys(keys) => keys.iter().try_for_each(|key| match value.get(key) {
                Some(found) => self.follow(found, rest, false),
                None => Ok(()),
            }),
            Step::Indices(indices) => match value {
                Json::Array(_) => indices.iter().try_for_each(|index| match element(value, *index) {
                    Some(found) => self.follow(found, rest, false),
                    None => Ok(()),
                }),
                _ => self.follow_or_miss(None, rest, is_definite),
            },
            Step::Slice(from, to) => match value {
                Json::Array(elements) => self.each(slice(elements, *from, *to), rest),
                _ => self.follow_or_miss(None, rest, is_definite),
            },
            Step::All => match value {
                Json::Array(elements) => self.each(elements, rest),
                Json::Object(entries) => entries.iter().try_for_each(|(_, value)| self.follow(value, rest, false)),
                _ => Ok(()),
            },
            Step::Where(filter) => match value {
                Json::Array(elements) => elements
                    .iter()
                    .filter(|element| filter.holds(element, self.root))
                    .try_for_each(|element| self.follow(element, rest, false)),
                Json::Object(_) if filter.holds(value, self.root) => self.follow(value, rest, false),
                Json::Object(_) => Ok(()),
                _ => self.follow_or_miss(None, rest, is_definite),
            },
            Step::Deep => self.deep(value, rest),
        }
    }

    fn each(&mut self, elements: &'a [Json], rest: &[Step]) -> Result<(), Missing> {
        elements.iter().try_for_each(|element| self.follow(element, rest, false))
    }

    fn follow_or_miss(&mut self, found: Option<&'a Json>, rest: &[Step], is_definite: bool) -> Result<(), Missing> {
        match found {
            Some(found) => self.follow(found, rest, is_definite),
            None if is_definite => Err("Missing property in path".to_owned()),
            None => Ok(()),
        }
    }

    /// `..`: `steps` from here, then from everything below.
    fn deep(&mut self, value: &'a Json, steps: &[Step]) -> Result<(), Missing> {
        let Some(step) = steps.first() else { return Ok(()) };
        let starts = match (step, value) {
            (Step::Key(key), value) => value.get(key).is_some(),
            (Step::Keys(_), Json::Object(_)) | (Step::All, Json::Array(_) | Json::Object(_)) => true,
            (Step::Index(_) | Step::Indices(_) | Step::Slice(..), Json::Array(_)) => true,
            (Step::Where(filter), Json::Object(_)) => filter.holds(value, self.root),
            _ => false,
        };
        if starts {
            self.follow(value, steps, false)?;
        }
        match value {
            Json::Array(elements) => elements.iter().try_for_each(|element| self.deep(element, steps)),
            Json::Object(entries) => entries.iter().try_for_each(|(_, value)| self.deep(value, steps)),
            _ => Ok(()),
        }
    }
}
