//! Other writings of a value: digits of another base, base 64, charsets, URLs, addresses.

use weir_plan::Function as F;

use super::super::results as r;
use super::super::signature::Argument::{BigInt, Bytes, Text, TextOrBytes};
use super::super::signature::Signature;
use super::fixed;

/// The family.
#[rustfmt::skip]
pub(super) const FUNCTIONS: &[Signature] = &[
    fixed("BIN", F::Bin, &[BigInt], r::string),
    fixed("HEX", F::Hex, &[BigInt], r::string),
    fixed("HEX", F::Hex, &[Text], r::string),
    fixed("UNHEX", F::Unhex, &[Text], r::bytes_nullable).inferred("UNHEX(expr <CHARACTER_STRING>)"),
    fixed("TO_BASE64", F::ToBase64, &[TextOrBytes], r::string),
    fixed("FROM_BASE64", F::FromBase64, &[TextOrBytes], r::string),
    fixed("ENCODE", F::Encode, &[Text, Text], r::bytes),
    fixed("DECODE", F::Decode, &[Bytes, Text], r::string),
    fixed("URL_ENCODE", F::UrlEncode, &[Text], r::string_nullable).inferred("URL_ENCODE(<CHARACTER_STRING>)"),
    fixed("URL_DECODE", F::UrlDecode, &[Text], r::string_nullable).inferred("URL_DECODE(<CHARACTER_STRING>)"),
    fixed("PARSE_URL", F::ParseUrl, &[Text, Text], r::string_nullable),
    fixed("PARSE_URL", F::ParseUrl, &[Text, Text, Text], r::string_nullable),
    fixed("INET_ATON", F::InetAton, &[Text], r::bigint_nullable).inferred("INET_ATON(<CHARACTER_STRING>)"),
    fixed("INET_NTOA", F::InetNtoa, &[BigInt], r::string_nullable).inferred("INET_NTOA(<INTEGER_NUMERIC>)"),
];
