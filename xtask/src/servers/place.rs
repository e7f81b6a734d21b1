//! Where a kind's files are: its configs in the repository, what was fetched, and the state of its run.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::command;
use crate::failure::{Failure, Result};

/// The folders of one kind of server. All but `deploy` are below `/servers`, which git ignores.
#[derive(Debug, Clone)]
pub struct Place {
    /// Its configs and versions, in the repository.
    pub deploy: PathBuf,
    /// What was fetched.
    pub dist: PathBuf,
    /// Generated configs, data, logs and `endpoints.json`.
    pub run: PathBuf,
    lock: PathBuf,
}

impl Place {
    /// The folders of the kind called `name` in this checkout. `WEIR_SERVERS_RUN` names another folder for runs: servers of its own for whoever must
    /// not share them (tests that kill them beside somebody who measures).
    pub fn of(name: &str) -> Self {
        let place = Self::under(&command::root(), name);
        match std::env::var_os("WEIR_SERVERS_RUN").map(PathBuf::from) {
            Some(run) => Self { run: run.join(name), lock: run.join(format!("{name}.lock")), ..place },
            None => place,
        }
    }

    /// The folders of the kind called `name` in the checkout at `root`.
    pub fn under(root: &Path, name: &str) -> Self {
        let servers = root.join("servers");
        Self {
            deploy: root.join("deploy/servers").join(name),
            dist: servers.join("dist").join(name),
            run: servers.join("run").join(name),
            lock: servers.join(format!("{name}.lock")),
        }
    }

    /// The same place, but for where it is fetched to.
    pub fn fetched_into(&self, dist: PathBuf) -> Self {
        Self { dist, ..self.clone() }
    }

    /// Waits until no other `cargo xtask servers` works on this kind; it is let go with the file.
    ///
    /// # Errors
    /// Fails when the lock file cannot be made or locked.
    pub fn lock(&self) -> Result<File> {
        let failed = |error| Failure::io(format_args!("lock {}", self.lock.display()), &error);
        fs::create_dir_all(self.lock.parent().unwrap_or(&self.lock)).map_err(failed)?;
        let file = File::options().create(true).truncate(false).write(true).open(&self.lock).map_err(failed)?;
        file.lock().map_err(failed)?;
        Ok(file)
    }

    /// The file in which tests find the server.
    pub fn endpoints(&self) -> PathBuf {
        self.run.join("endpoints.json")
    }

    /// The file in which `down` finds what was started, kept from the first process on.
    pub fn processes(&self) -> PathBuf {
        self.run.join("processes.json")
    }

    /// The file with the process id of a server that is one process, written anew at each start.
    pub fn pid(&self) -> PathBuf {
        self.run.join("pid")
    }

    /// The log of the process called `name`.
    pub fn log(&self, name: &str) -> PathBuf {
        self.run.join(format!("{name}.log"))
    }

    /// Copies the config `from` of the repository to `to` (below `run`), each `@NAME@` replaced.
    ///
    /// # Errors
    /// Fails when a file cannot be read or written, or an `@NAME@` stays without a value.
    pub fn fill(&self, from: &str, to: &str, values: &[(&str, String)]) -> Result<()> {
        let template = self.deploy.join(from);
        let text = fs::read_to_string(&template)
            .map_err(|error| Failure::io(format_args!("read {}", template.display()), &error))?;
        let filled = filled(&text, values)
            .map_err(|name| Failure::new(format!("fill in {}: nothing is known of @{name}@", template.display())))?;
        write(&self.run.join(to), &filled)
    }
}

/// Writes `text` to `path`, making the folders above it.
///
/// # Errors
/// Fails when the file cannot be written.
pub fn write(path: &Path, text: &str) -> Result<()> {
    let failed = |error| Failure::io(format_args!("write {}", path.display()), &error);
    fs::create_dir_all(path.parent().unwrap_or(path)).map_err(failed)?;
    fs::write(path, text).map_err(failed)
}

/// Removes the folder at `path`, if there is one.
///
/// # Errors
/// Fails when it is there and stays.
pub fn remove(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Failure::io(format_args!("remove {}", path.display()), &error))
        }
        _ => Ok(()),
    }
}

/// `text` with each `@NAME@` (capitals) replaced and comments left out; the name that has no value, if one has none.
fn filled(text: &str, values: &[(&str, String)]) -> std::result::Result<String, String> {
    let is_name = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    let mut out = String::with_capacity(text.len());
    for line in text.lines().filter(|line| !line.trim_start().starts_with('#')) {
        let mut is_after_name = true;
        for (index, word) in line.split('@').enumerate() {
            if !is_after_name && is_name(word) {
                out.push_str(&values.iter().find(|(known, _)| *known == word).ok_or(word)?.1);
                is_after_name = true;
                continue;
            }
            if !is_after_name && index > 0 {
                out.push('@');
            }
            out.push_str(word);
            is_after_name = false;
        }
        out.push('\n');
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_filled_in_and_comments_left_out() {
        let values = [("A", "1".to_owned()), ("B", "2".to_owned())];
        assert_eq!(filled("# @X@\nport=@A@:@B@;\nmail=a@b\n", &values), Ok("port=1:2;\nmail=a@b\n".to_owned()));
        assert_eq!(filled("voter=1@host:@A@\n", &values), Ok("voter=1@host:1\n".to_owned()));
        assert_eq!(filled("x=@C@", &values), Err("C".to_owned()));
    }

    #[test]
    fn the_folders_of_a_kind_lie_in_the_ignored_folder() {
        let place = Place::under(Path::new("/repo"), "kafka");
        assert_eq!(place.endpoints(), Path::new("/repo/servers/run/kafka/endpoints.json"));
        assert_eq!(place.dist, Path::new("/repo/servers/dist/kafka"));
        assert_eq!(place.log("kafka"), Path::new("/repo/servers/run/kafka/kafka.log"));
    }
}
