//! Aggregation in windows: those of a window function below, those that rows bring along from further down, and group windows.
//!
//! Where nothing between the window function and the aggregation reads the window's columns, the two become one operator, which takes each
//! row once; else the window function gives each row once for each of its windows, and the aggregation goes by the window's end in the row.

use weir_base::Span;
use weir_plan::{
    DataType, Expr, ExprKind, Function, LogicalType, RowWindows, TimeDomain, WindowAggregateSpec, WindowKind,
    WindowProperty, WindowSpec,
};

use super::Aggregated;
use super::grouping::Grouping;
use super::input::{Base, substituted};
use super::legacy::LegacyWindow;
use crate::binder::aggregates::Aggregate;
use crate::binder::expr::all_of;
use crate::binder::query::QueryBinder;
use crate::binder::refusal::refuse;
use crate::binder::rel::{Rel, RelColumn, RelId, RelOp, Window};
use crate::binder::scope::{Attribute, Scope};
use crate::binder::windows_of::WindowsOf;
use crate::error::SqlError;

/// A window function with what lies between it and the SELECT folded.
struct Folded {
    window: Window,
    base: Base,
}

/// What the windows of an aggregation are.
struct Windowing {
    spec: WindowSpec,
    rows: RowWindows,
    base: Base,
    /// Whether `window_start` and `window_end` are columns by which Flink knows the windows further up.
    attached: bool,
}

impl QueryBinder<'_> {
    /// The aggregation in windows; `None` where GROUP BY names no window.
    pub(super) fn windowed(
        &mut self,
        rel: RelId,
        grouping: &Grouping,
        calls: &[Aggregate],
        scope: &Scope,
        span: Span,
    ) -> Result<Option<Aggregated>, SqlError> {
        if let Some(window) = &grouping.window {
            return self.group_window(rel, window, grouping, calls, scope, span).map(Some);
        }
        let Some(windows) = self.dag.windows_of(rel) else { return Ok(None) };
        let mut properties: Vec<Option<WindowProperty>> = grouping
            .exprs
            .iter()
            .map(|expr| match expr.kind {
                ExprKind::Column(index) => windows.property(index),
                _ => None,
            })
            .collect();
        let has = |wanted: WindowProperty| {
            properties.iter().enumerate().any(|(at, property)| *property == Some(wanted) && grouping.always(at))
        };
        if !has(WindowProperty::Start) || !has(WindowProperty::End) || !sessions_fit(&windows, grouping, &properties) {
            return Ok(None);
        }
        // A window's column that some sets lack is a key like others.
        for (at, property) in properties.iter_mut().enumerate() {
            if !grouping.always(at) {
                *property = None;
            }
        }
        let Some(windowing) = self.windowing(rel, &windows, grouping, calls, &properties) else { return Ok(None) };
        if let WindowKind::Hop { slide_ms, size_ms } = windowing.spec.kind
            && size_ms % slide_ms != 0
        {
            return Err(refuse(
                span,
                format!(
                    "HOP table function based aggregate requires size must be an integral multiple of slide, but got size {size_ms} ms and slide {slide_ms} ms"
                ),
            ));
        }
        if matches!(windowing.spec.kind, WindowKind::Session { .. }) && matches!(windowing.rows, RowWindows::End(_)) {
            // Sessions of one end have different starts: the start is part of the key.
            for property in &mut properties {
                if *property == Some(WindowProperty::Start) {
                    *property = None;
                }
            }
        }
        self.window_aggregate(windowing, grouping, &properties, calls, scope, span).map(Some)
    }

    /// How rows come into the windows, or that Flink has no such aggregation and groups by the columns as values.
    fn windowing(
        &self,
        rel: RelId,
        windows: &WindowsOf,
        grouping: &Grouping,
        calls: &[Aggregate],
        properties: &[Option<WindowProperty>],
    ) -> Option<Windowing> {
        if let Some(Folded { window, base }) = self.folded(rel) {
            let width = self.dag.get(base.input).columns.len();
            let keys = grouping.exprs.iter().zip(properties).filter(|(_, property)| property.is_none());
            let over = keys
                .map(|(expr, _)| expr)
                .chain(calls.iter().flat_map(|call| call.arguments.iter().chain(&call.filter)))
                .map(|expr| substituted(expr, &base.columns));
            if !over.chain(base.condition.clone()).any(|expr| reads_from(&expr, width)) {
                let Window { spec, time, .. } = window;
                return Some(Windowing { spec, rows: RowWindows::Time(time), base, attached: true });
            }
        }
        if !windows.event {
            return None;
        }
        let end = *windows.ends.first()?;
        let columns = self.dag.pass(rel).into_iter().map(|(_, expr)| expr).collect();
        let base = Base { input: rel, condition: None, columns };
        Some(Windowing { spec: windows.spec, rows: RowWindows::End(end), base, attached: true })
    }

    /// Folds the Calcs down to the window function.
    fn folded(&self, id: RelId) -> Option<Folded> {
        let rel = self.dag.get(id);
        match &rel.op {
            RelOp::Window(window) => {
                let columns = rel.columns.iter().enumerate();
                let columns = columns.map(|(index, column)| Expr::column(index, column.data_type.clone())).collect();
                let base = Base { input: rel.inputs[0], condition: None, columns };
                Some(Folded { window: window.clone(), base })
            }
            RelOp::Calc { condition, projection } => {
                let Folded { window, base } = self.folded(rel.inputs[0])?;
                let over = |expr: &Expr| substituted(expr, &base.columns);
                let conditions: Vec<Expr> =
                    base.condition.iter().cloned().chain(condition.as_ref().map(over)).collect();
                let condition = match conditions.len() {
                    0 | 1 => conditions.into_iter().next(),
                    _ => Some(all_of(Function::And, conditions, rel.span)),
                };
                let columns = projection.iter().map(over).collect();
                Some(Folded { window, base: Base { input: base.input, condition, columns } })
            }
            _ => None,
        }
    }

    /// Aggregation in a group window.
    fn group_window(
        &mut self,
        rel: RelId,
        window: &LegacyWindow,
        grouping: &Grouping,
        calls: &[Aggregate],
        scope: &Scope,
        span: Span,
    ) -> Result<Aggregated, SqlError> {
        if grouping.has_sets() {
            return Err(crate::binder::refusal::not_supported(span, "a group window with grouping sets")
                .hint("write FROM TABLE(TUMBLE(...)) GROUP BY window_start, window_end, ROLLUP(...)"));
        }
        let columns = self.dag.pass(rel).into_iter().map(|(_, expr)| expr).collect();
        let base = Base { input: rel, condition: None, columns };
        let windowing = Windowing { spec: window.spec, rows: RowWindows::Time(window.time), base, attached: false };
        let properties = vec![None; grouping.exprs.len()];
        self.window_aggregate(windowing, grouping, &properties, calls, scope, span)
    }

    /// Adds the aggregation; `properties` says which grouping expressions tell of the window.
    fn window_aggregate(
        &mut self,
        windowing: Windowing,
        grouping: &Grouping,
        properties: &[Option<WindowProperty>],
        calls: &[Aggregate],
        scope: &Scope,
        span: Span,
    ) -> Result<Aggregated, SqlError> {
        let Windowing { spec: window, rows, base, attached } = windowing;
        let key_exprs: Vec<usize> = (0..properties.len()).filter(|at| properties[*at].is_none()).collect();
        let beside = match rows {
            RowWindows::Time(TimeDomain::Processing) => None,
            RowWindows::Time(TimeDomain::Event(index)) | RowWindows::End(index) => Some(index),
        };
        let input = self.group_input(&base, grouping, &key_exprs, calls, beside, scope, span);
        let rows = match (rows, input.beside) {
            (RowWindows::Time(TimeDomain::Event(_)), Some(column)) => RowWindows::Time(TimeDomain::Event(column)),
            (RowWindows::End(_), Some(column)) => RowWindows::End(column),
            (rows, _) => rows,
        };
        let mut given: Vec<WindowProperty> = properties.iter().flatten().copied().collect();
        if grouping.window.is_some() {
            given.extend([WindowProperty::Start, WindowProperty::End, WindowProperty::Time]);
        }
        let (mut key, mut property) = (0, input.keys.len() + calls.len());
        let mut groups = Vec::with_capacity(properties.len());
        for told in properties {
            let next = if told.is_none() { &mut key } else { &mut property };
            groups.push(*next);
            *next += 1;
        }
        let mut columns = input.outputs;
        for (column, expr) in columns.iter_mut().zip(&key_exprs) {
            // The start of sessions that rows bring along is a key.
            let bare = match grouping.exprs[*expr].kind {
                ExprKind::Column(index) => scope.columns[index].attribute,
                _ => Attribute::None,
            };
            if matches!(rows, RowWindows::End(_)) && bare == Attribute::WindowStart {
                column.attribute = bare;
            }
        }
        columns.extend(calls.iter().enumerate().map(|(index, call)| RelColumn {
            name: format!("EXPR${index}"),
            data_type: call.data_type.clone(),
            attribute: Attribute::None,
        }));
        columns.extend(given.iter().map(|property| property_column(*property, window, rows, attached)));
        let spec = WindowAggregateSpec {
            window,
            rows,
            aggregates: input.aggregates,
            properties: given,
            keys: input.keys.clone(),
            // Known once it is laid out.
            retracts: false,
        };
        let op = RelOp::WindowAggregate(Box::new(spec));
        let rel = self.dag.add(Rel { op, inputs: vec![input.rel], columns, span });
        Ok(Aggregated {
            rel,
            groups,
            set: grouping.has_sets().then(|| input.keys.len() - 1),
            aggregates_at: input.keys.len(),
            window: grouping.window.as_ref().map(|_| [property, property + 1, property + 2]),
        })
    }
}

/// Whether sessions are of the keys that are grouped by: else Flink groups by the window's columns as values.
fn sessions_fit(windows: &WindowsOf, grouping: &Grouping, properties: &[Option<WindowProperty>]) -> bool {
    let keys = grouping.exprs.iter().zip(properties).filter(|(_, property)| property.is_none());
    let columns: Option<Vec<usize>> = keys
        .map(|(expr, _)| match expr.kind {
            ExprKind::Column(index) => Some(index),
            _ => None,
        })
        .collect();
    match columns {
        Some(columns) => windows.sessions_are_of(&columns),
        None => !matches!(windows.spec.kind, WindowKind::Session { .. }),
    }
}

/// Whether `expr` reads a column from `width` on.
fn reads_from(expr: &Expr, width: usize) -> bool {
    let mut reads = false;
    expr.visit(&mut |part| reads |= matches!(part.kind, ExprKind::Column(index) if index >= width));
    reads
}

fn property_column(property: WindowProperty, window: WindowSpec, rows: RowWindows, attached: bool) -> RelColumn {
    let known = |attribute: Attribute| if attached { attribute } else { Attribute::None };
    let (name, logical, attribute) = match property {
        WindowProperty::Start => ("window_start", LogicalType::Timestamp(3), known(Attribute::WindowStart)),
        WindowProperty::End => ("window_end", LogicalType::Timestamp(3), known(Attribute::WindowEnd)),
        WindowProperty::Time => {
            let logical = if window.local_time { LogicalType::TimestampLtz(3) } else { LogicalType::Timestamp(3) };
            let processing = rows == RowWindows::Time(TimeDomain::Processing);
            ("window_time", logical, if processing { Attribute::ProcTime } else { Attribute::RowTime })
        }
    };
    RelColumn { name: name.to_owned(), data_type: DataType::not_null(logical), attribute }
}
