//! The option `path`: a path on local disk, bare or with the scheme `file`.

use std::path::PathBuf;

use weir_base::{Error, Result};
use weir_plan::TableOptions;

/// The absolute path that the option `path` names.
///
/// # Errors
/// It is missing, or names a file system that is not the local one.
pub(crate) fn local_path(options: &TableOptions) -> Result<PathBuf> {
    let Some(text) = options.get("path").filter(|text| !text.is_empty()) else {
        return Err(Error::invalid("use the connector filesystem: the option 'path' is missing")
            .hint("name a file or a folder: 'path' = '/data/events'"));
    };
    let bare = match text.split_once("://") {
        Some(("file", rest)) => match rest.find('/') {
            Some(0) => rest,
            Some(slash) if &rest[..slash] == "localhost" => &rest[slash..],
            _ => {
                return Err(Error::invalid(format!("use the path '{text}': it names another host"))
                    .hint("write file:///folder with three slashes"));
            }
        },
        Some((scheme, _)) => {
            return Err(Error::invalid(format!(
                "use the path '{text}': the file system '{scheme}' is not supported, only local disks are"
            ))
            .hint("mount it, and name the folder as file:///folder"));
        }
        None => text.strip_prefix("file:").unwrap_or(text),
    };
    std::path::absolute(bare).map_err(|source| Error::io(format!("use the path '{text}'"), source))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_bare_or_of_the_scheme_file() {
        let path = |text: &str| {
            let values = [("path".to_owned(), text.to_owned())].into_iter().collect();
            local_path(&TableOptions { values, ..TableOptions::default() })
        };
        for (text, expected) in
            [("/a/b", "/a/b"), ("file:///a/b/", "/a/b/"), ("file:/a", "/a"), ("file://localhost/a", "/a")]
        {
            assert_eq!(path(text).unwrap(), PathBuf::from(expected));
        }
        assert!(path("rel/x").unwrap().is_absolute());
        assert_eq!(
            path("s3://bucket/x").unwrap_err().to_string(),
            "use the path 's3://bucket/x': the file system 's3' is not supported, only local disks are; mount it, and name the folder as file:///folder"
        );
        assert!(path("file://host/x").is_err());
        assert!(path("").is_err());
    }
}
