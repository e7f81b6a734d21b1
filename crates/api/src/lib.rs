//! HTTP servers. So far: the two metric pages that Prometheus scrapes, in the names and on the ports of Flink's reporter.

mod metric_pages;

pub use metric_pages::MetricPages;
