//! Handshakes with quiche and its BoringSSL, for ../../../tls. Nothing is asked and nothing answered on the streams.
//!
//!     peer serve PORT CERTIFICATE KEY [GROUPS] [CLIENT-CA]   '-' for GROUPS: the default ones
//!     peer visit PORT CA CONNECTIONS [CERTIFICATE KEY]       one after the other, each resuming the session of the one before
//!
//! visit prints a line per connection; its exit code is 0 only when all handshakes were completed with a verified server.

use boring::ssl::{SslContextBuilder, SslMethod};
use boring::x509::verify::X509VerifyFlags;
use std::collections::hash_map::DefaultHasher;
use std::error::Error;
use std::hash::{Hash, Hasher};
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// How long a connection is kept for the tickets, or for the peer to refuse it.
const LINGER: Duration = Duration::from_millis(400);
const PATIENCE: Duration = Duration::from_secs(10);

fn config(groups: Option<&str>) -> Outcome<quiche::Config> {
    let mut tls = SslContextBuilder::new(SslMethod::tls())?;
    // The case's certificate is its own trust anchor, and no authority.
    tls.cert_store_mut().set_flags(X509VerifyFlags::PARTIAL_CHAIN);
    if let Some(groups) = groups {
        tls.set_curves_list(groups)?;
    }
    let mut config = quiche::Config::with_boring_ssl_ctx_builder(quiche::PROTOCOL_VERSION, tls)?;
    config.set_application_protos(&[b"h3"])?;
    config.set_max_idle_timeout(10_000);
    config.set_initial_max_data(1 << 20);
    config.set_initial_max_stream_data_bidi_local(1 << 16);
    config.set_initial_max_stream_data_bidi_remote(1 << 16);
    config.set_initial_max_stream_data_uni(1 << 16);
    config.set_initial_max_streams_bidi(10);
    config.set_initial_max_streams_uni(10);
    Ok(config)
}

/// Not secret: 16 bytes that differ from call to call.
fn connection_id() -> Vec<u8> {
    let mut hasher = DefaultHasher::new();
    (std::process::id(), std::time::SystemTime::now()).hash(&mut hasher);
    let first = hasher.finish();
    first.hash(&mut hasher);
    [first.to_be_bytes(), hasher.finish().to_be_bytes()].concat()
}

fn send(connection: &mut quiche::Connection, socket: &UdpSocket) -> Outcome<()> {
    let mut out = [0; 1500];
    loop {
        match connection.send(&mut out) {
            Ok((length, info)) => {
                socket.send_to(&out[..length], info.to)?;
            }
            Err(quiche::Error::Done) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

/// One turn of a client's connection.
fn turn(connection: &mut quiche::Connection, socket: &UdpSocket, local: SocketAddr) -> Outcome<()> {
    send(connection, socket)?;
    let mut datagram = [0; 65_535];
    match socket.recv_from(&mut datagram) {
        Ok((length, from)) => match connection.recv(&mut datagram[..length], quiche::RecvInfo { from, to: local }) {
            Ok(_) | Err(quiche::Error::Done) => {}
            Err(error) => {
                send(connection, socket)?;
                return Err(error.into());
            }
        },
        Err(_) if connection.timeout().is_some_and(|left| left.is_zero()) => connection.on_timeout(),
        Err(_) => {}
    }
    send(connection, socket)
}

fn visit(arguments: &[String]) -> Outcome<()> {
    let peer: SocketAddr = format!("127.0.0.1:{}", arguments[0]).parse()?;
    let mut config = config(None)?;
    config.load_verify_locations_from_file(&arguments[1])?;
    config.verify_peer(true);
    if let [_, _, _, certificate, key] = arguments {
        config.load_cert_chain_from_pem_file(certificate)?;
        config.load_priv_key_from_pem_file(key)?;
    }
    let mut session: Option<Vec<u8>> = None;
    for _ in 0..arguments[2].parse::<u32>()? {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.set_read_timeout(Some(Duration::from_millis(5)))?;
        let local = socket.local_addr()?;
        let id = connection_id();
        let mut connection = quiche::connect(Some("localhost"), &quiche::ConnectionId::from_ref(&id), local, peer, &mut config)?;
        if let Some(session) = &session {
            connection.set_session(session)?;
        }
        let begin = Instant::now();
        while !connection.is_established() {
            turn(&mut connection, &socket, local)?;
            if connection.is_closed() || begin.elapsed() > PATIENCE {
                return Err(format!("no handshake: {:?}", connection.peer_error()).into());
            }
        }
        let established = Instant::now();
        while established.elapsed() < LINGER {
            turn(&mut connection, &socket, local)?;
        }
        if let Some(error) = connection.peer_error() {
            return Err(format!("the server closed the connection: {error:?}").into());
        }
        println!("resumed={}", connection.is_resumed());
        session = connection.session().map(<[u8]>::to_vec);
        connection.close(true, 0x100, b"")?;
        send(&mut connection, &socket)?;
    }
    Ok(())
}

fn serve(arguments: &[String]) -> Outcome<()> {
    let socket = UdpSocket::bind(format!("127.0.0.1:{}", arguments[0]))?;
    socket.set_read_timeout(Some(Duration::from_millis(5)))?;
    let local = socket.local_addr()?;
    let mut config = config(arguments.get(3).map(String::as_str).filter(|groups| *groups != "-"))?;
    config.load_cert_chain_from_pem_file(&arguments[1])?;
    config.load_priv_key_from_pem_file(&arguments[2])?;
    if let Some(authority) = arguments.get(4) {
        config.load_verify_locations_from_file(authority)?;
        config.verify_peer(true);
    }
    let mut connections: Vec<quiche::Connection> = Vec::new();
    let mut datagram = [0; 65_535];
    loop {
        if let Ok((length, from)) = socket.recv_from(&mut datagram) {
            receive(&mut datagram[..length], from, local, &socket, &mut config, &mut connections)?;
        }
        for connection in &mut connections {
            if connection.timeout().is_some_and(|left| left.is_zero()) {
                connection.on_timeout();
            }
            send(connection, &socket)?;
        }
        connections.retain(|connection| !connection.is_closed());
    }
}

fn receive(
    datagram: &mut [u8],
    from: SocketAddr,
    local: SocketAddr,
    socket: &UdpSocket,
    config: &mut quiche::Config,
    connections: &mut Vec<quiche::Connection>,
) -> Outcome<()> {
    let Ok(header) = quiche::Header::from_slice(datagram, 16) else { return Ok(()) };
    // More of a first flight comes under the client's choice of an ID. Clients come one after the other, each from a port of its own.
    let known = connections
        .iter()
        .position(|connection| connection.path_stats().any(|path| path.peer_addr == from));
    let index = match known {
        Some(index) => index,
        None if !quiche::version_is_supported(header.version) => {
            let mut out = [0; 1500];
            let length = quiche::negotiate_version(&header.scid, &header.dcid, &mut out)?;
            socket.send_to(&out[..length], from)?;
            return Ok(());
        }
        None if header.ty == quiche::Type::Initial => {
            let id = connection_id();
            connections.push(quiche::accept(&quiche::ConnectionId::from_ref(&id), None, local, from, config)?);
            connections.len() - 1
        }
        None => return Ok(()),
    };
    if let Err(error) = connections[index].recv(datagram, quiche::RecvInfo { from, to: local }) {
        eprintln!("recv: {error:?}");
    }
    Ok(())
}

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("serve") if arguments.len() >= 4 => serve(&arguments[1..]),
        Some("visit") if arguments.len() >= 4 => visit(&arguments[1..]),
        _ => Err("usage: peer serve|visit ...".into()),
    }
}
