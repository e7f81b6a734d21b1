//! `CASE` in both forms.

use sqlparser::ast;
use weir_base::Span;
use weir_plan::{DataType, Expr, ExprKind, Function, LogicalType, Value};

use super::ExprBinder;
use super::cast::implicit_cast;
use super::compare::compare;
use crate::binder::refusal::refuse;
use crate::binder::types::{calcite_name, least_restrictive_type};
use crate::error::SqlError;

impl ExprBinder<'_> {
    /// `CASE [operand] WHEN ... THEN ... [ELSE ...] END`; with an operand each WHEN is compared with it.
    pub(super) fn case(
        &self,
        operand: Option<&ast::Expr>,
        whens: &[ast::CaseWhen],
        otherwise: Option<&ast::Expr>,
        span: Span,
    ) -> Result<Expr, SqlError> {
        let operand = operand.map(|operand| self.bind(operand)).transpose()?;
        if let Some(operand) = &operand {
            super::check_copies(operand, whens.len(), span)?;
        }
        let mut conditions = Vec::with_capacity(whens.len());
        let mut results = Vec::with_capacity(whens.len() + 1);
        for when in whens {
            conditions.push(match &operand {
                None => self.bind_condition(&when.condition, "WHEN")?,
                Some(operand) => {
                    let value = self.bind(&when.condition)?;
                    let place = value.span;
                    compare(Function::Equal, operand.clone(), value, place)?
                }
            });
            results.push(self.bind(&when.result)?);
        }
        results.push(match otherwise {
            Some(otherwise) => self.bind(otherwise)?,
            None => Expr::new(ExprKind::Literal(Value::Null), DataType::nullable(LogicalType::Null)).at(span),
        });
        let types: Vec<_> = results.iter().map(|result| result.data_type.clone()).collect();
        let Some(common) = least_restrictive_type(&types) else {
            let names: Vec<_> = types.iter().map(|data_type| calcite_name(&data_type.logical)).collect();
            return Err(refuse(
                span,
                format!("Illegal mixing of types in CASE or COALESCE statement: {}", names.join(", ")),
            ));
        };
        if common.logical == LogicalType::Null {
            return Err(refuse(span, "ELSE clause or at least one THEN clause must be non-NULL"));
        }
        let mut results = results.into_iter().map(|result| implicit_cast(result, &common.logical));
        let branches: Vec<_> = conditions.into_iter().zip(results.by_ref()).collect();
        let otherwise = Box::new(results.next().expect("a CASE has one result more than conditions"));
        Ok(Expr::new(ExprKind::Case { branches, otherwise }, common).at(span))
    }
}
