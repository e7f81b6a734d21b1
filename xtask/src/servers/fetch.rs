//! Fetching a server once: into a folder beside, moved into place when it is whole, with a mark of what was asked for.
//!
//! Maven, pip and apt are called with the configuration that they have on this machine (mirrors, proxies, certificates).

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::place::{self, Place};
use super::server::Server;
use crate::clock;
use crate::command;
use crate::failure::{Failure, Result};

/// How often a download is tried: registries hiccup.
const ATTEMPTS: u32 = 3;
/// The file that says which pins a fetched folder fulfils.
const MARK: &str = ".fetched";

/// Fetches `server` unless what lies there is what its pins ask for.
///
/// # Errors
/// Fails when a pin cannot be read or the download fails three times.
pub fn ensure(server: &Server, place: &Place) -> Result<()> {
    let wanted = pins(server, place)?;
    if fs::read_to_string(place.dist.join(MARK)).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    let start = clock::now();
    eprintln!("{}: fetching into {} ...", server.name, place.dist.display());
    let part = place.dist.with_extension("part");
    let beside = place.fetched_into(part.clone());
    let mut attempt = 1;
    loop {
        place::remove(&part)?;
        fs::create_dir_all(&part).map_err(|error| Failure::io(format_args!("make {}", part.display()), &error))?;
        match (server.fetch)(&beside) {
            Ok(()) => break,
            Err(failure) if attempt == ATTEMPTS => return Err(failure),
            Err(failure) => eprintln!("{}: attempt {attempt} of {ATTEMPTS}: failed to {failure}", server.name),
        }
        clock::sleep(Duration::from_secs(2 * u64::from(attempt)));
        attempt += 1;
    }
    place::write(&part.join(MARK), &wanted)?;
    place::remove(&place.dist)?;
    fs::rename(&part, &place.dist).map_err(|error| Failure::io(format_args!("rename {}", part.display()), &error))?;
    eprintln!("{}: fetched in {}", server.name, clock::shown(start.elapsed()));
    Ok(())
}

/// Copies the jars that `deploy/servers/KIND/pom.xml` names into `place.dist/lib`.
///
/// # Errors
/// Fails when Maven is missing or a jar cannot be had.
pub fn maven(place: &Place, options: &[&str]) -> Result<()> {
    let mut mvn = Command::new("mvn");
    mvn.args(["-q", "-B", "-f"]).arg(place.deploy.join("pom.xml")).arg("dependency:copy-dependencies");
    mvn.args(options).arg(format!("-DoutputDirectory={}", place.dist.join("lib").display()));
    command::output(&mut mvn).map(drop)
}

/// Downloads what `deploy/servers/KIND/requirements.txt` names (itself only) and unpacks it into `place.dist`.
///
/// # Errors
/// Fails when python3 or pip is missing, or a package cannot be had.
pub fn wheels(place: &Place) -> Result<()> {
    let folder = place.dist.join("wheels");
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "download", "-q", "--no-deps", "--only-binary", ":all:", "-d"]).arg(&folder);
    command::output(pip.arg("-r").arg(place.deploy.join("requirements.txt")))?;
    for wheel in files_of(&folder)? {
        let mut unzip = Command::new("python3");
        command::output(unzip.args(["-m", "zipfile", "-e"]).arg(&wheel).arg(&place.dist))?;
    }
    place::remove(&folder)
}

/// Downloads the Debian packages that `deploy/servers/KIND/packages.txt` names and unpacks them into `place.dist`;
/// nothing is installed and nobody needs to be root.
///
/// # Errors
/// Fails when apt or dpkg is missing, or a package cannot be had.
pub fn debian(place: &Place) -> Result<()> {
    let names = place.deploy.join("packages.txt");
    let text =
        fs::read_to_string(&names).map_err(|error| Failure::io(format_args!("read {}", names.display()), &error))?;
    let packages: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.starts_with('#')).collect();
    let download = |options: &[String]| {
        command::output(Command::new("apt-get").current_dir(&place.dist).args(options).arg("download").args(&packages))
    };
    if download(&[]).is_err() {
        // The lists of packages may be missing (fresh containers have none): our own copy of them, beside the packages.
        let lists = place.dist.join("lists");
        fs::create_dir_all(lists.join("partial")).map_err(|error| Failure::io("make a folder for apt", &error))?;
        let options = ["Dir::State::lists=", "Dir::Cache="].map(|key| format!("-o{key}{}", lists.display()));
        command::output(Command::new("apt-get").args(&options).arg("update"))?;
        download(&options)?;
        place::remove(&lists)?;
    }
    for package in files_of(&place.dist)?.iter().filter(|path| path.extension().is_some_and(|end| end == "deb")) {
        command::output(Command::new("dpkg-deb").arg("-x").arg(package).arg(&place.dist))?;
        fs::remove_file(package).map_err(|error| Failure::io(format_args!("remove {}", package.display()), &error))?;
    }
    Ok(())
}

/// The pins' texts, one after the other.
fn pins(server: &Server, place: &Place) -> Result<String> {
    let read = |pin: &&str| {
        let path = place.deploy.join(pin);
        fs::read_to_string(&path).map_err(|error| Failure::io(format_args!("read {}", path.display()), &error))
    };
    server.pins.iter().map(read).collect()
}

fn files_of(folder: &Path) -> Result<Vec<std::path::PathBuf>> {
    let failed = |error| Failure::io(format_args!("list {}", folder.display()), &error);
    fs::read_dir(folder).map_err(failed)?.map(|entry| entry.map(|entry| entry.path()).map_err(failed)).collect()
}
