//! Metrics of a job's own, which Flink has for functions in Java only: METRIC_COUNT and METRIC_HISTOGRAM.

use weir_base::Span;
use weir_plan::{DataType, Expr, ExprKind, Function as F, Value};

use super::super::signature::Argument::{Any, Boolean, Number};
use super::super::signature::Signature;
use super::fixed;
use crate::binder::refusal::refuse;
use crate::error::SqlError;

/// The family.
#[rustfmt::skip]
pub(super) const FUNCTIONS: &[Signature] = &[
    fixed("METRIC_COUNT", F::MetricCount, &[Any, Boolean], second).finish(named),
    fixed("METRIC_HISTOGRAM", F::MetricHistogram, &[Any, Number], second).finish(named),
];

/// Characters of a name at most.
const NAME_LENGTH_MAX: usize = 200;

/// Metrics that operators have themselves.
const TAKEN: [&str; 19] = [
    "numRecordsIn",
    "numRecordsInPerSecond",
    "numRecordsInErrors",
    "numRecordsOut",
    "numRecordsOutPerSecond",
    "numRecordsSend",
    "numRecordsSendPerSecond",
    "numBytesIn",
    "numBytesInPerSecond",
    "numBytesOut",
    "numBytesOutPerSecond",
    "numBytesSend",
    "numBytesSendPerSecond",
    "currentInputWatermark",
    "currentOutputWatermark",
    "watermarkLag",
    "numLateRecordsDropped",
    "lateRecordsDroppedRate",
    "managedMemoryUsed",
];

/// The value's type: it passes through.
fn second(arguments: &[Expr]) -> DataType {
    arguments[1].data_type.clone()
}

/// The name must be one that a page of metrics can show, and nobody else's.
#[expect(clippy::ptr_arg, reason = "a last step of binding: others of its type add arguments")]
fn named(arguments: &mut Vec<Expr>, _: Span) -> Result<(), SqlError> {
    let place = arguments[0].span;
    let ExprKind::Literal(Value::String(name)) = &arguments[0].kind else {
        return Err(refuse(place, "The name of a metric must be a literal text")
            .hint("write METRIC_COUNT('events_total', condition)"));
    };
    let is_name = |name: &str| {
        name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
    };
    if !is_name(name) || name.len() > NAME_LENGTH_MAX {
        return Err(refuse(place, format!("'{name}' is no name of a metric")).hint(format!(
            "a name has letters, digits and _, does not begin with a digit, and at most {NAME_LENGTH_MAX} characters"
        )));
    }
    if TAKEN.contains(&name.as_str()) {
        return Err(
            refuse(place, format!("'{name}' is a metric that operators have already")).hint("choose another name")
        );
    }
    Ok(())
}
