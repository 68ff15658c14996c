//! The frame around the providers: listening, handing requests over, breaking answers.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use jiff::Timestamp;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use crate::faults::{Fault, Faults, Kind, On, When};
use crate::ledger::{Entry, Log, Memory, Orders};
use crate::line::{Handle, Lines};
use crate::provider::{Act, ActKind, Callback, Desk, Provider, Reply, Request};
use crate::settings::{self, Settings};
use crate::{Options, callbacks, control, page, providers, tools};

/// Larger than any provider takes, small enough to refuse a mistake.
const BODY_LIMIT: usize = 10 * 1024 * 1024;

/// How soon an order that nobody touches is seen to have expired.
const SWEEP: Duration = Duration::from_millis(250);

/// A sandbox on a thread of its own, for tests in the same process. It stops when dropped.
pub struct Sandbox {
    frame: Arc<Frame>,
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Sandbox {
    /// Starts one. When this returns, it listens.
    pub fn start(options: Options) -> io::Result<Self> {
        let (frame, listener, address) = prepare(&options)?;
        let runtime = runtime()?;
        let (stop, stopped) = oneshot::channel();
        let served = frame.clone();
        let thread = std::thread::Builder::new().name("bayar-sandbox".to_owned()).spawn(move || {
            runtime.block_on(async {
                let server = tokio::spawn(serve(served, listener));
                // An error means that the owner is gone without a word: stop as well.
                let _ = stopped.await;
                server.abort();
            });
            // Callbacks still under way are left behind: nobody waits for them any more.
            runtime.shutdown_background();
        })?;
        Ok(Self { frame, address, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens, with the real port.
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// The same as a URL, without a slash at the end.
    pub fn base_url(&self) -> &str {
        &self.frame.base_url
    }

    /// A `bayar.toml` with every provider pointed here.
    pub fn config(&self) -> String {
        settings::config(&self.frame.providers, &self.frame.settings(), &self.frame.base_url)
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // Either end may already be gone; then there is nothing left to stop.
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Runs on this thread, for the command line.
pub(crate) fn run(options: &Options) -> io::Result<()> {
    let (frame, listener, _) = prepare(options)?;
    let mut out = io::stdout();
    writeln!(out, "listening on {}", frame.base_url)?;
    out.flush()?;
    runtime()?.block_on(serve(frame, listener))
}

fn runtime() -> io::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

fn prepare(options: &Options) -> io::Result<(Arc<Frame>, TcpListener, SocketAddr)> {
    let providers = providers::all();
    let settings = Settings::resolve(&providers, &options.set)?;
    let listener = TcpListener::bind(options.listen)?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let frame = Frame {
        base_url: settings::base_url(address),
        providers,
        settings: RwLock::new(Arc::new(settings)),
        state: Mutex::default(),
        agent: callbacks::agent(),
        quiet: options.quiet,
    };
    Ok((Arc::new(frame), listener, address))
}

async fn serve(frame: Arc<Frame>, listener: TcpListener) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let sweeper = frame.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(SWEEP).await;
            sweeper.sweep();
        }
    });
    let router = Router::new()
        .route("/", get(page::show))
        .merge(control::routes())
        .fallback(exchange)
        .with_state(frame)
        .into_make_service_with_connect_info::<Handle>();
    axum::serve(Lines(listener), router).await
}

/// Everything that one running sandbox holds.
pub(crate) struct Frame {
    pub(crate) base_url: String,
    pub(crate) providers: Vec<Box<dyn Provider>>,
    settings: RwLock<Arc<Settings>>,
    state: Mutex<Books>,
    pub(crate) agent: ureq::Agent,
    quiet: bool,
}

/// What changes. One lock: a simulated provider handles one request at a time, so that every
/// order of events is a possible one and none depends on luck.
#[derive(Default)]
pub(crate) struct Books {
    pub(crate) orders: Orders,
    pub(crate) memory: Memory,
    pub(crate) log: Log,
    pub(crate) faults: Faults,
}

impl Frame {
    /// The books, locked. A simulator that panicked left them as they were: usable.
    pub(crate) fn books(&self) -> MutexGuard<'_, Books> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The settings as they are now.
    pub(crate) fn settings(&self) -> Arc<Settings> {
        self.settings.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces settings; none, if one of them does not exist.
    pub(crate) fn set(&self, changes: &BTreeMap<String, String>) -> io::Result<()> {
        let mut changed = Settings::clone(&self.settings());
        for (name, value) in changes {
            changed.set(name, value)?;
        }
        *self.settings.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(changed);
        Ok(())
    }

    pub(crate) fn provider(&self, id: &str) -> Option<&dyn Provider> {
        self.providers.iter().map(|one| &**one).find(|one| one.id() == id)
    }

    /// Lets a provider work at its desk; what it left to send comes back.
    pub(crate) fn at_desk<T>(
        &self,
        provider: &dyn Provider,
        work: impl FnOnce(&mut Desk<'_>) -> T,
    ) -> (T, Vec<Callback>) {
        let settings = self.settings();
        let mut books = self.books();
        let Books { orders, memory, .. } = &mut *books;
        let mut desk = Desk {
            provider: provider.id(),
            base_url: &self.base_url,
            settings: &settings,
            orders,
            memory,
            outbox: Vec::new(),
            now: Timestamp::now(),
        };
        let result = work(&mut desk);
        (result, desk.outbox)
    }

    /// Executes one request; its callbacks leave after the answer, as with a real provider.
    fn execute(self: &Arc<Self>, id: &str, request: &Request) -> Reply {
        let provider = self.provider(id).expect("the caller looked it up");
        let (reply, outbox) = self.at_desk(provider, |desk| provider.handle(request, desk));
        self.deliver_later(id, outbox);
        reply
    }

    /// Sends callbacks without waiting for what they meet.
    pub(crate) fn deliver_later(self: &Arc<Self>, id: &str, outbox: Vec<Callback>) {
        for callback in outbox {
            let (frame, id) = (self.clone(), id.to_owned());
            tokio::spawn(async move { callbacks::deliver(&frame, &id, &callback).await });
        }
    }

    /// Lets orders expire whose time has come.
    pub(crate) fn sweep(self: &Arc<Self>) {
        let due = self.books().orders.take_due(Timestamp::now());
        for (id, order_id) in due {
            let provider = self.provider(id).expect("an order belongs to a provider");
            let act = Act { kind: ActKind::Expired, method: None };
            let (_, outbox) = self.at_desk(provider, |desk| provider.act(&act, &order_id, desk));
            self.deliver_later(id, outbox);
        }
    }
}

/// What goes back over the wire.
enum Wire {
    Whole(Reply),
    Cut(Reply),
    Reset,
}

/// One request to a provider: arrival, fault, execution, answer.
async fn exchange(
    State(frame): State<Arc<Frame>>,
    ConnectInfo(line): ConnectInfo<Handle>,
    request: axum::extract::Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, BODY_LIMIT).await else {
        return control::refuse(413, "too_large", "the body is larger than 10 MiB, or its sender went away");
    };
    let path = parts.uri.path();
    let (id, rest) = path[1..].split_once('/').unwrap_or((&path[1..], ""));
    if id == "_sandbox" {
        return control::nothing();
    }
    if frame.provider(id).is_none() {
        let known: Vec<_> = frame.providers.iter().map(|one| format!("/{}", one.id())).collect();
        let message = format!("nothing is at {path}; providers are at {}", known.join(", "));
        return control::refuse(404, "not_found", &message);
    }
    let request = Request {
        method: parts.method.to_string(),
        path: format!("/{rest}"),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: headers(&parts.headers),
        body: body.to_vec(),
    };
    frame.sweep();

    let fault = frame.books().faults.take(On::Request, id, path);
    let seq = arrival(&frame, id, path, &request, fault.as_ref());
    let (wire, handled) = answer(&frame, id, &request, fault.as_ref()).await;
    departure(&frame, seq, &wire, handled);
    match wire {
        Wire::Whole(reply) => whole(reply),
        Wire::Cut(reply) => cut(reply),
        Wire::Reset => {
            line.reset();
            ().into_response()
        }
    }
}

/// The answer under a fault, and how often the provider carried the request out.
async fn answer(frame: &Arc<Frame>, id: &str, request: &Request, fault: Option<&Fault>) -> (Wire, u32) {
    let Some(fault) = fault else { return (Wire::Whole(frame.execute(id, request)), 1) };
    let trouble = || frame.provider(id).expect("the caller looked it up").trouble();
    let wait = Duration::from_millis(fault.ms.unwrap_or(1000));
    if fault.fault == Kind::Delay && fault.when() == When::Before {
        tokio::time::sleep(wait).await;
        return (Wire::Whole(frame.execute(id, request)), 1);
    }
    let (reply, handled) = match fault.when() {
        When::Before => (None, 0),
        When::After => (Some(frame.execute(id, request)), 1),
    };
    match fault.fault {
        Kind::Delay => {
            tokio::time::sleep(wait).await;
            (Wire::Whole(reply.unwrap_or_else(trouble)), handled)
        }
        Kind::Reset => (Wire::Reset, handled),
        Kind::Truncate => (Wire::Cut(reply.unwrap_or_else(trouble)), handled),
        Kind::Error500 => (Wire::Whole(trouble()), handled),
        Kind::Html => (Wire::Whole(Reply::html(fault.status.unwrap_or(200), MAINTENANCE)), handled),
        Kind::Duplicate => (Wire::Whole(frame.execute(id, request)), handled + 1),
    }
}

const MAINTENANCE: &str = "<!doctype html>\n<html><head><title>Maintenance</title></head>\n\
     <body><h1>We will be back soon</h1><p>Our site is under maintenance.</p></body></html>\n";

fn headers(map: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &axum::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    map.iter().map(|(name, value)| (name.to_string(), text(value))).collect()
}

fn arrival(frame: &Frame, id: &str, path: &str, request: &Request, fault: Option<&Fault>) -> u64 {
    frame.books().log.push(Entry {
        seq: 0,
        direction: "in",
        time: tools::wib(Timestamp::now()),
        provider: id.to_owned(),
        method: request.method.clone(),
        path: path.to_owned(),
        query: request.query.clone(),
        headers: request.headers.clone(),
        body: Log::text(&request.body),
        status: None,
        answer: String::new(),
        handled: 0,
        fault: fault.map(Fault::label),
        order_id: None,
        attempt: None,
        error: None,
    })
}

fn departure(frame: &Frame, seq: u64, wire: &Wire, handled: u32) {
    let mut books = frame.books();
    let Some(entry) = books.log.entry(seq) else { return };
    entry.handled = handled;
    if let Wire::Whole(reply) | Wire::Cut(reply) = wire {
        entry.status = Some(reply.status);
        entry.answer = Log::text(&reply.body);
    }
    if !frame.quiet {
        let status = entry.status.map_or("reset".to_owned(), |status| status.to_string());
        let fault = entry.fault.as_deref().map(|fault| format!("  (fault: {fault})")).unwrap_or_default();
        eprintln!("{}  {} {}  {status}{fault}", entry.time, entry.method, entry.path);
    }
}

fn whole(reply: Reply) -> Response {
    with_head(&reply, Body::from(reply.body.clone()))
}

/// The head promises the whole body; half of it comes.
fn cut(mut reply: Reply) -> Response {
    let length = reply.body.len();
    reply.headers.push(("content-length".to_owned(), length.to_string()));
    let half = Bytes::copy_from_slice(&reply.body[..length / 2]);
    with_head(&reply, Body::new(Half { state: HalfState::Send(half) }))
}

fn with_head(reply: &Reply, body: Body) -> Response {
    let mut builder = Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        builder = builder.header(name, value);
    }
    builder.body(body).expect("simulators write valid headers")
}

/// A body that breaks off. It pauses once before it does, for what is written is flushed only
/// when there is nothing more to write; else the peer would see no body at all.
struct Half {
    state: HalfState,
}

enum HalfState {
    Send(Bytes),
    Pause,
    Break,
}

impl http_body::Body for Half {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, io::Error>>> {
        use std::task::Poll;
        match std::mem::replace(&mut self.state, HalfState::Pause) {
            HalfState::Send(half) => Poll::Ready(Some(Ok(http_body::Frame::data(half)))),
            HalfState::Pause => {
                self.state = HalfState::Break;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            HalfState::Break => Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into()))),
        }
    }
}
