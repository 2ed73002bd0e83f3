//! quiche as an endpoint of quic-interop-runner. It starts no key update, marks no ECN, speaks version 1 only, and BoringSSL offers every
//! cipher suite of TLS 1.3 it has: the cases that need these are not supported.

mod client;
mod datagrams;
#[path = "../../../../runner-environment.rs"]
mod environment;
mod server;

use environment::{Environment, Outcome, Role};

const BOTH: &[&str] = &["handshake", "transfer", "retry", "resumption", "zerortt", "http3", "multiconnect"];
const WINDOW: u64 = 1 << 20;
const STREAMS: u64 = 100;

fn supported(role: Role, testcase: &str) -> bool {
    BOTH.contains(&testcase) || (role == Role::Server && testcase == "chacha20")
}

fn config(environment: &Environment) -> Outcome<quiche::Config> {
    let mut config = quiche::Config::new(quiche::PROTOCOL_VERSION)?;
    config.set_application_protos(&[if environment.is("http3") { b"h3".as_slice() } else { b"hq-interop".as_slice() }])?;
    // With 30 % loss, probes that back off may have nothing to show for a minute.
    config.set_max_idle_timeout(180_000);
    config.set_max_recv_udp_payload_size(datagrams::LARGEST);
    config.set_max_send_udp_payload_size(datagrams::LARGEST);
    config.set_initial_max_data(10 * WINDOW);
    config.set_initial_max_stream_data_bidi_local(WINDOW);
    config.set_initial_max_stream_data_bidi_remote(WINDOW);
    config.set_initial_max_stream_data_uni(WINDOW);
    config.set_initial_max_streams_bidi(STREAMS);
    config.set_initial_max_streams_uni(STREAMS);
    config.set_active_connection_id_limit(4);
    config.verify_peer(false);
    config.log_keys();
    if environment.is("zerortt") {
        config.enable_early_data();
        // A ClientHello of two datagrams leaves too little of ten packets of 1200 bytes for the requests.
        config.set_initial_congestion_window_packets(12);
    }
    Ok(config)
}

fn random<const N: usize>() -> Outcome<[u8; N]> {
    let mut bytes = [0; N];
    boring::rand::rand_bytes(&mut bytes)?;
    Ok(bytes)
}

/// Appends to SSLKEYLOGFILE, if there is one.
fn log_keys(connection: &mut quiche::Connection) -> Outcome<()> {
    if let Some(path) = std::env::var_os("SSLKEYLOGFILE") {
        connection.set_keylog(Box::new(std::fs::OpenOptions::new().create(true).append(true).open(path)?));
    }
    Ok(())
}

fn main() -> Outcome<()> {
    let environment = Environment::read(supported)?;
    match environment.role {
        Role::Client => client::run(&environment),
        Role::Server => server::run(&environment),
    }
}
