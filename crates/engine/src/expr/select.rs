//! Putting one column together from several: row `i` takes the value of the column that `choice[i]` names.
//!
//! It is how CASE, COALESCE, IF, GREATEST and LEAST make their result. Values are copied, texts by view: their bytes stay where they are.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::ArrowPrimitiveType;
use arrow_array::{
    Array, ArrayRef, BinaryViewArray, BooleanArray, PrimitiveArray, StringViewArray, downcast_primitive_array,
    new_null_array,
};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, ScalarBuffer};
use arrow_schema::DataType as ArrowType;

use super::node::Column;

/// Row by row the value of the column that `choice` names; all columns have one Arrow type.
pub(super) fn pick(choice: &[u16], columns: &[Column], rows: usize) -> ArrayRef {
    debug_assert_eq!(choice.len(), rows, "every row is chosen for");
    if let [only] = columns {
        return only.clone().into_array(rows);
    }
    let first = columns[0].array.as_ref();
    let nulls = picked_nulls(choice, columns);
    match first.data_type() {
        ArrowType::Null => new_null_array(&ArrowType::Null, rows),
        ArrowType::Boolean => {
            let values = picked_bits(choice, columns);
            Arc::new(BooleanArray::new(values, nulls))
        }
        ArrowType::Utf8View => {
            let (views, buffers) = picked_views(choice, columns, |array| {
                let array = array.as_string_view();
                (array.views(), array.data_buffers())
            });
            // SAFETY: each view is one of a valid array's, its buffer index moved along with that array's buffers.
            unsafe { Arc::new(StringViewArray::new_unchecked(views, buffers, nulls)) }
        }
        ArrowType::BinaryView => {
            let (views, buffers) = picked_views(choice, columns, |array| {
                let array = array.as_binary_view();
                (array.views(), array.data_buffers())
            });
            // SAFETY: as for texts.
            unsafe { Arc::new(BinaryViewArray::new_unchecked(views, buffers, nulls)) }
        }
        _ => downcast_primitive_array!(
            first => picked_values(first, choice, columns, nulls),
            _ => interleaved(choice, columns)
        ),
    }
}

/// Where the chosen column is NULL.
fn picked_nulls(choice: &[u16], columns: &[Column]) -> Option<NullBuffer> {
    if columns.iter().all(|column| column.array.logical_null_count() == 0) {
        return None;
    }
    let nulls: Vec<_> = columns.iter().map(|column| column.array.logical_nulls()).collect();
    let valid = BooleanBuffer::collect_bool(choice.len(), |row| {
        let column = usize::from(choice[row]);
        nulls[column].as_ref().is_none_or(|nulls| nulls.is_valid(columns[column].index(row)))
    });
    let nulls = NullBuffer::new(valid);
    (nulls.null_count() > 0).then_some(nulls)
}

/// Bits of several columns.
fn picked_bits(choice: &[u16], columns: &[Column]) -> BooleanBuffer {
    // For each column its bytes, the first bit, and whether the bits go on with the rows.
    let parts: Vec<(&[u8], usize, usize)> = columns
        .iter()
        .map(|column| {
            let bits = column.array.as_boolean().values();
            (bits.values(), bits.offset(), usize::from(!column.is_constant))
        })
        .collect();
    BooleanBuffer::collect_bool(choice.len(), |row| {
        let (bytes, offset, step) = parts[usize::from(choice[row])];
        let bit = offset + row * step;
        bytes[bit / 8] >> (bit % 8) & 1 == 1
    })
}

/// Values of a primitive type, its parameters (time zone, precision) taken from `first`.
fn picked_values<T: ArrowPrimitiveType>(
    first: &PrimitiveArray<T>,
    choice: &[u16],
    columns: &[Column],
    nulls: Option<NullBuffer>,
) -> ArrayRef {
    let parts: Vec<(&[T::Native], bool)> =
        columns.iter().map(|column| (&column.array.as_primitive::<T>().values()[..], column.is_constant)).collect();
    let values: ScalarBuffer<T::Native> = if parts.iter().all(|(_, is_constant)| *is_constant) {
        let table: Vec<T::Native> = parts.iter().map(|(values, _)| values[0]).collect();
        choice.iter().map(|&column| table[usize::from(column)]).collect()
    } else {
        let pick = |(row, &column): (usize, &u16)| {
            let (values, is_constant) = parts[usize::from(column)];
            values[if is_constant { 0 } else { row }]
        };
        choice.iter().enumerate().map(pick).collect()
    };
    Arc::new(PrimitiveArray::<T>::new(values, nulls).with_data_type(first.data_type().clone()))
}

/// Views of several arrays, with the buffers of all of them.
fn picked_views<'a>(
    choice: &[u16],
    columns: &'a [Column],
    parts: impl Fn(&'a dyn Array) -> (&'a ScalarBuffer<u128>, &'a [Buffer]),
) -> (ScalarBuffer<u128>, Vec<Buffer>) {
    let mut buffers: Vec<Buffer> = Vec::new();
    let sources: Vec<(&[u128], bool, u32)> = columns
        .iter()
        .map(|column| {
            let (views, own) = parts(&*column.array);
            let first = u32::try_from(buffers.len()).expect("an array has fewer than 2^32 buffers");
            buffers.extend_from_slice(own);
            (&views[..], column.is_constant, first)
        })
        .collect();
    let pick = |(row, &column): (usize, &u16)| {
        let (views, is_constant, first_buffer) = sources[usize::from(column)];
        let view = views[if is_constant { 0 } else { row }];
        // A view of more than 12 bytes names its buffer in bits 64 to 95.
        let is_inline = view & u128::from(u32::MAX) <= 12;
        if is_inline { view } else { view + (u128::from(first_buffer) << 64) }
    };
    (choice.iter().enumerate().map(pick).collect(), buffers)
}

/// Any other type, by Arrow.
fn interleaved(choice: &[u16], columns: &[Column]) -> ArrayRef {
    let arrays: Vec<&dyn Array> = columns.iter().map(|column| &*column.array).collect();
    let indices: Vec<(usize, usize)> = choice
        .iter()
        .enumerate()
        .map(|(row, &column)| (usize::from(column), columns[usize::from(column)].index(row)))
        .collect();
    arrow_select::interleave::interleave(&arrays, &indices).expect("all columns have one type and a value for each row")
}
