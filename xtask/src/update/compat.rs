//! `COMPAT.md`: what of Flink's SQL is there, feature by feature, and what proves it; made from `cases/` and `deviations.txt`.
//!
//! `compat/feature.rs` reads the list of features (`cases/features.txt`); here each gets its verdict from the scripts that use it.

mod feature;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use super::answers::Answers;
use super::case::Case;
use super::refused::Refusals;
use crate::failure::Result;
use feature::Feature;

/// What stands above the tables.
const INTRODUCTION: &str = "# Compatibility with Flink SQL

Made by `cargo xtask update --compat` from `cases/` and `deviations.txt`; do not edit. **yes**: a case that uses the feature, whose expected rows a real
Flink 2.3.0 wrote, runs through Weir's binary in each of its modes with every `cargo xtask test`. **partly**: it does, and what is missing stands beside it.
**no**: Flink takes it, Weir refuses it by name, with line and column, when the script is planned. **not proven**: nothing here shows it.
";

/// What stands above the list of cases.
const CASES: &str = "
## The cases

Each line is a script with its input; Flink's rows lie beside it. `.answers` files hold what SHOW and DESCRIBE answer, `.refused` files wrong statements, with
what Flink and what Weir say of each.
";

/// Cases that are named beside a feature.
const PROOFS_MAX: usize = 3;

/// Where scripts of tests prove options of jobs and connectors, beside the cases.
pub const TESTS: &str = "crates/weir/tests/it";

/// Everything that the page is made from.
pub struct Sources {
    /// The text of `cases/features.txt`.
    pub features: String,
    /// All cases, sorted by name.
    pub cases: Vec<Case>,
    /// All refusals, sorted by name.
    pub refusals: Vec<Refusals>,
    /// All answers, sorted by name.
    pub answers: Vec<Answers>,
    /// The cases that differ, with their reasons.
    pub deviations: BTreeMap<String, String>,
    /// Tests of the binary: path and text.
    pub tests: Vec<(String, String)>,
}

/// What is said of a feature.
enum Verdict {
    /// There, proven by these.
    Yes(Vec<String>),
    /// Refused, shown by this one.
    No(String),
    /// Nothing shows it.
    Unproven,
}

impl Sources {
    /// The page.
    ///
    /// # Errors
    /// Fails when the list of features cannot be read.
    pub fn page(&self) -> Result<String> {
        let mut page = INTRODUCTION.to_owned();
        let mut kind = String::new();
        let scripts = self.scripts();
        for feature in feature::read(&self.features)? {
            if feature.kind != kind {
                kind.clone_from(&feature.kind);
                // Writing into a String cannot fail.
                let _ = write!(page, "\n## {kind}\n\n| feature | as Flink | shown by |\n| --- | --- | --- |\n");
            }
            let (verdict, proof) = match self.verdict(&feature, &scripts) {
                Verdict::Yes(proofs) => match &feature.partial {
                    Some(reason) => (format!("partly: {reason}"), proofs.join(", ")),
                    None => ("yes".to_owned(), proofs.join(", ")),
                },
                // What texts of unit tests show, or only a part of which is there, says so in the list.
                Verdict::No(_) | Verdict::Unproven if feature.partial.is_some() => {
                    (format!("partly: {}", feature.partial.as_deref().unwrap_or_default()), String::new())
                }
                Verdict::No(proof) => ("no".to_owned(), proof),
                Verdict::Unproven => ("not proven".to_owned(), String::new()),
            };
            let name = feature.name.replace('|', "\\|");
            let _ = writeln!(page, "| {name} | {} | {proof} |", verdict.replace('|', "\\|"));
        }
        page.push_str(CASES);
        self.list(&mut page);
        Ok(page)
    }

    /// The path of each script that runs, and its text without comments.
    fn scripts(&self) -> Vec<(String, String)> {
        let cases = self.cases.iter().map(|case| (format!("{}.case", case.name), case.script_in(Path::new(""))));
        let answers = self.answers.iter().map(|answers| (format!("{}.answers", answers.name), answers.script.clone()));
        cases.chain(answers).map(|(path, script)| (path, without_comments(&script))).collect()
    }

    /// What the scripts say of `feature`.
    fn verdict(&self, feature: &Feature, scripts: &[(String, String)]) -> Verdict {
        let mut proofs: Vec<String> = scripts
            .iter()
            .filter(|(_, script)| feature.is_in(script))
            .take(PROOFS_MAX)
            .map(|(path, _)| {
                format!("[{}](cases/{path})", path.rsplit_once('.').map_or(path.as_str(), |(name, _)| name))
            })
            .collect();
        if proofs.is_empty() && feature.is_option() {
            let tests = self.tests.iter().filter(|(_, text)| feature.is_in(text));
            proofs.extend(tests.take(1).map(|(path, _)| format!("[{path}]({path})")));
        }
        if !proofs.is_empty() {
            return Verdict::Yes(proofs);
        }
        let refused = self
            .refusals
            .iter()
            .find(|refusals| refusals.refusals.iter().any(|refusal| feature.is_in(&without_comments(&refusal.sql))));
        refused.map_or(Verdict::Unproven, |refusals| {
            Verdict::No(format!("[{name}](cases/{name}.refused)", name = refusals.name))
        })
    }

    /// Adds the list of all cases, a table for each folder.
    fn list(&self, page: &mut String) {
        let cases = self.cases.iter().map(|case| (&case.name, &case.title, "case"));
        let refusals = self.refusals.iter().map(|refusals| (&refusals.name, &refusals.title, "refused"));
        let answers = self.answers.iter().map(|answers| (&answers.name, &answers.title, "answers"));
        let mut all: Vec<_> = cases.chain(refusals).chain(answers).collect();
        all.sort();
        let mut folder = "";
        for (name, title, end) in all {
            let of_case = name.split('/').next().unwrap_or_default();
            if of_case != folder {
                folder = of_case;
                let _ = write!(page, "\n### {folder}\n\n| what | as Flink | case |\n| --- | --- | --- |\n");
            }
            let verdict = match (end, self.deviations.get(name)) {
                ("refused", _) => "refused".to_owned(),
                (_, None) => "yes".to_owned(),
                (_, Some(reason)) => format!("partly: {}", reason.replace('|', "\\|")),
            };
            let _ = writeln!(page, "| {} | {verdict} | [{name}](cases/{name}.{end}) |", title.replace('|', "\\|"));
        }
    }
}

/// `script` without the comments that end its lines: they may name what it does not use.
fn without_comments(script: &str) -> String {
    script.lines().map(|line| line.find("--").map_or(line, |start| &line[..start])).collect::<Vec<_>>().join("\n")
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
    fn a_feature_gets_its_verdict_from_the_scripts_that_use_it() {
        let case = |name: &str, sql: &str| {
            Case::parse(name, &format!("-- Title | of {name}.\n-- rows: ordered\n{sql}\n")).unwrap()
        };
        let refused = "-- Wrong.\n---- refused\nSELECT TAN(1);\n---- flink\naccepted\n";
        let sources = Sources {
            features: "## Functions\nSIN\nCOS ! of numbers only\nTAN\nABS\n## Options\nsize ~ 'size'\n".to_owned(),
            cases: vec![case("a/x", "SELECT sin (1); -- ABS(x)"), case("b/y", "SELECT COS(1)")],
            refusals: vec![Refusals::parse("a/wrong", refused).unwrap()],
            answers: Vec::new(),
            deviations: deviations("# why\nb/y prints | otherwise\n"),
            tests: vec![("t/a.rs".to_owned(), "'size' = '1'".to_owned())],
        };
        let expected = format!(
            "{INTRODUCTION}
## Functions

| feature | as Flink | shown by |
| --- | --- | --- |
| SIN | yes | [a/x](cases/a/x.case) |
| COS | partly: of numbers only | [b/y](cases/b/y.case) |
| TAN | no | [a/wrong](cases/a/wrong.refused) |
| ABS | not proven |  |

## Options

| feature | as Flink | shown by |
| --- | --- | --- |
| size | yes | [t/a.rs](t/a.rs) |
{CASES}
### a

| what | as Flink | case |
| --- | --- | --- |
| Wrong. | refused | [a/wrong](cases/a/wrong.refused) |
| Title \\| of a/x. | yes | [a/x](cases/a/x.case) |

### b

| what | as Flink | case |
| --- | --- | --- |
| Title \\| of b/y. | partly: prints \\| otherwise | [b/y](cases/b/y.case) |
"
        );
        assert_eq!(sources.page().unwrap(), expected);
    }
}
