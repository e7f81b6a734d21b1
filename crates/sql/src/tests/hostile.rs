//! Scripts that mean harm, or nothing at all: refused in time, never a panic, never a stack that runs out.

use weir_base::{Clock as _, Rng, SystemClock, limits};

use super::world::{plan, statements};

/// Long enough for any machine, far too short for work that doubles with each level of nesting.
const PATIENCE_US: u64 = 10_000_000;

/// Plans `sql`, which must be refused in time, and gives the error.
fn refused(what: &str, sql: &str) -> String {
    let clock = SystemClock::new();
    let start = clock.monotonic_us();
    let error = plan(sql).err().unwrap_or_else(|| panic!("{what} was planned"));
    let took = clock.monotonic_us() - start;
    assert!(took < PATIENCE_US, "{what} took {took} us");
    error.message
}

#[test]
fn nesting_is_refused_in_time() {
    let deep = "the statement is nested deeper than 64";
    let cases: Vec<(&str, String, &str)> = vec![
        ("a megabyte of brackets", "(".repeat(1 << 20), deep),
        ("brackets in an expression", format!("SELECT {}1{}", "(".repeat(500), ")".repeat(500)), deep),
        ("nested functions", format!("SELECT {}1{}", "f(".repeat(20_000), ")".repeat(20_000)), deep),
        ("nested subqueries", format!("{}1{}", "SELECT * FROM (".repeat(10_000), ")".repeat(10_000)), deep),
        ("nested CASE", format!("SELECT {}1{}", "CASE WHEN a THEN ".repeat(10_000), " END".repeat(10_000)), deep),
        ("array items", format!("SELECT {}1{}", "a[".repeat(10_000), "]".repeat(10_000)), deep),
        (
            "nested types",
            format!("CREATE TABLE t (a {}INT{})", "ARRAY<".repeat(200), ">".repeat(200)),
            "types are nested deeper than 64",
        ),
        (
            "nested types in a cast",
            format!("SELECT CAST(a AS {}INT{}) FROM t", "ROW<a ".repeat(200), ">".repeat(200)),
            "types are nested deeper than 64",
        ),
        (
            "arrays of arrays",
            format!("CREATE TABLE t (a INT{})", " ARRAY".repeat(20_000)),
            "types are nested deeper than 64",
        ),
    ];
    for (what, sql, expected) in cases {
        assert_eq!(refused(what, &sql), expected, "{what}");
    }
}

#[test]
fn chains_are_refused_in_time() {
    let long = "an expression has more than 1000 operators in a row";
    let cases = [
        ("a sum", format!("SELECT 1{}", " + 1".repeat(20_000))),
        ("a condition", format!("SELECT a FROM t WHERE a = 1{}", " OR a = 2".repeat(20_000))),
        ("NOTs", format!("SELECT {} TRUE", "NOT ".repeat(20_000))),
        ("signs", format!("SELECT {}1", "- ".repeat(20_000))),
        ("IS NULL", format!("SELECT a{}", " IS NULL".repeat(20_000))),
        ("unions", format!("SELECT 1{}", " UNION ALL SELECT 1".repeat(10_000))),
        ("casts of another dialect", format!("SELECT a{}", "::INT".repeat(20_000))),
        ("intervals", format!("SELECT {} '1' DAY", "INTERVAL ".repeat(20_000))),
    ];
    for (what, sql) in cases {
        assert_eq!(refused(what, &sql), long, "{what}");
    }
}

#[test]
fn size_is_bounded() {
    let script = " ".repeat(limits::SCRIPT_BYTES_MAX + 1);
    assert_eq!(refused("a large script", &script), "the script has 4194305 bytes; at most 4194304 are read");
    let many = "SELECT 1;\n".repeat(100_000);
    assert_eq!(refused("100,000 statements", &many), "the script has more than 5000 statements");
    let columns = |count: usize| {
        let columns = (0..count).map(|index| format!("c{index} INT")).collect::<Vec<_>>().join(", ");
        format!("CREATE TABLE t ({columns})")
    };
    assert_eq!(refused("10,000 columns", &columns(10_000)), "the table has more than 4096 columns");
    assert!(statements(&columns(4_096)).is_ok());
    let views: String = (0..40)
        .map(|index| {
            format!("CREATE VIEW v{} AS SELECT * FROM v{index} UNION ALL SELECT * FROM v{index};\n", index + 1)
        })
        .collect();
    let script = format!("CREATE TABLE v0 (a INT) WITH ('connector' = 'datagen');\n{views}");
    assert_eq!(refused("views that double", &script), "its views expand to more than 1000 tables");
    let views: String =
        (0..100).map(|index| format!("CREATE VIEW v{} AS SELECT * FROM v{index};\n", index + 1)).collect();
    let script = format!("CREATE TABLE v0 (a INT) WITH ('connector' = 'datagen');\n{views}");
    assert_eq!(refused("a tower of views", &script), "views are stacked deeper than 64");
}

/// Words and signs that a script is made of, and some that it is not.
const WORDS: &[&str] = &[
    "SELECT",
    "FROM",
    "WHERE",
    "a",
    "t",
    "(",
    ")",
    "(",
    ")",
    ",",
    "*",
    "+",
    "-",
    "=",
    "<",
    ">",
    "<>",
    ">>",
    "'x'",
    "''",
    "1",
    "1.5e3",
    "CREATE",
    "TABLE",
    "TEMPORARY",
    "VIEW",
    "AS",
    "WITH",
    "WATERMARK",
    "FOR",
    "PRIMARY",
    "KEY",
    "NOT",
    "ENFORCED",
    "NULL",
    "ROW<",
    "ROW(",
    "MAP<",
    "ARRAY<",
    "ARRAY[",
    "]",
    "INT",
    "STRING",
    "TIMESTAMP(3)",
    "INTERVAL '1' SECOND",
    "DESCRIPTOR(ts)",
    "TUMBLE(",
    "TABLE(",
    "PARTITION BY",
    "ORDER BY",
    "OVER (",
    "INSERT INTO",
    "EXECUTE STATEMENT SET BEGIN",
    "BEGIN",
    "END",
    ";",
    "SET",
    "RESET",
    "EXPLAIN",
    "PLAN FOR",
    "'connector'",
    "CASE",
    "WHEN",
    "THEN",
    "ELSE",
    "CAST(",
    "TRY_CAST(",
    "=>",
    ".",
    "[",
    "`q`",
    "/*+ OPTIONS('a'='b') */",
    "/*+",
    "*/",
    "--",
    "\n",
    "${DIR}",
    "${",
    "}",
    "$",
    "\"",
    "'",
    "`",
    "\u{e9}",
    "\0",
    "JOIN",
    "ON",
    "UNION ALL",
    "GROUP BY",
    "HAVING",
    "LIMIT",
    "METADATA",
    "VIRTUAL",
    "DROP",
    "IF EXISTS",
    "DESCRIBE",
    "SHOW",
    "EXISTS",
    "IN",
    "BETWEEN",
    "AND",
    "OR",
    "LIKE",
    "EXTRACT(",
    "CEIL(",
    "FLOOR(",
    "TRIM(",
    "SUBSTRING(",
    "POSITION(",
    "MATCH_RECOGNIZE (",
    "UNNEST(",
    "LATERAL",
    "VALUES",
    "FILTER (",
    "AT TIME ZONE",
    "::",
];

#[test]
fn word_soup_never_panics() {
    for seed in 0..4_000 {
        let mut rng = Rng::new(seed);
        let length = 1 + rng.below(40);
        let words: Vec<&str> =
            (0..length).map(|_| WORDS[usize::try_from(rng.below(WORDS.len() as u64)).unwrap()]).collect();
        let separator = if rng.below(4) == 0 { "" } else { " " };
        let sql = words.join(separator);
        if let Err(error) = plan(&sql) {
            let _ = error.render("soup.sql", &sql);
        }
    }
}

/// A script that is right, to be bent.
const SCRIPT: &str = "SET 'pipeline.name' = 'x'; CREATE TABLE t (a INT NOT NULL, r ROW<b ARRAY<INT>>, ts TIMESTAMP(3), p AS PROCTIME(), \
    m INT METADATA FROM 'partition' VIRTUAL, WATERMARK FOR ts AS ts - INTERVAL '5' SECOND, PRIMARY KEY (a) NOT ENFORCED) WITH ('connector' = 'kafka', \
    'topic' = '${DIR:-x}', 'format' = 'json'); CREATE VIEW v (x) AS SELECT CAST(a AS BIGINT) FROM t /*+ OPTIONS('topic' = 'y') */ WHERE a IN (1, 2); \
    BEGIN STATEMENT SET; INSERT INTO s (a) SELECT CASE WHEN x > 1 THEN x ELSE 0 END FROM v; INSERT INTO s SELECT window_start FROM \
    TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start; END; EXPLAIN PLAN FOR SELECT * FROM v;";

#[test]
fn bent_scripts_never_panic() {
    for seed in 0..3_000 {
        let mut rng = Rng::new(seed);
        let mut text: Vec<char> = SCRIPT.chars().collect();
        for _ in 0..=rng.below(3) {
            let at = |rng: &mut Rng, bound: usize| usize::try_from(rng.below(bound as u64)).unwrap();
            let (from, length) = (at(&mut rng, text.len()), at(&mut rng, 12));
            let to = (from + length).min(text.len());
            match rng.below(3) {
                0 => drop(text.drain(from..to)),
                1 => text[from] = WORDS[at(&mut rng, WORDS.len())].chars().next().unwrap(),
                _ => {
                    let copied = text[from..to].to_vec();
                    let place = at(&mut rng, text.len());
                    text.splice(place..place, copied);
                }
            }
        }
        let sql: String = text.into_iter().collect();
        if let Err(error) = plan(&sql) {
            let _ = error.render("bent.sql", &sql);
        }
    }
}

/// Forms that sqlparser tries in two ways: nested to the bound with an error inside, time must not double with each level.
#[test]
fn nested_attempts_do_not_double() {
    for form in [
        "CAST(",
        "f(",
        "EXISTS(",
        "CEIL(",
        "FLOOR(",
        "SUBSTRING(",
        "TRIM(",
        "POSITION(",
        "EXTRACT(",
        "(",
        "ARRAY[",
        "MAP[",
        "ROW(",
        "NOT(",
        "f(a => ",
        "COUNT(DISTINCT ",
        "INTERVAL (",
        "CASE WHEN ",
        "f(TABLE t PARTITION BY (",
        "(SELECT * FROM (",
        "(WITH a AS (",
        "x IN (",
        "x BETWEEN (",
        "CONVERT(",
        "OVERLAY(",
        "STRUCT(",
        "GROUPING SETS ((",
        "DATE(",
        "TIMESTAMP(",
        "NEXT VALUE FOR (",
        "LISTAGG(",
        "x LIKE (",
        "ANY(",
        "TRY_CONVERT(",
        "LAMBDA(",
        "{fn f(",
        "PRIOR (",
    ] {
        let levels = 60 / form.matches(['(', '[']).count().max(1);
        for (head, tail) in
            [("SELECT ", ""), ("SELECT * FROM ", ""), ("SELECT a FROM t WHERE ", " ="), ("SELECT ", " FROM")]
        {
            refused(form, &format!("{head}{}~{tail}", form.repeat(levels)));
        }
    }
}
