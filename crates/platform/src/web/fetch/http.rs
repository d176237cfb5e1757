//! HTTP requests: what `fetch` and `node:http` are made of. Each has a thread, on which a blocking client runs.
//!
//! The thread owns the connection. The agent's thread asks by [`Command`]s and is told by calls of `deliver` in
//! `http_exchange.js`, which run as tasks of its loop. Whatever the agent waits for holds its loop: a guard travels with
//! the request for it and back with the answer. When the agent forgets an [`Exchange`], or ends, the connection is shut
//! down, which wakes the thread.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use agent::{EventLoop, KeepAlive, Mailbox};
use qjs::array::List;
use rquickjs::{Class, Ctx, IntoJs as _, JsLifetime, Null, Object, TypedArray, Value, class::Trace, function::Args};
use ureq::http::{Request, Response};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig};
use ureq::{Agent, Body, SendBody};

use crate::internal::strings::UsvString;
use crate::internal::{
    self, bytes, def,
    errors::{granted, throw_denied},
    state::Platform,
};

/// How much of a body is read at once.
const CHUNK: usize = 64 << 10;
/// What Node's client waits for a connection and for the head of a response, and between two parts of a body.
const CONNECT: Duration = Duration::from_secs(10);
const IDLE: Duration = Duration::from_secs(300);
/// How long a connection is kept for the next request to its origin, and how many are.
const KEEP: Duration = Duration::from_secs(4);
const KEPT_PER_ORIGIN: usize = 8;
/// How many content encodings a response may have, as in Node. Each takes memory, and stack when it is read.
const ENCODINGS: usize = 5;

/// What the agent's thread asks of a request's.
enum Command {
    /// The next part of the response's body.
    Pull(KeepAlive),
    /// A part of the request's body, or its end.
    Write(Option<Vec<u8>>),
}

/// What the agent has of a request.
#[derive(Trace, JsLifetime)]
#[rquickjs::class]
pub(crate) struct Exchange {
    /// `None` after `cancel`: a thread that waits for one then ends.
    #[qjs(skip_trace)]
    commands: RefCell<Option<mpsc::Sender<Command>>>,
    #[qjs(skip_trace)]
    connection: Connection,
}

impl Exchange {
    /// (If the thread has ended, it has said why.)
    fn command(&self, command: Command) {
        if let Some(commands) = &*self.commands.borrow() {
            let _ = commands.send(command);
        }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.connection.shut_down();
    }
}

/// The client of one request.
#[derive(Clone)]
struct Connection(Arc<Mutex<Client>>);

enum Client {
    Waiting,
    Open(Agent),
    /// The response has been read whole, or nobody wants it.
    Over,
}

impl Connection {
    fn replace(&self, client: Client) -> Client {
        std::mem::replace(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner), client)
    }

    /// Returns false if the connection was shut down before it was there.
    fn open(&self, agent: Agent) -> bool {
        let mut client = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*client, Client::Over) {
            return false;
        }
        *client = Client::Open(agent);
        true
    }

    fn shut_down(&self) {
        if let Client::Open(agent) = self.replace(Client::Over) {
            agent.shutdown();
        }
    }
}

/// Connections that wait for a next request, by what they are for. Each client has one.
static KEPT: Mutex<Option<Kept>> = Mutex::new(None);

type Kept = HashMap<Origin, Vec<(Instant, Agent)>>;

#[derive(Clone, PartialEq, Eq, Hash)]
struct Origin {
    authority: String,
    is_secure: bool,
    trust: Trust,
}

/// Which certificates count.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Trust {
    /// `NODE_TLS_REJECT_UNAUTHORIZED=0`.
    any: bool,
    /// A file with certificates in place of the built-in ones.
    file: Option<String>,
}

impl Origin {
    fn kept(&self) -> Option<Agent> {
        let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
        let clients = kept.get_or_insert_default().get_mut(self)?;
        clients.retain(|(since, _)| since.elapsed() < KEEP);
        clients.pop().map(|(_, agent)| agent)
    }

    fn keep(self, agent: Agent) {
        let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = kept.get_or_insert_default();
        kept.retain(|_, clients| {
            clients.retain(|(since, _)| since.elapsed() < KEEP);
            !clients.is_empty()
        });
        let clients = kept.entry(self).or_default();
        if clients.len() < KEPT_PER_ORIGIN {
            clients.push((Instant::now(), agent));
        }
    }

    fn client(&self) -> Result<Agent, Failure> {
        if let Some(agent) = self.kept() {
            return Ok(agent);
        }
        let mut tls = TlsConfig::builder().disable_verification(self.trust.any);
        if let Some(file) = &self.trust.file {
            let pem = std::fs::read(file)
                .map_err(|error| Failure::new("ERR_TLS_CERTIFICATES", format!("cannot read {file}: {error}")))?;
            let certificates: Vec<Certificate<'static>> = ureq::tls::parse_pem(&pem)
                .filter_map(|item| match item {
                    Ok(PemItem::Certificate(certificate)) => Some(certificate),
                    _ => None,
                })
                .collect();
            tls = tls.root_certs(RootCerts::Specific(Arc::new(certificates)));
        }
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .allow_non_standard_methods(true)
            .proxy(None)
            .user_agent("")
            .accept("")
            .accept_encoding("")
            .timeout_connect(Some(CONNECT))
            .timeout_recv_response(Some(IDLE))
            .timeout_per_read(Some(IDLE))
            .max_idle_connections(1)
            .max_idle_connections_per_host(1)
            .max_idle_age(KEEP)
            .tls_config(tls.build());
        Ok(config.build().new_agent())
    }
}

/// Why there is no response, or no more of it: Node's code and a message.
struct Failure {
    code: &'static str,
    message: String,
    errno: Option<i32>,
}

impl Failure {
    fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), errno: None }
    }

    fn of(error: ureq::Error) -> Self {
        let message = error.to_string();
        match error {
            ureq::Error::Io(error) => Self::of_io(&error),
            ureq::Error::HostNotFound => Self::new("ENOTFOUND", "getaddrinfo ENOTFOUND"),
            ureq::Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) => {
                Self::new("UND_ERR_CONNECT_TIMEOUT", "Connect Timeout Error")
            }
            ureq::Error::Timeout(ureq::Timeout::RecvBody) => Self::new("UND_ERR_BODY_TIMEOUT", "Body Timeout Error"),
            ureq::Error::Timeout(_) => Self::new("UND_ERR_HEADERS_TIMEOUT", "Headers Timeout Error"),
            ureq::Error::LargeResponseHeader(..) => Self::new("UND_ERR_HEADERS_OVERFLOW", "Headers Overflow Error"),
            ureq::Error::Protocol(_) => Self::new("HPE_INVALID", message),
            ureq::Error::BodyExceedsLimit(_) => Self::new("UND_ERR_REQ_CONTENT_LENGTH_MISMATCH", message),
            _ => Self::of_text(message),
        }
    }

    fn of_io(error: &io::Error) -> Self {
        let code = match error.kind() {
            io::ErrorKind::AddrNotAvailable => "EADDRNOTAVAIL",
            io::ErrorKind::BrokenPipe => "EPIPE",
            io::ErrorKind::ConnectionRefused => "ECONNREFUSED",
            io::ErrorKind::ConnectionReset => "ECONNRESET",
            io::ErrorKind::HostUnreachable => "EHOSTUNREACH",
            io::ErrorKind::NetworkUnreachable => "ENETUNREACH",
            io::ErrorKind::TimedOut => "ETIMEDOUT",
            io::ErrorKind::UnexpectedEof => return Self::new("UND_ERR_SOCKET", "other side closed"),
            _ => return Self::of_text(error.to_string()),
        };
        Self { errno: error.raw_os_error().map(|number| -number), ..Self::new(code, code) }
    }

    /// The names of hosts and TLS have no errors of their own here, only texts.
    fn of_text(message: String) -> Self {
        let code = match &message {
            text if text.contains("Temporary failure in name resolution") => "EAI_AGAIN",
            text if text.starts_with("failed to lookup address information") => "ENOTFOUND",
            text if text.contains("UnknownIssuer") => "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
            text if text.contains("Expired") => "CERT_HAS_EXPIRED",
            text if text.contains("NotValidForName") => "ERR_TLS_CERT_ALTNAME_INVALID",
            _ => "UND_ERR_SOCKET",
        };
        Self::new(code, message)
    }
}

/// A request as the script described it.
struct Order {
    method: String,
    url: String,
    headers: Vec<String>,
    body: RequestBody,
    /// Whether the response's content encoding is undone.
    decodes: bool,
    trust: Trust,
}

enum RequestBody {
    None,
    Bytes(Vec<u8>),
    Parts,
}

/// The thread of a request.
struct Worker {
    id: f64,
    mailbox: Mailbox,
    commands: mpsc::Receiver<Command>,
}

impl Worker {
    /// Calls `deliver` on the agent's thread, which `hold` kept waiting. Returns false if the agent has ended.
    fn tell(
        &self,
        hold: Option<KeepAlive>,
        event: &'static str,
        arguments: impl for<'js> FnOnce(&Ctx<'js>) -> rquickjs::Result<Vec<Value<'js>>> + Send + 'static,
    ) -> bool {
        let id = self.id;
        self.mailbox.post(move |ctx| {
            let _hold = hold;
            let values = arguments(ctx)?;
            let mut args = Args::new(ctx.clone(), values.len() + 2);
            args.push_arg(id)?;
            args.push_arg(event)?;
            args.push_args(values)?;
            internal::function(ctx, "http_exchange", "deliver")?.call_arg(args)
        })
    }

    fn fail(&self, hold: Option<KeepAlive>, Failure { code, message, errno }: Failure) {
        self.tell(hold, "failed", move |ctx| Ok(vec![code.into_js(ctx)?, message.into_js(ctx)?, errno.into_js(ctx)?]));
    }

    fn run(self, order: Order, connection: &Connection, hold: KeepAlive) {
        let (origin, decodes) = match Origin::of(&order) {
            Some(origin) => (origin, order.decodes),
            None => return self.fail(Some(hold), Failure::new("ERR_INVALID_URL", "Invalid URL")),
        };
        let worker = std::rc::Rc::new(self);
        let response = origin.client().and_then(|agent| match connection.open(agent.clone()) {
            true => worker.clone().send(&agent, order),
            false => Err(Failure::new("ABORT_ERR", "This operation was aborted")),
        });
        let response = match response {
            Ok(response) => response,
            Err(failure) => return worker.fail(Some(hold), failure),
        };
        let status = response.status();
        // (A header's bytes are the characters of a string, in Latin-1.)
        let latin = |bytes: &[u8]| bytes.iter().map(|&byte| char::from(byte)).collect::<String>();
        let mut headers = Vec::new();
        for (name, value) in response.headers() {
            headers.push(name.as_str().to_owned());
            headers.push(latin(value.as_bytes()));
        }
        let encoding = response.headers().get("content-encoding").map(|value| latin(value.as_bytes()));
        let encodings = encoding.as_ref().map_or(0, |encoding| encoding.split(',').count());
        if decodes && encodings > ENCODINGS {
            let message =
                format!("too many content-encodings in response: {encodings}, maximum allowed is {ENCODINGS}");
            return worker.fail(Some(hold), Failure::new("", message));
        }
        let mut body: Box<dyn Read> = match encoding {
            Some(encoding) if decodes => decoded(response.into_body(), &encoding),
            _ => Box::new(response.into_body().into_reader()),
        };
        let reason = status.canonical_reason().unwrap_or_default();
        let told = worker.tell(Some(hold), "head", move |ctx| {
            Ok(vec![status.as_u16().into_js(ctx)?, reason.into_js(ctx)?, List(headers).into_js(ctx)?])
        });
        if !told {
            return;
        }
        while let Ok(command) = worker.commands.recv() {
            let Command::Pull(hold) = command else { continue };
            let mut chunk = vec![0; CHUNK];
            match read(&mut *body, &mut chunk) {
                Ok(0) => {
                    drop(body);
                    if let Client::Open(agent) = connection.replace(Client::Over) {
                        origin.keep(agent);
                    }
                    worker.tell(Some(hold), "chunk", |ctx| Ok(vec![Null.into_js(ctx)?]));
                    return;
                }
                Ok(length) => {
                    chunk.truncate(length);
                    let told = worker.tell(Some(hold), "chunk", move |ctx| {
                        Ok(vec![TypedArray::<u8>::new(ctx.clone(), chunk)?.into_value()])
                    });
                    if !told {
                        return;
                    }
                }
                Err(error) => return worker.fail(Some(hold), Failure::of_io(&error)),
            }
        }
    }

    fn send(self: std::rc::Rc<Self>, agent: &Agent, order: Order) -> Result<Response<Body>, Failure> {
        let mut request = Request::builder().method(&*order.method).uri(&order.url);
        for pair in order.headers.chunks_exact(2) {
            let value: Vec<u8> = pair[1].chars().map(|char| char as u32 as u8).collect();
            request = request.header(&pair[0], value);
        }
        let invalid = |error: ureq::http::Error| Failure::new("UND_ERR_INVALID_ARG", error.to_string());
        let body = match order.body {
            RequestBody::None => return agent.run(request.body(()).map_err(invalid)?).map_err(Failure::of),
            RequestBody::Bytes(bytes) => SendBody::from_owned_reader(io::Cursor::new(bytes)),
            RequestBody::Parts => SendBody::from_owned_reader(Parts { worker: self, part: Vec::new(), at: 0 }),
        };
        agent.run(request.body(body).map_err(invalid)?).map_err(Failure::of)
    }
}

/// The parts of a request's body, which the agent is asked for one by one.
struct Parts {
    worker: std::rc::Rc<Worker>,
    part: Vec<u8>,
    at: usize,
}

impl Read for Parts {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.part.len() {
            // (The head of the response, which is waited for, holds the loop.)
            if !self.worker.tell(None, "wanted", |_| Ok(Vec::new())) {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            match self.worker.commands.recv() {
                Ok(Command::Write(Some(part))) => (self.part, self.at) = (part, 0),
                Ok(Command::Write(None)) => return Ok(0),
                Ok(Command::Pull(_)) => {}
                Err(_) => return Err(io::ErrorKind::BrokenPipe.into()),
            }
        }
        let length = buffer.len().min(self.part.len() - self.at);
        buffer[..length].copy_from_slice(&self.part[self.at..self.at + length]);
        self.at += length;
        Ok(length)
    }
}

fn read(reader: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match reader.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// Undoes the content encodings, of which the last was applied last. Unknown ones leave the body as it is.
fn decoded(body: Body, encodings: &str) -> Box<dyn Read> {
    let mut reader: Box<dyn Read> = Box::new(body.into_reader());
    for encoding in encodings.rsplit(',') {
        reader = match encoding.trim().to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => Box::new(flate2::read::MultiGzDecoder::new(reader)),
            "deflate" => Box::new(flate2::read::ZlibDecoder::new(reader)),
            "br" => Box::new(brotli::Decompressor::new(reader, CHUNK)),
            _ => return reader,
        };
    }
    reader
}

impl Origin {
    fn of(order: &Order) -> Option<Self> {
        let url = url::Url::parse(&order.url).ok()?;
        let authority = format!("{}:{}", url.host_str()?, url.port_or_known_default()?);
        Some(Self { authority, is_secure: url.scheme() == "https", trust: order.trust.clone() })
    }
}

/// Checks that the agent may connect to a request's host. (What a response redirects to is a request of its own.)
fn check(ctx: &Ctx<'_>, order: &mut Order) -> rquickjs::Result<()> {
    let may = Platform::of(ctx)?.options.permissions.clone();
    if may.is_all() {
        return Ok(());
    }
    let Ok(mut url) = url::Url::parse(&order.url) else { return Ok(()) };
    let port = Some(url.port_or_known_default().unwrap_or_default());
    granted(ctx, |may| may.check_net(url.host_str().unwrap_or_default(), port))?;
    // The client reads it as it was read here.
    url.set_fragment(None);
    order.url = url.into();
    let Some(file) = &order.trust.file else { return Ok(()) };
    match may.target(file.as_ref(), permissions::Access::READ) {
        Err(permissions::Failure::Denied(denied)) => Err(throw_denied(ctx, &denied)),
        _ => Ok(()),
    }
}

/// The native functions of `http_exchange.js`.
pub(crate) fn natives<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    let native = qjs::pristine::bare_object(ctx)?;
    def(&native, "start", |ctx: Ctx<'js>, id: f64, options: Object<'js>| -> rquickjs::Result<Class<'js, Exchange>> {
        let body: Value<'js> = options.get("body")?;
        let body = match bytes::copy_from(&ctx, &body)? {
            Some(bytes) => RequestBody::Bytes(bytes),
            None if body.is_bool() => RequestBody::Parts,
            None => RequestBody::None,
        };
        let text = |name: &str| options.get::<_, UsvString>(name).map(|text| text.0);
        let file: Option<UsvString> = options.get("certificates")?;
        let mut order = Order {
            method: text("method")?,
            url: text("url")?,
            headers: options.get("headers")?,
            body,
            decodes: options.get("decodes")?,
            trust: Trust { any: options.get("trustsAny")?, file: file.map(|file| file.0) },
        };
        check(&ctx, &mut order)?;
        let (commands, receiver) = mpsc::channel();
        let connection = Connection(Arc::new(Mutex::new(Client::Waiting)));
        let mailbox = EventLoop::of(&ctx)?.mailbox().clone();
        let hold = mailbox.keep_alive();
        let (for_thread, for_failure) = (connection.clone(), mailbox.clone());
        let spawned = std::thread::Builder::new().name("http".into()).stack_size(512 << 10).spawn(move || {
            Worker { id, mailbox, commands: receiver }.run(order, &for_thread, hold);
        });
        if let Err(error) = spawned {
            let failure = Failure::new("EAGAIN", format!("no thread for the request: {error}"));
            Worker { id, mailbox: for_failure, commands: mpsc::channel().1 }.fail(None, failure);
        }
        Class::instance(ctx, Exchange { commands: RefCell::new(Some(commands)), connection })
    })?;
    def(&native, "pull", |ctx: Ctx<'js>, exchange: Class<'js, Exchange>| -> rquickjs::Result<()> {
        let hold = EventLoop::of(&ctx)?.mailbox().keep_alive();
        exchange.try_borrow()?.command(Command::Pull(hold));
        Ok(())
    })?;
    def(&native, "write", |ctx: Ctx<'js>, exchange: Class<'js, Exchange>, part: Value<'js>| -> rquickjs::Result<()> {
        let part = bytes::copy_from(&ctx, &part)?;
        exchange.try_borrow()?.command(Command::Write(part));
        Ok(())
    })?;
    def(&native, "cancel", |exchange: Class<'js, Exchange>| -> rquickjs::Result<()> {
        let exchange = exchange.try_borrow()?;
        exchange.commands.take();
        exchange.connection.shut_down();
        Ok(())
    })?;
    Ok(native)
}
