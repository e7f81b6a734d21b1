//! `COMPAT.md`: what of Flink's SQL is proven, feature by feature, made from the cases and from `deviations.txt`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::case::Case;

/// What stands above the tables.
const INTRODUCTION: &str = "# Compatibility with Flink SQL

Made by `cargo xtask update --compat` from `cases/` and `deviations.txt`; do not edit. Each line is a script whose expected
rows a real Flink 2.3.0 wrote, and that runs through Weir's binary in each of its modes with every `cargo xtask test`.
What stands nowhere here is not proven; what Weir does not support is refused when a script is planned, with line and column.
";

/// The page of `cases`, sorted by name, with the reasons of those that differ.
pub fn page(cases: &[Case], deviations: &BTreeMap<String, String>) -> String {
    let mut page = INTRODUCTION.to_owned();
    let mut feature = "";
    for case in cases {
        let of_case = case.name.split('/').next().unwrap_or_default();
        if of_case != feature {
            feature = of_case;
            // Writing into a String cannot fail.
            let _ = write!(page, "\n## {feature}\n\n| what | as Flink | case |\n| --- | --- | --- |\n");
        }
        let verdict = match deviations.get(&case.name) {
            None => "yes".to_owned(),
            Some(reason) => format!("partly: {}", reason.replace('|', "\\|")),
        };
        let title = case.title.replace('|', "\\|");
        let _ = writeln!(page, "| {title} | {verdict} | [{name}](cases/{name}.case) |", name = case.name);
    }
    page
}

/// The cases that differ, with their reasons, from the text of `deviations.txt`.
pub fn deviations(text: &str) -> BTreeMap<String, String> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once(' ')).map(|(case, why)| (case.to_owned(), why.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_a_table_a_feature_and_tells_what_differs() {
        let text = "-- Title.\n-- rows: ordered\nSELECT 1;\n";
        let cases = ["a/x", "a/y", "b/x"].map(|name| Case::parse(name, text).unwrap());
        let page = page(&cases, &deviations("# why\na/y prints | otherwise\n"));
        let tables = "
## a

| what | as Flink | case |
| --- | --- | --- |
| Title. | yes | [a/x](cases/a/x.case) |
| Title. | partly: prints \\| otherwise | [a/y](cases/a/y.case) |

## b

| what | as Flink | case |
| --- | --- | --- |
| Title. | yes | [b/x](cases/b/x.case) |
";
        assert_eq!(page, format!("{INTRODUCTION}{tables}"));
    }
}
