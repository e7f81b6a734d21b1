//! One entry of the function table, a form of a function: checks the number and types of arguments, casts them, derives the type of the result.
//!
//! Flink has two kinds of functions. For one Calcite checks the arguments: it refuses a bare NULL, and names families of types. For the other
//! the types are inferred: a bare NULL is an argument, and each form is shown with its arguments' names. Errors speak as that kind does.

use weir_base::Span;
use weir_plan::{DataType, Expr, ExprKind, Function, LogicalType};

use crate::binder::expr::cast::implicit_cast;
use crate::binder::refusal::refuse;
use crate::binder::types::{calcite_name, implicit_cast_exists, least_common_type};
use crate::error::SqlError;

/// A function with its rules.
#[derive(Debug)]
pub(in crate::binder) struct Signature {
    /// Its name in upper case.
    pub name: &'static str,
    /// What it becomes in the plan.
    pub function: Function,
    /// What each argument may be; the last ones may be missing.
    pub arguments: &'static [Argument],
    /// How many of `arguments` may be missing at the end.
    pub optional: usize,
    /// Whether the last of `arguments` may be repeated.
    pub variadic: bool,
    /// The type of the result, from the arguments after their casts.
    pub result: fn(&[Expr]) -> DataType,
    /// Last changes to the bound call: defaults of missing arguments, checks of constants.
    pub finish: Option<Finish>,
    /// How Flink shows the form where it infers the arguments' types; None: Calcite checks them.
    pub inferred: Option<&'static str>,
}

/// A last step of binding: sees the cast arguments before the result's type is derived.
pub(in crate::binder) type Finish = fn(&mut Vec<Expr>, Span) -> Result<(), SqlError>;

/// What an argument may be, and what it is cast to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::binder) enum Argument {
    /// Anything, as it is.
    Any,
    /// Anything; all such arguments are cast to their common type.
    Common,
    /// A number, as it is.
    Number,
    /// A whole number, cast to INT.
    Int,
    /// TINYINT, SMALLINT or INT, cast to INT.
    IntOnly,
    /// A whole number, cast to BIGINT.
    BigInt,
    /// A number; a whole one is cast to BIGINT, FLOAT to DOUBLE.
    BigIntOrDouble,
    /// A number, cast to DOUBLE.
    Double,
    /// CHAR or VARCHAR, as it is.
    Text,
    /// BINARY or VARBINARY, as it is.
    Bytes,
    /// CHAR, VARCHAR, BINARY or VARBINARY, as it is.
    TextOrBytes,
    /// A number; all such arguments are cast to their common type.
    CommonNumber,
    /// CHAR or VARCHAR; all such arguments are cast to their common type.
    CommonText,
    /// BINARY or VARBINARY; all such arguments are cast to their common type.
    CommonBytes,
    /// DATE
    Date,
    /// TIME
    Time,
    /// TIMESTAMP
    Timestamp,
    /// TIMESTAMP or TIMESTAMP_LTZ
    TimestampOfAny,
    /// BOOLEAN
    Boolean,
    /// TIMESTAMP, TIMESTAMP_LTZ, CHAR or VARCHAR
    TimestampOrText,
    /// DATE, TIME, TIMESTAMP, TIMESTAMP_LTZ or an interval
    Datetime,
    /// DATE, TIME, TIMESTAMP or TIMESTAMP_LTZ
    TimePoint,
    /// ARRAY or MAP
    Collection,
    /// ARRAY, as it is.
    AnyArray,
    /// MAP, as it is.
    AnyMap,
    /// ARRAY of CHAR or VARCHAR
    TextArray,
    /// What the elements of the first argument can be, cast to their type.
    Element,
    /// ARRAY; all such arguments are cast to their common type.
    CommonArray,
    /// MAP; all such arguments are cast to their common type.
    CommonMap,
}

impl Argument {
    /// Whether it may be of this type, which is not NULL's.
    fn takes(self, logical: &LogicalType) -> bool {
        use LogicalType as T;
        let timestamp = matches!(logical, T::Timestamp(_) | T::TimestampLtz(_));
        match self {
            Self::Any | Self::Common => true,
            Self::Number | Self::Double | Self::BigIntOrDouble | Self::CommonNumber => logical.is_numeric(),
            Self::Int | Self::BigInt => logical.is_integer(),
            Self::IntOnly => logical.is_integer() && *logical != T::BigInt,
            Self::Text | Self::CommonText => logical.is_string(),
            Self::Bytes | Self::CommonBytes => matches!(logical, T::Binary(_) | T::Varbinary(_)),
            Self::TextOrBytes => logical.is_string() || matches!(logical, T::Binary(_) | T::Varbinary(_)),
            Self::Date => *logical == T::Date,
            Self::Time => matches!(logical, T::Time(_)),
            Self::Timestamp => matches!(logical, T::Timestamp(_)),
            Self::TimestampOfAny => timestamp,
            Self::Boolean => *logical == T::Boolean,
            Self::TimestampOrText => timestamp || logical.is_string(),
            Self::TimePoint => timestamp || matches!(logical, T::Date | T::Time(_)),
            Self::Datetime => {
                timestamp || matches!(logical, T::Date | T::Time(_) | T::IntervalDayTime | T::IntervalYearMonth)
            }
            Self::Collection => matches!(logical, T::Array(_) | T::Map(..)),
            Self::AnyArray | Self::CommonArray => matches!(logical, T::Array(_)),
            Self::AnyMap | Self::CommonMap => matches!(logical, T::Map(..)),
            Self::TextArray => matches!(logical, T::Array(element) if element.logical.is_string()),
            // Against the first argument: see `Signature::takes_type`.
            Self::Element => true,
        }
    }

    /// Whether all such arguments are cast to their common type.
    fn is_common(self) -> bool {
        matches!(
            self,
            Self::Common
                | Self::CommonNumber
                | Self::CommonText
                | Self::CommonBytes
                | Self::CommonArray
                | Self::CommonMap
        )
    }

    /// The type an argument of `logical` is cast to; `None`: it stays.
    fn target(self, logical: &LogicalType) -> Option<LogicalType> {
        use LogicalType as T;
        let untyped = *logical == T::Null;
        match self {
            Self::Int | Self::IntOnly => Some(T::Int),
            Self::BigInt => Some(T::BigInt),
            Self::BigIntOrDouble if logical.is_integer() || untyped => Some(T::BigInt),
            Self::BigIntOrDouble if matches!(logical, T::Decimal(..)) => None,
            Self::BigIntOrDouble | Self::Double => Some(T::Double),
            Self::Text if untyped => Some(T::Varchar(weir_plan::LENGTH_MAX)),
            Self::Bytes if untyped => Some(T::Varbinary(weir_plan::LENGTH_MAX)),
            Self::Boolean if untyped => Some(T::Boolean),
            Self::Number if untyped => Some(T::Int),
            Self::TimestampOrText | Self::TimePoint | Self::Datetime if untyped => Some(T::Timestamp(3)),
            _ => None,
        }
    }

    /// Its name in "Supported form(s)".
    fn family(self) -> &'static str {
        match self {
            Self::Any | Self::Common => "ANY",
            Self::Number | Self::Double | Self::BigIntOrDouble | Self::CommonNumber => "NUMERIC",
            Self::Int | Self::IntOnly | Self::BigInt => "INTEGER",
            Self::Text | Self::CommonText => "CHARACTER",
            Self::Bytes | Self::CommonBytes => "BINARY",
            Self::TextOrBytes => "STRING",
            Self::Boolean => "BOOLEAN",
            Self::Date => "DATE",
            Self::Time => "TIME",
            Self::TimestampOrText | Self::Timestamp | Self::TimestampOfAny => "TIMESTAMP",
            Self::TimePoint | Self::Datetime => "DATETIME",
            Self::Collection => "COLLECTION",
            Self::AnyArray | Self::CommonArray => "ARRAY",
            Self::AnyMap | Self::CommonMap => "MAP",
            Self::TextArray => "ARRAY<STRING>",
            Self::Element => "ARRAY ELEMENT",
        }
    }
}

/// The family of a type in "No match found for function signature".
pub(super) fn family_name(logical: &LogicalType) -> String {
    match logical {
        LogicalType::Null => "NULL".to_owned(),
        number if number.is_numeric() => "NUMERIC".to_owned(),
        text if text.is_string() => "CHARACTER".to_owned(),
        LogicalType::Binary(_) | LogicalType::Varbinary(_) => "BINARY".to_owned(),
        LogicalType::Timestamp(_) | LogicalType::TimestampLtz(_) => "TIMESTAMP".to_owned(),
        LogicalType::Time(_) => "TIME".to_owned(),
        other => calcite_name(other),
    }
}

impl Signature {
    /// Makes the call, arguments cast.
    ///
    /// # Errors
    /// When number or types of the arguments do not fit, naming the supported forms.
    pub(in crate::binder) fn bind(&self, arguments: Vec<Expr>, span: Span) -> Result<Expr, SqlError> {
        bind_first(&[self], arguments, span)
    }

    /// What the argument at `index` may be.
    fn rule(&self, index: usize) -> Argument {
        self.arguments[index.min(self.arguments.len().saturating_sub(1))]
    }

    fn takes_count(&self, count: usize) -> bool {
        let most = self.arguments.len();
        count >= most - self.optional && (count <= most || self.variadic)
    }

    fn takes_type(&self, index: usize, arguments: &[Expr]) -> bool {
        let (rule, argument) = (self.rule(index), &arguments[index]);
        if rule == Argument::Element {
            return match &arguments[0].data_type.logical {
                LogicalType::Array(element) => implicit_cast_exists(&argument.data_type.logical, &element.logical),
                _ => true,
            };
        }
        match argument.data_type.logical {
            // Nothing says of what an untyped array or map would be.
            LogicalType::Null if matches!(rule, Argument::AnyArray | Argument::AnyMap | Argument::TextArray) => false,
            LogicalType::Null => self.inferred.is_some() || matches!(rule, Argument::Any | Argument::Common),
            ref logical => rule.takes(logical),
        }
    }

    /// The common type of the arguments that have one; Err where there is none.
    fn common_type(&self, arguments: &[Expr]) -> Result<Option<LogicalType>, ()> {
        if !self.arguments.iter().any(|argument| argument.is_common()) {
            return Ok(None);
        }
        let of_common = arguments.iter().enumerate().filter(|(index, _)| self.rule(*index).is_common());
        let types: Vec<_> = of_common.map(|(_, argument)| argument.data_type.clone()).collect();
        least_common_type(&types).map(|common| Some(common.logical)).ok_or(())
    }

    fn make(&self, arguments: Vec<Expr>, common: Option<&LogicalType>, span: Span) -> Result<Expr, SqlError> {
        let mut cast: Vec<Expr> = Vec::with_capacity(arguments.len());
        for (index, argument) in arguments.into_iter().enumerate() {
            let target = match self.rule(index) {
                rule if rule.is_common() => common.cloned(),
                Argument::Element => match &cast[0].data_type.logical {
                    LogicalType::Array(element) => Some(element.logical.clone()),
                    _ => None,
                },
                other => other.target(&argument.data_type.logical),
            };
            cast.push(match target {
                Some(target) => implicit_cast(argument, &target),
                None => argument,
            });
        }
        if let Some(finish) = self.finish {
            finish(&mut cast, span)?;
        }
        let data_type = (self.result)(&cast);
        Ok(Expr::new(ExprKind::Call(self.function, cast), data_type).at(span))
    }

    /// `'F(<CHARACTER>)' 'F(<CHARACTER>, <INTEGER>)'`, or what Flink shows where it infers the types.
    fn forms(&self) -> String {
        if let Some(shown) = self.inferred {
            return shown.replace('\n', ", ");
        }
        let most = self.arguments.len();
        let forms = (most - self.optional..=most).map(|count| {
            let families: Vec<_> =
                self.arguments[..count].iter().map(|argument| format!("<{}>", argument.family())).collect();
            let more = if self.variadic { ", ..." } else { "" };
            format!("'{}({}{more})'", self.name, families.join(", "))
        });
        forms.collect::<Vec<_>>().join(", ")
    }
}

/// Makes the call by the first of `forms` that takes the arguments.
///
/// # Errors
/// None does.
pub(super) fn bind_first(forms: &[&Signature], arguments: Vec<Expr>, span: Span) -> Result<Expr, SqlError> {
    let mut of_count = forms.iter().filter(|form| form.takes_count(arguments.len())).peekable();
    if of_count.peek().is_none() {
        return Err(wrong_count(forms, &arguments, span));
    }
    for form in of_count {
        if (0..arguments.len()).all(|index| form.takes_type(index, &arguments))
            && let Ok(common) = form.common_type(&arguments)
        {
            if common == Some(LogicalType::Null) {
                return Err(bare_null(&arguments[0]));
            }
            return form.make(arguments, common.as_ref(), span);
        }
    }
    Err(wrong_types(forms, &arguments, span))
}

fn all_forms(forms: &[&Signature]) -> String {
    forms.iter().map(|form| form.forms()).collect::<Vec<_>>().join(", ")
}

fn wrong_count(forms: &[&Signature], arguments: &[Expr], span: Span) -> SqlError {
    let (name, is_inferred) = (forms[0].name, forms[0].inferred.is_some());
    if is_inferred {
        return refuse(span, no_match(name, arguments)).hint(format!("supported signature(s): {}", all_forms(forms)));
    }
    let most = forms.iter().map(|form| form.arguments.len()).max().unwrap_or(0);
    let least = forms.iter().map(|form| form.arguments.len() - form.optional).min().unwrap_or(0);
    let expected = match (forms.iter().any(|form| form.variadic), least == most) {
        (true, _) => format!("at least {least}"),
        (false, true) => least.to_string(),
        (false, false) => format!("{least} to {most}"),
    };
    refuse(span, format!("Invalid number of arguments to function '{name}'. Was expecting {expected} arguments"))
        .hint(format!("supported form(s): {}", all_forms(forms)))
}

/// `No match found for function signature F(<NUMERIC>)`
pub(super) fn no_match(name: &str, arguments: &[Expr]) -> String {
    let types: Vec<_> =
        arguments.iter().map(|argument| format!("<{}>", family_name(&argument.data_type.logical))).collect();
    format!("No match found for function signature {name}({})", types.join(", "))
}

/// A NULL whose type nothing tells.
fn bare_null(null: &Expr) -> SqlError {
    refuse(null.span, "Illegal use of 'NULL'").hint("write CAST(NULL AS the type)")
}

fn wrong_types(forms: &[&Signature], arguments: &[Expr], span: Span) -> SqlError {
    let name = forms[0].name;
    if forms[0].inferred.is_some() {
        let types: Vec<_> = arguments.iter().map(|argument| argument.data_type.to_string()).collect();
        return refuse(span, format!("Invalid function call: {name}({}). Invalid input arguments", types.join(", ")))
            .hint(format!("expected signature(s): {}", all_forms(forms)));
    }
    if let Some(null) = arguments.iter().find(|argument| argument.data_type.logical == LogicalType::Null) {
        return bare_null(null);
    }
    let types: Vec<_> =
        arguments.iter().map(|argument| format!("<{}>", calcite_name(&argument.data_type.logical))).collect();
    refuse(
        span,
        format!(
            "Cannot apply '{name}' to arguments of type '{name}({})'. Supported form(s): {}",
            types.join(", "),
            all_forms(forms)
        ),
    )
}
