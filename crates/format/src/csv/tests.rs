//! CSV in and out: tables of lines with the rows, or the errors, that they give.

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use weir_base::Rng;
use weir_plan::{DataType, Field, LogicalType, Schema, TableOptions};

use crate::text::write_java;
use crate::{BadKind, Decoded, RawRecord, RawRecords, decoder, encoder};

fn options(pairs: &[(&str, &str)]) -> TableOptions {
    let values = pairs.iter().map(|(key, value)| (format!("csv.{key}"), (*value).to_owned())).collect();
    TableOptions { values, ..TableOptions::default() }
}

fn fields(types: &[LogicalType]) -> Vec<Field> {
    let field =
        |(index, logical): (usize, &LogicalType)| Field::new(format!("f{index}"), DataType::nullable(logical.clone()));
    types.iter().enumerate().map(field).collect()
}

fn string() -> LogicalType {
    DataType::string().logical
}

fn records(lines: &[&str]) -> RawRecords {
    let mut records = RawRecords::default();
    let mut data = Vec::new();
    for line in lines {
        let start = u32::try_from(data.len()).unwrap();
        let length = u32::try_from(line.len()).unwrap();
        records.records.push(RawRecord { start, length, offset: start.into(), null: false });
        data.extend_from_slice(line.as_bytes());
    }
    records.data = Buffer::from_vec(data);
    records
}

fn decode(types: &[LogicalType], pairs: &[(&str, &str)], lines: &[&str]) -> Decoded {
    let fields = fields(types);
    let schema = Schema::new(fields.clone());
    decoder("csv", &options(pairs), "", &fields, &schema).unwrap().decode(&records(lines)).unwrap()
}

fn rows(batch: &RecordBatch) -> Vec<String> {
    let row = |row: usize| {
        let mut out = Vec::new();
        for (index, column) in batch.columns().iter().enumerate() {
            if index > 0 {
                out.push(b'|');
            }
            write_java(column, row, &mut out);
        }
        String::from_utf8(out).unwrap()
    };
    (0..batch.num_rows()).map(row).collect()
}

#[test]
fn lines_are_read_by_their_dialect() {
    let two = [string(), string()];
    type Case = (&'static [(&'static str, &'static str)], &'static str, &'static str);
    let cases: &[Case] = &[
        (&[], "a,b", "a|b"),
        (&[], ",", "|"),
        (&[], " a , b ", " a | b "),
        (&[], r#""a,""b""","c""#, r#"a,"b"|c"#),
        (&[], r#""a" ,b"#, "a|b"),
        (&[], r#"a"b,c"#, r#"a"b|c"#),
        (&[("field-delimiter", ";")], "a;b", "a|b"),
        (&[("field-delimiter", "\\t")], "a\tb", "a|b"),
        (&[("quote-character", "'")], "'a,b',c", "a,b|c"),
        (&[("disable-quote-character", "true")], r#""a,b""#, r#""a|b""#),
        (&[("escape-character", "\\")], r#""a\"b",c\,d"#, r#"a"b|c,d"#),
        (&[("null-literal", "n/a")], r#"n/a,"n/a""#, "null|null"),
        (&[("null-literal", "")], ",x", "null|x"),
        (&[("allow-comments", "true")], "#a,b", ""),
        (&[], "#a,b", "#a|b"),
    ];
    for (pairs, line, expected) in cases {
        let decoded = decode(&two, pairs, &[line]);
        assert!(decoded.bad.is_empty(), "{line}: {:?}", decoded.bad);
        let expected: Vec<&str> = [*expected].into_iter().filter(|row| !row.is_empty()).collect();
        assert_eq!(rows(&decoded.batch), expected, "{line}");
        assert_eq!(decoded.skipped, 1 - expected.len());
    }
}

#[test]
fn types_are_read_and_what_does_not_fit_is_null_and_noted() {
    use LogicalType::*;
    let types = [
        Int,
        Double,
        Boolean,
        Decimal(6, 2),
        Timestamp(3),
        Array(Box::new(DataType::nullable(Int))),
        Row(vec![Field::new("a", DataType::nullable(Int)), Field::new("b", DataType::string())]),
    ];
    let lines = [
        r#" 5 ,1e2,TRUE,12.345,2024-02-29 23:59:59.5,1;2;3,1;x"#,
        "x,,no,1234567,2024-02-32 00:00:00,,1",
        "",
        "1,2",
        "1,2,3,4,5,6,7,8",
        r#""open,1"#,
        r#""a"b,1"#,
    ];
    let decoded = decode(&types, &[], &lines);
    assert_eq!(
        rows(&decoded.batch),
        [
            "5|100.0|true|12.35|2024-02-29T23:59:59.500|[1, 2, 3]|+I[1, x]",
            "null|null|false|null|null|[]|+I[1, null]",
            "null|null|null|null|null|null|null",
            "1|2.0|null|null|null|null|null",
        ]
    );
    assert_eq!((decoded.rows, decoded.skipped), (Some(vec![0, 1, 2, 3]), 0));
    let told: Vec<(u32, BadKind, u32, &str)> =
        decoded.bad.iter().map(|bad| (bad.record, bad.kind, bad.column, bad.cause.as_str())).collect();
    use BadKind::{Field as F, Record as R};
    assert_eq!(
        told,
        [
            (1, F, 1, "field 'f0': \"x\" does not fit INT"),
            (1, F, 3, "field 'f1': \"\" does not fit DOUBLE"),
            (1, F, 15, "field 'f4': \"2024-02-32 00:00:00\" does not fit TIMESTAMP(3)"),
            (1, F, 36, "field 'f6': \"1\" does not fit ROW<`a` INT, `b` STRING>"),
            (2, F, 1, "Row length mismatch. 7 fields expected but was 1."),
            (2, F, 1, "field 'f0': \"\" does not fit INT"),
            (3, F, 4, "Row length mismatch. 7 fields expected but was 2."),
            (4, R, 15, "Row length mismatch. 7 fields expected but was 8."),
            (5, R, 1, "a quote is not closed"),
            (6, R, 4, "expected the field delimiter after a closing quote"),
        ]
    );
}

#[test]
fn columns_are_taken_by_their_place_in_the_line() {
    let all = fields(&[string(), LogicalType::Int, string()]);
    let some = [all[2].clone(), all[1].clone()];
    let mut decoder = decoder("csv", &options(&[]), "", &some, &Schema::new(all)).unwrap();
    assert_eq!(rows(&decoder.decode(&records(&["a,1,b"])).unwrap().batch), ["b|1"]);
}

#[test]
fn what_csv_cannot_hold_is_refused_by_name() {
    let map = fields(&[LogicalType::Map(Box::new(DataType::string()), Box::new(DataType::string()))]);
    let Err(error) = encoder("csv", &options(&[]), "", &map, b"\n") else { panic!("a map is accepted") };
    assert_eq!(
        error.to_string(),
        "use the format csv: the column 'f0' is a MAP<STRING, STRING>; csv holds scalars, and ARRAY and ROW of scalars; use json"
    );
    let Err(error) = encoder("csv", &options(&[("field-delimiter", "ab")]), "", &[], b"\n") else { panic!("accepted") };
    assert_eq!(error.to_string(), "read the option 'csv.field-delimiter' = 'ab': it must be one ASCII character");
}

#[test]
fn rows_are_quoted_where_jackson_quotes_them() {
    use LogicalType::*;
    let types = [
        string(),
        Double,
        Timestamp(3),
        Date,
        Boolean,
        Decimal(12, 10),
        Array(Box::new(DataType::nullable(Int))),
        TimestampLtz(3),
    ];
    let lines = [
        r#"abc,1e10,2024-02-29 10:00:00,2024-02-29,true,0.0000000123,1;2,2024-02-29 10:00:00Z"#,
        r#""a ""b""",1,2024-02-29 10:00:00.5,2024-02-29,true,1,,2024-02-29 10:00:00Z"#,
        r#"exactly-24-characters-xx,1,2024-02-29 10:00:00,2024-02-29,true,1,3,2024-02-29 10:00:00Z"#,
        r#"more-than-24-characters-xx,NaN,2024-02-29 10:00:00,2024-02-29,true,1,3,2024-02-29 10:00:00Z"#,
    ];
    let decoded = decode(&types, &[], &lines);
    let fields = fields(&types);
    let mut encoder = encoder("csv", &options(&[("null-literal", "-")]), "", &fields, b"\n").unwrap();
    let (mut out, mut ends) = (Vec::new(), Vec::new());
    encoder.encode(&decoded.batch, None, &mut out, &mut ends).unwrap();
    assert_eq!(
        String::from_utf8(out).unwrap(),
        r#"abc,1.0E10,"2024-02-29 10:00:00",2024-02-29,true,1.23E-8,1;2,"2024-02-29 10:00:00Z"
"a ""b""",1.0,"2024-02-29 10:00:00.5",2024-02-29,true,1,,"2024-02-29 10:00:00Z"
exactly-24-characters-xx,1.0,"2024-02-29 10:00:00",2024-02-29,true,1,3,"2024-02-29 10:00:00Z"
"more-than-24-characters-xx",NaN,"2024-02-29 10:00:00",2024-02-29,true,1,3,"2024-02-29 10:00:00Z"
"#
    );
    assert_eq!(ends.len(), 4);
}

#[test]
fn what_is_written_reads_back_and_random_lines_never_panic() {
    let types = [string(), string(), LogicalType::BigInt];
    let fields = fields(&types);
    for dialect in [&[][..], &[("escape-character", "\\")], &[("field-delimiter", "|"), ("quote-character", "'")]] {
        let mut random = Rng::new(11);
        let mut line = || -> String {
            let length = random.below(30);
            let byte = |random: &mut Rng| b"ab\"'\\,|; #9\xc3"[usize::try_from(random.below(12)).unwrap()];
            String::from_utf8_lossy(&(0..length).map(|_| byte(&mut random)).collect::<Vec<_>>()).into_owned()
        };
        let lines: Vec<String> = (0..500).map(|_| line()).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let first = decode(&types, dialect, &lines);
        let bad = first.bad.iter().filter(|bad| bad.kind == BadKind::Record).count();
        assert_eq!(first.batch.num_rows() + bad + first.skipped, lines.len());
        let mut encoder = encoder("csv", &options(dialect), "", &fields, b"").unwrap();
        let (mut out, mut ends) = (Vec::new(), Vec::new());
        encoder.encode(&first.batch, None, &mut out, &mut ends).unwrap();
        let starts = [0].into_iter().chain(ends.iter().copied());
        let written: Vec<&str> =
            starts.zip(&ends).map(|(start, end)| std::str::from_utf8(&out[start..*end]).unwrap()).collect();
        let second = decode(&types, dialect, &written);
        // NULL is written as nothing: an empty text where it was a NULL.
        let blank = |rows: Vec<String>| rows.into_iter().map(|row| row.replace("null", "")).collect::<Vec<_>>();
        assert_eq!(blank(rows(&second.batch)), blank(rows(&first.batch)));
    }
}
