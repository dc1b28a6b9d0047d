//! Somebody behind the port of a Neo4j, who says what a test has written down for him.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::neo4j::Neo4jConfig;

/// The client's magic number and its four proposals.
const HANDSHAKE: usize = 20;
/// Version 4.4 is chosen.
pub(crate) const BOLT_4_4: &[u8] = &[0, 0, 4, 4];

/// What he does next: first upon the handshake, then upon each message.
#[derive(Debug, Clone)]
pub(crate) enum Does {
    /// Says this.
    Says(Vec<u8>),
    /// Says this, and goes.
    Leaves(Vec<u8>),
}

/// A structure of one field, as a message.
pub(crate) fn message(tag: u8, field: &[u8]) -> Vec<u8> {
    let body = [&[0xB1, tag], field].concat();
    framed(&body)
}

/// A message with its length in front and an empty piece behind.
pub(crate) fn framed(body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap().to_be_bytes();
    [&length[..], body, &[0, 0]].concat()
}

/// A map of short texts.
pub(crate) fn map(entries: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = vec![0xA0 | u8::try_from(entries.len()).unwrap()];
    for text in entries.iter().flat_map(|(name, value)| [name, value]) {
        bytes.extend([0xD0, u8::try_from(text.len()).unwrap()]);
        bytes.extend(text.as_bytes());
    }
    bytes
}

/// What a server says that has done as it was told.
pub(crate) fn success(entries: &[(&str, &str)]) -> Does {
    Does::Says(message(0x70, &map(entries)))
}

/// What a server says that has not.
pub(crate) fn failure(code: &str, text: &str) -> Does {
    Does::Says(message(0x7F, &map(&[("code", code), ("message", text)])))
}

/// Whom a client takes for a server: the first two answers.
pub(crate) fn server() -> Vec<Does> {
    let hello = success(&[("server", "Neo4j/4.4.0"), ("connection_id", "bolt-1")]);
    vec![Does::Says(BOLT_4_4.to_vec()), hello]
}

/// He; behind the end of his script he keeps the connection and says nothing. His connections end with him.
pub(crate) struct Stranger {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    _tasks: JoinSet<()>,
}

impl Stranger {
    pub(crate) async fn start(script: Vec<Does>) -> Self {
        Self::start_with(script, None).await
    }

    /// As [`Stranger::start`], behind TLS.
    pub(crate) async fn start_with(script: Vec<Does>, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut serving = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                let (script, tls) = (script.clone(), tls.clone());
                serving.spawn(async move { serve(client, tls, script).await.unwrap_or_default() });
            }
        });
        Self {
            address,
            connections,
            _tasks: tasks,
        }
    }

    /// How many connections were made.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// The way to him, by this name of the loopback.
    pub(crate) fn config_at(&self, scheme: &str, host: &str) -> Neo4jConfig {
        Neo4jConfig {
            uri: format!("{scheme}://{host}:{}", self.address.port()),
            user: "neo4j".to_owned(),
            password: "a password".to_owned().into(),
            database: None,
            ca_file: None,
            pool_size: 2,
            instance: "test".to_owned(),
        }
    }

    /// The plain way to him.
    pub(crate) fn config(&self) -> Neo4jConfig {
        self.config_at("bolt", "127.0.0.1")
    }
}

async fn serve(client: TcpStream, tls: Option<TlsAcceptor>, script: Vec<Does>) -> std::io::Result<()> {
    match tls {
        None => answer(client, script).await,
        Some(tls) => answer(tls.accept(client).await?, script).await,
    }
}

async fn answer(mut client: impl AsyncRead + AsyncWrite + Unpin, script: Vec<Does>) -> std::io::Result<()> {
    client.read_exact(&mut [0; HANDSHAKE]).await?;
    let steps = script.len();
    for (step, does) in (1..).zip(script) {
        match does {
            Does::Says(bytes) => client.write_all(&bytes).await?,
            Does::Leaves(bytes) => {
                client.write_all(&bytes).await?;
                return client.shutdown().await;
            }
        }
        client.flush().await?;
        if step < steps {
            hear(&mut client).await?;
        }
    }
    // Until the client goes.
    while client.read(&mut [0; 1024]).await? > 0 {}
    Ok(())
}

/// Takes one message in.
async fn hear(client: &mut (impl AsyncRead + Unpin)) -> std::io::Result<()> {
    loop {
        let length = client.read_u16().await?;
        if length == 0 {
            return Ok(());
        }
        client.read_exact(&mut vec![0; usize::from(length)]).await?;
    }
}
