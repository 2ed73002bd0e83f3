//! Asks for REQUESTS.

use crate::environment::{Environment, Outcome, Request};
use crate::runner_rustls;
use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs;
use s2n_quic::client::Connect;
use s2n_quic::provider::tls;
use s2n_quic::{application, Client, Connection};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::slice;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// For the last CONNECTION_CLOSE to be sent.
const LINGER: Duration = Duration::from_millis(500);

pub async fn run(environment: Arc<Environment>) -> Outcome<()> {
    let tls = runner_rustls::client(&environment, aws_lc_rs::default_provider(), crate::PROTOCOL, Resumption::disabled())?;
    let address = environment.requests[0].address()?;
    let local: IpAddr = if address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let mut client = Client::builder()
        .with_tls(tls::rustls::Client::from(tls))?
        .with_io(crate::io(&environment, SocketAddr::new(local, 0))?)?
        .with_limits(crate::limits()?)?
        .start()?;
    let server = Connect::new(address).with_server_name(environment.requests[0].host.as_str());
    let requests = &environment.requests;

    if environment.is("multiconnect") {
        for request in requests {
            download(client.connect(server.clone()).await?, slice::from_ref(request), &environment).await?;
        }
    } else {
        download(client.connect(server).await?, requests, &environment).await?;
    }
    let _ = timeout(LINGER, client.wait_idle()).await;
    Ok(())
}

/// All at once, as far as the peer lets streams be opened; then the connection is closed.
async fn download(mut connection: Connection, requests: &[Request], environment: &Arc<Environment>) -> Outcome<()> {
    let mut downloads = JoinSet::new();
    for request in requests {
        let mut stream = connection.open_bidirectional_stream().await?;
        let (request, environment) = (request.clone(), environment.clone());
        downloads.spawn(async move {
            stream.send(request.line().into()).await?;
            stream.finish()?;
            let mut body = Vec::new();
            while let Some(part) = stream.receive().await? {
                body.extend_from_slice(&part);
            }
            Outcome::Ok(environment.save(&request, &body)?)
        });
    }
    while let Some(done) = downloads.join_next().await {
        done??;
    }
    // Its code is 0.
    connection.close(application::Error::UNKNOWN);
    Ok(())
}
