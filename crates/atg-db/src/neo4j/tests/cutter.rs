//! A proxy in front of the server that takes the answer of a commit away.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::neo4j::Neo4jConfig;

/// COMMIT, as it goes over the wire.
const COMMIT: &[u8] = &[0x00, 0x02, 0xb0, 0x12, 0x00, 0x00];
/// How late a late commit is: later than the first new try.
const LATE: Duration = Duration::from_millis(150);

/// What becomes of a commit whose answer is taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// It does not reach the server.
    Before,
    /// The server has carried it out.
    Behind,
    /// The server gets it when the client has lost the connection.
    Late,
}

/// All ways to lose an answer.
pub(crate) const CUTS: [Cut; 3] = [Cut::Before, Cut::Behind, Cut::Late];

/// What is to come.
#[derive(Debug, Default)]
struct Plan {
    /// So many commits are let through first.
    spared: AtomicUsize,
    /// So many lose their answer then.
    lost: AtomicUsize,
}

impl Plan {
    /// Whether this commit loses its answer.
    fn takes(&self) -> bool {
        let one = |count: &AtomicUsize| {
            let less = count.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
            less.is_ok()
        };
        !one(&self.spared) && one(&self.lost)
    }
}

/// The proxy; its connections end with it.
pub(crate) struct Cutter {
    address: SocketAddr,
    plan: Arc<Plan>,
    _tasks: JoinSet<()>,
}

impl Cutter {
    /// Listens in front of the server of the test run.
    pub(crate) async fn start(server: &Neo4jConfig, cut: Cut) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let plan = Arc::new(Plan::default());
        let url = url::Url::parse(&server.uri).unwrap();
        let server = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap_or(7687));
        let mut tasks = JoinSet::new();
        let of_task = Arc::clone(&plan);
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let plan = Arc::clone(&of_task);
                let server = TcpStream::connect(server.as_str()).await.unwrap();
                connections.spawn(async move { forward(client, server, cut, &plan).await.unwrap_or_default() });
            }
        });
        Self {
            address,
            plan,
            _tasks: tasks,
        }
    }

    /// The way to the server that leads through here.
    pub(crate) fn config(&self, server: &Neo4jConfig) -> Neo4jConfig {
        Neo4jConfig {
            uri: format!("bolt://{}", self.address),
            instance: format!("{}-cut", server.instance),
            ..server.clone()
        }
    }

    /// So many of the next commits lose their answer.
    pub(crate) fn cut(&self, commits: usize) {
        self.cut_behind(0, commits);
    }

    /// As [`Cutter::cut`], behind so many that are let through.
    pub(crate) fn cut_behind(&self, spared: usize, commits: usize) {
        self.plan.spared.store(spared, Ordering::SeqCst);
        self.plan.lost.store(commits, Ordering::SeqCst);
    }
}

async fn forward(mut client: TcpStream, mut server: TcpStream, cut: Cut, plan: &Plan) -> std::io::Result<()> {
    let (mut up, mut down) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    loop {
        tokio::select! {
            read = client.read(&mut up) => {
                let bytes = &up[..read?];
                if bytes.is_empty() {
                    return Ok(());
                }
                let commits = bytes.windows(COMMIT.len()).any(|window| window == COMMIT);
                if commits && plan.takes() {
                    return lose(client, server, cut, bytes).await;
                }
                server.write_all(bytes).await?;
            }
            read = server.read(&mut down) => {
                let bytes = &down[..read?];
                if bytes.is_empty() {
                    return Ok(());
                }
                client.write_all(bytes).await?;
            }
        }
    }
}

async fn lose(client: TcpStream, mut server: TcpStream, cut: Cut, bytes: &[u8]) -> std::io::Result<()> {
    match cut {
        Cut::Before => {}
        Cut::Behind => {
            server.write_all(bytes).await?;
            server.read_u8().await?;
        }
        Cut::Late => {
            drop(client);
            tokio::time::sleep(LATE).await;
            server.write_all(bytes).await?;
            server.read_u8().await?;
        }
    }
    Ok(())
}
