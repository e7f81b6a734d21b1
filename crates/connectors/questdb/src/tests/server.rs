//! On a real QuestDB: the table is made, checked or refused; rows arrive once; what it refuses is set aside; an outage loses nothing.

use weir_connector::Role;
use weir_metrics::Value;

use super::*;

/// One run: a sink that made or checked its table, with one writer.
struct Run {
    writer: Box<dyn Writer>,
    committer: Box<dyn Committer>,
    context: JobContext,
}

fn run(spec: &SinkSpec, folder: &Path, generation: u64, prepared: &[Prepared]) -> Run {
    let context = context(folder, generation);
    let sink = make(spec, &context).unwrap();
    assert_eq!(sink.role(), Role::Carried);
    sink.recover(prepared).unwrap();
    let writer = sink.writer(&writer_context(0)).unwrap();
    Run { writer, committer: sink.committer().unwrap(), context }
}

impl Run {
    fn metric(&self, name: &str) -> f64 {
        let found = self.context.metrics.metrics().into_iter().find(|metric| metric.name == name).unwrap();
        match found.value {
            Value::Counter(counter) => counter.get() as f64,
            Value::Gauge(gauge) => gauge.get(),
            Value::Computed(read) => read(),
            _ => panic!("{name} is neither"),
        }
    }
}

fn refused(spec: &SinkSpec) -> String {
    let folder = tempfile::tempdir().unwrap();
    let sink = make(spec, &context(folder.path(), 1)).unwrap();
    sink.committer().err().map(|error| error.to_string()).unwrap_or_default()
}

/// Waits until a table fits: QuestDB applies a change a moment after it was acknowledged.
fn fits(spec: &SinkSpec) {
    let clock = SystemClock::new();
    loop {
        let words = refused(spec);
        if words.is_empty() {
            return;
        }
        assert!(clock.monotonic_us() < 20_000_000, "{words}");
        clock.sleep(Duration::from_millis(50));
    }
}

#[test]
fn rows_arrive_with_all_their_types_and_again_they_are_no_more() {
    let Some(mut server) = server() else { return };
    let table = unique("types");
    let folder = tempfile::tempdir().unwrap();
    let spec = server.spec(&table, &[("sink.batch.max-size", "700")]);
    let mut first = run(&spec, folder.path(), 1, &[]);
    first.writer.write(&rows(0..5000, 0.5)).unwrap();
    let prepared = barrier(first.writer.as_mut(), 1);
    assert!(first.metric("questdbCarriedBytes") > 100_000.0);
    first.committer.apply(Epoch(1), std::slice::from_ref(&prepared)).unwrap();
    drained(first.committer.as_mut());
    assert_eq!(first.metric("questdbCarriedBytes"), 0.0);
    assert_eq!(first.metric("questdbRowsSent"), 5000.0);
    let progress = first.committer.progress(Epoch(1));
    assert_eq!((progress.applied, progress.refused), (Epoch(1), Vec::new()));
    server.await_rows(&format!("SELECT count() FROM {table}"), &["5000"]);
    server.await_rows(
        &format!("SELECT * FROM {table} WHERE ts IN ('2024-01-01T00:00:01.000000Z', '2024-01-01T00:00:02.000000Z')"),
        &[
            "2024-01-01 00:00:01.000000|d1|1.5|1|1000000000000|f|näh, \"1\"\n",
            "2024-01-01 00:00:02.000000|d0|NULL|NULL|NULL|t|NULL",
        ],
    );
    drop(first);
    // A restore from the same checkpoint sends the epoch again.
    let mut second = run(&spec, folder.path(), 2, std::slice::from_ref(&prepared));
    second.committer.apply(Epoch(1), std::slice::from_ref(&prepared)).unwrap();
    drained(second.committer.as_mut());
    second.writer.write(&rows(0..10, 7.0)).unwrap();
    let newer = barrier(second.writer.as_mut(), 2);
    second.committer.apply(Epoch(2), &[newer]).unwrap();
    drained(second.committer.as_mut());
    server.await_rows(&format!("SELECT value FROM {table} WHERE ts = '2024-01-01T00:00:01.000000Z'"), &["8.0"]);
    server.await_rows(&format!("SELECT count() FROM {table}"), &["5000"]);
    server.run(&format!("DROP TABLE {table}"));
}

#[test]
fn segments_go_when_a_later_checkpoint_that_knows_it_is_complete() {
    let Some(mut server) = server() else { return };
    let table = unique("segments");
    let folder = tempfile::tempdir().unwrap();
    let spec = server.spec(&table, &[]);
    let mut run = run(&spec, folder.path(), 1, &[]);
    let mut all = Vec::new();
    for epoch in 1..=4_u64 {
        run.writer
            .write(&rows(i64::try_from(epoch).unwrap() * 10..i64::try_from(epoch).unwrap() * 10 + 10, 0.0))
            .unwrap();
        let prepared = barrier(run.writer.as_mut(), epoch);
        // As the coordinator does: what is applied is written into the manifest of `epoch`, then it is decided and applied.
        run.committer.progress(Epoch(epoch - 1));
        run.committer.apply(Epoch(epoch), std::slice::from_ref(&prepared)).unwrap();
        drained(run.committer.as_mut());
        all.push(prepared);
    }
    assert_eq!(segments(&run.context), ["1-4-0.rows", "applied"]);
    drop(run.committer);
    // A restore from an older checkpoint finds its segment gone, and knows why.
    let context = context(folder.path(), 2);
    let sink = make(&spec, &context).unwrap();
    sink.recover(&all[1..2]).unwrap();
    let mut committer = sink.committer().unwrap();
    committer.apply(Epoch(2), &all[1..2]).unwrap();
    drained(committer.as_mut());
    let lost = Prepared { subtask: 0, epoch: Epoch(9), state: b"1 1-9-0.rows 1 1 x".to_vec() };
    let error = committer.apply(Epoch(9), &[lost]).unwrap_err().to_string();
    assert!(error.starts_with("send the carried rows of epoch 9 to QuestDB: "), "{error}");
    assert!(
        error.ends_with(
            "1-9-0.rows is not there; restore the folder together with the checkpoints, or start with --fresh"
        ),
        "{error}"
    );
    server.run(&format!("DROP TABLE {table}"));
}

#[test]
fn a_row_that_questdb_refuses_is_set_aside_with_its_words_and_the_others_arrive() {
    let Some(mut server) = server() else { return };
    let table = unique("bad");
    let folder = tempfile::tempdir().unwrap();
    let spec = server.spec(&table, &[]);
    let mut run = run(&spec, folder.path(), 1, &[]);
    // A number that the column cannot hold, once it is an INT again behind the job's back.
    server.run(&format!("ALTER TABLE {table} ALTER COLUMN \"count\" TYPE INT"));
    server.await_rows(&format!("SELECT type FROM table_columns('{table}') WHERE \"column\" = 'count'"), &["INT"]);
    run.writer.write(&rows(0..9, 0.0)).unwrap();
    let prepared = barrier(run.writer.as_mut(), 1);
    run.committer.apply(Epoch(1), &[prepared]).unwrap();
    drained(run.committer.as_mut());
    let progress = run.committer.progress(Epoch(1));
    // Rows 0 (count 0), 2, 5 and 8 (NULL) fit; the others hold more than 2^31.
    server.await_rows(&format!("SELECT count() FROM {table}"), &["4"]);
    let refused: Vec<(String, String)> = progress
        .refused
        .iter()
        .map(|letter| (letter.kind.to_owned(), String::from_utf8(letter.raw.clone()).unwrap()))
        .collect();
    assert_eq!(refused.len(), 5);
    assert_eq!(refused[0].0, "row");
    assert!(
        refused[0].1.starts_with(r#"{"ts":1704067201000000,"device":"d1","value":1,"quality":1,"count":1000000000000"#),
        "{refused:?}"
    );
    let cause = &progress.refused[0].cause;
    assert!(cause.contains("failed to parse line protocol") && cause.contains("count"), "{cause}");
    assert_eq!(progress.refused[0].table, "c.d.readings");
    let places: Vec<(&str, u64)> =
        progress.refused.iter().map(|letter| (letter.split.as_str(), letter.offset)).collect();
    assert_eq!(places, [1, 3, 4, 6, 7].map(|row| ("1-1-0.rows", row)), "a letter is known by the row's place");
    assert_eq!(run.metric("questdbRowsRefused"), 5.0);
    assert_eq!(run.committer.progress(Epoch(1)).refused, Vec::new(), "each is told once");
    server.run(&format!("DROP TABLE {table}"));
}

#[test]
fn a_table_that_does_not_fit_is_refused_with_the_statement_to_run() {
    let Some(mut server) = server() else { return };
    let create = |columns: &str, rest: &str| format!("({columns}) TIMESTAMP(ts) PARTITION BY DAY {rest}");
    let full = "ts TIMESTAMP, device SYMBOL, value DOUBLE, quality INT, \"count\" LONG, ok BOOLEAN, note VARCHAR";
    let keyed = "WAL DEDUP UPSERT KEYS(ts, device)";
    let cases = [
        (
            create(full, "WAL"),
            "it does not deduplicate, so a row that is sent again would stand there twice; run: ALTER TABLE \"T\" DEDUP ENABLE UPSERT KEYS(\"ts\", \"device\")",
        ),
        (
            create(full, "WAL DEDUP UPSERT KEYS(ts)"),
            "it deduplicates by (ts), the PRIMARY KEY is (device, ts); run: ALTER TABLE \"T\" DEDUP ENABLE UPSERT KEYS(\"ts\", \"device\")",
        ),
        (create(full, "BYPASS WAL"), "it is no WAL table; run: ALTER TABLE \"T\" SET TYPE WAL, then restart QuestDB"),
        (
            create(&full.replace("value DOUBLE", "value VARCHAR"), keyed),
            "its column 'value' is VARCHAR, not DOUBLE; run: ALTER TABLE \"T\" ALTER COLUMN \"value\" TYPE DOUBLE",
        ),
        (
            create(&full.replace(", note VARCHAR", ""), keyed),
            "it has no column 'note'; run: ALTER TABLE \"T\" ADD COLUMN \"note\" VARCHAR",
        ),
    ];
    for (definition, expected) in cases {
        let table = unique("misfit");
        server.run(&format!("CREATE TABLE {table} {definition}"));
        let spec = server.spec(&table, &[]);
        let words = refused(&spec);
        assert_eq!(
            words,
            format!(
                "write table '{table}' in QuestDB: {}",
                expected.replace('T', "\u{1}").replace("\"\u{1}\"", &format!("\"{table}\"")).replace('\u{1}', "T")
            )
        );
        let statement = words.split("; run: ").nth(1).unwrap();
        if !statement.contains("restart") {
            // The statement is exact: once it ran, the table fits.
            server.run(statement);
            fits(&spec);
        }
        server.run(&format!("DROP TABLE {table}"));
    }
    let other = unique("other");
    server.run(&format!("CREATE TABLE {other} (at TIMESTAMP, {full}) TIMESTAMP(at) PARTITION BY DAY WAL"));
    let words = refused(&server.spec(&other, &[]));
    assert!(
        words.starts_with(&format!(
            "write table '{other}' in QuestDB: its designated timestamp is 'at', not 'ts'; run: RENAME TABLE "
        )),
        "{words}"
    );
    for statement in words.split("; run: ").nth(1).unwrap().split("; ") {
        server.run(statement);
    }
    fits(&server.spec(&other, &[]));
    server.run(&format!("DROP TABLE {other}; DROP TABLE {other}_old"));
}

#[test]
fn wrong_addresses_and_credentials_are_named() {
    let Some(server) = server() else { return };
    let words = refused(&spec(&[("host", "127.0.0.1:1"), ("pg.port", "1")]));
    assert!(words.starts_with("connect to QuestDB at 127.0.0.1:1 (PostgreSQL protocol) as 'admin': "), "{words}");
    assert!(words.ends_with("; start QuestDB, or correct 'host' and 'pg.port'"), "{words}");
    let words = refused(&server.spec("t", &[("username", "nobody"), ("password", "wrong")]));
    assert!(words.contains("as 'nobody': ") && words.ends_with("; check 'username' and 'password'"), "{words}");
}

#[test]
fn rows_are_carried_while_questdb_is_paused_and_arrive_when_it_goes_on() {
    let Some(mut server) = server() else { return };
    let Ok(file) = std::env::var("WEIR_TEST_QUESTDB_PID_FILE") else {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "WEIR_TEST_QUESTDB_PID_FILE is not set, and CI=true");
        eprintln!(
            "SKIPPED: pausing a real QuestDB; set WEIR_TEST_QUESTDB_PID_FILE to a file with the id of the process"
        );
        return;
    };
    let pid = rustix::process::Pid::from_raw(std::fs::read_to_string(file).unwrap().trim().parse().unwrap()).unwrap();
    let table = unique("outage");
    let folder = tempfile::tempdir().unwrap();
    let spec = server.spec(&table, &[("request.timeout", "300ms")]);
    let mut run = run(&spec, folder.path(), 1, &[]);
    rustix::process::kill_process(pid, rustix::process::Signal::STOP).unwrap();
    let clock = SystemClock::new();
    let mut carried = Vec::new();
    for epoch in 1..=5_u64 {
        let from = i64::try_from(epoch).unwrap() * 100;
        run.writer.write(&rows(from..from + 100, 0.0)).unwrap();
        let prepared = barrier(run.writer.as_mut(), epoch);
        run.committer.apply(Epoch(epoch), std::slice::from_ref(&prepared)).unwrap();
        carried.push(prepared);
    }
    let opened = loop {
        let state = run.metric("questdbCircuitBreakerState");
        if state > 0.0 || clock.monotonic_us() > 20_000_000 {
            break state;
        }
        clock.sleep(Duration::from_millis(20));
    };
    let applied = run.committer.progress(Epoch(5)).applied;
    let drained_early = run.committer.drain(Duration::from_millis(50)).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::CONT).unwrap();
    assert_eq!((applied, drained_early), (Epoch(0), false));
    assert!(opened > 0.0, "the circuit must open");
    assert!(run.metric("questdbRequestsRetried") >= 5.0);
    drained(run.committer.as_mut());
    assert_eq!(run.committer.progress(Epoch(5)).applied, Epoch(5));
    assert_eq!(run.metric("questdbCircuitBreakerState"), 0.0);
    server.await_rows(&format!("SELECT count() FROM {table}"), &["500"]);
    server.run(&format!("DROP TABLE {table}"));
}
