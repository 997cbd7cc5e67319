//! Accepts connections until nobody takes them any more.

use std::{io, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::sleep,
};
use tokio_stream::wrappers::ReceiverStream;
use tracing::warn;

use super::connection::Connection;

/// Connections that may wait to be taken.
const WAITING: usize = 16;

/// Pause after an accept that failed: what there was too little of takes a moment to come back.
const PAUSE: Duration = Duration::from_millis(100);

/// The connections of `listener`, which is closed once the stream is dropped.
pub fn connections(listener: TcpListener) -> ReceiverStream<io::Result<Connection>> {
    let (ready, connections) = mpsc::channel(WAITING);
    tokio::spawn(accept(listener, ready));
    ReceiverStream::new(connections)
}

async fn accept(listener: TcpListener, ready: mpsc::Sender<io::Result<Connection>>) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = ready.closed() => return,
        };
        match accepted {
            Ok((stream, _)) => {
                prepare(&stream);
                if ready.send(Ok(Connection::plain(stream))).await.is_err() {
                    return;
                }
            }
            Err(error) => {
                warn!(%error, "a connection could not be accepted");
                sleep(PAUSE).await;
            }
        }
    }
}

/// Without this each small answer waits some 40 ms for the client's acknowledgement.
fn prepare(stream: &TcpStream) {
    if let Err(error) = stream.set_nodelay(true) {
        warn!(%error, "a connection has delays");
    }
}
