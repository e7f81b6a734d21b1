//! Scenarios and their rounds: which are run, what one consists of, what it leaves behind when it was bad.

use std::ops::RangeInclusive;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::Child;

use weir_base::Rng;

use super::aim::{Aim, Bounds};
use super::ledger::Ledger;
use super::strike::{Hooks, Kill, strike};
use super::tally::Tally;
use crate::binary::Place;

/// Rounds of a scenario in an ordinary test run.
const ROUNDS: u64 = 20;

/// A job that is killed, with its input and the comparison in the end.
pub trait Scenario {
    /// Its name in the ledger.
    const NAME: &'static str;
    /// The test that runs its rounds.
    const TEST: &'static str;
    /// Whether the build under test has the order of the commit swapped, which must be found out.
    const SWAPPED: bool = false;

    /// Within what bounds its kills are drawn.
    fn bounds(&self) -> Bounds;

    /// Makes the round's input.
    fn begin<'a>(&'a self, place: &'a Place, seed: u64, rng: &mut Rng) -> Box<dyn Round + 'a>;
}

/// A round of a scenario.
pub trait Round {
    /// Starts the job, or has it go on.
    fn start(&mut self, hooks: &Hooks) -> Child;

    /// Whether it is killed once more, after so many kills.
    fn goes_on(&mut self, kills: u64) -> bool;

    /// Whether the job may end by itself before it is killed.
    fn may_end(&self) -> bool;

    /// Has the job go on to its end; what is wrong then, or nothing.
    fn end(&mut self) -> Vec<String>;
}

/// Runs the rounds that `WEIR_KILL_SEEDS=FROM-TO` asks for, else the first twenty, and asserts that all was well.
pub fn run<S: Scenario>(scenario: &S) {
    let tally = run_seeds(scenario, seeds(std::env::var("WEIR_KILL_SEEDS").ok().as_deref()), |_| true);
    assert_eq!(tally.complaint(), None);
}

/// Runs rounds as long as `goes_on` says so.
pub fn run_seeds<S: Scenario>(scenario: &S, seeds: RangeInclusive<u64>, goes_on: impl Fn(&Tally) -> bool) -> Tally {
    let (mut tally, ledger) = (Tally::default(), Ledger::of_environment());
    for seed in seeds {
        let mut place = Place::new();
        let mut kills = Vec::new();
        let round = catch_unwind(AssertUnwindSafe(|| round(scenario, &place, seed, &mut kills)));
        let mut wrong = match round {
            Ok(wrong) => wrong.join("; "),
            // A round that broke off has found nothing out.
            Err(panic) if S::SWAPPED => resume_unwind(panic),
            Err(panic) => format!("broken: {}", words(panic.as_ref())),
        };
        if !wrong.is_empty() && !S::SWAPPED {
            wrong = format!("round {seed}: {wrong}");
            let (name, test) = (S::NAME, S::TEST);
            println!("{name}: {wrong}\n  {kills:?}\n  its folder is kept: {}", place.keep().display());
            println!(
                "  again: WEIR_KILL_SEEDS={seed}-{seed} cargo test -p weir --test it -- --exact {test} --nocapture"
            );
        }
        tally.add(&kills, &wrong);
        if let Some(ledger) = ledger.as_ref().filter(|_| !S::SWAPPED) {
            ledger.add(S::NAME, seed, &kills, &wrong);
        }
        if !goes_on(&tally) {
            break;
        }
    }
    println!("{}: {tally}", S::NAME);
    tally
}

/// One round: killed, and killed again, then run to the end.
fn round<S: Scenario>(scenario: &S, place: &Place, seed: u64, kills: &mut Vec<Kill>) -> Vec<String> {
    let mut rng = Rng::new(seed);
    let mut round = scenario.begin(place, seed, &mut rng);
    let bounds = scenario.bounds();
    while round.goes_on(kills.len() as u64) {
        let aim = Aim::of(seed, kills.len() as u64, &bounds, &mut rng);
        let hooks = Hooks::new(place.path(&format!("marks-{}", kills.len())), &aim, &bounds, S::SWAPPED);
        let child = round.start(&hooks);
        let Some(kill) = strike(child, &aim, &hooks) else {
            assert!(round.may_end(), "the job ended by itself after {kills:?}");
            break;
        };
        kills.push(kill);
    }
    round.end()
}

/// `FROM-TO`, both inclusive.
fn seeds(asked: Option<&str>) -> RangeInclusive<u64> {
    let Some(asked) = asked else { return 1..=ROUNDS };
    let seed = |text: &str| text.parse().expect("WEIR_KILL_SEEDS is FROM-TO, two numbers");
    let (from, to) = asked.split_once('-').unwrap_or((asked, asked));
    seed(from)..=seed(to)
}

/// What a panic said.
fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without words").to_owned()
}

#[test]
fn seeds_are_read() {
    assert_eq!(seeds(None), 1..=ROUNDS);
    assert_eq!((seeds(Some("21-40")), seeds(Some("7"))), (21..=40, 7..=7));
}
