//! The decision, over every combination of a small space of facts, over every history of a small protocol, and its words.

use super::*;

const DAY: i64 = PROGRESS_RECORD_KEPT_MS_MIN;

fn facts() -> Facts {
    Facts {
        job: "telemetry".to_owned(),
        folder: "/c/telemetry".to_owned(),
        manifests: Vec::new(),
        completed: CompletionMark::None,
        run: RunFact::Unfinished,
        base: None,
        first: Epoch(1),
        decider: DeciderFact::Absent,
        intention: Intention::Resume,
        now: 10 * DAY,
    }
}

fn intact(epoch: u64, decided_here: bool) -> ManifestFact {
    written(epoch, decided_here, 10 * DAY)
}

fn written(epoch: u64, decided_here: bool, written: i64) -> ManifestFact {
    ManifestFact { epoch: Epoch(epoch), found: Found::Intact { generation: Generation(1), decided_here, written } }
}

fn damaged(epoch: u64, decided_here: Option<bool>) -> ManifestFact {
    ManifestFact { epoch: Epoch(epoch), found: Found::Damaged { reason: format!("chk-{epoch} is bent"), decided_here } }
}

fn said(generation: u64, epoch: u64) -> DeciderFact {
    DeciderFact::Said(LastDecided::Epoch(Generation(generation), Epoch(epoch)))
}

fn restore(epoch: u64, redo: bool) -> Decision {
    Decision::Restore { generation: Generation(1), epoch: Epoch(epoch), redo, repeats: 0 }
}

/// Calls `check` for every combination of three epochs, their manifests' states, the mark, the record, the run, the fresh start and the intention.
fn for_all(check: &mut dyn FnMut(&Facts)) -> usize {
    let states: Vec<Box<dyn Fn(u64) -> Option<ManifestFact>>> = vec![
        Box::new(|_| None),
        Box::new(|epoch| Some(intact(epoch, false))),
        Box::new(|epoch| Some(written(epoch, false, DAY))),
        Box::new(|epoch| Some(intact(epoch, true))),
        Box::new(|epoch| Some(damaged(epoch, Some(false)))),
        Box::new(|epoch| Some(damaged(epoch, Some(true)))),
        Box::new(|epoch| Some(damaged(epoch, None))),
    ];
    let deciders = [
        DeciderFact::Absent,
        DeciderFact::Said(LastDecided::None),
        said(1, 1),
        said(1, 2),
        said(1, 3),
        said(2, 2),
        said(1, 4),
    ];
    let marks = [
        CompletionMark::None,
        CompletionMark::At(Epoch(1)),
        CompletionMark::At(Epoch(2)),
        CompletionMark::At(Epoch(3)),
    ];
    let intentions = [Intention::Ask, Intention::Fresh, Intention::Resume, Intention::From(Epoch(2))];
    let mut count = 0;
    for number in 0..states.len().pow(3) {
        let chosen = [number % 7, number / 7 % 7, number / 49];
        let manifests: Vec<_> = (1..=3).zip(chosen).filter_map(|(epoch, state)| states[state](epoch)).collect();
        for (decider, completed) in deciders.into_iter().flat_map(|decider| marks.map(|mark| (decider, mark))) {
            for run in [RunFact::None, RunFact::Unfinished, RunFact::Finished] {
                for (intention, (base, first)) in intentions
                    .into_iter()
                    .flat_map(|intention| [(None, 1), (None, 2), (Some(Epoch(1)), 3)].map(|line| (intention, line)))
                {
                    let manifests = manifests.clone();
                    check(&Facts {
                        manifests,
                        completed,
                        run,
                        base,
                        first: Epoch(first),
                        decider,
                        intention,
                        ..facts()
                    });
                    count += 1;
                }
            }
        }
    }
    count
}

#[test]
fn over_all_facts_nothing_decided_is_lost_and_nothing_undecided_restored() {
    let count = for_all(&mut |facts| {
        let decision = decide(facts);
        let automatic = matches!(facts.intention, Intention::Resume) || facts.intention == Intention::Ask;
        match &decision {
            Decision::Restore { epoch, generation, redo, .. } => {
                let found = &facts.manifests.iter().find(|fact| fact.epoch == *epoch).expect("it is there").found;
                assert!(matches!(found, Found::Intact { generation: of, .. } if of == generation), "{facts:?}");
                assert_eq!(*redo, facts.mark().is_none_or(|mark| mark < *epoch), "{facts:?}");
                if automatic {
                    assert!(facts.is_alive(*epoch), "a run that is over came back: {facts:?}");
                    let decided = facts.base == Some(*epoch)
                        || found.decided_here() == Some(true)
                        || facts.mark().is_some_and(|mark| mark == *epoch)
                        || facts.record() == Some((*generation, *epoch));
                    assert!(decided, "restored what was not decided: {facts:?}");
                    assert_eq!(Some(*epoch), newest_decided(facts), "lost what was decided: {facts:?}");
                }
                assert!(facts.intention != Intention::Ask, "Ask never restores: {facts:?}");
            }
            Decision::Fresh if facts.intention == Intention::Fresh => {}
            Decision::Fresh if facts.intention == Intention::Ask && facts.run == RunFact::Finished => {}
            Decision::Fresh => {
                assert!(automatic, "{facts:?}");
                assert_eq!(newest_decided(facts), None, "lost what was decided: {facts:?}");
                if facts.intention == Intention::Ask {
                    assert!(known(facts).next().is_none(), "did not ask: {facts:?}");
                }
            }
            Decision::Refuse(refusal) => {
                assert!(facts.intention != Intention::Fresh, "Fresh is always possible: {facts:?}");
                assert!(
                    refusal.reason.contains("'telemetry'") && refusal.reason.contains("/c/telemetry"),
                    "{refusal:?}"
                );
                assert!(refusal.choices.contains("--fresh"), "{refusal:?}");
                for offered in (1..=3).filter(|epoch| refusal.choices.contains(&format!("/chk-{epoch}"))) {
                    let found = facts.manifest(Epoch(offered)).map(|fact| &fact.found);
                    assert!(
                        matches!(found, Some(Found::Intact { .. })),
                        "offers what cannot be had: {refusal:?} {facts:?}"
                    );
                }
            }
        }
    });
    assert_eq!(count, 343 * 7 * 4 * 3 * 12);
}

/// What really happened, next to what is found after a crash.
#[derive(Clone)]
struct History {
    facts: Facts,
    next: u64,
    generation: u64,
    truth: Option<u64>,
    /// Whether each start lived long enough to write down what it started from.
    records_base: bool,
}

/// Runs every history of up to `steps` epochs and crashes of a job with a decider. `bits` choose at each epoch: whether it has rows for the decider, and at
/// which step of the protocol the process dies (or not).
fn for_all_histories(steps: usize, records_base: bool, check: &mut dyn FnMut(&History)) {
    let mut open = vec![History {
        facts: Facts { decider: DeciderFact::Said(LastDecided::None), run: RunFact::Unfinished, ..facts() },
        next: 1,
        generation: 1,
        truth: None,
        records_base,
    }];
    for _ in 0..steps {
        let mut after = Vec::new();
        for history in open {
            for has_rows in [false, true] {
                for died_after in ["start", "manifest", "decision", "mark", "never"] {
                    let mut history = history.clone();
                    if died_after == "decision" && !has_rows {
                        continue;
                    }
                    epoch(&mut history, has_rows, died_after);
                    check(&history);
                    after.push(history);
                }
            }
        }
        open = after;
    }
}

fn epoch(history: &mut History, has_rows: bool, died_after: &str) {
    let (epoch, generation) = (history.next, history.generation);
    let crash = |history: &mut History| {
        history.generation += 1;
        // The slot behind the newest is sealed by the claim, the next epoch lies behind that.
        history.next = epoch + 2;
        if history.records_base {
            history.facts.base = match decide(&history.facts) {
                Decision::Restore { epoch, .. } => Some(epoch),
                _ => None,
            };
            history.facts.first = Epoch(history.next);
        }
    };
    if died_after == "start" {
        return crash(history);
    }
    let found =
        Found::Intact { generation: Generation(generation), decided_here: !has_rows, written: history.facts.now };
    history.facts.manifests.push(ManifestFact { epoch: Epoch(epoch), found });
    if !has_rows {
        history.truth = Some(epoch);
    }
    if died_after == "manifest" {
        return crash(history);
    }
    if has_rows {
        history.facts.decider = said(generation, epoch);
        history.truth = Some(epoch);
    }
    if died_after == "decision" {
        return crash(history);
    }
    history.facts.completed = CompletionMark::At(Epoch(epoch));
    if died_after == "mark" {
        return crash(history);
    }
    history.next = epoch + 1;
}

#[test]
fn after_every_history_the_newest_decided_epoch_is_restored() {
    let mut count = 0;
    let mut check = |history: &History| {
        count += 1;
        match (decide(&history.facts), history.truth) {
            (Decision::Fresh, None) => {}
            (Decision::Restore { epoch, .. }, Some(truth)) => assert_eq!(epoch, Epoch(truth), "{:?}", history.facts),
            (decision, truth) => panic!("{decision:?} where {truth:?} was decided last: {:?}", history.facts),
        }
    };
    for_all_histories(4, false, &mut check);
    for_all_histories(4, true, &mut check);
    assert_eq!(count, 2 * (9 + 9 * 9 + 9 * 9 * 9 + 9 * 9 * 9 * 9));
}

#[test]
fn after_every_history_an_expired_record_never_loses_or_doubles() {
    for_all_histories(3, false, &mut |history| {
        let mut facts = Facts { decider: DeciderFact::Said(LastDecided::None), ..history.facts.clone() };
        for later in [0, 8 * DAY] {
            facts.now = history.facts.now + later;
            match (decide(&facts), history.truth) {
                (Decision::Restore { epoch, .. }, Some(truth)) => {
                    let never_expires_so_soon = later == 0;
                    assert!(epoch == Epoch(truth) || never_expires_so_soon, "{facts:?}");
                }
                (Decision::Restore { .. }, None) => panic!("restored what was never decided: {facts:?}"),
                (Decision::Fresh, Some(_)) => assert_eq!(later, 0, "lost: {facts:?}"),
                (Decision::Fresh, None) => {}
                (Decision::Refuse(refusal), _) => assert_eq!(refusal.cause, Cause::Unknown),
            }
        }
    });
}

#[test]
fn the_design_s_rules_one_by_one() {
    let with = |manifests: Vec<ManifestFact>, mark: Option<u64>, decider: DeciderFact| Facts {
        manifests,
        completed: mark.map_or(CompletionMark::None, |epoch| CompletionMark::At(Epoch(epoch))),
        decider,
        ..facts()
    };
    let none = DeciderFact::Said(LastDecided::None);
    let two = || vec![intact(1, false), intact(2, false)];
    for (what, facts, expected) in [
        ("nothing there", with(vec![], None, DeciderFact::Absent), Decision::Fresh),
        ("prepared and decided: redo", with(two(), Some(1), said(1, 2)), restore(2, true)),
        ("prepared, not decided: the completed one", with(two(), Some(1), said(1, 1)), restore(1, false)),
        ("the first, prepared, never decided", with(vec![intact(1, false)], None, none), Decision::Fresh),
        (
            "no decider: the newest manifest",
            with(vec![intact(1, true), intact(2, true)], Some(1), DeciderFact::Absent),
            restore(2, true),
        ),
        (
            "record older than an epoch without rows",
            with(vec![intact(1, false), intact(2, true)], Some(2), said(1, 1)),
            restore(2, false),
        ),
        (
            "record expired, all completed",
            with(vec![written(1, false, 0), written(2, false, 0)], Some(2), none),
            restore(2, false),
        ),
        (
            "damaged, not decided: back",
            with(vec![intact(1, false), damaged(2, Some(false))], Some(1), said(1, 1)),
            restore(1, false),
        ),
    ] {
        assert_eq!(decide(&facts), expected, "{what}");
    }
}

#[test]
fn a_refusal_names_job_place_reason_and_choices() {
    let told = |facts: Facts| match decide(&facts) {
        Decision::Refuse(refusal) => refusal.into_error().to_string(),
        other => panic!("{other:?}"),
    };
    let absent = facts();
    let none = DeciderFact::Said(LastDecided::None);
    assert_eq!(
        told(Facts { manifests: vec![intact(5, true)], intention: Intention::Ask, ..absent.clone() }),
        "start the job 'telemetry': an unfinished run of it is in /c/telemetry, its last checkpoint is 5; \
         give --resume to go on from there, or --fresh to start from nothing"
    );
    assert_eq!(
        told(Facts { manifests: vec![intact(4, true), damaged(5, Some(true))], ..absent.clone() }),
        "resume the job 'telemetry' from /c/telemetry: its checkpoint 5 was decided and is damaged: chk-5 is bent; \
         give -D execution.state-recovery.path=/c/telemetry/chk-4 to go back to it (what came after is produced again), or --fresh to start from nothing"
    );
    assert_eq!(
        told(Facts { manifests: vec![damaged(5, None)], ..absent.clone() }),
        "resume the job 'telemetry' from /c/telemetry: its newest checkpoint 5 is damaged and may have been decided: chk-5 is bent; \
         give --fresh to start from nothing"
    );
    assert_eq!(
        told(Facts { decider: said(3, 7), ..absent.clone() }),
        "resume the job 'telemetry' from /c/telemetry: its checkpoint 7 was decided and is not there; give --fresh to start from nothing"
    );
    let old = vec![written(4, false, 0), written(5, false, 0)];
    assert_eq!(
        told(Facts { manifests: old, completed: CompletionMark::At(Epoch(4)), decider: none, ..absent.clone() }),
        "resume the job 'telemetry' from /c/telemetry: whether its checkpoint 5 was committed is not known, since the progress record in Kafka is gone; \
         look whether the sinks show its rows, then give -D execution.state-recovery.path=/c/telemetry/chk-5 if it was committed, \
         -D execution.state-recovery.path=/c/telemetry/chk-4 if it was not, or --fresh to start from nothing"
    );
    assert_eq!(
        told(Facts { manifests: vec![intact(4, true)], intention: Intention::From(Epoch(2)), ..absent }),
        "resume the job 'telemetry' from /c/telemetry: there is no checkpoint 2; give --fresh to start from nothing"
    );
}

#[test]
fn an_older_checkpoint_that_the_user_names_says_how_many_epochs_come_again() {
    let manifests = vec![intact(3, true), intact(4, true), intact(6, true)];
    let facts =
        Facts { manifests, completed: CompletionMark::At(Epoch(6)), intention: Intention::From(Epoch(3)), ..facts() };
    let expected = Decision::Restore { generation: Generation(1), epoch: Epoch(3), redo: false, repeats: 3 };
    assert_eq!(decide(&facts), expected);
}
