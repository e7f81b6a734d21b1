//! Windows of each kind: where times belong, what shares slices, when windows fire.

use super::*;

fn windows(kind: WindowKind, offset_ms: i64, zone: Option<&str>) -> Windows {
    let spec = WindowSpec { kind, offset_ms, local_time: zone.is_some() };
    Windows::new(&spec, zone.unwrap_or("UTC")).unwrap()
}

fn tumble(size_ms: i64, offset_ms: i64, zone: Option<&str>) -> Windows {
    windows(WindowKind::Tumble { size_ms }, offset_ms, zone)
}

fn each(windows: &mut Windows, time: i64) -> Vec<(i64, i64)> {
    let mut found = Vec::new();
    windows.each(time, |start, end| found.push((start, end)));
    found
}

#[test]
fn a_time_belongs_to_the_window_that_starts_at_or_before_it() {
    for (size, offset, time, end) in [
        (10, 0, 0, 10),
        (10, 0, 9, 10),
        (10, 0, 10, 20),
        (10, 0, -1, 0),
        (10, 0, -10, 0),
        (10, 0, -11, -10),
        (10, 3, 2, 3),
        (10, 3, 3, 13),
        (10, -3, 6, 7),
        (10, -3, 7, 17),
    ] {
        let mut windows = tumble(size, offset, None);
        assert_eq!(windows.slice_end(time), end, "{time} in windows of {size} shifted by {offset}");
        assert_eq!(each(&mut windows, time), [(end - size, end)]);
        assert_eq!(windows.start_of(end), end - size);
        assert_eq!(
            (windows.first_window(end), windows.last_window(end), windows.next_window(end)),
            (Some(end), Some(end), None)
        );
        assert_eq!((windows.fires_at(end), windows.time_of(end)), (end - 1, end - 1));
    }
}

/// The windows that have a slice, by the chain from the first to the last.
fn chain(windows: &Windows, slice_end: i64) -> Vec<i64> {
    let Some(last) = windows.last_window(slice_end) else { return Vec::new() };
    let mut ends = vec![windows.first_window(slice_end).unwrap()];
    while *ends.last().unwrap() < last {
        ends.push(windows.next_window(*ends.last().unwrap()).unwrap());
    }
    ends
}

#[test]
fn the_windows_of_a_slice_are_those_of_each_time_in_it() {
    let hop = |slide_ms, size_ms| WindowKind::Hop { slide_ms, size_ms };
    let cumulate = |step_ms, size_ms| WindowKind::Cumulate { step_ms, size_ms };
    for (kind, offset) in [
        (hop(5, 10), 0),
        (hop(5, 15), 2),
        (hop(4, 10), 0),
        (hop(4, 10), -3),
        (hop(10, 4), 0),
        (hop(10, 10), 11),
        (cumulate(5, 20), 0),
        (cumulate(5, 20), 7),
        (cumulate(5, 5), -1),
    ] {
        let mut windows = windows(kind, offset, None);
        for time in -40..40 {
            let slice = windows.slice_end(time);
            let mut ends: Vec<i64> = each(&mut windows, time).iter().map(|(_, end)| *end).collect();
            ends.sort_unstable();
            assert_eq!(chain(&windows, slice), ends, "{kind:?} shifted by {offset}, at {time}");
            for (start, end) in each(&mut windows, time) {
                assert!(start <= time && time < end);
                assert_eq!(windows.start_of(end), start);
                assert!(windows.slices(end).contains(&slice));
                assert!(windows.first_slice(end) > start && windows.first_slice(end) <= slice);
            }
        }
    }
}

#[test]
fn windows_come_in_flinks_order() {
    let mut hop = windows(WindowKind::Hop { slide_ms: 5, size_ms: 15 }, 0, None);
    assert_eq!(each(&mut hop, 12), [(10, 25), (5, 20), (0, 15)]);
    let mut cumulate = windows(WindowKind::Cumulate { step_ms: 5, size_ms: 15 }, 0, None);
    assert_eq!(each(&mut cumulate, 7), [(0, 10), (0, 15)]);
    assert_eq!(each(&mut cumulate, 15), [(15, 20), (15, 25), (15, 30)]);
}

#[test]
fn windows_over_instants_lie_on_the_wall_clock() {
    const DAY: i64 = 24 * HOUR_MS;
    for zone in ["Asia/Shanghai", "GMT+08:00"] {
        let mut windows = tumble(DAY, 0, Some(zone));
        // 1970-01-01 16:00 UTC is midnight there.
        assert_eq!(windows.slice_end(16 * HOUR_MS - 1), DAY);
        assert_eq!(windows.slice_end(16 * HOUR_MS), 2 * DAY);
        assert_eq!(windows.fires_at(DAY), 16 * HOUR_MS - 1);
        assert_eq!(windows.time_of(DAY), 16 * HOUR_MS - 1);
    }
}

#[test]
fn daylight_saving_moves_firing_as_flink_does() {
    // Los Angeles, the instants of Flink's own description: 2021-03-14 02:00 is left out, 2021-11-07 01:00 comes twice.
    let mut windows = tumble(HOUR_MS, 0, Some("America/Los_Angeles"));
    let spring_three = 1_615_716_000_000;
    let spring_local_two = 1_615_687_200_000;
    // The hour from 02:00 to 03:00 does not exist; its window would fire as soon as the gap has passed.
    assert_eq!(windows.fires_at(spring_local_two + HOUR_MS), spring_three);
    assert_eq!(windows.fires_at(spring_local_two), spring_three - 1);
    let autumn_one = 1_636_272_000_000;
    let end = windows.slice_end(autumn_one);
    assert_eq!(windows.slice_end(autumn_one + HOUR_MS), end, "the repeated hour is one window");
    assert_eq!(windows.fires_at(end), autumn_one + 2 * HOUR_MS - 1);
}

#[test]
fn sizes_and_offsets_are_checked_in_flinks_words() {
    let error = |kind, offset_ms| {
        Windows::new(&WindowSpec { kind, offset_ms, local_time: false }, "UTC").unwrap_err().to_string()
    };
    assert_eq!(
        error(WindowKind::Tumble { size_ms: 0 }, 0),
        "Tumbling Window parameters must satisfy size > 0, but got size 0ms."
    );
    assert_eq!(
        error(WindowKind::Tumble { size_ms: 10 }, -10),
        "Tumbling Window parameters must satisfy abs(offset) < size, bot got size 10ms and offset -10ms."
    );
    assert_eq!(
        error(WindowKind::Hop { slide_ms: 0, size_ms: 10 }, 0),
        "Hopping Window must satisfy slide > 0 and size > 0, but got slide 0ms and size 10ms."
    );
    assert_eq!(
        error(WindowKind::Cumulate { step_ms: 3, size_ms: 10 }, 0),
        "Cumulative Window requires maxSize must be an integral multiple of step, but got maxSize 10ms and step 3ms."
    );
    assert_eq!(error(WindowKind::Session { gap_ms: 0 }, 0), "SessionWindowAssigner parameters must satisfy 0 < size");
}
