//! URLs and addresses: URL_ENCODE, URL_DECODE, PARSE_URL, INET_ATON, INET_NTOA.

mod java;

use arrow_array::ArrayRef;
use arrow_array::types::Int64Type;
use weir_base::Result;
use weir_plan::Function;

use super::compile::{Called, Family};
use super::node::{Apply, Column, EvalError, Node, Scope};
use super::rows::{Failure, Texts, Values, primitives, texts};
use super::text::mapped;
use java::Url;

/// The family.
pub(super) const FAMILY: Family = Family {
    functions: &[Function::UrlEncode, Function::UrlDecode, Function::ParseUrl, Function::InetAton, Function::InetNtoa],
    compile,
};

/// One of the functions above.
fn compile(call: Called<'_>) -> Result<Node> {
    let Called { function, nodes, data_type, span, .. } = call;
    let apply: Apply = match function {
        Function::UrlEncode => mapped(encode),
        Function::UrlDecode => Box::new(|columns, scope| {
            let values = Texts::of(&columns[0]);
            texts(columns, scope, Failure::Raise, |row, out| Ok(decode(values.get(row), out)))
        }),
        Function::ParseUrl => Box::new(parse),
        Function::InetAton => Box::new(|columns, scope| {
            let values = Texts::of(&columns[0]);
            primitives::<Int64Type>(columns, scope, Failure::Raise, |row| Ok(number_of_address(values.get(row))))
        }),
        _ => Box::new(|columns, scope| {
            let values = Values::<Int64Type>::of(&columns[0]);
            texts(columns, scope, Failure::Raise, |row, out| {
                let Ok(number) = u32::try_from(values.get(row)) else { return Ok(false) };
                out.push_str(&std::net::Ipv4Addr::from(number).to_string());
                Ok(true)
            })
        }),
    };
    Ok(Node::call(nodes, data_type, span, false, apply))
}

/// As a form is encoded: a blank is a plus sign.
fn encode(text: &str, out: &mut String) {
    const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'*' | b'_' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            _ => out.extend(['%', DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]),
        }
    }
}

/// The opposite; false where a percent sign has no two digits behind it.
fn decode(text: &str, out: &mut String) -> bool {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        match first {
            b'+' => bytes.push(b' '),
            b'%' => {
                let Some((digits, behind)) = rest.split_at_checked(2) else { return false };
                let digits = std::str::from_utf8(digits).ok();
                let Some(byte) = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) else { return false };
                bytes.push(byte);
                rest = behind;
            }
            other => bytes.push(*other),
        }
    }
    out.push_str(&String::from_utf8_lossy(&bytes));
    true
}

/// PARSE_URL: a part of the URL, or a parameter of its query.
fn parse(columns: &[Column], scope: &Scope<'_>) -> Result<ArrayRef, EvalError> {
    let (values, parts) = (Texts::of(&columns[0]), Texts::of(&columns[1]));
    let keys = columns.get(2).map(Texts::of);
    texts(columns, scope, Failure::Raise, |row, out| {
        let part = parts.get(row);
        if keys.is_some() && part != "QUERY" {
            return Ok(false);
        }
        let Some(url) = Url::parse(values.get(row)) else { return Ok(false) };
        let value = match part {
            "FILE" => {
                out.push_str(url.path);
                url.query.iter().for_each(|query| out.extend(["?", query]));
                return Ok(true);
            }
            "PROTOCOL" => {
                out.push_str(&url.protocol);
                return Ok(true);
            }
            "HOST" => Some(url.host),
            "PATH" => Some(url.path),
            "QUERY" => url.query,
            "REF" => url.reference,
            "AUTHORITY" => url.authority,
            "USERINFO" => url.user_info,
            _ => None,
        };
        let value = match &keys {
            None => value,
            Some(keys) => value.and_then(|query| parameter(query, keys.get(row))),
        };
        value.iter().for_each(|value| out.push_str(value));
        Ok(value.is_some())
    })
}

/// The value behind `key=`.
fn parameter<'a>(query: &'a str, key: &str) -> Option<&'a str> {
    query.split('&').find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='))
}

/// The number of an IPv4 address of one to four parts below 256; missing ones are zeros before the last.
fn number_of_address(text: &str) -> Option<i64> {
    let mut parts = [0_i64; 4];
    let mut count = 0;
    for part in text.split('.') {
        let is_number = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let digits = part.trim_start_matches('0');
        let number = if digits.is_empty() { 0 } else { digits.parse::<u8>().ok()? };
        *parts.get_mut(count).filter(|_| is_number)? = i64::from(number);
        count += 1;
    }
    let last = std::mem::take(&mut parts[count - 1]);
    Some(parts[0] << 24 | parts[1] << 16 | parts[2] << 8 | last)
}

#[cfg(test)]
mod tests;
