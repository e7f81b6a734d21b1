//! Moves a filter that stands directly above a source into it, where the source may drop rows early.
//!
//! The source evaluates it after its watermark, as Flink does with a filter behind the watermark: a row that is left out still moves
//! the watermark. Where the watermark is assigned behind the source, or others read the source too, the filter stays.

use super::{add, readers, rebuilt};
use crate::binder::rel::{Dag, RelId, RelOp};

/// Moves the filters.
pub(super) fn push(dag: &Dag, sinks: &[RelId]) -> (Dag, Vec<RelId>) {
    let readers = readers(dag, sinks);
    rebuilt(dag, sinks, |id, mut rel, new| {
        if let RelOp::Calc { condition: condition @ Some(_), .. } = &mut rel.op
            && readers[dag.get(id).inputs[0].0] == 1
        {
            let mut source = new.get(rel.inputs[0]).clone();
            if let RelOp::Scan(scan) = &mut source.op
                && scan.spec.condition.is_none()
                && (scan.spec.watermark.is_none() || scan.watermark_per_split)
            {
                scan.spec.condition = condition.take();
                rel.inputs = vec![new.add(source)];
            }
        }
        add(rel, new)
    })
}
