//! Other writings of a value: BIN, HEX, UNHEX, TO_BASE64, FROM_BASE64, and ENCODE, DECODE by a charset.

use arrow_array::ArrayRef;
use arrow_array::types::Int64Type;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use base64::engine::{DecodePaddingMode, Engine};
use base64::{DecodeError, alphabet};
use weir_base::Result;
use weir_plan::Function;

use super::compile::{Called, Family};
use super::node::{Apply, Column, EvalError, Node, Scope};
use super::rows::{Failure, Strings, Texts, Values, byte_strings, texts};

/// The family.
pub(super) const FAMILY: Family = Family {
    functions: &[
        Function::Bin,
        Function::Hex,
        Function::Unhex,
        Function::ToBase64,
        Function::FromBase64,
        Function::Encode,
        Function::Decode,
    ],
    compile,
};

/// One of the functions above.
fn compile(call: Called<'_>) -> Result<Node> {
    let Called { function, nodes, data_type, span, .. } = call;
    let is_text = nodes[0].data_type.logical.is_string();
    let apply: Apply = match function {
        Function::Bin => digits(|value| format!("{value:b}")),
        Function::Hex if is_text => Box::new(hex_of_text),
        Function::Hex => digits(|value| format!("{value:X}")),
        Function::Unhex => Box::new(unhex),
        Function::ToBase64 => Box::new(to_base64),
        Function::FromBase64 => Box::new(from_base64),
        Function::Encode => Box::new(encode),
        _ => Box::new(decode),
    };
    let is_fallible = matches!(function, Function::FromBase64 | Function::Encode | Function::Decode);
    Ok(Node::call(nodes, data_type, span, is_fallible, apply))
}

/// The digits of a BIGINT, a negative one as its 64 bits.
fn digits(write: fn(i64) -> String) -> Apply {
    Box::new(move |columns, scope| {
        let values = Values::<Int64Type>::of(&columns[0]);
        texts(columns, scope, Failure::Raise, |row, out| {
            out.push_str(&write(values.get(row)));
            Ok(true)
        })
    })
}

fn hex_of_text(columns: &[Column], scope: &Scope<'_>) -> Result<ArrayRef, EvalError> {
    let values = Texts::of(&columns[0]);
    texts(columns, scope, Failure::Raise, |row, out| {
        super::hash::hex(values.get(row).as_bytes(), out);
        out.make_ascii_uppercase();
        Ok(true)
    })
}

/// UNHEX: NULL for what is no hexadecimal digit; of an odd number of digits the first stands alone, and is 0 whatever it says.
fn unhex(columns: &[Column], scope: &Scope<'_>) -> Result<ArrayRef, EvalError> {
    let values = Texts::of(&columns[0]);
    byte_strings(columns, scope, Failure::Raise, |row, out| {
        let text = values.get(row).as_bytes();
        let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let (single, pairs) = text.split_at(text.len() % 2);
        for stretch in std::iter::once(single).filter(|single| !single.is_empty()).chain(pairs.chunks_exact(2)) {
            let mut byte = 0;
            for character in stretch {
                let Some(digit) = digit(character) else { return Ok(false) };
                byte = byte << 4 | digit;
            }
            out.push(if stretch.len() == 1 { 0 } else { byte });
        }
        Ok(true)
    })
}

fn to_base64(columns: &[Column], scope: &Scope<'_>) -> Result<ArrayRef, EvalError> {
    let values = Strings::of(&columns[0]);
    texts(columns, scope, Failure::Raise, |row, out| {
        STANDARD.encode_string(values.get(row), out);
        Ok(true)
    })
}

/// Java's basic decoder: padding may be missing, bits left over are not looked at.
const JAVA_BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

fn from_base64(columns: &[Column], scope: &Scope<'_>) -> Result<ArrayRef, EvalError> {
    let values = Strings::of(&columns[0]);
    let mut bytes = Vec::new();
    texts(columns, scope, Failure::Raise, |row, out| {
        bytes.clear();
        JAVA_BASE64.decode_vec(values.get(row), &mut bytes).map_err(|error| match error {
            DecodeError::InvalidByte(_, byte) => format!("Illegal base64 character {byte:x}"),
            _ => "Input byte[] should at least have 2 bytes for base64 bytes, or has a wrong 4-byte ending unit"
                .to_owned(),
        })?;
        out.push_str(&String::from_utf8_lossy(&bytes));
        Ok(true)
    })
}

/// The charsets that every Java has.
#[derive(Clone, Copy)]
enum Charset {
    Ascii,
    Latin1,
    Utf8,
    /// Writes the most significant byte first, behind a mark; reads as the mark says.
    Utf16,
    Utf16Be,
    Utf16Le,
}

impl Charset {
    /// The charset of this name, in any case.
    fn named(name: &str) -> Result<Self, String> {
        Ok(match name.to_ascii_uppercase().as_str() {
            "US-ASCII" | "ASCII" | "ISO646-US" => Self::Ascii,
            "ISO-8859-1" | "ISO8859_1" | "ISO8859-1" | "LATIN1" | "L1" => Self::Latin1,
            "UTF-8" | "UTF8" => Self::Utf8,
            "UTF-16" | "UTF16" | "UTF_16" => Self::Utf16,
            "UTF-16BE" | "UTF_16BE" => Self::Utf16Be,
            "UTF-16LE" | "UTF_16LE" => Self::Utf16Le,
            _ => {
                return Err(format!(
                    "The charset '{name}' is not supported: there are US-ASCII, ISO-8859-1, UTF-8, UTF-16, UTF-16BE, UTF-16LE"
                ));
            }
        })
    }

    fn encode(self, text: &str, out: &mut Vec<u8>) {
        match self {
            Self::Ascii => {
                out.extend(text.chars().map(|ch| u8::try_from(ch).ok().filter(u8::is_ascii).unwrap_or(b'?')))
            }
            Self::Latin1 => out.extend(text.chars().map(|ch| u8::try_from(ch).unwrap_or(b'?'))),
            Self::Utf8 => out.extend_from_slice(text.as_bytes()),
            Self::Utf16 if text.is_empty() => {}
            Self::Utf16 => {
                out.extend_from_slice(&[0xfe, 0xff]);
                out.extend(text.encode_utf16().flat_map(u16::to_be_bytes));
            }
            Self::Utf16Be => out.extend(text.encode_utf16().flat_map(u16::to_be_bytes)),
            Self::Utf16Le => out.extend(text.encode_utf16().flat_map(u16::to_le_bytes)),
        }
    }

    fn decode(self, bytes: &[u8], out: &mut String) {
        match self {
            Self::Ascii => {
                out.extend(bytes.iter().map(|byte| if byte.is_ascii() { char::from(*byte) } else { UNKNOWN }))
            }
            Self::Latin1 => out.extend(bytes.iter().map(|byte| char::from(*byte))),
            Self::Utf8 => out.push_str(&String::from_utf8_lossy(bytes)),
            Self::Utf16 => match bytes {
                [0xfe, 0xff, rest @ ..] => units(rest, u16::from_be_bytes, out),
                [0xff, 0xfe, rest @ ..] => units(rest, u16::from_le_bytes, out),
                _ => units(bytes, u16::from_be_bytes, out),
            },
            Self::Utf16Be => units(bytes, u16::from_be_bytes, out),
            Self::Utf16Le => units(bytes, u16::from_le_bytes, out),
        }
    }
}

/// What stands for bytes that are no character.
const UNKNOWN: char = char::REPLACEMENT_CHARACTER;

/// UTF-16 units as characters; a byte left over is none.
fn units(bytes: &[u8], of: fn([u8; 2]) -> u16, out: &mut String) {
    let pairs = bytes.chunks_exact(2);
    let left_over = pairs.remainder();
    let units = pairs.map(|pair| of([pair[0], pair[1]]));
    out.extend(char::decode_utf16(units).map(|unit| unit.unwrap_or(UNKNOWN)));
    out.extend(left_over.iter().map(|_| UNKNOWN));
}

/// The charset last named: it hardly changes from row to row.
#[derive(Default)]
struct Charsets {
    last: Option<(String, Charset)>,
}

impl Charsets {
    fn get(&mut self, name: &str) -> Result<Charset, String> {
        match &self.last {
            Some((known, charset)) if known == name => Ok(*charset),
            _ => {
                let charset = Charset::named(name)?;
                self.last = Some((name.to_owned(), charset));
                Ok(charset)
            }
        }
    }
}

fn encode(columns: &[Column], scope: &Scope<'_>) -> Result<ArrayRef, EvalError> {
    let (values, names) = (Texts::of(&columns[0]), Texts::of(&columns[1]));
    let mut charsets = Charsets::default();
    byte_strings(columns, scope, Failure::Raise, |row, out| {
        charsets.get(names.get(row))?.encode(values.get(row), out);
        Ok(true)
    })
}

fn decode(columns: &[Column], scope: &Scope<'_>) -> Result<ArrayRef, EvalError> {
    let (values, names) = (Strings::of(&columns[0]), Texts::of(&columns[1]));
    let mut charsets = Charsets::default();
    texts(columns, scope, Failure::Raise, |row, out| {
        charsets.get(names.get(row))?.decode(values.get(row), out);
        Ok(true)
    })
}

#[cfg(test)]
mod tests;
