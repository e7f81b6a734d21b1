//! Table options against what connectors and formats take: unknown keys, missing ones, values of the wrong type, each at its place and
//! in Flink's words.

use weir_base::{Span, parse_duration, parse_memory_size};
use weir_plan::{ConnectorSpec, FormatSpec, OptionSpec, OptionType, TableOptions};

use crate::error::{SqlResult, did_you_mean};
use crate::{Environment, SqlError, Table};

/// How a table is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It is read.
    Source,
    /// It is written.
    Sink,
}

/// The options of `table` used as `role`, with those of a hint laid over, checked against its connector and formats.
///
/// # Errors
/// Fails, at the option's place, on an unknown connector, format or option, a missing option, a value of the wrong type, and on a
/// connector that cannot be used so.
pub fn options_for<'e>(
    table: &Table,
    hint: Option<&TableOptions>,
    role: Role,
    environment: &Environment<'e>,
) -> SqlResult<(TableOptions, &'e ConnectorSpec)> {
    let mut options = table.options.clone();
    if let Some(hint) = hint {
        if let Some(span) = hint.spans.get("connector") {
            return Err(SqlError::new(*span, "a hint cannot change 'connector'").hint("declare another table"));
        }
        options.values.extend(hint.values.clone());
        options.spans.extend(hint.spans.clone());
    }
    let Some(connector) = check_declared(&options, environment)? else {
        let message = format!(
            "Table options of '{}' do not contain an option key 'connector' for discovering a connector.",
            table.full_name
        );
        return Err(SqlError::new(table.span, message)
            .hint(format!("add WITH ('connector' = '...'); there are: {}", connectors(environment))));
    };
    check_role(&options, connector, role, environment)?;
    refuse_folders(table, connector)?;
    check_required(table, &options, connector, environment)?;
    Ok((options, connector))
}

/// Checks what is there: the connector and the formats exist, each option is known and its value is of its type. What is missing is for
/// [`options_for`]: a hint may still add it. None: there is no connector.
pub(crate) fn check_declared<'e>(
    options: &TableOptions,
    environment: &Environment<'e>,
) -> SqlResult<Option<&'e ConnectorSpec>> {
    let Some(identifier) = options.get("connector") else { return Ok(None) };
    let Some(connector) = environment.connectors.iter().find(|spec| spec.identifier == identifier) else {
        let known = environment.connectors.iter().map(|spec| spec.identifier);
        let message = format!("Could not find any factory for identifier '{identifier}' that implements a connector");
        let hint = did_you_mean(identifier, known)
            .unwrap_or_else(|| format!("Available factory identifiers are: {}", connectors(environment)));
        return Err(SqlError::new(options.span("connector"), message).hint(hint));
    };
    let formats = formats_of(options, connector, environment)?;
    for (key, value) in &options.values {
        if key == "connector" || connector.format_keys.contains(&key.as_str()) {
            continue;
        }
        let option = match connector.options.iter().find(|option| matches(option.key, key)) {
            Some(option) => option,
            None => format_option(key, &formats).ok_or_else(|| unknown_option(key, options, connector, &formats))?,
        };
        check_value(key, value, option, options.span(key))?;
    }
    Ok(Some(connector))
}

/// The formats that the options name, each with the prefix of its options (`json.`, `value.json.`).
fn formats_of<'e>(
    options: &TableOptions,
    connector: &ConnectorSpec,
    environment: &Environment<'e>,
) -> SqlResult<Vec<(String, &'e FormatSpec)>> {
    let mut found = Vec::new();
    for key in connector.format_keys {
        let Some(identifier) = options.get(key) else { continue };
        let Some(format) = environment.formats.iter().find(|format| format.identifier == identifier) else {
            let known = || environment.formats.iter().map(|format| format.identifier);
            let message = format!("Could not find any factory for identifier '{identifier}' that implements a format");
            let all = || format!("Available factory identifiers are: {}", known().collect::<Vec<_>>().join(", "));
            return Err(
                SqlError::new(options.span(key), message).hint(did_you_mean(identifier, known()).unwrap_or_else(all))
            );
        };
        found.push((format!("{}{identifier}.", key.strip_suffix("format").unwrap_or_default()), format));
    }
    Ok(found)
}

fn format_option<'e>(key: &str, formats: &[(String, &'e FormatSpec)]) -> Option<&'e OptionSpec> {
    formats.iter().find_map(|(prefix, format)| {
        let rest = key.strip_prefix(prefix.as_str())?;
        format.options.iter().find(|option| matches(option.key, rest))
    })
}

/// Whether `key` is the option `pattern`: `.*` at its end stands for the rest, `#` for one part (which may hold dots).
fn matches(pattern: &str, key: &str) -> bool {
    if let Some(prefix) = pattern.strip_suffix('*') {
        return key.len() > prefix.len() && key.starts_with(prefix);
    }
    match pattern.split_once('#') {
        Some((before, after)) => {
            key.len() > before.len() + after.len() && key.starts_with(before) && key.ends_with(after)
        }
        None => pattern == key,
    }
}

fn unknown_option(
    key: &str,
    options: &TableOptions,
    connector: &ConnectorSpec,
    formats: &[(String, &FormatSpec)],
) -> SqlError {
    let span = options.span(key);
    let of_formats = formats
        .iter()
        .flat_map(|(prefix, format)| format.options.iter().map(move |option| format!("{prefix}{}", option.key)));
    let own = connector.options.iter().map(|option| option.key.to_owned());
    let known: Vec<String> = own
        .chain(of_formats)
        .chain(connector.format_keys.iter().map(|key| (*key).to_owned()))
        .chain(["connector".to_owned()])
        .collect();
    let message = format!("Unsupported options found for '{}'. Unsupported options: {key}", connector.identifier);
    let all = || {
        let mut sorted = known.clone();
        sorted.sort();
        format!("Supported options: {}", sorted.join(", "))
    };
    SqlError::new(span, message).hint(did_you_mean(key, known.iter().map(String::as_str)).unwrap_or_else(all))
}

fn check_value(key: &str, value: &str, option: &OptionSpec, span: Span) -> SqlResult<()> {
    let wanted = match option.value {
        OptionType::Text => return Ok(()),
        OptionType::Boolean if matches!(value.trim().to_ascii_lowercase().as_str(), "true" | "false") => return Ok(()),
        OptionType::Integer if value.trim().parse::<i64>().is_ok() => return Ok(()),
        OptionType::Duration if parse_duration(value).is_some() => return Ok(()),
        OptionType::MemorySize if parse_memory_size(value).is_some() => return Ok(()),
        OptionType::OneOf(words) if words.iter().any(|word| word.eq_ignore_ascii_case(value.trim())) => return Ok(()),
        OptionType::Boolean => "write true or false".to_owned(),
        OptionType::Integer => "write a whole number".to_owned(),
        OptionType::Duration => "write a duration such as '10 s', '5 min' or '500 ms'".to_owned(),
        OptionType::MemorySize => "write a size such as '128mb' or '64 kb'".to_owned(),
        OptionType::OneOf(words) => {
            did_you_mean(value, words.iter().copied()).unwrap_or_else(|| format!("write one of: {}", words.join(", ")))
        }
    };
    Err(SqlError::new(
        span,
        format!("Invalid value for option '{key}'. Could not parse value '{value}' for key '{key}'."),
    )
    .hint(wanted))
}

fn check_role(
    options: &TableOptions,
    connector: &ConnectorSpec,
    role: Role,
    environment: &Environment<'_>,
) -> SqlResult<()> {
    let (able, only, used) = match role {
        Role::Source => (connector.source.is_some(), "sink", "source"),
        Role::Sink => (connector.sink.is_some(), "source", "sink"),
    };
    if able {
        return Ok(());
    }
    let others = environment.connectors.iter().filter(|spec| match role {
        Role::Source => spec.source.is_some(),
        Role::Sink => spec.sink.is_some(),
    });
    let others = others.map(|spec| spec.identifier).collect::<Vec<_>>().join(", ");
    let message =
        format!("Connector '{}' can only be used as a {only}. It cannot be used as a {used}.", connector.identifier);
    Err(SqlError::new(options.span("connector"), message).hint(format!("a {used} can be: {others}")))
}

/// Partitions are folders of files, which are not there yet; to all other connectors they mean nothing.
fn refuse_folders(table: &Table, connector: &ConnectorSpec) -> SqlResult<()> {
    if table.partition_keys.is_empty() || connector.identifier != "filesystem" {
        return Ok(());
    }
    Err(SqlError::new(table.span, "PARTITIONED BY with the connector 'filesystem' is not supported yet")
        .hint("leave PARTITIONED BY out: files are in one folder"))
}

fn check_required(
    table: &Table,
    options: &TableOptions,
    connector: &ConnectorSpec,
    environment: &Environment<'_>,
) -> SqlResult<()> {
    let place = if options.span("connector").is_known() { options.span("connector") } else { table.span };
    // A key's format alone does not tell how to read the value.
    let mut of_values = connector.format_keys.iter().filter(|key| !key.starts_with("key."));
    if !connector.format_keys.is_empty() && !of_values.any(|key| options.get(key).is_some()) {
        let known = environment.formats.iter().map(|format| format.identifier).collect::<Vec<_>>().join(", ");
        return Err(SqlError::new(
            place,
            format!(
                "Could not find required format of connector '{}': the option 'format' is missing.",
                connector.identifier
            ),
        )
        .hint(format!("add 'format' = '...'; there are: {known}")));
    }
    let own =
        connector.options.iter().filter(|option| option.required).map(|option| (option.key.to_owned(), option.help));
    let formats = formats_of(options, connector, environment)?;
    let of_formats = formats.iter().flat_map(|(prefix, format)| {
        let required = format.options.iter().filter(|option| option.required);
        required.map(move |option| (format!("{prefix}{}", option.key), option.help))
    });
    let missing: Vec<(String, &str)> = own.chain(of_formats).filter(|(key, _)| options.get(key).is_none()).collect();
    let Some((_, help)) = missing.first() else { return Ok(()) };
    let names = missing.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>().join(", ");
    let message = format!("One or more required options are missing. Missing required options are: {names}");
    Err(SqlError::new(place, message).hint(format!("add {} = '...': {help}", format_args!("'{}'", missing[0].0))))
}

fn connectors(environment: &Environment<'_>) -> String {
    environment.connectors.iter().map(|spec| spec.identifier).collect::<Vec<_>>().join(", ")
}
