//! quinn as an endpoint of quic-interop-runner: HTTP/0.9 on quinn alone, HTTP/3 with h3.

mod client;
#[path = "../../runner-environment.rs"]
mod environment;
#[path = "../../runner-rustls.rs"]
mod runner_rustls;
mod server;
mod tickets;
mod tls;

use environment::{Environment, Outcome, Role};
use quinn::TransportConfig;
use std::sync::Arc;

const BOTH: &[&str] = &["handshake", "transfer", "chacha20", "retry", "resumption", "zerortt", "http3", "multiconnect", "ecn"];

fn supported(role: Role, testcase: &str) -> bool {
    BOTH.contains(&testcase) || (role == Role::Client && testcase == "keyupdate")
}

fn transport(environment: &Environment) -> Arc<TransportConfig> {
    let mut transport = TransportConfig::default();
    // The containers of the runner have no offload either.
    transport.enable_segmentation_offload(false);
    // With 30 % loss, probes that back off may have nothing to show for a minute; and a client that only listens would never be heard at a new
    // address.
    transport.max_idle_timeout(Some(quinn::VarInt::from_u32(180_000).into()));
    transport.keep_alive_interval(Some(std::time::Duration::from_secs(1)));
    // Probes for a larger MTU count as payload there, and are more packets that may be lost.
    if environment.is("zerortt") || environment.is("multiconnect") {
        transport.mtu_discovery_config(None);
    }
    Arc::new(transport)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let environment = Arc::new(Environment::read(supported)?);
    match environment.role {
        Role::Client => client::run(environment).await,
        Role::Server => server::run(environment).await,
    }
}
