//! A case in several processes, one after another: each is killed between two rows, what it has consumed is taken away, the next one goes on.
//!
//! Owns where a case is cut and what becomes of its input. A process is killed as soon as a checkpoint is complete that holds what its sources have given
//! (`weir/src/kill_at_rows.rs`); they give no more than that, so no row is printed twice. A file that was read to its end is deleted; of one
//! that was not, the consumed bytes are written over: who read them again would lose the row behind them, too.

use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use weir_base::Rng;

use crate::binary::{Place, Ran, wait};
use crate::case::Case;

/// Restores of a case at most. A shorter one is restored after each row and at the end of each file.
const RESTORES_MAX: usize = 8;

/// How long a process may take; it takes a tenth of a second.
const PROCESS_TIMEOUT: Duration = Duration::from_secs(60);

/// How often it is looked at.
const POLL: Duration = Duration::from_millis(2);

/// The rows of `case` over all its processes, of which each runs at the next of `parallelisms`, and again from the first.
///
/// # Errors
/// A process ends in another way than it should, with what it said.
pub fn rows(case: &Case, settings: &[&str], parallelisms: &[&str]) -> Result<Vec<String>, String> {
    rows_in(&Place::new(), case, settings, parallelisms)
}

/// The same in a folder of the caller's, who may look at what else was written there.
///
/// # Errors
/// As `rows`.
pub fn rows_in(place: &Place, case: &Case, settings: &[&str], parallelisms: &[&str]) -> Result<Vec<String>, String> {
    case.write_inputs(&place.path("")).map_err(|error| error.to_string())?;
    place.write("job.sql", case.script_in(&place.path("")));
    let mut rows = Vec::new();
    let mut parallelisms = parallelisms.iter().cycle();
    for (process, things) in steps(case).into_iter().map(Some).chain([None]).enumerate() {
        let parallelism = parallelisms.next().expect("there is a parallelism");
        let at = || format!("{} rows, parallelism {parallelism}", rows.len());
        let ran = run(place, settings, parallelism, things).map_err(|wrong| format!("{}: {wrong}", at()))?;
        rows.extend(ran.out.lines().map(str::to_owned));
        match ran.code {
            None => take_consumed_away(&place.path("reached")).map_err(|error| error.to_string())?,
            Some(0) if process == 0 && things.is_some() => return Err("the first process was not killed".to_owned()),
            // Some inputs give less than they have lines: files that are skipped, empty lines of JSON.
            Some(0) => return Ok(rows),
            Some(code) => return Err(format!("after {} rows: exit code {code}\n{}", rows.len(), ran.err.trim_end())),
        }
    }
    Ok(rows)
}

/// How many things (rows, ends of files) each process gives before it is killed.
fn steps(case: &Case) -> Vec<u64> {
    let things = case.inputs.iter().map(|(_, text)| text.lines().count() as u64 + 1).sum::<u64>();
    let mut cuts: Vec<u64> = (1..=things).collect();
    // The same places in every run: they hang on the case alone.
    let seed = case
        .name
        .bytes()
        .chain(things.to_le_bytes())
        .fold(1u64, |seed, byte| seed.wrapping_mul(31).wrapping_add(u64::from(byte)));
    let mut rng = Rng::new(seed);
    while cuts.len() > RESTORES_MAX {
        let index = usize::try_from(rng.below(cuts.len() as u64)).expect("an index");
        cuts.remove(index);
    }
    let before = [0].into_iter().chain(cuts.clone());
    cuts.iter().zip(before).map(|(cut, before)| cut - before).collect()
}

/// One process of the case: killed after `things`, else run to its end.
fn run(place: &Place, settings: &[&str], parallelism: &str, things: Option<u64>) -> Result<Ran, String> {
    let fixed = ["run", "job.sql", "--resume", "-D", "metrics.reporter.prom.port=21000-29999", "-p", parallelism];
    let mut command = place.weir(fixed);
    command.args(settings).stdout(Stdio::piped()).stderr(Stdio::piped());
    if let Some(things) = things {
        command.args(["-D", "execution.checkpointing.interval=5 ms"]);
        command.env("WEIR_KILL_AT_ROW", things.to_string()).env("WEIR_KILL_POSITIONS", place.path("reached"));
    }
    let mut child = command.spawn().map_err(|error| error.to_string())?;
    let mut waited = Duration::ZERO;
    while child.try_wait().map_err(|error| error.to_string())?.is_none() {
        if waited > PROCESS_TIMEOUT {
            child.kill().map_err(|error| error.to_string())?;
            let ran = Ran::of(child.wait_with_output().map_err(|error| error.to_string())?);
            return Err(format!("it has not ended within {PROCESS_TIMEOUT:?}\n{}\n{}", ran.out, ran.err));
        }
        wait(POLL);
        waited += POLL;
    }
    let output = child.wait_with_output().map_err(|error| error.to_string())?;
    match output.status.signal() {
        None | Some(libc::SIGKILL) => Ok(Ran::of(output)),
        Some(signal) => Err(format!("signal {signal}\n{}", Ran::of(output).err)),
    }
}

/// Deletes the files that were read to their end, and writes over what was read of the others; `reached` says how far that is.
fn take_consumed_away(reached: &Path) -> std::io::Result<()> {
    for line in std::fs::read_to_string(reached)?.lines() {
        let (offset, path) = line.split_once('\t').expect("a line is `<offset> <path>`");
        if !Path::new(path).is_absolute() {
            // Rows that are generated, as those of VALUES are: there is nothing to take away.
            continue;
        }
        match offset.parse::<usize>() {
            Err(_) if std::fs::exists(path)? => std::fs::remove_file(path)?,
            Err(_) => {}
            Ok(offset) => {
                let modified = std::fs::metadata(path)?.modified()?;
                let mut bytes = std::fs::read(path)?;
                bytes[..offset].fill(b'#');
                std::fs::write(path, bytes)?;
                std::fs::File::options().write(true).open(path)?.set_modified(modified)?;
            }
        }
    }
    std::fs::remove_file(reached)
}

#[test]
fn a_case_is_cut_after_each_row_and_a_long_one_at_eight_places() {
    let case = |lines: usize| {
        let input = "1\n".repeat(lines);
        Case::parse("f/a", &format!("-- A.\n-- rows: ordered\nSELECT 'in';\n---- input in\n{input}")).unwrap()
    };
    assert_eq!(steps(&case(3)), [1, 1, 1, 1]);
    let long = steps(&case(30));
    assert_eq!((long.len(), long.clone()), (RESTORES_MAX, steps(&case(30))));
    assert!(long.iter().all(|step| *step > 0) && long.iter().sum::<u64>() <= 31, "{long:?}");
}
