//! `SELECT ... FROM ... WHERE ...`: the clauses in the order in which they act.

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::time::Duration;

use sqlparser::ast::{self, SelectItem, Spanned as _, VisitMut as _, VisitorMut};
use weir_base::Span;
use weir_plan::{Expr, LogicalType};

use super::aggregates;
use super::expr::{ExprBinder, check_divisions};
use super::over::{Overs, first_over};
use super::query::QueryBinder;
use super::refusal::{not_supported, refuse};
use super::rel::RelId;
use super::scope::{Attribute, Scope};
use super::source::is_proctime;
use crate::error::{SqlError, did_you_mean, span_of};
use crate::reserved::check_name;

/// An item of the SELECT list once `*` is spelled out.
pub(super) enum Item<'t> {
    /// The column at this index of the scope.
    Column(usize),
    /// An expression with its alias.
    Tree(&'t ast::Expr, Option<&'t ast::Ident>),
    /// A field of a ROW, spelled out of `r.*`.
    Field(Box<ast::Expr>),
}

impl QueryBinder<'_> {
    /// Binds one SELECT.
    ///
    /// `hidden` are further columns behind those of the SELECT list, for an ORDER BY.
    pub(super) fn select(&mut self, select: &ast::Select, hidden: &[&ast::Expr]) -> Result<RelId, SqlError> {
        let span = span_of(select.span());
        refuse_clauses(select, span)?;
        let (mut rel, mut scope) = self.from(select)?;
        self.state_ttl = self.state_ttl_of(select, &scope)?;
        if let Some(tree) = &select.selection {
            if let Some(place) = first_over(tree) {
                return Err(refuse(place, "Windowed aggregate expression is illegal in WHERE clause")
                    .hint("filter by it with QUALIFY, or in the query around it"));
            }
            if let Some(place) = aggregates::first_aggregate(tree) {
                return Err(refuse(place, "Aggregate expression is illegal in WHERE clause").hint("use HAVING"));
            }
            let condition = ExprBinder::new(&scope).bind_condition(tree, "WHERE")?;
            check_divisions(&condition)?;
            rel = self.filter(rel, condition)?;
            for (column, below) in scope.columns.iter_mut().zip(&self.dag.get(rel).columns) {
                column.attribute = below.attribute;
            }
        }
        if let [from] = select.from.as_slice()
            && from.joins.is_empty()
        {
            refuse_ambiguous(&select.projection, &scope)?;
        }
        let mut items = expand(&select.projection, &scope)?;
        let shown = items.len();
        items.extend(hidden.iter().map(|tree| Item::Tree(tree, None)));
        let rel = if self.is_grouped(select, &items)? {
            self.grouped(select, &items, rel, &scope, span)?
        } else {
            self.project(select, &items, rel, &scope, span)?
        };
        if matches!(select.distinct, Some(ast::Distinct::Distinct)) {
            if items.len() > shown {
                return Err(not_supported(span, "ORDER BY what a SELECT DISTINCT does not show")
                    .hint("put it into the SELECT list, or order in a query around it"));
            }
            self.distinct(rel, span)
        } else {
            Ok(rel)
        }
    }

    /// How long the state of `select` is to be kept by its `STATE_TTL` hints.
    fn state_ttl_of(&self, select: &ast::Select, scope: &Scope) -> Result<Option<Duration>, SqlError> {
        let mut ttl = None;
        for hint in self.hints.state_ttls_of(select) {
            if !scope.has_qualifier(&hint.alias) {
                let message = format!(
                    "The options of following hints cannot match the name of input tables or views: \n`{}` in `STATE_TTL`",
                    hint.alias
                );
                let known = scope.columns.iter().filter_map(|column| column.qualifier.as_deref());
                return Err(refuse(hint.span, message).hint_maybe(
                    did_you_mean(&hint.alias, known)
                        .or_else(|| Some("write the name or the alias of a table in FROM".to_owned())),
                ));
            }
            ttl = Some(hint.ttl);
        }
        Ok(ttl)
    }

    fn project(
        &mut self,
        select: &ast::Select,
        items: &[Item<'_>],
        rel: RelId,
        scope: &Scope,
        span: Span,
    ) -> Result<RelId, SqlError> {
        let overs = RefCell::new(Overs::new(&select.named_window));
        let binder = ExprBinder::with_overs(scope, &overs);
        let mut columns = Vec::with_capacity(items.len());
        let mut proctimes = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let name = name_of(item, scope, index);
            let expr = match item {
                Item::Column(at) => Expr::column(*at, scope.columns[*at].data_type.clone()).at(span),
                Item::Field(tree) => binder.bind(tree)?,
                Item::Tree(tree, _) => {
                    if is_proctime(tree) {
                        proctimes.push(index);
                    }
                    binder.bind(tree)?
                }
            };
            check_divisions(&expr)?;
            if expr.data_type.logical == LogicalType::Null {
                return Err(refuse(expr.span, "Illegal use of 'NULL'").hint("write CAST(NULL AS the type)"));
            }
            columns.push((name, expr));
        }
        let qualify = qualify(select, items, &binder)?;
        let calc = self.over_and_calc(rel, columns, qualify, overs.into_inner(), span)?;
        Ok(proctimes.into_iter().fold(calc, |calc, index| self.dag.set_attribute(calc, index, Attribute::ProcTime)))
    }

    /// Puts the OVER calls of a SELECT on `rel`, then QUALIFY, then the projection.
    pub(super) fn over_and_calc(
        &mut self,
        rel: RelId,
        mut columns: Vec<(String, Expr)>,
        mut qualify: Option<Expr>,
        overs: Overs,
        span: Span,
    ) -> Result<RelId, SqlError> {
        let exprs = columns.iter_mut().map(|(_, expr)| expr).chain(&mut qualify);
        let mut rel = self.over(rel, overs, exprs)?;
        if let Some(condition) = qualify {
            rel = self.filter(rel, condition)?;
        }
        Ok(self.dag.calc(rel, None, unique_names(columns), span))
    }
}

/// Binds QUALIFY, which may speak of aliases.
pub(super) fn qualify(
    select: &ast::Select,
    items: &[Item<'_>],
    binder: &ExprBinder<'_>,
) -> Result<Option<Expr>, SqlError> {
    let Some(tree) = &select.qualify else { return Ok(None) };
    let mut tree = tree.clone();
    let aliases = items.iter().filter_map(|item| match item {
        Item::Tree(expr, Some(alias)) => Some((alias.value.as_str(), *expr)),
        _ => None,
    });
    spell_aliases(&mut tree, &aliases.collect::<Vec<_>>());
    let Some(_) = first_over(&tree) else {
        let shown = select.qualify.as_ref().map(ToString::to_string).unwrap_or_default();
        return Err(refuse(
            span_of(tree.span()),
            format!("QUALIFY expression '{shown}' must contain a window function"),
        )
        .hint("use WHERE"));
    };
    let condition = binder.bind_condition(&tree, "QUALIFY")?;
    check_divisions(&condition)?;
    Ok(Some(condition))
}

/// Puts what an alias stands for in its place.
pub(super) fn spell_aliases(tree: &mut ast::Expr, aliases: &[(&str, &ast::Expr)]) {
    struct Speller<'t>(&'t [(&'t str, &'t ast::Expr)]);
    impl VisitorMut for Speller<'_> {
        type Break = ();
        fn post_visit_expr(&mut self, expr: &mut ast::Expr) -> ControlFlow<()> {
            if let ast::Expr::Identifier(name) = expr
                && let Some((_, found)) = self.0.iter().find(|(alias, _)| *alias == name.value)
            {
                *expr = ast::Expr::Nested(Box::new((*found).clone()));
            }
            ControlFlow::Continue(())
        }
    }
    let _ = tree.visit(&mut Speller(aliases));
}

/// Two columns of one name get numbers, as Calcite does: `a`, `a0`.
pub(super) fn unique_names(columns: Vec<(String, Expr)>) -> Vec<(String, Expr)> {
    let mut taken = std::collections::HashSet::new();
    let mut unique = Vec::with_capacity(columns.len());
    for (name, expr) in columns {
        let mut candidate = name.clone();
        let mut number = 0;
        while !taken.insert(candidate.clone()) {
            candidate = format!("{name}{number}");
            number += 1;
        }
        unique.push((candidate, expr));
    }
    unique
}

/// The name of an item: its alias, its column's name, else `EXPR$n`.
pub(super) fn name_of(item: &Item<'_>, scope: &Scope, index: usize) -> String {
    match item {
        Item::Column(at) => scope.columns[*at].name.clone(),
        Item::Tree(_, Some(alias)) => alias.value.clone(),
        Item::Tree(tree, None) => name_of_tree(tree, index),
        Item::Field(tree) => name_of_tree(tree, index),
    }
}

fn name_of_tree(tree: &ast::Expr, index: usize) -> String {
    match tree {
        ast::Expr::Identifier(name) => name.value.clone(),
        ast::Expr::CompoundIdentifier(parts) => {
            parts.last().map_or_else(|| format!("EXPR${index}"), |last| last.value.clone())
        }
        _ => format!("EXPR${index}"),
    }
}

/// Refuses `*` over one relation that has two columns of a name.
fn refuse_ambiguous(projection: &[SelectItem], scope: &Scope) -> Result<(), SqlError> {
    let Some(star) = projection.iter().find(|item| matches!(item, SelectItem::Wildcard(_))) else { return Ok(()) };
    let mut names = std::collections::HashSet::new();
    match scope.columns_of(None).find(|(_, column)| !names.insert(column.name.as_str())) {
        None => Ok(()),
        Some((_, column)) => Err(refuse(span_of(star.span()), format!("Column '{}' is ambiguous", column.name))
            .hint("give the columns different names in the query in FROM")),
    }
}

/// Spells out `*`, `t.*`, and `r.*` for the fields of a ROW.
fn expand<'t>(projection: &'t [SelectItem], scope: &Scope) -> Result<Vec<Item<'t>>, SqlError> {
    let mut items = Vec::with_capacity(projection.len());
    for item in projection {
        let span = span_of(item.span());
        match item {
            SelectItem::UnnamedExpr(tree) => items.push(Item::Tree(tree, None)),
            SelectItem::ExprWithAlias { expr, alias } => {
                check_name(alias)?;
                items.push(Item::Tree(expr, Some(alias)));
            }
            SelectItem::Wildcard(options) => {
                refuse_options(options, span)?;
                items.extend(scope.columns_of(None).map(|(index, _)| Item::Column(index)));
            }
            SelectItem::QualifiedWildcard(ast::SelectItemQualifiedWildcardKind::ObjectName(name), options) => {
                refuse_options(options, span)?;
                let parts: Vec<ast::Ident> = name.0.iter().filter_map(|part| part.as_ident().cloned()).collect();
                // The name of a table counts before that of a column; before it may stand its catalog and database.
                let table = parts.last().map(|last| last.value.as_str()).filter(|last| scope.has_qualifier(last));
                match table {
                    Some(table) if parts.len() == 1 || scope.resolve(&parts).is_err() => {
                        items.extend(scope.columns_of(Some(table)).map(|(index, _)| Item::Column(index)));
                    }
                    _ => items.extend(fields_of(&parts, scope, span)?),
                }
            }
            other => return Err(not_supported(span, format!("'{other}' in a SELECT list"))),
        }
    }
    Ok(items)
}

/// The fields of the ROW that `parts` name, each as `parts.field`.
fn fields_of<'t>(parts: &[ast::Ident], scope: &Scope, span: Span) -> Result<Vec<Item<'t>>, SqlError> {
    let shown = parts.iter().map(|part| part.value.as_str()).collect::<Vec<_>>().join(".");
    if scope.resolve(parts).is_err() {
        return Err(refuse(span, format!("Unknown identifier '{shown}'"))
            .hint("before .* stands the name or alias of a table in FROM, or a column that is a ROW"));
    }
    let row = ExprBinder::new(scope).bind(&ast::Expr::CompoundIdentifier(parts.to_vec()))?;
    let LogicalType::Row(fields) = &row.data_type.logical else {
        return Err(refuse(span, "Not a record type. The '*' operator requires a record")
            .hint("only the name or alias of a table, or a ROW, can stand before .*"));
    };
    let item = |field: &weir_plan::Field| {
        let name = ast::Ident::with_quote_and_span('`', parts[0].span, &field.name);
        let path = parts.iter().cloned().chain([name]).collect();
        Item::Field(Box::new(ast::Expr::CompoundIdentifier(path)))
    };
    Ok(fields.iter().map(item).collect())
}

fn refuse_options(options: &ast::WildcardAdditionalOptions, span: Span) -> Result<(), SqlError> {
    let plain = options.opt_ilike.is_none()
        && options.opt_exclude.is_none()
        && options.opt_except.is_none()
        && options.opt_replace.is_none()
        && options.opt_rename.is_none()
        && options.opt_alias.is_none();
    if plain { Ok(()) } else { Err(not_supported(span, "what stands behind * in this SELECT list")) }
}

fn refuse_clauses(select: &ast::Select, span: Span) -> Result<(), SqlError> {
    if matches!(select.distinct, Some(ast::Distinct::On(_))) {
        return Err(not_supported(span, "SELECT DISTINCT ON (...)").hint("Flink SQL has SELECT DISTINCT"));
    }
    if !select.optimizer_hints.is_empty() {
        return Err(not_supported(span, "a hint behind SELECT"));
    }
    let other = select.top.is_some()
        || select.select_modifiers.is_some()
        || select.exclude.is_some()
        || select.into.is_some()
        || !select.lateral_views.is_empty()
        || select.prewhere.is_some()
        || !select.connect_by.is_empty()
        || !select.cluster_by.is_empty()
        || !select.distribute_by.is_empty()
        || !select.sort_by.is_empty()
        || select.value_table_mode.is_some();
    if other {
        return Err(not_supported(span, "a clause of this SELECT that Flink SQL does not have"));
    }
    Ok(())
}
