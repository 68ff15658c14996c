//! One connection: a socket that keeps to a deadline, TLS over it, and their buffers.

use std::fmt;
use std::io::{self, IoSlice, Read, Write};
use std::mem::{self, MaybeUninit};
use std::net::{Shutdown, TcpStream};
use std::process;
use std::time::{Duration, Instant};

use rustls::ClientConnection;
use socket2::SockRef;
use ureq::unversioned::transport::{Buffers, LazyBuffers, NextTimeout, Transport};

use super::attempt;
use super::failure::Trouble;
use crate::faults::step;

/// The longest line of a request's header that ureq is given to write.
pub(super) const LONGEST_LINE: usize = 16 * 1024;
/// What the rest of such a line needs: a method, a version, colons and ends of lines.
const LINE_REST: usize = 256;
/// How much is read at once, or as much as an answer's header may have. ureq wants 10 KiB.
const LEAST_INPUT: usize = 16 * 1024;
/// How much is gathered before it is sent, so that head and body of an ordinary request
/// travel in one segment: ureq hands them over one after the other.
const GATHERED: usize = 16 * 1024;

/// The longest wait that is set on a socket. A longer deadline is kept by waiting again, so
/// that the timeout of a kept connection need not be set anew for every call.
const LONGEST_WAIT: Duration = Duration::from_secs(1);
/// How often an idle connection is read from before what it says counts as too much.
const IDLE_READS: usize = 8;
/// A socket's timeout of zero would mean to wait for ever.
const SHORTEST_WAIT: Duration = Duration::from_millis(1);

/// A TCP socket whose reads and writes end at a deadline with `TimedOut`.
#[derive(Debug)]
struct Socket {
    stream: TcpStream,
    /// The process that opened it; no other may shut it down.
    owner: u32,
    deadline: Instant,
    read_wait: Option<Duration>,
    write_wait: Option<Duration>,
}

/// What to set as the socket's timeout, if the present one is too long or needlessly short.
fn next_wait(present: Option<Duration>, deadline: Instant) -> io::Result<Option<Duration>> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(io::ErrorKind::TimedOut.into());
    }
    let wanted = left.clamp(SHORTEST_WAIT, LONGEST_WAIT);
    let fits = present.is_some_and(|wait| wait <= wanted && wait >= wanted / 2);
    Ok((!fits).then_some(wanted))
}

/// Whether to look at the deadline and try again: a wait ended, or a signal came.
fn is_pause(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted)
}

impl Socket {
    fn writing(&mut self, mut write: impl FnMut(&TcpStream) -> io::Result<usize>) -> io::Result<usize> {
        loop {
            if let Some(wait) = next_wait(self.write_wait, self.deadline)? {
                self.stream.set_write_timeout(Some(wait))?;
                self.write_wait = Some(wait);
            }
            match write(&self.stream) {
                Ok(count) => {
                    attempt::wrote();
                    return Ok(count);
                }
                Err(error) if is_pause(&error) => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(wait) = next_wait(self.read_wait, self.deadline)? {
                self.stream.set_read_timeout(Some(wait))?;
                self.read_wait = Some(wait);
            }
            match (&self.stream).read(buffer) {
                Err(error) if is_pause(&error) => {}
                done => return done,
            }
        }
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writing(|mut stream| stream.write(bytes))
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.writing(|mut stream| stream.write_vectored(slices))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Socket {
    /// A forked child may hold a copy of the descriptor, and closing ours would not tell the
    /// other side then. A copy in a child must not shut down what is its parent's.
    fn drop(&mut self) {
        if process::id() == self.owner {
            let _ = self.stream.shutdown(Shutdown::Both);
        }
    }
}

/// The moment at which one of ureq's timeouts ends.
pub(super) fn deadline_of(timeout: NextTimeout) -> Instant {
    let now = Instant::now();
    // Every call has a timeout, and one that reaches beyond the clock is none.
    now.checked_add(*timeout.after).unwrap_or(now + Duration::from_secs(24 * 60 * 60))
}

/// A connection to an origin, plain or TLS, that can be kept for the next request.
pub(super) struct Connection {
    socket: Socket,
    tls: Option<Box<ClientConnection>>,
    /// What was read and not yet used, and what ureq is writing.
    pub buffers: LazyBuffers,
    /// What ureq has written and the kernel was not given yet.
    unsent: Vec<u8>,
    header_cap: usize,
    /// Whether it was used since ureq last asked whether it is open.
    used: bool,
}

/// Says nothing: the buffers hold requests and answers.
impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").finish_non_exhaustive()
    }
}

impl Connection {
    /// Takes over a connected stream. `header_cap` bounds how much may be read without
    /// anything coming of it: an answer's header, or what is between the parts of its body.
    pub fn new(stream: TcpStream, header_cap: usize, deadline: Instant) -> Self {
        let socket = Socket { stream, owner: process::id(), deadline, read_wait: None, write_wait: None };
        // One byte more than the cap, so that ureq sees when a header is larger.
        let input = header_cap.max(LEAST_INPUT) + 1;
        let buffers = LazyBuffers::new(input, LONGEST_LINE + LINE_REST);
        Connection { socket, tls: None, buffers, unsent: Vec::new(), header_cap, used: false }
    }

    /// Completes a TLS handshake, so that none of it can fail once a request is being sent.
    pub fn secure(&mut self, mut tls: Box<ClientConnection>) -> io::Result<()> {
        while tls.is_handshaking() {
            flush(&mut tls, &mut self.socket)?;
            if tls.is_handshaking() && tls.wants_read() {
                if tls.read_tls(&mut self.socket)? == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                if let Err(error) = tls.process_new_packets() {
                    // The alert tells the other side what was wrong; it may be gone already.
                    let _ = flush(&mut tls, &mut self.socket);
                    return Err(io::Error::new(io::ErrorKind::InvalidData, error));
                }
            }
        }
        flush(&mut tls, &mut self.socket)?;
        self.tls = Some(tls);
        Ok(())
    }

    /// Writes all bytes, in as few segments as the kernel takes.
    pub fn send(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        let Some(tls) = &mut self.tls else {
            return self.socket.write_all(bytes);
        };
        while !bytes.is_empty() {
            let taken = tls.writer().write(bytes)?;
            bytes = &bytes[taken..];
            flush(tls, &mut self.socket)?;
        }
        Ok(())
    }

    /// Reads more input; 0 at an orderly end. Under TLS that is a `close_notify`: a bare end
    /// of the TCP stream may be someone cutting the answer short, and is `UnexpectedEof`.
    ///
    /// The caller makes sure that the buffer is not full.
    pub fn fill(&mut self) -> io::Result<usize> {
        let free = self.buffers.input_append_buf();
        debug_assert!(!free.is_empty(), "no room to read into");
        let count = match &mut self.tls {
            None => self.socket.read(free)?,
            Some(tls) => read_tls(tls, &mut self.socket, free)?,
        };
        self.buffers.input_appended(count);
        Ok(count)
    }

    fn send_gathered(&mut self) -> Result<(), Trouble> {
        let mut bytes = mem::take(&mut self.unsent);
        let sent = if bytes.is_empty() { Ok(()) } else { self.send_stepwise(&bytes) };
        bytes.clear();
        self.unsent = bytes;
        sent.map_err(|error| Trouble::from_io(&error, "sending the request"))
    }

    /// Sends a part of a request. Where steps are counted its first byte goes alone, so that a
    /// process can die between that and the rest.
    fn send_stepwise(&mut self, bytes: &[u8]) -> io::Result<()> {
        step("request: before its first byte");
        let alone = if cfg!(feature = "faults") { 1 } else { 0 };
        let (first, rest) = bytes.split_at(alone);
        if !first.is_empty() {
            self.send(first)?;
            step("request: after its first byte");
        }
        self.send(rest)?;
        step("request: written whole");
        Ok(())
    }

    /// Reads on; false at an orderly end. All other ends are troubles.
    fn read_on(&mut self) -> Result<bool, Trouble> {
        self.send_gathered()?;
        // Without this, interim answers, trailers and the lines between chunks have no bound.
        if attempt::fruitless() > self.header_cap || self.buffers.input_append_buf().is_empty() {
            return Err(Trouble::header_too_large(self.header_cap));
        }
        let count = self.fill().map_err(|error| Trouble::from_io(&error, "reading the answer"))?;
        attempt::read(count);
        step("answer: something was read");
        Ok(count > 0)
    }

    /// Whether an idle connection can carry a request: still open, and nothing was said on
    /// it that nobody asked for.
    fn is_quiet(&mut self) -> bool {
        if !self.buffers.input().is_empty() || !self.unsent.is_empty() {
            return false;
        }
        let mut byte = [MaybeUninit::uninit()];
        let flags = libc::MSG_PEEK | libc::MSG_DONTWAIT;
        let peeked = SockRef::from(&self.socket.stream).recv_with_flags(&mut byte, flags);
        let waiting = match peeked {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => false,
            Ok(count) if count > 0 => true,
            _ => return false,
        };
        match &mut self.tls {
            None => !waiting,
            Some(tls) => {
                (!waiting || read_tickets(tls, &self.socket.stream))
                    && matches!(tls.reader().read(&mut [0]), Err(e) if e.kind() == io::ErrorKind::WouldBlock)
            }
        }
    }
}

impl Transport for Connection {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.socket.deadline = deadline_of(timeout);
        self.used = true;
        self.unsent.extend_from_slice(&self.buffers.output()[..amount]);
        if self.unsent.len() >= GATHERED {
            self.send_gathered()?;
        }
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.socket.deadline = deadline_of(timeout);
        Ok(self.read_on()?)
    }

    /// ureq asks when it keeps a connection and when it takes one it kept. Only what is seen
    /// then matters, so the first time costs no system call.
    fn is_open(&mut self) -> bool {
        mem::take(&mut self.used) || self.is_quiet()
    }

    fn is_tls(&self) -> bool {
        self.tls.is_some()
    }
}

fn flush(tls: &mut ClientConnection, socket: &mut Socket) -> io::Result<()> {
    while tls.wants_write() {
        if tls.write_tls(socket)? == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
    }
    Ok(())
}

fn read_tls(tls: &mut ClientConnection, socket: &mut Socket, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match tls.reader().read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            done => return done,
        }
        tls.read_tls(socket)?;
        tls.process_new_packets().map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        flush(tls, socket)?;
    }
}

/// Takes in what waits on an idle TLS connection, which may be session tickets or new keys
/// that came after the answer. False if the connection ended, if TLS found fault with it, or
/// if more comes than those can be.
fn read_tickets(tls: &mut ClientConnection, stream: &TcpStream) -> bool {
    let read = |tls: &mut ClientConnection| -> io::Result<bool> {
        stream.set_nonblocking(true)?;
        let mut outcome = false;
        for _ in 0..IDLE_READS {
            match tls.read_tls(&mut &*stream) {
                Ok(count) if count > 0 && tls.process_new_packets().is_ok() => {}
                Ok(_) => break,
                Err(error) => {
                    outcome = error.kind() == io::ErrorKind::WouldBlock;
                    break;
                }
            }
        }
        stream.set_nonblocking(false)?;
        Ok(outcome)
    };
    read(tls).unwrap_or(false)
}
