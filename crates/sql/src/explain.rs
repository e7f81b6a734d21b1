//! A plan as text: operators from the sinks down, exchanges, changelog modes, parallelism, keyed state. Stable: tests and people compare it.

mod expr;
mod over;
mod rank;
mod rex;
mod statement;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use weir_plan::{
    AggregateCall, Exchange, Expr, GroupAggregateSpec, InputEdge, JobGraph, Keep, Node, NodeId, Operator, Order,
    RowWindows, Schema, SinkSpec, SourceSpec, TimeDomain, UnnestSpec, WatermarkSpec, WindowAggregateSpec, WindowKind,
    WindowProperty, WindowRankSpec, WindowSpec,
};

use expr::expression;
pub(crate) use rex::rex;
pub(crate) use statement::statement;

/// The plan of a job as a tree for each sink. An operator that several read is shown once, then by its number.
pub fn explain(graph: &JobGraph) -> String {
    let mut out = format!(
        "== Job ==\nname={}, maximum parallelism={}, time zone={}\n\n== Plan ==\n",
        graph.name, graph.max_parallelism, graph.local_time_zone
    );
    let mut shown = BTreeSet::new();
    for node in graph.nodes.iter().filter(|node| matches!(node.operator, Operator::Sink(_))) {
        show(graph, node.id, 0, &mut shown, &mut out);
    }
    out
}

fn show(graph: &JobGraph, id: NodeId, depth: usize, shown: &mut BTreeSet<NodeId>, out: &mut String) {
    let Some(node) = graph.nodes.get(id.0) else { return };
    let indent = if depth == 0 { String::new() } else { format!("{}+- ", "   ".repeat(depth - 1)) };
    if !shown.insert(id) {
        let _ = writeln!(out, "{indent}[{}] shown above", id.0 + 1);
        return;
    }
    let _ = writeln!(out, "{indent}[{}] {}", id.0 + 1, operator(graph, node));
    let below = if depth == 0 { "   ".to_owned() } else { "   ".repeat(depth + 1) };
    let _ = write!(out, "{below}changelog=[{}], parallelism={}", node.changelog, node.parallelism);
    if let Some(state) = keyed_state(graph, node) {
        let _ = write!(out, ", state={state}");
    }
    out.push('\n');
    for input in &node.inputs {
        let depth = match exchange(graph, input) {
            Some(text) => {
                let _ = writeln!(out, "{}+- Exchange({text})", "   ".repeat(depth));
                depth + 2
            }
            None => depth + 1,
        };
        show(graph, input.from, depth, shown, out);
    }
}

fn exchange(graph: &JobGraph, input: &InputEdge) -> Option<String> {
    match &input.exchange {
        Exchange::Forward => None,
        Exchange::Rebalance => Some("rebalance".to_owned()),
        Exchange::Hash(keys) => Some(format!("hash[{}]", columns(schema_of(graph, input.from), keys))),
    }
}

fn schema_of(graph: &JobGraph, id: NodeId) -> Option<&Schema> {
    graph.nodes.get(id.0).map(|node| &node.schema)
}

fn input_schema<'g>(graph: &'g JobGraph, node: &Node) -> Option<&'g Schema> {
    node.inputs.first().and_then(|input| schema_of(graph, input.from))
}

fn operator(graph: &JobGraph, node: &Node) -> String {
    let input = input_schema(graph, node);
    match &node.operator {
        Operator::Source(source) => source_text(source, &node.schema),
        Operator::Calc { condition, projection } => calc(projection, condition.as_ref(), input, &node.schema),
        Operator::WatermarkAssigner(watermark) => format!("WatermarkAssigner({})", watermark_text(watermark, input)),
        Operator::Deduplicate { keys, order, keep, .. } => {
            let keep = match keep {
                Keep::First => "FirstRow",
                Keep::Last => "LastRow",
            };
            let order = match order {
                Order::RowTime(column) => format!("ROWTIME {}", columns(input, &[*column])),
                Order::ProcTime => "PROCTIME".to_owned(),
            };
            format!("Deduplicate(keep=[{keep}], key=[{}], order=[{order}])", columns(input, keys))
        }
        Operator::Rank(spec) => rank::rank(spec, input),
        Operator::Over(spec) => over::over(spec, input),
        Operator::TemporalSort { rowtime, order } => {
            let keys = rank::order(order, input);
            let more = if keys.is_empty() { String::new() } else { format!(", {keys}") };
            format!("TemporalSort(orderBy=[{} ASC{more}])", columns(input, &[*rowtime]))
        }
        Operator::GroupAggregate(spec) => group_text(spec, input),
        Operator::Expand { projections } => {
            let copies =
                projections.iter().map(|copy| format!("{{{}}}", select_list(copy, input, &node.schema).join(", ")));
            format!("Expand(projects=[{}])", copies.collect::<Vec<_>>().join(", "))
        }
        Operator::Correlate(unnest) => unnest_text(unnest, input, &node.schema),
        Operator::WindowAggregate(spec) => window_aggregate(spec, input),
        Operator::WindowAssign { window, time, keys } => {
            let partition = match keys.as_slice() {
                [] => String::new(),
                keys => format!(", partition keys=[{}]", columns(input, keys)),
            };
            format!("WindowTableFunction(window=[{}{partition})])", window_text(window, &time_text(*time, input)))
        }
        Operator::WindowRank(spec) => window_rank(spec, input),
        Operator::Union => format!("Union(all=[true], inputs={})", node.inputs.len()),
        Operator::Sink(sink) => sink_text(sink),
    }
}

fn source_text(source: &SourceSpec, schema: &Schema) -> String {
    let read = source.columns.iter().map(|column| match column {
        weir_plan::SourceColumn::Physical(index) => columns(Some(&source.physical), &[*index]),
        weir_plan::SourceColumn::Metadata(key, _) => format!("METADATA '{key}'"),
    });
    let read: Vec<String> = read.collect();
    let names = Schema::new(
        read.iter()
            .zip(&source.columns)
            .map(|(name, column)| weir_plan::Field::new(name.clone(), read_type(source, column)))
            .collect(),
    );
    let select = select_list(&source.projection, Some(&names), schema);
    let mut text =
        format!("Source(table=[{}], connector=[{}], read=[{}]", source.table, source.connector, read.join(", "));
    if select != read {
        let _ = write!(text, ", select=[{}]", select.join(", "));
    }
    if let Some(condition) = &source.condition {
        let _ = write!(text, ", where=[{}]", expression(condition, Some(schema)));
    }
    if let Some(watermark) = &source.watermark {
        let _ = write!(text, ", watermark=[{}]", watermark_text(watermark, Some(schema)));
    }
    text + ")"
}

fn read_type(source: &SourceSpec, column: &weir_plan::SourceColumn) -> weir_plan::DataType {
    match column {
        weir_plan::SourceColumn::Physical(index) => {
            source.physical.fields.get(*index).map_or_else(weir_plan::DataType::string, |field| field.data_type.clone())
        }
        weir_plan::SourceColumn::Metadata(_, data_type) => data_type.clone(),
    }
}

/// Expressions with the names of their columns where these differ.
fn select_list(projection: &[Expr], input: Option<&Schema>, output: &Schema) -> Vec<String> {
    let named = projection.iter().enumerate().map(|(index, expr)| {
        let text = expression(expr, input);
        match output.fields.get(index) {
            Some(field) if field.name != text => format!("{text} AS {}", field.name),
            _ => text,
        }
    });
    named.collect()
}

fn calc(projection: &[Expr], condition: Option<&Expr>, input: Option<&Schema>, output: &Schema) -> String {
    let mut text = format!("Calc(select=[{}]", select_list(projection, input, output).join(", "));
    if let Some(condition) = condition {
        let _ = write!(text, ", where=[{}]", expression(condition, input));
    }
    text + ")"
}

fn watermark_text(watermark: &WatermarkSpec, schema: Option<&Schema>) -> String {
    let mut text = format!("{} AS {}", columns(schema, &[watermark.column]), expression(&watermark.expression, schema));
    if !watermark.idle_timeout.is_zero() {
        let _ = write!(text, ", idle after {}", duration(watermark.idle_timeout));
    }
    text
}

fn window_aggregate(spec: &WindowAggregateSpec, input: Option<&Schema>) -> String {
    let aggregates = spec.aggregates.iter().map(|call| aggregate(call, input));
    let properties = spec.properties.iter().map(|property| match property {
        WindowProperty::Start => "window_start".to_owned(),
        WindowProperty::End => "window_end".to_owned(),
        WindowProperty::Time => "window_time".to_owned(),
    });
    let rows = match spec.rows {
        RowWindows::Time(time) => time_text(time, input),
        RowWindows::End(column) => format!("win_end=[{}]", columns(input, &[column])),
    };
    format!(
        "WindowAggregate(groupBy=[{}], window=[{})], select=[{}])",
        columns(input, &spec.keys),
        window_text(&spec.window, &rows),
        aggregates.chain(properties).collect::<Vec<_>>().join(", ")
    )
}

fn group_text(spec: &GroupAggregateSpec, input: Option<&Schema>) -> String {
    let keys = columns(input, &spec.keys);
    let aggregates = spec.aggregates.iter().map(|call| aggregate(call, input));
    let select: Vec<String> =
        Some(keys.clone()).filter(|keys| !keys.is_empty()).into_iter().chain(aggregates).collect();
    let group_by = if keys.is_empty() { String::new() } else { format!("groupBy=[{keys}], ") };
    format!("GroupAggregate({group_by}select=[{}])", select.join(", "))
}

fn unnest_text(unnest: &UnnestSpec, input: Option<&Schema>, output: &Schema) -> String {
    let ordinality = if unnest.ordinality { ", ordinality" } else { "" };
    let join = if unnest.outer { "LEFT" } else { "INNER" };
    let select: Vec<&str> = output.fields.iter().map(|field| field.name.as_str()).collect();
    format!(
        "Correlate(unnest=[{}{ordinality}], select=[{}], joinType=[{join}])",
        expression(&unnest.collection, input),
        select.join(", ")
    )
}

fn window_rank(spec: &WindowRankSpec, input: Option<&Schema>) -> String {
    let order = spec.order.iter().map(|key| {
        let direction = if key.descending { "DESC" } else { "ASC" };
        format!("{} {direction}", columns(input, &[key.column]))
    });
    format!(
        "WindowRank(window=[{})], rankRange=[rankStart={}, rankEnd={}], partitionBy=[{}], orderBy=[{}])",
        window_text(&spec.window, &format!("win_end=[{}]", columns(input, &[spec.end]))),
        spec.first,
        spec.last,
        columns(input, &spec.keys),
        order.collect::<Vec<_>>().join(", ")
    )
}

fn aggregate(call: &AggregateCall, input: Option<&Schema>) -> String {
    let distinct = if call.distinct { "DISTINCT " } else { "" };
    let arguments = if call.arguments.is_empty() { "*".to_owned() } else { columns(input, &call.arguments) };
    let filter = call.filter.map(|column| format!(" FILTER {}", columns(input, &[column]))).unwrap_or_default();
    format!("{}({distinct}{arguments}){filter}", call.function.name())
}

fn time_text(time: TimeDomain, input: Option<&Schema>) -> String {
    match time {
        TimeDomain::Event(column) => format!("time_col=[{}]", columns(input, &[column])),
        TimeDomain::Processing => "time_col=[PROCTIME]".to_owned(),
    }
}

/// A window without its closing parenthesis; `rows` says how rows come into it.
fn window_text(window: &WindowSpec, rows: &str) -> String {
    let length = |ms: i64| duration(Duration::from_millis(ms.unsigned_abs()));
    let sizes = match window.kind {
        WindowKind::Tumble { size_ms } => format!("size=[{}]", length(size_ms)),
        WindowKind::Hop { slide_ms, size_ms } => format!("size=[{}], slide=[{}]", length(size_ms), length(slide_ms)),
        WindowKind::Cumulate { step_ms, size_ms } => {
            format!("max_size=[{}], step=[{}]", length(size_ms), length(step_ms))
        }
        WindowKind::Session { gap_ms } => format!("gap=[{}]", length(gap_ms)),
    };
    let offset = if window.offset_ms == 0 { String::new() } else { format!(", offset=[{} ms]", window.offset_ms) };
    format!("{}({rows}, {sizes}{offset}", window.kind.name())
}

fn sink_text(sink: &SinkSpec) -> String {
    let fields = sink.physical.fields.iter().map(|field| field.name.clone());
    let metadata = sink.metadata.iter().map(|(key, _)| format!("METADATA '{key}'"));
    let mut text = format!(
        "Sink(table=[{}], connector=[{}], fields=[{}]",
        sink.table,
        sink.connector,
        fields.chain(metadata).collect::<Vec<_>>().join(", ")
    );
    if !sink.primary_key.is_empty() {
        let _ = write!(text, ", primary key=[{}]", columns(Some(&sink.physical), &sink.primary_key));
    }
    text + ")"
}

/// What an operator remembers between records.
fn keyed_state(graph: &JobGraph, node: &Node) -> Option<String> {
    let input = input_schema(graph, node);
    match &node.operator {
        Operator::Deduplicate { keys, order, keep, state_ttl } => {
            let ttl = time_to_live(*state_ttl);
            let holds = match (order, keep) {
                (Order::ProcTime, Keep::First) => "a mark",
                (Order::RowTime(_), Keep::First) => "the first row until the watermark passes it, then a mark,",
                (_, Keep::Last) => "the last row",
            };
            Some(format!("[{holds} for each ({}), {ttl}]", columns(input, keys)))
        }
        Operator::Rank(spec) => Some(rank::rank_state(spec, input)),
        Operator::Over(spec) => Some(over::over_state(spec, input)),
        Operator::TemporalSort { .. } => Some("[the rows until the watermark passes them]".to_owned()),
        Operator::WindowAggregate(spec) => {
            let keys = if spec.keys.is_empty() { String::new() } else { format!("{}, ", columns(input, &spec.keys)) };
            let per = match spec.window.kind {
                WindowKind::Hop { .. } | WindowKind::Cumulate { .. } if matches!(spec.rows, RowWindows::Time(_)) => {
                    ("slice", "the last window that has it ends")
                }
                _ => ("window", "the window ends"),
            };
            Some(format!("[{} aggregates for each ({keys}{}), until {}]", spec.aggregates.len(), per.0, per.1))
        }
        Operator::WindowRank(spec) => {
            let keys = if spec.keys.is_empty() { String::new() } else { format!("{}, ", columns(input, &spec.keys)) };
            Some(format!("[the first {} rows for each ({keys}window), until the window ends]", spec.last))
        }
        Operator::WindowAssign { window: WindowSpec { kind: WindowKind::Session { .. }, .. }, .. } => {
            Some("[each row, until its session ends]".to_owned())
        }
        Operator::GroupAggregate(spec) => {
            let aggregates = spec.aggregates.len();
            Some(format!(
                "[{aggregates} aggregates for each ({}), {}]",
                columns(input, &spec.keys),
                time_to_live(spec.state_ttl)
            ))
        }
        _ => None,
    }
}

fn time_to_live(state_ttl: Duration) -> String {
    if state_ttl.is_zero() { "no time to live".to_owned() } else { format!("time to live {}", duration(state_ttl)) }
}

/// Names of columns, their numbers where there is no schema.
fn columns(schema: Option<&Schema>, indices: &[usize]) -> String {
    let name = |index: &usize| {
        schema
            .and_then(|schema| schema.fields.get(*index))
            .map_or_else(|| format!("${index}"), |field| field.name.clone())
    };
    indices.iter().map(name).collect::<Vec<_>>().join(", ")
}

/// A duration in the largest unit that it is a whole number of.
fn duration(duration: Duration) -> String {
    let ms = duration.as_millis();
    let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s")];
    match units.iter().find(|(size, _)| ms > 0 && ms.is_multiple_of(*size)) {
        Some((size, unit)) => format!("{} {unit}", ms / size),
        None => format!("{ms} ms"),
    }
}
