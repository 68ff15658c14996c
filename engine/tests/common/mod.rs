//! What the engine's tests share.
#![allow(dead_code, reason = "each test uses a part")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::JoinHandle;

use sha2::{Digest, Sha256};

/// A file that the workspace built: in the directory that holds the tests' own `deps`, or in
/// `BAYAR_TARGET`.
pub fn built(name: &str) -> PathBuf {
    let directory = std::env::var_os("BAYAR_TARGET").map(PathBuf::from).unwrap_or_else(|| {
        let test = std::env::current_exe().expect("a test has a file");
        test.ancestors().nth(2).expect("target/debug/deps/test").to_owned()
    });
    let path = directory.join(name);
    assert!(path.exists(), "{} is missing: run `cargo build --workspace` first", path.display());
    path.canonicalize().expect("it exists")
}

pub fn hex_digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// All log records of this test program.
pub fn records() -> &'static Mutex<Vec<String>> {
    struct Collect(Mutex<Vec<String>>);

    impl log::Log for Collect {
        fn enabled(&self, _: &log::Metadata<'_>) -> bool {
            true
        }

        fn log(&self, record: &log::Record<'_>) {
            let line = format!("{} {}: {}", record.level(), record.target(), record.args());
            self.0.lock().expect("no panic while logging").push(line);
        }

        fn flush(&self) {}
    }

    static COLLECT: OnceLock<Collect> = OnceLock::new();
    let collect = COLLECT.get_or_init(|| Collect(Mutex::default()));
    if log::set_logger(collect).is_ok() {
        log::set_max_level(log::LevelFilter::Trace);
    }
    &collect.0
}

/// A server that reads one request per connection, keeps it, and answers what it was told, in turn.
pub struct Server {
    address: SocketAddr,
    pub requests: Arc<Mutex<Vec<String>>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub fn answering(answer: &[u8]) -> Self {
        Server::answering_in_turn(vec![answer.to_vec()])
    }

    /// The last answer is repeated; an empty one closes the connection without a word.
    pub fn answering_in_turn(answers: Vec<Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("bound");
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        let thread = std::thread::spawn(move || {
            for (turn, stream) in listener.incoming().enumerate() {
                let mut stream = stream.expect("a connection");
                let request = read_request(&mut stream);
                if request.is_empty() {
                    return;
                }
                let answer = answers.get(turn).or(answers.last()).expect("at least one answer");
                seen.lock().expect("no panic here").push(request);
                // The client may have gone; that is its own affair.
                let _ = stream.write_all(answer);
            }
        });
        Server { address, requests, thread: Some(thread) }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn count(&self) -> usize {
        self.requests.lock().expect("no panic in the server").len()
    }
}

impl Drop for Server {
    /// A connection without a request ends the server.
    fn drop(&mut self) {
        drop(std::net::TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Head and body, by Content-Length.
fn read_request(stream: &mut std::net::TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                line.to_lowercase().strip_prefix("content-length: ").and_then(|n| n.trim().parse().ok())
            });
            if body.len() >= length.unwrap_or(0) {
                return text.into_owned();
            }
        }
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => return String::new(),
            Ok(count) => bytes.extend_from_slice(&chunk[..count]),
        }
    }
}

/// An HTTP answer with a JSON body, after which the connection closes.
pub fn json_answer(status: u16, body: &serde_json::Value) -> Vec<u8> {
    let body = body.to_string();
    format!("HTTP/1.1 {status} X\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}
