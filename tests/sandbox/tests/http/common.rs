//! A client, and a merchant that takes callbacks.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use base64::Engine as _;
use bayar_sandbox::{Options, Sandbox};
use serde_json::Value;

pub(crate) const SERVER_KEY: &str = "SB-Mid-server-EXAMPLE0000000000000000";

/// Longer than any test needs; reached only by a test that fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// A sandbox with these settings, on a free port.
pub(crate) fn start(set: &[(&str, &str)]) -> Sandbox {
    let set = set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    Sandbox::start(Options { listen, set, quiet: true, plugins: None }).expect("a free port")
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) location: String,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// One request.
pub(crate) fn call(url: &str, method: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    try_call(url, method, headers, body).unwrap_or_else(|error| panic!("{method} {url}: {error}"))
}

/// One request that may fail.
pub(crate) fn try_call(
    url: &str,
    method: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Result<Answer, ureq::Error> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .proxy(None)
        .timeout_global(Some(PATIENCE))
        .build()
        .into();
    let mut request = ureq::http::Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(body.to_owned()).expect("a valid request");
    // A GET with a body is what some clients send; without one it must go out without a length.
    let mut response = match (method, body.is_empty()) {
        ("GET" | "DELETE", true) => agent.run(request.map(|_| ()))?,
        ("GET" | "DELETE", false) => {
            let request = agent.configure_request(request).allow_non_standard_methods(true).build();
            agent.run(request)?
        }
        _ => agent.run(request)?,
    };
    let header = |name: &str| {
        response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    };
    let (content_type, location) = (header("content-type"), header("location"));
    let status = response.status().as_u16();
    let text = response.body_mut().read_to_string()?;
    Ok(Answer { status, content_type, location, text })
}

/// `Basic` with Midtrans' server key.
pub(crate) fn basic(key: &str) -> String {
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{key}:")))
}

/// A call to simulated Midtrans with the right key.
pub(crate) fn midtrans(sandbox: &Sandbox, method: &str, path: &str, body: &str) -> Answer {
    midtrans_with(sandbox, method, path, &[], body)
}

/// The same with more headers.
pub(crate) fn midtrans_with(
    sandbox: &Sandbox,
    method: &str,
    path: &str,
    more: &[(&str, &str)],
    body: &str,
) -> Answer {
    let auth = basic(SERVER_KEY);
    let mut headers = vec![("authorization", auth.as_str()), ("content-type", "application/json")];
    headers.extend(more);
    call(&format!("{}/midtrans{path}", sandbox.base_url()), method, &headers, body)
}

/// A Core API charge by some method, which succeeds.
pub(crate) fn charge(sandbox: &Sandbox, order_id: &str, payment: &str) -> Value {
    let body =
        format!(r#"{{{payment},"transaction_details":{{"order_id":"{order_id}","gross_amount":10000}}}}"#);
    let answer = midtrans(sandbox, "POST", "/v2/charge", &body);
    assert_eq!(answer.json()["status_code"], "201", "{answer:?}");
    answer.json()
}

/// A control call.
pub(crate) fn control(sandbox: &Sandbox, method: &str, path: &str, body: &str) -> Answer {
    call(&format!("{}/_sandbox{path}", sandbox.base_url()), method, &[], body)
}

/// An order of the ledger.
pub(crate) fn order(sandbox: &Sandbox, provider: &str, id: &str) -> Value {
    control(sandbox, "GET", &format!("/{provider}/{id}"), "").json()
}

/// A request that a merchant received.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Received {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// A merchant: answers with these statuses in turn, then always with the last.
pub(crate) struct Merchant {
    pub(crate) url: String,
    received: Receiver<Received>,
}

impl Merchant {
    pub(crate) fn answering(statuses: &[u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        let statuses = statuses.to_vec();
        let (send, received) = channel();
        std::thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                let Ok(mut stream) = stream else { return };
                let request = read_request(&mut stream);
                let status = statuses.get(number).or(statuses.last()).expect("one status at least");
                let answer =
                    format!("HTTP/1.1 {status} X\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok");
                // First the record: when the caller has its answer, the test may look.
                if send.send(request).is_err() || stream.write_all(answer.as_bytes()).is_err() {
                    return;
                }
            }
        });
        Self { url, received }
    }

    /// The next callback.
    pub(crate) fn next(&self) -> Received {
        self.received.recv_timeout(PATIENCE).expect("a callback")
    }

    /// All that came so far.
    pub(crate) fn so_far(&self) -> Vec<Received> {
        self.received.try_iter().collect()
    }
}

fn read_request(stream: &mut TcpStream) -> Received {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_lowercase();
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map_or(0, |n| n.parse().expect("a length"));
            if body.len() >= length {
                return Received { head: head.clone(), body: body.to_owned() };
            }
        }
        let read = stream.read(&mut chunk).expect("a request");
        assert!(read > 0, "the request ended early");
        bytes.extend_from_slice(&chunk[..read]);
    }
}

/// Speaks HTTP by hand: everything that came, and how the connection ended.
pub(crate) fn raw(sandbox: &Sandbox, request: &str) -> (String, std::io::Result<()>) {
    let mut stream = TcpStream::connect(sandbox.addr()).expect("it listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut bytes = Vec::new();
    let end = stream.read_to_end(&mut bytes).map(|_| ());
    (String::from_utf8_lossy(&bytes).into_owned(), end)
}
