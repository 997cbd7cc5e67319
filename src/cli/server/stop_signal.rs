//! The signals that ask a server to stop.

use tokio::signal;

/// Takes SIGTERM and Ctrl-C from now on. The future ends at the first of them.
///
/// They are taken by this call, not when the future is first polled: a signal that comes as soon as the server has said
/// its address must stop it, not kill it. If a signal cannot be taken, it kills the process.
#[cfg(unix)]
pub(super) fn stop_signal() -> impl Future<Output = ()> {
    use signal::unix::SignalKind;
    let [terminate, interrupt] = [SignalKind::terminate(), SignalKind::interrupt()]
        .map(|kind| signal::unix::signal(kind).ok());
    async move {
        tokio::select! {
            () = received(terminate) => {}
            () = received(interrupt) => {}
        }
    }
}

/// Ends when the signal comes; never, if it could not be taken.
#[cfg(unix)]
async fn received(taken: Option<signal::unix::Signal>) {
    match taken {
        Some(mut signals) => {
            signals.recv().await;
        }
        None => std::future::pending().await,
    }
}

/// Takes Ctrl-C. The future ends at the first one.
#[cfg(not(unix))]
pub(super) async fn stop_signal() {
    if signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
