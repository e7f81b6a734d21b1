//! Functions that join, measure or hash texts: `||`, CONCAT, CONCAT_WS, UPPER, LOWER, CHAR_LENGTH, POSITION, MD5, SHA256. Characters are Unicode's.

use arrow_array::types::Int32Type;
use md5::{Digest, Md5};
use sha2::Sha256;
use weir_base::Span;
use weir_plan::{DataType, Function};

use super::compile::Family;
use super::node::{Apply, Column, EvalError, Node, Scope};
use super::rows::{Failure, Texts, primitives, texts};

/// The family.
pub(super) const FAMILY: Family = Family {
    functions: &[
        Function::Concat,
        Function::ConcatWs,
        Function::Upper,
        Function::Lower,
        Function::CharLength,
        Function::Position,
        Function::Md5,
        Function::Sha256,
    ],
    compile: |call| Ok(compile(call.function, call.nodes, call.data_type, call.span)),
};

/// One of the functions above; all arguments are texts.
pub(super) fn compile(function: Function, nodes: Vec<Node>, data_type: DataType, span: Span) -> Node {
    let apply: Apply = match function {
        Function::Concat => Box::new(concat),
        Function::ConcatWs => Box::new(concat_ws),
        Function::Upper => mapped(|text, out| {
            if text.is_ascii() {
                out.extend(text.bytes().map(|byte| char::from(byte.to_ascii_uppercase())));
            } else {
                out.push_str(&text.to_uppercase());
            }
        }),
        Function::Lower => mapped(|text, out| {
            if text.is_ascii() {
                out.extend(text.bytes().map(|byte| char::from(byte.to_ascii_lowercase())));
            } else {
                out.push_str(&text.to_lowercase());
            }
        }),
        Function::Md5 => mapped(|text, out| hex(&Md5::digest(text), out)),
        Function::Sha256 => mapped(|text, out| hex(&Sha256::digest(text), out)),
        Function::CharLength => Box::new(|columns, scope| {
            let values = Texts::of(&columns[0]);
            counts(columns, scope, |row| values.get(row).chars().count())
        }),
        _ => Box::new(|columns, scope| {
            let (wanted, values) = (Texts::of(&columns[0]), Texts::of(&columns[1]));
            counts(columns, scope, |row| {
                let text = values.get(row);
                text.find(wanted.get(row)).map_or(0, |at| text[..at].chars().count() + 1)
            })
        }),
    };
    Node::call(nodes, data_type, span, false, apply)
}

/// A text made of one text.
pub(super) fn mapped(f: impl Fn(&str, &mut String) + Send + Sync + 'static) -> Apply {
    Box::new(move |columns, scope| {
        let values = Texts::of(&columns[0]);
        texts(columns, scope, Failure::Raise, |row, out| {
            f(values.get(row), out);
            Ok(true)
        })
    })
}

/// Numbers of characters.
fn counts(
    columns: &[Column],
    scope: &Scope<'_>,
    f: impl Fn(usize) -> usize,
) -> Result<arrow_array::ArrayRef, EvalError> {
    primitives::<Int32Type>(columns, scope, Failure::Raise, |row| Ok(i32::try_from(f(row)).ok()))
}

fn concat(columns: &[Column], scope: &Scope<'_>) -> Result<arrow_array::ArrayRef, EvalError> {
    let parts: Vec<Texts<'_>> = columns.iter().map(Texts::of).collect();
    texts(columns, scope, Failure::Raise, |row, out| {
        parts.iter().for_each(|part| out.push_str(part.get(row)));
        Ok(true)
    })
}

/// The texts that are not NULL, the separator between them; NULL where the separator is.
fn concat_ws(columns: &[Column], scope: &Scope<'_>) -> Result<arrow_array::ArrayRef, EvalError> {
    let parts: Vec<Texts<'_>> = columns.iter().map(Texts::of).collect();
    texts(&columns[..1], scope, Failure::Raise, |row, out| {
        let mut is_first = true;
        for (column, part) in columns.iter().zip(&parts).skip(1) {
            if column.is_null(row) {
                continue;
            }
            if !is_first {
                out.push_str(parts[0].get(row));
            }
            out.push_str(part.get(row));
            is_first = false;
        }
        Ok(true)
    })
}

/// Bytes as lower-case hexadecimal digits.
fn hex(bytes: &[u8], out: &mut String) {
    const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    for byte in bytes {
        out.push(DIGITS[usize::from(byte >> 4)]);
        out.push(DIGITS[usize::from(byte & 15)]);
    }
}

#[cfg(test)]
mod tests;
