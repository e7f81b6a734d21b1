//! Declarations as they are understood: columns with types, keys, watermarks, options, settings, variables, statement sets.

use super::world::statements;
use crate::catalog::ObjectPath;
use crate::declare::declare;
use crate::{ColumnKind, Query, StatementKind, Table};

fn table(sql: &str) -> Table {
    let mut statements = statements(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    let path = ObjectPath {
        catalog: "default_catalog".to_owned(),
        database: "default_database".to_owned(),
        object: "t".to_owned(),
    };
    match statements.remove(0).kind {
        StatementKind::CreateTable(create) => {
            declare(&create, &path, None).unwrap_or_else(|error| panic!("{sql}: {error}"))
        }
        other => panic!("{sql} is {other:?}"),
    }
}

/// A table's columns in one line each, then watermark and key.
fn summary(table: &Table) -> String {
    let columns = table.columns.iter().map(|column| match &column.kind {
        ColumnKind::Physical(data_type) => format!("{}: {data_type}", column.name),
        ColumnKind::Computed(expression) => format!("{} AS {expression}", column.name),
        ColumnKind::Metadata { key, data_type, is_virtual } => {
            format!("{}: {data_type} METADATA {key}{}", column.name, if *is_virtual { " VIRTUAL" } else { "" })
        }
    });
    let watermark =
        table.watermark.iter().map(|watermark| format!("WATERMARK {} AS {}", watermark.column, watermark.expression));
    let key = (!table.primary_key.is_empty()).then(|| format!("KEY {}", table.primary_key.join(", ")));
    columns.chain(watermark).chain(key).collect::<Vec<_>>().join("; ")
}

#[test]
fn types_have_flinks_names_and_defaults() {
    let cases = [
        ("BOOLEAN", "BOOLEAN"),
        ("TINYINT", "TINYINT"),
        ("smallint not null", "SMALLINT NOT NULL"),
        ("INTEGER", "INT"),
        ("BIGINT NULL", "BIGINT"),
        ("FLOAT", "FLOAT"),
        ("DOUBLE PRECISION", "DOUBLE"),
        ("DECIMAL", "DECIMAL(10, 0)"),
        ("DEC(5)", "DECIMAL(5, 0)"),
        ("NUMERIC(38, 38)", "DECIMAL(38, 38)"),
        ("CHAR", "CHAR(1)"),
        ("CHARACTER VARYING(7)", "VARCHAR(7)"),
        ("VARCHAR", "VARCHAR(1)"),
        ("VARCHAR(2147483647)", "STRING"),
        ("STRING", "STRING"),
        ("BINARY(3)", "BINARY(3)"),
        ("VARBINARY(3)", "VARBINARY(3)"),
        ("BYTES", "BYTES"),
        ("DATE", "DATE"),
        ("TIME", "TIME(0)"),
        ("TIME(3) WITHOUT TIME ZONE", "TIME(3)"),
        ("TIMESTAMP", "TIMESTAMP(6)"),
        ("TIMESTAMP(3) WITHOUT TIME ZONE", "TIMESTAMP(3)"),
        ("TIMESTAMP(3) WITH LOCAL TIME ZONE", "TIMESTAMP_LTZ(3)"),
        ("TIMESTAMP WITH LOCAL TIME ZONE", "TIMESTAMP_LTZ(6)"),
        ("TIMESTAMP_LTZ", "TIMESTAMP_LTZ(6)"),
        ("TIMESTAMP_LTZ(9)", "TIMESTAMP_LTZ(9)"),
        ("ARRAY<INT NOT NULL> NOT NULL", "ARRAY<INT NOT NULL> NOT NULL"),
        ("INT ARRAY", "ARRAY<INT>"),
        ("INT NOT NULL ARRAY ARRAY", "ARRAY<ARRAY<INT NOT NULL>>"),
        ("MAP<STRING, INT>", "MAP<STRING, INT>"),
        ("MAP<STRING NOT NULL, ARRAY<ARRAY<INT>>>", "MAP<STRING NOT NULL, ARRAY<ARRAY<INT>>>"),
        ("ROW<a INT, b STRING NOT NULL>", "ROW<`a` INT, `b` STRING NOT NULL>"),
        ("ROW(a INT 'first', `b c` ROW<d ARRAY<ROW<e INT>>>)", "ROW<`a` INT, `b c` ROW<`d` ARRAY<ROW<`e` INT>>>>"),
        ("ROW<`timestamp` BIGINT 'when', `value` DOUBLE>", "ROW<`timestamp` BIGINT, `value` DOUBLE>"),
    ];
    for (written, expected) in cases {
        assert_eq!(summary(&table(&format!("CREATE TABLE t (c {written})"))), format!("c: {expected}"), "{written}");
    }
}

#[test]
fn columns_keys_and_watermarks_are_read() {
    let cases = [
        ("CREATE TABLE t (a INT, `order` STRING COMMENT 'it''s')", "a: INT; order: STRING"),
        (
            "CREATE TEMPORARY TABLE IF NOT EXISTS t (a INT, b AS a + 1 COMMENT 'x', pt AS PROCTIME())",
            "a: INT; b AS a + 1; pt AS PROCTIME()",
        ),
        (
            "CREATE TABLE t (o BIGINT METADATA FROM 'offset' VIRTUAL, `timestamp` TIMESTAMP_LTZ(3) METADATA, p INT METADATA VIRTUAL COMMENT 'c')",
            "o: BIGINT METADATA offset VIRTUAL; timestamp: TIMESTAMP_LTZ(3) METADATA timestamp; p: INT METADATA p VIRTUAL",
        ),
        ("CREATE TABLE t (a INT PRIMARY KEY NOT ENFORCED)", "a: INT NOT NULL; KEY a"),
        (
            "CREATE TABLE t (a INT, b STRING, CONSTRAINT pk PRIMARY KEY (b, a) NOT ENFORCED)",
            "a: INT NOT NULL; b: STRING NOT NULL; KEY b, a",
        ),
        ("CREATE TABLE t (a INT CONSTRAINT pk PRIMARY KEY NOT ENFORCED COMMENT 'k')", "a: INT NOT NULL; KEY a"),
        (
            "CREATE TABLE t (ms BIGINT, ts AS TO_TIMESTAMP_LTZ(ms, 3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)",
            "ms: BIGINT; ts AS TO_TIMESTAMP_LTZ(ms, 3); WATERMARK ts AS ts - INTERVAL '5' SECOND",
        ),
        (
            "CREATE TABLE t (m ROW<fw STRING>, fw AS m.fw, x AS CAST(m AS ROW<fw VARCHAR(3)>), y AS TRY_CAST(`m` AS MAP<STRING,ARRAY<INT>>))",
            "m: ROW<`fw` STRING>; fw AS m.fw; x AS CAST(m AS `ROW<``fw`` VARCHAR(3)>`); y AS TRY_CAST(`m` AS `MAP<STRING, ARRAY<INT>>`)",
        ),
        (
            "CREATE TABLE t (`watermark` INT, `primary` INT, metadata ROW<a INT>, `comment` STRING, `from` INT)",
            "watermark: INT; primary: INT; metadata: ROW<`a` INT>; comment: STRING; from: INT",
        ),
    ];
    for (sql, expected) in cases {
        assert_eq!(summary(&table(sql)), expected, "{sql}");
    }
}

#[test]
fn options_keep_values_and_places() {
    let table = table(
        "-- head\nCREATE TABLE t (a INT) COMMENT 'c' WITH (\n  'connector' = 'kafka', /* why */\n  'topic' = 'it''s ${DIR}/${NAME}'\n)",
    );
    assert_eq!(table.options.get("topic"), Some("it's /data/it's"));
    assert_eq!(table.options.span("topic").to_string(), "4:3");
    assert_eq!(table.full_name, "default_catalog.default_database.t");
    assert_eq!(table.comment.as_deref(), Some("c"));
}

/// Events as the Nexmark benchmark declares them: nested rows, a computed rowtime, views over one stream.
const NEXMARK: &str = "
CREATE TABLE datagen (
    event_type int,
    person ROW<id BIGINT, name VARCHAR, emailAddress VARCHAR, creditCard VARCHAR, city VARCHAR, state VARCHAR, `dateTime` TIMESTAMP(3), extra VARCHAR>,
    auction ROW<id BIGINT, itemName VARCHAR, description VARCHAR, initialBid BIGINT, reserve BIGINT, `dateTime` TIMESTAMP(3), expires TIMESTAMP(3), seller BIGINT, category BIGINT, extra VARCHAR>,
    bid ROW<auction BIGINT, bidder BIGINT, price BIGINT, channel VARCHAR, url VARCHAR, `dateTime` TIMESTAMP(3), extra VARCHAR>,
    `dateTime` AS CASE WHEN event_type = 0 THEN person.`dateTime` WHEN event_type = 1 THEN auction.`dateTime` ELSE bid.`dateTime` END,
    WATERMARK FOR `dateTime` AS `dateTime` - INTERVAL '4' SECOND
) WITH ('connector' = 'nexmark', 'first-event.rate' = '${TPS:-1000}');
CREATE VIEW bid AS SELECT bid.auction, bid.bidder, bid.price, `dateTime`, bid.extra FROM datagen WHERE event_type = 2;
";

#[test]
fn nexmarks_declarations_are_read() {
    let statements = statements(NEXMARK).unwrap();
    let StatementKind::CreateTable(create) = &statements[0].kind else { panic!("not a table") };
    assert_eq!(create.body.columns.len(), 5);
    assert_eq!(create.options.get("first-event.rate"), Some("1000"));
    assert_eq!(create.body.watermark.as_ref().unwrap().expression.to_string(), "`dateTime` - INTERVAL '4' SECOND");
    assert!(matches!(&statements[1].kind, StatementKind::CreateView(create) if create.name.to_string() == "bid"));
}

#[test]
fn settings_are_read_in_every_spelling() {
    let cases = [
        ("SET 'a.b' = 'c d'", ("a.b", "c d")),
        ("SET table.exec.state.ttl = 10 min", ("table.exec.state.ttl", "10 min")),
        ("set execution.checkpointing.min-pause=500ms;", ("execution.checkpointing.min-pause", "500ms")),
        ("SET 'x' = ''", ("x", "")),
        ("SET 'x' = '${EMPTY:-d}'", ("x", "d")),
        ("SET 'x' = '${EMPTY}'", ("x", "")),
        ("SET 'x' = '$${DIR} $${'", ("x", "${DIR} ${")),
        ("SET 'x' = -- ${NOTHING} in a comment\n ${DIR:-q}", ("x", "/ data")),
        ("SET parallelism.default = ${P:-4}", ("parallelism.default", "4")),
    ];
    for (sql, (key, value)) in cases {
        match &statements(sql).unwrap()[0].kind {
            StatementKind::Set { key: read_key, value: read_value, .. } => {
                assert_eq!((read_key.as_str(), read_value.as_str()), (key, value), "{sql}")
            }
            other => panic!("{sql} is {other:?}"),
        }
    }
}

#[test]
fn statement_sets_are_read_in_both_spellings() {
    for sql in [
        "EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT CASE WHEN x THEN 1 END FROM t; INSERT INTO b (c, d) (SELECT 1, 2); END;",
        "BEGIN STATEMENT SET;\nINSERT INTO a SELECT 1;\nINSERT INTO b VALUES (1), (2);\nEND;",
        "STATEMENT SET BEGIN INSERT INTO a SELECT 1; INSERT INTO b WITH c AS (SELECT 1) SELECT * FROM c; END",
    ] {
        let statements = statements(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
        let StatementKind::StatementSet(inserts) = &statements[0].kind else { panic!("{sql}") };
        assert_eq!(inserts.iter().map(|insert| insert.table.to_string()).collect::<Vec<_>>(), ["a", "b"], "{sql}");
        assert_eq!(statements.len(), 1);
    }
}

fn query(sql: &str) -> Query {
    match statements(sql).unwrap_or_else(|error| panic!("{sql}: {error}")).remove(0).kind {
        StatementKind::Select(query) => *query,
        StatementKind::Insert(insert) => insert.query,
        other => panic!("{sql} is {other:?}"),
    }
}

#[test]
fn table_functions_reach_the_binder_in_both_spellings() {
    let cases = [
        ("SELECT * FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND)) AS w", "TUMBLE/3 of t by  as w"),
        (
            "SELECT * FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECONDS, INTERVAL '1' SECOND) w",
            "TUMBLE/4 of t by  as w",
        ),
        (
            "SELECT * FROM TABLE(TUMBLE(DATA => TABLE a.b.t, TIMECOL => DESCRIPTOR(ts), SIZE => INTERVAL '10' SECOND))",
            "TUMBLE/3 of a.b.t by  as ",
        ),
        (
            "SELECT * FROM SESSION(TABLE t PARTITION BY a, b, DESCRIPTOR(ts), INTERVAL '10' SECOND)",
            "SESSION/3 of t by a, b as ",
        ),
        (
            "SELECT * FROM F(input => TABLE t PARTITION BY (a, b) ORDER BY c, on_time => DESCRIPTOR(ts))",
            "F/2 of t by a, b as ",
        ),
        ("SELECT * FROM TUMBLE(t, DESCRIPTOR(ts), INTERVAL '10' SECOND)", "TUMBLE/3 of t by  as "),
    ];
    for (sql, expected) in cases {
        let query = query(sql);
        let sqlparser::ast::SetExpr::Select(select) = &*query.ast.body else { panic!("{sql}") };
        let function = crate::table_function(&select.from[0].relation).unwrap_or_else(|| panic!("{sql}"));
        let first = match &function.args[0] {
            sqlparser::ast::FunctionArg::Unnamed(sqlparser::ast::FunctionArgExpr::Expr(expr)) => expr,
            sqlparser::ast::FunctionArg::Named { arg: sqlparser::ast::FunctionArgExpr::Expr(expr), .. } => expr,
            other => panic!("{sql}: {other}"),
        };
        let table = crate::table_argument(first).unwrap_or_else(|| panic!("{sql}"));
        let by = table.partition_by.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let alias = function.alias.map(|alias| alias.name.to_string()).unwrap_or_default();
        assert_eq!(
            format!("{}/{} of {} by {by} as {alias}", function.name, function.args.len(), table.name),
            expected,
            "{sql}"
        );
        assert!(table.span.is_known() && function.span.is_known());
    }
}

#[test]
fn table_hints_are_kept_with_their_table() {
    let sql = "INSERT INTO s /*+ OPTIONS('sink' = '1') */ SELECT * FROM a.b.t /*+ OPTIONS('path' = '/y',\n 'x'='z') */ AS q, TABLE(F(TABLE u /*+ OPTIONS('u' = 'v') */)) /* plain */";
    let StatementKind::Insert(insert) = statements(sql).unwrap().remove(0).kind else { panic!("not an INSERT") };
    assert_eq!(insert.options.unwrap().get("sink"), Some("1"));
    let hints: Vec<_> = insert.query.hints.by_place.values().collect();
    assert_eq!(hints.len(), 2);
    assert_eq!(
        hints[0].values.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>(),
        ["path=/y", "x=z"]
    );
    assert_eq!(
        (hints[0].span("path").to_string(), hints[0].span("x").to_string()),
        ("1:76".to_owned(), "2:2".to_owned())
    );
    assert_eq!(hints[1].get("u"), Some("v"));
}

#[test]
fn places_stay_those_of_the_original_text() {
    let sql = "SELECT ${LINES}, `b` FROM ${DIR:-nothing}t\n WHERE ${LINES} = c";
    let error = statements(sql).unwrap_err();
    // "/data" is no name: the place is the variable's.
    assert_eq!((error.span.to_string(), error.span.column_end), ("1:27".to_owned(), 41));
    let query = query("SELECT ${LINES}, `b` FROM t\n WHERE x = c");
    let sqlparser::ast::SetExpr::Select(select) = &*query.ast.body else { panic!("not a SELECT") };
    let place = |item: usize| {
        let span = crate::span_of(sqlparser::ast::Spanned::span(&select.projection[item]));
        (span.to_string(), span.column_end)
    };
    assert_eq!(place(0), ("1:8".to_owned(), 15), "a of the variable");
    assert_eq!(place(1), ("1:8".to_owned(), 15), "b of the variable");
    assert_eq!(place(2), ("1:18".to_owned(), 20), "behind the variable");
}
