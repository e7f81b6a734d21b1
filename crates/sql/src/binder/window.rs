//! Window functions in FROM: `TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND [, offset]))`.

use sqlparser::ast::{self, FunctionArg, FunctionArgExpr, Spanned as _};
use weir_base::Span;
use weir_plan::{DataType, LogicalType, TimeDomain};

use super::expr::interval_literal;
use super::query::QueryBinder;
use super::refusal::{not_supported, refuse};
use super::rel::{Rel, RelColumn, RelId, RelOp, Window};
use super::scope::Attribute;
use super::types::calcite_name;
use crate::catalog::display_name;
use crate::dialect::{TableFunction, function_args, table_argument};
use crate::error::{SqlError, did_you_mean, span_of};

/// How the function is called, in Flink's messages.
const FORM: &str = "TUMBLE(TABLE table_name, DESCRIPTOR(timecol), datetime interval[, datetime interval])";

/// The names of the arguments, in order.
const ARGUMENTS: [&str; 4] = ["DATA", "TIMECOL", "SIZE", "OFFSET"];

impl QueryBinder<'_> {
    /// Binds a window function over its table.
    pub(super) fn window_function(&mut self, function: &TableFunction<'_>) -> Result<RelId, SqlError> {
        let name = display_name(function.name).to_ascii_uppercase();
        let span = function.span;
        match name.as_str() {
            "TUMBLE" => {}
            "HOP" | "CUMULATE" | "SESSION" => {
                return Err(not_supported(span, format!("the window function {name}")).hint("there is TUMBLE"));
            }
            _ => {
                let hint = did_you_mean(&name, ["TUMBLE"]);
                return Err(refuse(span, format!("No match found for function signature {name}")).hint_maybe(hint));
            }
        }
        let [data, time, size, offset] = arguments(function.args, span)?;
        let (Some(data), Some(time), Some(size)) = (data, time, size) else {
            return Err(refuse(span, "Invalid number of arguments to function 'TUMBLE'")
                .hint(format!("supported form(s): {FORM}")));
        };
        let wrong =
            |place: Span| refuse(place, "TUMBLE needs a table first").hint(format!("supported form(s): {FORM}"));
        let place = span_of(data.span());
        let table = table_argument(data).ok_or_else(|| wrong(place))?;
        if !table.partition_by.is_empty() || !table.order_by.is_empty() {
            return Err(refuse(table.span, "TUMBLE takes no PARTITION BY or ORDER BY behind its table")
                .hint("put the key into GROUP BY"));
        }
        let input = self.named(&table.name, table.span)?;
        let (column, place) = self.descriptor(time, input)?;
        let size_ms = interval_literal(size, "The window size of TUMBLE")?;
        if size_ms <= 0 {
            let message = format!("Tumbling Window parameters must satisfy size > 0, but got size {size_ms}ms.");
            return Err(refuse(span_of(size.span()), message));
        }
        let offset_ms = offset.map(|tree| interval_literal(tree, "The offset of TUMBLE")).transpose()?.unwrap_or(0);
        if offset_ms.abs() >= size_ms {
            let message = format!(
                "Tumbling Window parameters must satisfy abs(offset) < size, but got size {size_ms}ms and offset {offset_ms}ms."
            );
            return Err(refuse(offset.map_or(span, |tree| span_of(tree.span())), message));
        }
        self.assign(input, column, size_ms, offset_ms, place)
    }

    /// The column that `DESCRIPTOR(ts)` names.
    fn descriptor(&self, tree: &ast::Expr, input: RelId) -> Result<(usize, Span), SqlError> {
        let span = span_of(tree.span());
        let wrong =
            || refuse(span, "TUMBLE needs DESCRIPTOR(timecol) second").hint(format!("supported form(s): {FORM}"));
        let ast::Expr::Function(function) = tree else { return Err(wrong()) };
        if !display_name(&function.name).eq_ignore_ascii_case("DESCRIPTOR") {
            return Err(wrong());
        }
        let [FunctionArg::Unnamed(FunctionArgExpr::Expr(ast::Expr::Identifier(name)))] = function_args(function) else {
            return Err(wrong());
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
        column: usize,
        size_ms: i64,
        offset_ms: i64,
        place: Span,
    ) -> Result<RelId, SqlError> {
        let below = self.dag.get(input).clone();
        let time_column = &below.columns[column];
        let time = match time_column.attribute {
            Attribute::RowTime => TimeDomain::Event(column),
            Attribute::ProcTime => TimeDomain::Processing,
            _ => {
                let got = calcite_name(&time_column.data_type.logical);
                return Err(refuse(
                    place,
                    format!("The window function requires the timecol is a time attribute type, but is {got}."),
                )
                .hint(
                    "a time attribute is the WATERMARK column of a table or a PROCTIME() column, passed on unchanged",
                ));
            }
        };
        let local_time = matches!(time_column.data_type.logical, LogicalType::TimestampLtz(_));
        let point = |name: &str, logical: LogicalType, attribute: Attribute| RelColumn {
            name: name.to_owned(),
            data_type: DataType::not_null(logical),
            attribute,
        };
        let end = if local_time { LogicalType::TimestampLtz(3) } else { LogicalType::Timestamp(3) };
        let mut columns = below.columns.clone();
        columns.push(point("window_start", LogicalType::Timestamp(3), Attribute::WindowStart));
        columns.push(point("window_end", LogicalType::Timestamp(3), Attribute::WindowEnd));
        columns.push(point("window_time", end, time_column.attribute));
        let op = RelOp::Window(Window { size_ms, offset_ms, time, local_time });
        Ok(self.dag.add(Rel { op, inputs: vec![input], columns, span: place }))
    }
}

/// Arguments by position or name, in the order of `ARGUMENTS`.
fn arguments(given: &[FunctionArg], span: Span) -> Result<[Option<&ast::Expr>; 4], SqlError> {
    let mut found: [Option<&ast::Expr>; 4] = [None; 4];
    for (position, argument) in given.iter().enumerate() {
        let (index, tree) = match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(tree)) => (Some(position), tree),
            FunctionArg::Named { name, arg: FunctionArgExpr::Expr(tree), .. } => {
                (ARGUMENTS.iter().position(|known| name.value.eq_ignore_ascii_case(known)), tree)
            }
            _ => return Err(refuse(span, "TUMBLE takes no such argument").hint(format!("supported form(s): {FORM}"))),
        };
        let Some(slot) = index.and_then(|index| found.get_mut(index)) else {
            let message = match argument {
                FunctionArg::Named { name, .. } => format!("TUMBLE has no argument '{}'", name.value),
                _ => "Invalid number of arguments to function 'TUMBLE'".to_owned(),
            };
            return Err(refuse(span_of(tree.span()), message).hint(format!("supported form(s): {FORM}")));
        };
        if slot.replace(tree).is_some() {
            return Err(refuse(
                span_of(tree.span()),
                format!("The argument {} of TUMBLE is given twice", ARGUMENTS[index.unwrap_or(0)]),
            ));
        }
    }
    Ok(found)
}
