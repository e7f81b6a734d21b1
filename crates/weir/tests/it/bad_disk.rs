//! Disks that are full, read-only or gone, and files with a flipped bit: the error says which file and what to do, and once that is done
//! the job goes on with nothing lost and nothing twice.
//!
//! Mounts are made in a name space of their own, where an ordinary user may make them; where the system forbids that, those tests say so and
//! are skipped.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use weir_base::{Clock, JobId, SystemClock};

use crate::binary::{Place, Ran, wait};

/// Rows of the input.
const ROWS: usize = 100_000;

/// The first row of each id; its state and its output take more than a megabyte each. `OPTIONS` are more options of the input.
const FIRSTS: &str = "
SET 'restart-strategy.type' = 'none';
CREATE TABLE input (id INT, name STRING, p AS PROCTIME())
  WITH ('connector' = 'filesystem', 'path' = 'in', 'format' = 'json' OPTIONS);
CREATE TABLE output (id INT, name STRING) WITH ('connector' = 'filesystem', 'path' = 'out', 'format' = 'json');
INSERT INTO output SELECT id, name FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY id ORDER BY p) AS n FROM input) WHERE n = 1;
";

const PORT: &str = "metrics.reporter.prom.port=21000-29999";

/// A folder with the job and its input.
fn place(options: &str) -> Place {
    let place = Place::new();
    place.write("in/a.json", (0..ROWS).map(|id| format!("{{\"id\":{id},\"name\":\"n{id}\"}}\n")).collect::<String>());
    place.write("job.sql", FIRSTS.replace("OPTIONS", options));
    place
}

/// Where the job's checkpoints lie, unless it is told otherwise.
fn checkpoints(place: &Place, dir: &str) -> PathBuf {
    let dir = place.path(dir);
    let id = JobId::of_name(&dir.display().to_string(), "job");
    dir.join(id.to_string())
}

/// The line with the error, the number of the checkpoint and the test's folder left out.
fn error(place: &Place, stderr: &str) -> String {
    let line = stderr.lines().find(|line| line.starts_with("error: ")).unwrap_or(stderr);
    let line = line.replace(&place.path("").display().to_string(), "");
    let mut parts = line.split(" checkpoint ");
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        shown.push_str(" checkpoint ");
        let rest = part.trim_start_matches(|digit: char| digit.is_ascii_digit());
        shown.push_str(if rest.len() < part.len() { "N" } else { "" });
        shown.push_str(rest);
    }
    shown
}

#[track_caller]
fn assert_all_rows_once(place: &Place, folder: &str, rows: usize) {
    let lines = place.lines(folder);
    let mut unique = lines.clone();
    unique.dedup();
    assert_eq!((lines.len(), unique.len()), (rows, rows));
}

/// Lines of the part that the job is writing, which are not visible yet.
fn lines_in_progress(place: &Place) -> usize {
    let Ok(entries) = std::fs::read_dir(place.path("out")) else { return 0 };
    let lines = |path| std::fs::read(path).map_or(0, |bytes| bytes.iter().filter(|byte| **byte == b'\n').count());
    entries.flatten().map(|entry| lines(entry.path())).sum()
}

/// `command` run by a shell that did `before` first.
fn after(before: &str, command: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(format!("{before}; exec \"$0\" \"$@\"")).arg(command.get_program()).args(command.get_args());
    shell.current_dir(command.get_current_dir().expect("a test's folder")).stdin(Stdio::null());
    shell
}

/// `script`, in a name space of its own where it may mount; there `$0` and `$@` are the command `weir ARGS`. `None` where that is forbidden.
fn mounting(place: &Place, args: &[&str], script: &str) -> Option<Ran> {
    let space = ["--user", "--map-root-user", "--mount"];
    let probe = Command::new("unshare").args(space).args(["mount", "-t", "tmpfs", "none", "/tmp"]).output();
    if !probe.is_ok_and(|probe| probe.status.success()) {
        eprintln!("SKIPPED: this system lets no ordinary user mount a disk (unshare --user --mount)");
        return None;
    }
    let weir = place.weir(args);
    let mut command = Command::new("unshare");
    command.args(space).args(["sh", "-ec", script]).arg(weir.get_program()).args(weir.get_args());
    Some(Ran::of(command.current_dir(place.path("")).stdin(Stdio::null()).output().expect("start unshare")))
}

/// Waits until `is_there`, or fails the test.
#[track_caller]
fn wait_for(what: &str, is_there: impl Fn() -> bool) {
    let clock = SystemClock::new();
    while !is_there() {
        assert!(clock.monotonic_us() < 30_000_000, "waited in vain for {what}");
        wait(Duration::from_millis(20));
    }
}

/// A full disk in the folder `full`: what the first run says, and what all rows come to once there is room.
fn full_disk(folder: &str, args: &[&str]) -> Option<String> {
    let place = place("");
    std::fs::create_dir(place.path(folder)).expect("make the folder of the disk");
    let all: Vec<&str> = ["run", "job.sql", "--resume", "-D", PORT].iter().chain(args).copied().collect();
    let script = format!(
        "mount -t tmpfs -o size=1m none {folder}
        code=0; \"$0\" \"$@\" 2> first || code=$?; test $code = 1
        mount -o remount,size=64m none {folder}
        \"$0\" \"$@\" 2> second
        mkdir -p kept; cp -r out/. kept/"
    );
    let ran = mounting(&place, &all, &script)?;
    let read = |name: &str| std::fs::read_to_string(place.path(name)).unwrap_or_default();
    let (first, second) = (read("first"), read("second"));
    assert_eq!(ran.code, Some(0), "{ran:?}\n{first}\n{second}");
    assert_all_rows_once(&place, "kept", ROWS);
    Some(
        error(&place, &first)
            .replace(&JobId::of_name(&place.path("full").display().to_string(), "job").to_string(), "JOB"),
    )
}

#[test]
fn a_full_disk_of_checkpoints_fails_the_job_which_goes_on_when_there_is_room() {
    let Some(error) = full_disk("full", &["-D", "execution.checkpointing.dir=full"]) else { return };
    assert_eq!(
        error,
        "error: failed to write checkpoint N of the job 'job': write full/JOB/shared/delta-1-1: No space left on device \
         (os error 28); free some space there, or move execution.checkpointing.dir; \
         'execution.checkpointing.tolerable-failed-checkpoints' allows 0 failed checkpoints"
    );
}

#[test]
fn a_full_disk_of_the_output_fails_the_job_which_goes_on_when_there_is_room() {
    let Some(error) = full_disk("out", &[]) else { return };
    let (before, behind) = error.split_once("out/.part-").unwrap_or((&error, ""));
    assert_eq!(
        before,
        "error: failed to write to the table 'default_catalog.default_database.output': write the file '"
    );
    let (_, behind) = behind.split_once("': ").unwrap_or(("", behind));
    assert_eq!(
        behind,
        "No space left on device (os error 28); free space on the disk; the job goes on from its last checkpoint"
    );
}

#[test]
fn a_limit_on_the_size_of_files_fails_the_job_and_not_the_process() {
    let place = place("");
    let weir = place.weir(["run", "job.sql", "--resume", "-D", PORT]);
    let ran = Ran::of(after("ulimit -f 1000", &weir).output().unwrap());
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(
        error(&place, &ran.err)
            .ends_with("': File too large (os error 27); raise the limit on the size of a file (ulimit -f)"),
        "{}",
        ran.err
    );
    place.run(&FIRSTS.replace("OPTIONS", ""), &["--resume"]).ok();
    assert_all_rows_once(&place, "out", ROWS);
}

#[test]
fn checkpoints_that_have_become_read_only_fail_the_job_which_goes_on_when_they_are_writable() {
    let place = place(", 'source.monitor-interval' = '100 ms'");
    std::fs::create_dir(place.path("ck")).unwrap();
    let args = [
        "run",
        "job.sql",
        "--resume",
        "-D",
        PORT,
        "-D",
        "execution.checkpointing.dir=ck",
        "-D",
        "execution.checkpointing.interval=50 ms",
    ];
    let script = "
        mount -t tmpfs -o size=64m none ck
        \"$0\" \"$@\" 2> first & pid=$!
        until ls out/.part-* > /dev/null 2>&1; do sleep 0.05; done
        sleep 0.3; mount -o remount,ro ck
        code=0; wait $pid || code=$?; test $code = 1
        code=0; \"$0\" \"$@\" 2> second || code=$?; test $code = 1
        mount -o remount,rw ck
        cp bounded.sql job.sql
        \"$0\" \"$@\" 2> third";
    place.write("bounded.sql", FIRSTS.replace("OPTIONS", ""));
    let Some(ran) = mounting(&place, &args, script) else { return };
    let err = |name: &str| std::fs::read_to_string(place.path(name)).unwrap_or_default();
    assert_eq!(ran.code, Some(0), "{ran:?}\n{}\n{}\n{}", err("first"), err("second"), err("third"));
    let first = error(&place, &err("first"));
    let wanted = "Read-only file system (os error 30); mount it writable, or move execution.checkpointing.dir; \
                  'execution.checkpointing.tolerable-failed-checkpoints' allows 0 failed checkpoints";
    assert!(first.starts_with("error: failed to write checkpoint N of the job 'job': "), "{first}");
    assert!(first.ends_with(wanted), "{first}");
    let job = JobId::of_name(&place.path("ck").display().to_string(), "job");
    assert_eq!(
        error(&place, &err("second")),
        format!(
            "error: failed to write ck/{job}/generations/2: Read-only file system (os error 30); mount it writable, or move execution.checkpointing.dir"
        )
    );
    assert_all_rows_once(&place, "out", ROWS);
}

#[test]
fn checkpoints_that_vanish_fail_the_job_which_goes_on_when_they_are_back() {
    let place = place(", 'source.monitor-interval' = '100 ms'");
    let args = ["run", "job.sql", "--resume", "-D", PORT, "-D", "execution.checkpointing.interval=50 ms"];
    let child = place.weir(args).stderr(Stdio::piped()).spawn().unwrap();
    let (folder, aside) = (checkpoints(&place, "weir-data/checkpoints"), place.path("aside"));
    wait_for("a completed checkpoint", || folder.join("completed/1").exists());
    std::fs::rename(&folder, &aside).unwrap();
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let said = error(&place, &ran.err);
    let (before, behind) = said.split_once(": the folder ").unwrap_or((&said, ""));
    assert!(before.starts_with("error: failed to write checkpoint N of the job 'job': "), "{said}");
    let id = folder.file_name().unwrap().to_string_lossy();
    assert_eq!(
        behind,
        format!(
            "weir-data/checkpoints/{id} has vanished; bring it back (a disk that is not mounted?) and start the job again; \
             'execution.checkpointing.tolerable-failed-checkpoints' allows 0 failed checkpoints"
        )
    );
    assert!(!folder.exists(), "it must not be made anew");
    std::fs::rename(&aside, &folder).unwrap();
    place.run(&FIRSTS.replace("OPTIONS", ""), &["--resume"]).ok();
    assert_all_rows_once(&place, "out", ROWS);
}

#[test]
fn a_file_in_the_place_of_the_checkpoints_is_refused() {
    let place = place("");
    place.write("ck", "a file");
    let ran = place.run(&FIRSTS.replace("OPTIONS", ""), &["-D", "execution.checkpointing.dir=ck"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    let job = JobId::of_name(&place.path("ck").display().to_string(), "job");
    assert_eq!(
        error(&place, &ran.err),
        format!(
            "error: failed to make the folder ck/{job}: Not a directory (os error 20); a file stands where the folder must be: move it, or move execution.checkpointing.dir"
        )
    );
}

/// Flips a bit in the middle of a file.
fn flip(path: &Path) {
    let mut bytes = std::fs::read(path).expect("read a file of the checkpoint");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 4;
    std::fs::write(path, bytes).expect("write it back");
}

#[test]
fn a_flipped_bit_in_a_checkpoint_is_found_and_a_backup_goes_on() {
    let place = place(", 'source.monitor-interval' = '100 ms'");
    let args = ["run", "job.sql", "--resume", "-D", PORT, "-D", "execution.checkpointing.interval=50 ms"];
    let mut child = place.weir(args).stderr(Stdio::null()).spawn().unwrap();
    let folder = checkpoints(&place, "weir-data/checkpoints");
    wait_for("all rows", || lines_in_progress(&place) == ROWS && folder.join("completed/1").exists());
    wait(Duration::from_millis(200));
    child.kill().unwrap();
    child.wait().unwrap();
    let find = |dir: &str, prefix: &str| {
        let entries = std::fs::read_dir(folder.join(dir)).unwrap().flatten();
        let mut paths: Vec<PathBuf> =
            entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix)).map(|e| e.path()).collect();
        // A checkpoint that was being written when the process was killed is none.
        paths.retain(|path| path.is_file() || path.join("_metadata").exists());
        // Numbers behind the prefix: the newest is the longest, then the last.
        paths.sort_by_key(|path| (path.as_os_str().len(), path.clone()));
        paths.pop().expect("a checkpoint has such a file")
    };
    let manifest = find("", "chk-").join("_metadata");
    let refused = |path: PathBuf, code: i32, what: &str, hint: &str| {
        let backup = std::fs::read(&path).unwrap();
        flip(&path);
        let ran = place.run(&FIRSTS.replace("OPTIONS", ""), &["--resume"]);
        assert_eq!(ran.code, Some(code), "{}: {ran:?}", path.display());
        let said = error(&place, &ran.err);
        let file = path.strip_prefix(place.path("")).unwrap().display().to_string();
        assert!(said.contains(&file) && said.contains(what) && said.ends_with(hint), "{said}");
        std::fs::write(&path, backup).unwrap();
    };
    let (what, hint) = (" was decided and is damaged: read the checkpoint ", "; give --fresh to start from nothing");
    refused(manifest, 1, what, hint);
    let hint =
        "; restore it from a backup, or give an older checkpoint by -D execution.state-recovery.path, or --fresh";
    refused(find("shared", "delta-1-"), 1, " is damaged: its checksum is ", hint);
    let hint = "; restore it from a backup, or delete it to go on from the newest checkpoint of any run";
    refused(find("runs", ""), 2, ": it is damaged; ", hint);
    // What a claim and a mark of completion say, the manifest says too: the job goes on without them.
    flip(&find("generations", ""));
    flip(&find("completed", ""));
    place.write("in/b.json", "{\"id\":0,\"name\":\"twice\"}\n{\"id\":-1,\"name\":\"new\"}\n");
    place.run(&FIRSTS.replace("OPTIONS", ""), &["--resume"]).ok();
    assert_all_rows_once(&place, "out", ROWS + 1);
}
