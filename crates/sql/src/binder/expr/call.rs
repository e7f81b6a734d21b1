//! Function calls: by name, by special syntax, aggregates.

use sqlparser::ast::{self, Spanned as _};
use weir_base::Span;
use weir_plan::{DataType, Expr, ExprKind, Function, LogicalType, Value};

use super::{ExprBinder, arithmetic, compare, unit};
use crate::binder::refusal::{not_supported, refuse};
use crate::binder::types::calcite_name;
use crate::binder::{functions, group};
use crate::catalog::display_name;
use crate::error::{SqlError, span_of};

impl ExprBinder<'_> {
    /// `name(arguments)`
    pub(super) fn function(&self, function: &ast::Function, span: Span) -> Result<Expr, SqlError> {
        let name = display_name(&function.name);
        if function.over.is_some() {
            let Some(overs) = self.overs else {
                return Err(refuse(span, format!("{name}(...) OVER (...) is not allowed here")).hint(
                    "OVER stands in a SELECT list or in QUALIFY, and not inside another OVER or an aggregate function",
                ));
            };
            return overs.borrow_mut().bind(&self.inside_over(), function, span);
        }
        if functions::is_aggregate(&name)
            && let Some(aggregates) = self.aggregates
        {
            return aggregates.borrow_mut().bind(self.scope, &name, function, span);
        }
        if group::is_group_function(&name)
            && let Some(aggregates) = self.aggregates
        {
            return aggregates.borrow_mut().group_calls.bind(self.scope, &name, function, span);
        }
        if function.null_treatment.is_some() || !function.within_group.is_empty() {
            return Err(not_supported(span, format!("IGNORE NULLS, RESPECT NULLS or WITHIN GROUP at {name}")));
        }
        if function.filter.is_some() && !functions::is_aggregate(&name) {
            return Err(refuse(span, "FILTER must be applied to aggregate function")
                .hint(format!("{name} is none: say CASE WHEN ... THEN {name}(...) END")));
        }
        if let Some(call) = self.json(&name, function, span) {
            return call;
        }
        let arguments = plain_arguments(function, &name, span)?;
        let upper = name.to_ascii_uppercase();
        match upper.as_str() {
            "ROW" => self.row(arguments, span),
            "MAP" => self.map(self.bind_all(arguments)?, span),
            "ARRAY" => Err(refuse(span, "An array is written ARRAY[a, b]")),
            crate::dialect::SYMMETRIC_MARKER => self.between_symmetric(&arguments, span),
            "MOD" => self.remainder(arguments, span),
            "NULLIF" => self.null_if(&arguments, span),
            "TYPEOF" => functions::type_of(&self.bind_all(arguments)?, span),
            "TIMESTAMPADD" => self.timestamp_sum(&arguments, span),
            "TIMESTAMPDIFF" => self.timestamp_difference(&arguments, span),
            _ => match unit::of_short_form(&upper) {
                Some(unit) => {
                    let [time] = one(self.bind_all(arguments)?, &upper, span)?;
                    let unit = unit::constant(unit, unit::EXTRACT, &upper, span)?;
                    functions::call("EXTRACT", vec![unit, time], span)
                }
                None => functions::call(&name, self.bind_all(arguments)?, span),
            },
        }
    }

    /// `MOD(a, b)`
    fn remainder(&self, arguments: Vec<&ast::Expr>, span: Span) -> Result<Expr, SqlError> {
        let [left, right] = two(self.bind_all(arguments)?, "MOD", span)?;
        let (from, to) = (&left.data_type.logical, &right.data_type.logical);
        if [from, to].iter().any(|logical| matches!(logical, LogicalType::Float | LogicalType::Double)) {
            let given = format!("MOD(<{}>, <{}>)", calcite_name(from), calcite_name(to));
            let forms = "'MOD(<EXACT_NUMERIC>, <EXACT_NUMERIC>)'";
            let text = format!("Cannot apply 'MOD' to arguments of type '{given}'. Supported form(s): {forms}");
            return Err(refuse(span, text));
        }
        arithmetic::arithmetic(Function::Modulo, left, right, span)
    }

    /// `NULLIF(a, b)` is `CASE WHEN a = b THEN NULL ELSE a END`.
    fn null_if(&self, arguments: &[&ast::Expr], span: Span) -> Result<Expr, SqlError> {
        let [left, right] = two(self.bind_all(arguments.iter().copied())?, "NULLIF", span)?;
        super::check_copies(&left, 2, span)?;
        let data_type = left.data_type.clone().with_nullable(true);
        let equal = compare::compare(Function::Equal, left.clone(), right, span)?;
        let null = Expr::new(ExprKind::Literal(Value::Null), data_type.clone()).at(span);
        // Where both sides are of one type as they stand, the plan has a function of its own for it.
        if let ExprKind::Call(Function::Equal, sides) = &equal.kind
            && sides[0].data_type.logical == left.data_type.logical
        {
            return Ok(Expr::new(ExprKind::Call(Function::NullIf, sides.clone()), data_type).at(span));
        }
        Ok(Expr::new(ExprKind::Case { branches: vec![(equal, null)], otherwise: Box::new(left) }, data_type).at(span))
    }

    /// `TIMESTAMPDIFF(unit, a, b)`
    fn timestamp_difference(&self, arguments: &[&ast::Expr], span: Span) -> Result<Expr, SqlError> {
        let [ast::Expr::Identifier(unit), from, to] = arguments else {
            return Err(
                refuse(span, "TIMESTAMPDIFF takes a unit and two times").hint("write TIMESTAMPDIFF(SECOND, a, b)")
            );
        };
        let unit = unit::constant(&unit.value, unit::DIFFERENCE, "TIMESTAMPDIFF", span_of(unit.span))?;
        functions::call("TIMESTAMPDIFF", vec![unit, self.bind(from)?, self.bind(to)?], span)
    }

    /// `TIMESTAMPADD(unit, count, a)`
    fn timestamp_sum(&self, arguments: &[&ast::Expr], span: Span) -> Result<Expr, SqlError> {
        let [ast::Expr::Identifier(unit), count, point] = arguments else {
            return Err(refuse(span, "TIMESTAMPADD takes a unit, a number and a time")
                .hint("write TIMESTAMPADD(SECOND, 10, a)"));
        };
        let unit = unit::interval(&unit.value, "TIMESTAMPADD", span_of(unit.span))?;
        let (count, point) = (self.bind(count)?, self.bind(point)?);
        if is_untyped(&count.data_type) {
            return Err(refuse(count.span, "Illegal use of 'NULL'").hint("write CAST(NULL AS INT)"));
        }
        if !count.data_type.logical.is_integer() || !arithmetic::is_time(&point.data_type.logical) {
            let months = unit.data_type.logical == LogicalType::IntervalYearMonth;
            let types = format!(
                "TIMESTAMPADD(<INTERVAL {}>, <{}>, <{}>)",
                if months { "MONTH" } else { "SECOND" },
                calcite_name(&count.data_type.logical),
                calcite_name(&point.data_type.logical)
            );
            return Err(refuse(
                span,
                format!(
                    "Cannot apply 'TIMESTAMPADD' to arguments of type '{types}'. \
                     Supported form(s): 'TIMESTAMPADD(<ANY>, <INTEGER>, <DATETIME>)'"
                ),
            ));
        }
        arithmetic::later(unit, count, point, span)
    }

    /// Functions with words between their arguments.
    pub(super) fn special(&self, tree: &ast::Expr, span: Span) -> Result<Expr, SqlError> {
        use ast::Expr as E;
        match tree {
            E::Extract { field, expr, .. } => {
                let unit = unit::constant(&unit::name(field), unit::EXTRACT, "EXTRACT", span)?;
                functions::call("EXTRACT", vec![unit, self.bind(expr)?], span)
            }
            E::Ceil { expr, field } => self.rounded("CEIL", Function::CeilTo, expr, field, span),
            E::Floor { expr, field } => self.rounded("FLOOR", Function::FloorTo, expr, field, span),
            E::Overlay { expr, overlay_what, overlay_from, overlay_for } => {
                let mut arguments = vec![self.bind(expr)?, self.bind(overlay_what)?, self.bind(overlay_from)?];
                if let Some(length) = overlay_for {
                    arguments.push(self.bind(length)?);
                }
                self.operator(Function::Overlay, arguments, span)
            }
            E::Position { expr, r#in } => functions::call("POSITION", vec![self.bind(expr)?, self.bind(r#in)?], span),
            E::Substring { expr, substring_from, substring_for, .. } => {
                let mut arguments = vec![self.bind(expr)?];
                match (substring_from, substring_for) {
                    (Some(from), length) => {
                        arguments.push(self.bind(from)?);
                        if let Some(length) = length {
                            arguments.push(self.bind(length)?);
                        }
                    }
                    (None, _) => {
                        return Err(refuse(span, "SUBSTRING needs FROM").hint("write SUBSTRING(a FROM 1 FOR 3)"));
                    }
                }
                functions::call("SUBSTRING", arguments, span)
            }
            E::Trim { trim_where, trim_what, expr, trim_characters: None } => {
                let mut arguments = vec![self.bind(expr)?];
                if let Some(characters) = trim_what {
                    arguments.push(self.bind(characters)?);
                }
                let mut call = self.operator(Function::TrimBoth, arguments, span)?;
                if let ExprKind::Call(function, _) = &mut call.kind {
                    *function = match trim_where {
                        None | Some(ast::TrimWhereField::Both) => Function::TrimBoth,
                        Some(ast::TrimWhereField::Leading) => Function::TrimLeading,
                        Some(ast::TrimWhereField::Trailing) => Function::TrimTrailing,
                    };
                }
                Ok(call)
            }
            other => Err(not_supported(span, format!("the expression '{other}'"))),
        }
    }

    /// `FLOOR(a)`, `FLOOR(a TO unit)`
    fn rounded(
        &self,
        name: &str,
        to: Function,
        inner: &ast::Expr,
        field: &ast::CeilFloorKind,
        span: Span,
    ) -> Result<Expr, SqlError> {
        let place = inner.span();
        let inner = self.bind(inner)?;
        match field {
            ast::CeilFloorKind::DateTimeField(ast::DateTimeField::NoDateTime) => {
                functions::call(name, vec![inner], span)
            }
            ast::CeilFloorKind::DateTimeField(field) => {
                let unit = unit::constant(&unit::name(field), unit::FLOOR, name, span)?;
                self.operator(to, vec![inner, unit], span)
            }
            ast::CeilFloorKind::Scale(_) => Err(refuse(
                span_of(place),
                format!("Invalid number of arguments to function '{name}'. Was expecting 1 arguments"),
            )),
        }
    }
}

/// The arguments of a call that takes expressions only.
pub(in crate::binder) fn plain_arguments<'t>(
    function: &'t ast::Function,
    name: &str,
    span: Span,
) -> Result<Vec<&'t ast::Expr>, SqlError> {
    let list = match &function.args {
        ast::FunctionArguments::None => return Ok(Vec::new()),
        ast::FunctionArguments::List(list) => list,
        ast::FunctionArguments::Subquery(_) => return Err(not_supported(span, "a subquery as an argument")),
    };
    if list.duplicate_treatment.is_some() {
        return Err(refuse(span, format!("DISTINCT or ALL is only for aggregate functions, which {name} is not here")));
    }
    if let Some(clause) = list.clauses.first() {
        return Err(not_supported(span, format!("'{clause}' inside {name}(...)")));
    }
    let arguments = list.args.iter().map(|argument| match argument {
        ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(tree)) => Ok(tree),
        ast::FunctionArg::Unnamed(_) => Err(refuse(span, format!("* is no argument of {name}"))),
        _ => Err(not_supported(span, format!("a named argument of {name}"))),
    });
    arguments.collect()
}

fn one(arguments: Vec<Expr>, name: &str, span: Span) -> Result<[Expr; 1], SqlError> {
    <[Expr; 1]>::try_from(arguments).map_err(|_| {
        refuse(span, format!("Invalid number of arguments to function '{name}'. Was expecting 1 arguments"))
    })
}

fn two(arguments: Vec<Expr>, name: &str, span: Span) -> Result<[Expr; 2], SqlError> {
    <[Expr; 2]>::try_from(arguments).map_err(|_| {
        refuse(span, format!("Invalid number of arguments to function '{name}'. Was expecting 2 arguments"))
    })
}

/// The type of a bare NULL.
pub(in crate::binder) fn is_untyped(data_type: &DataType) -> bool {
    data_type.logical == LogicalType::Null
}
