//! A JSON value as compact text: what Flink gives a STRING column for an object or an array.

use crate::json::cursor::Cursor;
use crate::json::escape::write_string;
use crate::json::unescape::unescape;
use crate::text::write_double;

/// Appends `json`, which is a valid value, without white space, its strings and fractional numbers written as Jackson writes them.
pub(crate) fn write_compact(json: &[u8], out: &mut Vec<u8>) {
    let mut cursor = Cursor::new(json, 0, json.len());
    let mut text = Vec::new();
    loop {
        match cursor.token() {
            b'"' => {
                let Ok(string) = cursor.string() else { return };
                text.clear();
                unescape(&json[string.start..string.end], &mut text);
                write_string(&text, out);
            }
            b'-' | b'0'..=b'9' => {
                let Ok(number) = cursor.number() else { return };
                let raw = &json[number.start..number.end];
                match fast_float2::parse::<f64, _>(raw) {
                    Ok(value) if number.float => write_double(value, out),
                    _ => out.extend_from_slice(raw),
                }
            }
            0 => return,
            other => {
                // Brackets, commas, colons and the letters of literals stay as they are.
                out.push(other);
                cursor.at += 1;
            }
        }
    }
}
