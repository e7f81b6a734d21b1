//! Keys of the configuration that act, each seen to act: from a file, from SET, from `-D`.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use weir_base::{Clock, SystemClock};

use crate::binary::{Place, Ran, wait};

/// Numbers at 100 a second.
fn numbers(rows: u32) -> String {
    format!(
        "CREATE TABLE numbers (number BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '100',
           'number-of-rows' = '{rows}', 'fields.number.kind' = 'sequence', 'fields.number.start' = '1',
           'fields.number.end' = '1000000');"
    )
}

const PRINT: &str =
    "CREATE TABLE shown (number BIGINT) WITH ('connector' = 'print'); INSERT INTO shown SELECT number FROM numbers;";

/// The lines of a JSON log with this value under this key.
fn events(log: &str, key: &str, value: &str) -> Vec<Value> {
    let lines = log.lines().filter(|line| line.starts_with('{'));
    let parsed = lines.map(|line| serde_json::from_str::<Value>(line).expect("a JSON line"));
    parsed.filter(|line| line[key] == value).collect()
}

fn completed(ran: &Ran) -> usize {
    events(&ran.err, "status", "COMPLETED").len()
}

#[test]
fn a_configuration_file_reaches_planning_and_names_once_what_has_no_effect() {
    let nested = "pipeline:\n  name: from the file\nparallelism:\n  default: 2\nstate.checkpoints.dir: kept\n\
                  taskmanager.memory.process.size: 1728m\njobmanager.rpc.port: 6123\n";
    let flat = "pipeline.name: from the file\nparallelism.default: 2 # subtasks\nstate.checkpoints.dir: kept\n\
                taskmanager.memory.process.size: 1728m\njobmanager.rpc.port: 6123\n";
    for (name, text) in [("config.yaml", nested), ("flink-conf.yaml", flat)] {
        let place = Place::new();
        place.write(name, text);
        let sql = format!("SET 'execution.checkpointing.mode' = 'AT_LEAST_ONCE'; {} {PRINT}", numbers(4));
        let ran = place.run(&sql, &["-c", name]).ok();
        // Which of two subtasks a row went to stands before it.
        let mut rows: Vec<&str> = ran.out.lines().filter_map(|row| row.split_once("> ")).map(|(_, row)| row).collect();
        rows.sort_unstable();
        assert_eq!(rows, ["+I[1]", "+I[2]", "+I[3]", "+I[4]"], "{name}: {}", ran.out);
        assert!(!events(&ran.err, "name", "from the file").is_empty(), "{}", ran.err);
        assert!(place.path("kept").is_dir(), "the older name of the checkpoint directory");
        let told = events(&ran.err, "message", "accepted, no effect");
        assert_eq!(
            told.iter().map(|line| line["keys"].as_str().expect("the keys")).collect::<Vec<_>>(),
            ["execution.checkpointing.mode (exactly-once holds all the same), \
              jobmanager.rpc.port (there is no JobManager process), \
              taskmanager.memory.process.size (there is no TaskManager process and no memory pool to size)"]
        );
        // SET wins over the file, -D over both.
        let sql = format!("SET 'parallelism.default' = '1'; {} {PRINT}", numbers(1));
        assert_eq!(place.run(&sql, &["-c", name]).ok().out, "+I[1]\n");
        let ran = place.run(&sql, &["-c", name, "-D", "parallelism.default=2"]).ok();
        assert_eq!(ran.out.len(), "1> +I[1]\n".len(), "{}", ran.out);
    }
}

#[test]
fn keys_that_nobody_knows_and_values_that_cannot_be_honoured_are_refused() {
    let known = "use the configuration key";
    let cases = [
        ("pipline.name=x", format!("{known} 'pipline.name': it is not known; did you mean 'pipeline.name'?")),
        ("execution.checkpointing.num-retained=0", format!("{known} 'execution.checkpointing.num-retained': it must be at least 1")),
        (
            "execution.runtime-mode=BATCH",
            "use the configuration: 'execution.runtime-mode' = 'BATCH' is not supported; set it to 'STREAMING': every job is a streaming job, and a bounded one ends by itself".to_owned(),
        ),
        (
            "execution.checkpointing.dir=s3://bucket/checkpoints",
            "use the checkpoint directory 's3://bucket/checkpoints': 's3://' is not supported; set execution.checkpointing.dir to file:///absolute/path, or a bare path".to_owned(),
        ),
        (
            "taskmanager.network.memory.buffer-debloat.target=0 s",
            format!("{known} 'taskmanager.network.memory.buffer-debloat.target': it must be longer than 0"),
        ),
        (
            "execution.buffer-timeout=soon",
            format!(
                "{known} 'execution.buffer-timeout.interval': 'soon' is not a duration: write a whole number and ms, s, min, h or d, such as '10 s'"
            ),
        ),
    ];
    let place = Place::new();
    for (define, expected) in cases {
        let ran = place.run(&format!("{} {PRINT}", numbers(1)), &["-D", define]);
        assert_eq!(ran.code, Some(2), "{define}: {ran:?}");
        assert!(ran.err.contains(&expected), "{define}: {}", ran.err);
        assert_eq!(ran.out, "", "{define}");
    }
}

#[test]
fn restart_strategies_wait_and_give_up_as_they_say() {
    let place = Place::new();
    place.write("in/a.json", "{\"id\":null}\n");
    let sql = "CREATE TABLE `in` (id INT) WITH ('connector' = 'filesystem', 'path' = 'in', 'format' = 'json');
               CREATE TABLE kept (id INT NOT NULL) WITH ('connector' = 'blackhole'); INSERT INTO kept SELECT id FROM `in`;";
    let cases: &[(&str, &[&str], &[u64])] = &[
        ("none", &[], &[]),
        ("fixed-delay", &["attempts=2", "delay=10 ms"], &[10, 10]),
        (
            "exponential-delay",
            &[
                "initial-backoff=10 ms",
                "backoff-multiplier=2",
                "max-backoff=30 ms",
                "jitter-factor=0",
                "attempts-before-reset-backoff=4",
            ],
            &[10, 20, 30, 30],
        ),
        ("failure-rate", &["max-failures-per-interval=2", "failure-rate-interval=1 min", "delay=5 ms"], &[5, 5]),
    ];
    for (strategy, keys, delays) in cases {
        let mut args = vec!["--fresh".to_owned(), "-D".to_owned(), format!("restart-strategy.type={strategy}")];
        args.extend(keys.iter().flat_map(|key| ["-D".to_owned(), format!("restart-strategy.{strategy}.{key}")]));
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let ran = place.run(sql, &args);
        assert_eq!(ran.code, Some(1), "{strategy}: {ran:?}");
        let restarts = events(&ran.err, "message", "job failed, restarting");
        let waited: Vec<u64> = restarts.iter().filter_map(|line| line["delay_ms"].as_u64()).collect();
        assert_eq!(waited, *delays, "{strategy}");
        assert_eq!(events(&ran.err, "message", "job failed").len(), 1, "{strategy}");
    }
}

#[test]
fn checkpoints_come_as_often_and_stay_as_long_as_they_are_told_to() {
    let sql = format!("{} {PRINT}", numbers(120));
    // A job of 1.2 s; the last checkpoint is the end's.
    let cases: &[(&[&str], std::ops::RangeInclusive<usize>)] = &[
        (&["execution.checkpointing.interval=0"], 1..=1),
        (&["execution.checkpointing.interval=100 ms"], 5..=13),
        (&["execution.checkpointing.interval=50 ms", "execution.checkpointing.min-pause=400 ms"], 2..=5),
    ];
    for (keys, count) in cases {
        let place = Place::new();
        let args: Vec<&str> = keys.iter().flat_map(|key| ["-D", key]).collect();
        let ran = place.run(&sql, &args).ok();
        assert!(count.contains(&completed(&ran)), "{keys:?}: {}", ran.err);
    }
    let place = Place::new();
    let keys = [
        "execution.checkpointing.interval=100 ms",
        "execution.checkpointing.num-retained=3",
        "execution.checkpointing.dir=kept",
    ];
    let args: Vec<&str> = keys.iter().flat_map(|key| ["-D", key]).collect();
    place.run(&sql, &args).ok();
    let job = std::fs::read_dir(place.path("kept")).expect("the folder").flatten().next().expect("a job's folder");
    let names = std::fs::read_dir(job.path()).expect("its folder").flatten().map(|entry| entry.file_name());
    assert_eq!(names.filter(|name| name.to_string_lossy().starts_with("chk-")).count(), 3);
}

#[test]
fn a_checkpoint_that_takes_too_long_fails_and_only_so_many_are_tolerated() {
    let place = Place::new();
    // Nobody takes what is printed: the barrier stays behind it.
    let sql = format!(
        "SET 'execution.checkpointing.interval' = '200 ms'; SET 'execution.checkpointing.timeout' = '300 ms';
         SET 'execution.checkpointing.tolerable-failed-checkpoints' = '1'; SET 'restart-strategy.type' = 'none'; {} {PRINT}",
        numbers(1_000_000).replace("'100'", "'1000000'")
    );
    place.write("job.sql", &sql);
    let log = std::fs::File::create(place.path("log")).expect("make the log");
    let mut weir = place.weir(["run", "job.sql", "-D", "metrics.reporter.prom.port=21000-29999"]);
    let mut child = weir.stdout(Stdio::piped()).stderr(log).spawn().expect("start weir");
    let clock = SystemClock::new();
    let text = loop {
        let text = std::fs::read_to_string(place.path("log")).expect("read the log");
        if !events(&text, "message", "job failed").is_empty() {
            break text;
        }
        assert!(clock.monotonic_us() < 20_000_000, "{text}");
        wait(Duration::from_millis(50));
    };
    child.kill().expect("end it");
    child.wait().expect("wait for its end");
    assert_eq!(events(&text, "status", "FAILED").len(), 1, "one is tolerated: {text}");
    let failed = &events(&text, "message", "job failed")[0];
    let words = failed["error"].as_str().expect("why");
    assert!(words.starts_with("complete checkpoint 2 within its timeout"), "{words}");
    assert!(words.contains("'execution.checkpointing.tolerable-failed-checkpoints' allows 1"), "{words}");
}

#[test]
fn rows_wait_for_an_exchange_as_long_as_the_buffer_timeout_says() {
    // 150 rows in 1.5 s, with nothing between them that would take them along.
    let sql = format!(
        "SET 'execution.checkpointing.interval' = '0'; {}
         CREATE TABLE shown (number BIGINT) WITH ('connector' = 'print');
         INSERT INTO shown SELECT number FROM (
           SELECT number, ROW_NUMBER() OVER (PARTITION BY number ORDER BY PROCTIME()) AS place FROM numbers)
         WHERE place = 1;",
        numbers(150)
    );
    // How many times rows came out, rows within 60 ms of each other counting as one.
    let cases: [(&str, std::ops::RangeInclusive<usize>); 3] = [("-1", 1..=1), ("400 ms", 2..=5), ("100 ms", 6..=17)];
    for (timeout, bursts) in cases {
        let place = Place::new();
        place.write("job.sql", &sql);
        let key = format!("execution.buffer-timeout={timeout}");
        let mut weir = place.weir(["run", "job.sql", "-D", &key, "-D", "metrics.reporter.prom.port=21000-29999"]);
        let mut child = weir.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("start weir");
        let clock = SystemClock::new();
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let came: Vec<u64> = lines.map(|line| line.map(|_| clock.monotonic_us()).expect("a line")).collect();
        assert!(child.wait().expect("wait for its end").success());
        assert_eq!(came.len(), 150, "{timeout}");
        let seen = 1 + came.windows(2).filter(|pair| pair[1] - pair[0] > 60_000).count();
        assert!(bursts.contains(&seen), "{timeout}: {seen} times");
    }
}

#[test]
fn event_time_moves_in_steps_of_the_watermark_interval() {
    let place = Place::new();
    // The third row is late where the second has moved event time at once.
    let rows = [1, 60, 2].map(|second| format!("{{\"ts\":\"2026-01-01 00:{:02}:{:02}\"}}\n", second / 60, second % 60));
    place.write("in/a.json", rows.concat());
    let sql = "CREATE TABLE `in` (ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'filesystem', 'path' = 'in', 'format' = 'json');
               CREATE TABLE counted (n BIGINT) WITH ('connector' = 'print'); INSERT INTO counted
               SELECT COUNT(*) FROM TABLE(TUMBLE(TABLE `in`, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end;";
    for (interval, expected) in [("0", "+I[1]\n+I[1]\n"), ("200 ms", "+I[1]\n+I[1]\n"), ("1 h", "+I[2]\n+I[1]\n")] {
        let key = format!("pipeline.auto-watermark-interval={interval}");
        assert_eq!(place.run(sql, &["--fresh", "-D", &key]).ok().out, expected, "{interval}");
    }
}

#[test]
fn an_empty_partition_holds_windows_back_until_the_idle_timeout() {
    let place = Place::new();
    // One key: all rows are in one of two partitions. They come all the time: a partition that has given rows must not be idle, too.
    let sql = format!(
        "SET 'execution.checkpointing.interval' = '100 ms'; {}
         CREATE TABLE topic (device STRING, number BIGINT, ts TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL, WATERMARK FOR ts AS ts)
           WITH ('connector' = 'kafka', 'topic' = 'one', 'properties.bootstrap.servers' = 'kafka:9092',
             'scan.startup.mode' = 'earliest-offset', 'key.format' = 'raw', 'key.fields' = 'device', 'value.format' = 'json');
         CREATE TABLE counted (n BIGINT) WITH ('connector' = 'print');
         EXECUTE STATEMENT SET BEGIN
         INSERT INTO topic SELECT 'd', number FROM numbers;
         INSERT INTO counted SELECT COUNT(*) FROM TABLE(TUMBLE(TABLE topic, DESCRIPTOR(ts), INTERVAL '1' SECOND))
           GROUP BY window_start, window_end;
         END;",
        numbers(1_000_000)
    );
    place.write("job.sql", sql);
    for (timeout, fires) in [("0", false), ("300 ms", true)] {
        let key = format!("table.exec.source.idle-timeout={timeout}");
        let out = std::fs::File::create(place.path("out")).expect("make the output");
        let mut weir = place.weir(["run", "job.sql", "--embedded", "--fresh", "-D", &key]);
        weir.args(["-D", "weir.embedded.topic-partitions=2", "-D", "metrics.reporter.prom.port=21000-29999"]);
        let mut child = weir.stdout(out).stderr(Stdio::null()).spawn().expect("start weir");
        let clock = SystemClock::new();
        let limit = if fires { 15_000_000 } else { 3_000_000 };
        let seen = loop {
            let seen = std::fs::read_to_string(place.path("out")).expect("read the output");
            if clock.monotonic_us() > limit || seen.ends_with('\n') {
                break seen;
            }
            wait(Duration::from_millis(50));
        };
        child.kill().expect("end it");
        child.wait().expect("wait for its end");
        assert_eq!(seen.starts_with("+I["), fires, "{timeout}: {seen}");
    }
}
