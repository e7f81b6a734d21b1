//! Where tables lie: `tables/<table>/{schema.json,columns.arrow,run,lanes/<job>-<sink>/<lane>/}`.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use weir_base::{Error, Kind, Result};

/// The folder of all tables.
pub(super) fn folder(data_dir: &Path) -> PathBuf {
    data_dir.join("tables")
}

/// The tables that there are, in the order of their names.
pub(crate) fn tables(data_dir: &Path) -> Result<Vec<String>> {
    let mut names = folders(&folder(data_dir))?;
    names.retain(|name| !name.starts_with('.') && super::schema::is_there(&folder(data_dir).join(name)));
    Ok(names)
}

/// The names of the folders in `dir`, sorted; none if it is not there.
pub(super) fn folders(dir: &Path) -> Result<Vec<String>> {
    let failed = |error| Error::io(format!("list {}", dir.display()), error);
    let entries = match std::fs::read_dir(dir) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed)?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed)?;
        if entry.path().is_dir() {
            names.extend(entry.file_name().into_string());
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// The lanes of the table in `table`, all jobs together, in a defined order.
pub(super) fn lanes(table: &Path) -> Result<Vec<PathBuf>> {
    let root = table.join("lanes");
    let mut lanes = Vec::new();
    for group in folders(&root)? {
        let group = root.join(group);
        lanes.extend(folders(&group)?.into_iter().map(|lane| group.join(lane)));
    }
    Ok(lanes)
}

/// The folder of the table called `name`.
///
/// # Errors
/// That is no name of a table.
pub(super) fn table(data_dir: &Path, name: &str) -> Result<PathBuf> {
    if name.is_empty() || name.starts_with('.') || name.len() > 200 || name.contains(['/', '\\', '\0']) {
        return Err(Error::invalid(format!("make the table '{name}': that is no name of a table"))
            .hint("use up to 200 bytes without '/', no '.' in front"));
    }
    Ok(folder(data_dir).join(name))
}

/// Counts the runs of sinks into a table: rows of a later run are newer.
///
/// # Errors
/// The disk fails, or the file holds no number.
pub(super) fn next_run(table: &Path) -> Result<u64> {
    let path = table.join("run");
    let last: u64 = match std::fs::read_to_string(&path) {
        Ok(text) => text.trim().parse().map_err(|_| {
            Error::new(Kind::Corrupt, format!("read {}: '{}' is no number", path.display(), text.trim()))
                .hint("write into it a number larger than all runs of the table so far, or delete the table")
        })?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => 0,
        Err(error) => return Err(Error::io(format!("read {}", path.display()), error)),
    };
    write_whole(&path, (last + 1).to_string().as_bytes())?;
    Ok(last + 1)
}

/// Writes a file so that it is there as a whole or not at all, also after a power cut.
///
/// # Errors
/// The disk fails.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let beside = path.with_extension("new");
    let write = || -> std::io::Result<()> {
        let mut file = File::create(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&beside, path)
    };
    write().map_err(|error| Error::io(format!("write {}", path.display()), error))
}
