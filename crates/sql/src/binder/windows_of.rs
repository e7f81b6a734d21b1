//! Which of a relation's columns tell of a window: what a window function adds, wherever above it they are passed on unchanged.

use weir_plan::{ExprKind, RowWindows, TimeDomain, WindowKind, WindowProperty, WindowSpec};

use super::rel::{Dag, RelId, RelOp};
use super::scope::Attribute;

/// The windows that the rows of a relation belong to.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct WindowsOf {
    /// The windows.
    pub spec: WindowSpec,
    /// Whether they are of event time.
    pub event: bool,
    /// Columns that hold the window's start.
    pub starts: Vec<usize>,
    /// Columns that hold its end.
    pub ends: Vec<usize>,
    /// Columns that hold its last millisecond as a time attribute.
    pub times: Vec<usize>,
    /// The columns that sessions are of; `None` where one was projected away.
    pub partition: Option<Vec<usize>>,
}

impl WindowsOf {
    /// What the column at `index` tells of the window.
    pub(super) fn property(&self, index: usize) -> Option<WindowProperty> {
        if self.starts.contains(&index) {
            Some(WindowProperty::Start)
        } else if self.ends.contains(&index) {
            Some(WindowProperty::End)
        } else if self.times.contains(&index) {
            Some(WindowProperty::Time)
        } else {
            None
        }
    }

    /// Whether rows that agree in `keys` (and the window) are of the same sessions.
    pub(super) fn sessions_are_of(&self, keys: &[usize]) -> bool {
        let Some(partition) = &self.partition else { return false };
        !matches!(self.spec.kind, WindowKind::Session { .. })
            || partition.iter().all(|column| keys.contains(column)) && keys.iter().all(|key| partition.contains(key))
    }
}

impl Dag {
    /// The windows of the relation at `id`, if its rows belong to some.
    pub(super) fn windows_of(&self, id: RelId) -> Option<WindowsOf> {
        let rel = self.get(id);
        match &rel.op {
            RelOp::Window(window) => {
                let width = rel.columns.len() - 3;
                Some(WindowsOf {
                    spec: window.spec,
                    event: window.time != TimeDomain::Processing,
                    starts: vec![width],
                    ends: vec![width + 1],
                    times: vec![width + 2],
                    partition: Some(window.keys.clone()),
                })
            }
            RelOp::Calc { projection, .. } => {
                let below = self.windows_of(rel.inputs[0])?;
                let places = |wanted: &[usize]| {
                    let is =
                        |at: &usize| matches!(projection[*at].kind, ExprKind::Column(from) if wanted.contains(&from));
                    (0..projection.len()).filter(is).collect::<Vec<_>>()
                };
                let partition = below.partition.as_ref().and_then(|partition| {
                    partition.iter().map(|column| places(&[*column]).first().copied()).collect::<Option<Vec<_>>>()
                });
                Some(WindowsOf {
                    starts: places(&below.starts),
                    ends: places(&below.ends),
                    times: places(&below.times),
                    partition,
                    ..below
                })
            }
            RelOp::WindowAggregate(spec) => {
                let with = |attribute: Attribute| {
                    (0..rel.columns.len()).filter(|at| rel.columns[*at].attribute == attribute).collect::<Vec<_>>()
                };
                let (starts, ends) = (with(Attribute::WindowStart), with(Attribute::WindowEnd));
                let partition = (0..spec.keys.len()).filter(|key| !starts.contains(key)).collect();
                Some(WindowsOf {
                    spec: spec.window,
                    event: spec.rows != RowWindows::Time(TimeDomain::Processing),
                    starts,
                    ends,
                    times: with(Attribute::RowTime),
                    partition: Some(partition),
                })
            }
            RelOp::Over(_) | RelOp::WindowRank(_) => self.windows_of(rel.inputs[0]),
            RelOp::Union => {
                let first = self.windows_of(rel.inputs[0])?;
                rel.inputs[1..].iter().all(|input| self.windows_of(*input).as_ref() == Some(&first)).then_some(first)
            }
            _ => None,
        }
    }
}
