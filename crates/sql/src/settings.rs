//! Settings in force at a statement: from a configuration file, from `SET` (which wins over it), from `-D` (which wins over both), typed on request.

use std::collections::BTreeMap;
use std::time::Duration;

use weir_base::{Span, parse_duration};

use crate::SqlError;
use crate::error::SqlResult;

/// Settings by key.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settings {
    defaults: BTreeMap<String, String>,
    values: BTreeMap<String, (String, Span)>,
    overrides: BTreeMap<String, String>,
}

impl Settings {
    /// No settings but `defaults` and `overrides`, which nothing changes.
    pub fn new(defaults: &BTreeMap<String, String>, overrides: &BTreeMap<String, String>) -> Self {
        Self { defaults: defaults.clone(), values: BTreeMap::new(), overrides: overrides.clone() }
    }

    /// `SET 'key' = 'value'`; `span` is the value's place.
    pub fn set(&mut self, key: &str, value: &str, span: Span) {
        self.values.insert(key.to_owned(), (value.to_owned(), span));
    }

    /// `RESET 'key'`, or all.
    pub fn reset(&mut self, key: Option<&str>) {
        match key {
            Some(key) => {
                self.values.remove(key);
            }
            None => self.values.clear(),
        }
    }

    /// The value in force.
    pub fn get(&self, key: &str) -> Option<&str> {
        let set = || self.values.get(key).map(|(value, _)| value);
        self.overrides.get(key).or_else(set).or_else(|| self.defaults.get(key)).map(String::as_str)
    }

    /// The place of the value in force; nowhere for one from outside.
    pub fn span(&self, key: &str) -> Span {
        if self.overrides.contains_key(key) {
            return Span::default();
        }
        self.values.get(key).map(|(_, span)| *span).unwrap_or_default()
    }

    /// All values in force.
    pub fn in_force(&self) -> BTreeMap<String, String> {
        let mut all = self.defaults.clone();
        all.extend(self.values.iter().map(|(key, (value, _))| (key.clone(), value.clone())));
        all.extend(self.overrides.clone());
        all
    }

    /// The duration at `key`.
    ///
    /// # Errors
    /// Fails at the value's place when it is not one.
    pub fn duration(&self, key: &str) -> SqlResult<Option<Duration>> {
        self.typed(key, "a duration such as '10 s', '5 min' or '500 ms'", parse_duration)
    }

    /// The whole number at `key`.
    ///
    /// # Errors
    /// Fails at the value's place when it is not one.
    pub fn integer(&self, key: &str) -> SqlResult<Option<i64>> {
        self.typed(key, "a whole number", |text| text.trim().parse().ok())
    }

    /// The boolean at `key`.
    ///
    /// # Errors
    /// Fails at the value's place when it is not one.
    pub fn boolean(&self, key: &str) -> SqlResult<Option<bool>> {
        self.typed(key, "true or false", |text| text.trim().to_ascii_lowercase().parse().ok())
    }

    fn typed<T>(&self, key: &str, wanted: &str, parse: impl Fn(&str) -> Option<T>) -> SqlResult<Option<T>> {
        let Some(text) = self.get(key) else { return Ok(None) };
        match parse(text) {
            Some(value) => Ok(Some(value)),
            None => Err(SqlError::new(self.span(key), format!("Could not parse value '{text}' for key '{key}'"))
                .hint(format!("write {wanted}"))),
        }
    }
}
