//! JSON's numbers as Java writes them: integers as they are, all others as BigDecimal's text.

use std::fmt::Write;

/// Appends a number of JSON's grammar.
pub(super) fn write_number(text: &str, out: &mut String) {
    if text == "-0" {
        out.push('0');
        return;
    }
    if !text.contains(['.', 'e', 'E']) {
        out.push_str(text);
        return;
    }
    let (sign, unsigned) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let (Ok(exponent), Ok(places)) = (exponent.parse::<i64>(), i64::try_from(fraction.len())) else {
        out.push_str(text);
        return;
    };
    let all = [whole, fraction].concat();
    let digits = all.trim_start_matches('0');
    let digits = if digits.is_empty() { "0" } else { digits };
    let scale = places - exponent;
    let count = i64::try_from(digits.len()).unwrap_or(i64::MAX);
    let adjusted = count - 1 - scale;
    if digits != "0" || scale != 0 {
        out.push_str(if digits == "0" { "" } else { sign });
    }
    if scale >= 0 && adjusted >= -6 {
        plain(digits, usize::try_from(scale).unwrap_or(0), out);
        return;
    }
    let (first, more) = digits.split_at(1);
    out.push_str(first);
    if !more.is_empty() {
        let _ = write!(out, ".{more}");
    }
    if adjusted != 0 {
        let _ = write!(out, "E{adjusted:+}");
    }
}

/// Digits with `scale` of them behind the point.
fn plain(digits: &str, scale: usize, out: &mut String) {
    if scale == 0 {
        out.push_str(digits);
    } else if digits.len() > scale {
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        let _ = write!(out, "{whole}.{fraction}");
    } else {
        out.push_str("0.");
        out.extend(std::iter::repeat_n('0', scale - digits.len()));
        out.push_str(digits);
    }
}
