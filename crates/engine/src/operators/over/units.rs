//! Rows that get their results together, and the results of many such units at once.

use std::ops::Range;

use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_select::interleave::interleave;
use hashbrown::HashMap;
use weir_base::{Error, Result};

use super::functions::Functions;

/// Rows of one partition that get the same results.
#[derive(Debug, Clone)]
pub struct Unit {
    /// The number of the partition's state.
    pub key: u32,
    /// The rows that are taken back before, among those taken back.
    pub back: Range<u32>,
    /// The rows that are taken in and get the results, among the new ones.
    pub rows: Range<u32>,
}

/// The results for the rows of all `units`, in their order: a column for each function.
///
/// Units of one partition act one after the other; units of different partitions act together.
///
/// # Errors
/// A function does not take a value.
pub fn results(
    functions: &mut Functions,
    units: &[Unit],
    data: &RecordBatch,
    back: &RecordBatch,
) -> Result<Vec<ArrayRef>> {
    let mut waves: Vec<Vec<usize>> = Vec::new();
    let mut seen: HashMap<u32, usize> = HashMap::new();
    for (index, unit) in units.iter().enumerate() {
        let wave = seen.entry(unit.key).or_default();
        if waves.len() == *wave {
            waves.push(Vec::new());
        }
        waves[*wave].push(index);
        *wave += 1;
    }
    let mut columns: Vec<Vec<ArrayRef>> = Vec::with_capacity(waves.len());
    let mut places = vec![(0, 0); data.num_rows()];
    for (number, wave) in waves.iter().enumerate() {
        let each = |of: fn(&Unit) -> Range<u32>| -> (Vec<u32>, Vec<u32>) {
            wave.iter().flat_map(|index| of(&units[*index]).map(|row| (row, units[*index].key))).unzip()
        };
        let (rows, keys) = each(|unit| unit.back.clone());
        if !rows.is_empty() {
            functions.retract(back, &rows, &keys)?;
        }
        let (rows, keys) = each(|unit| unit.rows.clone());
        functions.update(data, &rows, &keys)?;
        let keys: Vec<u32> = wave.iter().map(|index| units[*index].key).collect();
        columns.push(functions.finish_keys(&keys)?);
        for (at, index) in wave.iter().enumerate() {
            units[*index].rows.clone().for_each(|row| places[row as usize] = (number, at));
        }
    }
    let width = columns.first().map_or(0, Vec::len);
    let column = |function: usize| {
        let parts: Vec<&dyn Array> = columns.iter().map(|columns| columns[function].as_ref()).collect();
        interleave(&parts, &places).map_err(|error| Error::internal(format!("give the results of OVER: {error}")))
    };
    (0..width).map(column).collect()
}
