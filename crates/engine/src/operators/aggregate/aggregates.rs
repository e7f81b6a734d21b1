//! The aggregates of an operator: what it calls, so that it sees neither functions nor filters.

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch};
use weir_base::{Error, Result};
use weir_plan::AggregateCall;
use xxhash_rust::xxh3::xxh3_64;

use super::accumulator::Accumulator;
use super::build::build;
use super::elements::{FrozenAggregates, StoredElementKey, StoredElements, corrupt};
use super::rows::Rows;

/// Aggregates with a state for each key. The operator numbers its keys from zero and says how many there are (`grow`).
pub struct Aggregates {
    calls: Vec<Called>,
    rows: Vec<u32>,
    keys: Vec<u32>,
}

/// An aggregate call and its states.
struct Called {
    arguments: Vec<usize>,
    filter: Option<usize>,
    /// Rows that are taken back change nothing.
    keeps: bool,
    accumulator: Box<dyn Accumulator>,
}

/// Whether rows are taken in or back.
#[derive(Clone, Copy)]
enum Direction {
    In,
    Back,
}

impl Aggregates {
    /// The aggregates of `calls`; `retracts`: rows are taken back, too.
    ///
    /// # Errors
    /// A function is not there for its arguments' types.
    pub fn new(calls: &[AggregateCall], retracts: bool) -> Result<Self> {
        Self::keeping(calls, retracts, &[])
    }

    /// The same where rows that are taken back change nothing for the calls at the places `kept`.
    ///
    /// # Errors
    /// As `new`.
    pub fn keeping(calls: &[AggregateCall], retracts: bool, kept: &[usize]) -> Result<Self> {
        let called = |(place, call): (usize, &AggregateCall)| {
            let keeps = kept.contains(&place);
            let accumulator = build(call, retracts && !keeps)?;
            Ok(Called { arguments: call.arguments.clone(), filter: call.filter, keeps, accumulator })
        };
        let calls = calls.iter().enumerate().map(called).collect::<Result<_>>()?;
        Ok(Self { calls, rows: Vec::new(), keys: Vec::new() })
    }

    /// The same aggregates without states.
    #[must_use]
    pub fn empty(&self) -> Self {
        self.each(|accumulator| accumulator.empty())
    }

    /// The states of `keys` alone, in that order.
    #[must_use]
    pub fn gather(&self, keys: &[u32]) -> Self {
        self.each(|accumulator| accumulator.gather(keys))
    }

    fn each(&self, make: impl Fn(&dyn Accumulator) -> Box<dyn Accumulator>) -> Self {
        let called = |call: &Called| Called {
            arguments: call.arguments.clone(),
            filter: call.filter,
            keeps: call.keeps,
            accumulator: make(call.accumulator.as_ref()),
        };
        Self { calls: self.calls.iter().map(called).collect(), rows: Vec::new(), keys: Vec::new() }
    }

    /// Adds states until there are `keys`.
    pub fn grow(&mut self, keys: usize) {
        self.calls.iter_mut().for_each(|call| call.accumulator.grow(keys));
    }

    /// Takes rows of `data` in, each into the state of the same place in `keys`, in this order.
    ///
    /// # Errors
    /// A column has another type than the plan says, or a function does not take a value.
    pub fn update(&mut self, data: &RecordBatch, rows: &[u32], keys: &[u32]) -> Result<()> {
        self.take(Direction::In, data, rows, keys)
    }

    /// Takes rows of `data` back.
    ///
    /// # Errors
    /// As `update`.
    pub fn retract(&mut self, data: &RecordBatch, rows: &[u32], keys: &[u32]) -> Result<()> {
        self.take(Direction::Back, data, rows, keys)
    }

    fn take(&mut self, direction: Direction, data: &RecordBatch, rows: &[u32], keys: &[u32]) -> Result<()> {
        for call in &mut self.calls {
            let (rows, keys) = match call.filter {
                None => (rows, keys),
                Some(filter) => {
                    select(data.column(filter), rows, keys, &mut self.rows, &mut self.keys)?;
                    (self.rows.as_slice(), self.keys.as_slice())
                }
            };
            let taken = Rows { data, arguments: &call.arguments, rows, keys };
            match direction {
                Direction::In => call.accumulator.update(&taken)?,
                Direction::Back if call.keeps => {}
                Direction::Back => call.accumulator.retract(&taken)?,
            }
        }
        Ok(())
    }

    /// Takes in what the states `from` of `other` have seen, each into the state of the same place in `to`: the same aggregates, built alike.
    ///
    /// # Errors
    /// They are other aggregates, or a function does not take a value.
    pub fn merge(&mut self, other: &Self, from: &[u32], to: &[u32]) -> Result<()> {
        for (call, other) in self.calls.iter_mut().zip(&other.calls) {
            call.accumulator.merge(other.accumulator.as_ref(), from, to)?;
        }
        Ok(())
    }

    /// Makes the states of `keys` as if they had seen nothing. What checkpoints hold of them must have been taken by `forget` before.
    pub fn reset(&mut self, keys: &[u32]) {
        self.calls.iter_mut().for_each(|call| call.accumulator.reset(keys));
    }

    /// The results for all keys, a column for each call.
    ///
    /// # Errors
    /// A result cannot be made.
    pub fn finish(&self) -> Result<Vec<ArrayRef>> {
        self.calls.iter().map(|call| call.accumulator.finish()).collect()
    }

    /// The results for `keys` in that order, a column for each call.
    ///
    /// # Errors
    /// As `finish`.
    pub fn finish_keys(&self, keys: &[u32]) -> Result<Vec<ArrayRef>> {
        self.calls.iter().map(|call| call.accumulator.finish_keys(keys)).collect()
    }

    /// What a checkpoint writes of `keys`: their states, and the elements of them that have changed since they were last frozen.
    pub fn freeze(&mut self, keys: &[u32]) -> FrozenAggregates {
        let mut frozen = FrozenAggregates::default();
        for key in keys {
            let key = *key as usize;
            frozen.push(|out| self.calls.iter().for_each(|call| call.accumulator.write(key, out)));
            for (number, call) in self.calls.iter_mut().enumerate() {
                if call.accumulator.has_elements() {
                    call.accumulator.freeze_elements(key, &mut frozen.sink(number));
                }
            }
        }
        frozen
    }

    /// Whether states have elements: whether there is anything in the part `ELEMENTS`.
    pub fn has_elements(&self) -> bool {
        self.calls.iter().any(|call| call.accumulator.has_elements())
    }

    /// The elements of `key` that checkpoints may hold, for the operator to delete when the key goes.
    pub fn forget(&self, key: u32) -> StoredElements {
        let mut stored = StoredElements::default();
        for (number, call) in self.calls.iter().enumerate() {
            if call.accumulator.has_elements() {
                call.accumulator.forget_elements(key as usize, &mut stored.sink(number));
            }
        }
        stored
    }

    /// Takes the states of `key` back, all that `FrozenAggregates::state` gave.
    ///
    /// # Errors
    /// They are no states of these aggregates.
    pub fn read(&mut self, key: u32, mut states: &[u8]) -> Result<()> {
        for call in &mut self.calls {
            call.accumulator.read(key as usize, &mut states).ok_or_else(|| corrupt("it is cut off"))?;
        }
        if states.is_empty() { Ok(()) } else { Err(corrupt("it is too long")) }
    }

    /// Takes an element of `key` back, after the state of `key`.
    ///
    /// # Errors
    /// It is no element of these aggregates.
    pub fn read_element(&mut self, key: u32, element: &StoredElementKey<'_>, value: &[u8]) -> Result<()> {
        let call = self.calls.get_mut(element.aggregate);
        call.and_then(|call| call.accumulator.read_element(key as usize, element.element, value))
            .ok_or_else(|| corrupt("it is of other aggregates"))
    }

    /// Bytes of memory that the states take.
    pub fn bytes(&self) -> usize {
        self.calls.iter().map(|call| call.accumulator.bytes()).sum()
    }
}

/// A mark of the aggregates: states of others are never misread.
pub fn mark_of(aggregates: &[AggregateCall], retracts: bool) -> u32 {
    let texts: Vec<String> = aggregates.iter().map(ToString::to_string).collect();
    let text = format!("{}{}", texts.join(", "), if retracts { " with retraction" } else { "" });
    u32::try_from(xxh3_64(text.as_bytes()) >> 32).expect("the upper half of 64 bits")
}

/// The rows, and their keys' numbers, where `filter` is TRUE.
fn select(
    filter: &ArrayRef,
    rows: &[u32],
    keys: &[u32],
    selected_rows: &mut Vec<u32>,
    selected_keys: &mut Vec<u32>,
) -> Result<()> {
    let filter = filter.as_boolean_opt().ok_or_else(|| Error::internal("filter an aggregate: FILTER is no BOOLEAN"))?;
    selected_rows.clear();
    selected_keys.clear();
    for (row, key) in rows.iter().zip(keys) {
        if filter.is_valid(*row as usize) && filter.value(*row as usize) {
            selected_rows.push(*row);
            selected_keys.push(*key);
        }
    }
    Ok(())
}
