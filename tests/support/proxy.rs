//! A proxy between a client and a server that does to connections what bad networks do.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What is done to a connection, by its first request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Treatment {
    /// It passes.
    Pass,
    /// It is cut when so many bytes of the answer have passed; the server has answered in any case.
    CutAfter(usize),
    /// The proxy answers for itself, with a page that says nothing.
    Refuse,
}

/// A proxy on a port of its own; it ends with this value.
pub struct Proxy {
    /// Where clients find it.
    pub url: String,
    heads: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// Starts one before the server at this address. The rule sees the head of each connection's first
    /// request, in small letters, and how many came before it.
    pub async fn start(server: &str, rule: impl Fn(&str, usize) -> Treatment + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = server.trim_start_matches("http://").to_owned();
        let heads: Arc<Mutex<Vec<String>>> = Arc::default();
        let seen = Arc::clone(&heads);
        let rule = Arc::new(rule);
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (server, seen, rule) = (server.clone(), Arc::clone(&seen), Arc::clone(&rule));
                tokio::spawn(async move {
                    // A connection that breaks is what this is for.
                    let _ = serve(client, &server, |head| {
                        let mut seen = seen.lock().unwrap();
                        seen.push(head.to_owned());
                        rule(head, seen.len() - 1)
                    })
                    .await;
                });
            }
        });
        Self { url, heads, task }
    }

    /// The heads of the first requests of all connections so far.
    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut client: TcpStream, server: &str, rule: impl FnOnce(&str) -> Treatment) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await?);
    }
    let treatment = rule(&String::from_utf8_lossy(&head).to_ascii_lowercase());
    if treatment == Treatment::Refuse {
        let page = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 6\r\nConnection: close\r\n\r\n<html>";
        return client.write_all(page).await;
    }
    let mut server = TcpStream::connect(server).await?;
    server.write_all(&head).await?;
    let Treatment::CutAfter(mut left) = treatment else {
        return copy_bidirectional(&mut client, &mut server).await.map(|_| ());
    };
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    let answer = async {
        let mut piece = [0; 1024];
        loop {
            let read = from_server.read(&mut piece).await?;
            let passed = read.min(left);
            to_client.write_all(&piece[..passed]).await?;
            left -= passed;
            if left == 0 || read == 0 {
                return std::io::Result::Ok(());
            }
        }
    };
    // A client that has sent all it has to send still waits for its answer.
    let request = async {
        tokio::io::copy(&mut from_client, &mut to_server).await?;
        std::future::pending::<std::io::Result<()>>().await
    };
    tokio::select! {
        ended = answer => ended,
        ended = request => ended,
    }
}
