//! What expressions cost a row: validation of sensor readings, in the forms that people write it.
//!
//! `cargo bench -p weir-engine --bench expr` prints nanoseconds a row, the best of 20 runs over batches of 8,192 rows.

use std::hint::black_box;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int64Array, StringViewArray};
use weir_base::{Clock, Rng, SystemClock};
use weir_engine::expr::{CompileContext, Evaluator};
use weir_plan::{DataType, Expr, ExprKind, Function as F, LogicalType as T, Value};

const ROWS: usize = 8192;
const STRING: T = T::Varchar(2_147_483_647);
const RANGES: [(&str, f64, f64); 6] = [
    ("temperature", -40.0, 85.0),
    ("humidity", 0.0, 100.0),
    ("pressure", 300.0, 1100.0),
    ("vibration", 0.0, 50.0),
    ("voltage", 0.0, 480.0),
    ("co2", 0.0, 5000.0),
];

fn call(function: F, arguments: Vec<Expr>, logical: T) -> Expr {
    Expr::new(ExprKind::Call(function, arguments), DataType::nullable(logical))
}

fn is(function: F, arguments: Vec<Expr>) -> Expr {
    call(function, arguments, T::Boolean)
}

fn column(index: usize, logical: T) -> Expr {
    Expr::column(index, DataType::nullable(logical))
}

fn double(value: f64) -> Expr {
    Expr::new(ExprKind::Literal(Value::Double(value)), DataType::not_null(T::Double))
}

fn text(value: &str) -> Expr {
    Expr::new(ExprKind::Literal(Value::String(value.to_owned())), DataType::string())
}

/// `CASE sensor_type WHEN ... THEN ... END` over the six ranges.
fn by_type(result: impl Fn(f64, f64) -> Expr, logical: T) -> Expr {
    let branch =
        |(name, low, high): &(&str, f64, f64)| (is(F::Equal, vec![column(2, STRING), text(name)]), result(*low, *high));
    let otherwise = Box::new(Expr::new(ExprKind::Literal(Value::Null), DataType::nullable(logical.clone())));
    let kind = ExprKind::Case { branches: RANGES.iter().map(branch).collect(), otherwise };
    Expr::new(kind, DataType::nullable(logical))
}

fn value() -> Expr {
    column(3, T::Double)
}

fn between(low: f64, high: f64) -> Expr {
    let from = is(F::GreaterOrEqual, vec![value(), double(low)]);
    is(F::And, vec![from, is(F::LessOrEqual, vec![value(), double(high)])])
}

/// `condition`, and four columns that are not NULL.
fn valid(condition: Vec<Expr>) -> Expr {
    let not_null = |index, logical| is(F::IsNotNull, vec![column(index, logical)]);
    let mut parts = vec![not_null(0, STRING), not_null(1, STRING), not_null(3, T::Double), not_null(4, T::BigInt)];
    parts.extend(condition);
    is(F::And, parts)
}

fn columns() -> Vec<ArrayRef> {
    let mut rng = Rng::new(7);
    let ids: StringViewArray = (0..ROWS).map(|row| Some(format!("event-{row:012}-{}", row * 7919))).collect();
    let devices: StringViewArray = (0..ROWS).map(|row| Some(format!("device-{row:05}"))).collect();
    let types: StringViewArray =
        (0..ROWS).map(|_| RANGES.get(usize::try_from(rng.below(7)).unwrap_or(0)).map(|(name, _, _)| *name)).collect();
    let values: Float64Array =
        (0..ROWS).map(|row| (row % 500 != 0).then(|| f64::from(u16::try_from(row % 90).unwrap_or(0)))).collect();
    let times: Int64Array = (0..ROWS).map(|row| i64::try_from(row).ok()).collect();
    vec![Arc::new(ids), Arc::new(devices), Arc::new(types), Arc::new(values), Arc::new(times)]
}

fn main() {
    let at_least = is(F::GreaterOrEqual, vec![value(), by_type(|low, _| double(low), T::Double)]);
    let at_most = is(F::LessOrEqual, vec![value(), by_type(|_, high| double(high), T::Double)]);
    let ors = RANGES.iter().map(|(name, low, high)| {
        is(F::And, vec![is(F::Equal, vec![column(2, STRING), text(name)]), between(*low, *high)])
    });
    let cases = [
        ("four IS NOT NULL", valid(vec![])),
        ("BETWEEN", between(0.0, 50.0)),
        ("text = constant", is(F::Equal, vec![column(2, STRING), text("pressure")])),
        ("CASE of BETWEENs", valid(vec![by_type(between, T::Boolean)])),
        ("two CASEs of bounds", valid(vec![at_least, at_most])),
        ("OR of ANDs", is(F::Or, ors.collect())),
        ("CASE of texts", by_type(|low, _| text(if low < 0.0 { "outside" } else { "inside" }), STRING)),
    ];
    let (columns, clock) = (columns(), SystemClock::new());
    for (name, expr) in cases {
        let evaluator = Evaluator::compile(&expr, &CompileContext::new("UTC")).expect("the expression is supported");
        let mut best_us = u64::MAX;
        for _ in 0..20 {
            let start = clock.monotonic_us();
            for _ in 0..100 {
                black_box(evaluator.evaluate(&columns, ROWS, 0).expect("no row fails"));
            }
            best_us = best_us.min(clock.monotonic_us() - start);
        }
        let nanos = best_us * 100 / u64::try_from(ROWS).unwrap_or(1);
        println!("{name:22} {:>3}.{} ns/row", nanos / 10, nanos % 10);
    }
}
