//! The one error that crosses crate boundaries: a kind to act on, words to read, a hint, a cause.
//!
//! Inside a crate errors may be finer; at its boundary they become this.

use std::fmt;

/// What a caller can do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The input is wrong: change it.
    Invalid,
    /// The thing named does not exist.
    NotFound,
    /// Somebody else holds or changed it: a lock, a newer generation, a fence.
    Conflict,
    /// An outside system does not answer: trying again may help.
    Unavailable,
    /// A bound was reached: disk full, message too large.
    Exhausted,
    /// Stored data does not read back as it was written.
    Corrupt,
    /// The thing was closed or cancelled.
    Closed,
    /// A broken invariant of Weir itself.
    Internal,
}

/// An error with its kind, a message that fits after "failed to", and what to do next.
pub struct Error {
    kind: Kind,
    message: String,
    hint: Option<String>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The result of everything that can fail across a crate boundary.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Makes an error of `kind` that says `message`.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None, source: None }
    }

    /// The input is wrong.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(Kind::Invalid, message)
    }

    /// A broken invariant of Weir itself.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(Kind::Internal, message)
    }

    /// Wraps an I/O error: `what` names the action and the path ("write /a/b").
    pub fn io(what: impl fmt::Display, source: std::io::Error) -> Self {
        let kind = match source.kind() {
            std::io::ErrorKind::NotFound => Kind::NotFound,
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Kind::Exhausted,
            std::io::ErrorKind::AlreadyExists => Kind::Conflict,
            std::io::ErrorKind::InvalidData | std::io::ErrorKind::UnexpectedEof => Kind::Corrupt,
            _ => Kind::Unavailable,
        };
        Self::new(kind, format!("{what}: {source}")).caused_by(source)
    }

    /// Adds what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the cause.
    #[must_use]
    pub fn caused_by(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.source = Some(Box::new(source));
        self
    }

    /// Puts `context` and a colon before the message: the outer place, named by who knows it.
    #[must_use]
    pub fn within(mut self, context: impl fmt::Display) -> Self {
        self.message = format!("{context}: {}", self.message);
        self
    }

    /// What a caller can do about it.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// What was tried and what was wrong, without the hint.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do next, where that is known.
    pub fn hint_text(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(hint) = &self.hint {
            write!(f, "; {hint}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {self}", self.kind)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
