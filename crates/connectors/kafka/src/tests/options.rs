//! What is refused, with the exact words, before anything is asked of a broker.

use super::*;

#[test]
fn options_that_cannot_be_honoured_are_refused_by_name() {
    let servers = ("properties.bootstrap.servers", "h:1");
    let earliest = ("scan.startup.mode", "earliest-offset");
    let cases: &[(&[(&str, &str)], &str)] = &[
        (&[("topic", "t"), earliest], "find the brokers: 'properties.bootstrap.servers' is missing"),
        (&[servers, earliest], "find the topic: give 'topic' or 'topic-pattern'"),
        (
            &[servers, ("topic", "t")],
            "read 'scan.startup.mode' = 'group-offsets' (its default): there is no group; give 'properties.group.id', or another 'scan.startup.mode' such as 'earliest-offset'",
        ),
        (
            &[servers, ("topic", "t"), ("topic-pattern", "u"), earliest],
            "read 'topic' and 'topic-pattern': give one of them, not both",
        ),
        (
            &[servers, ("topic", "t"), ("scan.startup.mode", "timestamp")],
            "read 'scan.startup.mode' = 'timestamp': it needs 'scan.startup.timestamp-millis'",
        ),
        (
            &[
                servers,
                ("topic", "t"),
                ("scan.startup.mode", "specific-offsets"),
                ("scan.startup.specific-offsets", "0:1"),
            ],
            "read 'scan.startup.specific-offsets' = '0:1': it must look like 'partition:0,offset:42;partition:1,offset:300'",
        ),
        (
            &[
                servers,
                ("topic", "t;u"),
                ("scan.startup.mode", "specific-offsets"),
                ("scan.startup.specific-offsets", "partition:0,offset:1"),
            ],
            "read 'scan.startup.mode' = 'specific-offsets': it is for one topic only; make a table for each topic",
        ),
        (
            &[servers, ("topic", "t"), earliest, ("properties.max.pol.records", "5")],
            "use 'properties.max.pol.records': neither Kafka's clients nor librdkafka know it; did you mean 'properties.max.poll.records'?",
        ),
        (
            &[servers, ("topic", "t"), earliest, ("properties.security.protocol", "SASL_SSL")],
            "use 'properties.security.protocol' = 'SASL_SSL': this build of Weir speaks neither TLS nor SCRAM; build it with the cargo feature 'tls' (needs libssl-dev) or 'tls-vendored' (builds OpenSSL from source), or use PLAINTEXT or SASL_PLAINTEXT with PLAIN",
        ),
        (
            &[servers, ("topic", "t"), earliest, ("properties.ssl.truststore.location", "/x.jks")],
            "use 'properties.ssl.truststore.location': a truststore of type JKS cannot be read; export it as PEM (keytool -exportcert -rfc, openssl pkcs12) and set 'properties.ssl.truststore.type' = 'PEM'",
        ),
        (
            &[servers, ("topic", "t"), earliest, ("scan.topic-partition-discovery.interval", "soon")],
            "read 'scan.topic-partition-discovery.interval' = 'soon': it must be a duration such as '5 min' or '30s'",
        ),
        (
            &[
                servers,
                ("topic", "t"),
                earliest,
                ("key.format", "json"),
                ("key.fields", "id"),
                ("key.fields-prefix", "k_"),
            ],
            "read 'key.fields-prefix': a prefix needs 'value.fields-include' = 'EXCEPT_KEY'",
        ),
    ];
    for (pairs, expected) in cases {
        let made = KafkaFactory::new().source(&source_spec(pairs, &[]), &job_context());
        assert_eq!(made.err().map(|error| error.to_string()).as_deref(), Some(*expected));
    }
    let cases: &[(&[(&str, &str)], &str)] = &[
        (
            &[servers, ("topic", "t;u")],
            "write to the topics 't;u': a sink takes one topic; make a table for each topic and write them in one STATEMENT SET",
        ),
        (
            &[servers, ("topic", "t"), ("sink.delivery-guarantee", "exactly-once")],
            "read 'sink.delivery-guarantee' = 'exactly-once': it needs a transactional.id; give 'sink.transactional-id-prefix', unique among all that write to the cluster",
        ),
        (
            &[servers, ("topic", "t"), ("sink.partitioner", "com.example.Mine")],
            "read 'sink.partitioner' = 'com.example.mine': it must be one of default, fixed, round-robin; a Java class cannot be loaded",
        ),
        (&[servers, ("topic", "t"), ("key.fields", "id")], "read 'key.fields': it needs 'key.format'"),
        (
            &[servers, ("topic", "t"), ("key.format", "json"), ("key.fields", "nope")],
            "read 'key.fields': the table has no column 'nope'",
        ),
        (
            &[servers, ("topic", "t"), ("properties.partitioner.class", "x.Y")],
            "use 'properties.partitioner.class': it cannot be honoured; remove it and use 'sink.partitioner'",
        ),
    ];
    for (pairs, expected) in cases {
        let made = KafkaFactory::new().sink(&sink_spec(pairs), &job_context());
        assert_eq!(made.err().map(|error| error.to_string()).as_deref(), Some(*expected));
    }
}

#[test]
fn exactly_once_on_two_clusters_is_refused_with_the_keys_to_change() {
    let spec = |table: &str, servers: &str, linger: &str| {
        let mut spec = sink_spec(&[
            ("topic", table),
            ("properties.bootstrap.servers", servers),
            ("properties.linger.ms", linger),
            ("sink.delivery-guarantee", "exactly-once"),
            ("sink.transactional-id-prefix", "p"),
        ]);
        spec.table = table.to_owned();
        spec
    };
    let decide = |specs: [SinkSpec; 2]| {
        let (factory, context) = (KafkaFactory::new(), job_context());
        let _sinks: Vec<_> = specs.iter().map(|spec| factory.sink(spec, &context).unwrap()).collect();
        factory.decider(&context).err().map(|error| error.to_string())
    };
    assert_eq!(
        decide([spec("a", "h:1", "5"), spec("b", "g:1", "5")]).as_deref(),
        Some(
            "make one decision for the exactly-once tables a ('properties.bootstrap.servers' = 'h:1') and b ('g:1'): they are on two clusters; set 'sink.delivery-guarantee' = 'at-least-once' on one of them, or write them in two jobs"
        )
    );
    assert_eq!(
        decide([spec("a", "h:1", "5"), spec("b", "h:1", "9")]).as_deref(),
        Some(
            "make one producer for the exactly-once tables a and b: they differ in 'linger.ms'; give both the same 'properties.linger.ms'"
        )
    );
    assert_eq!(
        decide([spec("a", "h:1,h:2", "5"), spec("b", "h:2, h:1", "5")]),
        None,
        "the order of the brokers does not matter"
    );
}

#[test]
fn without_an_exactly_once_table_kafka_decides_nothing() {
    let (factory, context) = (KafkaFactory::new(), job_context());
    let _sink = factory.sink(&sink_spec(&[("topic", "t"), ("properties.bootstrap.servers", "h:1")]), &context).unwrap();
    assert!(factory.decider(&context).unwrap().is_none());
}
