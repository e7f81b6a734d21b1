//! In which form a sink takes updates, and whether its primary key tells its rows apart as the query's key does.

use std::collections::BTreeSet;

use weir_base::RowKind;
use weir_plan::SinkSpec;

use super::{Inference, Rel, UpdateKind};
use crate::binder::refusal::{not_supported, refuse};
use crate::error::SqlError;

impl Inference<'_> {
    /// The form in which a sink is given updates.
    ///
    /// # Errors
    /// When it takes upserts, and has no key to tell rows by, or another one than the query.
    pub(super) fn sink(&self, rel: &Rel, spec: &SinkSpec) -> Result<UpdateKind, SqlError> {
        let input = rel.inputs[0];
        if !self.kinds[input.0].updates() || spec.changelog.contains(RowKind::UpdateBefore) {
            return Ok(UpdateKind::BeforeAndAfter);
        }
        if spec.primary_key.is_empty() {
            let text =
                format!("Table sink '{}' requires that Table has a full primary keys if it is updated.", spec.table);
            return Err(refuse(rel.span, text).hint("add PRIMARY KEY (...) NOT ENFORCED"));
        }
        let primary: BTreeSet<usize> = spec.primary_key.iter().copied().collect();
        let keys = &self.keys[input.0];
        if !keys.iter().any(|key| key.is_subset(&primary)) {
            return Err(self.key_differs(rel, spec));
        }
        let same = keys.contains(&primary) && self.only_after[input.0];
        if !same && !spec.changelog.contains(RowKind::Delete) {
            let text = format!(
                "a query whose former rows must be deleted, before the connector '{}', which deletes no rows,",
                spec.connector
            );
            return Err(not_supported(rel.span, text)
                .hint("filter before the rows are updated, and make the key of the query the sink's primary key"));
        }
        Ok(if same { UpdateKind::OnlyAfter } else { UpdateKind::BeforeAndAfter })
    }

    fn key_differs(&self, rel: &Rel, spec: &SinkSpec) -> SqlError {
        let names = |key: &mut dyn Iterator<Item = &usize>| {
            key.map(|index| rel.columns[*index].name.as_str()).collect::<Vec<_>>().join(", ")
        };
        let upsert = self.keys[rel.inputs[0].0].iter().next();
        let upsert = upsert.map(|key| format!("[{}]", names(&mut key.iter()))).unwrap_or_default();
        let text = format!(
            "The query has an upsert key that differs from the primary key of the sink table '{}'. Primary key: [{}], upsert key: {upsert}. \
             This can lead to non-deterministic results when multiple records with different upsert keys map to the same primary key. \
             Please specify an ON CONFLICT clause to define how conflicts should be handled: ON CONFLICT DO DEDUPLICATE (update to the latest \
             record, state intensive, since we need to keep the entire history), or ON CONFLICT DO ERROR (fail on conflict), or ON CONFLICT DO \
             NOTHING (keep first record).",
            spec.table,
            names(&mut spec.primary_key.iter())
        );
        refuse(rel.span, text)
            .hint("ON CONFLICT is not supported yet for rows that are updated: make the key of the query the sink's primary key")
    }
}
