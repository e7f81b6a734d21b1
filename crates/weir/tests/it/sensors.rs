//! Real sensor series through a job of four sources: parsed, validated, made unique, summed by the hour; against rows that
//! `awk` works out from the same files (`sensors/*.awk`, which know nothing of Weir).
//!
//! The series lie in `$WEIR_SHARED/data/sensors`, else in `../shared` beside the checkout.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::binary::Place;

/// Each series: its name in the job, its file, the range in which it is valid.
const SERIES: [(&str, &str, &str, &str); 4] = [
    ("cpu", "ec2_cpu_utilization_5f5533.csv", "0", "100"),
    ("disk", "ec2_disk_write_bytes_1ef3de.csv", "0", ""),
    ("network", "ec2_network_in_257a54.csv", "0", ""),
    ("machine", "machine_temperature_system_failure.csv", "10", "105"),
];

/// The folder of the series, or `None` where it is not there: said loudly, and a failure under CI.
fn sensors(test: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let folder = std::env::var_os("WEIR_SHARED").map_or_else(beside, PathBuf::from).join("data/sensors");
    if folder.is_dir() {
        return Some(folder);
    }
    let message = format!("{test} needs the sensor series in {}: set WEIR_SHARED", folder.display());
    assert!(std::env::var("CI").is_err(), "{message}");
    eprintln!("SKIPPED: {message}");
    None
}

/// The lines that a program of `awk` gives for `file`.
fn awk(program: &str, variables: &[String], file: &Path) -> Vec<String> {
    let mut awk = Command::new("awk");
    for variable in variables {
        awk.args(["-v", variable]);
    }
    let output = awk.args(["--", program]).arg(file).output().expect("awk is installed: it is part of every Unix");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("awk writes ASCII").lines().map(str::to_owned).collect()
}

/// The committed rows of the job as awk writes them: the values of `columns`, with commas between them.
fn rows(place: &Place, columns: &[&str]) -> Vec<String> {
    let row = |line: &String| {
        let row: Value = serde_json::from_str(line).expect("the job writes JSON");
        let texts = columns.iter().map(|column| match &row[column] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        });
        texts.collect::<Vec<_>>().join(",")
    };
    let mut rows: Vec<String> = place.lines("out").iter().map(row).collect();
    rows.sort();
    rows
}

/// Whether two rows agree: texts and counts exactly, sums but for the order in which they were added up.
fn agree(wanted: &str, got: &str) -> bool {
    let (wanted, got): (Vec<&str>, Vec<&str>) = (wanted.split(',').collect(), got.split(',').collect());
    let same = |(wanted, got): (&&str, &&str)| match (wanted.parse::<f64>(), got.parse::<f64>()) {
        (Ok(wanted), Ok(got)) => (wanted - got).abs() <= wanted.abs() * 1e-12,
        _ => wanted == got,
    };
    wanted.len() == got.len() && wanted.iter().zip(&got).all(same)
}

#[track_caller]
fn assert_rows(what: &str, mut wanted: Vec<String>, got: &[String]) {
    wanted.sort();
    let differing = wanted.iter().zip(got).find(|(wanted, got)| !agree(wanted, got));
    assert_eq!(differing, None, "{what}: awk's row, and Weir's");
    assert_eq!(wanted.len(), got.len(), "{what}");
}

#[test]
fn hourly_sums_of_four_real_series_are_those_of_awk() {
    let Some(folder) = sensors("hourly_sums_of_four_real_series_are_those_of_awk") else { return };
    let mut wanted = Vec::new();
    for (series, file, low, high) in SERIES {
        let variables = [format!("series={series}"), format!("low={low}"), format!("high={high}")];
        wanted.extend(awk(include_str!("sensors/hourly.awk"), &variables, &folder.join(file)));
    }
    assert_eq!(wanted.len(), 2_959, "the series are those that the test was written for");
    let path = format!("SENSORS={}", folder.display());
    let columns = ["series", "window_start", "readings", "total", "mean", "low", "high"];
    for (parallelism, args) in [("1", &[][..]), ("1", &["-D", "weir.batch.rows-max=7"]), ("4", &[])] {
        let place = Place::new();
        let parallelism = format!("PARALLELISM={parallelism}");
        let mut all = vec!["--var", &path, "--var", &parallelism];
        all.extend(args);
        place.run(include_str!("sensors/hourly.sql"), &all).ok();
        assert_rows(&format!("{all:?}"), wanted.clone(), &rows(&place, &columns));
    }
}

#[test]
fn readings_of_an_hour_that_comes_twice_are_late_where_awk_says_so() {
    let Some(folder) = sensors("readings_of_an_hour_that_comes_twice_are_late_where_awk_says_so") else { return };
    let mut wanted = awk(include_str!("sensors/late.awk"), &[], &folder.join("machine_temperature_system_failure.csv"));
    assert_eq!(wanted.pop().as_deref(), Some("late,10"));
    let path = format!("SENSORS={}", folder.display());
    for rows_max in ["weir.batch.rows-max=8192", "weir.batch.rows-max=1"] {
        let place = Place::new();
        place.run(include_str!("sensors/late.sql"), &["--var", &path, "-D", rows_max]).ok();
        assert_rows(rows_max, wanted.clone(), &rows(&place, &["window_start", "readings", "total", "low", "high"]));
    }
}
