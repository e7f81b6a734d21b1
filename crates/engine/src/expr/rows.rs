//! Loops over rows, shared by all kernels: typed access to arguments, and builders that skip NULLs and rows outside the mask.
//!
//! It owns no function of SQL. A closure is handed a row's index and gives its value, NULL, or words that say why there is none.

use std::sync::Arc;

use arrow_array::builder::{BinaryViewBuilder, StringViewBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::ArrowPrimitiveType;
use arrow_array::{Array, ArrayRef, BinaryViewArray, BooleanArray, PrimitiveArray, StringViewArray};
use arrow_buffer::{BooleanBuffer, BooleanBufferBuilder, NullBuffer, ScalarBuffer};
use arrow_schema::DataType as ArrowType;

use super::node::{Column, EvalError, Scope};

/// The value for one row, NULL, or why there is none.
pub(super) type RowResult<T> = Result<Option<T>, String>;

/// What becomes of a value that cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// The row's error.
    Raise,
    /// NULL, as with TRY_CAST.
    Null,
}

/// A column of a primitive type, by row.
pub(super) struct Values<'a, T: ArrowPrimitiveType> {
    /// The values; one for a constant.
    pub(super) values: &'a [T::Native],
    /// Whether the one value stands for all rows.
    pub(super) is_constant: bool,
}

impl<'a, T: ArrowPrimitiveType> Values<'a, T> {
    /// The values of `column`, which holds them as `T`.
    pub(super) fn of(column: &'a Column) -> Self {
        Self { values: column.array.as_primitive::<T>().values(), is_constant: column.is_constant }
    }

    /// The value for `row`; anything where it is NULL.
    pub(super) fn get(&self, row: usize) -> T::Native {
        self.values[if self.is_constant { 0 } else { row }]
    }
}

/// A column of text, by row.
pub(super) struct Texts<'a> {
    array: &'a StringViewArray,
    is_constant: bool,
}

impl<'a> Texts<'a> {
    /// The texts of `column`.
    pub(super) fn of(column: &'a Column) -> Self {
        Self { array: column.array.as_string_view(), is_constant: column.is_constant }
    }

    /// The text for `row`; anything where it is NULL.
    pub(super) fn get(&self, row: usize) -> &'a str {
        self.array.value(if self.is_constant { 0 } else { row })
    }
}

/// A column of text or bytes, by row, as bytes.
pub(super) enum Strings<'a> {
    /// Texts.
    Text(Texts<'a>),
    /// Bytes, and whether the one value stands for all rows.
    Bytes(&'a BinaryViewArray, bool),
}

impl<'a> Strings<'a> {
    /// The values of `column`.
    pub(super) fn of(column: &'a Column) -> Self {
        match column.array.as_binary_view_opt() {
            Some(array) => Self::Bytes(array, column.is_constant),
            None => Self::Text(Texts::of(column)),
        }
    }

    /// The bytes for `row`; anything where it is NULL.
    pub(super) fn get(&self, row: usize) -> &'a [u8] {
        match self {
            Self::Text(texts) => texts.get(row).as_bytes(),
            Self::Bytes(array, is_constant) => array.value(if *is_constant { 0 } else { row }),
        }
    }
}

/// Where any of `columns` is NULL, as nulls of `rows` rows.
pub(super) fn nulls_of(columns: &[Column], rows: usize) -> Option<NullBuffer> {
    let mut nulls: Option<NullBuffer> = None;
    for column in columns {
        if column.is_constant {
            if column.array.is_null(0) {
                return Some(NullBuffer::new_null(rows));
            }
        } else {
            nulls = NullBuffer::union(nulls.as_ref(), column.array.logical_nulls().as_ref());
        }
    }
    nulls
}

/// `f` over two columns of primitives, without failing and without looking at NULLs.
pub(super) fn binary<A, B, O>(
    columns: &[Column],
    rows: usize,
    f: impl Fn(A::Native, B::Native) -> O::Native,
) -> ArrayRef
where
    A: ArrowPrimitiveType,
    B: ArrowPrimitiveType,
    O: ArrowPrimitiveType,
{
    let (left, right) = (Values::<A>::of(&columns[0]), Values::<B>::of(&columns[1]));
    let values: Vec<O::Native> = match (left.is_constant, right.is_constant) {
        (false, false) => left.values.iter().zip(right.values).map(|(&a, &b)| f(a, b)).collect(),
        (false, true) => {
            let b = right.values[0];
            left.values.iter().map(|&a| f(a, b)).collect()
        }
        (true, false) => {
            let a = left.values[0];
            right.values.iter().map(|&b| f(a, b)).collect()
        }
        (true, true) => vec![f(left.values[0], right.values[0]); rows],
    };
    Arc::new(PrimitiveArray::<O>::new(ScalarBuffer::from(values), nulls_of(columns, rows)))
}

/// `f` over one column of primitives, without failing and without looking at NULLs.
pub(super) fn unary<A: ArrowPrimitiveType, O: ArrowPrimitiveType>(
    column: &Column,
    f: impl Fn(A::Native) -> O::Native,
) -> ArrayRef {
    Arc::new(column.array.as_primitive::<A>().unary::<_, O>(f))
}

/// A column of primitives, row by row: NULL where an argument is.
pub(super) fn primitives<O: ArrowPrimitiveType>(
    columns: &[Column],
    scope: &Scope<'_>,
    failure: Failure,
    mut f: impl FnMut(usize) -> RowResult<O::Native>,
) -> Result<ArrayRef, EvalError> {
    let mut values = vec![O::Native::default(); scope.rows];
    let nulls = each_row(columns, scope, failure, |row| Ok(f(row)?.map(|value| values[row] = value).is_some()))?;
    Ok(Arc::new(PrimitiveArray::<O>::new(ScalarBuffer::from(values), nulls)))
}

/// A column of truth values, row by row: NULL where an argument is.
pub(super) fn booleans(
    columns: &[Column],
    scope: &Scope<'_>,
    failure: Failure,
    mut f: impl FnMut(usize) -> RowResult<bool>,
) -> Result<ArrayRef, EvalError> {
    let mut values = BooleanBufferBuilder::new(scope.rows);
    values.append_n(scope.rows, false);
    let nulls = each_row(columns, scope, failure, |row| Ok(f(row)?.map(|value| values.set_bit(row, value)).is_some()))?;
    Ok(Arc::new(BooleanArray::new(values.finish(), nulls)))
}

/// A column of text, row by row: NULL where an argument is, or where `f` gives false; `f` appends the text to what it is handed.
pub(super) fn texts(
    columns: &[Column],
    scope: &Scope<'_>,
    failure: Failure,
    mut f: impl FnMut(usize, &mut String) -> Result<bool, String>,
) -> Result<ArrayRef, EvalError> {
    let mut builder = StringViewBuilder::with_capacity(scope.rows);
    let mut text = String::new();
    let mut filled = 0;
    let _ = each_row(columns, scope, failure, |row| {
        text.clear();
        let is_some = f(row, &mut text)?;
        if is_some {
            (filled..row).for_each(|_| builder.append_null());
            builder.append_value(&text);
            filled = row + 1;
        }
        Ok(is_some)
    })?;
    (filled..scope.rows).for_each(|_| builder.append_null());
    Ok(Arc::new(builder.finish()))
}

/// A column of bytes, row by row: NULL where an argument is.
pub(super) fn byte_strings(
    columns: &[Column],
    scope: &Scope<'_>,
    failure: Failure,
    mut f: impl FnMut(usize, &mut Vec<u8>) -> Result<bool, String>,
) -> Result<ArrayRef, EvalError> {
    let mut builder = BinaryViewBuilder::with_capacity(scope.rows);
    let mut bytes = Vec::new();
    let mut filled = 0;
    let _ = each_row(columns, scope, failure, |row| {
        bytes.clear();
        let is_some = f(row, &mut bytes)?;
        if is_some {
            (filled..row).for_each(|_| builder.append_null());
            builder.append_value(&bytes);
            filled = row + 1;
        }
        Ok(is_some)
    })?;
    (filled..scope.rows).for_each(|_| builder.append_null());
    Ok(Arc::new(builder.finish()))
}

/// Calls `f` for each selected row in which no argument is NULL; the nulls of what came of it (NULL where `f` gives false).
pub(super) fn each_row(
    columns: &[Column],
    scope: &Scope<'_>,
    failure: Failure,
    mut f: impl FnMut(usize) -> Result<bool, String>,
) -> Result<Option<NullBuffer>, EvalError> {
    let nulls = nulls_of(columns, scope.rows);
    let mut valid = BooleanBufferBuilder::new(scope.rows);
    for row in 0..scope.rows {
        if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) || !scope.is_selected(row) {
            valid.append(false);
            continue;
        }
        valid.append(match f(row) {
            Ok(is_some) => is_some,
            Err(_) if failure == Failure::Null => false,
            Err(message) => return Err(EvalError::new(row, message)),
        });
    }
    let valid = NullBuffer::new(valid.finish());
    Ok((valid.null_count() > 0).then_some(valid))
}

/// Truth values as two sets of rows: where TRUE, and where not FALSE. They are the same where nothing is NULL.
pub(super) fn truth(column: &Column, rows: usize) -> (BooleanBuffer, BooleanBuffer) {
    if *column.array.data_type() == ArrowType::Null {
        return (BooleanBuffer::new_unset(rows), BooleanBuffer::new_set(rows));
    }
    if column.is_constant {
        let set = |is_set| if is_set { BooleanBuffer::new_set(rows) } else { BooleanBuffer::new_unset(rows) };
        let is_null = column.array.is_null(0);
        let is_true = !is_null && column.array.as_boolean().value(0);
        return (set(is_true), set(is_true || is_null));
    }
    let array = column.array.as_boolean();
    match array.nulls() {
        None => (array.values().clone(), array.values().clone()),
        Some(nulls) => (array.values() & nulls.inner(), array.values() | &!nulls.inner()),
    }
}

/// The truth values of the two sets that [`truth`] gives.
pub(super) fn of_truth(is_true: BooleanBuffer, is_not_false: &BooleanBuffer) -> ArrayRef {
    let unknown = is_not_false.count_set_bits() - is_true.count_set_bits();
    let nulls = (unknown > 0).then(|| NullBuffer::new(&is_true | &!is_not_false));
    Arc::new(BooleanArray::new(is_true, nulls))
}
