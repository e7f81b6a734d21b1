//! One entry in a section, and the numbers it is made of.
//!
//! An entry is a tag byte, then what differs from the entry before it (lengths, expiry), then key and value. A deduplication's entries, all of one
//! shape and of expiries close together, take key + value + 2 to 4 bytes.

use weir_base::Timestamp;

const DELETED: u8 = 1;
const KEY_LENGTH: u8 = 2;
const VALUE_LENGTH: u8 = 4;
const EXPIRY: u8 = 8;

/// What an entry is told against.
#[derive(Debug, Clone, Copy)]
pub(super) struct Former {
    key: usize,
    value: usize,
    expires: Timestamp,
}

impl Default for Former {
    fn default() -> Self {
        Self { key: 0, value: 0, expires: Timestamp::MAX }
    }
}

/// Appends an entry; `None` is one that has gone.
pub(super) fn write_entry(bytes: &mut Vec<u8>, former: &mut Former, key: &[u8], value: Option<(&[u8], Timestamp)>) {
    let at = bytes.len();
    bytes.push(0);
    let mut tag = 0;
    if key.len() != former.key {
        tag |= KEY_LENGTH;
        write_number(bytes, key.len() as u64);
        former.key = key.len();
    }
    match value {
        None => {
            tag |= DELETED;
            bytes.extend_from_slice(key);
        }
        Some((value, expires)) => {
            if value.len() != former.value {
                tag |= VALUE_LENGTH;
                write_number(bytes, value.len() as u64);
                former.value = value.len();
            }
            if expires != former.expires {
                tag |= EXPIRY;
                write_signed(bytes, expires.wrapping_sub(former.expires));
                former.expires = expires;
            }
            bytes.extend_from_slice(key);
            bytes.extend_from_slice(value);
        }
    }
    bytes[at] = tag;
}

/// Key, and value with expiry or `None`.
pub(super) type Entry<'a> = (&'a [u8], Option<(&'a [u8], Timestamp)>);

/// Takes the next entry off `bytes`; `None` if they are not entries.
pub(super) fn read_entry<'a>(bytes: &mut &'a [u8], former: &mut Former) -> Option<Entry<'a>> {
    let (tag, rest) = bytes.split_first()?;
    *bytes = rest;
    if tag & KEY_LENGTH != 0 {
        former.key = read_length(bytes)?;
    }
    if tag & DELETED != 0 {
        return Some((take(bytes, former.key)?, None));
    }
    if tag & VALUE_LENGTH != 0 {
        former.value = read_length(bytes)?;
    }
    if tag & EXPIRY != 0 {
        former.expires = former.expires.wrapping_add(read_signed(bytes)?);
    }
    let key = take(bytes, former.key)?;
    Some((key, Some((take(bytes, former.value)?, former.expires))))
}

/// Takes `length` bytes off.
pub(super) fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(taken)
}

/// Appends a number: seven bits a byte, low ones first.
pub(super) fn write_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    bytes.push(number.to_le_bytes()[0]);
}

/// Takes a number off.
pub(super) fn read_number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// Takes a length off.
pub(super) fn read_length(bytes: &mut &[u8]) -> Option<usize> {
    usize::try_from(read_number(bytes)?).ok()
}

/// Appends a number that may be negative: small ones of either sign are short.
pub(super) fn write_signed(bytes: &mut Vec<u8>, number: i64) {
    write_number(bytes, (number.cast_unsigned() << 1) ^ (number >> 63).cast_unsigned());
}

/// Takes such a number off.
pub(super) fn read_signed(bytes: &mut &[u8]) -> Option<i64> {
    let folded = read_number(bytes)?;
    Some((folded >> 1).cast_signed() ^ -(folded & 1).cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_back_at_their_bounds() {
        for number in [0, 1, 127, 128, 16_383, 16_384, u64::MAX - 1, u64::MAX] {
            let mut bytes = Vec::new();
            write_number(&mut bytes, number);
            let mut rest = &bytes[..];
            assert_eq!((read_number(&mut rest), rest.len()), (Some(number), 0));
            assert_eq!(read_number(&mut &bytes[..bytes.len() - 1]), None);
        }
        for number in [0, -1, 1, 63, -64, 64, i64::MIN, i64::MAX] {
            let mut bytes = Vec::new();
            write_signed(&mut bytes, number);
            assert_eq!(read_signed(&mut &bytes[..]), Some(number));
        }
    }

    #[test]
    fn entries_of_all_shapes_read_back() {
        let entries: [Entry<'_>; 8] = [
            (b"abc", Some((b"", Timestamp::MAX))),
            (b"abd", Some((b"1234", 5))),
            (b"", None),
            (b"", Some((b"", Timestamp::MIN))),
            (b"abd", None),
            (b"abe", Some((b"1234", 7))),
            (b"abf", Some((b"1234", 7))),
            (&[7; 300], Some((&[8; 70_000], Timestamp::MAX))),
        ];
        let mut bytes = Vec::new();
        let mut former = Former::default();
        for (key, value) in entries {
            write_entry(&mut bytes, &mut former, key, value);
        }
        let (mut rest, mut former) = (&bytes[..], Former::default());
        for entry in entries {
            assert_eq!(read_entry(&mut rest, &mut former), Some(entry));
        }
        assert!(rest.is_empty());
    }
}
