//! Storage in memory that fails on demand: at its n-th operation, before or after it took effect, once or from then on.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use weir_base::{Error, Kind, Result};

use crate::storage::{Append, Storage};

/// When and how it fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// This operation fails and does nothing.
    FailsAt(u64),
    /// From this operation on nothing happens any more: the process was killed before it.
    StopsBefore(u64),
    /// This operation happens, but nobody hears of it, and nothing after it: killed after it.
    StopsAfter(u64),
}

#[derive(Default)]
struct Inside {
    files: BTreeMap<String, Vec<u8>>,
    hidden: Option<String>,
    operations: u64,
    fault: Option<Fault>,
}

#[derive(Clone, Default)]
pub(super) struct MemoryStorage(Arc<Mutex<Inside>>);

impl MemoryStorage {
    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap()
    }

    /// Counts operations from 0 and fails as told.
    pub fn fail(&self, fault: Option<Fault>) {
        let mut inside = self.lock();
        (inside.fault, inside.operations) = (fault, 0);
    }

    /// Operations since `fail`.
    pub fn operations(&self) -> u64 {
        self.lock().operations
    }

    /// The names that begin with `prefix`, without seals.
    pub fn names(&self, prefix: &str) -> Vec<String> {
        let is_seal = |bytes: &[u8]| bytes.starts_with(b"weir-checkpoint 1 sealed");
        let inside = self.lock();
        let names = inside.files.iter().filter(|(name, bytes)| name.starts_with(prefix) && !is_seal(bytes));
        names.map(|(name, _)| name.clone()).collect()
    }

    pub fn hide_from_lists(&self, name: &str) {
        self.lock().hidden = Some(name.to_owned());
    }

    pub fn show_in_lists(&self) {
        self.lock().hidden = None;
    }

    pub fn remove_all(&self) {
        self.lock().files.clear();
    }

    pub fn bytes(&self, name: &str) -> Vec<u8> {
        self.lock().files[name].clone()
    }

    pub fn set(&self, name: &str, bytes: Vec<u8>) {
        self.lock().files.insert(name.to_owned(), bytes);
    }

    fn operate<T>(&self, what: &str, effect: impl FnOnce(&mut Inside) -> T) -> Result<T> {
        let mut inside = self.lock();
        let number = inside.operations;
        inside.operations += 1;
        let lost = Err(Error::new(Kind::Unavailable, format!("{what}: the disk fails at operation {number}")));
        match inside.fault {
            Some(Fault::FailsAt(at)) if at == number => lost,
            Some(Fault::StopsBefore(at)) if at <= number => lost,
            Some(Fault::StopsAfter(at)) if at < number => lost,
            Some(Fault::StopsAfter(at)) if at == number => {
                effect(&mut inside);
                lost
            }
            _ => Ok(effect(&mut inside)),
        }
    }
}

impl Storage for MemoryStorage {
    fn put_if_absent(&self, name: &str, bytes: &[u8]) -> Result<bool> {
        self.operate("put_if_absent", |inside| {
            let is_absent = !inside.files.contains_key(name);
            if is_absent {
                inside.files.insert(name.to_owned(), bytes.to_vec());
            }
            is_absent
        })
    }

    fn put(&self, name: &str, bytes: &[u8]) -> Result<()> {
        self.operate("put", |inside| drop(inside.files.insert(name.to_owned(), bytes.to_vec())))
    }

    fn get(&self, name: &str) -> Result<Option<Vec<u8>>> {
        self.operate("get", |inside| inside.files.get(name).cloned())
    }

    fn length(&self, name: &str) -> Result<Option<u64>> {
        self.operate("length", |inside| inside.files.get(name).map(|bytes| bytes.len() as u64))
    }

    fn read(&self, name: &str, offset: u64, length: usize) -> Result<Vec<u8>> {
        let start = usize::try_from(offset).unwrap();
        self.operate("read", |inside| inside.files[name][start..start + length].to_vec())
    }

    fn list(&self, folder: &str) -> Result<Vec<String>> {
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        self.operate("list", |inside| {
            let shown = inside.files.keys().filter(|name| inside.hidden.as_ref() != Some(name));
            let inner = shown.filter_map(|name| name.strip_prefix(&prefix)?.split('/').next());
            let mut names: Vec<String> = inner.map(str::to_owned).collect();
            names.dedup();
            names
        })
    }

    fn delete(&self, name: &str) -> Result<()> {
        self.operate("delete", |inside| drop(inside.files.remove(name)))
    }

    fn create(&self, name: &str) -> Result<Box<dyn Append>> {
        self.operate("create", |_| ())?;
        Ok(Box::new(Unfinished { storage: self.clone(), name: name.to_owned(), bytes: Vec::new() }))
    }

    fn clear_unfinished(&self) -> Result<()> {
        self.operate("clear_unfinished", |_| ())
    }

    fn describe(&self, name: &str) -> String {
        format!("memory:/{name}")
    }
}

struct Unfinished {
    storage: MemoryStorage,
    name: String,
    bytes: Vec<u8>,
}

impl Append for Unfinished {
    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.storage.operate("append", |_| ())?;
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<()> {
        let Self { storage, name, bytes } = *self;
        storage.operate("finish", |inside| drop(inside.files.insert(name, bytes)))
    }
}
