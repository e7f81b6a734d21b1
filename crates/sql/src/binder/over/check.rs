//! What Flink takes of an OVER aggregation on streams, once it is known that it stays one.

use weir_plan::{OverFrame, OverFunction, OverOrder, TimeDomain};

use crate::binder::refusal::refuse;
use crate::binder::rel::{Over, OverCall, Rel, RelColumn};
use crate::binder::scope::Attribute;
use crate::error::SqlError;

/// By what `rel`, which is `over` on rows with `below`, orders.
///
/// # Errors
/// In Flink's words, where it does not plan the window on streams.
pub(in crate::binder) fn checked(rel: &Rel, over: &Over, below: &[RelColumn]) -> Result<OverOrder, SqlError> {
    let [key] = over.order.as_slice() else {
        return Err(refuse(rel.span, "The window can only be ordered by a single time column.")
            .hint("ORDER BY one column, best the WATERMARK column or a PROCTIME() column"));
    };
    if key.descending {
        let by_number = over.calls.iter().any(|call| call.rank().is_some());
        return Err(refuse(rel.span, "The window can only be ordered in ASCENDING mode.").hint(if by_number {
            "to keep the first rows of each key, filter by the number in the query around it: WHERE rn <= 10"
        } else {
            "leave DESC out: a row is given with what came before it"
        }));
    }
    let order = match below[key.column].attribute {
        Attribute::RowTime => OverOrder::Time(TimeDomain::Event(key.column)),
        Attribute::ProcTime => OverOrder::Time(TimeDomain::Processing),
        _ => OverOrder::Column(*key),
    };
    if matches!(order, OverOrder::Column(_)) {
        if matches!(over.frame, OverFrame::Rows(Some(_)) | OverFrame::Range(Some(_))) {
            return Err(refuse(rel.span, "Non-time attribute sort is not supported for bounded OVER window.")
                .hint("order by the WATERMARK column or a PROCTIME() column, or leave the frame out"));
        }
        if over.calls.iter().any(|call| matches!(call, OverCall::Function(OverFunction::Lag { .. }))) {
            return Err(refuse(
                rel.span,
                "LAG in a window that is not ordered by a time attribute fails when it runs: Unmaterialized BinaryRawValueData cannot be compared.",
            )
            .hint("order by the WATERMARK column or a PROCTIME() column"));
        }
    }
    Ok(order)
}
