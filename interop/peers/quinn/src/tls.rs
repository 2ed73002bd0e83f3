//! The TLS of quinn's configurations.

use crate::environment::{Environment, Outcome};
use crate::runner_rustls;
use crate::tickets::Tickets;
use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use rustls::client::Resumption;
use rustls::crypto::ring;
use rustls::quic::Suite;
use rustls::{CipherSuite, SupportedCipherSuite};
use std::sync::Arc;

fn protocol(environment: &Environment) -> &'static [u8] {
    if environment.is("http3") { b"h3" } else { b"hq-interop" }
}

/// What protects Initial packets, whatever is offered.
fn initial_suite() -> Outcome<Suite> {
    let suites = ring::default_provider().cipher_suites;
    let aes = suites.iter().find(|suite| suite.suite() == CipherSuite::TLS13_AES_128_GCM_SHA256);
    let suite = aes.and_then(SupportedCipherSuite::tls13).and_then(|suite| suite.quic_suite());
    Ok(suite.ok_or("there is no AES-128-GCM")?)
}

pub fn server(environment: &Environment) -> Outcome<quinn::ServerConfig> {
    let mut tls = runner_rustls::server(environment, ring::default_provider(), protocol(environment))?;
    tls.max_early_data_size = u32::MAX;
    let mut config = quinn::ServerConfig::with_crypto(Arc::new(QuicServerConfig::with_initial(Arc::new(tls), initial_suite()?)?));
    config.transport_config(crate::transport(environment));
    Ok(config)
}

pub fn client(environment: &Environment, tickets: Arc<Tickets>) -> Outcome<quinn::ClientConfig> {
    // The handshakes of multiconnect are to be full ones.
    let resumption = if environment.is("multiconnect") { Resumption::disabled() } else { Resumption::store(tickets) };
    let mut tls = runner_rustls::client(environment, ring::default_provider(), protocol(environment), resumption)?;
    tls.enable_early_data = environment.is("zerortt");
    let mut config = quinn::ClientConfig::new(Arc::new(QuicClientConfig::with_initial(Arc::new(tls), initial_suite()?)?));
    config.transport_config(crate::transport(environment));
    Ok(config)
}
