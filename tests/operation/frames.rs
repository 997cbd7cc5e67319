//! HTTP/2 frames as they are on the wire (RFC 9113), for clients that behave as no library lets them.

use std::{net::SocketAddr, time::Duration};

use prost::Message;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use user_import_testing::authorization_at;

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;

/// Error codes of a reset.
pub const REFUSED_STREAM: u32 = 7;
pub const CANCEL: u32 = 8;

pub const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Longest wait for a frame. A longer wait means that none comes.
const LONG: Duration = Duration::from_mins(1);

/// A frame that was received.
#[derive(Clone, Debug)]
pub struct ReceivedFrame {
    pub kind: u8,
    pub flags: u8,
    pub stream: u32,
    pub payload: Vec<u8>,
}

/// A connection to a server that speaks plain text.
pub struct RawConnection {
    connection: TcpStream,
    authorization: Option<String>,
}

impl RawConnection {
    /// Connects and sends the preface.
    pub async fn connect(address: SocketAddr) -> Self {
        Self::on(TcpStream::connect(address).await.expect("it listens")).await
    }

    /// Does the same on an existing connection. If the server closes it at once, a later call notices it.
    pub async fn on(mut connection: TcpStream) -> Self {
        let _ = connection.write_all(PREFACE).await;
        let mut raw = Self::over(connection);
        raw.send(SETTINGS, 0, 0, &[]).await;
        raw
    }

    /// Continues on a connection on which the preface was sent.
    pub fn over(connection: TcpStream) -> Self {
        let address = connection.peer_addr().expect("it is connected");
        Self {
            connection,
            authorization: Some(authorization_at(address)),
        }
    }

    /// Returns the same connection without a credential.
    pub fn of_a_stranger(self) -> Self {
        Self {
            authorization: None,
            ..self
        }
    }

    /// Sends bytes as they are. Returns `false` if the server has closed the connection.
    pub async fn write(&mut self, bytes: &[u8]) -> bool {
        self.connection.write_all(bytes).await.is_ok()
    }

    /// Sends a frame. Returns `false` if the server has closed the connection.
    pub async fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> bool {
        let frame = frame(kind, flags, stream, payload);
        self.connection.write_all(&frame).await.is_ok()
    }

    /// Returns the bytes of a frame, `count` times.
    pub fn many(kind: u8, flags: u8, stream: u32, payload: &[u8], count: usize) -> Vec<u8> {
        frame(kind, flags, stream, payload).repeat(count)
    }

    /// Begins a call.
    pub async fn call(&mut self, stream: u32, path: &str) -> bool {
        let block = header_block(path, self.authorization.as_deref());
        self.send(HEADERS, END_HEADERS, stream, &block).await
    }

    /// Sends a message of a call.
    pub async fn message(&mut self, stream: u32, message: &impl Message, last: bool) -> bool {
        let encoded = message.encode_to_vec();
        let length = u32::try_from(encoded.len()).expect("it is short");
        let body = [&[0][..], &length.to_be_bytes(), &encoded].concat();
        let (mut pieces, mut sent) = (body.chunks(16_000).peekable(), true);
        while let Some(piece) = pieces.next() {
            let ends = last && pieces.peek().is_none();
            sent = self
                .send(0, if ends { END_STREAM } else { 0 }, stream, piece)
                .await;
        }
        sent
    }

    /// Makes calls and resets them at once, in one write.
    pub async fn flood(&mut self, streams: impl Iterator<Item = u32>, path: &str) -> bool {
        let block = header_block(path, None);
        let mut frames = Vec::new();
        for stream in streams {
            frames.extend(frame(HEADERS, END_HEADERS, stream, &block));
            frames.extend(frame(RST_STREAM, 0, stream, &CANCEL.to_be_bytes()));
        }
        self.connection.write_all(&frames).await.is_ok()
    }

    /// Confirms a ping or the server's settings.
    pub async fn acknowledge(&mut self, frame: &ReceivedFrame) -> bool {
        self.send(
            frame.kind,
            ACK,
            0,
            if frame.kind == PING {
                &frame.payload
            } else {
                &[]
            },
        )
        .await
    }

    /// Returns the next frame, or `None` if the server has closed the connection.
    pub async fn next(&mut self) -> Option<ReceivedFrame> {
        let reading = async {
            let mut head = [0; 9];
            self.connection.read_exact(&mut head).await.ok()?;
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            let mut payload = vec![0; length as usize];
            self.connection.read_exact(&mut payload).await.ok()?;
            Some(ReceivedFrame {
                kind: head[3],
                flags: head[4],
                stream: u32::from_be_bytes([head[5], head[6], head[7], head[8]]),
                payload,
            })
        };
        timeout(LONG, reading)
            .await
            .expect("the server says something")
    }

    /// Returns the next frame of this kind for a stream, or for the connection (0).
    pub async fn until(&mut self, kind: u8, stream: u32) -> Option<ReceivedFrame> {
        loop {
            let frame = self.next().await?;
            if (frame.kind, frame.stream) == (kind, stream) && !frame.is_acknowledgement() {
                return Some(frame);
            }
        }
    }
}

impl ReceivedFrame {
    pub fn is_acknowledgement(&self) -> bool {
        matches!(self.kind, SETTINGS | PING) && self.flags & ACK != 0
    }

    /// Returns the error code of a reset.
    pub fn error_code(&self) -> u32 {
        u32::from_be_bytes(self.payload[..4].try_into().expect("four bytes"))
    }
}

pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len())
        .expect("it is short")
        .to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// Returns the headers as literals, which the receiver does not add to its table.
fn header_block(path: &str, authorization: Option<&str>) -> Vec<u8> {
    // The indices of `:method: POST` and of `:scheme: http`.
    let mut block = vec![0x83, 0x86];
    let mut field = |name: &str, value: &str| {
        block.push(0);
        for text in [name, value] {
            let length = u8::try_from(text.len()).expect("it is short");
            assert!(length < 127, "{text}");
            block.push(length);
            block.extend(text.as_bytes());
        }
    };
    field(":path", path);
    field(":authority", "localhost");
    field("content-type", "application/grpc");
    field("te", "trailers");
    if let Some(value) = authorization {
        field("authorization", value);
    }
    block
}
