//! A script walked in order: DDL fills the catalog (`tables`), SET the settings, SHOW and DESCRIBE become text (`show`), each query a plan.

mod listing;
mod show;
mod tables;

use std::collections::BTreeMap;

use weir_base::Span;
use weir_plan::JobGraph;

use crate::binder::TypedColumn;
use crate::environment::{Environment, Program, Step};
use crate::error::SqlResult;
use crate::{Catalog, Insert, Query, Settings, SqlError, Statement, StatementKind, binder, parse, script, views};

/// Stack for parsing and planning: bounds on nesting keep a script within a part of it, on any thread that calls.
const STACK_BYTES: usize = 64 << 20;

/// Plans a script.
///
/// # Errors
/// Fails, with the place, on the first statement that cannot be read or planned. Nothing has been started then.
pub fn compile(text: &str, environment: &Environment<'_>) -> SqlResult<Program> {
    stacker::grow(STACK_BYTES, || compile_here(text, environment))
}

/// Where a script stands between two statements.
struct Session<'e, 'a> {
    environment: &'e Environment<'a>,
    catalog: Catalog,
    settings: Settings,
    steps: Vec<Step>,
}

fn compile_here(text: &str, environment: &Environment<'_>) -> SqlResult<Program> {
    check_overrides(environment)?;
    let statements = parse::parse_script(script::read(text, environment.variables)?)?;
    let mut overrides = environment.overrides.clone();
    if let Some(parallelism) = environment.parallelism {
        overrides.insert("parallelism.default".to_owned(), parallelism.to_string());
    }
    let settings = Settings::new(environment.defaults, &overrides);
    let mut session = Session { environment, catalog: Catalog::new(), settings, steps: Vec::new() };
    for statement in statements {
        session.run(statement)?;
    }
    Ok(Program { steps: session.steps })
}

fn check_overrides(environment: &Environment<'_>) -> SqlResult<()> {
    environment.overrides.iter().try_for_each(|(key, value)| {
        check_key(key, Span::default(), environment)
            .and_then(|()| check_value(key, value, Span::default(), environment))
            .map_err(|error| SqlError { message: format!("-D {key}: {}", error.message), ..error })
    })
}

fn check_key(key: &str, span: Span, environment: &Environment<'_>) -> SqlResult<()> {
    if (environment.setting_known)(key) {
        return Ok(());
    }
    let suggestion = (environment.setting_suggestion)(key).map(|near| format!("did you mean '{near}'?"));
    Err(SqlError::new(span, format!("there is no setting '{key}'"))
        .hint(suggestion.unwrap_or_else(|| "see the configuration reference for the keys there are".to_owned())))
}

fn check_value(key: &str, value: &str, span: Span, environment: &Environment<'_>) -> SqlResult<()> {
    match (environment.setting_wrong)(key, value) {
        Some((message, hint)) => Err(SqlError::new(span, message).hint(hint)),
        None => Ok(()),
    }
}

impl Session<'_, '_> {
    fn run(&mut self, statement: Statement) -> SqlResult<()> {
        let span = statement.span;
        match &statement.kind {
            StatementKind::CreateTable(create) => match self.create_table(create, span)? {
                Some(insert) => self.job(std::slice::from_ref(&insert), span),
                None => Ok(()),
            },
            StatementKind::CreateView(create) => self.create_view(create),
            StatementKind::CreateCatalog { .. }
            | StatementKind::CreateDatabase { .. }
            | StatementKind::AlterDatabase(..)
            | StatementKind::UseCatalog(_)
            | StatementKind::UseDatabase(_) => self.change_catalogs(&statement),
            StatementKind::Drop(dropped) => self.drop(dropped),
            StatementKind::AlterTable { name, if_exists, change } => self.alter_table(name, *if_exists, change),
            StatementKind::AlterView { name, if_exists, change } => self.alter_view(name, *if_exists, change),
            StatementKind::Set { key, key_span, value, value_span } => {
                check_key(key, *key_span, self.environment)?;
                check_value(key, value, *value_span, self.environment)?;
                self.settings.set(key, value, *value_span);
                Ok(())
            }
            StatementKind::Reset(None) => {
                self.settings.reset(None);
                Ok(())
            }
            StatementKind::Reset(Some((key, key_span))) => {
                check_key(key, *key_span, self.environment)?;
                self.settings.reset(Some(key));
                Ok(())
            }
            StatementKind::Insert(insert) => self.job(std::slice::from_ref(&**insert), span),
            StatementKind::StatementSet(inserts) => self.job(inserts, span),
            StatementKind::Select(query) => {
                let graph = self.plan_query(query).map_err(|error| error.at(span))?;
                self.steps.push(Step::Query { graph, settings: self.settings.in_force() });
                Ok(())
            }
            StatementKind::Explain(details, inner) => {
                let (graph, tree) = self.plan(inner).map_err(|error| error.at(span))?;
                self.show(crate::explain::statement(&graph, &tree, *details))
            }
            StatementKind::ShowSettings => {
                let in_force = self.settings.in_force();
                let rows: Vec<Vec<String>> = in_force.into_iter().map(|(key, value)| vec![key, value]).collect();
                self.show(listing::table(&["key", "value"], &rows))
            }
            StatementKind::Show(show) => {
                let text = self.shown(show).map_err(|error| error.at(span))?;
                self.show(text)
            }
            StatementKind::Describe(described) => {
                let text = self.described(described).map_err(|error| error.at(span))?;
                self.show(text)
            }
        }
    }

    fn show(&mut self, text: String) -> SqlResult<()> {
        self.steps.push(Step::Text(text));
        Ok(())
    }

    fn job(&mut self, inserts: &[Insert], span: Span) -> SqlResult<()> {
        let graph = self.plan_inserts(inserts).map_err(|error| error.at(span))?;
        let settings: BTreeMap<String, String> = self.settings.in_force();
        self.steps.push(Step::Job { graph, settings });
        Ok(())
    }

    /// The plan and the syntax tree of a statement that EXPLAIN takes.
    fn plan(&self, statement: &Statement) -> SqlResult<(JobGraph, String)> {
        match &statement.kind {
            StatementKind::Insert(insert) => self.explained(std::slice::from_ref(&**insert)),
            StatementKind::StatementSet(inserts) => self.explained(inserts),
            StatementKind::Select(query) => {
                let graph = self.plan_query(query)?;
                let tree = binder::tree_of_query(&self.catalog, &self.settings, self.environment, query)?;
                Ok((graph, tree))
            }
            StatementKind::CreateTable(create) => self.explained_create(create, statement.span),
            _ => Err(SqlError::new(statement.span, "EXPLAIN takes a query, an INSERT or a statement set")),
        }
    }

    fn explained(&self, inserts: &[Insert]) -> SqlResult<(JobGraph, String)> {
        let graph = self.plan_inserts(inserts)?;
        let tree = binder::tree_of_inserts(&self.catalog, &self.settings, self.environment, inserts)?;
        Ok((graph, tree))
    }

    fn plan_inserts(&self, inserts: &[Insert]) -> SqlResult<JobGraph> {
        for insert in inserts {
            views::check_query(&self.catalog, &insert.query)?;
        }
        binder::plan_inserts(&self.catalog, &self.settings, self.environment, inserts).map(|graph| self.named(graph))
    }

    fn plan_query(&self, query: &Query) -> SqlResult<JobGraph> {
        views::check_query(&self.catalog, query)?;
        binder::plan_select(&self.catalog, &self.settings, self.environment, query).map(|graph| self.named(graph))
    }

    /// The columns that `query` gives.
    fn query_columns(&self, query: &Query) -> SqlResult<Vec<TypedColumn>> {
        views::check_query(&self.catalog, query)?;
        binder::columns_of_query(&self.catalog, &self.settings, self.environment, query)
    }

    /// The graph with the name of the job where no setting names it.
    fn named(&self, mut graph: JobGraph) -> JobGraph {
        self.settings.get("pipeline.name").unwrap_or(self.environment.job_name).clone_into(&mut graph.name);
        graph
    }
}
