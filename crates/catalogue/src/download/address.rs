//! Addresses as redirects name them.

/// Scheme, host and port.
pub(super) fn origin(address: &str) -> &str {
    let host = address.find("://").map_or(0, |scheme| scheme + 3);
    let end = address[host..].find(['/', '?', '#']).map_or(address.len(), |length| host + length);
    &address[..end]
}

/// Where `location` leads from `address`. None for another scheme than these, and from an encrypted connection to one that
/// is not.
pub(super) fn follow(address: &str, location: &str) -> Option<String> {
    let secure = address.starts_with("https://");
    if location.starts_with("https://") || (location.starts_with("http://") && !secure) {
        return Some(location.to_string());
    }
    if let Some(rest) = location.strip_prefix("//") {
        return Some(format!("{}//{rest}", if secure { "https:" } else { "http:" }));
    }
    if location.starts_with('/') {
        return Some(format!("{}{location}", origin(address)));
    }
    // Another scheme, or a path beside this one, which no server of weights answers.
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_leads_to_an_address() {
        let from = "https://hub.example/a/b?c";
        assert_eq!(origin(from), "https://hub.example");
        assert_eq!(origin("http://127.0.0.1:80"), "http://127.0.0.1:80");
        assert_eq!(follow(from, "https://other/d").as_deref(), Some("https://other/d"));
        assert_eq!(follow(from, "/d?e").as_deref(), Some("https://hub.example/d?e"));
        assert_eq!(follow(from, "//other/d").as_deref(), Some("https://other/d"));
        for location in ["http://hub.example/d", "file:///etc/passwd", "ftp://a/b", "d", ""] {
            assert_eq!(follow(from, location), None, "{location}");
        }
        assert_eq!(follow("http://a/b", "http://c/d").as_deref(), Some("http://c/d"));
    }
}
