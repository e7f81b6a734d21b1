//! From CREATE TABLE as written to a table: `merge` takes over what LIKE names, `from_query` what AS gives, `alter` changes a table that is there.

use std::collections::BTreeSet;

mod alter;
mod from_query;
mod merge;

use sqlparser::ast::Ident;
use weir_base::limits::COLUMNS_MAX;
use weir_plan::DataType;

use crate::catalog::{ObjectPath, place_of};
use crate::error::{SqlResult, did_you_mean, span_of};
use crate::statement::{CreateTable, LikeFeature, Merging, PrimaryKey};
use crate::{Column, ColumnKind, SqlError, Table, Watermark};

pub(crate) use alter::alter;
pub(crate) use from_query::with_query;
pub(crate) use merge::base_table;
use merge::{Rules, merge_columns, merge_distribution, merge_options, merge_partitions, merge_watermark};

/// The table that `create` declares at `path`, over `base` where it is `LIKE` that.
///
/// # Errors
/// What the parts say does not fit together.
pub(crate) fn declare(create: &CreateTable, path: &ObjectPath, base: Option<&Table>) -> SqlResult<Table> {
    let own: BTreeSet<&str> = create.body.columns.iter().map(|column| column.name.as_str()).collect();
    declare_with(create, path, base, |name| own.contains(name))
}

/// The same; a primary key makes those columns NOT NULL that `is_own` says are declared with it, others must be so already.
pub(crate) fn declare_with(
    create: &CreateTable,
    path: &ObjectPath,
    base: Option<&Table>,
    is_own: impl Fn(&str) -> bool,
) -> SqlResult<Table> {
    let rules = Rules::of(create.like.as_ref());
    let columns = merge_columns(create, base, &rules)?;
    let mut table = Table {
        full_name: path.to_string(),
        name: path.object.clone(),
        columns,
        watermark: merge_watermark(create, base, &rules)?,
        primary_key: Vec::new(),
        primary_key_name: None,
        distribution: merge_distribution(create, base, &rules)?,
        partition_keys: merge_partitions(create, base, &rules)?,
        partitions: Vec::new(),
        options: merge_options(create, base, &rules)?,
        comment: create.comment.clone(),
        span: place_of(&create.name),
    };
    let inherited = base.filter(|_| rules.of_feature(LikeFeature::Constraints) == Merging::Including);
    if let Some(base) = inherited.filter(|base| !base.primary_key.is_empty()) {
        if let Some(key) = &create.body.primary_key {
            return Err(SqlError::new(
                key.span,
                "The base table already has a primary key. You might want to specify EXCLUDING CONSTRAINTS.",
            ));
        }
        table.primary_key.clone_from(&base.primary_key);
        table.primary_key_name.clone_from(&base.primary_key_name);
    }
    if let Some(key) = &create.body.primary_key {
        set_primary_key(&mut table, key, is_own)?;
    }
    check(&table, &create.partition_keys)?;
    Ok(table)
}

/// Refuses a table whose parts do not fit together; `partition_keys` are those keys with their places.
pub(crate) fn check(table: &Table, partition_keys: &[Ident]) -> SqlResult<()> {
    if table.columns.is_empty() {
        return Err(SqlError::new(table.span, "a table without columns is not supported")
            .hint("declare the columns in brackets behind its name"));
    }
    if table.columns.len() > COLUMNS_MAX {
        return Err(SqlError::new(table.span, format!("the table has more than {COLUMNS_MAX} columns"))
            .hint("put fields together in a ROW"));
    }
    if let Some(watermark) = &table.watermark {
        check_watermark(watermark, &table.columns)?;
    }
    check_partitions(table, partition_keys)?;
    check_distribution(table)
}

/// Makes `key` the table's primary key. Its columns become NOT NULL where they are declared together with it (`is_own`); others must be so already.
pub(crate) fn set_primary_key(table: &mut Table, key: &PrimaryKey, is_own: impl Fn(&str) -> bool) -> SqlResult<()> {
    let mut names: Vec<String> = Vec::new();
    let listed = key.columns.iter().map(|ident| ident.value.as_str()).collect::<Vec<_>>();
    let key_name = key.name.clone().unwrap_or_else(|| format!("PK_{}", listed.join("_")));
    for ident in &key.columns {
        let span = if ident.span.start.line > 0 { span_of(ident.span) } else { key.span };
        let Some(column) = table.columns.iter_mut().find(|column| column.name == ident.value) else {
            let hint = did_you_mean(&ident.value, table.columns.iter().map(|column| column.name.as_str()));
            let message = format!("Primary key column '{}' is not defined in the schema", ident.value);
            return Err(SqlError::new(span, message).hint_maybe(hint));
        };
        if names.contains(&ident.value) {
            let message = format!(
                "Invalid primary key. A primary key must not contain duplicate columns. Found: [{}]",
                ident.value
            );
            return Err(SqlError::new(span, message).hint("remove one of them"));
        }
        let ColumnKind::Physical(data_type) = &mut column.kind else {
            let message = format!("Invalid primary key. Column '{}' is not a physical column.", ident.value);
            return Err(
                SqlError::new(span, message).hint("a primary key consists of columns that the connector stores")
            );
        };
        if is_own(&ident.value) {
            data_type.nullable = false;
        } else if data_type.nullable {
            let message = format!("Invalid primary key '{key_name}'. Column '{}' is nullable.", ident.value);
            return Err(SqlError::new(span, message).hint("declare the column NOT NULL"));
        }
        names.push(ident.value.clone());
    }
    table.primary_key = names;
    table.primary_key_name.clone_from(&key.name);
    Ok(())
}

fn check_watermark(watermark: &Watermark, columns: &[Column]) -> SqlResult<()> {
    let Some(column) = columns.iter().find(|column| column.name == watermark.column) else {
        let hint = did_you_mean(&watermark.column, columns.iter().map(|column| column.name.as_str()));
        let message = format!("The rowtime attribute field '{}' is not defined in the table schema", watermark.column);
        return Err(SqlError::new(watermark.span, message).hint_maybe(hint));
    };
    let data_type: &DataType = match &column.kind {
        ColumnKind::Physical(data_type) | ColumnKind::Metadata { data_type, .. } => data_type,
        // The binder knows the type of an expression.
        ColumnKind::Computed(_) => return Ok(()),
    };
    if data_type.logical.is_rowtime() {
        return Ok(());
    }
    Err(SqlError::new(
        watermark.span,
        format!(
            "Invalid data type of time field for watermark definition. The field must be of type TIMESTAMP(p) or TIMESTAMP_LTZ(p), the \
             supported precision 'p' is from 0 to 3, but the time field type is {data_type}"
        ),
    )
    .hint(format!("declare a computed column such as ts AS TO_TIMESTAMP_LTZ({}, 3), and the watermark on it", column.name)))
}

/// Names of the physical columns.
fn physical_names(table: &Table) -> Vec<&str> {
    let physical = table.columns.iter().filter(|column| matches!(column.kind, ColumnKind::Physical(_)));
    physical.map(|column| column.name.as_str()).collect()
}

fn check_partitions(table: &Table, written: &[Ident]) -> SqlResult<()> {
    let physical = physical_names(table);
    for key in &table.partition_keys {
        let span = written.iter().find(|ident| ident.value == *key).map_or(table.span, |ident| span_of(ident.span));
        let Some(_) = table.column(key) else {
            let all = table.columns.iter().map(|column| format!("'{}'", column.name)).collect::<Vec<_>>().join(", ");
            let message =
                format!("Partition column '{key}' not defined in the table schema. Available columns: [{all}]");
            return Err(SqlError::new(span, message).hint_maybe(did_you_mean(key, physical)));
        };
        if !physical.contains(&key.as_str()) {
            let message = format!(
                "Invalid partition key '{key}'. A partition key must reference a physical column in the schema. Available columns are: [{}]",
                physical.join(", ")
            );
            return Err(SqlError::new(span, message));
        }
    }
    Ok(())
}

fn check_distribution(table: &Table) -> SqlResult<()> {
    let Some(distribution) = &table.distribution else { return Ok(()) };
    let physical = physical_names(table);
    let Some(missing) = distribution.keys.iter().find(|key| !physical.contains(&key.as_str())) else { return Ok(()) };
    let message = format!(
        "Invalid bucket key '{missing}'. A bucket key for a distribution must reference a physical column in the schema. Available columns are: [{}]",
        physical.join(", ")
    );
    Err(SqlError::new(distribution.span, message).hint_maybe(did_you_mean(missing, physical)))
}
