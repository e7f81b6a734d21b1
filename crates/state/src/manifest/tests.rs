//! The written form reads back, tells of any flipped bit, and names what does not fit.

use weir_connector::{Position, SplitId};
use weir_ports::SplitState;

use super::*;

pub(crate) fn shape(operators: &[(&str, &str)]) -> GraphShape {
    let operators = operators.iter().map(|(uid, kind)| ((*uid).to_owned(), (*kind).to_owned())).collect();
    GraphShape { max_parallelism: 128, operators }
}

fn manifest() -> Manifest {
    let split = |name: &str, position, finished| SplitState { split: SplitId(name.into()), position, finished };
    let file = |path: &str| Arc::new(StateFile { path: path.to_owned(), epoch: Epoch(4), bytes: 100, crc: 7 });
    let item =
        |path: &str, expires_max| ChainItem { file: file(path), groups: 0..64, bytes: 60, entries: 3, expires_max };
    let mut chains = Chains::default();
    chains.set("dedup-1", "keys", vec![item("shared/a", 5), item("shared/b", i64::MAX)]);
    chains.set("tumble-1", "windows", vec![item("shared/b", 9)]);
    Manifest {
        generation: Generation(3),
        epoch: Epoch(5),
        decided_here: true,
        job: "telemetry \"é\"".to_owned(),
        shape: shape(&[("dedup-1", "deduplicate"), ("sink-1", "sink")]),
        chains,
        positions: vec![SourcePositions {
            uid: "source-1".to_owned(),
            splits: vec![
                split("raw-0", Some(Position { offset: u64::MAX, records: 3 }), false),
                split("raw-1", None, false),
                split("raw-2", Some(Position::default()), true),
            ],
        }],
        prepared: BTreeMap::from([(
            "sink-1".to_owned(),
            vec![
                Prepared { subtask: 0, epoch: Epoch(4), state: vec![0, 159, 255] },
                Prepared { subtask: 0, epoch: Epoch(5), state: b"{\"length\":5}".to_vec() },
                Prepared { subtask: 1, epoch: Epoch(5), state: Vec::new() },
            ],
        )]),
        counters: BTreeMap::from([("sink-1".to_owned(), BTreeMap::from([("rows_in".to_owned(), 7)]))]),
        watermarks: vec![("source-1".to_owned(), 0, -5)],
        trigger: Trigger::Stop,
        triggered: 1_000,
        written: 1_200,
    }
}

fn decode(bytes: &[u8]) -> Result<Slot, DamagedManifest> {
    decode_slot(bytes, Epoch(5), "/c/chk-5/_metadata")
}

#[test]
fn a_manifest_and_a_seal_read_back_as_they_were_written() {
    let manifest = manifest();
    assert_eq!(decode(&manifest.encode().unwrap()).unwrap(), Slot::Checkpoint(Box::new(manifest)));
    assert_eq!(decode(&encode_seal(Generation(4), Epoch(5))).unwrap(), Slot::Sealed(Generation(4)));
}

#[test]
fn any_flipped_bit_is_detected() {
    let bytes = manifest().encode().unwrap();
    let first_line = bytes.iter().position(|byte| *byte == b'\n').unwrap();
    for index in 0..bytes.len() {
        for bit in 0..8 {
            let mut bent = bytes.clone();
            bent[index] ^= 1 << bit;
            let damaged = decode(&bent).unwrap_err();
            assert_eq!(damaged.error.kind(), Kind::Corrupt);
            let expected = if index <= first_line { None } else { Some(true) };
            assert_eq!(damaged.decided_here, expected, "byte {index}");
        }
    }
}

#[test]
fn any_cut_is_detected() {
    let bytes = manifest().encode().unwrap();
    for length in 0..bytes.len() {
        assert!(decode(&bytes[..length]).is_err(), "{length} bytes");
    }
}

#[test]
fn what_is_wrong_is_said() {
    let bytes = manifest().encode().unwrap();
    let middle = bytes.len() / 2;
    let flipped: Vec<u8> =
        bytes.iter().enumerate().map(|(index, byte)| if index == middle { byte ^ 1 } else { *byte }).collect();
    let newer = {
        let line = "weir-checkpoint 9 checkpoint generation=3 epoch=5 decided=here";
        finish(format!("{line} crc={:08x}\n", crc32fast::hash(line.as_bytes())).into_bytes())
    };
    let stray = finish([first_line("checkpoint", Generation(3), Epoch(5), "here").as_bytes(), b"{}"].concat());
    let said = |bytes: &[u8]| decode(bytes).unwrap_err().error.to_string();
    let place = "read the checkpoint /c/chk-5/_metadata";
    assert_eq!(said(b""), format!("{place}: it is empty"));
    assert_eq!(said(b"hello"), format!("{place}: its first line is damaged"));
    assert_eq!(said(&bytes[..middle]), format!("{place}: it is cut short after {middle} bytes"));
    assert!(said(&flipped).starts_with(&format!("{place}: its checksum is ")), "{}", said(&flipped));
    assert_eq!(said(&newer), format!("{place}: it is of version 9, this Weir reads version 1"));
    assert_eq!(said(&stray), format!("{place}: its body cannot be understood: missing field `job` at line 1 column 2"));
    let elsewhere = decode_slot(&bytes, Epoch(6), "/c/chk-6/_metadata").unwrap_err().error.to_string();
    assert_eq!(elsewhere, "read the checkpoint /c/chk-6/_metadata: it says that it is checkpoint 5");
}

#[test]
fn a_job_that_does_not_fit_is_refused_with_the_operators_of_both_sides() {
    let manifest = Manifest { job: "telemetry".to_owned(), ..manifest() };
    manifest.check_fits(&manifest.shape).unwrap();
    let other = shape(&[("dedup-1", "tumble"), ("dedup-2", "deduplicate"), ("sink-1", "sink")]);
    assert_eq!(
        manifest.check_fits(&other).unwrap_err().to_string(),
        "restore the job 'telemetry' from checkpoint 5: the checkpoint has dedup-1 (deduplicate), the job has dedup-1 (tumble), \
         dedup-2 (deduplicate); change the SQL back, or give --fresh to start from nothing"
    );
    let fewer = shape(&[("sink-1", "sink")]);
    assert_eq!(
        manifest.check_fits(&fewer).unwrap_err().to_string(),
        "restore the job 'telemetry' from checkpoint 5: the checkpoint has dedup-1 (deduplicate), the job has nothing more; \
         change the SQL back, or give --fresh to start from nothing"
    );
    let wider = GraphShape { max_parallelism: 256, ..manifest.shape.clone() };
    assert_eq!(
        manifest.check_fits(&wider).unwrap_err().to_string(),
        "restore the job 'telemetry' from checkpoint 5: it was taken with pipeline.max-parallelism 128, the job now has 256; \
         set pipeline.max-parallelism to 128, or give --fresh to start from nothing"
    );
}
