//! `MIN(x)` and `MAX(x)` where values only come: NULL where no value came. A value replaces the former where it is less (greater), so a NaN that
//! came first stays, as in Flink.

use std::marker::PhantomData;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::ArrowPrimitiveType;
use arrow_array::{ArrayRef, BooleanArray, PrimitiveArray, StringViewArray};
use arrow_schema::DataType as ArrowType;
use weir_base::Result;

use super::bytes::{Fixed, put_bytes, put_option, take_bytes, take_option};
use super::fold::Fold;
use super::rows::{Rows, other_type};

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

/// Whether `value` takes the place of `former`.
#[inline]
fn replaces<V: PartialOrd>(greatest: bool, value: V, former: Option<V>) -> bool {
    match former {
        None => true,
        Some(former) if greatest => value > former,
        Some(former) => value < former,
    }
}

impl<T: ArrowPrimitiveType> Fold for MinMax<T>
where
    T::Native: Fixed + PartialOrd,
{
    type State = Option<T::Native>;

    fn update(&self, states: &mut [Self::State], _: &mut usize, rows: &Rows<'_>) -> Result<()> {
        if self.greatest {
            rows.each_value::<T>(|key, value| {
                let state = &mut states[key];
                if state.is_none_or(|greatest| value > greatest) {
                    *state = Some(value);
                }
            })
        } else {
            rows.each_value::<T>(|key, value| {
                let state = &mut states[key];
                if state.is_none_or(|least| value < least) {
                    *state = Some(value);
                }
            })
        }
    }

    fn merge(&self, into: &mut Self::State, _: &mut usize, from: &Self::State) -> Result<()> {
        if let Some(value) = *from
            && replaces(self.greatest, value, *into)
        {
            *into = Some(value);
        }
        Ok(())
    }

    fn write(&self, state: &Self::State, out: &mut Vec<u8>) {
        put_option(*state, out);
    }

    fn read(&self, bytes: &mut &[u8], _: &mut usize) -> Option<Self::State> {
        take_option(bytes)
    }

    fn finish<'a>(&self, states: impl Iterator<Item = &'a Self::State> + Clone) -> Result<ArrayRef> {
        let values: PrimitiveArray<T> = states.copied().collect();
        Ok(Arc::new(values.with_data_type(self.output.clone())))
    }
}

impl MinMaxText {
    fn take(&self, state: &mut Option<Box<str>>, heap: &mut usize, text: &str) {
        if replaces(self.greatest, text, state.as_deref()) {
            *heap = *heap + text.len() - state.as_ref().map_or(0, |former| former.len());
            *state = Some(text.into());
        }
    }
}

impl Fold for MinMaxText {
    type State = Option<Box<str>>;

    fn update(&self, states: &mut [Self::State], heap: &mut usize, rows: &Rows<'_>) -> Result<()> {
        let column = rows.argument(0)?;
        let texts = column.as_string_view_opt().ok_or_else(|| other_type(column))?;
        rows.each_valid(texts, |key, row| self.take(&mut states[key], heap, texts.value(row)));
        Ok(())
    }

    fn merge(&self, into: &mut Self::State, heap: &mut usize, from: &Self::State) -> Result<()> {
        if let Some(text) = from {
            self.take(into, heap, text);
        }
        Ok(())
    }

    fn write(&self, state: &Self::State, out: &mut Vec<u8>) {
        u8::from(state.is_some()).put(out);
        if let Some(text) = state {
            put_bytes(text.as_bytes(), out);
        }
    }

    fn read(&self, bytes: &mut &[u8], heap: &mut usize) -> Option<Self::State> {
        match u8::take(bytes)? {
            0 => Some(None),
            _ => {
                let text = std::str::from_utf8(take_bytes(bytes)?).ok()?;
                *heap += text.len();
                Some(Some(text.into()))
            }
        }
    }

    fn finish<'a>(&self, states: impl Iterator<Item = &'a Self::State> + Clone) -> Result<ArrayRef> {
        Ok(Arc::new(states.map(Option::as_deref).collect::<StringViewArray>()))
    }

    fn heap_bytes(&self, state: &Self::State) -> usize {
        state.as_ref().map_or(0, |text| text.len())
    }
}

impl Fold for MinMaxBoolean {
    type State = Option<bool>;

    fn update(&self, states: &mut [Self::State], _: &mut usize, rows: &Rows<'_>) -> Result<()> {
        let column = rows.argument(0)?;
        let values = column.as_boolean_opt().ok_or_else(|| other_type(column))?;
        rows.each_valid(values, |key, row| {
            let (value, state) = (values.value(row), &mut states[key]);
            if replaces(self.greatest, value, *state) {
                *state = Some(value);
            }
        });
        Ok(())
    }

    fn merge(&self, into: &mut Self::State, _: &mut usize, from: &Self::State) -> Result<()> {
        if let Some(value) = *from
            && replaces(self.greatest, value, *into)
        {
            *into = Some(value);
        }
        Ok(())
    }

    fn write(&self, state: &Self::State, out: &mut Vec<u8>) {
        put_option(state.map(u8::from), out);
    }

    fn read(&self, bytes: &mut &[u8], _: &mut usize) -> Option<Self::State> {
        Some(take_option::<u8>(bytes)?.map(|value| value != 0))
    }

    fn finish<'a>(&self, states: impl Iterator<Item = &'a Self::State> + Clone) -> Result<ArrayRef> {
        Ok(Arc::new(states.copied().collect::<BooleanArray>()))
    }
}
