//! Windowed aggregation: results by hand, Flink's arithmetic, late rows, state, and all modes against a simple model.

use arrow_array::{
    BooleanArray, Decimal128Array, Float32Array, Float64Array, Int8Array, Int32Array, Int64Array, StringViewArray,
    TimestampMillisecondArray,
};
use arrow_schema::DataType as ArrowType;
use weir_base::Rng;
use weir_plan::{AggregateCall, AggregateFunction, DataType, Field, LogicalType, WindowKind, WindowSpec};

use super::*;
use crate::operators::test_harness::{Between, Collected, Harness, MAX_PARALLELISM, Step, same_in_all_modes};
use crate::operators::window::SessionAggregate;

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
    spec: WindowAggregateSpec,
    input: Schema,
    output: Schema,
    zone: &'static str,
}

impl Job {
    /// Windows of 10 ms by id.
    fn new(value: LogicalType, aggregates: Vec<AggregateCall>) -> Self {
        let input = input(value, false);
        let spec = WindowAggregateSpec {
            window: WindowSpec { kind: WindowKind::Tumble { size_ms: 10 }, offset_ms: 0, local_time: false },
            rows: RowWindows::Time(TimeDomain::Event(TIME)),
            keys: vec![ID],
            aggregates,
            properties: Vec::new(),
            retracts: false,
        };
        Self { output: Schema::default(), spec, input, zone: "UTC" }.with_output()
    }

    fn with_output(mut self) -> Self {
        let mut fields: Vec<Field> = self.spec.keys.iter().map(|key| self.input.fields[*key].clone()).collect();
        fields.extend(self.spec.aggregates.iter().map(|call| Field::new("aggregate", call.data_type.clone())));
        let properties = self.spec.properties.iter().map(|property| match property {
            WindowProperty::Time if self.spec.window.local_time => LogicalType::TimestampLtz(3),
            _ => LogicalType::Timestamp(3),
        });
        fields.extend(properties.map(|logical| Field::new("window", DataType::not_null(logical))));
        self.output = Schema::new(fields);
        self
    }

    fn make(&self, key_groups: Range<u16>) -> Box<dyn Operator> {
        let context = WindowContext {
            input: &self.input,
            output: &self.output,
            local_time_zone: self.zone,
            key_groups,
            max_parallelism: MAX_PARALLELISM,
        };
        match self.spec.window.kind {
            WindowKind::Session { .. } => Box::new(SessionAggregate::new(&self.spec, &context).unwrap()),
            _ => Box::new(WindowAggregate::new(&self.spec, &context).unwrap()),
        }
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
    job.spec.window = WindowSpec { kind: WindowKind::Tumble { size_ms: 24 * HOUR }, offset_ms: 0, local_time: true };
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
fn windows_of_processing_time_fire_after_their_last_millisecond_and_not_with_the_input() {
    let mut job = Job::new(LogicalType::Int, vec![count_rows()]);
    job.spec.rows = RowWindows::Time(TimeDomain::Processing);
    let job = job.with_output();
    let at = |now| Step::rows(now, job.rows(&[(Some("a"), 0)], Arc::new(Int32Array::from(vec![1]))));
    let steps = [at(0), at(9), Step::watermark(9, 1_000), Step::tick(9), at(10), Step::tick(20), at(31), at(32)];
    let outcome = job.run(&steps);
    assert_eq!(outcome.rows, ["+I a, 2", "+I a, 1"]);
    let ended = [steps.as_slice(), &[Step::watermark(33, Timestamp::MAX)]].concat();
    assert_eq!(job.run(&ended).rows, ["+I a, 2", "+I a, 1"], "as in Flink, what is open then is not given");
}

/// Rows (id, time, value), then a watermark.
type Plan = Vec<(Vec<(String, i64, i32)>, i64)>;

/// Start and end of the windows that a time belongs to, by the definition of the kind.
fn windows_of(kind: WindowKind, time: i64) -> Vec<(i64, i64)> {
    let all = match kind {
        WindowKind::Tumble { size_ms } => (-100..1_000).map(|n| (n * size_ms, (n + 1) * size_ms)).collect::<Vec<_>>(),
        WindowKind::Hop { slide_ms, size_ms } => {
            (-100..1_000).map(|n| (n * slide_ms, n * slide_ms + size_ms)).collect()
        }
        WindowKind::Cumulate { step_ms, size_ms } => (-100..1_000)
            .flat_map(|n| (1..=size_ms / step_ms).map(move |step| (n * size_ms, n * size_ms + step * step_ms)))
            .collect(),
        WindowKind::Session { gap_ms } => vec![(time, time + gap_ms)],
    };
    all.into_iter().filter(|(start, end)| (*start..*end).contains(&time)).collect()
}

/// Count and sum by window and id, kept naively; rows sorted within each end. Sessions are windows that touching ones grow into.
fn model(kind: WindowKind, steps: &Plan) -> (Vec<String>, u64) {
    let mut open: BTreeMap<(i64, i64, String), (i64, i32)> = BTreeMap::new();
    let (mut results, mut late, mut watermark) = (Vec::new(), 0, i64::MIN);
    for (rows, next) in steps {
        for (id, time, value) in rows {
            let mut windows = windows_of(kind, *time);
            let inside = !windows.is_empty();
            let (mut count, mut sum) = (1, *value);
            if let WindowKind::Session { .. } = kind {
                let (mut start, mut end) = windows[0];
                while let Some(key) = open.keys().find(|key| key.2 == *id && key.0 >= start && key.1 <= end).cloned() {
                    let (other_count, other_sum) = open.remove(&key).unwrap();
                    (start, end) = (start.min(key.1), end.max(key.0));
                    (count, sum) = (count + other_count, sum + other_sum);
                }
                windows = vec![(start, end)];
            }
            windows.retain(|(_, end)| end - 1 > watermark);
            late += u64::from(inside && windows.is_empty());
            for (start, end) in windows {
                let found = open.entry((end, start, id.clone())).or_default();
                *found = (found.0 + count, found.1 + sum);
            }
        }
        watermark = watermark.max(*next);
        while let Some(first) = open.first_entry().filter(|first| first.key().0 - 1 <= watermark) {
            let ((end, start, id), (count, sum)) = first.remove_entry();
            results.push(format!("+I {id}, {count}, {sum}, {}", shown(start, end)));
        }
    }
    (results, late)
}

fn shown(start: i64, end: i64) -> String {
    let options = arrow_cast::display::FormatOptions::default();
    let times: ArrayRef = Arc::new(TimestampMillisecondArray::from(vec![start, end]));
    let times = arrow_cast::display::ArrayFormatter::try_new(&times, &options).unwrap();
    format!("{}, {}", times.value(0), times.value(1))
}

/// Rows that come out of order, ever later, with watermarks.
fn random_plan(seed: u64) -> Plan {
    let mut rng = Rng::new(seed);
    let mut now = 0;
    (0..40)
        .map(|_| {
            now += i64::try_from(rng.next_u64() % 8).unwrap();
            let rows = (0..rng.next_u64() % 12)
                .map(|_| {
                    let time = now + i64::try_from(rng.next_u64() % 50).unwrap() - 40;
                    (format!("id-{}", rng.next_u64() % 9), time, i32::try_from(rng.next_u64() % 100).unwrap())
                })
                .collect();
            (rows, now - 10)
        })
        .collect()
}

#[test]
fn a_random_stream_agrees_with_the_model_in_all_modes() {
    let int = LogicalType::Int;
    let hop = |slide_ms, size_ms| WindowKind::Hop { slide_ms, size_ms };
    let cumulate = |step_ms, size_ms| WindowKind::Cumulate { step_ms, size_ms };
    let kinds = [
        WindowKind::Tumble { size_ms: 10 },
        hop(5, 15),
        hop(4, 10),
        hop(15, 6),
        cumulate(5, 20),
        cumulate(10, 10),
        WindowKind::Session { gap_ms: 5 },
    ];
    for (kind, seed) in kinds.iter().flat_map(|kind| (0..3).map(move |seed| (*kind, seed))) {
        let plan = random_plan(seed);
        let mut job = Job::new(int.clone(), vec![count_rows(), call(Sum, &int, int.clone())]);
        job.spec.window.kind = kind;
        job.spec.properties = vec![WindowProperty::Start, WindowProperty::End];
        let job = job.with_output();
        let step = |(rows, watermark): &(Vec<(String, i64, i32)>, i64)| {
            let keys: Vec<_> = rows.iter().map(|(id, time, _)| (Some(id.as_str()), *time)).collect();
            let values = Int32Array::from_iter_values(rows.iter().map(|row| row.2));
            [Step::rows(0, job.rows(&keys, Arc::new(values))), Step::watermark(0, *watermark)]
        };
        let steps: Vec<Step> = plan.iter().flat_map(step).collect();
        let outcome = job.run(&steps);
        let (mut rows, late) = model(kind, &plan);
        let mut found = outcome.rows;
        let ends =
            |rows: &[String]| rows.iter().map(|row| row.rsplit(", ").next().unwrap().to_owned()).collect::<Vec<_>>();
        assert_eq!(ends(&found), ends(&rows), "{kind:?}, seed {seed}: windows come by their ends");
        rows.sort();
        found.sort();
        assert_eq!(found, rows, "{kind:?}, seed {seed}");
        assert!(rows.len() > 10 && late > 0, "{kind:?}, seed {seed}: {} rows, {late} late", rows.len());
        assert_eq!(outcome.equation.late, late, "{kind:?}, seed {seed}");
    }
}

#[test]
fn slices_of_processing_time_fire_on_after_a_restart_without_giving_a_window_twice() {
    for (kind, expected) in [
        (WindowKind::Hop { slide_ms: 10, size_ms: 20 }, ["+I a, 1", "+I a, 2", "+I a, 1"]),
        (WindowKind::Cumulate { step_ms: 10, size_ms: 30 }, ["+I a, 1", "+I a, 2", "+I a, 2"]),
    ] {
        let mut job = Job::new(LogicalType::Int, vec![count_rows()]);
        job.spec.window.kind = kind;
        job.spec.rows = RowWindows::Time(TimeDomain::Processing);
        let job = job.with_output();
        let at = |now| Step::rows(now, job.rows(&[(Some("a"), 0)], Arc::new(Int32Array::from(vec![1]))));
        let steps = [at(0), Step::tick(10), Step::tick(11), at(12), Step::tick(19), Step::tick(20), Step::tick(100)];
        assert_eq!(job.run(&steps).rows, expected, "{kind:?}");
    }
}

#[test]
fn rows_that_bring_their_window_along_are_grouped_by_its_end() {
    let mut job = Job::new(LogicalType::Int, vec![count_rows()]);
    job.spec.window.kind = WindowKind::Hop { slide_ms: 10, size_ms: 20 };
    job.spec.rows = RowWindows::End(TIME);
    job.spec.properties = vec![WindowProperty::Start, WindowProperty::End];
    let job = job.with_output();
    let batch = |rows: &[(Option<&str>, i64)]| job.rows(rows, Arc::new(Int32Array::from(vec![1; rows.len()])));
    let steps = [
        Step::rows(0, batch(&[(Some("a"), 20), (Some("a"), 30), (Some("b"), 20), (Some("a"), 20)])),
        Step::watermark(0, 19),
        Step::rows(0, batch(&[(Some("b"), 20), (Some("b"), 30)])),
        Step::watermark(0, 29),
    ];
    let outcome = job.run(&steps);
    let (first, second) = (shown(0, 20), shown(10, 30));
    let expected = [
        format!("+I a, 2, {first}"),
        format!("+I b, 1, {first}"),
        format!("+I a, 1, {second}"),
        format!("+I b, 1, {second}"),
    ];
    assert_eq!(outcome.rows, expected);
    assert_eq!(outcome.equation.late, 1);
}

#[test]
fn a_row_counts_in_one_slice_and_a_checkpoint_holds_no_more() {
    let mut job = Job::new(LogicalType::Int, vec![count_rows()]);
    job.spec.window.kind = WindowKind::Hop { slide_ms: 1, size_ms: 1_000 };
    let job = job.with_output();
    let rows = [(Some("a"), 0), (Some("a"), 0), (Some("b"), 0)];
    let steps = [Step::rows(0, job.rows(&rows, Arc::new(Int32Array::from(vec![1; 3])))), Step::watermark(0, -1)];
    let harness = Harness {
        make: &|groups| job.make(groups),
        schema: &job.input,
        keys: &[ID],
        between: &|_| Between::Checkpoint,
    };
    let outcome = harness.run(&steps).unwrap();
    let groups = usize::from(MAX_PARALLELISM);
    assert_eq!(outcome.written, [0, 2, groups], "two keys in one slice of a thousand windows");
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
        let spec =
            WindowAggregateSpec { aggregates: vec![call(function, argument, argument.clone())], ..job.spec.clone() };
        let context = WindowContext {
            input: &schema,
            output: &job.output,
            local_time_zone: "UTC",
            key_groups: 0..MAX_PARALLELISM,
            max_parallelism: MAX_PARALLELISM,
        };
        assert_eq!(WindowAggregate::new(&spec, &context).err().unwrap().to_string(), words);
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
