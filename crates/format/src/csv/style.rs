//! How lines are written: the options of the format.

use weir_base::{Error, Result};
use weir_plan::{DataType, Field, LogicalType};

use crate::options::FormatOptions;

/// The characters of a CSV dialect.
#[derive(Debug, Clone)]
pub(crate) struct Style {
    /// Between two fields.
    pub delimiter: u8,
    /// Around fields; none if quotes are ordinary characters.
    pub quote: Option<u8>,
    /// Takes the next character as it is.
    pub escape: Option<u8>,
    /// Whether lines that begin with `#` are no records.
    pub comments: bool,
    /// Between two elements of an ARRAY.
    pub element_delimiter: String,
    /// What stands for NULL.
    pub null_literal: Option<String>,
}

impl Style {
    /// The style that `options` say.
    ///
    /// # Errors
    /// Options with wrong values, or that contradict each other.
    pub fn of(options: &FormatOptions<'_>) -> Result<Self> {
        let quote = options.character("quote-character")?;
        let disabled = options.boolean("disable-quote-character", false)?;
        if disabled && quote.is_some() {
            let message = format!(
                "use the format csv: '{}' and '{}' cannot both be given",
                options.key("quote-character"),
                options.key("disable-quote-character")
            );
            return Err(Error::invalid(message).hint("leave one of them out"));
        }
        let element_delimiter = options.text("array-element-delimiter").unwrap_or(";");
        if element_delimiter.is_empty() {
            return Err(options.wrong("array-element-delimiter", "", "at least one character"));
        }
        Ok(Self {
            delimiter: options.character("field-delimiter")?.unwrap_or(b','),
            quote: if disabled { None } else { Some(quote.unwrap_or(b'"')) },
            escape: options.character("escape-character")?,
            comments: options.boolean("allow-comments", false)?,
            element_delimiter: element_delimiter.to_owned(),
            null_literal: options.text("null-literal").map(str::to_owned),
        })
    }

    /// Whether `text` stands for NULL.
    pub fn is_null(&self, text: &str) -> bool {
        self.null_literal.as_deref() == Some(text)
    }
}

/// Refuses types that CSV has no form for: maps, and nesting deeper than one.
///
/// # Errors
/// The column and its type.
pub(crate) fn check_types(fields: &[Field]) -> Result<()> {
    let simple =
        |inner: &DataType| !matches!(inner.logical, LogicalType::Array(_) | LogicalType::Map(..) | LogicalType::Row(_));
    for field in fields {
        let fits = match &field.data_type.logical {
            LogicalType::Map(..) => false,
            LogicalType::Array(element) => simple(element),
            LogicalType::Row(fields) => fields.iter().all(|field| simple(&field.data_type)),
            _ => true,
        };
        if !fits {
            let message = format!("use the format csv: the column '{}' is a {}", field.name, field.data_type);
            return Err(Error::invalid(message).hint("csv holds scalars, and ARRAY and ROW of scalars; use json"));
        }
    }
    Ok(())
}
