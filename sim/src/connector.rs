//! The connector `simulator`: simulated events as the raw records of a source.

use std::sync::Arc;
use std::time::Duration;

use weir_base::limits::BATCH_ROWS_MAX;
use weir_base::{Clock, Error, Result};
use weir_connector::{Factory, Fetch, JobContext, Payload, Position, Reader, ReaderContext, Sink, Source, SplitId};
use weir_format::{RawRecord, RawRecords};
use weir_plan::{
    ChangelogMode, ConnectorSpec, OptionSpec, OptionType, SinkSpec, SourceColumn, SourceSpec, TableOptions,
};

use crate::event::Simulation;

const IDENTIFIER: &str = "simulator";

/// The connector as the planner sees it.
pub fn spec() -> ConnectorSpec {
    let option = |key, value, required, help| OptionSpec { key, value, required, help };
    let number = OptionType::Integer;
    ConnectorSpec {
        identifier: IDENTIFIER,
        source: Some(ChangelogMode::INSERT_ONLY),
        sink: None,
        watermark_per_split: true,
        options: vec![
            option("format", OptionType::Text, true, "The format of the events: 'json'."),
            option(
                "rows-per-second",
                number,
                false,
                "Events a second; 10000 unless given, 0 as fast as they are taken.",
            ),
            option("number-of-rows", number, false, "Ends after so many events; never unless given."),
            option("devices", number, false, "Number of devices; 1000 unless given."),
            option("sites", number, false, "Number of sites; 40 unless given."),
            option("seed", number, false, "Chooses the events; 1 unless given."),
            option(
                "start-time",
                number,
                false,
                "Event time of the first event, milliseconds since the epoch; 2026-01-01 unless given.",
            ),
            option("partitions", number, false, "Splits among which the events take turns; 1 unless given."),
        ],
        metadata: Vec::new(),
        format_keys: &["format"],
    }
}

/// Makes sources of simulated events.
#[derive(Debug, Default)]
pub struct SimulatorFactory;

impl Factory for SimulatorFactory {
    fn identifier(&self) -> &'static str {
        IDENTIFIER
    }

    fn source(&self, spec: &SourceSpec, _context: &JobContext) -> Result<Box<dyn Source>> {
        if let Some(SourceColumn::Metadata(key, _)) =
            spec.columns.iter().find(|column| matches!(column, SourceColumn::Metadata(..)))
        {
            return Err(Error::invalid(format!("read the metadata column '{key}': the simulator has none")));
        }
        Ok(Box::new(Simulator::read(&spec.options)?))
    }

    fn sink(&self, spec: &SinkSpec, _context: &JobContext) -> Result<Box<dyn Sink>> {
        Err(Error::invalid(format!("write to the table {}: the connector 'simulator' is a source only", spec.table)))
    }
}

/// A table of simulated events.
#[derive(Debug, Clone)]
struct Simulator {
    simulation: Simulation,
    rate: u64,
    rows: Option<u64>,
    partitions: u64,
}

impl Simulator {
    fn read(options: &TableOptions) -> Result<Self> {
        let number = |key: &str, default: u64, least: u64| match options.get(key) {
            None => Ok(default),
            Some(text) => text.trim().parse().ok().filter(|number| *number >= least).ok_or_else(|| {
                Error::invalid(format!(
                    "read the option '{key}' = '{text}': it must be a whole number of at least {least}"
                ))
            }),
        };
        let default = Simulation::default();
        let rate = number("rows-per-second", default.events_per_second, 0)?;
        let start = u64::try_from(default.start).unwrap_or(0);
        let simulation = Simulation {
            seed: number("seed", default.seed, 0)?,
            start: i64::try_from(number("start-time", start, 0)?).unwrap_or(i64::MAX),
            events_per_second: if rate == 0 { default.events_per_second } else { rate },
            devices: number("devices", default.devices, 1)?,
            sites: number("sites", default.sites, 1)?,
        };
        let rows = options.get("number-of-rows").map(|_| number("number-of-rows", 0, 0)).transpose()?;
        Ok(Self { simulation, rate, rows, partitions: number("partitions", 1, 1)?.min(1_024) })
    }
}

impl Source for Simulator {
    fn splits(&self) -> Result<Vec<SplitId>> {
        Ok((0..self.partitions).map(|partition| SplitId(partition.to_string().into())).collect())
    }

    fn is_bounded(&self) -> bool {
        self.rows.is_some()
    }

    fn reader(&self, context: &ReaderContext) -> Result<Box<dyn Reader>> {
        let clock = Arc::clone(&context.clock);
        Ok(Box::new(SimulatorReader { table: self.clone(), clock, splits: Vec::new(), turn: 0 }))
    }
}

struct SimulatorReader {
    table: Simulator,
    clock: Arc<dyn Clock>,
    splits: Vec<Split>,
    turn: usize,
}

struct Split {
    id: SplitId,
    partition: u64,
    /// Events of this split given so far.
    given: u64,
    /// Events given when it was taken over, and when that was.
    base: u64,
    since_us: u64,
}

impl SimulatorReader {
    /// Events of `split` that may be given by now.
    fn due(&self, split: &Split) -> u64 {
        let of_split = |events: u64| events.saturating_sub(split.partition).div_ceil(self.table.partitions);
        let all = self.table.rows.map_or(u64::MAX, of_split);
        if self.table.rate == 0 {
            return all;
        }
        let elapsed_us = u128::from(self.clock.monotonic_us().saturating_sub(split.since_us));
        let events = elapsed_us * u128::from(self.table.rate) / 1_000_000 / u128::from(self.table.partitions);
        split.base.saturating_add(u64::try_from(events).unwrap_or(u64::MAX)).min(all)
    }

    fn round(&mut self) -> Option<Fetch> {
        for _ in 0..self.splits.len() {
            self.turn = (self.turn + 1) % self.splits.len();
            let split = &self.splits[self.turn];
            let due = self.due(split);
            let all = self.table.rows.map(|rows| rows.saturating_sub(split.partition).div_ceil(self.table.partitions));
            if all.is_some_and(|all| split.given >= all) {
                return Some(Fetch::End(self.splits.remove(self.turn).id));
            }
            if due > split.given {
                let end = due.min(split.given + BATCH_ROWS_MAX as u64);
                return Some(self.records(end));
            }
        }
        None
    }

    /// The events of the split whose turn it is, up to its event `end`.
    fn records(&mut self, end: u64) -> Fetch {
        let split = &mut self.splits[self.turn];
        let position = |offset: u64| Position { offset, records: offset };
        let first = position(split.given);
        let (mut data, mut records) = (Vec::new(), Vec::new());
        for offset in split.given..end {
            let number = split.partition + offset * self.table.partitions;
            let at = self.table.simulation.write(number, &mut data);
            let word = |number: usize| u32::try_from(number).expect("a fetch is bounded far below 4 GiB");
            records.push(RawRecord { start: word(at.start), length: word(at.len()), offset, null: false });
        }
        split.given = end;
        let records = RawRecords { data: data.into(), records, keys: None, timestamps: None, oversized: Vec::new() };
        let next = position(end);
        Fetch::Records { split: split.id.clone(), payload: Payload::Raw(records), metadata: Vec::new(), first, next }
    }
}

impl Reader for SimulatorReader {
    fn add(&mut self, id: SplitId, from: Option<Position>) -> Result<()> {
        let partition = id.0.parse().ok().filter(|partition| *partition < self.table.partitions).ok_or_else(|| {
            Error::invalid(format!("simulate the split '{id}': the table has {} partitions", self.table.partitions))
                .hint("give 'partitions' its former value, or start the job afresh")
        })?;
        let given = from.map_or(0, |position| position.offset);
        self.splits.push(Split { id, partition, given, base: given, since_us: self.clock.monotonic_us() });
        Ok(())
    }

    fn fetch(&mut self, wait: Duration) -> Result<Fetch> {
        if let Some(fetch) = self.round() {
            return Ok(fetch);
        }
        // Events come steadily: a moment later there are some.
        self.clock.sleep(wait.min(Duration::from_millis(5)));
        Ok(self.round().unwrap_or(Fetch::Nothing))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use weir_base::ManualClock;
    use weir_metrics::Registry;

    use super::*;

    fn options(pairs: &[(&str, &str)]) -> TableOptions {
        let values = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        TableOptions { values, spans: BTreeMap::new() }
    }

    fn reader(simulator: &Simulator, clock: &ManualClock) -> Box<dyn Reader> {
        let clock = Arc::new(clock.clone());
        let context = ReaderContext {
            subtask: 0,
            parallelism: 1,
            clock,
            metrics: Registry::default(),
            linger: weir_base::limits::SOURCE_LINGER,
        };
        simulator.reader(&context).unwrap()
    }

    #[test]
    fn splits_take_turns_and_end_together_with_all_events() {
        let simulator = Simulator::read(&options(&[
            ("number-of-rows", "10"),
            ("partitions", "3"),
            ("rows-per-second", "0"),
            ("seed", "4"),
        ]))
        .unwrap();
        let clock = ManualClock::at(0);
        let mut reader = reader(&simulator, &clock);
        for split in simulator.splits().unwrap() {
            let from = (&*split.0 == "1").then_some(Position { offset: 2, records: 2 });
            reader.add(split, from).unwrap();
        }
        let (mut ended, mut seen) = (0, Vec::new());
        while ended < 3 {
            match reader.fetch(Duration::ZERO).unwrap() {
                Fetch::End(_) => ended += 1,
                Fetch::Nothing => {}
                Fetch::Records { split, payload: Payload::Raw(records), .. } => {
                    for (index, record) in records.records.iter().enumerate() {
                        let number = split.0.parse::<u64>().unwrap() + 3 * record.offset;
                        let mut expected = Vec::new();
                        simulator.simulation.write(number, &mut expected);
                        assert_eq!(records.value(index), expected);
                        seen.push(number);
                    }
                }
                Fetch::Records { .. } => panic!("the simulator gives raw records"),
            }
        }
        seen.sort_unstable();
        assert_eq!(seen, [0, 2, 3, 5, 6, 7, 8, 9]);
    }

    #[test]
    fn the_rate_is_kept_by_the_clock() {
        let simulator = Simulator::read(&options(&[("rows-per-second", "1000")])).unwrap();
        let clock = ManualClock::at(0);
        let mut reader = reader(&simulator, &clock);
        reader.add(SplitId("0".into()), None).unwrap();
        clock.advance(Duration::from_millis(40));
        let Fetch::Records { next, .. } = reader.fetch(Duration::ZERO).unwrap() else { panic!("no records") };
        assert_eq!(next.offset, 40);
        assert!(matches!(reader.fetch(Duration::ZERO).unwrap(), Fetch::Nothing));
    }

    #[test]
    fn a_wrong_option_is_named() {
        for (pair, expected) in [
            (("devices", "0"), "read the option 'devices' = '0': it must be a whole number of at least 1"),
            (("seed", "x"), "read the option 'seed' = 'x': it must be a whole number of at least 0"),
        ] {
            assert_eq!(Simulator::read(&options(&[pair])).unwrap_err().to_string(), expected);
        }
    }
}
