//! An event from its number: pure, with random access.

use std::ops::Range;

use weir_base::{Rng, Timestamp};

use crate::sensor::SENSORS;

/// Of 100,000 events so many repeat an earlier one.
const REPEATS: u64 = 5_000;
/// Of 100,000 others so many are cut off in the middle.
const CUT_OFF: u64 = 200;
/// Of 100,000 others so many lack a field that they need.
const MISSING: u64 = 300;
/// Of 100,000 others so many have a value out of range.
const OUT_OF_RANGE: u64 = 500;

/// Seconds of event time that a repeat lies behind its original at most.
const REPEAT_SECONDS_MAX: u64 = 50;
/// Milliseconds that an event is late at most.
const LATE_MS_MAX: u64 = 2_000;

/// What is simulated. The same settings give the same events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Simulation {
    /// Chooses among all simulations.
    pub seed: u64,
    /// Event time of event 0, milliseconds since the epoch.
    pub start: Timestamp,
    /// Events in a second of event time; at least 1.
    pub events_per_second: u64,
    /// Devices; at least 1.
    pub devices: u64,
    /// Sites, over which the devices are spread; at least 1.
    pub sites: u64,
}

/// What a job must make of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is valid.
    Valid,
    /// It is no JSON: cut off.
    CutOff,
    /// It lacks its id, device, time or value.
    Missing,
    /// Its value is out of its sensor's range.
    OutOfRange,
}

impl Default for Simulation {
    /// The demo's: 1,000 devices on 40 sites, 10,000 events a second, from 2026-01-01.
    fn default() -> Self {
        Self { seed: 1, start: 1_767_225_600_000, events_per_second: 10_000, devices: 1_000, sites: 40 }
    }
}

impl Simulation {
    /// The event that event `number` repeats, or `number` itself if it repeats none. At most 50 s of event time lie between them.
    pub fn original(&self, number: u64) -> u64 {
        let mut rng = self.rng(number, 1);
        if number == 0 || rng.below(100_000) >= REPEATS {
            return number;
        }
        let window = (REPEAT_SECONDS_MAX * self.events_per_second.max(1)).min(number);
        let first = number - window;
        let mut original = first + rng.below(window);
        // What it would repeat may itself be a repeat: then the one before, so that the window is kept.
        while original > first && self.is_repeat(original) {
            original -= 1;
        }
        if self.is_repeat(original) { number } else { original }
    }

    fn is_repeat(&self, number: u64) -> bool {
        number > 0 && self.rng(number, 1).below(100_000) < REPEATS
    }

    /// What a job must make of event `number`.
    pub fn fate(&self, number: u64) -> Fate {
        self.fate_of_original(self.original(number))
    }

    fn fate_of_original(&self, number: u64) -> Fate {
        const MISSING_END: u64 = CUT_OFF + MISSING;
        const RANGE_END: u64 = MISSING_END + OUT_OF_RANGE;
        match self.rng(number, 2).below(100_000) {
            0..CUT_OFF => Fate::CutOff,
            CUT_OFF..MISSING_END => Fate::Missing,
            MISSING_END..RANGE_END => Fate::OutOfRange,
            _ => Fate::Valid,
        }
    }

    /// The event time around which event `number` happens.
    pub fn time(&self, number: u64) -> Timestamp {
        let milliseconds = u128::from(number) * 1_000 / u128::from(self.events_per_second.max(1));
        self.start.saturating_add(Timestamp::try_from(milliseconds).unwrap_or(Timestamp::MAX))
    }

    /// Appends event `number` to `out`: JSON without a line end. Returns where it lies.
    pub fn write(&self, number: u64, out: &mut Vec<u8>) -> Range<usize> {
        let original = self.original(number);
        let start = out.len();
        self.write_original(original, out);
        start..out.len()
    }

    fn write_original(&self, number: u64, out: &mut Vec<u8>) {
        let fate = self.fate_of_original(number);
        let mut rng = self.rng(number, 3);
        let begin = out.len();
        let device = rng.below(self.devices.max(1));
        let sensor = &SENSORS[usize::try_from(rng.below(6)).expect("there are six kinds of sensor")];
        // Most come in time, one in five is late.
        let late = if rng.below(5) == 0 { rng.below(LATE_MS_MAX + 1) } else { rng.below(51) };
        let time = self.time(number) - Timestamp::try_from(late).expect("lateness is bounded");
        let value = match fate {
            Fate::OutOfRange => sensor.wrong_value(rng.below(2) == 0, rng.unit()),
            _ => {
                let site = self.rng(device % self.sites.max(1), 4).unit();
                let noise = rng.unit() + rng.unit() - 1.0;
                #[expect(clippy::cast_precision_loss, reason = "milliseconds since the epoch are far below 2^53")]
                let at = time as f64;
                sensor.value(at, site, self.rng(device, 5).unit(), noise)
            }
        };
        let missing = if fate == Fate::Missing { rng.below(4) } else { 9 };
        let null = rng.below(2) == 0;
        let mut object = Object { out, first: true };
        if object.field("event_id", missing == 0, null) {
            // The first half is a one-to-one image of the number: no two events share it.
            object.text(|out| hex(self.unique(number), out).and_hex(rng.next_u64()));
        }
        if object.field("device_id", missing == 1, null) {
            object.text(|out| Hex(out).and_padded("dev-", device, 5));
        }
        object.field("site_id", false, false);
        object.text(|out| Hex(out).and_padded("site-", device % self.sites.max(1), 2));
        object.field("sensor_type", false, false);
        object.text(|out| out.extend_from_slice(sensor.name.as_bytes()));
        if object.field("value", missing == 2, null) {
            hundredths(value, object.out);
        }
        object.field("unit", false, false);
        object.text(|out| out.extend_from_slice(sensor.unit.as_bytes()));
        if object.field("timestamp", missing == 3, null) {
            object.out.extend_from_slice(itoa::Buffer::new().format(time).as_bytes());
        }
        object.field("quality", false, false);
        let quality: &[u8] = if rng.below(100) < 97 { b"good" } else { b"uncertain" };
        object.text(|out| out.extend_from_slice(quality));
        object.field("metadata", false, false);
        let mut digit = || b'0' + u8::try_from(rng.below(10)).expect("a digit");
        object.out.extend_from_slice(b"{\"fw\":\"1.");
        object.out.extend_from_slice(&[digit(), b'.', digit()]);
        object.out.extend_from_slice(b"\"}}");
        if fate == Fate::CutOff {
            let length = (out.len() - begin) as u64;
            let kept = 1 + rng.below(length - 1);
            out.truncate(begin + usize::try_from(kept).expect("an event is short"));
        }
    }

    /// The randomness of event (or site, or device) `number` for one `purpose`.
    fn rng(&self, number: u64, purpose: u64) -> Rng {
        let mut rng = Rng::new(self.seed ^ number.wrapping_mul(0x9E6C_63D0_876A_68DD) ^ (purpose << 56));
        Rng::new(rng.next_u64())
    }

    /// A one-to-one image of `number` that looks random (the finalizer of MurmurHash3).
    fn unique(&self, number: u64) -> u64 {
        let mut mixed = number ^ self.seed;
        mixed = (mixed ^ (mixed >> 33)).wrapping_mul(0xFF51_AFD7_ED55_8CCD);
        mixed = (mixed ^ (mixed >> 33)).wrapping_mul(0xC4CE_B9FE_1A85_EC53);
        mixed ^ (mixed >> 33)
    }
}

/// A JSON object on its way.
struct Object<'a> {
    out: &'a mut Vec<u8>,
    first: bool,
}

impl Object<'_> {
    /// Begins a field and returns true; where it is `missing` it is left out, or written as `null`.
    fn field(&mut self, name: &str, missing: bool, null: bool) -> bool {
        if missing && !null {
            return false;
        }
        self.out.extend_from_slice(if self.first { b"{\"" } else { b",\"" });
        self.first = false;
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        if missing {
            self.out.extend_from_slice(b"null");
        }
        !missing
    }

    fn text(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        self.out.push(b'"');
        write(self.out);
        self.out.push(b'"');
    }
}

/// Writes numbers of fixed width.
struct Hex<'a>(&'a mut Vec<u8>);

fn hex(number: u64, out: &mut Vec<u8>) -> Hex<'_> {
    let mut digits = [0; 16];
    for (index, digit) in digits.iter_mut().enumerate() {
        *digit = b"0123456789abcdef"[(number >> (60 - 4 * index)) as usize & 15];
    }
    out.extend_from_slice(&digits);
    Hex(out)
}

impl Hex<'_> {
    fn and_hex(self, number: u64) {
        hex(number, self.0);
    }

    fn and_padded(self, prefix: &str, number: u64, width: usize) {
        self.0.extend_from_slice(prefix.as_bytes());
        let mut buffer = itoa::Buffer::new();
        let digits = buffer.format(number);
        (digits.len()..width).for_each(|_| self.0.push(b'0'));
        self.0.extend_from_slice(digits.as_bytes());
    }
}

/// Writes `value` with two decimals, without zeros at the end.
fn hundredths(value: f64, out: &mut Vec<u8>) {
    #[expect(clippy::cast_possible_truncation, reason = "all values lie far inside 2^53 hundredths")]
    let hundredths = (value * 100.0).round() as i64;
    if hundredths < 0 {
        out.push(b'-');
    }
    let hundredths = hundredths.unsigned_abs();
    out.extend_from_slice(itoa::Buffer::new().format(hundredths / 100).as_bytes());
    let digit = |digit: u64| b'0' + u8::try_from(digit).expect("a digit");
    match (hundredths % 100 / 10, hundredths % 10) {
        (tenths, 0) => out.extend_from_slice(&[b'.', digit(tenths)]),
        (tenths, rest) => out.extend_from_slice(&[b'.', digit(tenths), digit(rest)]),
    }
}

#[cfg(test)]
#[path = "event/tests.rs"]
mod tests;
