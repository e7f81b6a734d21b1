//! Comparisons: `=`, `<>`, `<`, `<=`, `>`, `>=`, IS [NOT] DISTINCT FROM, GREATEST and LEAST.
//!
//! Floats compare as Java's primitives do: NaN is unequal to everything and neither less nor greater, -0.0 equals 0.0. Texts compare by their bytes.
//! `=` between texts and a constant compares the 16-byte views, length and prefix first; the rest is Arrow's.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Float32Type, Float64Type};
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType, BooleanArray, Datum, StringViewArray};
use arrow_buffer::{BooleanBuffer, NullBuffer};
use arrow_ord::cmp;
use arrow_schema::DataType as ArrowType;
use weir_base::{Error, Result, Span};
use weir_plan::{CastMode, DataType, Function, LogicalType};

use super::arithmetic::wider;
use super::compile::Family;
use super::decimal;
use super::equality;
use super::node::{Column, EvalError, Node, Scope};
use super::rows::{Values, nulls_of};
use super::zone::Zone;
use super::{cast, select};

/// The family.
pub(super) const FAMILY: Family = Family {
    functions: &[
        Function::Equal,
        Function::NotEqual,
        Function::Less,
        Function::LessOrEqual,
        Function::Greater,
        Function::GreaterOrEqual,
        Function::IsDistinctFrom,
        Function::IsNotDistinctFrom,
    ],
    compile: |call| compile(call.function, call.nodes, call.data_type, call.span),
};

/// A comparison of two arguments of one physical type (decimals may differ in scale).
///
/// # Errors
/// The types cannot be compared: a broken plan.
pub(super) fn compile(function: Function, mut sides: Vec<Node>, data_type: DataType, span: Span) -> Result<Node> {
    if sides.iter().any(|side| matches!(side.data_type.logical, LogicalType::Decimal(..))) {
        sides = decimal::of_one_scale(sides)?;
    }
    let (left, right) = (&sides[0].data_type, &sides[1].data_type);
    if left.arrow() != right.arrow() && !matches!(left.logical, LogicalType::Decimal(..)) {
        let common = common(&left.logical, &right.logical).map(DataType::nullable).ok_or_else(|| {
            Error::internal(format!("compile a comparison of {left} with {right}: the types have none in common"))
        })?;
        let as_common = |side| cast::compile(side, &common, CastMode::Cast, &Zone::Fixed(0), span);
        sides = sides.into_iter().map(as_common).collect::<Result<_>>()?;
    }
    let apply = move |columns: &[Column], scope: &Scope<'_>| Ok(compared(function, columns, scope.rows));
    Ok(Node::call(sides, data_type, span, false, Box::new(apply)))
}

/// The type in which two values meet that differ in width or precision only.
fn common(left: &LogicalType, right: &LogicalType) -> Option<LogicalType> {
    use LogicalType as T;
    match (left, right) {
        (T::Null, other) | (other, T::Null) => Some(other.clone()),
        (T::Timestamp(a), T::Timestamp(b)) => Some(T::Timestamp(*a.max(b))),
        (T::TimestampLtz(a), T::TimestampLtz(b)) => Some(T::TimestampLtz(*a.max(b))),
        (T::Date, T::Timestamp(precision)) | (T::Timestamp(precision), T::Date) => Some(T::Timestamp(*precision)),
        _ => wider(left, right),
    }
}

/// GREATEST and LEAST: NULL where any argument is.
///
/// # Errors
/// The types cannot be compared: a broken plan.
pub(super) fn extreme(function: Function, arguments: Vec<Node>, data_type: DataType, span: Span) -> Result<Node> {
    let better = if function == Function::Greatest { Function::Greater } else { Function::Less };
    let apply = move |columns: &[Column], scope: &Scope<'_>| -> Result<ArrayRef, EvalError> {
        let mut choice = vec![0_u16; scope.rows];
        let mut best = Column::of_rows(columns[0].clone().into_array(scope.rows));
        for (index, column) in columns.iter().enumerate().skip(1) {
            // Arrow's order, in which NaN is the greatest, as Java's `compareTo` has it.
            let wins = by_arrow(better, &[column.clone(), best]);
            let index = u16::try_from(index).expect("the binder bounds the number of arguments");
            wins.as_boolean().values().set_indices().for_each(|row| choice[row] = index);
            best = Column::of_rows(select::pick(&choice, columns, scope.rows));
        }
        let nulls = nulls_of(columns, scope.rows).map(|nulls| BooleanArray::new(!nulls.inner(), None));
        let best = best.into_array(scope.rows);
        match nulls {
            None => Ok(best),
            Some(nulls) => Ok(arrow_select::nullif::nullif(&best, &nulls).expect("both have a value a row")),
        }
    };
    Ok(Node::call(arguments, data_type, span, false, Box::new(apply)))
}

/// The comparison of two columns, row by row.
pub(super) fn compared(function: Function, columns: &[Column], rows: usize) -> ArrayRef {
    let is_distinct = matches!(function, Function::IsDistinctFrom | Function::IsNotDistinctFrom);
    match columns[0].array.data_type() {
        ArrowType::Float64 => floats::<Float64Type>(function, columns, rows),
        ArrowType::Float32 => floats::<Float32Type>(function, columns, rows),
        ArrowType::Decimal128(..) if !is_distinct => primitives::<Decimal128Type>(function, columns, rows),
        ArrowType::Utf8View if matches!(function, Function::Equal | Function::NotEqual) => {
            match (columns[0].is_constant, columns[1].is_constant) {
                (false, true) => text_equal(function, columns[0].array.as_string_view(), &columns[1]),
                (true, false) => text_equal(function, columns[1].array.as_string_view(), &columns[0]),
                _ => by_arrow(function, columns),
            }
        }
        _ => by_arrow(function, columns),
    }
}

/// By Arrow's kernels.
fn by_arrow(function: Function, columns: &[Column]) -> ArrayRef {
    if columns[0].array.data_type().is_nested() {
        return nested(function, columns);
    }
    let (left, right) = (Side(&columns[0]), Side(&columns[1]));
    let kernel = match function {
        Function::Equal => cmp::eq,
        Function::NotEqual => cmp::neq,
        Function::Less => cmp::lt,
        Function::LessOrEqual => cmp::lt_eq,
        Function::Greater => cmp::gt,
        Function::GreaterOrEqual => cmp::gt_eq,
        Function::IsDistinctFrom => cmp::distinct,
        _ => cmp::not_distinct,
    };
    Arc::new(kernel(&left, &right).expect("both sides have one comparable type"))
}

/// A column for Arrow's kernels.
struct Side<'a>(&'a Column);

impl Datum for Side<'_> {
    fn get(&self) -> (&dyn Array, bool) {
        (&*self.0.array, self.0.is_constant)
    }
}

/// Equality of arrays, maps and rows, value by value; see `equality`.
fn nested(function: Function, columns: &[Column]) -> ArrayRef {
    let rows = if columns[0].is_constant { columns[1].array.len() } else { columns[0].array.len() };
    let (left, right) = (&columns[0], &columns[1]);
    let is_distinct = matches!(function, Function::IsDistinctFrom | Function::IsNotDistinctFrom);
    let equal = BooleanBuffer::collect_bool(rows, |row| match (left.is_null(row), right.is_null(row)) {
        (false, false) => equality::equal(&left.array, left.index(row), &right.array, right.index(row)),
        (one, other) => is_distinct && one && other,
    });
    let values = if matches!(function, Function::Equal | Function::IsNotDistinctFrom) { equal } else { !&equal };
    Arc::new(BooleanArray::new(values, if is_distinct { None } else { nulls_of(columns, rows) }))
}

/// Floats, as Java compares them.
fn floats<T: ArrowPrimitiveType>(function: Function, columns: &[Column], rows: usize) -> ArrayRef
where
    T::Native: PartialOrd,
{
    match function {
        Function::IsDistinctFrom | Function::IsNotDistinctFrom => {
            let equal = bits::<T>(columns, rows, |a, b| a == b);
            let (left, right) = (validity(&columns[0], rows), validity(&columns[1], rows));
            let same = &(&equal & &(&left & &right)) | &(&!&left & &!&right);
            Arc::new(BooleanArray::new(if function == Function::IsDistinctFrom { !&same } else { same }, None))
        }
        _ => primitives::<T>(function, columns, rows),
    }
}

/// The rows that are not NULL.
fn validity(column: &Column, rows: usize) -> BooleanBuffer {
    match (column.is_constant, column.array.logical_nulls()) {
        (true, _) if column.array.is_null(0) => BooleanBuffer::new_unset(rows),
        (true, _) | (false, None) => BooleanBuffer::new_set(rows),
        (false, Some(nulls)) => nulls.into_inner(),
    }
}

/// Primitives by the operators of their native type.
fn primitives<T: ArrowPrimitiveType>(function: Function, columns: &[Column], rows: usize) -> ArrayRef
where
    T::Native: PartialOrd,
{
    let values = match function {
        Function::Equal => bits::<T>(columns, rows, |a, b| a == b),
        Function::NotEqual => bits::<T>(columns, rows, |a, b| a != b),
        Function::Less => bits::<T>(columns, rows, |a, b| a < b),
        Function::LessOrEqual => bits::<T>(columns, rows, |a, b| a <= b),
        Function::Greater => bits::<T>(columns, rows, |a, b| a > b),
        _ => bits::<T>(columns, rows, |a, b| a >= b),
    };
    Arc::new(BooleanArray::new(values, nulls_of(columns, rows)))
}

/// `f` for each row, packed into bits.
fn bits<T: ArrowPrimitiveType>(
    columns: &[Column],
    rows: usize,
    f: impl Fn(T::Native, T::Native) -> bool,
) -> BooleanBuffer {
    let (left, right) = (Values::<T>::of(&columns[0]), Values::<T>::of(&columns[1]));
    match (left.is_constant, right.is_constant) {
        (false, false) => {
            let (a, b) = (&left.values[..rows], &right.values[..rows]);
            BooleanBuffer::collect_bool(rows, |row| f(a[row], b[row]))
        }
        (false, true) => {
            let (a, b) = (&left.values[..rows], right.values[0]);
            BooleanBuffer::collect_bool(rows, |row| f(a[row], b))
        }
        (true, false) => {
            let (a, b) = (left.values[0], &right.values[..rows]);
            BooleanBuffer::collect_bool(rows, |row| f(a, b[row]))
        }
        (true, true) => BooleanBuffer::collect_bool(rows, |_| f(left.values[0], right.values[0])),
    }
}

/// Texts against one text: the views decide, unless both are long and begin alike.
fn text_equal(function: Function, texts: &StringViewArray, constant: &Column) -> ArrayRef {
    let wanted = constant.array.as_string_view();
    let rows = texts.len();
    if wanted.is_null(0) {
        return Arc::new(BooleanArray::new(BooleanBuffer::new_unset(rows), Some(NullBuffer::new_null(rows))));
    }
    let (view, views) = (wanted.views()[0], &texts.views()[..rows]);
    let is_inline = wanted.value(0).len() <= 12;
    let equal = if is_inline {
        BooleanBuffer::collect_bool(rows, |row| views[row] == view)
    } else {
        let mask = u128::from(u64::MAX);
        BooleanBuffer::collect_bool(rows, |row| views[row] & mask == view & mask && texts.value(row) == wanted.value(0))
    };
    let values = if function == Function::Equal { equal } else { !&equal };
    Arc::new(BooleanArray::new(values, texts.nulls().cloned()))
}

#[cfg(test)]
mod tests;
