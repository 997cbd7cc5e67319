use proptest::prelude::*;
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;

use super::*;
use crate::{
    limits::{MemoryBounds, MemoryBudget},
    proto::{ImportFinish, ImportStart},
};

const SECOND: Duration = Duration::from_secs(1);

fn deadlines() -> ClientDeadlines {
    ClientDeadlines {
        first_message: 2 * SECOND,
        idle: 3 * SECOND,
        upload: 10 * SECOND,
        ..ClientDeadlines::default()
    }
}

/// Returns a client, and the buffer of what it sends.
fn client(capacity: u64) -> (mpsc::UnboundedSender<QueuedItem>, UploadBuffer) {
    client_of(capacity, &MemoryBudget::new(MemoryBounds::default()))
}

/// The same within this budget.
fn client_of(
    capacity: u64,
    memory: &MemoryBudget,
) -> (mpsc::UnboundedSender<QueuedItem>, UploadBuffer) {
    let (sender, sent) = mpsc::unbounded_channel();
    let sent = UnboundedReceiverStream::new(sent);
    let account = memory.account(None);
    let buffer = UploadBuffer::spawn(sent, capacity, deadlines(), &account);
    (sender, buffer.expect("nothing is held yet"))
}

#[tokio::test(start_paused = true)]
async fn what_waits_is_within_the_memory_of_the_server_and_given_back() {
    let memory = MemoryBudget::new(MemoryBounds::of(1_000));
    let (first, mut buffer) = client_of(10_000, &memory);
    first.send(Ok(Some(start()))).unwrap();
    first.send(Ok(Some(chunk(&[b'a'; 700])))).unwrap();
    tokio::task::yield_now().await;
    assert_eq!(memory.in_use(), 700);
    let (second, other) = client_of(10_000, &memory);
    second.send(Ok(Some(chunk(&[b'b'; 301])))).unwrap();
    let mut other = Box::pin(other);
    let refused = other.next().await;
    assert!(
        matches!(&refused, Some(Err(ImportError::Busy(refusal))) if refusal.code == "MEMORY_IN_USE"),
        "{refused:?}"
    );
    assert!(other.next().await.is_none(), "nothing more is taken");
    // The earlier client is not disturbed, and the memory that was taken is free again.
    let taken = [buffer.next().await, buffer.next().await];
    assert!(taken.iter().all(|item| matches!(item, Some(Ok(_)))));
    assert_eq!(memory.in_use(), 0);
    first.send(Ok(Some(chunk(&[b'a'; 700])))).unwrap();
    tokio::task::yield_now().await;
    drop(buffer);
    assert_eq!(memory.in_use(), 0);
}

#[test]
fn rows_weigh_what_their_values_have() {
    let long = UserRow {
        email: Some("x".repeat(60_000)),
        ..UserRow::default()
    };
    let rows = Message::Rows(UserRows { rows: vec![long] });
    assert!(message_weight(&rows) > 60_000);
}

fn chunk(bytes: &[u8]) -> Message {
    Message::CsvChunk(bytes.to_vec().into())
}

fn start() -> Message {
    Message::Start(ImportStart::default())
}

/// The code of the refusal that comes next, and how many seconds that took.
async fn refusal(buffer: &mut UploadBuffer) -> (&'static str, u64) {
    let begun = Instant::now();
    loop {
        match buffer.next().await {
            Some(Ok(_)) => {}
            Some(Err(ImportError::Refused(refusals))) => {
                return (refusals[0].code, begun.elapsed().as_secs());
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_who_never_begins_is_refused() {
    let (_client, mut buffer) = client(100);
    assert_eq!(refusal(&mut buffer).await, ("NO_FIRST_MESSAGE", 2));
    assert!(buffer.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_client_who_falls_silent_is_refused() {
    let (client, mut buffer) = client(100);
    client.send(Ok(Some(start()))).unwrap();
    assert_eq!(refusal(&mut buffer).await, ("IDLE_TOO_LONG", 3));
}

#[tokio::test(start_paused = true)]
async fn a_client_who_trickles_for_ever_is_refused() {
    let (client, mut buffer) = client(100);
    client.send(Ok(Some(start()))).unwrap();
    let trickling = async {
        while client.send(Ok(Some(chunk(b"x")))).is_ok() {
            tokio::time::sleep(SECOND * 29 / 10).await;
        }
    };
    let refused = tokio::select! {
        refused = refusal(&mut buffer) => refused,
        () = trickling => panic!("it was heard to the end"),
    };
    assert_eq!(refused, ("UPLOAD_TOO_SLOW", 10));
}

#[tokio::test(start_paused = true)]
async fn time_in_which_nobody_reads_is_not_the_clients() {
    let (client, mut buffer) = client(1);
    client.send(Ok(Some(start()))).unwrap();
    client.send(Ok(Some(chunk(b"ab")))).unwrap();
    tokio::time::sleep(60 * SECOND).await;
    client.send(Ok(Some(chunk(b"cd")))).unwrap();
    client
        .send(Ok(Some(Message::Finish(ImportFinish::default()))))
        .unwrap();
    drop(client);
    let mut count = 0;
    while let Some(item) = buffer.next().await {
        assert!(item.is_ok(), "{item:?}");
        count += 1;
    }
    assert_eq!(count, 4);
}

#[tokio::test(start_paused = true)]
async fn no_more_is_read_than_there_is_room_for() {
    let (client, mut buffer) = client(150_000);
    for _ in 0..10 {
        client.send(Ok(Some(chunk(&vec![b'x'; 50_000])))).unwrap();
    }
    tokio::time::sleep(SECOND).await;
    assert_eq!(buffer.0.state.lock().held.bytes(), 150_000);
    for _ in 0..10 {
        assert!(buffer.next().await.is_some_and(|item| item.is_ok()));
        tokio::time::sleep(SECOND / 10).await;
        assert!(buffer.0.state.lock().held.bytes() <= 150_000);
    }
    assert_eq!(buffer.0.state.lock().held.bytes(), 0);
}

const LARGE: usize = 1024 * 1024;

/// A client who has sent forty large pieces.
fn client_in_a_hurry() -> (mpsc::UnboundedSender<QueuedItem>, UploadBuffer) {
    let (client, buffer) = client(1 << 30);
    for _ in 0..40 {
        client.send(Ok(Some(chunk(&vec![b'x'; LARGE])))).unwrap();
    }
    (client, buffer)
}

#[tokio::test(start_paused = true)]
async fn large_pieces_wait_with_their_client_while_others_are_taken() {
    let (_client, mut buffer) = client_in_a_hurry();
    for taken in 0..40 {
        tokio::time::sleep(SECOND / 10).await;
        let waiting = (40 - taken).min(BACKLOG_BYTES / LARGE);
        assert_eq!(
            buffer.0.state.lock().held.bytes(),
            waiting * LARGE,
            "after {taken}"
        );
        assert!(buffer.next().await.is_some_and(|item| item.is_ok()));
    }
}

#[tokio::test(start_paused = true)]
async fn while_nothing_is_taken_all_is_read() {
    let (client, mut buffer) = client_in_a_hurry();
    tokio::time::sleep(SECOND).await;
    assert_eq!(buffer.0.state.lock().held.bytes(), 40 * LARGE);
    for _ in 0..40 {
        assert!(buffer.next().await.is_some_and(|item| item.is_ok()));
    }
    // A late message is no reason to hold back for ever.
    for _ in 0..40 {
        client.send(Ok(Some(chunk(&vec![b'x'; LARGE])))).unwrap();
    }
    tokio::time::sleep(SECOND / 10).await;
    assert_eq!(buffer.0.state.lock().held.bytes(), BACKLOG_BYTES);
}

fn shared() -> SharedBuffer {
    let account = MemoryBudget::new(MemoryBounds::default()).account(None);
    SharedBuffer::new(account.reserve(0).expect("nothing is held yet"))
}

proptest! {
    #[test]
    fn small_pieces_are_put_together_and_nothing_is_lost(
        pieces in prop::collection::vec((any::<u8>(), 0usize..40_000), 0..20)
    ) {
        let shared = shared();
        let mut sent = Vec::new();
        for (byte, length) in &pieces {
            sent.extend(std::iter::repeat_n(*byte, *length));
            shared.add(Ok(Some(chunk(&vec![*byte; *length]))), *length).unwrap();
        }
        let mut state = shared.state.lock();
        let kept: Vec<u8> = state
            .items
            .drain(..)
            .flat_map(|(item, _)| match item {
                Ok(Some(Message::CsvChunk(chunk))) => chunk.to_vec(),
                other => panic!("{other:?}"),
            })
            .collect();
        prop_assert_eq!(state.held.bytes(), sent.len());
        prop_assert_eq!(kept, sent);
    }
}

#[test]
fn thousands_of_tiny_messages_take_few_places() {
    let shared = shared();
    for _ in 0..10_000 {
        shared.add(Ok(Some(chunk(&[b'x'; 50]))), 50).unwrap();
    }
    assert!(shared.state.lock().items.len() < 20);
}
