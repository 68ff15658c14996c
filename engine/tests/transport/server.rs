//! A server on a port of its own that does what a test's script says, well or badly.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use bayar::transport::{Failure, Options, Reason, Stage, Transport};
use bayar_provider::{Request, Response};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection};
use socket2::SockRef;

/// Nothing that a script waits for takes longer, whatever goes wrong.
const PATIENCE: Duration = Duration::from_secs(10);

/// Answers with a body of two bytes and leaves the connection open.
pub const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// A connection as the script sees it.
pub struct Peer {
    stream: TcpStream,
    tls: Option<ServerConnection>,
    /// Which connection of its server this is, from 0.
    pub number: usize,
}

impl Peer {
    /// Reads one request, header and body; `None` if the client ends the connection.
    pub fn request(&mut self) -> Option<String> {
        let mut text = Vec::new();
        while !text.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            match self.read(&mut byte) {
                Ok(1) => text.push(byte[0]),
                _ => return None,
            }
        }
        let head = String::from_utf8(text).expect("tests send text");
        let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
        let mut body = vec![0; length.map_or(0, |text| text.parse().expect("a number"))];
        self.read_exact(&mut body).ok()?;
        Some(head + &String::from_utf8(body).expect("tests send text"))
    }

    /// Writes all bytes; false once the client has gone.
    pub fn say(&mut self, bytes: &[u8]) -> bool {
        self.write_all(bytes).and_then(|()| self.flush()).is_ok()
    }

    /// Writes byte by byte until the client goes.
    pub fn drip(&mut self, bytes: &[u8], pause: Duration) {
        for byte in bytes {
            if !self.say(&[*byte]) {
                return;
            }
            thread::sleep(pause);
        }
    }

    /// Ends the connection with a reset.
    pub fn reset(self) {
        SockRef::from(&self.stream).set_linger(Some(Duration::ZERO)).expect("a TCP socket");
    }

    /// Ends TLS as it should be ended.
    pub fn close_notify(&mut self) {
        if let Some(tls) = &mut self.tls {
            tls.send_close_notify();
            let _ = tls.write_tls(&mut self.stream);
        }
    }

    /// Sends new keys, which is nothing that a request or an answer is made of.
    pub fn renew_keys(&mut self) {
        let tls = self.tls.as_mut().expect("a TLS connection");
        tls.refresh_traffic_keys().expect("TLS 1.3");
        tls.write_tls(&mut self.stream).expect("the client is there");
    }

    /// Carries bytes both ways between the client and another server.
    pub fn forward(self, upstream: TcpStream) {
        let copy = |mut from: TcpStream, mut to: TcpStream| {
            let _ = io::copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Write);
        };
        let cloned = |stream: &TcpStream| stream.try_clone().expect("a descriptor");
        let (back_from, back_to) = (cloned(&upstream), cloned(&self.stream));
        let back = thread::spawn(move || copy(back_from, back_to));
        copy(self.stream, upstream);
        back.join().expect("copying does not panic");
    }

    /// Waits until the client ends the connection; true if it did so without another byte.
    pub fn ended_by_client(&mut self) -> bool {
        matches!(self.stream.read(&mut [0; 1]), Ok(0))
    }
}

impl Read for Peer {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.tls {
            None => self.stream.read(buffer),
            Some(tls) => rustls::Stream::new(tls, &mut self.stream).read(buffer),
        }
    }
}

impl Write for Peer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.tls {
            None => self.stream.write(bytes),
            Some(tls) => rustls::Stream::new(tls, &mut self.stream).write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.tls {
            None => Ok(()),
            Some(tls) => rustls::Stream::new(tls, &mut self.stream).flush(),
        }
    }
}

/// A running server; it stops when dropped.
pub struct Server {
    pub address: SocketAddr,
    accepted: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    listener: Option<JoinHandle<()>>,
    scheme: &'static str,
}

impl Server {
    /// Plain HTTP: each connection is given to the script on a thread of its own.
    pub fn plain(script: impl Fn(Peer) + Send + Sync + 'static) -> Server {
        Server::start("127.0.0.1:0", None, script)
    }

    /// The same on all addresses of this machine.
    pub fn plain_everywhere(script: impl Fn(Peer) + Send + Sync + 'static) -> Server {
        Server::start("0.0.0.0:0", None, script)
    }

    /// The same over TLS. A client that gives up the handshake never reaches the script.
    pub fn tls(identity: &Identity, script: impl Fn(Peer) + Send + Sync + 'static) -> Server {
        Server::start("127.0.0.1:0", Some(identity.server_config()), script)
    }

    fn start(
        address: &str,
        tls: Option<Arc<ServerConfig>>,
        script: impl Fn(Peer) + Send + Sync + 'static,
    ) -> Server {
        let socket = TcpListener::bind(address).expect("a free port");
        let address = socket.local_addr().expect("bound");
        let accepted = Arc::new(AtomicUsize::new(0));
        let stop = Arc::new(AtomicBool::new(false));
        let scheme = if tls.is_some() { "https" } else { "http" };
        let (count, stopped, script) = (Arc::clone(&accepted), Arc::clone(&stop), Arc::new(script));
        let listener = thread::spawn(move || {
            for stream in socket.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                let stream = stream.expect("accepting works on loopback");
                let number = count.fetch_add(1, Ordering::SeqCst);
                let (tls, script) = (tls.clone(), Arc::clone(&script));
                thread::spawn(move || serve(stream, tls, number, script.as_ref()));
            }
        });
        Server { address, accepted, stop, listener: Some(listener), scheme }
    }

    /// The URL of a path, by the name that the good certificate has.
    pub fn url(&self, path: &str) -> String {
        let host = if self.scheme == "https" { "localhost" } else { "127.0.0.1" };
        format!("{}://{host}:{}{path}", self.scheme, self.address.port())
    }

    /// How many connections were accepted so far.
    pub fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the listener, which sees that it has to stop.
        let _ = TcpStream::connect(self.address);
        if let Some(listener) = self.listener.take() {
            let _ = listener.join();
        }
    }
}

fn serve(mut stream: TcpStream, tls: Option<Arc<ServerConfig>>, number: usize, script: &dyn Fn(Peer)) {
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout above zero");
    stream.set_write_timeout(Some(PATIENCE)).expect("a timeout above zero");
    stream.set_nodelay(true).expect("a TCP socket");
    let tls = tls.map(|config| ServerConnection::new(config).expect("a good configuration"));
    let Some(mut tls) = tls else {
        return script(Peer { stream, tls: None, number });
    };
    while tls.is_handshaking() {
        if tls.complete_io(&mut stream).is_err() {
            let _ = stream.shutdown(Shutdown::Both);
            return;
        }
    }
    script(Peer { stream, tls: Some(tls), number });
}

/// Reads a request, answers, and so on until the client ends the connection.
pub fn answering(answer: &'static [u8]) -> impl Fn(Peer) + Send + Sync + 'static {
    move |mut peer| while peer.request().is_some() && peer.say(answer) {}
}

/// Reads one request, answers, and ends the connection.
pub fn once(answer: impl Into<Vec<u8>>) -> impl Fn(Peer) + Send + Sync + Clone + 'static {
    let answer = answer.into();
    move |mut peer| {
        peer.request();
        peer.say(&answer);
        peer.close_notify();
    }
}

/// A key with its certificate chain.
pub struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: Vec<u8>,
}

impl Identity {
    fn server_config(&self) -> Arc<ServerConfig> {
        let key = PrivateKeyDer::Pkcs8(self.key.clone().into());
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring has suites for all versions")
            .with_no_client_auth()
            .with_single_cert(self.chain.clone(), key)
            .expect("key and certificate belong together");
        Arc::new(config)
    }

    /// Writes certificate and key as PEM for other programs; returns both paths.
    pub fn pem_files(&self, name: &str) -> (PathBuf, PathBuf) {
        let encode = |label: &str, der: &[u8]| {
            use base64::Engine as _;
            let text = base64::prelude::BASE64_STANDARD.encode(der);
            format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
        };
        let path = |kind| PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{kind}.pem"));
        fs::write(path("cert"), encode("CERTIFICATE", &self.chain[0])).expect("a writable directory");
        fs::write(path("key"), encode("PRIVATE KEY", &self.key)).expect("a writable directory");
        (path("cert"), path("key"))
    }
}

/// One authority for all tests, and certificates of every kind.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// PEM file for `ca_file`: another authority first, then this one.
    pub ca_file: PathBuf,
}

pub static AUTHORITY: LazyLock<Authority> = LazyLock::new(|| {
    let authority = |name: &str| {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("randomness");
        let certificate = params.self_signed(&key).expect("good parameters");
        (certificate.pem(), Issuer::new(params, key))
    };
    let (other, _) = authority("another authority");
    let (own, issuer) = authority("the tests' authority");
    let file = format!("transport-ca-{}.pem", std::process::id());
    let ca_file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(file);
    fs::write(&ca_file, format!("# two of them\n{other}\n{own}")).expect("a writable directory");
    Authority { issuer, ca_file }
});

impl Authority {
    /// A certificate for `localhost`.
    pub fn good(&self) -> Identity {
        self.issue("localhost", |_| {})
    }

    /// A certificate for another name.
    pub fn issue_for(&self, name: &str) -> Identity {
        self.issue(name, |_| {})
    }

    /// A certificate whose time is over.
    pub fn expired(&self) -> Identity {
        self.issue("localhost", |params| {
            params.not_before = rcgen::date_time_ymd(2020, 1, 1);
            params.not_after = rcgen::date_time_ymd(2021, 1, 1);
        })
    }

    /// A certificate that vouches for itself.
    pub fn self_signed(&self) -> Identity {
        let key = KeyPair::generate().expect("randomness");
        let params = CertificateParams::new(["localhost".to_owned()]).expect("a name");
        let certificate = params.self_signed(&key).expect("good parameters");
        Identity { chain: vec![certificate.der().clone()], key: key.serialize_der() }
    }

    fn issue(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Identity {
        let key = KeyPair::generate().expect("randomness");
        let mut params = CertificateParams::new([name.to_owned()]).expect("a name");
        change(&mut params);
        let certificate = params.signed_by(&key, &self.issuer).expect("good parameters");
        Identity { chain: vec![certificate.der().clone()], key: key.serialize_der() }
    }
}

/// Options that trust the tests' authority.
pub fn options() -> Options {
    Options { ca_file: Some(AUTHORITY.ca_file.clone()), ..Options::default() }
}

pub fn transport(options: Options) -> Transport {
    Transport::new(options).expect("good options")
}

/// A deadline that is not expected to matter.
pub fn soon() -> Instant {
    Instant::now() + Duration::from_secs(8)
}

pub fn get(url: impl Into<String>) -> Request {
    Request::new("GET", url)
}

pub fn post(url: impl Into<String>) -> Request {
    Request::new("POST", url).body(b"{\"amount\":1}".to_vec())
}

/// Sends with default options; for servers that are used once.
pub fn send(request: &Request) -> Result<Response, Failure> {
    transport(options()).send(request, false, soon())
}

/// What went wrong, if it did; the message is checked on the way.
pub fn failure(outcome: Result<Response, Failure>) -> (Reason, Stage) {
    let failure = outcome.expect_err("the exchange must fail");
    let meaning = match failure.stage {
        Stage::NotSent => "nothing was sent",
        Stage::MaybeSent => "may have been received",
    };
    assert!(failure.message.contains(meaning), "{failure}");
    assert!(!failure.message.contains("token=secret"), "{failure}");
    (failure.reason, failure.stage)
}
