//! A place in a JSON text: moves over white space, strings, numbers and whole values, strictly by RFC 8259.
//!
//! One exception, as in Flink: control characters may stand unescaped in strings. It knows nothing of columns. Loads are up to 16 bytes wide
//! and may look beyond the record into the rest of the buffer, never beyond the buffer; what they saw there is never believed.

/// Nesting at most, as in Jackson.
pub(crate) const DEPTH_MAX: u32 = 1000;

/// The text is no JSON; the cursor holds where and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Broken;

/// What a step gives.
pub(crate) type Step<T> = Result<T, Broken>;

/// A place in one record.
pub(crate) struct Cursor<'a> {
    /// The whole buffer that the record lies in.
    pub data: &'a [u8],
    /// The buffer up to the record's end: the same indices as `data`.
    pub text: &'a [u8],
    /// The next byte.
    pub at: usize,
    /// Where and why the text was found to be no JSON.
    pub fault: Option<(usize, &'static str)>,
}

/// A string's raw bytes between its quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Text {
    pub start: usize,
    pub end: usize,
    /// Whether it holds escapes.
    pub escaped: bool,
}

/// A number as written, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Number {
    pub start: usize,
    pub end: usize,
    pub negative: bool,
    /// All digits before the exponent as one number; right only while `digits` <= 19.
    pub mantissa: u64,
    /// Digits before the exponent, leading zeros included.
    pub digits: usize,
    /// Digits behind the point.
    pub fraction: usize,
    /// Whether it has a point or an exponent.
    pub float: bool,
    /// Whether it has an exponent.
    pub exponent: bool,
}

const POWERS: [u64; 9] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

/// The number of ASCII digits at the start of 8 bytes, and their value.
#[inline]
fn leading_digits(chunk: u64) -> (usize, u64) {
    let from_zero = chunk ^ 0x3030_3030_3030_3030;
    let above_nine =
        (((from_zero & 0x7F7F_7F7F_7F7F_7F7F) + 0x7676_7676_7676_7676) | from_zero) & 0x8080_8080_8080_8080;
    let count = (above_nine.trailing_zeros() / 8) as usize;
    if count == 0 {
        return (0, 0);
    }
    // Moved up so that the last digit stands in the highest byte: the bytes that come in from below are leading zeros.
    let digits = from_zero << (64 - 8 * count);
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8);
    let high = (pairs & 0x0000_00FF_0000_00FF).wrapping_mul(0x000F_4240_0000_0064);
    let low = ((pairs >> 16) & 0x0000_00FF_0000_00FF).wrapping_mul(0x0000_2710_0000_0001);
    (count, high.wrapping_add(low) >> 32)
}

impl<'a> Cursor<'a> {
    /// At the start of the record `start..end` of `data`.
    pub fn new(data: &'a [u8], start: usize, end: usize) -> Self {
        Self { data, text: &data[..end], at: start, fault: None }
    }

    /// The byte here, unless the record ends.
    #[inline]
    pub fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// Notes that `what` is wrong here.
    #[cold]
    pub fn fail<T>(&mut self, what: &'static str) -> Step<T> {
        let what = if self.at >= self.text.len() { "the record ends too early" } else { what };
        self.fault = Some((self.at.min(self.text.len()), what));
        Err(Broken)
    }

    /// Moves over white space.
    #[inline]
    pub fn white(&mut self) {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.peek() {
            self.at += 1;
        }
    }

    /// The next byte that is no white space, without moving over it; 0 at the end, where nothing accepts it.
    #[inline]
    pub fn token(&mut self) -> u8 {
        match self.peek() {
            Some(byte) if byte > b' ' => byte,
            Some(_) => {
                self.white();
                self.peek().unwrap_or(0)
            }
            None => 0,
        }
    }

    /// Moves over a string; the cursor stands on its opening quote.
    #[inline]
    pub fn string(&mut self) -> Step<Text> {
        self.at += 1;
        let start = self.at;
        let end = find_special(self.data, start);
        if self.text.get(end) == Some(&b'"') {
            self.at = end + 1;
            return Ok(Text { start, end, escaped: false });
        }
        self.escaped_string(start, end)
    }

    #[cold]
    fn escaped_string(&mut self, start: usize, mut at: usize) -> Step<Text> {
        loop {
            match self.text.get(at) {
                Some(b'"') => {
                    self.at = at + 1;
                    return Ok(Text { start, end: at, escaped: true });
                }
                Some(b'\\') => {
                    self.at = at + 1;
                    at += match self.peek() {
                        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => 2,
                        Some(b'u') => {
                            for _ in 0..4 {
                                self.at += 1;
                                if !self.peek().is_some_and(|byte| byte.is_ascii_hexdigit()) {
                                    return self.fail("expected four hexadecimal digits after '\\u'");
                                }
                            }
                            6
                        }
                        _ => return self.fail("an unknown escape after '\\'"),
                    };
                    at = find_special(self.data, at);
                }
                _ => {
                    self.at = self.text.len();
                    return self.fail("a string is not closed");
                }
            }
        }
    }

    /// Moves over a number; the cursor stands on its sign or first digit.
    #[inline]
    pub fn number(&mut self) -> Step<Number> {
        let start = self.at;
        let negative = self.peek() == Some(b'-');
        self.at += usize::from(negative);
        let first = self.at;
        let mut mantissa = self.digits(0);
        let mut digits = self.at - first;
        if digits == 0 {
            return self.fail("expected a digit");
        }
        if digits > 1 && self.text.get(first) == Some(&b'0') {
            self.at = first + 1;
            return self.fail("a number must not begin with a needless zero");
        }
        let (mut fraction, mut float, mut exponent) = (0, false, false);
        let mut next = self.peek();
        if next == Some(b'.') {
            self.at += 1;
            let point = self.at;
            mantissa = self.digits(mantissa);
            fraction = self.at - point;
            if fraction == 0 {
                return self.fail("expected a digit behind the point");
            }
            digits += fraction;
            float = true;
            next = self.peek();
        }
        if let Some(b'e' | b'E') = next {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            let power = self.at;
            self.digits(0);
            if self.at == power {
                return self.fail("expected a digit in the exponent");
            }
            float = true;
            exponent = true;
        }
        Ok(Number { start, end: self.at, negative, mantissa, digits, fraction, float, exponent })
    }

    /// Moves over digits, appending them to `value`.
    #[inline]
    fn digits(&mut self, mut value: u64) -> u64 {
        while let Some(chunk) = self.data.get(self.at..self.at + 8) {
            let chunk = u64::from_le_bytes(chunk.try_into().expect("the slice has 8 bytes"));
            let (count, digits) = leading_digits(chunk);
            value = value.wrapping_mul(POWERS[count]).wrapping_add(digits);
            self.at += count;
            if count < 8 {
                return value;
            }
        }
        while let Some(byte @ b'0'..=b'9') = self.peek() {
            value = value.wrapping_mul(10).wrapping_add(u64::from(byte - b'0'));
            self.at += 1;
        }
        value
    }

    /// Moves over `true`, `false` or `null`.
    #[inline]
    pub fn literal(&mut self, word: &'static [u8]) -> Step<()> {
        if self.text.get(self.at..self.at + word.len()) != Some(word) {
            return self.fail("expected a value");
        }
        self.at += word.len();
        Ok(())
    }

    /// Moves over the value here, whatever it is; `depth` objects and arrays stand around it.
    pub fn skip(&mut self, depth: u32) -> Step<()> {
        match self.token() {
            b'"' => self.string().map(|_| ()),
            b'{' => self.skip_object(depth + 1),
            b'[' => self.skip_array(depth + 1),
            b't' => self.literal(b"true"),
            b'f' => self.literal(b"false"),
            b'n' => self.literal(b"null"),
            b'-' | b'0'..=b'9' => self.number().map(|_| ()),
            _ => self.fail("expected a value"),
        }
    }

    fn skip_object(&mut self, depth: u32) -> Step<()> {
        self.enter(depth)?;
        if self.token() == b'}' {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.key()?;
            self.skip(depth)?;
            if !self.another(b'}', "expected ',' or '}' after a value")? {
                return Ok(());
            }
        }
    }

    fn skip_array(&mut self, depth: u32) -> Step<()> {
        self.enter(depth)?;
        if self.token() == b']' {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.skip(depth)?;
            if !self.another(b']', "expected ',' or ']' after a value")? {
                return Ok(());
            }
        }
    }

    /// Moves over the bracket that opens an object or array as the `depth`-th one.
    #[inline]
    pub fn enter(&mut self, depth: u32) -> Step<()> {
        if depth > DEPTH_MAX {
            return self.fail("more than 1000 objects and arrays in each other");
        }
        self.at += 1;
        Ok(())
    }

    /// Moves over `"key":`.
    #[inline]
    pub fn key(&mut self) -> Step<Text> {
        if self.token() != b'"' {
            return self.fail("expected a field's name in quotes");
        }
        let name = self.string()?;
        if self.token() != b':' {
            return self.fail("expected ':' after a field's name");
        }
        self.at += 1;
        Ok(name)
    }

    /// Moves over what follows a value: `,` (another one comes) or `close`.
    #[inline]
    pub fn another(&mut self, close: u8, what: &'static str) -> Step<bool> {
        let byte = self.token();
        if byte != b',' && byte != close {
            return self.fail(what);
        }
        self.at += 1;
        Ok(byte == b',')
    }
}

/// The index of the first `"` or `\` at or behind `at`; the buffer's length if there is none.
#[inline]
fn find_special(data: &[u8], mut at: usize) -> usize {
    while let Some(chunk) = data.get(at..at + 16) {
        let found = special_bits(chunk.try_into().expect("the slice has 16 bytes"));
        if found != 0 {
            return at + found.trailing_zeros() as usize;
        }
        at += 16;
    }
    while at < data.len() && !matches!(data[at], b'"' | b'\\') {
        at += 1;
    }
    at
}

/// A bit for each byte that is `"` or `\`.
#[cfg(target_arch = "x86_64")]
#[inline]
fn special_bits(chunk: &[u8; 16]) -> u32 {
    use std::arch::x86_64::{_mm_cmpeq_epi8, _mm_loadu_si128, _mm_movemask_epi8, _mm_or_si128, _mm_set1_epi8};
    const QUOTE: i8 = b'"'.cast_signed();
    const BACKSLASH: i8 = b'\\'.cast_signed();
    // SAFETY: SSE2 is part of every x86-64, and the load reads exactly the 16 bytes of `chunk`. Measured: a scan by 8-byte words costs twice as much.
    unsafe {
        let bytes = _mm_loadu_si128(chunk.as_ptr().cast());
        let quotes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(QUOTE));
        let backslashes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(BACKSLASH));
        _mm_movemask_epi8(_mm_or_si128(quotes, backslashes)).cast_unsigned()
    }
}

/// A bit for each byte that is `"` or `\`.
#[cfg(not(target_arch = "x86_64"))]
#[inline]
fn special_bits(chunk: &[u8; 16]) -> u32 {
    chunk.iter().enumerate().fold(0, |bits, (index, byte)| bits | (u32::from(matches!(byte, b'"' | b'\\')) << index))
}
