//! Sending callbacks to the merchant, with the provider's rule for trying again.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use ureq::http;

use crate::faults::{Fault, Kind, On, When};
use crate::ledger::{Entry, Log};
use crate::provider::Callback;
use crate::server::Frame;
use crate::tools;

/// Providers wait minutes before they try again; a sandbox must not.
const PAUSE: Duration = Duration::from_millis(100);

/// How long the merchant may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// What became of a callback at one URL.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Delivery {
    url: String,
    /// The attempts, in order; the last one is how it ended.
    attempts: Vec<Attempt>,
}

#[derive(Debug, Clone, Serialize)]
struct Attempt {
    status: Option<u16>,
    /// What the merchant answered.
    answer: String,
    /// Why there was no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// The client that callbacks leave through: no proxy (they stay on this machine), no redirects
/// (providers do not follow them either), every status an answer.
pub(crate) fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .proxy(None)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .timeout_global(Some(PATIENCE))
        .build()
        .into()
}

/// Sends a callback to each of its URLs, again where the provider would.
pub(crate) async fn deliver(frame: &Arc<Frame>, id: &str, callback: &Callback) -> Vec<Delivery> {
    let mut deliveries = Vec::new();
    for url in &callback.urls {
        let url = with_query(url, &callback.query);
        let fault = frame.books().faults.take(On::Callback, id, &url);
        let attempts = match fault.as_ref().map(|fault| (fault.fault, fault.when())) {
            // Lost for good, as while the merchant is down for longer than the provider tries.
            Some((Kind::Reset, When::Before)) => {
                let attempt = Attempt::broken("reset before, as asked: it never arrived");
                record(frame, id, callback, &url, 1, &attempt, fault.as_ref());
                vec![attempt]
            }
            Some((Kind::Delay, _)) => {
                let ms = fault.as_ref().and_then(|fault| fault.ms).unwrap_or(1000);
                tokio::time::sleep(Duration::from_millis(ms)).await;
                until_accepted(frame, id, callback, &url, None).await
            }
            Some((Kind::Duplicate, _)) => {
                let mut attempts = until_accepted(frame, id, callback, &url, None).await;
                attempts.extend(until_accepted(frame, id, callback, &url, None).await);
                attempts
            }
            _ => until_accepted(frame, id, callback, &url, fault.as_ref()).await,
        };
        deliveries.push(Delivery { url, attempts });
    }
    deliveries
}

/// With a fault, the answer to the first attempt is lost on its way back.
async fn until_accepted(
    frame: &Arc<Frame>,
    id: &str,
    callback: &Callback,
    url: &str,
    mut fault: Option<&Fault>,
) -> Vec<Attempt> {
    let mut attempts: Vec<Attempt> = Vec::new();
    loop {
        let mut attempt = attempt(frame, callback, url).await;
        let fault = fault.take().filter(|_| attempt.status.is_some());
        if fault.is_some() {
            attempt = Attempt::broken("reset after, as asked: it arrived, and its answer was lost");
        }
        let number = u32::try_from(attempts.len() + 1).expect("there are few attempts");
        record(frame, id, callback, url, number, &attempt, fault);
        let status = attempt.status;
        // An address that may not be called does not become better with time.
        let hopeless = attempt.error.as_deref().is_some_and(|error| error.starts_with(NOT_LOCAL));
        attempts.push(attempt);
        let retries = frame.provider(id).expect("a callback comes from a provider").retries(status);
        if hopeless || number > retries {
            return attempts;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

impl Attempt {
    fn broken(error: &str) -> Self {
        Attempt { status: None, answer: String::new(), error: Some(error.to_owned()) }
    }
}

const NOT_LOCAL: &str = "not sent";

async fn attempt(frame: &Arc<Frame>, callback: &Callback, url: &str) -> Attempt {
    if let Err(error) = local(url) {
        return Attempt::broken(&error);
    }
    let (agent, callback, url) = (frame.agent.clone(), callback.clone(), url.to_owned());
    let sent = tokio::task::spawn_blocking(move || send(&agent, &callback, &url)).await;
    match sent.unwrap_or_else(|error| Err(error.to_string())) {
        Ok((status, answer)) => Attempt { status: Some(status), answer, error: None },
        Err(error) => Attempt::broken(&error),
    }
}

/// Whether an address is on this machine. Anything else is refused: a sandbox that signs with
/// somebody's real key must not be made to call the world.
fn local(url: &str) -> Result<(), String> {
    let refuse = |why: &str| Err(format!("{NOT_LOCAL}: {url}: {why}"));
    let Ok(uri) = url.parse::<http::Uri>() else { return refuse("not a URL") };
    if uri.scheme_str() != Some("http") {
        return refuse("callbacks of the sandbox go over http:// only");
    }
    let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let loopback = host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    if host == "localhost" || loopback {
        Ok(())
    } else {
        refuse("not an address of this machine (127.0.0.1, [::1], localhost)")
    }
}

fn send(agent: &ureq::Agent, callback: &Callback, url: &str) -> Result<(u16, String), String> {
    let mut request = http::Request::builder().method(callback.method).uri(url);
    for (name, value) in &callback.headers {
        request = request.header(name, value);
    }
    let sent = if callback.method == "GET" {
        agent.run(request.body(()).map_err(|error| error.to_string())?)
    } else {
        agent.run(request.body(callback.body.as_bytes()).map_err(|error| error.to_string())?)
    };
    let mut response = sent.map_err(|error| error.to_string())?;
    let answer = response.body_mut().with_config().limit(64 * 1024).lossy_utf8(true).read_to_string();
    Ok((response.status().as_u16(), answer.unwrap_or_default()))
}

fn with_query(url: &str, query: &str) -> String {
    match (query.is_empty(), url.contains('?')) {
        (true, _) => url.to_owned(),
        (false, true) => format!("{url}&{query}"),
        (false, false) => format!("{url}?{query}"),
    }
}

fn record(
    frame: &Frame,
    id: &str,
    callback: &Callback,
    url: &str,
    number: u32,
    attempt: &Attempt,
    fault: Option<&Fault>,
) {
    frame.books().log.push(Entry {
        seq: 0,
        direction: "out",
        time: tools::wib(Timestamp::now()),
        provider: id.to_owned(),
        method: callback.method.to_owned(),
        path: url.to_owned(),
        query: callback.query.clone(),
        headers: callback.headers.clone(),
        body: Log::text(callback.body.as_bytes()),
        status: attempt.status,
        answer: attempt.answer.clone(),
        handled: u32::from(
            attempt.status.is_some() || fault.is_some_and(|fault| fault.when() == When::After),
        ),
        fault: fault.map(Fault::label),
        order_id: Some(callback.order_id.clone()),
        attempt: Some(number),
        error: attempt.error.clone(),
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callbacks_stay_on_this_machine() {
        for url in ["http://127.0.0.1:80/x", "http://127.8.9.1/", "http://localhost:9/", "http://[::1]:7/"] {
            assert_eq!(local(url), Ok(()), "{url}");
        }
        for url in [
            "http://192.0.2.1/",
            "http://example.com/",
            "https://127.0.0.1/",
            "http://localhost.example.com/",
            "x",
        ] {
            assert!(local(url).is_err(), "{url}");
        }
    }
}
