//! Configuration files: Flink's `config.yaml` (nested or flat) and the old flat `flink-conf.yaml`.

use std::collections::BTreeMap;
use std::path::Path;

use serde_norway::Value;
use weir_base::{Error, Result};

/// Reads the file at `path` into flat keys.
///
/// # Errors
/// It cannot be read, or is neither form.
pub fn read_file(path: &Path) -> Result<BTreeMap<String, String>> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| Error::io(format!("read the configuration '{}'", path.display()), source))?;
    let flat = path.file_name().is_some_and(|name| name == "flink-conf.yaml");
    let read = if flat { flat_lines(&text) } else { flatten(&text) };
    read.map_err(|reason| Error::invalid(format!("read the configuration '{}': {reason}", path.display())))
}

/// Reads the text of a `config.yaml` into flat keys.
///
/// # Errors
/// It is not YAML, or not a mapping.
pub fn read_text(text: &str) -> Result<BTreeMap<String, String>> {
    flatten(text).map_err(|reason| Error::invalid(format!("read the configuration: {reason}")))
}

/// YAML to flat keys: nested names joined by dots, lists joined by semicolons as Flink writes them.
pub(crate) fn flatten(text: &str) -> std::result::Result<BTreeMap<String, String>, String> {
    let root: Value = serde_norway::from_str(text).map_err(|error| error.to_string())?;
    let mut flat = BTreeMap::new();
    match root {
        Value::Null => Ok(flat),
        Value::Mapping(_) => {
            add("", &root, &mut flat)?;
            Ok(flat)
        }
        _ => Err("it must be a list of 'key: value'".to_owned()),
    }
}

fn add(prefix: &str, value: &Value, flat: &mut BTreeMap<String, String>) -> std::result::Result<(), String> {
    match value {
        Value::Mapping(entries) => {
            for (key, value) in entries {
                let key = key.as_str().ok_or_else(|| format!("a key below '{prefix}' is not text"))?;
                let name = if prefix.is_empty() { key.to_owned() } else { format!("{prefix}.{key}") };
                add(&name, value, flat)?;
            }
            Ok(())
        }
        _ => {
            let text = scalar(value).ok_or_else(|| format!("the value of '{prefix}' is not a plain value"))?;
            if flat.insert(prefix.to_owned(), text).is_some() {
                return Err(format!("'{prefix}' is given twice"));
            }
            Ok(())
        }
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(value) => Some(value.to_string()),
        Value::String(value) => Some(value.clone()),
        Value::Sequence(items) => items.iter().map(scalar).collect::<Option<Vec<_>>>().map(|items| items.join(";")),
        Value::Mapping(_) | Value::Tagged(_) => None,
    }
}

/// The old form: one `key: value` a line, `#` begins a comment, nothing is quoted.
fn flat_lines(text: &str) -> std::result::Result<BTreeMap<String, String>, String> {
    let mut flat = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        let (key, value) = line
            .split_once(": ")
            .ok_or_else(|| format!("line {}: expected 'key: value', found '{line}'", index + 1))?;
        flat.insert(key.trim().to_owned(), value.trim().to_owned());
    }
    Ok(flat)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_and_flat_keys_mean_the_same() {
        let nested = flatten("execution:\n  checkpointing:\n    interval: 10 s\nparallelism.default: 2\n").unwrap();
        assert_eq!(nested["execution.checkpointing.interval"], "10 s");
        assert_eq!(nested["parallelism.default"], "2");
        let flat =
            flat_lines("# old\nexecution.checkpointing.interval: 10 s # inline\n\nparallelism.default: 2\n").unwrap();
        assert_eq!(nested, flat);
    }

    #[test]
    fn what_is_no_configuration_says_why() {
        assert_eq!(flatten("- a\n").unwrap_err(), "it must be a list of 'key: value'");
        assert_eq!(flat_lines("a b\n").unwrap_err(), "line 1: expected 'key: value', found 'a b'");
    }
}
