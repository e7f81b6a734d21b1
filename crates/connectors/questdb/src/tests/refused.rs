//! What is refused before anything starts, with the exact words.

use super::*;

fn refused(spec: &SinkSpec) -> String {
    let folder = tempfile::tempdir().unwrap();
    let made = make(spec, &context(folder.path(), 1));
    made.err().map(|error| error.to_string()).unwrap_or_default()
}

#[test]
fn options_and_keys_that_do_not_fit_are_refused_by_name() {
    type Case<'a> = (&'a [(&'a str, &'a str)], &'a [usize], &'a str);
    let cases: &[Case<'_>] = &[
        (&[], &[0, 1], "find QuestDB: 'host' is missing"),
        (&[("host", "h:x")], &[0, 1], "read 'host' = 'h:x': it must be a host, or host:port of the HTTP endpoint"),
        (
            &[("host", "h:1"), ("http.port", "2")],
            &[0, 1],
            "read 'host' = 'h:1' and 'http.port' = '2': they name two ports",
        ),
        (
            &[("host", "h"), ("pg.port", "99999")],
            &[0, 1],
            "read 'pg.port' = '99999': it must be a whole number in range",
        ),
        (&[("host", "h"), ("password", "p")], &[0, 1], "read 'password': it needs 'username'"),
        (
            &[("host", "h"), ("sink.batch.max-size", "0")],
            &[0, 1],
            "read 'sink.batch.max-size' = '0': it must be at least 1",
        ),
        (&[("host", "h"), ("symbols", "nope")], &[0, 1], "read 'symbols': the table has no column 'nope'"),
        (&[("host", "h"), ("symbols", "value")], &[0, 1], "read 'symbols': 'value' is DOUBLE, a symbol must be STRING"),
        (
            &[("host", "h")],
            &[],
            "write c.d.readings to QuestDB: it has no PRIMARY KEY; add PRIMARY KEY (<timestamp>, ...) NOT ENFORCED: rows are sent again after a failure, and only their keys keep them single",
        ),
        (
            &[("host", "h")],
            &[1],
            "write c.d.readings to QuestDB: its PRIMARY KEY holds no TIMESTAMP column; QuestDB deduplicates by the designated timestamp and further columns: put it into the PRIMARY KEY",
        ),
        (
            &[("host", "h"), ("timestamp.field.name", "ts")],
            &[1],
            "write c.d.readings to QuestDB: the designated timestamp 'ts' is not in the PRIMARY KEY; add it: QuestDB deduplicates by it and further columns",
        ),
        (
            &[("host", "h"), ("timestamp.field.name", "value")],
            &[0],
            "read 'timestamp.field.name' = 'value': it is DOUBLE; it must be TIMESTAMP or TIMESTAMP_LTZ of a precision up to 6",
        ),
        (
            &[("host", "h"), ("table", "a/b")],
            &[0],
            "write to QuestDB: it does not take the table name 'a/b': Bad string \"a/b\": Table names can't contain a '/' character, which was found at byte position 1.",
        ),
    ];
    for (pairs, key, expected) in cases {
        let mut spec = spec(pairs);
        spec.primary_key = key.to_vec();
        assert_eq!(refused(&spec), *expected);
    }
}

#[test]
fn types_that_questdb_lacks_are_refused_with_a_way_out() {
    let cases = [
        (LogicalType::Decimal(10, 2), "DECIMAL(10, 2); CAST it AS DOUBLE in the query, and declare the column DOUBLE"),
        (LogicalType::Timestamp(9), "TIMESTAMP(9); declare it TIMESTAMP(6): QuestDB counts microseconds"),
        (LogicalType::Date, "DATE; CAST it AS TIMESTAMP(3)"),
        (LogicalType::Varbinary(7), "VARBINARY(7); CAST it AS STRING, or leave it out"),
        (
            LogicalType::Array(Box::new(DataType::nullable(LogicalType::Int))),
            "ARRAY<INT>; CAST it AS STRING, or leave it out",
        ),
    ];
    for (logical, expected) in cases {
        let mut spec = spec(&[("host", "h")]);
        spec.physical.fields[2].data_type = DataType::nullable(logical);
        assert_eq!(refused(&spec), format!("write column 'value' to QuestDB: it has no type for {expected}"));
    }
}

#[test]
fn a_deletion_and_a_row_without_time_are_refused_by_their_index() {
    use weir_base::RowKind;
    let folder = tempfile::tempdir().unwrap();
    let sink = make(&spec(&[("host", "h")]), &context(folder.path(), 1)).unwrap();
    let mut writer = sink.writer(&writer_context(0)).unwrap();
    let mut batch = rows(0..3, 0.0);
    batch.kinds = Some([RowKind::Insert, RowKind::UpdateBefore, RowKind::Delete].into());
    assert_eq!(
        writer.write(&batch).unwrap_err().to_string(),
        "write row 2 to QuestDB: it is a -D row, and QuestDB deletes no rows; write a query without deletions, or filter them"
    );
    let mut columns = rows(0..2, 0.0).data.columns().to_vec();
    columns[0] = Arc::new(TimestampMillisecondArray::from(vec![Some(1), None]));
    let batch = Batch::inserts(RecordBatch::try_new(schema().arrow(), columns).unwrap(), 0);
    assert_eq!(
        writer.write(&batch).unwrap_err().to_string(),
        "write row 1 to QuestDB: its designated timestamp 'ts' is NULL"
    );
}
