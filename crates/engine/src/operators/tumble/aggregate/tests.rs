//! Windowed aggregation: results by hand, Flink's arithmetic, late rows, state, and all modes against a simple model.

use std::time::Duration;

use arrow_array::{
    BooleanArray, Decimal128Array, Float32Array, Float64Array, Int8Array, Int32Array, Int64Array, StringViewArray,
};
use weir_base::Rng;
use weir_plan::{AggregateCall, AggregateFunction, DataType, Field, LogicalType};

use super::*;
use crate::operators::test_harness::{Between, Collected, Harness, MAX_PARALLELISM, Step, same_in_all_modes};

use AggregateFunction::{Avg, Count, Max, Min, Sum};

const ID: usize = 0;
const TIME: usize = 1;
const VALUE: usize = 2;
const FLAG: usize = 3;

/// `id STRING, time TIMESTAMP(3), value <logical>, flag BOOLEAN`
fn input(value: LogicalType, local: bool) -> Schema {
    let time = if local { LogicalType::TimestampLtz(3) } else { LogicalType::Timestamp(3) };
    Schema::new(vec![
        Field::new("id", DataType::string()),
        Field::new("time", DataType::nullable(time)),
        Field::new("value", DataType::nullable(value)),
        Field::new("flag", DataType::nullable(LogicalType::Boolean)),
    ])
}

fn call(function: AggregateFunction, value: &LogicalType, output: LogicalType) -> AggregateCall {
    AggregateCall {
        function,
        arguments: vec![VALUE],
        argument_types: vec![DataType::nullable(value.clone())],
        distinct: false,
        filter: None,
        separator: None,
        data_type: DataType::nullable(output),
    }
}

fn count_rows() -> AggregateCall {
    AggregateCall {
        function: Count,
        arguments: Vec::new(),
        argument_types: Vec::new(),
        distinct: false,
        filter: None,
        separator: None,
        data_type: DataType::not_null(LogicalType::BigInt),
    }
}

/// The aggregates over `value` with Flink's result types: COUNT, SUM, AVG, MIN, MAX.
fn five(value: &LogicalType) -> Vec<AggregateCall> {
    let (sum, average) = match value {
        LogicalType::Decimal(_, scale) => (LogicalType::Decimal(38, *scale), LogicalType::Decimal(38, (*scale).max(6))),
        other => (other.clone(), other.clone()),
    };
    vec![
        call(Count, value, LogicalType::BigInt),
        call(Sum, value, sum),
        call(Avg, value, average),
        call(Min, value, value.clone()),
        call(Max, value, value.clone()),
    ]
}

struct Job {
    spec: TumbleSpec,
    input: Schema,
    output: Schema,
    zone: &'static str,
}

impl Job {
    /// Windows of 10 ms by id.
    fn new(value: LogicalType, aggregates: Vec<AggregateCall>) -> Self {
        let input = input(value, false);
        let spec = TumbleSpec {
            size: Duration::from_millis(10),
            offset_ms: 0,
            time: TimeDomain::Event(TIME),
            local_time: false,
            keys: vec![ID],
            aggregates,
            properties: Vec::new(),
        };
        Self { output: Schema::default(), spec, input, zone: "UTC" }.with_output()
    }

    fn with_output(mut self) -> Self {
        let mut fields: Vec<Field> = self.spec.keys.iter().map(|key| self.input.fields[*key].clone()).collect();
        fields.extend(self.spec.aggregates.iter().map(|call| Field::new("aggregate", call.data_type.clone())));
        let properties = self.spec.properties.iter().map(|property| match property {
            WindowProperty::Time if self.spec.local_time => LogicalType::TimestampLtz(3),
            _ => LogicalType::Timestamp(3),
        });
        fields.extend(properties.map(|logical| Field::new("window", DataType::not_null(logical))));
        self.output = Schema::new(fields);
        self
    }

    fn make(&self, key_groups: Range<u16>) -> Box<dyn Operator> {
        let context = TumbleContext {
            input: &self.input,
            output: &self.output,
            local_time_zone: self.zone,
            key_groups,
            max_parallelism: MAX_PARALLELISM,
        };
        Box::new(TumbleAggregate::new(&self.spec, &context).unwrap())
    }

    fn rows(&self, rows: &[(Option<&str>, i64)], values: ArrayRef) -> RecordBatch {
        let flags = BooleanArray::from(vec![None; rows.len()]);
        self.flagged(rows, values, flags)
    }

    fn flagged(&self, rows: &[(Option<&str>, i64)], values: ArrayRef, flags: BooleanArray) -> RecordBatch {
        let ids: ArrayRef = Arc::new(rows.iter().map(|(id, _)| *id).collect::<StringViewArray>());
        let times = TimestampMillisecondArray::from_iter_values(rows.iter().map(|(_, time)| *time));
        let times: ArrayRef = Arc::new(times.with_data_type(self.input.fields[TIME].data_type.arrow()));
        RecordBatch::try_new(self.input.arrow(), vec![ids, times, values, Arc::new(flags)]).unwrap()
    }

    fn run(&self, steps: &[Step]) -> crate::operators::test_harness::Outcome {
        same_in_all_modes(&|groups| self.make(groups), &self.input, &self.spec.keys, steps)
    }
}

/// The results of the five aggregates over `values`, all of one key.
fn five_of(logical: LogicalType, values: ArrayRef) -> String {
    let job = Job::new(logical.clone(), five(&logical));
    let rows = vec![(Some("a"), 0); values.len()];
    let steps = [Step::rows(0, job.rows(&rows, values)), Step::watermark(0, 9)];
    job.run(&steps).rows.join("; ")
}

#[test]
fn numbers_are_aggregated_as_flink_does() {
    use LogicalType as L;
    let ints = |values: &[Option<i32>]| Arc::new(Int32Array::from(values.to_vec())) as ArrayRef;
    let decimals = |values: &[Option<i128>]| {
        Arc::new(Decimal128Array::from(values.to_vec()).with_data_type(ArrowType::Decimal128(10, 2))) as ArrayRef
    };
    let doubles = |values: &[f64]| Arc::new(Float64Array::from(values.to_vec())) as ArrayRef;
    for (what, logical, values, expected) in [
        ("integers are cut", L::Int, ints(&[Some(1), None, Some(2)]), "2, 3, 1, 1, 2"),
        ("towards zero", L::Int, ints(&[Some(-1), Some(-2)]), "2, -3, -1, -2, -1"),
        ("only NULL", L::Int, ints(&[None, None]), "0, NULL, NULL, NULL, NULL"),
        ("sums wrap around", L::Int, ints(&[Some(i32::MAX), Some(1)]), "2, -2147483648, 1073741824, 1, 2147483647"),
        (
            "in the narrow type, too",
            L::TinyInt,
            Arc::new(Int8Array::from(vec![100, 100])) as ArrayRef,
            "2, -56, 100, 100, 100",
        ),
        (
            "an average of BIGINT wraps as its sum does",
            L::BigInt,
            Arc::new(Int64Array::from(vec![i64::MAX, i64::MAX])),
            "2, -2, -1, 9223372036854775807, 9223372036854775807",
        ),
        ("doubles", L::Double, doubles(&[0.5, 1.0]), "2, 1.5, 0.75, 0.5, 1.0"),
        ("a first NaN stays", L::Double, doubles(&[f64::NAN, 1.0]), "2, NaN, NaN, NaN, NaN"),
        ("a later NaN is never less or greater", L::Double, doubles(&[1.0, f64::NAN]), "2, NaN, NaN, 1.0, 1.0"),
        (
            "FLOAT is averaged as DOUBLE",
            L::Float,
            Arc::new(Float32Array::from(vec![16_777_216.0, 1.0, 1.0])),
            "3, 16777216.0, 5592406.0, 1.0, 16777216.0",
        ),
        ("decimals", L::Decimal(10, 2), decimals(&[Some(100), None, Some(101)]), "2, 2.01, 1.005000, 1.00, 1.01"),
        (
            "a decimal's average is rounded half up",
            L::Decimal(10, 2),
            decimals(&[Some(-100), Some(-100), Some(-1)]),
            "3, -2.01, -0.670000, -1.00, -0.01",
        ),
    ] {
        assert_eq!(five_of(logical, values), format!("+I a, {expected}"), "{what}");
    }
}

#[test]
fn a_decimal_that_does_not_fit_is_null() {
    let wide = LogicalType::Decimal(38, 0);
    let values = |values: Vec<i128>| {
        Arc::new(Decimal128Array::from(values).with_data_type(ArrowType::Decimal128(38, 0))) as ArrayRef
    };
    let max = 10_i128.pow(38) - 1;
    let over = format!("+I a, 2, NULL, NULL, 1, {max}");
    assert_eq!(five_of(wide.clone(), values(vec![max, 1])), over);
    // After it the sum begins anew with the next value, as in Flink; the average stays NULL.
    assert_eq!(five_of(wide, values(vec![max, 1, 5])), format!("+I a, 3, 5, NULL, 1, {max}"));
}

#[test]
fn thirds_are_rounded() {
    for (values, expected) in [(vec![1, 0, 0], "0.003333"), (vec![2, 0, 0], "0.006667"), (vec![-2, 0, 0], "-0.006667")]
    {
        let values = Decimal128Array::from(values.clone()).with_data_type(ArrowType::Decimal128(10, 2));
        let found = five_of(LogicalType::Decimal(10, 2), Arc::new(values));
        assert_eq!(found.split(", ").nth(3), Some(expected));
    }
}

#[test]
fn least_and_greatest_are_there_for_texts_times_and_booleans() {
    let times = TimestampMillisecondArray::from(vec![Some(5), None, Some(3)]);
    for (logical, values, expected) in [
        (
            LogicalType::Varchar(10),
            Arc::new(StringViewArray::from(vec![Some("b"), None, Some("a longer text than a view")])) as ArrayRef,
            "a longer text than a view, b",
        ),
        (LogicalType::Timestamp(3), Arc::new(times), "1970-01-01T00:00:00.003, 1970-01-01T00:00:00.005"),
        (LogicalType::Boolean, Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)])), "false, true"),
    ] {
        let job =
            Job::new(logical.clone(), vec![call(Min, &logical, logical.clone()), call(Max, &logical, logical.clone())]);
        let steps = [Step::rows(0, job.rows(&[(Some("a"), 0); 3], values)), Step::watermark(0, 9)];
        assert_eq!(job.run(&steps).rows, [format!("+I a, {expected}")]);
    }
}

#[test]
fn windows_fire_in_order_with_their_keys_in_the_order_of_arrival() {
    let mut job = Job::new(LogicalType::Int, vec![count_rows()]);
    job.spec.properties = vec![WindowProperty::Start, WindowProperty::End, WindowProperty::Time];
    let job = job.with_output();
    let batch = |rows: &[(Option<&str>, i64)]| job.rows(rows, Arc::new(Int32Array::from(vec![1; rows.len()])));
    let steps = [
        Step::rows(0, batch(&[(Some("b"), 12), (Some("z"), 3), (Some("a"), 1), (None, 2), (Some("z"), 9)])),
        Step::watermark(0, 8),
        Step::rows(0, batch(&[(Some("a"), 0), (Some("b"), 19), (Some("c"), 20)])),
        Step::watermark(0, 9),
        Step::rows(0, batch(&[(Some("a"), 9), (Some("a"), -1), (Some("a"), 10)])), // two late, one not
        Step::watermark(0, Timestamp::MAX),
    ];
    let outcome = job.run(&steps);
    let window = |start: i64| {
        let time = |millis: i64| format!("1970-01-01T00:00:00.{millis:03}").replace(".000", "");
        format!("{}, {}, {}", time(start), time(start + 10), time(start + 9))
    };
    let expected = [
        format!("+I z, 2, {}", window(0)),
        format!("+I a, 2, {}", window(0)),
        format!("+I NULL, 1, {}", window(0)),
        format!("+I b, 2, {}", window(10)),
        format!("+I a, 1, {}", window(10)),
        format!("+I c, 1, {}", window(20)),
    ];
    assert_eq!(outcome.rows, expected);
    assert_eq!(outcome.equation, Equation { rows_in: 11, passed: 9, late: 2, ..Equation::default() });
}

#[test]
fn distinct_and_filter_narrow_what_an_aggregate_takes() {
    let int = LogicalType::Int;
    let distinct = |function| AggregateCall { distinct: true, ..call(function, &int, int.clone()) };
    let filtered = |function| AggregateCall { filter: Some(FLAG), ..call(function, &int, int.clone()) };
    let count_distinct = AggregateCall { data_type: DataType::not_null(LogicalType::BigInt), ..distinct(Count) };
    let both = AggregateCall { filter: Some(FLAG), ..count_distinct.clone() };
    let count_filtered = AggregateCall { filter: Some(FLAG), ..count_rows() };
    let job = Job::new(
        int.clone(),
        vec![count_distinct, distinct(Sum), distinct(Avg), distinct(Min), filtered(Sum), both, count_filtered],
    );
    let values = Arc::new(Int32Array::from(vec![Some(5), Some(5), None, Some(2), None, Some(2)]));
    let flags = BooleanArray::from(vec![Some(true), Some(true), Some(true), Some(false), None, None]);
    let steps = [Step::rows(0, job.flagged(&[(Some("a"), 0); 6], values, flags)), Step::watermark(0, 9)];
    assert_eq!(job.run(&steps).rows, ["+I a, 2, 7, 3, 2, 10, 1, 3"]);
}

#[test]
fn without_keys_there_is_one_row_a_window_and_several_keys_work_together() {
    let mut job = Job::new(LogicalType::Int, vec![count_rows()]);
    job.spec.keys = Vec::new();
    let job = job.with_output();
    let values = || Arc::new(Int32Array::from(vec![Some(1), Some(1), None, Some(1)])) as ArrayRef;
    let rows = [(Some("a"), 0), (Some("b"), 1), (Some("a"), 2), (Some("a"), 11)];
    let steps = [Step::rows(0, job.rows(&rows, values())), Step::watermark(0, 100)];
    assert_eq!(job.run(&steps).rows, ["+I 3", "+I 1"]);

    let mut job = Job::new(LogicalType::Int, vec![count_rows()]);
    job.spec.keys = vec![VALUE, ID];
    let job = job.with_output();
    assert_eq!(job.run(&steps).rows, ["+I 1, a, 1", "+I 1, b, 1", "+I NULL, a, 1", "+I 1, a, 1"]);
}

#[test]
fn windows_over_instants_lie_on_the_wall_clock_of_the_zone() {
    const HOUR: i64 = 3_600_000;
    let mut job = Job::new(LogicalType::Int, vec![count_rows()]);
    job.input = input(LogicalType::Int, true);
    job.spec.size = Duration::from_secs(24 * 3600);
    job.spec.local_time = true;
    job.spec.properties = vec![WindowProperty::Start, WindowProperty::End, WindowProperty::Time];
    job.zone = "Asia/Shanghai";
    let job = job.with_output();
    let rows = [(Some("a"), 16 * HOUR - 1), (Some("a"), 16 * HOUR)];
    let steps = [
        Step::rows(0, job.rows(&rows, Arc::new(Int32Array::from(vec![1, 1])))),
        Step::watermark(0, 16 * HOUR - 2),
        Step::watermark(0, 16 * HOUR - 1),
        Step::rows(0, job.rows(&rows, Arc::new(Int32Array::from(vec![1, 1])))),
        Step::watermark(0, Timestamp::MAX),
    ];
    let outcome = job.run(&steps);
    // Start and end are local times, window_time is an instant (shown in UTC).
    let expected = [
        "+I a, 1, 1970-01-01T00:00:00, 1970-01-02T00:00:00, 1970-01-01T15:59:59.999",
        "+I a, 2, 1970-01-02T00:00:00, 1970-01-03T00:00:00, 1970-01-02T15:59:59.999",
    ];
    assert_eq!(outcome.rows, expected);
    assert_eq!(outcome.equation.late, 1);
}

#[test]
fn windows_of_processing_time_fire_after_their_last_millisecond_and_at_the_end() {
    let mut job = Job::new(LogicalType::Int, vec![count_rows()]);
    job.spec.time = TimeDomain::Processing;
    let job = job.with_output();
    let at = |now| Step::rows(now, job.rows(&[(Some("a"), 0)], Arc::new(Int32Array::from(vec![1]))));
    let steps = [at(0), at(9), Step::watermark(9, 1_000), Step::tick(9), at(10), Step::tick(20), at(31), at(32)];
    let outcome = job.run(&steps);
    assert_eq!(outcome.rows, ["+I a, 2", "+I a, 1"]);
    let ended = [steps.as_slice(), &[Step::watermark(33, Timestamp::MAX)]].concat();
    assert_eq!(job.run(&ended).rows, ["+I a, 2", "+I a, 1", "+I a, 2"]);
}

/// Rows (id, time, value), then a watermark.
type Plan = Vec<(Vec<(String, i64, i32)>, i64)>;

/// Count and sum by window and id, kept naively.
fn model(steps: &Plan) -> (Vec<String>, u64) {
    let mut open: BTreeMap<i64, Vec<(String, i64, i32)>> = BTreeMap::new();
    let (mut results, mut late, mut watermark) = (Vec::new(), 0, i64::MIN);
    for (rows, next) in steps {
        for (id, time, value) in rows {
            let end = time.div_euclid(10) * 10 + 10;
            if end - 1 <= watermark {
                late += 1;
                continue;
            }
            let window = open.entry(end).or_default();
            match window.iter_mut().find(|(known, ..)| known == id) {
                Some((_, count, sum)) => (*count, *sum) = (*count + 1, *sum + value),
                None => window.push((id.clone(), 1, *value)),
            }
        }
        watermark = watermark.max(*next);
        while let Some(first) = open.first_entry().filter(|first| first.key() - 1 <= watermark) {
            results.extend(first.remove().into_iter().map(|(id, count, sum)| format!("+I {id}, {count}, {sum}")));
        }
    }
    (results, late)
}

#[test]
fn a_random_stream_agrees_with_the_model_in_all_modes() {
    let int = LogicalType::Int;
    for seed in 0..4 {
        let mut rng = Rng::new(seed);
        let mut now = 0;
        let plan: Plan = (0..40)
            .map(|_| {
                now += i64::try_from(rng.next_u64() % 8).unwrap();
                let rows = (0..rng.next_u64() % 25)
                    .map(|_| {
                        let time = now + i64::try_from(rng.next_u64() % 30).unwrap() - 20;
                        (format!("id-{}", rng.next_u64() % 9), time, i32::try_from(rng.next_u64() % 100).unwrap())
                    })
                    .collect();
                (rows, now - 10)
            })
            .collect();
        let job = Job::new(int.clone(), vec![count_rows(), call(Sum, &int, int.clone())]);
        let step = |(rows, watermark): &(Vec<(String, i64, i32)>, i64)| {
            let keys: Vec<_> = rows.iter().map(|(id, time, _)| (Some(id.as_str()), *time)).collect();
            let values = Int32Array::from_iter_values(rows.iter().map(|row| row.2));
            [Step::rows(0, job.rows(&keys, Arc::new(values))), Step::watermark(0, *watermark)]
        };
        let steps: Vec<Step> = plan.iter().flat_map(step).collect();
        let outcome = job.run(&steps);
        let (rows, late) = model(&plan);
        assert_eq!(outcome.rows, rows, "seed {seed}");
        assert!(rows.len() > 20 && late > 0);
        assert_eq!(outcome.equation.late, late, "seed {seed}");
    }
}

#[test]
fn a_checkpoint_writes_changed_keys_and_takes_fired_windows_away() {
    let job = Job::new(LogicalType::Int, vec![count_rows()]);
    let batch = |rows: &[(&str, i64)]| {
        let rows: Vec<_> = rows.iter().map(|(id, time)| (Some(*id), *time)).collect();
        Step::rows(0, job.rows(&rows, Arc::new(Int32Array::from(vec![1; rows.len()]))))
    };
    let steps = [
        batch(&[("a", 0), ("b", 1), ("a", 2), ("a", 15)]),
        batch(&[("a", 3)]),
        batch(&[("c", 4)]),
        Step::watermark(0, 9),
        batch(&[("a", 99)]),
    ];
    let between = [
        Between::Nothing,
        Between::Checkpoint,       // a and b in the first window, a in the second
        Between::FailedCheckpoint, // a
        Between::Checkpoint,       // a, c
        Between::Checkpoint,       // three deletes and a watermark for each group
    ];
    let harness =
        Harness { make: &|groups| job.make(groups), schema: &job.input, keys: &[ID], between: &|index| between[index] };
    let outcome = harness.run(&steps).unwrap();
    let groups = usize::from(MAX_PARALLELISM);
    assert_eq!(outcome.written, [3, 2, 3 + groups, 1]);
    assert_eq!(outcome.chain.live(0), 2 + groups, "a in the second and in the last window");
}

#[test]
fn results_come_in_bounded_batches() {
    let job = Job::new(LogicalType::Int, vec![count_rows()]);
    let ids: Vec<String> = (0..10_000).map(|number| format!("id-{number}")).collect();
    let rows: Vec<_> = ids.iter().map(|id| (Some(id.as_str()), 0)).collect();
    let steps =
        [Step::rows(0, job.rows(&rows, Arc::new(Int32Array::from(vec![1; rows.len()])))), Step::watermark(0, 100)];
    let harness =
        Harness { make: &|groups| job.make(groups), schema: &job.input, keys: &[ID], between: &|_| Between::Nothing };
    let outcome = harness.run(&steps).unwrap();
    assert_eq!(outcome.batch_rows, [8_192, 1_808]);
    assert_eq!(outcome.rows[9_999], "+I id-9999, 1");
}

#[test]
fn state_of_other_aggregates_is_refused() {
    let int = LogicalType::Int;
    let written = Job::new(int.clone(), vec![call(Sum, &int, int.clone())]);
    let step = Step::rows(0, written.rows(&[(Some("a"), 0)], Arc::new(Int32Array::from(vec![1]))));
    let harness = Harness {
        make: &|groups| written.make(groups),
        schema: &written.input,
        keys: &[ID],
        between: &|_| Between::Nothing,
    };
    let chain = harness.run(&[step]).unwrap().chain;
    let read = Job::new(int.clone(), vec![call(Max, &int, int.clone())]);
    let state = chain.of(0..MAX_PARALLELISM);
    let error = read.make(0..MAX_PARALLELISM).restore(&Restore { state: &state, now: 0 }).unwrap_err();
    assert_eq!(
        error.to_string(),
        "restore a window: the state was written with other aggregates; start with --fresh, or with the SQL that wrote it"
    );
}

#[test]
fn what_cannot_be_aggregated_is_refused_by_name() {
    let array = LogicalType::Array(Box::new(DataType::string()));
    let schema = input(array.clone(), false);
    let job = Job::new(LogicalType::Int, Vec::new());
    for (function, argument, words) in [
        (Max, &array, "aggregate by MAX(ARRAY<STRING>): it is not there for this type"),
        (Sum, &LogicalType::Varchar(5), "aggregate by SUM(VARCHAR(5)): it is not there for this type"),
    ] {
        let spec = TumbleSpec { aggregates: vec![call(function, argument, argument.clone())], ..job.spec.clone() };
        let context = TumbleContext {
            input: &schema,
            output: &job.output,
            local_time_zone: "UTC",
            key_groups: 0..MAX_PARALLELISM,
            max_parallelism: MAX_PARALLELISM,
        };
        assert_eq!(TumbleAggregate::new(&spec, &context).err().unwrap().to_string(), words);
    }
}

#[test]
fn a_rowtime_that_is_null_fails_the_job_in_flinks_words() {
    let job = Job::new(LogicalType::Int, vec![count_rows()]);
    let mut columns = job.rows(&[(Some("a"), 0)], Arc::new(Int32Array::from(vec![1]))).columns().to_vec();
    columns[TIME] = Arc::new(TimestampMillisecondArray::from(vec![None::<i64>]));
    let batch = Batch::inserts(RecordBatch::try_new(job.input.arrow(), columns).unwrap(), 0);
    let error = job.make(0..MAX_PARALLELISM).on_batch(batch, 0, &mut Collected::default()).unwrap_err();
    assert_eq!(error.to_string(), "RowTime field should not be null, please convert it to a non-null long value.");
}
