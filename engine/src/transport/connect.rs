//! Opening a connection: look up, connect, ask the proxy, shake hands. All of it happens
//! before the first byte of a request, so that none of it can be mistaken for one sent.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{Buffers as _, ConnectionDetails, Connector, NextTimeout};
use ureq_proto::parser::try_parse_response;
use zeroize::Zeroizing;

use super::attempt;
use super::connection::{Connection, deadline_of};
use super::failure::{Reason, Trouble};
use super::options::{Proxy, Settings};
use super::public::is_public;
use super::target::Target;
use crate::faults::step;

/// How large a proxy's answer to `CONNECT` may be, and how many fields it may have.
const PROXY_ANSWER: usize = 8 * 1024;
const PROXY_FIELDS: usize = 64;

/// Opens connections for ureq.
pub(super) struct Opener {
    settings: Arc<Settings>,
    tls: Arc<ClientConfig>,
}

impl Opener {
    pub fn new(settings: Arc<Settings>, tls: Arc<ClientConfig>) -> Opener {
        Opener { settings, tls }
    }
}

/// Says nothing: the settings may hold a proxy's password.
impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opener").finish_non_exhaustive()
    }
}

impl Connector for Opener {
    type Out = Connection;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        _: Option<()>,
    ) -> Result<Option<Connection>, ureq::Error> {
        let url = details.uri.to_string();
        let target = Target::parse(&url).map_err(|refused| Trouble::new(refused.reason, refused.message))?;
        let deadline = deadline_of(details.timeout);
        let opened = Instant::now().checked_add(self.settings.connect_timeout).unwrap_or(deadline);
        step("connect: before");
        let connection = open(&self.settings, &self.tls, &target, opened.min(deadline));
        attempt::nothing_of_the_request_was_written();
        step("connect: after");
        Ok(Some(connection?))
    }
}

/// Looks nothing up. ureq asks its resolver before it looks for a kept connection; the
/// [`Opener`] asks the machine's where one has to be opened.
#[derive(Debug)]
pub(super) struct NotYet;

impl Resolver for NotYet {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let mut placeholder = self.empty();
        placeholder.push(SocketAddr::from(([0, 0, 0, 0], 0)));
        Ok(placeholder)
    }
}

/// Opens a connection to the target that is ready for a request.
///
/// A target on this machine is reached directly even where a proxy is set: without TLS its
/// request would travel to the proxy in the clear, and the proxy's loopback is not ours.
fn open(
    settings: &Settings,
    tls: &Arc<ClientConfig>,
    target: &Target,
    deadline: Instant,
) -> Result<Connection, Trouble> {
    let proxy = settings.proxy.as_ref().filter(|_| !target.is_loopback());
    let stream = match proxy {
        Some(proxy) => dial(settings, &proxy.host, proxy.port, false, deadline)?,
        // Whatever the machine's resolver makes of "localhost", plain HTTP stays at home.
        None => dial(settings, &target.host, target.port, !target.tls && target.is_loopback(), deadline)?,
    };
    let mut connection = Connection::new(stream, settings.header_cap, deadline);
    if let Some(proxy) = proxy {
        tunnel(&mut connection, proxy, target)?;
    }
    if target.tls {
        secure(&mut connection, tls, target)?;
    }
    Ok(connection)
}

/// Connects to one of a host's addresses.
fn dial(
    settings: &Settings,
    host: &str,
    port: u16,
    loopback_only: bool,
    deadline: Instant,
) -> Result<TcpStream, Trouble> {
    let mut addresses = look_up(host, port)?;
    addresses.retain(|address| !loopback_only || address.ip().is_loopback());
    if let Some(local) = settings.local_address {
        addresses.retain(|address| address.is_ipv4() == local.is_ipv4());
    }
    if addresses.is_empty() {
        return Err(Trouble::new(Reason::Resolve, format!("{host} has no address that may be used here")));
    }
    if settings.public_only {
        // The connection goes to what was looked at, so a name cannot mean something else a moment later.
        addresses.retain(|address| is_public(address.ip()));
        if addresses.is_empty() {
            let what = format!("{host} has no address on the public internet");
            return Err(Trouble::new(Reason::NotPublic, what));
        }
    }
    try_each(&addresses, settings.local_address, deadline)
}

/// Tries one address after the other. Each has its share of the time that is left, so that
/// one which does not answer leaves time for the next. The last trouble is the one told.
fn try_each(
    addresses: &[SocketAddr],
    local: Option<IpAddr>,
    deadline: Instant,
) -> Result<TcpStream, Trouble> {
    let mut last = out_of_time();
    for (address, untried) in addresses.iter().zip((1..=addresses.len()).rev()) {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(out_of_time());
        }
        match connect(*address, local, left / u32::try_from(untried).unwrap_or(u32::MAX)) {
            Ok(stream) => return Ok(stream),
            Err(error) if error.kind() == io::ErrorKind::TimedOut => last = out_of_time(),
            Err(error) => {
                last = Trouble::new(Reason::Connect, format!("cannot connect to {address} ({error})"));
            }
        }
    }
    Err(last)
}

fn out_of_time() -> Trouble {
    Trouble::new(Reason::Timeout, "the time ran out while connecting")
}

/// The machine's own resolver, on this thread. It cannot be interrupted, so a name server
/// that is down can hold a call longer than its deadline; `options timeout:` in
/// `/etc/resolv.conf` bounds that. The deadline is looked at again right afterwards.
fn look_up(host: &str, port: u16) -> Result<Vec<SocketAddr>, Trouble> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    match (host, port).to_socket_addrs() {
        Ok(addresses) => Ok(addresses.collect()),
        Err(error) => Err(Trouble::new(Reason::Resolve, format!("cannot look up {host} ({error})"))),
    }
}

fn connect(address: SocketAddr, local: Option<IpAddr>, time: Duration) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if let Some(local) = local {
        socket.bind(&SockAddr::from(SocketAddr::new(local, 0)))?;
    }
    // Requests are written whole: waiting to fill a segment would only delay them.
    socket.set_tcp_nodelay(true)?;
    socket.connect_timeout(&SockAddr::from(address), time)?;
    Ok(socket.into())
}

/// Has the proxy connect to the target; afterwards the connection is as good as direct.
fn tunnel(connection: &mut Connection, proxy: &Proxy, target: &Target) -> Result<(), Trouble> {
    let host = if target.host.contains(':') { format!("[{}]", target.host) } else { target.host.clone() };
    let authority = format!("{host}:{}", target.port);
    let mut ask = Zeroizing::new(format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n"));
    if let Some(basic) = &proxy.credentials {
        ask.reserve_exact(basic.len() + 64);
        ask.extend(["Proxy-Authorization: Basic ", basic, "\r\n"]);
    }
    ask.push_str("\r\n");
    let doing = "asking the proxy for a tunnel";
    connection.send(ask.as_bytes()).map_err(|error| Trouble::from_io(&error, doing))?;
    let refused = |what: String| Trouble::new(Reason::Proxy, what);
    loop {
        let input = connection.buffers.input();
        let answer = try_parse_response::<PROXY_FIELDS>(input)
            .map_err(|error| refused(format!("the proxy did not answer with HTTP ({error})")))?;
        if let Some((length, answer)) = answer {
            if !answer.status().is_success() {
                return Err(refused(format!(
                    "the proxy refused the tunnel with status {}",
                    answer.status().as_u16()
                )));
            }
            if length != input.len() {
                return Err(refused("the proxy sent more than an answer".to_owned()));
            }
            connection.buffers.input_consume(length);
            return Ok(());
        }
        if input.len() > PROXY_ANSWER {
            return Err(refused(format!("the proxy's answer is longer than {PROXY_ANSWER} bytes")));
        }
        if connection.fill().map_err(|error| Trouble::from_io(&error, doing))? == 0 {
            return Err(Trouble::from_io(&io::ErrorKind::UnexpectedEof.into(), doing));
        }
    }
}

fn secure(connection: &mut Connection, config: &Arc<ClientConfig>, target: &Target) -> Result<(), Trouble> {
    let name = ServerName::try_from(target.host.clone())
        .map_err(|_| Trouble::new(Reason::Tls, "the host's name cannot be in a certificate"))?;
    let client = ClientConnection::new(Arc::clone(config), name)
        .map_err(|error| Trouble::new(Reason::Tls, format!("TLS cannot be set up ({error})")))?;
    connection.secure(Box::new(client)).map_err(|error| match error.kind() {
        io::ErrorKind::TimedOut => Trouble::new(Reason::Timeout, "the time ran out during the TLS handshake"),
        io::ErrorKind::InvalidData => {
            Trouble::new(Reason::Tls, format!("the TLS handshake failed ({error})"))
        }
        _ => Trouble::new(
            Reason::Tls,
            format!("the other side ended the connection in the TLS handshake ({error})"),
        ),
    })
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// A listener whose queue is full answers no further connections.
    fn busy() -> (socket2::Socket, SocketAddr, Vec<io::Result<TcpStream>>) {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        listener.bind(&SockAddr::from(SocketAddr::from(([127, 0, 0, 1], 0)))).expect("a free port");
        listener.listen(0).expect("a bound socket");
        let address = listener.local_addr().expect("bound").as_socket().expect("IPv4");
        let queue = (0..3).map(|_| TcpStream::connect_timeout(&address, Duration::from_millis(50))).collect();
        (listener, address, queue)
    }

    #[test]
    fn the_next_address_is_tried() {
        let open = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let open = open.local_addr().map(|address| (open, address)).expect("bound");
        let closed = TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("bound");
        let busy = busy();
        let deadline = || Instant::now() + Duration::from_millis(600);
        let reached = |addresses: &[SocketAddr]| {
            try_each(addresses, None, deadline()).map(|stream| stream.peer_addr().expect("connected"))
        };
        assert_eq!(reached(&[closed, open.1]).expect("one is open"), open.1);
        assert_eq!(reached(&[busy.1, closed, open.1]).expect("time is left for it"), open.1);
        assert_eq!(reached(&[busy.1, closed]).expect_err("refused").reason, Reason::Connect);
        assert_eq!(reached(&[closed, busy.1]).expect_err("no answer").reason, Reason::Timeout);
        let nodelay = try_each(&[open.1], None, deadline()).expect("open").nodelay();
        assert!(nodelay.expect("a TCP socket"));
    }
}
