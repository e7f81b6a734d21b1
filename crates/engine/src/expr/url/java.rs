//! A URL taken apart as `java.net.URL` does it: by where its marks stand, with hardly a check.

/// The parts of a URL.
#[derive(Debug, PartialEq)]
pub(super) struct Url<'a> {
    /// In lower case.
    pub(super) protocol: String,
    pub(super) authority: Option<&'a str>,
    pub(super) user_info: Option<&'a str>,
    pub(super) host: &'a str,
    pub(super) path: &'a str,
    pub(super) query: Option<&'a str>,
    pub(super) reference: Option<&'a str>,
}

impl<'a> Url<'a> {
    /// The URL's parts; None where Java finds none or does not know the protocol.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let text = text.trim_matches(|character| character <= ' ');
        let text = match text.split_at_checked(4) {
            Some((prefix, rest)) if prefix.eq_ignore_ascii_case("url:") => rest,
            _ => text,
        };
        let (protocol, rest) = text.split_once(':').filter(|(protocol, _)| !protocol.contains('/'))?;
        let protocol = protocol.to_lowercase();
        let (rest, reference) = split(rest, '#');
        let mut url = Self { protocol, authority: None, user_info: None, host: "", path: "", query: None, reference };
        match url.protocol.as_str() {
            "http" | "https" | "ftp" | "file" => url.hierarchical(rest)?,
            "mailto" if !rest.trim().is_empty() => url.path = rest,
            "jar" => {
                let (archive, _) = rest.rsplit_once("!/")?;
                Self::parse(archive)?;
                url.path = rest;
            }
            _ => return None,
        }
        Some(url)
    }

    /// `//user@host:port/path?query`
    fn hierarchical(&mut self, rest: &'a str) -> Option<()> {
        let (rest, query) = split(rest, '?');
        self.query = query;
        self.path = rest;
        let Some(behind) = rest.strip_prefix("//").filter(|behind| !behind.starts_with("//")) else { return Some(()) };
        let (authority, path) = behind.split_at(behind.find('/').unwrap_or(behind.len()));
        self.authority = Some(authority);
        self.path = path;
        let host = match authority.split_once('@') {
            None => authority,
            // Two of them: neither a user nor a host.
            Some((_, host)) if host.contains('@') => return Some(()),
            Some((user, host)) => {
                self.user_info = Some(user);
                host
            }
        };
        let (host, port) = if host.starts_with('[') {
            let end = host.find(']').filter(|end| *end > 2)?;
            host[1..end].split('%').next()?.parse::<std::net::Ipv6Addr>().ok()?;
            let (host, port) = host.split_at(end + 1);
            (host, if port.is_empty() { port } else { port.strip_prefix(':')? })
        } else {
            host.split_once(':').unwrap_or((host, ""))
        };
        if !port.is_empty() && port.parse::<i32>().ok()? < -1 {
            return None;
        }
        self.host = host;
        Some(())
    }
}

/// What stands before the first `mark`, and behind it.
fn split(text: &str, mark: char) -> (&str, Option<&str>) {
    text.split_once(mark).map_or((text, None), |(before, behind)| (before, Some(behind)))
}
