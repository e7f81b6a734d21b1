//! JSON_QUOTE and JSON_UNQUOTE.

use std::fmt::Write as _;

use weir_base::{Result, Span};
use weir_plan::{DataType, Function};

use super::super::node::Node;
use super::super::text::mapped;
use super::dom::Json;
use super::scan::unescape;

/// One of the two.
///
/// # Errors
/// None: as its siblings.
pub(super) fn compile(function: Function, nodes: Vec<Node>, data_type: DataType, span: Span) -> Result<Node> {
    let apply = if function == Function::JsonQuote { mapped(quote) } else { mapped(unquote) };
    Ok(Node::call(nodes, data_type, span, false, apply))
}

/// `text` in quotes, with Flink's escapes: what is not ASCII by its code point.
fn quote(text: &str, out: &mut String) {
    out.push('"');
    for ch in text.chars() {
        match ch {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '/' => out.push_str("\\/"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..='\u{7f}' => out.push(ch),
            other => {
                // Writing into a String cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(other));
                // Of a character beyond 16 bits Flink writes the code point, then its second half again: kept.
                if let [_, second] = *other.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{second:04x}");
                }
            }
        }
    }
    out.push('"');
}

/// `text` without its quotes and escapes, if it is a JSON text in quotes; else as it is.
fn unquote(text: &str, out: &mut String) {
    let inner = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let Some(inner) = inner.filter(|_| Json::parse(text).is_some()) else {
        out.push_str(text);
        return;
    };
    if !unescape(inner, out) {
        out.clear();
        out.push_str(text);
    }
}
