//! One connection: a socket that keeps to a deadline, TLS over it, and their buffers.

use std::io::{self, IoSlice, Read, Write};
use std::mem::MaybeUninit;
use std::net::{Shutdown, TcpStream};
use std::process;
use std::time::{Duration, Instant};

use rustls::ClientConnection;
use socket2::SockRef;

use super::failure::Stage;

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
    /// Bytes that the kernel has taken since [`Connection::begin`].
    written: u64,
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
                    self.written += count as u64;
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

/// A connection to an origin, plain or TLS, that can be kept for the next request.
#[derive(Debug)]
pub(super) struct Connection {
    socket: Socket,
    tls: Option<Box<ClientConnection>>,
    /// What was read and not yet used is `input[start..end]`.
    input: Vec<u8>,
    start: usize,
    end: usize,
}

impl Connection {
    /// Takes over a connected stream. `input` bounds how much of an answer's header, or of
    /// one line of its body, can be held at once.
    pub fn new(stream: TcpStream, input: usize, deadline: Instant) -> Self {
        let socket =
            Socket { stream, owner: process::id(), deadline, read_wait: None, write_wait: None, written: 0 };
        Connection { socket, tls: None, input: vec![0; input], start: 0, end: 0 }
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

    /// Starts a request: from here on the deadline holds and written bytes count.
    pub fn begin(&mut self, deadline: Instant) {
        self.socket.deadline = deadline;
        self.socket.written = 0;
    }

    /// Whether any byte left for the other side since [`Connection::begin`].
    pub fn stage(&self) -> Stage {
        if self.socket.written == 0 { Stage::NotSent } else { Stage::MaybeSent }
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

    /// What was read and not yet used.
    pub fn input(&self) -> &[u8] {
        &self.input[self.start..self.end]
    }

    /// Marks bytes at the front of [`Connection::input`] as used.
    pub fn consume(&mut self, count: usize) {
        self.start += count;
        debug_assert!(self.start <= self.end, "more was used than was read");
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
    }

    /// Reads more input; 0 at an orderly end. Under TLS that is a `close_notify`: a bare end
    /// of the TCP stream may be someone cutting the answer short, and is `UnexpectedEof`.
    ///
    /// The caller makes sure that the buffer is not full.
    pub fn fill(&mut self) -> io::Result<usize> {
        if self.end == self.input.len() {
            self.input.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        let free = &mut self.input[self.end..];
        debug_assert!(!free.is_empty(), "no room to read into");
        let count = match &mut self.tls {
            None => self.socket.read(free)?,
            Some(tls) => read_tls(tls, &mut self.socket, free)?,
        };
        self.end += count;
        Ok(count)
    }

    /// Whether [`Connection::fill`] has room.
    pub fn is_full(&self) -> bool {
        self.end - self.start == self.input.len()
    }

    /// Whether an idle connection can carry a request: still open, and nothing was said on
    /// it that nobody asked for.
    pub fn is_quiet(&mut self) -> bool {
        if self.start != self.end {
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
