//! A claim's checkpoints: what is written comes back, whatever failed on the way; the stale are kept out; old files go.

mod crash;
mod memory;
mod model;
mod operator;

use weir_base::ManualClock;
use weir_connector::LastDecided;
use weir_ports::Restored;

use super::*;
use crate::decide::{DeciderFact, Intention, decide, unfinished_run};
use crate::manifest::tests::shape;
use memory::MemoryStorage;
use operator::Table;

const UID: &str = "deduplicate-1";
const PART: &str = "keys";
const MAX_PARALLELISM: u16 = 16;

fn store(storage: &MemoryStorage, clock: &ManualClock) -> CheckpointStore {
    CheckpointStore::over(Arc::new(storage.clone()), weir_base::JobId(7), "telemetry", Arc::new(clock.clone()))
}

fn snapshot(epoch: Epoch, decided_here: bool, states: Vec<SubtaskState>) -> Snapshot {
    Snapshot {
        epoch,
        decided_here,
        shape: GraphShape { max_parallelism: MAX_PARALLELISM, ..shape(&[(UID, "deduplicate")]) },
        states,
        positions: Vec::new(),
        prepared: BTreeMap::new(),
        counters: BTreeMap::new(),
        watermarks: Vec::new(),
        trigger: Trigger::Interval,
        triggered: 0,
    }
}

/// Resumes the job and gives its state back.
fn resume(store: &CheckpointStore, retained: usize, record: LastDecided) -> (Claim, Decision, Table) {
    let claim = store.claim(Generation(0), retained).unwrap();
    let decision = decide(&store.facts(Intention::Resume, DeciderFact::Said(record)).unwrap());
    let restored = claim.begin(&decision).unwrap();
    let table = restored.map_or_else(Table::default, |restored| Table::read(&restored, store.clock.now(), 1).unwrap());
    (claim, decision, table)
}

#[test]
fn a_newer_generation_fences_the_older_one_and_says_so() {
    let (storage, clock) = (MemoryStorage::default(), ManualClock::at(1_000));
    let store = store(&storage, &clock);
    let (older, _, _) = resume(&store, 1, LastDecided::None);
    older.write(snapshot(Epoch(1), true, Vec::new())).unwrap();
    older.complete(Epoch(1)).unwrap();
    let (newer, _, _) = resume(&store, 1, LastDecided::None);
    assert_eq!((newer.generation(), newer.first_epoch()), (Generation(2), Epoch(3)));
    let hint = "another process has taken the job over in memory:/; stop one of the two";
    let fenced = format!("go on with the job 'telemetry': generation 1 is fenced by generation 2; {hint}");
    let error = older.write(snapshot(Epoch(2), true, Vec::new())).unwrap_err();
    assert_eq!(error.kind(), Kind::Conflict);
    assert_eq!(error.to_string(), format!("write checkpoint 2 of the job 'telemetry': {fenced}"));
    let error = older.complete(Epoch(1)).unwrap_err();
    assert_eq!(error.to_string(), format!("complete checkpoint 1 of the job 'telemetry': {fenced}"));
    assert_eq!(older.fence().check().unwrap_err().to_string(), fenced);
    newer.fence().check().unwrap();
    newer.write(snapshot(Epoch(3), true, Vec::new())).unwrap();
}

#[test]
fn a_stale_generation_that_passed_the_fence_just_before_finds_its_slot_taken() {
    for failed in [0, 1, 3] {
        let (storage, clock) = (MemoryStorage::default(), ManualClock::at(1_000));
        let store = store(&storage, &clock);
        let (older, _, _) = resume(&store, 1, LastDecided::None);
        older.write(snapshot(Epoch(1), true, Vec::new())).unwrap();
        let (newer, decision, _) = resume(&store, 1, LastDecided::None);
        assert!(matches!(decision, Decision::Restore { epoch: Epoch(1), .. }));
        // As if the older process had listed the claims before the newer one came: its fence passes.
        storage.hide_from_lists("generations/2");
        older.fence().check().unwrap();
        let error = older.write(snapshot(Epoch(2 + failed), true, Vec::new())).unwrap_err();
        assert!(error.message().ends_with("generation 1 is fenced by generation 2"), "{error}");
        storage.show_in_lists();
        newer.write(snapshot(newer.first_epoch(), true, Vec::new())).unwrap();
    }
}

#[test]
fn a_claim_that_has_gone_is_said() {
    let (storage, clock) = (MemoryStorage::default(), ManualClock::at(1_000));
    let store = store(&storage, &clock);
    let (claim, _, _) = resume(&store, 1, LastDecided::None);
    storage.remove_all();
    assert_eq!(
        claim.write(snapshot(Epoch(1), true, Vec::new())).unwrap_err().to_string(),
        "write checkpoint 1 of the job 'telemetry': go on with the job 'telemetry': the claim of generation 1 has gone from memory:/; \
         somebody emptied the folder while the job ran: bring it back, or start with --fresh"
    );
}

#[test]
fn a_claim_is_newer_than_what_the_decider_knows() {
    let (storage, clock) = (MemoryStorage::default(), ManualClock::at(1_000));
    let store = store(&storage, &clock);
    assert_eq!(store.claim(Generation(41), 1).unwrap().generation(), Generation(42));
}

#[test]
fn a_run_tells_how_it_ended_and_an_unfinished_one_is_asked_about() {
    let (storage, clock) = (MemoryStorage::default(), ManualClock::at(1_000));
    let store = store(&storage, &clock);
    let asked = || unfinished_run(&store.facts(Intention::Ask, DeciderFact::Absent).unwrap());
    assert_eq!((store.last_run().unwrap(), asked()), (None, None));
    let (claim, _, _) = resume(&store, 1, LastDecided::None);
    assert_eq!(asked(), None, "nothing was written yet");
    claim.write(snapshot(Epoch(1), true, Vec::new())).unwrap();
    claim.complete(Epoch(1)).unwrap();
    assert!(asked().unwrap().reason.ends_with("an unfinished run of it is in memory:, its last checkpoint is 1"));
    for (state, is_asked) in [(RunState::Stopped, true), (RunState::Finished, false)] {
        claim.end(state).unwrap();
        let run = store.last_run().unwrap().unwrap();
        assert_eq!((run.state, run.ended, run.first, run.base), (state, Some(1_000), Epoch(1), None));
        assert_eq!(asked().is_some(), is_asked);
    }
    let facts = store.facts(Intention::Ask, DeciderFact::Absent).unwrap();
    assert_eq!(decide(&facts), Decision::Fresh);
}

#[test]
fn a_fresh_start_never_goes_back_to_what_was_before_it() {
    let (storage, clock) = (MemoryStorage::default(), ManualClock::at(1_000));
    let store = store(&storage, &clock);
    let (claim, _, _) = resume(&store, 1, LastDecided::None);
    claim.write(snapshot(Epoch(1), true, Vec::new())).unwrap();
    claim.complete(Epoch(1)).unwrap();
    let fresh = store.claim(Generation(0), 1).unwrap();
    assert!(fresh.begin(&Decision::Fresh).unwrap().is_none());
    drop(fresh);
    let (_claim, decision, _) = resume(&store, 1, LastDecided::Epoch(Generation(1), Epoch(1)));
    assert_eq!(decision, Decision::Fresh);
}

#[test]
fn who_goes_back_stays_back_after_a_crash() {
    let (storage, clock) = (MemoryStorage::default(), ManualClock::at(1_000));
    let store = store(&storage, &clock);
    let (claim, _, _) = resume(&store, 5, LastDecided::None);
    for epoch in (1..=3).map(Epoch) {
        claim.write(snapshot(epoch, true, Vec::new())).unwrap();
        claim.complete(epoch).unwrap();
    }
    let back = store.claim(Generation(0), 5).unwrap();
    let decision = decide(&store.facts(Intention::From(Epoch(2)), DeciderFact::Absent).unwrap());
    assert_eq!(decision, Decision::Restore { generation: Generation(1), epoch: Epoch(2), redo: false, repeats: 1 });
    back.begin(&decision).unwrap();
    let (_, decision, _) = resume(&store, 5, LastDecided::None);
    assert!(matches!(decision, Decision::Restore { epoch: Epoch(2), .. }), "{decision:?}");
}

#[test]
fn as_many_completed_checkpoints_stay_as_are_retained() {
    let (storage, clock) = (MemoryStorage::default(), ManualClock::at(1_000));
    let store = store(&storage, &clock);
    let (claim, _, _) = resume(&store, 2, LastDecided::None);
    let mut table = Table::default();
    for epoch in (1..=5).map(Epoch) {
        table.put(3, &epoch.0.to_le_bytes(), b"v", Timestamp::MAX);
        // Checkpoint 4 is prepared and never decided.
        claim.write(snapshot(epoch, false, table.freeze(epoch, 1, true))).unwrap();
        if epoch != Epoch(4) {
            claim.complete(epoch).unwrap();
            table.confirm(epoch);
        }
    }
    assert_eq!(storage.names("chk-"), ["chk-3/_metadata", "chk-5/_metadata"]);
    assert_eq!(storage.names("shared/"), ["shared/delta-1-3", "shared/delta-1-5"]);
    assert_eq!(storage.names("completed/"), ["completed/1"]);
    assert_eq!(claim.last_completed().unwrap().epoch, Epoch(5));
}

#[test]
fn an_unchanged_state_writes_no_file_and_a_changed_one_only_its_change() {
    let (storage, clock) = (MemoryStorage::default(), ManualClock::at(1_000));
    let store = store(&storage, &clock);
    let (claim, _, _) = resume(&store, 1, LastDecided::None);
    let mut table = Table::default();
    for number in 0..10_000u32 {
        table.put(u16::try_from(number % 16).unwrap(), &number.to_le_bytes(), b"value", Timestamp::MAX);
    }
    let take = |epoch: u64, table: &mut Table| {
        let written = claim.write(snapshot(Epoch(epoch), true, table.freeze(Epoch(epoch), 2, false))).unwrap();
        claim.complete(Epoch(epoch)).unwrap();
        table.confirm(Epoch(epoch));
        written
    };
    let full = take(1, &mut table);
    let nothing = take(2, &mut table);
    assert_eq!((nothing.files, storage.names("shared/").len()), (1, 1));
    for number in 0..100u32 {
        table.put(u16::try_from(number % 16).unwrap(), &number.to_le_bytes(), b"other", Timestamp::MAX);
    }
    let changed = take(3, &mut table);
    assert!(
        changed.written_bytes < full.written_bytes * 3 / 100,
        "{} of {}",
        changed.written_bytes,
        full.written_bytes
    );
    assert!(changed.full_bytes > full.written_bytes);
}

#[test]
fn a_state_that_cannot_be_given_out_fails_the_checkpoint_and_leaves_nothing() {
    let (storage, clock) = (MemoryStorage::default(), ManualClock::at(1_000));
    let store = store(&storage, &clock);
    let (claim, _, _) = resume(&store, 1, LastDecided::None);
    let entries = Box::new(|_: &mut dyn weir_ports::Entries| Err(Error::internal("read the table of the operator")));
    let frozen = Frozen { parts: vec![weir_ports::FrozenPart { name: PART, full: true, entries }] };
    let states = vec![SubtaskState { uid: UID.to_owned(), key_groups: 0..16, frozen }];
    let error = claim.write(snapshot(Epoch(1), true, states)).unwrap_err();
    assert_eq!(error.to_string(), "write checkpoint 1 of the job 'telemetry': read the table of the operator");
    assert!(storage.names("shared/").is_empty() && storage.names("chk-").is_empty());
    claim.write(snapshot(Epoch(2), true, Vec::new())).unwrap();
}

#[test]
fn on_a_real_folder_a_job_resumes_and_a_vanished_folder_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let address = format!("file://{}", folder.path().join("checkpoints").display());
    let clock: Arc<dyn weir_base::Clock> = Arc::new(ManualClock::at(1_000));
    let store = CheckpointStore::open(&address, "telemetry", Arc::clone(&clock)).unwrap();
    let (claim, _, _) = resume(&store, 1, LastDecided::None);
    let mut table = Table::default();
    table.put(3, b"key", b"value", Timestamp::MAX);
    claim.write(snapshot(Epoch(1), true, table.freeze(Epoch(1), 1, false))).unwrap();
    claim.complete(Epoch(1)).unwrap();
    let bare = folder.path().join("checkpoints");
    let again = CheckpointStore::open(bare.to_str().unwrap(), "telemetry", clock).unwrap();
    assert_eq!(again.job_id(), store.job_id());
    let (claim, _, restored) = resume(&again, 1, LastDecided::None);
    assert_eq!(restored, table.alive(1_000));
    assert_eq!(again.external_path(Epoch(1)), format!("file:{}/{}/chk-1", bare.display(), again.job_id()));

    let folder = again.folder();
    for path in [format!("{folder}/chk-1"), format!("file://{folder}/chk-1/"), again.external_path(Epoch(1))] {
        assert_eq!(again.recovery_from(&path).unwrap(), Intention::From(Epoch(1)));
    }
    assert_eq!(
        again.recovery_from("/elsewhere/chk-1").unwrap_err().to_string(),
        format!(
            "restore the job 'telemetry' from '/elsewhere/chk-1': it is not in this job's folder {folder}; \
             set execution.checkpointing.dir and pipeline.name to those that it was taken with"
        )
    );
    assert_eq!(
        again.recovery_from("/elsewhere/savepoint").unwrap_err().to_string(),
        format!(
            "restore the job 'telemetry' from '/elsewhere/savepoint': that is not the path of a checkpoint; \
             name a checkpoint: {folder}/chk-<number>"
        )
    );

    std::fs::remove_dir_all(&bare).unwrap();
    let error = claim.write(snapshot(claim.first_epoch(), true, Vec::new())).unwrap_err();
    let root = bare.join(again.job_id().to_string());
    assert_eq!(
        error.to_string(),
        format!(
            "write checkpoint 3 of the job 'telemetry': list {0}/generations: the folder {0} has vanished; \
             bring it back (a disk that is not mounted?) and start the job again",
            root.display()
        )
    );
    assert!(!bare.exists());
}
