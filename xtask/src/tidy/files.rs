//! The files of the checkout: those that git tracks, and those that it would.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::command;
use crate::failure::{Failure, Result};

/// Folders that are nobody's source, where git is not there to tell.
const IGNORED: &[&str] = &[".git", "target", "servers", "weir-data", "node_modules"];

/// One file.
pub struct TrackedFile {
    /// Its path from the root, with `/`.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// What stands in it; `None` if that is not UTF-8.
    pub text: Option<String>,
}

/// The files below `root`, sorted by path.
///
/// # Errors
/// Fails when a folder or file cannot be read.
pub fn tracked(root: &Path) -> Result<Vec<TrackedFile>> {
    let mut paths = match listed_by_git(root) {
        Some(paths) => paths,
        None => walked(root)?,
    };
    paths.sort();
    paths.dedup();
    let mut files = Vec::new();
    for path in paths {
        let whole = root.join(&path);
        // A file that git still lists may be deleted by now; a link is judged where it points to.
        if fs::symlink_metadata(&whole).is_ok_and(|found| found.is_file()) {
            let content = fs::read(&whole).map_err(|error| Failure::io(format_args!("read {path}"), &error))?;
            let bytes = u64::try_from(content.len()).unwrap_or(u64::MAX);
            files.push(TrackedFile { path, bytes, text: String::from_utf8(content).ok() });
        }
    }
    Ok(files)
}

/// What git tracks or would; `None` outside of a checkout, or where git refuses (a container with another user).
fn listed_by_git(root: &Path) -> Option<Vec<String>> {
    let mut git = Command::new("git");
    git.current_dir(root).args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let text = command::output(&mut git).ok()?;
    Some(text.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect())
}

/// All files below `root` but those in ignored folders.
fn walked(root: &Path) -> Result<Vec<String>> {
    let mut paths = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        let failed = |error| Failure::io(format_args!("list {}", root.join(&folder).display()), &error);
        for entry in fs::read_dir(root.join(&folder)).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            // `servers` is ours to ignore at the top only: `deploy/servers` holds configs.
            let is_ignored = IGNORED.contains(&&*name) && (folder.is_empty() || name != "servers");
            let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
            match entry.file_type().map_err(failed)? {
                kind if kind.is_dir() && !is_ignored => folders.push(path),
                kind if kind.is_file() => paths.push(path),
                _ => {}
            }
        }
    }
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_and_without_git_this_file_is_found() {
        let root = command::root();
        let here = "xtask/src/tidy/files.rs".to_owned();
        assert!(walked(&root).unwrap().contains(&here));
        assert!(walked(&root).unwrap().contains(&"deploy/servers/kafka/pom.xml".to_owned()));
        assert!(tracked(&root).unwrap().iter().any(|file| file.path == here && file.text.is_some()));
    }

    #[test]
    fn what_is_built_or_fetched_is_left_out() {
        let paths = walked(&command::root()).unwrap();
        assert!(!paths.iter().any(|path| path.starts_with("target/") || path.starts_with("servers/")));
    }
}
