//! What planning is given from outside, and what it gives back.

use std::collections::BTreeMap;

use weir_plan::{ConnectorSpec, FormatSpec, JobGraph};

/// What is wrong with the value of a key, and what to do; `None`: nothing.
pub type SettingWrong = dyn Fn(&str, &str) -> Option<(String, String)>;

/// What a script is planned against. All of it is data or pure look-ups.
#[derive(Clone, Copy)]
pub struct Environment<'a> {
    /// The connectors there are.
    pub connectors: &'a [ConnectorSpec],
    /// The formats there are.
    pub formats: &'a [FormatSpec],
    /// The value of `${NAME}`.
    pub variables: &'a dyn Fn(&str) -> Option<String>,
    /// From a configuration file: SET wins over these, and RESET goes back to them.
    pub defaults: &'a BTreeMap<String, String>,
    /// `-D key=value`: these win over SET.
    pub overrides: &'a BTreeMap<String, String>,
    /// `-p`: wins over `parallelism.default` from anywhere.
    pub parallelism: Option<u16>,
    /// `pipeline.name` where nothing sets it: the script's file without its ending.
    pub job_name: &'a str,
    /// Whether a key may be SET.
    pub setting_known: &'a dyn Fn(&str) -> bool,
    /// What is wrong with a value for a known key, and what to do.
    pub setting_wrong: &'a SettingWrong,
    /// The known key that an unknown one was probably meant to be.
    pub setting_suggestion: &'a dyn Fn(&str) -> Option<String>,
}

/// What a script asks for, in order.
#[derive(Debug, Clone, PartialEq)]
pub struct Program {
    /// The steps.
    pub steps: Vec<Step>,
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Run a job: an INSERT or a statement set.
    Job {
        /// Its plan.
        graph: JobGraph,
        /// All settings in force: from the defaults, SET and the overrides.
        settings: BTreeMap<String, String>,
    },
    /// Run a bare query and show its rows: the sink has the connector `collect`.
    Query {
        /// Its plan.
        graph: JobGraph,
        /// All settings in force: from the defaults, SET and the overrides.
        settings: BTreeMap<String, String>,
    },
    /// Show this text (SHOW, DESCRIBE, EXPLAIN).
    Text(String),
}
