//! Unusual tokens and key sets: the provider has signed them, but such a service must not accept them (RFC 7515, RFC
//! 7517, RFC 7519, RFC 9068).

use std::fs;

use serde_json::{Value, json};
use user_import::access::jwt::{JwtKeyLocation, KeySet};

use crate::{
    identity_provider::{ProviderKey, base64, ed25519, jwks, p256, rsa},
    jwt::{INVALID, JwtServer, claims, scene, settings, status_with},
};
use user_import_testing::{App, Database, on_both_databases};

on_both_databases![
    a_header_with_an_extension_that_must_be_understood_is_refused,
    a_token_of_another_type_is_refused,
    claims_of_another_type_are_refused,
    a_key_that_is_not_for_signatures_verifies_none,
    two_keys_of_one_id_are_distinguished_by_their_family,
    a_set_with_a_private_key_is_refused_and_the_one_before_stays,
    keys_that_cannot_be_used_do_not_spoil_the_set,
    a_token_without_a_key_id_is_for_a_set_of_one_key,
];

async fn a_header_with_an_extension_that_must_be_understood_is_refused(database: Database) {
    let key = p256();
    let JwtServer { app, .. } = scene(database, &[("e", &key)]).await;
    let header = |more: Value| {
        let mut header = json!({"alg": "ES256", "kid": "e"});
        let more = more.as_object().unwrap().clone();
        header.as_object_mut().unwrap().extend(more);
        key.token_with(&header, &claims(json!({})))
    };
    assert_eq!(status_with(&app, &header(json!({}))).await, "Ok");
    for more in [
        json!({"crit": ["exp"], "exp": 1}),
        json!({"crit": ["b64"], "b64": false}),
        json!({"crit": ["urn:example:extension"], "urn:example:extension": true}),
        json!({"crit": []}),
        json!({"crit": null}),
        json!({"crit": "exp"}),
        json!({"b64": false}),
        json!({"kid": 7}),
        json!({"kid": ["e"]}),
        json!({"alg": ["ES256"]}),
        json!({"alg": "es256"}),
    ] {
        assert_eq!(
            status_with(&app, &header(more.clone())).await,
            INVALID,
            "{more}"
        );
    }
    // Keys and addresses of keys in a header are ignored.
    let stranger = p256();
    for more in [
        json!({"jwk": stranger.jwk("e")}),
        json!({"jku": "https://evil.example/keys"}),
    ] {
        let mut header = json!({"alg": "ES256", "kid": "e"});
        let object = header.as_object_mut().unwrap();
        object.extend(more.as_object().unwrap().clone());
        let forged = stranger.token_with(&header, &claims(json!({})));
        assert_eq!(status_with(&app, &forged).await, INVALID, "{more}");
    }
}

async fn a_token_of_another_type_is_refused(database: Database) {
    let key = ed25519();
    let JwtServer { app, .. } = scene(database, &[("d", &key)]).await;
    for (kind, expected) in [
        (json!("JWT"), "Ok"),
        (json!("jwt"), "Ok"),
        (json!("at+jwt"), "Ok"),
        (json!("AT+JWT"), "Ok"),
        (json!("application/at+jwt"), "Ok"),
        (json!("Application/JWT"), "Ok"),
        (json!("logout+jwt"), INVALID),
        (json!("secevent+jwt"), INVALID),
        (json!("dpop+jwt"), INVALID),
        (json!("JOSE"), INVALID),
        (json!("application/"), INVALID),
        (json!(""), INVALID),
        (json!(null), INVALID),
        (json!(["JWT"]), INVALID),
    ] {
        let header = json!({"alg": "EdDSA", "kid": "d", "typ": kind});
        let token = key.token_with(&header, &claims(json!({})));
        assert_eq!(status_with(&app, &token).await, expected, "{kind}");
    }
    let untyped = key.token_with(&json!({"alg": "EdDSA", "kid": "d"}), &claims(json!({})));
    assert_eq!(status_with(&app, &untyped).await, "Ok");
}

async fn claims_of_another_type_are_refused(database: Database) {
    let key = ed25519();
    let JwtServer { app, .. } = scene(database, &[("d", &key)]).await;
    let issuer = "https://id.example";
    for changes in [
        json!({"iss": [issuer]}),
        json!({"iss": [issuer, "https://evil.example"]}),
        json!({"iss": {"iss": issuer}}),
        json!({"iss": format!("{issuer}/")}),
        json!({"iss": issuer.to_uppercase()}),
        json!({"aud": ["other"]}),
        json!({"aud": []}),
        json!({"aud": [["user-import"]]}),
        json!({"aud": ["user-import", 7]}),
        json!({"aud": {"user-import": true}}),
        json!({"aud": true}),
        json!({"sub": 7}),
        json!({"sub": ["cad-job"]}),
        json!({"sub": ""}),
        json!({"sub": "\u{7} "}),
        json!({"exp": "9999999999"}),
        json!({"exp": [9_999_999_999_u64]}),
        json!({"exp": true}),
        json!({"exp": u64::MAX}),
        json!({"exp": 1e18}),
        json!({"nbf": false}),
        json!({"nbf": u64::MAX}),
    ] {
        let token = key.token("d", &claims(changes.clone()));
        assert_eq!(status_with(&app, &token).await, INVALID, "{changes}");
    }
    // `claims` leaves out members that are null, and a start time of null counts as absent.
    let mut with_null = claims(json!({}));
    with_null["nbf"] = Value::Null;
    assert_eq!(
        status_with(&app, &key.token("d", &with_null)).await,
        INVALID
    );
    let listed = claims(json!({"aud": ["other", "user-import"], "exp": 4_102_444_800.5}));
    assert_eq!(status_with(&app, &key.token("d", &listed)).await, "Ok");
}

/// Starts a server with the keys of this set.
async fn serve(database: Database, keys: &Value) -> JwtServer {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), json!({"keys": keys}).to_string()).unwrap();
    let settings = settings(JwtKeyLocation::File(file.path().to_owned()));
    let app = App::serve_closed(database, settings).await;
    JwtServer { app, file }
}

/// Returns the public half of a key, with these members.
fn with(key: &ProviderKey, id: &str, members: &Value) -> Value {
    let mut jwk = key.jwk(id);
    let object = jwk.as_object_mut().unwrap();
    object.extend(members.as_object().unwrap().clone());
    jwk
}

async fn a_key_that_is_not_for_signatures_verifies_none(database: Database) {
    let key = p256();
    let cases = [
        ("use", json!({"use": "sig"}), "Ok"),
        ("both", json!({"use": "sig", "key_ops": ["verify"]}), "Ok"),
        ("more", json!({"key_ops": ["sign", "verify"]}), "Ok"),
        ("alg", json!({"alg": "ES256"}), "Ok"),
        ("enc", json!({"use": "enc"}), INVALID),
        ("list", json!({"use": ["sig"]}), INVALID),
        ("nothing", json!({"key_ops": []}), INVALID),
        ("sign", json!({"key_ops": ["sign"]}), INVALID),
        ("text", json!({"key_ops": "verify"}), INVALID),
        (
            "apart",
            json!({"use": "sig", "key_ops": ["deriveKey"]}),
            INVALID,
        ),
        ("agree", json!({"alg": "ECDH-ES"}), INVALID),
        ("other", json!({"alg": "ES384"}), INVALID),
        ("curve", json!({"crv": "P-384"}), INVALID),
        ("type", json!({"kty": "RSA"}), INVALID),
    ];
    let keys: Value = cases
        .iter()
        .map(|(id, members, _)| with(&key, id, members))
        .collect();
    let JwtServer { app, .. } = serve(database, &keys).await;
    for (id, members, expected) in cases {
        let token = key.token(id, &claims(json!({})));
        assert_eq!(status_with(&app, &token).await, expected, "{members}");
    }
}

async fn two_keys_of_one_id_are_distinguished_by_their_family(database: Database) {
    let keys = [rsa(), p256(), ed25519()];
    let named: Vec<_> = keys.iter().map(|key| ("one", key)).collect();
    let JwtServer { app, file } = scene(database, &named).await;
    for key in &keys {
        let token = key.token("one", &claims(json!({})));
        assert_eq!(status_with(&app, &token).await, "Ok");
    }
    let stranger = p256().token("one", &claims(json!({})));
    assert_eq!(status_with(&app, &stranger).await, INVALID);
    // Also if they are of one kind: each of them is a key of the provider.
    let (old, new) = (p256(), p256());
    fs::write(file.path(), jwks(&[("one", &old), ("one", &new)])).unwrap();
    for key in [&new, &old] {
        let token = key.token("one", &claims(json!({})));
        while status_with(&app, &token).await != "Ok" {
            tokio::task::yield_now().await;
        }
    }
}

/// Returns keys that contain a secret, so that every reader of the set could sign with them.
fn with_secrets(good: &ProviderKey) -> Vec<Value> {
    let other = p256();
    let d = base64([7; 32]);
    vec![
        with(&other, "leaked", &json!({"d": d})),
        with(&other, "leaked", &json!({"d": d, "use": "enc"})),
        with(&other, "leaked", &json!({"d": null})),
        with(&rsa(), "leaked", &json!({"p": d})),
        with(&ed25519(), "leaked", &json!({"d": d})),
        ProviderKey::Secret(vec![7; 32]).jwk("leaked"),
        json!({"kty": "oct", "kid": "leaked"}),
        json!({"kty": "AKP", "kid": "leaked", "priv": d}),
        with(good, "leaked", &json!({"k": d})),
    ]
}

async fn a_set_with_a_private_key_is_refused_and_the_one_before_stays(database: Database) {
    let good = p256();
    let JwtServer { app, file } = scene(database, &[("e", &good)]).await;
    let next = ed25519();
    for leaked in with_secrets(&good) {
        let set = json!({"keys": [next.jwk("next"), leaked]});
        fs::write(file.path(), set.to_string()).unwrap();
        // Files are read again every 20 ms. The earlier keys stay valid all the time.
        for _ in 0..10 {
            assert_eq!(
                status_with(&app, &good.token("e", &claims(json!({})))).await,
                "Ok"
            );
        }
        let unseen = next.token("next", &claims(json!({})));
        assert_eq!(status_with(&app, &unseen).await, INVALID, "{leaked}");
    }
    fs::write(file.path(), jwks(&[("next", &next)])).unwrap();
    while status_with(&app, &next.token("next", &claims(json!({})))).await != "Ok" {
        tokio::task::yield_now().await;
    }
}

#[test]
fn a_private_key_in_a_set_is_refused_by_name() {
    let good = p256();
    for leaked in with_secrets(&good) {
        let set = json!({"keys": [good.jwk("e"), leaked]}).to_string();
        let error = KeySet::parse(set.as_bytes()).unwrap_err();
        let error = error.to_string();
        assert!(error.contains("the key \"leaked\""), "{error}");
        assert!(!error.contains(&base64([7; 32])), "{error}");
    }
}

/// Keys that no signature can be verified with. Each has another fault.
fn unusable(good: &ProviderKey) -> Vec<Value> {
    vec![
        json!({"kty": "RSA", "kid": "short", "n": base64([0xff; 128]), "e": "AQAB"}),
        json!({"kty": "RSA", "kid": "no exponent", "n": base64([0xff; 256])}),
        json!({"kty": "RSA", "kid": "one", "n": base64([0xff; 256]), "e": "AQ"}),
        json!({"kty": "EC", "crv": "P-521", "kid": "p521", "x": "AA", "y": "AA"}),
        with(good, "cut", &json!({"x": base64([1; 31])})),
        with(good, "broken", &json!({"x": "*"})),
        json!({"kty": "OKP", "crv": "X25519", "kid": "agreement", "x": base64([9; 32])}),
        json!({"kty": "OKP", "crv": "Ed448", "kid": "ed448", "x": base64([9; 57])}),
        json!({"kty": "unheard-of", "kid": "new"}),
        json!({"kid": "empty"}),
        with(good, "", &json!({"kid": 7})),
    ]
}

async fn keys_that_cannot_be_used_do_not_spoil_the_set(database: Database) {
    let good = p256();
    let mut keys = unusable(&good);
    keys.push(good.jwk("e"));
    let JwtServer { app, .. } = serve(database, &json!(keys)).await;
    assert_eq!(
        status_with(&app, &good.token("e", &claims(json!({})))).await,
        "Ok"
    );
    let agreement = ed25519().token("agreement", &claims(json!({})));
    assert_eq!(status_with(&app, &agreement).await, INVALID);
}

#[test]
fn keys_that_cannot_be_used_are_named() {
    let good = p256();
    let mut keys = unusable(&good);
    let names: Vec<_> = keys
        .iter()
        .map(|key| match key["kid"].as_str() {
            Some(id) => format!("the key \"{id}\": "),
            None => "key 11 (without a kid): ".to_owned(),
        })
        .collect();
    let alone = json!({"keys": keys}).to_string();
    assert!(KeySet::parse(alone.as_bytes()).is_err());
    keys.push(good.jwk("e"));
    let set = json!({"keys": keys}).to_string();
    let set = KeySet::parse(set.as_bytes()).unwrap();
    assert_eq!((set.len(), set.unusable().len()), (1, names.len()));
    for (reason, name) in set.unusable().iter().zip(names) {
        assert!(reason.starts_with(&name), "{reason}");
    }
}

async fn a_token_without_a_key_id_is_for_a_set_of_one_key(database: Database) {
    let key = p256();
    let JwtServer { app, file } = scene(database, &[("e", &key)]).await;
    let unnamed = key.token_with(&json!({"alg": "ES256"}), &claims(json!({})));
    assert_eq!(status_with(&app, &unnamed).await, "Ok");
    fs::write(file.path(), jwks(&[("e", &key), ("r", &rsa())])).unwrap();
    while status_with(&app, &unnamed).await == "Ok" {
        tokio::task::yield_now().await;
    }
    let named = key.token("e", &claims(json!({})));
    assert_eq!(status_with(&app, &named).await, "Ok");
}
