//! A script cut into the statements that Flink's SQL gateway takes one by one.

/// The statements of `script`, without their semicolons; a statement set stays whole.
pub fn split(script: &str) -> Vec<String> {
    let (mut statements, mut current) = (Vec::new(), String::new());
    let mut rest = script;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '\'' | '"' | '`' => rest[1..].find(first).map_or(rest.len(), |end| end + 2),
            '-' if rest.starts_with("--") => {
                // Comments are left out: the gateway takes them badly at the end of a statement.
                rest = &rest[rest.find('\n').unwrap_or(rest.len())..];
                continue;
            }
            ';' if !is_open_set(&current) => {
                push(&mut statements, &mut current);
                rest = &rest[1..];
                continue;
            }
            other => other.len_utf8(),
        };
        current.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    push(&mut statements, &mut current);
    statements
}

/// Whether `text` is a statement set whose `END` has not come yet.
fn is_open_set(text: &str) -> bool {
    let words: Vec<String> = text.split_whitespace().map(str::to_uppercase).collect();
    let is_set = words.starts_with(&["EXECUTE", "STATEMENT", "SET", "BEGIN"].map(str::to_owned));
    is_set && words.last().is_none_or(|word| word != "END")
}

fn push(statements: &mut Vec<String>, current: &mut String) {
    let statement = std::mem::take(current).trim().to_owned();
    if !statement.is_empty() {
        statements.push(statement);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn semicolons_end_statements_but_in_texts_comments_and_sets() {
        let cases: [(&str, &[&str]); 5] = [
            ("", &[]),
            ("a; b", &["a", "b"]),
            ("a ';' b -- c; d\n; `;`", &["a ';' b", "`;`"]),
            ("a 'it''s;';b;", &["a 'it''s;'", "b"]),
            ("EXECUTE STATEMENT SET BEGIN a; b; END; c;", &["EXECUTE STATEMENT SET BEGIN a; b; END", "c"]),
        ];
        for (script, statements) in cases {
            assert_eq!(split(script), statements, "{script}");
        }
    }
}
