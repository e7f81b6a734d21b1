//! Where topics lie: `topics/<topic>/<partition>/`, partitions numbered from 0 without a gap.

use std::path::{Path, PathBuf};

use weir_base::{Error, Result};

/// The longest name of a topic: Kafka's bound.
const NAME_BYTES_MAX: usize = 249;

/// The folder of all topics.
pub(crate) fn folder(data_dir: &Path) -> PathBuf {
    data_dir.join("topics")
}

/// The topics that there are, in the order of their names.
pub(crate) fn topics(data_dir: &Path) -> Result<Vec<String>> {
    let folder = folder(data_dir);
    let failed = |error| Error::io(format!("list {}", folder.display()), error);
    let entries = match std::fs::read_dir(&folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed)?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.map_err(failed)?.file_name().into_string();
        names.extend(name.ok().filter(|name| !name.starts_with('.')));
    }
    names.sort_unstable();
    Ok(names)
}

/// The number of partitions of `topic`; `None` if there is no such topic.
pub(super) fn partitions(data_dir: &Path, topic: &str) -> Option<u32> {
    let folder = folder(data_dir).join(topic);
    let count = (0..u32::MAX).take_while(|partition| folder.join(partition.to_string()).is_dir()).count();
    u32::try_from(count).ok().filter(|count| *count > 0)
}

/// The folder of a partition.
pub(super) fn partition(data_dir: &Path, topic: &str, partition: u32) -> PathBuf {
    folder(data_dir).join(topic).join(partition.to_string())
}

/// Makes `topic` with `count` partitions if it is not there, as brokers do with their defaults. Returns the number that it has.
///
/// # Errors
/// The name is no topic's, or the folder cannot be made.
pub(super) fn ensure(data_dir: &Path, topic: &str, count: u32) -> Result<u32> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    if topic.is_empty() || topic.len() > NAME_BYTES_MAX || topic.starts_with('.') || !topic.bytes().all(legal) {
        return Err(Error::invalid(format!("make the topic '{topic}': that is no name of a topic")).hint(format!(
            "use up to {NAME_BYTES_MAX} of the characters a-z, A-Z, 0-9, '.', '_' and '-', no '.' in front"
        )));
    }
    if let Some(count) = partitions(data_dir, topic) {
        return Ok(count);
    }
    let folder = folder(data_dir);
    // Made beside and renamed: a topic never shows with a part of its partitions.
    let new = folder.join(format!(".{topic}.new"));
    let failed = |error| Error::io(format!("make the topic {}", folder.join(topic).display()), error);
    for partition in 0..count.max(1) {
        std::fs::create_dir_all(new.join(partition.to_string())).map_err(failed)?;
    }
    match std::fs::rename(&new, folder.join(topic)) {
        Ok(()) => Ok(count.max(1)),
        Err(error) => partitions(data_dir, topic).ok_or_else(|| failed(error)),
    }
}
