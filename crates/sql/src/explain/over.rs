//! OVER aggregations as Flink's plans write them.

use weir_plan::{OverFrame, OverFunction, OverOrder, OverSpec, Schema, TimeDomain};

use super::rank::order;
use super::{columns, duration};

/// An OVER aggregation.
pub(super) fn over(spec: &OverSpec, input: Option<&Schema>) -> String {
    let by = match &spec.order {
        OverOrder::Time(TimeDomain::Event(column)) => format!("{} ASC", columns(input, &[*column])),
        OverOrder::Time(TimeDomain::Processing) => "PROCTIME ASC".to_owned(),
        OverOrder::Column(key) => order(&[*key], input),
    };
    let frame = match spec.frame {
        OverFrame::Rows(before) => format!("ROWS BETWEEN {} AND CURRENT ROW", preceding(before)),
        OverFrame::Range(before) => format!("RANGE BETWEEN {} AND CURRENT ROW", preceding(before)),
    };
    let function = |function: &OverFunction| match function {
        OverFunction::Aggregate(call) => {
            let arguments = if call.arguments.is_empty() { "*".to_owned() } else { columns(input, &call.arguments) };
            format!("{}({}{arguments})", call.function.name(), if call.distinct { "DISTINCT " } else { "" })
        }
        OverFunction::Lag { argument, offset, default, .. } => {
            let default = default.map(|column| format!(", {}", columns(input, &[column]))).unwrap_or_default();
            format!("LAG({}, {offset}{default})", columns(input, &[*argument]))
        }
    };
    format!(
        "OverAggregate(partitionBy=[{}], orderBy=[{by}], window=[{frame}], select=[{}])",
        columns(input, &spec.keys),
        spec.functions.iter().map(function).collect::<Vec<_>>().join(", ")
    )
}

fn preceding(before: Option<u64>) -> String {
    before.map_or_else(|| "UNBOUNDED PRECEDING".to_owned(), |before| format!("{before} PRECEDING"))
}

/// What an OVER aggregation remembers between records.
pub(super) fn over_state(spec: &OverSpec, input: Option<&Schema>) -> String {
    let unbounded = matches!(spec.frame, OverFrame::Rows(None) | OverFrame::Range(None));
    let rows = match spec.order {
        OverOrder::Column(_) => "all rows",
        OverOrder::Time(TimeDomain::Processing) if unbounded => "the functions",
        OverOrder::Time(_) if unbounded => "the rows until the watermark passes them, and the functions,",
        OverOrder::Time(_) => "the rows of the window",
    };
    let keys = if spec.keys.is_empty() { String::new() } else { format!(" for each ({})", columns(input, &spec.keys)) };
    let ttl = if spec.state_ttl.is_zero() {
        "no time to live".to_owned()
    } else {
        format!("time to live {}", duration(spec.state_ttl))
    };
    format!("[{rows}{keys}, {ttl}]")
}
