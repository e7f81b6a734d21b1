//! Hashes of texts and bytes.

use weir_plan::Function as F;

use super::super::results as r;
use super::super::signature::Argument::{Boolean, Date, Int, Number, Text, TextOrBytes, Time, Timestamp};
use super::super::signature::Signature;
use super::fixed;

/// The family.
#[rustfmt::skip]
pub(super) const FUNCTIONS: &[Signature] = &[
    fixed("MD5", F::Md5, &[TextOrBytes], r::hex_32),
    fixed("SHA1", F::Sha1, &[TextOrBytes], r::hex_40),
    fixed("SHA224", F::Sha224, &[TextOrBytes], r::hex_56),
    fixed("SHA256", F::Sha256, &[TextOrBytes], r::hex_64),
    fixed("SHA384", F::Sha384, &[TextOrBytes], r::hex_96),
    fixed("SHA512", F::Sha512, &[TextOrBytes], r::hex_128),
    fixed("SHA2", F::Sha2, &[TextOrBytes, Int], r::hex_up_to_128),
    fixed("HASH_CODE", F::HashCode, &[Boolean], r::int),
    fixed("HASH_CODE", F::HashCode, &[Number], r::int),
    fixed("HASH_CODE", F::HashCode, &[Text], r::int),
    fixed("HASH_CODE", F::HashCode, &[Timestamp], r::int),
    fixed("HASH_CODE", F::HashCode, &[Time], r::int),
    fixed("HASH_CODE", F::HashCode, &[Date], r::int),
];
