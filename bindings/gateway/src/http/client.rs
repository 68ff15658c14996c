//! Who asks: the address of the other side, or what a trusted proxy says of it.

use std::net::{IpAddr, SocketAddr};

use axum::http::HeaderMap;
use ipnet::IpNet;

/// The other end of a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub SocketAddr);

/// Who asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Client {
    /// The address.
    pub address: IpAddr,
    /// Whether someone in between is not trusted and says that it asks for another.
    pub doubtful: bool,
}

impl Client {
    /// The nearest address that is no trusted proxy's. What stands further left in `X-Forwarded-For` anybody
    /// may have written.
    pub(crate) fn of(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> Client {
        let trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(&address));
        let mut address = peer.to_canonical();
        let lines: Vec<&str> =
            headers.get_all("x-forwarded-for").iter().filter_map(|line| line.to_str().ok()).collect();
        let mut hops = lines.iter().flat_map(|line| line.split(',')).map(str::trim).rev();
        while trusted(address) {
            match hops.next().map(hop) {
                None => return Client { address, doubtful: false },
                Some(Some(before)) => address = before,
                Some(None) => return Client { address, doubtful: true },
            }
        }
        let forwarded = hops.next().is_some() || headers.contains_key("forwarded");
        Client { address, doubtful: forwarded }
    }
}

/// An address as proxies write it, with or without a port.
fn hop(text: &str) -> Option<IpAddr> {
    let plain = text.trim_start_matches('[').trim_end_matches(']');
    let address = plain.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|full| full.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, lines: &[&str]) -> (String, bool) {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("x-forwarded-for", line.parse().expect("a value"));
        }
        let trusted = ["10.0.0.0/8".parse().expect("a network"), "::1/128".parse().expect("a network")];
        let found = Client::of(peer.parse().expect("an address"), &headers, &trusted);
        (found.address.to_string(), found.doubtful)
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let of = |address: &str, doubtful| (address.to_owned(), doubtful);
        assert_eq!(client("192.0.2.9", &[]), of("192.0.2.9", false));
        assert_eq!(client("192.0.2.9", &["127.0.0.1"]), of("192.0.2.9", true), "anybody may write that");
        assert_eq!(client("10.0.0.1", &["192.0.2.7"]), of("192.0.2.7", false));
        assert_eq!(client("10.0.0.1", &["127.0.0.1, 192.0.2.7"]), of("192.0.2.7", true));
        assert_eq!(client("10.0.0.1", &["127.0.0.1", "192.0.2.7, 10.9.9.9"]), of("192.0.2.7", true));
        assert_eq!(client("10.0.0.1", &["192.0.2.7:4711"]), of("192.0.2.7", false));
        assert_eq!(client("::1", &["[2001:db8::1]:80"]), of("2001:db8::1", false));
        assert_eq!(client("::ffff:10.0.0.1", &["::ffff:192.0.2.7"]), of("192.0.2.7", false));
        assert_eq!(client("10.0.0.1", &["unknown"]), of("10.0.0.1", true));
        assert_eq!(client("10.0.0.1", &[]), of("10.0.0.1", false));
    }
}
