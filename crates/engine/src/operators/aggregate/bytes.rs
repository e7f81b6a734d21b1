//! Numbers and byte strings as they stand in state.

/// A number of fixed width in a state.
pub trait Fixed: Copy {
    /// Adds its bytes.
    fn put(self, out: &mut Vec<u8>);
    /// Takes it from the front of `bytes`.
    fn take(bytes: &mut &[u8]) -> Option<Self>;
}

macro_rules! fixed {
    ($($type:ty),*) => {$(
        impl Fixed for $type {
            #[inline]
            fn put(self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }

            #[inline]
            fn take(bytes: &mut &[u8]) -> Option<Self> {
                let (number, rest) = bytes.split_first_chunk()?;
                *bytes = rest;
                Some(Self::from_le_bytes(*number))
            }
        }
    )*};
}

fixed!(u8, u16, u32, u64, i8, i16, i32, i64, i128, f32, f64);

/// Adds an optional number: a byte that says whether it is there, then the number.
pub fn put_option<N: Fixed>(number: Option<N>, out: &mut Vec<u8>) {
    u8::from(number.is_some()).put(out);
    if let Some(number) = number {
        number.put(out);
    }
}

/// Takes what `put_option` wrote.
pub fn take_option<N: Fixed>(bytes: &mut &[u8]) -> Option<Option<N>> {
    match u8::take(bytes)? {
        0 => Some(None),
        _ => N::take(bytes).map(Some),
    }
}

/// Adds bytes with their length.
pub fn put_bytes(value: &[u8], out: &mut Vec<u8>) {
    u32::try_from(value.len()).expect("a value is shorter than 4 GiB: a record is bounded far below").put(out);
    out.extend_from_slice(value);
}

/// Takes what `put_bytes` wrote.
pub fn take_bytes<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(u32::take(bytes)?).ok()?;
    let (value, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(value)
}
