//! The columns of a table as they lie beside it: `schema.json` to be compared and read by people, `columns.arrow` with the Arrow types.

use std::path::Path;

use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::SchemaRef;
use serde::{Deserialize, Serialize};
use weir_base::{Error, Kind, Result};
use weir_plan::Schema;

use super::layout::write_whole;

const FILE: &str = "schema.json";
const ARROW_FILE: &str = "columns.arrow";

/// What `schema.json` holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stored {
    columns: Vec<Column>,
    /// Indices of the key's columns.
    pub primary_key: Vec<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Column {
    name: String,
    #[serde(rename = "type")]
    data_type: String,
}

impl Stored {
    fn new(schema: &Schema, primary_key: &[usize]) -> Self {
        let column =
            |field: &weir_plan::Field| Column { name: field.name.clone(), data_type: field.data_type.to_string() };
        Self { columns: schema.fields.iter().map(column).collect(), primary_key: primary_key.to_vec() }
    }

    fn text(&self) -> String {
        let mut parts: Vec<String> =
            self.columns.iter().map(|column| format!("{} {}", column.name, column.data_type)).collect();
        if !self.primary_key.is_empty() {
            let key = self.primary_key.iter().filter_map(|index| self.columns.get(*index));
            let names: Vec<&str> = key.map(|column| column.name.as_str()).collect();
            parts.push(format!("PRIMARY KEY ({})", names.join(", ")));
        }
        parts.join(", ")
    }
}

/// Whether there is a table in `dir`.
pub(super) fn is_there(dir: &Path) -> bool {
    dir.join(FILE).is_file()
}

/// Makes the table in `dir` with these columns, or checks that it has them.
///
/// # Errors
/// It has others, or the disk fails.
pub(super) fn ensure(dir: &Path, name: &str, schema: &Schema, primary_key: &[usize]) -> Result<()> {
    let wanted = Stored::new(schema, primary_key);
    if is_there(dir) {
        let stored = load(dir)?.0;
        if stored != wanted {
            return Err(Error::new(
                Kind::Conflict,
                format!("write to the table {name}: it has ({}), the statement has ({})", stored.text(), wanted.text()),
            )
            .hint(format!("change the statement, or delete the folder {}", dir.display())));
        }
        return Ok(());
    }
    std::fs::create_dir_all(dir).map_err(|error| Error::io(format!("make the folder {}", dir.display()), error))?;
    let arrow = schema.arrow();
    let mut bytes = Vec::new();
    let written = StreamWriter::try_new(&mut bytes, &arrow).and_then(|mut writer| writer.finish());
    written.map_err(|error| Error::internal(format!("write the columns of the table {name}: {error}")))?;
    write_whole(&dir.join(ARROW_FILE), &bytes)?;
    let json = serde_json::to_vec_pretty(&wanted).map_err(|error| Error::internal(error.to_string()))?;
    write_whole(&dir.join(FILE), &json)
}

/// The columns of the table in `dir`.
///
/// # Errors
/// Its files cannot be read.
pub(super) fn load(dir: &Path) -> Result<(Stored, SchemaRef)> {
    let read = |name: &str| {
        let path = dir.join(name);
        std::fs::read(&path).map_err(|error| Error::io(format!("read {}", path.display()), error))
    };
    let corrupt = |name: &str, error: String| {
        Error::new(Kind::Corrupt, format!("read {}: {error}", dir.join(name).display()))
            .hint("restore the file from a backup, or delete the table")
    };
    let stored: Stored = serde_json::from_slice(&read(FILE)?).map_err(|error| corrupt(FILE, error.to_string()))?;
    let bytes = read(ARROW_FILE)?;
    let reader =
        StreamReader::try_new(bytes.as_slice(), None).map_err(|error| corrupt(ARROW_FILE, error.to_string()))?;
    let schema = reader.schema();
    if stored.primary_key.iter().any(|index| *index >= schema.fields().len()) {
        return Err(corrupt(FILE, "the primary key names a column that is not there".to_owned()));
    }
    Ok((stored, schema))
}
