//! Kafka's client properties: what a user writes for the Java clients, said to librdkafka.
//!
//! Each property is renamed, converted, passed on as it is, taken note of as having no counterpart, or refused by name. None is dropped silently.

mod jaas;
mod names;

use std::collections::BTreeMap;

use rdkafka::ClientConfig;
use weir_base::{Error, Result};

use names::{Fate, fate};

/// Which kind of client the properties are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Consumer,
    Producer,
}

/// Whether this build speaks TLS and SCRAM.
const TLS: bool = cfg!(feature = "tls");

/// Properties as librdkafka takes them.
#[derive(Debug, Clone)]
pub(crate) struct Translated {
    /// What librdkafka is given.
    pub config: ClientConfig,
    /// Tuning of the Java clients that has no counterpart and no effect here.
    pub ignored: Vec<String>,
}

/// The `properties.*` (given without that prefix) that are tuning of the Java clients without a counterpart in librdkafka: accepted, no effect.
/// To be logged once a table.
pub fn ignored_properties<'a>(properties: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    properties.into_iter().filter(|key| matches!(fate(key), Some(Fate::NoEffect))).map(str::to_owned).collect()
}

/// Translates `properties` (without the prefix `properties.`).
///
/// # Errors
/// A property that cannot be honoured or that nobody knows, by name.
pub(crate) fn translate(properties: &BTreeMap<String, String>, side: Side) -> Result<Translated> {
    let mut config = ClientConfig::new();
    let mut ignored = Vec::new();
    for (key, value) in properties {
        match fate(key) {
            Some(Fate::NoEffect) => ignored.push(key.clone()),
            Some(Fate::Ours) => {}
            Some(Fate::Other(owner)) if owner != side => {}
            Some(Fate::Renamed(name)) => set(&mut config, key, name, value)?,
            Some(Fate::Kilobytes(name)) => {
                let bytes: u64 = number(key, value)?;
                set(&mut config, key, name, &(bytes / 1024).max(1).to_string())?;
            }
            Some(Fate::Refused(why)) => {
                return Err(Error::invalid(format!("use 'properties.{key}': it cannot be honoured")).hint(why));
            }
            Some(Fate::Jaas) => {
                let user = jaas::parse(value)?;
                config.set("sasl.username", user.name).set("sasl.password", user.password);
            }
            Some(Fate::Store) => store(&mut config, properties, key, value)?,
            Some(Fate::EndpointIdentification) => {
                let algorithm = if value.is_empty() { "none" } else { value };
                set(&mut config, key, "ssl.endpoint.identification.algorithm", algorithm)?;
            }
            Some(Fate::Other(_)) | None => set(&mut config, key, key, value)?,
        }
    }
    if config.get("bootstrap.servers").is_none_or(|servers| servers.trim().is_empty()) {
        return Err(Error::invalid("find the brokers: 'properties.bootstrap.servers' is missing"));
    }
    check_security(&config)?;
    Ok(Translated { config, ignored })
}

fn number(key: &str, value: &str) -> Result<u64> {
    value
        .trim()
        .parse()
        .map_err(|_| Error::invalid(format!("read 'properties.{key}' = '{value}': it must be a number")))
}

/// Sets what librdkafka calls `name`, trying it on a configuration of its own first so that the error names the user's key.
fn set(config: &mut ClientConfig, key: &str, name: &str, value: &str) -> Result<()> {
    match names::try_set(name, value) {
        Ok(()) => {
            config.set(name, value);
            Ok(())
        }
        Err(names::Rejected::Unknown) => {
            let error =
                Error::invalid(format!("use 'properties.{key}': neither Kafka's clients nor librdkafka know it"));
            Err(match names::nearest(key) {
                Some(near) => error.hint(format!("did you mean 'properties.{near}'?")),
                None => error,
            })
        }
        Err(names::Rejected::Value(why)) if !TLS && is_tls(name) => {
            Err(no_tls(&format!("use 'properties.{key}' = '{}'", shown(key, value)))
                .caused_by(std::io::Error::other(why)))
        }
        Err(names::Rejected::Value(why)) => {
            Err(Error::invalid(format!("use 'properties.{key}' = '{}': {why}", shown(key, value))))
        }
    }
}

fn is_tls(name: &str) -> bool {
    name.starts_with("ssl.")
        || name.starts_with("enable.ssl.")
        || name == "security.protocol"
        || name.starts_with("sasl.oauthbearer.")
}

/// A secret is never shown.
fn shown<'a>(key: &str, value: &'a str) -> &'a str {
    if key.contains("password") || key.contains("key") || key.contains("jaas") { "..." } else { value }
}

fn no_tls(what: &str) -> Error {
    Error::invalid(format!("{what}: this build of Weir speaks neither TLS nor SCRAM")).hint(
        "build it with the cargo feature 'tls' (needs libssl-dev) or 'tls-vendored' (builds OpenSSL from source), \
         or use PLAINTEXT or SASL_PLAINTEXT with PLAIN",
    )
}

/// Trust and key stores: PEM is passed on, PKCS#12 too, a Java key store is refused.
fn store(config: &mut ClientConfig, properties: &BTreeMap<String, String>, key: &str, value: &str) -> Result<()> {
    let (part, is_type) = match key {
        "ssl.truststore.location" => ("truststore", false),
        "ssl.truststore.type" => ("truststore", true),
        "ssl.keystore.type" => ("keystore", true),
        _ => ("keystore", false),
    };
    // Without a type a Java client takes the store for a Java key store.
    let kind = properties.get(&format!("ssl.{part}.type")).map_or("JKS", String::as_str).to_uppercase();
    match (part, kind.as_str()) {
        (_, "PEM" | "PKCS12") if is_type => Ok(()),
        ("truststore", "PEM") => set(config, key, "ssl.ca.location", value),
        ("keystore", "PEM") => {
            // One file holds the key and its certificates.
            set(config, key, "ssl.key.location", value)?;
            set(config, key, "ssl.certificate.location", value)
        }
        ("keystore", "PKCS12") => set(config, key, "ssl.keystore.location", value),
        _ => Err(Error::invalid(format!("use 'properties.{key}': a {part} of type {kind} cannot be read"))
            .hint(format!("export it as PEM (keytool -exportcert -rfc, openssl pkcs12) and set 'properties.ssl.{part}.type' = 'PEM'"))),
    }
}

/// Refuses protocols and mechanisms that this build lacks, by name and before any connection.
fn check_security(config: &ClientConfig) -> Result<()> {
    let protocol = config.get("security.protocol").unwrap_or("plaintext").to_uppercase();
    let mechanism =
        config.get("sasl.mechanism").or_else(|| config.get("sasl.mechanisms")).unwrap_or("GSSAPI").to_uppercase();
    if !TLS && protocol.ends_with("SSL") {
        return Err(no_tls(&format!("use 'properties.security.protocol' = '{protocol}'")));
    }
    if !protocol.starts_with("SASL") {
        return Ok(());
    }
    match mechanism.as_str() {
        "PLAIN" => {}
        "SCRAM-SHA-256" | "SCRAM-SHA-512" if TLS => {}
        "SCRAM-SHA-256" | "SCRAM-SHA-512" => {
            return Err(no_tls(&format!("use 'properties.sasl.mechanism' = '{mechanism}'")));
        }
        other => {
            return Err(Error::invalid(format!("use 'properties.sasl.mechanism' = '{other}': it is not supported"))
                .hint("use PLAIN, or SCRAM-SHA-256 or SCRAM-SHA-512 with the cargo feature 'tls'"));
        }
    }
    if config.get("sasl.username").is_none() || config.get("sasl.password").is_none() {
        return Err(Error::invalid(format!(
            "use 'properties.sasl.mechanism' = '{mechanism}': user or password is missing"
        ))
        .hint("give 'properties.sasl.jaas.config' with username=\"...\" password=\"...\""));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
