//! Comparisons, logic, and the two-sided operators; BETWEEN, IN, LIKE, IS.

use sqlparser::ast::{self, BinaryOperator, UnaryOperator};
use weir_base::Span;
use weir_plan::{DataType, Expr, ExprKind, Function, LogicalType};

use super::ExprBinder;
use super::cast::implicit_cast;
use crate::binder::refusal::{not_supported, refuse};
use crate::binder::types::{calcite_name, comparison_type};
use crate::error::SqlError;

impl ExprBinder<'_> {
    pub(super) fn unary(&self, operator: UnaryOperator, inner: &ast::Expr, span: Span) -> Result<Expr, SqlError> {
        match operator {
            UnaryOperator::Not => {
                let inner = self.bind(inner)?;
                if inner.data_type.logical == LogicalType::Boolean {
                    return Ok(negated(inner, span));
                }
                self.operator(Function::Not, vec![inner], span)
            }
            UnaryOperator::Minus => match super::literal::smallest_bigint(inner, span) {
                Some(smallest) => Ok(smallest),
                None => super::arithmetic::negate(self.bind(inner)?, span),
            },
            UnaryOperator::Plus => self.bind(inner),
            other => Err(not_supported(span, format!("the operator {other}"))),
        }
    }

    pub(super) fn binary(
        &self,
        left: &ast::Expr,
        operator: &BinaryOperator,
        right: &ast::Expr,
        span: Span,
    ) -> Result<Expr, SqlError> {
        use BinaryOperator as B;
        let comparison = match operator {
            B::And | B::Or => return self.logic(left, operator, right, span),
            B::Eq => Some(Function::Equal),
            B::NotEq => Some(Function::NotEqual),
            B::Lt => Some(Function::Less),
            B::LtEq => Some(Function::LessOrEqual),
            B::Gt => Some(Function::Greater),
            B::GtEq => Some(Function::GreaterOrEqual),
            _ => None,
        };
        let (left, right) = (self.bind(left)?, self.bind(right)?);
        if let Some(function) = comparison {
            return compare(function, left, right, span);
        }
        let function = match operator {
            B::Plus => Function::Add,
            B::Minus => Function::Subtract,
            B::Multiply => Function::Multiply,
            B::Divide => Function::Divide,
            B::Modulo => Function::Modulo,
            B::StringConcat => return self.operator(Function::Concat, vec![left, right], span),
            other => return Err(not_supported(span, format!("the operator {other}"))),
        };
        super::arithmetic::arithmetic(function, left, right, span)
    }

    /// `a AND b AND c` as one call: a chain is as deep as it is long, so it is walked, not called.
    fn logic(
        &self,
        left: &ast::Expr,
        operator: &BinaryOperator,
        right: &ast::Expr,
        span: Span,
    ) -> Result<Expr, SqlError> {
        let mut trees = vec![right];
        let mut rest = left;
        while let ast::Expr::BinaryOp { left, op, right } = rest
            && op == operator
        {
            trees.push(right);
            rest = left;
        }
        trees.push(rest);
        let (function, name) =
            if *operator == BinaryOperator::And { (Function::And, "AND") } else { (Function::Or, "OR") };
        let mut arguments = Vec::with_capacity(trees.len());
        for tree in trees.into_iter().rev() {
            let argument = self.bind(tree)?;
            match argument.data_type.logical {
                LogicalType::Boolean => arguments.push(argument),
                LogicalType::Null => arguments.push(implicit_cast(argument, &LogicalType::Boolean)),
                ref other => {
                    return Err(refuse(
                        argument.span,
                        format!(
                            "Cannot apply '{name}' to an argument of type '<{}>'. Supported form(s): '<BOOLEAN> {name} <BOOLEAN>'",
                            calcite_name(other)
                        ),
                    ));
                }
            }
        }
        Ok(all_of(function, arguments, span))
    }

    pub(super) fn is(&self, tree: &ast::Expr, span: Span) -> Result<Expr, SqlError> {
        use ast::Expr as E;
        let (function, inner) = match tree {
            E::IsNull(inner) => (Function::IsNull, inner),
            E::IsNotNull(inner) => (Function::IsNotNull, inner),
            E::IsTrue(inner) => (Function::IsTrue, inner),
            E::IsNotTrue(inner) => (Function::IsNotTrue, inner),
            E::IsFalse(inner) => (Function::IsFalse, inner),
            E::IsNotFalse(inner) => (Function::IsNotFalse, inner),
            E::IsUnknown(inner) | E::IsNotUnknown(inner) => {
                let function = if matches!(tree, E::IsUnknown(_)) { Function::IsNull } else { Function::IsNotNull };
                let inner = self.bind_condition(inner, "IS UNKNOWN")?;
                return self.operator(function, vec![inner], span);
            }
            other => return Err(not_supported(span, format!("the expression '{other}'"))),
        };
        self.operator(function, vec![self.bind(inner)?], span)
    }

    pub(super) fn distinct(
        &self,
        left: &ast::Expr,
        right: &ast::Expr,
        negated: bool,
        span: Span,
    ) -> Result<Expr, SqlError> {
        let function = if negated { Function::IsNotDistinctFrom } else { Function::IsDistinctFrom };
        let mut expr = compare(function, self.bind(left)?, self.bind(right)?, span)?;
        expr.data_type.nullable = false;
        Ok(expr)
    }

    pub(super) fn between(
        &self,
        inner: &ast::Expr,
        negated: bool,
        low: &ast::Expr,
        high: &ast::Expr,
        span: Span,
    ) -> Result<Expr, SqlError> {
        let (inner, low, high) = (self.bind(inner)?, self.bind(low)?, self.bind(high)?);
        self.check_copies(&inner, 2, span)?;
        let parts = if negated {
            [compare(Function::Less, inner.clone(), low, span)?, compare(Function::Greater, inner, high, span)?]
        } else {
            [
                compare(Function::GreaterOrEqual, inner.clone(), low, span)?,
                compare(Function::LessOrEqual, inner, high, span)?,
            ]
        };
        Ok(all_of(if negated { Function::Or } else { Function::And }, parts.into(), span))
    }

    pub(super) fn in_list(
        &self,
        needle: &ast::Expr,
        list: &[ast::Expr],
        negated: bool,
        span: Span,
    ) -> Result<Expr, SqlError> {
        let mut arguments = vec![self.bind(needle)?];
        arguments.extend(self.bind_all(list)?);
        let mut common = arguments[0].data_type.logical.clone();
        for argument in &arguments[1..] {
            common = comparison_type(&common, &argument.data_type.logical).ok_or_else(|| {
                let (needle, item) =
                    (calcite_name(&arguments[0].data_type.logical), calcite_name(&argument.data_type.logical));
                refuse(
                    argument.span,
                    format!("Values passed to IN operator must have compatible types: {needle} and {item}"),
                )
            })?;
        }
        let nullable = arguments.iter().any(|argument| argument.data_type.nullable);
        if !common.is_string() {
            arguments = arguments.into_iter().map(|argument| implicit_cast(argument, &common)).collect();
        }
        let data_type = DataType { logical: LogicalType::Boolean, nullable };
        let found = Expr::new(ExprKind::Call(Function::In, arguments), data_type).at(span);
        if negated { self.operator(Function::Not, vec![found], span) } else { Ok(found) }
    }

    pub(super) fn like(
        &self,
        function: Function,
        negated: bool,
        [text, pattern]: [&ast::Expr; 2],
        escape: Option<&ast::ValueWithSpan>,
        span: Span,
    ) -> Result<Expr, SqlError> {
        let mut arguments = vec![self.bind(text)?, self.bind(pattern)?];
        if let Some(escape) = escape {
            arguments.push(super::literal::value(escape)?);
        }
        let found = self.operator(function, arguments, span)?;
        if negated { self.operator(Function::Not, vec![found], span) } else { Ok(found) }
    }
}

/// The opposite of a BOOLEAN. NOT goes inward to the comparisons and turns them, as Flink's planner has it: so `NOT (a > b)` is FALSE for NaN,
/// as `a <= b` is.
fn negated(inner: Expr, span: Span) -> Expr {
    use Function as F;
    let data_type = inner.data_type.clone();
    let call = |function, arguments| Expr::new(ExprKind::Call(function, arguments), data_type.clone()).at(span);
    let (function, mut arguments) = match inner.kind {
        ExprKind::Call(function, arguments) => (function, arguments),
        kind => return call(F::Not, vec![Expr { kind, ..inner }]),
    };
    let opposite = match function {
        F::Not if arguments.len() == 1 => return arguments.swap_remove(0),
        F::And | F::Or => {
            let arguments = arguments.into_iter().map(|argument| negated(argument, span)).collect();
            return call(if function == F::And { F::Or } else { F::And }, arguments);
        }
        F::Equal => F::NotEqual,
        F::NotEqual => F::Equal,
        F::Less => F::GreaterOrEqual,
        F::GreaterOrEqual => F::Less,
        F::Greater => F::LessOrEqual,
        F::LessOrEqual => F::Greater,
        F::IsDistinctFrom => F::IsNotDistinctFrom,
        F::IsNotDistinctFrom => F::IsDistinctFrom,
        F::IsNull => F::IsNotNull,
        F::IsNotNull => F::IsNull,
        F::IsTrue => F::IsNotTrue,
        F::IsNotTrue => F::IsTrue,
        F::IsFalse => F::IsNotFalse,
        F::IsNotFalse => F::IsFalse,
        _ => {
            let inner = Expr { kind: ExprKind::Call(function, arguments), ..inner };
            return call(F::Not, vec![inner]);
        }
    };
    call(opposite, arguments)
}

/// AND or OR over BOOLEANs.
pub(in crate::binder) fn all_of(function: Function, arguments: Vec<Expr>, span: Span) -> Expr {
    let nullable = arguments.iter().any(|argument| argument.data_type.nullable);
    let data_type = DataType { logical: LogicalType::Boolean, nullable };
    Expr::new(ExprKind::Call(function, arguments), data_type).at(span)
}

/// A comparison, both sides cast to the type in which Flink compares them.
pub(super) fn compare(function: Function, left: Expr, right: Expr, span: Span) -> Result<Expr, SqlError> {
    let (from, to) = (&left.data_type.logical, &right.data_type.logical);
    let Some(common) = comparison_type(from, to) else { return Err(incomparable(function, &left, &right, span)) };
    let ordered = !matches!(
        function,
        Function::Equal | Function::NotEqual | Function::IsDistinctFrom | Function::IsNotDistinctFrom
    );
    let nested = matches!(common, LogicalType::Array(_) | LogicalType::Map(..) | LogicalType::Row(_));
    if ordered && nested {
        return Err(incomparable(function, &left, &right, span));
    }
    let nullable = left.data_type.nullable || right.data_type.nullable;
    // Texts are compared as they are: a longer declared length changes no value.
    let (left, right) = if common.is_string() && from.is_string() && to.is_string() {
        (left, right)
    } else {
        (implicit_cast(left, &common), implicit_cast(right, &common))
    };
    let data_type = DataType { logical: LogicalType::Boolean, nullable };
    Ok(Expr::new(ExprKind::Call(function, vec![left, right]), data_type).at(span))
}

fn incomparable(function: Function, left: &Expr, right: &Expr, span: Span) -> SqlError {
    let (from, to) = (&left.data_type.logical, &right.data_type.logical);
    let (left, right) = (calcite_name(from), calcite_name(to));
    let texts_and_values = (from.is_string() && (to.is_numeric() || *to == LogicalType::Boolean))
        || (to.is_string() && (from.is_numeric() || *from == LogicalType::Boolean));
    if texts_and_values {
        return refuse(span, format!("implicit type conversion between {left} and {right} is not supported now"))
            .hint("CAST one side to the type of the other");
    }
    let sign = match function {
        Function::Equal => "=",
        Function::NotEqual => "<>",
        Function::Less => "<",
        Function::LessOrEqual => "<=",
        Function::Greater => ">",
        Function::GreaterOrEqual => ">=",
        Function::IsDistinctFrom => "IS DISTINCT FROM",
        _ => "IS NOT DISTINCT FROM",
    };
    refuse(
        span,
        format!(
            "Cannot apply '{sign}' to arguments of type '<{left}> {sign} <{right}>'. \
             Supported form(s): '<COMPARABLE_TYPE> {sign} <COMPARABLE_TYPE>'"
        ),
    )
}
