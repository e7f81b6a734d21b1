//! Which columns of a table stand in the keys of its records: `key.fields` and what goes with it, as in Flink's Kafka connector.

use weir_base::{Error, Result};
use weir_plan::{Field, Schema, TableOptions};

use crate::{RawRecord, RawRecords};

/// The columns that are read from keys and not from values: `'value.fields-include' = 'EXCEPT_KEY'`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyColumns {
    /// The key's format.
    pub format: String,
    /// The columns, in the order of `key.fields`: their index in the table, and their name in the key.
    pub columns: Vec<(usize, String)>,
}

impl KeyColumns {
    /// The columns that `options` take from keys, of a table with the columns `physical`; `None`: all columns are in the value, as they are by default
    /// even where there is a key.
    ///
    /// # Errors
    /// Options that contradict each other or the columns, by name.
    pub fn of(options: &TableOptions, physical: &Schema) -> Result<Option<Self>> {
        let (format, fields) = (options.get("key.format"), options.get("key.fields"));
        let prefix = options.get("key.fields-prefix").unwrap_or("");
        let include = options.get("value.fields-include").unwrap_or("ALL");
        let except_key = match include.to_uppercase().as_str() {
            "ALL" => false,
            "EXCEPT_KEY" => true,
            _ => {
                let text = format!("read 'value.fields-include' = '{include}': it must be one of ALL, EXCEPT_KEY");
                return Err(Error::invalid(text));
            }
        };
        let (format, fields) = match (format, fields) {
            (Some(format), Some(fields)) => (format, fields),
            (Some(_), None) => return Err(Error::invalid("read 'key.format': it needs 'key.fields'")),
            (None, Some(_)) => return Err(Error::invalid("read 'key.fields': it needs 'key.format'")),
            (None, None) if except_key => {
                let text =
                    "read 'value.fields-include' = 'EXCEPT_KEY': there is no key; give 'key.format' and 'key.fields'";
                return Err(Error::invalid(text));
            }
            (None, None) => return Ok(None),
        };
        if !except_key && !prefix.is_empty() {
            let text = "read 'key.fields-prefix': a prefix needs 'value.fields-include' = 'EXCEPT_KEY'";
            return Err(Error::invalid(text));
        }
        let names = fields.split(';').map(str::trim).filter(|name| !name.is_empty());
        let columns = names.map(|name| key_column(name, prefix, physical)).collect::<Result<Vec<_>>>()?;
        Ok(except_key.then(|| Self { format: format.to_owned(), columns }))
    }

    /// Whether values hold the column `index` of the table.
    pub fn in_value(&self, index: usize) -> bool {
        self.columns.iter().all(|(column, _)| *column != index)
    }

    /// The column `index` of the table as it is called in keys.
    pub fn field(&self, index: usize, physical: &Schema) -> Field {
        let name = self.columns.iter().find(|(column, _)| *column == index).map(|(_, name)| name.clone());
        let field = physical.fields[index].clone();
        Field { name: name.unwrap_or_else(|| field.name.clone()), ..field }
    }

    /// All columns of keys.
    pub fn schema(&self, physical: &Schema) -> Schema {
        Schema::new(self.columns.iter().map(|(index, _)| self.field(*index, physical)).collect())
    }
}

fn key_column(name: &str, prefix: &str, physical: &Schema) -> Result<(usize, String)> {
    let index = physical.index_of(name).ok_or_else(|| {
        let known: Vec<&str> = physical.fields.iter().map(|field| field.name.as_str()).collect();
        let text = format!("read 'key.fields': the table has no column '{name}'; its columns are {}", known.join(", "));
        Error::invalid(text)
    })?;
    let Some(in_key) = name.strip_prefix(prefix) else {
        let text = format!("read 'key.fields': '{name}' does not begin with 'key.fields-prefix' = '{prefix}'");
        return Err(Error::invalid(text));
    };
    Ok((index, in_key.to_owned()))
}

impl RawRecords {
    /// The keys as records of their own, in the same buffer; all of them NULL where the connector gave none.
    #[must_use]
    pub fn as_keys(&self) -> Self {
        let records = self.records.iter().enumerate().map(|(index, record)| {
            let key = self.keys.as_ref().and_then(|keys| keys[index].clone());
            let range = key.clone().unwrap_or(0..0);
            RawRecord {
                start: range.start,
                length: range.end - range.start,
                offset: record.offset,
                null: key.is_none(),
            }
        });
        Self {
            data: self.data.clone(),
            records: records.collect(),
            keys: None,
            timestamps: None,
            oversized: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use weir_plan::{DataType, LogicalType};

    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Result<Option<KeyColumns>> {
        let values = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let column = |name: &str| Field { name: name.to_owned(), data_type: DataType::nullable(LogicalType::Int) };
        let physical = Schema::new(["k_a", "b", "k_c"].map(column).into());
        KeyColumns::of(&TableOptions { values, ..TableOptions::default() }, &physical)
    }

    #[test]
    fn columns_are_in_the_key_alone_only_where_the_options_say_so() {
        let key = [("key.format", "json"), ("key.fields", "k_c;k_a")];
        assert_eq!(of(&[]).unwrap(), None);
        assert_eq!(of(&key).unwrap(), None, "ALL is the default");
        let except = [key.as_slice(), &[("value.fields-include", "except_key")]].concat();
        let columns = |names: [&str; 2]| vec![(2, names[0].to_owned()), (0, names[1].to_owned())];
        assert_eq!(of(&except).unwrap().unwrap().columns, columns(["k_c", "k_a"]));
        let prefixed = [except.as_slice(), &[("key.fields-prefix", "k_")]].concat();
        let found = of(&prefixed).unwrap().unwrap();
        assert_eq!(found.columns, columns(["c", "a"]));
        assert!(found.in_value(1) && !found.in_value(0));
    }

    #[test]
    fn contradictions_are_named() {
        let (format, fields, except) =
            (("key.format", "json"), ("key.fields", "k_a"), ("value.fields-include", "EXCEPT_KEY"));
        let cases: &[(&[(&str, &str)], &str)] = &[
            (&[format], "read 'key.format': it needs 'key.fields'"),
            (&[fields], "read 'key.fields': it needs 'key.format'"),
            (
                &[except],
                "read 'value.fields-include' = 'EXCEPT_KEY': there is no key; give 'key.format' and 'key.fields'",
            ),
            (
                &[("value.fields-include", "SOME")],
                "read 'value.fields-include' = 'SOME': it must be one of ALL, EXCEPT_KEY",
            ),
            (
                &[format, fields, ("key.fields-prefix", "k_")],
                "read 'key.fields-prefix': a prefix needs 'value.fields-include' = 'EXCEPT_KEY'",
            ),
            (
                &[format, ("key.fields", "z"), except],
                "read 'key.fields': the table has no column 'z'; its columns are k_a, b, k_c",
            ),
            (
                &[format, ("key.fields", "b"), except, ("key.fields-prefix", "k_")],
                "read 'key.fields': 'b' does not begin with 'key.fields-prefix' = 'k_'",
            ),
        ];
        for (pairs, expected) in cases {
            assert_eq!(of(pairs).unwrap_err().to_string(), *expected);
        }
    }
}
