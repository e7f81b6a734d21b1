//! The source: which files there are.
//!
//! Of a folder all files below it, sorted; names that begin with `.` or `_` are skipped, as Flink does, folders of such names too.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use regex::Regex;
use weir_base::{Error, Kind, Result};
use weir_connector::{Reader, ReaderContext, Source, SplitId};
use weir_plan::{SourceColumn, SourceSpec};

use crate::options::duration;
use crate::reader::FileReader;

/// Files as a table.
pub(crate) struct FileSource {
    path: PathBuf,
    /// What a file's whole path must match to be read.
    pattern: Option<Regex>,
    monitor_interval: Option<Duration>,
    metadata: Vec<String>,
}

impl FileSource {
    /// The files at `path`.
    ///
    /// # Errors
    /// Options that cannot be honoured.
    pub fn new(spec: &SourceSpec, path: PathBuf) -> Result<Self> {
        let monitor_interval = duration(&spec.options, "source.monitor-interval")?;
        if monitor_interval == Some(Duration::ZERO) {
            return Err(Error::invalid("read the option 'source.monitor-interval': it must be greater than 0"));
        }
        let metadata = spec.columns.iter().filter_map(|column| match column {
            SourceColumn::Metadata(key, _) => Some(key.clone()),
            SourceColumn::Physical(_) => None,
        });
        Ok(Self { path, pattern: pattern(spec)?, monitor_interval, metadata: metadata.collect() })
    }
}

/// The expression of `source.path.regex-pattern`; as in Flink it must match the whole of a path.
fn pattern(spec: &SourceSpec) -> Result<Option<Regex>> {
    const KEY: &str = "source.path.regex-pattern";
    let Some(text) = spec.options.get(KEY) else { return Ok(None) };
    let read = Regex::new(&format!("^(?:{text})$"));
    read.map(Some).map_err(|error| {
        Error::invalid(format!("read the option '{KEY}' = '{text}': {error}"))
            .hint("look-around and back-references of Java's expressions are not there")
    })
}

impl Source for FileSource {
    fn splits(&self) -> Result<Vec<SplitId>> {
        let about = |path: &Path| format!("list the files of '{}'", path.display());
        let root = fs::metadata(&self.path).map_err(|source| Error::io(about(&self.path), source))?;
        let mut files = Vec::new();
        if root.is_dir() {
            let mut folders = vec![self.path.clone()];
            while let Some(folder) = folders.pop() {
                let entries = fs::read_dir(&folder).map_err(|source| Error::io(about(&folder), source))?;
                for entry in entries {
                    let entry = entry.map_err(|source| Error::io(about(&folder), source))?;
                    if entry.file_name().as_encoded_bytes().first().is_none_or(|first| matches!(first, b'.' | b'_')) {
                        continue;
                    }
                    // Follows links; a file that went since the folder was listed is none.
                    match fs::metadata(entry.path()) {
                        Ok(metadata) if metadata.is_dir() => folders.push(entry.path()),
                        Ok(_) => files.push(entry.path()),
                        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                        Err(error) => return Err(Error::io(about(&entry.path()), error)),
                    }
                }
            }
        } else {
            files.push(self.path.clone());
        }
        if let Some(pattern) = &self.pattern {
            files.retain(|file| file.to_str().is_some_and(|path| pattern.is_match(path)));
        }
        files.sort();
        files.iter().map(|file| split_of(file)).collect()
    }

    fn discovery_interval(&self) -> Option<Duration> {
        self.monitor_interval
    }

    fn is_bounded(&self) -> bool {
        self.monitor_interval.is_none()
    }

    fn reads_in_turn(&self) -> bool {
        true
    }

    fn reader(&self, context: &ReaderContext) -> Result<Box<dyn Reader>> {
        Ok(Box::new(FileReader::new(self.metadata.clone(), Arc::clone(&context.clock))))
    }
}

fn split_of(file: &Path) -> Result<SplitId> {
    const COMPRESSED: &[&str] = &["gz", "gzip", "deflate", "bz2", "xz", "zst"];
    let Some(text) = file.to_str() else {
        return Err(Error::invalid(format!("read the file '{}': its name is not UTF-8", file.display()))
            .hint("rename it, or put a '.' or '_' before it to leave it out"));
    };
    let extension = file.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    if COMPRESSED.iter().any(|known| extension.eq_ignore_ascii_case(known)) {
        let message = format!("read the file '{text}': compressed files (.{extension}) are not supported");
        return Err(Error::new(Kind::Invalid, message)
            .hint("decompress it, or put a '.' or '_' before its name to leave it out"));
    }
    Ok(SplitId(text.into()))
}
