//! What each metric comes to, worked out beforehand: a table with the case in which it does. No family is exported that does not stand here.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::page::{Page, now_ms};

/// Where a metric's value is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// A job that waits for files: six rows and a broken one were read.
    HeldUp,
    /// A job whose output nobody takes.
    Stuck,
    /// A job of 20,000 rows a second.
    Flowing,
    /// A job on a real Kafka.
    Kafka,
    /// A function in a file of its own crate.
    Test(&'static str, &'static str),
}

/// What the samples of a metric come to.
#[derive(Debug, Clone, Copy)]
pub enum Value {
    /// There is one, and it is this.
    Is(f64),
    /// All of them, sorted.
    All(&'static [f64]),
    /// Each is in these bounds, both inclusive.
    Within(f64, f64),
    /// The time since this moment, to ten seconds.
    Since(f64),
    /// The growth a second of this counter of the same labels since the job runs; to half and double: it is sampled once a second.
    RateOf(&'static str),
    /// What this other metric of the page comes to.
    As(&'static str),
    /// Looked at by the case itself.
    ByCase,
}

/// A line of the table.
pub struct Expected {
    /// The family.
    pub family: &'static str,
    /// Where it is looked at.
    pub case: Case,
    /// The beginning of the operator's or task's name; empty: any.
    pub of: &'static str,
    /// What it comes to there.
    pub value: Value,
}

const fn line(family: &'static str, case: Case, of: &'static str, value: Value) -> Expected {
    Expected { family, case, of, value }
}

/// 2026-01-01 00:00:59 UTC, the watermark of the job that waits.
pub const WATERMARK: f64 = 1_767_225_659_000.0;

use Case::{Flowing, HeldUp, Kafka, Stuck, Test};
use Value::{All, As, ByCase, Is, RateOf, Since, Within};

/// A test of the engine, where time stands still as it is told.
const ALIGNMENT: Case =
    Test("crates/engine/src/task/metrics.rs", "alignment_lasts_from_the_first_barrier_to_the_last_in_nanoseconds");
const FIGURES: Case = Test("crates/jobs/src/metrics.rs", "every_figure_moves_with_what_the_job_does");
const QUESTDB_ROWS: Case = Test(QUESTDB, "rows_arrive_with_all_their_types_and_again_they_are_no_more");
const QUESTDB: &str = "crates/connectors/questdb/src/tests/server.rs";

/// Each family, at least once.
pub const TABLE: &[Expected] = &[
    // The process.
    line("flink_jobmanager_Status_JVM_CPU_Load", HeldUp, "", Within(0.0, 1.5)),
    line("flink_jobmanager_Status_JVM_CPU_Time", HeldUp, "", Within(1e6, 60e9)),
    line("flink_jobmanager_Status_JVM_Memory_Heap_Used", HeldUp, "", ByCase),
    line("flink_jobmanager_Status_JVM_Threads_Count", HeldUp, "", ByCase),
    line("flink_taskmanager_Status_JVM_CPU_Load", HeldUp, "", Within(0.0, 1.5)),
    line("flink_taskmanager_Status_JVM_CPU_Time", HeldUp, "", Within(1e6, 60e9)),
    line("flink_taskmanager_Status_JVM_Memory_Heap_Used", HeldUp, "", ByCase),
    line("flink_taskmanager_Status_JVM_Threads_Count", HeldUp, "", ByCase),
    line("flink_taskmanager_Status_Flink_Memory_Managed_Total", HeldUp, "", ByCase),
    line(
        "flink_taskmanager_memory_managed_total",
        HeldUp,
        "",
        As("flink_taskmanager_Status_Flink_Memory_Managed_Total"),
    ),
    line("flink_jobmanager_numRunningJobs", HeldUp, "", Is(1.0)),
    line("flink_jobmanager_taskSlotsTotal", HeldUp, "", Is(3.0)),
    // The job.
    line("flink_jobmanager_job_numRestarts", HeldUp, "", Is(0.0)),
    line("flink_jobmanager_job_numRestarts", FIGURES, "", ByCase),
    line("flink_jobmanager_job_uptime", HeldUp, "", ByCase),
    line("flink_jobmanager_job_totalNumberOfCheckpoints", HeldUp, "", ByCase),
    line("flink_jobmanager_job_numberOfInProgressCheckpoints", HeldUp, "", Within(0.0, 1.0)),
    line("flink_jobmanager_job_numberOfInProgressCheckpoints", FIGURES, "", ByCase),
    line("flink_jobmanager_job_numberOfCompletedCheckpoints", HeldUp, "", ByCase),
    line("flink_jobmanager_job_numberOfFailedCheckpoints", HeldUp, "", Is(0.0)),
    line("flink_jobmanager_job_numberOfFailedCheckpoints", FIGURES, "", ByCase),
    line(
        "flink_jobmanager_job_lastCompletedCheckpointId",
        HeldUp,
        "",
        As("flink_jobmanager_job_numberOfCompletedCheckpoints"),
    ),
    line("flink_jobmanager_job_lastCheckpointDuration", HeldUp, "", Within(0.0, 10_000.0)),
    line("flink_jobmanager_job_lastCheckpointSize", HeldUp, "", Within(500.0, 20_000.0)),
    line("flink_jobmanager_job_lastCheckpointFullSize", HeldUp, "", Within(500.0, 20_000.0)),
    line("flink_jobmanager_job_lastCheckpointCompletedTimestamp", HeldUp, "", ByCase),
    line("flink_jobmanager_job_lastCheckpointRestoreTimestamp", HeldUp, "", Is(-1.0)),
    line("flink_jobmanager_job_lastCheckpointRestoreTimestamp", FIGURES, "", ByCase),
    // Milliseconds: a row is visible after the next checkpoint, 200 ms later at most unless the machine is busy.
    line("flink_jobmanager_job_latency", HeldUp, "", Within(0.1, 10_000.0)),
    line("flink_jobmanager_job_latency_count", HeldUp, "", Is(5.0)),
    // Tasks: the source with what is chained to it, the aggregation behind an exchange.
    line("flink_taskmanager_job_task_numRecordsIn", HeldUp, "Source", Is(6.0)),
    line("flink_taskmanager_job_task_numRecordsIn", HeldUp, "Global", Is(5.0)),
    line(
        "flink_taskmanager_job_task_numRecordsInPerSecond",
        HeldUp,
        "",
        RateOf("flink_taskmanager_job_task_numRecordsIn"),
    ),
    line("flink_taskmanager_job_task_numRecordsInPerSecond", Flowing, "", Within(16_000.0, 22_000.0)),
    line("flink_taskmanager_job_task_numRecordsOut", HeldUp, "Source", Is(5.0)),
    line(
        "flink_taskmanager_job_task_numRecordsOutPerSecond",
        HeldUp,
        "",
        RateOf("flink_taskmanager_job_task_numRecordsOut"),
    ),
    line("flink_taskmanager_job_task_numRecordsOutPerSecond", Flowing, "Source", Within(16_000.0, 22_000.0)),
    // Five rows of two columns, at 16 bytes a value.
    line("flink_taskmanager_job_task_numBytesIn", HeldUp, "Global", Is(160.0)),
    line("flink_taskmanager_job_task_numBytesInPerSecond", HeldUp, "", RateOf("flink_taskmanager_job_task_numBytesIn")),
    line("flink_taskmanager_job_task_numBytesInPerSecond", Flowing, "Dedup", Within(16_000.0 * 16.0, 22_000.0 * 16.0)),
    line("flink_taskmanager_job_task_numBytesOut", HeldUp, "Source", Is(160.0)),
    line(
        "flink_taskmanager_job_task_numBytesOutPerSecond",
        HeldUp,
        "",
        RateOf("flink_taskmanager_job_task_numBytesOut"),
    ),
    line(
        "flink_taskmanager_job_task_numBytesOutPerSecond",
        Flowing,
        "Source",
        Within(16_000.0 * 16.0, 22_000.0 * 16.0),
    ),
    line("flink_taskmanager_job_task_currentInputWatermark", HeldUp, "", Is(WATERMARK)),
    line("flink_taskmanager_job_task_checkpointAlignmentTime", HeldUp, "", Is(0.0)),
    line("flink_taskmanager_job_task_checkpointAlignmentTime", ALIGNMENT, "", ByCase),
    line("flink_taskmanager_job_task_busyTimeMsPerSecond", HeldUp, "", Within(0.0, 400.0)),
    line("flink_taskmanager_job_task_busyTimeMsPerSecond", Flowing, "", Within(0.1, 1_000.0)),
    line("flink_taskmanager_job_task_idleTimeMsPerSecond", HeldUp, "", Within(600.0, 1_100.0)),
    line("flink_taskmanager_job_task_backPressuredTimeMsPerSecond", HeldUp, "", Is0),
    line("flink_taskmanager_job_task_backPressuredTimeMsPerSecond", Stuck, "Source", Within(400.0, 1_100.0)),
    line("flink_taskmanager_job_task_isBackPressured", HeldUp, "", Is0),
    line("flink_taskmanager_job_task_isBackPressured", Stuck, "Source", Is(1.0)),
    line("flink_taskmanager_job_task_buffers_inPoolUsage", HeldUp, "", Is(0.0)),
    line("flink_taskmanager_job_task_buffers_inPoolUsage", Stuck, "", Is(1.0)),
    line("flink_taskmanager_job_task_Shuffle_Netty_Input_Buffers_inPoolUsage", HeldUp, "", Is(0.0)),
    line("flink_taskmanager_job_task_Shuffle_Netty_Input_Buffers_inPoolUsage", Stuck, "", Is(1.0)),
    line("flink_taskmanager_job_task_buffers_outPoolUsage", HeldUp, "", Is(0.0)),
    line("flink_taskmanager_job_task_buffers_outPoolUsage", Stuck, "", Is(1.0)),
    line("flink_taskmanager_job_task_Shuffle_Netty_Output_Buffers_outPoolUsage", HeldUp, "", Is(0.0)),
    line("flink_taskmanager_job_task_Shuffle_Netty_Output_Buffers_outPoolUsage", Stuck, "", Is(1.0)),
    // A millisecond's worth of what the task gets through, which is less than 4 GB and more than 4 MB a second.
    line("flink_taskmanager_job_task_debloatedBufferSize", Flowing, "", Within(4_096.0, 4_194_304.0)),
    line(
        "flink_taskmanager_job_task_debloatedBufferSize",
        Test("crates/engine/src/task/debloat.rs", "the_bound_follows_what_the_task_gets_through_while_it_works"),
        "",
        ByCase,
    ),
    // Looked at ten times a second by two operators: the one behind the exchange, and the sink.
    line(
        "flink_taskmanager_job_task_latency_source_id_operator_id_operator_subtask_index_latency",
        Flowing,
        "",
        Within(0.01, 5_000.0),
    ),
    line(
        "flink_taskmanager_job_task_latency_source_id_operator_id_operator_subtask_index_latency_count",
        Flowing,
        "",
        Within(20.0, 200.0),
    ),
    // Operators.
    line("flink_taskmanager_job_task_operator_numRecordsIn", HeldUp, "Source", Is(6.0)),
    line("flink_taskmanager_job_task_operator_numRecordsIn", HeldUp, "Global", Is(5.0)),
    line("flink_taskmanager_job_task_operator_numRecordsIn", HeldUp, "counted", Is(1.0)),
    line("flink_taskmanager_job_task_operator_numRecordsIn", HeldUp, "kept", Is(5.0)),
    line(
        "flink_taskmanager_job_task_operator_numRecordsInPerSecond",
        HeldUp,
        "",
        RateOf("flink_taskmanager_job_task_operator_numRecordsIn"),
    ),
    line("flink_taskmanager_job_task_operator_numRecordsInPerSecond", Flowing, "", Within(16_000.0, 22_000.0)),
    line("flink_taskmanager_job_task_operator_numRecordsOut", HeldUp, "Source", Is(5.0)),
    line("flink_taskmanager_job_task_operator_numRecordsOut", HeldUp, "Global", Is(1.0)),
    line("flink_taskmanager_job_task_operator_numRecordsOut", HeldUp, "kept", Is(5.0)),
    line(
        "flink_taskmanager_job_task_operator_numRecordsOutPerSecond",
        HeldUp,
        "",
        RateOf("flink_taskmanager_job_task_operator_numRecordsOut"),
    ),
    line("flink_taskmanager_job_task_operator_numRecordsOutPerSecond", Flowing, "", Within(16_000.0, 22_000.0)),
    line("flink_taskmanager_job_task_operator_numRecordsInErrors", HeldUp, "Source", Is(1.0)),
    line("flink_taskmanager_job_task_operator_numBytesIn", HeldUp, "Source", ByCase),
    line(
        "flink_taskmanager_job_task_operator_numBytesInPerSecond",
        HeldUp,
        "",
        RateOf("flink_taskmanager_job_task_operator_numBytesIn"),
    ),
    // One window has ended, five rows are kept: {"device":"a","rows_of":2} and five of {"id":1}, each with its line's end.
    line("flink_taskmanager_job_task_operator_numRecordsSend", HeldUp, "", All(&[1.0, 5.0])),
    line(
        "flink_taskmanager_job_task_operator_numRecordsSendPerSecond",
        HeldUp,
        "",
        RateOf("flink_taskmanager_job_task_operator_numRecordsSend"),
    ),
    line("flink_taskmanager_job_task_operator_numRecordsSendPerSecond", Flowing, "", Within(16_000.0, 22_000.0)),
    line("flink_taskmanager_job_task_operator_numBytesSend", HeldUp, "", All(&[27.0, 45.0])),
    line(
        "flink_taskmanager_job_task_operator_numBytesSendPerSecond",
        HeldUp,
        "",
        RateOf("flink_taskmanager_job_task_operator_numBytesSend"),
    ),
    line("flink_taskmanager_job_task_operator_numBytesOut", HeldUp, "", All(&[27.0, 45.0])),
    line(
        "flink_taskmanager_job_task_operator_numBytesOutPerSecond",
        HeldUp,
        "",
        RateOf("flink_taskmanager_job_task_operator_numBytesOut"),
    ),
    line("flink_taskmanager_job_task_operator_currentInputWatermark", HeldUp, "", Within(WATERMARK, WATERMARK)),
    line("flink_taskmanager_job_task_operator_currentOutputWatermark", HeldUp, "", Within(WATERMARK, WATERMARK)),
    line("flink_taskmanager_job_task_operator_watermarkLag", HeldUp, "Source", Since(WATERMARK)),
    line("flink_taskmanager_job_task_operator_numLateRecordsDropped", HeldUp, "", Is(2.0)),
    line(
        "flink_taskmanager_job_task_operator_lateRecordsDroppedRate",
        HeldUp,
        "",
        RateOf("flink_taskmanager_job_task_operator_numLateRecordsDropped"),
    ),
    // One window with one key is open: its key, its row, two places in tables, the states of one aggregate.
    line("flink_taskmanager_job_task_operator_managedMemoryUsed", HeldUp, "Global", Within(100.0, 500.0)),
    // 1,024 shards of at least 16 slots of 16 bytes, and not twice as many bytes as 150,000 keys would take at the most.
    line("flink_taskmanager_job_task_operator_managedMemoryUsed", Flowing, "Dedup", Within(524_288.0, 16_777_216.0)),
    line(
        "flink_taskmanager_Status_Flink_Memory_Managed_Used",
        HeldUp,
        "",
        As("flink_taskmanager_job_task_operator_managedMemoryUsed"),
    ),
    // Kafka.
    line("flink_taskmanager_job_task_operator_pendingRecords", Kafka, "", ByCase),
    line("flink_taskmanager_job_task_operator_KafkaSourceReader_KafkaConsumer_records_lag_max", Kafka, "", ByCase),
    line("flink_taskmanager_job_task_operator_KafkaSourceReader_topic_partition_currentOffset", Kafka, "", ByCase),
    line("flink_taskmanager_job_task_operator_KafkaSourceReader_topic_partition_committedOffset", Kafka, "", ByCase),
    // QuestDB.
    line("flink_jobmanager_job_questdbRowsSent", QUESTDB_ROWS, "", ByCase),
    line("flink_jobmanager_job_questdbCarriedBytes", QUESTDB_ROWS, "", ByCase),
    line(
        "flink_jobmanager_job_questdbRowsRefused",
        Test(QUESTDB, "a_row_that_questdb_refuses_is_set_aside_with_its_words_and_the_others_arrive"),
        "",
        ByCase,
    ),
    line(
        "flink_jobmanager_job_questdbRequestsRetried",
        Test(QUESTDB, "rows_are_carried_while_questdb_is_paused_and_arrive_when_it_goes_on"),
        "",
        ByCase,
    ),
    line(
        "flink_jobmanager_job_questdbCircuitBreakerState",
        Test(QUESTDB, "rows_are_carried_while_questdb_is_paused_and_arrive_when_it_goes_on"),
        "",
        ByCase,
    ),
];

/// `Within(0, 0)`: several tasks show it.
#[expect(non_upper_case_globals, reason = "it reads like the other values")]
const Is0: Value = Within(0.0, 0.0);

/// Checks the pages against the lines of `case`, and that no family is without a line.
#[track_caller]
pub fn check(case: Case, jobs: &Page, tasks: &Page) {
    let known: BTreeSet<&str> = TABLE.iter().map(|line| line.family).collect();
    for page in [jobs, tasks] {
        let unknown: Vec<&str> = page.families().into_iter().filter(|family| !known.contains(family)).collect();
        assert!(unknown.is_empty(), "exported, and nobody has worked out what they come to: {unknown:?}");
    }
    let uptime_s = jobs.one("flink_jobmanager_job_uptime", "") / 1000.0;
    for line in TABLE.iter().filter(|line| line.case == case) {
        let page = if line.family.starts_with("flink_jobmanager_") { jobs } else { tasks };
        let values = page.all(line.family, line.of);
        let seen =
            || format!("{} of '{}': {values:?}, expected {:?} in\n{}", line.family, line.of, line.value, page.text);
        assert!(!values.is_empty(), "{}", seen());
        match line.value {
            Is(value) => assert!(values == [value], "{}", seen()),
            All(all) => assert!(values == all, "{}", seen()),
            Within(low, high) => assert!(values.iter().all(|value| (low..=high).contains(value)), "{}", seen()),
            Since(moment) => {
                assert!(values.iter().all(|value| (now_ms() - moment - value).abs() < 10_000.0), "{}", seen());
            }
            As(other) => assert!(values == page.all(other, ""), "{}", seen()),
            RateOf(counter) => {
                for (_, labels, rate) in page.samples_of(line.family, line.of) {
                    let counted = page.samples.iter().find(|(name, of, _)| name == counter && of == labels);
                    let even = counted.expect("the counter beside its rate").2 / uptime_s;
                    assert!((even * 0.5..=even * 2.0).contains(rate), "{counter} {even} {}", seen());
                }
            }
            ByCase => {}
        }
    }
}

/// The folder of the workspace.
fn workspace() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

#[test]
fn the_page_of_all_metrics_names_those_that_there_are() {
    let text = std::fs::read_to_string(workspace().join("docs/METRICS.md")).expect("read the page");
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `flink_"));
    let documented: Vec<String> =
        rows.filter_map(|row| row.split('`').next()).map(|name| format!("flink_{name}")).collect();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    documented.iter().for_each(|name| *counts.entry(name).or_default() += 1);
    let expected: BTreeSet<&str> =
        TABLE.iter().map(|line| line.family).filter(|family| !family.ends_with("latency_count")).collect();
    assert_eq!(counts.keys().copied().collect::<BTreeSet<_>>(), expected);
    assert!(counts.values().all(|count| *count == 1), "{counts:?}");
}

#[test]
fn the_tests_that_stand_in_the_table_are_there() {
    for line in TABLE {
        if let Test(file, name) = line.case {
            let text = std::fs::read_to_string(workspace().join(file)).expect("read the test's file");
            assert!(text.contains(&format!("fn {name}()")), "{}: there is no {name} in {file}", line.family);
        }
    }
}
