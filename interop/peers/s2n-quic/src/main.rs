//! s2n-quic as an endpoint of quic-interop-runner: HTTP/0.9. There is no HTTP/3 for it on crates.io; nothing in its interface starts a key
//! update; with rustls it neither sends nor reads session tickets, so there is no resumption and no 0-RTT.

mod client;
#[path = "../../runner-environment.rs"]
mod environment;
#[path = "../../runner-rustls.rs"]
mod runner_rustls;
mod server;

use environment::{Environment, Outcome, Role};
use s2n_quic::provider::{io, limits};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

const PROTOCOL: &[u8] = b"hq-interop";

fn supported(_role: Role, testcase: &str) -> bool {
    ["handshake", "transfer", "chacha20", "retry", "multiconnect", "ecn"].contains(&testcase)
}

fn limits() -> Outcome<limits::Limits> {
    // Losing 30 % of the packets takes handshakes longer than the 10 s they have.
    Ok(limits::Limits::new().with_max_handshake_duration(Duration::from_secs(60))?)
}

fn io(environment: &Environment, address: SocketAddr) -> Outcome<io::Default> {
    // The containers of the runner have no offload either.
    let mut io = io::Default::builder().with_receive_address(address)?.with_gso_disabled()?;
    if environment.is("multiconnect") {
        io = io.with_max_mtu(1228)?;
    }
    Ok(io.build()?)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let environment = Arc::new(Environment::read(supported)?);
    match environment.role {
        Role::Client => client::run(environment).await,
        Role::Server => server::run(environment).await,
    }
}
