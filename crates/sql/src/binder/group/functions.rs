//! Functions that speak of the grouping rather than of values: `GROUPING`, `GROUPING_ID`, and the auxiliary functions of group windows.
//!
//! While a grouped SELECT is bound each stands in its expressions as a column far behind the scope's; `outputs` puts in what it comes to.

use sqlparser::ast;
use weir_base::Span;
use weir_plan::{DataType, Expr, LogicalType};

use super::legacy::{AuxiliaryCall, auxiliary, auxiliary_call};
use crate::binder::expr::{ExprBinder, plain_arguments};
use crate::binder::refusal::refuse;
use crate::binder::scope::Scope;
use crate::error::SqlError;

/// The column of the first call: behind all that a scope and its aggregates can have.
pub(super) const CALLS_AT: usize = 1 << 31;

/// A call of a function of the grouping.
#[derive(Debug, Clone)]
pub(super) enum GroupCall {
    /// `GROUPING(a, ...)` and `GROUPING_ID(a, ...)`: a bit for each argument, set where it is not grouped by.
    Grouping(Vec<Expr>),
    /// `GROUP_ID()`: 0.
    GroupId,
    /// `TUMBLE_START(...)` and its kin.
    Auxiliary(AuxiliaryCall),
}

/// The calls of one SELECT.
#[derive(Debug, Default)]
pub(in crate::binder) struct GroupCalls {
    pub(super) calls: Vec<GroupCall>,
}

/// Whether the function called `name` speaks of the grouping.
pub(in crate::binder) fn is_group_function(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    matches!(upper.as_str(), "GROUPING" | "GROUPING_ID" | "GROUP_ID") || auxiliary(&upper).is_some()
}

impl GroupCalls {
    /// Binds a call; gives the column that stands for it.
    pub(in crate::binder) fn bind(
        &mut self,
        scope: &Scope,
        name: &str,
        function: &ast::Function,
        span: Span,
    ) -> Result<Expr, SqlError> {
        let upper = name.to_ascii_uppercase();
        let number = DataType::not_null(LogicalType::BigInt);
        let (call, data_type) = match upper.as_str() {
            "GROUPING" | "GROUPING_ID" => {
                let arguments = plain_arguments(function, &upper, span)?;
                if arguments.is_empty() {
                    return Err(refuse(
                        span,
                        format!("Invalid number of arguments to function '{upper}'. Was expecting 1 arguments"),
                    ));
                }
                let binder = ExprBinder::new(scope);
                let arguments = arguments.into_iter().map(|tree| binder.bind(tree)).collect::<Result<_, _>>()?;
                (GroupCall::Grouping(arguments), number)
            }
            "GROUP_ID" => {
                if !plain_arguments(function, &upper, span)?.is_empty() {
                    return Err(refuse(
                        span,
                        "Invalid number of arguments to function 'GROUP_ID'. Was expecting 0 arguments",
                    ));
                }
                (GroupCall::GroupId, number)
            }
            _ => {
                let (call, data_type) = auxiliary_call(function, scope, span)?;
                (GroupCall::Auxiliary(call), data_type)
            }
        };
        self.calls.push(call);
        Ok(Expr::column(CALLS_AT + self.calls.len() - 1, data_type).at(span))
    }
}
