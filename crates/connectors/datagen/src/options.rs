//! The options of a table, read so that what nobody asked for is found and refused.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::str::FromStr;
use std::time::Duration;

use weir_base::{Error, Result, parse_duration};
use weir_plan::TableOptions;

/// Reads options and remembers which have a meaning.
pub(crate) struct Options<'a> {
    options: &'a TableOptions,
    known: RefCell<BTreeSet<String>>,
}

impl<'a> Options<'a> {
    /// A reader of `options`.
    pub fn new(options: &'a TableOptions) -> Self {
        Self { options, known: RefCell::default() }
    }

    /// The text under `key`.
    pub fn text(&self, key: &str) -> Option<&'a str> {
        self.known.borrow_mut().insert(key.to_owned());
        self.options.get(key)
    }

    /// The value under `key`, which must be `wanted`.
    ///
    /// # Errors
    /// It is none.
    pub fn value<T: FromStr>(&self, key: &str, wanted: &str) -> Result<Option<T>> {
        self.text(key).map(|text| text.trim().parse().map_err(|_| wrong(key, text, wanted))).transpose()
    }

    /// The duration under `key`: `10s`, `5 min`; a bare number is milliseconds.
    ///
    /// # Errors
    /// It is none.
    pub fn duration(&self, key: &str) -> Result<Option<Duration>> {
        let Some(text) = self.text(key) else { return Ok(None) };
        parse_duration(text).map(Some).ok_or_else(|| wrong(key, text, "a duration such as '10s'"))
    }

    /// Refuses what has no meaning.
    ///
    /// # Errors
    /// An option of a field that nobody asked for.
    pub fn refuse_the_rest(&self) -> Result<()> {
        let known = self.known.borrow();
        match self.options.values.keys().find(|key| key.starts_with("fields.") && !known.contains(*key)) {
            None => Ok(()),
            Some(key) => {
                let message = format!(
                    "use the option '{key}': the table has no such field, or its type and kind take no such option"
                );
                let field: String = key.split('.').take(2).collect::<Vec<_>>().join(".") + ".";
                let near: Vec<&str> =
                    known.iter().filter(|known| known.starts_with(&field)).map(String::as_str).collect();
                let error = Error::invalid(message);
                Err(if near.is_empty() { error } else { error.hint(format!("it takes {}", near.join(", "))) })
            }
        }
    }
}

/// An error about the value of an option.
pub(crate) fn wrong(key: &str, text: &str, wanted: &str) -> Error {
    Error::invalid(format!("read the option '{key}' = '{text}': it must be {wanted}"))
}
