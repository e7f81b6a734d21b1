//! `MIN(x)` and `MAX(x)`: NULL where no value came. A value replaces the former where it is less (greater), so a NaN that came first stays, as in Flink.

use std::marker::PhantomData;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::ArrowPrimitiveType;
use arrow_array::{Array, ArrayRef, BooleanArray, PrimitiveArray, StringViewArray};
use arrow_schema::DataType as ArrowType;
use weir_base::Result;

use super::fold::{Fixed, Fold, each_value, other_type, present, put_bytes, put_option, take_bytes, take_option};

/// Of numbers, times and intervals.
#[derive(Debug)]
pub struct MinMax<T> {
    greatest: bool,
    output: ArrowType,
    values: PhantomData<fn() -> T>,
}

/// Of text, by its bytes.
#[derive(Debug, Clone)]
pub struct MinMaxText {
    /// MAX rather than MIN.
    pub greatest: bool,
}

/// Of BOOLEAN: FALSE is less than TRUE.
#[derive(Debug, Clone)]
pub struct MinMaxBoolean {
    /// MAX rather than MIN.
    pub greatest: bool,
}

impl<T> MinMax<T> {
    /// Of the type `output`.
    pub fn new(greatest: bool, output: ArrowType) -> Self {
        Self { greatest, output, values: PhantomData }
    }
}

impl<T> Clone for MinMax<T> {
    fn clone(&self) -> Self {
        Self::new(self.greatest, self.output.clone())
    }
}

impl<T: ArrowPrimitiveType> Fold for MinMax<T>
where
    T::Native: Fixed + PartialOrd,
{
    type State = Option<T::Native>;

    fn update(&self, states: &mut [Self::State], column: Option<&dyn Array>, rows: &[u32], keys: &[u32]) -> Result<()> {
        if self.greatest {
            each_value::<T>(column, rows, keys, |key, value| {
                let state = &mut states[key];
                if state.is_none_or(|greatest| value > greatest) {
                    *state = Some(value);
                }
            })
        } else {
            each_value::<T>(column, rows, keys, |key, value| {
                let state = &mut states[key];
                if state.is_none_or(|least| value < least) {
                    *state = Some(value);
                }
            })
        }
    }

    fn write(&self, state: &Self::State, out: &mut Vec<u8>) {
        put_option(*state, out);
    }

    fn read(&self, bytes: &mut &[u8]) -> Option<Self::State> {
        take_option(bytes)
    }

    fn finish(&self, states: &[Self::State]) -> ArrayRef {
        let values: PrimitiveArray<T> = states.iter().copied().collect();
        Arc::new(values.with_data_type(self.output.clone()))
    }
}

impl Fold for MinMaxText {
    type State = Option<Box<str>>;

    fn update(&self, states: &mut [Self::State], column: Option<&dyn Array>, rows: &[u32], keys: &[u32]) -> Result<()> {
        let column = present(column)?;
        let texts = column.as_string_view_opt().ok_or_else(|| other_type(column))?;
        for (row, key) in rows.iter().zip(keys).filter(|(row, _)| texts.is_valid(**row as usize)) {
            let (text, state) = (texts.value(*row as usize), &mut states[*key as usize]);
            let replaces = match state.as_deref() {
                None => true,
                Some(former) if self.greatest => text > former,
                Some(former) => text < former,
            };
            if replaces {
                *state = Some(text.into());
            }
        }
        Ok(())
    }

    fn write(&self, state: &Self::State, out: &mut Vec<u8>) {
        u8::from(state.is_some()).put(out);
        if let Some(text) = state {
            put_bytes(text.as_bytes(), out);
        }
    }

    fn read(&self, bytes: &mut &[u8]) -> Option<Self::State> {
        match u8::take(bytes)? {
            0 => Some(None),
            _ => std::str::from_utf8(take_bytes(bytes)?).ok().map(|text| Some(text.into())),
        }
    }

    fn finish(&self, states: &[Self::State]) -> ArrayRef {
        Arc::new(states.iter().map(Option::as_deref).collect::<StringViewArray>())
    }

    fn heap_bytes(&self, state: &Self::State) -> usize {
        state.as_ref().map_or(0, |text| text.len())
    }
}

impl Fold for MinMaxBoolean {
    type State = Option<bool>;

    fn update(&self, states: &mut [Self::State], column: Option<&dyn Array>, rows: &[u32], keys: &[u32]) -> Result<()> {
        let column = present(column)?;
        let values = column.as_boolean_opt().ok_or_else(|| other_type(column))?;
        for (row, key) in rows.iter().zip(keys).filter(|(row, _)| values.is_valid(**row as usize)) {
            let (value, state) = (values.value(*row as usize), &mut states[*key as usize]);
            *state = Some(match *state {
                None => value,
                Some(former) if self.greatest => former | value,
                Some(former) => former & value,
            });
        }
        Ok(())
    }

    fn write(&self, state: &Self::State, out: &mut Vec<u8>) {
        put_option(state.map(u8::from), out);
    }

    fn read(&self, bytes: &mut &[u8]) -> Option<Self::State> {
        Some(take_option::<u8>(bytes)?.map(|value| value != 0))
    }

    fn finish(&self, states: &[Self::State]) -> ArrayRef {
        Arc::new(states.iter().copied().collect::<BooleanArray>())
    }
}
