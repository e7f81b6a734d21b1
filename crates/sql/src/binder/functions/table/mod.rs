//! The table of scalar functions, one file for each family, and the look-up over all of them.
//!
//! An entry is one form of a function: a name may have several, which are tried in the order of the table.

mod collection;
mod conditional;
mod encoding;
mod hash;
mod json;
mod math;
mod metric;
mod operators;
mod regexp;
mod text;
mod time;

use std::collections::HashMap;
use std::sync::LazyLock;

use weir_plan::{DataType, Expr, Function};

use super::signature::{Argument, Finish, Signature};

pub(super) use operators::OPERATORS;

/// The type of a result, from the cast arguments.
type ResultRule = fn(&[Expr]) -> DataType;

/// All families.
const FAMILIES: [&[Signature]; 10] = [
    math::FUNCTIONS,
    text::FUNCTIONS,
    regexp::FUNCTIONS,
    hash::FUNCTIONS,
    encoding::FUNCTIONS,
    conditional::FUNCTIONS,
    time::FUNCTIONS,
    collection::FUNCTIONS,
    json::FUNCTIONS,
    metric::FUNCTIONS,
];

/// The forms of each function by its name in upper case.
static BY_NAME: LazyLock<HashMap<&'static str, Vec<&'static Signature>>> = LazyLock::new(|| {
    let mut by_name: HashMap<_, Vec<_>> = HashMap::new();
    for signature in FAMILIES.into_iter().flatten() {
        by_name.entry(signature.name).or_default().push(signature);
    }
    by_name
});

/// The forms of the function called `name`, in any case.
pub(super) fn lookup(name: &str) -> Option<&'static [&'static Signature]> {
    BY_NAME.get(name.to_ascii_uppercase().as_str()).map(Vec::as_slice)
}

/// The names of all functions.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    BY_NAME.keys().copied()
}

/// A function with a fixed number of arguments, which Calcite checks.
const fn fixed(
    name: &'static str,
    function: Function,
    arguments: &'static [Argument],
    result: ResultRule,
) -> Signature {
    Signature { name, function, arguments, optional: 0, variadic: false, result, finish: None, inferred: None }
}

impl Signature {
    /// The last `count` arguments may be missing.
    const fn optional(mut self, count: usize) -> Self {
        self.optional = count;
        self
    }

    /// The last argument may be repeated.
    const fn variadic(mut self) -> Self {
        self.variadic = true;
        self
    }

    /// A last step of binding.
    const fn finish(mut self, finish: Finish) -> Self {
        self.finish = Some(finish);
        self
    }

    /// Flink infers the arguments' types, and shows the form like this. A bare NULL is an argument then.
    const fn inferred(mut self, shown: &'static str) -> Self {
        self.inferred = Some(shown);
        self
    }
}
