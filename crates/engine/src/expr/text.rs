//! Texts joined: `||`, CONCAT, CONCAT_WS; and the loop over one text that functions of other files share.

use weir_base::Result;
use weir_plan::Function;

use super::compile::{Called, Family};
use super::node::{Apply, Column, EvalError, Node, Scope};
use super::rows::{Failure, Texts, texts};

/// The family.
pub(super) const FAMILY: Family = Family { functions: &[Function::Concat, Function::ConcatWs], compile };

/// One of the functions above; all arguments are texts.
fn compile(call: Called<'_>) -> Result<Node> {
    let apply: Apply = if call.function == Function::Concat { Box::new(concat) } else { Box::new(concat_ws) };
    Ok(Node::call(call.nodes, call.data_type, call.span, false, apply))
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

#[cfg(test)]
mod tests;
