//! Topics of every compression that Kafka has: written and read again on a real broker.

use weir_base::{Clock, SystemClock};

use crate::binary::Place;
use crate::servers::servers;

#[test]
fn topics_are_written_and_read_in_every_compression() {
    let Some(servers) = servers("compressed topics") else { return };
    let place = Place::new();
    // Long enough that a batch is worth compressing.
    let rows: String =
        (0..500).map(|number| format!("{{\"n\":{number},\"text\":\"the same again and again\"}}\n")).collect();
    place.write("in/a.json", rows);
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
        let columns = "n INT, text STRING";
        let topic = format!(
            "CREATE TABLE topic ({columns}) WITH ('connector' = 'kafka', 'topic' = '{codec}-{}', 'format' = 'json',
               'properties.bootstrap.servers' = '{}', 'properties.compression.type' = '{codec}',
               'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset');",
            SystemClock::new().now(),
            servers.kafka
        );
        let file = |name: &str| {
            format!(
                "CREATE TABLE `{name}` ({columns}) WITH ('connector' = 'filesystem', 'path' = '{name}', 'format' = 'json');"
            )
        };
        place.run(&format!("{} {topic} INSERT INTO topic SELECT * FROM `in`;", file("in")), &["--fresh"]).ok();
        place.run(&format!("{} {topic} INSERT INTO `{codec}` SELECT * FROM topic;", file(codec)), &["--fresh"]).ok();
        assert_eq!(place.lines(codec), place.lines("in"), "{codec}");
    }
}
