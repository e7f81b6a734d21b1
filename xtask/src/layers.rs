//! Which crate may use which: the table of the layers, and its comparison with what `cargo metadata` says.
//!
//! A crate uses crates of lower layers only. What goes sideways is listed with its reason; what must not be used
//! although it lies lower is listed with its reason too. Development dependencies are free. `ARCHITECTURE.md` must name
//! each crate: prose drifts where nothing holds it.

use serde_json::Value;

use crate::command;
use crate::failure::{Failure, Result};

/// The layers, from the ground up; each with its crates.
const LAYERS: &[&[&str]] = &[
    &["weir-base"],
    &["weir-plan", "weir-ports", "weir-connector", "weir-format", "weir-metrics", "weir-config"],
    &["weir-state", "weir-embedded"],
    &[
        "weir-sql",
        "weir-engine",
        "weir-query",
        "weir-blackhole",
        "weir-datagen",
        "weir-filesystem",
        "weir-kafka",
        "weir-print",
        "weir-questdb",
        "weir-sim",
    ],
    &["weir-jobs"],
    &["weir-api"],
    &["weir"],
];

/// Crates beside the layers: no crate of a layer uses them, except to test.
const BESIDE: &[&str] = &["xtask", "weir-fuzz", "weir-wire"];

/// Sideways uses that are allowed: who, whom, why.
const SIDEWAYS: &[(&str, &str, &str)] = &[
    ("weir-ports", "weir-plan", "a job that is submitted carries its plan"),
    ("weir-ports", "weir-connector", "a deployment carries the positions and prepared rows of connectors"),
    ("weir-connector", "weir-plan", "a connector is made from the plan's ConnectorSpec, for the plan's types"),
    ("weir-ports", "weir-metrics", "a deployment is handed the registry that its cells are read from"),
    ("weir-connector", "weir-format", "a reader gives raw records, which a decoder takes"),
    ("weir-connector", "weir-metrics", "a connector's counters are cells of the registry"),
    ("weir-format", "weir-plan", "a decoder is made for the plan's types"),
];

/// Uses that are forbidden although they go downward: who, whom, why.
const FORBIDDEN: &[(&str, &str, &str)] = &[
    ("weir-sql", "weir-connector", "planning is pure: SQL sees the plan's Catalog and ConnectorSpec only"),
    ("weir-sql", "weir-state", "planning is pure: it keeps nothing"),
    ("weir-sql", "weir-embedded", "planning is pure: it reads nothing"),
    ("weir-jobs", "weir-engine", "jobs knows no worker: it speaks to the Workers port"),
    ("weir-jobs", "weir-sql", "a job comes planned: jobs carries a plan, it makes none"),
    ("weir-api", "weir-engine", "the API speaks to the Cluster port, so that a real Flink can stand behind it"),
    ("weir-api", "weir-jobs", "the API speaks to the Cluster port, so that a real Flink can stand behind it"),
];

/// A crate and the workspace's crates that it uses outside of tests.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Crate {
    name: String,
    /// From the root, `crates/sql`.
    folder: String,
    uses: Vec<String>,
}

/// Compares the table with the workspace.
///
/// # Errors
/// Fails with one line for each breach.
pub fn run(_: &[String]) -> Result<()> {
    let crates = workspace()?;
    let mut breaches = check(&crates);
    // The page may be missing in an export of the sources; what CI checks out has it.
    if let Ok(page) = std::fs::read_to_string(command::root().join("ARCHITECTURE.md")) {
        breaches.extend(unnamed(&crates, &page));
    }
    if breaches.is_empty() {
        println!("layers: {} crates, each uses lower ones only", crates.len());
        return Ok(());
    }
    let hint = "the table is xtask/src/layers.rs; a sideways use needs a line with its reason";
    Err(Failure::new(format!("keep the layers:\n  {}", breaches.join("\n  "))).hint(hint))
}

/// The workspace's crates, as cargo sees them.
fn workspace() -> Result<Vec<Crate>> {
    let text = command::output(command::cargo().args(["metadata", "--format-version", "1", "--no-deps", "--offline"]))?;
    let metadata: Value = serde_json::from_str(&text)
        .map_err(|error| Failure::new(format!("read what cargo metadata wrote: {error}")))?;
    Ok(crates_of(&metadata))
}

/// The crates in what `cargo metadata --no-deps` wrote.
fn crates_of(metadata: &Value) -> Vec<Crate> {
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let list = |value: &Value, key: &str| value.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let packages = list(metadata, "packages");
    let names: Vec<String> = packages.iter().map(|package| text(package, "name")).collect();
    let uses = |package: &Value| {
        let outside_tests = list(package, "dependencies").into_iter().filter(|used| text(used, "kind") != "dev");
        let mut uses: Vec<String> = outside_tests.map(|used| text(&used, "name")).collect();
        uses.retain(|name| names.contains(name));
        uses.sort();
        uses.dedup();
        uses
    };
    let root = format!("{}/", text(metadata, "workspace_root"));
    let folder = |package: &Value| {
        let manifest = text(package, "manifest_path");
        manifest.trim_start_matches(&root).trim_end_matches("/Cargo.toml").to_owned()
    };
    packages
        .iter()
        .map(|package| Crate { name: text(package, "name"), folder: folder(package), uses: uses(package) })
        .collect()
}

/// One line for each crate that `page` names neither by its name nor by its folder (nor, a connector, as one of
/// `crates/connectors/*`).
fn unnamed(crates: &[Crate], page: &str) -> Vec<String> {
    let is_named = |each: &&Crate| {
        let all_connectors = each.folder.starts_with("crates/connectors/") && page.contains("crates/connectors/*");
        let name = format!("`{}`", each.name);
        all_connectors || page.contains(&name) || page.contains(&format!("`{}`", each.folder))
    };
    let unnamed = crates.iter().filter(|each| !is_named(each));
    unnamed.map(|each| format!("ARCHITECTURE.md names neither `{}` nor `{}`", each.folder, each.name)).collect()
}

/// One line for each breach of the table.
fn check(crates: &[Crate]) -> Vec<String> {
    let mut breaches = Vec::new();
    for name in LAYERS.iter().copied().flatten().chain(BESIDE) {
        if !crates.iter().any(|each| each.name == *name) {
            breaches.push(format!("the table names {name}, which is no crate of the workspace"));
        }
    }
    for each in crates {
        let Some(own) = layer(&each.name) else {
            if !BESIDE.contains(&&*each.name) {
                breaches.push(format!("{} is in no layer of the table", each.name));
            }
            continue;
        };
        breaches.extend(each.uses.iter().filter_map(|used| breach(&each.name, own, used)));
    }
    breaches
}

/// Why `name`, of layer `own`, must not use `used`; `None` if it may.
fn breach(name: &str, own: usize, used: &str) -> Option<String> {
    if let Some((_, _, why)) = FORBIDDEN.iter().find(|(who, whom, _)| *who == name && *whom == used) {
        return Some(format!("{name} uses {used}: {why}"));
    }
    let Some(other) = layer(used) else {
        return Some(format!("{name} uses {used}, which stands beside the layers: make it a dev-dependency"));
    };
    let is_listed = SIDEWAYS.iter().any(|(who, whom, _)| *who == name && *whom == used);
    (other >= own && !is_listed)
        .then(|| format!("{name} (L{own}) uses {used} (L{other}): only lower layers may be used"))
}

/// The number of the layer that `name` is in.
fn layer(name: &str) -> Option<usize> {
    LAYERS.iter().position(|crates| crates.contains(&name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_workspace_keeps_the_layers() {
        assert_eq!(check(&workspace().unwrap()), Vec::<String>::new());
    }

    #[test]
    fn each_breach_has_its_words() {
        let cases = [
            ("weir-engine", "weir-plan", None),
            ("weir-format", "weir-plan", None),
            ("weir-plan", "weir-format", Some("weir-plan (L1) uses weir-format (L1): only lower layers may be used")),
            ("weir-sql", "weir-engine", Some("weir-sql (L3) uses weir-engine (L3): only lower layers may be used")),
            ("weir-base", "weir", Some("weir-base (L0) uses weir (L6): only lower layers may be used")),
            (
                "weir-sql",
                "weir-connector",
                Some(
                    "weir-sql uses weir-connector: planning is pure: SQL sees the plan's Catalog and ConnectorSpec only",
                ),
            ),
            (
                "weir-engine",
                "xtask",
                Some("weir-engine uses xtask, which stands beside the layers: make it a dev-dependency"),
            ),
        ];
        for (name, used, why) in cases {
            assert_eq!(breach(name, layer(name).unwrap(), used).as_deref(), why, "{name} -> {used}");
        }
    }

    #[test]
    fn a_crate_that_the_table_does_not_know_is_named() {
        let stranger = Crate { name: "weir-new".to_owned(), folder: "crates/new".to_owned(), uses: Vec::new() };
        assert!(check(&[stranger]).contains(&"weir-new is in no layer of the table".to_owned()));
        assert!(check(&[]).contains(&"the table names weir-sql, which is no crate of the workspace".to_owned()));
    }

    #[test]
    fn sideways_lines_are_sideways_and_forbidden_ones_would_else_be_allowed() {
        for (who, whom, why) in SIDEWAYS {
            assert_eq!(layer(who), layer(whom), "{who} -> {whom} is not sideways ({why})");
        }
        for (who, whom, why) in FORBIDDEN {
            assert!(layer(whom) < layer(who), "{who} -> {whom} is upward or sideways anyhow ({why})");
        }
    }

    #[test]
    fn development_dependencies_and_strangers_are_left_out() {
        let dependency = |name: &str, kind: Value| json!({ "name": name, "kind": kind });
        let uses = [
            dependency("b", Value::Null),
            dependency("c", json!("dev")),
            dependency("d", json!("build")),
            dependency("serde", Value::Null),
        ];
        let manifest = |name: &str| format!("/repo/crates/{name}/Cargo.toml");
        let package =
            |name: &str, uses: &[Value]| json!({ "name": name, "dependencies": uses, "manifest_path": manifest(name) });
        let packages = [package("a", &uses), package("b", &[]), package("c", &[]), package("d", &[])];
        let found = crates_of(&json!({ "packages": packages, "workspace_root": "/repo" }));
        let uses = vec!["b".to_owned(), "d".to_owned()];
        assert_eq!(found[0], Crate { name: "a".to_owned(), folder: "crates/a".to_owned(), uses });
        assert_eq!(found.len(), 4);
    }

    #[test]
    fn the_page_of_the_architecture_names_each_crate() {
        let of =
            |name: &str, folder: &str| Crate { name: name.to_owned(), folder: folder.to_owned(), uses: Vec::new() };
        let crates = [of("weir-sql", "crates/sql"), of("weir-kafka", "crates/connectors/kafka"), of("xtask", "xtask")];
        assert!(unnamed(&crates, "`crates/sql`, `crates/connectors/*`, `xtask`").is_empty());
        let missing = "ARCHITECTURE.md names neither `crates/connectors/kafka` nor `weir-kafka`";
        assert_eq!(unnamed(&crates, "`weir-sql`, `xtask`"), [missing]);
    }
}
