//! Names that are not in the table of scalar functions: aggregates, window functions, Flink's functions still to come, typing errors.

use weir_base::Span;
use weir_plan::Expr;

use super::signature::no_match;
use super::table;
use crate::binder::refusal::{not_supported, refuse};
use crate::error::SqlError;

/// The aggregate functions that the planner knows.
const AGGREGATES: &[&str] = &[
    "COUNT",
    "SUM",
    "$SUM0",
    "AVG",
    "MIN",
    "MAX",
    "VAR_POP",
    "VAR_SAMP",
    "VARIANCE",
    "STDDEV_POP",
    "STDDEV_SAMP",
    "STDDEV",
    "FIRST_VALUE",
    "LAST_VALUE",
    "SINGLE_VALUE",
    "LISTAGG",
    "ARRAY_AGG",
    "PERCENTILE",
    "JSON_OBJECTAGG",
    "JSON_ARRAYAGG",
];

/// The aggregate functions.
pub(super) fn aggregates() -> impl Iterator<Item = &'static str> {
    AGGREGATES.iter().copied()
}

/// Aggregate functions of Flink that give a type which is not there.
const AGGREGATES_OF_OTHER_TYPES: &[(&str, &str)] = &[
    ("COLLECT", "MULTISET"),
    ("BITMAP_AND_AGG", "BITMAP"),
    ("BITMAP_BUILD_AGG", "BITMAP"),
    ("BITMAP_OR_AGG", "BITMAP"),
    ("BITMAP_XOR_AGG", "BITMAP"),
];

/// Functions that need an OVER clause.
const WINDOW_FUNCTIONS: [&str; 9] =
    ["ROW_NUMBER", "RANK", "DENSE_RANK", "LAG", "LEAD", "NTILE", "PERCENT_RANK", "CUME_DIST", "NTH_VALUE"];

/// Scalar functions of Flink that are still to come.
const SCALARS_TO_COME: &[&str] = &["CURRENT_DATABASE"];

/// Whether `name` is an aggregate function that the planner knows.
pub(in crate::binder) fn is_aggregate(name: &str) -> bool {
    listed(AGGREGATES, name)
}

/// Whether `name` needs an OVER clause.
fn is_window_function(name: &str) -> bool {
    listed(&WINDOW_FUNCTIONS, name)
}

/// Whether `name` is a scalar function of Flink that is still to come.
pub(super) fn is_to_come(name: &str) -> bool {
    listed(SCALARS_TO_COME, name)
}

fn listed(names: &[&str], name: &str) -> bool {
    names.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// The error for a call of a name that is not in the table.
pub(super) fn unknown(name: &str, arguments: &[Expr], span: Span) -> SqlError {
    let upper = name.to_ascii_uppercase();
    if is_aggregate(name) {
        return refuse(span, format!("Aggregate expression is illegal here: {upper}"))
            .hint("aggregates stand in the SELECT list or HAVING of a query with GROUP BY window_start, window_end");
    }
    if is_window_function(name) {
        return refuse(span, format!("OVER clause is necessary for window function {upper}"));
    }
    if let Some((_, gives)) = AGGREGATES_OF_OTHER_TYPES.iter().find(|(known, _)| *known == upper) {
        let error = not_supported(span, format!("the aggregate function {upper}, which is of the type {gives},"));
        return if *gives == "MULTISET" { error.hint("ARRAY_AGG gives the values as an ARRAY") } else { error };
    }
    if upper == "APPROX_COUNT_DISTINCT" {
        return refuse(span, "APPROX_COUNT_DISTINCT aggregate function does not support yet for streaming.")
            .hint("COUNT(DISTINCT x) counts exactly");
    }
    if let Some((what, hint)) = reason(&upper) {
        return not_supported(span, format!("the function {upper}, {what},")).hint(hint);
    }
    if listed(SCALARS_TO_COME, name) {
        let error = not_supported(span, format!("the function {upper}"));
        return match nearest(&upper) {
            Some(near) => error.hint(format!("the nearest by name is {near}")),
            None => error,
        };
    }
    if matches!(upper.as_str(), "TUMBLE" | "HOP" | "SESSION") {
        return refuse(span, format!("Group function '${upper}' can only appear in GROUP BY clause"))
            .hint(format!("write {upper}_START or {upper}_END here, and {upper} in GROUP BY"));
    }
    if matches!(upper.as_str(), "GROUPING" | "GROUPING_ID") {
        return refuse(span, format!("{upper} operator may only occur in SELECT, HAVING or ORDER BY clause"))
            .hint("it is of the rows that GROUP BY makes: filter by it in HAVING");
    }
    let error = refuse(span, no_match(name, arguments));
    match nearest(&upper) {
        Some(near) => error.hint(format!("did you mean {near}?")),
        None => error,
    }
}

/// Why a function of Flink is not there, and what to do.
fn reason(upper: &str) -> Option<(&'static str, &'static str)> {
    Some(match upper {
        "PARSE_JSON" | "TRY_PARSE_JSON" => {
            ("which gives a VARIANT", "keep the text, and take values from it by JSON_VALUE and JSON_QUERY")
        }
        "OBJECT_OF" | "OBJECT_UPDATE" => ("which gives a value of a Java class", "write ROW(a, b)"),
        "SOURCE_WATERMARK" => (
            "a declarative marker for sources that make watermarks of their own",
            "write WATERMARK FOR ts AS ts - INTERVAL '5' SECOND",
        ),
        "CURRENT_WATERMARK" => {
            ("which gives the watermark of the operator", "late rows are counted in numLateRecordsDropped")
        }
        "PRINT" => ("which prints within the task manager", "write into a table with 'connector' = 'print'"),
        "ML_PREDICT" => ("which asks a model", "there are no models"),
        bitmap if bitmap.starts_with("BITMAP_") => {
            ("which works on the type BITMAP", "COUNT(DISTINCT a) counts, ARRAY_AGG(a) keeps the values")
        }
        _ => return None,
    })
}

/// The known function whose name is most like `upper`, if one is like it at all.
fn nearest(upper: &str) -> Option<&'static str> {
    let names = table::names().chain(AGGREGATES.iter().copied());
    names
        .map(|name| (strsim::jaro_winkler(upper, name), name))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(a.1)))
        .map(|(_, name)| name)
}
