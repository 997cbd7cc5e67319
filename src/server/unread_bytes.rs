//! What a stranger's connection holds that nobody has read yet.
//!
//! HTTP/2 takes what a client sends up to its windows, which are wide, for calls that wait to be recognised or
//! for the server to start. A stranger's connection is read no further than this, and the rest stays in the
//! client; once a caller has shown a credential, the windows alone bound it.

use std::sync::Arc;

use parking_lot::Mutex;

use super::connection_usage::ConnectionUsage;

/// Bytes that a stranger's connection may hold unread.
const STRANGER_BYTES: usize = 64 * 1024;

/// What a stranger's connection holds.
#[derive(Debug, Default)]
pub struct UnreadBytes(Mutex<UnreadCounts>);

#[derive(Debug, Default)]
struct UnreadCounts {
    /// Requests whose bodies have not ended.
    requests: usize,
    /// Bytes that have come since no such request was there, but for those that were read.
    bytes: usize,
}

impl UnreadBytes {
    /// How many bytes may come now. Without a request they are let go: 0 is returned once, so that those
    /// requests that are on their way begin.
    pub fn room(&self) -> usize {
        let mut held = self.0.lock();
        let room = STRANGER_BYTES.saturating_sub(held.bytes);
        if room == 0 && held.requests == 0 {
            held.bytes = 0;
        }
        room
    }

    /// Returns `true` if a request holds bytes.
    pub fn is_held(&self) -> bool {
        self.0.lock().requests > 0
    }

    /// So many bytes have come.
    pub fn add(&self, bytes: usize) {
        self.0.lock().bytes += bytes;
    }
}

/// A request whose body has not ended; it ends when this is dropped.
#[derive(Debug)]
pub struct OpenRequest(Arc<ConnectionUsage>);

impl OpenRequest {
    /// A request begins.
    #[must_use]
    pub fn begin(usage: Arc<ConnectionUsage>) -> Self {
        usage.unread().0.lock().requests += 1;
        Self(usage)
    }

    /// So many of its bytes were read.
    pub fn read(&self, bytes: usize) {
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
    use crate::limits::Deadlines;

    #[test]
    fn a_request_that_nobody_reads_holds_so_much_and_no_more() {
        let usage = Arc::new(ConnectionUsage::new(&Deadlines::default()));
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
