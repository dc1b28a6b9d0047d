//! Builds the HTTP server around the state.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::{App, HttpServer, middleware, web};
use atg_models::limits;
use utoipa_actix_web::AppExt as _;

use crate::cors::cors;
use crate::edges::edges;
use crate::metrics::measure;
use crate::request_id::request_id;
use crate::routes::{self, RouteTable};
use crate::state::AppState;

/// Seconds that open requests have after the server was told to stop.
const STOP_GRACE_SECONDS: u64 = 5;

/// Connections to the metrics, if they have a port of their own: a few collectors.
const METRICS_CONNECTIONS: usize = 64;

/// Builds the server on a socket that is bound already, for so many connections at a time.
pub(crate) fn build(state: web::Data<AppState>, listener: TcpListener, connections: usize) -> std::io::Result<Server> {
    let workers = state.config.workers;
    let document = routes::document();
    let table = web::Data::new(RouteTable::of(&document));
    let document = web::Data::new(document);
    let server = HttpServer::new(move || {
        let (app, _) = App::new()
            .app_data(state.clone())
            .app_data(table.clone())
            .app_data(document.clone())
            .into_utoipa_app()
            .configure(routes::api)
            .split_for_parts();
        app.configure(routes::pages)
            .wrap(middleware::from_fn(cors))
            .wrap(middleware::from_fn(edges))
            .wrap(middleware::from_fn(measure))
            .wrap(middleware::from_fn(request_id))
    });
    let slow = Duration::try_from(limits::SLOW_REQUEST_TIMEOUT).unwrap_or(Duration::from_mins(1));
    let server = server
        .workers(workers)
        .max_connections(connections.div_ceil(workers.max(1)))
        .client_request_timeout(slow)
        // A request that waits ends with its client.
        .h1_allow_half_closed(false)
        .shutdown_timeout(STOP_GRACE_SECONDS)
        .disable_signals()
        .listen(listener)?
        .run();
    Ok(server)
}

/// Builds the server that answers with the metrics and nothing else.
pub(crate) fn build_metrics(state: web::Data<AppState>, listener: TcpListener) -> std::io::Result<Server> {
    let server = HttpServer::new(move || {
        App::new()
            .app_data(state.clone())
            .route("/metrics", web::get().to(routes::metrics::of_own_port))
            .default_service(web::to(routes::metrics::nothing))
            .wrap(middleware::from_fn(edges))
            .wrap(middleware::from_fn(request_id))
    });
    let server = server
        .workers(1)
        .max_connections(METRICS_CONNECTIONS)
        .shutdown_timeout(STOP_GRACE_SECONDS)
        .disable_signals()
        .listen(listener)?
        .run();
    Ok(server)
}

/// Binds the address; the port is known afterwards even when any free one was asked for.
pub(crate) fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    cut_stalled(&listener);
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Lets the system cut connections whose other side takes nothing. Those accepted inherit it.
#[cfg(target_os = "linux")]
fn cut_stalled(listener: &TcpListener) {
    use nix::sys::socket::{setsockopt, sockopt};
    let timeout_ms = u32::try_from(limits::STALLED_CONNECTION.whole_milliseconds()).unwrap_or(u32::MAX);
    if let Err(error) = setsockopt(listener, sockopt::TcpUserTimeout, &timeout_ms) {
        tracing::warn!(%error, "connections whose other side takes nothing will not be cut");
    }
}

/// Other systems have their own, longer time-outs.
#[cfg(not(target_os = "linux"))]
fn cut_stalled(_: &TcpListener) {}
