//! Who is asking: bearer tokens of outside issuers and of this cockpit itself, and the word that lets the first one in.

use std::sync::{Arc, Mutex};

use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::jwks::Jwks;
use super::problem::{Body, Problem};
use super::{Site, hold};
use crate::authority::{Authority, Grant, Role};
use crate::network::Network;
use crate::shell::clock;

/// Tokens of this cockpit are good for so long, s.
const GOOD_FOR_S: u64 = 12 * 3600;

/// Whose tokens are believed.
#[derive(Debug, Clone)]
pub enum Issuer {
    /// A secret shared with a small site's own issuer: HS256.
    Secret(Vec<u8>),
    /// The public keys of an identity provider, RS256 or EdDSA, with the `iss` and `aud` that its tokens must carry.
    Keys {
        /// Its JWKS.
        keys: Arc<Jwks>,
        /// `iss`.
        issuer: String,
        /// `aud`.
        audience: String,
    },
}

/// Everything tokens are checked with.
pub struct Keys {
    network: Arc<Network>,
    own: (EncodingKey, DecodingKey),
    once: Mutex<Option<String>>,
    issuers: Vec<Issuer>,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys").finish_non_exhaustive()
    }
}

fn random() -> std::io::Result<String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|e| std::io::Error::other(e.to_string()))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

impl Keys {
    /// Keys with a secret of their own, drawn now, and the word that opens the first session.
    pub(super) fn new(network: Arc<Network>, issuers: Vec<Issuer>) -> std::io::Result<(Self, String)> {
        let (secret, once) = (random()?, random()?[..24].to_owned());
        let own = (EncodingKey::from_secret(secret.as_bytes()), DecodingKey::from_secret(secret.as_bytes()));
        Ok((Self { network, own, once: Mutex::new(Some(once.clone())), issuers }, once))
    }

    fn issue(&self, name: &str, grants: Vec<GrantView>) -> Result<TokenView, Problem> {
        let exp = u64::try_from(clock::now().ms() / 1000).unwrap_or_default() + GOOD_FOR_S;
        let claims = Claims { sub: name.into(), exp, greenwave: grants };
        let token = encode(&Header::new(Algorithm::HS256), &claims, &self.own.0);
        let token = token.map_err(|e| Problem::wrong(format!("token: {e}")))?;
        Ok(TokenView { token, expires_ms: exp * 1000 })
    }

    fn seat(&self, token: &str) -> Result<Seat, Problem> {
        let wrong = || Problem::stranger("the token is not valid here, or not any more");
        let header = decode_header(token).map_err(|_| wrong())?;
        let claims = self.claims(token, &header).ok_or_else(wrong)?;
        let grant = |g: &GrantView| Some(Grant { zone: self.network.zone_named(&g.zone)?, role: g.role });
        let authority = Authority::of(claims.greenwave.iter().filter_map(grant).collect());
        Ok(Seat { name: claims.sub, authority, expires_ms: claims.exp.saturating_mul(1000) })
    }

    fn claims(&self, token: &str, header: &Header) -> Option<Claims> {
        let read = |key: &DecodingKey, mut rules: Validation| {
            rules.leeway = 5;
            rules.validate_nbf = true;
            decode::<Claims>(token, key, &rules).ok().map(|data| data.claims)
        };
        match header.alg {
            Algorithm::HS256 => {
                let own = read(&self.own.1, Validation::new(Algorithm::HS256));
                own.or_else(|| {
                    self.issuers.iter().find_map(|issuer| match issuer {
                        Issuer::Secret(s) => {
                            // Whom a small site's own issuer means its tokens for is its own affair.
                            let mut rules = Validation::new(Algorithm::HS256);
                            rules.validate_aud = false;
                            read(&DecodingKey::from_secret(s), rules)
                        }
                        Issuer::Keys { .. } => None,
                    })
                })
            }
            alg @ (Algorithm::RS256 | Algorithm::EdDSA) => self.issuers.iter().find_map(|known| {
                let Issuer::Keys { keys, issuer, audience } = known else { return None };
                let mut rules = Validation::new(alg);
                rules.set_issuer(&[issuer]);
                rules.set_audience(&[audience]);
                rules.set_required_spec_claims(&["exp", "iss", "aud"]);
                let key = keys.key(header.kid.as_deref()?)?;
                read(&key, rules)
            }),
            _ => None,
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    sub: String,
    exp: u64,
    #[serde(default)]
    greenwave: Vec<GrantView>,
}

/// A role on a zone and all below it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(super) struct GrantView {
    /// The zone, as the network names it.
    zone: String,
    /// The role there and everywhere below.
    #[schema(value_type = String, example = "operator")]
    role: Role,
}

/// Who is asking, and what they may do.
#[derive(Debug, Clone)]
pub(super) struct Seat {
    pub(super) name: String,
    pub(super) authority: Authority,
    pub(super) expires_ms: u64,
}

impl FromRequestParts<Arc<Site>> for Seat {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, Problem> {
        let header = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = header.and_then(|value| value.strip_prefix("Bearer "));
        site.keys.seat(token.ok_or_else(|| Problem::stranger("a bearer token is missing"))?)
    }
}

/// The word that opens the first session.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct OneTime {
    /// As it was printed at the start. It works once.
    one_time: String,
}

/// A bearer token.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TokenView {
    /// For `Authorization: Bearer`.
    token: String,
    /// Until when it is good.
    expires_ms: u64,
}

/// Opens the first session with the word that was printed at the start.
#[utoipa::path(post, path = "/api/session", request_body = OneTime, responses(
    (status = 200, body = TokenView),
    (status = 401, body = Problem, description = "the word is wrong, or was used before"),
    (status = 422, body = Problem),
))]
pub(super) async fn session(
    State(site): State<Arc<Site>>,
    Body(OneTime { one_time }): Body<OneTime>,
) -> Result<Json<TokenView>, Problem> {
    let mut once = hold(&site.keys.once);
    if once.as_deref() != Some(&*one_time) {
        return Err(Problem::stranger("the word is wrong, or was used before"));
    }
    let all = site.network.zones().values().filter(|z| z.parent.is_none());
    let grants = all.map(|z| GrantView { zone: z.name.to_string(), role: Role::Administrator }).collect();
    let token = site.keys.issue("local administrator", grants)?;
    *once = None;
    Ok(Json(token))
}

/// Who is asking.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Me {
    name: String,
    grants: Vec<GrantView>,
    expires_ms: u64,
    /// Kinds of commands that a second person has to approve.
    dual: Vec<String>,
}

/// Who you are here, and what you may do.
#[utoipa::path(get, path = "/api/me", security(("bearer" = [])), responses(
    (status = 200, body = Me), (status = 401, body = Problem),
))]
pub(super) async fn me(State(site): State<Arc<Site>>, seat: Seat) -> Json<Me> {
    let zone = |g: &Grant| GrantView { zone: site.network.zones()[g.zone].name.to_string(), role: g.role };
    let grants = seat.authority.grants().iter().map(zone).collect();
    Json(Me { name: seat.name, grants, expires_ms: seat.expires_ms, dual: site.dual.clone() })
}

/// Whom to let in.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct Mint {
    /// Who: 1 to 80 characters.
    name: String,
    /// What they may do, 1 to 20 grants.
    grants: Vec<GrantView>,
}

/// Gives somebody a token, within the authority of who gives it.
#[utoipa::path(post, path = "/api/tokens", request_body = Mint, security(("bearer" = [])), responses(
    (status = 200, body = TokenView), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem), (status = 422, body = Problem),
))]
pub(super) async fn mint(
    State(site): State<Arc<Site>>,
    seat: Seat,
    Body(Mint { name, grants }): Body<Mint>,
) -> Result<Json<TokenView>, Problem> {
    if !(1..=80).contains(&name.chars().count()) || name == seat.name {
        return Err(Problem::wrong("name: must be 1 to 80 characters and not your own"));
    }
    if !(1..=20).contains(&grants.len()) {
        return Err(Problem::wrong(format!("grants: {} are not within 1 to 20", grants.len())));
    }
    for grant in &grants {
        let zone = site.zone(&grant.zone)?;
        if !seat.authority.may_give(site.network.zones(), Grant { zone, role: grant.role }) {
            return Err(Problem::forbidden(&format!("zone {}", grant.zone)));
        }
    }
    let zones = grants.iter().map(|g| g.zone.clone()).collect();
    site.book(&seat, format!("token for {name}: {grants:?}"), zones, "", "", "token")?;
    Ok(Json(site.keys.issue(&name, grants)?))
}
