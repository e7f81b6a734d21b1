//! The flat table against a map, and what it does at its bounds.

use std::collections::HashMap;

use weir_base::Rng;

use super::*;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
const START: i64 = 1_700_000_000_000;

fn hash_of_key(key: u64) -> KeyHash {
    xxhash_rust::xxh3::xxh3_128(&key.to_le_bytes())
}

/// Random keys at random steps of time; the model keeps whole keys with their expiry.
fn agrees_with_a_map(seed: u64, ttl: Duration, step_ms_max: u64, keys: u64, rounds: usize) {
    let mut rng = Rng::new(seed);
    let mut table = Fingerprints::new(ttl);
    let mut model: HashMap<u64, i64, hashbrown::DefaultHashBuilder> = HashMap::default();
    let ttl_ms = i64::try_from(ttl.as_millis()).unwrap();
    let mut now = START;
    for round in 0..rounds {
        now += i64::try_from(rng.next_u64() % step_ms_max).unwrap();
        let moment = table.moment(now);
        for _ in 0..64 {
            let key = rng.next_u64() % keys;
            let lives = model.get(&key).is_some_and(|expires| *expires > now);
            if !lives {
                model.insert(key, if ttl_ms == 0 { i64::MAX } else { now + ttl_ms });
            }
            assert_eq!(table.insert(hash_of_key(key), moment), !lives, "seed {seed}, round {round}, key {key}");
        }
    }
}

#[test]
fn the_table_agrees_with_a_map() {
    for (seed, ttl_ms, step_ms_max, keys) in [
        (1, 0, 1_000, 5_000),
        (2, 1_000, 50, 5_000),
        (3, 1, 3, 100),
        (4, 10_000, 1_000, 200_000),
        (5, 60_000, 20_000, 1_000),
    ] {
        agrees_with_a_map(seed, Duration::from_millis(ttl_ms), step_ms_max, keys, 3_000);
    }
}

#[test]
fn stamps_run_out_after_weeks_and_begin_anew() {
    // Steps of up to a day over some 1,500 days: every shard is rebased several times, ticks are milliseconds.
    agrees_with_a_map(7, Duration::from_millis(10 * DAY_MS as u64), DAY_MS as u64, 3_000, 3_000);
}

#[test]
fn a_key_lives_for_its_ttl_to_the_millisecond() {
    let mut table = Fingerprints::new(Duration::from_millis(1500));
    let hash = hash_of_key(1);
    for (now, new) in [(0, true), (1, false), (1499, false), (1500, true), (2999, false), (3000, true)] {
        let moment = table.moment(START + now);
        assert_eq!(table.insert(hash, moment), new, "at {now}");
    }
}

#[test]
fn a_long_ttl_counts_in_seconds_and_never_ends_early() {
    let ttl_ms = 400 * DAY_MS;
    let mut table = Fingerprints::new(Duration::from_millis(ttl_ms as u64));
    let first = table.moment(START + 1);
    assert!(table.insert(hash_of_key(1), first));
    assert_eq!(first.expires, START + ttl_ms + 1000);
    for (now, new) in [(START + ttl_ms + 999, false), (START + ttl_ms + 1000, true)] {
        let moment = table.moment(now);
        assert_eq!(table.insert(hash_of_key(1), moment), new);
    }
}

#[test]
fn a_clock_set_back_forgets_nothing() {
    let mut table = Fingerprints::new(Duration::from_secs(10));
    let moment = table.moment(START);
    assert!(table.insert(hash_of_key(1), moment));
    for back in [1, DAY_MS, 4000 * DAY_MS] {
        let moment = table.moment(START - back);
        assert!(!table.insert(hash_of_key(1), moment), "{back} ms back");
    }
}

#[test]
fn what_was_restored_expires_when_it_would_have() {
    let mut table = Fingerprints::new(Duration::from_secs(10));
    let moment = table.moment(START);
    table.restore(hash_of_key(1) & !STAMP, START + 5, moment);
    table.restore(hash_of_key(2) & !STAMP, Timestamp::MAX, moment);
    table.restore(hash_of_key(3) & !STAMP, START + 5, moment);
    table.restore(hash_of_key(3) & !STAMP, START + 9, moment);
    for (now, expected) in [(4, [false, false, false]), (5, [true, false, false]), (9, [false, false, true])] {
        let moment = table.moment(START + now);
        let found = [1, 2, 3].map(|key| table.insert(hash_of_key(key), moment));
        assert_eq!(found, expected, "at {now}");
    }
}

#[test]
fn growing_is_spread_over_batches_and_a_key_takes_little_room() {
    const BATCH: u64 = 8_192;
    let mut table = Fingerprints::new(Duration::ZERO);
    let moment = table.moment(START);
    let mut keys = 0u64;
    let mut moved_max = 0;
    for _ in 0..120 {
        let before = table.slots_moved();
        for _ in 0..BATCH {
            assert!(table.insert(hash_of_key(keys), moment));
            keys += 1;
        }
        moved_max = moved_max.max(table.slots_moved() - before);
        if keys > 100_000 {
            let bytes = table.bytes() as f64 / keys as f64;
            assert!(bytes < 44.0, "{bytes} bytes a key at {keys} keys");
        }
    }
    assert!(moved_max < 16 * BATCH, "{moved_max} slots moved in one batch");
}

#[test]
fn keys_that_come_and_go_take_little_room_and_little_work() {
    // Numbers of live keys over more than an octave: tables double, so room and work depend on where in it they lie.
    for live in [100_000u64, 115_000, 132_000, 152_000, 175_000, 200_000] {
        let mut table = Fingerprints::new(Duration::from_secs(10));
        let mut keys = 0;
        let mut settled = 0;
        for tick in 0..1000u64 {
            let moment = table.moment(START + i64::try_from(tick).unwrap() * 100);
            for _ in 0..live / 100 {
                assert!(table.insert(hash_of_key(keys), moment));
                keys += 1;
            }
            if tick == 500 {
                settled = table.slots_moved();
            }
        }
        let bytes = table.bytes() as f64 / live as f64;
        let moved = (table.slots_moved() - settled) as f64 / (live as f64 * 5.0);
        println!("{live} live keys: {bytes:.1} bytes, {moved:.1} slots moved an insert");
        assert!(bytes < 60.0, "{bytes} bytes a key with {live} live ones");
        assert!(moved < 6.0, "{moved} slots moved an insert with {live} live keys");
    }
}

#[test]
fn expired_slots_are_used_again() {
    let mut table = Fingerprints::new(Duration::from_secs(1));
    let mut full = 0;
    for second in 0..60u64 {
        let moment = table.moment(START + i64::try_from(second).unwrap() * 1000);
        for key in 0..20_000 {
            assert!(table.insert(hash_of_key(second * 20_000 + key), moment));
        }
        if second == 5 {
            full = table.bytes();
        }
    }
    assert!(table.bytes() * 4 <= full * 5, "{} bytes, {full} after the first seconds", table.bytes());
}
