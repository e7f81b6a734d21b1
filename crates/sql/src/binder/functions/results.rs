//! Result types of functions: small rules over the cast arguments.

use weir_plan::{DataType, Expr, ExprKind, LENGTH_MAX, LogicalType, Value};

use crate::binder::types::{decimal_round, least_common_type};

/// NULL where an argument can be NULL.
pub(super) fn nullable(arguments: &[Expr]) -> bool {
    arguments.iter().any(|argument| argument.data_type.nullable)
}

fn with(logical: LogicalType, arguments: &[Expr]) -> DataType {
    DataType { logical, nullable: nullable(arguments) }
}

/// The type of the first argument.
pub(super) fn first(arguments: &[Expr]) -> DataType {
    with(arguments[0].data_type.logical.clone(), arguments)
}

/// The common type of the arguments, NULL only where all can be.
pub(super) fn coalesced(arguments: &[Expr]) -> DataType {
    let nullable = arguments.iter().all(|argument| argument.data_type.nullable);
    arguments[0].data_type.clone().with_nullable(nullable)
}

/// The type of the second argument; the condition before it does not make the result NULL.
pub(super) fn chosen(arguments: &[Expr]) -> DataType {
    with(arguments[1].data_type.logical.clone(), &arguments[1..])
}

/// The text of the first argument, of varying length.
pub(super) fn first_varying(arguments: &[Expr]) -> DataType {
    let length = match arguments[0].data_type.logical {
        LogicalType::Char(length) | LogicalType::Varchar(length) => length,
        _ => LENGTH_MAX,
    };
    with(LogicalType::Varchar(length), arguments)
}

/// As `first_varying`, NULL possible.
pub(super) fn first_varying_nullable(arguments: &[Expr]) -> DataType {
    first_varying(arguments).with_nullable(true)
}

/// The lengths of all texts together.
pub(super) fn concatenated(arguments: &[Expr]) -> DataType {
    let mut fixed = true;
    let length = arguments.iter().fold(0_u32, |sum, argument| match argument.data_type.logical {
        LogicalType::Char(length) => sum.saturating_add(length),
        LogicalType::Varchar(length) => {
            fixed = false;
            sum.saturating_add(length)
        }
        _ => LENGTH_MAX,
    });
    let length = length.min(LENGTH_MAX);
    with(if fixed { LogicalType::Char(length) } else { LogicalType::Varchar(length) }, arguments)
}

/// STRING
pub(super) fn string(arguments: &[Expr]) -> DataType {
    with(LogicalType::Varchar(LENGTH_MAX), arguments)
}

/// STRING, NULL possible.
pub(super) fn string_nullable(_: &[Expr]) -> DataType {
    DataType::string()
}

/// STRING, NULL where the first argument can be.
pub(super) fn string_of_first(arguments: &[Expr]) -> DataType {
    with(LogicalType::Varchar(LENGTH_MAX), &arguments[..1])
}

/// The common type of the arguments behind the first, NULL possible.
pub(super) fn elements(arguments: &[Expr]) -> DataType {
    let types: Vec<_> = arguments[1..].iter().map(|argument| argument.data_type.clone()).collect();
    let common = least_common_type(&types).map(|common| common.logical);
    DataType::nullable(common.unwrap_or(LogicalType::Varchar(LENGTH_MAX)))
}

/// ARRAY<STRING>
pub(super) fn strings(arguments: &[Expr]) -> DataType {
    with(LogicalType::Array(Box::new(DataType::string())), arguments)
}

/// ARRAY<STRING>, NULL possible.
pub(super) fn strings_nullable(arguments: &[Expr]) -> DataType {
    strings(arguments).with_nullable(true)
}

/// MAP<STRING, STRING>, NULL possible.
pub(super) fn string_map(_: &[Expr]) -> DataType {
    DataType::nullable(LogicalType::Map(Box::new(DataType::string()), Box::new(DataType::string())))
}

/// BYTES
pub(super) fn bytes(arguments: &[Expr]) -> DataType {
    with(LogicalType::Varbinary(LENGTH_MAX), arguments)
}

/// BYTES, NULL possible.
pub(super) fn bytes_nullable(_: &[Expr]) -> DataType {
    DataType::nullable(LogicalType::Varbinary(LENGTH_MAX))
}

/// The lengths of texts in the first argument and its replacement together, of varying length.
pub(super) fn overlaid(arguments: &[Expr]) -> DataType {
    match concatenated(&arguments[..2]).logical {
        LogicalType::Char(length) | LogicalType::Varchar(length) => with(LogicalType::Varchar(length), arguments),
        other => with(other, arguments),
    }
}

/// CHAR(36), never NULL.
pub(super) fn uuid(_: &[Expr]) -> DataType {
    DataType::not_null(LogicalType::Char(36))
}

/// CHAR(32): a hash as hexadecimal digits.
pub(super) fn hex_32(arguments: &[Expr]) -> DataType {
    with(LogicalType::Char(32), arguments)
}

/// CHAR(40)
pub(super) fn hex_40(arguments: &[Expr]) -> DataType {
    with(LogicalType::Char(40), arguments)
}

/// CHAR(56)
pub(super) fn hex_56(arguments: &[Expr]) -> DataType {
    with(LogicalType::Char(56), arguments)
}

/// CHAR(64)
pub(super) fn hex_64(arguments: &[Expr]) -> DataType {
    with(LogicalType::Char(64), arguments)
}

/// CHAR(96)
pub(super) fn hex_96(arguments: &[Expr]) -> DataType {
    with(LogicalType::Char(96), arguments)
}

/// CHAR(128)
pub(super) fn hex_128(arguments: &[Expr]) -> DataType {
    with(LogicalType::Char(128), arguments)
}

/// VARCHAR(128)
pub(super) fn hex_up_to_128(arguments: &[Expr]) -> DataType {
    with(LogicalType::Varchar(128), arguments)
}

/// BOOLEAN
pub(super) fn boolean(arguments: &[Expr]) -> DataType {
    with(LogicalType::Boolean, arguments)
}

/// BOOLEAN, never NULL.
pub(super) fn boolean_not_null(_: &[Expr]) -> DataType {
    DataType::not_null(LogicalType::Boolean)
}

/// INT
pub(super) fn int(arguments: &[Expr]) -> DataType {
    with(LogicalType::Int, arguments)
}

/// INT, NULL possible.
pub(super) fn int_nullable(_: &[Expr]) -> DataType {
    DataType::nullable(LogicalType::Int)
}

/// BIGINT, NULL possible.
pub(super) fn bigint_nullable(_: &[Expr]) -> DataType {
    DataType::nullable(LogicalType::BigInt)
}

/// BIGINT
pub(super) fn bigint(arguments: &[Expr]) -> DataType {
    with(LogicalType::BigInt, arguments)
}

/// DOUBLE
pub(super) fn double(arguments: &[Expr]) -> DataType {
    with(LogicalType::Double, arguments)
}

/// TIMESTAMP(3), NULL possible.
pub(super) fn timestamp_nullable(_: &[Expr]) -> DataType {
    DataType::nullable(LogicalType::Timestamp(3))
}

/// TIMESTAMP(3), never NULL.
pub(super) fn timestamp_not_null(_: &[Expr]) -> DataType {
    DataType::not_null(LogicalType::Timestamp(3))
}

/// TIMESTAMP_LTZ of as many digits as the second argument says, at least 3; NULL possible.
pub(super) fn timestamp_ltz_of_precision(arguments: &[Expr]) -> DataType {
    let digits = arguments.get(1).and_then(constant_int).and_then(|digits| u8::try_from(digits).ok()).unwrap_or(3);
    DataType::nullable(LogicalType::TimestampLtz(digits.max(3)))
}

/// TIMESTAMP_LTZ(3), never NULL.
pub(super) fn timestamp_ltz_not_null(_: &[Expr]) -> DataType {
    DataType::not_null(LogicalType::TimestampLtz(3))
}

/// DATE, NULL possible.
pub(super) fn date_nullable(_: &[Expr]) -> DataType {
    DataType::nullable(LogicalType::Date)
}

/// DATE, never NULL.
pub(super) fn date_not_null(_: &[Expr]) -> DataType {
    DataType::not_null(LogicalType::Date)
}

/// FLOOR and CEIL: a DECIMAL loses its scale.
pub(super) fn whole(arguments: &[Expr]) -> DataType {
    match arguments[0].data_type.logical {
        LogicalType::Decimal(precision, scale) if scale > 0 => with(LogicalType::Decimal(precision, 0), arguments),
        _ => first(arguments),
    }
}

/// ROUND and TRUNCATE: a DECIMAL's scale follows digits that are known at planning.
pub(super) fn rounded(arguments: &[Expr]) -> DataType {
    let LogicalType::Decimal(precision, scale) = arguments[0].data_type.logical else { return first(arguments) };
    let digits = match arguments.get(1) {
        None => Some(0),
        Some(digits) => constant_int(digits),
    };
    match digits {
        Some(digits) => with(decimal_round((precision, scale), digits), arguments),
        None => first(arguments),
    }
}

/// The value of an INT constant, `-1` included.
pub(super) fn constant_int(expr: &Expr) -> Option<i32> {
    match &expr.kind {
        ExprKind::Literal(Value::Integer(value)) => i32::try_from(*value).ok(),
        ExprKind::Call(weir_plan::Function::Negate, inner) => constant_int(inner.first()?)?.checked_neg(),
        ExprKind::Cast(inner, _) => constant_int(inner),
        _ => None,
    }
}
