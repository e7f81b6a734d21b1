//! What goes wrong in a verb: one text that fits after "failed to", says what was tried, what was wrong and what to do.

use std::fmt;

/// A verb's result.
pub type Result<T> = std::result::Result<T, Failure>;

/// Why a verb could not do its work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    what: String,
    hint: Option<String>,
    usage: bool,
}

impl Failure {
    /// A failure whose text fits after "failed to".
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), hint: None, usage: false }
    }

    /// A wrong command line; exits with 2.
    pub fn usage(what: impl Into<String>) -> Self {
        Self { what: what.into(), hint: None, usage: true }
    }

    /// A failed call to the system: `what` was tried.
    pub fn io(what: impl fmt::Display, error: &std::io::Error) -> Self {
        Self::new(format!("{what}: {error}"))
    }

    /// Adds what to do now.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Whether the command line was wrong, rather than the work.
    pub fn is_usage(&self) -> bool {
        self.usage
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        match &self.hint {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_stands_on_its_own_line() {
        let failure = Failure::new("find java").hint("install it");
        assert_eq!(failure.to_string(), "find java\nhint: install it");
    }

    #[test]
    fn only_a_wrong_command_line_is_usage() {
        assert!(Failure::usage("read the arguments").is_usage());
        assert!(!Failure::new("start").is_usage());
    }
}
