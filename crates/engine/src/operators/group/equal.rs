//! Whether results have changed, as Flink compares them: numbers by value, so that a NaN always has.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type};
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType, PrimitiveArray};
use arrow_ord::ord::make_comparator;
use arrow_schema::{DataType, SortOptions};
use weir_base::{Error, Result};

/// For each row whether `before` and `after` are equal, NULL to NULL.
///
/// # Errors
/// The columns are of different types.
pub fn equal(before: &ArrayRef, after: &ArrayRef) -> Result<Vec<bool>> {
    match before.data_type() {
        DataType::Float64 => Ok(floats::<Float64Type>(before.as_primitive(), after.as_primitive())),
        DataType::Float32 => Ok(floats::<Float32Type>(before.as_primitive(), after.as_primitive())),
        _ => {
            let compare = make_comparator(before, after, SortOptions::default())
                .map_err(|error| Error::internal(format!("compare results: {error}")))?;
            Ok((0..before.len()).map(|row| compare(row, row).is_eq()).collect())
        }
    }
}

fn floats<T: ArrowPrimitiveType>(before: &PrimitiveArray<T>, after: &PrimitiveArray<T>) -> Vec<bool>
where
    T::Native: PartialEq,
{
    before.iter().zip(after).map(|(before, after)| before == after).collect()
}
