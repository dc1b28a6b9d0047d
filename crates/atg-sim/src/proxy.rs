//! An HTTPS proxy that leads every host to the simulator's own TLS port, for clients that read
//! data planes (`NAME.vault.azure.net`). Nothing ever leaves the machine.

use std::net::{SocketAddr, TcpListener};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A `CONNECT` head is a line and a few headers.
const MAX_HEAD_BYTES: usize = 8 * 1024;

/// Accepts until stopped.
pub(crate) async fn serve(listener: TcpListener, target: SocketAddr, stopped: CancellationToken) {
    let listener = listener
        .set_nonblocking(true)
        .and_then(|()| tokio::net::TcpListener::from_std(listener));
    let Ok(listener) = listener else { return };
    let tunnels = TaskTracker::new();
    while let Some(Ok((client, _))) = stopped.run_until_cancelled(listener.accept()).await {
        let stopped = stopped.clone();
        tunnels.spawn(async move {
            // A tunnel that breaks is the client's to notice.
            drop(stopped.run_until_cancelled(tunnel(client, target)).await);
        });
    }
}

async fn tunnel(mut client: TcpStream, target: SocketAddr) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= MAX_HEAD_BYTES {
            return Err(std::io::Error::other("the head is too long"));
        }
        head.push(client.read_u8().await?);
    }
    if !head.starts_with(b"CONNECT ") {
        return client
            .write_all(b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n")
            .await;
    }
    let mut server = TcpStream::connect(target).await?;
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
    copy_bidirectional(&mut client, &mut server).await.map(|_| ())
}
