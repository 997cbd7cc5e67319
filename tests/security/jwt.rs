//! Tokens of an identity provider.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use user_import::{
    access::jwt::{JwtKeyLocation, JwtSettings},
    clock::Clock,
    config::{SecuritySettings, Settings},
};

use crate::identity_provider::{ProviderKey, base64, ed25519, jwks, p256, rsa};
use user_import_testing::{
    App, Database, on_both_databases, roster,
    rpcs::{self, answer, call, is_admitted},
};

on_both_databases![
    a_good_token_opens_what_it_permits,
    no_rpc_answers_to_a_token_that_is_not_good,
    an_expired_token_opens_nothing_but_for_the_leeway,
    claims_that_are_not_understood_permit_nothing,
    a_key_is_for_its_algorithm_alone,
    keys_that_change_in_their_file_are_taken_over,
    keys_at_a_url_are_asked_for_and_an_unknown_key_asks_once_in_a_while,
    an_import_is_recorded_under_the_subject,
];

const ISSUER: &str = "https://id.example";
const AUDIENCE: &str = "user-import";
const PATH: &str = "/userimport.v1.DirectoryService/GetOrganization";
pub const INVALID: &str = "Unauthenticated CREDENTIAL_INVALID: This credential is not valid here; check \
    that it is complete and for this server.";

pub fn settings(keys: JwtKeyLocation) -> Settings {
    let algorithms = ["RS256", "ES256", "EdDSA"].map(|name| name.parse().unwrap());
    Settings {
        security: SecuritySettings {
            jwt: Some(JwtSettings {
                keys,
                keys_ca: None,
                issuer: ISSUER.to_owned(),
                audience: AUDIENCE.to_owned(),
                algorithms: algorithms.to_vec(),
                leeway: Duration::from_secs(30),
                organization_claim: "organization".to_owned(),
                permissions_claim: "permissions".to_owned(),
            }),
            reload_interval: Duration::from_millis(20),
            ..SecuritySettings::default()
        },
        ..Settings::default()
    }
}

/// A server that trusts the keys in a file.
pub struct JwtServer {
    pub app: App,
    pub file: tempfile::NamedTempFile,
}

pub async fn scene(database: Database, keys: &[(&str, &ProviderKey)]) -> JwtServer {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), jwks(keys)).unwrap();
    let settings = settings(JwtKeyLocation::File(file.path().to_owned()));
    let app = App::serve_closed(database, settings).await;
    JwtServer { app, file }
}

fn now() -> i64 {
    Clock::system().now().unix_timestamp()
}

/// Returns the claims of a good token with these changes. `null` leaves a claim out.
pub fn claims(changes: Value) -> Value {
    let mut claims = json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": "cad-job", "exp": now() + 600, "nbf": now() - 1,
        "organization": "pd", "permissions": ["users.read", "users.import"],
    });
    let Value::Object(changes) = changes else {
        panic!("changes are an object")
    };
    let object = claims.as_object_mut().unwrap();
    for (name, value) in changes {
        match value {
            Value::Null => drop(object.remove(&name)),
            value => drop(object.insert(name, value)),
        }
    }
    claims
}

pub async fn status_with(app: &App, token: &str) -> String {
    answer(&app.presenting(token), PATH, "pd").await
}

async fn a_good_token_opens_what_it_permits(database: Database) {
    let keys = [rsa(), p256(), ed25519()];
    let [rsa, p256, ed25519] = &keys;
    let named = [("r", rsa), ("e", p256), ("d", ed25519)];
    let JwtServer { app, .. } = scene(database, &named).await;
    for (id, key) in named {
        let token = key.token(id, &claims(json!({"aud": ["other", AUDIENCE]})));
        assert_eq!(status_with(&app, &token).await, "Ok", "{id}");
        let caller = app.presenting(&token);
        let elsewhere = answer(&caller, PATH, "sheriff").await;
        assert!(
            elsewhere.starts_with("PermissionDenied OTHER_ORGANIZATION"),
            "{elsewhere}"
        );
        let write = answer(
            &caller,
            "/userimport.v1.DirectoryService/UpdateCatalog",
            "pd",
        )
        .await;
        assert!(
            write.starts_with("PermissionDenied PERMISSION_MISSING"),
            "{write}"
        );
    }
}

/// Claims that make a token invalid, each with the reason.
fn bad_claims() -> [(&'static str, Value); 13] {
    [
        ("another issuer", json!({"iss": "https://evil.example"})),
        ("no issuer", json!({"iss": null})),
        ("another audience", json!({"aud": "other"})),
        ("no audience", json!({"aud": null})),
        ("not yet valid", json!({"nbf": now() + 90})),
        ("a start that is no number", json!({"nbf": "soon"})),
        ("no end", json!({"exp": null})),
        ("an end that is no number", json!({"exp": "never"})),
        ("an end beyond all time", json!({"exp": 1e300})),
        ("no subject", json!({"sub": null})),
        ("no organisation", json!({"organization": null})),
        ("no slug", json!({"organization": "P D"})),
        ("many organisations", json!({"organization": ["pd"]})),
    ]
}

/// Tokens with good claims that another key has signed, or no key.
fn forged(key: &ProviderKey, public: Vec<u8>) -> Vec<(&'static str, String)> {
    let (stranger, good) = (p256(), claims(json!({})));
    let modulus = key.jwk("r")["n"].as_str().unwrap().as_bytes().to_vec();
    let whole = key.token("r", &good);
    let (signed, signature) = whole.rsplit_once('.').unwrap();
    let (header, _) = signed.split_once('.').unwrap();
    let operator = base64(claims(json!({"organization": "*"})).to_string());
    vec![
        ("nobody's key", stranger.token("e", &good)),
        ("a key that is not there", stranger.token("x", &good)),
        ("no signature", ProviderKey::None.token("r", &good)),
        ("the signature left out", format!("{signed}.")),
        (
            "the public keys as a secret",
            ProviderKey::Secret(public).token("r", &good),
        ),
        (
            "the modulus as a secret",
            ProviderKey::Secret(modulus).token("r", &good),
        ),
        ("other claims", format!("{header}.{operator}.{signature}")),
        ("cut off", whole[..whole.len() - 2].to_owned()),
    ]
}

async fn no_rpc_answers_to_a_token_that_is_not_good(database: Database) {
    let key = rsa();
    let JwtServer { app, file } = scene(database, &[("r", &key), ("e", &p256())]).await;
    assert_eq!(
        status_with(&app, &key.token("r", &claims(json!({})))).await,
        "Ok"
    );
    let mut bad = forged(&key, fs::read(file.path()).unwrap());
    for (why, changes) in bad_claims() {
        bad.push((why, key.token("r", &claims(changes))));
    }
    for (why, token) in bad {
        for path in rpcs::all() {
            let told = answer(&app.presenting(&token), &path, "pd").await;
            assert_eq!(told, INVALID, "{why}: {path}");
        }
    }
}

async fn an_expired_token_opens_nothing_but_for_the_leeway(database: Database) {
    let key = ed25519();
    let JwtServer { app, .. } = scene(database, &[("d", &key)]).await;
    let at = |exp: i64| key.token("d", &claims(json!({"exp": exp})));
    assert_eq!(status_with(&app, &at(now() - 10)).await, "Ok");
    for path in rpcs::all() {
        let caller = app.presenting(&at(now() - 31));
        let told = answer(&caller, &path, "pd").await;
        assert!(
            told.starts_with("Unauthenticated CREDENTIAL_EXPIRED"),
            "{path}: {told}"
        );
    }
    // The leeway also applies to the start of the validity.
    let early = key.token("d", &claims(json!({"nbf": now() + 10})));
    assert_eq!(status_with(&app, &early).await, "Ok");
}

async fn claims_that_are_not_understood_permit_nothing(database: Database) {
    let key = ed25519();
    let JwtServer { app, .. } = scene(database, &[("d", &key)]).await;
    for (permissions, admitted) in [
        (json!(["users.read"]), true),
        (json!("openid users.read email"), true),
        (json!(["users.*", "*", "USERS.READ", "users.import"]), false),
        (json!("users.readx"), false),
        (json!({"users.read": true}), false),
        (json!(true), false),
        (json!(null), false),
    ] {
        let token = key.token("d", &claims(json!({"permissions": permissions})));
        let told = status_with(&app, &token).await;
        let expected = if admitted {
            "Ok"
        } else {
            "PermissionDenied PERMISSION_MISSING"
        };
        assert!(told.starts_with(expected), "{permissions}: {told}");
    }
}

async fn a_key_is_for_its_algorithm_alone(database: Database) {
    let key = rsa();
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut jwk = key.jwk("r");
    jwk["alg"] = json!("PS256");
    let mut encrypting = key.jwk("enc");
    encrypting["use"] = json!("enc");
    fs::write(file.path(), json!({"keys": [jwk, encrypting]}).to_string()).unwrap();
    let settings = settings(JwtKeyLocation::File(file.path().to_owned()));
    let app = App::serve_closed(database, settings).await;
    for id in ["r", "enc"] {
        assert_eq!(
            status_with(&app, &key.token(id, &claims(json!({})))).await,
            INVALID,
            "{id}"
        );
    }
    // If there are several keys, a token must name its key.
    let header = json!({"alg": "RS256"});
    let unnamed = key.token_with(&header, &claims(json!({})));
    assert_eq!(status_with(&app, &unnamed).await, INVALID);
}

async fn keys_that_change_in_their_file_are_taken_over(database: Database) {
    let (old, new) = (p256(), p256());
    let JwtServer { app, file } = scene(database, &[("old", &old)]).await;
    let token = new.token("new", &claims(json!({})));
    assert_eq!(status_with(&app, &token).await, INVALID);
    fs::write(file.path(), jwks(&[("new", &new)])).unwrap();
    while status_with(&app, &token).await != "Ok" {
        tokio::task::yield_now().await;
    }
    let before = old.token("old", &claims(json!({})));
    assert_eq!(
        status_with(&app, &before).await,
        INVALID,
        "a key that is gone verifies nothing"
    );
    // A set that contains a secret is refused, and the earlier set stays in use.
    let secret = ProviderKey::Secret(vec![7; 32]);
    fs::write(file.path(), jwks(&[("new", &new), ("s", &secret)])).unwrap();
    assert_eq!(status_with(&app, &token).await, "Ok");
    assert_eq!(
        status_with(&app, &secret.token("s", &claims(json!({})))).await,
        INVALID
    );
}

async fn keys_at_a_url_are_asked_for_and_an_unknown_key_asks_once_in_a_while(database: Database) {
    let key = p256();
    let set = jwks(&[("e", &key)]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/keys", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let serving = tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            counter.fetch_add(1, Ordering::SeqCst);
            let mut request = [0; 1024];
            let read = stream.read(&mut request).await.unwrap();
            assert!(request[..read].starts_with(b"GET /keys HTTP/1.1\r\n"));
            let answer = format!(
                "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{set}",
                set.len()
            );
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    let app = App::serve_closed(
        database,
        settings(JwtKeyLocation::Url(url.parse().unwrap())),
    )
    .await;
    assert_eq!(
        status_with(&app, &key.token("e", &claims(json!({})))).await,
        "Ok"
    );
    for id in 0..30 {
        let unknown = p256().token(&format!("unknown {id}"), &claims(json!({})));
        assert_eq!(status_with(&app, &unknown).await, INVALID);
    }
    let asked = asked.load(Ordering::SeqCst);
    assert!((1..=3).contains(&asked), "asked {asked} times");
    serving.abort();
}

async fn an_import_is_recorded_under_the_subject(database: Database) {
    let key = p256();
    let JwtServer { app, .. } = scene(database, &[("e", &key)]).await;
    let subject = format!("cad\u{7}{}", "x".repeat(400));
    let caller = app.presenting(&key.token("e", &claims(json!({"sub": subject}))));
    let imported = caller.import(roster().people(["ada"])).await;
    // If the catalog does not have the role, the row is rejected, and the import is recorded.
    let id = imported.import_id().to_owned();
    let request = user_import::proto::GetImportRequest {
        organization: "pd".to_owned(),
        import_id: id,
    };
    let import = caller.imports().get_import(request).await.unwrap();
    let principal = import.into_inner().import_record.unwrap().principal;
    assert_eq!(principal, format!("jwt cad{}", "x".repeat(197)));
    assert!(
        !is_admitted(&call(&app, PATH, "pd").await),
        "callers without one are turned away"
    );
}
