//! Totals as a checkpoint keeps them: named numbers.

use std::collections::BTreeMap;

use weir_ports::Totals;

/// Numbers by name, by operator uid.
type Counters = BTreeMap<String, BTreeMap<String, u64>>;

/// What a checkpoint keeps of `totals`.
pub fn counters_of(totals: &BTreeMap<String, Totals>) -> Counters {
    let named = |totals: &Totals| {
        let pairs = [
            ("rows_in", totals.rows_in),
            ("rows_out", totals.rows_out),
            ("filtered", totals.filtered),
            ("deduplicated", totals.deduplicated),
            ("late", totals.late),
            ("dead_lettered", totals.dead_lettered),
        ];
        pairs.into_iter().map(|(name, number)| (name.to_owned(), number)).collect()
    };
    totals.iter().map(|(uid, totals)| (uid.clone(), named(totals))).collect()
}

/// The totals that a checkpoint kept; a name that it lacks is zero.
pub fn totals_of(counters: &Counters) -> BTreeMap<String, Totals> {
    let totals = |numbers: &BTreeMap<String, u64>| {
        let number = |name: &str| numbers.get(name).copied().unwrap_or(0);
        Totals {
            rows_in: number("rows_in"),
            rows_out: number("rows_out"),
            filtered: number("filtered"),
            deduplicated: number("deduplicated"),
            late: number("late"),
            dead_lettered: number("dead_lettered"),
        }
    };
    counters.iter().map(|(uid, numbers)| (uid.clone(), totals(numbers))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_come_back_as_they_were_kept() {
        let totals = Totals { rows_in: 6, rows_out: 1, filtered: 2, deduplicated: 1, late: 1, dead_lettered: 1 };
        let kept = BTreeMap::from([("a".to_owned(), totals)]);
        assert_eq!(totals_of(&counters_of(&kept)), kept);
    }
}
