//! Asks for REQUESTS.

use crate::environment::{Environment, Outcome, Request};
use crate::tickets::Tickets;
use bytes::{Buf, Bytes};
use quinn::{Connecting, Connection, Endpoint, VarInt};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::timeout;

const LARGEST_FILE: usize = 100 << 20;
const PATIENCE_FOR_TICKETS: Duration = Duration::from_secs(10);
/// For the last CONNECTION_CLOSE to be sent.
const LINGER: Duration = Duration::from_millis(500);

pub async fn run(environment: Arc<Environment>) -> Outcome<()> {
    let tickets = Arc::new(Tickets::new());
    let server = environment.requests[0].address()?;
    let mut endpoint = Endpoint::client(SocketAddr::new(unspecified(server), 0))?;
    endpoint.set_default_client_config(crate::tls::client(&environment, tickets.clone())?);
    let connect = |request: &Request| endpoint.connect(server, &request.host);
    let requests = &environment.requests;

    match environment.testcase.as_str() {
        "multiconnect" => {
            for request in requests {
                let connection = connect(request)?.await?;
                download(&connection, std::slice::from_ref(request), &environment).await?;
                close(&connection);
            }
        }
        "resumption" | "zerortt" => {
            let (first, rest) = requests.split_first().ok_or("REQUESTS is empty")?;
            let connection = connect(first)?.await?;
            download(&connection, std::slice::from_ref(first), &environment).await?;
            timeout(PATIENCE_FOR_TICKETS, tickets.first()).await.map_err(|_| "no ticket came")?;
            close(&connection);
            let connecting = connect(first)?;
            if environment.is("zerortt") { early(connecting, rest, &environment).await? } else { late(connecting, rest, &environment).await? }
        }
        _ => late(connect(&requests[0])?, requests, &environment).await?,
    }
    let _ = timeout(LINGER, endpoint.wait_idle()).await;
    Ok(())
}

fn unspecified(server: SocketAddr) -> IpAddr {
    if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() }
}

fn close(connection: &Connection) {
    connection.close(VarInt::from_u32(0), b"");
}

async fn late(connecting: Connecting, requests: &[Request], environment: &Arc<Environment>) -> Outcome<()> {
    let connection = connecting.await?;
    if environment.is("http3") {
        return http3(connection, requests, environment).await;
    }
    if environment.is("keyupdate") {
        let updating = connection.clone();
        tokio::spawn(async move {
            // Not before the handshake is confirmed, of which quinn says nothing.
            tokio::time::sleep(3 * updating.rtt()).await;
            updating.force_key_update();
        });
    }
    download(&connection, requests, environment).await?;
    close(&connection);
    Ok(())
}

/// The requests in 0-RTT, again on the same connection if the server refuses that.
async fn early(connecting: Connecting, requests: &[Request], environment: &Arc<Environment>) -> Outcome<()> {
    let (connection, accepted) = connecting.into_0rtt().map_err(|_| "the session allows no 0-RTT")?;
    let early = download(&connection, requests, environment).await;
    if accepted.await {
        early?;
    } else {
        eprintln!("0-RTT was refused");
        download(&connection, requests, environment).await?;
    }
    close(&connection);
    Ok(())
}

/// All at once, as far as the peer lets streams be opened.
async fn download(connection: &Connection, requests: &[Request], environment: &Arc<Environment>) -> Outcome<()> {
    let mut downloads = JoinSet::new();
    for request in requests {
        let (mut send, mut receive) = connection.open_bi().await?;
        send.write_all(request.line().as_bytes()).await?;
        send.finish()?;
        let (request, environment) = (request.clone(), environment.clone());
        downloads.spawn(async move {
            let body = receive.read_to_end(LARGEST_FILE).await?;
            Outcome::Ok(environment.save(&request, &body)?)
        });
    }
    while let Some(done) = downloads.join_next().await {
        done??;
    }
    Ok(())
}

async fn http3(connection: Connection, requests: &[Request], environment: &Arc<Environment>) -> Outcome<()> {
    let (mut driver, sender) = h3::client::new(h3_quinn::Connection::new(connection.clone())).await?;
    let driving = tokio::spawn(async move { driver.wait_idle().await });
    let mut downloads = JoinSet::new();
    for request in requests {
        let (mut sender, request, environment) = (sender.clone(), request.clone(), environment.clone());
        downloads.spawn(async move {
            let url = format!("https://{}:{}{}", request.host, request.port, request.path);
            let mut stream = sender.send_request(http::Request::get(url).body(())?).await?;
            stream.finish().await?;
            let status = stream.recv_response().await?.status();
            if status != 200 {
                return Err(format!("{}: {status}", request.path).into());
            }
            let mut body = Vec::new();
            while let Some(mut part) = stream.recv_data().await? {
                let length = part.remaining();
                let bytes: Bytes = part.copy_to_bytes(length);
                body.extend_from_slice(&bytes);
            }
            Outcome::Ok(environment.save(&request, &body)?)
        });
    }
    while let Some(done) = downloads.join_next().await {
        done??;
    }
    connection.close(VarInt::from_u32(0x100), b"");
    driving.abort();
    Ok(())
}
