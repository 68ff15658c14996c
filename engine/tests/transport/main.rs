//! The transport against servers that misbehave.

mod server;

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use bayar::transport::{Options, Reason, Stage, Transport};
use flate2::Compression;
use flate2::write::GzEncoder;
use server::*;

const NOT_SENT: Stage = Stage::NotSent;
const MAYBE_SENT: Stage = Stage::MaybeSent;

/// A port that nobody listens on: it was free a moment ago.
fn closed_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("bound").port()
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain).expect("into memory");
    encoder.finish().expect("into memory")
}

fn with_body(headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n{headers}\r\n", body.len());
    [head.as_bytes(), body].concat()
}

// What works.

#[test]
fn answers_come_back_whole() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let heard_by_server = Arc::clone(&heard);
    let server = Server::tls(&AUTHORITY.good(), move |mut peer| {
        while let Some(request) = peer.request() {
            heard_by_server.lock().expect("no panic").push(request);
            peer.say(
                b"HTTP/1.1 402 Payment Required\r\nX-One: 1\r\nx-one: 2\r\nContent-Length: 4\r\n\r\nwhat",
            );
        }
    });
    let request = post(server.url("/v2/charge?x=1"))
        .header("X-Key", "k")
        .header("b-Second", "2")
        .header("X-KEY", "l")
        .header("A-Third", "3");
    let response = send(&request).expect("an answer");
    assert_eq!((response.status, response.text().as_ref()), (402, "what"));
    let headers: Vec<_> = response.headers.iter().map(|(n, v)| format!("{n}: {v}")).collect();
    assert_eq!(headers, ["x-one: 1", "x-one: 2", "content-length: 4"]);
    let expected = format!(
        "POST /v2/charge?x=1 HTTP/1.1\r\nHost: localhost:{}\r\nUser-Agent: bayar/{}\r\nAccept-Encoding: identity\r\n\
         X-Key: k\r\nX-KEY: l\r\nb-Second: 2\r\nA-Third: 3\r\nContent-Length: 12\r\n\r\n{{\"amount\":1}}",
        server.address.port(),
        env!("CARGO_PKG_VERSION"),
    );
    assert_eq!(heard.lock().expect("no panic").as_slice(), [expected]);
}

#[test]
fn every_way_to_end_a_body_is_read() {
    for (answer, expected) in [
        (&b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nT: 1\r\n\r\n"[..], "abcde"),
        // All of the body came, only the line that ends its trailer did not.
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\n0\r\n", "abc"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nab", "ab"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nab", "ab"),
        (b"HTTP/1.1 200 OK\r\n\r\nabcde", "abcde"),
        (b"HTTP/1.0 200 OK\r\n\r\nabcde", "abcde"),
        (b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", "x"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", ""),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", ""),
    ] {
        for tls in [false, true] {
            let server = if tls { Server::tls(&AUTHORITY.good(), once(answer)) } else { Server::plain(once(answer)) };
            let response = send(&get(server.url("/"))).expect("an answer");
            assert_eq!(response.text(), expected, "{}", String::from_utf8_lossy(answer));
        }
    }
}

#[test]
fn a_slow_server_within_the_deadline_is_fine() {
    let answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    let server = Server::tls(&AUTHORITY.good(), |mut peer| {
        peer.request();
        peer.drip(answer, Duration::from_millis(1));
    });
    assert_eq!(send(&get(server.url("/"))).expect("an answer").text(), "abc");
}

#[test]
fn head_and_get_with_a_body_work() {
    let server = Server::plain(|mut peer| {
        while let Some(request) = peer.request() {
            let body: &[u8] = if request.starts_with("HEAD") { b"" } else { b"ok" };
            peer.say(&[b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", body].concat());
        }
    });
    let transport = transport(options());
    let head = bayar_provider::Request::new("HEAD", server.url("/"));
    assert_eq!(transport.send(&head, false, soon()).expect("an answer").text(), "");
    let get = get(server.url("/")).body(b"{}".to_vec());
    assert_eq!(transport.send(&get, false, soon()).expect("an answer").text(), "ok");
    assert_eq!(server.accepted(), 1, "both on one connection");
}

#[test]
fn only_what_needs_a_length_has_one() {
    let server = Server::plain(|mut peer| {
        while let Some(request) = peer.request() {
            let lengths = request.matches("\r\nContent-Length: 0\r\n").count();
            let all = request.to_lowercase().matches("content-length").count();
            let chunked = request.to_lowercase().matches("transfer-encoding").count();
            peer.say(&with_body("", format!("{lengths} {all} {chunked}").as_bytes()));
        }
    });
    let transport = transport(options());
    for (method, expected) in [
        ("GET", "0 0 0"),
        ("DELETE", "0 0 0"),
        ("POST", "1 1 0"),
        ("PUT", "1 1 0"),
        ("PATCH", "1 1 0"),
        ("PROPFIND", "0 0 0"),
    ] {
        let request = bayar_provider::Request::new(method, server.url("?x"));
        assert_eq!(transport.send(&request, false, soon()).expect(method).text(), expected, "{method}");
    }
}

#[test]
fn long_headers_are_sent_up_to_a_bound() {
    let server = Server::plain(|mut peer| {
        while let Some(request) = peer.request() {
            peer.say(&with_body("", request.matches('x').count().to_string().as_bytes()));
        }
    });
    let transport = transport(options());
    let long = "x".repeat(16_000);
    let mut request = post(server.url("/"));
    for name in ["A", "B", "C"] {
        request = request.header(name, &long);
    }
    assert_eq!(transport.send(&request, false, soon()).expect("an answer").text(), "48000");
    let longer = request.header("D", "x".repeat(17_000));
    assert_eq!(failure(transport.send(&longer, false, soon())), (Reason::InvalidRequest, NOT_SENT));
    let url = get(server.url("/") + &"x".repeat(17_000));
    assert_eq!(failure(transport.send(&url, false, soon())), (Reason::InvalidRequest, NOT_SENT));
}

#[test]
fn urls_are_sent_as_they_are_or_not_at_all() {
    let server = Server::plain(|mut peer| {
        while let Some(request) = peer.request() {
            peer.say(&with_body("", request.split(' ').nth(1).expect("a path").as_bytes()));
        }
    });
    let transport = transport(options());
    for path in ["/", "//a/../b;c=d/%2f", "/a%zz:@!$&'()*+,=~[]|^{}\"", "/?", "/a?b=c?d/e&%20#"] {
        let answer = transport.send(&get(server.url(path)), false, soon()).expect("an answer");
        assert_eq!(answer.text(), path.trim_end_matches('#'));
    }
    for path in ["/<b>?token=secret", "/`?token=secret", "/b?token=secret<"] {
        let outcome = transport.send(&get(server.url(path)), false, soon());
        assert_eq!(failure(outcome), (Reason::InvalidUrl, NOT_SENT), "{path}");
    }
}

#[test]
fn a_large_request_arrives_whole() {
    let server = Server::tls(&AUTHORITY.good(), |mut peer| {
        let request = peer.request().expect("a request");
        peer.say(
            format!("HTTP/1.1 200 OK\r\n\r\n{}", request.bytes().filter(|b| *b == b'x').count()).as_bytes(),
        );
        peer.close_notify();
    });
    let request = bayar_provider::Request::new("POST", server.url("/")).body(vec![b'x'; 3 << 20]);
    assert_eq!(send(&request).expect("an answer").text(), (3 << 20).to_string());
}

#[test]
fn head_and_body_of_a_request_travel_together() {
    let (sender, sizes) = mpsc::channel();
    let server = Server::plain(move |mut peer| {
        let mut buffer = [0; 4096];
        let count = std::io::Read::read(&mut peer, &mut buffer).expect("a request");
        sender.send(buffer[..count].ends_with(b"{\"amount\":1}")).expect("the test waits");
        peer.say(OK);
    });
    send(&post(server.url("/"))).expect("an answer");
    assert!(sizes.recv().expect("the server ran"), "one read had it all");
}

#[test]
fn a_local_address_is_used() {
    let server = Server::plain(answering(OK));
    let request = get(server.url("/"));
    let bound =
        |address: &str| Options { local_address: Some(address.parse().expect("an address")), ..options() };
    assert_eq!(transport(bound("127.0.0.5")).send(&request, false, soon()).expect("an answer").status, 200);
    // An address of the documentation's, which this machine does not have.
    let outcome = transport(bound("192.0.2.1")).send(&request, false, soon());
    assert_eq!(failure(outcome), (Reason::Connect, NOT_SENT));
    let outcome = transport(bound("::1")).send(&request, false, soon());
    assert_eq!(failure(outcome), (Reason::Resolve, NOT_SENT), "the target has no IPv6 address");
}

#[test]
fn further_addresses_are_tried() {
    // On machines where localhost is ::1 first, that one is refused.
    let server = Server::plain(answering(OK));
    let url = format!("http://localhost:{}/", server.address.port());
    assert_eq!(send(&get(url)).expect("an answer").status, 200);
}

#[test]
fn statuses_and_redirects_are_answers() {
    let target = Server::plain(answering(OK));
    let location = target.url("/stolen");
    for status in [301, 302, 303, 307, 308, 400, 401, 404, 429, 500, 503] {
        let answer = format!("HTTP/1.1 {status} X\r\nLocation: {location}\r\nContent-Length: 2\r\n\r\nno");
        let server = Server::plain(once(answer));
        let response = send(&post(server.url("/"))).expect("an answer");
        assert_eq!((response.status, response.text().as_ref()), (status, "no"));
        assert_eq!(response.header("location"), Some(location.as_str()));
    }
    assert_eq!(target.accepted(), 0, "the redirect's target was contacted");
}

// Before the first byte: not sent.

#[test]
fn nothing_is_sent_where_no_connection_comes_about() {
    let request = |url: &str| get(url.to_owned());
    let refused = format!("http://127.0.0.1:{}/?token=secret", closed_port());
    assert_eq!(failure(send(&request(&refused))), (Reason::Connect, NOT_SENT));
    let unknown = "https://nonexistent.invalid/?token=secret";
    assert_eq!(failure(send(&request(unknown))), (Reason::Resolve, NOT_SENT));
    assert_eq!(failure(send(&request("not a URL?token=secret"))), (Reason::InvalidUrl, NOT_SENT));
    assert_eq!(failure(send(&get("https://a/").header("Host", "b"))), (Reason::InvalidRequest, NOT_SENT));
}

#[test]
fn plain_http_stays_on_this_machine() {
    // An address of the documentation's: had it been tried, the failure would be another.
    let request = get("http://192.0.2.1/?token=secret");
    assert_eq!(failure(send(&request)), (Reason::Insecure, NOT_SENT));
    let allowed = Options { allow_http: true, connect_timeout: Duration::from_millis(200), ..options() };
    let (reason, stage) = failure(transport(allowed).send(&request, false, soon()));
    assert!(matches!(reason, Reason::Timeout | Reason::Connect), "{reason:?}");
    assert_eq!(stage, NOT_SENT);
}

/// A name and an address, of a server that would answer.
#[test]
fn where_only_the_public_internet_is_allowed_this_machine_is_not_reached() {
    let server = Server::plain(|mut peer| while peer.request().is_some() {});
    let public = Options { public_only: true, allow_http: true, ..options() };
    for host in ["localhost", "127.0.0.1"] {
        let url = format!("http://{host}:{}/", server.address.port());
        let outcome = transport(public.clone()).send(&get(url), false, soon());
        assert_eq!(failure(outcome), (Reason::NotPublic, NOT_SENT));
    }
    let proxied = Options { proxy: Some("http://proxy:1".to_owned()), ..public };
    assert_eq!(Transport::new(proxied).expect_err("it would look up").field, "proxy");
}

#[test]
fn a_deadline_that_has_passed_sends_nothing() {
    let server = Server::plain(answering(OK));
    let transport = transport(options());
    let request = post(server.url("/"));
    assert_eq!(failure(transport.send(&request, false, Instant::now())), (Reason::Timeout, NOT_SENT));
    assert_eq!(server.accepted(), 0);
    transport.send(&request, false, soon()).expect("an answer");
    let outcome = transport.send(&request, false, Instant::now());
    assert_eq!(failure(outcome), (Reason::Timeout, NOT_SENT), "on a kept connection");
}

/// A listener whose queue is full answers no further connections.
#[test]
fn connecting_is_limited_by_both_times() {
    let listener =
        socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).expect("a socket");
    let any = "127.0.0.1:0".parse::<std::net::SocketAddr>().expect("an address");
    listener.bind(&any.into()).expect("a free port");
    listener.listen(0).expect("a bound socket");
    let address = listener.local_addr().expect("bound").as_socket().expect("IPv4");
    let _queued: Vec<_> =
        (0..4).map(|_| std::net::TcpStream::connect_timeout(&address, Duration::from_millis(50))).collect();
    let request = get(format!("http://{address}/"));
    let short = Duration::from_millis(150);
    let begin = Instant::now();
    let outcome = transport(Options { connect_timeout: short, ..options() }).send(&request, false, soon());
    assert_eq!(failure(outcome), (Reason::Timeout, NOT_SENT), "connect_timeout");
    let outcome = transport(options()).send(&request, false, Instant::now() + short);
    assert_eq!(failure(outcome), (Reason::Timeout, NOT_SENT), "deadline");
    assert!(begin.elapsed() < Duration::from_secs(2));
}

#[test]
fn certificates_are_checked() {
    let asked = Arc::new(AtomicUsize::new(0));
    for identity in [AUTHORITY.issue_for("elsewhere.test"), AUTHORITY.expired(), AUTHORITY.self_signed()] {
        let counted = Arc::clone(&asked);
        let server = Server::tls(&identity, move |mut peer| {
            counted.fetch_add(usize::from(peer.request().is_some()), Ordering::SeqCst);
        });
        assert_eq!(failure(send(&post(server.url("/?token=secret")))), (Reason::Tls, NOT_SENT));
    }
    // Mozilla's list does not have the tests' authority.
    let server = Server::tls(&AUTHORITY.good(), answering(OK));
    let outcome = transport(Options::default()).send(&post(server.url("/")), false, soon());
    assert_eq!(failure(outcome), (Reason::Tls, NOT_SENT));
    assert_eq!(asked.load(Ordering::SeqCst), 0, "a request reached a server that is not trusted");
    assert_eq!(send(&post(server.url("/"))).expect("the second of the file's authorities").status, 200);
}

#[test]
fn broken_handshakes_send_nothing() {
    let https = |server: &Server| format!("https://localhost:{}/", server.address.port());
    let plain = Server::plain(|mut peer| {
        peer.say(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    assert_eq!(failure(send(&post(https(&plain)))), (Reason::Tls, NOT_SENT));
    let reset = Server::plain(|mut peer| {
        let _ = std::io::Read::read(&mut peer, &mut [0; 1]);
        peer.reset();
    });
    assert_eq!(failure(send(&post(https(&reset)))), (Reason::Tls, NOT_SENT));
    let silent =
        Server::plain(|mut peer| while matches!(std::io::Read::read(&mut peer, &mut [0; 512]), Ok(1..)) {});
    let short = Options { connect_timeout: Duration::from_millis(150), ..options() };
    let begin = Instant::now();
    let outcome = transport(short).send(&post(https(&silent)), false, soon());
    assert_eq!(failure(outcome), (Reason::Timeout, NOT_SENT));
    assert!(begin.elapsed() < Duration::from_secs(2));
}

#[test]
fn tls_1_1_is_refused() {
    let (certificate, key) = AUTHORITY.good().pem_files("tls11");
    let run = |version: &str| {
        let mut server = Command::new("openssl")
            .args(["s_server", "-accept", "127.0.0.1:0", "-www", version, "-cipher", "DEFAULT@SECLEVEL=0"])
            .args(["-cert".as_ref(), certificate.as_os_str(), "-key".as_ref(), key.as_os_str()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("openssl is installed (apt install openssl)");
        let lines = BufReader::new(server.stdout.take().expect("piped")).lines();
        let ready = lines.map_while(Result::ok).find(|line| line.starts_with("ACCEPT"));
        let port = ready.and_then(|line| line.rsplit_once(':').map(|(_, port)| port.trim().to_owned()));
        let outcome = send(&get(format!("https://localhost:{}/", port.expect("a port"))));
        server.kill().and_then(|()| server.wait()).expect("openssl runs until it is ended");
        outcome
    };
    assert_eq!(failure(run("-tls1_1")), (Reason::Tls, NOT_SENT));
    assert_eq!(run("-tls1_2").expect("the same server is fine with TLS 1.2").status, 200);
}

// After the first byte: maybe sent.

/// Runs one script plain and over TLS, and wants the same failure from both.
fn fails_either_way(script: impl Fn(Peer) + Send + Sync + Clone + 'static, reason: Reason) {
    let plain = Server::plain(script.clone());
    assert_eq!(failure(send(&post(plain.url("/?token=secret")))), (reason, MAYBE_SENT), "plain");
    assert_eq!(plain.accepted(), 1, "sent again");
    let tls = Server::tls(&AUTHORITY.good(), script);
    assert_eq!(failure(send(&post(tls.url("/?token=secret")))), (reason, MAYBE_SENT), "TLS");
    assert_eq!(tls.accepted(), 1, "sent again");
}

#[test]
fn a_connection_that_breaks_is_maybe_sent() {
    let reset_after_reading = |mut peer: Peer| {
        peer.request();
        peer.reset();
    };
    fails_either_way(reset_after_reading, Reason::Closed);
    fails_either_way(|mut peer| drop(peer.request()), Reason::Closed);
    let reset_in_the_answer = |mut peer: Peer| {
        peer.request();
        peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc");
        thread::sleep(Duration::from_millis(20));
        peer.reset();
    };
    fails_either_way(reset_in_the_answer, Reason::Closed);
}

#[test]
fn a_reset_before_reading_never_looks_like_an_answer() {
    for _ in 0..20 {
        let server = Server::plain(Peer::reset);
        // Whether the reset is noticed while connecting, or before or after the first byte, is
        // the kernel's affair.
        let seen = failure(send(&post(server.url("/"))));
        assert!(seen.0 == Reason::Closed || seen == (Reason::Connect, NOT_SENT), "{seen:?}");
    }
}

#[test]
fn answers_cut_short_are_no_answers() {
    for answer in [
        &b"HTTP/1.1 200 OK\r\nContent-Le"[..],
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    ] {
        fails_either_way(once(answer), Reason::Closed);
    }
}

/// A body that lasts until the connection ends is only whole where the end is in order.
#[test]
fn an_end_without_close_notify_is_a_cut() {
    let cut = |mut peer: Peer| {
        peer.request();
        peer.say(b"HTTP/1.1 200 OK\r\n\r\nabc");
    };
    let server = Server::tls(&AUTHORITY.good(), cut);
    assert_eq!(failure(send(&post(server.url("/")))), (Reason::Closed, MAYBE_SENT));
    let reset = |mut peer: Peer| {
        cut_and_wait(&mut peer);
        peer.reset();
    };
    let server = Server::plain(reset);
    assert_eq!(failure(send(&post(server.url("/")))), (Reason::Closed, MAYBE_SENT));
}

fn cut_and_wait(peer: &mut Peer) {
    peer.request();
    peer.say(b"HTTP/1.1 200 OK\r\n\r\nabc");
    thread::sleep(Duration::from_millis(20));
}

#[test]
fn what_is_not_http_is_refused() {
    for answer in [
        &b"SSH-2.0-OpenSSH_9.6\r\n"[..],
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nbad header\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2, 3\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nab",
        b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: \xff\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nabc\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\nabc\n0\n\n",
    ] {
        let server = Server::plain(once(answer));
        let outcome = failure(send(&post(server.url("/"))));
        assert_eq!(outcome, (Reason::Protocol, MAYBE_SENT), "{}", String::from_utf8_lossy(answer));
    }
}

#[test]
fn deadlines_hold_against_drips() {
    for answer in [
        "HTTP/1.1 200 OK\r\nX: ".to_owned() + &"x".repeat(1000),
        "HTTP/1.1 100 Continue\r\n\r\n".repeat(50),
        "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n".to_owned() + &"x".repeat(1000),
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned() + &"1\r\nx\r\n".repeat(200),
        String::new(),
    ] {
        // The start comes at once, and then a byte every 20 ms.
        let (start, rest) = answer.split_at(answer.find("\r\n\r\n").unwrap_or_default());
        let (start, rest) = (start.to_owned(), rest.to_owned());
        let server = Server::tls(&AUTHORITY.good(), move |mut peer| {
            peer.request();
            peer.say(start.as_bytes());
            peer.drip(rest.as_bytes(), Duration::from_millis(20));
            peer.ended_by_client();
        });
        let begin = Instant::now();
        let request = post(server.url("/"));
        let outcome = transport(options()).send(&request, false, begin + Duration::from_millis(300));
        assert_eq!(failure(outcome), (Reason::Timeout, MAYBE_SENT));
        let took = begin.elapsed();
        assert!(took >= Duration::from_millis(300) && took < Duration::from_millis(1300), "{took:?}");
    }
}

/// Longer than the one second for which a socket waits at most.
#[test]
fn deadlines_above_a_second_are_exact_too() {
    let server = Server::plain(|mut peer| {
        peer.request();
        peer.ended_by_client();
    });
    let begin = Instant::now();
    let outcome =
        transport(options()).send(&get(server.url("/")), false, begin + Duration::from_millis(1300));
    assert_eq!(failure(outcome), (Reason::Timeout, MAYBE_SENT));
    let took = begin.elapsed();
    assert!(took >= Duration::from_millis(1300) && took < Duration::from_millis(2300), "{took:?}");
}

#[test]
fn an_upload_that_stops_halfway_is_maybe_sent() {
    let large = |url| bayar_provider::Request::new("POST", url).body(vec![b'x'; 32 << 20]);
    let (release, hold) = mpsc::channel::<()>();
    let hold = Mutex::new(hold);
    let stuck = Server::plain(move |_peer| {
        let _ = hold.lock().expect("no panic").recv();
    });
    let deadline = Instant::now() + Duration::from_millis(300);
    let outcome = transport(options()).send(&large(stuck.url("/")), false, deadline);
    assert_eq!(failure(outcome), (Reason::Timeout, MAYBE_SENT));
    drop(release);
    let gone = Server::plain(|mut peer| {
        let _ = std::io::Read::read_exact(&mut peer, &mut [0; 1000]);
        peer.reset();
    });
    assert_eq!(failure(send(&large(gone.url("/")))), (Reason::Closed, MAYBE_SENT));
}

#[test]
fn an_answer_before_the_request_was_read_is_never_not_sent() {
    let server = Server::plain(|mut peer| {
        peer.say(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno");
    });
    for size in [10, 8 << 20] {
        let request = bayar_provider::Request::new("POST", server.url("/")).body(vec![b'x'; size]);
        match send(&request) {
            Ok(response) => assert_eq!(response.status, 413),
            Err(failure) => assert_eq!((failure.reason, failure.stage), (Reason::Closed, MAYBE_SENT)),
        }
    }
}

#[test]
fn large_headers_are_refused() {
    let field =
        |size: usize| format!("HTTP/1.1 200 OK\r\nX: {}\r\nContent-Length: 0\r\n\r\n", "x".repeat(size));
    let server = Server::plain(once(field(15 * 1024)));
    assert_eq!(send(&get(server.url("/"))).expect("within the cap").status, 200);
    let small = transport(Options { header_cap: 300, ..options() });
    let server = Server::plain(once(field(200)));
    assert_eq!(small.send(&get(server.url("/")), false, soon()).expect("within the cap").status, 200);
    let endless = Server::plain(|mut peer| {
        peer.request();
        peer.say(format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(3000)).as_bytes());
        peer.ended_by_client();
    });
    let outcome = small.send(&get(endless.url("/")), false, soon());
    assert_eq!(failure(outcome), (Reason::HeaderTooLarge, MAYBE_SENT), "seen before the end");
    for size in [300, 3000] {
        let server = Server::plain(once(field(size)));
        let outcome = small.send(&get(server.url("/")), false, soon());
        assert_eq!(failure(outcome), (Reason::HeaderTooLarge, MAYBE_SENT), "{size}");
    }
    for answer in [
        field(17 * 1024),
        "HTTP/1.1 200 OK\r\nX: ".to_owned() + &"x".repeat(1 << 20),
        "HTTP/1.1 200 OK\r\n".to_owned() + &"X: 1\r\n".repeat(200) + "\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n".repeat(10_000),
    ] {
        let server = Server::plain(once(answer));
        assert_eq!(failure(send(&post(server.url("/")))), (Reason::HeaderTooLarge, MAYBE_SENT));
    }
    let trailer =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n".to_owned() + &"X: 1\r\n".repeat(10_000);
    let server = Server::plain(once(trailer));
    assert_eq!(failure(send(&post(server.url("/")))), (Reason::Protocol, MAYBE_SENT));
}

#[test]
fn a_body_at_the_cap_passes_and_one_byte_more_does_not() {
    let small = || transport(Options { body_cap: 5, ..options() });
    for (framing, five, six) in [
        (
            "length",
            &b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcde"[..],
            &b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabcdef"[..],
        ),
        (
            "chunks",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n",
        ),
        ("close", b"HTTP/1.1 200 OK\r\n\r\nabcde", b"HTTP/1.1 200 OK\r\n\r\nabcdef"),
    ] {
        let server = Server::plain(once(five));
        assert_eq!(small().send(&get(server.url("/")), false, soon()).expect(framing).text(), "abcde");
        let server = Server::plain(once(six));
        let outcome = small().send(&get(server.url("/")), false, soon());
        assert_eq!(failure(outcome), (Reason::BodyTooLarge, MAYBE_SENT), "{framing}");
    }
}

#[test]
fn three_hundred_megabytes_are_not_read() {
    const SIZE: u64 = 300 << 20;
    for head in [
        format!("HTTP/1.1 200 OK\r\nContent-Length: {SIZE}\r\n\r\n"),
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{SIZE:x}\r\n"),
        "HTTP/1.1 200 OK\r\n\r\n".to_owned(),
    ] {
        let written = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&written);
        let server = Server::plain(move |mut peer| {
            peer.request();
            peer.say(head.as_bytes());
            let block = [b'x'; 1 << 16];
            while counted.load(Ordering::SeqCst) < SIZE && peer.say(&block) {
                counted.fetch_add(block.len() as u64, Ordering::SeqCst);
            }
        });
        assert_eq!(failure(send(&post(server.url("/")))), (Reason::BodyTooLarge, MAYBE_SENT));
        let written = written.load(Ordering::SeqCst);
        assert!(written < 32 << 20, "{written} bytes were taken");
    }
}

#[test]
fn a_compressed_answer_is_decoded_under_the_cap() {
    let plain = b"{\"status\":\"paid\"}";
    let server = Server::plain(once(with_body("Content-Encoding: gzip\r\n", &gzip(plain))));
    assert_eq!(send(&get(server.url("/"))).expect("an answer").body, plain);
    for (headers, body) in [("Content-Encoding: br\r\n", &plain[..]), ("Content-Encoding: gzip\r\n", plain)] {
        let server = Server::plain(once(with_body(headers, body)));
        assert_eq!(failure(send(&post(server.url("/")))), (Reason::Encoding, MAYBE_SENT));
    }
}

// Kept connections.

#[test]
fn connections_are_kept() {
    let plain = Server::plain(answering(OK));
    let tls = Server::tls(&AUTHORITY.good(), answering(OK));
    for server in [plain, tls] {
        let transport = transport(options());
        for round in 0..10 {
            let response = transport.send(&post(server.url("/")), round % 2 == 0, soon()).expect("an answer");
            assert_eq!(response.text(), "ok");
        }
        assert_eq!(server.accepted(), 1);
        transport.forget_connections();
        transport.send(&post(server.url("/")), false, soon()).expect("an answer");
        assert_eq!(server.accepted(), 2);
    }
}

#[test]
fn parallel_calls_each_have_a_connection() {
    let server = Server::tls(&AUTHORITY.good(), |mut peer| {
        while let Some(request) = peer.request() {
            let path = request.split(' ').nth(1).expect("a path").to_owned();
            peer.say(&with_body("", path.as_bytes()));
        }
    });
    let transport = transport(options());
    thread::scope(|scope| {
        for thread in 0..4 {
            let (transport, server) = (&transport, &server);
            scope.spawn(move || {
                for round in 0..25 {
                    let path = format!("/{thread}/{round}");
                    let response = transport.send(&get(server.url(&path)), false, soon()).expect("an answer");
                    assert_eq!(response.text(), path, "an answer to another question");
                }
            });
        }
    });
    assert!(server.accepted() <= 4, "{}", server.accepted());
}

#[test]
fn connections_that_cannot_be_kept_are_not() {
    for answer in [
        &b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: x, Close\r\n\r\nok"[..],
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad",
        b"HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\nbad",
    ] {
        let server = Server::plain(answering(answer));
        let transport = transport(options());
        for _ in 0..2 {
            let response = transport.send(&get(server.url("/")), false, soon()).expect("an answer");
            assert_ne!(response.text(), "bad");
        }
        assert_eq!(server.accepted(), 2, "{}", String::from_utf8_lossy(answer));
    }
}

/// The server ends the connection, or speaks unasked, between two requests.
#[test]
fn a_kept_connection_is_looked_at_before_it_is_used() {
    type Between = fn(&mut Peer);
    let say: Between = |peer| {
        peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad");
    };
    for between in [say, |_| {}, |peer| peer.close_notify()] {
        for tls in [false, true] {
            let (sender, done) = mpsc::channel();
            let script = move |mut peer: Peer| {
                peer.request();
                peer.say(OK);
                if peer.number > 0 {
                    return;
                }
                between(&mut peer);
                drop(peer);
                sender.send(()).expect("the test waits");
            };
            let server = if tls { Server::tls(&AUTHORITY.good(), script) } else { Server::plain(script) };
            let transport = transport(options());
            transport.send(&post(server.url("/")), false, soon()).expect("an answer");
            done.recv().expect("the server ran");
            let response = transport.send(&post(server.url("/")), true, soon()).expect("a new connection");
            assert_eq!((response.text().as_ref(), server.accepted()), ("ok", 2));
        }
    }
}

/// TLS has things to say of its own, such as new keys, after an answer.
#[test]
fn what_tls_says_on_an_idle_connection_does_not_end_it() {
    let (sender, renewed) = mpsc::channel();
    let server = Server::tls(&AUTHORITY.good(), move |mut peer| {
        while peer.request().is_some() {
            peer.say(OK);
            peer.renew_keys();
            sender.send(()).expect("the test waits");
        }
    });
    let transport = transport(options());
    for _ in 0..3 {
        transport.send(&post(server.url("/")), true, soon()).expect("an answer");
        renewed.recv().expect("the server ran");
    }
    assert_eq!(server.accepted(), 1);
}

#[test]
fn a_connection_that_dies_under_a_request_is_not_retried() {
    let server = Server::plain(|mut peer| {
        peer.request();
        peer.say(OK);
        // Reads the second request whole, then breaks: it may have acted upon it.
        peer.request();
        peer.reset();
    });
    let transport = transport(options());
    transport.send(&get(server.url("/")), false, soon()).expect("an answer");
    let outcome = transport.send(&get(server.url("/")), false, soon());
    assert_eq!(failure(outcome), (Reason::Closed, MAYBE_SENT));
    assert_eq!(server.accepted(), 1, "sent again on another connection");
}

#[test]
fn a_fresh_request_passes_over_a_connection_that_was_idle() {
    let server = Server::plain(answering(OK));
    let transport = transport(options());
    transport.send(&post(server.url("/")), false, soon()).expect("an answer");
    thread::sleep(Duration::from_millis(2100));
    transport.send(&post(server.url("/")), false, soon()).expect("an answer");
    assert_eq!(server.accepted(), 1, "a read may use it");
    thread::sleep(Duration::from_millis(2100));
    transport.send(&post(server.url("/")), true, soon()).expect("an answer");
    assert_eq!(server.accepted(), 2);
}

/// Each address of this machine is an origin of its own.
#[test]
fn idle_connections_are_bounded() {
    let server = Server::plain_everywhere(answering(OK));
    let transport = transport(options());
    let url = |host: u8| format!("http://127.0.0.{host}:{}/", server.address.port());
    for host in 1..=20 {
        transport.send(&get(url(host)), false, soon()).expect("an answer");
    }
    assert_eq!(server.accepted(), 20);
    transport.send(&get(url(20)), false, soon()).expect("an answer");
    transport.send(&get(url(5)), false, soon()).expect("an answer");
    assert_eq!(server.accepted(), 20, "sixteen are kept");
    transport.send(&get(url(1)), false, soon()).expect("an answer");
    assert_eq!(server.accepted(), 21, "the oldest was closed");
}

// The proxy.

/// A proxy that connects to one address, whatever it is asked for, and notes what that was.
fn proxy_to(target: std::net::SocketAddr, asked: Arc<Mutex<Vec<String>>>) -> Server {
    Server::plain(move |mut peer| {
        asked.lock().expect("no panic").push(peer.request().expect("a CONNECT"));
        let upstream = std::net::TcpStream::connect(target).expect("the target listens");
        peer.say(b"HTTP/1.1 200 Connection established\r\n\r\n");
        peer.forward(upstream);
    })
}

#[test]
fn a_proxy_is_asked_to_connect() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let target = Server::tls(&AUTHORITY.issue_for("api.example.test"), answering(OK));
    let proxy = proxy_to(target.address, Arc::clone(&asked));
    let options = Options { proxy: Some(format!("http://user:p%40ss@{}", proxy.address)), ..options() };
    let transport = transport(options);
    for _ in 0..2 {
        let response = transport.send(&post("https://api.example.test/"), false, soon()).expect("an answer");
        assert_eq!(response.text(), "ok");
    }
    let expected = "CONNECT api.example.test:443 HTTP/1.1\r\nHost: api.example.test:443\r\n\
        Proxy-Authorization: Basic dXNlcjpwQHNz\r\n\r\n";
    assert_eq!(asked.lock().expect("no panic").as_slice(), [expected], "once, for both requests");
    let local = Server::plain(answering(OK));
    transport.send(&post(local.url("/")), false, soon()).expect("an answer");
    assert_eq!(proxy.accepted(), 1, "this machine is reached directly");
}

#[test]
fn a_proxy_that_refuses_sends_nothing() {
    let through = |proxy: &Server| {
        let options = Options { proxy: Some(format!("http://{}", proxy.address)), ..options() };
        failure(transport(options).send(&post("https://api.example.test/"), false, soon()))
    };
    for answer in [
        "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\n\r\nand more".to_owned(),
        "garbage".to_owned(),
        "HTTP/1.1 200 OK\r\nX: ".to_owned() + &"x".repeat(100_000),
    ] {
        let proxy = Server::plain(once(answer.clone()));
        assert_eq!(through(&proxy), (Reason::Proxy, NOT_SENT), "{answer:.30}");
    }
    let silent = Server::plain(|mut peer| drop(peer.request()));
    assert_eq!(through(&silent), (Reason::Closed, NOT_SENT));
    let gone = Options { proxy: Some(format!("http://127.0.0.1:{}", closed_port())), ..options() };
    let outcome = transport(gone).send(&post("https://api.example.test/"), false, soon());
    assert_eq!(failure(outcome), (Reason::Connect, NOT_SENT));
}

// Options.

#[test]
fn options_that_cannot_be_used_are_named() {
    let field = |options| bayar::transport::Transport::new(options).expect_err("refused").field;
    let empty = AUTHORITY.ca_file.with_file_name("empty.pem");
    std::fs::write(&empty, "no certificate here\n").expect("a writable directory");
    let damaged = AUTHORITY.ca_file.with_file_name("damaged.pem");
    let pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    std::fs::write(&damaged, pem).expect("a writable directory");
    for path in [empty, damaged, "/nonexistent".into()] {
        assert_eq!(field(Options { ca_file: Some(path), ..Options::default() }), "ca_file");
    }
    assert_eq!(field(Options { proxy: Some("squid:3128".to_owned()), ..Options::default() }), "proxy");
    assert_eq!(field(Options { user_agent: "a\r\nb".to_owned(), ..Options::default() }), "user_agent");
    assert_eq!(field(Options { connect_timeout: Duration::ZERO, ..Options::default() }), "connect_timeout");
}
