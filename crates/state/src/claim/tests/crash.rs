//! Each operation on the storage fails once, or is the last one of a process: whatever the point, the job goes on from the newest decided checkpoint.

use super::memory::Fault;
use super::*;

/// What a run got through.
#[derive(Default)]
struct Told {
    /// Each checkpoint that was attempted, with the table at its barrier.
    attempted: BTreeMap<Epoch, Table>,
    /// The newest one that was reported as written (all are decided by their manifest).
    written: Option<Epoch>,
    /// The newest one that was reported as completed.
    completed: Option<Epoch>,
}

/// A start, twenty checkpoints with a merge between; goes on over errors as a job does that tolerates failed checkpoints.
fn script(store: &CheckpointStore, told: &mut Told) -> Result<()> {
    let claim = store.claim(Generation(0), 1)?;
    let decision = decide(&store.facts(Intention::Resume, DeciderFact::Absent)?);
    let restored = claim.begin(&decision)?;
    let mut table = restored.map_or_else(|| Ok(Table::default()), |restored| Table::read(&restored, 0, 2))?;
    for number in 0..20u64 {
        let epoch = Epoch(claim.first_epoch().0 + number);
        table.put(u16::try_from(number % 16).unwrap(), &number.to_le_bytes(), b"value", Timestamp::MAX);
        if number % 3 == 2 {
            table.delete(u16::try_from((number - 1) % 16).unwrap(), &(number - 1).to_le_bytes());
        }
        let states = table.freeze(epoch, 2, false);
        told.attempted.insert(epoch, table.alive(0));
        if claim.write(snapshot(epoch, true, states)).is_err() {
            continue;
        }
        told.written = Some(epoch);
        claim.inner.complete(epoch)?;
        told.completed = Some(epoch);
        table.confirm(epoch);
        // On this thread, so that operations have one order.
        let _ = claim.merge();
    }
    Ok(())
}

fn check(storage: &MemoryStorage, clock: &ManualClock, fault: Fault) {
    let store = store(storage, clock);
    let mut told = Told::default();
    storage.fail(Some(fault));
    let _ = script(&store, &mut told);
    storage.fail(None);
    for round in 0..2 {
        let claim = store.claim(Generation(0), 1).unwrap();
        let decision = decide(&store.facts(Intention::Resume, DeciderFact::Absent).unwrap());
        let restored = claim.begin(&decision).unwrap();
        let epoch = restored.as_ref().map(|restored| restored.manifest().epoch);
        assert!(epoch >= told.written, "{fault:?}: {epoch:?} was restored, {:?} was written", told.written);
        let table = restored.map_or_else(Table::default, |restored| Table::read(&restored, 0, 3).unwrap());
        let expected = epoch.map_or_else(Table::default, |epoch| told.attempted[&epoch].alive(0));
        assert_eq!(table, expected, "{fault:?} in round {round}");
        if let Decision::Restore { epoch, redo, .. } = decision {
            assert!(redo || told.completed.is_none_or(|completed| epoch >= completed), "{fault:?}");
            claim.inner.complete(epoch).unwrap();
        }
        // Nothing is left that no checkpoint needs.
        let needed = claim.last_completed().map(|manifest| manifest.chains.files()).unwrap_or_default();
        let needed: Vec<String> = needed.iter().map(|file| file.path.clone()).collect();
        assert_eq!(storage.names("shared/"), needed, "{fault:?}");
        let next = claim.first_epoch();
        claim.write(snapshot(next, true, Vec::new())).unwrap();
        told.attempted.insert(next, expected);
        claim.inner.complete(next).unwrap();
    }
}

#[test]
fn whatever_operation_fails_or_is_the_last_the_newest_decided_checkpoint_comes_back() {
    let clock = ManualClock::at(1_000);
    let whole = MemoryStorage::default();
    script(&store(&whole, &clock), &mut Told::default()).unwrap();
    let operations = whole.operations();
    assert!(operations > 200, "{operations}");
    for at in 0..operations {
        for fault in [Fault::FailsAt(at), Fault::StopsBefore(at), Fault::StopsAfter(at)] {
            check(&MemoryStorage::default(), &clock, fault);
            // And on a folder where a run was before.
            if at % 5 == 0 {
                let used = MemoryStorage::default();
                let mut before = Told::default();
                script(&store(&used, &clock), &mut before).unwrap();
                let mut told_of_both = Told { attempted: before.attempted, ..Told::default() };
                used.fail(Some(fault));
                let _ = script(&store(&used, &clock), &mut told_of_both);
                used.fail(None);
                let (_, decision, table) = resume(&store(&used, &clock), 1, LastDecided::None);
                let Decision::Restore { epoch, .. } = decision else { panic!("{fault:?}: {decision:?}") };
                assert!(Some(epoch) >= told_of_both.written, "{fault:?}");
                assert_eq!(table, told_of_both.attempted[&epoch], "{fault:?}");
            }
        }
    }
}

#[test]
fn a_bent_newest_checkpoint_is_refused_and_a_bent_state_file_is_named() {
    let (storage, clock) = (MemoryStorage::default(), ManualClock::at(1_000));
    let store = store(&storage, &clock);
    script(&store, &mut Told::default()).unwrap();
    let newest = storage.names("chk-").pop().unwrap();
    let whole = storage.bytes(&newest);
    let mut bent = whole.clone();
    let middle = bent.len() / 2;
    bent[middle] ^= 1;
    storage.set(&newest, bent);
    let claim = store.claim(Generation(0), 1).unwrap();
    let decision = decide(&store.facts(Intention::Resume, DeciderFact::Absent).unwrap());
    let refused = claim.begin(&decision).err().unwrap();
    assert_eq!(refused.kind(), Kind::Corrupt);
    let said = format!(
        "resume the job 'telemetry' from memory:: its checkpoint 20 was decided and is damaged: read the checkpoint memory:/{newest}: its checksum is "
    );
    assert!(refused.message().starts_with(&said), "{refused}");

    storage.set(&newest, whole);
    let file = storage.names("shared/")[0].clone();
    let mut bent = storage.bytes(&file);
    bent[10] ^= 1;
    storage.set(&file, bent);
    let decision = decide(&store.facts(Intention::Resume, DeciderFact::Absent).unwrap());
    let restored = claim.begin(&decision).unwrap().unwrap();
    let state = restored.state(UID, 0..MAX_PARALLELISM).unwrap();
    let error = state.visit(PART, 0, &mut |_, _, _| Ok(())).unwrap_err();
    let said = format!("read the state file memory:/{file}: key group ");
    assert!(error.message().starts_with(&said) && error.message().contains("is damaged: its checksum is "), "{error}");
}
