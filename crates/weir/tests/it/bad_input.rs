//! What is wrong is refused with its place and the way out; never a panic.

use crate::binary::{Place, wait};

/// A table over a folder that need not exist for planning.
const INPUT: &str =
    "CREATE TABLE input (id INT, name STRING) WITH ('connector' = 'filesystem', 'path' = 'in', 'format' = 'json');\n";

#[test]
fn an_unknown_column_is_named_with_its_place_and_the_nearest() {
    let ran = Place::new().run(&format!("{INPUT}SELECT id, nme FROM input;"), &[]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.err.contains("job.sql:2:12:"), "{}", ran.err);
    assert!(ran.err.contains("SELECT id, nme FROM input;"), "{}", ran.err);
    assert!(ran.err.contains("did you mean 'name'?") || ran.err.contains("did you mean `name`?"), "{}", ran.err);
}

#[test]
fn a_bad_record_fails_the_job_with_file_offset_and_column() {
    let place = Place::new();
    place.write("in/a.json", "{\"id\":1}\n{\"id\":2,,}\n");
    let ran = place.run(&format!("SET 'restart-strategy.type' = 'none';\n{INPUT}SELECT id FROM input;"), &[]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.err.contains("a.json, offset 9 (record 2), column 9"), "{}", ran.err);
    assert!(ran.err.contains("'json.ignore-parse-errors' = 'true'"), "{}", ran.err);
}

#[test]
fn bad_records_become_dead_letters_when_asked_for() {
    let place = Place::new();
    place.write("in/a.json", "{\"id\":1}\n{\"id\":2,,}\n\n{\"id\":\"x\"}\n");
    let sql = INPUT.replace("'json'", "'json', 'json.ignore-parse-errors' = 'true'");
    let ran = place
        .run(
            &format!(
                "{sql}CREATE TABLE shown (id INT) WITH ('connector' = 'print'); INSERT INTO shown SELECT id FROM input;"
            ),
            &[],
        )
        .ok();
    assert_eq!(ran.out, "+I[1]\n+I[null]\n");
    let letters = place
        .weir([
            "query",
            "SELECT kind, \"offset\", line, CAST(raw AS STRING) AS raw FROM dead_letters ORDER BY line",
            "--format",
            "csv",
        ])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&letters.stdout);
    assert_eq!(text, "kind,offset,line,raw\nrecord,9,2,\"{\"\"id\"\":2,,}\"\nfield,21,4,\"{\"\"id\"\":\"\"x\"\"}\"\n");
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest() {
    let ran =
        Place::new().run(&format!("{INPUT}SELECT id FROM input;"), &["-D", "execution.checkpointing.intervall=1s"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.err.contains("did you mean 'execution.checkpointing.interval'?"), "{}", ran.err);
}

#[test]
fn two_processes_cannot_share_a_data_directory() {
    let place = Place::new();
    std::fs::create_dir_all(place.path("in")).unwrap();
    let watch = INPUT.replace("'json'", "'json', 'source.monitor-interval' = '1 s'");
    let mut first = place.start(&format!("{watch}SELECT id FROM input;"), &[]);
    wait(std::time::Duration::from_millis(800));
    let second = place.run(&format!("{INPUT}SELECT id FROM input;"), &[]);
    first.kill().unwrap();
    first.wait().unwrap();
    assert_eq!(second.code, Some(2), "{second:?}");
    assert!(second.err.contains("another weir process uses it"), "{}", second.err);
}
