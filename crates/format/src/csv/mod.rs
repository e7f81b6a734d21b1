//! CSV: one line a record, columns by their place in the DDL.

mod decode;
mod encode;
mod line;
mod style;

#[cfg(test)]
mod tests;

pub(crate) use decode::CsvDecoder;
pub(crate) use encode::CsvEncoder;
