//! Arrays and maps.

use weir_base::Span;
use weir_plan::{DataType, Expr, Field, Function as F, LogicalType};

use super::super::results as r;
use super::super::signature::Argument::{
    AnyArray, AnyMap, Boolean, Collection, CommonArray, CommonMap, Element, Int, Text, TextArray,
};
use super::super::signature::Signature;
use super::fixed;
use crate::binder::refusal::{not_supported, refuse};
use crate::error::SqlError;

/// The family.
#[rustfmt::skip]
pub(super) const FUNCTIONS: &[Signature] = &[
    fixed("CARDINALITY", F::Cardinality, &[Collection], r::int),
    fixed("ELEMENT", F::Element, &[AnyArray], element_of_first),
    fixed("ARRAY_APPEND", F::ArrayAppend, &[AnyArray, Element], with_element).inferred("ARRAY_APPEND(array <ARRAY>, element <ARRAY ELEMENT>)"),
    fixed("ARRAY_CONCAT", F::ArrayConcat, &[CommonArray], r::first).variadic().inferred("ARRAY_CONCAT(<COMMON>, <COMMON>...)"),
    fixed("ARRAY_CONTAINS", F::ArrayContains, &[AnyArray, Element], boolean_of_first).finish(comparable).inferred("ARRAY_CONTAINS(haystack <ARRAY>, \
        needle <ARRAY ELEMENT>)"),
    fixed("ARRAY_DISTINCT", F::ArrayDistinct, &[AnyArray], r::first).finish(comparable).inferred("ARRAY_DISTINCT(haystack <ARRAY>)"),
    fixed("ARRAY_EXCEPT", F::ArrayExcept, &[CommonArray, CommonArray], r::first).finish(comparable).inferred("ARRAY_EXCEPT(<COMMON>, <COMMON>)"),
    fixed("ARRAY_INTERSECT", F::ArrayIntersect, &[CommonArray, CommonArray], r::first).finish(comparable).inferred("ARRAY_INTERSECT(<COMMON>, <COMMON>)"),
    fixed("ARRAY_JOIN", F::ArrayJoin, &[TextArray, Text, Text], r::string).optional(1).inferred("ARRAY_JOIN(ARRAY<STRING>, \
        <CHARACTER_STRING>)\nARRAY_JOIN(ARRAY<STRING>, <CHARACTER_STRING>, <CHARACTER_STRING>)"),
    fixed("ARRAY_MAX", F::ArrayMax, &[AnyArray], nullable_element).finish(ordered).inferred("ARRAY_MAX(<ARRAY<COMPARABLE>>)"),
    fixed("ARRAY_MIN", F::ArrayMin, &[AnyArray], nullable_element).finish(ordered).inferred("ARRAY_MIN(<ARRAY<COMPARABLE>>)"),
    fixed("ARRAY_POSITION", F::ArrayPosition, &[AnyArray, Element], r::int).finish(comparable).inferred("ARRAY_POSITION(haystack <ARRAY>, \
        needle <ARRAY ELEMENT>)"),
    fixed("ARRAY_PREPEND", F::ArrayPrepend, &[AnyArray, Element], with_element).inferred("ARRAY_PREPEND(array <ARRAY>, element <ARRAY ELEMENT>)"),
    fixed("ARRAY_REMOVE", F::ArrayRemove, &[AnyArray, Element], first_alone).finish(comparable).inferred("ARRAY_REMOVE(haystack <ARRAY>, \
        needle <ARRAY ELEMENT>)"),
    fixed("ARRAY_REVERSE", F::ArrayReverse, &[AnyArray], r::first).inferred("ARRAY_REVERSE(haystack <ARRAY>)"),
    fixed("ARRAY_SLICE", F::ArraySlice, &[AnyArray, Int, Int], r::first).optional(1).finish(slice_bounds).inferred("ARRAY_SLICE(<ARRAY>, <INTEGER>, \
        <INTEGER>)\nARRAY_SLICE(<ARRAY>, <INTEGER>)"),
    fixed("ARRAY_SORT", F::ArraySort, &[AnyArray, Boolean, Boolean],
        r::first).optional(2).finish(ordered).inferred("ARRAY_SORT(<ARRAY<COMPARABLE>>)\nARRAY_SORT(<ARRAY<COMPARABLE>>, \
        <BOOLEAN>)\nARRAY_SORT(<ARRAY<COMPARABLE>>, <BOOLEAN>, <BOOLEAN>)"),
    fixed("ARRAY_UNION", F::ArrayUnion, &[CommonArray, CommonArray], r::first).finish(comparable).inferred("ARRAY_UNION(<COMMON>, <COMMON>)"),
    fixed("MAP_ENTRIES", F::MapEntries, &[AnyMap], entries).inferred("MAP_ENTRIES(input <MAP>)"),
    fixed("MAP_FROM_ARRAYS", F::MapFromArrays, &[AnyArray, AnyArray], map_of_arrays).finish(comparable).inferred("MAP_FROM_ARRAYS(keysArray <ARRAY>, \
        valuesArray <ARRAY>)"),
    fixed("MAP_KEYS", F::MapKeys, &[AnyMap], keys).inferred("MAP_KEYS(input <MAP>)"),
    fixed("MAP_UNION", F::MapUnion, &[CommonMap], r::first).variadic().inferred("MAP_UNION(<COMMON>, <COMMON>...)"),
    fixed("MAP_VALUES", F::MapValues, &[AnyMap], values).inferred("MAP_VALUES(input <MAP>)"),
];

/// The type of the elements of an ARRAY; that of a bare NULL for anything else.
fn element_of(array: &Expr) -> DataType {
    match &array.data_type.logical {
        LogicalType::Array(element) => (**element).clone(),
        _ => DataType::nullable(LogicalType::Null),
    }
}

/// The element's type, NULL where the array is.
fn element_of_first(arguments: &[Expr]) -> DataType {
    let element = element_of(&arguments[0]);
    let nullable = element.nullable || arguments[0].data_type.nullable;
    element.with_nullable(nullable)
}

fn nullable_element(arguments: &[Expr]) -> DataType {
    element_of(&arguments[0]).with_nullable(true)
}

/// The array's type, its elements NULL possible where the second argument is.
fn with_element(arguments: &[Expr]) -> DataType {
    let element = element_of(&arguments[0]);
    let nullable = element.nullable || arguments[1].data_type.nullable;
    let array = LogicalType::Array(Box::new(element.with_nullable(nullable)));
    DataType { logical: array, nullable: arguments[0].data_type.nullable }
}

/// The first argument's type, whatever the others are.
fn first_alone(arguments: &[Expr]) -> DataType {
    arguments[0].data_type.clone()
}

/// BOOLEAN, NULL where the first argument is.
fn boolean_of_first(arguments: &[Expr]) -> DataType {
    DataType { logical: LogicalType::Boolean, nullable: arguments[0].data_type.nullable }
}

fn array_of(element: DataType, arguments: &[Expr]) -> DataType {
    DataType { logical: LogicalType::Array(Box::new(element)), nullable: r::nullable(arguments) }
}

/// The types of a MAP's keys and values.
fn parts_of(map: &Expr) -> (DataType, DataType) {
    match &map.data_type.logical {
        LogicalType::Map(key, value) => ((**key).clone(), (**value).clone()),
        _ => (DataType::nullable(LogicalType::Null), DataType::nullable(LogicalType::Null)),
    }
}

fn keys(arguments: &[Expr]) -> DataType {
    array_of(parts_of(&arguments[0]).0, arguments)
}

fn values(arguments: &[Expr]) -> DataType {
    array_of(parts_of(&arguments[0]).1, arguments)
}

fn entries(arguments: &[Expr]) -> DataType {
    let (key, value) = parts_of(&arguments[0]);
    let row = LogicalType::Row(vec![Field::new("key", key), Field::new("value", value)]);
    array_of(DataType::nullable(row), arguments)
}

fn map_of_arrays(arguments: &[Expr]) -> DataType {
    let (key, value) = (element_of(&arguments[0]), element_of(&arguments[1]));
    DataType { logical: LogicalType::Map(Box::new(key), Box::new(value)), nullable: r::nullable(arguments) }
}

/// Elements that are compared must have an order: a MAP has none here.
#[expect(clippy::ptr_arg, reason = "a last step of binding: others of its type add arguments")]
fn comparable(arguments: &mut Vec<Expr>, span: Span) -> Result<(), SqlError> {
    if holds_map(&element_of(&arguments[0]).logical) {
        return Err(not_supported(span, "comparing elements that are, or hold, a MAP"));
    }
    Ok(())
}

fn holds_map(logical: &LogicalType) -> bool {
    match logical {
        LogicalType::Map(..) => true,
        LogicalType::Array(element) => holds_map(&element.logical),
        LogicalType::Row(fields) => fields.iter().any(|field| holds_map(&field.data_type.logical)),
        _ => false,
    }
}

/// Flink orders elements of simple types only.
#[expect(clippy::ptr_arg, reason = "a last step of binding: others of its type add arguments")]
fn ordered(arguments: &mut Vec<Expr>, span: Span) -> Result<(), SqlError> {
    let element = element_of(&arguments[0]);
    if matches!(element.logical, LogicalType::Array(_) | LogicalType::Map(..) | LogicalType::Row(_)) {
        let text = format!("Type '{element}' should support both 'EQUALS' and 'ORDER' comparison with itself.");
        return Err(refuse(span, text));
    }
    Ok(())
}

/// Positions are INT or smaller: a BIGINT is no position in Flink.
#[expect(clippy::ptr_arg, reason = "a last step of binding: others of its type add arguments")]
fn slice_bounds(arguments: &mut Vec<Expr>, span: Span) -> Result<(), SqlError> {
    let is_long = |argument: &Expr| matches!(&argument.kind, weir_plan::ExprKind::Cast(inner, _) if inner.data_type.logical == LogicalType::BigInt);
    if arguments[1..].iter().any(is_long) {
        return Err(refuse(span, "Invalid function call: ARRAY_SLICE takes positions of type INTEGER, not BIGINT")
            .hint("write CAST(x AS INT)"));
    }
    Ok(())
}
