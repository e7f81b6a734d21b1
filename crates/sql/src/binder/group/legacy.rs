//! Group windows, the legacy form: `GROUP BY TUMBLE(ts, INTERVAL '10' SECOND)` with `TUMBLE_START(...)` and its kin in the SELECT list.

use sqlparser::ast::{self, Spanned as _};
use weir_base::Span;
use weir_plan::{DataType, Expr, ExprKind, LogicalType, TimeDomain, WindowKind, WindowSpec};

use crate::binder::expr::{ExprBinder, plain_arguments};
use crate::binder::refusal::refuse;
use crate::binder::scope::{Attribute, Scope};
use crate::binder::source::is_proctime;
use crate::binder::types::calcite_name;
use crate::binder::window::window_interval;
use crate::catalog::display_name;
use crate::error::{SqlError, span_of};

/// The group windows with their intervals.
const GROUP_WINDOWS: [(&str, usize); 3] = [("TUMBLE", 1), ("HOP", 2), ("SESSION", 1)];

/// A window in GROUP BY, or in an auxiliary function that speaks of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LegacyWindow {
    /// The windows.
    pub spec: WindowSpec,
    /// The time attribute.
    pub time: TimeDomain,
    /// The type of the time attribute.
    pub logical: LogicalType,
}

/// What an auxiliary function tells of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::binder) enum Auxiliary {
    /// `TUMBLE_START`
    Start,
    /// `TUMBLE_END`
    End,
    /// `TUMBLE_ROWTIME`
    RowTime,
    /// `TUMBLE_PROCTIME`
    ProcTime,
}

/// A call of an auxiliary function.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::binder) struct AuxiliaryCall {
    /// Its name.
    name: String,
    /// What it tells.
    pub(super) tells: Auxiliary,
    /// Of which window.
    pub(super) window: LegacyWindow,
}

/// Whether `function` is a window as it stands in GROUP BY.
pub(super) fn is_group_window(function: &ast::Function) -> bool {
    let name = display_name(&function.name);
    function.over.is_none() && GROUP_WINDOWS.iter().any(|(known, _)| name.eq_ignore_ascii_case(known))
}

/// What the function called `upper` tells of a window, if it is an auxiliary function.
pub(in crate::binder) fn auxiliary(upper: &str) -> Option<(&'static str, Auxiliary)> {
    let (window, suffix) = upper.split_once('_')?;
    let (window, _) = GROUP_WINDOWS.iter().find(|(known, _)| *known == window)?;
    let tells = match suffix {
        "START" => Auxiliary::Start,
        "END" => Auxiliary::End,
        "ROWTIME" => Auxiliary::RowTime,
        "PROCTIME" => Auxiliary::ProcTime,
        _ => return None,
    };
    Some((window, tells))
}

/// Binds a window in GROUP BY.
pub(super) fn legacy_window(function: &ast::Function, scope: &Scope, span: Span) -> Result<LegacyWindow, SqlError> {
    let name = display_name(&function.name).to_ascii_uppercase();
    let window = GROUP_WINDOWS.iter().find(|(known, _)| *known == name).map_or("TUMBLE", |(known, _)| known);
    window_of(function, window, &format!("${name}"), scope, span)
}

/// Binds a call of an auxiliary function.
pub(in crate::binder) fn auxiliary_call(
    function: &ast::Function,
    scope: &Scope,
    span: Span,
) -> Result<(AuxiliaryCall, DataType), SqlError> {
    let name = display_name(&function.name).to_ascii_uppercase();
    let Some((window, tells)) = auxiliary(&name) else {
        return Err(refuse(span, format!("No match found for function signature {name}")));
    };
    let window = window_of(function, window, &name, scope, span)?;
    let data_type = match (tells, window.time) {
        (Auxiliary::Start | Auxiliary::End, _) => DataType::not_null(LogicalType::Timestamp(3)),
        (Auxiliary::RowTime, TimeDomain::Event(_)) => DataType::nullable(window.logical.clone()),
        (Auxiliary::ProcTime, TimeDomain::Processing) => DataType::not_null(LogicalType::TimestampLtz(3)),
        (Auxiliary::RowTime, TimeDomain::Processing) => {
            return Err(refuse(span, "A proctime window cannot provide a rowtime attribute."));
        }
        (Auxiliary::ProcTime, TimeDomain::Event(_)) => {
            return Err(crate::binder::refusal::not_supported(span, format!("{name} of a window of event time"))
                .hint("PROCTIME() beside the aggregates tells the processing time"));
        }
    };
    Ok((AuxiliaryCall { name, tells, window }, data_type))
}

impl AuxiliaryCall {
    /// The error where GROUP BY has no such window.
    pub(super) fn without_window(&self, span: Span) -> SqlError {
        let (name, window) = (&self.name, self.window.spec.kind.name());
        refuse(span, format!("Call to auxiliary group function '{name}' must have matching call to group function '${window}' in GROUP BY clause"))
            .hint(format!("give {name} the arguments that {window} has in GROUP BY"))
    }
}

fn window_of(
    function: &ast::Function,
    window: &str,
    called: &str,
    scope: &Scope,
    span: Span,
) -> Result<LegacyWindow, SqlError> {
    let arguments = plain_arguments(function, called, span)?;
    let intervals = GROUP_WINDOWS.iter().find(|(known, _)| *known == window).map_or(1, |(_, count)| *count);
    if arguments.len() == intervals + 2 {
        let place = arguments.last().map_or(span, |tree| span_of(tree.span()));
        return Err(refuse(place, format!("{window} window with alignment is not supported yet.")));
    }
    if arguments.len() != intervals + 1 {
        let expected = intervals + 1;
        let message = format!("Invalid number of arguments to function '{called}'. Was expecting {expected} arguments");
        return Err(refuse(span, message));
    }
    let (time, logical) = time_of(arguments[0], window, scope)?;
    let what = format!("The interval of {window}");
    let first = window_interval(arguments[1], &what)?;
    let last = window_interval(arguments[intervals], &what)?;
    let positive = first > 0 && last > 0;
    let place = span_of(arguments[1].span());
    let (kind, rule) = match window {
        "TUMBLE" => (WindowKind::Tumble { size_ms: first }, "TumblingWindowAssigner parameters must satisfy size > 0"),
        "HOP" => (
            WindowKind::Hop { slide_ms: first, size_ms: last },
            "SlidingWindowAssigner parameters must satisfy slide > 0 and size > 0",
        ),
        _ => (WindowKind::Session { gap_ms: first }, "SessionWindowAssigner parameters must satisfy 0 < size"),
    };
    if !positive {
        return Err(refuse(place, rule));
    }
    let local_time = matches!(logical, LogicalType::TimestampLtz(_));
    Ok(LegacyWindow { spec: WindowSpec { kind, offset_ms: 0, local_time }, time, logical })
}

/// The time attribute that a window is over, and its type.
fn time_of(tree: &ast::Expr, window: &str, scope: &Scope) -> Result<(TimeDomain, LogicalType), SqlError> {
    if is_proctime(tree) {
        return Ok((TimeDomain::Processing, LogicalType::TimestampLtz(3)));
    }
    let span = span_of(tree.span());
    let expr: Expr = ExprBinder::new(scope).bind(tree)?;
    let logical = expr.data_type.logical;
    if let ExprKind::Column(index) = expr.kind {
        match scope.columns[index].attribute {
            Attribute::RowTime => return Ok((TimeDomain::Event(index), logical)),
            Attribute::ProcTime => return Ok((TimeDomain::Processing, logical)),
            _ => {}
        }
    }
    let got = calcite_name(&logical);
    let message = match logical {
        LogicalType::Timestamp(_) | LogicalType::TimestampLtz(_) | LogicalType::Date | LogicalType::Time(_) => {
            let got = got.replace("TIMESTAMP_LTZ", "TIMESTAMP_WITH_LOCAL_TIME_ZONE");
            format!("Window aggregate can only be defined over a time attribute column, but {got} encountered.")
        }
        _ => format!(
            "Cannot apply '${window}' to arguments of type '${window}(<{got}>, ...)'. Supported form(s): '${window}(<DATETIME>, <DATETIME_INTERVAL>)'"
        ),
    };
    Err(refuse(span, message)
        .hint("a time attribute is the WATERMARK column of a table or a PROCTIME() column, passed on unchanged"))
}
