//! The segment files of a log: each is called after the place where it begins.

use std::path::{Path, PathBuf};

use weir_base::{Error, Result};

use super::Place;

const SUFFIX: &str = ".log";

/// The file of the segment that begins at `start`.
pub(super) fn path_of(dir: &Path, start: Place) -> PathBuf {
    dir.join(format!("{:020}-{:020}{SUFFIX}", start.byte, start.next))
}

/// Where the segments in `dir` begin, in order.
pub(super) fn list(dir: &Path) -> Result<Vec<Place>> {
    let failed = |error| Error::io(format!("list {}", dir.display()), error);
    let mut starts = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        starts.extend(name.to_str().and_then(parse));
    }
    starts.sort_unstable();
    Ok(starts)
}

fn parse(name: &str) -> Option<Place> {
    let (byte, next) = name.strip_suffix(SUFFIX)?.split_once('-')?;
    Some(Place { byte: byte.parse().ok()?, next: next.parse().ok()? })
}
