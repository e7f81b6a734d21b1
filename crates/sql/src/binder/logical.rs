//! The relations of a statement as bound, before anything is optimized, as text: EXPLAIN's syntax tree.

use std::fmt::Write as _;

use weir_plan::{ExprKind, Schema, SourceColumn};

use super::rel::{Dag, Rel, RelId, RelOp, Scan};
use crate::explain::rex;

/// A tree for each of `roots`.
pub(super) fn print(dag: &Dag, roots: &[RelId]) -> String {
    let mut out = String::new();
    for (index, root) in roots.iter().enumerate() {
        if index > 0 {
            out.push('\n');
        }
        let rel = dag.get(*root);
        match (&rel.op, rel.inputs.first()) {
            (RelOp::Sink(sink), Some(input)) if sink.connector == "collect" => node(dag, *input, "", "", &mut out),
            _ => node(dag, *root, "", "", &mut out),
        }
    }
    out
}

fn node(dag: &Dag, id: RelId, lead: &str, below: &str, out: &mut String) {
    let rel = dag.get(id);
    if let Some(input) = passed_on(dag, rel) {
        return node(dag, input, lead, below, out);
    }
    let mut lines = describe(rel);
    let mut below = below.to_owned();
    let first = lines.remove(0);
    let _ = writeln!(out, "{lead}{first}");
    for line in lines {
        let _ = writeln!(out, "{below}+- {line}");
        below.push_str("   ");
    }
    let last = rel.inputs.len().saturating_sub(1);
    for (index, input) in rel.inputs.iter().enumerate() {
        let (sign, rest) = if index == last { ("+- ", "   ") } else { (":- ", ":  ") };
        node(dag, *input, &format!("{below}{sign}"), &format!("{below}{rest}"), out);
    }
}

/// The input of a projection that gives just what another one below it does: it only fits a query to its sink.
fn passed_on(dag: &Dag, rel: &Rel) -> Option<RelId> {
    let RelOp::Calc { condition: None, projection } = &rel.op else { return None };
    let input = *rel.inputs.first()?;
    let below = dag.get(input);
    let is_same = matches!(below.op, RelOp::Calc { .. })
        && below.columns.len() == projection.len()
        && projection.iter().enumerate().all(|(index, expr)| matches!(expr.kind, ExprKind::Column(at) if at == index));
    is_same.then_some(input)
}

/// The lines of one relation, outermost first: what is one here may be several nodes in Flink.
fn describe(rel: &Rel) -> Vec<String> {
    let names = |schema: &Schema| schema.fields.iter().map(|field| field.name.clone()).collect::<Vec<_>>().join(", ");
    match &rel.op {
        RelOp::Scan(scan) => scan_lines(rel, scan),
        RelOp::Calc { condition, projection } => {
            let mut lines = Vec::new();
            let is_all = projection
                .iter()
                .enumerate()
                .all(|(index, expr)| matches!(expr.kind, ExprKind::Column(at) if at == index));
            if !is_all || condition.is_none() {
                let fields = projection.iter().zip(&rel.columns);
                let fields = fields.map(|(expr, column)| format!("{}=[{}]", column.name, rex(expr, None)));
                lines.push(format!("LogicalProject({})", fields.collect::<Vec<_>>().join(", ")));
            }
            lines.extend(
                condition.iter().map(|condition| format!("LogicalFilter(condition=[{}])", rex(condition, None))),
            );
            lines
        }
        RelOp::Union => vec!["LogicalUnion(all=[true])".to_owned()],
        RelOp::Sink(sink) => vec![format!("LogicalSink(table=[{}], fields=[{}])", sink.table, names(&rel.schema()))],
        other => {
            let debug = format!("{other:?}");
            let name: String = debug.chars().take_while(char::is_ascii_alphanumeric).collect();
            vec![format!("Logical{name}(fields=[{}])", names(&rel.schema()))]
        }
    }
}

fn scan_lines(rel: &Rel, scan: &Scan) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(watermark) = &scan.spec.watermark {
        let rowtime = rel.columns.get(watermark.column).map_or("", |column| column.name.as_str());
        let expression = rex(&watermark.expression, None);
        lines.push(format!("LogicalWatermarkAssigner(rowtime=[{rowtime}], watermark=[{expression}])"));
    }
    let read = scan.spec.columns.iter().map(|column| match column {
        SourceColumn::Physical(index) => {
            scan.spec.physical.fields.get(*index).map(|field| field.name.clone()).unwrap_or_default()
        }
        SourceColumn::Metadata(key, _) => key.clone(),
    });
    let read: Vec<String> = read.collect();
    let is_plain = scan.spec.projection.len() == read.len()
        && scan.spec.projection.iter().enumerate().all(|(index, expr)| {
            matches!(expr.kind, ExprKind::Column(at) if at == index)
                && rel.columns.get(index).is_some_and(|column| column.name == read[index])
        });
    if !is_plain {
        let fields = scan.spec.projection.iter().zip(&rel.columns);
        let fields = fields.map(|(expr, column)| format!("{}=[{}]", column.name, rex(expr, None)));
        lines.push(format!("LogicalProject({})", fields.collect::<Vec<_>>().join(", ")));
    }
    if !scan.spec.table.contains('.') {
        return vec![format!("LogicalValues(rows=[{}])", scan.spec.options.get("number-of-rows").unwrap_or_default())];
    }
    let table = scan.spec.table.replace('.', ", ");
    lines.push(format!("LogicalTableScan(table=[[{table}]])"));
    lines
}
