//! Lowering: a plan's expression to a tree of nodes. Each function is sent to the file of its family.

use weir_base::{Error, Result, Span};
use weir_plan::{DataType, Expr, ExprKind, Function};

use super::node::{InputColumn, Node};
use super::zone::Zone;
use super::{
    arithmetic, case, cast, compare, json, like, literal, logic, math, nested, regexp, text, text_edit, time,
    time_parts, time_text,
};

/// What all expressions of a job share.
pub(super) struct Compiler<'a> {
    /// `table.local-time-zone`
    pub(super) zone: &'a Zone,
}

impl Compiler<'_> {
    /// `expr` as a node.
    ///
    /// # Errors
    /// It asks for something that is not supported, or the plan is broken.
    pub(super) fn compile(&self, expr: &Expr) -> Result<Node> {
        let data_type = expr.data_type.clone();
        match &expr.kind {
            ExprKind::Column(index) => Ok(Node::new(InputColumn(*index), data_type, false)),
            ExprKind::Literal(value) => Ok(Node::literal(literal::array_of(value, &data_type)?, data_type)),
            ExprKind::Cast(inner, mode) => cast::compile(self.compile(inner)?, &data_type, *mode, self.zone, expr.span),
            ExprKind::Case { branches, otherwise } => case::compile(self, branches, otherwise, &data_type),
            ExprKind::Field(inner, index) => nested::field(self.compile(inner)?, *index, data_type, expr.span),
            ExprKind::Call(function, arguments) => self.call(*function, arguments, data_type, expr.span),
        }
    }

    /// `expr` with the physical type of `data_type`: what a branch of a CASE must have.
    ///
    /// # Errors
    /// As [`Self::compile`].
    pub(super) fn compile_as(&self, expr: &Expr, data_type: &DataType) -> Result<Node> {
        let node = self.compile(expr)?;
        if node.data_type.arrow() == data_type.arrow() {
            return Ok(node);
        }
        cast::compile(node, data_type, weir_plan::CastMode::Cast, self.zone, expr.span)
    }

    fn all(&self, arguments: &[Expr]) -> Result<Vec<Node>> {
        arguments.iter().map(|argument| self.compile(argument)).collect()
    }

    fn call(&self, function: Function, arguments: &[Expr], data_type: DataType, span: Span) -> Result<Node> {
        use Function as F;
        match function {
            F::If => return case::compile_if(self, arguments, &data_type),
            F::In => return case::compile_in(self, arguments, &data_type, span),
            F::Coalesce => {
                let parts = arguments.iter().map(|argument| self.compile_as(argument, &data_type));
                return Ok(case::coalesce(parts.collect::<Result<_>>()?, data_type));
            }
            F::Greatest | F::Least => {
                let parts = arguments.iter().map(|argument| self.compile_as(argument, &data_type));
                return compare::extreme(function, parts.collect::<Result<_>>()?, data_type, span);
            }
            _ => {}
        }
        let nodes = self.all(arguments)?;
        match function {
            F::And | F::Or => Ok(logic::connect(function, nodes, data_type)),
            F::Not | F::IsNull | F::IsNotNull | F::IsTrue | F::IsFalse | F::IsNotTrue | F::IsNotFalse => {
                let node = nodes.into_iter().next().ok_or_else(|| missing(function))?;
                Ok(logic::test(function, node, data_type, span))
            }
            F::Equal
            | F::NotEqual
            | F::Less
            | F::LessOrEqual
            | F::Greater
            | F::GreaterOrEqual
            | F::IsDistinctFrom
            | F::IsNotDistinctFrom => compare::compile(function, nodes, data_type, span),
            F::NullIf => Ok(case::null_if(nodes, data_type, span)),
            F::Add | F::Subtract | F::Multiply | F::Divide | F::Modulo | F::Negate => {
                if nodes.iter().any(|node| time::is_temporal(&node.data_type.logical)) {
                    time::arithmetic(function, nodes, data_type, span)
                } else {
                    arithmetic::compile(function, nodes, data_type, self.zone, span)
                }
            }
            F::Abs
            | F::Floor
            | F::Ceil
            | F::Round
            | F::Truncate
            | F::Power
            | F::Sqrt
            | F::Exp
            | F::Ln
            | F::Log10
            | F::Sign => math::compile(function, nodes, data_type, self.zone, span),
            _ => self.text_or_time(function, nodes, data_type, span),
        }
    }

    fn text_or_time(&self, function: Function, nodes: Vec<Node>, data_type: DataType, span: Span) -> Result<Node> {
        use Function as F;
        match function {
            F::Like | F::SimilarTo => like::compile(function, nodes, data_type, span),
            F::RegexpExtract | F::RegexpReplace | F::Regexp => regexp::compile(function, nodes, data_type, span),
            F::Concat | F::ConcatWs | F::Upper | F::Lower | F::CharLength | F::Position | F::Md5 | F::Sha256 => {
                Ok(text::compile(function, nodes, data_type, span))
            }
            F::TrimBoth
            | F::TrimLeading
            | F::TrimTrailing
            | F::Substring
            | F::Left
            | F::Right
            | F::Replace
            | F::SplitIndex
            | F::Lpad
            | F::Rpad
            | F::Reverse => text_edit::compile(function, nodes, data_type, span),
            F::CurrentTimestamp | F::LocalTimestamp | F::CurrentDate => time::current(function, data_type, self.zone),
            F::ToTimestampLtz | F::ToTimestamp | F::ToDate | F::DateFormat | F::FromUnixtime | F::UnixTimestamp => {
                time_text::compile(function, nodes, data_type, self.zone, span)
            }
            F::Extract | F::FloorTo | F::CeilTo | F::TimestampDiff => {
                time_parts::compile(function, nodes, data_type, self.zone, span)
            }
            F::ArrayOf | F::MapOf | F::RowOf | F::ItemAt | F::Cardinality => {
                nested::compile(function, nodes, data_type, self.zone, span)
            }
            F::JsonValue => json::compile(nodes, data_type, span),
            other => Err(Error::internal(format!("compile {other:?}: it has no kernel"))),
        }
    }
}

/// A function without its argument: a broken plan.
fn missing(function: Function) -> Error {
    Error::internal(format!("compile {function:?}: it has no argument"))
}
