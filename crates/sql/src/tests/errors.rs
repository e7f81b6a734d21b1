//! Every refusal of the front, word for word: what is wrong, where, what to do.

use super::world::{plan, plan_with};

/// Scripts with the error that each gives.
const CASES: &[(&str, &str)] = &[
    ("SELCT 1", "1:1: SQL parse failed. Encountered 'SELCT', expected a statement; did you mean 'SELECT'?"),
    (
        "CREATE TABEL t (a INT)",
        "1:8: SQL parse failed. Encountered 'TABEL', expected TABLE, VIEW, DATABASE or CATALOG; did you mean 'TABLE'?",
    ),
    (
        "CREATE TABLE t (a INT, b STRNG)",
        "1:26: Unknown identifier 'STRNG': there is no type of this name; did you mean 'STRING'?",
    ),
    ("CREATE TABLE t (a INT, a STRING)", "1:24: A column named 'a' already exists in the table.; rename one of them"),
    (
        "CREATE TABLE t (a INT, b MULTISET<INT>)",
        "1:26: the type MULTISET is not supported; use ARRAY<...> or MAP<..., INT>",
    ),
    (
        "CREATE TABLE t (a VARCHAR(0))",
        "1:27: Variable character string length must be between 1 and 2147483647 (both inclusive).",
    ),
    ("CREATE TABLE t (a DECIMAL(39, 2))", "1:27: Decimal precision must be between 1 and 38 (both inclusive)."),
    ("CREATE TABLE t (a DECIMAL(5, 6))", "1:30: Decimal scale must be between 0 and the precision 5 (both inclusive)."),
    ("CREATE TABLE t (a TIMESTAMP(10))", "1:29: Timestamp precision must be between 0 and 9 (both inclusive)."),
    (
        "CREATE TABLE t (a TIMESTAMP WITH TIME ZONE)",
        "1:29: the type TIMESTAMP WITH TIME ZONE is not supported; use TIMESTAMP_LTZ, which is TIMESTAMP WITH LOCAL TIME ZONE",
    ),
    (
        "CREATE TABLE t (a INTERVAL DAY TO MONTH)",
        "1:28: there is no INTERVAL DAY TO MONTH; an interval is of years and months, or of days to seconds",
    ),
    ("CREATE TABLE t (a ROW<>)", "1:22: a ROW without fields is not supported; declare at least one field"),
    (
        "CREATE TABLE t (a ROW<x INT, x INT>)",
        "1:30: Field names must be unique. Found duplicates: [x]; rename one of them",
    ),
    (
        "CREATE TABLE t (a ARRAY<INT)",
        "1:28: SQL parse failed. Encountered ')', expected '>' behind the type of the array's elements",
    ),
    (
        "CREATE TABLE t (a INT PRIMARY KEY)",
        "1:23: Flink doesn't support ENFORCED mode for PRIMARY KEY constraint. ENFORCED/NOT ENFORCED controls if the constraint checks are performed on the incoming/outgoing data. Flink does not own the data therefore the only supported mode is the NOT ENFORCED mode; write PRIMARY KEY ... NOT ENFORCED",
    ),
    (
        "CREATE TABLE t (a INT, PRIMARY KEY (a, b) NOT ENFORCED)",
        "1:40: Primary key column 'b' is not defined in the schema",
    ),
    (
        "CREATE TABLE t (a INT, PRIMARY KEY (a, a) NOT ENFORCED)",
        "1:40: Invalid primary key. A primary key must not contain duplicate columns. Found: [a]; remove one of them",
    ),
    (
        "CREATE TABLE t (a INT, b AS a + 1, PRIMARY KEY (b) NOT ENFORCED)",
        "1:49: Invalid primary key. Column 'b' is not a physical column.; a primary key consists of columns that the connector stores",
    ),
    (
        "CREATE TABLE t (a INT PRIMARY KEY NOT ENFORCED, PRIMARY KEY (a) NOT ENFORCED)",
        "1:49: Duplicate primary key definition; keep one of them",
    ),
    (
        "CREATE TABLE t (a INT, UNIQUE (a))",
        "1:24: UNIQUE constraint is not supported yet; only PRIMARY KEY ... NOT ENFORCED is",
    ),
    (
        "CREATE TABLE t (a INT DEFAULT 1)",
        "1:23: the constraint DEFAULT is not supported; only PRIMARY KEY ... NOT ENFORCED is",
    ),
    (
        "CREATE TABLE t (ts TIMESTAMP(3), WATERMARK FOR tz AS tz)",
        "1:48: The rowtime attribute field 'tz' is not defined in the table schema",
    ),
    (
        "CREATE TABLE t (ts TIMESTAMP(6), WATERMARK FOR ts AS ts)",
        "1:48: Invalid data type of time field for watermark definition. The field must be of type TIMESTAMP(p) or TIMESTAMP_LTZ(p), the supported precision 'p' is from 0 to 3, but the time field type is TIMESTAMP(6); declare a computed column such as ts AS TO_TIMESTAMP_LTZ(ts, 3), and the watermark on it",
    ),
    (
        "CREATE TABLE t (ts BIGINT, WATERMARK FOR ts AS ts)",
        "1:42: Invalid data type of time field for watermark definition. The field must be of type TIMESTAMP(p) or TIMESTAMP_LTZ(p), the supported precision 'p' is from 0 to 3, but the time field type is BIGINT; declare a computed column such as ts AS TO_TIMESTAMP_LTZ(ts, 3), and the watermark on it",
    ),
    (
        "CREATE TABLE t (r ROW<ts TIMESTAMP(3)>, WATERMARK FOR r.ts AS r.ts)",
        "1:56: a watermark on a field inside a ROW is not supported; declare a computed column of that field, and the watermark on it",
    ),
    (
        "CREATE TABLE t (ts TIMESTAMP(3), WATERMARK FOR ts AS ts, WATERMARK FOR ts AS ts)",
        "1:58: Multiple WATERMARK declarations are not supported yet.; keep one of them",
    ),
    (
        "CREATE TABLE t (a INT) LIKE s",
        "1:29: Source table '`default_catalog`.`default_database`.`s`' of the LIKE clause not found in the catalog; no table is declared before this statement",
    ),
    (
        "CREATE TABLE t WITH ('connector' = 'print')",
        "1:14: a table without columns is not supported; declare the columns in brackets behind its name",
    ),
    (
        "CREATE TABLE t (a INT) WITH ('connector' = 'print', 'connector' = 'print')",
        "1:53: the option 'connector' is given twice; remove one of them",
    ),
    (
        "CREATE TABLE t (a INT) WITH (connector = 'print')",
        "1:30: SQL parse failed. Encountered 'connector', expected an option's key in single quotes",
    ),
    (
        "CREATE TABLE t (a INT) WITH ('connector' = 'kafak')",
        "1:30: Could not find any factory for identifier 'kafak' that implements a connector; did you mean 'kafka'?",
    ),
    (
        "CREATE TABLE t (a INT) WITH ('connector' = 'jdbc')",
        "1:30: Could not find any factory for identifier 'jdbc' that implements a connector; Available factory identifiers are: blackhole, datagen, filesystem, kafka, print, questdb",
    ),
    (
        "CREATE TABLE t (a INT) WITH ('connector' = 'filesystem', 'pth' = '/x', 'format' = 'json')",
        "1:58: Unsupported options found for 'filesystem'. Unsupported options: pth; did you mean 'path'?",
    ),
    (
        "CREATE TABLE t (a INT) WITH ('connector' = 'filesystem', 'path' = '/x', 'format' = 'jsn')",
        "1:73: Could not find any factory for identifier 'jsn' that implements a format; did you mean 'json'?",
    ),
    (
        "CREATE TABLE t (a INT) WITH ('connector' = 'filesystem', 'path' = '/x', 'format' = 'json', 'json.ignore-parse-error' = 'true')",
        "1:92: Unsupported options found for 'filesystem'. Unsupported options: json.ignore-parse-error; did you mean 'json.ignore-parse-errors'?",
    ),
    (
        "CREATE TABLE t (a INT) WITH ('connector' = 'filesystem', 'path' = '/x', 'format' = 'json', 'json.ignore-parse-errors' = 'yes')",
        "1:92: Invalid value for option 'json.ignore-parse-errors'. Could not parse value 'yes' for key 'json.ignore-parse-errors'.; write true or false",
    ),
    (
        "CREATE TABLE t (a INT) WITH ('connector' = 'filesystem', 'path' = '/x', 'format' = 'json', 'csv.field-delimiter' = ';')",
        "1:92: Unsupported options found for 'filesystem'. Unsupported options: csv.field-delimiter; Supported options: connector, format, json.ignore-parse-errors, json.timestamp-format.standard, path, sink.rolling-policy.file-size, sink.rolling-policy.rollover-interval",
    ),
    (
        "CREATE TABLE t (a INT) WITH ('connector' = 'filesystem', 'sink.rolling-policy.rollover-interval' = '5 parsecs')",
        "1:58: Invalid value for option 'sink.rolling-policy.rollover-interval'. Could not parse value '5 parsecs' for key 'sink.rolling-policy.rollover-interval'.; write a duration such as '10 s', '5 min' or '500 ms'",
    ),
    (
        "CREATE TABLE t (a INT) WITH ('connector' = 'datagen', 'rows-per-second' = 'many')",
        "1:55: Invalid value for option 'rows-per-second'. Could not parse value 'many' for key 'rows-per-second'.; write a whole number",
    ),
    (
        "CREATE TABLE t (a INT) WITH ('connector' = 'kafka', 'scan.startup.mode' = 'earliest')",
        "1:53: Invalid value for option 'scan.startup.mode'. Could not parse value 'earliest' for key 'scan.startup.mode'.; did you mean 'earliest-offset'?",
    ),
    (
        "CREATE TABLE t (a INT); CREATE TABLE t (b INT)",
        "1:38: Table (or view) default_database.t already exists in Catalog default_catalog.; it was made at 1:14: choose another name, DROP it before, or write IF NOT EXISTS",
    ),
    (
        "CREATE TABLE other.t (a INT)",
        "1:14: Database other does not exist in Catalog default_catalog.; there are: default_database",
    ),
    ("CREATE TABLE hive.default_database.t (a INT)", "1:14: Catalog hive does not exist; there are: default_catalog"),
    (
        "DROP TABLE t",
        "1:12: Table with identifier 'default_catalog.default_database.t' does not exist.; no table is declared before this statement",
    ),
    (
        "CREATE TABLE trucks (a INT); DROP TABLE truks",
        "1:41: Table with identifier 'default_catalog.default_database.truks' does not exist.; did you mean 'trucks'?",
    ),
    ("DROP CATALOG c", "1:14: Catalog c does not exist."),
    ("CREATE FUNCTION f AS 'x.Y'", "1:8: CREATE FUNCTION is not supported; only built-in functions are there"),
    (
        "CREATE CATALOG c WITH ('type' = 'hive')",
        "1:24: Could not find any factory for identifier 'hive' that implements a catalog; Available factory identifiers are: generic_in_memory",
    ),
    (
        "ALTER TABLE t RENAME TO u",
        "1:13: Table `default_catalog`.`default_database`.`t` doesn't exist or is a temporary table.; no table is declared before this statement",
    ),
    (
        "ADD JAR 'x.jar'",
        "1:1: the statement ADD is not supported; Weir runs no JARs: connectors and formats are built in",
    ),
    ("USE CATALOG c", "1:13: A catalog with name [c] does not exist.; there are: default_catalog"),
    (
        "SHOW JOBS",
        "1:6: SHOW JOBS is not supported; a script is run by one process: 'weir run' shows its job while it runs",
    ),
    (
        "SHOW CREATE TABLE t",
        "1:19: Could not execute SHOW CREATE TABLE. Table with identifier `default_catalog`.`default_database`.`t` does not exist.; no table is declared before this statement",
    ),
    (
        "EXPLAIN ESTIMATED_COST SELECT 1",
        "1:9: EXPLAIN ESTIMATED_COST is not supported; plans are made without costs: leave ESTIMATED_COST out",
    ),
    (
        "EXPLAIN CREATE TABLE t (a INT)",
        "1:9: Unsupported CREATE OR REPLACE statement for EXPLAIN. The statement must define a query using the AS clause (i.e. CTAS/RTAS statements).; EXPLAIN takes a query, an INSERT, a CREATE TABLE ... AS or a statement set",
    ),
    (
        "INSERT OVERWRITE t SELECT 1",
        "1:18: Cannot find table '`default_catalog`.`default_database`.`t`' in any of the catalogs [default_catalog], nor as a temporary table.; no table is declared before this statement",
    ),
    (
        "INSERT INTO t PARTITION (p = 'x') SELECT 1",
        "1:13: Cannot find table '`default_catalog`.`default_database`.`t`' in any of the catalogs [default_catalog], nor as a temporary table.; no table is declared before this statement",
    ),
    ("INSERT INTO t DELETE", "1:15: SQL parse failed. Encountered 'DELETE', expected SELECT, WITH or VALUES"),
    (
        "INSERT INTO t SELECT 1 ON CONFLICT DO NOTHING",
        "1:13: Cannot find table '`default_catalog`.`default_database`.`t`' in any of the catalogs [default_catalog], nor as a temporary table.; no table is declared before this statement",
    ),
    (
        "EXECUTE STATEMENT SET BEGIN INSERT INTO t SELECT 1;",
        "1:1: a statement set is not closed: END is missing; write 'END;' behind the last INSERT",
    ),
    (
        "EXECUTE STATEMENT SET BEGIN SELECT 1; END",
        "1:29: only INSERT statements are allowed in a statement set; put it before the statement set, or close the set with 'END;'",
    ),
    (
        "EXECUTE STATEMENT SET BEGIN END",
        "1:1: NO statements in statement set; write at least one INSERT between BEGIN and END",
    ),
    ("END", "1:1: END closes no statement set; open one with EXECUTE STATEMENT SET BEGIN"),
    (
        "EXECUTE PLAN '/x'",
        "1:1: the statement EXECUTE PLAN is not supported; write the INSERT itself: plans are made anew for each run",
    ),
    ("BEGIN; ", "1:1: SQL parse failed. Encountered the end of the statement, expected STATEMENT SET behind BEGIN"),
    (
        "SET 'paralelism.default' = '2'",
        "1:5: there is no setting 'paralelism.default'; did you mean 'parallelism.default'?",
    ),
    (
        "SET parallelism.default",
        "1:17: SQL parse failed. Encountered the end of the statement, expected '=' behind the key",
    ),
    ("RESET 'pipeline.nam'", "1:7: there is no setting 'pipeline.nam'; did you mean 'pipeline.name'?"),
    (
        "SELECT * FROM t WHERE x = 'abc",
        "1:27: SQL parse failed. Unterminated string literal; look for a quote or a comment that is not closed",
    ),
    (
        r#"SELECT "a" FROM t"#,
        "1:8: double quotes are not used in Flink SQL; put names in backticks (`name`) and texts in single quotes ('text')",
    ),
    ("SELECT a FROM t WHERE", "1:17: SQL parse failed. Encountered the end of the statement, expected an expression"),
    (
        "SELECT a FROM (SELECT b FROM c WHERE d =) WHERE e = 1",
        "1:41: SQL parse failed. Encountered ')', expected an expression",
    ),
    ("SELECT a, FROM t", "1:11: SQL parse failed. Encountered 'FROM', expected an expression"),
    (
        "SELECT CAST(a AS STRNG) FROM t",
        "1:18: Unknown identifier 'STRNG': there is no type of this name; did you mean 'STRING'?",
    ),
    ("SELECT CAST(a INT) FROM t", "1:15: SQL parse failed. Encountered 'INT', expected AS"),
    ("SELECT CASE WHEN a THEN b FROM t", "1:27: SQL parse failed. Encountered 'FROM', expected END"),
    ("SELECT f(a FROM t", "1:12: SQL parse failed. Encountered 'FROM', expected )"),
    (
        "SELECT a FROM t /* not closed",
        "1:30: SQL parse failed. Unexpected EOF while in a multi-line comment; look for a quote or a comment that is not closed",
    ),
    (
        "SELECT /*+ STATE_TTL('t' = '1d') */ a FROM t",
        "1:44: Object 't' not found; no table is declared before this statement",
    ),
    (
        "SELECT a FROM t /*+ BROADCAST(t) */",
        "1:21: the hint BROADCAST is not supported; remove it: it only steers joins, which are not supported yet",
    ),
    (
        "SELECT a FROM t AS x /*+ OPTIONS('path' = '/y') */",
        "1:22: a hint stands where none is supported; an OPTIONS hint stands right behind a table's name, before its alias: t /*+ OPTIONS('key'='value') */ AS a",
    ),
    (
        "SELECT a /*+ OPTIONS('path' = '/y') */ FROM t",
        "1:10: a hint stands where none is supported; an OPTIONS hint stands right behind a table's name, before its alias: t /*+ OPTIONS('key'='value') */ AS a",
    ),
    (
        "SELECT a FROM t /*+ OPTIONS(path = '/y') */",
        "1:29: SQL parse failed. Encountered 'path', expected an option's key in single quotes",
    ),
    ("SELECT a FROM t /*+ */", "1:20: a hint is empty; remove it"),
    (
        "SET /*+ OPTIONS('a'='b') */ 'pipeline.name' = 'x'",
        "1:5: a hint stands where none is supported; only INSERT, SELECT, CREATE VIEW and CREATE TABLE ... AS take hints",
    ),
    (
        "SELECT '${MISSING}'",
        "1:9: the variable 'MISSING' is not set; give it with --var MISSING=..., in the environment, or write ${MISSING:-default}",
    ),
    (
        "SELECT 1;\n  SELECT '${ SPACE }'",
        "2:11: '${ SPACE }' is not a variable; write ${NAME} or ${NAME:-default}, without a variable in the default; '$${' stands for '${'",
    ),
    (
        "SELECT ${OPEN",
        "1:8: a variable is not closed: '}' is missing; write ${NAME} or ${NAME:-default}; '$${' stands for '${'",
    ),
    ("SELECT $1", "1:8: SQL parse failed. Encountered '$'; a variable is written ${NAME}"),
    (
        "CREATE VIEW v AS SELECT * FROM v",
        "1:32: the view 'v' reads itself: v -> v; name another table or view in its query",
    ),
    (
        "CREATE TABLE a (x INT) WITH ('connector' = 'datagen'); CREATE VIEW b AS SELECT * FROM a; DROP TABLE a; CREATE VIEW a AS SELECT * FROM b",
        "1:116: the view 'a' reads itself: a -> b -> a; name another table or view in its query",
    ),
    (
        "CREATE VIEW v (a, a) AS SELECT 1, 2",
        "1:19: A column with the same name `a` has been defined; rename one of them",
    ),
    (
        "DESCRIBE nothing",
        "1:10: Tables or views with the identifier 'default_catalog.default_database.nothing' doesn't exist.; no table is declared before this statement",
    ),
    ("SELECT ${LINES} FROM ;", "1:17: SQL parse failed. Encountered the end of the statement, expected identifier"),
    (
        "SELECT a FROM t WHERE x LIKE",
        "1:25: SQL parse failed. Encountered the end of the statement, expected an expression",
    ),
    (
        "SELECT a FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND)",
        "1:73: SQL parse failed. Encountered the end of the statement, expected )",
    ),
    ("SELECT MAP['a' FROM t", "1:16: SQL parse failed. Encountered 'FROM', expected ]"),
    ("SELECT a b c FROM t", "1:12: SQL parse failed. Encountered 'c', expected the end of the statement"),
    ("SELECT a FROM t GROUP a", "1:17: SQL parse failed. Encountered 'GROUP', expected the end of the statement"),
    (
        "CREATE VIEW v AS WITH c AS (SELECT 1) SELECT * FROM c, (SELECT * FROM missing) AS d",
        "1:71: Object 'missing' not found; no table is declared before this statement",
    ),
];

#[test]
fn what_is_wrong_is_said_at_its_place() {
    let mut wrong = Vec::new();
    for (sql, expected) in CASES {
        let said = plan(sql).err().map_or_else(|| "nothing".to_owned(), |error| error.to_string());
        if said != *expected {
            wrong.push(format!("{sql}\n  said: {said}\n  expected: {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_error_is_shown_with_its_line_a_caret_and_the_hint() {
    let script = "CREATE TABLE t (a INT);\nCREATE TABLE u (\n\ta STRNG\n);";
    let error = plan(script).unwrap_err();
    assert_eq!(
        error.render("job.sql", script),
        "job.sql:3:4: Unknown identifier 'STRNG': there is no type of this name\n  | \ta STRNG\n  | \t  ^^^^^\nhint: did you mean 'STRING'?"
    );
    let long = format!("SELECT {}'x' FROM t WHERE", "a, ".repeat(200));
    let rendered = plan(&long).unwrap_err().render("job.sql", &long);
    assert!(rendered.lines().all(|line| line.chars().count() < 200), "{rendered}");
    assert!(rendered.contains("'x' FROM t WHERE"), "{rendered}");
}

#[test]
fn an_override_that_nobody_knows_is_refused_without_a_place() {
    let error = plan_with("", &[("pipelin.name", "x")]).unwrap_err();
    assert_eq!(
        error.render("job.sql", ""),
        "job.sql: -D pipelin.name: there is no setting 'pipelin.name'\nhint: did you mean 'pipeline.name'?"
    );
}

#[test]
fn a_crossing_error_keeps_place_and_hint() {
    let error = weir_base::Error::from(plan("SELCT 1").unwrap_err());
    assert_eq!(error.kind(), weir_base::Kind::Invalid);
    assert_eq!(
        error.to_string(),
        "plan the SQL at 1:1: SQL parse failed. Encountered 'SELCT', expected a statement; did you mean 'SELECT'?"
    );
}
