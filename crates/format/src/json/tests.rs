//! JSON in and out: tables of documents with the rows, or the errors, that they give.

use std::sync::Arc;

use arrow_array::{Array, RecordBatch};
use arrow_buffer::Buffer;
use weir_base::Rng;
use weir_plan::{DataType, Field, LogicalType, Schema, TableOptions};

use crate::text::write_java;
use crate::{BadKind, Decoded, Decoder, Oversized, RawRecord, RawRecords, decoder, encoder};

fn options(pairs: &[(&str, &str)]) -> TableOptions {
    let values = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    TableOptions { values, ..TableOptions::default() }
}

fn field(name: &str, logical: LogicalType) -> Field {
    Field::new(name, DataType::nullable(logical))
}

fn string() -> LogicalType {
    DataType::string().logical
}

fn records(lines: &[&[u8]]) -> RawRecords {
    let mut data = Vec::new();
    let mut records = Vec::new();
    for line in lines {
        let start = u32::try_from(data.len()).unwrap();
        records.push(RawRecord {
            start,
            length: u32::try_from(line.len()).unwrap(),
            offset: start.into(),
            null: false,
        });
        data.extend_from_slice(line);
    }
    RawRecords { data: Buffer::from_vec(data), records, ..RawRecords::default() }
}

fn json(fields: &[Field], pairs: &[(&str, &str)]) -> Box<dyn Decoder> {
    decoder("json", &options(pairs), "", fields, &Schema::new(fields.to_vec())).unwrap()
}

fn decode(fields: &[Field], lines: &[&[u8]]) -> Decoded {
    json(fields, &[]).decode(&records(lines)).unwrap()
}

fn row(batch: &RecordBatch, row: usize) -> String {
    let mut out = Vec::new();
    for (index, column) in batch.columns().iter().enumerate() {
        if index > 0 {
            out.push(b'|');
        }
        write_java(column, row, &mut out);
    }
    String::from_utf8(out).unwrap()
}

fn rows(decoded: &Decoded) -> Vec<String> {
    (0..decoded.batch.num_rows()).map(|index| row(&decoded.batch, index)).collect()
}

#[test]
fn values_are_read_with_flinks_leniency() {
    use LogicalType::*;
    let element = |logical| Box::new(DataType::nullable(logical));
    // type, JSON value, value as Java writes it (`!`: NULL with a note)
    let cases: &[(LogicalType, &str, &str)] = &[
        (string(), r#""abc""#, "abc"),
        (string(), r#""a longer text than twelve""#, "a longer text than twelve"),
        (string(), r#""""#, ""),
        (string(), r#""twelve bytes""#, "twelve bytes"),
        (string(), r#""a\"b\\c\/d\n\u00e9\ud83d\ude00\ud800x""#, "a\"b\\c/d\né😀?x"),
        (string(), "12.50", "12.50"),
        (string(), "true", "true"),
        (string(), r#"{ "b" : [1, 2.50, null, "x y\/z"], "a": {} }"#, r#"{"b":[1,2.5,null,"x y/z"],"a":{}}"#),
        (string(), "null", "null"),
        (BigInt, "1731990000000", "1731990000000"),
        (BigInt, "1731990000000.75", "1731990000000"),
        (BigInt, "-1.9e1", "-19"),
        (BigInt, "9223372036854775807", "9223372036854775807"),
        (BigInt, "-9223372036854775808", "-9223372036854775808"),
        (BigInt, "9223372036854775808", "!"),
        (BigInt, "123456789012345678901234567890", "!"),
        (BigInt, r#"" 42 ""#, "42"),
        (BigInt, r#""+7""#, "7"),
        (BigInt, r#""4.2""#, "!"),
        (BigInt, "true", "!"),
        (BigInt, "{}", "!"),
        (Int, "2147483647", "2147483647"),
        (Int, "2147483648", "!"),
        (Int, "-12.9", "-12"),
        (SmallInt, "-32768", "-32768"),
        (SmallInt, "1.5", "!"),
        (TinyInt, "127", "127"),
        (TinyInt, "128", "!"),
        (Double, "21.5", "21.5"),
        (Double, "12", "12.0"),
        (Double, "-0", "-0.0"),
        (Double, "1e10", "1.0E10"),
        (Double, "1e400", "Infinity"),
        (Double, "123456789012345678901234567890", "1.2345678901234568E29"),
        (Double, "0.1234567890123456789", "0.12345678901234568"),
        (Double, r#""12.5""#, "12.5"),
        (Double, r#""NaN""#, "NaN"),
        (Double, r#""abc""#, "!"),
        (Float, "0.1", "0.1"),
        (Float, r#""1.5f""#, "1.5"),
        (Boolean, "true", "true"),
        (Boolean, r#""TRUE""#, "true"),
        (Boolean, r#""yes""#, "false"),
        (Boolean, "1", "false"),
        (Boolean, "[]", "!"),
        (Decimal(10, 2), "12.345", "12.35"),
        (Decimal(10, 2), r#"" -1e2 ""#, "-100.00"),
        (Decimal(4, 2), "123.4", "null"),
        (Decimal(4, 2), r#""x""#, "!"),
        (Date, r#""2024-02-29""#, "2024-02-29"),
        (Date, r#""2023-02-29""#, "!"),
        (Date, "20240229", "!"),
        (Time(3), r#""23:59:58.5""#, "23:59:58.500"),
        (Timestamp(3), r#""2024-02-29 23:59:59.12""#, "2024-02-29T23:59:59.120"),
        (Timestamp(6), r#""1969-12-31 23:59:59.999999""#, "1969-12-31T23:59:59.999999"),
        (Timestamp(9), r#""2024-02-29 00:00:00.123456789""#, "2024-02-29T00:00:00.123456789"),
        (Timestamp(3), r#""2024-02-29T23:59:59""#, "!"),
        (Timestamp(3), r#""2024-02-29 23:59:59Z""#, "!"),
        (Timestamp(9), r#""9999-01-01 00:00:00""#, "!"),
        (TimestampLtz(3), r#""2024-02-29 23:59:59.12Z""#, "2024-02-29T23:59:59.120Z"),
        (TimestampLtz(3), r#""2024-02-29 23:59:59.12""#, "!"),
        (Varbinary(10), r#""AQL/""#, "[1, 2, -1]"),
        (Varbinary(10), r#""*""#, "!"),
        (Array(element(Int)), "[1, 2.7, null]", "[1, 2, null]"),
        (Array(element(Int)), "[]", "[]"),
        (Array(element(Int)), "3", "!"),
        (Map(element(string()), element(Int)), r#"{"a": 1, "b": null, "a": 3}"#, "{a=3, b=null}"),
        (Row(vec![field("x", Int), field("y", string())]), r#"{"y": "q", "z": [{}], "x": 1}"#, "+I[1, q]"),
        (Row(vec![field("x", Int)]), "{}", "+I[null]"),
        (Row(vec![field("x", Int)]), "[]", "!"),
    ];
    for (logical, value, expected) in cases {
        let line = format!("{{\"v\":{value}}}");
        let decoded = decode(&[field("v", logical.clone())], &[line.as_bytes()]);
        let misfit = *expected == "!";
        assert_eq!(rows(&decoded), [if misfit { "null" } else { expected }], "{logical} from {value}");
        assert_eq!(decoded.bad.len(), usize::from(misfit), "{logical} from {value}: {:?}", decoded.bad);
        if misfit {
            assert_eq!((decoded.bad[0].kind, decoded.bad[0].column), (BadKind::Field, 6));
            let cause = format!("field 'v': {value} does not fit {logical}");
            assert_eq!(decoded.bad[0].cause, cause);
        }
    }
}

#[test]
fn what_is_no_json_costs_its_record_only_and_says_where() {
    let fields = [field("a", LogicalType::Int), field("b", string())];
    let cases: &[(&[u8], u32, &str)] = &[
        (b"{\"a\":1", 7, "the record ends too early"),
        (b"{\"a\":1,}", 8, "expected a field's name in quotes"),
        (b"{\"a\" 1}", 6, "expected ':' after a field's name"),
        (b"{\"a\":01}", 7, "a number must not begin with a needless zero"),
        (b"{\"a\":1.}", 8, "expected a digit behind the point"),
        (b"{\"a\":1e}", 8, "expected a digit in the exponent"),
        (b"{\"a\":-}", 7, "expected a digit"),
        (b"{\"a\":+1}", 6, "expected a value"),
        (b"{\"a\":nul}", 6, "expected a value"),
        (b"{\"a\":1 \"b\":2}", 8, "expected ',' or '}' after a value"),
        (b"{\"c\":[1 2]}", 9, "expected ',' or ']' after a value"),
        (b"{\"b\":\"x", 8, "the record ends too early"),
        (b"{\"b\":\"\\x\"}", 8, "an unknown escape after '\\'"),
        (b"{\"b\":\"\\u12g4\"}", 11, "expected four hexadecimal digits after '\\u'"),
        (b"[1]", 1, "expected '{': a record is one JSON object"),
        (b"12", 1, "expected '{': a record is one JSON object"),
        (b"  ", 3, "the record ends too early"),
        (b"{\"b\":\"\xff\"}", 7, "invalid UTF-8"),
    ];
    for (line, column, cause) in cases {
        let good: &[u8] = b"{\"a\":7,\"b\":\"y\"}";
        let decoded = decode(&fields, &[good, line, good]);
        assert_eq!(rows(&decoded), ["7|y", "7|y"], "{}", String::from_utf8_lossy(line));
        assert_eq!(decoded.rows, Some(vec![0, 2]));
        let [bad] = &decoded.bad[..] else { panic!("{:?}", decoded.bad) };
        assert_eq!((bad.record, bad.kind, bad.column, bad.cause.as_str()), (1, BadKind::Record, *column, *cause));
    }
    let deep = format!("{{\"x\":{}{}}}", "[".repeat(1000), "]".repeat(1000));
    assert_eq!(decode(&fields, &[deep.as_bytes()]).bad[0].cause, "more than 1000 objects and arrays in each other");
    let deep = format!("{{\"x\":{}{}}}", "[".repeat(999), "]".repeat(999));
    assert!(decode(&fields, &[deep.as_bytes()]).bad.is_empty());
}

#[test]
fn what_follows_the_object_is_not_looked_at() {
    let lines: [&[u8]; 5] = [b"{\"a\":1} x", b"{\"a\":2}{\"a\":3}", b"{\"a\":4},", b"{\"a\":5}}", b"{\"a\":6"];
    let decoded = decode(&[field("a", LogicalType::Int)], &lines);
    assert_eq!(rows(&decoded), ["1", "2", "4", "5"]);
    assert_eq!(decoded.bad.len(), 1);
}

#[test]
fn half_a_character_at_the_seam_of_two_records_is_no_character() {
    let decoded = decode(&[field("b", string())], &[b"{\"b\":\"\xc3", b"\xa9\"}", b"{\"b\":\"ok\"}"]);
    assert_eq!(rows(&decoded), ["ok"]);
    assert_eq!(decoded.bad.len(), 2);
}

#[test]
fn a_record_of_which_only_the_beginning_was_kept_gives_no_row() {
    let mut records = records(&[b"{}", b"{}"]);
    records.oversized = vec![Oversized { record: 1, length: 1 << 30, hash: 5 }];
    let decoded = json(&[field("a", LogicalType::Int)], &[]).decode(&records).unwrap();
    assert_eq!(decoded.batch.num_rows(), 1);
    assert_eq!(decoded.bad[0].cause, "the record has 1073741824 bytes, more than the limit of 67108864");
}

#[test]
fn empty_records_and_nulls_are_skipped_not_bad() {
    let mut records = records(&[b"", b"{\"a\":1}", b"{}"]);
    records.records[2].null = true;
    let fields = [field("a", LogicalType::Int)];
    let decoded = json(&fields, &[]).decode(&records).unwrap();
    assert_eq!((rows(&decoded), decoded.rows.as_deref(), decoded.skipped), (vec!["1".into()], Some(&[1][..]), 2));
    assert!(decoded.bad.is_empty());
}

#[test]
fn the_last_of_two_equal_fields_counts() {
    let fields = [field("a", LogicalType::Int), field("l", LogicalType::Array(Box::new(DataType::string())))];
    let lines: &[&[u8]] =
        &[b"{\"a\":1,\"a\":2}", b"{\"a\":1,\"a\":null}", b"{\"l\":[1,2,3],\"a\":5,\"l\":[4]}", b"{\"l\":[9]}"];
    assert_eq!(rows(&decode(&fields, lines)), ["2|null", "null|null", "5|[4]", "null|[9]"]);
}

#[test]
fn a_missing_field_is_null_unless_the_option_says_otherwise() {
    let fields = [field("a", LogicalType::Int), field("b", string())];
    assert_eq!(rows(&decode(&fields, &[b"{\"b\":\"x\"}"])), ["null|x"]);
    let mut strict = json(&fields, &[("json.fail-on-missing-field", "true")]);
    let decoded = strict.decode(&records(&[b"{\"b\":\"x\"}", b"{\"a\":null,\"b\":\"x\"}"])).unwrap();
    assert_eq!(rows(&decoded), ["null|x"]);
    assert_eq!(decoded.bad[0].cause, "the field 'a' is missing");
    let both = options(&[("json.fail-on-missing-field", "true"), ("json.ignore-parse-errors", "true")]);
    let Err(error) = decoder("json", &both, "", &fields, &Schema::default()) else { panic!("both are accepted") };
    assert_eq!(
        error.to_string(),
        "use the format json: json.fail-on-missing-field and json.ignore-parse-errors shouldn't both be true; set one of them to 'false'"
    );
}

/// A random document with fields of the schema below and others.
fn document(random: &mut Rng, shuffled: bool) -> String {
    let mut fields = vec![
        format!("\"id\":\"device-{:06}\"", random.below(1_000_000)),
        format!("\"value\":{}", random.unit() * 100.0),
        format!("\"time\":{}", 1_700_000_000_000 + random.below(1_000_000_000)),
        format!("\"note\":\"{}\"", "x\\n".repeat(usize::try_from(random.below(9)).unwrap())),
        format!("\"tags\":[{},\"b\"]", random.below(10)),
        format!("\"unknown{}\":{{\"deep\":[1,{{}}]}}", random.below(3)),
    ];
    fields.truncate(1 + usize::try_from(random.below(6)).unwrap());
    if shuffled {
        for index in (1..fields.len()).rev() {
            fields.swap(index, usize::try_from(random.below(index as u64 + 1)).unwrap());
        }
    }
    format!("{{{}}}", fields.join(if random.below(2) == 0 { "," } else { " ,\t " }))
}

fn document_fields() -> Vec<Field> {
    vec![
        field("id", string()),
        field("value", LogicalType::Double),
        field("time", LogicalType::BigInt),
        field("note", string()),
        field("tags", LogicalType::Array(Box::new(DataType::string()))),
    ]
}

#[test]
fn accepts_and_rejects_what_serde_json_does_and_never_panics() {
    let fields = document_fields();
    for seed in 0..30 {
        let mut random = Rng::new(seed);
        let documents: Vec<Vec<u8>> = (0..200)
            .map(|_| {
                let mut document = document(&mut random, true).into_bytes();
                for _ in 0..random.below(3) {
                    let at = usize::try_from(random.below(document.len() as u64)).unwrap();
                    const BYTES: &[u8] = b"{}[],:\"\\0123456789eE.+-truefalsnu x\xc3\xff";
                    document[at] = BYTES[usize::try_from(random.below(BYTES.len() as u64)).unwrap()];
                }
                if random.below(10) == 0 {
                    document.truncate(usize::try_from(random.below(document.len() as u64)).unwrap() + 1);
                }
                document
            })
            .collect();
        let lines: Vec<&[u8]> = documents.iter().map(Vec::as_slice).collect();
        let decoded = decode(&fields, &lines);
        let accepted = decoded.rows.clone().unwrap_or_else(|| (0..200).collect());
        for (index, line) in lines.iter().enumerate() {
            // What serde_json is stricter in than Jackson: half surrogates, numbers past the range of a double.
            // Only the first value counts, but bytes behind it that are no text spoil the record.
            let text = std::str::from_utf8(line).unwrap_or_default();
            let first = serde_json::Deserializer::from_str(text);
            let first = first.into_iter::<serde_json::Map<String, serde_json::Value>>().next();
            let oracle = first.unwrap_or_else(|| serde_json::from_str(""));
            let stricter = oracle.as_ref().is_err_and(|error| {
                let text = error.to_string();
                text.contains("surrogate") || text.contains("number out of range") || text.contains("control character")
            });
            let ours = accepted.contains(&u32::try_from(index).unwrap());
            assert!(stricter || ours == oracle.is_ok(), "seed {seed}: {} {oracle:?}", String::from_utf8_lossy(line));
        }
        // Every way to split a batch gives the same rows.
        let mut decoder = json(&fields, &[]);
        for size in [1, 3, 64, 199] {
            let parts = lines.chunks(size).map(|part| decoder.decode(&records(part)).unwrap());
            let split: Vec<String> = parts.flat_map(|part| rows(&part)).collect();
            assert_eq!(split, rows(&decoded), "seed {seed}, {size} a batch");
        }
    }
}

#[test]
fn the_order_of_the_fields_does_not_matter() {
    let fields = document_fields();
    let plain: Vec<String> = (0..500).map(|seed| document(&mut Rng::new(seed), false)).collect();
    let shuffled: Vec<String> = (0..500).map(|seed| document(&mut Rng::new(seed), true)).collect();
    let decode_all = |documents: &[String]| {
        let lines: Vec<&[u8]> = documents.iter().map(String::as_bytes).collect();
        rows(&decode(&fields, &lines))
    };
    assert_eq!(decode_all(&plain), decode_all(&shuffled));
}

#[test]
fn random_bytes_never_panic() {
    let fields = document_fields();
    let mut random = Rng::new(7);
    let mut decoder = json(&fields, &[]);
    for _ in 0..300 {
        let lines: Vec<Vec<u8>> = (0..20)
            .map(|_| {
                let length = random.below(40);
                let mut line = b"{\"id\":".to_vec();
                line.extend((0..length).map(|_| u8::try_from(random.below(256)).unwrap()));
                line
            })
            .collect();
        let lines: Vec<&[u8]> = lines.iter().map(Vec::as_slice).collect();
        let decoded = decoder.decode(&records(&lines)).unwrap();
        let bad = decoded.bad.iter().filter(|bad| bad.kind == BadKind::Record).count();
        assert_eq!(decoded.batch.num_rows() + bad + decoded.skipped, lines.len());
    }
}

#[test]
fn many_columns_of_one_table_are_read() {
    let fields: Vec<Field> = (0..1000).map(|index| field(&format!("column{index}"), LogicalType::Int)).collect();
    let members: Vec<String> = (0..1000).step_by(3).map(|index| format!("\"column{index}\":{index}")).collect();
    let line = format!("{{{}}}", members.join(","));
    let decoded = decode(&fields, &[line.as_bytes(), b"{}", line.as_bytes()]);
    for (index, column) in decoded.batch.columns().iter().enumerate() {
        let there = index % 3 == 0;
        assert_eq!((column.is_valid(0), column.is_valid(1), column.is_valid(2)), (there, false, there));
    }
}

fn encode(batch: &RecordBatch, fields: &[Field], pairs: &[(&str, &str)]) -> String {
    let mut encoder = encoder("json", &options(pairs), "", fields, b"\n").unwrap();
    let (mut out, mut ends) = (Vec::new(), Vec::new());
    encoder.encode(batch, None, &mut out, &mut ends).unwrap();
    assert_eq!(ends.len(), batch.num_rows());
    assert_eq!(ends.last().copied().unwrap_or(0), out.len());
    String::from_utf8(out).unwrap()
}

#[test]
fn rows_are_written_as_flink_writes_them() {
    use LogicalType::*;
    let element = |logical| Box::new(DataType::nullable(logical));
    let fields = [
        field("s", string()),
        field("d", Double),
        field("f", Float),
        field("i", BigInt),
        field("b", Boolean),
        field("n", Decimal(12, 10)),
        field("date", Date),
        field("time", Time(3)),
        field("ts", Timestamp(3)),
        field("ltz", TimestampLtz(6)),
        field("bytes", Varbinary(9)),
        field("list", Array(element(Double))),
        field("map", Map(element(string()), element(Int))),
        field("row", Row(vec![field("x", Int), field("y\"", string())])),
    ];
    let line = r#"{"s":"q\"\\\u0001\t/é","d":1e10,"f":0.1,"i":-5,"b":true,"n":0.0000000123,"date":"2024-02-29","time":"23:59:59.5","ts":"2024-02-29 23:59:59.12","ltz":"2024-02-29 00:00:00Z","bytes":"AQL/","list":[1,1e-4,null],"map":{"k":1},"row":{"x":null,"y\"":"z"}}"#;
    let batch = decode(&fields, &[line.as_bytes(), b"{}"]).batch;
    assert_eq!(
        encode(&batch.slice(0, 1), &fields, &[]),
        r#"{"s":"q\"\\\u0001\t/é","d":1.0E10,"f":0.1,"i":-5,"b":true,"n":1.23E-8,"date":"2024-02-29","time":"23:59:59","ts":"2024-02-29 23:59:59.12","ltz":"2024-02-29 00:00:00Z","bytes":"AQL/","list":[1.0,1.0E-4,null],"map":{"k":1},"row":{"x":null,"y\"":"z"}}"#
            .to_owned()
            + "\n"
    );
    assert_eq!(encode(&batch.slice(1, 1), &fields, &[("json.encode.ignore-null-fields", "true")]), "{}\n");
    let few = decode(&fields[5..6], &[b"{\"n\":0.0000000123}"]).batch;
    assert_eq!(
        encode(&few, &fields[5..6], &[("json.encode.decimal-as-plain-number", "true")]),
        "{\"n\":0.0000000123}\n"
    );
    let iso = decode(&fields[8..9], &[b"{\"ts\":\"2024-02-29 10:00:00\"}"]).batch;
    assert_eq!(
        encode(&iso, &fields[8..9], &[("json.timestamp-format.standard", "ISO-8601")]),
        "{\"ts\":\"2024-02-29T10:00:00\"}\n"
    );
    assert_eq!(Arc::strong_count(iso.column(0)), 1);
}
