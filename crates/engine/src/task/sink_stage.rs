//! A sink in its chain: the writer, the NOT NULL check before it, and the record of when its rows were fetched.

use std::sync::Arc;

use arrow_array::{Array, BooleanArray};
use arrow_select::filter::filter_record_batch;
use weir_base::{Epoch, Error, Result, RowKind, Timestamp};
use weir_connector::{Batch, Ready, Writer};
use weir_metrics::{Counter, Gauge, Registry, Scope};
use weir_plan::SinkSpec;
use weir_ports::{Acknowledgement, Barrier, BarrierKind, Event, PreparedSink, Totals};

use super::RunShared;
use super::latency::Latency;
use super::metrics::watermark_gauge;
use super::stage::watermark_value;

/// A sink of a task.
pub struct SinkStage {
    uid: String,
    table: String,
    writer: Box<dyn Writer>,
    shared: Arc<RunShared>,
    /// Columns that must not be NULL.
    not_null: Vec<(usize, String)>,
    not_null_drop: bool,
    fetched: Vec<(u64, u64)>,
    wanted: bool,
    metrics: SinkMetrics,
    latency: Option<Latency>,
}

struct SinkMetrics {
    rows_in: Counter,
    rows_sent: Counter,
    /// Where the writer counts them.
    bytes_sent: Option<Counter>,
    dropped: Counter,
    watermark_in: Gauge,
}

impl SinkStage {
    /// `writer` for the table of `spec`; `metrics` carries the operator's labels.
    pub fn new(
        uid: String,
        spec: &SinkSpec,
        writer: Box<dyn Writer>,
        not_null_drop: bool,
        shared: Arc<RunShared>,
        metrics: &Registry,
    ) -> Self {
        let columns = spec.physical.fields.iter().enumerate();
        let not_null = columns
            .filter(|(_, field)| !field.data_type.nullable)
            .map(|(index, field)| (index, field.name.clone()))
            .collect();
        let rows_sent = metrics.counter_with_rate(Scope::Operator, "numRecordsSend");
        metrics.also(Scope::Operator, "numRecordsOut", &rows_sent);
        let bytes_sent = writer.bytes_written().map(|_| {
            let sent = metrics.counter_with_rate(Scope::Operator, "numBytesSend");
            metrics.also(Scope::Operator, "numBytesOut", &sent);
            sent
        });
        let metrics = SinkMetrics {
            rows_in: metrics.counter_with_rate(Scope::Operator, "numRecordsIn"),
            rows_sent,
            bytes_sent,
            dropped: Counter::default(),
            watermark_in: watermark_gauge(metrics, Scope::Operator, "currentInputWatermark"),
        };
        let table = spec.table.clone();
        let fetched = Vec::new();
        Self { uid, table, writer, shared, not_null, not_null_drop, fetched, wanted: false, metrics, latency: None }
    }

    /// The same, which tells how old its rows are.
    #[must_use]
    pub fn with_latency(self, latency: Option<Latency>) -> Self {
        Self { latency, ..self }
    }

    /// Writes rows.
    pub fn batch(&mut self, batch: &Batch, _now: Timestamp) -> Result<()> {
        if let Some(latency) = &mut self.latency {
            latency.sees(batch.fetched_us);
        }
        self.metrics.rows_in.add(batch.rows() as u64);
        match self.check_not_null(batch)? {
            None => self.write(batch),
            Some(kept) => self.write(&kept),
        }
    }

    fn write(&mut self, batch: &Batch) -> Result<()> {
        if batch.rows() == 0 {
            return Ok(());
        }
        self.writer.write(batch).map_err(|error| error.within(format!("write to the table '{}'", self.table)))?;
        let rows = batch.rows() as u64;
        self.metrics.rows_sent.add(rows);
        self.show_bytes();
        match self.fetched.last_mut() {
            Some((fetched, count)) if *fetched == batch.fetched_us => *count += rows,
            _ => self.fetched.push((batch.fetched_us, rows)),
        }
        Ok(())
    }

    fn show_bytes(&self) {
        if let (Some(shown), Some(bytes)) = (&self.metrics.bytes_sent, self.writer.bytes_written()) {
            shown.set(bytes);
        }
    }

    /// The rows without NULL where none may be; `None` when that is all of them.
    fn check_not_null(&self, batch: &Batch) -> Result<Option<Batch>> {
        let offending = self.not_null.iter().find(|(index, _)| batch.data.column(*index).logical_null_count() > 0);
        let Some((_, name)) = offending else { return Ok(None) };
        if !self.not_null_drop {
            return Err(Error::invalid(format!(
                "write to the table '{}': Column '{name}' is NOT NULL, however, a null value is being written into it",
                self.table
            ))
            .hint("set 'table.exec.sink.not-null-enforcer' = 'DROP' to leave such rows out"));
        }
        let valid = |row: usize| self.not_null.iter().all(|(index, _)| !batch.data.column(*index).is_null(row));
        let keep: BooleanArray = (0..batch.rows()).map(|row| Some(valid(row))).collect();
        let data = filter_record_batch(&batch.data, &keep).map_err(|error| Error::internal(error.to_string()))?;
        self.metrics.dropped.add((batch.rows() - data.num_rows()) as u64);
        let kinds = batch.kinds.as_ref().map(|kinds| -> Arc<[RowKind]> {
            kinds.iter().zip(keep.values()).filter(|(_, keep)| *keep).map(|(kind, _)| *kind).collect()
        });
        Ok(Some(Batch { data, kinds, fetched_us: batch.fetched_us }))
    }

    /// Shows the watermark that has come.
    pub fn watermark(&self, watermark: Timestamp) {
        self.metrics.watermark_in.set(watermark_value(watermark));
    }

    /// Lets the writer prepare the epoch.
    pub fn barrier(&mut self, barrier: Barrier, acknowledgement: &mut Acknowledgement) -> Result<()> {
        let within = |error: Error| error.within(format!("write to the table '{}'", self.table));
        if barrier.kind == BarrierKind::End {
            self.writer.finish().map_err(within)?;
        }
        let (prepared, flush) = self.writer.prepare(barrier.epoch).map_err(within)?;
        self.show_bytes();
        self.wanted = false;
        let fetched = std::mem::take(&mut self.fetched);
        acknowledgement.prepared.push(PreparedSink { uid: self.uid.clone(), prepared, flush, fetched });
        let totals = Totals {
            rows_in: self.metrics.rows_in.get(),
            rows_out: self.metrics.rows_sent.get(),
            filtered: self.metrics.dropped.get(),
            ..Totals::default()
        };
        debug_assert_eq!(totals.rows_in, totals.rows_out + totals.filtered, "rows were lost at the sink {}", self.uid);
        acknowledgement.totals.push((self.uid.clone(), totals));
        Ok(())
    }

    /// The epoch was decided.
    pub fn decided(&mut self, epoch: Epoch) {
        self.writer.decided(epoch);
    }

    /// Whether the writer takes another batch.
    pub fn clear(&mut self) -> Result<bool> {
        let ready =
            self.writer.ready().map_err(|error| error.within(format!("write to the table '{}'", self.table)))?;
        if ready == Ready::WantsCheckpoint && !self.wanted {
            self.wanted = true;
            self.shared.tell(Event::WantsCheckpoint);
        }
        Ok(ready != Ready::No)
    }
}
