//! Going on from a checkpoint: with other keys, other columns, another parallelism, from one that is named.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::binary::{Place, Ran};

/// Four rows, of which the last two are of the keys of the first two.
const ROWS: &str =
    "{\"id\":1,\"name\":\"a\"}\n{\"id\":2,\"name\":\"b\"}\n{\"id\":3,\"name\":\"a\"}\n{\"id\":4,\"name\":\"b\"}\n";

/// Rows of one hour, the last of the next.
const TIMES: &str = "{\"id\":1,\"name\":\"a\",\"ts\":\"2024-01-01 00:00:01\"}\n{\"id\":2,\"name\":\"b\",\"ts\":\"2024-01-01 00:00:02\"}\n\
                     {\"id\":3,\"name\":\"a\",\"ts\":\"2024-01-01 01:00:03\"}\n";

/// The first row of each name.
const FIRSTS: &str = "
SET 'restart-strategy.type' = 'none';
CREATE TABLE input (id INT, name STRING, pt AS PROCTIME()) WITH ('connector' = 'filesystem', 'path' = 'in', 'format' = 'json');
CREATE TABLE shown (id INT, name STRING) WITH ('connector' = 'print');
INSERT INTO shown SELECT id, name FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY name ORDER BY pt) AS n FROM input) WHERE n = 1;
";

/// The last row of each name, which its state holds whole.
const LASTS: &str = "
SET 'restart-strategy.type' = 'none';
CREATE TABLE input (id INT, name STRING, pt AS PROCTIME()) WITH ('connector' = 'filesystem', 'path' = 'in', 'format' = 'json');
CREATE TABLE shown (id INT, name STRING) WITH ('connector' = 'print');
INSERT INTO shown SELECT id, name FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY name ORDER BY pt DESC) AS n FROM input) WHERE n = 1;
";

/// Rows in each hour by name.
const COUNTS: &str = "
SET 'restart-strategy.type' = 'none';
CREATE TABLE input (id INT, name STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'filesystem', 'path' = 'in', 'format' = 'json');
CREATE TABLE shown (name STRING, n BIGINT, ids INT) WITH ('connector' = 'print');
INSERT INTO shown SELECT name, COUNT(*), SUM(id) FROM TABLE(TUMBLE(TABLE input, DESCRIPTOR(ts), INTERVAL '1' HOUR))
GROUP BY window_start, window_end, name;
";

/// A folder with `input`, in which `sql` was killed as soon as a checkpoint held its first `rows` rows.
fn killed_at(rows: u64, sql: &str, input: &str) -> (Place, Ran) {
    let place = Place::new();
    place.write("in/a.json", input);
    let ran = killed_again_at(rows, &place, sql, &[]);
    (place, ran)
}

/// `sql` goes on and is killed as soon as a checkpoint holds `rows` rows more.
fn killed_again_at(rows: u64, place: &Place, sql: &str, args: &[&str]) -> Ran {
    place.write("job.sql", sql);
    let port = "metrics.reporter.prom.port=21000-29999";
    let fixed = ["run", "job.sql", "--resume", "-D", port, "-D", "execution.checkpointing.interval=5 ms"];
    let output =
        place.weir(fixed.iter().chain(args)).env("WEIR_KILL_AT_ROW", rows.to_string()).output().expect("run weir");
    let ran = Ran::of(output);
    assert_eq!(ran.code, None, "it was to be killed: {ran:?}");
    ran
}

/// The last line of what a refused run says.
fn refusal(ran: &Ran) -> &str {
    ran.err.lines().find(|line| line.starts_with("error:")).unwrap_or(&ran.err)
}

#[test]
fn a_job_that_does_not_fit_its_checkpoint_is_refused_with_what_differs_and_may_go_on_once_it_is_changed_back() {
    let (keys, columns) = ("PARTITION BY name", "(id INT, name STRING, pt");
    let cases = [
        (
            FIRSTS,
            ROWS,
            keys,
            "PARTITION BY id",
            "restore the job 'job' from checkpoint NEWEST: the checkpoint has deduplicate (deduplicate First of processing time by name STRING), the job has deduplicate (deduplicate First of processing time by id of whole numbers); change the SQL back, or give --fresh to start from nothing",
        ),
        (
            FIRSTS,
            ROWS,
            keys,
            "PARTITION BY name, id",
            "restore the job 'job' from checkpoint NEWEST: the checkpoint has deduplicate (deduplicate First of processing time by name STRING), the job has deduplicate (deduplicate First of processing time by name STRING, id of whole numbers); change the SQL back, or give --fresh to start from nothing",
        ),
        (
            FIRSTS,
            ROWS,
            columns,
            "(id INT, name INT, pt",
            "restore the job 'job' from checkpoint NEWEST: the checkpoint has deduplicate (deduplicate First of processing time by name STRING), the job has deduplicate (deduplicate First of processing time by name of whole numbers); change the SQL back, or give --fresh to start from nothing",
        ),
        (
            FIRSTS,
            ROWS,
            "ORDER BY pt)",
            "ORDER BY pt DESC)",
            "restore the job 'job' from checkpoint NEWEST: the checkpoint has deduplicate (deduplicate First of processing time by name STRING), the job has deduplicate (deduplicate Last of processing time by name STRING); change the SQL back, or give --fresh to start from nothing",
        ),
        (
            FIRSTS,
            ROWS,
            "SET 'restart-strategy.type' = 'none'",
            "SET 'weir.dedup.exact' = 'true'",
            "restore the operator 'Deduplicate[3]': restore a deduplication: its state was written with weir.dedup.exact = false; SET 'weir.dedup.exact' = 'false', or start with --fresh",
        ),
        (
            FIRSTS,
            ROWS,
            "SET 'restart-strategy.type' = 'none'",
            "SET 'pipeline.max-parallelism' = '64'",
            "restore the job 'job' from checkpoint NEWEST: it was taken with pipeline.max-parallelism 128, the job now has 64; set pipeline.max-parallelism to 128, or give --fresh to start from nothing",
        ),
        (
            FIRSTS,
            ROWS,
            "'print'",
            "'blackhole'",
            "restore the job 'job' from checkpoint NEWEST: the checkpoint has sink-default_catalog.default_database.shown (sink print), the job has sink-default_catalog.default_database.shown (sink blackhole); change the SQL back, or give --fresh to start from nothing",
        ),
        (
            LASTS,
            ROWS,
            "id INT, name",
            "id BIGINT, name",
            "restore the operator 'Deduplicate[3]': restore a row: the state was written with other columns than (id Int64, name Utf8View); start with --fresh, or with the SQL that wrote it",
        ),
        (
            COUNTS,
            TIMES,
            "window_end, name",
            "window_end, name, id",
            "restore the job 'job' from checkpoint NEWEST: the checkpoint has global-window-aggregate (aggregate in TUMBLE of 3600s by name STRING), the job has global-window-aggregate (aggregate in TUMBLE of 3600s by name STRING, id of whole numbers); change the SQL back, or give --fresh to start from nothing",
        ),
        (
            COUNTS,
            TIMES,
            "'1' HOUR",
            "'2' HOUR",
            "restore the job 'job' from checkpoint NEWEST: the checkpoint has global-window-aggregate (aggregate in TUMBLE of 3600s by name STRING), the job has global-window-aggregate (aggregate in TUMBLE of 7200s by name STRING); change the SQL back, or give --fresh to start from nothing",
        ),
        (
            COUNTS,
            TIMES,
            "SUM(id)",
            "MAX(id)",
            "restore the operator 'GlobalWindowAggregate[4]': restore a window: the state was written with other aggregates; start with --fresh, or with the SQL that wrote it",
        ),
    ];
    let mut wrong = Vec::new();
    for (sql, input, from, to, expected) in cases {
        let (place, before) = killed_at(2, sql, input);
        let changed = sql.replace(from, to);
        assert_ne!(changed, *sql, "{from}");
        let changed = if to.contains("name INT") {
            changed.replace("shown (id INT, name STRING)", "shown (id INT, name INT)")
        } else {
            changed
        };
        // How many checkpoints there were before the one with all rows depends on the moment.
        let number = newest_checkpoint(&place).display().to_string().rsplit('-').next().unwrap_or_default().to_owned();
        let expected = expected.replace("NEWEST", &number);
        let refused = place.run(&changed, &["--resume"]);
        if refused.code != Some(1)
            || !refused.out.is_empty()
            || refusal(&refused) != format!("error: failed to {expected}")
        {
            wrong.push(format!("{from} -> {to}: {:?} {}", refused.code, refusal(&refused)));
        }
        let back = place.run(sql, &["--resume"]).ok();
        let whole = Place::new();
        whole.write("in/a.json", input);
        let whole = whole.run(sql, &[]).ok();
        assert_eq!(format!("{}{}", before.out, back.out), whole.out, "{from} -> {to}, and back");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_the_state_does_not_hold_may_change() {
    let cases = [
        (FIRSTS, ROWS, "(id INT, name STRING, pt", "(more INT, id INT, name STRING, pt", "+I[1, a]\n+I[2, b]\n", ""),
        (FIRSTS, ROWS, "WHERE n = 1", "WHERE n = 1 AND id > 0", "+I[1, a]\n+I[2, b]\n", ""),
        (COUNTS, TIMES, "AS ts)", "AS ts - INTERVAL '1' SECOND)", "", "+I[a, 1, 1]\n+I[b, 1, 2]\n+I[a, 1, 3]\n"),
        (COUNTS, TIMES, "(name STRING, n", "(renamed STRING, n", "", "+I[a, 1, 1]\n+I[b, 1, 2]\n+I[a, 1, 3]\n"),
    ];
    for (sql, input, from, to, before, after) in cases {
        let (place, killed) = killed_at(2, sql, input);
        let changed = sql.replace(from, to);
        assert_ne!(changed, *sql, "{from}");
        let resumed = place.run(&changed, &["--resume"]).ok();
        assert_eq!((killed.out.as_str(), resumed.out.as_str()), (before, after), "{from} -> {to}");
    }
}

#[test]
fn a_named_checkpoint_is_gone_back_to_and_what_came_after_it_is_produced_again() {
    let kept = ["-D", "execution.checkpointing.num-retained=100"];
    let place = Place::new();
    place.write("in/a.json", ROWS);
    let mut newest = Vec::new();
    for expected in ["+I[1, a]\n", "+I[2, b]\n-U[1, a]\n+U[3, a]\n"] {
        let killed = killed_again_at(newest.len() as u64 + 1, &place, LASTS, &kept);
        assert_eq!(killed.out, expected);
        newest.push(newest_checkpoint(&place));
    }
    for (checkpoint, expected) in
        newest.iter().rev().zip(["-U[2, b]\n+U[4, b]\n", "+I[2, b]\n-U[1, a]\n+U[3, a]\n-U[2, b]\n+U[4, b]\n"])
    {
        let path = format!("execution.state-recovery.path={}", checkpoint.display());
        let ran = place.run(LASTS, &["-D", &path, "-D", kept[1]]).ok();
        assert_eq!(ran.out, expected, "{path}");
    }
}

#[test]
fn a_path_that_is_no_checkpoint_of_the_job_is_refused_with_what_to_name() {
    let (place, _) = killed_at(1, LASTS, ROWS);
    let newest = newest_checkpoint(&place);
    let folder = newest.parent().unwrap().display().to_string();
    let elsewhere = place.path("elsewhere");
    let cases = [
        (
            format!("{folder}/chk-99"),
            1,
            "resume the job 'job' from FOLDER: there is no checkpoint 99; give -D execution.state-recovery.path=PATH_OF_NEWEST \
             to go back to it (what came after is produced again), or --fresh to start from nothing",
        ),
        (
            folder.clone(),
            2,
            "restore the job 'job' from 'PATH': that is not the path of a checkpoint; name a checkpoint: FOLDER/chk-<number>",
        ),
        (
            elsewhere.join("chk-1").display().to_string(),
            2,
            "restore the job 'job' from 'PATH': it is not in this job's folder FOLDER; set execution.checkpointing.dir and \
             pipeline.name to those that it was taken with",
        ),
    ];
    for (path, code, expected) in cases {
        let ran = place.run(LASTS, &["-D", &format!("execution.state-recovery.path={path}")]);
        let expected = expected
            .replace("PATH_OF_NEWEST", &newest.display().to_string())
            .replace("FOLDER", &folder)
            .replace("PATH", &path);
        assert_eq!((ran.code, refusal(&ran)), (Some(code), format!("error: failed to {expected}").as_str()));
    }
}

#[test]
fn p_sets_the_parallelism_over_what_the_script_says() {
    let place = Place::new();
    for file in 0..6 {
        place.write(&format!("in/{file}.json"), format!("{{\"id\":{file},\"name\":\"n{file}\"}}\n"));
    }
    let sql = format!("SET 'parallelism.default' = '1';{FIRSTS}");
    let subtasks = |args: &[&str]| {
        let out = place.run(&sql, args).ok().out;
        let subtasks: BTreeSet<String> =
            out.lines().map(|line| line.split_once("> ").map_or("", |(subtask, _)| subtask).to_owned()).collect();
        (out.lines().count(), subtasks.into_iter().collect::<Vec<_>>())
    };
    assert_eq!(subtasks(&[]), (6, vec![String::new()]));
    let (rows, three) = subtasks(&["-p", "3"]);
    assert!(
        rows == 6 && three.len() > 1 && three.iter().all(|subtask| ["1", "2", "3"].contains(&subtask.as_str())),
        "{three:?}"
    );
    let cases = [
        ("0", "error: invalid value '0' for '--parallelism <N>': 0 is not in 1..=65535"),
        ("-1", "error: invalid value '-1' for '--parallelism <N>': -1 is not in 1..=65535"),
        ("many", "error: invalid value 'many' for '--parallelism <N>': invalid digit found in string"),
        ("129", "error: job.sql:5:1: The parallelism 129 is greater than the maximum parallelism 128"),
    ];
    for (parallelism, expected) in cases {
        let ran = place.run(&sql, &[&format!("--parallelism={parallelism}")]);
        assert_eq!((ran.code, refusal(&ran)), (Some(2), expected));
    }
}

/// The job's newest checkpoint.
fn newest_checkpoint(place: &Place) -> PathBuf {
    let names = |folder: &Path| -> Vec<PathBuf> {
        std::fs::read_dir(folder).expect("list a folder").map(|entry| entry.expect("list a folder").path()).collect()
    };
    let [job] = <[PathBuf; 1]>::try_from(names(&place.path("weir-data/checkpoints"))).expect("one job");
    let epoch = |path: &PathBuf| path.file_name()?.to_str()?.strip_prefix("chk-")?.parse::<u64>().ok();
    names(&job).into_iter().max_by_key(epoch).expect("a checkpoint")
}
