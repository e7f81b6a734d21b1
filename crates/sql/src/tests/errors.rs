//! Every refusal of the front, word for word: what is wrong, where, what to do.

use super::world::{plan, plan_with};

/// Scripts with the error that each gives.
const CASES: &[(&str, &str)] = &[
    ("SELCT 1", "1:1: SQL parse failed. Encountered 'SELCT', expected a statement; did you mean 'SELECT'?"),
    (
        "CREATE TABEL t (a INT)",
        "1:8: SQL parse failed. Encountered 'TABEL', expected TABLE or VIEW; did you mean 'TABLE'?",
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
        "1:40: Invalid primary key. A primary key must not contain duplicate columns. Found: [a]",
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
        "1:24: the constraint UNIQUE is not supported; only PRIMARY KEY ... NOT ENFORCED is",
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
        "CREATE TABLE t (a INT) PARTITIONED BY (a) WITH ('connector' = 'print')",
        "1:24: CREATE TABLE ... PARTITIONED is not supported; leave PARTITIONED BY out: files are written into one folder",
    ),
    (
        "CREATE TABLE t (a INT) LIKE s",
        "1:24: CREATE TABLE ... LIKE is not supported; repeat the columns and options of the other table",
    ),
    (
        "CREATE TABLE t WITH ('connector' = 'print') AS SELECT 1",
        "1:45: CREATE TABLE ... AS is not supported; declare the table with its columns, then write INSERT INTO ... SELECT",
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
        "1:38: Could not execute CREATE: 'default_catalog.default_database.t' exists already, made at 1:14; choose another name, DROP it before, or write IF NOT EXISTS",
    ),
    (
        "CREATE TABLE other.t (a INT)",
        "1:14: A database with name [other] does not exist in the catalog: [default_catalog]; there is one database, default_database; leave it out",
    ),
    (
        "CREATE TABLE hive.default_database.t (a INT)",
        "1:14: A catalog with name [hive] does not exist; there is one catalog, default_catalog; leave it out",
    ),
    (
        "DROP TABLE t",
        "1:12: Table with identifier 'default_catalog.default_database.t' does not exist; no table is declared before this statement",
    ),
    (
        "CREATE TABLE trucks (a INT); DROP TABLE truks",
        "1:41: Table with identifier 'default_catalog.default_database.truks' does not exist; did you mean 'trucks'?",
    ),
    ("DROP CATALOG c", "1:6: DROP CATALOG is not supported; DROP TABLE and DROP VIEW are"),
    ("CREATE FUNCTION f AS 'x.Y'", "1:8: CREATE FUNCTION is not supported; only built-in functions are there"),
    (
        "CREATE CATALOG c WITH ('type' = 'hive')",
        "1:8: CREATE CATALOG is not supported; there is one catalog, in memory",
    ),
    (
        "ALTER TABLE t RENAME TO u",
        "1:1: the statement ALTER is not supported; DROP the table or view and CREATE it anew",
    ),
    (
        "ADD JAR 'x.jar'",
        "1:1: the statement ADD is not supported; Weir runs no JARs: connectors and formats are built in",
    ),
    ("USE CATALOG c", "1:1: the statement USE is not supported; leave it out: there is one catalog and one database"),
    ("SHOW JOBS", "1:6: SHOW JOBS is not supported; SHOW TABLES, SHOW VIEWS and DESCRIBE are"),
    ("SHOW CREATE TABLE t", "1:6: SHOW CREATE is not supported; SHOW TABLES, SHOW VIEWS and DESCRIBE are"),
    (
        "EXPLAIN ESTIMATED_COST SELECT 1",
        "1:9: EXPLAIN ESTIMATED_COST is not supported; EXPLAIN PLAN FOR shows operators, exchanges, changelog modes and state",
    ),
    (
        "EXPLAIN CREATE TABLE t (a INT)",
        "1:9: SQL parse failed. Encountered 'CREATE', expected a query or an INSERT behind EXPLAIN",
    ),
    (
        "INSERT OVERWRITE t SELECT 1",
        "1:8: INSERT OVERWRITE is not supported; a stream never ends to be replaced: write INSERT INTO",
    ),
    (
        "INSERT INTO t PARTITION (p = 'x') SELECT 1",
        "1:15: INSERT ... PARTITION is not supported; give the value as a column of the query",
    ),
    ("INSERT INTO t DELETE", "1:15: SQL parse failed. Encountered 'DELETE', expected SELECT, WITH or VALUES"),
    (
        "INSERT INTO t SELECT 1 ON CONFLICT DO NOTHING",
        "1:24: ON CONFLICT is not supported; leave it out: a table with a primary key keeps the newest row of each key",
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
        "1:9: SQL parse failed. Encountered 'PLAN', expected STATEMENT SET BEGIN or INSERT behind EXECUTE",
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
        "SELECT a FROM (SELECT b FROM c WHERE d ==) WHERE e = 1",
        "1:42: SQL parse failed. Encountered ')', expected an expression",
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
        "1:12: the hint STATE_TTL is not supported; SET 'table.exec.state.ttl' holds for the whole job",
    ),
    (
        "SELECT a FROM t /*+ BROADCAST(t) */",
        "1:21: the hint BROADCAST is not supported; remove it: it only steers batch joins",
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
        "1:5: a hint stands where none is supported; only INSERT, SELECT and CREATE VIEW take hints",
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
        "CREATE TABLE a (x INT); CREATE VIEW b AS SELECT * FROM a; DROP TABLE a; CREATE VIEW a AS SELECT * FROM b",
        "1:85: the view 'a' reads itself: a -> b -> a; name another table or view in its query",
    ),
    ("CREATE VIEW v (a, a) AS SELECT 1, 2", "1:19: the view has two columns named 'a'; rename one of them"),
    ("DESCRIBE nothing", "1:10: Object 'nothing' not found; no table is declared before this statement"),
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
    for (sql, expected) in CASES {
        match plan(sql) {
            Ok(_) => panic!("no error for: {sql}\nexpected: {expected}"),
            Err(error) => assert_eq!(error.to_string(), *expected, "for: {sql}"),
        }
    }
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
