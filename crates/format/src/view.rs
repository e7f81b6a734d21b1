//! String views: 16 bytes that either hold a short text or say where a long one lies.

/// The buffer of a view that lies in the records themselves.
pub(crate) const RECORDS: u32 = 0;

/// The buffer of a view that lies in the side buffer.
pub(crate) const SIDE: u32 = 1;

/// The view of `bytes[start..end]`, where `bytes` is the whole buffer number `buffer`.
#[inline]
pub(crate) fn view_of(bytes: &[u8], start: usize, end: usize, buffer: u32) -> u128 {
    let length = end - start;
    if length <= 12 {
        if let Some(chunk) = bytes.get(start..start + 16) {
            let chunk = u128::from_le_bytes(chunk.try_into().expect("the slice has 16 bytes"));
            let kept = chunk & ((1 << (8 * length)) - 1);
            return (kept << 32) | length as u128;
        }
        let mut chunk = [0u8; 16];
        chunk[4..4 + length].copy_from_slice(&bytes[start..end]);
        return u128::from_le_bytes(chunk) | length as u128;
    }
    let prefix: [u8; 4] = bytes[start..start + 4].try_into().expect("the slice has 4 bytes");
    // Buffers are bounded far below 4 GiB: fetches by their limit, a side buffer by what it is made from.
    (u128::from(u32::from_le_bytes(prefix)) << 32)
        | u128::from(low32(length))
        | (u128::from(buffer) << 64)
        | (u128::from(low32(start)) << 96)
}

/// The buffer that a text of more than 12 bytes lies in, and where it begins there.
#[inline]
pub(crate) fn place_of(view: u128) -> (usize, usize) {
    let word = |shift: u32| usize::try_from((view >> shift) & 0xFFFF_FFFF).expect("32 bits fit");
    (word(64), word(96))
}

#[inline]
fn low32(number: usize) -> u32 {
    u32::try_from(number).expect("a buffer is smaller than 4 GiB")
}
