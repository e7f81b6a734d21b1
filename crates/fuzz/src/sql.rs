//! The SQL front: a script is planned or refused, and a refusal stands at a place of the script.

use std::collections::BTreeMap;

use weir_base::limits::SCRIPT_BYTES_MAX;
use weir_config::{check, effect_of, nearest};
use weir_sql::{Environment, Step, compile, explain};

/// Plans `data` as `weir run` plans a script. What is no text is refused before it gets there.
pub fn sql(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let connectors = [
        weir_blackhole::spec(),
        weir_datagen::spec(),
        weir_filesystem::spec(),
        weir_kafka::spec(),
        weir_print::collect_spec(),
        weir_print::spec(),
        weir_questdb::spec(),
    ];
    let none = BTreeMap::new();
    let environment = Environment {
        connectors: &connectors,
        formats: &weir_format::specs(),
        variables: &|name| (name == "CASE_DIR").then(|| "/case".to_owned()),
        defaults: &none,
        overrides: &none,
        parallelism: None,
        job_name: "fuzz",
        setting_known: &|key| effect_of(key).is_some(),
        setting_wrong: &|key, value| check(key, value).err().map(|refusal| (refusal.message, refusal.hint)),
        setting_suggestion: &|key| nearest(key).map(str::to_owned),
    };
    match compile(text, &environment) {
        Ok(program) => {
            for step in &program.steps {
                if let Step::Job { graph, .. } | Step::Query { graph, .. } = step {
                    assert!(!explain(graph).is_empty(), "a plan explains itself");
                }
            }
        }
        Err(error) => {
            assert!(!error.message.is_empty(), "an error has words");
            let shown = error.render("fuzz.sql", text);
            let lines = text.split('\n').count();
            let place = error.span;
            if !place.is_known() {
                assert!(text.len() > SCRIPT_BYTES_MAX, "an error without a place: {shown}");
                return;
            }
            assert!((1..=lines).contains(&(place.line as usize)), "an error beyond the script: {shown}");
            let width = text.split('\n').nth(place.line as usize - 1).map_or(0, |line| line.chars().count());
            assert!((1..=width + 1).contains(&(place.column as usize)), "an error beyond its line: {shown}");
        }
    }
}
