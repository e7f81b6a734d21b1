//! The flat table of seen keys: a 96-bit fingerprint and an expiry in a slot of 16 bytes, open addressing in many small shards.
//!
//! A fingerprint is the upper 96 bits of the key's hash, so it names the key group too. With n live keys the odds that a new key is taken for a seen one
//! are n / 2^96 each. Shards grow one at a time, at loads spread from 0.6 to 0.8, so that no batch waits for more than a few of them; a slot whose key has
//! expired is used again, and growing drops such slots. The table knows nothing of batches and checkpoints.

use std::time::Duration;

use weir_base::Timestamp;

use crate::keys::KeyHash;

/// The lower 32 bits of a slot: when it expires, in ticks after its shard's base.
const STAMP: u128 = 0xffff_ffff;
/// The stamp of a slot that was never used.
const EMPTY: u32 = 0;
/// The stamp of a key that does not expire.
const NEVER: u32 = u32::MAX;
/// The latest stamp of a key that does.
const STAMP_MAX: i64 = NEVER as i64 - 1;
/// Ticks that a time to live has at most: beyond it, ticks are seconds rather than milliseconds.
const TTL_TICKS_MAX: i64 = 1 << 30;
const SHARDS: usize = 1024;
const SHARD_SLOTS_MIN: usize = 16;
/// Ticks between the bases of two neighbouring shards: they run out of stamps one after another.
const BASE_STAGGER: i64 = 1 << 20;

/// A set of fingerprints that expire.
pub struct Fingerprints {
    shards: Vec<Shard>,
    ttl_ms: Option<i64>,
    tick_ms: i64,
    started: bool,
    slots_moved: u64,
}

struct Shard {
    slots: Vec<u128>,
    used: usize,
    /// Grows when more slots than this are used.
    used_max: usize,
    /// The tick of stamp 0.
    base: i64,
}

/// A moment in ticks, the same for all rows of a batch.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    now: i64,
    expiry: Option<i64>,
    /// When a key that is new at this moment expires; `Timestamp::MAX`: never.
    pub expires: Timestamp,
}

impl Fingerprints {
    /// An empty set whose keys live for `ttl` after they were first seen; zero: for good.
    pub fn new(ttl: Duration) -> Self {
        let ttl_ms = i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX).min(TTL_TICKS_MAX * 1000);
        let tick_ms = if ttl_ms <= TTL_TICKS_MAX { 1 } else { 1000 };
        let shards = (0..SHARDS).map(Shard::new).collect();
        Self { shards, ttl_ms: (ttl_ms > 0).then_some(ttl_ms), tick_ms, started: false, slots_moved: 0 }
    }

    /// The moment `now`; every use of the table takes one.
    pub fn moment(&mut self, now: Timestamp) -> Moment {
        let tick = now.div_euclid(self.tick_ms);
        if !self.started {
            self.started = true;
            (0..).zip(&mut self.shards).for_each(|(index, shard)| shard.base = tick - 1 - index * BASE_STAGGER);
        }
        let expiry = self.ttl_ms.map(|ttl| ticks_up(now.saturating_add(ttl), self.tick_ms));
        let expires = expiry.map_or(Timestamp::MAX, |expiry| expiry.saturating_mul(self.tick_ms));
        Moment { now: tick, expiry, expires }
    }

    /// Asks the processor to fetch the slot of `hash`, which will be wanted soon.
    #[inline]
    pub fn prefetch(&self, hash: KeyHash) {
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            let slots = &self.shards[shard_of(hash)].slots;
            let slot: *const u128 = &slots[index_of(hash, slots.len())];
            // SAFETY: the pointer is that of a slot in the table; a prefetch reads nothing that the program could see.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(slot.cast()) };
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = hash;
    }

    /// Adds the key with this hash; whether it is new at `moment`, that is not there or expired.
    #[inline]
    pub fn insert(&mut self, hash: KeyHash, moment: Moment) -> bool {
        let shard = &mut self.shards[shard_of(hash)];
        let stamp = match moment.expiry {
            None => NEVER,
            Some(expiry) => {
                if expiry - shard.base > STAMP_MAX {
                    self.slots_moved += shard.rebase(moment.now);
                }
                stamp_after(expiry - shard.base)
            }
        };
        let now = shard.now(moment);
        let fresh = shard.insert(hash, stamp, now, false);
        if shard.used > shard.used_max {
            self.slots_moved += shard.rebuild(now, shard_of(hash));
        }
        fresh
    }

    /// Puts back a fingerprint that expires at `expires` (`Timestamp::MAX`: never), replacing an earlier expiry.
    pub fn restore(&mut self, fingerprint: KeyHash, expires: Timestamp, moment: Moment) {
        if expires == Timestamp::MAX {
            self.put(fingerprint, NEVER, moment);
        } else {
            let stamp = stamp_after(ticks_up(expires, self.tick_ms) - self.shards[shard_of(fingerprint)].base);
            self.put(fingerprint, stamp, moment);
        }
    }

    fn put(&mut self, fingerprint: KeyHash, stamp: u32, moment: Moment) {
        let shard = &mut self.shards[shard_of(fingerprint)];
        let now = shard.now(moment);
        shard.insert(fingerprint, stamp, now, true);
        if shard.used > shard.used_max {
            self.slots_moved += shard.rebuild(now, shard_of(fingerprint));
        }
    }

    /// Slots visited so far to grow or clean shards: the work that a batch does beyond its own rows.
    #[cfg_attr(not(test), expect(dead_code, reason = "tests bound the work and the memory by it"))]
    pub fn slots_moved(&self) -> u64 {
        self.slots_moved
    }

    /// Bytes of all slots.
    pub fn bytes(&self) -> usize {
        self.shards.iter().map(|shard| shard.slots.len() * size_of::<u128>()).sum()
    }
}

impl Shard {
    fn new(index: usize) -> Self {
        Self { slots: vec![0; SHARD_SLOTS_MIN], used: 0, used_max: used_max(index, SHARD_SLOTS_MIN), base: 0 }
    }

    /// `moment` after the base; what has a stamp up to there is dead.
    #[inline]
    fn now(&self, moment: Moment) -> u32 {
        u32::try_from((moment.now - self.base).clamp(0, STAMP_MAX)).expect("clamped to 32 bits")
    }

    /// Adds a fingerprint, in a dead slot where it meets one; whether it was not there or dead. `replace` sets the stamp of one that lives.
    #[inline]
    fn insert(&mut self, hash: KeyHash, stamp: u32, now: u32, replace: bool) -> bool {
        let fingerprint = hash & !STAMP;
        let mask = self.slots.len() - 1;
        let mut index = index_of(hash, self.slots.len());
        let mut dead = None;
        let fresh = loop {
            let slot = self.slots[index];
            let slot_stamp = stamp_of(slot);
            if slot_stamp == EMPTY {
                self.used += usize::from(dead.is_none());
                break true;
            }
            if slot & !STAMP == fingerprint {
                let lives = slot_stamp > now;
                if lives && !replace {
                    return false;
                }
                dead = Some(index);
                break !lives;
            }
            if slot_stamp <= now && dead.is_none() {
                dead = Some(index);
            }
            index = (index + 1) & mask;
        };
        self.slots[dead.unwrap_or(index)] = fingerprint | u128::from(stamp);
        fresh
    }

    /// Moves what lives into slots of a fitting number; gives the slots visited.
    #[cold]
    fn rebuild(&mut self, now: u32, shard: usize) -> u64 {
        let live = self.slots.iter().filter(|slot| stamp_of(**slot) > now).count();
        let mut count = SHARD_SLOTS_MIN;
        // Room for a quarter as many new keys as live ones: less would rebuild too often, more would leave too many slots unused.
        while live * 5 > used_max(shard, count) * 4 && count <= self.slots.len() {
            count *= 2;
        }
        let old = std::mem::replace(&mut self.slots, vec![0; count]);
        let mask = count - 1;
        for slot in old.iter().filter(|slot| stamp_of(**slot) > now) {
            let mut index = index_of(*slot, count);
            while stamp_of(self.slots[index]) != EMPTY {
                index = (index + 1) & mask;
            }
            self.slots[index] = *slot;
        }
        self.used = live;
        self.used_max = used_max(shard, count);
        old.len() as u64
    }

    /// Counts stamps from the tick before `now`; gives the slots visited. What is dead stays so.
    #[cold]
    fn rebase(&mut self, now: i64) -> u64 {
        let shift = now - 1 - self.base;
        self.base += shift;
        for slot in &mut self.slots {
            let stamp = stamp_of(*slot);
            if stamp != EMPTY && stamp != NEVER {
                *slot = *slot & !STAMP | u128::from(stamp_after(i64::from(stamp) - shift));
            }
        }
        self.slots.len() as u64
    }
}

/// Used slots at which a shard with `slots` grows: 0.6 to 0.8 of them, by the shard's number.
fn used_max(shard: usize, slots: usize) -> usize {
    slots * (6 * SHARDS + 2 * shard) / (10 * SHARDS)
}

/// `time` in ticks, rounded up: no key expires early.
fn ticks_up(time: Timestamp, tick_ms: i64) -> i64 {
    time.div_euclid(tick_ms) + i64::from(time.rem_euclid(tick_ms) > 0)
}

/// The stamp of an expiry so many ticks after the base; at the base or before it a key is dead already.
#[inline]
fn stamp_after(ticks: i64) -> u32 {
    u32::try_from(ticks.clamp(1, STAMP_MAX)).expect("clamped to 32 bits")
}

#[inline]
fn stamp_of(slot: u128) -> u32 {
    u32::try_from(slot & STAMP).expect("masked to 32 bits")
}

/// The shard of a hash: bits that neither the key group nor the index use.
#[inline]
fn shard_of(hash: KeyHash) -> usize {
    usize::try_from((hash >> 32) % SHARDS as u128).expect("below the number of shards")
}

/// The first slot to look at, of `slots`, a power of two.
#[inline]
fn index_of(hash: KeyHash, slots: usize) -> usize {
    let bits = usize::try_from((hash >> 42) & 0xffff_ffff).expect("masked to 32 bits");
    bits & (slots - 1)
}

#[cfg(test)]
#[path = "fingerprints/tests.rs"]
mod tests;
