//! What a kind of server says about itself: data and small functions, carried out by `life`.

use std::process::Command;

use serde_json::{Map, Value};

use super::place::Place;
use super::ports::Ports;
use super::{flink, kafka, prometheus, questdb};
use crate::failure::Result;

/// One kind of server.
pub struct Server {
    /// Its name on the command line and of its folders.
    pub name: &'static str,
    /// The files under `deploy/servers/NAME` that say what is fetched; when one changes, it is fetched again.
    pub pins: &'static [&'static str],
    /// Fetches it into `place.dist`, an empty folder.
    pub fetch: fn(&Place) -> Result<()>,
    /// The names of the ports it listens on.
    pub ports: &'static [&'static str],
    /// Writes configs (and formats storage) in `place.run`; once, `restart` keeps them.
    pub configure: fn(&Place, &Ports) -> Result<()>,
    /// Its processes, in the order of their start.
    pub processes: fn(&Place, &Ports) -> Vec<Process>,
    /// What clients connect to, by name.
    pub endpoints: fn(&Place, &Ports) -> Map<String, Value>,
    /// Which endpoint the tests know under which variable.
    pub env: &'static [(&'static str, &'static str)],
}

/// One process of a server.
pub struct Process {
    /// Its name in messages; its log is `NAME.log`.
    pub name: &'static str,
    /// How it is started; working directory, input and output are set by `life`.
    pub command: Command,
    /// Whether it answers by now.
    pub ready: Box<dyn Fn() -> bool>,
}

/// All kinds.
pub static KINDS: &[&Server] = &[&kafka::KAFKA, &questdb::QUESTDB, &flink::FLINK, &prometheus::PROMETHEUS];

/// The kind called `name`.
pub fn kind(name: &str) -> Option<&'static Server> {
    KINDS.iter().copied().find(|server| server.name == name)
}

/// A JVM with `options`; what `WEIR_SERVERS_JAVA_OPTS` adds (a bigger heap for measurements) wins, being last.
pub fn java(options: &[&str]) -> Command {
    let mut command = Command::new("java");
    command.args(options);
    if let Ok(more) = std::env::var("WEIR_SERVERS_JAVA_OPTS") {
        command.args(more.split_whitespace());
    }
    command
}

/// Whether `GET url` is answered with a 2xx whose body `accept`s.
pub fn http_answers(url: &str, accept: impl Fn(&str) -> bool) -> bool {
    let limit = std::time::Duration::from_secs(2);
    let answer = ureq::get(url).config().timeout_global(Some(limit)).build().call();
    answer.ok().and_then(|mut answer| answer.body_mut().read_to_string().ok()).is_some_and(|body| accept(&body))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command;

    #[test]
    fn each_kind_is_found_by_its_name_and_has_its_pins() {
        for server in KINDS {
            assert!(kind(server.name).is_some_and(|found| std::ptr::eq(found, *server)));
            for pin in server.pins {
                let path = command::root().join("deploy/servers").join(server.name).join(pin);
                assert!(path.is_file(), "{} is missing", path.display());
            }
        }
        assert!(kind("redis").is_none());
    }

    #[test]
    fn docker_users_get_the_same_versions() {
        let compose = std::fs::read_to_string(command::root().join("deploy/compose/docker-compose.yml")).unwrap();
        let pinned = [
            ("kafka/pom.xml", kafka::VERSION, format!("apache/kafka:{}", kafka::VERSION)),
            ("questdb/pom.xml", questdb::VERSION, format!("questdb/questdb:{}", questdb::VERSION)),
            ("flink/requirements.txt", flink::VERSION, format!("flink:{}", flink::VERSION)),
            ("flink/pom.xml", flink::VERSION, format!("flink:{}", flink::VERSION)),
        ];
        for (file, version, image) in pinned {
            let text = std::fs::read_to_string(command::root().join("deploy/servers").join(file)).unwrap();
            assert!(text.contains(version), "{file} does not name {version}");
            assert!(compose.contains(&image), "docker-compose.yml does not name {image}");
        }
    }
}
