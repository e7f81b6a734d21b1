//! JSON: one object a record.

mod compact;
mod cursor;
mod decode;
mod encode;
mod escape;
mod keys;
mod unescape;
mod value;

#[cfg(test)]
mod tests;

pub(crate) use decode::{JsonDecoder, unreadable};
pub(crate) use encode::JsonEncoder;
pub(crate) use keys::Keys;
