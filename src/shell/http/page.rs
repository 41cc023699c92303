//! The page, as it was built into the binary; without Node at build time, how to get it.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use include_dir::{Dir, include_dir};

use super::Site;
use super::problem::Problem;

static PAGE: Dir<'_> = include_dir!("$OUT_DIR/page");

/// Scripts, styles and data of its own and nothing else.
const POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; \
                      connect-src 'self'; worker-src 'self' blob:; frame-ancestors 'none'";
/// A city's own style beside that, with tiles from wherever that has them.
const STYLED: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob: https:; \
                      connect-src 'self' https:; worker-src 'self' blob:; frame-ancestors 'none'";

const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><title>Greenwave</title><body><h1>Greenwave</h1><p>The API \
    is here: <a href=\"/api/openapi.json\">/api/openapi.json</a>. This binary was built without the page: install \
    Node.js 20.19 or later with npm, and build again with <code>cargo build --release</code>.</p></body></html>";

/// The page.
#[utoipa::path(get, path = "/", responses((status = 200, content_type = "text/html", body = String)))]
pub(super) async fn index(State(site): State<Arc<Site>>) -> Response {
    let page = PAGE.get_file("index.html").and_then(|file| file.contents_utf8()).unwrap_or(NOT_BUILT);
    let policy = if site.style.is_some() { STYLED } else { POLICY };
    ([(header::CONTENT_SECURITY_POLICY, policy)], Html(page)).into_response()
}

pub(super) async fn asset(Path(path): Path<String>) -> Response {
    let Some(file) = PAGE.get_file(format!("assets/{path}")) else {
        return Problem::new(StatusCode::NOT_FOUND, "there is no such part of the page").into_response();
    };
    let kind = match path.rsplit('.').next() {
        Some("js") => "text/javascript",
        Some("css") => "text/css",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    };
    // Names of assets carry a hash of their content.
    let for_ever = HeaderValue::from_static("public, max-age=31536000, immutable");
    ([(header::CONTENT_TYPE, HeaderValue::from_static(kind)), (header::CACHE_CONTROL, for_ever)], file.contents())
        .into_response()
}
