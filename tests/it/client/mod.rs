//! The client, through networks that cut, refuse and collect.

mod download;
mod submit;
mod watch;

use atg_client::Client;
use atg_tests::{KEY, Proxy, Treatment, World};

/// A proxy before the world's server, and a client that knows nothing else.
async fn behind(world: &World, rule: impl Fn(&str, usize) -> Treatment + Send + Sync + 'static) -> (Proxy, Client) {
    let proxy = Proxy::start(world.url(), rule).await;
    let client = Client::new(&proxy.url, Some(KEY.to_owned().into())).unwrap();
    (proxy, client)
}
