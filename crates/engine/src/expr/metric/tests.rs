//! What is counted: rows that are asked for, TRUE, not NULL; under one name once.

use weir_metrics::Registry;
use weir_plan::Function as F;

use super::super::tests::*;
use super::super::{CompileContext, Evaluator, Predicate};
use super::OwnMetrics;

/// A context whose metrics are in `registry`.
fn context(registry: &Registry) -> CompileContext {
    CompileContext::new("UTC").with_metrics(OwnMetrics::of(registry.clone()))
}

fn value(registry: &Registry, name: &str) -> f64 {
    let found: Vec<_> = registry.metrics().into_iter().filter(|metric| metric.name == name).collect();
    assert_eq!(found.len(), 1, "{name}");
    found[0].value.number()
}

fn count(name: &str, condition: weir_plan::Expr) -> weir_plan::Expr {
    is(F::MetricCount, vec![text(name), condition])
}

#[test]
fn rows_where_it_is_true_are_counted_and_pass() {
    let registry = Registry::default();
    let more = is(F::Greater, vec![col(0, T::Int), int(1)]);
    let predicate = Predicate::compile(&count("more_total", more), &context(&registry)).unwrap();
    let columns = [ints(&[Some(1), Some(2), None, Some(3)])];
    let kept = predicate.evaluate(&columns, 4, NOW).unwrap();
    assert_eq!(kept.set_indices().collect::<Vec<_>>(), [1, 3]);
    assert_eq!(value(&registry, "more_total"), 2.0);
    predicate.evaluate(&columns, 4, NOW).unwrap();
    assert_eq!(value(&registry, "more_total"), 4.0);
}

#[test]
fn behind_case_and_and_only_the_rows_that_come_there_are_counted() {
    let registry = Registry::default();
    let is_one = || is(F::Equal, vec![col(0, T::Int), int(1)]);
    let yes = || lit(weir_plan::Value::Boolean(true), T::Boolean);
    let branch = case(vec![(is_one(), count("ones", yes()))], count("others", yes()));
    let both = is(F::And, vec![is_one(), count("behind_and", yes())]);
    let columns = [ints(&[Some(1), Some(2), None, Some(1), Some(5)])];
    for expr in [branch, both] {
        Evaluator::compile(&expr, &context(&registry)).unwrap().evaluate(&columns, 5, NOW).unwrap();
    }
    assert_eq!(["ones", "others", "behind_and"].map(|name| value(&registry, name)), [2.0, 3.0, 3.0]);
}

#[test]
fn a_histogram_takes_whole_numbers_from_zero_on() {
    let registry = Registry::default();
    let expr = call(F::MetricHistogram, vec![text("ms"), col(0, T::Double)], T::Double);
    let column = std::sync::Arc::new(arrow_array::Float64Array::from(vec![Some(7.9), None, Some(-3.0), Some(100.0)]));
    let evaluator = Evaluator::compile(&expr, &context(&registry)).unwrap();
    evaluator.evaluate(&[column], 4, NOW).unwrap();
    let metric = registry.metrics().remove(0);
    assert_eq!(metric.value.number(), 3.0);
    let weir_metrics::Value::Histogram(histogram, _) = metric.value else { panic!("no histogram") };
    assert_eq!([0.0, 0.5, 1.0].map(|quantile| histogram.quantile(quantile)), [0, 7, 100]);
}

#[test]
fn one_name_is_one_metric_of_one_kind() {
    let registry = Registry::default();
    let context = context(&registry);
    let columns = [ints(&[Some(1)])];
    for _ in 0..2 {
        let expr = count("seen", is(F::IsNotNull, vec![col(0, T::Int)]));
        Evaluator::compile(&expr, &context).unwrap().evaluate(&columns, 1, NOW).unwrap();
    }
    assert_eq!(value(&registry, "seen"), 2.0);
    let expr = call(F::MetricHistogram, vec![text("seen"), col(0, T::Int)], T::Int);
    let error = Evaluator::compile(&expr, &context).unwrap_err();
    assert!(error.to_string().contains("it is a count and a histogram"), "{error}");
}
