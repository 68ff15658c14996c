//! What is counted, for Prometheus.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Seconds: from a lookup in memory to a provider that takes its whole deadline.
const SECONDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 20.0];

/// A route, a method and a status.
#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
pub(crate) struct Request {
    pub route: String,
    pub method: &'static str,
    pub status: u16,
}

/// A route.
#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
pub(crate) struct Route {
    pub route: String,
}

/// What something came to.
#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
pub(crate) struct Result {
    pub result: &'static str,
}

/// An operation of an account, and what it came to.
#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
pub(crate) struct Call {
    pub account: String,
    pub operation: String,
    pub result: String,
}

/// Everything that is counted.
pub(crate) struct Metrics {
    pub registry: Registry,
    pub requests: Family<Request, Counter>,
    pub seconds: Family<Route, Histogram>,
    pub calls: Family<Call, Counter>,
    pub under_way: Gauge,
    pub turned_away: Family<Result, Counter>,
    pub callbacks: Family<Call, Counter>,
    pub deliveries: Family<Result, Counter>,
    pub recovered: Family<Result, Counter>,
    /// Measured when they are asked for.
    pub due: Gauge,
    pub parked: Gauge,
    pub reviews: Gauge,
}

impl Metrics {
    pub(crate) fn new() -> Metrics {
        let mut metrics = Metrics {
            registry: Registry::default(),
            requests: Family::default(),
            seconds: Family::new_with_constructor(|| Histogram::new(SECONDS)),
            calls: Family::default(),
            under_way: Gauge::default(),
            turned_away: Family::default(),
            callbacks: Family::default(),
            deliveries: Family::default(),
            recovered: Family::default(),
            due: Gauge::default(),
            parked: Gauge::default(),
            reviews: Gauge::default(),
        };
        let mut registry = Registry::with_prefix("bayar");
        registry.register("requests", "Requests answered", metrics.requests.clone());
        registry.register("request_seconds", "How long requests took", metrics.seconds.clone());
        registry.register("calls", "Calls of the engine", metrics.calls.clone());
        registry.register("calls_under_way", "Calls of the engine under way", metrics.under_way.clone());
        registry.register("turned_away", "Requests turned away", metrics.turned_away.clone());
        registry.register("callbacks_in", "Callbacks of providers", metrics.callbacks.clone());
        registry.register("deliveries", "Tries to tell applications", metrics.deliveries.clone());
        registry.register("recovered", "Payments that recovery looked at", metrics.recovered.clone());
        registry.register("deliveries_due", "Deliveries that are tried again", metrics.due.clone());
        registry.register("deliveries_parked", "Deliveries that were parked", metrics.parked.clone());
        registry.register("reviews", "Payments that wait for a person", metrics.reviews.clone());
        metrics.registry = registry;
        metrics
    }

    /// All of it as text.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry)
            .expect("a string takes every text");
        text
    }
}
