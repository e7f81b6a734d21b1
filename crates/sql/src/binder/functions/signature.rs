//! One entry of the function table: checks the number and types of arguments, casts them, derives the type of the result.

use weir_base::Span;
use weir_plan::{DataType, Expr, ExprKind, Function, LogicalType};

use crate::binder::expr::cast::implicit_cast;
use crate::binder::refusal::refuse;
use crate::binder::types::{calcite_name, least_common_type};
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
    /// A whole number, cast to BIGINT.
    BigInt,
    /// A number; a whole one is cast to BIGINT, FLOAT to DOUBLE.
    BigIntOrDouble,
    /// A number, cast to DOUBLE.
    Double,
    /// CHAR or VARCHAR, as it is.
    Text,
    /// BOOLEAN
    Boolean,
    /// TIMESTAMP, TIMESTAMP_LTZ, CHAR or VARCHAR
    TimestampOrText,
    /// DATE, TIMESTAMP or TIMESTAMP_LTZ
    DateOrTimestamp,
    /// DATE, TIME, TIMESTAMP, TIMESTAMP_LTZ or an interval
    Datetime,
    /// ARRAY or MAP
    Collection,
}

impl Argument {
    fn takes(self, logical: &LogicalType) -> bool {
        use LogicalType as T;
        if *logical == T::Null {
            return true;
        }
        let timestamp = matches!(logical, T::Timestamp(_) | T::TimestampLtz(_));
        match self {
            Self::Any | Self::Common => true,
            Self::Number | Self::Double | Self::BigIntOrDouble => logical.is_numeric(),
            Self::Int | Self::BigInt => logical.is_integer(),
            Self::Text => logical.is_string(),
            Self::Boolean => *logical == T::Boolean,
            Self::TimestampOrText => timestamp || logical.is_string(),
            Self::DateOrTimestamp => timestamp || *logical == T::Date,
            Self::Datetime => {
                timestamp || matches!(logical, T::Date | T::Time(_) | T::IntervalDayTime | T::IntervalYearMonth)
            }
            Self::Collection => matches!(logical, T::Array(_) | T::Map(..)),
        }
    }

    /// The type an argument of `logical` is cast to; `None`: it stays.
    fn target(self, logical: &LogicalType) -> Option<LogicalType> {
        use LogicalType as T;
        let untyped = *logical == T::Null;
        match self {
            Self::Int => Some(T::Int),
            Self::BigInt => Some(T::BigInt),
            Self::BigIntOrDouble if logical.is_integer() || untyped => Some(T::BigInt),
            Self::BigIntOrDouble if matches!(logical, T::Decimal(..)) => None,
            Self::BigIntOrDouble | Self::Double => Some(T::Double),
            Self::Text if untyped => Some(T::Varchar(weir_plan::LENGTH_MAX)),
            Self::Boolean if untyped => Some(T::Boolean),
            Self::Number if untyped => Some(T::Int),
            Self::TimestampOrText | Self::DateOrTimestamp | Self::Datetime if untyped => Some(T::Timestamp(3)),
            _ => None,
        }
    }

    /// Its name in "Supported form(s)".
    fn family(self) -> &'static str {
        match self {
            Self::Any | Self::Common => "ANY",
            Self::Number | Self::Double | Self::BigIntOrDouble => "NUMERIC",
            Self::Int | Self::BigInt => "INTEGER",
            Self::Text => "CHARACTER",
            Self::Boolean => "BOOLEAN",
            Self::TimestampOrText => "TIMESTAMP",
            Self::DateOrTimestamp | Self::Datetime => "DATETIME",
            Self::Collection => "COLLECTION",
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
        self.check_count(arguments.len(), span)?;
        let rule = |index: usize| self.arguments[index.min(self.arguments.len().saturating_sub(1))];
        if arguments.iter().enumerate().any(|(index, argument)| !rule(index).takes(&argument.data_type.logical)) {
            return Err(self.wrong_types(&arguments, span));
        }
        let common = self.common_type(&arguments, span)?;
        let mut cast = Vec::with_capacity(arguments.len());
        for (index, argument) in arguments.into_iter().enumerate() {
            let target = match rule(index) {
                Argument::Common => common.clone(),
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

    fn common_type(&self, arguments: &[Expr], span: Span) -> Result<Option<LogicalType>, SqlError> {
        if !self.arguments.contains(&Argument::Common) {
            return Ok(None);
        }
        let first = self.arguments.iter().take_while(|argument| **argument != Argument::Common).count();
        let types: Vec<_> = arguments.iter().skip(first).map(|argument| argument.data_type.clone()).collect();
        match least_common_type(&types) {
            Some(common) => Ok(Some(common.logical)),
            None => Err(self.wrong_types(arguments, span)),
        }
    }

    fn check_count(&self, count: usize, span: Span) -> Result<(), SqlError> {
        let most = self.arguments.len();
        let least = most - self.optional;
        if count >= least && (count <= most || self.variadic) {
            return Ok(());
        }
        let expected = match (self.variadic, least == most) {
            (true, _) => format!("at least {least}"),
            (false, true) => least.to_string(),
            (false, false) => format!("{least} to {most}"),
        };
        Err(refuse(
            span,
            format!("Invalid number of arguments to function '{}'. Was expecting {expected} arguments", self.name),
        )
        .hint(format!("supported form(s): {}", self.forms())))
    }

    fn wrong_types(&self, arguments: &[Expr], span: Span) -> SqlError {
        let types: Vec<_> =
            arguments.iter().map(|argument| format!("<{}>", calcite_name(&argument.data_type.logical))).collect();
        let name = self.name;
        let types = types.join(", ");
        refuse(
            span,
            format!(
                "Cannot apply '{name}' to arguments of type '{name}({types})'. Supported form(s): {}",
                self.forms()
            ),
        )
    }

    /// `'F(<CHARACTER>)', 'F(<CHARACTER>, <INTEGER>)'`
    fn forms(&self) -> String {
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
