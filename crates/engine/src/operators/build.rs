//! From a node of the plan to the operator that does it.

use std::ops::Range;

use weir_base::{Error, Result, RowKind};
use weir_plan::{Node, Operator as Plan, RankSpec, RowWindows, Schema, WindowKind};

use super::Operator;
use super::calc::Calc;
use super::correlate::Correlate;
use super::deduplicate::{DeduplicateContext, deduplicate};
use super::expand::Expand;
use super::group::{GroupAggregate, GroupContext};
use super::over::{OverContext, over};
use super::rank::{RankContext, rank};
use super::sort::TemporalSort;
use super::union::Union;
use super::window::{SessionAggregate, SessionAssign, WindowAggregate, WindowAssign, WindowContext, WindowRank};
use crate::expr::CompileContext;

/// What operators are built from, beside their node.
pub struct BuildContext<'a> {
    /// The columns of the (first) input.
    pub input: Schema,
    /// The key groups that this subtask owns.
    pub key_groups: Range<u16>,
    /// Key groups of the job.
    pub max_parallelism: u16,
    /// What expressions are compiled in.
    pub compile: &'a CompileContext,
    /// `weir.dedup.exact`
    pub dedup_exact: bool,
}

/// Builds the operator of `node`.
///
/// # Errors
/// An expression or a key cannot be compiled; the node is a source or a sink, which are no operators.
pub fn build(node: &Node, context: &BuildContext<'_>) -> Result<Box<dyn Operator>> {
    match &node.operator {
        Plan::Calc { condition, projection } => {
            Ok(Box::new(Calc::new(condition.as_ref(), projection, &node.schema, context.compile)?))
        }
        Plan::Correlate(spec) => Ok(Box::new(Correlate::new(spec, &node.schema, context.compile)?)),
        Plan::Union => Ok(Box::new(Union::new(node.schema.arrow()))),
        Plan::Deduplicate { keys, order, keep, state_ttl } => {
            let context = DeduplicateContext {
                input: &context.input,
                state_ttl: *state_ttl,
                key_groups: context.key_groups.clone(),
                max_parallelism: context.max_parallelism,
                exact: context.dedup_exact,
                update_before: node.changelog.contains(RowKind::UpdateBefore),
            };
            deduplicate(keys, *order, *keep, &context)
        }
        Plan::Rank(spec) => ranked(node, spec, context),
        Plan::Over(spec) => {
            let context = OverContext {
                input: &context.input,
                output: &node.schema,
                key_groups: context.key_groups.clone(),
                max_parallelism: context.max_parallelism,
            };
            over(spec, &context)
        }
        Plan::TemporalSort { rowtime, order } => {
            let (groups, count) = (context.key_groups.clone(), context.max_parallelism);
            Ok(Box::new(TemporalSort::new(*rowtime, order, &context.input, groups, count)?))
        }
        Plan::Expand { projections } => Ok(Box::new(Expand::new(projections, &node.schema, context.compile)?)),
        Plan::WindowAggregate(spec) => {
            let by_time = matches!(spec.rows, RowWindows::Time(_));
            Ok(match spec.window.kind {
                WindowKind::Session { .. } if by_time => {
                    Box::new(SessionAggregate::new(spec, &windowed(node, context))?)
                }
                _ => Box::new(WindowAggregate::new(spec, &windowed(node, context))?),
            })
        }
        Plan::GroupAggregate(spec) => {
            let context = GroupContext {
                input: &context.input,
                output: &node.schema,
                update_before: node.changelog.contains(RowKind::UpdateBefore),
                key_groups: context.key_groups.clone(),
                max_parallelism: context.max_parallelism,
            };
            Ok(Box::new(GroupAggregate::new(spec, &context)?))
        }
        Plan::WindowAssign { window, time, keys } => Ok(match window.kind {
            WindowKind::Session { .. } => Box::new(SessionAssign::new(window, *time, keys, &windowed(node, context))?),
            _ => Box::new(WindowAssign::new(window, *time, &node.schema, &context.compile.local_time_zone)?),
        }),
        Plan::WindowRank(spec) => Ok(Box::new(WindowRank::new(spec, &windowed(node, context))?)),
        Plan::Source(_) | Plan::Sink(_) => {
            Err(Error::internal(format!("build the operator '{}': it is no operator", node.name)))
        }
        other => Err(Error::internal(format!("build the operator '{}': {other:?}", node.name))),
    }
}

/// The ranking of `spec`.
fn ranked(node: &Node, spec: &RankSpec, context: &BuildContext<'_>) -> Result<Box<dyn Operator>> {
    let context = RankContext {
        input: &context.input,
        output: &node.schema,
        key_groups: context.key_groups.clone(),
        max_parallelism: context.max_parallelism,
        update_before: node.changelog.contains(RowKind::UpdateBefore),
    };
    rank(spec, &context)
}

/// What a windowed operator is built from.
fn windowed<'a>(node: &'a Node, context: &'a BuildContext<'_>) -> WindowContext<'a> {
    WindowContext {
        input: &context.input,
        output: &node.schema,
        local_time_zone: &context.compile.local_time_zone,
        key_groups: context.key_groups.clone(),
        max_parallelism: context.max_parallelism,
    }
}
