//! The HTTP side: listeners, and requests and answers in the library's terms.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use actix_web::body::{BodySize, BoxBody, MessageBody, SizedStream};
use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use bytes::Bytes;
use futures_util::stream;
use tokio_util::sync::CancellationToken;

use crate::call::Call;
use crate::config::SimConfig;
use crate::dispatch::{self, Outcome, Wire};
use crate::fault::Fault;
use crate::proxy;
use crate::sim::Sim;
use crate::stats::StatsReport;
use crate::tenants::Tenants;
use crate::tls::{self, Certificate};
use crate::world::{PlantedChanges, World};

/// Threads that answer; making rows is their work.
const WORKERS: usize = 2;
/// Bodies are queries and batches; anything larger is not for a tenant.
const MAX_BODY_BYTES: usize = 4 * 1024 * 1024;
/// Idle connections are kept as long as Azure's front doors do, about.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// Time between the part of an answer that is sent and the cut behind it, so that the part arrives.
const CUT_DELAY: Duration = Duration::from_millis(20);

/// Why a simulator could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port is taken, or the like.
    #[error("cannot listen on the loopback interface")]
    Listen(#[source] std::io::Error),
    /// No thread, or the server ended at once.
    #[error("cannot start the server")]
    Serve(#[source] std::io::Error),
    /// The certificate could not be made.
    #[error("cannot make a certificate")]
    Certificate(#[source] tls::TlsError),
}

/// A simulated tenant, or several, served until this is stopped or dropped.
pub struct Simulator {
    tenants: Arc<Tenants>,
    url: String,
    tls_url: Option<String>,
    proxy_url: Option<String>,
    certificate: Option<Certificate>,
    handle: ServerHandle,
    stopped: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl Simulator {
    /// Starts serving on threads of its own; returns when requests are accepted.
    pub fn start(config: SimConfig) -> Result<Self, StartError> {
        let plain = listen(config.port)?;
        let certificate = config.tls.then(tls::certificate).transpose();
        let certificate = certificate.map_err(StartError::Certificate)?;
        let secure = certificate.as_ref().map(|_| listen(0)).transpose()?;
        let proxy = config.tls.then(|| listen(0)).transpose()?;
        let address = |listener: &TcpListener| listener.local_addr().map_err(StartError::Listen);
        let url = format!("http://{}", address(&plain)?);
        let secure_address = secure.as_ref().map(address).transpose()?;
        let tls_url = secure_address.map(|address| format!("https://localhost:{}", address.port()));
        let proxy_url = proxy
            .as_ref()
            .map(address)
            .transpose()?
            .map(|address| format!("http://{address}"));
        let tenants = Arc::new(Tenants::new(config));
        let stopped = CancellationToken::new();
        let parts = Parts {
            tenants: Arc::clone(&tenants),
            plain,
            secure: secure.zip(certificate.as_ref().map(|certificate| certificate.config.clone())),
            proxy: proxy.zip(secure_address),
            stopped: stopped.clone(),
        };
        let (ready, started) = mpsc::sync_channel(1);
        let thread = std::thread::Builder::new()
            .name("atg-sim".to_owned())
            .spawn(move || run(parts, &ready))
            .map_err(StartError::Serve)?;
        let handle = started
            .recv()
            .unwrap_or_else(|_| Err(std::io::Error::other("the server ended at its start")))
            .map_err(StartError::Serve)?;
        Ok(Self {
            tenants,
            url,
            tls_url,
            proxy_url,
            certificate,
            handle,
            stopped,
            thread: Some(thread),
        })
    }

    /// Where it is reached: `http://127.0.0.1:PORT`. Login, ARM and Microsoft Graph (`/v1.0`) alike.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The same over TLS, `https://localhost:PORT`.
    pub fn tls_url(&self) -> Option<&str> {
        self.tls_url.as_deref()
    }

    /// An HTTPS proxy that leads every host to this simulator.
    pub fn proxy_url(&self) -> Option<&str> {
        self.proxy_url.as_deref()
    }

    /// The self-signed certificate as PEM.
    pub fn certificate_pem(&self) -> Option<&str> {
        self.certificate.as_ref().map(|certificate| certificate.pem.as_str())
    }

    /// What it has seen so far of the first tenant.
    pub fn stats(&self) -> StatsReport {
        self.tenants.first().report()
    }

    /// Starts to count the calls after this moment.
    pub fn mark(&self) {
        self.tenants.first().mark();
    }

    /// Arms a fault, of each tenant.
    pub fn arm(&self, fault: Fault) {
        self.tenants.arm(fault);
    }

    /// Takes all faults away.
    pub fn clear_faults(&self) {
        self.tenants.all().for_each(Sim::clear_faults);
    }

    /// All tokens given so far are refused from now on.
    pub fn expire_tokens(&self) {
        self.tenants.all().for_each(Sim::expire_tokens);
    }

    /// Plants the list of changes between two scans of the first tenant. Through here, not through the world itself:
    /// what was remembered of the rows has to go.
    pub fn plant_changes(&self) -> PlantedChanges {
        self.tenants.first().plant_changes()
    }

    /// The tenant that is served, the first of several.
    pub fn world(&self) -> &dyn World {
        self.tenants.first().world.as_ref()
    }

    /// Stops serving; open connections are cut.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.stopped.cancel();
        // The command is sent at once; the future only waits for its end, as joining does.
        drop(self.handle.stop(false));
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has printed its reason.
            drop(thread.join());
        }
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.end();
    }
}

struct Parts {
    tenants: Arc<Tenants>,
    plain: TcpListener,
    secure: Option<(TcpListener, rustls::ServerConfig)>,
    proxy: Option<(TcpListener, SocketAddr)>,
    stopped: CancellationToken,
}

fn listen(port: u16) -> Result<TcpListener, StartError> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(StartError::Listen)
}

fn run(parts: Parts, ready: &mpsc::SyncSender<std::io::Result<ServerHandle>>) {
    actix_web::rt::System::new().block_on(async move {
        let Parts {
            tenants,
            plain,
            secure,
            proxy,
            stopped,
        } = parts;
        let server = HttpServer::new(move || {
            App::new()
                .app_data(web::PayloadConfig::new(MAX_BODY_BYTES))
                .app_data(web::Data::from(Arc::clone(&tenants)))
                .default_service(web::to(handle))
        })
        .workers(WORKERS)
        .keep_alive(KEEP_ALIVE)
        .disable_signals()
        .listen(plain);
        let server = match (server, secure) {
            (Ok(server), Some((listener, config))) => server.listen_rustls_0_23(listener, config),
            (server, _) => server,
        };
        let running = match server {
            Ok(server) => server.run(),
            Err(error) => {
                // Whoever waits has gone when this fails.
                drop(ready.send(Err(error)));
                return;
            }
        };
        drop(ready.send(Ok(running.handle())));
        if let Some((listener, target)) = proxy {
            actix_web::rt::spawn(proxy::serve(listener, target, stopped));
        }
        if let Err(error) = running.await {
            tracing::error!(%error, "the simulator ended");
        }
    });
}

async fn handle(tenants: web::Data<Tenants>, request: HttpRequest, body: Bytes) -> HttpResponse {
    let call = call_of(&request, body);
    let sim = tenants.of(&call);
    let outcome = dispatch::outer(sim, &call);
    if outcome.delay_ms > 0 {
        let clock = Arc::clone(&sim.config.clock);
        let until = clock.now() + Duration::from_millis(outcome.delay_ms);
        clock.sleep_until(until).await;
    }
    response(sim, outcome)
}

fn call_of(request: &HttpRequest, body: Bytes) -> Call {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let scheme = if request.app_config().secure() { "https" } else { "http" };
    let host = header("host").unwrap_or("localhost");
    let bearer = request
        .headers()
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let bearer = bearer.and_then(|value| value.strip_prefix("Bearer ").or_else(|| value.strip_prefix("bearer ")));
    // One parse decodes both: a path is a form value without pluses.
    let path = request.path().replace('+', "%2B");
    let decoded = url::form_urlencoded::parse(format!("p={path}").as_bytes())
        .next()
        .map(|(_, path)| path.into_owned());
    Call {
        method: request.method().as_str().to_owned(),
        path: decoded.unwrap_or_default(),
        query: url::form_urlencoded::parse(request.query_string().as_bytes())
            .into_owned()
            .collect(),
        bearer: bearer.map(str::to_owned),
        eventual: header("consistencylevel").is_some_and(|level| level.eq_ignore_ascii_case("eventual")),
        body,
        base: format!("{scheme}://{host}"),
    }
}

fn response(sim: &Sim, outcome: Outcome) -> HttpResponse {
    let Outcome { reply, wire, .. } = outcome;
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut builder = HttpResponse::build(status);
    for (name, value) in &reply.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(*name), HeaderValue::try_from(value)) {
            builder.insert_header((name, value));
        }
    }
    builder.insert_header(("x-ms-request-id", sim.request_id()));
    let bytes = reply
        .sent
        .unwrap_or_else(|| Bytes::from(serde_json::to_vec(&reply.body).unwrap_or_default()));
    let json = (CONTENT_TYPE, "application/json; charset=utf-8");
    match wire {
        Wire::Whole => builder.insert_header(json).body(bytes),
        Wire::Truncated => builder.insert_header(json).body(bytes.slice(..bytes.len() / 2)),
        Wire::Html => builder
            .insert_header((CONTENT_TYPE, "text/html; charset=utf-8"))
            .body("<!DOCTYPE html><html><head><title>Sign in</title></head><body>Please wait</body></html>"),
        Wire::CutBefore => builder.insert_header(json).body(cut(&bytes, 0)),
        Wire::CutDuring => builder.insert_header(json).body(cut(&bytes, bytes.len() / 2)),
        Wire::CutAfter => builder.insert_header(json).body(cut(&bytes, bytes.len())),
    }
}

/// A body of which `sent` bytes arrive before the connection is cut; of none not even the head does.
fn cut(bytes: &Bytes, sent: usize) -> BoxBody {
    let length = u64::try_from(bytes.len()).unwrap_or(0).max(1);
    let part = bytes.slice(..sent.min(bytes.len()));
    let steps = u8::from(sent == 0);
    let stream = stream::unfold(steps, move |step| {
        let part = part.clone();
        async move {
            if step == 0 {
                return Some((Ok(part), 1));
            }
            if !part.is_empty() {
                tokio::time::sleep(CUT_DELAY).await;
            }
            Some((Err(std::io::Error::other("cut")), 2))
        }
    });
    let body = SizedStream::new(length, Box::pin(stream));
    debug_assert!(
        matches!(body.size(), BodySize::Sized(_)),
        "a cut is seen against an announced length"
    );
    BoxBody::new(body)
}
