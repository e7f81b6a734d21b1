//! What LIKE takes over from another table, feature by feature, by Flink's rules and defaults.

use weir_plan::TableOptions;

use crate::catalog::{Distribution, ObjectPath, place_of};
use crate::error::{SqlResult, span_of};
use crate::statement::{CreateTable, Like, LikeFeature, Merging};
use crate::{Column, ColumnKind, SqlError, Table, Watermark};

/// What is done with each feature of a base table.
pub(super) struct Rules<'l> {
    like: Option<&'l Like>,
}

impl<'l> Rules<'l> {
    /// The rules of a LIKE; without one there is nothing to take over.
    pub(super) fn of(like: Option<&'l Like>) -> Self {
        Self { like }
    }

    /// The rule given for the feature, else that for ALL, else Flink's default.
    pub(super) fn of_feature(&self, feature: LikeFeature) -> Merging {
        let rules = self.like.map_or(&[][..], |like| like.rules.as_slice());
        let given = |wanted: LikeFeature| rules.iter().find(|(known, _, _)| *known == wanted).map(|(_, rule, _)| *rule);
        let default = if feature == LikeFeature::Options { Merging::Overwriting } else { Merging::Including };
        given(feature).or_else(|| given(LikeFeature::All)).unwrap_or(default)
    }
}

/// Columns of the base table, then those declared.
pub(super) fn merge_columns(create: &CreateTable, base: Option<&Table>, rules: &Rules<'_>) -> SqlResult<Vec<Column>> {
    let own = &create.body.columns;
    let Some(base) = base else { return Ok(own.clone()) };
    let (generated, metadata) = (rules.of_feature(LikeFeature::Generated), rules.of_feature(LikeFeature::Metadata));
    let is_taken = |column: &&Column| match column.kind {
        ColumnKind::Physical(_) => true,
        ColumnKind::Computed(_) => generated != Merging::Excluding,
        ColumnKind::Metadata { .. } => metadata != Merging::Excluding,
    };
    let mut columns: Vec<Column> = base.columns.iter().filter(is_taken).cloned().collect();
    for column in own {
        let Some(former) = columns.iter_mut().find(|former| former.name == column.name) else {
            columns.push(column.clone());
            continue;
        };
        let overwrites = match (&former.kind, &column.kind) {
            (ColumnKind::Computed(_), ColumnKind::Computed(_)) => generated == Merging::Overwriting,
            (ColumnKind::Metadata { .. }, ColumnKind::Metadata { .. }) => metadata == Merging::Overwriting,
            _ => false,
        };
        if !overwrites {
            return Err(both_have(column));
        }
        *former = column.clone();
    }
    Ok(columns)
}

fn both_have(column: &Column) -> SqlError {
    let name = &column.name;
    let (message, hint) = match column.kind {
        ColumnKind::Physical(_) => {
            (format!("A column named '{name}' already exists in the base table."), "leave it out, or rename it")
        }
        ColumnKind::Computed(_) => (
            format!(
                "A generated column named '{name}' already exists in the base table. You might want to specify EXCLUDING GENERATED or \
                 OVERWRITING GENERATED."
            ),
            "write LIKE ... (OVERWRITING GENERATED)",
        ),
        ColumnKind::Metadata { .. } => (
            format!(
                "A metadata column named '{name}' already exists in the base table. You might want to specify EXCLUDING METADATA or \
                 OVERWRITING METADATA."
            ),
            "write LIKE ... (OVERWRITING METADATA)",
        ),
    };
    SqlError::new(column.span, message).hint(hint)
}

/// The watermark declared or taken over.
pub(super) fn merge_watermark(
    create: &CreateTable,
    base: Option<&Table>,
    rules: &Rules<'_>,
) -> SqlResult<Option<Watermark>> {
    let rule = rules.of_feature(LikeFeature::Watermarks);
    let inherited = base.and_then(|base| base.watermark.as_ref()).filter(|_| rule != Merging::Excluding);
    let Some(own) = &create.body.watermark else { return Ok(inherited.cloned()) };
    if let Some(former) = inherited.filter(|_| rule != Merging::Overwriting) {
        if former.column != own.column {
            return Err(SqlError::new(own.span, "Multiple WATERMARK declarations are not supported yet.")
                .hint("write LIKE ... (EXCLUDING WATERMARKS)"));
        }
        return Err(SqlError::new(
            own.span,
            format!(
                "There already exists a watermark spec for column '{}' in the base table. You might want to specify EXCLUDING WATERMARKS or \
                 OVERWRITING WATERMARKS.",
                own.column
            ),
        ));
    }
    Ok(Some(own.clone()))
}

/// The distribution declared or taken over.
pub(super) fn merge_distribution(
    create: &CreateTable,
    base: Option<&Table>,
    rules: &Rules<'_>,
) -> SqlResult<Option<Distribution>> {
    let inherited = base.and_then(|base| base.distribution.as_ref());
    match (&create.distribution, inherited) {
        (Some(own), Some(_)) if rules.of_feature(LikeFeature::Distribution) != Merging::Excluding => {
            Err(SqlError::new(
                own.span,
                "The base table already has a distribution defined. You might want to specify EXCLUDING DISTRIBUTION.",
            ))
        }
        // As in Flink it is taken over even where it is to be left out.
        (own, inherited) => Ok(own.clone().or_else(|| inherited.cloned())),
    }
}

/// The partition keys declared or taken over.
pub(super) fn merge_partitions(
    create: &CreateTable,
    base: Option<&Table>,
    rules: &Rules<'_>,
) -> SqlResult<Vec<String>> {
    let inherited = base.map_or(&[][..], |base| base.partition_keys.as_slice());
    let Some(first) = create.partition_keys.first() else { return Ok(inherited.to_vec()) };
    // As in Flink they are taken over even where they are to be left out.
    if !inherited.is_empty() && rules.of_feature(LikeFeature::Partitions) != Merging::Excluding {
        return Err(SqlError::new(
            span_of(first.span),
            "The base table already has partitions defined. You might want to specify EXCLUDING PARTITIONS.",
        ));
    }
    Ok(create.partition_keys.iter().map(|key| key.value.clone()).collect())
}

/// The options taken over with those given.
pub(super) fn merge_options(create: &CreateTable, base: Option<&Table>, rules: &Rules<'_>) -> SqlResult<TableOptions> {
    let rule = rules.of_feature(LikeFeature::Options);
    let mut options = base.filter(|_| rule != Merging::Excluding).map(|base| base.options.clone()).unwrap_or_default();
    for (key, value) in &create.options.values {
        if rule != Merging::Overwriting
            && let Some(former) = options.get(key)
        {
            return Err(SqlError::new(
                create.options.span(key),
                format!(
                    "There already exists an option ['{key}' -> '{former}']  in the base table. You might want to specify EXCLUDING OPTIONS or \
                     OVERWRITING OPTIONS."
                ),
            ));
        }
        options.values.insert(key.clone(), value.clone());
        options.spans.insert(key.clone(), create.options.span(key));
    }
    Ok(options)
}

/// The table that LIKE names: it must be there, and be a table.
pub(crate) fn base_table<'c>(catalog: &'c crate::Catalog, like: &Like) -> SqlResult<&'c Table> {
    let missing = |error: SqlError, path: &ObjectPath| SqlError {
        message: format!("Source table '{}' of the LIKE clause not found in the catalog", path.quoted()),
        ..error
    };
    let path = catalog.path(&like.table)?;
    match catalog.resolve(&like.table) {
        Ok(crate::Relation::Table(table)) => Ok(table),
        Ok(crate::Relation::View(_)) => {
            let message = format!("Source table '{}' of the LIKE clause can not be a VIEW", path.quoted());
            Err(SqlError::new(place_of(&like.table), message)
                .hint("CREATE TABLE ... AS SELECT * FROM it has its columns"))
        }
        Err(error) => Err(missing(error, &path)),
    }
}
