//! Generated tables: what they hold, how fast they come, and that they go on after a restore.

use std::sync::Arc;
use std::time::Duration;

use weir_base::{Clock as _, Generation, JobId, ManualClock};
use weir_connector::{Factory as _, Fetch, JobContext, Payload, Position, Reader, ReaderContext, Source};
use weir_format::text::write_java;
use weir_metrics::Registry;
use weir_plan::{DataType, Field, LogicalType, Schema, SourceColumn, SourceSpec, TableOptions};

use crate::Factory;

fn make(fields: &[(&str, LogicalType)], pairs: &[(&str, &str)]) -> weir_base::Result<Box<dyn Source>> {
    let values = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let fields = fields.iter().map(|(name, logical)| Field::new(*name, DataType::nullable(logical.clone())));
    let physical = Schema::new(fields.collect());
    let spec = SourceSpec {
        table: "default_catalog.default_database.t".into(),
        connector: "datagen".into(),
        options: TableOptions { values, ..TableOptions::default() },
        columns: (0..physical.fields.len()).map(SourceColumn::Physical).collect(),
        physical,
        projection: Vec::new(),
        condition: None,
        watermark: None,
    };
    let context = JobContext {
        job: JobId(1),
        name: "job".into(),
        generation: Generation(1),
        checkpoint_interval: None,
        data_dir: "/nowhere".into(),
        carried_dir: "/nowhere".into(),
        carried_bytes_max: u64::MAX,
        clock: Arc::new(ManualClock::default()),
        metrics: Registry::default(),
    };
    Factory.source(&spec, &context)
}

fn reader(source: &dyn Source, clock: &ManualClock, from: Option<Position>) -> Box<dyn Reader> {
    let context = ReaderContext {
        subtask: 0,
        parallelism: 1,
        clock: Arc::new(clock.clone()),
        metrics: Registry::default(),
        linger: weir_base::limits::SOURCE_LINGER,
    };
    let mut reader = source.reader(&context).unwrap();
    reader.add(source.splits().unwrap()[0].clone(), from).unwrap();
    reader
}

/// All rows up to the end, and how many each fetch gave.
fn read(reader: &mut dyn Reader) -> Vec<(String, Position)> {
    let mut rows = Vec::new();
    loop {
        match reader.fetch(Duration::from_millis(100)).unwrap() {
            Fetch::Records { payload: Payload::Columns(batch), first, next, .. } => {
                assert_eq!(next.offset - first.offset, batch.num_rows() as u64);
                for row in 0..batch.num_rows() {
                    let mut text = Vec::new();
                    for (index, column) in batch.columns().iter().enumerate() {
                        if index > 0 {
                            text.push(b'|');
                        }
                        write_java(column, row, &mut text);
                    }
                    let at = first.offset + row as u64 + 1;
                    rows.push((String::from_utf8(text).unwrap(), Position { offset: at, records: at }));
                }
            }
            Fetch::End(_) => return rows,
            Fetch::Nothing => {}
            other => panic!("{other:?}"),
        }
    }
}

fn texts(rows: &[(String, Position)]) -> Vec<&str> {
    rows.iter().map(|(text, _)| text.as_str()).collect()
}

#[test]
fn sequences_end_with_the_shortest_and_come_in_order() {
    let fields = [
        ("a", LogicalType::BigInt),
        ("b", DataType::string().logical),
        ("c", LogicalType::Decimal(5, 2)),
        ("d", LogicalType::Double),
    ];
    let options = [
        ("fields.a.kind", "sequence"),
        ("fields.a.start", "-1"),
        ("fields.a.end", "2"),
        ("fields.b.kind", "sequence"),
        ("fields.b.start", "7"),
        ("fields.b.end", "100"),
        ("fields.c.kind", "sequence"),
        ("fields.c.start", "1"),
        ("fields.c.end", "100"),
        ("fields.d.kind", "sequence"),
        ("fields.d.start", "1"),
        ("fields.d.end", "100"),
    ];
    let source = make(&fields, &options).unwrap();
    assert!(source.is_bounded());
    let rows = read(&mut *reader(&*source, &ManualClock::default(), None));
    assert_eq!(texts(&rows), ["-1|7|1.00|1.0", "0|8|2.00|2.0", "1|9|3.00|3.0", "2|10|4.00|4.0"]);
}

#[test]
fn a_restored_table_goes_on_with_exactly_the_same_rows() {
    let nested = LogicalType::Row(vec![
        Field::new("x", DataType::nullable(LogicalType::Int)),
        Field::new("y", DataType::nullable(LogicalType::Array(Box::new(DataType::string())))),
    ]);
    let map = LogicalType::Map(Box::new(DataType::string()), Box::new(DataType::nullable(LogicalType::Boolean)));
    let fields = [
        ("i", LogicalType::Int),
        ("f", LogicalType::Double),
        ("s", DataType::string().logical),
        ("b", LogicalType::Varbinary(5)),
        ("n", LogicalType::Decimal(38, 10)),
        ("row", nested),
        ("map", map),
    ];
    let options = [
        ("number-of-rows", "500"),
        ("rows-per-second", "100000"),
        ("fields.i.min", "3"),
        ("fields.i.max", "5"),
        ("fields.i.null-rate", "0.2"),
        ("fields.f.min", "-1"),
        ("fields.f.max", "1"),
        ("fields.s.length", "4"),
        ("fields.row.y.element.length", "2"),
        ("fields.map.key.length", "1"),
        ("fields.map.length", "1"),
    ];
    let source = make(&fields, &options).unwrap();
    let all = read(&mut *reader(&*source, &ManualClock::default(), None));
    assert_eq!(all.len(), 500);
    for cut in [0, 1, 77, 499] {
        let rest = read(&mut *reader(&*source, &ManualClock::at(99), Some(all[cut].1)));
        assert_eq!(texts(&rest), texts(&all[cut + 1..]));
    }
    let nulls = all.iter().filter(|(row, _)| row.starts_with("null|")).count();
    assert!((60..140).contains(&nulls), "{nulls} of 500 are NULL at a rate of 0.2");
    for (row, _) in &all {
        let fields: Vec<&str> = row.split('|').collect();
        assert!(["null", "3", "4", "5"].contains(&fields[0]), "{row}");
        assert!((-1.0..1.0).contains(&fields[1].parse::<f64>().unwrap()), "{row}");
        assert_eq!(fields[2].len(), 4);
    }
    let different: std::collections::BTreeSet<&str> = texts(&all).into_iter().collect();
    assert!(different.len() > 490);
}

#[test]
fn rows_come_at_their_rate_and_do_not_pile_up() {
    let source = make(&[("t", LogicalType::TimestampLtz(3))], &[("rows-per-second", "100")]).unwrap();
    assert!(!source.is_bounded());
    let clock = ManualClock::at(1_000);
    let mut reader = reader(&*source, &clock, None);
    let mut rows = 0;
    let mut count = |reader: &mut Box<dyn Reader>| {
        if let Fetch::Records { payload: Payload::Columns(batch), .. } =
            reader.fetch(Duration::from_millis(50)).unwrap()
        {
            rows += batch.num_rows();
        }
        rows
    };
    while clock.now() < 3_000 {
        count(&mut reader);
    }
    assert_eq!(count(&mut reader), 201);
    clock.advance(Duration::from_secs(3600));
    assert_eq!(count(&mut reader), 301);
}

#[test]
fn options_that_mean_nothing_are_refused() {
    type Case = (LogicalType, &'static [(&'static str, &'static str)], &'static str);
    let cases: &[Case] = &[
        (
            LogicalType::Int,
            &[("fields.x.min", "1")],
            "use the option 'fields.x.min': the table has no such field, or its type and kind take no such option",
        ),
        (
            LogicalType::Boolean,
            &[("fields.a.min", "1")],
            "use the option 'fields.a.min': the table has no such field, or its type and kind take no such option; it takes fields.a.kind, fields.a.null-rate",
        ),
        (LogicalType::Int, &[("fields.a.min", "x")], "read the option 'fields.a.min' = 'x': it must be a whole number"),
        (
            LogicalType::Int,
            &[("fields.a.min", "5"), ("fields.a.max", "4")],
            "use the options 'fields.a.min' and 'fields.a.max': 5 is more than 4",
        ),
        (
            LogicalType::Int,
            &[("fields.a.kind", "sequence"), ("fields.a.start", "5")],
            "use the option 'fields.a.kind' = 'sequence': the option 'fields.a.end' is missing",
        ),
        (
            LogicalType::TinyInt,
            &[("fields.a.kind", "sequence"), ("fields.a.start", "5"), ("fields.a.end", "500")],
            "use the sequence from 5 to 500 for 'fields.a': TINYINT holds -128 to 127",
        ),
        (
            LogicalType::Date,
            &[("fields.a.kind", "sequence"), ("fields.a.start", "5"), ("fields.a.end", "500")],
            "use the option 'fields.a.kind' = 'sequence': there is no sequence of DATE; sequences are numbers or strings",
        ),
        (
            LogicalType::Int,
            &[("rows-per-second", "0")],
            "read the option 'rows-per-second' = '0': it must be at least 1",
        ),
        (
            LogicalType::Varchar(i32::MAX.cast_unsigned()),
            &[("fields.a.length", "2147483647")],
            "generate rows of 2147483647 bytes: 67108864 are allowed; lower the options 'fields.#.length'",
        ),
        (
            LogicalType::Int,
            &[("fields.a.null-rate", "2")],
            "read the option 'fields.a.null-rate' = '2': it must be a number from 0 to 1",
        ),
    ];
    for (logical, options, expected) in cases {
        let Err(error) = make(&[("a", logical.clone())], options) else { panic!("{options:?} is accepted") };
        assert_eq!(error.to_string(), *expected);
    }
}

#[test]
fn every_type_can_be_generated() {
    use LogicalType::*;
    let all = [
        Boolean,
        TinyInt,
        SmallInt,
        Int,
        BigInt,
        Float,
        Double,
        Decimal(38, 38),
        Decimal(5, 2),
        Char(3),
        Varchar(7),
        Binary(2),
        Varbinary(200),
        Date,
        Time(3),
        Timestamp(0),
        Timestamp(6),
        Timestamp(9),
        TimestampLtz(3),
        IntervalYearMonth,
        IntervalDayTime,
    ];
    let names: Vec<String> = (0..all.len()).map(|index| format!("f{index}")).collect();
    let fields: Vec<(&str, LogicalType)> = names.iter().map(String::as_str).zip(all).collect();
    let source = make(&fields, &[("number-of-rows", "50")]).unwrap();
    let rows = read(&mut *reader(&*source, &ManualClock::at(1_709_251_199_120), None));
    assert_eq!(rows.len(), 50);
    assert!(rows[49].0.contains("|2024-02-29|"), "{}", rows[49].0);
}
