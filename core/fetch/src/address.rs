//! Which addresses may be fetched, and where a redirect leads.

use std::net::{Ipv4Addr, Ipv6Addr};

use ureq::http::Uri;

use crate::FetchError;

/// An address that passed the rules: https, or http to this computer.
#[derive(Clone, Debug)]
pub(crate) struct Address {
    uri: Uri,
}

impl Address {
    pub(crate) fn parse(url: &str) -> Result<Self, FetchError> {
        let refuse = |reason| FetchError::NotAllowed { origin: origin(url), reason };
        let uri: Uri = url.parse().map_err(|_invalid: ureq::http::uri::InvalidUri| refuse("it is not an address"))?;
        let address = Self { uri };
        if address.uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err(refuse("it holds a user name or password"));
        }
        match address.uri.scheme_str() {
            Some("https") if !address.host().is_empty() => Ok(address),
            Some("http") if address.is_loopback() => Ok(address),
            Some("http") => Err(refuse("http is not protected against changes on the way")),
            _ => Err(refuse("only https is supported")),
        }
    }

    pub(crate) fn as_uri(&self) -> &Uri {
        &self.uri
    }

    /// Without path and query.
    pub(crate) fn origin(&self) -> String {
        origin(&self.uri.to_string())
    }

    pub(crate) fn host(&self) -> &str {
        self.uri.host().unwrap_or_default()
    }

    pub(crate) fn is_loopback(&self) -> bool {
        let host = self.host().trim_matches(['[', ']']);
        host == "localhost"
            || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
            || host.parse::<Ipv6Addr>().is_ok_and(|address| address.is_loopback())
    }

    /// Where `location` leads from here. A redirect never leads from the network to this computer or to plain http.
    pub(crate) fn redirected(&self, location: &str) -> Result<Self, FetchError> {
        let here = format!("{}://{}", self.uri.scheme_str().unwrap_or_default(), authority(&self.uri));
        let url = if location.contains("://") {
            location.to_owned()
        } else if let Some(rest) = location.strip_prefix("//") {
            format!("{}://{rest}", self.uri.scheme_str().unwrap_or_default())
        } else if location.starts_with('/') {
            format!("{here}{location}")
        } else {
            let folder = self.uri.path().rsplit_once('/').map_or("", |(folder, _)| folder);
            format!("{here}{folder}/{location}")
        };
        let next = Self::parse(&url)?;
        if next.is_loopback() && !self.is_loopback() {
            return Err(FetchError::NotAllowed {
                origin: origin(&url),
                reason: "a server on the network redirects to this computer",
            });
        }
        Ok(next)
    }
}

/// Scheme, host and port of any text that poses as an address.
fn origin(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return "this address".to_owned() };
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let place = authority.rsplit_once('@').map_or(authority, |(_secret, place)| place);
    let short = |text: &str| text.chars().filter(|letter| !letter.is_control()).take(255).collect::<String>();
    format!("{}://{}", short(scheme), short(place))
}

fn authority(uri: &Uri) -> &str {
    uri.authority().map_or("", |authority| authority.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_and_this_computer_are_allowed() {
        for url in ["https://example.org/a", "http://127.0.0.1:80/a", "http://localhost/a", "http://[::1]:9/a"] {
            assert!(Address::parse(url).is_ok(), "{url}");
        }
        for url in [
            "http://example.org/a",
            "http://127.0.0.1.example.org/",
            "http://localhost.example.org/",
            "ftp://example.org/a",
            "file:///etc/passwd",
            "https://",
            "/a",
            "",
            "https://user:secret@example.org/a",
            "https://exa mple.org/",
        ] {
            assert!(matches!(Address::parse(url), Err(FetchError::NotAllowed { .. })), "{url}");
        }
    }

    #[test]
    fn errors_name_no_path_query_or_password() {
        for url in
            ["http://example.org/secret?secret", "https://secret:secret@example.org/", "ftp://example.org?secret"]
        {
            let error = Address::parse(url).unwrap_err().to_string();
            assert!(error.contains("://example.org is") && !error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn redirects_are_resolved_and_checked() {
        let from = Address::parse("https://example.org/models/file?x=1").unwrap();
        for (location, expected) in [
            ("https://other.example/f", "https://other.example/f"),
            ("//other.example/f", "https://other.example/f"),
            ("/f", "https://example.org/f"),
            ("f", "https://example.org/models/f"),
        ] {
            assert_eq!(from.redirected(location).unwrap().as_uri().to_string(), expected);
        }
        for location in ["http://example.org/f", "http://127.0.0.1/f", "https://localhost/f", "file:///etc/passwd"] {
            assert!(from.redirected(location).is_err(), "{location}");
        }
    }
}
