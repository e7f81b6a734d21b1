//! The texts of options.

use super::*;

#[test]
fn durations_are_read_as_flink_writes_them() {
    let cases = [
        ("10s", Some(10_000)),
        ("5 min", Some(300_000)),
        ("1500", Some(1_500)),
        ("2 h", Some(7_200_000)),
        ("1 d", Some(86_400_000)),
        ("3 milliseconds", Some(3)),
        ("0", Some(0)),
        ("", None),
        ("s", None),
        ("5 parsecs", None),
        ("-1s", None),
        ("99999999999999999999 d", None),
        ("9999999999 d", None),
    ];
    for (text, expected) in cases {
        assert_eq!(duration(text).map(|duration| duration.as_millis()), expected, "{text}");
    }
}

#[test]
fn specific_offsets_are_read_or_refused() {
    let offsets = |pairs: &[(i32, i64)]| Some(pairs.iter().copied().collect::<BTreeMap<_, _>>());
    assert_eq!(specific("partition:0,offset:42;partition:1,offset:300"), offsets(&[(0, 42), (1, 300)]));
    assert_eq!(specific(" partition:7 , offset:0 ;"), offsets(&[(7, 0)]));
    for bad in ["", "partition:0", "partition:a,offset:1", "offset:1,partition:0", "partition:0,offset:"] {
        assert_eq!(specific(bad), None, "{bad}");
    }
}
