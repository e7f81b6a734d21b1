//! Java's properties in, librdkafka's out.

use super::*;

fn given(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let mut all: BTreeMap<String, String> =
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    all.insert("bootstrap.servers".to_owned(), "h:1".to_owned());
    all
}

fn translated(side: Side, pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let config = translate(&given(pairs), side).unwrap().config;
    let keys = config.config_map().into_keys().filter(|key| *key != "bootstrap.servers");
    keys.map(|key| (key.to_owned(), config.get(key).unwrap().to_owned())).collect()
}

#[test]
fn properties_are_renamed_converted_and_kept_to_their_side() {
    type Case<'a> = (Side, (&'a str, &'a str), &'a [(&'a str, &'a str)]);
    let cases: &[Case<'_>] = &[
        (Side::Consumer, ("fetch.max.wait.ms", "50"), &[("fetch.wait.max.ms", "50")]),
        (Side::Consumer, ("receive.buffer.bytes", "65536"), &[("socket.receive.buffer.bytes", "65536")]),
        (Side::Consumer, ("isolation.level", "read_committed"), &[("isolation.level", "read_committed")]),
        (Side::Producer, ("isolation.level", "read_committed"), &[]),
        (Side::Producer, ("buffer.memory", "33554432"), &[("queue.buffering.max.kbytes", "32768")]),
        (Side::Producer, ("max.request.size", "2097152"), &[("message.max.bytes", "2097152")]),
        (Side::Producer, ("compression.type", "lz4"), &[("compression.type", "lz4")]),
        (Side::Producer, ("linger.ms", "20"), &[("linger.ms", "20")]),
        (Side::Consumer, ("linger.ms", "20"), &[]),
        (Side::Producer, ("socket.nagle.disable", "true"), &[("socket.nagle.disable", "true")]),
        (Side::Consumer, ("transactional.id", "mine"), &[]),
    ];
    for (side, pair, expected) in cases {
        let expected: Vec<_> = expected.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        assert_eq!(translated(*side, &[*pair]), expected, "{pair:?}");
    }
}

#[test]
fn a_jaas_line_becomes_user_and_password() {
    let line =
        r#"org.apache.kafka.common.security.plain.PlainLoginModule required username="al ice" password="p\"w;=d";"#;
    let pairs = [("security.protocol", "SASL_PLAINTEXT"), ("sasl.mechanism", "PLAIN"), ("sasl.jaas.config", line)];
    let expected = [
        ("sasl.mechanism", "PLAIN"),
        ("sasl.password", "p\"w;=d"),
        ("sasl.username", "al ice"),
        ("security.protocol", "SASL_PLAINTEXT"),
    ];
    assert_eq!(translated(Side::Consumer, &pairs), expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
}

#[test]
fn what_is_refused_is_refused_with_words_and_without_secrets() {
    let jaas = "; it must look like: org.apache.kafka.common.security.plain.PlainLoginModule required username=\"...\" password=\"...\";";
    let no_tls = ": this build of Weir speaks neither TLS nor SCRAM; build it with the cargo feature 'tls' (needs libssl-dev) or 'tls-vendored' (builds OpenSSL from source), or use PLAINTEXT or SASL_PLAINTEXT with PLAIN";
    let cases: &[(&[(&str, &str)], String)] = &[
        (&[("sasl.jaas.config", "a.b.OAuthBearerLoginModule required x=\"secret\";")], format!("read 'properties.sasl.jaas.config': the login module 'OAuthBearerLoginModule' is not supported, only those of PLAIN and SCRAM{jaas}")),
        (&[("sasl.jaas.config", "x.PlainLoginModule required username=\"a\";")], format!("read 'properties.sasl.jaas.config': username or password is missing{jaas}")),
        (&[("sasl.jaas.config", "x.PlainLoginModule required username=\"a")], format!("read 'properties.sasl.jaas.config': a quotation mark is missing{jaas}")),
        (&[("security.protocol", "SSL")], format!("use 'properties.security.protocol' = 'SSL'{no_tls}")),
        (&[("security.protocol", "SASL_PLAINTEXT"), ("sasl.mechanism", "SCRAM-SHA-512")], format!("use 'properties.sasl.mechanism' = 'SCRAM-SHA-512'{no_tls}")),
        (&[("security.protocol", "SASL_PLAINTEXT")], "use 'properties.sasl.mechanism' = 'GSSAPI': it is not supported; use PLAIN, or SCRAM-SHA-256 or SCRAM-SHA-512 with the cargo feature 'tls'".to_owned()),
        (&[("security.protocol", "SASL_PLAINTEXT"), ("sasl.mechanism", "PLAIN")], "use 'properties.sasl.mechanism' = 'PLAIN': user or password is missing; give 'properties.sasl.jaas.config' with username=\"...\" password=\"...\"".to_owned()),
        (&[("interceptor.classes", "a.B")], "use 'properties.interceptor.classes': it cannot be honoured; remove it: a Java class cannot be loaded".to_owned()),
        (&[("linger.ms", "soon")], "use 'properties.linger.ms' = 'soon': Invalid value for configuration property \"queue.buffering.max.ms\"".to_owned()),
        (&[("buffer.memory", "many")], "read 'properties.buffer.memory' = 'many': it must be a number".to_owned()),
        (&[("zzz.qqq", "1")], "use 'properties.zzz.qqq': neither Kafka's clients nor librdkafka know it".to_owned()),
    ];
    for (pairs, expected) in cases {
        if cfg!(feature = "tls") && expected.contains("speaks neither") {
            continue;
        }
        let refused = translate(&given(pairs), Side::Producer).err().map(|error| error.to_string());
        assert_eq!(refused.as_ref(), Some(expected));
    }
}

#[test]
fn tuning_without_a_counterpart_is_listed() {
    let pairs = given(&[("max.poll.records", "500"), ("metric.reporters", "x"), ("linger.ms", "5")]);
    assert_eq!(translate(&pairs, Side::Producer).unwrap().ignored, ["max.poll.records", "metric.reporters"]);
    assert_eq!(ignored_properties(pairs.keys().map(String::as_str)), ["max.poll.records", "metric.reporters"]);
}

#[test]
fn a_java_key_store_is_refused_and_what_to_do_is_said() {
    let refused =
        |pairs: &[(&str, &str)]| translate(&given(pairs), Side::Consumer).err().map(|error| error.to_string());
    let words = |key: &str, part: &str, kind: &str| {
        format!(
            "use 'properties.{key}': a {part} of type {kind} cannot be read; export it as PEM (keytool -exportcert -rfc, openssl pkcs12) \
             and set 'properties.ssl.{part}.type' = 'PEM'"
        )
    };
    let (trust, key) = ("ssl.truststore.location", "ssl.keystore.location");
    assert_eq!(refused(&[(trust, "/a.jks")]), Some(words(trust, "truststore", "JKS")), "a Java client's default");
    assert_eq!(refused(&[(key, "/a.jks"), ("ssl.keystore.type", "jks")]), Some(words(key, "keystore", "JKS")));
    assert_eq!(
        refused(&[(trust, "/a.p12"), ("ssl.truststore.type", "PKCS12")]),
        Some(words(trust, "truststore", "PKCS12"))
    );
}

/// Only a build that speaks TLS takes what it needs.
#[cfg(feature = "tls")]
#[test]
fn tls_and_scram_are_spoken_and_pem_is_passed_on() {
    let pairs = [
        ("security.protocol", "SASL_SSL"),
        ("sasl.mechanism", "SCRAM-SHA-512"),
        (
            "sasl.jaas.config",
            "org.apache.kafka.common.security.scram.ScramLoginModule required username=\"a\" password=\"b\";",
        ),
        ("ssl.truststore.type", "PEM"),
        ("ssl.truststore.location", "/trust.pem"),
        ("ssl.keystore.type", "PEM"),
        ("ssl.keystore.location", "/key.pem"),
        ("ssl.endpoint.identification.algorithm", ""),
    ];
    let expected = [
        ("sasl.mechanism", "SCRAM-SHA-512"),
        ("sasl.password", "b"),
        ("sasl.username", "a"),
        ("security.protocol", "SASL_SSL"),
        ("ssl.ca.location", "/trust.pem"),
        ("ssl.certificate.location", "/key.pem"),
        ("ssl.endpoint.identification.algorithm", "none"),
        ("ssl.key.location", "/key.pem"),
    ];
    let mut translated = translated(Side::Consumer, &pairs);
    translated.sort();
    assert_eq!(translated, expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
}
