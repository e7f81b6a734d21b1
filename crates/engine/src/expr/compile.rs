//! Lowering: a plan's expression to a tree of nodes. Each function is sent to the file of its family, which says itself what it serves.

use std::collections::HashMap;
use std::sync::LazyLock;

use weir_base::{Error, Result, Span};
use weir_plan::{DataType, Expr, ExprKind, Function, Value};

use super::metric::OwnMetrics;
use super::node::{InputColumn, Node};
use super::zone::Zone;
use super::{
    arithmetic, array, case, cast, compare, encoding, hash, json, like, literal, logic, map, math, metric, nested,
    printf, random, real, regexp, split, text, text_edit, text_find, text_make, time, time_parts, time_text,
    time_zoned, url,
};

/// A family of functions.
pub(super) struct Family {
    /// What it serves.
    pub(super) functions: &'static [Function],
    /// Makes the node of a call.
    pub(super) compile: fn(Called<'_>) -> Result<Node>,
}

/// A call whose arguments are compiled.
pub(super) struct Called<'a> {
    /// One of the family's functions.
    pub(super) function: Function,
    /// The arguments.
    pub(super) nodes: Vec<Node>,
    /// The type of the result.
    pub(super) data_type: DataType,
    /// `table.local-time-zone`
    pub(super) zone: &'a Zone,
    /// Where the call stands in the script.
    pub(super) span: Span,
}

/// All families.
static FAMILIES: [&Family; 26] = [
    &logic::FAMILY,
    &compare::FAMILY,
    &case::FAMILY,
    &arithmetic::FAMILY,
    &math::FAMILY,
    &real::FAMILY,
    &random::FAMILY,
    &like::FAMILY,
    &regexp::FAMILY,
    &text::FAMILY,
    &text_edit::FAMILY,
    &text_find::FAMILY,
    &text_make::FAMILY,
    &split::FAMILY,
    &printf::FAMILY,
    &hash::FAMILY,
    &encoding::FAMILY,
    &url::FAMILY,
    &time::FAMILY,
    &time_text::FAMILY,
    &time_parts::FAMILY,
    &time_zoned::FAMILY,
    &nested::FAMILY,
    &array::FAMILY,
    &map::FAMILY,
    &json::FAMILY,
];

/// The family of each function.
static FAMILY_OF: LazyLock<HashMap<Function, &'static Family>> = LazyLock::new(|| {
    let of_family = |family: &&'static Family| family.functions.iter().map(|function| (*function, *family)).collect();
    FAMILIES.iter().flat_map(|family| -> Vec<_> { of_family(family) }).collect()
});

/// What all expressions of a job share.
pub(super) struct Compiler<'a> {
    /// `table.local-time-zone`
    pub(super) zone: &'a Zone,
    /// Where metrics of the job's own are shown.
    pub(super) metrics: &'a OwnMetrics,
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

    fn call(&self, function: Function, arguments: &[Expr], data_type: DataType, span: Span) -> Result<Node> {
        match function {
            Function::If => return case::compile_if(self, arguments, &data_type),
            Function::In => return case::compile_in(self, arguments, &data_type, span),
            Function::Coalesce => {
                let parts = arguments.iter().map(|argument| self.compile_as(argument, &data_type));
                return Ok(case::coalesce(parts.collect::<Result<_>>()?, data_type));
            }
            Function::JsonObject | Function::JsonArray => return self.json(function, arguments, data_type, span),
            Function::Greatest | Function::Least => {
                let parts = arguments.iter().map(|argument| self.compile_as(argument, &data_type));
                return compare::extreme(function, parts.collect::<Result<_>>()?, data_type, span);
            }
            _ => {}
        }
        let nodes = arguments.iter().map(|argument| self.compile(argument)).collect::<Result<_>>()?;
        if matches!(function, Function::MetricCount | Function::MetricHistogram) {
            return metric::compile(Called { function, nodes, data_type, zone: self.zone, span }, self.metrics);
        }
        let family = FAMILY_OF
            .get(&function)
            .ok_or_else(|| Error::internal(format!("compile {function:?}: it has no kernel")))?;
        (family.compile)(Called { function, nodes, data_type, zone: self.zone, span })
    }

    /// JSON_OBJECT and JSON_ARRAY: what a JSON function makes right inside is put in as JSON, not as a text.
    fn json(&self, function: Function, arguments: &[Expr], data_type: DataType, span: Span) -> Result<Node> {
        let (on_null, arguments) = arguments
            .split_first()
            .ok_or_else(|| Error::internal(format!("compile {function:?}: it has no argument")))?;
        let keeps_nulls = matches!(&on_null.kind, ExprKind::Literal(Value::String(word)) if word == "NULL");
        let is_object = function == Function::JsonObject;
        let (mut nodes, mut parts) = (Vec::with_capacity(arguments.len()), Vec::with_capacity(arguments.len()));
        for (index, argument) in arguments.iter().enumerate() {
            let (part, argument) = match &argument.kind {
                _ if is_object && index % 2 == 0 => (json::Part::Key, argument),
                ExprKind::Call(Function::Json, inner) if inner.len() == 1 => (json::Part::Json, &inner[0]),
                ExprKind::Call(Function::JsonObject | Function::JsonArray, _) => (json::Part::Json, argument),
                _ => (json::Part::Value, argument),
            };
            nodes.push(self.compile(argument)?);
            parts.push(part);
        }
        Ok(json::object_or_array(nodes, parts, is_object, keeps_nulls, data_type, span))
    }
}
