//! What is wrong is refused with its place and the way out; never a panic, never a row that vanishes.

use std::io::{Seek, SeekFrom, Write};
use std::time::Duration;

use crate::binary::{Place, Ran, wait};

/// A table over a folder that need not exist for planning.
const INPUT: &str =
    "CREATE TABLE input (id INT, name STRING) WITH ('connector' = 'filesystem', 'path' = 'in', 'format' = 'json');\n";

/// A job that shows the ids of that table, and fails at its first failure.
const SHOW_IDS: &str = "SET 'restart-strategy.type' = 'none';
CREATE TABLE shown (id INT) WITH ('connector' = 'print');
INSERT INTO shown SELECT id FROM input;";

/// `INPUT` that sets bad records aside.
fn lenient() -> String {
    INPUT.replace("'json'", "'json', 'json.ignore-parse-errors' = 'true'")
}

/// What the error says, behind `error: ` and without the test's folder.
fn error(place: &Place, ran: &Ran) -> String {
    let start = ran.err.find("error: ").map_or(0, |at| at + "error: ".len());
    ran.err[start..].replace(&place.path("").display().to_string(), "").trim_end().to_owned()
}

/// Dead letters as CSV.
fn letters(place: &Place, columns: &str) -> String {
    let query = format!("SELECT {columns} FROM dead_letters ORDER BY split, \"offset\"");
    Ran::of(place.weir(["query", &query, "--format", "csv"]).output().expect("start weir")).ok().out
}

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
    let cases: &[(&str, &[u8], &str)] = &[
        (
            "two commas",
            b"{\"id\":1}\n{\"id\":2,,}\n",
            "offset 9 (record 2), column 9: expected a field's name in quotes: {\"id\":2,,}",
        ),
        (
            "the last line is cut off",
            b"{\"id\":1}\n{\"id\":2,\"na",
            "offset 9 (record 2), column 12: the record ends too early: {\"id\":2,\"na",
        ),
        (
            "invalid UTF-8",
            b"{\"id\":1,\"name\":\"a\xffb\"}\n",
            "offset 0 (record 1), column 18: invalid UTF-8: {\"id\":1,\"name\":\"a\u{fffd}b\"}",
        ),
        (
            "control characters",
            b"\x1b[31m\0\n",
            "offset 0 (record 1), column 1: expected '{': a record is one JSON object: \\u{1b}[31m\\u{0}",
        ),
    ];
    for (what, bytes, expected) in cases {
        let place = Place::new();
        place.write("in/a.json", bytes);
        let ran = place.run(&format!("{INPUT}{SHOW_IDS}"), &[]);
        assert_eq!(ran.code, Some(1), "{what}: {ran:?}");
        assert_eq!(
            error(&place, &ran),
            format!(
                "failed to read the table 'default_catalog.default_database.input': in/a.json, {expected}; set 'json.ignore-parse-errors' = 'true' in the table's options to set bad records aside as dead letters and go on"
            ),
            "{what}"
        );
    }
}

#[test]
fn bad_records_become_dead_letters_when_asked_for() {
    let place = Place::new();
    place.write(
        "in/a.json",
        b"{\"id\":1}\n{\"id\":2,,}\n\n{\"id\":\"x\"}\n{\"id\":5,\"name\":\"\xff\"}\n{\"id\":6,\"na",
    );
    let ran = place.run(&format!("{}{SHOW_IDS}", lenient()), &[]).ok();
    assert_eq!(ran.out, "+I[1]\n+I[null]\n");
    assert_eq!(
        letters(&place, "kind, \"offset\", line, \"column\", cause"),
        "kind,offset,line,column,cause\n\
         record,9,2,9,expected a field's name in quotes\n\
         field,21,4,7,\"field 'id': \"\"x\"\" does not fit INT\"\n\
         record,32,5,17,invalid UTF-8\n\
         record,52,6,12,the record ends too early\n"
    );
}

#[test]
fn an_empty_file_is_a_file_without_records() {
    for format in ["json", "csv", "raw"] {
        let place = Place::new();
        place.write("in/empty", "");
        let sql = format!(
            "SET 'restart-strategy.type' = 'none';
            CREATE TABLE input (name STRING) WITH ('connector' = 'filesystem', 'path' = 'in', 'format' = '{format}');
            CREATE TABLE shown (name STRING) WITH ('connector' = 'print');
            INSERT INTO shown SELECT * FROM input;"
        );
        assert_eq!(place.run(&sql, &[]).ok().out, "", "{format}");
    }
    let place = Place::new();
    let ran = place.run(&format!("{INPUT}{SHOW_IDS}"), &[]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert_eq!(error(&place, &ran), "failed to list the files of 'in': No such file or directory (os error 2)");
}

/// A file of three records, of which the second is nearly a gigabyte long; its middle is a hole, so it takes no room on the disk.
fn a_gigabyte(place: &Place) {
    let path = place.write("in/a.json", "{\"id\":1}\n");
    let mut file = std::fs::File::options().write(true).open(path).expect("open the input");
    file.seek(SeekFrom::Start(1 << 30)).expect("leave a hole");
    file.write_all(b"\n{\"id\":3}\n").expect("write the end");
}

/// Runs `sql`: how it ended, and the memory that it had at most, in bytes.
#[expect(clippy::zombie_processes, reason = "`wait4` waits for it, and tells its memory")]
fn measured(place: &Place, sql: &str) -> (Ran, i64) {
    place.write("job.sql", sql);
    let mut command = place.weir(["run", "job.sql", "-D", "metrics.reporter.prom.port=21000-29999"]);
    let file = |name: &str| std::fs::File::create(place.path(name)).expect("make a file for the output");
    let child = command.stdout(file("stdout")).stderr(file("stderr")).spawn().expect("start weir");
    let pid = i32::try_from(child.id()).expect("a process id");
    let mut status = 0;
    // SAFETY: all zeros is a `rusage`, and `wait4` writes into it and into `status` only.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        assert_eq!(libc::wait4(pid, &raw mut status, 0, &raw mut usage), pid);
        usage
    };
    let read =
        |name: &str| String::from_utf8_lossy(&std::fs::read(place.path(name)).expect("read the output")).into_owned();
    let code = libc::WIFEXITED(status).then(|| libc::WEXITSTATUS(status));
    let kilobytes = if cfg!(target_os = "macos") { usage.ru_maxrss / 1024 } else { usage.ru_maxrss };
    (Ran { code, out: read("stdout"), err: read("stderr") }, kilobytes * 1024)
}

#[test]
fn a_line_of_a_gigabyte_fails_the_job_or_is_set_aside_without_being_held_in_memory() {
    let place = Place::new();
    a_gigabyte(&place);
    let (ran, peak) = measured(&place, &format!("{INPUT}{SHOW_IDS}"));
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let expected = "failed to read the table 'default_catalog.default_database.input': in/a.json, offset 9 (record 2), \
                    column 1: the record has 1073741815 bytes, more than the limit of 67108864: \\u{0}\\u{0}";
    assert!(error(&place, &ran).starts_with(expected), "{}", ran.err);
    assert!(peak < 300 << 20, "{peak} bytes of memory");

    let place = Place::new();
    a_gigabyte(&place);
    let (ran, peak) = measured(&place, &format!("{}{SHOW_IDS}", lenient()));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(ran.out, "+I[1]\n+I[3]\n");
    assert!(peak < 300 << 20, "{peak} bytes of memory");
    assert_eq!(
        letters(&place, "kind, \"offset\", line, raw_length, raw_hash, cause"),
        "kind,offset,line,raw_length,raw_hash,cause\n\
         record,9,2,1073741815,7bc56a56fc8b243a,\"the record has 1073741815 bytes, more than the limit of 67108864\"\n"
    );
    let raw = letters(&place, "raw");
    assert_eq!(raw.lines().nth(1).map(str::len), Some(64 << 10), "of its bytes that many stay");
}

#[test]
fn a_file_that_was_cut_since_the_checkpoint_is_refused_until_it_is_back() {
    let place = Place::new();
    let lines: String = (0..5).map(|id| format!("{{\"id\":{id}}}\n")).collect();
    place.write("in/a.json", &lines);
    let sql = format!(
        "{INPUT}SET 'restart-strategy.type' = 'none';
        CREATE TABLE output (id INT) WITH ('connector' = 'filesystem', 'path' = 'out', 'format' = 'json');
        INSERT INTO output SELECT id FROM input;"
    );
    place.write("job.sql", &sql);
    let port = "metrics.reporter.prom.port=21000-29999";
    let mut weir = place.weir(["run", "job.sql", "-D", port, "-D", "execution.checkpointing.interval=5 ms"]);
    // As soon as a checkpoint holds the first two rows.
    let killed = Ran::of(weir.env("WEIR_KILL_AT_ROW", "2").output().unwrap());
    assert_eq!(killed.code, None, "{killed:?}");
    place.write("in/a.json", &lines[..9]);
    let ran = place.run(&sql, &["--resume"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert_eq!(
        error(&place, &ran),
        "failed to go on reading the file 'in/a.json' at byte 18: it has only 9 bytes, so it was cut or replaced since the checkpoint; put the file back as it was, or start afresh with --fresh"
    );
    place.write("in/a.json", &lines);
    place.run(&sql, &["--resume"]).ok();
    assert_eq!(place.lines("out"), lines.lines().collect::<Vec<_>>());
}

#[test]
fn ten_thousand_columns_are_refused_in_a_table_and_read_in_a_record() {
    let columns = |count: usize| (0..count).map(|at| format!("c{at} INT")).collect::<Vec<_>>().join(",\n");
    let with = "WITH ('connector' = 'filesystem', 'path' = 'in', 'format' = 'json')";
    let cases = [
        ("", "", "the table has more than 4096 columns", "\nhint: put fields together in a ROW"),
        ("`all` ROW<", ">", "a ROW has more than 4096 fields", ""),
    ];
    for (open, close, what, hint) in cases {
        let place = Place::new();
        let ran = place.run(&format!("CREATE TABLE wide ({open}\n{}{close}) {with};", columns(10_000)), &[]);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        let expected = format!("job.sql:4098:1: {what}\n  | c4096 INT,\n  | ^^^^^{hint}");
        assert_eq!(error(&place, &ran), expected);
    }
    let place = Place::new();
    let record: Vec<String> = (0..10_000).map(|at| format!("\"c{at}\":{at}")).collect();
    place.write("in/a.json", format!("{{{}}}\n", record.join(",")));
    let sql = format!(
        "CREATE TABLE wide ({}) {with};
        CREATE TABLE shown (first_ INT, last_ INT) WITH ('connector' = 'print');
        INSERT INTO shown SELECT c0, c4095 FROM wide;",
        columns(4_096)
    );
    assert_eq!(place.run(&sql, &[]).ok().out, "+I[0, 4095]\n");
}

#[test]
fn a_view_that_reads_itself_is_refused_with_the_way_around() {
    let place = Place::new();
    let views = "CREATE VIEW a AS SELECT * FROM input;\nCREATE VIEW b AS SELECT * FROM a;\nDROP VIEW a;\n";
    let ran = place.run(&format!("{INPUT}{views}CREATE VIEW a AS SELECT * FROM b;\nSELECT * FROM a;"), &[]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert_eq!(
        error(&place, &ran),
        "job.sql:5:13: the view 'a' reads itself: a -> b -> a\n  | CREATE VIEW a AS SELECT * FROM b;\n  |             ^\n\
         hint: name another table or view in its query"
    );
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
    // The file is made before it is locked.
    while !place.path("weir-data/LOCK").exists() {
        wait(Duration::from_millis(10));
    }
    wait(Duration::from_millis(200));
    let second = place.run(&format!("{INPUT}SELECT id FROM input;"), &[]);
    first.kill().unwrap();
    first.wait().unwrap();
    assert_eq!(second.code, Some(2), "{second:?}");
    assert_eq!(
        error(&place, &second),
        "failed to lock the data directory 'weir-data': another weir process uses it; stop that process, or give this one a directory of its own with --data-dir"
    );
}
