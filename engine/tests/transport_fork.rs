//! The transport in forked children, and what only a process of its own can show.
//!
//! A child holds copies of all descriptors, also of those that other tests' servers close in
//! the meantime; so the tests of this file run one after the other.

#[allow(dead_code, reason = "the other test file uses the rest")]
#[path = "transport/server.rs"]
mod server;

use std::io::Write;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use bayar::process::PerProcess;
use bayar::transport::{Options, Reason};
use server::*;

fn one_at_a_time() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A running child.
struct Child(libc::pid_t);

/// Runs `code` in a forked child, which ends with it.
#[allow(unsafe_code, reason = "nothing else forks; a host's language does it the same way")]
fn fork(code: impl FnOnce()) -> Child {
    // SAFETY: the child runs on with the one thread it has, and leaves by `_exit` below.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0, "fork failed");
    if pid == 0 {
        let failed = panic::catch_unwind(AssertUnwindSafe(code)).is_err();
        // SAFETY: ends the child at once; nothing of the parent's is cleaned up by it.
        unsafe { libc::_exit(i32::from(failed)) };
    }
    Child(pid)
}

impl Child {
    /// Waits for the child, and for a limited time: a child that hangs is ended.
    #[allow(unsafe_code, reason = "waitpid and kill for the child that was forked here")]
    fn succeeds(self) {
        let begin = Instant::now();
        loop {
            let mut status = 0;
            // SAFETY: the child is ours and not waited for yet; `status` outlives the call.
            let waited = unsafe { libc::waitpid(self.0, &mut status, libc::WNOHANG) };
            if waited == self.0 {
                assert_eq!(status, 0, "the child failed; its message is above");
                return;
            }
            if begin.elapsed() > Duration::from_secs(10) {
                // SAFETY: the child has not been waited for, so the id is still its own.
                unsafe { libc::kill(self.0, libc::SIGKILL) };
                panic!("the child hangs");
            }
            thread::sleep(Duration::from_millis(2));
        }
    }
}

/// Answers each request with the number of its connection.
fn numbering(mut peer: Peer) {
    let body = peer.number.to_string();
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    while peer.request().is_some() && peer.say(answer.as_bytes()) {}
}

#[test]
fn a_child_never_touches_its_parents_connection() {
    let _turn = one_at_a_time();
    for tls in [false, true] {
        let server = if tls { Server::tls(&AUTHORITY.good(), numbering) } else { Server::plain(numbering) };
        let mut transport = Some(transport(options()));
        let url = server.url("/");
        let number = |transport: &Option<bayar::transport::Transport>| {
            let transport = transport.as_ref().expect("not dropped yet");
            transport.send(&post(&url), false, soon()).expect("an answer").text().into_owned()
        };
        assert_eq!(number(&transport), "0");
        fork(|| {
            assert_eq!(number(&transport), "1", "the child has a connection of its own");
            assert_eq!(number(&transport), "1", "and keeps it");
            transport.as_ref().expect("not dropped yet").forget_connections();
            assert_eq!(number(&transport), "2");
            drop(transport.take());
        })
        .succeeds();
        fork(|| drop(transport.take())).succeeds();
        fork(|| transport.as_ref().expect("not dropped yet").forget_connections()).succeeds();
        assert_eq!(number(&transport), "0", "the parent's connection lives on");
        drop(transport.take());
    }
}

#[test]
fn a_parent_can_close_what_a_child_holds_a_copy_of() {
    let _turn = one_at_a_time();
    let (sender, ended) = std::sync::mpsc::channel();
    let server = Server::plain(move |mut peer| {
        peer.request();
        peer.say(OK);
        sender.send(peer.ended_by_client()).expect("the test waits");
    });
    let transport = transport(options());
    transport.send(&get(server.url("/")), false, soon()).expect("an answer");
    // The child lives until the server, which waits for the end, has seen it.
    let wait = std::os::unix::net::UnixStream::pair().expect("a pair of sockets");
    // A failing test leaves a child behind, and that one ends by itself.
    wait.1.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout above zero");
    let child = fork(|| {
        let mut byte = [0];
        std::io::Read::read_exact(&mut &wait.1, &mut byte).expect("the parent says when");
    });
    transport.forget_connections();
    assert!(ended.recv_timeout(Duration::from_secs(5)).expect("the end is seen while the child lives"));
    (&wait.0).write_all(&[1]).expect("the child waits");
    child.succeeds();
}

#[test]
fn children_of_a_busy_process_neither_hang_nor_mix_up_answers() {
    let _turn = one_at_a_time();
    let server = Server::tls(&AUTHORITY.good(), |mut peer| {
        while let Some(request) = peer.request() {
            let path = request.split(' ').nth(1).expect("a path");
            peer.say(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{path}", path.len()).as_bytes());
        }
    });
    let transport = transport(options());
    let ask = |path: String| {
        let response = transport.send(&get(server.url(&path)), false, soon()).expect("an answer");
        assert_eq!(response.text(), path, "an answer to another question");
    };
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for thread in 0..3 {
            let (ask, done) = (&ask, &done);
            scope.spawn(move || {
                let mut round = 0;
                while !done.load(Ordering::SeqCst) {
                    ask(format!("/parent/{thread}/{round}"));
                    round += 1;
                }
            });
        }
        for child in 0..20 {
            let pid = fork(|| (0..3).for_each(|round| ask(format!("/child/{child}/{round}"))));
            pid.succeeds();
        }
        done.store(true, Ordering::SeqCst);
    });
}

/// The lock-free cell itself, with other threads at it while the process forks.
#[test]
fn each_process_makes_its_own_value() {
    let _turn = one_at_a_time();
    static CELL: PerProcess<u32> = PerProcess::new();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !done.load(Ordering::SeqCst) {
                    assert_eq!(*CELL.get(std::process::id), std::process::id());
                }
            });
        }
        for _ in 0..50 {
            let parent = *CELL.get(std::process::id);
            fork(|| {
                let own = *CELL.get(std::process::id);
                assert_ne!(own, parent);
                fork(|| assert_ne!(*CELL.get(std::process::id), own)).succeeds();
                assert_eq!(*CELL.get(|| 0), own);
            })
            .succeeds();
        }
        done.store(true, Ordering::SeqCst);
    });
}

fn status_of_process(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with(field)).expect("a known field");
    line.split_whitespace().nth(1).expect("a number").parse().expect("a number")
}

/// A child starts with one thread, so that any other is the transport's.
#[test]
fn no_thread_is_started() {
    let _turn = one_at_a_time();
    let server = Server::tls(&AUTHORITY.good(), answering(OK));
    fork(|| {
        assert_eq!(status_of_process("Threads:"), 1);
        let transport = transport(Options { connect_timeout: Duration::from_secs(2), ..options() });
        for _ in 0..2 {
            transport.send(&get(server.url("/")), true, soon()).expect("an answer");
            assert_eq!(status_of_process("Threads:"), 1);
        }
        let unknown = transport.send(&get("https://nonexistent.invalid/"), false, soon());
        assert_eq!(failure(unknown).0, Reason::Resolve);
        assert_eq!(status_of_process("Threads:"), 1);
    })
    .succeeds();
}

#[test]
fn making_a_transport_opens_nothing() {
    let _turn = one_at_a_time();
    let _ = &*AUTHORITY;
    fork(|| {
        let descriptors = || std::fs::read_dir("/proc/self/fd").expect("Linux").count();
        let before = descriptors();
        let transport = transport(options());
        assert_eq!(descriptors(), before);
        drop(transport);
    })
    .succeeds();
}

#[test]
#[allow(unsafe_code, reason = "setting the environment, in a child with a single thread")]
fn the_environment_names_no_proxy() {
    let _turn = one_at_a_time();
    let server = Server::tls(&AUTHORITY.good(), answering(OK));
    let proxy = Server::plain(once("HTTP/1.1 500 Unwanted\r\n\r\n"));
    fork(|| {
        for name in ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
            // SAFETY: no other thread of this process can be reading the environment.
            unsafe { std::env::set_var(name, format!("http://{}", proxy.address)) };
        }
        assert_eq!(send(&get(server.url("/"))).expect("an answer").status, 200);
        let transport = transport(Options { connect_timeout: Duration::from_millis(200), ..options() });
        failure(transport.send(&get("https://192.0.2.1/"), false, soon()));
    })
    .succeeds();
    assert_eq!(proxy.accepted(), 0, "the environment's proxy was used");
}

#[test]
fn a_gzip_bomb_does_not_go_off() {
    let _turn = one_at_a_time();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&vec![0; 1 << 20]).expect("into memory");
    // 249 members of a megabyte each: 261 MB in 262 kB, which is within the cap.
    let bomb = encoder.finish().expect("into memory").repeat(249);
    assert!((250_000..256 * 1024).contains(&bomb.len()), "{}", bomb.len());
    let head = format!("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", bomb.len());
    let server = Server::plain(once([head.into_bytes(), bomb].concat()));
    fork(|| {
        let transport = transport(options());
        let before = status_of_process("VmHWM:");
        let outcome = transport.send(&post(server.url("/")), false, soon());
        assert_eq!(failure(outcome).0, Reason::BodyTooLarge);
        let grown = status_of_process("VmHWM:") - before;
        assert!(grown < 4 << 10, "{grown} KiB");
    })
    .succeeds();
}
