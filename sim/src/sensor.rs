//! The kinds of sensors: what they measure, in which range it is valid, and how it moves over a day.

use std::f64::consts::TAU;

/// A kind of sensor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sensor {
    /// `sensor_type`
    pub name: &'static str,
    /// `unit`
    pub unit: &'static str,
    /// The least valid value, inclusive.
    pub least: f64,
    /// The greatest valid value, inclusive.
    pub greatest: f64,
    mean: f64,
    /// How far the day moves it.
    day: f64,
    noise: f64,
    /// How far a device strays from the truth before it is calibrated.
    drift: f64,
}

/// All kinds.
pub const SENSORS: [Sensor; 6] = [
    sensor("temperature", "C", (-50.0, 150.0), 22.0, 8.0, 0.8, 3.0),
    sensor("humidity", "%", (0.0, 100.0), 55.0, 15.0, 3.0, 5.0),
    sensor("pressure", "hPa", (300.0, 1100.0), 1013.0, 6.0, 1.5, 4.0),
    sensor("vibration", "mm/s", (0.0, 500.0), 12.0, 4.0, 2.0, 3.0),
    sensor("voltage", "V", (0.0, 600.0), 230.0, 4.0, 1.5, 3.0),
    sensor("co2", "ppm", (0.0, 10_000.0), 650.0, 220.0, 40.0, 60.0),
];

const DAY_MS: f64 = 86_400_000.0;

/// Days from one calibration of a device to the next.
const CALIBRATION_DAYS: f64 = 30.0;

const fn sensor(
    name: &'static str,
    unit: &'static str,
    (least, greatest): (f64, f64),
    mean: f64,
    day: f64,
    noise: f64,
    drift: f64,
) -> Sensor {
    Sensor { name, unit, least, greatest, mean, day, noise, drift }
}

impl Sensor {
    /// A value at `time_ms`: the day's rhythm, shifted by `phase` (0 to 1) for the site; the drift of the device, at `phase_of_device` of its calibration
    /// cycle; and `noise` (-1 to 1).
    pub(crate) fn value(&self, time_ms: f64, phase: f64, phase_of_device: f64, noise: f64) -> f64 {
        let days = time_ms / DAY_MS;
        let rhythm = (TAU * (days + phase)).sin();
        let since_calibration = (days / CALIBRATION_DAYS + phase_of_device).fract();
        self.mean + self.day * rhythm + self.drift * (2.0 * since_calibration - 1.0) + self.noise * noise
    }

    /// A value out of range, by `how_far` (0 to 1), above or below.
    pub(crate) fn wrong_value(&self, above: bool, how_far: f64) -> f64 {
        let span = (self.greatest - self.least) * (0.01 + how_far);
        if above { self.greatest + span } else { self.least - span }
    }
}
