//! Cases as text: scripts with the plan, the types or the error that they give.
//!
//! A file of cases holds blocks `### name`, the input, `---`, what comes out. `UPDATE=1` writes what comes out now into the file, for
//! `git diff` to show. Positions count from the first line of the input as line 2: line 1 declares the tables.

mod fixture;

use std::fmt::Write as _;
use std::path::Path;

use weir_plan::{JobGraph, Operator};

use crate::{Program, SqlError, Step, explain};

#[test]
fn plans() {
    check("plans.txt", planned);
}

#[test]
fn unnest() {
    check("unnest.txt", planned);
}

fn planned(input: &str) -> String {
    match fixture::plan(input) {
        Ok(program) => graphs(&program).into_iter().map(explained).collect::<Vec<_>>().join("\n"),
        Err(error) => format!("ERROR {error}"),
    }
}

/// The kinds of row as Flink's `EXPLAIN CHANGELOG_MODE` shows them for the same queries.
#[test]
fn changelogs() {
    check("changelogs.txt", |input| match fixture::plan(input) {
        Ok(program) => graphs(&program).into_iter().map(modes).collect::<Vec<_>>().join("\n"),
        Err(error) => format!("ERROR {error}"),
    });
}

#[test]
fn errors() {
    check("errors.txt", |input| match fixture::plan(input) {
        Ok(_) => "no error".to_owned(),
        Err(error) => error.to_string(),
    });
}

/// One expression a line.
#[test]
fn expressions() {
    check("expressions.txt", lines);
}

#[test]
fn collections_and_json() {
    check("collections_and_json.txt", lines);
}

fn lines(input: &str) -> String {
    let mut out = String::new();
    for line in input.lines() {
        let _ = writeln!(out, "{line}\n    {}", typed(line).unwrap_or_else(|error| refused(&error)));
    }
    out
}

#[test]
fn copies_do_not_multiply_without_bound() {
    let nested = |open: &str, close: &str| format!("{}b{}", open.repeat(40), close.repeat(40));
    for expression in [
        nested("(", " BETWEEN b AND b)"),
        nested("CASE ", " WHEN b THEN b WHEN NOT b THEN b ELSE b END"),
        nested("NULLIF(", ", b)"),
    ] {
        let outcome = typed(&expression).unwrap_or_else(|error| error.message);
        let bounded = outcome.contains("more than 100000 parts") || outcome.len() < 10_000;
        assert!(bounded, "{} bytes of plan from {expression}", outcome.len());
    }
}

/// The type of `expression` and how it is bound.
fn typed(expression: &str) -> Result<String, SqlError> {
    let program = fixture::plan(&format!("SELECT {expression} AS x FROM t;"))?;
    let graph = graphs(&program)[0];
    let sink = graph.nodes.last().expect("a plan has a sink");
    let Operator::Sink(sink) = &sink.operator else { return Ok("no sink".to_owned()) };
    let text = explain(graph);
    let bound = text.lines().find_map(|line| line.split_once("Calc(select=[")).map_or("column", |(_, rest)| rest);
    let bound = bound.strip_suffix("])").unwrap_or(bound);
    let bound = bound.strip_suffix(" AS x").unwrap_or(bound);
    Ok(format!("{} | {bound}", sink.physical.fields[0].data_type))
}

/// The message and the hint.
fn refused(error: &SqlError) -> String {
    let hint = error.hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
    format!("{}{hint}", error.message)
}

fn graphs(program: &Program) -> Vec<&JobGraph> {
    let graphs = program.steps.iter().filter_map(|step| match step {
        Step::Job { graph, .. } | Step::Query { graph, .. } => Some(graph),
        Step::Text(_) => None,
    });
    graphs.collect()
}

fn explained(graph: &JobGraph) -> String {
    let text = explain(graph);
    let plan = text.split_once("== Plan ==\n").map_or(text.as_str(), |(_, plan)| plan);
    let nodes: Vec<_> = graph.nodes.iter().map(|node| format!("{} ({})", node.name, node.uid)).collect();
    format!("{plan}nodes: {}\n", nodes.join(", "))
}

/// Each operator with the kinds of row that it gives, a sink with what it is given.
fn modes(graph: &JobGraph) -> String {
    let nodes = graph.nodes.iter().map(|node| {
        let inputs: Vec<String> = node.inputs.iter().map(|input| (input.from.0 + 1).to_string()).collect();
        let kind = node.uid.split("-default").next().unwrap_or_default();
        format!("{} {kind}({}) [{}]\n", node.id.0 + 1, inputs.join(", "), node.changelog)
    });
    nodes.collect()
}

/// Runs the cases of a file.
fn check(file: &str, run: impl Fn(&str) -> String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/binder/tests").join(file);
    let text = std::fs::read_to_string(&path).expect("the file of cases can be read");
    let mut now = String::new();
    let mut wrong = Vec::new();
    let mut blocks = text.split("### ");
    now.push_str(blocks.next().expect("a split has a first part"));
    let mut cases = 0;
    for block in blocks {
        let (name, rest) = block.split_once('\n').expect("a case has a name and an input");
        let (input, expected) = rest.split_once("---\n").unwrap_or((rest, ""));
        let got = run(input.trim_end());
        cases += 1;
        if got.trim_end() != expected.trim_end() {
            wrong.push(format!("### {name}\nexpected:\n{}\ngot:\n{}\n", expected.trim_end(), got.trim_end()));
        }
        let _ = write!(now, "### {name}\n{}\n---\n{}\n\n", input.trim_end(), got.trim_end());
    }
    assert!(cases > 0, "{file} holds no case");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, now.trim_end().to_owned() + "\n").expect("the file of cases can be written");
        return;
    }
    assert!(
        wrong.is_empty(),
        "{} of {cases} cases of {file} differ (UPDATE=1 rewrites them):\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
