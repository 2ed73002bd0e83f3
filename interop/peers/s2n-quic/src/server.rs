//! Serves WWW.

use crate::environment::{requested_path, Environment, Outcome};
use crate::runner_rustls;
use rustls::crypto::aws_lc_rs;
use s2n_quic::provider::{endpoint_limits, tls};
use s2n_quic::stream::BidirectionalStream;
use s2n_quic::{Connection, Server};
use std::sync::Arc;

const REFUSED: u32 = 1;

pub async fn run(environment: Arc<Environment>) -> Outcome<()> {
    let tls = runner_rustls::server(&environment, aws_lc_rs::default_provider(), crate::PROTOCOL)?;
    let attempts = endpoint_limits::Default::builder();
    // Retry is for the attempts above that number.
    let attempts = if environment.is("retry") { attempts.with_inflight_handshake_limit(0)? } else { attempts };
    let mut server = Server::builder()
        .with_tls(tls::rustls::Server::from(tls))?
        .with_io(crate::io(&environment, environment.listen)?)?
        .with_limits(crate::limits()?)?
        .with_endpoint_limits(attempts.build()?)?
        .start()?;
    while let Some(connection) = server.accept().await {
        tokio::spawn(serve(connection, environment.clone()));
    }
    Ok(())
}

async fn serve(mut connection: Connection, environment: Arc<Environment>) {
    while let Ok(Some(stream)) = connection.accept_bidirectional_stream().await {
        let environment = environment.clone();
        tokio::spawn(async move {
            if let Err(error) = answer(stream, &environment).await {
                eprintln!("stream: {error}");
            }
        });
    }
}

async fn answer(mut stream: BidirectionalStream, environment: &Environment) -> Outcome<()> {
    let mut line = Vec::new();
    while let Some(part) = stream.receive().await? {
        line.extend_from_slice(&part);
    }
    match requested_path(&line).and_then(|path| environment.file(path)) {
        Some(body) => {
            stream.send(body.into()).await?;
            stream.close().await?;
        }
        None => stream.reset(REFUSED.into())?,
    }
    Ok(())
}
