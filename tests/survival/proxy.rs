//! A TCP proxy between a server and its database, which cuts connections.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::broadcast,
};

/// The end of the message with which a client commits.
const COMMIT: &[u8] = b"COMMIT\0";

/// A proxy, which runs until it is dropped.
#[derive(Clone, Debug)]
pub struct FaultyProxy {
    pub address: SocketAddr,
    faults: Arc<ProxyFaults>,
}

#[derive(Debug)]
struct ProxyFaults {
    /// Signals that all connections are to be cut.
    cuts: broadcast::Sender<()>,
    /// If `true`, new connections are closed at once.
    away: AtomicBool,
    /// Number of commits to pass on whose answers are lost together with the connection.
    lost_commits: AtomicUsize,
}

impl FaultyProxy {
    /// Passes connections on to `target`.
    pub async fn start(target: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("a loopback port is free");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let faults = Arc::new(ProxyFaults {
            cuts: broadcast::channel(1).0,
            away: AtomicBool::new(false),
            lost_commits: AtomicUsize::new(0),
        });
        tokio::spawn(accept(listener, target, Arc::clone(&faults)));
        Self { address, faults }
    }

    /// Cuts all connections.
    pub fn cut(&self) {
        // Fails only if there are none.
        let _ = self.faults.cuts.send(());
    }

    /// Takes the database away if `away`, or brings it back.
    pub fn set_away(&self, away: bool) {
        self.faults.away.store(away, SeqCst);
        if away {
            self.cut();
        }
    }

    /// Passes on the next `count` commits, but cuts the connection before their answers.
    pub fn lose_commits(&self, count: usize) {
        self.faults.lost_commits.store(count, SeqCst);
    }

    /// Returns the number of commits whose answers are still to be lost.
    pub fn commits_to_lose(&self) -> usize {
        self.faults.lost_commits.load(SeqCst)
    }
}

async fn accept(listener: TcpListener, target: String, faults: Arc<ProxyFaults>) {
    while let Ok((client, _)) = listener.accept().await {
        if faults.away.load(SeqCst) {
            continue;
        }
        if let Ok(server) = TcpStream::connect(&target).await {
            tokio::spawn(pass(client, server, Arc::clone(&faults)));
        }
    }
}

async fn pass(client: TcpStream, server: TcpStream, faults: Arc<ProxyFaults>) {
    let mut cuts = faults.cuts.subscribe();
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::select! {
        _ = cuts.recv() => {}
        () = pass_requests(from_client, to_server, &faults) => {}
        () = pass_answers(from_server, to_client) => {}
    }
}

async fn pass_requests(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, faults: &ProxyFaults) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        let bytes = &buffer[..length];
        let commits = bytes.ends_with(COMMIT);
        if to.write_all(bytes).await.is_err() {
            return;
        }
        let less_one = |count: usize| count.checked_sub(1);
        if commits
            && faults
                .lost_commits
                .fetch_update(SeqCst, SeqCst, less_one)
                .is_ok()
        {
            return;
        }
    }
}

async fn pass_answers(mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
    // Fails if either end has gone.
    let _ = tokio::io::copy(&mut from, &mut to).await;
}
