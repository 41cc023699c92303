//! Whose tokens are believed: an identity provider's by its published keys, a small site's by its secret, nobody else's.

use std::sync::Arc;

use greenwave::shell::clock;
use greenwave::shell::http::{Issuer, Jwks};
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rsa::RsaPrivateKey;
use rsa::pkcs1::{EncodeRsaPrivateKey, EncodeRsaPublicKey};
use rsa::rand_core::OsRng;
use serde_json::{Value, json};

use crate::client::Room;

const ISSUER: &str = "https://login.example";
const AUDIENCE: &str = "greenwave";

/// An Ed25519 key of 32 equal bytes, as PKCS#8 has it: for tests alone.
fn ed25519(byte: u8) -> EncodingKey {
    let mut der = vec![0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    der.extend([byte; 32]);
    EncodingKey::from_ed_der(&der)
}

fn published(key: &EncodingKey, algorithm: Algorithm, id: &str) -> Jwk {
    let mut jwk = Jwk::from_encoding_key(key, algorithm).expect("it has a public half");
    jwk.common.key_id = Some(id.into());
    jwk
}

fn token(key: &EncodingKey, algorithm: Algorithm, id: Option<&str>, claims: &Value) -> String {
    let header = Header { kid: id.map(str::to_owned), ..Header::new(algorithm) };
    encode(&header, claims, key).expect("it signs")
}

#[test]
fn keys_that_a_provider_published_are_believed_and_no_others() {
    let (known, unknown) = (ed25519(7), ed25519(8));
    let private = RsaPrivateKey::new(&mut OsRng, 2048).expect("luck with primes");
    let rsa = EncodingKey::from_rsa_der(private.to_pkcs1_der().expect("plain numbers").as_bytes());
    let public = private.to_public_key().to_pkcs1_der().expect("plain numbers");
    let keys = vec![published(&known, Algorithm::EdDSA, "ed"), published(&rsa, Algorithm::RS256, "rsa")];
    let set = JwkSet { keys };
    let secret = b"a small site's secret of forty bytes ...".to_vec();
    let issuers = vec![
        Issuer::Keys { keys: Arc::new(Jwks::of(set)), issuer: ISSUER.into(), audience: AUDIENCE.into() },
        Issuer::Secret(secret.clone()),
    ];
    let room = Room::open(issuers, &[]);
    let zone = room.spec.zones[0].id.clone();
    let now = clock::now().ms() / 1000;
    let grants = json!([{"zone": zone, "role": "operator"}]);
    let sound = json!({"sub": "ann", "exp": now + 600, "iss": ISSUER, "aud": AUDIENCE, "greenwave": grants});
    let but = |field: &str, value: Value| {
        let mut claims = sound.clone();
        claims[field] = value;
        claims
    };
    let without = |field: &str| {
        let mut claims = sound.clone();
        claims.as_object_mut().expect("claims").remove(field);
        claims
    };
    let ed = |claims: &Value| token(&known, Algorithm::EdDSA, Some("ed"), claims);
    let shared = EncodingKey::from_secret(&secret);
    let hs = |claims: &Value| token(&shared, Algorithm::HS256, None, claims);
    // (what, token, answer)
    for (what, token, answer) in [
        ("EdDSA", ed(&sound), 200),
        ("RS256", token(&rsa, Algorithm::RS256, Some("rsa"), &sound), 200),
        ("HS256 with the site's secret", hs(&sound), 200),
        (
            "a zone that is not here gives nothing, but it is a token",
            ed(&but("greenwave", json!([{"zone": "Atlantis", "role": "operator"}]))),
            200,
        ),
        ("a key that nobody published", token(&unknown, Algorithm::EdDSA, Some("ed"), &sound), 401),
        ("a key of another name", token(&known, Algorithm::EdDSA, Some("other"), &sound), 401),
        ("no name of a key", token(&known, Algorithm::EdDSA, None, &sound), 401),
        ("one key under the other's name", token(&rsa, Algorithm::RS256, Some("ed"), &sound), 401),
        ("another issuer", ed(&but("iss", json!("https://evil.example"))), 401),
        ("another audience", ed(&but("aud", json!("lunch"))), 401),
        ("no issuer", ed(&without("iss")), 401),
        ("no audience", ed(&without("aud")), 401),
        ("expired", ed(&but("exp", json!(now - 60))), 401),
        ("not yet", ed(&but("nbf", json!(now + 600))), 401),
        ("no end", ed(&without("exp")), 401),
        ("another secret", token(&EncodingKey::from_secret(b"guess"), Algorithm::HS256, None, &sound), 401),
        (
            "the provider's public key as a secret",
            token(&EncodingKey::from_secret(public.as_bytes()), Algorithm::HS256, None, &sound),
            401,
        ),
        ("a role that does not exist", ed(&but("greenwave", json!([{"zone": zone, "role": "king"}]))), 401),
        ("nonsense", "a.b.c".into(), 401),
        ("unsigned", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4ifQ.".into(), 401),
    ] {
        let (status, body) = room.ask(Some(&token), "/api/me", None);
        assert_eq!(status, answer, "{what}: {body}");
        if status == 200 {
            assert_eq!(body["name"], "ann", "{what}");
        }
    }
}
