//! What stands in FROM: tables, views, subqueries, window functions; each with the names it brings into scope.

use sqlparser::ast::{self, Spanned as _, TableFactor};
use weir_base::Span;

use super::query::QueryBinder;
use super::refusal::{not_supported, refuse};
use super::rel::RelId;
use super::scope::{Scope, ScopeColumn};
use crate::catalog::Relation;
use crate::dialect::table_function;
use crate::error::{SqlError, span_of};
use crate::reserved::check_name;

impl QueryBinder<'_> {
    /// What stands in FROM: one relation, and UNNEST of its columns.
    pub(super) fn from(&mut self, select: &ast::Select) -> Result<(RelId, Scope), SqlError> {
        let Some((first, others)) = select.from.split_first() else {
            if let Some(condition) = &select.selection {
                let text = "SQL parse failed. Incorrect syntax near the keyword 'WHERE': there is no FROM before it";
                return Err(refuse(span_of(condition.span()), text));
            }
            return Ok(self.one_row(select));
        };
        let mut left = match self.unnest_alone(select, &first.relation)? {
            Some(elements) => elements,
            None => self.factor(&first.relation)?,
        };
        for join in &first.joins {
            left = self.join(left, join)?;
        }
        for table in others {
            left = self.comma(left, &table.relation)?;
            for join in &table.joins {
                left = self.join(left, join)?;
            }
        }
        Ok(left)
    }

    fn factor(&mut self, factor: &TableFactor) -> Result<(RelId, Scope), SqlError> {
        let span = span_of(factor.span());
        if let Some(function) = table_function(factor) {
            let rel = self.window_function(&function)?;
            return self.aliased(rel, function.alias, None);
        }
        match factor {
            TableFactor::Table {
                name,
                alias,
                args: None,
                with_hints,
                version,
                with_ordinality: false,
                partitions,
                json_path: None,
                sample,
                index_hints,
            } => {
                if version.is_some() {
                    return Err(not_supported(span, "FOR SYSTEM_TIME AS OF"));
                }
                if !with_hints.is_empty() || !partitions.is_empty() || sample.is_some() || !index_hints.is_empty() {
                    return Err(not_supported(
                        span,
                        "what stands behind this table's name (hints, PARTITION, TABLESAMPLE)",
                    ));
                }
                let rel = self.named(name, span)?;
                let own = name.0.last().and_then(ast::ObjectNamePart::as_ident).map(|ident| ident.value.as_str());
                self.aliased(rel, alias.as_ref(), own)
            }
            TableFactor::Derived { lateral: false, subquery, alias, sample: None } => {
                let rel = self.nested(subquery)?;
                self.aliased(rel, alias.as_ref(), None)
            }
            TableFactor::NestedJoin { table_with_joins, alias } if table_with_joins.joins.is_empty() => {
                let (rel, scope) = self.factor(&table_with_joins.relation)?;
                if alias.is_some() { self.aliased(rel, alias.as_ref(), None) } else { Ok((rel, scope)) }
            }
            TableFactor::NestedJoin { .. } => Err(not_supported(span, "a join")),
            TableFactor::Derived { .. } => Err(not_supported(span, "LATERAL or TABLESAMPLE")),
            TableFactor::UNNEST { .. } => Err(not_supported(span, "UNNEST")),
            TableFactor::MatchRecognize { .. } => Err(not_supported(span, "MATCH_RECOGNIZE")),
            TableFactor::Pivot { .. } | TableFactor::Unpivot { .. } => Err(not_supported(span, "PIVOT or UNPIVOT")),
            other => Err(not_supported(span, format!("'{other}' in FROM"))),
        }
    }

    /// A table, a view, or a name of WITH.
    pub(super) fn named(&mut self, name: &ast::ObjectName, span: Span) -> Result<RelId, SqlError> {
        name.0.iter().filter_map(ast::ObjectNamePart::as_ident).try_for_each(check_name)?;
        if let [part] = name.0.as_slice()
            && let Some(ident) = part.as_ident()
            && let Some(bound) = self.with.iter().rev().find_map(|names| names.get(&ident.value))
        {
            return Ok(*bound);
        }
        let hint = name
            .0
            .last()
            .and_then(ast::ObjectNamePart::as_ident)
            .and_then(|ident| self.hints.options_of(ident).cloned());
        match self.catalog.resolve(name)? {
            Relation::Table(table) => self.table(table, hint.as_ref()),
            Relation::View(_) if hint.is_some() => Err(refuse(span, "View cannot be enriched with new options")
                .hint("put the hint behind the table inside the view")),
            Relation::View(view) => self.view(view, span),
        }
    }

    fn aliased(
        &mut self,
        rel: RelId,
        alias: Option<&ast::TableAlias>,
        own: Option<&str>,
    ) -> Result<(RelId, Scope), SqlError> {
        let rel = match alias {
            Some(alias) => {
                check_name(&alias.name)?;
                self.rename(rel, alias)?
            }
            None => rel,
        };
        let qualifier = alias.map(|alias| alias.name.value.as_str()).or(own);
        let columns = self.dag.get(rel).columns.iter().map(|column| ScopeColumn {
            qualifier: qualifier.map(str::to_owned),
            name: column.name.clone(),
            data_type: column.data_type.clone(),
            attribute: column.attribute,
        });
        Ok((rel, Scope { columns: columns.collect() }))
    }

    /// Gives the columns the names of `AS t(a, b)`.
    pub(super) fn rename(&mut self, rel: RelId, alias: &ast::TableAlias) -> Result<RelId, SqlError> {
        if alias.columns.is_empty() {
            return Ok(rel);
        }
        alias.columns.iter().try_for_each(|column| check_name(&column.name))?;
        let span = span_of(alias.name.span);
        let columns = self.dag.pass(rel);
        if columns.len() != alias.columns.len() {
            return Err(refuse(
                span,
                format!(
                    "List of column aliases must have same degree as table; table has {} columns, whereas alias list has {} columns",
                    columns.len(),
                    alias.columns.len()
                ),
            ));
        }
        let renamed =
            columns.into_iter().zip(&alias.columns).map(|((_, expr), column)| (column.name.value.clone(), expr));
        let renamed = renamed.collect();
        Ok(self.dag.calc(rel, None, renamed, span))
    }
}
