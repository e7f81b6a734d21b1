//! TLS, in a build that has it: a broker that proves who it is, whom the client believes or does not. `WEIR_TEST_KAFKA_TLS` is its TLS address,
//! `WEIR_TEST_KAFKA` another one of the same broker, `WEIR_TEST_KAFKA_CA` the file with its certificate.

use super::*;

#[test]
fn a_broker_is_spoken_to_by_tls_if_its_certificate_is_believed() {
    let (Some(broker), Ok(tls), Ok(ca)) =
        (broker(), std::env::var("WEIR_TEST_KAFKA_TLS"), std::env::var("WEIR_TEST_KAFKA_CA"))
    else {
        eprintln!("SKIPPED: a test on a Kafka broker with TLS; set WEIR_TEST_KAFKA_TLS and WEIR_TEST_KAFKA_CA");
        return;
    };
    let topic = topic(&broker, "tls", 3);
    let believed = [
        ("properties.bootstrap.servers", tls.as_str()),
        ("topic", topic.as_str()),
        ("scan.startup.mode", "earliest-offset"),
        ("properties.security.protocol", "SSL"),
        ("properties.ssl.truststore.type", "PEM"),
        ("properties.ssl.truststore.location", ca.as_str()),
    ];
    let splits = |pairs: &[(&str, &str)]| {
        let source = KafkaFactory::new().source(&source_spec(pairs, &[]), &job_context()).unwrap();
        source.splits().map(|splits| splits.len()).map_err(|error| error.to_string())
    };
    assert_eq!(splits(&believed), Ok(3));
    // Without the certificate nobody vouches for the broker.
    let refused = splits(&believed[..4]).unwrap_err();
    assert!(refused.contains("certificate verify failed"), "{refused}");
}
