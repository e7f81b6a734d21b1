//! Three-valued logic: AND, OR, NOT and the IS tests.
//!
//! AND and OR carry two sets of rows through their parts, "TRUE so far" and "not FALSE so far". A part that can fail is evaluated under the mask of the
//! rows that still need it; one that cannot runs over all rows.

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray};
use arrow_buffer::BooleanBuffer;
use weir_base::{Error, Span};
use weir_plan::{DataType, Function};

use super::compile::Family;
use super::node::{Column, EvalError, Kernel, Node, Scope};
use super::rows::{of_truth, truth};

/// The family.
pub(super) const FAMILY: Family = Family {
    functions: &[
        Function::And,
        Function::Or,
        Function::Not,
        Function::IsNull,
        Function::IsNotNull,
        Function::IsTrue,
        Function::IsFalse,
        Function::IsNotTrue,
        Function::IsNotFalse,
    ],
    compile: |mut call| match call.function {
        Function::And | Function::Or => Ok(connect(call.function, call.nodes, call.data_type)),
        function => {
            let node =
                call.nodes.pop().ok_or_else(|| Error::internal(format!("compile {function:?}: it has no argument")))?;
            Ok(test(function, node, call.data_type, call.span))
        }
    },
};

/// AND or OR over `parts`.
pub(super) fn connect(function: Function, parts: Vec<Node>, data_type: DataType) -> Node {
    let is_fallible = parts.iter().any(|part| part.is_fallible);
    Node::new(Connective { parts, is_or: function == Function::Or }, data_type, is_fallible)
}

/// NOT and the IS tests of one argument.
pub(super) fn test(function: Function, argument: Node, data_type: DataType, span: Span) -> Node {
    let apply = move |columns: &[Column], scope: &Scope<'_>| Ok(tested(function, &columns[0], scope.rows));
    Node::call(vec![argument], data_type, span, false, Box::new(apply))
}

/// The rows where `parts` are TRUE and not FALSE together.
struct Connective {
    parts: Vec<Node>,
    is_or: bool,
}

impl Kernel for Connective {
    fn evaluate(&self, scope: &Scope<'_>) -> Result<Column, EvalError> {
        let mut sets: Option<(BooleanBuffer, BooleanBuffer)> = None;
        for part in &self.parts {
            let (is_true, is_not_false) = match (&sets, part.is_fallible) {
                (Some((all_true, none_false)), true) => {
                    let needed = if self.is_or { scope.narrow(&!all_true) } else { scope.narrow(none_false) };
                    if !needed.has_true() {
                        continue;
                    }
                    let (is_true, is_not_false) = truth(&part.evaluate(&scope.under(&needed))?, scope.rows);
                    if self.is_or { (&is_true & &needed, &is_not_false & &needed) } else { (is_true, is_not_false) }
                }
                _ => truth(&part.evaluate(scope)?, scope.rows),
            };
            sets = Some(match sets {
                None => (is_true, is_not_false),
                Some((a, b)) if self.is_or => (&a | &is_true, &b | &is_not_false),
                Some((a, b)) => (&a & &is_true, &b & &is_not_false),
            });
        }
        let (is_true, is_not_false) = sets.expect("the binder gives AND and OR at least one argument");
        Ok(Column::of_rows(of_truth(is_true, &is_not_false)))
    }
}

/// NOT or an IS test.
fn tested(function: Function, column: &Column, rows: usize) -> ArrayRef {
    let known = |set: BooleanBuffer| -> ArrayRef { Arc::new(BooleanArray::new(set, None)) };
    match function {
        Function::IsNull | Function::IsNotNull => {
            let valid = column
                .array
                .logical_nulls()
                .map_or_else(|| BooleanBuffer::new_set(column.array.len()), |nulls| nulls.into_inner());
            known(if function == Function::IsNull { !&valid } else { valid })
        }
        _ => {
            let (is_true, is_not_false) = truth(column, rows);
            match function {
                Function::IsTrue => known(is_true),
                Function::IsNotTrue => known(!&is_true),
                Function::IsFalse => known(!&is_not_false),
                Function::IsNotFalse => known(is_not_false),
                _ => of_truth(!&is_not_false, &!&is_true),
            }
        }
    }
}

#[cfg(test)]
mod tests;
