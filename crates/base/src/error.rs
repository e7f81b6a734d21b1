//! The one error that crosses crate boundaries: a kind to act on, words to read, a hint, a cause.
//!
//! Inside a crate errors may be finer; at its boundary they become this.

use std::fmt;
use std::io::ErrorKind;

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

    /// Wraps an I/O error: `what` names the action and the path ("write /a/b"). Where the way out is the same for all
    /// files, it is there as a hint.
    pub fn io(what: impl fmt::Display, source: std::io::Error) -> Self {
        let kind = match source.kind() {
            ErrorKind::NotFound => Kind::NotFound,
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => Kind::Exhausted,
            ErrorKind::AlreadyExists => Kind::Conflict,
            ErrorKind::InvalidData | ErrorKind::UnexpectedEof => Kind::Corrupt,
            _ => Kind::Unavailable,
        };
        let hint = match source.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Some("free some space on that disk"),
            ErrorKind::FileTooLarge => Some("raise the limit on the size of a file (ulimit -f)"),
            ErrorKind::ReadOnlyFilesystem => Some("mount that disk writable"),
            _ => None,
        };
        let error = Self::new(kind, format!("{what}: {source}")).caused_by(source);
        match hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_takes_no_more_is_said_with_the_way_out() {
        let cases = [
            (2, Kind::NotFound, "write /a: No such file or directory (os error 2)"),
            (
                27,
                Kind::Exhausted,
                "write /a: File too large (os error 27); raise the limit on the size of a file (ulimit -f)",
            ),
            (28, Kind::Exhausted, "write /a: No space left on device (os error 28); free some space on that disk"),
            (30, Kind::Unavailable, "write /a: Read-only file system (os error 30); mount that disk writable"),
        ];
        for (number, kind, words) in cases {
            let error = Error::io("write /a", std::io::Error::from_raw_os_error(number));
            assert_eq!((error.kind(), error.to_string().as_str()), (kind, words));
        }
    }
}
