//! The server's address, the caller's credentials, and the connection.

use std::{fmt, net::IpAddr, str::FromStr, sync::Arc, time::Duration};

use http::Response;
use tonic::{
    Request, Status,
    body::Body,
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity, Uri},
};
use tower::{ServiceExt, util::MapResponse};

use super::{ClientError, proxy_answers};
use crate::proto::{
    audit_service_client::AuditServiceClient, directory_service_client::DirectoryServiceClient,
    health::health_client::HealthClient, import_service_client::ImportServiceClient,
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Results arrive faster than a terminal shows them; wide windows keep the server from waiting.
const STREAM_WINDOW: u32 = 4 << 20;
const CONNECTION_WINDOW: u32 = 8 << 20;
/// Frames of the usual 16 KiB are read 8 KiB at a time.
const FRAME: u32 = 256 << 10;
/// A server that disappears is noticed within about half a minute.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// The address of a server, `https://HOST:PORT`, or `http://HOST:PORT` without TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServerAddress(Uri);

impl FromStr for ServerAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let uri = Uri::from_str(text).map_err(|error| error.to_string())?;
        match (uri.scheme_str(), uri.authority()) {
            (Some("http" | "https"), Some(authority)) if authority.as_str().contains('@') => {
                Err("it must not have a user or a password".to_owned())
            }
            (Some("http" | "https"), Some(_)) => Ok(Self(uri)),
            _ => Err("write it as https://HOST:PORT, or http://HOST:PORT without TLS".to_owned()),
        }
    }
}

impl ServerAddress {
    /// Returns `true` if others on the network can read what is sent: no TLS, to another machine.
    #[must_use]
    pub(crate) fn is_overheard(&self) -> bool {
        !self.is_tls() && !self.is_loopback()
    }

    /// Returns `true` if the server is on this machine: `localhost` or a loopback address.
    #[must_use]
    pub(crate) fn is_loopback(&self) -> bool {
        let host = self.host();
        let address = host.parse().map(|ip: IpAddr| ip.to_canonical());
        address.is_ok_and(|ip| ip.is_loopback()) || host.eq_ignore_ascii_case("localhost")
    }

    /// The server's host, for a connection.
    #[must_use]
    pub(crate) fn host(&self) -> &str {
        let host = self.0.host().unwrap_or_default();
        host.trim_matches(['[', ']'])
    }

    /// The server's port.
    #[must_use]
    pub(crate) fn port(&self) -> u16 {
        let default = if self.is_tls() { 443 } else { 80 };
        self.0.port_u16().unwrap_or(default)
    }

    /// Returns `true` if the connection is encrypted.
    #[must_use]
    pub(crate) fn is_tls(&self) -> bool {
        self.0.scheme_str() == Some("https")
    }
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.to_string().trim_end_matches('/'))
    }
}

/// A caller's bearer token. Its text is never shown, `Debug` included.
#[derive(Clone)]
pub struct BearerToken(MetadataValue<Ascii>);

impl FromStr for BearerToken {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut value = MetadataValue::try_from(format!("Bearer {}", text.trim()))
            .map_err(|_| "a token has printable ASCII characters only".to_owned())?;
        value.set_sensitive(true);
        Ok(Self(value))
    }
}

impl fmt::Debug for BearerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BearerToken(…)")
    }
}

/// Finds the token to present, or `None` if no token exists now.
pub(crate) type FindToken = Arc<dyn Fn() -> Option<BearerToken> + Send + Sync>;

/// Which token a caller presents.
#[derive(Clone, Default)]
pub(crate) enum PresentedToken {
    /// None.
    #[default]
    None,
    /// The same with every call.
    Fixed(BearerToken),
    /// The one that is found at each call: a server that starts again has another local token.
    Found(FindToken),
}

impl PresentedToken {
    /// The token for the next call.
    fn now(&self) -> Option<BearerToken> {
        match self {
            Self::None => None,
            Self::Fixed(token) => Some(token.clone()),
            Self::Found(find) => find(),
        }
    }
}

impl fmt::Debug for PresentedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Fixed(_) => "Fixed(…)",
            Self::Found(_) => "Found(…)",
        })
    }
}

/// The caller's credentials, and the authorities that the caller trusts; all PEM.
#[derive(Clone, Default)]
pub(crate) struct ClientCredentials {
    /// The token.
    pub token: PresentedToken,
    /// Authorities that sign the server's certificate, instead of those that browsers trust.
    pub ca_certificate: Option<String>,
    /// The name in the server's certificate, if it differs from the address.
    pub server_name: Option<String>,
    /// The caller's certificate and its private key.
    pub certificate: Option<(String, String)>,
}

impl ClientCredentials {
    fn tls(&self) -> ClientTlsConfig {
        let tls = match &self.ca_certificate {
            Some(authority) => {
                ClientTlsConfig::new().ca_certificate(Certificate::from_pem(authority))
            }
            None => ClientTlsConfig::new().with_webpki_roots(),
        };
        let tls = match &self.server_name {
            Some(name) => tls.domain_name(name),
            None => tls,
        };
        match &self.certificate {
            Some((certificate, key)) => tls.identity(Identity::from_pem(certificate, key)),
            None => tls,
        }
    }
}

/// Adds the token, if any, to every request.
#[derive(Clone, Debug)]
pub(super) struct BearerInterceptor(PresentedToken);

impl Interceptor for BearerInterceptor {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(BearerToken(value)) = self.0.now() {
            let metadata = request.metadata_mut();
            metadata.insert("authorization", value);
        }
        Ok(request)
    }
}

/// A connection whose answers are the server's own.
type CheckedChannel = MapResponse<Channel, fn(Response<Body>) -> Response<Body>>;

type BearerService = InterceptedService<CheckedChannel, BearerInterceptor>;

/// A connection to a server, for one caller.
#[derive(Clone, Debug)]
pub(crate) struct ServiceClient {
    pub(super) imports: ImportServiceClient<BearerService>,
    pub(super) directory: DirectoryServiceClient<BearerService>,
    pub(super) audit: AuditServiceClient<BearerService>,
    pub(super) health: HealthClient<BearerService>,
}

impl ServiceClient {
    /// Connects, and waits until the connection is established.
    ///
    /// # Errors
    /// [`ClientError::Unreachable`] if no server answers at `address` within ten seconds.
    pub(crate) async fn connect(
        address: &ServerAddress,
        credentials: ClientCredentials,
    ) -> Result<Self, ClientError> {
        let unreachable = |error| ClientError::unreachable(address, &error);
        let mut endpoint = Endpoint::from(address.0.clone());
        if address.is_tls() {
            endpoint = endpoint
                .tls_config(credentials.tls())
                .map_err(unreachable)?;
        }
        let channel = endpoint
            .connect_timeout(CONNECT_TIMEOUT)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_frame_size(FRAME)
            .http2_keep_alive_interval(KEEP_ALIVE)
            .connect()
            .await
            .map_err(unreachable)?;
        let channel: CheckedChannel = channel.map_response(proxy_answers::expect_servers);
        let service = InterceptedService::new(channel, BearerInterceptor(credentials.token));
        Ok(Self {
            imports: ImportServiceClient::new(service.clone()),
            directory: DirectoryServiceClient::new(service.clone()),
            audit: AuditServiceClient::new(service.clone()),
            health: HealthClient::new(service),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_needs_its_scheme() {
        for text in [
            "localhost:50051",
            "localhost",
            "ftp://host",
            "http://u:p@host",
            "",
        ] {
            assert!(text.parse::<ServerAddress>().is_err(), "{text}");
        }
        let address: ServerAddress = "http://[::1]:50051".parse().unwrap();
        assert_eq!(address.to_string(), "http://[::1]:50051");
    }

    #[test]
    fn the_local_token_is_for_loopback_addresses_alone() {
        for (address, port) in [
            ("http://127.0.0.1:50051", Some(50_051)),
            ("http://127.9.8.7:1", Some(1)),
            ("https://127.0.0.1", Some(443)),
            ("http://[::1]", Some(80)),
            ("http://[::ffff:127.0.0.1]:2", Some(2)),
            ("http://LocalHost:3", Some(3)),
            ("http://0.0.0.0:50051", None),
            ("http://[::]:50051", None),
            ("http://192.0.2.1:50051", None),
            ("http://127.0.0.1.example:50051", None),
            ("http://localhost.example:50051", None),
            ("http://127.0.0.1@192.0.2.1:50051", None),
            ("http://localhost@host.example:50051", None),
            ("http://127.1:50051", None),
        ] {
            // Some are no address at all: they name a user.
            let parsed = address.parse::<ServerAddress>().ok();
            let found = parsed
                .filter(ServerAddress::is_loopback)
                .map(|parsed| parsed.port());
            assert_eq!(found, port, "{address}");
        }
    }

    #[test]
    fn a_token_never_shows_its_text() {
        let token: BearerToken = "s3cret".parse().unwrap();
        assert!(!format!("{token:?} {:?}", token.0).contains("s3cret"));
        assert!("a\nb".parse::<BearerToken>().is_err());
    }

    #[tokio::test]
    async fn nobody_at_the_address_is_unreachable_with_the_reason() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let free = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let error = ServiceClient::connect(&free.parse().unwrap(), ClientCredentials::default())
            .await
            .unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with(&format!("cannot reach {free}")), "{text}");
        assert!(text.contains("refused"), "{text}");
    }
}
