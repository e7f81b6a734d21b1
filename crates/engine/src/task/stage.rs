//! An operator in its chain, with what stands behind it and its account.

use weir_base::{Epoch, Result, Timestamp};
use weir_connector::Batch;
use weir_metrics::{Counter, Gauge, Registry, Scope};
use weir_ports::{Acknowledgement, Barrier, Totals};

use super::metrics::{STATE_BYTES, watermark_gauge};
use super::next::{Fan, clear_all};
use super::{LateLetters, Next};
use crate::operators::Operator;

/// Milliseconds between two looks at the size of an operator's state: as often as rates are taken.
const LOOK_INTERVAL_MS: i64 = 1_000;

/// An operator of a task.
pub struct Stage {
    uid: String,
    operator: Box<dyn Operator>,
    next: Vec<Next>,
    metrics: StageMetrics,
    /// Where late rows go, if they are kept.
    late: Option<LateLetters>,
    /// When the size of the state was looked at last.
    looked: Timestamp,
}

/// The figures that every operator has.
struct StageMetrics {
    rows_in: Counter,
    rows_out: Counter,
    /// Only where rows can be late.
    late: Option<Counter>,
    /// Only where there is state: its bytes.
    state: Option<Gauge>,
    watermark_in: Gauge,
    watermark_out: Gauge,
}

impl StageMetrics {
    fn register(metrics: &Registry, drops_late: bool, has_state: bool) -> Self {
        Self {
            rows_in: metrics.counter_with_rate(Scope::Operator, "numRecordsIn"),
            rows_out: metrics.counter_with_rate(Scope::Operator, "numRecordsOut"),
            late: drops_late.then(|| {
                let late = metrics.counter(Scope::Operator, "numLateRecordsDropped");
                metrics.rate_of(Scope::Operator, "lateRecordsDroppedRate", &late, 1.0);
                late
            }),
            state: has_state.then(|| metrics.gauge(Scope::Operator, STATE_BYTES)),
            watermark_in: watermark_gauge(metrics, Scope::Operator, "currentInputWatermark"),
            watermark_out: watermark_gauge(metrics, Scope::Operator, "currentOutputWatermark"),
        }
    }
}

impl Stage {
    /// `operator` with what stands behind it; `metrics` carries the operator's labels. `drops_late`: rows can come too late for it.
    pub fn new(
        uid: String,
        operator: Box<dyn Operator>,
        next: Vec<Next>,
        metrics: &Registry,
        drops_late: bool,
    ) -> Self {
        let metrics = StageMetrics::register(metrics, drops_late, operator.state_bytes().is_some());
        Self { uid, operator, next, metrics, late: None, looked: Timestamp::MIN }
    }

    /// The same, which keeps late rows in `late`.
    #[must_use]
    pub fn with_late(self, late: Option<LateLetters>) -> Self {
        Self { late, ..self }
    }

    /// Lets the operator take rows.
    pub fn batch(&mut self, batch: Batch, now: Timestamp) -> Result<()> {
        self.metrics.rows_in.add(batch.rows() as u64);
        self.with_operator(now, |operator, out| operator.on_batch(batch, now, out))?;
        if let Some(late) = &self.metrics.late {
            late.set(self.operator.equation().late);
        }
        Ok(())
    }

    /// Lets the operator see a watermark, and passes it on.
    pub fn watermark(&mut self, watermark: Timestamp, now: Timestamp) -> Result<()> {
        self.metrics.watermark_in.set(watermark_value(watermark));
        self.with_operator(now, |operator, out| operator.on_watermark(watermark, now, out))?;
        if self.operator.forwards_watermarks() {
            self.metrics.watermark_out.set(watermark_value(watermark));
            self.next.iter_mut().try_for_each(|next| next.watermark(watermark, now))?;
        }
        Ok(())
    }

    /// Passes idleness on.
    pub fn idle(&mut self) -> Result<()> {
        self.next.iter_mut().try_for_each(Next::idle)
    }

    /// Freezes the operator's state and passes the barrier on.
    pub fn barrier(&mut self, barrier: Barrier, acknowledgement: &mut Acknowledgement) -> Result<()> {
        acknowledgement.frozen.push((self.uid.clone(), self.operator.freeze(barrier.epoch)));
        let equation = self.operator.equation();
        debug_assert!(equation.holds(), "rows were lost or made up in {}: {equation:?}", self.uid);
        let totals = Totals {
            rows_in: equation.rows_in,
            rows_out: self.metrics.rows_out.get(),
            filtered: equation.filtered,
            deduplicated: equation.deduplicated,
            late: equation.late,
            dead_lettered: equation.dead_lettered,
        };
        acknowledgement.totals.push((self.uid.clone(), totals));
        if let Some(late) = &mut self.late {
            acknowledgement.prepared.push(late.barrier(barrier)?);
        }
        self.next.iter_mut().try_for_each(|next| next.barrier(barrier, acknowledgement))
    }

    /// Lets the operator see processing time.
    pub fn tick(&mut self, now: Timestamp) -> Result<()> {
        if let Some(shown) = self.metrics.state.as_ref().filter(|_| now.saturating_sub(self.looked) >= LOOK_INTERVAL_MS)
        {
            self.looked = now;
            #[expect(clippy::cast_precision_loss, reason = "a page shows doubles")]
            shown.set(self.operator.state_bytes().unwrap_or(0) as f64);
        }
        self.with_operator(now, |operator, out| operator.on_tick(now, out))?;
        self.next.iter_mut().try_for_each(|next| next.tick(now))
    }

    /// Passes on that `epoch` was decided.
    pub fn decided(&mut self, epoch: Epoch) {
        if let Some(late) = &mut self.late {
            late.decided(epoch);
        }
        self.next.iter_mut().for_each(|next| next.decided(epoch));
    }

    /// The checkpoint of `epoch` is complete.
    pub fn completed(&mut self, epoch: Epoch) {
        self.operator.confirm(epoch);
        self.next.iter_mut().for_each(|next| next.completed(epoch));
    }

    /// See `Next::clear`.
    pub fn clear(&mut self) -> Result<bool> {
        let late = self.late.as_mut().map_or(Ok(true), LateLetters::clear)?;
        Ok(clear_all(&mut self.next)? && late)
    }

    fn with_operator(
        &mut self,
        now: Timestamp,
        act: impl FnOnce(&mut dyn Operator, &mut Fan<'_>) -> Result<()>,
    ) -> Result<()> {
        let mut fan = Fan { next: &mut self.next, now, rows: 0, late: self.late.as_mut() };
        act(self.operator.as_mut(), &mut fan)?;
        self.metrics.rows_out.add(fan.rows);
        Ok(())
    }
}

/// A watermark as a metric shows it.
#[expect(clippy::cast_precision_loss, reason = "milliseconds since the epoch are exact in a double for 285,000 years")]
pub fn watermark_value(watermark: Timestamp) -> f64 {
    watermark as f64
}
