//! A server behind each proxy of `docs/proxies.md`, with the configuration given there. A restart of the server does not
//! end the call of the command line that imports, and browsers reach the console only under its own name.

use std::{
    fs::{self, File},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsConnector;

use crate::{
    process::{create_token, program, serve_at},
    scene::{ID, eventually},
};
use user_import_testing::{
    Database, FreshDatabase, ServeProcess, certificates::CertificateAuthority, free_address,
    roster, run,
};

const CATALOG: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/catalog.json");

const PAGE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/proxies.md"));

/// Rows of the import that is interrupted. Each row is written in a transaction of its own.
const ROWS: usize = 150;

#[test]
#[ignore = "needs nginx: run scripts/test"]
fn an_import_through_nginx_survives_a_restart() {
    run(survives_a_restart(&NGINX));
}

#[test]
#[ignore = "needs HAProxy: run scripts/test"]
fn an_import_through_haproxy_survives_a_restart() {
    run(survives_a_restart(&HAPROXY));
}

#[test]
#[ignore = "needs HAProxy: run scripts/test"]
fn an_import_through_haproxy_with_the_proxy_protocol_survives_a_restart() {
    run(survives_a_restart(&HAPROXY_TCP));
}

#[test]
#[ignore = "needs Caddy: run scripts/test"]
fn an_import_through_caddy_survives_a_restart() {
    run(survives_a_restart(&CADDY));
}

#[test]
#[ignore = "needs Envoy: run scripts/test"]
fn an_import_through_envoy_survives_a_restart() {
    run(survives_a_restart(&ENVOY));
}

/// A proxy and its configuration.
struct HttpProxy {
    program: &'static str,
    /// The language of the code block with its configuration on the page, and the number of this block among those of the
    /// language.
    block: (&'static str, usize),
    /// The text in the configuration for the address that the proxy listens on.
    listens: &'static str,
    /// Lines before the block and after it. FOLDER stands for the temporary folder of the test.
    around: (&'static str, &'static str),
    options: &'static [&'static str],
    /// The server has the certificate.
    passes_tls: bool,
    /// The status that a client gets while the server is away.
    answer: &'static str,
}

const NGINX: HttpProxy = HttpProxy {
    program: "nginx",
    block: ("nginx", 0),
    listens: "443",
    around: (
        "daemon off; master_process off; pid FOLDER/pid; error_log stderr error;\nevents {}\nhttp {\naccess_log off;\n\
         client_body_temp_path FOLDER/body; proxy_temp_path FOLDER/proxy; fastcgi_temp_path FOLDER/fastcgi;\n\
         uwsgi_temp_path FOLDER/uwsgi; scgi_temp_path FOLDER/scgi;\n",
        "}\n",
    ),
    options: &["-e", "stderr", "-c"],
    passes_tls: false,
    answer: "HTTP status 502 Bad Gateway",
};

const HAPROXY: HttpProxy = HttpProxy {
    program: "haproxy",
    block: ("haproxy", 0),
    listens: ":443",
    around: ("", ""),
    options: &["-db", "-f"],
    passes_tls: false,
    answer: "HTTP status 503 Service Unavailable",
};

const HAPROXY_TCP: HttpProxy = HttpProxy {
    block: ("haproxy", 1),
    passes_tls: true,
    answer: "connection to the server was lost",
    ..HAPROXY
};

const CADDY: HttpProxy = HttpProxy {
    program: "caddy",
    block: ("caddyfile", 0),
    listens: "roster.example {",
    around: (
        "{\nadmin off\nauto_https off\nstorage file_system FOLDER\n}\n",
        "",
    ),
    options: &["run", "--adapter", "caddyfile", "--config"],
    passes_tls: false,
    answer: "HTTP status 502 Bad Gateway",
};

const ENVOY: HttpProxy = HttpProxy {
    program: "envoy",
    block: ("yaml", 0),
    listens: "{ address: 0.0.0.0, port_value: 443 }",
    around: ("", ""),
    options: &[
        "--use-dynamic-base-id",
        "--concurrency",
        "1",
        "--log-level",
        "error",
        "-c",
    ],
    passes_tls: false,
    answer: "upstream connect error",
};

/// A running proxy, which is killed when dropped.
struct RunningProxy {
    child: Child,
    address: SocketAddr,
}

impl Drop for RunningProxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl HttpProxy {
    /// The configuration of the page, with these addresses and the certificate in the folder.
    fn configuration(&self, address: SocketAddr, server: SocketAddr, folder: &Path) -> String {
        let (language, number) = self.block;
        let begin = format!("```{language}\n");
        let block = PAGE.split(&begin).nth(number + 1).expect("the page has it");
        let block = block.split("```").next().expect("a block has an end");
        let folder = folder.display();
        let listens = match self.program {
            // The console is asked for under its name, everything else under the address.
            "caddy" => {
                let port = address.port();
                format!("https://{address}, https://roster.example:{port} {{")
            }
            "envoy" => format!("{{ address: 127.0.0.1, port_value: {} }}", address.port()),
            _ => address.to_string(),
        };
        let mut configuration = replaced(block, self.listens, &listens);
        let server_address = match self.program {
            "envoy" => (
                "port_value: 50051",
                format!("port_value: {}", server.port()),
            ),
            _ => ("127.0.0.1:50051", server.to_string()),
        };
        configuration = replaced(&configuration, server_address.0, &server_address.1);
        for (directory, file) in [
            ("/etc/ssl", "roster.example.pem"),
            ("/etc/haproxy", "roster.example.pem"),
        ] {
            configuration = configuration.replace(
                &format!("{directory}/{file}"),
                &format!("{folder}/proxy.pem"),
            );
        }
        configuration = configuration.replace(
            "/etc/ssl/roster.example.key",
            &format!("{folder}/proxy.pem"),
        );
        let (before, after) = self.around;
        let whole = format!("{before}{configuration}{after}");
        whole.replace("FOLDER", &folder.to_string())
    }

    /// Starts the proxy in front of `server`, on a port that is free.
    async fn start(&self, server: SocketAddr, folder: &Path) -> RunningProxy {
        for _ in 0..10 {
            let address = free_address();
            // Envoy recognises the format by the extension of the name.
            let file = folder.join("configuration.yaml");
            fs::write(&file, self.configuration(address, server, folder)).unwrap();
            let log = File::create(folder.join("proxy.log")).unwrap();
            let child = Command::new(self.program)
                .args(self.options)
                .arg(&file)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(log)
                .spawn();
            let child =
                child.unwrap_or_else(|error| panic!("{}: {error}; run scripts/test", self.program));
            let mut proxy = RunningProxy { child, address };
            let mut has_ended = false;
            let listens = async || {
                has_ended = proxy.child.try_wait().unwrap().is_some();
                has_ended || TcpStream::connect(address).is_ok()
            };
            eventually(listens, "the proxy listens").await;
            if !has_ended {
                return proxy;
            }
        }
        let log = fs::read_to_string(folder.join("proxy.log")).unwrap_or_default();
        panic!("{} does not start: {log}", self.program)
    }
}

fn replaced(text: &str, from: &str, to: &str) -> String {
    assert_eq!(text.matches(from).count(), 1, "{from} in {text}");
    text.replace(from, to)
}

/// A server with a proxy in front of it, and the command line.
struct ProxiedServer {
    server: ServeProcess,
    options: Vec<String>,
    proxy: RunningProxy,
    database: FreshDatabase,
    token: String,
    folder: TempDir,
}

impl ProxiedServer {
    async fn start(proxy: &HttpProxy) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let authority = CertificateAuthority::new();
        let issued = authority.server();
        fs::write(path("ca.pem"), authority.pem()).unwrap();
        fs::write(
            path("proxy.pem"),
            format!("{}{}", issued.certificate, issued.key),
        )
        .unwrap();
        let mut options = vec![
            "--trusted-proxy=127.0.0.1".to_owned(),
            "--public-url=https://roster.example,https://roster.example:8443".to_owned(),
        ];
        if proxy.passes_tls {
            options.extend(
                ["--tls-cert", "--tls-key"].map(|option| format!("{option}={}", path("proxy.pem"))),
            );
        }
        let database = Database::Sqlite.create().await;
        let server = serve_at(free_address(), &database.url(), &options);
        let scene = Self {
            token: create_token(&database.url()),
            proxy: proxy.start(server.address, folder.path()).await,
            server,
            options,
            database,
            folder,
        };
        scene.expect_done(scene.command(&["org", "create", "pd"]));
        scene.expect_done(scene.command(&["catalog", "apply", CATALOG, "--organization=pd"]));
        scene
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// Runs a command through the proxy; its output is in the files `out` and `err`.
    fn command(&self, arguments: &[&str]) -> Child {
        program()
            .args(arguments)
            .arg(format!("--endpoint=https://{}", self.proxy.address))
            .arg("--ca-cert")
            .arg(self.path("ca.pem"))
            .env("USER_IMPORT_TOKEN", &self.token)
            .stdin(Stdio::null())
            .stdout(File::create(self.path("out")).unwrap())
            .stderr(File::create(self.path("err")).unwrap())
            .spawn()
            .expect("the program can be started")
    }

    /// Returns the answer that a browser gets if it opens the console under this name.
    async fn console(&self, host: &str) -> String {
        let mut roots = RootCertStore::empty();
        let authority = CertificateDer::from_pem_file(self.path("ca.pem")).unwrap();
        roots.add(authority).unwrap();
        let config = ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = tokio::net::TcpStream::connect(self.proxy.address).await;
        let name = self.proxy.address.ip().into();
        let connecting = TlsConnector::from(Arc::new(config)).connect(name, stream.unwrap());
        let mut connection = connecting.await.unwrap();
        let request =
            format!("GET /console/ HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        connection.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        // A proxy may end the connection without a response.
        let _ = connection.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }

    fn write_roster(&self, rows: usize) -> String {
        let names: Vec<String> = (0..rows).map(|number| format!("u{number:06}")).collect();
        let file = self.path("roster.csv");
        fs::write(
            &file,
            roster().people(names.iter().map(String::as_str)).csv(),
        )
        .unwrap();
        file.display().to_string()
    }

    fn expect_done(&self, mut command: Child) {
        let status = command.wait().unwrap();
        assert!(status.success(), "{status}: {}", self.read("err"));
    }
}

const IMPORT: [&str; 3] = ["import", "--organization=pd", "--format=json"];

async fn survives_a_restart(proxy: &HttpProxy) {
    let mut scene = ProxiedServer::start(proxy).await;
    for host in ["roster.example", "roster.example:8443"] {
        let page = scene.console(host).await;
        assert!(page.starts_with("HTTP/1.1 200"), "{page}");
        assert!(page.contains("frame-ancestors 'none'"), "{page}");
    }
    let refused = scene.console("rebound.example").await;
    let is_refused = match proxy.program {
        // Caddy itself answers requests for names that it does not know, with an empty response.
        "caddy" => refused.contains("Content-Length: 0"),
        _ => refused.starts_with("HTTP/1.1 421"),
    };
    assert!(is_refused, "{refused}");
    let large = scene.write_roster(20_000);
    assert!(
        fs::metadata(&large).unwrap().len() > 1 << 20,
        "it is over nginx's limit"
    );
    scene.expect_done(scene.command(&[&IMPORT[..], &[&large, "--validate-only"]].concat()));

    let file = scene.write_roster(ROWS);
    let import = scene.command(&[&IMPORT[..], &[&file, "--import-id", ID]].concat());
    eventually(
        async || scene.read("out").contains("\"results\""),
        "the first results",
    )
    .await;
    scene.server.kill();
    assert!(
        !scene.read("out").contains("\"summary\""),
        "it was too quick"
    );
    let answered = async || scene.read("err").contains(proxy.answer);
    eventually(answered, proxy.answer).await;
    let address = scene.server.address;
    scene.server = serve_at(address, &scene.database.url(), &scene.options);
    scene.expect_done(import);
    let (out, err) = (scene.read("out"), scene.read("err"));
    assert!(
        out.contains("\"created\":150") || out.contains("\"created\": 150"),
        "{out}"
    );
    assert!(err.contains("with the same import ID (1 of 8)"), "{err}");

    // A client's address from a header has no port; one from the PROXY protocol has a port.
    let has_port = match proxy.passes_tls {
        true => "LIKE",
        false => "NOT LIKE",
    };
    let events = format!(
        "SELECT COUNT(*) FROM audit_events WHERE subject = '{ID}' AND address <> '' AND address {has_port} '%:%'"
    );
    assert!(scene.database.number(&events).await > 0);
}
