//! Bounds the bytes that a stranger's connection holds unread. A connection is a stranger's until a caller
//! on it has shown a credential.
//!
//! HTTP/2 accepts bytes up to its windows, which are wide, also for calls that wait to be recognised or for
//! the server to start. From a stranger's connection no more than this is read, and the rest stays with the
//! client. Once a caller has shown a credential, only the windows bound the bytes.

use std::sync::Arc;

use parking_lot::Mutex;

use super::connection_usage::ConnectionUsage;

/// Bytes that a stranger's connection may hold unread.
const STRANGER_BYTES: usize = 64 * 1024;

/// Counts the unread bytes of a stranger's connection.
#[derive(Debug, Default)]
pub(super) struct UnreadBytes(Mutex<UnreadCounts>);

#[derive(Debug, Default)]
struct UnreadCounts {
    /// Requests whose bodies have not ended.
    requests: usize,
    /// Unread bytes that arrived since there was last no open request.
    bytes: usize,
}

impl UnreadBytes {
    /// Returns how many bytes may be read now. Without an open request the count is reset: 0 is returned
    /// once, so that requests whose bytes have arrived can begin.
    pub(super) fn room(&self) -> usize {
        let mut held = self.0.lock();
        let room = STRANGER_BYTES.saturating_sub(held.bytes);
        if room == 0 && held.requests == 0 {
            held.bytes = 0;
        }
        room
    }

    /// Returns `true` if a request is open.
    pub(super) fn is_held(&self) -> bool {
        self.0.lock().requests > 0
    }

    /// Counts bytes that have arrived.
    pub(super) fn add(&self, bytes: usize) {
        self.0.lock().bytes += bytes;
    }
}

/// A request whose body has not ended. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct OpenRequest(Arc<ConnectionUsage>);

impl OpenRequest {
    /// A request begins.
    #[must_use]
    pub(super) fn begin(usage: Arc<ConnectionUsage>) -> Self {
        usage.unread().0.lock().requests += 1;
        Self(usage)
    }

    /// Counts bytes of the request that were read.
    pub(super) fn read(&self, bytes: usize) {
        if self.0.trust().is_trusted() {
            return;
        }
        let mut held = self.0.unread().0.lock();
        held.bytes = held.bytes.saturating_sub(bytes);
        drop(held);
        self.0.trust().wake();
    }
}

impl Drop for OpenRequest {
    fn drop(&mut self) {
        let mut held = self.0.unread().0.lock();
        held.requests -= 1;
        if held.requests == 0 {
            held.bytes = 0;
        }
        drop(held);
        self.0.trust().wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::ClientDeadlines;

    #[test]
    fn a_request_that_nobody_reads_holds_so_much_and_no_more() {
        let usage = Arc::new(ConnectionUsage::new(&ClientDeadlines::default()));
        let unread = usage.unread();
        let (first, second) = [(); 2]
            .map(|()| OpenRequest::begin(Arc::clone(&usage)))
            .into();
        unread.add(STRANGER_BYTES);
        assert_eq!((unread.room(), unread.room()), (0, 0));
        first.read(10);
        assert_eq!(unread.room(), 10);
        drop(first);
        assert_eq!(unread.room(), 10);
        drop(second);
        assert_eq!(unread.room(), STRANGER_BYTES);
    }

    #[test]
    fn without_a_request_a_connection_pauses_once() {
        let unread = UnreadBytes::default();
        unread.add(STRANGER_BYTES + 1);
        assert_eq!((unread.room(), unread.room()), (0, STRANGER_BYTES));
    }
}
