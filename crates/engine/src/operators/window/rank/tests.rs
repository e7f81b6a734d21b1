//! First rows of windows: places, equal rows, late rows, and all modes against a simple model.

use std::collections::BTreeMap;

use arrow_array::{Int32Array, StringViewArray, TimestampMillisecondArray};
use weir_base::Rng;
use weir_plan::{DataType, Field, LogicalType, Schema, SortKey, WindowKind, WindowSpec};

use super::*;
use crate::operators::test_harness::{MAX_PARALLELISM, Outcome, Step, same_in_all_modes};

const ID: usize = 0;
const END: usize = 1;
const VALUE: usize = 2;

struct Job {
    spec: WindowRankSpec,
    input: Schema,
    output: Schema,
}

impl Job {
    /// The rows of each id and window at places `first` to `last` by value.
    fn new(first: u64, last: u64) -> Self {
        let input = Schema::new(vec![
            Field::new("id", DataType::string()),
            Field::new("window_end", DataType::not_null(LogicalType::Timestamp(3))),
            Field::new("value", DataType::nullable(LogicalType::Int)),
        ]);
        let mut fields = input.fields.clone();
        fields.push(Field::new("place", DataType::not_null(LogicalType::BigInt)));
        let spec = WindowRankSpec {
            window: WindowSpec { kind: WindowKind::Tumble { size_ms: 10 }, offset_ms: 0, local_time: false },
            end: END,
            keys: vec![ID],
            order: vec![SortKey { column: VALUE, descending: false, nulls_last: false }],
            first,
            last,
            newest_first: false,
            number: true,
        };
        Self { spec, input, output: Schema::new(fields) }
    }

    fn rows(&self, rows: &[(&str, i64, Option<i32>)]) -> Step {
        let ids: ArrayRef = Arc::new(rows.iter().map(|row| Some(row.0)).collect::<StringViewArray>());
        let ends: ArrayRef = Arc::new(TimestampMillisecondArray::from_iter_values(rows.iter().map(|row| row.1)));
        let values: ArrayRef = Arc::new(rows.iter().map(|row| row.2).collect::<Int32Array>());
        Step::rows(0, RecordBatch::try_new(self.input.arrow(), vec![ids, ends, values]).unwrap())
    }

    fn run(&self, steps: &[Step]) -> Outcome {
        let make = |key_groups| {
            let context = WindowContext {
                input: &self.input,
                output: &self.output,
                local_time_zone: "UTC",
                key_groups,
                max_parallelism: MAX_PARALLELISM,
            };
            Box::new(WindowRank::new(&self.spec, &context).unwrap()) as Box<dyn Operator>
        };
        same_in_all_modes(&make, &self.input, &self.spec.keys, steps)
    }
}

/// Rows without the window's end.
fn short(rows: &[String]) -> Vec<String> {
    let cut = |row: &String| {
        let parts: Vec<&str> = row.trim_start_matches("+I ").split(", ").collect();
        format!("{} {} {}", parts[0], parts[2], parts[3])
    };
    rows.iter().map(cut).collect()
}

#[test]
fn rows_are_given_by_place_when_their_window_ends_and_equal_ones_stay_as_they_came() {
    let job = Job::new(1, 2);
    let steps = [
        job.rows(&[("a", 10, Some(3)), ("b", 10, Some(1)), ("a", 10, None), ("a", 20, Some(7)), ("a", 10, Some(1))]),
        Step::watermark(0, 9),
        job.rows(&[("a", 10, Some(0)), ("a", 20, Some(7))]),
        Step::watermark(0, Timestamp::MAX),
    ];
    let outcome = job.run(&steps);
    assert_eq!(short(&outcome.rows), ["b 1 1", "a NULL 1", "a 1 2", "a 7 1", "a 7 2"]);
    let expected = Equation { rows_in: 7, passed: 5, late: 1, deduplicated: 1, ..Equation::default() };
    assert_eq!(outcome.equation, expected);
}

#[test]
fn places_before_the_first_are_kept_back_and_the_newest_of_equal_rows_may_win() {
    let job = Job::new(2, 3);
    let steps = [
        job.rows(&[("a", 10, Some(3)), ("a", 10, Some(1)), ("a", 10, Some(2)), ("a", 10, Some(4))]),
        Step::watermark(0, 9),
    ];
    assert_eq!(short(&job.run(&steps).rows), ["a 2 2", "a 3 3"]);

    let mut job = Job::new(1, 1);
    job.spec.newest_first = true;
    job.spec.keys = vec![ID, VALUE];
    job.spec.order = Vec::new();
    let steps = [job.rows(&[("a", 10, Some(1)), ("b", 10, Some(1)), ("a", 10, Some(1))]), Step::watermark(0, 9)];
    let outcome = job.run(&steps);
    assert_eq!(short(&outcome.rows), ["b 1 1", "a 1 1"]);
}

#[test]
fn a_random_stream_agrees_with_a_simple_model_in_all_modes() {
    for seed in 0..4 {
        let mut rng = Rng::new(seed);
        let job = Job::new(1, 3);
        let (mut steps, mut model) = (Vec::new(), BTreeMap::<(i64, String), Vec<i32>>::new());
        let mut expected = Vec::new();
        for round in 0..30 {
            let mut rows = Vec::new();
            for _ in 0..rng.next_u64() % 12 {
                let id = ["a", "b", "c"][usize::try_from(rng.next_u64() % 3).unwrap()];
                let end = (round / 3 + i64::try_from(rng.next_u64() % 3).unwrap()) * 10;
                let value = i32::try_from(rng.next_u64() % 50).unwrap();
                rows.push((id, end, Some(value)));
                if end > round / 3 * 10 - 5 {
                    model.entry((end, id.to_owned())).or_default().push(value);
                }
            }
            steps.push(job.rows(&rows));
            if round % 3 == 2 {
                let watermark = (round / 3) * 10 + 5;
                steps.push(Step::watermark(0, watermark));
                while let Some(first) = model.first_entry().filter(|first| first.key().0 - 1 <= watermark) {
                    let ((_, id), mut values) = first.remove_entry();
                    values.sort_unstable();
                    expected
                        .extend(values.iter().take(3).zip(1..).map(|(value, place)| format!("{id} {value} {place}")));
                }
            }
        }
        let mut found = short(&job.run(&steps).rows);
        found.sort();
        expected.sort();
        assert!(expected.len() > 20);
        assert_eq!(found, expected, "seed {seed}");
    }
}
