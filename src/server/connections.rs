//! How many connections there are, and how long one stays that is of no use.
//!
//! Wraps whatever accepts connections; knows nothing of what is said on them but whether a call is
//! under way, which [`super::intake`] says.

use std::{
    collections::HashMap,
    io,
    net::IpAddr,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep},
};
use tokio_stream::Stream;
use tonic::transport::server::Connected;

use super::connection::Connection;
use crate::{
    limits::{Deadlines, ServerLimits},
    telemetry::metrics,
};

/// A connection that knows who is at its other end.
pub trait Remote {
    /// The client's address, where it has one.
    fn remote(&self) -> Option<IpAddr>;
}

impl Remote for Connection {
    fn remote(&self) -> Option<IpAddr> {
        self.remote_address().map(|address| address.ip())
    }
}

/// The connections of `inner` that there is room for; the others are closed at once.
#[derive(Debug)]
pub struct Connections<S> {
    inner: S,
    counts: Arc<Counts>,
    deadlines: Deadlines,
}

#[derive(Debug)]
struct Counts {
    most: usize,
    most_of_one: usize,
    open: Mutex<HashMap<IpAddr, usize>>,
}

/// A place among the connections, given back when dropped.
#[derive(Debug)]
struct Place {
    counts: Arc<Counts>,
    address: IpAddr,
}

impl<S> Connections<S> {
    /// None open yet.
    pub fn new(inner: S, limits: &ServerLimits) -> Self {
        Self {
            inner,
            counts: Arc::new(Counts {
                most: limits.connections,
                most_of_one: limits.address_connections,
                open: Mutex::default(),
            }),
            deadlines: limits.deadlines,
        }
    }
}

impl<S, C> Stream for Connections<S>
where
    S: Stream<Item = io::Result<C>> + Unpin,
    C: Remote,
{
    type Item = io::Result<Tracked<C>>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            let connection = match ready!(Pin::new(&mut self.inner).poll_next(cx)) {
                None => return Poll::Ready(None),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                Some(Ok(connection)) => connection,
            };
            match Counts::enter(&self.counts, connection.remote()) {
                Ok(place) => {
                    let tracked = Tracked::new(connection, place, self.deadlines);
                    return Poll::Ready(Some(Ok(tracked)));
                }
                Err(reason) => metrics::connection_refused(reason),
            }
        }
    }
}

impl Counts {
    fn enter(counts: &Arc<Self>, address: Option<IpAddr>) -> Result<Place, &'static str> {
        // One that has gone already has no address; it counts like any other.
        let address = address.unwrap_or(IpAddr::from([0, 0, 0, 0]));
        let mut open = counts.lock();
        if open.values().sum::<usize>() >= counts.most {
            return Err("connections");
        }
        let of_one = open.entry(address).or_default();
        if *of_one >= counts.most_of_one {
            return Err("connections_per_address");
        }
        *of_one += 1;
        drop(open);
        metrics::connections_changed(1.0);
        Ok(Place {
            counts: Arc::clone(counts),
            address,
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.counts.lock();
        if let Some(of_one) = open.get_mut(&self.address) {
            *of_one -= 1;
            if *of_one == 0 {
                open.remove(&self.address);
            }
        }
        metrics::connections_changed(-1.0);
    }
}

/// A connection that ends by itself once it is of no use: no call has come on it in time, or none
/// for a long while.
#[derive(Debug)]
pub struct Tracked<C> {
    connection: C,
    usage: Arc<Usage>,
    timer: Pin<Box<Sleep>>,
    _place: Place,
}

impl<C> Tracked<C> {
    fn new(connection: C, place: Place, deadlines: Deadlines) -> Self {
        Self {
            connection,
            usage: Arc::new(Usage::new(deadlines)),
            timer: Box::pin(sleep(deadlines.first_call)),
            _place: place,
        }
    }

    fn is_over(&mut self, cx: &mut Context<'_>) -> bool {
        while self.timer.as_mut().poll(cx).is_ready() {
            let end = self.usage.end();
            if end <= Instant::now() {
                metrics::connection_refused(self.usage.idleness());
                return true;
            }
            self.timer.as_mut().reset(end);
        }
        false
    }
}

/// What is going on on a connection.
#[derive(Debug)]
pub struct Usage {
    first_call: Duration,
    idle: Duration,
    calls: Mutex<Calls>,
}

#[derive(Debug)]
struct Calls {
    under_way: usize,
    began: bool,
    /// When the connection was opened, or the last call ended.
    since: Instant,
}

/// A call under way on a connection; it ends when dropped.
#[derive(Debug)]
pub struct InUse(Arc<Usage>);

impl Usage {
    fn new(deadlines: Deadlines) -> Self {
        Self {
            first_call: deadlines.first_call,
            idle: deadlines.connection_idle,
            calls: Mutex::new(Calls {
                under_way: 0,
                began: false,
                since: Instant::now(),
            }),
        }
    }

    /// A call begins.
    #[must_use]
    pub fn begin(usage: Arc<Self>) -> InUse {
        let mut calls = usage.lock();
        calls.under_way += 1;
        calls.began = true;
        drop(calls);
        InUse(usage)
    }

    /// When the connection ends if nothing happens; while a call is under way, when to look again.
    fn end(&self) -> Instant {
        let calls = self.lock();
        match (calls.under_way, calls.began) {
            (0, false) => calls.since + self.first_call,
            (0, true) => calls.since + self.idle,
            _ => Instant::now() + self.idle,
        }
    }

    fn idleness(&self) -> &'static str {
        match self.lock().began {
            true => "connection_idle",
            false => "no_first_call",
        }
    }

    fn lock(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        let mut calls = self.0.lock();
        calls.under_way -= 1;
        calls.since = Instant::now();
    }
}

/// What is known of a call's connection: what the connection itself tells, and its usage.
#[derive(Clone, Debug)]
pub struct Line<I> {
    /// What the connection tells by itself.
    pub inner: I,
    /// What is going on on it.
    pub usage: Arc<Usage>,
}

impl<C: Connected> Connected for Tracked<C> {
    type ConnectInfo = Line<C::ConnectInfo>;

    fn connect_info(&self) -> Self::ConnectInfo {
        Line {
            inner: self.connection.connect_info(),
            usage: Arc::clone(&self.usage),
        }
    }
}

impl<C: AsyncRead + Unpin> AsyncRead for Tracked<C> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.connection).poll_read(cx, buf) {
            // As if the client had closed it.
            Poll::Pending if self.is_over(cx) => Poll::Ready(Ok(())),
            polled => polled,
        }
    }
}

impl<C: AsyncWrite + Unpin> AsyncWrite for Tracked<C> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.connection).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.connection).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.connection).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.connection).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.connection.is_write_vectored()
    }
}
