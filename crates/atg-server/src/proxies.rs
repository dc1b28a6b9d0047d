//! Who asks, and what they called this server, when proxies stand in between.
//!
//! What a request says of its way counts only as far as trusted proxies said it: the list is read from its end, and
//! the first address that is not a trusted proxy's is the client's.

use std::net::IpAddr;

use actix_web::http::header::{FORWARDED, HeaderMap, HeaderName, X_FORWARDED_FOR, X_FORWARDED_HOST, X_FORWARDED_PROTO};
use actix_web::http::uri::Authority;
use ipnet::IpNet;

/// How a request came here.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Way {
    /// Who asked; `None` when nobody knows.
    pub(crate) client: Option<IpAddr>,
    /// Whether the client spoke TLS.
    pub(crate) is_https: bool,
    /// What the client called the server, if a trusted proxy says so.
    pub(crate) host: Option<String>,
}

/// What one proxy said of the request that it passed on.
#[derive(Debug, Default)]
struct Hop {
    from: Option<IpAddr>,
    host: Option<String>,
    is_https: Option<bool>,
}

/// The way of a request that arrived from `peer`.
pub(crate) fn way(trusted: &[IpNet], peer: Option<IpAddr>, headers: &HeaderMap) -> Way {
    let peer = peer.map(|address| address.to_canonical());
    let is_trusted = |address: &IpAddr| trusted.iter().any(|network| network.contains(address));
    if !peer.as_ref().is_some_and(is_trusted) {
        return Way {
            client: peer,
            ..Way::default()
        };
    }
    let mut hops = if headers.contains_key(FORWARDED) {
        forwarded(headers)
    } else {
        x_forwarded(headers)
    };
    let mut way = Way {
        client: peer,
        ..Way::default()
    };
    // The hop that is farthest from here has the last word on host and scheme.
    while let Some(hop) = hops.pop() {
        way.host = hop.host.or(way.host);
        way.is_https = hop.is_https.unwrap_or(way.is_https);
        way.client = hop.from.or(way.client);
        if !hop.from.as_ref().is_some_and(is_trusted) {
            break;
        }
    }
    way
}

/// RFC 7239: `for=192.0.2.43;host=atg.example;proto=https, for="[2001:db8::1]:4711"`.
fn forwarded(headers: &HeaderMap) -> Vec<Hop> {
    let lines = headers.get_all(FORWARDED).filter_map(|line| line.to_str().ok());
    let elements = lines.flat_map(|line| split(line, ','));
    let hop = |element: &str| {
        let mut hop = Hop::default();
        for pair in split(element, ';') {
            let Some((name, value)) = pair.split_once('=') else {
                continue;
            };
            let value = unquoted(value.trim());
            match name.trim().to_ascii_lowercase().as_str() {
                "for" => hop.from = address(&value),
                "host" => hop.host = host(&value),
                "proto" => hop.is_https = scheme(&value),
                _ => {}
            }
        }
        hop
    };
    elements.map(hop).collect()
}

/// The older headers: a list of addresses, and a host and a scheme each once, or once a hop.
fn x_forwarded(headers: &HeaderMap) -> Vec<Hop> {
    let list = |name: HeaderName| -> Vec<&str> {
        let lines = headers.get_all(name).filter_map(|line| line.to_str().ok());
        lines.flat_map(|line| line.split(',')).map(str::trim).collect()
    };
    let (addresses, hosts, schemes) = (list(X_FORWARDED_FOR), list(X_FORWARDED_HOST), list(X_FORWARDED_PROTO));
    let count = addresses.len().max(1);
    let nth = |values: &[&str], at: usize| {
        let is_last = at.saturating_add(1) == count;
        let value = if values.len() == count {
            values.get(at)
        } else {
            values.last().filter(|_| is_last)
        };
        value.copied().unwrap_or_default().to_owned()
    };
    let hop = |at: usize| Hop {
        from: addresses.get(at).and_then(|text| address(text)),
        host: host(&nth(&hosts, at)),
        is_https: scheme(&nth(&schemes, at)),
    };
    (0..count).map(hop).collect()
}

/// Splits where no quotes are open.
fn split(text: &str, at: char) -> impl Iterator<Item = &str> {
    let mut is_quoted = false;
    let mut is_escaped = false;
    text.split(move |char| {
        let is_end = char == at && !is_quoted;
        match char {
            '"' if !is_escaped => is_quoted = !is_quoted,
            _ => {}
        }
        is_escaped = is_quoted && char == '\\' && !is_escaped;
        is_end
    })
}

fn unquoted(value: &str) -> String {
    let inner = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inner.map_or_else(|| value.to_owned(), |inner| inner.replace('\\', ""))
}

/// An address with or without a port; `unknown` and `_hidden` are none.
fn address(text: &str) -> Option<IpAddr> {
    let bare = match text.strip_prefix('[') {
        Some(rest) => rest.split(']').next()?,
        None => match text.split_once(':') {
            Some((address, port)) if !port.contains(':') => address,
            Some(_) | None => text,
        },
    };
    bare.parse().ok().map(|address: IpAddr| address.to_canonical())
}

fn host(text: &str) -> Option<String> {
    let is_plain = !text.contains('@') && text.parse::<Authority>().is_ok();
    is_plain.then(|| text.to_owned())
}

fn scheme(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "https" | "wss" => Some(true),
        "http" | "ws" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

    use super::{Way, way};

    const PROXY: &str = "10.0.0.1";
    const CLIENT: &str = "198.51.100.7";

    fn came(peer: &str, headers: &[(&str, &str)]) -> Way {
        let trusted = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(
                HeaderName::try_from(*name).unwrap(),
                HeaderValue::from_str(value).unwrap(),
            );
        }
        way(&trusted, Some(peer.parse().unwrap()), &map)
    }

    fn expected(client: &str, is_https: bool, host: Option<&str>) -> Way {
        Way {
            client: Some(client.parse().unwrap()),
            is_https,
            host: host.map(str::to_owned),
        }
    }

    #[test]
    fn what_others_say_does_not_count() {
        let headers = [
            ("forwarded", "for=192.0.2.1;host=evil.example;proto=https"),
            ("x-forwarded-for", "192.0.2.1"),
            ("x-forwarded-host", "evil.example"),
            ("x-forwarded-proto", "https"),
        ];
        assert_eq!(came(CLIENT, &headers), expected(CLIENT, false, None));
    }

    #[test]
    fn the_first_address_from_the_end_that_is_not_trusted_asks() {
        for (list, client) in [
            (CLIENT, CLIENT),
            ("192.0.2.1, 198.51.100.7", CLIENT),
            ("192.0.2.1, 198.51.100.7, 10.0.0.2, fd00::1", CLIENT),
            ("10.0.0.3, 10.0.0.2", "10.0.0.3"),
            ("198.51.100.7:4711", CLIENT),
            ("::ffff:198.51.100.7", CLIENT),
            ("192.0.2.1, unknown, 10.0.0.2", "10.0.0.2"),
            ("nonsense", PROXY),
        ] {
            assert_eq!(
                came(PROXY, &[("x-forwarded-for", list)]).client,
                Some(client.parse().unwrap()),
                "{list}"
            );
        }
    }

    #[test]
    fn host_and_scheme_are_those_that_the_client_saw() {
        let older = [
            ("x-forwarded-for", CLIENT),
            ("x-forwarded-host", "atg.example:8443"),
            ("x-forwarded-proto", "HTTPS"),
        ];
        let seen = expected(CLIENT, true, Some("atg.example:8443"));
        assert_eq!(came(PROXY, &older), seen);
        // A client's own header stands in front of the proxy's.
        let spoofed = [
            ("x-forwarded-for", "192.0.2.1, 198.51.100.7"),
            ("x-forwarded-host", "evil.example, atg.example:8443"),
            ("x-forwarded-proto", "http, https"),
        ];
        assert_eq!(came(PROXY, &spoofed), seen);
        // Two proxies: TLS ends at the outer one.
        let two = [(
            "forwarded",
            "for=\"198.51.100.7:1\";proto=https;host=\"atg.example:8443\", for=10.0.0.2;proto=http;host=inner",
        )];
        assert_eq!(came(PROXY, &two), seen);
        let only_scheme = came(PROXY, &[("x-forwarded-proto", "https")]);
        assert_eq!(only_scheme, expected(PROXY, true, None));
    }

    #[test]
    fn the_standard_header_wins_and_what_is_malformed_says_nothing() {
        let both = [("forwarded", "For=\"[2001:db8::1]:4711\""), ("x-forwarded-for", CLIENT)];
        assert_eq!(came(PROXY, &both), expected("2001:db8::1", false, None));
        for line in [
            "for=\"198.51.100.7, for=192.0.2.9",
            "for",
            "=;=,",
            "host=user@evil",
            "host=\"a b\"",
            "proto=ftp",
        ] {
            assert_eq!(
                came(PROXY, &[("forwarded", line)]),
                expected(PROXY, false, None),
                "{line}"
            );
        }
    }
}
