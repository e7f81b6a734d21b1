//! First rows by arrival: rows in and out, time to live, restoring, rescaling.

use std::sync::Arc;
use std::time::Duration;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringViewArray};
use weir_base::Rng;
use weir_plan::{DataType, Field, Keep, LogicalType, Order, Schema};

use super::super::{DeduplicateContext, deduplicate};
use super::*;
use crate::operators::test_harness::{Between, Collected, Harness, MAX_PARALLELISM, Step, same_in_all_modes};

fn schema() -> Schema {
    Schema::new(vec![
        Field::new("id", DataType::string()),
        Field::new("number", DataType::nullable(LogicalType::BigInt)),
    ])
}

fn rows(rows: &[(Option<&str>, i64)]) -> RecordBatch {
    let ids: ArrayRef = Arc::new(rows.iter().map(|(id, _)| *id).collect::<StringViewArray>());
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(rows.iter().map(|(_, number)| *number)));
    RecordBatch::try_new(schema().arrow(), vec![ids, numbers]).unwrap()
}

fn make(ttl_ms: u64, exact: bool, key_groups: std::ops::Range<u16>) -> Box<dyn Operator> {
    let schema = schema();
    let context = DeduplicateContext {
        input: &schema,
        state_ttl: Duration::from_millis(ttl_ms),
        key_groups,
        max_parallelism: MAX_PARALLELISM,
        exact,
        update_before: true,
    };
    deduplicate(&[0], Order::ProcTime, Keep::First, &context).unwrap()
}

#[test]
fn the_first_row_of_each_key_passes() {
    for exact in [false, true] {
        let steps = [
            Step::rows(0, rows(&[(Some("a"), 1), (Some("b"), 2), (Some("a"), 3), (None, 4), (None, 5), (Some(""), 6)])),
            Step::rows(1, rows(&[(Some("b"), 7), (Some("c"), 8)])),
            Step::rows(2, rows(&[(Some("a"), 9), (None, 10)])),
            Step::rows(3, rows(&[(Some("d"), 11), (Some("e"), 12)])),
        ];
        let outcome = same_in_all_modes(&|groups| make(0, exact, groups), &schema(), &[0], &steps);
        let expected = ["+I a, 1", "+I b, 2", "+I NULL, 4", "+I , 6", "+I c, 8", "+I d, 11", "+I e, 12"];
        assert_eq!(outcome.rows, expected);
        assert_eq!(outcome.equation, Equation { rows_in: 12, passed: 7, deduplicated: 5, ..Equation::default() });
        assert_eq!(outcome.batch_rows, [4, 1, 2], "a batch without first rows is not passed on");
    }
}

#[test]
fn a_key_comes_again_when_its_time_to_live_is_over() {
    for exact in [false, true] {
        let at = |now| Step::rows(now, rows(&[(Some("a"), now)]));
        // Seen again at 999 it is not renewed: the state is written when the key is new.
        let steps = [at(0), at(999), at(1000), at(1500), at(1999), at(2000)];
        let outcome = same_in_all_modes(&|groups| make(1000, exact, groups), &schema(), &[0], &steps);
        assert_eq!(outcome.rows, ["+I a, 0", "+I a, 1000", "+I a, 2000"]);
    }
}

#[test]
fn a_random_stream_gives_the_same_rows_in_all_modes() {
    for (seed, exact, ttl_ms) in [(1, false, 0), (2, true, 0), (3, false, 400), (4, true, 400)] {
        let mut rng = Rng::new(seed);
        let mut now = 1_000;
        let steps: Vec<Step> = (0..40)
            .map(|step| {
                now += i64::try_from(rng.next_u64() % 100).unwrap();
                let ids: Vec<String> =
                    (0..rng.next_u64() % 30).map(|_| format!("id-{}", rng.next_u64() % 60)).collect();
                let batch: Vec<_> = ids.iter().map(|id| (Some(id.as_str()), step)).collect();
                Step::rows(now, rows(&batch))
            })
            .collect();
        let outcome = same_in_all_modes(&|groups| make(ttl_ms, exact, groups), &schema(), &[0], &steps);
        assert!(outcome.equation.deduplicated > 0 && outcome.rows.len() >= 60);
    }
}

#[test]
fn a_checkpoint_writes_new_keys_only_and_failed_ones_are_made_up_for() {
    let step = |ids: &[&str]| Step::rows(0, rows(&ids.iter().map(|id| (Some(*id), 0)).collect::<Vec<_>>()));
    let steps = [step(&["a", "b"]), step(&["a", "c"]), step(&["d"]), step(&["a"]), step(&["e"])];
    let between = [
        Between::Nothing,
        Between::Checkpoint,       // a, b
        Between::FailedCheckpoint, // c
        Between::Checkpoint,       // c, d
        Between::Checkpoint,       // nothing
    ];
    let harness = Harness {
        make: &|groups| make(0, false, groups),
        schema: &schema(),
        keys: &[0],
        between: &|index| between[index],
    };
    assert_eq!(harness.run(&steps).unwrap().written, [2, 2, 0, 1]);
}

#[test]
fn new_keys_that_expire_before_a_checkpoint_are_not_held() {
    let mut new = NewKeys::<Fingerprint>::default();
    for second in 0..100 {
        new.begin(second * 1000, second * 1000 + 5000);
        (0..CHUNK_KEYS).for_each(|key| new.push(Fingerprint(key)));
        assert!(new.open_keys() as u128 <= 6 * CHUNK_KEYS, "{} keys in second {second}", new.open_keys());
    }
}

const CHUNK_KEYS: u128 = 65_536;

#[test]
fn state_of_the_other_kind_is_refused_with_the_setting_to_change() {
    for (written, read, words) in [(true, false, "true"), (false, true, "false")] {
        let steps = [Step::rows(0, rows(&[(Some("a"), 1)]))];
        let between = |_| Between::Nothing;
        let harness =
            Harness { make: &|groups| make(0, written, groups), schema: &schema(), keys: &[0], between: &between };
        let chain = harness.run(&steps).unwrap().chain;
        let restored = chain.of(0..MAX_PARALLELISM);
        let error = make(0, read, 0..MAX_PARALLELISM).restore(&Restore { state: &restored, now: 0 }).unwrap_err();
        let expected = format!(
            "restore a deduplication: its state was written with weir.dedup.exact = {words}; \
             SET 'weir.dedup.exact' = '{words}', or start with --fresh"
        );
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn a_changelog_is_not_taken() {
    let mut batch = Batch::inserts(rows(&[(Some("a"), 1)]), 0);
    batch.kinds = Some([weir_base::RowKind::Delete].into());
    let error = make(0, false, 0..MAX_PARALLELISM).on_batch(batch, 0, &mut Collected::default()).unwrap_err();
    assert_eq!(error.to_string(), "deduplicate rows: the input must be insert-only");
}

#[test]
fn a_stored_fingerprint_of_another_length_is_corrupt() {
    assert_eq!(
        read_fingerprint(&[1; 11]).unwrap_err().to_string(),
        "read a fingerprint: it has 11 bytes rather than 12"
    );
    let hash = 0x0123_4567_89ab_cdef_0123_4567_89ab_cdef_u128;
    assert_eq!(read_fingerprint(&hash.to_be_bytes()[..12]).unwrap(), hash >> 32 << 32);
}
