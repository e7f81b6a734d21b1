//! CASE, IF, COALESCE, NULLIF and IN.
//!
//! A choice is made for every row, then the result is put together from the branches' columns (`select`). Branches `x = constant` over one x at the head
//! of a CASE become one dispatch. A branch that can fail is evaluated under the mask of the rows that chose it.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, BooleanArray, new_null_array};
use arrow_buffer::{BooleanBuffer, NullBuffer};
use weir_base::{Result, Span};
use weir_plan::{DataType, Expr, ExprKind, Function};

use super::compare::{compared, compile as compile_comparison};
use super::compile::{Compiler, Family};
use super::dispatch::Dispatch;
use super::node::{Column, EvalError, Kernel, Node, Scope};
use super::rows::{nulls_of, truth};
use super::select;

/// The family.
pub(super) const FAMILY: Family =
    Family { functions: &[Function::NullIf], compile: |call| Ok(null_if(call.nodes, call.data_type, call.span)) };

/// `CASE WHEN ... THEN ... ELSE ... END` of `data_type`.
///
/// # Errors
/// A part does not compile.
pub(super) fn compile(
    compiler: &Compiler<'_>,
    branches: &[(Expr, Expr)],
    otherwise: &Expr,
    data_type: &DataType,
) -> Result<Node> {
    let mut outcomes = Vec::with_capacity(branches.len() + 1);
    for (_, result) in branches {
        outcomes.push(compiler.compile_as(result, data_type)?);
    }
    outcomes.push(compiler.compile_as(otherwise, data_type)?);
    let (head, dispatched) = head_of(compiler, branches)?;
    let conditions =
        branches[dispatched..].iter().map(|(condition, _)| compiler.compile(condition)).collect::<Result<Vec<_>>>()?;
    let is_fallible = outcomes.iter().chain(&conditions).any(|node| node.is_fallible)
        || head.as_ref().is_some_and(|(operand, _)| operand.is_fallible);
    Ok(Node::new(Case { head, dispatched, conditions, outcomes }, data_type.clone(), is_fallible))
}

/// `IF(condition, a, b)`
///
/// # Errors
/// A part does not compile.
pub(super) fn compile_if(compiler: &Compiler<'_>, arguments: &[Expr], data_type: &DataType) -> Result<Node> {
    let branches = [(arguments[0].clone(), arguments[1].clone())];
    compile(compiler, &branches, &arguments[2], data_type)
}

/// The branches `x = constant` that a CASE begins with, as a dispatch over x, and their number.
fn head_of(compiler: &Compiler<'_>, branches: &[(Expr, Expr)]) -> Result<(Option<(Node, Dispatch)>, usize)> {
    let mut operand: Option<&Expr> = None;
    let mut constants = Vec::new();
    let mut dispatched = 0;
    for (number, (condition, _)) in branches.iter().enumerate() {
        let Some((x, values)) = equals_constants(condition) else { break };
        let fits = Dispatch::supports(&x.data_type.arrow())
            && operand.is_none_or(|operand| same(operand, x))
            && values.iter().all(|value| value.data_type.arrow() == x.data_type.arrow());
        if !fits {
            break;
        }
        let number = u16::try_from(number).expect("a CASE has fewer than 65,536 branches");
        for value in values {
            let constant = compiler.compile(value)?.constant.expect("a literal is a constant");
            constants.push((constant, number));
        }
        operand = Some(x);
        dispatched += 1;
    }
    let dispatch = if dispatched < 2 { None } else { Dispatch::new(&constants) };
    match (operand, dispatch) {
        (Some(operand), Some(dispatch)) => Ok((Some((compiler.compile(operand)?, dispatch)), dispatched)),
        _ => Ok((None, 0)),
    }
}

/// `x = constant`, `constant = x` or `x IN (constant, ...)`, as x and the constants.
fn equals_constants(condition: &Expr) -> Option<(&Expr, &[Expr])> {
    let is_literal = |expr: &Expr| matches!(expr.kind, ExprKind::Literal(_));
    match &condition.kind {
        ExprKind::Call(Function::Equal, sides) if is_literal(&sides[1]) && !is_literal(&sides[0]) => {
            Some((&sides[0], &sides[1..]))
        }
        ExprKind::Call(Function::Equal, sides) if is_literal(&sides[0]) && !is_literal(&sides[1]) => {
            Some((&sides[1], &sides[..1]))
        }
        ExprKind::Call(Function::In, items) if items[1..].iter().all(is_literal) => Some((&items[0], &items[1..])),
        _ => None,
    }
}

/// Whether two expressions are the same, wherever they stand.
fn same(left: &Expr, right: &Expr) -> bool {
    let bare = |expr: &Expr| {
        let mut expr = expr.clone();
        expr.rewrite(&mut |part| part.span = Span::default());
        expr
    };
    bare(left) == bare(right)
}

/// A CASE: the last outcome is ELSE's.
struct Case {
    head: Option<(Node, Dispatch)>,
    dispatched: usize,
    conditions: Vec<Node>,
    outcomes: Vec<Node>,
}

impl Kernel for Case {
    fn evaluate(&self, scope: &Scope<'_>) -> Result<Column, EvalError> {
        let rows = scope.rows;
        let last = u16::try_from(self.outcomes.len() - 1).expect("a CASE has fewer than 65,536 branches");
        let mut choice = match &self.head {
            Some((operand, dispatch)) => dispatch.numbers(&operand.evaluate(scope)?, rows, last),
            None => vec![last; rows],
        };
        if !self.conditions.is_empty() {
            let mut open = BooleanBuffer::collect_bool(rows, |row| choice[row] == last);
            for (index, condition) in self.conditions.iter().enumerate() {
                let needed = scope.narrow(&open);
                if !needed.has_true() {
                    break;
                }
                let inner = if condition.is_fallible { scope.under(&needed) } else { *scope };
                let (is_true, _) = truth(&condition.evaluate(&inner)?, rows);
                let chosen = &is_true & &open;
                let number = u16::try_from(self.dispatched + index).expect("a CASE has fewer than 65,536 branches");
                chosen.set_indices().for_each(|row| choice[row] = number);
                open = &open & &!&chosen;
            }
        }
        outcome(&self.outcomes, &choice, scope)
    }
}

/// The chosen outcomes, each evaluated only if chosen, and under the mask of its rows if it can fail.
fn outcome(outcomes: &[Node], choice: &[u16], scope: &Scope<'_>) -> Result<Column, EvalError> {
    let rows = scope.rows;
    let mut columns = Vec::with_capacity(outcomes.len());
    for (number, node) in outcomes.iter().enumerate() {
        if !node.is_fallible {
            columns.push(node.evaluate(scope)?);
            continue;
        }
        let chosen = scope.narrow(&BooleanBuffer::collect_bool(rows, |row| usize::from(choice[row]) == number));
        columns.push(if chosen.has_true() {
            node.evaluate(&scope.under(&chosen))?
        } else {
            Column::constant(new_null_array(&node.data_type.arrow(), 1))
        });
    }
    Ok(Column::of_rows(select::pick(choice, &columns, rows)))
}

/// `COALESCE(a, ...)`
pub(super) fn coalesce(arguments: Vec<Node>, data_type: DataType) -> Node {
    let is_fallible = arguments.iter().any(|argument| argument.is_fallible);
    Node::new(Coalesce { arguments }, data_type, is_fallible)
}

/// The first argument that is not NULL.
struct Coalesce {
    arguments: Vec<Node>,
}

impl Kernel for Coalesce {
    fn evaluate(&self, scope: &Scope<'_>) -> Result<Column, EvalError> {
        let rows = scope.rows;
        let mut choice = vec![0_u16; rows];
        let mut open = BooleanBuffer::new_set(rows);
        let mut columns = Vec::with_capacity(self.arguments.len());
        for (number, argument) in self.arguments.iter().enumerate() {
            let needed = scope.narrow(&open);
            if !needed.has_true() {
                break;
            }
            let inner = if argument.is_fallible { scope.under(&needed) } else { *scope };
            let column = argument.evaluate(&inner)?;
            let number = u16::try_from(number).expect("the binder bounds the number of arguments");
            open.set_indices().for_each(|row| choice[row] = number);
            open = match nulls_of(std::slice::from_ref(&column), rows) {
                None => BooleanBuffer::new_unset(rows),
                Some(nulls) => &open & &!nulls.inner(),
            };
            columns.push(column);
        }
        if columns.is_empty() {
            let column = new_null_array(&self.arguments[0].data_type.arrow(), 1);
            return Ok(Column::constant(column));
        }
        Ok(Column::of_rows(select::pick(&choice, &columns, rows)))
    }
}

/// `NULLIF(a, b)`: a, or NULL where a equals b.
///
/// # Errors
/// The types cannot be compared: a broken plan.
pub(super) fn null_if(arguments: Vec<Node>, data_type: DataType, span: Span) -> Node {
    let apply = move |columns: &[Column], scope: &Scope<'_>| -> Result<ArrayRef, EvalError> {
        let equal = compared(Function::Equal, columns, scope.rows);
        let equal = Column::of_rows(equal);
        let (is_equal, _) = truth(&equal, scope.rows);
        let array = columns[0].clone().into_array(scope.rows);
        let nulled = arrow_select::nullif::nullif(&array, &BooleanArray::new(is_equal, None));
        Ok(nulled.expect("both have a value a row"))
    };
    Node::call(arguments, data_type, span, false, Box::new(apply))
}

/// `needle IN (item, ...)`: by a dispatch where the items are constants of a type that can be dispatched, else by comparisons.
///
/// # Errors
/// A part does not compile.
pub(super) fn compile_in(
    compiler: &Compiler<'_>,
    arguments: &[Expr],
    data_type: &DataType,
    span: Span,
) -> Result<Node> {
    let needle = compiler.compile(&arguments[0])?;
    let items = arguments[1..]
        .iter()
        .map(|item| compiler.compile_as(item, &needle.data_type.clone().with_nullable(true)))
        .collect::<Result<Vec<_>>>()?;
    let constants: Option<Vec<(ArrayRef, u16)>> =
        items.iter().map(|item| item.constant.clone().map(|constant| (constant, 0))).collect();
    if let Some(constants) = constants.filter(|_| Dispatch::supports_in(&needle.data_type.arrow()))
        && let Some(dispatch) = Dispatch::new(&constants)
    {
        let has_null = constants.iter().any(|(constant, _)| constant.is_null(0));
        let apply = move |columns: &[Column], scope: &Scope<'_>| Ok(member(&dispatch, has_null, columns, scope.rows));
        return Ok(Node::call(vec![needle], data_type.clone(), span, false, Box::new(apply)));
    }
    let equals = (1..arguments.len())
        .map(|index| {
            let sides =
                vec![compiler.compile(&arguments[0])?, compiler.compile_as(&arguments[index], &needle.data_type)?];
            compile_comparison(Function::Equal, sides, data_type.clone(), span)
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(super::logic::connect(Function::Or, equals, data_type.clone()))
}

/// TRUE where found; else NULL where the needle is NULL or the list has a NULL; else FALSE.
fn member(dispatch: &Dispatch, has_null: bool, columns: &[Column], rows: usize) -> ArrayRef {
    let numbers = dispatch.numbers(&columns[0], rows, 1);
    let found = BooleanBuffer::collect_bool(rows, |row| numbers[row] == 0);
    let nulls = if has_null { Some(NullBuffer::new(found.clone())) } else { nulls_of(columns, rows) };
    let array = BooleanArray::new(found, nulls);
    Arc::new(array)
}

#[cfg(test)]
mod tests;
