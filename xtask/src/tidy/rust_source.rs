//! A rough reader of Rust: comments and literals blanked, test items blanked, functions measured. Not a parser: it
//! matches brackets in what is left of the code, which is enough for rules of style and needs no dependency.

/// A Rust file, read. The blanked texts keep their line breaks, so that lines keep their numbers.
pub struct RustSource<'a> {
    text: &'a str,
    code: String,
    code_without_tests: String,
}

/// One function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// The line of its `fn`, counted from 1.
    pub line: usize,
    /// Its length, from `fn` to the closing brace.
    pub lines: usize,
}

impl<'a> RustSource<'a> {
    /// Reads a file's text.
    pub fn read(text: &'a str) -> Self {
        let code = code_of(text);
        let code_without_tests = without_tests(&code);
        Self { text, code, code_without_tests }
    }

    /// The code, comments and literals blanked.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The code, test items blanked as well.
    pub fn code_without_tests(&self) -> &str {
        &self.code_without_tests
    }

    /// Whether the file opens with `//!`; plain comments and inner attributes may stand before it.
    pub fn has_header(&self) -> bool {
        let mut lines = self.text.lines().map(str::trim).filter(|line| !line.is_empty());
        let first = lines.find(|line| {
            let is_aside = line.starts_with("#![") || (line.starts_with("//") && !line.starts_with("//!"));
            !is_aside
        });
        first.is_some_and(|line| line.starts_with("//!"))
    }

    /// Lines of the file, those of test items left out.
    pub fn lines_without_tests(&self) -> usize {
        let tests: usize = test_items(&self.code).iter().map(|(from, to)| breaks(&self.code, *from, *to)).sum();
        self.text.trim_end().lines().count().saturating_sub(tests)
    }

    /// The functions that are no tests.
    pub fn functions_without_tests(&self) -> Vec<Function> {
        functions(&self.code_without_tests)
    }
}

/// `text` with comments and the insides of literals blanked.
fn code_of(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = token_end(bytes, at);
        match end {
            Some(end) => {
                blank(&mut out, at, end);
                at = end;
            }
            None => at += 1,
        }
    }
    // Whole tokens are blanked, and they begin and end at characters: what is left is UTF-8.
    String::from_utf8_lossy(&out).into_owned()
}

/// The end of the comment or literal that begins at `at`; `None` if none does.
fn token_end(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = bytes.get(at..)?;
    let is_word_before = at > 0 && bytes.get(at - 1).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    if rest.starts_with(b"//") {
        return Some(at + rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len()));
    }
    if rest.starts_with(b"/*") {
        return Some(at + block_comment_bytes(rest));
    }
    if !is_word_before && let Some(bytes) = raw_string_bytes(rest) {
        return Some(at + bytes);
    }
    match rest.first()? {
        b'"' => Some(at + quoted_bytes(rest, b'"')),
        b'\'' => character_bytes(rest).map(|bytes| at + bytes),
        _ => None,
    }
}

/// Bytes of the block comment at the beginning of `rest`; they nest.
fn block_comment_bytes(rest: &[u8]) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(two) = rest.get(at..at + 2) {
        match two {
            b"/*" => depth += 1,
            b"*/" => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

/// Bytes of the raw string (`r#"..."#`, `br`, `cr`) at the beginning of `rest`; `None` if there is none.
fn raw_string_bytes(rest: &[u8]) -> Option<usize> {
    let prefix = [&b"r"[..], b"br", b"cr"].into_iter().find(|prefix| rest.starts_with(prefix))?.len();
    let hashes = rest.get(prefix..)?.iter().take_while(|byte| **byte == b'#').count();
    let open = prefix + hashes;
    if rest.get(open) != Some(&b'"') {
        return None;
    }
    let close = [&b"\""[..], &vec![b'#'; hashes]].concat();
    let inside = rest.get(open + 1..)?;
    let length = inside.windows(close.len()).position(|window| window == close);
    Some(length.map_or(rest.len(), |length| open + 1 + length + close.len()))
}

/// Bytes of the text in `quote`s at the beginning of `rest`, escapes skipped.
fn quoted_bytes(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while let Some(byte) = rest.get(at) {
        match byte {
            b'\\' => at += 2,
            byte if *byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// Bytes of the character literal at the beginning of `rest`; `None` for a lifetime.
fn character_bytes(rest: &[u8]) -> Option<usize> {
    match rest.get(1)? {
        b'\\' => Some(quoted_bytes(rest, b'\'')),
        b'\'' | b'\n' => None,
        first => {
            let width = match first {
                0..=0x7f => 1,
                0x80..=0xdf => 2,
                0xe0..=0xef => 3,
                0xf0..=0xff => 4,
            };
            (rest.get(1 + width) == Some(&b'\'')).then_some(width + 2)
        }
    }
}

/// Blanks `out[from..to]`, line breaks apart.
fn blank(out: &mut [u8], from: usize, to: usize) {
    for byte in out.get_mut(from..to).unwrap_or_default() {
        if *byte != b'\n' {
            *byte = b' ';
        }
    }
}

/// `code` with its test items blanked.
fn without_tests(code: &str) -> String {
    let mut out = code.as_bytes().to_vec();
    for (from, to) in test_items(code) {
        blank(&mut out, from, to);
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Where test items begin (at their attribute) and end.
fn test_items(code: &str) -> Vec<(usize, usize)> {
    let mut items: Vec<(usize, usize)> = Vec::new();
    for mark in ["#[cfg(test)]", "#[cfg(all(test", "#[cfg(any(test", "#[test]"] {
        items.extend(code.match_indices(mark).map(|(at, _)| (at, item_end(code, at))));
    }
    items.sort_unstable();
    let mut outer: Vec<(usize, usize)> = Vec::new();
    for item in items {
        if outer.last().is_none_or(|last| item.0 >= last.1) {
            outer.push(item);
        }
    }
    outer
}

/// The end of the item whose attributes begin at `from`.
fn item_end(code: &str, from: usize) -> usize {
    body(code, from).1
}

/// The opening brace (if it has one) and the end of the item that begins at `from`.
fn body(code: &str, from: usize) -> (Option<usize>, usize) {
    let mut depth = 0_usize;
    let mut open = None;
    for (at, sign) in code.bytes().enumerate().skip(from) {
        match sign {
            b'{' if depth == 0 => {
                open = Some(at);
                depth = 1;
            }
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b';' if depth == 0 => return (None, at + 1),
            _ => {}
        }
        if sign == b'}' && depth == 0 {
            return (open, at + 1);
        }
    }
    (open, code.len())
}

/// The functions with a body in `code`.
fn functions(code: &str) -> Vec<Function> {
    let bytes = code.as_bytes();
    let is_word = |at: Option<&u8>| at.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    let mut found = Vec::new();
    for (at, _) in code.match_indices("fn ") {
        let name: String =
            code.get(at + 3..).unwrap_or_default().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        if name.is_empty() || (at > 0 && is_word(bytes.get(at - 1))) {
            continue;
        }
        if let (Some(_), end) = body(code, at) {
            found.push(Function { name, line: breaks(code, 0, at) + 1, lines: breaks(code, at, end) + 1 });
        }
    }
    found
}

/// Line breaks in `text[from..to]`.
fn breaks(text: &str, from: usize, to: usize) -> usize {
    text.as_bytes().get(from..to).unwrap_or_default().iter().filter(|byte| **byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_blanked_and_nothing_else() {
        let cases = [
            ("a(); // b\nc();", "a();     \nc();"),
            ("a /* b /* c */ d */ e", "a                   e"),
            ("a(\"b\\\"c\", d)", "a(      , d)"),
            ("a(r#\"b\"c\"#, d)", "a(        , d)"),
            ("f(b'{', '\\'', 'ä', 'x)", "f(b   ,     ,     , 'x)"),
            ("for<'a> &'a str", "for<'a> &'a str"),
            ("\"open", "     "),
        ];
        for (text, code) in cases {
            assert_eq!(code_of(text), code, "{text}");
        }
    }

    #[test]
    fn test_items_are_cut_whole() {
        let text = "//! A.\nfn a() {}\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn b() {}\n}\nfn c() {}\n";
        let source = RustSource::read(text);
        let names: Vec<String> = source.functions_without_tests().into_iter().map(|each| each.name).collect();
        assert_eq!(names, ["a", "c"]);
        assert_eq!(source.lines_without_tests(), 4);
        let declared = RustSource::read("//! A.\n#[cfg(test)]\nmod tests;\n\nfn a() {}\n");
        assert_eq!(declared.functions_without_tests().len(), 1);
    }

    #[test]
    fn a_function_is_measured_from_its_name_to_its_brace() {
        let text = "trait T {\n    fn declared(&self);\n    fn given(&self)\n    where\n        Self: Sized,\n    {\n        a([1; 3]);\n    }\n}\n";
        let functions = RustSource::read(text).functions_without_tests();
        assert_eq!(functions, [Function { name: "given".to_owned(), line: 3, lines: 6 }]);
    }

    #[test]
    fn the_header_comes_first() {
        assert!(RustSource::read("#![expect(x)]\n\n// Licence.\n//! A.\n").has_header());
        assert!(!RustSource::read("use a;\n//! A.\n").has_header());
        assert!(!RustSource::read("").has_header());
    }
}
