//! Views over views: no cycle, not too deep, and not so many that expanding them takes for ever.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use sqlparser::ast;
use weir_base::Span;
use weir_base::limits::{NESTING_MAX, VIEW_EXPANSIONS_MAX};

use crate::catalog::{full_name, place_of};
use crate::error::SqlResult;
use crate::{Catalog, Query, Relation, SqlError, View};

/// Refuses a view that reads itself or something that does not exist, or that stands on too many.
pub(crate) fn check_view(catalog: &Catalog, view: &View) -> SqlResult<()> {
    let mut walk = Walk { catalog, open: vec![view.full_name.clone()], sizes: BTreeMap::new() };
    walk.size(&view.query, view.span).map(|_| ())
}

/// Refuses a query that stands on too many views: a view may have changed since another was made over it.
pub(crate) fn check_query(catalog: &Catalog, query: &Query) -> SqlResult<()> {
    Walk { catalog, open: Vec::new(), sizes: BTreeMap::new() }.size(query, query.span).map(|_| ())
}

struct Walk<'c> {
    catalog: &'c Catalog,
    /// Full names of the views that are being walked, outermost first.
    open: Vec<String>,
    /// How many relations a view that has been walked stands for.
    sizes: BTreeMap<String, usize>,
}

impl Walk<'_> {
    /// How many relations `query` stands for once all views are expanded.
    fn size(&mut self, query: &Query, span: Span) -> SqlResult<usize> {
        if self.open.len() > NESTING_MAX {
            return Err(SqlError::new(span, format!("views are stacked deeper than {NESTING_MAX}"))
                .hint("write intermediate results into a table"));
        }
        let mut size: usize = 1;
        for name in relations(&query.ast) {
            self.refuse_cycle(&name, span)?;
            let Relation::View(view) = self.catalog.resolve(&name)? else {
                size += 1;
                continue;
            };
            let inner = match self.sizes.get(&view.full_name) {
                Some(known) => *known,
                None => {
                    self.open.push(view.full_name.clone());
                    let inner = self.size(&view.query, span)?;
                    self.open.pop();
                    self.sizes.insert(view.full_name.clone(), inner);
                    inner
                }
            };
            size = size.saturating_add(inner);
            if size > VIEW_EXPANSIONS_MAX {
                return Err(SqlError::new(span, format!("its views expand to more than {VIEW_EXPANSIONS_MAX} tables"))
                    .hint("write intermediate results into a table"));
            }
        }
        Ok(size)
    }

    fn refuse_cycle(&self, name: &ast::ObjectName, span: Span) -> SqlResult<()> {
        let Ok(full) = full_name(name) else { return Ok(()) };
        let Some(start) = self.open.iter().position(|open| *open == full) else { return Ok(()) };
        let short = |name: &String| name.rsplit('.').next().unwrap_or_default().to_owned();
        let mut path: Vec<String> = self.open[start..].iter().map(short).collect();
        path.push(short(&full));
        let place = if self.open.len() == 1 { place_of(name) } else { span };
        Err(SqlError::new(place, format!("the view '{}' reads itself: {}", path[0], path.join(" -> ")))
            .hint("name another table or view in its query"))
    }
}

/// The names in FROM clauses, without those of the query's own WITH.
fn relations(query: &ast::Query) -> Vec<ast::ObjectName> {
    let mut found = Found::default();
    let _ = ast::Visit::visit(query, &mut found);
    let Found { own, mut names } = found;
    let _ = ast::visit_expressions(query, |expr| {
        if let ast::Expr::Function(function) = expr
            && crate::dialect::is_called(function, crate::dialect::TABLE_MARKER)
            && let Some(table) = crate::dialect::table_argument(expr)
        {
            names.push(table.name);
        }
        ControlFlow::<()>::Continue(())
    });
    names.retain(
        |name| !matches!(name.0.as_slice(), [part] if part.as_ident().is_some_and(|ident| own.contains(&ident.value))),
    );
    names
}

/// Names in FROM clauses, and names that WITH clauses define, at the top and in subqueries.
#[derive(Default)]
struct Found {
    own: BTreeSet<String>,
    names: Vec<ast::ObjectName>,
}

impl ast::Visitor for Found {
    type Break = ();

    fn pre_visit_query(&mut self, query: &ast::Query) -> ControlFlow<()> {
        let ctes = query.with.iter().flat_map(|with| with.cte_tables.iter());
        self.own.extend(ctes.map(|cte| cte.alias.name.value.clone()));
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &ast::TableFactor) -> ControlFlow<()> {
        // With arguments it is a table function.
        if let ast::TableFactor::Table { name, args: None, .. } = factor {
            self.names.push(name.clone());
        }
        ControlFlow::Continue(())
    }
}
