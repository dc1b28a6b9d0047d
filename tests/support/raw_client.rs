//! The client of a world's raw requests.

use std::time::Duration;

use crate::World;

/// How long a raw request may take, its answer included.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

pub(crate) fn raw_client() -> reqwest::Client {
    builder().build().unwrap()
}

fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .timeout(REQUEST_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
}

impl World {
    /// From now on each raw request has a connection of its own, for who counts those that the server holds. A client
    /// that keeps connections opens another one while it waits for its own to be free, and may then keep it without
    /// a word: the server waits a minute for its first request.
    pub fn keep_no_connections(&mut self) {
        self.http = builder().pool_max_idle_per_host(0).build().unwrap();
    }
}
