//! The texts of options.

use super::*;

#[test]
fn specific_offsets_are_read_or_refused() {
    let offsets = |pairs: &[(i32, i64)]| Some(pairs.iter().copied().collect::<BTreeMap<_, _>>());
    assert_eq!(specific("partition:0,offset:42;partition:1,offset:300"), offsets(&[(0, 42), (1, 300)]));
    assert_eq!(specific(" partition:7 , offset:0 ;"), offsets(&[(7, 0)]));
    for bad in ["", "partition:0", "partition:a,offset:1", "offset:1,partition:0", "partition:0,offset:"] {
        assert_eq!(specific(bad), None, "{bad}");
    }
}
