//! Window functions in FROM: `TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND [, offset]))`, HOP, CUMULATE and SESSION.

use sqlparser::ast::{self, FunctionArg, FunctionArgExpr, Spanned as _};
use weir_base::Span;
use weir_plan::{DataType, LogicalType, TimeDomain, WindowKind, WindowSpec};

use super::expr::interval_literal;
use super::query::QueryBinder;
use super::refusal::{not_supported, refuse};
use super::rel::{Rel, RelColumn, RelId, RelOp, Window};
use super::scope::Attribute;
use super::types::calcite_name;
use crate::catalog::display_name;
use crate::dialect::{TableArgument, TableFunction, function_args, table_argument};
use crate::error::{SqlError, did_you_mean, span_of};

/// What a window function is called and takes.
struct Signature {
    name: &'static str,
    /// How it is called, in Flink's messages.
    form: &'static str,
    /// Its arguments in order.
    arguments: &'static [&'static str],
    /// How many of them must be there.
    required: usize,
}

const SIGNATURES: [Signature; 4] = [
    Signature {
        name: "TUMBLE",
        form: "TUMBLE(TABLE table_name, DESCRIPTOR(timecol), datetime interval[, datetime interval])",
        arguments: &["DATA", "TIMECOL", "SIZE", "OFFSET"],
        required: 3,
    },
    Signature {
        name: "HOP",
        form: "HOP(TABLE table_name, DESCRIPTOR(timecol), datetime interval, datetime interval[, datetime interval])",
        arguments: &["DATA", "TIMECOL", "SLIDE", "SIZE", "OFFSET"],
        required: 4,
    },
    Signature {
        name: "CUMULATE",
        form: "CUMULATE(TABLE table_name, DESCRIPTOR(timecol), datetime interval, datetime interval[, datetime interval])",
        arguments: &["DATA", "TIMECOL", "STEP", "SIZE", "OFFSET"],
        required: 4,
    },
    Signature {
        name: "SESSION",
        form: "SESSION(TABLE table_name [PARTITION BY (cols, ...)], DESCRIPTOR(timecol), datetime interval)",
        arguments: &["DATA", "TIMECOL", "GAP"],
        required: 3,
    },
];

/// A call with its arguments in the order of its signature.
struct Call<'t> {
    signature: &'static Signature,
    arguments: Vec<Option<&'t ast::Expr>>,
    span: Span,
}

/// Table functions of Flink that are still to come.
const TO_COME: [&str; 4] = ["DEDUPLICATE_KEEP_FIRST", "FROM_CHANGELOG", "ML_PREDICT", "TO_CHANGELOG"];

impl QueryBinder<'_> {
    /// Binds a window function over its table.
    pub(super) fn window_function(&mut self, function: &TableFunction<'_>) -> Result<RelId, SqlError> {
        let name = display_name(function.name).to_ascii_uppercase();
        let span = function.span;
        let Some(signature) = SIGNATURES.iter().find(|signature| signature.name == name) else {
            if TO_COME.contains(&name.as_str()) {
                return Err(not_supported(span, format!("the table function {name}")));
            }
            let hint = did_you_mean(&name, SIGNATURES.iter().map(|signature| signature.name));
            return Err(refuse(span, format!("No match found for function signature {name}")).hint_maybe(hint));
        };
        let call = Call::new(signature, function.args, span)?;
        let (input, keys) = self.window_input(&call)?;
        let (column, place) = self.descriptor(&call, input)?;
        let kind = call.kind()?;
        let offset_ms = call.offset(kind)?;
        self.assign(input, keys, column, WindowSpec { kind, offset_ms, local_time: false }, place)
    }

    /// What the function reads, and the columns of `PARTITION BY`.
    fn window_input(&mut self, call: &Call<'_>) -> Result<(RelId, Vec<usize>), SqlError> {
        let data = call.present(0)?;
        if let ast::Expr::Subquery(query) = data {
            return Ok((self.nested(query)?, Vec::new()));
        }
        let place = span_of(data.span());
        let table = match data {
            ast::Expr::Identifier(_) | ast::Expr::CompoundIdentifier(_) => None,
            _ => table_argument(data),
        };
        let table = table.ok_or_else(|| call.wrong(place, "needs a table first"))?;
        let input = self.named(&table.name, table.span)?;
        let keys = self.partition(call, &table, input)?;
        Ok((input, keys))
    }

    fn partition(&self, call: &Call<'_>, table: &TableArgument<'_>, input: RelId) -> Result<Vec<usize>, SqlError> {
        let name = call.signature.name;
        if let Some(key) = table.partition_by.first().filter(|_| name != "SESSION") {
            return Err(refuse(
                span_of(key.span()),
                format!("Only tables with set semantics may be partitioned. Invalid PARTITION BY clause in the 0-th operand of table function '{name}'"),
            )
            .hint("leave PARTITION BY out: put the key into GROUP BY"));
        }
        if let Some(key) = table.order_by.first() {
            return Err(not_supported(span_of(key.span()), format!("ORDER BY behind the table of {name}"))
                .hint("leave it out: rows come into their windows by their time"));
        }
        let columns = &self.dag.get(input).columns;
        let column = |tree: &&ast::Expr| {
            let span = span_of(tree.span());
            let ast::Expr::Identifier(name) = tree else {
                return Err(not_supported(span, "PARTITION BY an expression").hint("name a column of the table"));
            };
            columns.iter().position(|column| column.name == name.value).ok_or_else(|| {
                let hint = did_you_mean(&name.value, columns.iter().map(|column| column.name.as_str()));
                refuse(span, format!("Unknown identifier '{}'", name.value)).hint_maybe(hint)
            })
        };
        table.partition_by.iter().map(column).collect()
    }

    /// The column that `DESCRIPTOR(ts)` names.
    fn descriptor(&self, call: &Call<'_>, input: RelId) -> Result<(usize, Span), SqlError> {
        let tree = call.present(1)?;
        let wrong = || call.wrong(span_of(tree.span()), "needs DESCRIPTOR(timecol) second");
        let ast::Expr::Function(function) = tree else { return Err(wrong()) };
        if !display_name(&function.name).eq_ignore_ascii_case("DESCRIPTOR") {
            return Err(wrong());
        }
        let name = match function_args(function) {
            [FunctionArg::Unnamed(FunctionArgExpr::Expr(ast::Expr::Identifier(name)))] => name,
            [FunctionArg::Unnamed(FunctionArgExpr::Expr(ast::Expr::CompoundIdentifier(parts)))] => {
                let span = parts.first().map_or(call.span, |part| span_of(part.span));
                return Err(refuse(span, "Table or column alias must be a simple identifier")
                    .hint("name the column alone: DESCRIPTOR(ts)"));
            }
            _ => return Err(wrong()),
        };
        let columns = &self.dag.get(input).columns;
        match columns.iter().position(|column| column.name == name.value) {
            Some(index) => Ok((index, span_of(name.span))),
            None => {
                let hint = did_you_mean(&name.value, columns.iter().map(|column| column.name.as_str()));
                Err(refuse(span_of(name.span), format!("Unknown identifier '{}'", name.value)).hint_maybe(hint))
            }
        }
    }

    fn assign(
        &mut self,
        input: RelId,
        keys: Vec<usize>,
        column: usize,
        spec: WindowSpec,
        place: Span,
    ) -> Result<RelId, SqlError> {
        let below = self.dag.get(input).clone();
        let time_column = &below.columns[column];
        let time = match time_column.attribute {
            Attribute::RowTime => TimeDomain::Event(column),
            Attribute::ProcTime => TimeDomain::Processing,
            _ => return Err(no_time(&time_column.data_type.logical, spec.kind, place)),
        };
        let local_time = matches!(time_column.data_type.logical, LogicalType::TimestampLtz(_));
        let point = |name: &str, logical: LogicalType, attribute: Attribute| RelColumn {
            name: name.to_owned(),
            data_type: DataType::not_null(logical),
            attribute,
        };
        let end = if local_time { LogicalType::TimestampLtz(3) } else { LogicalType::Timestamp(3) };
        let mut columns = below.columns.clone();
        for column in &mut columns {
            // Windows of an earlier function are plain times behind this one.
            if matches!(column.attribute, Attribute::WindowStart | Attribute::WindowEnd) {
                column.attribute = Attribute::None;
            }
        }
        columns.push(point("window_start", LogicalType::Timestamp(3), Attribute::WindowStart));
        columns.push(point("window_end", LogicalType::Timestamp(3), Attribute::WindowEnd));
        columns.push(point("window_time", end, time_column.attribute));
        let op = RelOp::Window(Window { spec: WindowSpec { local_time, ..spec }, time, keys });
        Ok(self.dag.add(Rel { op, inputs: vec![input], columns, span: place }))
    }
}

/// The time column is no time attribute.
fn no_time(logical: &LogicalType, kind: WindowKind, place: Span) -> SqlError {
    let got = calcite_name(logical);
    let message = if matches!(logical, LogicalType::Timestamp(_) | LogicalType::TimestampLtz(_)) {
        format!("The window function requires the timecol is a time attribute type, but is {got}.")
    } else {
        let form = SIGNATURES.iter().find(|signature| signature.name == kind.name()).map_or("", |found| found.form);
        format!("The window function {form} requires the timecol to be TIMESTAMP or TIMESTAMP_LTZ, but is {got}.")
    };
    refuse(place, message)
        .hint("a time attribute is the WATERMARK column of a table or a PROCTIME() column, passed on unchanged")
}

impl<'t> Call<'t> {
    /// Arguments by position or name.
    fn new(signature: &'static Signature, given: &'t [FunctionArg], span: Span) -> Result<Self, SqlError> {
        let mut call = Self { signature, arguments: vec![None; signature.arguments.len()], span };
        for (position, argument) in given.iter().enumerate() {
            let (index, tree) = match argument {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(tree)) => (Some(position), tree),
                FunctionArg::Named { name, arg: FunctionArgExpr::Expr(tree), .. } => {
                    let index = signature.arguments.iter().position(|known| name.value.eq_ignore_ascii_case(known));
                    if index.is_none() {
                        let message = format!("{} has no argument '{}'", signature.name, name.value);
                        let hint = did_you_mean(&name.value.to_ascii_uppercase(), signature.arguments.iter().copied())
                            .unwrap_or_else(|| format!("its arguments are {}", signature.arguments.join(", ")));
                        return Err(refuse(span_of(name.span), message).hint(hint));
                    }
                    (index, tree)
                }
                _ => return Err(call.wrong(span, "takes no such argument")),
            };
            let Some(slot) = index.and_then(|index| call.arguments.get_mut(index)) else {
                return Err(call.wrong_count(span_of(tree.span())));
            };
            if slot.replace(tree).is_some() {
                let name = signature.arguments[index.unwrap_or(0)];
                let message = format!("The argument {name} of {} is given twice", signature.name);
                return Err(refuse(span_of(tree.span()), message));
            }
        }
        if call.arguments[..signature.required].iter().any(Option::is_none) {
            return Err(call.wrong_count(span));
        }
        Ok(call)
    }

    fn wrong(&self, place: Span, what: &str) -> SqlError {
        refuse(place, format!("{} {what}", self.signature.name))
            .hint(format!("supported form(s): {}", self.signature.form))
    }

    fn wrong_count(&self, place: Span) -> SqlError {
        let Signature { name, form, required, .. } = self.signature;
        refuse(place, format!("Invalid number of arguments to function '{name}'. Was expecting {required} arguments"))
            .hint(format!("supported form(s): {form}"))
    }

    fn present(&self, index: usize) -> Result<&'t ast::Expr, SqlError> {
        self.arguments[index].ok_or_else(|| self.wrong_count(self.span))
    }

    /// The interval at `index`, in milliseconds, and its place.
    fn interval(&self, index: usize) -> Result<(i64, Span), SqlError> {
        let tree = self.present(index)?;
        let what = format!("The argument {} of {}", self.signature.arguments[index], self.signature.name);
        Ok((window_interval(tree, &what)?, span_of(tree.span())))
    }

    /// The kind with its sizes, checked as Flink does.
    fn kind(&self) -> Result<WindowKind, SqlError> {
        let name = self.signature.name;
        let (first, place) = self.interval(2)?;
        let positive = |message: String| refuse(place, format!("{name} table function based aggregate {message}"));
        Ok(match name {
            "TUMBLE" if first <= 0 => {
                return Err(positive(format!("requires size to be positive, but got {first} ms.")));
            }
            "TUMBLE" => WindowKind::Tumble { size_ms: first },
            "SESSION" if first <= 0 => {
                return Err(positive(format!("requires gap to be positive, but got gap {first} ms.")));
            }
            "SESSION" => WindowKind::Session { gap_ms: first },
            "HOP" => {
                let (size_ms, _) = self.interval(3)?;
                if first <= 0 || size_ms <= 0 {
                    let got = format!("slide {first} ms and size {size_ms} ms.");
                    return Err(positive(format!("requires slide and size to be positive, but got {got}")));
                }
                WindowKind::Hop { slide_ms: first, size_ms }
            }
            _ => {
                let (size_ms, _) = self.interval(3)?;
                let got = format!("but got maxSize {size_ms} ms and step {first} ms.");
                if first <= 0 || size_ms <= 0 {
                    return Err(positive(format!("requires maxSize and step to be positive, {got}")));
                }
                if size_ms % first != 0 {
                    return Err(positive(format!("requires maxSize must be an integral multiple of step, {got}")));
                }
                WindowKind::Cumulate { step_ms: first, size_ms }
            }
        })
    }

    fn offset(&self, kind: WindowKind) -> Result<i64, SqlError> {
        let index = self.signature.required;
        if self.arguments.get(index).copied().flatten().is_none() {
            return Ok(0);
        }
        let (offset_ms, place) = self.interval(index)?;
        match kind {
            WindowKind::Tumble { size_ms } if offset_ms.unsigned_abs() >= size_ms.unsigned_abs() => Err(refuse(
                place,
                format!(
                    "TUMBLE table function parameters must satisfy abs(offset) < size, but got size {size_ms} ms and offset {offset_ms} ms."
                ),
            )),
            _ => Ok(offset_ms),
        }
    }
}

/// The milliseconds of an interval of a window.
pub(super) fn window_interval(tree: &ast::Expr, what: &str) -> Result<i64, SqlError> {
    let months = |tree: &ast::Expr| match tree {
        ast::Expr::Interval(interval) => matches!(
            interval.leading_field,
            Some(
                ast::DateTimeField::Year
                    | ast::DateTimeField::Years
                    | ast::DateTimeField::Month
                    | ast::DateTimeField::Months
                    | ast::DateTimeField::Quarter
            )
        ),
        _ => false,
    };
    if months(tree) {
        return Err(refuse(
            span_of(tree.span()),
            "Window aggregate only support SECOND, MINUTE, HOUR, DAY as the time unit. MONTH and YEAR time unit are not supported yet.",
        ));
    }
    interval_literal(tree, what)
}
