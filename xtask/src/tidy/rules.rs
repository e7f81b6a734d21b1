//! The rules, one function each: from a file to its breaches.

use super::check::Breach;
use super::files::TrackedFile;
use super::rust_source::RustSource;

/// Bytes of the largest file in the repository; generated `Cargo.lock` apart.
const FILE_BYTES_MAX: u64 = 500_000;
/// Lines of the longest source file, its tests left out; 400 is what one aims at.
const FILE_LINES_MAX: usize = 600;
/// Lines of the longest function, signature and braces included.
const FUNCTION_LINES_MAX: usize = 70;
/// Columns of the longest line; rustfmt breaks at fewer, but not inside of strings and comments.
const LINE_COLUMNS_MAX: usize = 160;

/// Parts of paths and addresses that are some machine's, not the project's.
const FOREIGN: &[&str] = &["/work/", "/root/", "repo.maven", "repo1.maven", "pypi.org", "crates.io/api"];
/// The files that name them to forbid them.
const FOREIGN_FREE: &[&str] = &["xtask/src/tidy/rules.rs", "Cargo.lock"];

/// What the code must not hold outside of tests, each with the reason.
const TOKENS: &[(&str, &str)] = &[
    (".unwrap()", "an unwrap says nothing when it fails: return an error, or `expect(\"the invariant\")`"),
    ("todo!", "the project is real in each part: refuse by name what is not there yet"),
    ("unimplemented!", "the project is real in each part: refuse by name what is not there yet"),
];
/// What the code must not hold anywhere, tests included.
const TOKENS_EVERYWHERE: &[(&str, &str)] = &[
    ("#[allow(", "an `allow` outlives its reason unseen: `#[expect(lint, reason = \"...\")]` does not"),
    ("#![allow(", "an `allow` outlives its reason unseen: `#![expect(lint, reason = \"...\")]` does not"),
    ("#[ignore", "a test that is ignored is none: repair it, or delete it"),
];

/// A large file stays in every clone for ever.
pub fn size(file: &TrackedFile) -> Vec<Breach> {
    if file.bytes <= FILE_BYTES_MAX || file.path == "Cargo.lock" {
        return Vec::new();
    }
    let why = format!("{} bytes, at most {FILE_BYTES_MAX}: a large file stays in every clone for ever", file.bytes);
    vec![Breach { line: 0, why }]
}

/// The checkout speaks of itself alone.
pub fn words(path: &str, text: &str) -> Vec<Breach> {
    if FOREIGN_FREE.contains(&path) {
        return Vec::new();
    }
    let breach = |(line, word)| Breach {
        line,
        why: format!("`{word}` is one machine's: the checkout works anywhere and speaks of itself alone"),
    };
    let found = numbered(text).flat_map(|(line, words)| {
        FOREIGN.iter().filter(move |word| words.contains(**word)).map(move |word| (line, *word))
    });
    found.map(breach).collect()
}

/// A wide line is read by nobody to its end. Tests may hold the exact words of a long error on one line, and a row of a table is one line.
pub fn line_width(path: &str, text: &str) -> Vec<Breach> {
    if is_test_file(path) {
        return Vec::new();
    }
    let rows = numbered(text).filter(|(_, words)| !words.starts_with("//! |"));
    let wide = rows.map(|(line, words)| (line, words.chars().count()));
    wide.filter(|(_, columns)| *columns > LINE_COLUMNS_MAX)
        .map(|(line, columns)| Breach { line, why: format!("{columns} columns, at most {LINE_COLUMNS_MAX}") })
        .collect()
}

/// A page has one title; `#` in fenced blocks is a comment.
pub fn one_title(text: &str) -> Vec<Breach> {
    let mut is_fenced = false;
    let mut titles = Vec::new();
    for (line, words) in numbered(text) {
        if words.trim_start().starts_with("```") {
            is_fenced = !is_fenced;
        } else if !is_fenced && words.starts_with("# ") {
            titles.push(line);
        }
    }
    if titles.len() == 1 {
        return Vec::new();
    }
    let why = format!("{} titles (`# ...`), a page has one: links and tables of contents count on it", titles.len());
    vec![Breach { line: titles.get(1).copied().unwrap_or(0), why }]
}

/// What a case expects was written by Flink; what Flink does not have, by the Flink SQL that its case names.
pub fn case_header(path: &str, text: &str) -> Vec<Breach> {
    let is_expected = path.split('/').any(|folder| folder == "cases") && path.ends_with(".expected");
    let first = text.lines().next().unwrap_or_default();
    let is_second = [".refused", ".answers"].iter().any(|end| path.ends_with(end));
    if is_second && !text.lines().nth(1).unwrap_or_default().starts_with("-- flink 2.3.0") {
        let why = "the second line is no `-- flink 2.3.0 ...`: what Flink says or answers is written by \
                   `cargo xtask update --from-flink`";
        return vec![Breach { line: 2, why: why.to_owned() }];
    }
    if !is_expected || first.starts_with("-- flink 2.3.0") {
        return Vec::new();
    }
    let why = "the first line is not `-- flink 2.3.0 ...`: expected rows come from a real Flink (`cargo xtask update \
               --from-flink`), those of an extension from its section `---- flink-sql`";
    vec![Breach { line: 1, why: why.to_owned() }]
}

/// The rules for Rust files.
pub fn rust(path: &str, text: &str) -> Vec<Breach> {
    let source = RustSource::read(text);
    let mut found = Vec::new();
    if !source.has_header() {
        let why = "does not open with `//!`: say what the file owns, what it does not, how data passes through";
        found.push(Breach { line: 1, why: why.to_owned() });
    }
    found.extend(tokens(source.code(), TOKENS_EVERYWHERE));
    if is_test_file(path) {
        return found;
    }
    let lines = source.lines_without_tests();
    if lines > FILE_LINES_MAX {
        let why = format!("{lines} lines without tests, at most {FILE_LINES_MAX}: one thing, one file");
        found.push(Breach { line: 0, why });
    }
    for function in source.functions_without_tests() {
        if function.lines > FUNCTION_LINES_MAX {
            let why = format!(
                "`{}` has {} lines, at most {FUNCTION_LINES_MAX}: name its parts",
                function.name, function.lines
            );
            found.push(Breach { line: function.line, why });
        }
    }
    found.extend(tokens(source.code_without_tests(), TOKENS));
    found
}

/// `tests.rs` and what lies below a folder `tests`, `benches` or `examples`.
fn is_test_file(path: &str) -> bool {
    let mut parts = path.rsplit('/');
    let name = parts.next().unwrap_or_default();
    let stem = name.trim_end_matches(".rs");
    matches!(stem, "test" | "tests") && !path.starts_with("xtask/src/test")
        || stem.starts_with("test_")
        || stem.ends_with("_test")
        || stem.ends_with("_tests")
        || parts.any(|folder| matches!(folder, "tests" | "benches" | "examples"))
}

fn tokens(code: &str, forbidden: &[(&str, &str)]) -> Vec<Breach> {
    let found = numbered(code).flat_map(|(line, words)| {
        forbidden.iter().filter(move |(token, _)| words.contains(token)).map(move |each| (line, each))
    });
    found.map(|(line, (token, why))| Breach { line, why: format!("`{token}`: {why}") }).collect()
}

fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(index, line)| (index + 1, line))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(breaches: &[Breach]) -> Vec<usize> {
        breaches.iter().map(|breach| breach.line).collect()
    }

    #[test]
    fn each_rule_for_rust_finds_its_breach_and_no_other() {
        let long = format!("//! A.\nfn long() {{\n{}}}\n", "    a();\n".repeat(69));
        let short = format!("//! A.\nfn short() {{\n{}}}\n", "    a();\n".repeat(68));
        let file = |lines: usize| format!("//! A.\n{}", "const A: u8 = 1;\n".repeat(lines - 1));
        let cases = [
            ("no header", "fn a() {}\n", vec![1]),
            ("header below a comment", "// A.\n//! B.\n", vec![]),
            ("unwrap", "//! A.\nfn a() {\n    b().unwrap();\n}\n", vec![3]),
            (
                "unwrap in a test",
                "//! A.\n#[cfg(test)]\nmod tests {\n    fn a() {\n        b().unwrap();\n    }\n}\n",
                vec![],
            ),
            ("unwrap in words", "//! A.\n// .unwrap()\nconst A: &str = \".unwrap()\";\n", vec![]),
            ("todo", "//! A.\nfn a() {\n    todo!()\n}\n", vec![3]),
            ("allow", "//! A.\n#[allow(dead_code)]\nfn a() {}\n", vec![2]),
            ("ignored test", "//! A.\n#[cfg(test)]\nmod tests {\n    #[ignore]\n    fn a() {}\n}\n", vec![4]),
            ("function of 71 lines", &long, vec![2]),
            ("function of 70 lines", &short, vec![]),
            ("file of 601 lines", &file(601), vec![0]),
            ("file of 600 lines", &file(600), vec![]),
        ];
        for (name, text, expected) in cases {
            assert_eq!(lines(&rust("src/a.rs", text)), expected, "{name}");
        }
    }

    #[test]
    fn files_of_tests_may_be_long_but_not_headless() {
        let text = format!("fn a() {{\n{}    b().unwrap();\n}}\n", "    a();\n".repeat(700));
        assert_eq!(lines(&rust("src/foo/tests.rs", &text)), [1]);
        assert!(is_test_file("crates/a/benches/hot.rs"));
        assert!(!is_test_file("crates/a/src/latest.rs"));
        assert!(!is_test_file("testkit/src/kill.rs"));
        assert!(!is_test_file("xtask/src/test/mod.rs"));
    }

    #[test]
    fn a_page_has_one_title() {
        assert!(one_title("# A\n## B\n```sh\n# comment\n```\n").is_empty());
        assert_eq!(lines(&one_title("# A\n\n# B\n")), [3]);
        assert_eq!(lines(&one_title("no title\n")), [0]);
    }

    #[test]
    fn foreign_words_are_named_with_their_line() {
        let word = FOREIGN[0];
        assert_eq!(lines(&words("docs/a.md", &format!("a\nsee {word}x\n"))), [2]);
        assert!(words("docs/a.md", "homework and network/s\n").is_empty());
        assert!(words(FOREIGN_FREE[0], word).is_empty());
    }

    #[test]
    fn expected_rows_say_where_they_come_from() {
        assert!(case_header("cases/filter.expected", "-- flink 2.3.0 abc\n+I[1]\n").is_empty());
        assert_eq!(lines(&case_header("cases/x/filter.expected", "-- weir-extension\n")), [1]);
        assert_eq!(lines(&case_header("cases/filter.expected", "+I[1]\n")), [1]);
        assert_eq!(lines(&case_header("cases/x/wrong.refused", "-- A.\nSELECT 1;\n")), [2]);
        assert!(case_header("cases/x/wrong.refused", "-- A.\n-- flink 2.3.0 sql:1\nSELECT 1;\n").is_empty());
        assert!(case_header("cases/filter.sql", "SELECT 1;\n").is_empty());
        assert!(case_header("crates/a/filter.expected", "1\n").is_empty());
    }

    #[test]
    fn large_files_and_wide_lines_have_a_bound() {
        let file = |bytes| TrackedFile { path: "a.bin".to_owned(), bytes, text: None };
        assert!(size(&file(FILE_BYTES_MAX)).is_empty());
        assert_eq!(size(&file(FILE_BYTES_MAX + 1)).len(), 1);
        assert!(line_width("a.rs", &"ä".repeat(LINE_COLUMNS_MAX)).is_empty());
        assert_eq!(lines(&line_width("a.rs", &"a".repeat(LINE_COLUMNS_MAX + 1))), [1]);
    }
}
