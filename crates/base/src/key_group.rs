//! Key groups: the grain in which keyed state is split, written and rescaled. A key's group never changes while the maximum parallelism stays.

use std::ops::Range;

/// The key group of a key whose canonical bytes hash to `hash`, in `0..max_parallelism`.
#[inline]
pub fn key_group_of_hash(hash: u64, max_parallelism: u16) -> u16 {
    // The high bits choose the group, the low ones stay free for tables inside it.
    let group = (u128::from(hash) * u128::from(max_parallelism)) >> 64;
    u16::try_from(group).expect("a group is below the maximum parallelism, which is a u16")
}

/// The subtask that owns `group`: Flink's formula, `group * parallelism / max_parallelism`.
#[inline]
pub fn subtask_of_key_group(group: u16, max_parallelism: u16, parallelism: u16) -> u16 {
    let subtask = u32::from(group) * u32::from(parallelism) / u32::from(max_parallelism);
    u16::try_from(subtask).expect("a subtask is below the parallelism, which is a u16")
}

/// The key groups that `subtask` owns: half-open, Flink's formula.
pub fn key_group_range(subtask: u16, max_parallelism: u16, parallelism: u16) -> Range<u16> {
    let bound = |index: u32| {
        let (max, parallelism) = (u32::from(max_parallelism), u32::from(parallelism));
        u16::try_from((index * max).div_ceil(parallelism)).expect("a bound is at most the maximum parallelism")
    };
    bound(u32::from(subtask))..bound(u32::from(subtask) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_group_is_owned_by_the_subtask_whose_range_holds_it() {
        for max in [1u16, 7, 128, 1000, 32768] {
            for parallelism in [1u16, 2, 3, 8, 32].into_iter().filter(|p| *p <= max) {
                let mut owned = 0;
                for subtask in 0..parallelism {
                    for group in key_group_range(subtask, max, parallelism) {
                        assert_eq!(subtask_of_key_group(group, max, parallelism), subtask);
                        owned += 1;
                    }
                }
                assert_eq!(owned, max);
            }
        }
    }

    #[test]
    fn the_group_of_a_hash_is_fixed_by_golden_values() {
        assert_eq!(key_group_of_hash(0, 128), 0);
        assert_eq!(key_group_of_hash(u64::MAX, 128), 127);
        assert_eq!(key_group_of_hash(u64::MAX / 2, 128), 63);
    }
}
