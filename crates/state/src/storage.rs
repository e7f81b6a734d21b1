//! Storage: where checkpoints lie, as names and bytes; and which implementation an address asks for.
//!
//! It owns no layout: names come from `layout`, relative to the root, with `/` between folders. Whatever is there under its name is whole: no
//! implementation ever shows a part of a file.

use std::sync::Arc;

use weir_base::{Error, Result};

use crate::local::LocalStorage;

/// Files by name below one root.
pub trait Storage: Send + Sync {
    /// Writes `name` durably unless it is there already. Returns whether this call wrote it.
    ///
    /// # Errors
    /// It cannot be written; then it is not there.
    fn put_if_absent(&self, name: &str, bytes: &[u8]) -> Result<bool>;

    /// Writes `name` durably, in place of what was there: a reader sees the former content or the new one.
    ///
    /// # Errors
    /// It cannot be written; then the former content may still be there.
    fn put(&self, name: &str, bytes: &[u8]) -> Result<()>;

    /// The whole of `name`, `None` if it is not there.
    ///
    /// # Errors
    /// It cannot be read.
    fn get(&self, name: &str) -> Result<Option<Vec<u8>>>;

    /// The length of `name` in bytes, `None` if it is not there.
    ///
    /// # Errors
    /// It cannot be asked.
    fn length(&self, name: &str) -> Result<Option<u64>>;

    /// `length` bytes of `name` from `offset`.
    ///
    /// # Errors
    /// It is not there, is shorter, or cannot be read.
    fn read(&self, name: &str, offset: u64, length: usize) -> Result<Vec<u8>>;

    /// The names in `folder`, without the folder, in no defined order; empty if there is no such folder.
    ///
    /// # Errors
    /// It cannot be listed.
    fn list(&self, folder: &str) -> Result<Vec<String>>;

    /// Takes `name` away, and its folder if that is empty then; nothing happens if it is not there.
    ///
    /// # Errors
    /// It cannot be deleted.
    fn delete(&self, name: &str) -> Result<()>;

    /// Begins to write `name` piece by piece; it is there only after `Append::finish`.
    ///
    /// # Errors
    /// It cannot be created.
    fn create(&self, name: &str) -> Result<Box<dyn Append>>;

    /// Takes away what is left of files that were never finished, by anybody. Only for who has fenced all others.
    ///
    /// # Errors
    /// It cannot be deleted.
    fn clear_unfinished(&self) -> Result<()>;

    /// `name` as a user would write it, for messages.
    fn describe(&self, name: &str) -> String;
}

/// A file that is being written; dropping it without `finish` leaves nothing.
pub trait Append: Send {
    /// Adds `bytes` at the end.
    ///
    /// # Errors
    /// They cannot be written.
    fn append(&mut self, bytes: &[u8]) -> Result<()>;

    /// Makes the file durable and shows it under its name.
    ///
    /// # Errors
    /// It cannot be made durable; then it is not there.
    fn finish(self: Box<Self>) -> Result<()>;
}

/// The path that a checkpoint address means on this machine: `file:///a`, `file:/a` and `/a` are one.
///
/// # Errors
/// The address names another kind of storage.
pub fn local_path(address: &str) -> Result<&str> {
    if let Some(rest) = address.strip_prefix("file:") {
        let path = rest.strip_prefix("//").unwrap_or(rest);
        if !path.starts_with('/') {
            let message = format!("use the checkpoint directory '{address}': it names a host or a relative path");
            return Err(Error::invalid(message).hint("write file:///absolute/path, or a bare path"));
        }
        return Ok(path);
    }
    if let Some((scheme, _)) = address.split_once("://") {
        let message = format!("use the checkpoint directory '{address}': '{scheme}://' is not supported");
        return Err(
            Error::invalid(message).hint("set execution.checkpointing.dir to file:///absolute/path, or a bare path")
        );
    }
    if address.is_empty() {
        let hint = "set execution.checkpointing.dir to file:///absolute/path, or a bare path";
        return Err(Error::invalid("use the checkpoint directory '': it is empty").hint(hint));
    }
    Ok(address)
}

/// Opens the storage of `folder` below the directory at `address`, made if it is not there.
///
/// # Errors
/// The address names a storage that is not supported, or the folder can be neither found nor made.
pub fn open_storage(address: &str, folder: &str) -> Result<Arc<dyn Storage>> {
    let path = std::path::Path::new(local_path(address)?).join(folder);
    Ok(Arc::new(LocalStorage::open(path)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_path_or_is_refused_by_name() {
        for (address, path) in
            [("/a/b", "/a/b"), ("file:///a/b", "/a/b"), ("file:/a", "/a"), ("checkpoints", "checkpoints")]
        {
            assert_eq!(local_path(address).unwrap(), path);
        }
        let hint = "set execution.checkpointing.dir to file:///absolute/path, or a bare path";
        for (address, said) in [
            ("s3://bucket/a", format!("use the checkpoint directory 's3://bucket/a': 's3://' is not supported; {hint}")),
            ("hdfs://n/a", format!("use the checkpoint directory 'hdfs://n/a': 'hdfs://' is not supported; {hint}")),
            ("", format!("use the checkpoint directory '': it is empty; {hint}")),
            (
                "file://host/a",
                "use the checkpoint directory 'file://host/a': it names a host or a relative path; write file:///absolute/path, or a bare path"
                    .to_owned(),
            ),
        ] {
            assert_eq!(local_path(address).unwrap_err().to_string(), said);
        }
    }
}
