//! The text that Flink's Prometheus reporter writes: names by scope, every metric a gauge, histograms as summaries, label sets that end with a comma.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::registry::{Metric, Scope, Value};

/// The quantiles of a summary: Flink's.
const QUANTILES: [f64; 6] = [0.5, 0.75, 0.95, 0.98, 0.99, 0.999];

/// The two pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// Port 9249: scopes of the job manager.
    JobManager,
    /// Port 9250: scopes of the task manager.
    TaskManager,
}

impl Scope {
    fn page(self) -> Page {
        match self {
            Self::JobManager | Self::Job => Page::JobManager,
            Self::TaskManager | Self::TaskManagerJob | Self::Task | Self::Operator => Page::TaskManager,
        }
    }

    /// The words between `flink_` and the metric's name.
    fn prefix(self) -> &'static str {
        match self {
            Self::JobManager => "jobmanager",
            Self::Job => "jobmanager_job",
            Self::TaskManager => "taskmanager",
            Self::TaskManagerJob => "taskmanager_job",
            Self::Task => "taskmanager_job_task",
            Self::Operator => "taskmanager_job_task_operator",
        }
    }
}

/// The text of `page`; `process` labels (host, tm_id) stand behind those of each metric.
pub fn exposition(metrics: &[Metric], page: Page, process: &[(&'static str, String)]) -> String {
    let mut families: BTreeMap<String, Vec<&Metric>> = BTreeMap::new();
    for metric in metrics.iter().filter(|metric| metric.scope.page() == page) {
        families.entry(clean(&format!("flink_{}_{}", metric.scope.prefix(), metric.name))).or_default().push(metric);
    }
    let mut text = String::new();
    for (name, family) in families {
        // The last word of a name is the metric, what stands before belongs to its scope: that is how Flink's groups print.
        let grouped = family[0].name.rsplit_once('_').filter(|_| !family[0].is_own);
        let (group, last) = grouped.unwrap_or(("", &family[0].name));
        let scope = if group.is_empty() {
            family[0].scope.prefix().to_owned()
        } else {
            format!("{}_{group}", family[0].scope.prefix())
        };
        let kind = match &family[0].value {
            Value::Histogram(..) => "summary",
            // A name of older dashboards, which promtool takes for a counter's.
            _ if name.ends_with("_total") && !family[0].is_own => "untyped",
            _ => "gauge",
        };
        let _ = writeln!(text, "# HELP {name} {last} (scope: {scope})\n# TYPE {name} {kind}");
        for metric in family {
            write_metric(&mut text, &name, metric, process);
        }
    }
    text
}

fn write_metric(text: &mut String, name: &str, metric: &Metric, process: &[(&'static str, String)]) {
    let mut labels = String::new();
    for (label, value) in metric.labels.iter().chain(process) {
        let _ = write!(labels, "{label}=\"{}\",", clean(value));
    }
    // Writing to a String cannot fail.
    let _ = match &metric.value {
        Value::Histogram(histogram, scale) => {
            for quantile in QUANTILES {
                #[expect(clippy::cast_precision_loss, reason = "a page shows doubles, as Flink's does")]
                let value = histogram.quantile(quantile) as f64 * scale;
                let _ = writeln!(text, "{name}{{{labels}quantile=\"{quantile}\",}} {value:?}");
            }
            writeln!(text, "{name}_count{{{labels}}} {:?}", metric.value.number())
        }
        value => writeln!(text, "{name}{{{labels}}} {:?}", value.number()),
    };
}

/// A name or a label's value with nothing but letters, digits, `:` and `_`; all else becomes `_`, as Flink's reporter does it by default.
fn clean(text: &str) -> String {
    text.chars().map(|letter| if letter.is_ascii_alphanumeric() || letter == ':' { letter } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Registry;

    #[test]
    fn a_page_reads_as_flinks_reporter_writes_it() {
        let registry = Registry::default();
        let task = registry.with([("job_id", "ab".to_owned()), ("operator_name", "Calc_2_".to_owned())]);
        task.counter(Scope::Operator, "numRecordsIn").add(12_000);
        task.gauge(Scope::Job, "lastCheckpointSize").set(195_328.0);
        let latency = task.histogram(Scope::Operator, "latency", 1e-3);
        latency.record(7_000, 3);
        let process = [("host", "localhost".to_owned()), ("tm_id", "x".to_owned())];
        let text = exposition(&registry.metrics(), Page::TaskManager, &process);
        let expected = "# HELP flink_taskmanager_job_task_operator_numRecordsIn numRecordsIn (scope: taskmanager_job_task_operator)\n\
             # TYPE flink_taskmanager_job_task_operator_numRecordsIn gauge\n\
             flink_taskmanager_job_task_operator_numRecordsIn{job_id=\"ab\",operator_name=\"Calc_2_\",host=\"localhost\",tm_id=\"x\",} 12000.0\n";
        assert!(text.contains(expected), "{text}");
        assert!(text.contains("quantile=\"0.999\",} 7.00"), "{text}");
        assert!(!text.contains("lastCheckpointSize"), "{text}");
        assert!(exposition(&registry.metrics(), Page::JobManager, &process[..1]).contains("lastCheckpointSize"));
    }

    #[test]
    fn label_values_are_cleaned_as_flinks_reporter_does() {
        let registry = Registry::default();
        let labels = [("task_name", "Source: src[1] -> Calc[2]".to_owned()), ("topic", "a.b-c\"ä\\".to_owned())];
        registry.with(labels).gauge(Scope::Task, "isBackPressured").set(1.0);
        let text = exposition(&registry.metrics(), Page::TaskManager, &[]);
        let expected = "isBackPressured{task_name=\"Source:_src_1_____Calc_2_\",topic=\"a_b_c___\",} 1.0\n";
        assert!(text.contains(expected), "{text}");
    }

    #[test]
    fn a_jobs_own_metrics_stand_under_the_names_that_it_gave_them() {
        let registry = Registry::default();
        registry.own_counter(Scope::Operator, "events_processed_total").add(3);
        registry.own_histogram(Scope::Operator, "processing_time_ms").record(7, 2);
        let text = exposition(&registry.metrics(), Page::TaskManager, &[]);
        let scope = "flink_taskmanager_job_task_operator";
        let counter = format!(
            "# HELP {scope}_events_processed_total events_processed_total (scope: taskmanager_job_task_operator)\n\
             # TYPE {scope}_events_processed_total gauge\n{scope}_events_processed_total{{}} 3.0\n"
        );
        assert!(text.contains(&counter), "{text}");
        let histogram =
            format!("# TYPE {scope}_processing_time_ms summary\n{scope}_processing_time_ms{{quantile=\"0.5\",}} 7.0\n");
        assert!(text.contains(&histogram), "{text}");
        assert!(text.contains(&format!("{scope}_processing_time_ms_count{{}} 2.0\n")), "{text}");
    }

    #[test]
    fn the_scope_of_a_grouped_metric_takes_in_its_group() {
        let registry = Registry::default();
        registry.gauge(Scope::TaskManager, "Status_JVM_CPU_Load").set(0.5);
        let text = exposition(&registry.metrics(), Page::TaskManager, &[]);
        assert!(
            text.starts_with("# HELP flink_taskmanager_Status_JVM_CPU_Load Load (scope: taskmanager_Status_JVM_CPU)\n"),
            "{text}"
        );
    }
}
