//! Inputs that are right: the scripts and records of the cases, the shipped example, manifests of every part.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use weir_base::{Epoch, Generation};
use weir_connector::{Position, Prepared, SplitId};
use weir_ports::{SourcePositions, SplitState};
use weir_state::{ChainItem, Chains, GraphShape, Manifest, StateFile, Trigger, encode_seal};

/// What stands before each input of a case.
const INPUT: &str = "---- input ";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The texts of all cases, by path.
fn cases() -> Vec<String> {
    let mut paths = Vec::new();
    for folder in std::fs::read_dir(root().join("cases")).expect("list the cases").flatten() {
        let Ok(entries) = std::fs::read_dir(folder.path()) else { continue };
        paths.extend(
            entries.flatten().map(|entry| entry.path()).filter(|path| path.extension() == Some("case".as_ref())),
        );
    }
    paths.sort();
    assert!(paths.len() > 50, "the cases are there");
    paths.iter().map(|path| std::fs::read_to_string(path).expect("read a case")).collect()
}

/// The scripts of the cases, and the shipped example.
pub fn scripts() -> Vec<Vec<u8>> {
    let example = root().join("examples/telemetry/telemetry.sql");
    let example = std::fs::read_to_string(example).expect("read the example");
    let script = |case: &String| case.split(INPUT).next().unwrap_or_default().to_owned();
    cases().iter().map(script).chain([example]).map(String::into_bytes).collect()
}

/// The inputs of the cases of CSV, and lines in which each column of each type has a value.
pub fn csv_lines() -> Vec<Vec<u8>> {
    let full = "true,-1,300,70000,5000000000,1.5,-2.5e-7,12345678.91,123.000000000000000001,abc,\"\u{e4},\"\"\",text,AAECAw==,\
                2024-02-29,23:59:59,2024-02-29 23:59:59.999,2024-02-29 23:59:59.123456789,1969-12-31 23:59:59.5Z,1;2;\n# no\n\n,,,,\n";
    let mut seeds: Vec<String> = (0..32)
        .flat_map(|choice| [(choice, full.to_owned()), (choice, full.replace(',', ";"))])
        .map(|(choice, lines)| with_choice((choice, &lines)))
        .collect();
    for (index, case) in cases().iter().enumerate().filter(|(_, case)| case.contains("'csv'")) {
        for input in case.split(INPUT).skip(1).filter_map(|input| input.split_once('\n')) {
            seeds.push(with_choice((u8::try_from(index % 32).expect("it is small"), input.1)));
        }
    }
    seeds.into_iter().map(String::into_bytes).collect()
}

/// The inputs of the cases, for either set of columns, and records in which each column of each type has a value.
pub fn json_lines() -> Vec<Vec<u8>> {
    let full = concat!(
        "{\"bo\":true,\"ti\":-1,\"sm\":300,\"i\":70000,\"l\":5000000000,\"f\":1.5,\"d\":-2.5e-7,\"de\":12345678.91,",
        "\"big\":\"123.000000000000000001\",\"c\":\"abc\",\"v\":\"\\u00e4\\n\\\"\",\"s\":\"\u{1F600}\",\"by\":\"AAECAw==\",",
        "\"dt\":\"2024-02-29\",\"tm\":\"23:59:59\",\"ts\":\"2024-02-29 23:59:59.999\",\"ts9\":\"2024-02-29 23:59:59.123456789\",",
        "\"ltz\":\"1969-12-31 23:59:59.5Z\",\"arr\":[1,null,3],\"map\":{\"a\":1,\"b\":null},\"row\":{\"a\":1,\"b\":{\"c\":\"x\",\"d\":1.5}},",
        "\"rows\":[{\"c\":null},{},null]}\n{}\n\nnull\n{\"rows\":[]}"
    );
    let event = concat!(
        "{\"event_id\":\"e-1\",\"device_id\":\"d-1\",\"site_id\":\"s\",\"sensor_type\":\"co2\",\"value\":412.5,\"unit\":\"ppm\",",
        "\"timestamp\":1731990000000,\"quality\":\"good\",\"metadata\":{\"fw\":\"1.2\"}}\n{\"event_id\":\"e-2\",\"value\":nul"
    );
    let mut seeds: Vec<String> =
        (0..32).flat_map(|choice| [(choice, full), (choice, event)]).map(with_choice).collect();
    for (index, case) in cases().iter().enumerate() {
        for input in case.split(INPUT).skip(1).filter_map(|input| input.split_once('\n')) {
            seeds.push(with_choice((u8::try_from(index % 32).expect("it is small"), input.1)));
        }
    }
    seeds.into_iter().map(String::into_bytes).collect()
}

fn with_choice((choice, lines): (u8, &str)) -> String {
    format!("{}{lines}", char::from(choice))
}

/// A manifest with every part, one with none, and a seal.
pub fn manifests() -> Vec<Vec<u8>> {
    let split = |name: &str, position, finished| SplitState { split: SplitId(name.into()), position, finished };
    let file = |path: &str| Arc::new(StateFile { path: path.to_owned(), epoch: Epoch(4), bytes: 100, crc: 7 });
    let item =
        |path: &str, expires_max| ChainItem { file: file(path), groups: 0..64, bytes: 60, entries: 3, expires_max };
    let mut chains = Chains::default();
    chains.set("dedup-1", "keys", vec![item("shared/a", 5), item("shared/b", i64::MAX)]);
    chains.set("tumble-1", "windows", vec![item("shared/b", 9)]);
    let operators = [("dedup-1", "deduplicate First"), ("sink-1", "sink kafka")];
    let empty = Manifest {
        generation: Generation(3),
        epoch: Epoch(5),
        decided_here: true,
        job: "telemetry \"\u{e9}\"".to_owned(),
        shape: GraphShape::default(),
        chains: Chains::default(),
        positions: Vec::new(),
        prepared: BTreeMap::new(),
        counters: BTreeMap::new(),
        watermarks: Vec::new(),
        trigger: Trigger::Interval,
        triggered: 1_000,
        written: 1_200,
    };
    let position = Position { offset: u64::MAX, records: 3 };
    let full = Manifest {
        decided_here: false,
        shape: GraphShape {
            max_parallelism: 128,
            operators: operators.map(|(uid, kind)| (uid.to_owned(), kind.to_owned())).into(),
        },
        chains,
        positions: vec![SourcePositions {
            uid: "source-1".to_owned(),
            splits: vec![split("raw-0", Some(position), false), split("raw-1", None, true)],
        }],
        prepared: BTreeMap::from([(
            "sink-1".to_owned(),
            vec![Prepared { subtask: 1, epoch: Epoch(4), state: vec![0, 159, 255] }],
        )]),
        counters: BTreeMap::from([("sink-1".to_owned(), BTreeMap::from([("rows_in".to_owned(), 7)]))]),
        watermarks: vec![("source-1".to_owned(), 0, -5)],
        trigger: Trigger::Stop,
        ..empty.clone()
    };
    let encoded = [&empty, &full].map(|manifest| manifest.encode().expect("a manifest can be written"));
    encoded.into_iter().chain([encode_seal(Generation(4), Epoch(5))]).collect()
}
