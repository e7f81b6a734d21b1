//! The options of a format within a table's options: `json.ignore-parse-errors`, or `value.json.ignore-parse-errors`.

use weir_base::{Error, Result};
use weir_plan::{FormatSpec, OptionSpec, OptionType, TableOptions};

/// A format's options: a view of the table's with the prefix that belongs to the format.
pub(crate) struct FormatOptions<'a> {
    table: &'a TableOptions,
    prefix: String,
}

impl<'a> FormatOptions<'a> {
    /// The options of `format` that stand under `prefix` (`""`, `"value."`, `"key."`).
    pub fn new(table: &'a TableOptions, prefix: &str, format: &str) -> Self {
        Self { table, prefix: format!("{prefix}{format}.") }
    }

    /// The full key of an option.
    pub fn key(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    /// The value of an option as written.
    pub fn text(&self, key: &str) -> Option<&'a str> {
        self.table.get(&self.key(key))
    }

    /// The value of a boolean option, `default` if it is not given.
    ///
    /// # Errors
    /// It is neither `true` nor `false`.
    pub fn boolean(&self, key: &str, default: bool) -> Result<bool> {
        match self.text(key) {
            None => Ok(default),
            Some(value) if value.eq_ignore_ascii_case("true") => Ok(true),
            Some(value) if value.eq_ignore_ascii_case("false") => Ok(false),
            Some(value) => Err(self.wrong(key, value, "true or false")),
        }
    }

    /// The index in `words` of an option's value, in any case; 0 if it is not given.
    ///
    /// # Errors
    /// It is none of them.
    pub fn one_of(&self, key: &str, words: &'static [&'static str]) -> Result<usize> {
        let Some(value) = self.text(key) else { return Ok(0) };
        let found = words.iter().position(|word| word.eq_ignore_ascii_case(value));
        found.ok_or_else(|| self.wrong(key, value, &words.join(" or ")))
    }

    /// The value of an option that is one character; Flink's `\t` and the like are understood.
    ///
    /// # Errors
    /// It is more than one character, or none that fits in a byte.
    pub fn character(&self, key: &str) -> Result<Option<u8>> {
        let Some(value) = self.text(key) else { return Ok(None) };
        let byte = match value {
            "\\t" => b'\t',
            "\\n" => b'\n',
            "\\r" => b'\r',
            "\\\\" => b'\\',
            _ => match value.as_bytes() {
                [byte] => *byte,
                _ => return Err(self.wrong(key, value, "one ASCII character")),
            },
        };
        Ok(Some(byte))
    }

    /// An error about an option's value.
    pub fn wrong(&self, key: &str, value: &str, wanted: &str) -> Error {
        Error::invalid(format!("read the option '{}' = '{value}': it must be {wanted}", self.key(key)))
    }
}

const fn option(key: &'static str, value: OptionType, help: &'static str) -> OptionSpec {
    OptionSpec { key, value, required: false, help }
}

/// The formats that there are, with their options.
pub fn specs() -> Vec<FormatSpec> {
    use OptionType::{Boolean, OneOf, Text};
    let ignore =
        option("ignore-parse-errors", Boolean, "Sets bad records aside and bad fields to NULL rather than fail.");
    let json = vec![
        option("fail-on-missing-field", Boolean, "Fails when a record has not all fields."),
        ignore,
        option("timestamp-format.standard", OneOf(&["SQL", "ISO-8601"]), "How timestamps are written."),
        option("map-null-key.mode", OneOf(&["FAIL", "DROP", "LITERAL"]), "What is done with a NULL key of a MAP."),
        option("map-null-key.literal", Text, "What is written for a NULL key in mode LITERAL."),
        option("encode.decimal-as-plain-number", Boolean, "Writes DECIMAL without an exponent."),
        option("encode.ignore-null-fields", Boolean, "Leaves fields out that are NULL."),
        option("decode.json-parser.enabled", Boolean, "Flink's choice of a parser; Weir has one."),
    ];
    let csv = vec![
        option("field-delimiter", Text, "The character between two fields."),
        option("disable-quote-character", Boolean, "Takes quotes as ordinary characters."),
        option("quote-character", Text, "The character around fields."),
        option("allow-comments", Boolean, "Skips lines that begin with '#'."),
        ignore,
        option("array-element-delimiter", Text, "The text between two elements of an ARRAY."),
        option("escape-character", Text, "The character that takes the next one as it is."),
        option("null-literal", Text, "The text that stands for NULL."),
        option("write-bigdecimal-in-scientific-notation", Boolean, "Without effect, as in Flink 2.3."),
    ];
    let raw = vec![
        option("charset", OneOf(&["UTF-8"]), "The encoding of text."),
        option("endianness", OneOf(&["big-endian", "little-endian"]), "The order of the bytes of a number."),
    ];
    vec![
        FormatSpec { identifier: "json", options: json },
        FormatSpec { identifier: "csv", options: csv },
        FormatSpec { identifier: "raw", options: raw },
    ]
}
