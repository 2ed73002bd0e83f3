//! Serves WWW.

use crate::environment::{requested_path, Environment, Outcome};
use bytes::Bytes;
use quinn::{Connection, Endpoint, RecvStream, SendStream, VarInt};
use std::sync::Arc;

const REFUSED: VarInt = VarInt::from_u32(1);
const LONGEST_REQUEST: usize = 4096;

pub async fn run(environment: Arc<Environment>) -> Outcome<()> {
    let endpoint = Endpoint::server(crate::tls::server(&environment)?, environment.listen)?;
    while let Some(incoming) = endpoint.accept().await {
        if environment.is("retry") && !incoming.remote_address_validated() {
            incoming.retry()?;
            continue;
        }
        let environment = environment.clone();
        tokio::spawn(async move {
            let Ok(connecting) = incoming.accept() else { return };
            let served = match connecting.await {
                Ok(connection) if environment.is("http3") => http3(connection, environment).await,
                Ok(connection) => http09(connection, environment).await,
                Err(error) => Err(error.into()),
            };
            if let Err(error) = served {
                eprintln!("connection: {error}");
            }
        });
    }
    Ok(())
}

/// Until the connection ends, which is the only end it has.
async fn http09(connection: Connection, environment: Arc<Environment>) -> Outcome<()> {
    loop {
        let (send, receive) = connection.accept_bi().await?;
        let environment = environment.clone();
        tokio::spawn(async move {
            if let Err(error) = answer(send, receive, &environment).await {
                eprintln!("stream: {error}");
            }
        });
    }
}

async fn answer(mut send: SendStream, mut receive: RecvStream, environment: &Environment) -> Outcome<()> {
    let line = receive.read_to_end(LONGEST_REQUEST).await?;
    match requested_path(&line).and_then(|path| environment.file(path)) {
        Some(body) => {
            send.write_all(&body).await?;
            send.finish()?;
        }
        None => send.reset(REFUSED)?,
    }
    Ok(())
}

async fn http3(connection: Connection, environment: Arc<Environment>) -> Outcome<()> {
    let mut connection = h3::server::Connection::<_, Bytes>::new(h3_quinn::Connection::new(connection)).await?;
    while let Some(resolver) = connection.accept().await? {
        let environment = environment.clone();
        tokio::spawn(async move {
            let respond = async {
                let (request, mut stream) = resolver.resolve_request().await?;
                let file = environment.file(request.uri().path());
                let status = if file.is_some() { 200 } else { 404 };
                stream.send_response(http::Response::builder().status(status).body(())?).await?;
                if let Some(body) = file {
                    stream.send_data(body.into()).await?;
                }
                Outcome::Ok(stream.finish().await?)
            };
            if let Err(error) = respond.await {
                eprintln!("request: {error}");
            }
        });
    }
    Ok(())
}
