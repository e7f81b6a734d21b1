//! Identities: what a number stands for is a type, so that two of them are never mixed.

use std::fmt;
use std::str::FromStr;

use crate::{Error, Result};

/// The number of a checkpoint within a job, from 1; rows between two barriers belong to the epoch that the later one closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Epoch(pub u64);

impl Epoch {
    /// The epoch after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The number of a start of a job over its checkpoint directory, from 1; a newer one fences all older ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Generation(pub u64);

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A job's identity, written as Flink writes it: 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(pub u128);

impl JobId {
    /// The identity of the job called `name` in `checkpoint_dir`: the same at every start.
    pub fn of_name(checkpoint_dir: &str, name: &str) -> Self {
        let text = format!("{checkpoint_dir}\n{name}");
        Self(uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_URL, text.as_bytes()).as_u128())
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl FromStr for JobId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match u128::from_str_radix(text, 16) {
            Ok(id) if text.len() == 32 => Ok(Self(id)),
            _ => Err(Error::invalid(format!("read the job id '{text}': it must be 32 hexadecimal digits"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_id_reads_back_as_it_is_written() {
        let id = JobId::of_name("file:///tmp/c", "telemetry");
        assert_eq!(id.to_string().parse::<JobId>().unwrap(), id);
        assert_eq!(id, JobId::of_name("file:///tmp/c", "telemetry"));
        assert_ne!(id, JobId::of_name("file:///tmp/d", "telemetry"));
        assert!("12".parse::<JobId>().is_err());
    }
}
