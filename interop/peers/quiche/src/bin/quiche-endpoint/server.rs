//! Serves WWW: one socket, many connections.

use crate::datagrams::{Datagrams, LARGEST};
use crate::environment::{requested_path, Environment, Outcome};
use quiche::h3::{self, NameValue};
use quiche::{ConnectionId, Header};
use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, SocketAddr};

const ID_LENGTH: usize = 16;
const REFUSED: u64 = 1;

pub fn run(environment: &Environment) -> Outcome<()> {
    let datagrams = Datagrams::bind(environment.listen)?;
    let mut config = crate::config(environment)?;
    let text = |path: std::path::PathBuf| path.into_os_string().into_string().map_err(|_| "CERTS is not UTF-8");
    config.load_cert_chain_from_pem_file(&text(environment.certificate_chain())?)?;
    config.load_priv_key_from_pem_file(&text(environment.private_key())?)?;
    let mut server = Server { environment, datagrams, config, guests: HashMap::new(), ids: HashMap::new(), taken: 0 };
    loop {
        server.turn()?;
    }
}

struct Server<'a> {
    environment: &'a Environment,
    datagrams: Datagrams,
    config: quiche::Config,
    guests: HashMap<u64, Guest>,
    /// Of connections that are and that were: a late copy of an Initial packet makes no second connection.
    ids: HashMap<Vec<u8>, u64>,
    taken: u64,
}

impl Server<'_> {
    fn turn(&mut self) -> Outcome<()> {
        let patience = self.guests.values().filter_map(|guest| guest.connection.timeout()).min();
        let mut received = Vec::new();
        self.datagrams.receive(patience, |datagram, info| {
            received.push((datagram.to_vec(), info));
            Ok(())
        })?;
        for (mut datagram, info) in received {
            if let Some(number) = self.owner(&datagram, info.from)? {
                self.hand(number, &mut datagram, info)?;
            }
        }
        for (number, guest) in &mut self.guests {
            if guest.connection.timeout().is_some_and(|left| left.is_zero()) {
                guest.connection.on_timeout();
            }
            for id in guest.offer_ids()? {
                self.ids.insert(id, *number);
            }
            guest.write();
            self.datagrams.flush(&mut guest.connection)?;
        }
        self.guests.retain(|_, guest| !guest.connection.is_closed());
        Ok(())
    }

    fn hand(&mut self, number: u64, datagram: &mut [u8], info: quiche::RecvInfo) -> Outcome<()> {
        let Some(guest) = self.guests.get_mut(&number) else { return Ok(()) };
        // Errors end the connection, which says so to its peer by itself.
        if let Err(error) = guest.connection.recv(datagram, info) {
            eprintln!("connection {number}: {error:?}");
        }
        guest.read(self.environment)
    }

    /// The connection a datagram is for, which it may begin.
    fn owner(&mut self, datagram: &[u8], from: SocketAddr) -> Outcome<Option<u64>> {
        let mut copy = datagram.to_vec();
        let Ok(header) = Header::from_slice(&mut copy, ID_LENGTH) else { return Ok(None) };
        if let Some(number) = self.ids.get(header.dcid.as_ref()) {
            return Ok(Some(*number));
        }
        let mut out = [0; LARGEST];
        if header.ty == quiche::Type::Short || header.ty == quiche::Type::VersionNegotiation {
            return Ok(None);
        }
        if !quiche::version_is_supported(header.version) {
            let length = quiche::negotiate_version(&header.scid, &header.dcid, &mut out)?;
            self.datagrams.send_to(&out[..length], from);
            return Ok(None);
        }
        if header.ty != quiche::Type::Initial {
            return Ok(None);
        }
        if !self.environment.is("retry") {
            let id = crate::random::<ID_LENGTH>()?;
            return self.accept(&header, &ConnectionId::from_ref(&id), None, from).map(Some);
        }
        let token = header.token.clone().unwrap_or_default();
        if token.is_empty() {
            let id = crate::random::<ID_LENGTH>()?;
            let token = [address_bytes(from), header.dcid.to_vec()].concat();
            let length = quiche::retry(&header.scid, &header.dcid, &ConnectionId::from_ref(&id), &token, header.version, &mut out)?;
            self.datagrams.send_to(&out[..length], from);
            return Ok(None);
        }
        let Some(original) = token.strip_prefix(address_bytes(from).as_slice()) else { return Ok(None) };
        let retry_id = header.dcid.to_vec();
        self.accept(&header, &ConnectionId::from_ref(&retry_id), Some(&ConnectionId::from_ref(original)), from).map(Some)
    }

    fn accept(&mut self, header: &Header, id: &ConnectionId, original: Option<&ConnectionId>, from: SocketAddr) -> Outcome<u64> {
        let mut connection = quiche::accept(id, original, self.datagrams.local, from, &mut self.config)?;
        crate::log_keys(&mut connection)?;
        self.taken += 1;
        for known in [id.to_vec(), header.dcid.to_vec()] {
            self.ids.insert(known, self.taken);
        }
        let guest = Guest { connection, http3: None, wants_http3: self.environment.is("http3"), asked: HashMap::new(), answers: BTreeMap::new() };
        self.guests.insert(self.taken, guest);
        Ok(self.taken)
    }
}

/// Not a secret, which a real server would make of it.
fn address_bytes(address: SocketAddr) -> Vec<u8> {
    let mut bytes = match address.ip() {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    bytes.extend(address.port().to_be_bytes());
    bytes
}

struct Answer {
    body: Vec<u8>,
    sent: usize,
}

struct Guest {
    connection: quiche::Connection,
    http3: Option<h3::Connection>,
    wants_http3: bool,
    /// Of HTTP/0.9, by stream: what has come of a request.
    asked: HashMap<u64, Vec<u8>>,
    answers: BTreeMap<u64, Answer>,
}

impl Guest {
    /// Spare connection IDs, as many as the client takes; what is given back stays known.
    fn offer_ids(&mut self) -> Outcome<Vec<Vec<u8>>> {
        let mut offered = Vec::new();
        while self.connection.is_established() && self.connection.scids_left() > 0 {
            let id = crate::random::<ID_LENGTH>()?;
            self.connection.new_scid(&ConnectionId::from_ref(&id), u128::from_be_bytes(crate::random()?), false)?;
            offered.push(id.to_vec());
        }
        while self.connection.retired_scid_next().is_some() {}
        Ok(offered)
    }

    fn read(&mut self, environment: &Environment) -> Outcome<()> {
        if !(self.connection.is_established() || self.connection.is_in_early_data()) {
            return Ok(());
        }
        if !self.wants_http3 {
            return self.read_http09(environment);
        }
        if self.http3.is_none() {
            self.http3 = Some(h3::Connection::with_transport(&mut self.connection, &h3::Config::new()?)?);
        }
        let Some(http3) = self.http3.as_mut() else { return Ok(()) };
        loop {
            let (stream, list) = match http3.poll(&mut self.connection) {
                Ok((stream, h3::Event::Headers { list, .. })) => (stream, list),
                Ok(_) => continue,
                // Done, or an error that has ended the connection.
                Err(_) => return Ok(()),
            };
            let path = list.iter().find(|field| field.name() == b":path").map(|field| String::from_utf8_lossy(field.value()).into_owned());
            let file = path.and_then(|path| environment.file(&path));
            let status: &[u8] = if file.is_some() { b"200" } else { b"404" };
            http3.send_response(&mut self.connection, stream, &[h3::Header::new(b":status", status)], file.is_none())?;
            if let Some(body) = file {
                self.answers.insert(stream, Answer { body, sent: 0 });
            }
        }
    }

    fn read_http09(&mut self, environment: &Environment) -> Outcome<()> {
        let mut buffer = [0; 4096];
        for stream in self.connection.readable() {
            let asked = self.asked.entry(stream).or_default();
            let mut complete = false;
            while let Ok((length, end)) = self.connection.stream_recv(stream, &mut buffer) {
                asked.extend_from_slice(&buffer[..length]);
                complete |= end;
            }
            if !complete {
                continue;
            }
            match requested_path(asked).and_then(|path| environment.file(path)) {
                Some(body) => {
                    self.answers.insert(stream, Answer { body, sent: 0 });
                }
                None => self.connection.stream_shutdown(stream, quiche::Shutdown::Write, REFUSED)?,
            }
            self.asked.remove(&stream);
        }
        Ok(())
    }

    /// As much of the answers as there is room for.
    fn write(&mut self) {
        let Self { connection, http3, answers, .. } = self;
        answers.retain(|stream, answer| {
            let rest = &answer.body[answer.sent..];
            let written = match http3 {
                Some(http3) => http3.send_body(connection, *stream, rest, true).map_err(|error| error == h3::Error::Done),
                None => connection.stream_send(*stream, rest, true).map_err(|error| error == quiche::Error::Done),
            };
            match written {
                Ok(length) => {
                    answer.sent += length;
                    answer.sent < answer.body.len()
                }
                // For good when the client does not want it any more.
                Err(later) => later,
            }
        });
    }
}
