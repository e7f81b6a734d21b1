//! Views over views: no cycle, not too deep, and not so many that expanding them takes for ever.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use sqlparser::ast;
use weir_base::Span;
use weir_base::limits::{NESTING_MAX, VIEW_EXPANSIONS_MAX};

use crate::catalog::{ObjectPath, place_of};
use crate::error::SqlResult;
use crate::{Catalog, Query, Relation, SqlError};

/// Refuses a view at `path` that reads itself or something that does not exist, or that stands on too many.
pub(crate) fn check_view(catalog: &Catalog, path: &ObjectPath, query: &Query, span: Span) -> SqlResult<()> {
    Walk { catalog, open: vec![path.clone()], sizes: BTreeMap::new() }.size(query, span).map(|_| ())
}

/// Refuses a query that stands on too many views: a view may have changed since another was made over it.
pub(crate) fn check_query(catalog: &Catalog, query: &Query) -> SqlResult<()> {
    Walk { catalog, open: Vec::new(), sizes: BTreeMap::new() }.size(query, query.span).map(|_| ())
}

struct Walk<'c> {
    catalog: &'c Catalog,
    /// The views that are being walked, outermost first.
    open: Vec<ObjectPath>,
    /// How many relations a view that has been walked stands for.
    sizes: BTreeMap<ObjectPath, usize>,
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
            let path = self.catalog.path(&name)?;
            let inner = match self.sizes.get(&path) {
                Some(known) => *known,
                None => {
                    self.open.push(path.clone());
                    let inner = self.size(&view.query, span)?;
                    self.open.pop();
                    self.sizes.insert(path, inner);
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
        let Ok(path) = self.catalog.path(name) else { return Ok(()) };
        let Some(start) = self.open.iter().position(|open| *open == path) else { return Ok(()) };
        let around = self.open[start..].iter().chain([&path]).map(|path| path.object.as_str());
        let path: Vec<&str> = around.collect();
        let place = if self.open.len() == 1 { place_of(name) } else { span };
        Err(SqlError::new(place, format!("the view '{}' reads itself: {}", path[0], path.join(" -> ")))
            .hint("name another table or view in its query"))
    }
}

/// Writes the names of tables in `query` out in full, so that they mean the same wherever the script stands later.
pub(crate) fn qualify(catalog: &Catalog, query: &mut Query) -> SqlResult<()> {
    let own = own_names(&query.ast);
    let is_own = |name: &ast::ObjectName| matches!(name.0.as_slice(), [part] if part.as_ident().is_some_and(|ident| own.contains(&ident.value)));
    let mut failed = None;
    let mut full = |name: &ast::ObjectName| match catalog.path(name) {
        Ok(path) => path.to_name(name),
        Err(error) => {
            failed = Some(error);
            name.clone()
        }
    };
    let _ = ast::VisitMut::visit(&mut *query.ast, &mut Qualifier { is_own: &is_own, full: &mut full });
    failed.map_or(Ok(()), Err)
}

/// Replaces the names of tables.
struct Qualifier<'q> {
    is_own: &'q dyn Fn(&ast::ObjectName) -> bool,
    full: &'q mut dyn FnMut(&ast::ObjectName) -> ast::ObjectName,
}

impl ast::VisitorMut for Qualifier<'_> {
    type Break = ();

    fn pre_visit_table_factor(&mut self, factor: &mut ast::TableFactor) -> ControlFlow<()> {
        if let ast::TableFactor::Table { name, alias, args: None, .. } = factor
            && !(self.is_own)(name)
        {
            let full = (self.full)(name);
            // The columns go on being called by the table's own name.
            if alias.is_none()
                && let Some(last) = name.0.last().and_then(ast::ObjectNamePart::as_ident)
            {
                *alias = Some(ast::TableAlias {
                    explicit: true,
                    name: ast::Ident::with_quote('`', last.value.clone()),
                    columns: Vec::new(),
                    at: None,
                });
            }
            *name = full;
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut ast::Expr) -> ControlFlow<()> {
        let Some(table) = crate::dialect::marked_table(expr) else { return ControlFlow::Continue(()) };
        if !(self.is_own)(&table) {
            let full = (self.full)(&table);
            crate::dialect::set_marked_table(expr, &full);
        }
        ControlFlow::Continue(())
    }
}

/// Names that WITH clauses define, at the top and in subqueries.
fn own_names(query: &ast::Query) -> BTreeSet<String> {
    let mut found = Found::default();
    let _ = ast::Visit::visit(query, &mut found);
    found.own
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
