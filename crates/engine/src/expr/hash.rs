//! Hashes: MD5, SHA1, SHA224 to SHA512, SHA2 as hexadecimal digits of a text's bytes; HASH_CODE as Java's `hashCode`.

use arrow_array::ArrayRef;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    Time32MillisecondType,
};
use md5::{Digest, Md5};
use sha2::{Sha224, Sha256, Sha384, Sha512};
use weir_base::{Error, Result};
use weir_plan::{Function, LogicalType};

use super::compile::{Called, Family};
use super::node::{Apply, Column, EvalError, Node, Scope};
use super::rows::{Failure, Strings, Texts, Values, primitives, texts};
use super::time::timestamp_at;

/// The family.
pub(super) const FAMILY: Family = Family {
    functions: &[
        Function::Md5,
        Function::Sha1,
        Function::Sha224,
        Function::Sha256,
        Function::Sha384,
        Function::Sha512,
        Function::Sha2,
        Function::HashCode,
    ],
    compile,
};

/// One of the functions above.
fn compile(call: Called<'_>) -> Result<Node> {
    let Called { function, nodes, data_type, span, .. } = call;
    let apply = match function {
        Function::Md5 => digested(|bytes, out| hex(&Md5::digest(bytes), out)),
        Function::Sha1 => digested(sha1),
        Function::Sha224 => digested(sha_224),
        Function::Sha256 => digested(sha_256),
        Function::Sha384 => digested(sha_384),
        Function::Sha512 => digested(sha_512),
        Function::Sha2 => Box::new(sha2),
        _ => hash_code(&nodes[0].data_type.logical)?,
    };
    let is_fallible = function == Function::Sha2;
    Ok(Node::call(nodes, data_type, span, is_fallible, apply))
}

/// Appends a hash's digits.
type Write = fn(&[u8], &mut String);

fn digested(write: Write) -> Apply {
    Box::new(move |columns, scope| {
        let values = Strings::of(&columns[0]);
        texts(columns, scope, Failure::Raise, |row, out| {
            write(values.get(row), out);
            Ok(true)
        })
    })
}

fn sha1(bytes: &[u8], out: &mut String) {
    hex(&sha1_smol::Sha1::from(bytes).digest().bytes(), out);
}

fn sha_224(bytes: &[u8], out: &mut String) {
    hex(&Sha224::digest(bytes), out);
}

fn sha_256(bytes: &[u8], out: &mut String) {
    hex(&Sha256::digest(bytes), out);
}

fn sha_384(bytes: &[u8], out: &mut String) {
    hex(&Sha384::digest(bytes), out);
}

fn sha_512(bytes: &[u8], out: &mut String) {
    hex(&Sha512::digest(bytes), out);
}

/// `SHA2(a, bits)`
fn sha2(columns: &[Column], scope: &Scope<'_>) -> Result<ArrayRef, EvalError> {
    let (values, bits) = (Strings::of(&columns[0]), Values::<Int32Type>::of(&columns[1]));
    texts(columns, scope, Failure::Raise, |row, out| {
        let write: Write = match bits.get(row) {
            224 => sha_224,
            256 => sha_256,
            384 => sha_384,
            512 => sha_512,
            _ => return Err("Unsupported algorithm.".to_owned()),
        };
        write(values.get(row), out);
        Ok(true)
    })
}

/// Bytes as lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8], out: &mut String) {
    const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    for byte in bytes {
        out.push(DIGITS[usize::from(byte >> 4)]);
        out.push(DIGITS[usize::from(byte & 15)]);
    }
}

/// Java's `hashCode` of a value of this type.
fn hash_code(logical: &LogicalType) -> Result<Apply> {
    Ok(match logical {
        LogicalType::Boolean => Box::new(|columns, scope| {
            let values = columns[0].array.as_boolean();
            codes(columns, scope, |row| if values.value(columns[0].index(row)) { 1231 } else { 1237 })
        }),
        LogicalType::TinyInt => of_values::<Int8Type>(i32::from),
        LogicalType::SmallInt => of_values::<Int16Type>(i32::from),
        LogicalType::Int => of_values::<Int32Type>(|value| value),
        LogicalType::Date => of_values::<Date32Type>(|value| value),
        LogicalType::Time(_) => of_values::<Time32MillisecondType>(|value| value),
        LogicalType::BigInt => of_values::<Int64Type>(folded),
        LogicalType::Float => of_values::<Float32Type>(|value| {
            if value.is_nan() { f32::NAN.to_bits().cast_signed() } else { value.to_bits().cast_signed() }
        }),
        LogicalType::Double => of_values::<Float64Type>(|value| {
            folded(if value.is_nan() { f64::NAN.to_bits() } else { value.to_bits() }.cast_signed())
        }),
        LogicalType::Decimal(_, scale) => {
            let scale = i32::from(*scale);
            Box::new(move |columns, scope| {
                let values = Values::<Decimal128Type>::of(&columns[0]);
                codes(columns, scope, |row| unscaled_code(values.get(row)).wrapping_mul(31).wrapping_add(scale))
            })
        }
        LogicalType::Char(_) | LogicalType::Varchar(_) => Box::new(|columns, scope| {
            let values = Texts::of(&columns[0]);
            codes(columns, scope, |row| text_code(values.get(row)).wrapping_abs())
        }),
        LogicalType::Timestamp(_) => Box::new(|columns, scope| {
            codes(columns, scope, |row| {
                let moment = timestamp_at(&columns[0].array, columns[0].index(row));
                folded(moment.millis).wrapping_mul(31).wrapping_add(moment.nanos)
            })
        }),
        other => return Err(Error::internal(format!("compile HASH_CODE of {other}"))),
    })
}

fn codes(columns: &[Column], scope: &Scope<'_>, f: impl Fn(usize) -> i32) -> Result<ArrayRef, EvalError> {
    primitives::<Int32Type>(columns, scope, Failure::Raise, |row| Ok(Some(f(row))))
}

fn of_values<T: arrow_array::ArrowPrimitiveType>(code: fn(T::Native) -> i32) -> Apply {
    Box::new(move |columns, scope| {
        let values = Values::<T>::of(&columns[0]);
        codes(columns, scope, |row| code(values.get(row)))
    })
}

/// `Long.hashCode`
fn folded(value: i64) -> i32 {
    #[expect(clippy::cast_possible_truncation, reason = "Java's hash code is the two halves laid over each other")]
    let code = (value ^ (value.cast_unsigned() >> 32).cast_signed()) as i32;
    code
}

/// `String.hashCode`, over UTF-16 units.
fn text_code(text: &str) -> i32 {
    text.encode_utf16().fold(0_i32, |code, unit| code.wrapping_mul(31).wrapping_add(i32::from(unit)))
}

/// `BigInteger.hashCode`: over its 32-bit words, the most significant first. It is the same for small numbers in `BigDecimal.hashCode`.
fn unscaled_code(value: i128) -> i32 {
    let words = value.unsigned_abs().to_be_bytes();
    let code = words.chunks_exact(4).fold(0_i32, |code, word| {
        let word = i32::from_be_bytes(word.try_into().expect("a chunk has four bytes"));
        code.wrapping_mul(31).wrapping_add(word)
    });
    if value < 0 { code.wrapping_neg() } else { code }
}

#[cfg(test)]
mod tests;
