//! What an expression is compiled to: a tree of nodes, each a kernel over whole columns.
//!
//! It owns the vocabulary that all kernels share (`Scope`, `Column`, `Kernel`, `Node`, `EvalError`) and the folding of constants. It knows no function.
//! A kernel is handed a scope and gives a column; it may give anything, but no error, for rows that the scope's mask leaves out.

use std::fmt;
use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::{Array as _, ArrayRef, UInt32Array, new_null_array};
use arrow_buffer::BooleanBuffer;
use weir_base::{Error, Span, Timestamp};
use weir_plan::{DataType, LogicalType};

/// A row for which an expression has no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvalError {
    /// The index of the row in its batch, from 0.
    pub row: usize,
    /// What was wrong, in Flink's words where they are known.
    pub message: String,
    /// Where the expression stands in the script.
    pub span: Span,
}

impl fmt::Display for EvalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "evaluate the expression")?;
        if self.span.is_known() {
            write!(f, " at {}", self.span)?;
        }
        write!(f, " for row {} of its batch: {}", self.row, self.message)
    }
}

impl std::error::Error for EvalError {}

impl From<EvalError> for Error {
    fn from(error: EvalError) -> Self {
        Self::invalid(error.to_string()).hint("correct the row or guard the expression (TRY_CAST, CASE, WHERE)")
    }
}

impl EvalError {
    /// `message` for `row`, not yet knowing where the expression stands.
    pub(super) fn new(row: usize, message: impl Into<String>) -> Self {
        Self { row, message: message.into(), span: Span::default() }
    }

    /// The same error, standing at `span` unless a part deeper inside has already said where.
    fn at(mut self, span: Span) -> Self {
        if !self.span.is_known() {
            self.span = span;
        }
        self
    }
}

/// What an evaluation works on.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    /// The input's columns, each of `rows` rows.
    pub(super) columns: &'a [ArrayRef],
    /// The number of rows.
    pub(super) rows: usize,
    /// The processing time.
    pub(super) now: Timestamp,
    /// The rows whose values are wanted; None: all.
    pub(super) mask: Option<&'a BooleanBuffer>,
}

impl<'a> Scope<'a> {
    /// Whether the value for `row` is wanted.
    pub(super) fn is_selected(&self, row: usize) -> bool {
        self.mask.is_none_or(|mask| mask.value(row))
    }

    /// The first row whose value is wanted.
    fn first_selected(&self) -> Option<usize> {
        match self.mask {
            None => (self.rows > 0).then_some(0),
            Some(mask) => mask.set_indices().next(),
        }
    }

    /// The same input with another mask.
    pub(super) fn under(&self, mask: &'a BooleanBuffer) -> Self {
        Self { mask: Some(mask), ..*self }
    }

    /// `rows`, without those that this scope leaves out already.
    pub(super) fn narrow(&self, rows: &BooleanBuffer) -> BooleanBuffer {
        self.mask.map_or_else(|| rows.clone(), |mask| mask & rows)
    }
}

/// A value for every row: an array as long as the input, or one value for all rows.
#[derive(Debug, Clone)]
pub(super) struct Column {
    /// The values; of length 1 for a constant.
    pub(super) array: ArrayRef,
    /// Whether the one value stands for all rows.
    pub(super) is_constant: bool,
}

impl Column {
    /// A column of as many values as the input has rows.
    pub(super) fn of_rows(array: ArrayRef) -> Self {
        Self { array, is_constant: false }
    }

    /// One value for all rows.
    pub(super) fn constant(array: ArrayRef) -> Self {
        Self { array, is_constant: true }
    }

    /// The index of `row`'s value in the array.
    pub(super) fn index(&self, row: usize) -> usize {
        if self.is_constant { 0 } else { row }
    }

    /// Whether the value for `row` is NULL.
    pub(super) fn is_null(&self, row: usize) -> bool {
        self.array.is_null(self.index(row))
    }

    /// The values, as an array of `rows` rows.
    pub(super) fn into_array(self, rows: usize) -> ArrayRef {
        if !self.is_constant {
            return self.array;
        }
        let first = UInt32Array::from(vec![0_u32; rows]);
        arrow_select::take::take(&self.array, &first, None).expect("index 0 of a constant exists")
    }
}

/// Computes a column.
pub(super) trait Kernel: Send + Sync {
    /// The values for the rows of `scope`; for rows outside its mask anything, but no error.
    ///
    /// # Errors
    /// A row inside the mask has no value.
    fn evaluate(&self, scope: &Scope<'_>) -> Result<Column, EvalError>;
}

/// A compiled expression.
pub(super) struct Node {
    kernel: Box<dyn Kernel>,
    /// The type of its values.
    pub(super) data_type: DataType,
    /// Whether a row can fail: such a node must see the mask, the others run over all rows at full speed.
    pub(super) is_fallible: bool,
    /// The one value, where it depends on neither rows nor time.
    pub(super) constant: Option<ArrayRef>,
}

/// A kernel's work on arguments that are already evaluated. If all of them are constants, the scope has one row.
pub(super) type Apply = Box<dyn Fn(&[Column], &Scope<'_>) -> Result<ArrayRef, EvalError> + Send + Sync>;

impl Node {
    /// The text of a constant argument, e.g. a time unit or a pattern; None where it is NULL. `what` names it in the error.
    ///
    /// # Errors
    /// It is not a constant text.
    pub(super) fn constant_text(&self, what: &str) -> weir_base::Result<Option<String>> {
        match (&self.constant, &self.data_type.logical) {
            (Some(array), LogicalType::Char(_) | LogicalType::Varchar(_)) => {
                Ok((!array.is_null(0)).then(|| array.as_string_view().value(0).to_owned()))
            }
            _ => {
                Err(Error::invalid(format!("compile {what}: it is not a constant text")).hint("write it as a literal"))
            }
        }
    }

    /// A node with a kernel of its own.
    pub(super) fn new(kernel: impl Kernel + 'static, data_type: DataType, is_fallible: bool) -> Self {
        Self { kernel: Box::new(kernel), data_type, is_fallible, constant: None }
    }

    /// One value for all rows.
    pub(super) fn literal(array: ArrayRef, data_type: DataType) -> Self {
        let kernel = Box::new(Literal(array.clone()));
        Self { kernel, data_type, is_fallible: false, constant: Some(array) }
    }

    /// The same values under another type of the same Arrow type.
    pub(super) fn retyped(self, data_type: DataType) -> Self {
        Self { data_type, ..self }
    }

    /// `apply` over `arguments`; evaluated once, here, if they are all constants and it does not fail.
    pub(super) fn call(arguments: Vec<Node>, data_type: DataType, span: Span, is_fallible: bool, apply: Apply) -> Self {
        let is_fallible = is_fallible || arguments.iter().any(|argument| argument.is_fallible);
        let is_constant = arguments.iter().all(|argument| argument.constant.is_some());
        let call = Call { arguments, apply, span, data_type: data_type.clone(), is_each_row: false };
        if is_constant {
            let scope = Scope { columns: &[], rows: 1, now: 0, mask: None };
            if let Ok(column) = call.evaluate(&scope) {
                return Self::literal(column.array, data_type);
            }
        }
        Self::new(call, data_type, is_fallible)
    }

    /// As [`Self::call`], but evaluated for each batch even over constants: what looks at the processing time.
    pub(super) fn call_each_batch(
        arguments: Vec<Node>,
        data_type: DataType,
        span: Span,
        is_fallible: bool,
        apply: Apply,
    ) -> Self {
        let is_fallible = is_fallible || arguments.iter().any(|argument| argument.is_fallible);
        let call = Call { arguments, apply, span, data_type: data_type.clone(), is_each_row: false };
        Self::new(call, data_type, is_fallible)
    }

    /// As [`Self::call`], but evaluated for each row even over constants: what is random. It sees the mask.
    pub(super) fn call_each_row(arguments: Vec<Node>, data_type: DataType, span: Span, apply: Apply) -> Self {
        let call = Call { arguments, apply, span, data_type: data_type.clone(), is_each_row: true };
        Self::new(call, data_type, true)
    }

    /// The values for the rows of `scope`; see [`Kernel::evaluate`].
    pub(super) fn evaluate(&self, scope: &Scope<'_>) -> Result<Column, EvalError> {
        self.kernel.evaluate(scope)
    }
}

/// One value for all rows.
struct Literal(ArrayRef);

impl Kernel for Literal {
    fn evaluate(&self, _scope: &Scope<'_>) -> Result<Column, EvalError> {
        Ok(Column::constant(Arc::clone(&self.0)))
    }
}

/// A column of the input.
pub(super) struct InputColumn(pub(super) usize);

impl Kernel for InputColumn {
    fn evaluate(&self, scope: &Scope<'_>) -> Result<Column, EvalError> {
        Ok(Column::of_rows(Arc::clone(&scope.columns[self.0])))
    }
}

/// A function over evaluated arguments.
struct Call {
    arguments: Vec<Node>,
    apply: Apply,
    span: Span,
    data_type: DataType,
    /// Whether each row has a value of its own even where all arguments are constants.
    is_each_row: bool,
}

impl Kernel for Call {
    fn evaluate(&self, scope: &Scope<'_>) -> Result<Column, EvalError> {
        let columns: Vec<Column> =
            self.arguments.iter().map(|argument| argument.evaluate(scope)).collect::<Result<_, _>>()?;
        if self.is_each_row || !columns.iter().all(|column| column.is_constant) {
            let array = (self.apply)(&columns, scope).map_err(|error| error.at(self.span))?;
            return Ok(Column::of_rows(array));
        }
        match (self.apply)(&columns, &Scope { rows: 1, mask: None, ..*scope }) {
            Ok(array) => Ok(Column::constant(array)),
            Err(error) => match scope.first_selected() {
                Some(row) => Err(EvalError { row, ..error }.at(self.span)),
                None => Ok(Column::constant(new_null_array(&self.data_type.arrow(), 1))),
            },
        }
    }
}
