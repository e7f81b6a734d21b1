//! A sink in its chain: the writer, the constraints before it, and the record of when its rows were fetched.

use std::sync::Arc;

use weir_base::{Epoch, Error, Result, Timestamp};
use weir_connector::{Batch, Ready, Writer};
use weir_metrics::{Counter, Gauge, Registry, Scope};
use weir_plan::SinkSpec;
use weir_ports::{Acknowledgement, Barrier, BarrierKind, Event, PreparedSink, Totals};

use super::RunShared;
use super::constraints::Constraints;
use super::latency::Latency;
use super::metrics::watermark_gauge;
use super::stage::watermark_value;

/// A sink of a task.
pub struct SinkStage {
    uid: String,
    table: String,
    writer: Box<dyn Writer>,
    shared: Arc<RunShared>,
    constraints: Constraints,
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
        constraints: Constraints,
        shared: Arc<RunShared>,
        metrics: &Registry,
    ) -> Self {
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
        Self { uid, table, writer, shared, constraints, fetched, wanted: false, metrics, latency: None }
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
        match self.constraints.keep(batch)? {
            None => self.write(batch),
            Some(kept) => {
                self.metrics.dropped.add((batch.rows() - kept.rows()) as u64);
                self.write(&kept)
            }
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
