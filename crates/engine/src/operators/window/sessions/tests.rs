//! Sessions against a simple model: intervals that touch are one.

use std::collections::BTreeMap;

use weir_base::Rng;

use super::*;

const GAP: i64 = 10;

fn key(name: u8) -> Vec<u8> {
    let hash = KeyHash::from(name) << 64 | KeyHash::from(name);
    hash.to_be_bytes().iter().copied().chain([name]).collect()
}

fn place(sessions: &mut Sessions, name: u8, time: Timestamp, watermark: Timestamp) -> Placed {
    let key = key(name);
    sessions.place(hash_of(&key), &key, time, |end| end - 1 <= watermark)
}

#[test]
fn a_row_between_two_sessions_makes_them_one() {
    let mut sessions = Sessions::new(GAP);
    assert_eq!(place(&mut sessions, 1, 0, -1), Placed::New(0));
    assert_eq!(place(&mut sessions, 1, 20, -1), Placed::New(1));
    assert_eq!(place(&mut sessions, 2, 5, -1), Placed::New(2));
    // Sessions that touch are one: [0, 10) and [10, 20).
    assert_eq!(place(&mut sessions, 1, 10, -1), Placed::Merged { into: 0, from: 1, order: 1 });
    assert_eq!(sessions.get(0), Session { start: 0, end: 30, order: 0, key: 0 });
    assert_eq!(sessions.ended(|end| end <= 15), [2]);
    sessions.end(2);
    assert_eq!(sessions.ended(|end| end <= 29), [] as [u32; 0]);
    assert_eq!(sessions.ended(|end| end <= 30), [0]);
}

#[test]
fn a_row_is_late_where_its_session_would_have_ended_but_not_where_it_belongs_to_one_that_goes_on() {
    let mut sessions = Sessions::new(GAP);
    assert_eq!(place(&mut sessions, 1, 12, 0), Placed::New(0));
    assert_eq!(place(&mut sessions, 1, 1, 15), Placed::Late);
    assert_eq!(place(&mut sessions, 1, 2, 15), Placed::Known(0));
    assert_eq!(sessions.get(0), Session { start: 2, end: 22, order: 0, key: 0 });
    assert_eq!(place(&mut sessions, 2, 5, 15), Placed::Late);
    assert_eq!(place(&mut sessions, 2, 7, 15), Placed::New(1), "its last millisecond is yet to come");
}

/// Start and end of each session by key.
fn of_model(rows: &BTreeMap<u8, Vec<i64>>) -> Vec<(u8, i64, i64)> {
    let mut found = Vec::new();
    for (name, times) in rows {
        let mut times = times.clone();
        times.sort_unstable();
        let mut open: Option<(i64, i64)> = None;
        for time in times {
            match &mut open {
                Some((_, end)) if time <= *end => *end = time + GAP,
                _ => {
                    found.extend(open.map(|(start, end)| (*name, start, end)));
                    open = Some((time, time + GAP));
                }
            }
        }
        found.extend(open.map(|(start, end)| (*name, start, end)));
    }
    found.sort_unstable();
    found
}

#[test]
fn random_rows_form_the_sessions_of_a_simple_model() {
    for seed in 0..50 {
        let mut rng = Rng::new(seed);
        let mut sessions = Sessions::new(GAP);
        let mut rows: BTreeMap<u8, Vec<i64>> = BTreeMap::new();
        for _ in 0..60 {
            let name = u8::try_from(rng.next_u64() % 3).unwrap();
            let time = i64::try_from(rng.next_u64() % 300).unwrap();
            rows.entry(name).or_default().push(time);
            assert_ne!(place(&mut sessions, name, time, -1), Placed::Late);
        }
        let mut ended = Vec::new();
        let mut last = i64::MIN;
        for watermark in (0..400).step_by(7) {
            for slot in sessions.ended(|end| end - 1 <= watermark) {
                let session = sessions.get(slot);
                assert!(session.end >= last && session.end - 1 <= watermark);
                last = session.end;
                ended.push((sessions.key(slot)[16], session.start, session.end));
                sessions.end(slot);
            }
        }
        ended.sort_unstable();
        assert_eq!(ended, of_model(&rows), "seed {seed}");
        assert!(sessions.slots.iter().all(Option::is_none));
        assert_eq!((sessions.index.len(), sessions.key_bytes), (0, 0));
    }
}
