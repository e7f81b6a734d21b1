//! What the value of a key must look like, and Flink's `table.*` options that are known and cannot be changed here.
//!
//! A key that acts has the kind of its default in `default.yaml`, or one of [`WORDS`]. An option of Flink that changes what comes out, and that
//! is not there, may be set to its default only: what is set to anything else is refused by name.

use crate::keys::default_of;
use crate::values::{parse_bool, parse_duration, parse_memory_size};

/// What a value must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Boolean,
    Integer,
    Number,
    Duration,
    MemorySize,
    OneOf(&'static [&'static str]),
}

/// Keys whose values are one of these words.
const WORDS: &[(&str, &[&str])] = &[
    ("execution.checkpointing.mode", &["EXACTLY_ONCE", "AT_LEAST_ONCE"]),
    ("restart-strategy.type", &["none", "off", "disable", "fixed-delay", "exponential-delay", "failure-rate"]),
    ("restart-strategy", &["none", "off", "disable", "fixed-delay", "exponential-delay", "failure-rate"]),
    ("execution.runtime-mode", &["STREAMING", "BATCH", "AUTOMATIC"]),
    ("table.exec.sink.not-null-enforcer", &["ERROR", "DROP"]),
    ("table.exec.async-lookup.output-mode", &["ORDERED", "ALLOW_UNORDERED"]),
    ("table.exec.uid.generation", &["PLAN_ONLY", "ALWAYS", "DISABLED"]),
    ("table.optimizer.agg-phase-strategy", &["AUTO", "ONE_PHASE", "TWO_PHASE"]),
];

/// Keys whose default does not tell what their values are.
const TEXTS: &[&str] = &[
    "execution.buffer-timeout",
    "execution.buffer-timeout.interval",
    "metrics.reporter.prom.port",
    "table.local-time-zone",
    "weir.scheduler.seed",
];

/// An option of Flink that has one value here.
struct Fixed {
    key: &'static str,
    value: &'static str,
    /// What to do instead.
    way_out: &'static str,
}

const fn fixed(key: &'static str, value: &'static str, way_out: &'static str) -> Fixed {
    Fixed { key, value, way_out }
}

/// What to do instead of letting windows give results before their end.
const EARLY: &str = "windows are given once, when they end; CUMULATE gives results on the way";

/// What to do instead of letting windows take rows after their end.
const LATE: &str = "windows are given once, when they end; 'weir.dead-letter.late' keeps late rows";

/// Flink's options that would change the rows, or what a script may say.
const FIXED: &[Fixed] = &[
    fixed("table.builtin-catalog-name", "default_catalog", "write CREATE CATALOG and USE CATALOG"),
    fixed("table.builtin-database-name", "default_database", "write CREATE DATABASE and USE"),
    fixed("table.catalog-modification.listeners", "", "there are no listeners"),
    fixed("table.column-expansion-strategy", "", "name the columns instead of *"),
    fixed("table.dynamic-table-options.enabled", "true", "leave the OPTIONS hints out of the script"),
    fixed("table.exec.async-state.enabled", "false", "state is in memory: there is nothing to wait for"),
    fixed("table.exec.deduplicate.insert-update-after-sensitive-enabled", "true", "a first row is always an INSERT"),
    fixed("table.exec.deduplicate.mini-batch.compact-changes-enabled", "false", "all changes are given"),
    fixed("table.exec.emit.allow-lateness", "0 ms", LATE),
    fixed("table.exec.emit.early-fire.delay", "", EARLY),
    fixed("table.exec.emit.early-fire.enabled", "false", EARLY),
    fixed("table.exec.emit.late-fire.delay", "", LATE),
    fixed("table.exec.emit.late-fire.enabled", "false", LATE),
    fixed("table.exec.interval-join.min-cleanup-interval", "0 ms", "interval joins are not supported yet"),
    fixed("table.exec.legacy-cast-behaviour", "DISABLED", "write TRY_CAST for NULL instead of a failure"),
    fixed("table.exec.sink.keyed-shuffle", "AUTO", "rows of a key go to one writer where that is needed"),
    fixed("table.exec.sink.nested-constraint-enforcer", "IGNORE", "filter in the query"),
    fixed("table.exec.sort.default-limit", "-1", "write LIMIT"),
    fixed("table.exec.source.cdc-events-duplicate", "false", "deduplicate in the query"),
    fixed("table.optimizer.ignore-query-hints", "false", "leave the hints out of the script"),
    fixed("table.optimizer.non-deterministic-update.strategy", "IGNORE", "no plan is changed for it"),
    fixed("table.rtas-ctas.atomicity-enabled", "false", "a table in memory is made at once"),
    fixed("table.sql-dialect", "default", "write Flink SQL"),
];

/// Whether `key` is one of Flink's options that have one value here.
pub(crate) fn is_fixed(key: &str) -> bool {
    FIXED.iter().any(|fixed| fixed.key == key)
}

/// The keys that have one value here.
pub(crate) fn fixed_keys() -> impl Iterator<Item = &'static str> {
    FIXED.iter().map(|fixed| fixed.key)
}

/// Why a value cannot be set: what is wrong, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What is wrong with it.
    pub message: String,
    /// What to do.
    pub hint: String,
}

/// Whether `key` may be set to `value`; keys that nobody knows are not looked at.
///
/// # Errors
/// The value is not of the key's kind, or is one that cannot be honoured.
pub fn check(key: &str, value: &str) -> Result<(), Refusal> {
    if let Some(fixed) = FIXED.iter().find(|fixed| fixed.key == key) {
        let is_same = value.trim().eq_ignore_ascii_case(fixed.value) || same_duration(value, fixed.value);
        return if is_same {
            Ok(())
        } else {
            Err(Refusal {
                message: format!("'{key}' = '{value}' is not supported"),
                hint: match fixed.value {
                    "" => format!("{}; leave it out", fixed.way_out),
                    default => format!("{}; the default is '{default}'", fixed.way_out),
                },
            })
        };
    }
    if let Some((_, _, way_out)) =
        crate::keys::REFUSED.iter().find(|(refused, wrong, _)| *refused == key && wrong.eq_ignore_ascii_case(value))
    {
        return Err(Refusal { message: format!("'{key}' = '{value}' is not supported"), hint: (*way_out).to_owned() });
    }
    let wanted = match kind_of(key) {
        Kind::Text => return Ok(()),
        Kind::Boolean => parse_bool(value).err().map(|_| "write true or false".to_owned()),
        Kind::Integer => value.trim().parse::<i64>().err().map(|_| "write a whole number".to_owned()),
        Kind::Number => value.trim().parse::<f64>().err().map(|_| "write a number".to_owned()),
        Kind::Duration => {
            parse_duration(value).err().map(|_| "write a duration such as '10 s', '5 min' or '500 ms'".to_owned())
        }
        Kind::MemorySize => {
            parse_memory_size(value).err().map(|_| "write a size such as '128mb' or '64 kb'".to_owned())
        }
        Kind::OneOf(words) => {
            let is_one = words.iter().any(|word| word.eq_ignore_ascii_case(value.trim()));
            (!is_one).then(|| format!("Expected one of: [{}]", words.join(", ")))
        }
    };
    match wanted {
        None => Ok(()),
        Some(hint) => Err(Refusal { message: format!("Could not parse value '{value}' for key '{key}'."), hint }),
    }
}

fn same_duration(value: &str, default: &str) -> bool {
    matches!((parse_duration(value), parse_duration(default)), (Ok(value), Ok(default)) if value == default)
}

fn kind_of(key: &str) -> Kind {
    if let Some((_, words)) = WORDS.iter().find(|(known, _)| *known == key) {
        return Kind::OneOf(words);
    }
    if TEXTS.contains(&key) {
        return Kind::Text;
    }
    let Some(default) = default_of(key) else { return Kind::Text };
    if parse_bool(default).is_ok() {
        Kind::Boolean
    } else if default.parse::<i64>().is_ok() {
        Kind::Integer
    } else if default.parse::<f64>().is_ok() {
        Kind::Number
    } else if parse_duration(default).is_ok() {
        Kind::Duration
    } else if parse_memory_size(default).is_ok() {
        Kind::MemorySize
    } else {
        Kind::Text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{effect_of, known_keys};

    #[test]
    fn a_default_is_always_right() {
        for key in known_keys() {
            let default = default_of(key).expect("a known key has a default");
            assert_eq!(check(key, default), Ok(()), "{key}");
        }
        for fixed in FIXED {
            assert_eq!(check(fixed.key, fixed.value), Ok(()), "{}", fixed.key);
            assert!(effect_of(fixed.key).is_some(), "{} is not known", fixed.key);
        }
    }

    #[test]
    fn a_value_of_another_kind_is_refused() {
        let cases = [
            ("parallelism.default", "abc", "write a whole number"),
            ("table.exec.state.ttl", "soon", "write a duration such as '10 s', '5 min' or '500 ms'"),
            ("weir.dedup.exact", "maybe", "write true or false"),
            ("weir.carried.bytes-max", "much", "write a size such as '128mb' or '64 kb'"),
            ("restart-strategy.exponential-delay.jitter-factor", "x", "write a number"),
            ("table.exec.sink.not-null-enforcer", "WARN", "Expected one of: [ERROR, DROP]"),
        ];
        for (key, value, hint) in cases {
            let message = format!("Could not parse value '{value}' for key '{key}'.");
            assert_eq!(check(key, value), Err(Refusal { message, hint: hint.to_owned() }));
        }
    }

    #[test]
    fn what_cannot_be_honoured_is_refused_by_name() {
        let refusal = check("table.exec.legacy-cast-behaviour", "enabled").unwrap_err();
        assert_eq!(refusal.message, "'table.exec.legacy-cast-behaviour' = 'enabled' is not supported");
        assert_eq!(refusal.hint, "write TRY_CAST for NULL instead of a failure; the default is 'DISABLED'");
        assert_eq!(check("table.exec.legacy-cast-behaviour", "disabled"), Ok(()));
        assert_eq!(check("table.exec.interval-join.min-cleanup-interval", "0 s"), Ok(()));
        assert!(check("execution.runtime-mode", "batch").is_err());
        assert!(check("execution.runtime-mode", "streaming").is_ok());
    }
}
