//! The source: one split of generated rows, given out at the table's rate.

use std::sync::Arc;
use std::time::Duration;

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_schema::SchemaRef;
use weir_base::{Clock, Error, Result, Rng, limits};
use weir_connector::{Fetch, Payload, Position, Reader, ReaderContext, Source, SplitId};
use weir_plan::{Schema, SourceColumn, SourceSpec};

use crate::generator::Generator;
use crate::options::{Options, wrong};

/// Rows a second unless the table says otherwise: Flink's default.
const ROWS_PER_SECOND: u64 = 10_000;

/// A generated table.
pub(crate) struct GeneratorSource {
    table: Arc<Table>,
}

/// What all readers of a table know.
struct Table {
    schema: SchemaRef,
    /// With the seed of each, so that a column's values do not depend on which others are read.
    generators: Vec<(u64, Generator)>,
    rows: Option<u64>,
    rows_per_second: u64,
    /// Rows of a batch at most.
    rows_at_once: u64,
}

impl GeneratorSource {
    /// The table of `spec`.
    ///
    /// # Errors
    /// Options with values that are none, or that belong to no field.
    pub fn new(spec: &SourceSpec) -> Result<Self> {
        let options = Options::new(&spec.options);
        let rows_per_second =
            options.value("rows-per-second", "a whole number, not negative")?.unwrap_or(ROWS_PER_SECOND);
        if rows_per_second == 0 {
            return Err(wrong("rows-per-second", "0", "at least 1"));
        }
        let mut rows: Option<u64> = options.value("number-of-rows", "a whole number, not negative")?;
        let seed = seed_of(&spec.table);
        let mut all = Vec::new();
        for (index, field) in (0u64..).zip(&spec.physical.fields) {
            let (generator, count) = Generator::new(&format!("fields.{}", field.name), &field.data_type, &options)?;
            rows = [rows, count].into_iter().flatten().min();
            all.push(Some((Rng::new(seed ^ index.wrapping_mul(0xD6E8_FEB8_6659_FD93)).next_u64(), generator)));
        }
        options.refuse_the_rest()?;
        let (mut generators, mut fields) = (Vec::new(), Vec::new());
        for column in &spec.columns {
            let physical = match column {
                SourceColumn::Physical(index) => all.get_mut(*index).and_then(Option::take).map(|made| (*index, made)),
                SourceColumn::Metadata(..) => None,
            };
            let Some((index, generator)) = physical else {
                return Err(Error::internal(format!("generate the column {column:?}")));
            };
            fields.push(spec.physical.fields[index].clone());
            generators.push(generator);
        }
        let row_bytes = generators.iter().fold(0u64, |sum, (_, generator)| sum.saturating_add(generator.bytes_max()));
        if row_bytes > limits::RECORD_BYTES_MAX as u64 {
            let what = format!("generate rows of {row_bytes} bytes: {} are allowed", limits::RECORD_BYTES_MAX);
            return Err(Error::invalid(what).hint("lower the options 'fields.#.length'"));
        }
        let rows_at_once =
            (limits::CHANNEL_BYTES_MAX as u64 / row_bytes.max(1)).clamp(1, limits::BATCH_ROWS_MAX as u64);
        let schema = Schema::new(fields).arrow();
        Ok(Self { table: Arc::new(Table { schema, generators, rows, rows_per_second, rows_at_once }) })
    }
}

/// A seed from a name (FNV-1a).
fn seed_of(name: &str) -> u64 {
    name.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3))
}

impl Table {
    /// The rows `first..first + count`.
    fn rows(&self, first: u64, count: usize, now: i64) -> Result<RecordBatch> {
        let mut columns = Vec::with_capacity(self.generators.len());
        for (seed, generator) in &self.generators {
            let row_seed = |index: u64| seed ^ (first + index).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(31);
            let mut randoms: Vec<Rng> = (0..count as u64).map(|index| Rng::new(row_seed(index))).collect();
            columns.push(generator.values(&mut randoms, first, now)?);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(count));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)
            .map_err(|source| Error::internal(format!("put generated columns together: {source}")).caused_by(source))
    }
}

impl Source for GeneratorSource {
    fn splits(&self) -> Result<Vec<SplitId>> {
        Ok(vec![SplitId("rows".into())])
    }

    fn is_bounded(&self) -> bool {
        self.table.rows.is_some()
    }

    fn reader(&self, context: &ReaderContext) -> Result<Box<dyn Reader>> {
        Ok(Box::new(GeneratorReader {
            table: Arc::clone(&self.table),
            clock: Arc::clone(&context.clock),
            split: None,
            start_us: 0,
            given: 0,
        }))
    }
}

/// Gives the rows of the split out, if it has it.
struct GeneratorReader {
    table: Arc<Table>,
    clock: Arc<dyn Clock>,
    /// The split, and its next row.
    split: Option<(SplitId, u64)>,
    /// When the first row fell due, microseconds of the clock's monotonic side.
    start_us: u64,
    /// Rows given since then.
    given: u64,
}

impl GeneratorReader {
    /// Rows that have fallen due and were not given yet.
    fn due(&mut self) -> u64 {
        let elapsed = self.clock.monotonic_us().saturating_sub(self.start_us);
        let due = u128::from(elapsed) * u128::from(self.table.rows_per_second) / 1_000_000;
        let due = u64::try_from(due).unwrap_or(u64::MAX).saturating_sub(self.given);
        // After a pause (back-pressure, a stopped process) a second's rows are made up for, not all.
        if due > self.table.rows_per_second {
            self.given += due - self.table.rows_per_second;
            return self.table.rows_per_second;
        }
        due
    }

    /// How long until the next row falls due.
    fn until_due(&self) -> Duration {
        let at = u128::from(self.given + 1) * 1_000_000 / u128::from(self.table.rows_per_second) + 1;
        let at = u64::try_from(at).unwrap_or(u64::MAX).saturating_add(self.start_us);
        Duration::from_micros(at.saturating_sub(self.clock.monotonic_us()))
    }
}

impl Reader for GeneratorReader {
    fn add(&mut self, split: SplitId, from: Option<Position>) -> Result<()> {
        self.start_us = self.clock.monotonic_us();
        self.given = 0;
        self.split = Some((split, from.unwrap_or_default().offset));
        Ok(())
    }

    fn fetch(&mut self, wait: Duration) -> Result<Fetch> {
        let Some((split, next)) = self.split.clone() else {
            self.clock.sleep(wait);
            return Ok(Fetch::Nothing);
        };
        let left = self.table.rows.map_or(u64::MAX, |rows| rows.saturating_sub(next));
        if left == 0 {
            self.split = None;
            return Ok(Fetch::End(split));
        }
        let mut due = self.due();
        if due == 0 {
            // At high rates a moment's rows come together.
            self.clock.sleep(self.until_due().max(limits::SOURCE_LINGER).min(wait));
            due = self.due();
        }
        let count = due.min(left).min(self.table.rows_at_once);
        if count == 0 {
            return Ok(Fetch::Nothing);
        }
        let rows = usize::try_from(count).unwrap_or(limits::BATCH_ROWS_MAX);
        let batch = self.table.rows(next, rows, self.clock.now())?;
        self.given += count;
        self.split = Some((split.clone(), next + count));
        let position = |row: u64| Position { offset: row, records: row };
        Ok(Fetch::Records {
            split,
            payload: Payload::Columns(batch),
            metadata: Vec::new(),
            first: position(next),
            next: position(next + count),
        })
    }
}
