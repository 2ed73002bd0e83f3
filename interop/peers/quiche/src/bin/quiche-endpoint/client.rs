//! Asks for REQUESTS.

use crate::datagrams::Datagrams;
use crate::environment::{Environment, Outcome, Request};
use quiche::h3::{self, NameValue};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::slice;
use std::time::{Duration, Instant};

const PATIENCE_FOR_TICKETS: Duration = Duration::from_secs(10);
const NO_ERROR_OF_HTTP3: u64 = 0x100;

pub fn run(environment: &Environment) -> Outcome<()> {
    let server = environment.requests[0].address()?;
    let requests = &environment.requests;
    match environment.testcase.as_str() {
        "multiconnect" => {
            for request in requests {
                Visit::new(environment, server, None)?.download(slice::from_ref(request))?;
            }
            Ok(())
        }
        "resumption" | "zerortt" => {
            let (first, rest) = requests.split_first().ok_or("REQUESTS is empty")?;
            let session = Visit::new(environment, server, None)?.download_and_wait_for_ticket(slice::from_ref(first))?;
            Visit::new(environment, server, Some(&session))?.download(rest)
        }
        _ => Visit::new(environment, server, None)?.download(requests),
    }
}

/// One connection.
struct Visit<'a> {
    environment: &'a Environment,
    datagrams: Datagrams,
    connection: quiche::Connection,
    http3: Option<h3::Connection>,
    /// By stream: what was asked, and what has come of it.
    open: BTreeMap<u64, (&'a Request, Vec<u8>)>,
    next_stream: u64,
    /// Bytes of the next request that have been taken for it.
    asked: usize,
}

impl<'a> Visit<'a> {
    fn new(environment: &'a Environment, server: SocketAddr, session: Option<&[u8]>) -> Outcome<Self> {
        let any: IpAddr = if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let datagrams = Datagrams::bind(SocketAddr::new(any, 0))?;
        let id = crate::random::<16>()?;
        let mut config = crate::config(environment)?;
        let host = &environment.requests[0].host;
        let name = if host.parse::<IpAddr>().is_ok() { None } else { Some(host.as_str()) };
        let mut connection = quiche::connect(name, &quiche::ConnectionId::from_ref(&id), datagrams.local, server, &mut config)?;
        crate::log_keys(&mut connection)?;
        if let Some(session) = session {
            connection.set_session(session)?;
        }
        Ok(Self { environment, datagrams, connection, http3: None, open: BTreeMap::new(), next_stream: 0, asked: 0 })
    }

    fn download(mut self, requests: &'a [Request]) -> Outcome<()> {
        self.exchange(requests)?;
        self.close()
    }

    fn download_and_wait_for_ticket(mut self, requests: &'a [Request]) -> Outcome<Vec<u8>> {
        self.exchange(requests)?;
        let since = Instant::now();
        let session = loop {
            match self.connection.session() {
                Some(session) => break session.to_vec(),
                None if since.elapsed() > PATIENCE_FOR_TICKETS => return Err("no ticket came".into()),
                None => self.turn()?,
            }
        };
        self.close()?;
        Ok(session)
    }

    fn close(mut self) -> Outcome<()> {
        self.connection.close(true, if self.environment.is("http3") { NO_ERROR_OF_HTTP3 } else { 0 }, b"")?;
        self.datagrams.flush(&mut self.connection)
    }

    /// All at once, as far as the peer lets streams be opened.
    fn exchange(&mut self, requests: &'a [Request]) -> Outcome<()> {
        let mut waiting = requests.iter().peekable();
        // The ClientHello, and with it the answer whether there is 0-RTT.
        self.datagrams.flush(&mut self.connection)?;
        loop {
            let ready = self.connection.is_established() || self.connection.is_in_early_data();
            while let Some(request) = waiting.peek().filter(|_| ready) {
                if !self.ask(request)? {
                    break;
                }
                waiting.next();
            }
            if waiting.peek().is_none() && self.open.is_empty() {
                return Ok(());
            }
            self.turn()?;
            if self.http3.is_some() { self.read_http3()? } else { self.read_http09()? }
        }
    }

    /// False: not now.
    fn ask(&mut self, request: &'a Request) -> Outcome<bool> {
        let stream = if self.environment.is("http3") {
            if self.http3.is_none() {
                self.http3 = Some(h3::Connection::with_transport(&mut self.connection, &h3::Config::new()?)?);
            }
            let authority = format!("{}:{}", request.host, request.port);
            let fields = [(":method", "GET"), (":scheme", "https"), (":authority", &authority), (":path", &request.path)];
            let fields = fields.map(|(name, value)| h3::Header::new(name.as_bytes(), value.as_bytes()));
            match self.http3.as_mut().ok_or("no HTTP/3")?.send_request(&mut self.connection, &fields, true) {
                Ok(stream) => stream,
                Err(h3::Error::StreamBlocked | h3::Error::TransportError(quiche::Error::StreamLimit)) => return Ok(false),
                Err(error) => return Err(error.into()),
            }
        } else {
            let sent = self.asked;
            match self.connection.stream_send(self.next_stream, &request.line().as_bytes()[sent..], true) {
                Ok(length) if sent + length == request.line().len() => self.asked = 0,
                Ok(length) => {
                    self.asked += length;
                    return Ok(false);
                }
                Err(quiche::Error::Done | quiche::Error::StreamLimit) => return Ok(false),
                Err(error) => return Err(error.into()),
            }
            self.next_stream += 4;
            self.next_stream - 4
        };
        self.open.insert(stream, (request, Vec::new()));
        Ok(true)
    }

    fn turn(&mut self) -> Outcome<()> {
        let connection = &mut self.connection;
        self.datagrams.flush(connection)?;
        let patience = connection.timeout();
        self.datagrams.receive(patience, |datagram, info| {
            // Errors end the connection, which is looked at below.
            let _ = connection.recv(datagram, info);
            Ok(())
        })?;
        if connection.timeout().is_some_and(|left| left.is_zero()) {
            connection.on_timeout();
        }
        self.datagrams.flush(connection)?;
        if connection.is_closed() || connection.is_draining() {
            return Err(format!("the connection ended: {:?} {:?}", connection.local_error(), connection.peer_error()).into());
        }
        Ok(())
    }

    fn read_http09(&mut self) -> Outcome<()> {
        let mut buffer = [0; 65_535];
        for stream in self.connection.readable() {
            let Some((_, body)) = self.open.get_mut(&stream) else { continue };
            loop {
                match self.connection.stream_recv(stream, &mut buffer) {
                    Ok((length, end)) => {
                        body.extend_from_slice(&buffer[..length]);
                        if end {
                            self.finish(stream)?;
                            break;
                        }
                    }
                    Err(quiche::Error::Done) => break,
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(())
    }

    fn read_http3(&mut self) -> Outcome<()> {
        let mut buffer = [0; 65_535];
        let mut http3 = self.http3.take().ok_or("no HTTP/3")?;
        loop {
            match http3.poll(&mut self.connection) {
                Ok((stream, h3::Event::Headers { list, .. })) => {
                    if list.iter().any(|field| field.name() == b":status" && field.value() != b"200") {
                        return Err(format!("stream {stream}: {list:?}").into());
                    }
                }
                Ok((stream, h3::Event::Data)) => {
                    while let Ok(length) = http3.recv_body(&mut self.connection, stream, &mut buffer) {
                        if let Some((_, body)) = self.open.get_mut(&stream) {
                            body.extend_from_slice(&buffer[..length]);
                        }
                    }
                }
                Ok((stream, h3::Event::Finished)) => self.finish(stream)?,
                Ok((stream, h3::Event::Reset(code))) => return Err(format!("stream {stream} was reset with {code:#x}").into()),
                Ok(_) => {}
                Err(h3::Error::Done) => break,
                Err(error) => return Err(error.into()),
            }
        }
        self.http3 = Some(http3);
        Ok(())
    }

    fn finish(&mut self, stream: u64) -> Outcome<()> {
        if let Some((request, body)) = self.open.remove(&stream) {
            self.environment.save(request, &body)?;
        }
        Ok(())
    }
}
