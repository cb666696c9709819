//! What an address says about where it leads: the host for the policy, scheme, host and port for the ledger.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// Lower case, without port.
    pub host: String,
    /// `https://host:port`, no path, no query.
    pub origin: String,
}

impl Destination {
    /// None for what is no http(s) address or holds a user name or password.
    pub fn parse(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let scheme = scheme.to_ascii_lowercase();
        if scheme != "https" && scheme != "http" {
            return None;
        }
        // Some parsers take a backslash for a slash: such an address means different hosts to different readers.
        if rest.chars().any(|letter| letter.is_control() || letter.is_whitespace() || letter == '\\') {
            return None;
        }
        let authority = rest.split(['/', '?', '#']).next().filter(|authority| !authority.is_empty())?;
        if authority.contains('@') {
            return None;
        }
        let authority = authority.to_ascii_lowercase();
        let host = match authority.strip_prefix('[') {
            Some(rest) => format!("[{}]", rest.split_once(']')?.0),
            None => authority.split(':').next()?.to_owned(),
        };
        if host.is_empty() {
            return None;
        }
        let port = &authority[host.len()..];
        let has_port = port.strip_prefix(':').is_some_and(|digits| digits.parse::<u16>().is_ok());
        let origin = match (has_port, port.is_empty(), scheme.as_str()) {
            (true, ..) => format!("{scheme}://{authority}"),
            (false, true, "https") => format!("{scheme}://{host}:443"),
            (false, true, _) => format!("{scheme}://{host}:80"),
            (false, false, _) => return None,
        };
        Some(Self { host, origin })
    }
}

impl Destination {
    /// This computer itself.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.host)
    }
}

/// This computer itself. It passes the door like every other destination.
pub(super) fn is_loopback(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    host == "localhost"
        || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
        || host.parse::<Ipv6Addr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        for (url, expected) in [
            ("https://Example.org/a?b#c", Some(("example.org", "https://example.org:443"))),
            ("http://127.0.0.1:8080/x", Some(("127.0.0.1", "http://127.0.0.1:8080"))),
            ("https://[::1]:9/x", Some(("[::1]", "https://[::1]:9"))),
            ("https://example.org?x", Some(("example.org", "https://example.org:443"))),
            ("https://good.org@evil.org/", None),
            ("https://evil.org\\@good.org/", None),
            ("https://good.org:port/", None),
            ("https:///x", None),
            ("file:///etc/passwd", None),
            ("example.org", None),
        ] {
            let found = Destination::parse(url);
            let found = found.as_ref().map(|found| (found.host.as_str(), found.origin.as_str()));
            assert_eq!(found, expected, "{url}");
        }
        assert!(is_loopback("localhost") && is_loopback("[::1]") && !is_loopback("example.org"));
    }
}
