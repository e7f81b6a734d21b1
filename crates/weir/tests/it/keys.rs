//! Keys of records: columns that a topic's keys hold, written and read again, embedded and on a real Kafka.

use weir_base::{Clock, SystemClock};

use crate::binary::Place;
use crate::servers::servers;

const ROWS: &str =
    "{\"id\":1,\"name\":\"a\",\"n\":10}\n{\"id\":2,\"name\":null,\"n\":20}\n{\"id\":3,\"name\":\"c\",\"n\":null}\n";

/// A topic with the options of its key, on a broker or embedded.
struct Topic {
    name: String,
    brokers: String,
}

impl Topic {
    fn table(&self, name: &str, columns: &str, options: &str) -> String {
        format!(
            "CREATE TABLE {name} ({columns}) WITH ('connector' = 'kafka', 'topic' = '{}',
               'properties.bootstrap.servers' = '{}', 'scan.startup.mode' = 'earliest-offset',
               'scan.bounded.mode' = 'latest-offset', 'value.format' = 'json', {options});",
            self.name, self.brokers
        )
    }
}

fn folder(name: &str, columns: &str) -> String {
    format!(
        "CREATE TABLE `{name}` ({columns}) WITH ('connector' = 'filesystem', 'path' = '{name}', 'format' = 'json');"
    )
}

/// Writes rows with a key, reads them again by the same columns, by the value alone, and with keys that do not fit.
fn round_trip(topic: &Topic, args: &[&str]) {
    let place = Place::new();
    place.write("in/a.json", ROWS);
    let columns = "k_id INT, name STRING, n BIGINT, k_name STRING";
    let key = "'key.format' = 'json', 'key.fields' = 'k_id;k_name', 'key.fields-prefix' = 'k_',
        'value.fields-include' = 'EXCEPT_KEY'";
    let write = format!(
        "{} {} INSERT INTO topic SELECT id, name, n, name FROM `in`;",
        folder("in", "id INT, name STRING, n BIGINT"),
        topic.table("topic", columns, key)
    );
    place.run(&write, args).ok();
    // In another order, without a column of the value, and with one that no part of the record has.
    let read = format!(
        "{} {} INSERT INTO `out` SELECT n, k_name, k_id, other FROM topic;",
        topic.table("topic", "n BIGINT, k_name STRING, other INT, k_id INT", key),
        folder("out", "n BIGINT, k_name STRING, k_id INT, other INT")
    );
    place.run(&read, args).ok();
    let expected = [
        r#"{"n":10,"k_name":"a","k_id":1,"other":null}"#,
        r#"{"n":20,"k_name":null,"k_id":2,"other":null}"#,
        r#"{"n":null,"k_name":"c","k_id":3,"other":null}"#,
    ];
    assert_eq!(place.lines("out"), expected);

    let value = format!(
        "{} {} INSERT INTO `values` SELECT line FROM topic;",
        topic.table("topic", "line STRING", "").replace("'json', )", "'raw')"),
        folder("values", "line STRING")
    );
    place.run(&value, args).ok();
    assert_eq!(
        place.lines("values")[0],
        r#"{"line":"{\"name\":\"a\",\"n\":10}"}"#,
        "the key's columns are not in the value"
    );

    // Records without a key, and with one that is no JSON.
    for (key, kind) in
        [("'key.format' = 'raw', 'key.fields' = 'k', 'value.fields-include' = 'EXCEPT_KEY'", "raw"), ("", "none")]
    {
        let columns = if kind == "raw" { "n BIGINT, k STRING" } else { "n BIGINT" };
        let table = topic.table("topic", columns, key).replace("'json', )", "'json')");
        let values = if kind == "raw" { "n, 'no JSON'" } else { "n" };
        let sql = format!("{} {table} INSERT INTO topic SELECT {values} FROM `in`;", folder("in", "n BIGINT"));
        place.run(&sql, args).ok();
    }
    let read = |ignore: &str| {
        format!(
            "{} {} INSERT INTO `kept` SELECT n, k_id FROM topic;",
            topic.table("topic", columns, &format!("{key}, 'key.json.ignore-parse-errors' = '{ignore}'")),
            folder("kept", "n BIGINT, k_id INT")
        )
    };
    let failed = place.run(&read("false"), &[args, &["-D", "restart-strategy.type=none"]].concat());
    assert_eq!(failed.code, Some(1), "{failed:?}");
    assert!(failed.err.contains("in its key: "), "{}", failed.err);
    assert!(failed.err.contains("set 'key.json.ignore-parse-errors' = 'true'"), "{}", failed.err);
    place.run(&read("true"), &[args, &["--fresh"]].concat()).ok();
    let kept = [r#"{"n":10,"k_id":1}"#, r#"{"n":20,"k_id":2}"#, r#"{"n":null,"k_id":3}"#];
    assert_eq!(place.lines("kept"), kept, "six records have no key that fits");
    let counted =
        place.weir(["query", "SELECT kind, COUNT(*) AS n FROM dead_letters GROUP BY kind", "--format", "csv"]);
    let counted = crate::binary::Ran::of({ counted }.output().expect("start weir")).ok();
    assert!(counted.out.contains("record,6"), "{}", counted.out);
}

#[test]
fn columns_of_keys_are_written_and_read_in_embedded_topics() {
    round_trip(&Topic { name: "keyed".to_owned(), brokers: "kafka:9092".to_owned() }, &["--embedded"]);
}

#[test]
fn columns_of_keys_are_written_and_read_on_kafka() {
    let Some(servers) = servers("keys on a real Kafka") else { return };
    let name = format!("keyed-{}", SystemClock::new().now());
    round_trip(&Topic { name, brokers: servers.kafka }, &[]);
}
