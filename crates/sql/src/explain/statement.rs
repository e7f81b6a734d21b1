//! What EXPLAIN shows: a plan in Flink's sections, with Flink's node names where the nodes are the same.
//!
//! Sources filter, project and make watermarks by themselves: that stands in their line. What an operator keeps, and how rows are hashed to subtasks,
//! `weir explain` shows.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use weir_plan::{Exchange, InputEdge, JobGraph, Node, NodeId, Operator, Schema};

use super::rex::rex;
use super::{columns, expression, input_schema, operator, schema_of};
use crate::statement::ExplainDetails;

/// How expressions are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    /// `>(id, 1)`, as the optimizer writes them.
    Prefix,
    /// `(id > 1)`, as the operators do.
    Infix,
}

/// The sections of `graph`, whose syntax tree is `tree`, with what `details` asks for.
pub(crate) fn statement(graph: &JobGraph, tree: &str, details: ExplainDetails) -> String {
    let physical = Printer { graph, style: Style::Prefix, changelog_mode: details.changelog_mode }.print();
    let execution = Printer { graph, style: Style::Infix, changelog_mode: false }.print();
    let mut text = format!(
        "== Abstract Syntax Tree ==\n{tree}\n== Optimized Physical Plan ==\n{physical}\n== Optimized Execution Plan ==\n{execution}"
    );
    if details.json {
        let _ = write!(text, "\n== Physical Execution Plan ==\n{}", json(graph));
    }
    text
}

struct Printer<'g> {
    graph: &'g JobGraph,
    style: Style,
    changelog_mode: bool,
}

impl Printer<'_> {
    /// A tree for each sink; what a bare query is shown with is no part of its plan.
    fn print(&self) -> String {
        let mut out = String::new();
        let mut reused = self.reused();
        let mut is_first = true;
        for node in self.graph.nodes.iter().filter(|node| matches!(node.operator, Operator::Sink(_))) {
            if !std::mem::take(&mut is_first) {
                out.push('\n');
            }
            match (&node.operator, node.inputs.first()) {
                (Operator::Sink(sink), Some(input)) if sink.connector == "collect" => {
                    self.edge(input, "", "", &mut reused, &mut out);
                }
                _ => self.node(node.id, "", "", &mut reused, &mut out),
            }
        }
        out
    }

    /// The nodes that several read, each with its number; it is zero once the node is shown.
    fn reused(&self) -> BTreeMap<NodeId, (usize, bool)> {
        let mut readers: BTreeMap<NodeId, usize> = BTreeMap::new();
        for input in self.graph.nodes.iter().flat_map(|node| &node.inputs) {
            *readers.entry(input.from).or_default() += 1;
        }
        let several = readers.into_iter().filter(|(_, count)| *count > 1 && self.style == Style::Infix);
        several.enumerate().map(|(index, (id, _))| (id, (index + 1, false))).collect()
    }

    fn node(
        &self,
        id: NodeId,
        lead: &str,
        below: &str,
        reused: &mut BTreeMap<NodeId, (usize, bool)>,
        out: &mut String,
    ) {
        let Some(node) = self.graph.nodes.get(id.0) else { return };
        let mut text = self.text(node);
        if let Some((number, shown)) = reused.get_mut(&id) {
            if std::mem::replace(shown, true) {
                let _ = writeln!(out, "{lead}Reused(reference_id=[{number}])");
                return;
            }
            let _ = write!(text, "(reuse_id=[{number}])");
        }
        let _ = writeln!(out, "{lead}{text}");
        let last = node.inputs.len().saturating_sub(1);
        for (index, input) in node.inputs.iter().enumerate() {
            let (sign, rest) = if index == last { ("+- ", "   ") } else { (":- ", ":  ") };
            self.edge(input, &format!("{below}{sign}"), &format!("{below}{rest}"), reused, out);
        }
    }

    fn edge(
        &self,
        input: &InputEdge,
        lead: &str,
        below: &str,
        reused: &mut BTreeMap<NodeId, (usize, bool)>,
        out: &mut String,
    ) {
        let Some(distribution) = distribution(self.graph, input) else {
            return self.node(input.from, lead, below, reused, out);
        };
        let mode = self.graph.nodes.get(input.from.0).filter(|_| self.changelog_mode);
        let mode = mode.map(|node| format!(", changelogMode=[{}]", node.changelog)).unwrap_or_default();
        let _ = writeln!(out, "{lead}Exchange(distribution=[{distribution}]{mode})");
        self.node(input.from, &format!("{below}+- "), &format!("{below}   "), reused, out);
    }

    fn text(&self, node: &Node) -> String {
        let text = describe(self.graph, node, self.style);
        if !self.changelog_mode {
            return text;
        }
        let mode =
            if matches!(node.operator, Operator::Sink(_)) { "NONE".to_owned() } else { node.changelog.to_string() };
        format!("{}, changelogMode=[{mode}])", text.strip_suffix(')').unwrap_or(&text))
    }
}

/// How rows are told apart on their way; None where they stay in their subtask.
fn distribution(graph: &JobGraph, input: &InputEdge) -> Option<String> {
    match &input.exchange {
        Exchange::Forward => None,
        Exchange::Rebalance => Some("rebalance".to_owned()),
        Exchange::Hash(keys) if keys.is_empty() => Some("single".to_owned()),
        Exchange::Hash(keys) => Some(format!("hash[{}]", columns(schema_of(graph, input.from), keys))),
    }
}

/// A node as Flink writes it; one that Flink does not have as `weir explain` does.
fn describe(graph: &JobGraph, node: &Node, style: Style) -> String {
    let text = |expr: &weir_plan::Expr, schema: Option<&Schema>| match style {
        Style::Prefix => rex(expr, schema),
        Style::Infix => expression(expr, schema),
    };
    let input = input_schema(graph, node);
    let fields = |schema: &Schema| schema.fields.iter().map(|field| field.name.as_str()).collect::<Vec<_>>().join(", ");
    match &node.operator {
        Operator::Source(source) if !source.table.contains('.') => {
            format!("Values(rows=[{}])", source.options.get("number-of-rows").unwrap_or_default())
        }
        Operator::Source(source) => {
            let mut table = source.table.replace('.', ", ");
            if let Some(condition) = &source.condition {
                let _ = write!(table, ", filter=[{}]", text(condition, Some(&node.schema)));
            }
            if let Some(watermark) = &source.watermark {
                let _ = write!(table, ", watermark=[{}]", text(&watermark.expression, Some(&node.schema)));
            }
            format!("TableSourceScan(table=[[{table}]], fields=[{}])", fields(&node.schema))
        }
        Operator::Calc { condition, projection } => {
            let select = projection.iter().zip(&node.schema.fields).map(|(expr, field)| {
                let text = text(expr, input);
                if text == field.name { text } else { format!("{text} AS {}", field.name) }
            });
            let mut calc = format!("Calc(select=[{}]", select.collect::<Vec<_>>().join(", "));
            if let Some(condition) = condition {
                let _ = write!(calc, ", where=[{}]", text(condition, input));
            }
            calc + ")"
        }
        Operator::WatermarkAssigner(watermark) => format!(
            "WatermarkAssigner(rowtime=[{}], watermark=[{}])",
            columns(input, &[watermark.column]),
            text(&watermark.expression, input)
        ),
        Operator::Union => format!("Union(all=[true], union=[{}])", fields(&node.schema)),
        Operator::Sink(sink) => format!("Sink(table=[{}], fields=[{}])", sink.table, fields(&node.schema)),
        _ => operator(graph, node),
    }
}

/// The nodes as Flink's JSON has them.
fn json(graph: &JobGraph) -> String {
    let nodes = graph.nodes.iter().map(|node| json_node(graph, node)).collect::<Vec<_>>();
    format!("{{\n  \"nodes\" : [ {} ]\n}}\n", nodes.join(", "))
}

fn json_node(graph: &JobGraph, node: &Node) -> String {
    let number = node.id.0 + 1;
    let pact = match &node.operator {
        Operator::Source(_) => "Data Source",
        Operator::Sink(_) => "Data Sink",
        _ => "Operator",
    };
    let mut text = format!(
        "{{\n    \"id\" : {number},\n    \"type\" : {},\n    \"pact\" : \"{pact}\",\n    \"contents\" : {},\n    \"parallelism\" : {}",
        json_text(&node.name),
        json_text(&format!("[{number}]:{}", describe(graph, node, Style::Infix))),
        node.parallelism
    );
    if !node.inputs.is_empty() {
        let inputs = node.inputs.iter().map(|input| {
            let strategy = match &input.exchange {
                Exchange::Forward => "FORWARD",
                Exchange::Rebalance => "REBALANCE",
                Exchange::Hash(keys) if keys.is_empty() => "GLOBAL",
                Exchange::Hash(_) => "HASH",
            };
            format!(
                "{{\n      \"id\" : {},\n      \"ship_strategy\" : \"{strategy}\",\n      \"side\" : \"second\"\n    }}",
                input.from.0 + 1
            )
        });
        let _ = write!(text, ",\n    \"predecessors\" : [ {} ]", inputs.collect::<Vec<_>>().join(", "));
    }
    text + "\n  }"
}

/// A text in JSON's quotes.
fn json_text(text: &str) -> String {
    let mut quoted = "\"".to_owned();
    for ch in text.chars() {
        match ch {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            ch if u32::from(ch) < 0x20 => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(ch));
            }
            ch => quoted.push(ch),
        }
    }
    quoted.push('"');
    quoted
}
