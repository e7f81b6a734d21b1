//! Random runs of a job against a simple model: after every restart, at any parallelism, the state is that of the newest decided checkpoint.

use weir_base::Rng;

use super::*;

struct World {
    storage: MemoryStorage,
    clock: ManualClock,
    random: Rng,
    retained: usize,
    /// The table as it was at each checkpoint that was written.
    written: BTreeMap<Epoch, Table>,
    decided: Option<Epoch>,
    record: LastDecided,
    table: Table,
    parallelism: u16,
    epoch: Epoch,
    restarts: usize,
    merges: usize,
    /// Whether merges run beside the job, at moments that no seed determines.
    merges_aside: bool,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut random = Rng::new(seed);
        Self {
            storage: MemoryStorage::default(),
            clock: ManualClock::at(1_000_000),
            retained: 1 + usize::try_from(random.below(3)).unwrap(),
            random,
            written: BTreeMap::new(),
            decided: None,
            record: LastDecided::None,
            table: Table::default(),
            parallelism: 1,
            epoch: Epoch(0),
            restarts: 0,
            merges: 0,
            merges_aside: seed.is_multiple_of(4),
        }
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.random.below(100) < percent
    }

    fn change(&mut self) {
        let key = self.random.below(60).to_le_bytes();
        let group = u16::from(key[0]) % MAX_PARALLELISM;
        if self.chance(20) {
            return self.table.delete(group, &key[..3]);
        }
        let value = vec![7; usize::try_from(self.random.below(5)).unwrap()];
        let now = weir_base::Clock::now(&self.clock);
        let expires =
            if self.chance(30) { Timestamp::MAX } else { now + i64::try_from(self.random.below(400)).unwrap() };
        self.table.put(group, &key[..3], &value, expires);
    }

    fn complete(&self, claim: &Claim, epoch: Epoch) {
        if self.merges_aside {
            claim.complete(epoch).unwrap();
        } else {
            claim.inner.complete(epoch).unwrap();
        }
    }

    /// One checkpoint. Returns whether the run goes on.
    fn checkpoint(&mut self, claim: &Claim) -> bool {
        self.epoch = self.epoch.next();
        let (epoch, decided_here, full) = (self.epoch, self.chance(50), self.chance(10));
        let states = self.table.freeze(epoch, self.parallelism, full);
        if self.chance(15) {
            let operations = self.random.below(8);
            self.storage.fail(Some(memory::Fault::FailsAt(operations)));
        }
        let written = claim.write(snapshot(epoch, decided_here, states));
        self.storage.fail(None);
        if written.is_err() {
            // A failed checkpoint before the decision is tolerated.
            return true;
        }
        let now = weir_base::Clock::now(&self.clock);
        self.written.insert(epoch, self.table.alive(now));
        if !decided_here {
            if self.chance(15) {
                return false;
            }
            self.record = LastDecided::Epoch(claim.generation(), epoch);
        }
        self.decided = Some(epoch);
        if self.chance(10) {
            return false;
        }
        self.complete(claim, epoch);
        self.table.confirm(epoch);
        true
    }

    fn run(&mut self) {
        let store = store(&self.storage, &self.clock);
        let claim = store.claim(Generation(0), self.retained).unwrap();
        let decision = decide(&store.facts(Intention::Resume, DeciderFact::Said(self.record)).unwrap());
        let restored = claim.begin(&decision).unwrap();
        let now = weir_base::Clock::now(&self.clock);
        self.parallelism = 1 + u16::try_from(self.random.below(5)).unwrap();
        self.table = restored
            .as_ref()
            .map_or_else(Table::default, |restored| Table::read(restored, now, self.parallelism).unwrap());
        assert_eq!(restored.as_ref().map(|restored| restored.manifest().epoch), self.decided);
        let expected = self.decided.map_or_else(Table::default, |epoch| self.written[&epoch].alive(now));
        assert_eq!(self.table, expected);
        if let Decision::Restore { epoch, redo: true, .. } = decision {
            self.complete(&claim, epoch);
        }
        self.epoch = Epoch(claim.first_epoch().0 - 1);
        for _ in 0..self.random.below(60) {
            for _ in 0..self.random.below(8) {
                self.change();
            }
            self.clock.advance(std::time::Duration::from_millis(self.random.below(60)));
            if !self.checkpoint(&claim) {
                break;
            }
            if self.chance(20) && claim.merge().unwrap() {
                self.merges += 1;
            }
        }
        self.restarts += 1;
    }
}

#[test]
fn after_every_restart_the_state_is_that_of_the_newest_decided_checkpoint() {
    let mut merges = 0;
    for seed in 0..60 {
        let mut world = World::new(seed);
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            for _ in 0..12 {
                world.run();
            }
        }));
        assert!(outcome.is_ok(), "seed {seed} fails in run {}", world.restarts + 1);
        merges += world.merges;
    }
    assert!(merges > 20, "only {merges} merges were tried");
}
