//! The signals that ask a server, or the demo with its server, to stop.

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

/// Ends at Ctrl-C, which is taken when this is first polled.
#[cfg(not(unix))]
pub(super) async fn stop_signal() {
    if signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::time::Duration;

    use rustix::process::{Signal, getpid, kill_process};

    use super::*;

    #[tokio::test]
    async fn a_signal_before_the_first_poll_stops_and_does_not_kill() {
        let stopped = stop_signal();
        kill_process(getpid(), Signal::TERM).unwrap();
        let stopped = tokio::time::timeout(Duration::from_mins(1), stopped);
        stopped.await.expect("the signal has been taken");
    }
}
