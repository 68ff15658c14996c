//! The socket: who is let in, how many at once, and how it ends.

use std::fs::{File, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bayar::{Code, Engine, Error};
use nix::sys::signal::{SigSet, Signal};

use super::conversation::{Answer, Conversation};
use super::message::{self, End};
use super::peers::Allowed;
use crate::records;

/// What the command line asks for.
pub struct Options {
    pub path: PathBuf,
    pub allowed: Allowed,
    pub connections: usize,
    /// After so long without a request a connection is closed.
    pub idle: Duration,
}

/// How long a stop waits for calls in flight: above the deadline of one call.
const STOP: Duration = Duration::from_secs(30);

/// Serves until SIGTERM or SIGINT; calls in flight end first.
pub fn serve(engine: Engine, options: Options) -> Result<(), String> {
    // Before any thread is there, so that all of them leave the signals to this one.
    let mut stop = SigSet::empty();
    stop.add(Signal::SIGTERM);
    stop.add(Signal::SIGINT);
    stop.thread_block().map_err(|e| format!("signals: {e}"))?;

    let (listener, lock) = listen(&options)?;
    let path = options.path.clone();
    let house = Arc::new(House::new(engine, options));
    eprintln!("bayar: the daemon listens at {}", path.display());
    std::thread::spawn({
        let house = Arc::clone(&house);
        move || house.receive(&listener)
    });
    stop.wait().map_err(|e| format!("signals: {e}"))?;

    // Nobody new finds the way; the lock is held until the file is gone.
    let removed = std::fs::remove_file(&path);
    drop(lock);
    if !house.close() {
        return Err(format!(
            "calls were still in flight after {} s; recovery will look at them",
            STOP.as_secs()
        ));
    }
    removed.map_err(|e| format!("{}: {e}", path.display()))
}

/// The socket, open for this user and the group; and the lock that keeps a second daemon off it.
fn listen(options: &Options) -> Result<(UnixListener, File), String> {
    let path = &options.path;
    let named = |what: &str, e: std::io::Error| format!("{what} {}: {e}", path.display());
    let lock = lock(path)?;
    // What is left of a daemon that was killed; a living one would hold the lock.
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(named("the old socket", e)),
        _ => {}
    }
    // Nobody else gets in between bind and chmod.
    let before = nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o177));
    let bound = UnixListener::bind(path);
    nix::sys::stat::umask(before);
    let listener = bound.map_err(|e| named("cannot listen at", e))?;
    chown(path, None, Some(options.allowed.group.as_raw())).map_err(|e| named("the group of", e))?;
    std::fs::set_permissions(path, Permissions::from_mode(0o660)).map_err(|e| named("the mode of", e))?;
    Ok((listener, lock))
}

fn lock(path: &Path) -> Result<File, String> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let name = PathBuf::from(name);
    let file = File::options().create(true).append(true).open(&name).map_err(|e| {
        let advice = "create the directory for this user, or give --socket PATH";
        format!("{}: {e}; {advice}", name.display())
    })?;
    file.try_lock().map_err(|_| format!("another daemon serves {}", path.display()))?;
    Ok(file)
}

/// What all connections share.
struct House {
    engine: Engine,
    options: Options,
    inside: Mutex<Inside>,
    changed: Condvar,
}

#[derive(Default)]
struct Inside {
    /// Connections.
    open: usize,
    /// Requests that are being answered.
    busy: usize,
    closing: bool,
}

impl House {
    fn new(engine: Engine, options: Options) -> Self {
        House { engine, options, inside: Mutex::default(), changed: Condvar::new() }
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets clients in for as long as the process lives.
    fn receive(self: Arc<Self>, listener: &UnixListener) {
        loop {
            self.wait_for_room();
            let connection = match listener.accept() {
                Ok((connection, _)) => connection,
                Err(e) => {
                    // Out of descriptors, most likely: others must close theirs first.
                    log::error!(target: "bayar::daemon", "no connection can be accepted: {e}");
                    self.wait_for_change();
                    continue;
                }
            };
            self.inside().open += 1;
            let house = Arc::clone(&self);
            let started = std::thread::Builder::new().spawn(move || {
                house.entertain(&connection);
                house.inside().open -= 1;
                house.changed.notify_all();
            });
            if let Err(e) = started {
                log::error!(target: "bayar::daemon", "no thread for a connection: {e}");
                self.inside().open -= 1;
            }
        }
    }

    fn wait_for_room(&self) {
        let full = |inside: &mut Inside| inside.open >= self.options.connections;
        drop(self.changed.wait_while(self.inside(), full).unwrap_or_else(PoisonError::into_inner));
    }

    fn wait_for_change(&self) {
        let wait = self.changed.wait_timeout(self.inside(), Duration::from_secs(1));
        drop(wait.unwrap_or_else(PoisonError::into_inner));
    }

    /// One client, from its first request to its last.
    fn entertain(&self, mut connection: &UnixStream) {
        if let Err(why) = self.options.allowed.check(connection) {
            log::warn!(target: "bayar::daemon", "a connection was refused: {why}");
            let refused = Error::not_sent(Code::Untrusted, format!("the daemon refuses this program: {why}"));
            let _ = message::write(&mut connection, &Answer::of(&refused));
            return;
        }
        let idle = Some(self.options.idle);
        if let Err(e) = connection.set_read_timeout(idle).and_then(|()| connection.set_write_timeout(idle)) {
            log::error!(target: "bayar::daemon", "a connection without a time limit is not served: {e}");
            return;
        }
        records::begin();
        let mut conversation = Conversation::with(self.engine.clone());
        loop {
            let request = match message::read(&mut connection) {
                Ok(request) => request,
                Err(End::Closed) => return,
                Err(End::Broken(why)) => {
                    log::warn!(target: "bayar::daemon", "a connection ended: {why}");
                    return;
                }
            };
            let answer = if self.enter() {
                let answer = conversation.answer(request);
                // Written before it counts as done: a stop waits until the client has been told.
                let written = message::write(&mut connection, &answer);
                self.leave();
                written
            } else {
                message::write(&mut connection, &Answer::of(&stopping()))
            };
            if let Err(e) = answer {
                log::warn!(target: "bayar::daemon", "an answer could not be written: {e}");
                return;
            }
        }
    }

    /// Whether a request may begin.
    fn enter(&self) -> bool {
        let mut inside = self.inside();
        inside.busy += usize::from(!inside.closing);
        !inside.closing
    }

    fn leave(&self) {
        self.inside().busy -= 1;
        self.changed.notify_all();
    }

    /// Begins nothing more and waits for what is in flight; whether all of it ended.
    fn close(&self) -> bool {
        let mut inside = self.inside();
        inside.closing = true;
        let waited = self.changed.wait_timeout_while(inside, STOP, |inside| inside.busy > 0);
        waited.unwrap_or_else(PoisonError::into_inner).0.busy == 0
    }
}

fn stopping() -> Error {
    Error::not_sent(Code::Network, "the daemon is stopping and begins nothing more")
}
