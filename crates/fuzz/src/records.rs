//! The decoders of JSON and CSV: each record gives one row or one bad record, however the records are cut into batches; and what was decoded of
//! JSON is written, read, and written as the same.

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use weir_format::{BadKind, Decoded, Decoder, RawRecord, RawRecords, decoder, encoder};
use weir_plan::{DataType, Field, LogicalType, Schema, TableOptions};

/// Decodes the lines of `data` behind its first byte, which chooses columns and options, as JSON.
pub fn json(data: &[u8]) {
    let Some((choice, data)) = data.split_first() else { return };
    let schema = if choice & 1 == 0 { telemetry() } else { every_type() };
    let options = json_options(*choice);
    let whole = check_decoder("json", &options, &schema, &lines(data));
    check_written(&options, &schema, &whole.batch);
}

/// Decodes the lines of `data` behind its first byte, which chooses options, as CSV.
pub fn csv(data: &[u8]) {
    let Some((choice, data)) = data.split_first() else { return };
    let mut schema = every_type();
    // CSV has no form for a MAP, nor for a ROW within another.
    schema.fields.retain(|field| !matches!(field.name.as_str(), "map" | "row" | "rows"));
    check_decoder("csv", &csv_options(*choice), &schema, &lines(data));
}

/// Decodes `records` at once and one by one.
fn check_decoder(format: &str, options: &TableOptions, schema: &Schema, records: &RawRecords) -> Decoded {
    let make = || decoder(format, options, "", &schema.fields, schema).expect("the options are right");
    let whole = decode(&mut *make(), records);
    check_counts(records, &whole);
    check_cuts(&mut *make(), records, &whole);
    whole
}

/// The columns of the telemetry job.
fn telemetry() -> Schema {
    let string = DataType::string;
    Schema::new(vec![
        Field::new("event_id", string()),
        Field::new("device_id", string()),
        Field::new("value", DataType::nullable(LogicalType::Double)),
        Field::new("timestamp", DataType::nullable(LogicalType::BigInt)),
        Field::new("metadata", DataType::nullable(LogicalType::Row(vec![Field::new("fw", string())]))),
    ])
}

/// A column of each type.
fn every_type() -> Schema {
    use LogicalType::{
        Array, BigInt, Boolean, Char, Date, Decimal, Double, Float, Int, Map, Row, SmallInt, Time, Timestamp,
        TimestampLtz, TinyInt, Varbinary, Varchar,
    };
    let int = || Box::new(DataType::nullable(Int));
    let inner = Row(vec![Field::new("c", DataType::string()), Field::new("d", DataType::nullable(Decimal(5, 1)))]);
    let types = [
        ("bo", Boolean),
        ("ti", TinyInt),
        ("sm", SmallInt),
        ("i", Int),
        ("l", BigInt),
        ("f", Float),
        ("d", Double),
        ("de", Decimal(10, 2)),
        ("big", Decimal(38, 18)),
        ("c", Char(3)),
        ("v", Varchar(5)),
        ("s", Varchar(2_147_483_647)),
        ("by", Varbinary(2_147_483_647)),
        ("dt", Date),
        ("tm", Time(0)),
        ("ts", Timestamp(3)),
        ("ts9", Timestamp(9)),
        ("ltz", TimestampLtz(3)),
        ("arr", Array(int())),
        ("map", Map(Box::new(DataType::string()), int())),
        (
            "row",
            Row(vec![Field::new("a", DataType::nullable(Int)), Field::new("b", DataType::nullable(inner.clone()))]),
        ),
        ("rows", Array(Box::new(DataType::nullable(inner)))),
    ];
    Schema::new(types.into_iter().map(|(name, logical)| Field::new(name, DataType::nullable(logical))).collect())
}

/// Options of JSON by the bits of `choice`.
fn json_options(choice: u8) -> TableOptions {
    chosen(
        choice,
        &[
            (2, "json.timestamp-format.standard", "ISO-8601"),
            (4, "json.encode.ignore-null-fields", "true"),
            (8, "json.encode.decimal-as-plain-number", "true"),
            (16, "json.map-null-key.mode", "LITERAL"),
        ],
    )
}

/// Options of CSV by the bits of `choice`.
fn csv_options(choice: u8) -> TableOptions {
    chosen(
        choice,
        &[
            (1, "csv.field-delimiter", ";"),
            (2, "csv.disable-quote-character", "true"),
            (4, "csv.allow-comments", "true"),
            (8, "csv.escape-character", "\\"),
            (16, "csv.null-literal", "null"),
        ],
    )
}

/// The options whose bit `choice` has.
fn chosen(choice: u8, all: &[(u8, &str, &str)]) -> TableOptions {
    let of_choice = all.iter().filter(|(bit, _, _)| choice & bit != 0);
    let values = of_choice.map(|(_, key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    TableOptions { values, ..TableOptions::default() }
}

/// The lines of `data`.
fn lines(data: &[u8]) -> RawRecords {
    let small = |number: usize| u32::try_from(number).expect("an input of a fuzzer is small");
    let mut records = Vec::new();
    let mut start = 0;
    for line in data.split(|byte| *byte == b'\n') {
        records.push(RawRecord { start: small(start), length: small(line.len()), offset: start as u64, null: false });
        start += line.len() + 1;
    }
    RawRecords { data: Buffer::from_slice_ref(data), records, ..RawRecords::default() }
}

fn decode(decoder: &mut dyn Decoder, records: &RawRecords) -> Decoded {
    decoder.decode(records).expect("a decoder fails for broken invariants only")
}

/// No record vanishes, none counts twice, and what is bad has its place.
fn check_counts(records: &RawRecords, decoded: &Decoded) {
    let left_out = decoded.bad.iter().filter(|bad| bad.kind == BadKind::Record).count();
    let (rows, skipped) = (decoded.batch.num_rows(), decoded.skipped);
    assert_eq!(rows + left_out + skipped, records.len(), "records are rows, bad, or nothing");
    for bad in &decoded.bad {
        let length = records.value(bad.record as usize).len();
        assert!(!bad.cause.is_empty(), "a bad record has words");
        assert!((1..=length + 1).contains(&(bad.column as usize)), "{} of {length}: {}", bad.column, bad.cause);
    }
    if let Some(map) = &decoded.rows {
        assert_eq!(map.len(), rows, "each row has its record");
        assert!(map.windows(2).all(|pair| pair[0] < pair[1]), "rows are in the order of their records");
    }
}

/// One record at a time gives the same rows and the same bad records.
fn check_cuts(decoder: &mut dyn Decoder, records: &RawRecords, whole: &Decoded) {
    let (mut row, mut bad) = (0, whole.bad.iter());
    for (index, record) in records.records.iter().enumerate() {
        let one = RawRecords { data: records.data.clone(), records: vec![*record], ..RawRecords::default() };
        let one = decode(decoder, &one);
        let count = one.batch.num_rows();
        assert_eq!(one.batch, whole.batch.slice(row, count), "record {index} decoded alone");
        row += count;
        for found in &one.bad {
            let wanted = bad.next().map(|bad| (bad.record as usize, bad.kind, bad.cause.as_str(), bad.column));
            assert_eq!(wanted, Some((index, found.kind, found.cause.as_str(), found.column)), "record {index} alone");
        }
    }
    assert_eq!((row, bad.next()), (whole.batch.num_rows(), None), "all records one by one");
}

/// What is written is read again, without a word about it, and written as the same. (Not always read as the same: a TIME is written without the
/// part of a second that it may have been read with, as Flink does it.)
fn check_written(options: &TableOptions, schema: &Schema, batch: &RecordBatch) {
    let first = written(options, schema, batch);
    if batch.num_rows() == 0 {
        return;
    }
    let mut decoder = decoder("json", options, "", &schema.fields, schema).expect("the options are right");
    let again = decode(&mut *decoder, &lines(&first));
    let text = String::from_utf8_lossy(&first);
    assert_eq!(again.bad, [], "{text}");
    assert_eq!(String::from_utf8_lossy(&written(options, schema, &again.batch)), text);
}

/// The rows of `batch`, a line each; the last line has no end.
fn written(options: &TableOptions, schema: &Schema, batch: &RecordBatch) -> Vec<u8> {
    let mut encoder = encoder("json", options, "", &schema.fields, b"\n").expect("the options are right");
    let (mut bytes, mut ends) = (Vec::new(), Vec::new());
    encoder.encode(batch, None, &mut bytes, &mut ends).expect("what was decoded can be written");
    assert_eq!(ends.len(), batch.num_rows(), "each row is written");
    bytes.pop();
    bytes
}
