//! Random expressions over random rows: Weir's engine against DataFusion's.
//!
//! Both follow the SQL standard where this speaks, so that their rows must be equal: BIGINT that does not overflow (`+ - *`, `/` and `%` by what is not 0,
//! both cut towards zero), BOOLEAN with three values (AND, OR, NOT, the IS tests), texts compared byte by byte, and CASE, COALESCE, NULLIF, BETWEEN, IN,
//! LIKE, IS DISTINCT FROM over these. It keeps away from where Flink goes its own way: overflow, floats, DECIMAL's digits, CHAR's blanks, the text of
//! BOOLEAN and DOUBLE, casts that fail, negative places in SUBSTRING.
//!
//! A failure prints its seed; `WEIR_FUZZ_SEED=SEED cargo test -p weir-fuzz expressions` tries it again, `WEIR_FUZZ_INPUTS=N` tries N.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, BooleanArray, Int64Array, RecordBatch, StringViewArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::util::display::array_value_to_string;
use datafusion::prelude::SessionContext;
use weir_base::Rng;
use weir_engine::expr::{CompileContext, Evaluator};
use weir_plan::{Operator, SourceColumn};
use weir_sql::{Environment, Step, compile};

/// Expressions of one query.
const EXPRESSIONS: usize = 6;
/// Rows of its table.
const ROWS: u64 = 16;
/// Levels of an expression: eight factors of two digits stay far below 64 bits.
const DEPTH: u32 = 3;
/// Queries of a test run.
const QUERIES: u64 = 60;

/// Writes random expressions.
struct Generator {
    random: Rng,
}

impl Generator {
    fn pick<'t>(&mut self, from: &[&'t str]) -> &'t str {
        let count = u64::try_from(from.len()).unwrap();
        from[usize::try_from(self.random.below(count)).unwrap()]
    }

    fn number(&mut self, depth: u32) -> String {
        if depth == 0 {
            let literal = i64::try_from(self.random.below(19)).unwrap() - 9;
            return if self.random.below(3) == 0 {
                format!("({literal})")
            } else {
                self.pick(&["a", "b", "c"]).to_owned()
            };
        }
        match self.random.below(10) {
            0..=2 => {
                let sign = self.pick(&["+", "-", "*"]);
                format!("({} {sign} {})", self.number(depth - 1), self.number(depth - 1))
            }
            3 => {
                let sign = self.pick(&["/", "%"]);
                format!("({} {sign} NULLIF({}, 0))", self.number(depth - 1), self.number(depth - 1))
            }
            4 => format!("(- {})", self.number(depth - 1)),
            5 => format!("COALESCE({}, {})", self.number(depth - 1), self.number(depth - 1)),
            6 => format!("NULLIF({}, {})", self.number(depth - 1), self.number(depth - 1)),
            7 => {
                let (condition, value, other) = (self.truth(depth - 1), self.number(depth - 1), self.number(depth - 1));
                format!("CASE WHEN {condition} THEN {value} ELSE {other} END")
            }
            8 => format!("CASE {} WHEN 1 THEN {} WHEN 2 THEN 7 END", self.number(depth - 1), self.number(depth - 1)),
            _ => format!("CHAR_LENGTH({})", self.text(depth - 1)),
        }
    }

    fn truth(&mut self, depth: u32) -> String {
        if depth == 0 {
            return self.pick(&["p", "q", "TRUE", "FALSE"]).to_owned();
        }
        let not = self.pick(&["", "NOT "]);
        match self.random.below(11) {
            0 | 1 => {
                let sign = self.pick(&["AND", "OR"]);
                format!("({} {sign} {})", self.truth(depth - 1), self.truth(depth - 1))
            }
            2 => format!("(NOT {})", self.truth(depth - 1)),
            3 => {
                let sign = self.pick(&["=", "<>", "<", "<=", ">", ">="]);
                format!("({} {sign} {})", self.number(depth - 1), self.number(depth - 1))
            }
            4 => {
                let sign = self.pick(&["=", "<>", "<", "<=", ">", ">="]);
                format!("({} {sign} {})", self.text(depth - 1), self.text(depth - 1))
            }
            5 => {
                let test = self.pick(&["TRUE", "FALSE", "UNKNOWN"]);
                format!("({} IS {not}{test})", self.truth(depth - 1))
            }
            6 => format!("({} IS {not}NULL)", self.number(depth - 1)),
            7 => {
                let (value, low, high) = (self.number(depth - 1), self.number(depth - 1), self.number(depth - 1));
                format!("({value} {not}BETWEEN {low} AND {high})")
            }
            8 => format!("({} {not}IN (1, -2, 3, 7))", self.number(depth - 1)),
            9 => format!("({} {not}LIKE 'a%')", self.text(depth - 1)),
            _ => format!("({} IS {not}DISTINCT FROM {})", self.number(depth - 1), self.number(depth - 1)),
        }
    }

    fn text(&mut self, depth: u32) -> String {
        if depth == 0 {
            return self.pick(&["s", "u", "'a'", "'ab'", "''", "'Zz'", "'é'"]).to_owned();
        }
        match self.random.below(6) {
            0 => format!("({} || {})", self.text(depth - 1), self.text(depth - 1)),
            1 => format!("UPPER({})", self.text(depth - 1)),
            2 => format!("LOWER({})", self.text(depth - 1)),
            3 => format!("COALESCE({}, {})", self.text(depth - 1), self.text(depth - 1)),
            4 => {
                let (condition, value, other) = (self.truth(depth - 1), self.text(depth - 1), self.text(depth - 1));
                format!("CASE WHEN {condition} THEN {value} ELSE {other} END")
            }
            _ => format!("SUBSTRING({} FROM 1 FOR 2)", self.text(depth - 1)),
        }
    }

    /// A value in five of six times, else NULL.
    fn maybe<T>(&mut self, value: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (self.random.below(6) > 0).then(|| value(self))
    }

    fn table(&mut self) -> RecordBatch {
        let number = |this: &mut Self| i64::try_from(this.random.below(41)).unwrap() - 20;
        let text = |this: &mut Self| this.pick(&["", "a", "ab", "b", "Zz", "é", "longer than twelve bytes"]).to_owned();
        let numbers =
            |this: &mut Self| -> ArrayRef { Arc::new((0..ROWS).map(|_| this.maybe(number)).collect::<Int64Array>()) };
        let truths = |this: &mut Self| -> ArrayRef {
            Arc::new((0..ROWS).map(|_| this.maybe(|this| this.random.below(2) == 0)).collect::<BooleanArray>())
        };
        let texts = |this: &mut Self| -> ArrayRef {
            Arc::new((0..ROWS).map(|_| this.maybe(text)).collect::<StringViewArray>())
        };
        let columns = [
            ("a", numbers(self)),
            ("b", numbers(self)),
            ("c", numbers(self)),
            ("p", truths(self)),
            ("q", truths(self)),
            ("s", texts(self)),
            ("u", texts(self)),
        ];
        RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true))).unwrap()
    }
}

/// What Weir gives for `query` over `table`.
fn of_weir(query: &str, table: &RecordBatch) -> Vec<ArrayRef> {
    let script = format!(
        "CREATE TABLE t (a BIGINT, b BIGINT, c BIGINT, p BOOLEAN, q BOOLEAN, s STRING, u STRING) WITH ('connector' = 'datagen');\n{query};"
    );
    let none = BTreeMap::new();
    let connectors = [weir_datagen::spec(), weir_print::collect_spec()];
    let environment = Environment {
        connectors: &connectors,
        formats: &[],
        variables: &|_| None,
        defaults: &none,
        overrides: &none,
        parallelism: None,
        job_name: "differential",
        setting_known: &|_| false,
        setting_wrong: &|_, _| None,
        setting_suggestion: &|_| None,
    };
    let program = compile(&script, &environment).map_err(|error| error.render("query", &script)).unwrap();
    let graph = program.steps.iter().find_map(|step| match step {
        Step::Query { graph, .. } => Some(graph),
        _ => None,
    });
    let mut columns: Vec<ArrayRef> = Vec::new();
    for node in &graph.expect("a query is a step").nodes {
        let projection = match &node.operator {
            Operator::Source(source) => {
                let physical = source.columns.iter().filter_map(|column| match column {
                    SourceColumn::Physical(index) => Some(table.column(*index).clone()),
                    SourceColumn::Metadata(..) => None,
                });
                columns = physical.collect();
                &source.projection
            }
            Operator::Calc { condition: None, projection } => projection,
            _ => continue,
        };
        let evaluate = |expr| {
            let evaluator = Evaluator::compile(expr, &CompileContext::new("UTC")).unwrap();
            evaluator.evaluate(&columns, table.num_rows(), 0).unwrap()
        };
        columns = projection.iter().map(evaluate).collect();
    }
    columns
}

/// What DataFusion gives for it.
fn of_datafusion(query: &str, table: &RecordBatch) -> Vec<ArrayRef> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let context = SessionContext::new();
    context.register_batch("t", table.clone()).unwrap();
    let batches = runtime.block_on(async { context.sql(query).await.unwrap().collect().await.unwrap() });
    let schema = batches[0].schema();
    let whole = datafusion::arrow::compute::concat_batches(&schema, &batches).unwrap();
    whole.columns().to_vec()
}

/// The values as texts: the widths of integers and the layouts of texts differ.
fn shown(array: &ArrayRef) -> Vec<String> {
    let array = match array.data_type() {
        DataType::Boolean => array.clone(),
        number if number.is_integer() => cast(array, &DataType::Int64).unwrap(),
        _ => cast(array, &DataType::Utf8).unwrap(),
    };
    (0..array.len())
        .map(|row| if array.is_null(row) { "NULL".to_owned() } else { array_value_to_string(&array, row).unwrap() })
        .collect()
}

fn try_seed(seed: u64) {
    let mut generator = Generator { random: Rng::new(seed) };
    let table = generator.table();
    let mut expressions = Vec::new();
    for index in 0..EXPRESSIONS {
        expressions.push(match index % 3 {
            0 => generator.number(DEPTH),
            1 => generator.truth(DEPTH),
            _ => generator.text(DEPTH),
        });
    }
    let mut query = "SELECT ".to_owned();
    for (index, expression) in expressions.iter().enumerate() {
        let comma = if index == 0 { "" } else { ", " };
        let _ = write!(query, "{comma}{expression} AS e{index}");
    }
    query.push_str(" FROM t");
    let again = format!("again: WEIR_FUZZ_SEED={seed} cargo test -p weir-fuzz expressions");
    let (weir, datafusion) = (of_weir(&query, &table), of_datafusion(&query, &table));
    for ((expression, weir), datafusion) in expressions.iter().zip(&weir).zip(&datafusion) {
        assert_eq!(shown(weir), shown(datafusion), "Weir and DataFusion differ at {expression}; {again}");
    }
}

#[test]
fn expressions_give_what_datafusion_gives() {
    let number = |variable: &str| std::env::var(variable).ok().and_then(|text| text.parse::<u64>().ok());
    if let Some(seed) = number("WEIR_FUZZ_SEED") {
        return try_seed(seed);
    }
    for seed in 0..number("WEIR_FUZZ_INPUTS").unwrap_or(QUERIES) {
        let outcome = std::panic::catch_unwind(|| try_seed(seed));
        assert!(outcome.is_ok(), "again: WEIR_FUZZ_SEED={seed} cargo test -p weir-fuzz expressions");
    }
}
