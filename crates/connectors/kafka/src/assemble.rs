//! Messages of one partition put together: one buffer, and where each record lies in it.

use std::collections::VecDeque;

use arrow_array::ArrayRef;
use arrow_buffer::Buffer;
use rdkafka_sys as sys;
use weir_base::limits::FETCH_BYTES_MAX;
use weir_base::{Error, Kind, Result};
use weir_connector::{Fetch, Payload, Position, SplitId};
use weir_format::{RawRecord, RawRecords};

use crate::messages::bytes;
use crate::metadata::{MetadataKind, timestamp};
use crate::reader::Slot;

/// A fetch without records that tells where a split begins.
pub(crate) fn empty(split: &SplitId, metadata: &[MetadataKind], at: Position) -> Result<Fetch> {
    // SAFETY: there is no message.
    let metadata = metadata.iter().map(|kind| unsafe { kind.build("", &[]) }).collect::<Result<Vec<ArrayRef>>>()?;
    let records = RawRecords {
        data: Buffer::from_vec(Vec::<u8>::new()),
        records: Vec::new(),
        keys: None,
        timestamps: None,
        oversized: Vec::new(),
    };
    Ok(Fetch::Records { split: split.clone(), payload: Payload::Raw(records), metadata, first: at, next: at })
}

/// Copies `messages` into fetches of at most `FETCH_BYTES_MAX` (or one record), and moves the slot's position behind them.
///
/// # Safety
/// All of `messages` are live messages of the slot's partition, without an error.
pub(crate) unsafe fn records(
    messages: &[*mut sys::rd_kafka_message_t],
    slot: &mut Slot,
    keys: bool,
    metadata: &[MetadataKind],
    out: &mut VecDeque<Fetch>,
) -> Result<()> {
    let mut rest = messages;
    while !rest.is_empty() {
        let mut total = 0;
        let mut count = 0;
        for pointer in rest {
            // SAFETY: the caller says that they live.
            let message = unsafe { &**pointer };
            let size = message.len + if keys { message.key_len } else { 0 };
            if count > 0 && total + size > FETCH_BYTES_MAX {
                break;
            }
            total += size;
            count += 1;
        }
        let (now, later) = rest.split_at(count);
        rest = later;
        // SAFETY: as the caller says.
        out.push_back(unsafe { one(now, total, slot, keys, metadata)? });
    }
    Ok(())
}

/// One fetch of all `messages`, which hold `total` bytes.
///
/// # Safety
/// As `records`.
unsafe fn one(
    messages: &[*mut sys::rd_kafka_message_t],
    total: usize,
    slot: &mut Slot,
    with_keys: bool,
    metadata: &[MetadataKind],
) -> Result<Fetch> {
    if u32::try_from(total).is_err() {
        let what = format!("read {}: a record of {total} bytes is larger than 4 GiB", slot.at.split());
        return Err(Error::new(Kind::Exhausted, what));
    }
    let place = |at: usize| u32::try_from(at).expect("the total fits in 32 bits, as checked above");
    let wants_timestamps = metadata.contains(&MetadataKind::Timestamp);
    let mut data = Vec::with_capacity(total);
    let mut records = Vec::with_capacity(messages.len());
    let mut keys = with_keys.then(|| Vec::with_capacity(messages.len()));
    let mut timestamps = wants_timestamps.then(|| Vec::with_capacity(messages.len()));
    let first = slot.next;
    for pointer in messages {
        // SAFETY: the caller says that they live.
        let message = unsafe { &**pointer };
        let value = bytes(message.payload, message.len, message);
        let offset = u64::try_from(message.offset).unwrap_or(0);
        let start = place(data.len());
        data.extend_from_slice(value.unwrap_or_default());
        records.push(RawRecord { start, length: place(data.len()) - start, offset, null: value.is_none() });
        if let Some(keys) = &mut keys {
            let start = place(data.len());
            let key = bytes(message.key, message.key_len, message);
            data.extend_from_slice(key.unwrap_or_default());
            keys.push(key.map(|_| start..place(data.len())));
        }
        if let Some(timestamps) = &mut timestamps {
            timestamps.push(timestamp(message).0);
        }
        slot.next = Position { offset: offset + 1, records: slot.next.records + 1 };
    }
    // SAFETY: as the caller says.
    let metadata =
        metadata.iter().map(|kind| unsafe { kind.build(&slot.at.topic, messages) }).collect::<Result<Vec<_>>>()?;
    let records = RawRecords { data: Buffer::from_vec(data), records, keys, timestamps, oversized: Vec::new() };
    Ok(Fetch::Records { split: slot.split.clone(), payload: Payload::Raw(records), metadata, first, next: slot.next })
}
