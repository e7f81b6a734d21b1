//! The words behind a measurement's name: `--name VALUE` and `--name`.

use std::collections::{BTreeMap, BTreeSet};

use crate::failure::{Failure, Result};

/// What was asked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Options {
    values: BTreeMap<String, String>,
    flags: BTreeSet<String>,
}

impl Options {
    /// Reads `words`: options of `named` take a value, `flags` none; `usage` is what an error shows.
    ///
    /// # Errors
    /// A word is not known, or a value is missing.
    pub fn read(words: &[String], usage: &str, named: &[&str], flags: &[&str]) -> Result<Self> {
        let wrong = |what: String| Failure::usage(format!("read the arguments: {what}")).hint(usage);
        let mut options = Self::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match word.strip_prefix("--") {
                Some(name) if named.contains(&name) => {
                    let value = words.next().ok_or_else(|| wrong(format!("{word} needs a value")))?;
                    options.values.insert(name.to_owned(), value.clone());
                }
                Some(name) if flags.contains(&name) => {
                    options.flags.insert(name.to_owned());
                }
                _ => return Err(wrong(format!("there is no option '{word}'"))),
            }
        }
        Ok(options)
    }

    /// The value of `name`.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// The value of `name` as a number; `default` where it was not given.
    ///
    /// # Errors
    /// It is no number.
    pub fn number(&self, name: &str, default: u64) -> Result<u64> {
        let Some(text) = self.text(name) else { return Ok(default) };
        text.replace('_', "")
            .parse()
            .map_err(|_| Failure::usage(format!("read the arguments: --{name} {text} is no whole number")))
    }

    /// Whether the flag `name` was given.
    pub fn has(&self, name: &str) -> bool {
        self.flags.contains(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str]) -> Result<Options> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        Options::read(&words, "[--runs N] [--quick]", &["runs"], &["quick"])
    }

    #[test]
    fn options_are_read_and_others_refused() {
        let options = read(&["--runs", "1_000", "--quick"]).unwrap();
        assert_eq!((options.number("runs", 3), options.has("quick")), (Ok(1_000), true));
        assert_eq!(read(&[]).unwrap().number("runs", 3), Ok(3));
        let cases = [
            (&["--runs"][..], "read the arguments: --runs needs a value"),
            (&["--walk"], "read the arguments: there is no option '--walk'"),
            (&["walk"], "read the arguments: there is no option 'walk'"),
        ];
        for (words, wrong) in cases {
            assert_eq!(read(words).unwrap_err().to_string(), format!("{wrong}\nhint: [--runs N] [--quick]"));
        }
        let failure = read(&["--runs", "few"]).unwrap().number("runs", 3).unwrap_err();
        assert_eq!(failure.to_string(), "read the arguments: --runs few is no whole number");
    }
}
