//! What files look like by the options of their formats: the texts that a real Flink 2.3.0 wrote for the same INSERTs.

use crate::binary::Place;

/// Rows with a small and a large DECIMAL, and a row of NULLs.
const ROWS: &str = "(1, 'a;b\"c,d''e', 0.0000001, CAST('1000000000000000000000' AS DECIMAL(38, 0)), MAP['a', 1, 'b', 2], \
    ARRAY[1, 2], TIMESTAMP '2024-01-01 00:00:00.5'), \
    (2, CAST(NULL AS STRING), CAST(NULL AS DECIMAL(20, 10)), CAST(NULL AS DECIMAL(38, 0)), CAST(NULL AS MAP<STRING, INT>), \
    CAST(NULL AS ARRAY<INT>), CAST(NULL AS TIMESTAMP(3)))";

/// The lines of a file of `columns` (all of `rows`) in the format with its `options`.
fn written(columns: &[&str], options: &str) -> Vec<String> {
    let place = Place::new();
    let types = |name: &&str| match *name {
        "id" => "id INT",
        "s" => "s STRING",
        "d" => "d DECIMAL(20, 10)",
        "b" => "b DECIMAL(38, 0)",
        "m" => "m MAP<STRING, INT>",
        "a" => "a ARRAY<INT>",
        _ => "t TIMESTAMP(3)",
    };
    let declared: Vec<&str> = columns.iter().map(types).collect();
    let script = format!(
        "CREATE TABLE written ({}) WITH ('connector' = 'filesystem', 'path' = 'out', 'sink.parallelism' = '1', {options});
         INSERT INTO written SELECT {} FROM (VALUES {ROWS}) AS v (id, s, d, b, m, a, t);",
        declared.join(", "),
        columns.join(", ")
    );
    place.run(&script, &[]).ok();
    place.lines("out")
}

#[test]
fn json_is_written_by_its_options() {
    let columns = ["id", "d", "b", "m", "t"];
    let options = "'format' = 'json', 'json.encode.ignore-null-fields' = 'true', 'json.encode.decimal-as-plain-number' = 'true',
        'json.map-null-key.mode' = 'LITERAL', 'json.map-null-key.literal' = 'none', 'json.timestamp-format.standard' = 'ISO-8601'";
    let plain = r#"{"id":1,"d":0.0000001000,"b":1000000000000000000000,"m":{"a":1,"b":2},"t":"2024-01-01T00:00:00.5"}"#;
    assert_eq!(written(&columns, options), [plain, r#"{"id":2}"#]);
    let dropped = r#"{"id":1,"d":1E-7,"b":1E+21,"m":{"a":1,"b":2},"t":"2024-01-01 00:00:00.5"}"#;
    let nulls = r#"{"id":2,"d":null,"b":null,"m":null,"t":null}"#;
    assert_eq!(written(&columns, "'format' = 'json', 'json.map-null-key.mode' = 'DROP'"), [dropped, nulls]);
}

#[test]
fn csv_is_written_by_its_options() {
    let columns = ["id", "s", "d", "b", "a"];
    let options = "'format' = 'csv', 'csv.field-delimiter' = ';', 'csv.array-element-delimiter' = '|', 'csv.null-literal' = 'n/a',
        'csv.write-bigdecimal-in-scientific-notation' = 'true'";
    assert_eq!(written(&columns, options), [r#"1;"a;b""c,d'e";1E-7;1E+21;"1|2""#, "2;n/a;n/a;n/a;n/a"]);
}

#[test]
fn raw_numbers_are_written_in_the_order_of_their_bytes() {
    let bytes = |options: &str| {
        let place = Place::new();
        let script = format!(
            "CREATE TABLE written (n INT) WITH ('connector' = 'filesystem', 'path' = 'out', 'format' = 'raw'{options});
             INSERT INTO written VALUES (1633837924);"
        );
        place.run(&script, &[]).ok();
        place.lines("out")
    };
    assert_eq!(bytes(""), ["abcd"]);
    assert_eq!(bytes(", 'raw.endianness' = 'little-endian'"), ["dcba"]);
}

#[test]
fn print_may_write_to_standard_error() {
    let script = "CREATE TABLE shown (n INT) WITH ('connector' = 'print', 'standard-error' = 'true'); INSERT INTO shown VALUES (1), (2);";
    let ran = Place::new().run(script, &[]).ok();
    assert_eq!((ran.out.as_str(), ran.err.lines().filter(|line| line.starts_with("+I[")).count()), ("", 2));
}
