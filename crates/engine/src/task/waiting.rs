//! Rows on their way to a channel that wait for more: `execution.buffer-timeout`. They become one batch; nothing overtakes them.

use std::sync::Arc;

use arrow_select::concat::concat_batches;
use weir_base::{Clock, Error, Result, RowKind};
use weir_connector::Batch;
use weir_ports::BufferTimeout;

/// When rows for a channel are handed on.
#[derive(Clone)]
pub struct HandOver {
    /// How long they may wait.
    pub timeout: BufferTimeout,
    /// Rows in a batch at most.
    pub rows_max: usize,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

/// The rows that wait for one channel.
#[derive(Default)]
pub struct Waiting {
    parts: Vec<Batch>,
    rows: usize,
    since_us: u64,
}

impl Waiting {
    /// Adds `batch`, and hands what goes now to `give`, oldest rows first.
    ///
    /// # Errors
    /// Batches do not fit together.
    pub fn add(&mut self, batch: Batch, over: &HandOver, mut give: impl FnMut(Batch)) -> Result<()> {
        if over.timeout == BufferTimeout::AtOnce {
            give(batch);
            return Ok(());
        }
        // What would be too large together goes first.
        if self.rows + batch.rows() > over.rows_max {
            self.take()?.into_iter().for_each(&mut give);
        }
        if self.parts.is_empty() {
            self.since_us = over.clock.monotonic_us();
        }
        self.rows += batch.rows();
        self.parts.push(batch);
        if self.rows >= over.rows_max {
            self.take()?.into_iter().for_each(give);
        }
        Ok(())
    }

    /// What has waited long enough.
    ///
    /// # Errors
    /// As `add`.
    pub fn due(&mut self, over: &HandOver) -> Result<Option<Batch>> {
        match over.timeout {
            BufferTimeout::After(timeout) if !self.parts.is_empty() => {
                let waited = over.clock.monotonic_us().saturating_sub(self.since_us);
                if u128::from(waited) >= timeout.as_micros() { self.take() } else { Ok(None) }
            }
            _ => Ok(None),
        }
    }

    /// All that waits, as one batch.
    ///
    /// # Errors
    /// As `add`.
    pub fn take(&mut self) -> Result<Option<Batch>> {
        self.rows = 0;
        let mut parts = std::mem::take(&mut self.parts);
        if parts.len() <= 1 {
            return Ok(parts.pop());
        }
        let data = concat_batches(&parts[0].data.schema(), parts.iter().map(|part| &part.data))
            .map_err(|error| Error::internal(format!("put batches for a channel together: {error}")))?;
        let kinds = parts.iter().any(|part| part.kinds.is_some()).then(|| {
            let kinds = parts.iter().flat_map(|part| (0..part.rows()).map(|row| part.kind(row)));
            kinds.collect::<Arc<[RowKind]>>()
        });
        let fetched_us = parts.iter().map(|part| part.fetched_us).filter(|fetched| *fetched > 0).min().unwrap_or(0);
        Ok(Some(Batch { data, kinds, fetched_us }))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use arrow_array::{Int64Array, RecordBatch};
    use weir_base::ManualClock;

    use super::*;

    fn batch(rows: i64, fetched_us: u64) -> Batch {
        let column: arrow_array::ArrayRef = Arc::new((0..rows).collect::<Int64Array>());
        Batch::inserts(RecordBatch::try_from_iter([("a", column)]).unwrap(), fetched_us)
    }

    fn over(timeout: BufferTimeout, clock: &Arc<ManualClock>) -> HandOver {
        HandOver { timeout, rows_max: 10, clock: Arc::<ManualClock>::clone(clock) }
    }

    #[test]
    fn rows_wait_until_they_are_a_full_batch_or_their_time_is_over() {
        let clock = Arc::new(ManualClock::at(1_000));
        let after = BufferTimeout::After(Duration::from_millis(100));
        // Rows of each batch that comes, rows handed on at once, rows handed on 99 ms after the last one, and 1 ms later.
        type Case = (BufferTimeout, &'static [i64], &'static [usize], Option<usize>, Option<usize>);
        let cases: &[Case] = &[
            (BufferTimeout::AtOnce, &[3, 4], &[3, 4], None, None),
            (after, &[3, 4], &[], None, Some(7)),
            (after, &[3, 7], &[10], None, None),
            (after, &[3, 8], &[3], None, Some(8)),
            (after, &[10, 1], &[10], None, Some(1)),
            (after, &[3, 10], &[3, 10], None, None),
            (BufferTimeout::WhenFull, &[3, 4], &[], None, None),
            (BufferTimeout::WhenFull, &[3, 4, 5, 6], &[7, 5], None, None),
        ];
        for (timeout, incoming, at_once, early, late) in cases {
            let over = over(*timeout, &clock);
            let mut waiting = Waiting::default();
            let rows = |batch: Option<Batch>| batch.map(|batch| batch.rows());
            let mut given = Vec::new();
            for count in *incoming {
                waiting.add(batch(*count, 0), &over, |batch| given.push(batch.rows())).unwrap();
            }
            assert_eq!(given, *at_once, "{timeout:?} {incoming:?}");
            clock.advance(Duration::from_millis(99));
            assert_eq!(rows(waiting.due(&over).unwrap()), *early, "{timeout:?} {incoming:?}");
            clock.advance(Duration::from_millis(1));
            assert_eq!(rows(waiting.due(&over).unwrap()), *late, "{timeout:?} {incoming:?}");
        }
    }

    #[test]
    fn rows_keep_their_order_their_kinds_and_the_oldest_fetch() {
        let clock = Arc::new(ManualClock::at(1_000));
        let over = over(BufferTimeout::WhenFull, &clock);
        let mut waiting = Waiting::default();
        let updates = Batch { kinds: Some([RowKind::UpdateBefore, RowKind::UpdateAfter].into()), ..batch(2, 7) };
        for part in [batch(1, 9), updates, batch(1, 0)] {
            waiting.add(part, &over, |_| panic!("it is not full")).unwrap();
        }
        let all = waiting.take().unwrap().unwrap();
        let kinds = [RowKind::Insert, RowKind::UpdateBefore, RowKind::UpdateAfter, RowKind::Insert];
        assert_eq!((all.rows(), all.kinds.as_deref(), all.fetched_us), (4, Some(kinds.as_slice()), 7));
        assert!(waiting.take().unwrap().is_none());
    }
}
