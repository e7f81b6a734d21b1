//! Settings: values by key, over the defaults, read by type.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use weir_base::{Error, Result};

use crate::keys::{Effect, VALUES_WITHOUT_EFFECT, default_of, effect_of, nearest, older_names};
use crate::kinds::{Refusal, check};
use crate::values::{parse_bool, parse_duration, parse_memory_size};

/// Values that were given; what was not given has its default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    values: BTreeMap<String, String>,
}

impl Settings {
    /// Settings of these values; every key must be known.
    ///
    /// # Errors
    /// A key that nobody knows, with the nearest known one.
    pub fn new(values: BTreeMap<String, String>) -> Result<Self> {
        for key in values.keys() {
            if effect_of(key).is_none() {
                let error = Error::invalid(format!("use the configuration key '{key}': it is not known"));
                return Err(match nearest(key) {
                    Some(near) => error.hint(format!("did you mean '{near}'?")),
                    None => error,
                });
            }
        }
        let settings = Self { values };
        for (key, value) in &settings.values {
            if let Err(Refusal { message, hint }) = check(key, value) {
                return Err(Error::invalid(format!("use the configuration: {message}")).hint(hint));
            }
        }
        Ok(settings)
    }

    /// The given keys that have no effect here, with the reason of each.
    pub fn without_effect(&self) -> BTreeSet<(&str, &'static str)> {
        let reason = |key: &str| match effect_of(key) {
            Some(Effect::None(reason)) => Some(reason),
            _ => None,
        };
        let mut all: BTreeSet<_> = self.values.keys().filter_map(|key| Some((key.as_str(), reason(key)?))).collect();
        for (key, likewise, reason) in VALUES_WITHOUT_EFFECT {
            if self.values.get(*key).is_some_and(|value| !likewise.eq_ignore_ascii_case(value)) {
                all.insert((key, reason));
            }
        }
        all
    }

    /// The value of `key`, under an older name if that was given, or its default.
    pub fn text(&self, key: &str) -> &str {
        let given = || older_names(key).find_map(|older| self.values.get(older));
        self.values.get(key).or_else(given).map(String::as_str).or_else(|| default_of(key)).unwrap_or_default()
    }

    /// The value of `key` as a duration.
    ///
    /// # Errors
    /// It is none.
    pub fn duration(&self, key: &str) -> Result<Duration> {
        parse_duration(self.text(key)).map_err(|reason| wrong(key, &reason))
    }

    /// The value of `key` as a truth value.
    ///
    /// # Errors
    /// It is none.
    pub fn boolean(&self, key: &str) -> Result<bool> {
        parse_bool(self.text(key)).map_err(|reason| wrong(key, &reason))
    }

    /// The value of `key` as a size in bytes.
    ///
    /// # Errors
    /// It is none.
    pub fn bytes(&self, key: &str) -> Result<u64> {
        parse_memory_size(self.text(key)).map_err(|reason| wrong(key, &reason))
    }

    /// The value of `key` as a number of type `T`.
    ///
    /// # Errors
    /// It is none, or out of `T`'s bounds.
    pub fn number<T: std::str::FromStr>(&self, key: &str) -> Result<T> {
        let text = self.text(key);
        text.trim().parse().map_err(|_| wrong(key, &format!("'{text}' is not a number that fits")))
    }

    /// The value of `key` as one of `words`, in any case.
    ///
    /// # Errors
    /// It is none of them.
    pub fn one_of(&self, key: &str, words: &'static [&'static str]) -> Result<&'static str> {
        let text = self.text(key);
        let found = words.iter().find(|word| word.eq_ignore_ascii_case(text));
        found.copied().ok_or_else(|| wrong(key, &format!("'{text}' is none of {}", words.join(", "))))
    }
}

fn wrong(key: &str, reason: &str) -> Error {
    Error::invalid(format!("use the configuration key '{key}': {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::known_keys;

    fn settings(pairs: &[(&str, &str)]) -> Result<Settings> {
        Settings::new(pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn an_unknown_key_names_the_nearest() {
        let error = settings(&[("execution.checkpointing.intervall", "1 s")]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "use the configuration key 'execution.checkpointing.intervall': it is not known; \
             did you mean 'execution.checkpointing.interval'?"
        );
    }

    #[test]
    fn keys_of_the_jvm_are_accepted_and_named() {
        let given = settings(&[("taskmanager.memory.process.size", "1728m"), ("parallelism.default", "2")]).unwrap();
        let named = |settings: &Settings| -> Vec<String> {
            settings.without_effect().into_iter().map(|(key, _)| key.to_owned()).collect()
        };
        assert_eq!(named(&given), ["taskmanager.memory.process.size"]);
        let mode = |value: &str| settings(&[("execution.checkpointing.mode", value)]).unwrap();
        assert_eq!(named(&mode("AT_LEAST_ONCE")), ["execution.checkpointing.mode"]);
        assert!(named(&mode("exactly_once")).is_empty());
        assert_eq!(given.number::<u16>("parallelism.default").unwrap(), 2);
    }

    #[test]
    fn an_older_name_acts_unless_the_key_of_today_is_given_too() {
        type Case<'a> = (&'a [(&'a str, &'a str)], &'a str, &'a str);
        let cases: &[Case<'_>] = &[
            (&[("state.checkpoints.dir", "/a")], "execution.checkpointing.dir", "/a"),
            (&[("restart-strategy", "none")], "restart-strategy.type", "none"),
            (
                &[("restart-strategy", "none"), ("restart-strategy.type", "failure-rate")],
                "restart-strategy.type",
                "failure-rate",
            ),
            (&[("execution.buffer-timeout", "5 ms")], "execution.buffer-timeout.interval", "5 ms"),
            (&[], "restart-strategy.type", "exponential-delay"),
        ];
        for (given, key, expected) in cases {
            assert_eq!(settings(given).unwrap().text(key), *expected, "{given:?}");
        }
    }

    #[test]
    fn a_value_that_would_change_the_rows_is_refused() {
        assert_eq!(
            settings(&[("execution.runtime-mode", "batch")]).unwrap_err().to_string(),
            "use the configuration: 'execution.runtime-mode' = 'batch' is not supported; \
             set it to 'STREAMING': every job is a streaming job, and a bounded one ends by itself"
        );
        assert!(settings(&[("execution.runtime-mode", "streaming")]).is_ok());
    }

    #[test]
    fn every_default_reads_as_its_type() {
        let none = Settings::default();
        for key in known_keys() {
            let text = none.text(key);
            let timed = ["interval", "timeout", "pause", "ttl", "max-backoff", "initial-backoff", "delay", "threshold"];
            // An empty one says that there is none.
            if timed.iter().any(|word| key.ends_with(word)) && !key.contains("max-failures") && !text.is_empty() {
                assert!(none.duration(key).is_ok(), "{key}: {text}");
            }
        }
        assert_eq!(none.duration("execution.checkpointing.interval").unwrap(), Duration::from_secs(1));
        assert!(!none.boolean("weir.dedup.exact").unwrap());
    }

    #[test]
    fn a_value_of_the_wrong_type_is_named_with_its_key() {
        assert_eq!(
            settings(&[("execution.checkpointing.interval", "soon")]).unwrap_err().to_string(),
            "use the configuration: Could not parse value 'soon' for key 'execution.checkpointing.interval'.; \
             write a duration such as '10 s', '5 min' or '500 ms'"
        );
        // What stands for no timeout is no duration: its key takes any text.
        let given = settings(&[("execution.buffer-timeout.interval", "soon")]).unwrap();
        assert_eq!(
            given.duration("execution.buffer-timeout.interval").unwrap_err().to_string(),
            "use the configuration key 'execution.buffer-timeout.interval': 'soon' is not a duration: \
             write a whole number and ms, s, min, h or d, such as '10 s'"
        );
    }
}
