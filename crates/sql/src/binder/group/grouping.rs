//! What GROUP BY names: expressions, grouping sets of them, and the window of a legacy group window.

use std::collections::BTreeSet;

use sqlparser::ast::{self, Spanned as _};
use weir_base::Span;
use weir_plan::Expr;

use super::legacy::{LegacyWindow, is_group_window, legacy_window};
use crate::binder::aggregates::first_aggregate;
use crate::binder::expr::ExprBinder;
use crate::binder::refusal::{not_supported, refuse};
use crate::binder::rel::key_of_expr;
use crate::binder::scope::Scope;
use crate::error::{SqlError, span_of};

/// Grouping sets at most: each row is given once for each of them.
const GROUPING_SETS_MAX: usize = 256;

/// Expressions of grouping sets at most: far more than anybody writes, and the sets' numbers have room for them.
const SET_EXPRESSIONS_MAX: usize = 40;

/// The grouping expressions of a SELECT, over its scope.
#[derive(Default)]
pub(super) struct Grouping {
    /// All of them, equal ones once.
    pub exprs: Vec<Expr>,
    /// Which of them each grouping set has, with the number that tells the sets apart; one set with all where nothing else is said.
    pub sets: Vec<GroupingSet>,
    /// The window function in GROUP BY.
    pub window: Option<LegacyWindow>,
}

/// A grouping set.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct GroupingSet {
    /// A bit for each expression that the set lacks, the last expression's the lowest; sets that are there twice differ above.
    pub id: i64,
    /// The expressions it has.
    pub exprs: BTreeSet<usize>,
}

impl Grouping {
    /// Binds GROUP BY over `scope`.
    pub(super) fn bind(trees: &[ast::Expr], scope: &Scope) -> Result<Self, SqlError> {
        let mut grouping = Self::default();
        let mut sets = vec![BTreeSet::new()];
        for tree in trees {
            let more = grouping.element(tree, scope)?;
            if sets.len().saturating_mul(more.len()) > GROUPING_SETS_MAX {
                return Err(not_supported(
                    span_of(tree.span()),
                    format!("GROUP BY with more than {GROUPING_SETS_MAX} grouping sets"),
                ));
            }
            sets = sets.iter().flat_map(|set| more.iter().map(move |other| set | other)).collect();
        }
        // The number of a set has a bit for each expression.
        if sets.len() > 1 && grouping.exprs.len() > SET_EXPRESSIONS_MAX {
            let span = trees.first().map_or_else(Span::default, |tree| span_of(tree.span()));
            return Err(not_supported(span, format!("grouping sets over more than {SET_EXPRESSIONS_MAX} expressions")));
        }
        grouping.sets = grouping.numbered(sets);
        Ok(grouping)
    }

    /// Plain grouping by `exprs`, equal ones once.
    pub(super) fn plain(exprs: Vec<Expr>) -> Self {
        let mut grouping = Self::default();
        let places: BTreeSet<usize> = exprs.into_iter().map(|expr| grouping.place(expr)).collect();
        grouping.sets = vec![GroupingSet { id: 0, exprs: places }];
        grouping
    }

    /// Whether there is no GROUP BY: all rows are one group, even if there are none.
    pub(super) fn is_whole(&self) -> bool {
        self.window.is_none() && matches!(self.sets.as_slice(), [set] if set.exprs.is_empty())
    }

    /// Whether rows are grouped in more than one way.
    pub(super) fn has_sets(&self) -> bool {
        self.sets.len() > 1
    }

    /// Whether all sets have the expression at `index`.
    pub(super) fn always(&self, index: usize) -> bool {
        self.sets.iter().all(|set| set.exprs.contains(&index))
    }

    fn numbered(&self, sets: Vec<BTreeSet<usize>>) -> Vec<GroupingSet> {
        if let [exprs] = sets.as_slice() {
            return vec![GroupingSet { id: 0, exprs: exprs.clone() }];
        }
        let width = self.exprs.len();
        let lacks = |set: &BTreeSet<usize>| {
            (0..width).filter(|index| !set.contains(index)).fold(0_i64, |id, index| id | 1 << (width - 1 - index))
        };
        let mut numbered: Vec<GroupingSet> =
            sets.into_iter().map(|exprs| GroupingSet { id: lacks(&exprs), exprs }).collect();
        numbered.sort();
        let mut copies = 0;
        for index in 1..numbered.len() {
            copies = if numbered[index].exprs == numbered[index - 1].exprs { copies + 1 } else { 0 };
            numbered[index].id += copies << width;
        }
        numbered
    }

    /// The sets that one element of GROUP BY stands for.
    fn element(&mut self, tree: &ast::Expr, scope: &Scope) -> Result<Vec<BTreeSet<usize>>, SqlError> {
        let span = span_of(tree.span());
        match tree {
            ast::Expr::Rollup(parts) => {
                let parts = self.parts(parts, scope)?;
                Ok((0..=parts.len()).rev().map(|length| parts[..length].iter().flatten().copied().collect()).collect())
            }
            ast::Expr::Cube(parts) => {
                let parts = self.parts(parts, scope)?;
                if parts.len() > GROUPING_SETS_MAX.ilog2() as usize {
                    return Err(not_supported(
                        span,
                        format!("GROUP BY with more than {GROUPING_SETS_MAX} grouping sets"),
                    ));
                }
                let chosen = |mask: usize| {
                    let parts = parts.iter().enumerate().filter(move |(index, _)| mask & (1 << index) == 0);
                    parts.flat_map(|(_, part)| part).copied().collect()
                };
                Ok((0..1_usize << parts.len()).map(chosen).collect())
            }
            ast::Expr::GroupingSets(parts) => {
                let mut sets = Vec::new();
                for part in parts {
                    match part.as_slice() {
                        [inner @ (ast::Expr::Rollup(_) | ast::Expr::Cube(_) | ast::Expr::GroupingSets(_))] => {
                            sets.extend(self.element(inner, scope)?);
                        }
                        [ast::Expr::Function(function)] if is_nested(function) => {
                            return Err(not_supported(
                                span_of(function.span()),
                                format!("{} inside GROUPING SETS", function.name),
                            )
                            .hint("write its sets out: ROLLUP(a, b) is (a, b), (a), ()"));
                        }
                        part => sets.push(self.set(part, scope)?),
                    }
                }
                Ok(sets)
            }
            ast::Expr::Tuple(parts) => Ok(vec![self.set(parts, scope)?]),
            ast::Expr::Nested(inner) => self.element(inner, scope),
            ast::Expr::Function(function) if is_group_window(function) => {
                if self.window.is_some() {
                    return Err(refuse(span, "Only a single window group function may be used in GROUP BY"));
                }
                self.window = Some(legacy_window(function, scope, span)?);
                Ok(vec![BTreeSet::new()])
            }
            _ => Ok(vec![BTreeSet::from([self.expression(tree, scope, span)?])]),
        }
    }

    fn parts(&mut self, parts: &[Vec<ast::Expr>], scope: &Scope) -> Result<Vec<BTreeSet<usize>>, SqlError> {
        parts.iter().map(|part| self.set(part, scope)).collect()
    }

    fn set(&mut self, trees: &[ast::Expr], scope: &Scope) -> Result<BTreeSet<usize>, SqlError> {
        trees.iter().map(|tree| self.expression(tree, scope, span_of(tree.span()))).collect()
    }

    /// The number of an expression.
    fn expression(&mut self, tree: &ast::Expr, scope: &Scope, span: Span) -> Result<usize, SqlError> {
        let expr = match tree {
            ast::Expr::Function(function) if is_group_window(function) => {
                return Err(not_supported(span, "a group window inside GROUPING SETS, ROLLUP or CUBE")
                    .hint("write FROM TABLE(TUMBLE(...)) GROUP BY window_start, window_end, ROLLUP(...)"));
            }
            _ => {
                if let Some(place) = first_aggregate(tree) {
                    return Err(refuse(place, "Aggregate expression is illegal in GROUP BY clause")
                        .hint("aggregate in a query below"));
                }
                ExprBinder::new(scope).bind(tree)?
            }
        };
        Ok(self.place(expr))
    }

    /// The number of `expr`, which is added if it is new.
    fn place(&mut self, expr: Expr) -> usize {
        let key = key_of_expr(&expr);
        self.exprs.iter().position(|known| key_of_expr(known) == key).unwrap_or_else(|| {
            self.exprs.push(expr);
            self.exprs.len() - 1
        })
    }
}

/// Whether a call inside GROUPING SETS is the word ROLLUP or CUBE, which the parser does not know there.
fn is_nested(function: &ast::Function) -> bool {
    let name = function.name.to_string();
    ["ROLLUP", "CUBE"].iter().any(|word| name.eq_ignore_ascii_case(word))
}
