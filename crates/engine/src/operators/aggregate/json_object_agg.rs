//! `JSON_OBJECTAGG(k VALUE v)`: a JSON object, its keys in Java's order of texts; `{}` where there is none. The value is JSON text already.
//!
//! A key that is there already fails the job, as does one that is NULL. As in Flink a value is taken back if it is there as it is; a NULL never is.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, StringViewArray};
use hashbrown::HashMap;
use weir_base::{Error, Result};

use super::elements::ElementSink;
use super::fold::Fold;
use super::rows::{Rows, other_type};
use crate::expr::write_json_text;

/// Keys and values as a JSON object.
#[derive(Debug, Clone)]
pub struct JsonObjectAgg {
    /// `ABSENT ON NULL`
    pub absent_on_null: bool,
}

/// A value by its key.
#[derive(Debug, Clone)]
struct Member {
    /// JSON; empty: NULL.
    value: Box<str>,
    /// It has changed since the last barrier.
    changed: bool,
    /// Some checkpoint may hold it.
    written: bool,
}

/// The members of an object.
#[derive(Debug, Clone, Default)]
pub struct Members {
    members: HashMap<Arc<str>, Member>,
    changed: Vec<Arc<str>>,
    gone: Vec<Arc<str>>,
}

impl Members {
    fn put(&mut self, key: &str, value: &str, heap: &mut usize) -> Result<()> {
        if self.members.contains_key(key) {
            return Err(Error::invalid(format!(
                "Key '{key}' is already present. Duplicate keys are not allowed in JSON_OBJECTAGG. Please ensure that keys are unique."
            )));
        }
        let key: Arc<str> = key.into();
        *heap += bytes_of(&key, value);
        self.changed.push(Arc::clone(&key));
        self.members.insert(key, Member { value: value.into(), changed: true, written: false });
        Ok(())
    }

    fn remove(&mut self, key: &str, value: &str, heap: &mut usize) {
        let is_there = self.members.get(key).is_some_and(|member| *member.value == *value);
        if let Some((key, member)) = is_there.then(|| self.members.remove_entry(key)).flatten() {
            *heap -= bytes_of(&key, &member.value);
            if member.written {
                self.gone.push(key);
            }
        }
    }

    fn object(&self) -> String {
        let mut members: Vec<(&Arc<str>, &Member)> = self.members.iter().collect();
        members.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
        let mut out = String::from("{");
        for (index, (key, member)) in members.into_iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            write_json_text(key, &mut out);
            out.push(':');
            out.push_str(if member.value.is_empty() { "null" } else { &member.value });
        }
        out.push('}');
        out
    }
}

/// Bytes of a member, with its place in a table that is between half and seven eighths full.
fn bytes_of(key: &str, value: &str) -> usize {
    key.len() + value.len() + 2 * size_of::<usize>() + size_of::<(Arc<str>, Member)>() * 3 / 2
}

impl JsonObjectAgg {
    /// Calls `take` with each row's state, member key and value; an empty value is NULL.
    fn each(
        &self,
        states: &mut [Members],
        rows: &Rows<'_>,
        mut take: impl FnMut(&mut Members, &str, Option<&str>) -> Result<()>,
    ) -> Result<()> {
        let (keys, values) = (rows.argument(0)?, rows.argument(1)?);
        let keys = keys.as_string_view_opt().ok_or_else(|| other_type(keys))?;
        let values = values.as_string_view_opt().ok_or_else(|| other_type(values))?;
        for (row, key) in rows.rows.iter().zip(rows.keys) {
            let (row, state) = (*row as usize, &mut states[*key as usize]);
            if keys.is_null(row) {
                return Err(Error::invalid("Map views don't support null keys."));
            }
            take(state, keys.value(row), values.is_valid(row).then(|| values.value(row)))?;
        }
        Ok(())
    }
}

impl Fold for JsonObjectAgg {
    type State = Members;

    fn update(&self, states: &mut [Members], heap: &mut usize, rows: &Rows<'_>) -> Result<()> {
        self.each(states, rows, |state, key, value| match value {
            Some(value) => state.put(key, value, heap),
            None if self.absent_on_null => Ok(()),
            None => state.put(key, "", heap),
        })
    }

    fn retract(&self, states: &mut [Members], heap: &mut usize, rows: &Rows<'_>) -> Result<()> {
        self.each(states, rows, |state, key, value| {
            if let Some(value) = value {
                state.remove(key, value, heap);
            }
            Ok(())
        })
    }

    fn merge(&self, into: &mut Members, heap: &mut usize, from: &Members) -> Result<()> {
        from.members.iter().try_for_each(|(key, member)| into.put(key, &member.value, heap))
    }

    fn write(&self, _: &Members, _: &mut Vec<u8>) {}

    fn read(&self, _: &mut &[u8], _: &mut usize) -> Option<Members> {
        Some(Members::default())
    }

    fn finish<'a>(&self, states: impl Iterator<Item = &'a Members> + Clone) -> Result<ArrayRef> {
        Ok(Arc::new(states.map(|state| Some(state.object())).collect::<StringViewArray>()))
    }

    fn heap_bytes(&self, state: &Members) -> usize {
        state.members.iter().map(|(key, member)| bytes_of(key, &member.value)).sum()
    }

    fn has_elements(&self) -> bool {
        true
    }

    fn freeze_elements(&self, state: &mut Members, sink: &mut ElementSink<'_>) {
        state.gone.drain(..).for_each(|key| sink.delete(key.as_bytes()));
        for key in state.changed.drain(..) {
            if let Some(member) = state.members.get_mut(&key).filter(|member| member.changed) {
                (member.changed, member.written) = (false, true);
                sink.put(key.as_bytes(), member.value.as_bytes());
            }
        }
    }

    fn forget_elements(&self, state: &Members, sink: &mut ElementSink<'_>) {
        state.gone.iter().for_each(|key| sink.delete(key.as_bytes()));
        for (key, _) in state.members.iter().filter(|(_, member)| member.written) {
            sink.delete(key.as_bytes());
        }
    }

    fn read_element(&self, state: &mut Members, heap: &mut usize, key: &[u8], value: &[u8]) -> Option<()> {
        let (key, value) = (std::str::from_utf8(key).ok()?, std::str::from_utf8(value).ok()?);
        *heap += bytes_of(key, value);
        state.members.insert(key.into(), Member { value: value.into(), changed: false, written: true });
        Some(())
    }
}
