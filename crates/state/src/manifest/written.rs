//! The manifest's JSON body. It owns the written names: the domain types beside it may change, these may not within a version.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use weir_base::{Epoch, Error, Generation, Result};
use weir_connector::{Position, Prepared, SplitId};
use weir_ports::{SourcePositions, SplitState};

use super::{ChainItem, GraphShape, Manifest, StateFile, Trigger};
use crate::chain::Chains;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    job: String,
    max_parallelism: u16,
    operators: BTreeMap<String, String>,
    files: Vec<File>,
    state: Vec<Chain>,
    sources: Vec<Source>,
    sinks: BTreeMap<String, Vec<SinkState>>,
    counters: BTreeMap<String, BTreeMap<String, u64>>,
    watermarks: Vec<(String, u16, i64)>,
    trigger: TriggerName,
    triggered_ms: i64,
    written_ms: i64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    path: String,
    epoch: u64,
    bytes: u64,
    crc: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Chain {
    uid: String,
    part: String,
    items: Vec<Item>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Item {
    /// Index in `files`.
    file: usize,
    /// First key group and the one behind the last.
    groups: (u16, u16),
    bytes: u64,
    entries: u64,
    /// Absent: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_max_ms: Option<i64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    uid: String,
    splits: Vec<Split>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Split {
    split: String,
    /// Offset and records; absent: not begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    position: Option<(u64, u64)>,
    finished: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SinkState {
    subtask: u16,
    epoch: u64,
    state: Bytes,
}

/// A sink's words: as text where they are text, else in hexadecimal digits.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Bytes {
    Text(String),
    Hex(String),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum TriggerName {
    Interval,
    Sink,
    Stop,
    End,
}

/// Appends the body of `manifest` to `bytes`.
pub(super) fn write_body(manifest: &Manifest, bytes: &mut Vec<u8>) -> Result<()> {
    let (files, state) = chains_out(&manifest.chains);
    let body = Body {
        job: manifest.job.clone(),
        max_parallelism: manifest.shape.max_parallelism,
        operators: manifest.shape.operators.clone(),
        files,
        state,
        sources: manifest.positions.iter().map(source_out).collect(),
        sinks: manifest
            .prepared
            .iter()
            .map(|(uid, prepared)| (uid.clone(), prepared.iter().map(prepared_out).collect()))
            .collect(),
        counters: manifest.counters.clone(),
        watermarks: manifest.watermarks.clone(),
        trigger: match manifest.trigger {
            Trigger::Interval => TriggerName::Interval,
            Trigger::Sink => TriggerName::Sink,
            Trigger::Stop => TriggerName::Stop,
            Trigger::End => TriggerName::End,
        },
        triggered_ms: manifest.triggered,
        written_ms: manifest.written,
    };
    serde_json::to_writer(bytes, &body).map_err(|error| Error::internal(format!("encode the manifest: {error}")))
}

/// Reads a body; the error is what is wrong with it.
pub(super) fn read_body(
    bytes: &[u8],
    generation: Generation,
    epoch: Epoch,
    decided_here: bool,
) -> Result<Manifest, String> {
    let body: Body =
        serde_json::from_slice(bytes).map_err(|error| format!("its body cannot be understood: {error}"))?;
    let prepared = body.sinks.into_iter().map(|(uid, states)| {
        let states: Result<Vec<_>, String> = states.into_iter().map(prepared_in).collect();
        states.map(|states| (uid, states))
    });
    Ok(Manifest {
        generation,
        epoch,
        decided_here,
        job: body.job,
        shape: GraphShape { max_parallelism: body.max_parallelism, operators: body.operators },
        chains: chains_in(body.files, body.state)?,
        positions: body.sources.into_iter().map(source_in).collect(),
        prepared: prepared.collect::<Result<_, _>>()?,
        counters: body.counters,
        watermarks: body.watermarks,
        trigger: match body.trigger {
            TriggerName::Interval => Trigger::Interval,
            TriggerName::Sink => Trigger::Sink,
            TriggerName::Stop => Trigger::Stop,
            TriggerName::End => Trigger::End,
        },
        triggered: body.triggered_ms,
        written: body.written_ms,
    })
}

fn chains_out(chains: &Chains) -> (Vec<File>, Vec<Chain>) {
    let files = chains.files();
    let index: BTreeMap<&str, usize> = files.iter().enumerate().map(|(index, file)| (&*file.path, index)).collect();
    let item_out = |item: &ChainItem| Item {
        file: index[&*item.file.path],
        groups: (item.groups.start, item.groups.end),
        bytes: item.bytes,
        entries: item.entries,
        expires_max_ms: (item.expires_max != i64::MAX).then_some(item.expires_max),
    };
    let state = chains.iter().map(|((uid, part), items)| Chain {
        uid: uid.clone(),
        part: part.clone(),
        items: items.iter().map(item_out).collect(),
    });
    let state = state.collect();
    let file_out =
        |file: &Arc<StateFile>| File { path: file.path.clone(), epoch: file.epoch.0, bytes: file.bytes, crc: file.crc };
    (files.iter().map(file_out).collect(), state)
}

fn chains_in(files: Vec<File>, state: Vec<Chain>) -> Result<Chains, String> {
    let files: Vec<Arc<StateFile>> = files
        .into_iter()
        .map(|file| StateFile { path: file.path, epoch: Epoch(file.epoch), bytes: file.bytes, crc: file.crc })
        .map(Arc::new)
        .collect();
    let mut chains = Chains::default();
    for chain in state {
        let items: Result<Vec<ChainItem>, String> = chain.items.iter().map(|item| item_in(item, &files)).collect();
        chains.set(&chain.uid, &chain.part, items?);
    }
    Ok(chains)
}

fn item_in(item: &Item, files: &[Arc<StateFile>]) -> Result<ChainItem, String> {
    let file =
        files.get(item.file).ok_or_else(|| format!("its body names the file {} of {}", item.file, files.len()))?;
    Ok(ChainItem {
        file: Arc::clone(file),
        groups: item.groups.0..item.groups.1,
        bytes: item.bytes,
        entries: item.entries,
        expires_max: item.expires_max_ms.unwrap_or(i64::MAX),
    })
}

fn source_out(source: &SourcePositions) -> Source {
    let split_out = |state: &SplitState| Split {
        split: state.split.to_string(),
        position: state.position.map(|position| (position.offset, position.records)),
        finished: state.finished,
    };
    Source { uid: source.uid.clone(), splits: source.splits.iter().map(split_out).collect() }
}

fn source_in(source: Source) -> SourcePositions {
    let split_in = |split: Split| SplitState {
        split: SplitId(split.split.into()),
        position: split.position.map(|(offset, records)| Position { offset, records }),
        finished: split.finished,
    };
    SourcePositions { uid: source.uid, splits: source.splits.into_iter().map(split_in).collect() }
}

fn prepared_out(prepared: &Prepared) -> SinkState {
    let state = match std::str::from_utf8(&prepared.state) {
        Ok(text) => Bytes::Text(text.to_owned()),
        Err(_) => Bytes::Hex(hex(&prepared.state)),
    };
    SinkState { subtask: prepared.subtask, epoch: prepared.epoch.0, state }
}

fn prepared_in(state: SinkState) -> Result<Prepared, String> {
    let bytes = match state.state {
        Bytes::Text(text) => text.into_bytes(),
        Bytes::Hex(digits) => unhex(&digits).ok_or("its body holds a sink's state that is not hexadecimal")?,
    };
    Ok(Prepared { subtask: state.subtask, epoch: Epoch(state.epoch), state: bytes })
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    digits.map(char::from).collect()
}

fn unhex(digits: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = digits.as_bytes().chunks(2);
    pairs.map(|pair| Some(digit(*pair.first()?)? << 4 | digit(*pair.get(1)?)?)).collect()
}
