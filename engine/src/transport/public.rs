//! Which addresses are the public internet's. What is left out belongs to somebody's own network, to this
//! machine, or to nobody: a request that an outsider may aim must not reach it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether an address is the public internet's (IANA's registries of special-purpose addresses).
pub fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let special = match address.octets() {
        // This network; a carrier's own (RFC 6598); of protocols (RFC 6890); former relays (RFC 7526).
        [0, ..] | [192, 0, 0, _] | [192, 88, 99, _] => true,
        [100, b, ..] => (64..128).contains(&b),
        // For measuring (RFC 2544), and what was never given out.
        [198, 18 | 19, ..] | [240..=255, ..] => true,
        _ => false,
    };
    let own = address.is_private() || address.is_loopback() || address.is_link_local();
    !(special || own || address.is_multicast() || address.is_documentation() || address.is_broadcast())
}

/// Of IPv6 only 2000::/3 is given out, and of that some is special. Addresses that carry another one inside
/// (Teredo, 6to4) could lead anywhere.
fn is_public_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        // Of protocols, Teredo among them; for documents.
        [0x2001, b, ..] => b >= 0x0200 && b != 0x0db8,
        [0x2002, ..] => false,
        [0x3fff, b, ..] => b >= 0x1000,
        [a, ..] => (0x2000..0x4000).contains(&a),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_public_internet() {
        for (text, public) in [
            ("8.8.8.8", true),
            ("172.15.0.1", true),
            ("172.32.0.1", true),
            ("100.63.255.255", true),
            ("100.128.0.0", true),
            ("198.17.0.1", true),
            ("223.255.255.255", true),
            ("2606:4700::1111", true),
            ("2001:4860::8888", true),
            ("::ffff:8.8.8.8", true),
            ("0.0.0.0", false),
            ("0.1.2.3", false),
            ("10.0.0.1", false),
            ("100.64.0.1", false),
            ("100.127.255.255", false),
            ("127.0.0.1", false),
            ("127.9.9.9", false),
            ("169.254.169.254", false),
            ("172.16.0.1", false),
            ("172.31.255.255", false),
            ("192.0.0.1", false),
            ("192.0.2.1", false),
            ("192.88.99.1", false),
            ("192.168.1.1", false),
            ("198.18.0.1", false),
            ("198.51.100.1", false),
            ("203.0.113.1", false),
            ("224.0.0.1", false),
            ("240.0.0.1", false),
            ("255.255.255.255", false),
            ("::", false),
            ("::1", false),
            ("::ffff:127.0.0.1", false),
            ("::ffff:10.0.0.1", false),
            ("64:ff9b::7f00:1", false),
            ("100::1", false),
            ("2001::1", false),
            ("2001:db8::1", false),
            ("2002:7f00:1::", false),
            ("3fff::1", false),
            ("fc00::1", false),
            ("fd12::1", false),
            ("fe80::1", false),
            ("ff02::1", false),
        ] {
            assert_eq!(is_public(text.parse().expect(text)), public, "{text}");
        }
    }
}
