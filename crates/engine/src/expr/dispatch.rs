//! From a value to the number of the constant it equals: one look-up instead of a comparison per constant.
//!
//! It serves `CASE x WHEN c1 ... WHEN c2 ...` and `x IN (c1, c2, ...)` where x is text or an integer and the `c`s are constants. Texts of up to 12 bytes
//! are found by their 16-byte view in a table without collisions; longer ones by a map.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType};
use arrow_schema::DataType as ArrowType;
use hashbrown::HashMap;

use super::node::Column;

/// Constants, each with a number; where one stands twice the first counts.
pub(super) struct Dispatch {
    inline: Table,
    long: HashMap<Box<str>, u16>,
}

/// A hash table without collisions: `slots[hash(key)]` is the one candidate.
struct Table {
    slots: Vec<(u128, u16)>,
    multiplier: u64,
    shift: u32,
}

/// The most constants of one dispatch.
pub(super) const CONSTANTS_MAX: usize = 4096;

impl Dispatch {
    /// Whether `=` between values of this type can be dispatched.
    pub(super) fn supports(data_type: &ArrowType) -> bool {
        matches!(
            data_type,
            ArrowType::Utf8View | ArrowType::Int8 | ArrowType::Int16 | ArrowType::Int32 | ArrowType::Int64
        )
    }

    /// Whether IN over values of this type can be dispatched: floats then follow Java's `equals`, not `==`.
    pub(super) fn supports_in(data_type: &ArrowType) -> bool {
        Self::supports(data_type) || matches!(data_type, ArrowType::Float32 | ArrowType::Float64)
    }

    /// A dispatch over `constants` (arrays of one value, of one supported type) with their numbers; None if there are too many or they
    /// hash badly. A NULL among them equals nothing.
    pub(super) fn new(constants: &[(ArrayRef, u16)]) -> Option<Self> {
        if constants.len() > CONSTANTS_MAX {
            return None;
        }
        let mut inline: Vec<(u128, u16)> = Vec::new();
        let mut long = HashMap::new();
        for (constant, number) in constants.iter().filter(|(constant, _)| constant.is_valid(0)) {
            let key = match constant.data_type() {
                ArrowType::Utf8View => {
                    let text = constant.as_string_view();
                    if text.value(0).len() > 12 {
                        long.entry(Box::from(text.value(0))).or_insert(*number);
                        continue;
                    }
                    text.views()[0]
                }
                ArrowType::Int8 => widen(i64::from(constant.as_primitive::<Int8Type>().value(0))),
                ArrowType::Int16 => widen(i64::from(constant.as_primitive::<Int16Type>().value(0))),
                ArrowType::Int32 => widen(i64::from(constant.as_primitive::<Int32Type>().value(0))),
                ArrowType::Int64 => widen(constant.as_primitive::<Int64Type>().value(0)),
                ArrowType::Float32 => float_key(f64::from(constant.as_primitive::<Float32Type>().value(0))),
                ArrowType::Float64 => float_key(constant.as_primitive::<Float64Type>().value(0)),
                _ => return None,
            };
            if !inline.iter().any(|(known, _)| *known == key) {
                inline.push((key, *number));
            }
        }
        Some(Self { inline: Table::new(&inline)?, long })
    }

    /// For each row the number of the constant that its value equals, or `otherwise`; NULL equals none.
    pub(super) fn numbers(&self, column: &Column, rows: usize, otherwise: u16) -> Vec<u16> {
        if column.is_constant {
            let number = self.of_array(&column.array, otherwise);
            return vec![number[0]; rows];
        }
        self.of_array(&column.array, otherwise)
    }

    fn of_array(&self, array: &ArrayRef, otherwise: u16) -> Vec<u16> {
        let mut numbers = match array.data_type() {
            ArrowType::Utf8View => self.of_texts(array, otherwise),
            ArrowType::Int8 => self.of_integers::<Int8Type>(array, otherwise),
            ArrowType::Int16 => self.of_integers::<Int16Type>(array, otherwise),
            ArrowType::Int32 => self.of_integers::<Int32Type>(array, otherwise),
            ArrowType::Float32 => self.of_floats::<Float32Type>(array, otherwise),
            ArrowType::Float64 => self.of_floats::<Float64Type>(array, otherwise),
            _ => self.of_integers::<Int64Type>(array, otherwise),
        };
        if let Some(nulls) = array.nulls() {
            (!nulls.inner()).set_indices().for_each(|row| numbers[row] = otherwise);
        }
        numbers
    }

    fn of_integers<T: ArrowPrimitiveType>(&self, array: &ArrayRef, otherwise: u16) -> Vec<u16>
    where
        T::Native: Into<i64>,
    {
        array
            .as_primitive::<T>()
            .values()
            .iter()
            .map(|&value| self.inline.find(widen(value.into()), otherwise))
            .collect()
    }

    fn of_floats<T: ArrowPrimitiveType>(&self, array: &ArrayRef, otherwise: u16) -> Vec<u16>
    where
        T::Native: Into<f64>,
    {
        let values = array.as_primitive::<T>().values();
        values.iter().map(|&value| self.inline.find(float_key(value.into()), otherwise)).collect()
    }

    fn of_texts(&self, array: &ArrayRef, otherwise: u16) -> Vec<u16> {
        let array = array.as_string_view();
        if self.long.is_empty() {
            return array.views().iter().map(|&view| self.inline.find(view, otherwise)).collect();
        }
        let find = |(row, &view): (usize, &u128)| {
            let is_inline = view & u128::from(u32::MAX) <= 12;
            if is_inline || array.is_null(row) {
                self.inline.find(view, otherwise)
            } else {
                self.long.get(array.value(row)).copied().unwrap_or(otherwise)
            }
        };
        array.views().iter().enumerate().map(find).collect()
    }
}

/// A float as a key: its bits, of which NaN has one pattern and the two zeros differ, as Java's `Double.equals` has it.
fn float_key(value: f64) -> u128 {
    u128::from(if value.is_nan() { f64::NAN.to_bits() } else { value.to_bits() })
}

/// An integer as a key.
fn widen(value: i64) -> u128 {
    u128::from(value.cast_unsigned())
}

impl Table {
    /// A table of distinct `keys`; None if no multiplier of a fixed series keeps them apart.
    fn new(keys: &[(u128, u16)]) -> Option<Self> {
        // Four slots a key and more on each try: a collision-free multiplier is then found soon for small sets; large ones give up and compare.
        let bits_min = (keys.len().max(1) * 4).next_power_of_two().trailing_zeros();
        for bits in bits_min..bits_min + 8 {
            let mut multiplier = 0x9E37_79B9_7F4A_7C15_u64;
            for _ in 0..64 {
                let mut table = Self { slots: vec![(0, u16::MAX); 1 << bits], multiplier, shift: 64 - bits };
                if keys.iter().all(|key| table.insert(*key)) {
                    return Some(table.with_empty_slots_unequal());
                }
                multiplier = multiplier.wrapping_mul(0xD134_2543_DE82_EF95).wrapping_add(0x2545_F491_4F6C_DD1D) | 1;
            }
        }
        None
    }

    fn slot(&self, key: u128) -> usize {
        #[expect(clippy::cast_possible_truncation, reason = "the two halves of the key are mixed")]
        let folded = key as u64 ^ ((key >> 64) as u64).wrapping_mul(0xFF51_AFD7_ED55_8CCD);
        usize::try_from(folded.wrapping_mul(self.multiplier) >> self.shift).unwrap_or(0)
    }

    /// Whether the key's slot was free.
    fn insert(&mut self, key: (u128, u16)) -> bool {
        let slot = self.slot(key.0);
        let is_free = self.slots[slot].1 == u16::MAX;
        if is_free {
            self.slots[slot] = key;
        }
        is_free
    }

    /// Gives each empty slot a key that hashes elsewhere, so that finding compares keys only.
    fn with_empty_slots_unequal(mut self) -> Self {
        let elsewhere: Vec<u128> = {
            let mut found = Vec::new();
            let mut candidate = 0_u128;
            while found.len() < 2 {
                if found.is_empty() || self.slot(candidate) != self.slot(found[0]) {
                    found.push(candidate);
                }
                candidate += 1;
            }
            found
        };
        for slot in 0..self.slots.len() {
            if self.slots[slot].1 == u16::MAX {
                let key = if self.slot(elsewhere[0]) == slot { elsewhere[1] } else { elsewhere[0] };
                self.slots[slot].0 = key;
            }
        }
        self
    }

    /// The number of `key`, or `otherwise`.
    fn find(&self, key: u128, otherwise: u16) -> u16 {
        let (candidate, number) = self.slots[self.slot(key)];
        if candidate == key { number } else { otherwise }
    }
}
