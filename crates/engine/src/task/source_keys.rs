//! Columns that a record's key holds: decoded beside its value and put together with it. A record whose key cannot be read gives no row.

use arrow_array::{ArrayRef, UInt32Array};
use arrow_select::take::take;
use weir_base::{Error, Result};
use weir_format::{BadKind, BadRecord, Decoded, Decoder, KeyColumns, RawRecords};
use weir_plan::{Field, SourceColumn, SourceSpec};

/// Decodes the columns of keys.
pub struct SourceKeys {
    decoder: Box<dyn Decoder>,
    /// For each physical column of the source whether it is the key's.
    of_key: Vec<bool>,
    /// Whether keys that cannot be read are set aside.
    pub ignore_parse_errors: bool,
    /// The option that says so.
    pub parse_errors_key: String,
}

/// Rows of keys and values together.
pub struct Joined {
    /// The physical columns in their order.
    pub columns: Vec<ArrayRef>,
    /// As `Decoded::rows`.
    pub rows: Option<Vec<u32>>,
    /// Number of rows.
    pub count: usize,
    /// What could not be read, in record order; whether it was in the key.
    pub bad: Vec<(BadRecord, bool)>,
}

impl Joined {
    /// Rows of values alone.
    pub fn of_values(decoded: Decoded) -> Self {
        Self {
            columns: decoded.batch.columns().to_vec(),
            count: decoded.batch.num_rows(),
            rows: decoded.rows,
            bad: decoded.bad.into_iter().map(|bad| (bad, false)).collect(),
        }
    }

    /// Records that gave no row for what is bad in them.
    pub fn lost(&self) -> u64 {
        let mut lost: Vec<u32> =
            self.bad.iter().filter(|(bad, _)| bad.kind == BadKind::Record).map(|(bad, _)| bad.record).collect();
        lost.dedup();
        lost.len() as u64
    }
}

impl SourceKeys {
    /// The keys of the source of `spec`, if it takes columns from them.
    ///
    /// # Errors
    /// Options that contradict each other; the format cannot give the columns.
    pub fn new(spec: &SourceSpec) -> Result<Option<Self>> {
        let Some(keys) = KeyColumns::of(&spec.options, &spec.physical)? else { return Ok(None) };
        let physical: Vec<usize> = physical(spec).collect();
        let of_key: Vec<bool> = physical.iter().map(|index| !keys.in_value(*index)).collect();
        let wanted = physical.iter().filter(|index| !keys.in_value(**index));
        let fields: Vec<Field> = wanted.map(|index| keys.field(*index, &spec.physical)).collect();
        let schema = keys.schema(&spec.physical);
        let decoder = weir_format::decoder(&keys.format, &spec.options, "key.", &fields, &schema)?;
        Ok(Some(Self {
            decoder,
            of_key,
            ignore_parse_errors: weir_format::ignores_parse_errors(&keys.format, &spec.options, "key.")?,
            parse_errors_key: format!("key.{}.ignore-parse-errors", keys.format),
        }))
    }

    /// Puts the keys of `raw` beside the decoded `values`.
    ///
    /// # Errors
    /// Broken invariants only.
    pub fn join(&mut self, raw: &RawRecords, values: Decoded) -> Result<Joined> {
        let mut keys = self.decoder.decode(&raw.as_keys())?;
        tell_missing(raw, &mut keys);
        let (key_rows, value_rows) = (keys.rows.as_deref(), values.rows.as_deref());
        let (places, rows) = match (key_rows, value_rows) {
            (None, None) => (None, None),
            _ => {
                let (key_places, value_places, rows) =
                    meet(key_rows, keys.batch.num_rows(), value_rows, values.batch.num_rows());
                (Some((UInt32Array::from(key_places), UInt32Array::from(value_places))), Some(rows))
            }
        };
        let pick = |column: &ArrayRef, places: Option<&UInt32Array>| match places {
            None => Ok(ArrayRef::clone(column)),
            Some(places) => take(column.as_ref(), places, None).map_err(|error| Error::internal(error.to_string())),
        };
        let (mut of_keys, mut of_values) = (keys.batch.columns().iter(), values.batch.columns().iter());
        let missing = || Error::internal("read a record's key: its format gave too few columns");
        let columns = self.of_key.iter().map(|of_key| match of_key {
            true => pick(of_keys.next().ok_or_else(missing)?, places.as_ref().map(|(keys, _)| keys)),
            false => pick(of_values.next().ok_or_else(missing)?, places.as_ref().map(|(_, values)| values)),
        });
        let columns = columns.collect::<Result<Vec<_>>>()?;
        let count = rows.as_ref().map_or(values.batch.num_rows(), Vec::len);
        let of_key =
            keys.bad.into_iter().map(|bad| (BadRecord { cause: format!("in its key: {}", bad.cause), ..bad }, true));
        let mut bad: Vec<(BadRecord, bool)> = values.bad.into_iter().map(|bad| (bad, false)).chain(of_key).collect();
        bad.sort_by_key(|(bad, _)| bad.record);
        Ok(Joined { columns, rows, count, bad })
    }
}

/// The columns of the table that the source of `spec` gives.
pub fn physical(spec: &SourceSpec) -> impl Iterator<Item = usize> {
    spec.columns.iter().filter_map(|column| match column {
        SourceColumn::Physical(index) => Some(*index),
        SourceColumn::Metadata(..) => None,
    })
}

/// A key that is nothing to its format gives no row: unlike an empty line in a file, its record is not nothing.
fn tell_missing(raw: &RawRecords, keys: &mut Decoded) {
    let Some(rows) = keys.rows.as_ref().filter(|_| keys.skipped > 0) else { return };
    let told = |record: u32| rows.binary_search(&record).is_ok() || keys.bad.iter().any(|bad| bad.record == record);
    let count = u32::try_from(raw.len()).expect("a fetch has far fewer records than a u32 counts");
    let missing: Vec<BadRecord> = (0..count)
        .filter(|record| !told(*record))
        .map(|record| BadRecord { record, kind: BadKind::Record, cause: "there is none".to_owned(), column: 1 })
        .collect();
    keys.bad.extend(missing);
}

/// The rows of both sides that are of one record: their places on each side, and the records.
fn meet(
    keys: Option<&[u32]>,
    key_count: usize,
    values: Option<&[u32]>,
    value_count: usize,
) -> (Vec<u32>, Vec<u32>, Vec<u32>) {
    let record = |rows: Option<&[u32]>, place: usize| match rows {
        Some(rows) => rows[place],
        None => u32::try_from(place).expect("a fetch has far fewer records than a u32 counts"),
    };
    let (mut key, mut value) = (0, 0);
    let (mut key_places, mut value_places, mut records) = (Vec::new(), Vec::new(), Vec::new());
    while key < key_count && value < value_count {
        let (left, right) = (record(keys, key), record(values, value));
        if left == right {
            let place = |place: usize| u32::try_from(place).expect("a fetch has far fewer records than a u32 counts");
            key_places.push(place(key));
            value_places.push(place(value));
            records.push(left);
        }
        key += usize::from(left <= right);
        value += usize::from(right <= left);
    }
    (key_places, value_places, records)
}
