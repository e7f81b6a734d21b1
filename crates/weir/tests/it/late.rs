//! Rows that come too late for a window: counted, and in the dead letters where they are wanted there, once each, also over restarts.

use crate::binary::{Place, Ran};
use crate::case::Case;
use crate::restores;

/// Rows of which the fourth, the sixth and the last are late for their windows of ten seconds.
const CASE: &str = "-- Late rows.
-- rows: any-order
SET 'weir.dead-letter.late' = 'true';
CREATE TABLE events (id INT, name STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'filesystem', 'path' = '${CASE_DIR}/in', 'format' = 'json');
CREATE TABLE shown (s TIMESTAMP(3), name STRING, n BIGINT) WITH ('connector' = 'print');
INSERT INTO shown SELECT window_start, name, COUNT(*) FROM TABLE(WINDOWS) GROUP BY window_start, window_end, name;
---- input in
{\"id\":1,\"name\":\"a\",\"ts\":\"2024-01-01 00:00:05\"}
{\"id\":2,\"name\":null,\"ts\":\"2024-01-01 00:00:12\"}
{\"id\":3,\"name\":\"a\",\"ts\":\"2024-01-01 00:00:11\"}
{\"id\":4,\"name\":\"ü\",\"ts\":\"2024-01-01 00:00:09.5\"}
{\"id\":5,\"name\":\"a\",\"ts\":\"2024-01-01 00:00:40\"}
{\"id\":6,\"name\":null,\"ts\":\"2024-01-01 00:00:19\"}
{\"id\":7,\"name\":\"a\",\"ts\":\"2024-01-01 00:00:41\"}
{\"id\":8,\"name\":\"b\",\"ts\":\"2024-01-01 00:00:01\"}
";

const SETTINGS: [&str; 4] = ["-D", "pipeline.auto-watermark-interval=0", "-D", "restart-strategy.type=none"];

fn case(windows: &str) -> Case {
    Case::parse("late/rows", &CASE.replace("WINDOWS", windows)).expect("the case can be read")
}

/// The rows of the letters in `place`, sorted.
fn letters(place: &Place) -> Vec<String> {
    let query = "SELECT kind || ' ' || CAST(raw AS STRING) AS row FROM dead_letters";
    let ran = Ran::of(place.weir(["query", query, "--format", "csv"]).output().expect("start weir")).ok();
    let mut rows: Vec<String> = ran.out.lines().skip(1).map(|row| row.replace("\"\"", "\"")).collect();
    rows.sort();
    rows
}

/// What each kind of window leaves out.
const KINDS: [(&str, &str); 3] = [
    ("tumble", "TUMBLE(TABLE events, DESCRIPTOR(ts), INTERVAL '10' SECOND)"),
    ("hop", "HOP(TABLE events, DESCRIPTOR(ts), INTERVAL '5' SECOND, INTERVAL '10' SECOND)"),
    ("session", "SESSION(TABLE events PARTITION BY name, DESCRIPTOR(ts), INTERVAL '5' SECOND)"),
];

#[test]
fn late_rows_become_dead_letters_once_each_also_over_restarts() {
    for (what, windows) in KINDS {
        let case = case(windows);
        let place = Place::new();
        case.write_inputs(&place.path("")).expect("write the input");
        place.run(&case.script_in(&place.path("")), &[SETTINGS.as_slice(), &["-p", "1"]].concat()).ok();
        let once = letters(&place);
        assert!(once.len() >= 2 && once.iter().all(|row| row.contains("late {")), "{what}: {once:?}");
        for parallelisms in [["1"].as_slice(), &["1", "3", "2"]] {
            let place = Place::new();
            restores::rows_in(&place, &case, &SETTINGS, parallelisms).expect("the job runs");
            assert_eq!(letters(&place), once, "{what}, killed and restored at parallelism {parallelisms:?}");
        }
    }
}

#[test]
fn a_late_row_is_only_counted_where_letters_are_not_asked_for() {
    let case = case(KINDS[0].1);
    let place = Place::new();
    case.write_inputs(&place.path("")).expect("write the input");
    let script = case.script_in(&place.path("")).replace("SET 'weir.dead-letter.late' = 'true';", "");
    let ran = place.run(&script, &[SETTINGS.as_slice(), &["-p", "1"]].concat()).ok();
    assert_eq!(ran.out.lines().count(), 4, "{}", ran.out);
    assert_eq!(letters(&place), [] as [String; 0]);
}

#[test]
fn a_letter_says_what_came_too_late_for_what() {
    let case = case(KINDS[0].1);
    let place = Place::new();
    case.write_inputs(&place.path("")).expect("write the input");
    place.run(&case.script_in(&place.path("")), &[SETTINGS.as_slice(), &["-p", "1"]].concat()).ok();
    let query = "SELECT kind, \"table\", cause, raw_length FROM dead_letters ORDER BY raw_length LIMIT 1";
    let ran = Ran::of(place.weir(["query", query, "--format", "csv"]).output().expect("start weir")).ok();
    let row = ran.out.lines().nth(1).expect("there is a letter").to_owned();
    assert!(row.starts_with("late,GlobalWindowAggregate["), "{row}");
    assert!(row.contains("came after its windows had been given: the watermark was at "), "{row}");
}
