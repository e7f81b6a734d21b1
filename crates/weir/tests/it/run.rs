//! `weir run`: scripts to their end, stops and restarts.

use crate::binary::{Place, Ran, wait};

const COPY: &str = "
CREATE TABLE input (id INT, name STRING, reading DOUBLE) WITH ('connector' = 'filesystem', 'path' = 'in', 'format' = 'json');
CREATE TABLE output (id INT, name STRING, doubled DOUBLE) WITH ('connector' = 'filesystem', 'path' = 'out', 'format' = 'json');
INSERT INTO output SELECT id, UPPER(name), reading * 2 FROM input WHERE id <> 2;
";

#[test]
fn a_bounded_job_ends_by_itself_with_all_rows_in_committed_files() {
    let place = Place::new();
    place.write("in/a.json", "{\"id\":1,\"name\":\"a\",\"reading\":1.5}\n{\"id\":2,\"name\":\"b\",\"reading\":2}\n");
    place.write("in/b.json", "{\"id\":3,\"name\":null,\"reading\":1e10}");
    place.write("in/.hidden", "no json");
    place.run(COPY, &[]).ok();
    let expected = ["{\"id\":1,\"name\":\"A\",\"doubled\":3.0}", "{\"id\":3,\"name\":null,\"doubled\":2.0E10}"];
    assert_eq!(place.lines("out"), expected);
}

#[test]
fn a_bare_select_prints_its_rows() {
    let place = Place::new();
    place.write("in/a.json", "{\"id\":1,\"name\":\"ä\",\"reading\":1.5}\n");
    let select = "CREATE TABLE input (id INT, name STRING, reading DOUBLE)
        WITH ('connector' = 'filesystem', 'path' = 'in', 'format' = 'json');
        SELECT id, name, reading + 1 AS more FROM input;";
    assert_eq!(place.run(select, &[]).ok().out, "op | id | name | more\n+I | 1 | ä | 2.5\n");
    assert_eq!(place.run(select, &["--format", "json"]).ok().out, "{\"id\":1,\"name\":\"ä\",\"more\":2.5}\n");
    assert_eq!(place.run(select, &["--format", "csv"]).ok().out, "id,name,more\n1,ä,2.5\n");
}

#[test]
fn the_print_sink_writes_rows_as_flink_does() {
    let place = Place::new();
    place.write("in/a.json", "{\"id\":1,\"name\":\"x\",\"reading\":1.5}\n{\"id\":2}\n");
    let sql = "CREATE TABLE input (id INT, name STRING, reading DOUBLE)
        WITH ('connector' = 'filesystem', 'path' = 'in', 'format' = 'json');
        CREATE TABLE shown (id INT, name STRING, reading DOUBLE) WITH ('connector' = 'print');
        INSERT INTO shown SELECT * FROM input;";
    assert_eq!(place.run(sql, &[]).ok().out, "+I[1, x, 1.5]\n+I[2, null, null]\n");
}

#[test]
fn options_stand_before_or_after_the_file_and_win_over_set() {
    let place = Place::new();
    place.write("job.sql", "SET 'pipeline.name' = 'from script';\nSHOW JOBS;");
    let ran = Ran::of(place.weir(["run", "-Dpipeline.name=x", "job.sql"]).output().unwrap());
    assert_eq!(ran.code, Some(2), "{ran:?}");
}

#[test]
fn an_unfinished_run_is_found_and_only_goes_on_when_told_to() {
    let place = Place::new();
    let lines: String = (0..20_000).map(|id| format!("{{\"id\":{id},\"name\":\"n\",\"reading\":1}}\n")).collect();
    place.write("in/a.json", lines);
    let sql = "SET 'execution.checkpointing.interval' = '50 ms';
        CREATE TABLE input (id INT, name STRING, reading DOUBLE) WITH ('connector' = 'filesystem', 'path' = 'in',
          'format' = 'json', 'source.monitor-interval' = '100 ms');
        CREATE TABLE output (id INT) WITH ('connector' = 'filesystem', 'path' = 'out', 'format' = 'json');
        INSERT INTO output SELECT id FROM input;";
    let mut child = place.start(sql, &[]);
    wait(std::time::Duration::from_millis(1500));
    let pid = i32::try_from(child.id()).unwrap();
    assert_eq!(unsafe { libc::kill(pid, libc::SIGTERM) }, 0);
    assert_eq!(child.wait().unwrap().code(), Some(0), "a stop is no failure");
    let again = place.run(sql, &[]);
    assert_eq!(again.code, Some(2), "{again:?}");
    assert!(again.err.contains("--resume") && again.err.contains("--fresh"), "{}", again.err);
    let bounded =
        sql.replace(", 'source.monitor-interval' = '100 ms'", "").replace(",\n          'format'", ", 'format'");
    place.write("in/b.json", "{\"id\":20000}\n");
    let resumed = place.run(&bounded, &["--resume"]).ok();
    assert!(resumed.err.contains("Restoring job"), "{}", resumed.err);
    assert_eq!(place.lines("out").len(), 20_001);
}

#[test]
fn standard_error_is_json_throughout_where_there_is_no_terminal() {
    let place = Place::new();
    place.write("in/a.json", "{\"id\":1,\"name\":\"a\",\"reading\":1.5}\n{\"id\":2,\"name\":\"b\",\"reading\":2}\n");
    let ran = place.run(COPY, &[]).ok();
    let lines: Vec<serde_json::Value> = ran
        .err
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}")))
        .collect();
    let reports: Vec<_> = lines.iter().filter(|line| line["flink.event.type"] == "JobReportEvent").collect();
    let [report] = reports.as_slice() else { panic!("one report at the end: {}", ran.err) };
    let total = |name: &str| report[name].as_u64();
    assert_eq!((total("read"), total("filtered"), total("written")), (Some(2), Some(1), Some(1)));
    let message = report["message"].as_str().unwrap();
    assert!(message.starts_with("job FINISHED: in "), "{message}");
    assert!(
        message.contains("; read 2 = written 1 + filtered 1 + duplicates 0 + dead-lettered 0 + late 0; "),
        "{message}"
    );
}
