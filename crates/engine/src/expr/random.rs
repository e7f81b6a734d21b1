//! RAND, RAND_INTEGER and UUID.
//!
//! Numbers come from Java's `java.util.Random`, so that a seed gives what it gives in Flink: a constant seed starts one sequence that runs on from row to
//! row in each subtask (from its beginning again after a restart), a seed that is a column makes one generator for each row. Without a seed the
//! generator is seeded by the processing time at which the first batch comes, mixed with the expression's place.

use std::sync::{Mutex, PoisonError};

use arrow_array::types::{Float64Type, Int32Type};
use weir_base::{Result, Rng, Span};
use weir_plan::{DataType, Function};

use super::compile::{Called, Family};
use super::node::{Apply, Node, Scope};
use super::rows::{Failure, RowResult, Values, primitives, texts};
use super::text_edit::with_int_numbers;

/// The family.
pub(super) const FAMILY: Family =
    Family { functions: &[Function::Rand, Function::RandInteger, Function::Uuid], compile };

/// One of the functions above. Each row that asks takes the next number: such a node must see the mask, as one that can fail.
fn compile(call: Called<'_>) -> Result<Node> {
    let Called { function, nodes, data_type, span, .. } = call;
    if function == Function::Uuid {
        return Ok(uuid(data_type, span));
    }
    let nodes = with_int_numbers(nodes, span)?;
    let seeds = if function == Function::Rand { nodes.len() } else { nodes.len() - 1 };
    let seed = nodes.first().filter(|_| seeds == 1).and_then(|seed| seed.constant.clone());
    let one_sequence = seeds == 0 || seed.is_some();
    let sequence = Mutex::new(None::<JavaRandom>);
    let apply: Apply = Box::new(move |columns, scope| {
        let mut sequence = sequence.lock().unwrap_or_else(PoisonError::into_inner);
        let seed_at = |row: usize| i64::from(Values::<Int32Type>::of(&columns[0]).get(row));
        let mut random = |row: usize, next: &mut dyn FnMut(&mut JavaRandom) -> RowResult<f64>| {
            if one_sequence {
                let first = || JavaRandom::new(if seeds == 1 { seed_at(row) } else { unseeded(scope, span) });
                next(sequence.get_or_insert_with(first))
            } else {
                next(&mut JavaRandom::new(seed_at(row)))
            }
        };
        if function == Function::Rand {
            return primitives::<Float64Type>(columns, scope, Failure::Raise, |row| {
                random(row, &mut |random| Ok(Some(random.next_double())))
            });
        }
        let bounds = Values::<Int32Type>::of(&columns[seeds]);
        primitives::<Int32Type>(columns, scope, Failure::Raise, |row| {
            let bound = bounds.get(row);
            let mut drawn = None;
            random(row, &mut |random| {
                drawn = random.next_below(bound);
                Ok(None)
            })?;
            drawn.map(Some).ok_or_else(|| "bound must be positive".to_owned())
        })
    });
    Ok(Node::call_each_row(nodes, data_type, span, apply))
}

/// A seed for what nobody seeded: no two expressions of a job, and hardly two starts, have the same.
fn unseeded(scope: &Scope<'_>, span: Span) -> i64 {
    let place = (u64::from(span.line) << 32) | u64::from(span.column);
    Rng::new(scope.now.cast_unsigned() ^ place.rotate_left(17)).next_u64().cast_signed()
}

/// `UUID()`: 122 random bits.
fn uuid(data_type: DataType, span: Span) -> Node {
    let generator = Mutex::new(None::<Rng>);
    let apply: Apply = Box::new(move |columns, scope| {
        let mut generator = generator.lock().unwrap_or_else(PoisonError::into_inner);
        let generator = generator.get_or_insert_with(|| Rng::new(unseeded(scope, span).cast_unsigned()));
        texts(columns, scope, Failure::Raise, |_, out| {
            let bits = (u128::from(generator.next_u64()) << 64) | u128::from(generator.next_u64());
            write_uuid(bits, out);
            Ok(true)
        })
    });
    Node::call_each_row(Vec::new(), data_type, span, apply)
}

/// Random bits as a UUID of version 4 and variant 1 (RFC 4122).
fn write_uuid(bits: u128, out: &mut String) {
    let version = (bits & !(0xf << 76)) | (4 << 76);
    let marked = (version & !(0b11 << 62)) | (0b10 << 62);
    let digits = format!("{marked:032x}");
    for (index, part) in
        [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].iter().enumerate()
    {
        if index > 0 {
            out.push('-');
        }
        out.push_str(part);
    }
}

/// The generator of `java.util.Random`, as its documentation defines it (Knuth's linear congruential one of 48 bits).
struct JavaRandom(u64);

const MULTIPLIER: u64 = 0x5_DEEC_E66D;
const MASK: u64 = (1 << 48) - 1;

impl JavaRandom {
    fn new(seed: i64) -> Self {
        Self((seed.cast_unsigned() ^ MULTIPLIER) & MASK)
    }

    /// So many random bits, at most 32.
    fn next(&mut self, bits: u32) -> u32 {
        self.0 = self.0.wrapping_mul(MULTIPLIER).wrapping_add(0xB) & MASK;
        u32::try_from(self.0 >> (48 - bits)).expect("at most 32 bits are asked for")
    }

    /// A number in `[0, 1)`.
    fn next_double(&mut self) -> f64 {
        let high = u64::from(self.next(26)) << 27;
        #[expect(clippy::cast_precision_loss, reason = "53 bits are exactly a double's mantissa")]
        let mantissa = (high + u64::from(self.next(27))) as f64;
        mantissa / 9_007_199_254_740_992.0
    }

    /// A number in `0..bound`; None for a bound that is not positive.
    fn next_below(&mut self, bound: i32) -> Option<i32> {
        let bound = i64::from(u32::try_from(bound).ok().filter(|bound| *bound > 0)?);
        let mut bits = i64::from(self.next(31));
        if bound & (bound - 1) == 0 {
            return i32::try_from((bound * bits) >> 31).ok();
        }
        // Java draws again where the last, incomplete stretch of numbers would favour the small ones: there its 32 bits overflow.
        while bits - bits % bound + (bound - 1) > i64::from(i32::MAX) {
            bits = i64::from(self.next(31));
        }
        i32::try_from(bits % bound).ok()
    }
}

#[cfg(test)]
mod tests;
