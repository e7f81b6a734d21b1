//! `sasl.jaas.config` of Java clients: the login module's line, from which user and password are taken.

use weir_base::{Error, Result};

/// Who logs in.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct User {
    pub(super) name: String,
    pub(super) password: String,
}

/// Reads `org.apache.kafka...PlainLoginModule required username="a" password="b";`.
///
/// # Errors
/// Another login module than those of PLAIN and SCRAM, a missing user or password; the line itself is never shown.
pub(super) fn parse(line: &str) -> Result<User> {
    let fail = |why: &str| {
        Error::invalid(format!("read 'properties.sasl.jaas.config': {why}"))
            .hint("it must look like: org.apache.kafka.common.security.plain.PlainLoginModule required username=\"...\" password=\"...\";")
    };
    let line = line.trim().trim_end_matches(';');
    let (module, rest) = line.split_once(char::is_whitespace).ok_or_else(|| fail("it holds no options"))?;
    let class = module.rsplit('.').next().unwrap_or(module);
    if !matches!(class, "PlainLoginModule" | "ScramLoginModule") {
        return Err(fail(&format!("the login module '{class}' is not supported, only those of PLAIN and SCRAM")));
    }
    let options = rest.trim_start().strip_prefix("required").ok_or_else(|| fail("'required' is missing"))?;
    let (mut name, mut password) = (None, None);
    let mut rest = options.trim_start();
    while !rest.is_empty() {
        let (key, after) = rest.split_once('=').ok_or_else(|| fail("an option has no '='"))?;
        let (value, after) = value(after.trim_start()).ok_or_else(|| fail("a quotation mark is missing"))?;
        match key.trim() {
            "username" => name = Some(value),
            "password" => password = Some(value),
            other => return Err(fail(&format!("the option '{other}' is not supported"))),
        }
        rest = after.trim_start();
    }
    match (name, password) {
        (Some(name), Some(password)) => Ok(User { name, password }),
        _ => Err(fail("username or password is missing")),
    }
}

/// A value in double quotation marks (with `\` before a quoted character) or up to the next blank, and what follows it.
fn value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(char::is_whitespace).unwrap_or(text.len());
        return Some((text[..end].to_owned(), &text[end..]));
    };
    let mut out = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((out, &quoted[at + 1..])),
            '\\' => out.push(characters.next()?.1),
            other => out.push(other),
        }
    }
    None
}
