//! How often one application and one address may ask, each second. Kept by each instance for itself: it
//! protects the machine, and no payment depends on it.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;

use axum::http::StatusCode;
use governor::clock::DefaultClock;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::config::Settings;
use crate::problem::Problem;

type Keyed<K> = RateLimiter<K, HashMapStateStore<K>, DefaultClock>;

/// The limits.
pub(crate) struct Limits {
    keys: Option<Keyed<String>>,
    addresses: Option<Keyed<IpAddr>>,
}

impl Limits {
    pub(crate) fn new(settings: &Settings) -> Limits {
        Limits { keys: limiter(settings.rate_per_key), addresses: limiter(settings.rate_per_address) }
    }

    /// Whether an application may ask now.
    pub(crate) fn application(&self, code: &str) -> Result<(), Problem> {
        let over = self.keys.as_ref().is_some_and(|keys| keys.check_key(&code.to_owned()).is_err());
        if over { Err(too_many("application")) } else { Ok(()) }
    }

    /// Whether an address may ask now. A network of IPv6 counts as one.
    pub(crate) fn address(&self, address: IpAddr) -> Result<(), Problem> {
        let over = self.addresses.as_ref().is_some_and(|all| all.check_key(&network(address)).is_err());
        if over { Err(too_many("address")) } else { Ok(()) }
    }

    /// Forgets those that have not asked for a while.
    pub(crate) fn tidy(&self) {
        if let Some(keys) = &self.keys {
            keys.retain_recent();
        }
        if let Some(addresses) = &self.addresses {
            addresses.retain_recent();
        }
    }
}

fn limiter<K: std::hash::Hash + Eq + Clone>(per_second: u32) -> Option<Keyed<K>> {
    let per_second = NonZeroU32::new(per_second)?;
    let quota = Quota::per_second(per_second)
        .allow_burst(per_second.saturating_mul(NonZeroU32::MIN.saturating_add(1)));
    Some(RateLimiter::hashmap(quota))
}

fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(six) => {
            let [a, b, c, d, ..] = six.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

fn too_many(whose: &str) -> Problem {
    let what = format!("this {whose} asks more often than is allowed");
    let advice = "Nothing was sent. Call again with the same key after a moment, and more slowly.";
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", what, advice).retry_after(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twice_as_many_at_once_and_no_more() {
        let limits = Limits::new(&Settings { rate_per_key: 2, rate_per_address: 1, ..Settings::default() });
        let allowed = (0..10).filter(|_| limits.application("biling").is_ok()).count();
        assert_eq!(allowed, 4);
        assert!(limits.application("shop").is_ok(), "another application's own");
        let six = |text: &str| limits.address(text.parse().expect("an address")).is_ok();
        assert_eq!([six("2001:db8::1"), six("2001:db8::2"), six("2001:db8::3")], [true, true, false]);
        assert!(six("2001:db8:0:1::1") && six("192.0.2.1") && six("192.0.2.2"));
        let none = Limits::new(&Settings { rate_per_key: 0, rate_per_address: 0, ..Settings::default() });
        assert!((0..1000).all(|_| none.application("biling").is_ok()));
    }
}
