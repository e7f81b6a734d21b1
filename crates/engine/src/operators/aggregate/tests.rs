//! Each aggregate against a simple model: random rows in and back, states merged, written to a store and read from it.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int32Array, RecordBatch, StringViewArray};
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use weir_base::{Result, Rng, Timestamp};
use weir_plan::{AggregateCall, AggregateFunction, DataType, Field, LogicalType, Schema};
use weir_state::Entries;

use super::{Aggregates, read_element_key};

use AggregateFunction as F;

const KEYS: u32 = 4;

/// A value, which the columns of a row show as INT, as text and as DOUBLE.
type Value = Option<i32>;

fn schema() -> Schema {
    let field = |name: &str, logical| Field::new(name, DataType::nullable(logical));
    Schema::new(vec![
        field("value", LogicalType::Int),
        field("text", LogicalType::Varchar(10)),
        field("double", LogicalType::Double),
        field("share", LogicalType::Double),
    ])
}

fn batch(values: &[Value]) -> RecordBatch {
    let texts: StringViewArray = values.iter().map(|value| value.map(|value| format!("t{value}"))).collect();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int32Array::from(values.to_vec())),
        Arc::new(texts),
        Arc::new(values.iter().map(|value| value.map(f64::from)).collect::<Float64Array>()),
        Arc::new(Float64Array::from(vec![0.5; values.len()])),
    ];
    RecordBatch::try_new(schema().arrow(), columns).unwrap()
}

fn call(function: F, arguments: &[usize], output: LogicalType) -> AggregateCall {
    AggregateCall {
        function,
        arguments: arguments.to_vec(),
        argument_types: arguments.iter().map(|index| schema().fields[*index].data_type.clone()).collect(),
        distinct: false,
        filter: None,
        separator: Some("+".to_owned()),
        data_type: DataType::nullable(output),
    }
}

/// A function with its model: what it gives for all values of a key.
type Modelled = (AggregateCall, fn(&[Value]) -> String);

/// All functions, with what each gives for the values of a key in the order of their arrival.
fn functions() -> Vec<Modelled> {
    use LogicalType as L;
    let list = |element: L| L::Array(Box::new(DataType::nullable(element)));
    vec![
        (call(F::Count, &[0], L::BigInt), |values| there(values).len().to_string()),
        (call(F::Count, &[], L::BigInt), |values| values.len().to_string()),
        (call(F::Sum, &[0], L::Int), |values| sum(values).map_or("NULL".to_owned(), |sum| sum.to_string())),
        (call(F::Sum, &[2], L::Double), |values| sum(values).map_or("NULL".to_owned(), |sum| format!("{sum}.0"))),
        (call(F::SumZero, &[0], L::Int), |values| sum(values).unwrap_or(0).to_string()),
        (call(F::Avg, &[0], L::Int), average),
        (call(F::AvgOfSum, &[0], L::Int), average),
        (call(F::Min, &[0], L::Int), |values| text(there(values).iter().min())),
        (call(F::Max, &[0], L::Int), |values| text(there(values).iter().max())),
        (call(F::Max, &[1], L::Varchar(10)), |values| text(texts(values).iter().max())),
        (call(F::VarPop, &[0], L::Double), |values| variance(values, 0.0, false)),
        (call(F::StddevSamp, &[0], L::Double), |values| variance(values, 1.0, true)),
        (call(F::FirstValue, &[0], L::Int), |values| text(there(values).first())),
        (call(F::LastValue, &[1], L::Varchar(10)), |values| text(texts(values).last())),
        (call(F::ListAgg, &[1], L::Varchar(10)), |values| {
            let texts = texts(values);
            text((!texts.is_empty()).then(|| texts.join("+")).as_ref())
        }),
        (call(F::ArrayAgg { ignore_nulls: false }, &[0], list(L::Int)), |values| {
            let items: Vec<String> = values.iter().map(|value| text(value.as_ref())).collect();
            text((!items.is_empty()).then(|| format!("[{}]", items.join(", "))).as_ref())
        }),
        (call(F::ArrayAgg { ignore_nulls: true }, &[1], list(L::Varchar(10))), |values| {
            let items = texts(values);
            text((!items.is_empty()).then(|| format!("[{}]", items.join(", "))).as_ref())
        }),
        (call(F::Percentile, &[0, 3], L::Double), |values| {
            let mut values = there(values);
            values.sort_unstable();
            let middle = |at: usize| f64::from(values[at]);
            match values.len() {
                0 => "NULL".to_owned(),
                count if count % 2 == 1 => format!("{:?}", middle(count / 2)),
                count => format!("{:?}", 0.5 * middle(count / 2 - 1) + 0.5 * middle(count / 2)),
            }
        }),
    ]
}

fn there(values: &[Value]) -> Vec<i32> {
    values.iter().flatten().copied().collect()
}

fn texts(values: &[Value]) -> Vec<String> {
    there(values).iter().map(|value| format!("t{value}")).collect()
}

fn text<T: ToString>(value: Option<&T>) -> String {
    value.map_or("NULL".to_owned(), ToString::to_string)
}

fn sum(values: &[Value]) -> Option<i32> {
    let values = there(values);
    (!values.is_empty()).then(|| values.iter().sum())
}

fn average(values: &[Value]) -> String {
    let count = i32::try_from(there(values).len()).unwrap();
    text(sum(values).map(|sum| sum / count).as_ref())
}

fn variance(values: &[Value], less: f64, root: bool) -> String {
    let values: Vec<f64> = there(values).into_iter().map(f64::from).collect();
    let count = values.len() as f64;
    if count <= less {
        return "NULL".to_owned();
    }
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    let variance = squares / (count - less);
    (if root { variance.sqrt() } else { variance }).to_string()
}

/// Each value where it came first.
fn distinct(values: &[Value]) -> Vec<Value> {
    let mut seen = Vec::new();
    for value in values {
        if !seen.contains(value) {
            seen.push(*value);
        }
    }
    seen
}

/// What a store holds: states by key, and elements.
#[derive(Default)]
struct Store {
    states: BTreeMap<u32, Vec<u8>>,
    elements: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Elements written or deleted by the last barrier.
    changes: usize,
}

impl Entries for Store {
    fn put(&mut self, _: u16, key: &[u8], value: &[u8], _: Timestamp) -> Result<()> {
        self.changes += 1;
        self.elements.insert(key.to_vec(), value.to_vec());
        Ok(())
    }

    fn delete(&mut self, _: u16, key: &[u8]) -> Result<()> {
        self.changes += 1;
        assert!(self.elements.remove(key).is_some(), "only what was written is deleted");
        Ok(())
    }
}

impl Store {
    fn barrier(&mut self, aggregates: &mut Aggregates, keys: &[u32]) {
        self.changes = 0;
        let frozen = aggregates.freeze(keys);
        for (index, key) in keys.iter().enumerate() {
            self.states.insert(*key, frozen.state(index).to_vec());
        }
        let owner = |index: usize, owner: &mut Vec<u8>| {
            owner.extend(keys[index].to_be_bytes());
            0
        };
        frozen.write_elements(self, owner).unwrap();
    }

    fn restored(&self, prototype: &Aggregates) -> Aggregates {
        let mut aggregates = prototype.empty();
        aggregates.grow(KEYS as usize);
        self.states.iter().for_each(|(key, state)| aggregates.read(*key, state).unwrap());
        for (key, value) in &self.elements {
            let element = read_element_key(key).unwrap();
            let owner = u32::from_be_bytes(element.owner.try_into().unwrap());
            aggregates.read_element(owner, &element, value).unwrap();
        }
        aggregates
    }
}

fn shown(result: &ArrayRef, key: usize) -> String {
    let options = FormatOptions::new().with_null("NULL");
    ArrayFormatter::try_new(result, &options).unwrap().value(key).to_string()
}

/// Equal, or numbers that differ by less than what rounding does to them. Rounding may leave less than nothing of a variance, which is NULL then, as in Flink.
fn same(call: &AggregateCall, found: &str, expected: &str) -> bool {
    match (found.parse::<f64>(), expected.parse::<f64>()) {
        (Ok(found), Ok(expected)) => (found - expected).abs() <= 1e-6 * (1.0 + expected.abs()),
        (Err(_), Ok(expected)) if call.function.is_variance() && found == "NULL" => expected < 1e-6,
        _ => found == expected,
    }
}

/// The aggregates and the values that their keys hold.
struct World {
    calls: Vec<Modelled>,
    aggregates: Aggregates,
    live: Vec<Vec<Value>>,
}

impl World {
    fn new(retracts: bool) -> Self {
        let mut calls = functions();
        let plain = calls.clone();
        // With values going DISTINCT has no order that a list of values could tell.
        let ordered = |call: &AggregateCall| {
            matches!(call.function, F::FirstValue | F::LastValue | F::ListAgg | F::ArrayAgg { .. })
        };
        let distinct = plain.into_iter().filter(|(call, _)| !(call.arguments.is_empty() || retracts && ordered(call)));
        calls.extend(distinct.map(|(call, model)| (AggregateCall { distinct: true, ..call }, model)));
        let plan: Vec<AggregateCall> = calls.iter().map(|(call, _)| call.clone()).collect();
        let mut aggregates = Aggregates::new(&plan, retracts).unwrap();
        aggregates.grow(KEYS as usize);
        Self { calls, aggregates, live: vec![Vec::new(); KEYS as usize] }
    }

    fn check(&self, aggregates: &Aggregates, when: &str) {
        let results = aggregates.finish().unwrap();
        let some = aggregates.finish_keys(&[KEYS - 1, 0]).unwrap();
        for (number, (call, model)) in self.calls.iter().enumerate() {
            for key in 0..KEYS as usize {
                let values = &self.live[key];
                let expected = if call.distinct { model(&distinct(values)) } else { model(values) };
                let found = shown(&results[number], key);
                assert!(same(call, &found, &expected), "{when}: {call} of {values:?} is {found}, not {expected}");
            }
            assert_eq!(shown(&some[number], 0), shown(&results[number], KEYS as usize - 1), "{when}: {call}");
            assert_eq!(shown(&some[number], 1), shown(&results[number], 0), "{when}: {call}");
        }
    }

    fn insert(&mut self, rng: &mut Rng) -> Vec<u32> {
        let count = usize::try_from(rng.next_u64() % 12).unwrap();
        let values: Vec<Value> = (0..count).map(|_| random_value(rng)).collect();
        let rows: Vec<u32> = (0..).take(count).collect();
        let keys: Vec<u32> = rows.iter().map(|_| random_key(rng)).collect();
        self.aggregates.update(&batch(&values), &rows, &keys).unwrap();
        keys.iter().zip(&values).for_each(|(key, value)| self.live[*key as usize].push(*value));
        keys
    }

    fn retract(&mut self, rng: &mut Rng) -> Vec<u32> {
        let (mut values, mut keys) = (Vec::new(), Vec::new());
        for _ in 0..rng.next_u64() % 8 {
            let key = random_key(rng);
            let live = &mut self.live[key as usize];
            if live.is_empty() {
                continue;
            }
            let value = live[usize::try_from(rng.next_u64()).unwrap_or(0) % live.len()];
            let first = live.iter().position(|known| *known == value).unwrap();
            live.remove(first);
            values.push(value);
            keys.push(key);
        }
        let rows: Vec<u32> = (0..).take(values.len()).collect();
        self.aggregates.retract(&batch(&values), &rows, &keys).unwrap();
        keys
    }

    fn merge(&mut self, rng: &mut Rng) -> Vec<u32> {
        let mut other = self.aggregates.empty();
        other.grow(2);
        let values: Vec<Value> = (0..4).map(|_| random_value(rng)).collect();
        other.update(&batch(&values), &[0, 1, 2, 3], &[0, 1, 1, 0]).unwrap();
        let to = [random_key(rng), random_key(rng)];
        self.aggregates.merge(&other, &[1, 0], &to).unwrap();
        self.live[to[0] as usize].extend([values[1], values[2]]);
        self.live[to[1] as usize].extend([values[0], values[3]]);
        to.to_vec()
    }
}

fn random_value(rng: &mut Rng) -> Value {
    match rng.next_u64() % 8 {
        0 => None,
        other => Some(i32::try_from(other).unwrap() - 4),
    }
}

fn random_key(rng: &mut Rng) -> u32 {
    u32::try_from(rng.next_u64() % u64::from(KEYS)).unwrap()
}

fn random_steps(seed: u64, retracts: bool, merges: bool) {
    let mut rng = Rng::new(seed);
    let mut world = World::new(retracts);
    let (mut store, mut dirty) = (Store::default(), Vec::new());
    for step in 0..60 {
        dirty.extend(match rng.next_u64() % 5 {
            0 | 1 if retracts => world.retract(&mut rng),
            2 if merges => world.merge(&mut rng),
            _ => world.insert(&mut rng),
        });
        world.check(&world.aggregates, &format!("seed {seed} step {step}"));
        if rng.next_u64().is_multiple_of(4) {
            dirty.sort_unstable();
            dirty.dedup();
            store.barrier(&mut world.aggregates, &dirty);
            dirty.clear();
            let restored = store.restored(&world.aggregates);
            world.check(&restored, &format!("seed {seed} step {step}, restored"));
            if rng.next_u64().is_multiple_of(2) {
                world.aggregates = restored;
            }
        }
    }
}

#[test]
fn values_that_only_come_agree_with_the_model() {
    (0..20).for_each(|seed| random_steps(seed, false, false));
}

#[test]
fn values_that_come_and_go_agree_with_the_model() {
    (0..40).for_each(|seed| random_steps(seed, true, false));
}

#[test]
fn merged_states_agree_with_the_model() {
    // DISTINCT knows no order of what it merges.
    let mut rng = Rng::new(1);
    for seed in 0..20 {
        let mut world = World::new(true);
        for step in 0..40 {
            match rng.next_u64() % 3 {
                0 => world.merge(&mut rng),
                1 => world.retract(&mut rng),
                _ => world.insert(&mut rng),
            };
            world.check(&world.aggregates, &format!("merges {seed} step {step}"));
        }
    }
}

#[test]
fn states_are_forgotten_and_begin_anew() {
    let mut rng = Rng::new(3);
    let mut world = World::new(true);
    let mut store = Store::default();
    let all: Vec<u32> = (0..KEYS).collect();
    (0..10).for_each(|_| drop(world.insert(&mut rng)));
    store.barrier(&mut world.aggregates, &all);
    (0..3).for_each(|_| drop(world.retract(&mut rng)));
    (0..3).for_each(|_| drop(world.insert(&mut rng)));
    let full = world.aggregates.bytes();
    for key in &all {
        let owner = key.to_be_bytes();
        world.aggregates.forget(*key).delete(&mut store, 0, &owner).unwrap();
    }
    assert!(store.elements.is_empty(), "all that was written is deleted");
    world.aggregates.reset(&all);
    world.live.iter_mut().for_each(Vec::clear);
    world.check(&world.aggregates, "after the reset");
    assert!(world.aggregates.bytes() < full);
    world.insert(&mut rng);
    world.check(&world.aggregates, "rows after the reset");
    let mut reversed = all.clone();
    reversed.reverse();
    let gathered = world.aggregates.gather(&reversed);
    world.check(&gathered.gather(&reversed), "gathered twice, the second time in order");
}

#[test]
fn a_barrier_writes_the_elements_that_changed() {
    let mut world = World::new(true);
    let mut store = Store::default();
    let values: Vec<Value> = (0..1000).map(Some).collect();
    let rows: Vec<u32> = (0..1000).collect();
    world.aggregates.update(&batch(&values), &rows, &vec![0; 1000]).unwrap();
    store.barrier(&mut world.aggregates, &[0]);
    assert!(store.changes > 10_000, "all of every collection, {} elements", store.changes);
    world.aggregates.retract(&batch(&[Some(7)]), &[0], &[0]).unwrap();
    world.aggregates.update(&batch(&[Some(-1)]), &[0], &[0]).unwrap();
    store.barrier(&mut world.aggregates, &[0]);
    assert!(store.changes < 100, "one value less and one more in every collection, {} elements", store.changes);
    store.barrier(&mut world.aggregates, &[0]);
    assert_eq!(store.changes, 0);
}

#[test]
fn bytes_are_counted_as_states_come_and_go() {
    let mut rng = Rng::new(5);
    let mut world = World::new(true);
    let empty = world.aggregates.bytes();
    (0..30).for_each(|_| drop(world.insert(&mut rng)));
    assert!(world.aggregates.bytes() > empty);
    for key in 0..KEYS {
        let values = std::mem::take(&mut world.live[key as usize]);
        let rows: Vec<u32> = (0..).take(values.len()).collect();
        world.aggregates.retract(&batch(&values), &rows, &vec![key; values.len()]).unwrap();
    }
    // PERCENTILE keeps the share that the first row said, for each key, twice.
    let shares = 2 * KEYS as usize * size_of::<f64>();
    assert_eq!(world.aggregates.bytes(), empty + shares);
}

#[test]
fn a_second_single_value_fails_in_flinks_words() {
    let mut aggregates = Aggregates::new(&[call(F::SingleValue, &[0], LogicalType::Int)], false).unwrap();
    aggregates.grow(1);
    aggregates.update(&batch(&[None]), &[0], &[0]).unwrap();
    assert_eq!(shown(&aggregates.finish().unwrap()[0], 0), "NULL");
    let error = aggregates.update(&batch(&[Some(1)]), &[0], &[0]).unwrap_err();
    assert_eq!(error.to_string(), "SingleValueAggFunction received more than one element.");
}

#[test]
fn shares_outside_of_zero_and_one_fail_in_flinks_words() {
    let mut aggregates = Aggregates::new(&[call(F::Percentile, &[0, 2], LogicalType::Double)], false).unwrap();
    aggregates.grow(1);
    let error = aggregates.update(&batch(&[Some(2)]), &[0], &[0]).unwrap_err();
    assert_eq!(error.to_string(), "Percentage of PERCENTILE should be between [0.0, 1.0], but was '2.0'.");
}

#[test]
fn nothing_is_taken_back_where_rows_only_come() {
    let mut aggregates = Aggregates::new(&[call(F::Min, &[0], LogicalType::Int)], false).unwrap();
    aggregates.grow(1);
    let error = aggregates.retract(&batch(&[Some(1)]), &[0], &[0]).unwrap_err();
    assert_eq!(error.to_string(), "retract from an aggregate that was built for inserts only");
}
