//! The columns of a table on both sides: which type of QuestDB holds each, which is the designated timestamp, which are the keys.

use weir_base::{Error, Result};
use weir_plan::{LogicalType, SinkSpec};

use crate::config::Config;

/// How the values of a column travel, and what it is in QuestDB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Boolean,
    /// TINYINT, SMALLINT, INT
    Int,
    Long,
    Float,
    Double,
    Varchar,
    Symbol,
    /// Microseconds since the epoch.
    Timestamp,
}

impl Kind {
    /// QuestDB's name of the type.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Boolean => "BOOLEAN",
            Self::Int => "INT",
            Self::Long => "LONG",
            Self::Float => "FLOAT",
            Self::Double => "DOUBLE",
            Self::Varchar => "VARCHAR",
            Self::Symbol => "SYMBOL",
            Self::Timestamp => "TIMESTAMP",
        }
    }

    /// Whether a column of QuestDB's type `name` holds all of its values.
    pub(crate) fn fits(self, name: &str) -> bool {
        match self {
            Self::Varchar => matches!(name, "VARCHAR" | "STRING"),
            Self::Int => matches!(name, "INT" | "LONG"),
            Self::Float => matches!(name, "FLOAT" | "DOUBLE"),
            Self::Timestamp => matches!(name, "TIMESTAMP" | "TIMESTAMP_NS"),
            other => other.name() == name,
        }
    }
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    pub name: String,
    pub kind: Kind,
}

/// The columns of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Columns {
    pub all: Vec<Column>,
    /// The designated timestamp.
    pub timestamp: usize,
    /// The PRIMARY KEY: the deduplication keys.
    pub keys: Vec<usize>,
}

impl Columns {
    /// The columns of `spec`.
    ///
    /// # Errors
    /// Types that QuestDB cannot hold, a missing key, a key without the designated timestamp; all by name.
    pub(crate) fn of(spec: &SinkSpec, config: &Config) -> Result<Self> {
        let fields = &spec.physical.fields;
        for symbol in &config.symbols {
            match spec.physical.index_of(symbol) {
                None => return Err(Error::invalid(format!("read 'symbols': the table has no column '{symbol}'"))),
                Some(index) if !fields[index].data_type.logical.is_string() => {
                    let what =
                        format!("read 'symbols': '{symbol}' is {}, a symbol must be STRING", fields[index].data_type);
                    return Err(Error::invalid(what));
                }
                Some(_) => {}
            }
        }
        let mut all = Vec::with_capacity(fields.len());
        for field in fields {
            let is_symbol = config.symbols.contains(&field.name);
            let kind = kind_of(&field.data_type.logical, is_symbol)
                .ok_or_else(|| refused(&field.name, &field.data_type.logical))?;
            all.push(Column { name: field.name.clone(), kind });
        }
        if spec.primary_key.is_empty() {
            return Err(Error::invalid(format!("write {} to QuestDB: it has no PRIMARY KEY", spec.table)).hint(
                "add PRIMARY KEY (<timestamp>, ...) NOT ENFORCED: rows are sent again after a failure, and only their keys keep them single",
            ));
        }
        let timestamp = designated(spec, config, &all)?;
        Ok(Self { all, timestamp, keys: spec.primary_key.clone() })
    }

    /// A text that changes with the columns: what a segment was written for.
    pub(crate) fn fingerprint(&self) -> String {
        let text: Vec<String> =
            self.all.iter().map(|column| format!("{} {}", column.name, column.kind.name())).collect();
        format!("{:08x}", crc32fast::hash(text.join(",").as_bytes()))
    }
}

fn kind_of(logical: &LogicalType, is_symbol: bool) -> Option<Kind> {
    Some(match logical {
        LogicalType::Boolean => Kind::Boolean,
        LogicalType::TinyInt | LogicalType::SmallInt | LogicalType::Int => Kind::Int,
        LogicalType::BigInt => Kind::Long,
        LogicalType::Float => Kind::Float,
        LogicalType::Double => Kind::Double,
        LogicalType::Char(_) | LogicalType::Varchar(_) if is_symbol => Kind::Symbol,
        LogicalType::Char(_) | LogicalType::Varchar(_) => Kind::Varchar,
        LogicalType::Timestamp(0..=6) | LogicalType::TimestampLtz(0..=6) => Kind::Timestamp,
        _ => return None,
    })
}

fn refused(name: &str, logical: &LogicalType) -> Error {
    let hint = match logical {
        LogicalType::Decimal(..) => "CAST it AS DOUBLE in the query, and declare the column DOUBLE",
        LogicalType::Timestamp(_) | LogicalType::TimestampLtz(_) => {
            "declare it TIMESTAMP(6): QuestDB counts microseconds"
        }
        LogicalType::Date => "CAST it AS TIMESTAMP(3)",
        _ => "CAST it AS STRING, or leave it out",
    };
    Error::invalid(format!("write column '{name}' to QuestDB: it has no type for {logical}")).hint(hint)
}

fn designated(spec: &SinkSpec, config: &Config, all: &[Column]) -> Result<usize> {
    let is_timestamp = |index: &usize| all[*index].kind == Kind::Timestamp;
    let of_key: Vec<usize> = spec.primary_key.iter().copied().filter(is_timestamp).collect();
    let index = match (&config.timestamp, of_key.as_slice()) {
        (Some(name), _) => {
            let index = spec.physical.index_of(name);
            index.ok_or_else(|| {
                Error::invalid(format!("read 'timestamp.field.name': the table has no column '{name}'"))
            })?
        }
        (None, [index]) => *index,
        (None, []) => {
            return Err(Error::invalid(format!(
                "write {} to QuestDB: its PRIMARY KEY holds no TIMESTAMP column",
                spec.table
            ))
            .hint(
                "QuestDB deduplicates by the designated timestamp and further columns: put it into the PRIMARY KEY",
            ));
        }
        (None, several) => {
            let names: Vec<&str> = several.iter().map(|index| all[*index].name.as_str()).collect();
            let what =
                format!("write {} to QuestDB: which of {} is the designated timestamp?", spec.table, names.join(", "));
            return Err(Error::invalid(what).hint("name it in 'timestamp.field.name'"));
        }
    };
    if !is_timestamp(&index) {
        let what = format!(
            "read 'timestamp.field.name' = '{}': it is {}",
            all[index].name, spec.physical.fields[index].data_type
        );
        return Err(Error::invalid(what).hint("it must be TIMESTAMP or TIMESTAMP_LTZ of a precision up to 6"));
    }
    if !spec.primary_key.contains(&index) {
        let what = format!(
            "write {} to QuestDB: the designated timestamp '{}' is not in the PRIMARY KEY",
            spec.table, all[index].name
        );
        return Err(Error::invalid(what).hint("add it: QuestDB deduplicates by it and further columns"));
    }
    Ok(index)
}
