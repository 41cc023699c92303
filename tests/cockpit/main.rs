//! The cockpit's API over HTTP: who may do what where, live updates, whose tokens are believed.

mod authority;
#[path = "../kafka/bootstrap.rs"]
mod bootstrap;
mod client;
mod demo;
mod duty;
mod issuers;
mod live;
mod on_kafka;
mod oracle;
mod routes;
mod waves;
