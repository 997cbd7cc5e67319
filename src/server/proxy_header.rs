//! The header of the PROXY protocol, version 2: with it, a trusted proxy names the client of a connection before the
//! connection's first byte.
//!
//! The text of version 1 is refused. A connection that begins with neither is as the client opened it.

use std::{io, net::SocketAddr};

use proxy_header::{ParseConfig, Protocol, ProxyHeader};
use tokio::{io::AsyncReadExt, net::TcpStream};

/// The signature, the version, the protocol and the length of what follows.
const BEGINNING: usize = 16;

/// Most bytes of a header. Addresses take 36 at most; what may follow them is not used.
const LARGEST: usize = 2 * 1024;

/// The first byte of version 2. No TLS handshake and no request begins with it.
const FIRST_BYTE: u8 = b'\r';

const TEXT: &[u8] = b"PROXY";

/// Why a connection that begins with a header is refused.
#[derive(Debug, thiserror::Error)]
pub(super) enum InvalidProxyHeader {
    /// Version 1.
    #[error("it is of version 1, which is text: have the proxy send version 2")]
    Text,
    /// Not version 2 either, or damaged.
    #[error("it is not of version 2, or damaged")]
    Damaged,
    /// Too long.
    #[error("it has over {LARGEST} bytes")]
    TooLong,
    /// The connection ended before the header did.
    #[error("the connection ended: {0}")]
    Ended(#[from] io::Error),
}

/// Reads the header if the connection begins with one. Returns the address of the client. Returns `None` if the client
/// is the peer itself, because there is no header or the proxy speaks for itself.
///
/// # Errors
/// Fails if the header is not valid, or the connection ends.
pub(super) async fn read(stream: &mut TcpStream) -> Result<Option<SocketAddr>, InvalidProxyHeader> {
    let mut first = [0; TEXT.len()];
    match stream.peek(&mut first).await? {
        0 => Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
        _ if first[0] == FIRST_BYTE => read_header(stream).await,
        _ if first == TEXT => Err(InvalidProxyHeader::Text),
        _ => Ok(None),
    }
}

async fn read_header(stream: &mut TcpStream) -> Result<Option<SocketAddr>, InvalidProxyHeader> {
    let mut header = vec![0; BEGINNING];
    stream.read_exact(&mut header).await?;
    let rest = usize::from(u16::from_be_bytes([header[14], header[15]]));
    if BEGINNING + rest > LARGEST {
        return Err(InvalidProxyHeader::TooLong);
    }
    header.resize(BEGINNING + rest, 0);
    stream.read_exact(&mut header[BEGINNING..]).await?;
    parse(&header)
}

/// Returns the address of the client in a whole header.
fn parse(header: &[u8]) -> Result<Option<SocketAddr>, InvalidProxyHeader> {
    let config = ParseConfig {
        include_tlvs: false,
        allow_v1: false,
        allow_v2: true,
    };
    let parsed = ProxyHeader::parse(header, config);
    let (parsed, _) = parsed.map_err(|_| InvalidProxyHeader::Damaged)?;
    match parsed.proxied_address() {
        Some(address) if address.protocol != Protocol::Stream => Err(InvalidProxyHeader::Damaged),
        address => Ok(address.map(|address| {
            let client = address.source;
            SocketAddr::new(client.ip().to_canonical(), client.port())
        })),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio::{io::AsyncWriteExt, net::TcpListener};

    use super::*;

    const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

    fn header(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
        [SIGNATURE, &[command, family], &length, rest].concat()
    }

    const IPV4: [u8; 12] = [198, 51, 100, 7, 10, 0, 0, 1, 0x12, 0x67, 0, 80];

    /// Reads a connection on which these bytes are sent, and then nothing more.
    async fn read_of(bytes: &[u8]) -> (String, Vec<u8>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        client.write_all(bytes).await.unwrap();
        client.shutdown().await.unwrap();
        let (mut stream, _) = listener.accept().await.unwrap();
        let read = match read(&mut stream).await {
            Ok(Some(address)) => address.to_string(),
            Ok(None) => "the peer".to_owned(),
            Err(error) => return (error.to_string(), Vec::new()),
        };
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.unwrap();
        (read, rest)
    }

    #[tokio::test]
    async fn a_header_gives_the_client_and_leaves_what_follows_it() {
        let mut ipv6 = [0; 36];
        ipv6[0] = 0x20;
        ipv6[15] = 7;
        ipv6[33] = 9;
        let mut mapped = ipv6;
        mapped[..16].copy_from_slice(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 198, 51, 100, 7]);
        let with_tlvs = [&IPV4[..], &[4, 0, 3, 1, 2, 3]].concat();
        for (header, expected) in [
            (header(0x21, 0x11, &IPV4), "198.51.100.7:4711"),
            (header(0x21, 0x11, &with_tlvs), "198.51.100.7:4711"),
            (header(0x21, 0x21, &ipv6), "[2000::7]:9"),
            (header(0x21, 0x21, &mapped), "198.51.100.7:9"),
            // The proxy checks the server's health, or does not know the client.
            (header(0x20, 0x00, &[]), "the peer"),
            (header(0x20, 0x11, &IPV4), "the peer"),
            (header(0x21, 0x00, &[]), "the peer"),
            (header(0x21, 0x31, &[0; 216]), "the peer"),
            (Vec::new(), "the peer"),
        ] {
            let (client, rest) = read_of(&[&header[..], b"PRI * HTTP/2.0"].concat()).await;
            assert_eq!(
                (&*client, &*rest),
                (expected, &b"PRI * HTTP/2.0"[..]),
                "{header:?}"
            );
        }
    }

    #[tokio::test]
    async fn a_header_that_is_not_of_version_2_is_refused() {
        for (bytes, expected) in [
            (
                b"PROXY TCP4 198.51.100.7 10.0.0.1 4711 80\r\n".to_vec(),
                "it is of version 1, which is text: have the proxy send version 2",
            ),
            (
                header(0x11, 0x11, &IPV4),
                "it is not of version 2, or damaged",
            ),
            (
                header(0x22, 0x11, &IPV4),
                "it is not of version 2, or damaged",
            ),
            (
                header(0x21, 0x12, &IPV4),
                "it is not of version 2, or damaged",
            ),
            (
                header(0x21, 0x41, &IPV4),
                "it is not of version 2, or damaged",
            ),
            (
                header(0x21, 0x11, &IPV4[..11]),
                "it is not of version 2, or damaged",
            ),
            (
                header(0x21, 0x31, &IPV4),
                "it is not of version 2, or damaged",
            ),
            (
                b"\r\nGET / HTTP/1.1\r\n\r\n".to_vec(),
                "it is not of version 2, or damaged",
            ),
            (header(0x21, 0x11, &[0; 2048]), "it has over 2048 bytes"),
        ] {
            let (error, _) = read_of(&bytes).await;
            // In bytes that are no header, this place holds something other than a length.
            let is_long = bytes.starts_with(b"\r\nGET") && error == "it has over 2048 bytes";
            assert!(error == expected || is_long, "{error}: {bytes:?}");
        }
        for cut in [0, 1, 15, 27] {
            let (error, _) = read_of(&header(0x21, 0x11, &IPV4)[..cut]).await;
            assert!(error.starts_with("the connection ended"), "{cut}: {error}");
        }
    }

    proptest! {
        #[test]
        fn no_header_makes_the_parser_fail_otherwise_than_by_refusing(
            command: u8, family: u8, rest in proptest::collection::vec(any::<u8>(), 0..300), bytes: Vec<u8>,
        ) {
            let _ = parse(&header(command, family, &rest));
            let _ = parse(&bytes);
        }
    }
}
