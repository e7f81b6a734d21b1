//! The targets on the stable compiler: inputs from real files and from seeds, bent at random; the same ones in every run.
//!
//! An input may take some memory and some seconds at most (far more than it needs: the machine may do other things meanwhile).
//! `WEIR_FUZZ_INPUTS=N` tries more of them than a test run does; a failure prints the seed of
//! its input, and `WEIR_FUZZ_SEED=SEED` tries that one again.

mod differential_tests;
mod heap;
mod mutate;
mod seeds;

use std::panic::catch_unwind;
use std::sync::Mutex;

use weir_base::{Clock, Rng, SystemClock};

use mutate::mutated;

/// How long an input may take.
const INPUT_US_MAX: u64 = 10_000_000;

/// How much memory an input may take at once, beside some for each of its bytes.
const INPUT_HEAP_BYTES_MAX: usize = 32 << 20;
const HEAP_BYTES_PER_BYTE_MAX: usize = 4 << 10;

/// Bytes of an input at most: larger ones find no more and take longer.
const INPUT_BYTES_MAX: usize = 16 << 10;

/// One target at a time: the memory is that of the process.
static ALONE: Mutex<()> = Mutex::new(());

/// Tries `inputs` inputs made of `seeds` and `tokens`, and the seeds themselves.
fn try_all(name: &str, target: fn(&[u8]), seeds: &[Vec<u8>], tokens: &[&str], inputs: u64) {
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let number = |variable: &str| std::env::var(variable).ok().and_then(|text| text.parse::<u64>().ok());
    let bent = |seed: u64| {
        let mut input = mutated(&mut Rng::new(seed), seeds, tokens);
        input.truncate(INPUT_BYTES_MAX);
        input
    };
    if let Some(seed) = number("WEIR_FUZZ_SEED") {
        return try_one(name, target, &bent(seed), &format!("seed {seed}"));
    }
    for (index, seed) in seeds.iter().enumerate() {
        try_one(name, target, seed, &format!("seed input {index}"));
    }
    for seed in 0..number("WEIR_FUZZ_INPUTS").unwrap_or(inputs) {
        let what = format!("again: WEIR_FUZZ_SEED={seed} cargo test -p weir-fuzz {name}");
        try_one(name, target, &bent(seed), &what);
    }
}

fn try_one(name: &str, target: fn(&[u8]), input: &[u8], what: &str) {
    let clock = SystemClock::new();
    let before = heap::begin();
    let panicked = catch_unwind(|| target(input)).is_err();
    let (took_us, took_bytes) = (clock.monotonic_us(), heap::peak().saturating_sub(before));
    let shown = || format!("{name}, {what}: {}", input.escape_ascii());
    assert!(!panicked, "panicked: {}", shown());
    assert!(took_us < INPUT_US_MAX, "{took_us} us: {}", shown());
    let bytes_max = INPUT_HEAP_BYTES_MAX + input.len() * HEAP_BYTES_PER_BYTE_MAX;
    assert!(took_bytes < bytes_max, "{took_bytes} bytes of memory: {}", shown());
}

#[test]
fn sql_is_planned_or_refused_with_its_place() {
    try_all("sql", crate::sql, &seeds::scripts(), mutate::SQL_TOKENS, 6_000);
}

#[test]
fn json_records_become_rows_or_dead_letters() {
    try_all("json", crate::json, &seeds::json_lines(), mutate::JSON_TOKENS, 20_000);
}

#[test]
fn csv_records_become_rows_or_dead_letters() {
    try_all("csv", crate::csv, &seeds::csv_lines(), mutate::CSV_TOKENS, 20_000);
}

#[test]
fn manifests_read_back_or_are_damaged() {
    try_all("manifest", crate::manifest, &seeds::manifests(), mutate::JSON_TOKENS, 20_000);
}

#[test]
fn the_bounds_on_an_input_are_kept() {
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let fails = |target: fn(&[u8])| catch_unwind(move || try_one("none", target, b"", "")).is_err();
    assert!(!fails(|_| {}));
    assert!(fails(|_| assert_eq!(1, 2)));
    assert!(fails(|_| drop(std::hint::black_box(vec![1u8; 40 << 20]))));
}
