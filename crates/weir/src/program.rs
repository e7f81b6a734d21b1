//! From a script's file to a program: configuration, variables, the connectors there are.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use clap::Args;
use weir_base::limits::SCRIPT_BYTES_MAX;
use weir_base::{Error, Result};
use weir_config::{Settings, check, effect_of, nearest, read_file};
use weir_sql::{Environment, Program, Step};

use crate::commands::Exit;
use crate::wire_up;

/// The part of a command line that names a script and its surroundings.
#[derive(Debug, Clone, Args)]
pub struct ScriptArgs {
    /// The Flink SQL script.
    #[arg(value_name = "FILE.sql")]
    pub file: PathBuf,

    /// Set a configuration key. Unlike in Flink's SQL client it wins over SET in the script.
    #[arg(short = 'D', value_name = "KEY=VALUE", value_parser = key_value)]
    pub define: Vec<(String, String)>,

    /// Subtasks of each operator; wins over parallelism.default.
    #[arg(short = 'p', long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub parallelism: Option<u16>,

    /// Replace ${NAME} in the script; wins over the environment.
    #[arg(long = "var", value_name = "NAME=VALUE", value_parser = key_value)]
    pub variables: Vec<(String, String)>,

    /// A Flink configuration: config.yaml, or the old flat flink-conf.yaml.
    #[arg(short = 'c', long, value_name = "CONFIG")]
    pub config: Option<PathBuf>,
}

fn key_value(text: &str) -> std::result::Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or_else(|| format!("'{text}' has no '=': write KEY=VALUE"))?;
    Ok((key.trim().to_owned(), value.to_owned()))
}

/// A script with its surroundings.
pub struct Script {
    name: String,
    file: String,
    text: String,
    /// From the configuration file.
    base: BTreeMap<String, String>,
    /// From `-D`.
    overrides: BTreeMap<String, String>,
    variables: BTreeMap<String, String>,
    parallelism: Option<u16>,
}

impl Script {
    /// Reads the script and the configuration that the command line names.
    ///
    /// # Errors
    /// A file cannot be read; the script is too large or no text.
    pub fn read(args: &ScriptArgs) -> std::result::Result<Self, Exit> {
        let file = args.file.display().to_string();
        let text = read_script(&args.file).map_err(Exit::refused)?;
        let name = args.file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        Self::new(name, file, text, args).map_err(Exit::refused)
    }

    /// The script `text` called `file` in errors; `args.file` is not looked at.
    ///
    /// # Errors
    /// The configuration cannot be read.
    pub fn new(name: String, file: String, text: String, args: &ScriptArgs) -> Result<Self> {
        let base = args.config.as_deref().map(read_file).transpose()?.unwrap_or_default();
        let overrides = args.define.iter().cloned().collect();
        let variables = args.variables.iter().cloned().collect();
        Ok(Self { name, file, text, base, overrides, variables, parallelism: args.parallelism })
    }

    /// The configuration without what the script itself sets: it governs the process.
    ///
    /// # Errors
    /// A key is not known.
    pub fn settings(&self) -> Result<Settings> {
        let mut values = self.base.clone();
        values.extend(self.overrides.clone());
        Settings::new(values)
    }

    /// Plans the script.
    ///
    /// # Errors
    /// The SQL is wrong: the error stands with its place, line and caret.
    pub fn compile(&self, embedded: bool) -> std::result::Result<Program, Exit> {
        self.settings().map_err(Exit::refused)?;
        let connectors = wire_up::connector_specs(embedded);
        let formats = weir_format::specs();
        let variable = |name: &str| self.variables.get(name).cloned().or_else(|| std::env::var(name).ok());
        let environment = Environment {
            connectors: &connectors,
            formats: &formats,
            variables: &variable,
            defaults: &self.base,
            overrides: &self.overrides,
            parallelism: self.parallelism,
            job_name: &self.name,
            setting_known: &|key| effect_of(key).is_some(),
            setting_wrong: &|key, value| check(key, value).err().map(|refusal| (refusal.message, refusal.hint)),
            setting_suggestion: &|key| nearest(key).map(str::to_owned),
        };
        let program = weir_sql::compile(&self.text, &environment)
            .map_err(|error| Exit::Refused(error.render(&self.file, &self.text)))?;
        Self::tell_what_has_no_effect(&program)?;
        Ok(program)
    }

    /// Logs, once for the program, which settings of its jobs are accepted and do nothing.
    fn tell_what_has_no_effect(program: &Program) -> std::result::Result<(), Exit> {
        let mut all = BTreeSet::new();
        for step in &program.steps {
            if let Step::Job { settings, .. } | Step::Query { settings, .. } = step {
                let settings = Settings::new(settings.clone()).map_err(Exit::refused)?;
                all.extend(settings.without_effect().into_iter().map(|(key, why)| format!("{key} ({why})")));
            }
        }
        if !all.is_empty() {
            let keys: Vec<String> = all.into_iter().collect();
            tracing::info!(keys = keys.join(", "), "accepted, no effect");
        }
        Ok(())
    }
}

fn read_script(path: &std::path::Path) -> Result<String> {
    let what = format!("read the script '{}'", path.display());
    let bytes = std::fs::metadata(path).map_err(|source| Error::io(&what, source))?.len();
    if bytes > SCRIPT_BYTES_MAX as u64 {
        return Err(Error::invalid(format!("{what}: it has {bytes} bytes, more than the {SCRIPT_BYTES_MAX} allowed")));
    }
    std::fs::read_to_string(path).map_err(|source| Error::io(&what, source))
}
