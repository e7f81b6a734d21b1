//! Comparisons, logic, and the two-sided operators; BETWEEN, IN, LIKE, IS.

use sqlparser::ast::{self, BinaryOperator, UnaryOperator};
use weir_base::Span;
use weir_plan::{CastMode, DataType, Expr, ExprKind, Function, LogicalType, Value};

use super::ExprBinder;
use super::cast::implicit_cast;
use crate::binder::refusal::{not_supported, refuse};
use crate::binder::types::{calcite_name, equality_type, least_restrictive_type, ordering_type, root_name};
use crate::error::SqlError;

impl ExprBinder<'_> {
    pub(super) fn unary(&self, operator: UnaryOperator, inner: &ast::Expr, span: Span) -> Result<Expr, SqlError> {
        match operator {
            UnaryOperator::Not => {
                let inner = typed(self.bind(inner)?)?;
                if inner.data_type.logical == LogicalType::Boolean {
                    return Ok(negated(inner, span));
                }
                let given = calcite_name(&inner.data_type.logical);
                Err(refuse(
                    span,
                    format!(
                        "Cannot apply 'NOT' to arguments of type 'NOT<{given}>'. Supported form(s): 'NOT<BOOLEAN>'"
                    ),
                ))
            }
            UnaryOperator::Minus => match super::literal::smallest_integer(inner, span) {
                Some(smallest) => Ok(smallest),
                None => super::arithmetic::negate(self.bind(inner)?, span),
            },
            UnaryOperator::Plus => super::arithmetic::signed(self.bind(inner)?, '+', span),
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
            B::StringConcat => return self.joined(typed(left)?, typed(right)?, span),
            other => return Err(not_supported(span, format!("the operator {other}"))),
        };
        super::arithmetic::arithmetic(function, left, right, span)
    }

    /// `a || b`
    fn joined(&self, left: Expr, right: Expr, span: Span) -> Result<Expr, SqlError> {
        let (from, to) = (&left.data_type.logical, &right.data_type.logical);
        if from.is_string() && to.is_string() {
            return self.operator(Function::Concat, vec![left, right], span);
        }
        let (from, to) = (calcite_name(from), calcite_name(to));
        Err(refuse(
            span,
            format!(
                "Cannot apply '||' to arguments of type '<{from}> || <{to}>'. Supported form(s): '<STRING> || <STRING>'"
            ),
        )
        .hint("CAST the other side AS STRING"))
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
        let mut arguments: Vec<Expr> = Vec::with_capacity(trees.len());
        for tree in trees.into_iter().rev() {
            arguments.push(typed(self.bind(tree)?)?);
        }
        if let Some(wrong) = arguments.iter().position(|part| part.data_type.logical != LogicalType::Boolean) {
            // Calcite sees a chain as pairs from the left: all before the wrong one are BOOLEAN.
            let sides =
                if wrong == 0 { [&arguments[0], &arguments[1]] } else { [&arguments[wrong - 1], &arguments[wrong]] };
            let [left, right] = sides.map(|side| calcite_name(&side.data_type.logical));
            return Err(refuse(
                arguments[wrong].span,
                format!(
                    "Cannot apply '{name}' to arguments of type '<{left}> {name} <{right}>'. \
                     Supported form(s): '<BOOLEAN> {name} <BOOLEAN>'"
                ),
            ));
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
            E::IsUnknown(inner) => (Function::IsNull, inner),
            E::IsNotUnknown(inner) => (Function::IsNotNull, inner),
            other => return Err(not_supported(span, format!("the expression '{other}'"))),
        };
        if matches!(tree, E::IsNull(_) | E::IsNotNull(_)) {
            return self.operator(function, vec![self.bind(inner)?], span);
        }
        let inner = typed(self.bind(inner)?)?;
        if inner.data_type.logical != LogicalType::Boolean {
            let (given, test) = (calcite_name(&inner.data_type.logical), name_of_test(tree));
            return Err(refuse(
                span,
                format!(
                    "Cannot apply '{test}' to arguments of type '<{given}> {test}'. Supported form(s): '<BOOLEAN> {test}'"
                ),
            ));
        }
        self.operator(function, vec![inner], span)
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
        super::check_copies(&inner, 2, span)?;
        between_bounds(inner, negated, low, high, span)
    }

    /// `a BETWEEN SYMMETRIC b AND c`: the bounds in either order.
    pub(super) fn between_symmetric(&self, parts: &[&ast::Expr], span: Span) -> Result<Expr, SqlError> {
        let [inner, low, high] = parts else {
            return Err(refuse(span, "BETWEEN SYMMETRIC needs two bounds"));
        };
        let (inner, low, high) = (self.bind(inner)?, self.bind(low)?, self.bind(high)?);
        for part in [&inner, &low, &high] {
            super::check_copies(part, 4, span)?;
        }
        let straight = between_bounds(inner.clone(), false, low.clone(), high.clone(), span)?;
        let turned = between_bounds(inner, false, high, low, span)?;
        Ok(all_of(Function::Or, vec![straight, turned], span))
    }

    pub(super) fn in_list(
        &self,
        needle: &ast::Expr,
        list: &[ast::Expr],
        negated: bool,
        span: Span,
    ) -> Result<Expr, SqlError> {
        let needle = typed(self.bind(needle)?)?;
        let items = self.bind_all(list)?;
        let types: Vec<_> = items.iter().map(|item| item.data_type.clone()).collect();
        let Some(common) = least_restrictive_type(&types) else {
            let names: Vec<_> = types.iter().map(|data_type| calcite_name(&data_type.logical)).collect();
            let place = items.first().map_or(span, |item| item.span);
            return Err(refuse(
                place,
                format!("Values in expression list must have compatible types: {}", names.join(", ")),
            ));
        };
        if !fits_needle(&needle.data_type.logical, &common.logical) {
            let names = [&needle.data_type.logical, &common.logical].map(calcite_name);
            return Err(refuse(
                span,
                format!("Values passed to IN operator must have compatible types: {} and {}", names[0], names[1]),
            ));
        }
        let found = if is_row(&needle) && items.iter().all(is_row) {
            let equal = items.into_iter().map(|item| compare(Function::Equal, needle.clone(), item, span));
            all_of(Function::Or, equal.collect::<Result<Vec<_>, _>>()?, span)
        } else {
            in_typed_list(needle, items, span)
        };
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

/// `low <= a AND a <= high`, or its opposite.
fn between_bounds(inner: Expr, negated: bool, low: Expr, high: Expr, span: Span) -> Result<Expr, SqlError> {
    let (outside, inside) = ((Function::Less, Function::Greater), (Function::GreaterOrEqual, Function::LessOrEqual));
    let (with_low, with_high) = if negated { outside } else { inside };
    let parts = vec![compare(with_low, inner.clone(), low, span)?, compare(with_high, inner, high, span)?];
    Ok(all_of(if negated { Function::Or } else { Function::And }, parts, span))
}

/// The expression, unless it is a bare NULL, which has no type where one is needed.
pub(super) fn typed(expr: Expr) -> Result<Expr, SqlError> {
    if expr.data_type.logical == LogicalType::Null {
        return Err(refuse(expr.span, "Illegal use of 'NULL'").hint("write CAST(NULL AS the type)"));
    }
    Ok(expr)
}

/// How a test of a BOOLEAN is written.
fn name_of_test(tree: &ast::Expr) -> &'static str {
    match tree {
        ast::Expr::IsTrue(_) => "IS TRUE",
        ast::Expr::IsNotTrue(_) => "IS NOT TRUE",
        ast::Expr::IsFalse(_) => "IS FALSE",
        ast::Expr::IsNotFalse(_) => "IS NOT FALSE",
        ast::Expr::IsUnknown(_) => "IS UNKNOWN",
        _ => "IS NOT UNKNOWN",
    }
}

/// Whether values of `items` may be looked for by one of `needle`.
fn fits_needle(needle: &LogicalType, items: &LogicalType) -> bool {
    let texts = needle.is_string() != items.is_string();
    let other = if needle.is_string() { items } else { needle };
    equality_type(needle, items).is_some() || (texts && (other.is_numeric() || super::arithmetic::is_time(other)))
}

/// `needle IN (items)`: Flink casts each item to the needle's type, so that `1 IN (1.5)` is TRUE.
fn in_typed_list(needle: Expr, items: Vec<Expr>, span: Span) -> Expr {
    let target = needle.data_type.logical.clone();
    let nullable = needle.data_type.nullable || items.iter().any(|item| item.data_type.nullable);
    let cast = |item: Expr| {
        let texts = target.is_string() && item.data_type.logical.is_string();
        if texts { item } else { implicit_cast(item, &target) }
    };
    let mut arguments: Vec<Expr> = items.into_iter().map(cast).collect();
    arguments.insert(0, needle);
    let data_type = DataType { logical: LogicalType::Boolean, nullable };
    Expr::new(ExprKind::Call(Function::In, arguments), data_type).at(span)
}

/// Whether it is `ROW(a, b)` as it stands.
fn is_row(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::Call(Function::RowOf, _))
}

/// A comparison, both sides cast to the type in which Flink compares them.
pub(super) fn compare(function: Function, left: Expr, right: Expr, span: Span) -> Result<Expr, SqlError> {
    let ordered = is_ordered(function);
    if is_row(&left) && is_row(&right) && matches!(function, Function::Equal | Function::NotEqual) {
        return compare_rows(function, left, right, span);
    }
    let (from, to) = (&left.data_type.logical, &right.data_type.logical);
    if let (LogicalType::Row(fields), LogicalType::Row(others)) = (from, to)
        && matches!(function, Function::IsDistinctFrom | Function::IsNotDistinctFrom)
        && fields.len() == others.len()
    {
        return distinct_rows(function, &left, &right, span);
    }
    if from.is_string() != to.is_string() && *from != LogicalType::Null && *to != LogicalType::Null {
        return compare_text(function, left, right, span);
    }
    let by_cast = matches!(function, Function::Equal | Function::NotEqual);
    let common = if by_cast { equality_type(from, to) } else { ordering_type(from, to) };
    let Some(common) = common else { return Err(incomparable(function, &left, &right, span)) };
    let nested = matches!(common, LogicalType::Array(_) | LogicalType::Map(..) | LogicalType::Row(_));
    if ordered && nested {
        return Err(refuse(span, format!("Comparable type expected, but was '{}'.", left.data_type))
            .hint("compare the fields or elements one by one"));
    }
    // Texts are compared as they are: a longer declared length changes no value. So are DECIMALs but for `=`, and lose no digit.
    let as_they_are = (from.is_string() && to.is_string())
        || (!by_cast && matches!(common, LogicalType::Decimal(..)) && from.is_numeric() && to.is_numeric());
    if as_they_are {
        return Ok(comparison(function, left, right, span));
    }
    let (left, right) = (implicit_cast(left, &common), implicit_cast(right, &common));
    Ok(comparison(function, left, right, span))
}

/// Whether it is `<` or one of its kin.
fn is_ordered(function: Function) -> bool {
    use Function::{Greater, GreaterOrEqual, Less, LessOrEqual};
    matches!(function, Less | LessOrEqual | Greater | GreaterOrEqual)
}

/// The comparison of two sides that have the types in which they are compared.
fn comparison(function: Function, left: Expr, right: Expr, span: Span) -> Expr {
    let nullable = left.data_type.nullable || right.data_type.nullable;
    let data_type = DataType { logical: LogicalType::Boolean, nullable };
    Expr::new(ExprKind::Call(function, vec![left, right]), data_type).at(span)
}

/// `ROW(a, b) = ROW(c, d)` is `a = c AND b = d`.
fn compare_rows(function: Function, left: Expr, right: Expr, span: Span) -> Result<Expr, SqlError> {
    let (ExprKind::Call(_, lefts), ExprKind::Call(_, rights)) = (&left.kind, &right.kind) else {
        return Err(incomparable(function, &left, &right, span));
    };
    if lefts.len() != rights.len() {
        return Err(incomparable(function, &left, &right, span));
    }
    let pairs = lefts.iter().zip(rights).map(|(a, b)| compare(function, a.clone(), b.clone(), span));
    let pairs = pairs.collect::<Result<Vec<_>, _>>()?;
    Ok(all_of(if function == Function::Equal { Function::And } else { Function::Or }, pairs, span))
}

/// Two ROWs are not distinct where no pair of their fields is; and distinct where all pairs are, which is Calcite's doing and kept. A ROW that is NULL has
/// fields that are NULL.
fn distinct_rows(function: Function, left: &Expr, right: &Expr, span: Span) -> Result<Expr, SqlError> {
    let (lefts, rights) = (fields_of(left), fields_of(right));
    for side in [left, right] {
        super::check_copies(side, if is_row(side) { 1 } else { lefts.len() }, span)?;
    }
    let pairs = lefts.into_iter().zip(rights).map(|(a, b)| compare(function, a, b, span));
    let mut all = all_of(Function::And, pairs.collect::<Result<Vec<_>, _>>()?, span);
    all.data_type.nullable = false;
    Ok(all)
}

/// The fields of a ROW as expressions.
fn fields_of(row: &Expr) -> Vec<Expr> {
    if let ExprKind::Call(Function::RowOf, fields) = &row.kind {
        return fields.clone();
    }
    let LogicalType::Row(fields) = &row.data_type.logical else { return Vec::new() };
    let field = |(index, field): (usize, &weir_plan::Field)| {
        let nullable = row.data_type.nullable || field.data_type.nullable;
        let data_type = field.data_type.clone().with_nullable(nullable);
        Expr::new(ExprKind::Field(Box::new(row.clone()), index), data_type).at(row.span)
    };
    fields.iter().enumerate().map(field).collect()
}

/// A text beside a value of another type. `<` and its kin cast the text, as does a constant; `=` and its kin take a text that is no time as NULL,
/// and know no text beside a number.
fn compare_text(function: Function, left: Expr, right: Expr, span: Span) -> Result<Expr, SqlError> {
    let text_first = left.data_type.logical.is_string();
    let (text, value) = if text_first { (left, right) } else { (right, left) };
    let in_order = |text: Expr, value: Expr| if text_first { (text, value) } else { (value, text) };
    let logical = value.data_type.logical.clone();
    let constant = matches!(text.kind, ExprKind::Literal(_));
    if super::arithmetic::is_time(&logical) {
        if is_ordered(function) || constant {
            let (left, right) = in_order(implicit_cast(text, &logical), value);
            return Ok(comparison(function, left, right, span));
        }
        // Of two NOT NULL sides Flink makes a NOT NULL result: NULL shows as FALSE.
        let shows_false = !text.data_type.nullable && !value.data_type.nullable;
        let place = text.span;
        let read = Expr::new(ExprKind::Cast(Box::new(text), CastMode::TryCast), DataType::nullable(logical)).at(place);
        let (left, right) = in_order(read, value);
        let compared = comparison(function, left, right, span);
        let is_test = matches!(function, Function::Equal | Function::NotEqual);
        if shows_false && is_test {
            let data_type = DataType::not_null(LogicalType::Boolean);
            return Ok(Expr::new(ExprKind::Call(Function::IsTrue, vec![compared]), data_type).at(span));
        }
        return Ok(compared);
    }
    if logical.is_numeric() && is_ordered(function) {
        let target = number_beside_text(&logical);
        let (left, right) = in_order(implicit_cast(text, &target), implicit_cast(value, &target));
        return Ok(comparison(function, left, right, span));
    }
    if logical == LogicalType::Boolean && !is_ordered(function) {
        let (left, right) = in_order(text, value);
        return Ok(never_equal(function, left, right, span));
    }
    let (left, right) = in_order(text, value);
    Err(incomparable(function, &left, &right, span))
}

/// The type in which `<` compares a number with a text: integers get some room.
fn number_beside_text(number: &LogicalType) -> LogicalType {
    match number {
        number if number.is_integer() => LogicalType::BigInt,
        number => ordering_type(number, &LogicalType::BigInt).unwrap_or(LogicalType::Double),
    }
}

/// A BOOLEAN beside a text: to Flink's runtime they are objects of two classes, which never are equal.
fn never_equal(function: Function, left: Expr, right: Expr, span: Span) -> Expr {
    let nullable = left.data_type.nullable || right.data_type.nullable;
    let data_type = |nullable| DataType { logical: LogicalType::Boolean, nullable };
    let truth = |value| Expr::new(ExprKind::Literal(Value::Boolean(value)), data_type(false)).at(span);
    let is_null =
        |side: &Expr| Expr::new(ExprKind::Call(Function::IsNull, vec![side.clone()]), data_type(false)).at(span);
    let sides = vec![is_null(&left), is_null(&right)];
    match function {
        Function::Equal | Function::NotEqual if nullable => {
            let null = Expr::new(ExprKind::Literal(Value::Null), data_type(true)).at(span);
            let branches = vec![(all_of(Function::Or, sides, span), null)];
            let otherwise = Box::new(truth(function == Function::NotEqual));
            Expr::new(ExprKind::Case { branches, otherwise }, data_type(true)).at(span)
        }
        Function::Equal | Function::NotEqual => truth(function == Function::NotEqual),
        Function::IsNotDistinctFrom => all_of(Function::And, sides, span),
        _ => {
            let both = all_of(Function::And, sides, span);
            Expr::new(ExprKind::Call(Function::Not, vec![both]), data_type(false)).at(span)
        }
    }
}

fn incomparable(function: Function, left: &Expr, right: &Expr, span: Span) -> SqlError {
    let (from, to) = (&left.data_type.logical, &right.data_type.logical);
    if (from.is_string() && to.is_numeric()) || (to.is_string() && from.is_numeric()) {
        let (left, right) = (root_name(from), root_name(to));
        return refuse(span, format!("implicit type conversion between {left} and {right} is not supported now"))
            .hint("CAST one side to the type of the other");
    }
    let (left, right) = (calcite_name(from), calcite_name(to));
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
