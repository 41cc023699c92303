//! The page, as it was built into the binary; without Node at build time, how to get it.

use axum::extract::Path;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use include_dir::{Dir, include_dir};

use super::problem::Problem;

static PAGE: Dir<'_> = include_dir!("$OUT_DIR/page");

/// Scripts, styles and data of its own; tiles from wherever a city's style has them.
const POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob: https:; \
                      connect-src 'self' https:; worker-src 'self' blob:; frame-ancestors 'none'";

const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><title>Greenwave</title><body><h1>Greenwave</h1><p>The API \
    is here: <a href=\"/api/openapi.json\">/api/openapi.json</a>. This binary was built without the page: install \
    Node.js 20.19 or later with npm, and build again with <code>cargo build --release</code>.</p></body></html>";

pub(super) async fn index() -> Response {
    let page = PAGE.get_file("index.html").and_then(|file| file.contents_utf8()).unwrap_or(NOT_BUILT);
    ([(header::CONTENT_SECURITY_POLICY, POLICY)], Html(page)).into_response()
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
