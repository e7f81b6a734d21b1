//! Functions that run over the rows of one partition, from any place on.

use weir_base::{Error, Result};
use weir_plan::{AggregateCall, AggregateFunction, DataType, LogicalType, OverFunction};

use super::functions::Functions;
use crate::operators::rows::{RowCodec, StoredRow};

/// The number of the one state.
const STATE: u32 = 0;

/// The functions.
pub struct Running {
    functions: Functions,
    /// Functions that are given; those behind them only tell whether something has changed.
    shown: usize,
}

impl Running {
    /// The functions, which have seen nothing.
    ///
    /// # Errors
    /// A function is not there for its arguments' types.
    pub fn new(functions: &[OverFunction]) -> Result<Self> {
        // Flink sums with a count beside: a sum that stays the same by a value of 0 has changed to it.
        let counts = functions.iter().filter_map(|function| match function {
            OverFunction::Aggregate(call) if call.function == AggregateFunction::Sum && !call.distinct => {
                let data_type = DataType::not_null(LogicalType::BigInt);
                let call = AggregateCall { function: AggregateFunction::Count, data_type, ..call.clone() };
                Some(OverFunction::Aggregate(call))
            }
            _ => None,
        });
        let all: Vec<OverFunction> = functions.iter().cloned().chain(counts).collect();
        let mut running = Self { functions: Functions::new(&all, false)?, shown: functions.len() };
        running.functions.add_key();
        Ok(running)
    }

    /// Whether what the functions have seen fits into the bytes of `results`.
    pub fn can_go_on(&self) -> bool {
        !self.functions.aggregates.has_elements()
    }

    /// Makes the functions as if they had seen nothing.
    pub fn reset(&mut self) {
        self.functions.reset(STATE);
    }

    /// Makes the functions see what they had seen when they gave `seen`.
    ///
    /// # Errors
    /// The bytes are no states of them.
    pub fn go_on_from(&mut self, seen: &StoredRow) -> Result<()> {
        self.functions.reset(STATE);
        self.functions.aggregates.read(STATE, seen)
    }

    /// Takes rows in.
    ///
    /// # Errors
    /// A function does not take a value.
    pub fn take_in<'r>(&mut self, codec: &RowCodec, rows: impl IntoIterator<Item = &'r StoredRow>) -> Result<()> {
        let rows: Vec<&StoredRow> = rows.into_iter().collect();
        if rows.is_empty() {
            return Ok(());
        }
        let data = codec.decode(rows.iter().copied())?;
        let count = u32::try_from(rows.len()).map_err(|_| Error::internal("too many rows at once"))?;
        let numbers: Vec<u32> = (0..count).collect();
        self.functions.update(&data, &numbers, &vec![STATE; rows.len()])
    }

    /// The results as a row, and what tells whether the functions have changed.
    ///
    /// # Errors
    /// A result cannot be made.
    pub fn results(&mut self, codec: &RowCodec) -> Result<(StoredRow, StoredRow)> {
        let columns = self.functions.finish_keys(&[STATE])?;
        let rows = codec.encode(&columns[..self.shown])?;
        let result = codec.store(rows.row(0), 0);
        let seen = if self.can_go_on() {
            self.functions.aggregates.freeze(&[STATE]).state(0).into()
        } else {
            StoredRow::clone(&result)
        };
        Ok((result, seen))
    }
}
