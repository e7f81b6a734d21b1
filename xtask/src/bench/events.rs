//! Sensor events to measure with: made from a seed, the same bytes for the same seed, and known to the last row.
//!
//! An event is a function of its number alone, so a duplicate is the same line again and nothing has to be remembered: what a job must make of the
//! events is counted while they are written. Names, order and number of fields are a [`Shape`], so that no measurement depends on one schema.

use std::io::{self, BufWriter, Write};
use std::path::Path;

/// Events of a second of event time.
const EVENTS_PER_SECOND: u64 = 10_000;

/// Milliseconds since the epoch of the first event.
const FIRST_MS: u64 = 1_767_225_600_000;

/// How far back a duplicate's first event lies at most: 50 seconds.
const DUPLICATE_EVENTS: u64 = 50 * EVENTS_PER_SECOND;

/// Devices, spread over [`SITES`].
const DEVICES: u64 = 10_000;

/// Sites.
const SITES: u64 = 40;

/// One in so many events is one that came before.
const ONE_DUPLICATE_IN: u64 = 20;

/// What a sensor is called, its unit, and the lowest and highest value that it can measure.
pub const SENSORS: [(&str, &str, i32, i32); 6] = [
    ("temperature", "C", -50, 150),
    ("humidity", "%", 0, 100),
    ("pressure", "hPa", 300, 1100),
    ("vibration", "Hz", 0, 500),
    ("voltage", "V", 0, 600),
    ("co2", "ppm", 0, 10_000),
];

/// A field of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// 32 hexadecimal digits.
    Event,
    /// `device-00042`.
    Device,
    /// `site-07`.
    Site,
    /// The kind of sensor.
    Sensor,
    /// What was measured.
    Value,
    /// Its unit.
    Unit,
    /// Milliseconds since the epoch.
    Time,
    /// `good` or `uncertain`.
    Quality,
    /// An object with the firmware's version.
    Metadata,
    /// A counter: in shapes with more fields.
    Sequence,
    /// A battery's charge: in shapes with more fields.
    Battery,
}

/// The fields of events: names and order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// Each field with its name.
    pub fields: Vec<(Role, String)>,
}

/// What was written, and what the jobs must make of it.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Lines.
    pub lines: u64,
    /// Bytes with line ends.
    pub bytes: u64,
    /// Events in which nothing is missing or out of range.
    pub valid: u64,
    /// Different ones among them.
    pub unique: u64,
}

/// Numbers in no order, from a seed: the 64-bit finalizer of splitmix.
#[derive(Debug, Clone, Copy)]
pub struct Dice(u64);

/// What an event's number decides about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
    None,
    CutOff,
    OutOfRange,
    Missing,
}

impl Dice {
    /// Numbers of `seed`.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    /// The order of `items` changed.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = usize::try_from(self.below(last as u64 + 1)).unwrap_or(0);
            items.swap(last, other);
        }
    }
}

impl Shape {
    /// The fields of the shipped telemetry job.
    pub fn telemetry() -> Self {
        let names = [
            (Role::Event, "event_id"),
            (Role::Device, "device_id"),
            (Role::Site, "site_id"),
            (Role::Sensor, "sensor_type"),
            (Role::Value, "value"),
            (Role::Unit, "unit"),
            (Role::Time, "timestamp"),
            (Role::Quality, "quality"),
            (Role::Metadata, "metadata"),
        ];
        Self { fields: names.map(|(role, name)| (role, name.to_owned())).to_vec() }
    }

    /// The same fields under other names in another order, and two more: all from `dice`.
    pub fn other(dice: &mut Dice) -> Self {
        let mut fields = Self::telemetry().fields;
        fields.extend([(Role::Sequence, String::new()), (Role::Battery, String::new())]);
        dice.shuffle(&mut fields);
        for (index, (_, name)) in fields.iter_mut().enumerate() {
            let letters = 4 + dice.below(9);
            let word: String = (0..letters).map(|_| letter(dice)).collect();
            *name = format!("{word}{index}");
        }
        Self { fields }
    }

    /// The name of the field for `role`; empty when the shape has none.
    pub fn name(&self, role: Role) -> &str {
        self.fields.iter().find(|(known, _)| *known == role).map_or("", |(_, name)| name)
    }
}

fn letter(dice: &mut Dice) -> char {
    char::from(b'a' + u8::try_from(dice.below(26)).unwrap_or(0))
}

/// Writes `events` events of `seed` into the file at `path`, parted over `parts` files (`path` with `-N` then) where that is more than one.
///
/// # Errors
/// The disk's.
pub fn write(path: &Path, shape: &Shape, events: u64, seed: u64, parts: u64) -> io::Result<Written> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut files = (0..parts)
        .map(|part| {
            let path = if parts == 1 { path.to_owned() } else { path.with_extension(format!("{part}.json")) };
            std::fs::File::create(path).map(|file| BufWriter::with_capacity(1 << 20, file))
        })
        .collect::<io::Result<Vec<_>>>()?;
    let mut written = Written::default();
    let mut line = Vec::with_capacity(512);
    for number in 0..events {
        line.clear();
        let (which, flaw) = event(number, seed);
        append(&mut line, shape, which, number, seed, flaw);
        written.lines += 1;
        written.bytes += line.len() as u64;
        if flaw == Flaw::None {
            written.valid += 1;
            written.unique += u64::from(which == number);
        }
        let file = usize::try_from(number % parts).unwrap_or(0);
        files[file].write_all(&line)?;
    }
    files.iter_mut().try_for_each(Write::flush)?;
    Ok(written)
}

/// Which event stands at `number`: itself or, as a duplicate, one before; and what is wrong with it.
fn event(number: u64, seed: u64) -> (u64, Flaw) {
    let mut dice = Dice::new(seed ^ number.wrapping_mul(0xD1B5_4A32_D192_ED03));
    let is_duplicate = number > 0 && dice.below(ONE_DUPLICATE_IN) == 0;
    if is_duplicate {
        let back = 1 + dice.below(DUPLICATE_EVENTS.min(number));
        // A duplicate of a duplicate is one of that one's first event.
        return event(number - back, seed);
    }
    let flaw = match dice.below(1_000) {
        0..2 => Flaw::CutOff,
        2..7 => Flaw::OutOfRange,
        7..10 => Flaw::Missing,
        _ => Flaw::None,
    };
    (number, flaw)
}

/// Appends the line of event `which`, seen at `number`.
fn append(line: &mut Vec<u8>, shape: &Shape, which: u64, number: u64, seed: u64, flaw: Flaw) {
    let mut dice = Dice::new(seed.rotate_left(17) ^ which.wrapping_mul(0xA076_1D64_78BD_642F));
    let (high, low) = (dice.next(), dice.next());
    let device = dice.below(DEVICES);
    let (sensor, unit, lowest, highest) = SENSORS[usize::try_from(device % 6).unwrap_or(0)];
    let span = u64::from(highest.abs_diff(lowest));
    let hundredths = i64::from(lowest) * 100 + i64::try_from(dice.below(span * 100)).unwrap_or(0);
    let hundredths = if flaw == Flaw::OutOfRange { i64::from(highest) * 100 + 12_345 } else { hundredths };
    let time = FIRST_MS + which * 1_000 / EVENTS_PER_SECOND + 2_000 - dice.below(4_000);
    let quality = if dice.below(50) == 0 { "uncertain" } else { "good" };
    let missing = [Role::Event, Role::Device, Role::Value, Role::Time][usize::try_from(dice.below(4)).unwrap_or(0)];
    let (major, minor, charge) = (1 + device % 4, device % 10, 20 + which % 80);
    let mut separator = '{';
    let mut put = |role: Role, name: &str, line: &mut Vec<u8>| {
        if flaw == Flaw::Missing && role == missing {
            return Ok(());
        }
        write!(line, "{separator}\"{name}\":")?;
        separator = ',';
        match role {
            Role::Event => write!(line, "\"{high:016x}{low:016x}\""),
            Role::Device => write!(line, "\"device-{device:05}\""),
            Role::Site => write!(line, "\"site-{:02}\"", device % SITES),
            Role::Sensor => write!(line, "\"{sensor}\""),
            Role::Value => {
                let sign = if hundredths < 0 { "-" } else { "" };
                write!(line, "{sign}{}.{:02}", hundredths.abs() / 100, hundredths.abs() % 100)
            }
            Role::Unit => write!(line, "\"{unit}\""),
            Role::Time => write!(line, "{time}"),
            Role::Quality => write!(line, "\"{quality}\""),
            Role::Metadata => write!(line, "{{\"fw\":\"{major}.{minor}.0\"}}"),
            Role::Sequence => write!(line, "{which}"),
            Role::Battery => write!(line, "{charge}.5"),
        }
    };
    let all: io::Result<()> = shape.fields.iter().try_for_each(|(role, name)| put(*role, name, line));
    all.expect("writing into memory cannot fail");
    if flaw == Flaw::CutOff {
        let kept = line.len() / 2 + usize::try_from(number % 7).unwrap_or(0);
        line.truncate(kept);
    } else {
        line.push(b'}');
    }
    line.push(b'\n');
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    fn folder(name: &str) -> std::path::PathBuf {
        std::env::temp_dir().join(format!("weir-events-{name}-{}", std::process::id()))
    }

    #[test]
    fn what_is_told_of_the_events_is_what_a_json_parser_finds() {
        let folder = folder("told");
        let mut dice = Dice::new(3);
        for shape in [Shape::telemetry(), Shape::other(&mut dice)] {
            let path = folder.join("events.json");
            let written = write(&path, &shape, 20_000, 7, 1).unwrap();
            let text = std::fs::read_to_string(&path).unwrap();
            let parsed: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
            let is_valid = |event: &Value| {
                let get = |role| event.get(shape.name(role));
                let range = SENSORS.iter().find(|(name, ..)| get(Role::Sensor).unwrap() == name).unwrap();
                let in_range = |value: f64| (f64::from(range.2)..=f64::from(range.3)).contains(&value);
                get(Role::Event).is_some()
                    && get(Role::Device).is_some()
                    && get(Role::Time).is_some()
                    && get(Role::Value).and_then(Value::as_f64).is_some_and(in_range)
            };
            let valid: Vec<&Value> = parsed.iter().filter(|event| is_valid(event)).collect();
            let unique: BTreeSet<&str> =
                valid.iter().map(|event| event[shape.name(Role::Event)].as_str().unwrap()).collect();
            assert!(parsed.len() < 20_000, "some events are cut off");
            assert_eq!(
                written,
                Written {
                    lines: 20_000,
                    bytes: text.len() as u64,
                    valid: valid.len() as u64,
                    unique: unique.len() as u64
                }
            );
        }
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn one_seed_gives_one_file_however_it_is_parted() {
        let folder = folder("seed");
        let shape = Shape::telemetry();
        let whole = write(&folder.join("a.json"), &shape, 1_000, 1, 1).unwrap();
        assert_eq!(whole, write(&folder.join("b.json"), &shape, 1_000, 1, 4).unwrap());
        let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
        let lines: Vec<String> = read("a.json").lines().map(str::to_owned).collect();
        let second: Vec<String> = lines.iter().skip(1).step_by(4).cloned().collect();
        assert_eq!(read("b.1.json").lines().map(str::to_owned).collect::<Vec<_>>(), second);
        assert_ne!(whole, write(&folder.join("c.json"), &shape, 1_000, 2, 1).unwrap());
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn other_shapes_have_other_names_for_the_same_fields_and_two_more() {
        let (telemetry, other) = (Shape::telemetry(), Shape::other(&mut Dice::new(5)));
        assert_eq!(other.fields.len(), telemetry.fields.len() + 2);
        for (role, name) in &telemetry.fields {
            assert!(!other.name(*role).is_empty() && other.name(*role) != name);
        }
    }
}
