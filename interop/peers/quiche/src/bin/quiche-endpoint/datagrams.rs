//! A socket, and what moves datagrams between it and connections.

use crate::environment::Outcome;
use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

/// UDP payload: fits an Ethernet frame under IPv6.
pub const LARGEST: usize = 1452;
const BATCH: usize = 32;
const SHORTEST_WAIT: Duration = Duration::from_micros(100);
const LONGEST_WAIT: Duration = Duration::from_secs(1);

pub struct Datagrams {
    socket: UdpSocket,
    pub local: SocketAddr,
}

impl Datagrams {
    pub fn bind(address: SocketAddr) -> Outcome<Self> {
        let socket = UdpSocket::bind(address)?;
        let local = socket.local_addr()?;
        Ok(Self { socket, local })
    }

    pub fn send_to(&self, datagram: &[u8], to: SocketAddr) {
        // What cannot be sent is lost, as it may be anywhere else.
        let _ = self.socket.send_to(datagram, to);
    }

    /// All that the connection has to say, at the pace it wants.
    pub fn flush(&self, connection: &mut quiche::Connection) -> Outcome<()> {
        let mut out = [0; LARGEST];
        loop {
            match connection.send(&mut out) {
                Ok((length, info)) => {
                    let ahead = info.at.saturating_duration_since(Instant::now());
                    if ahead > SHORTEST_WAIT {
                        std::thread::sleep(ahead);
                    }
                    self.send_to(&out[..length], info.to);
                }
                Err(quiche::Error::Done) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Waits for a datagram, at most so long; gives it and those behind it to `take`.
    pub fn receive(&self, patience: Option<Duration>, mut take: impl FnMut(&mut [u8], quiche::RecvInfo) -> Outcome<()>) -> Outcome<()> {
        let wait = patience.unwrap_or(LONGEST_WAIT).clamp(SHORTEST_WAIT, LONGEST_WAIT);
        self.socket.set_read_timeout(Some(wait))?;
        let mut buffer = [0; 65_535];
        for round in 0..BATCH {
            match self.socket.recv_from(&mut buffer) {
                Ok((length, from)) => take(&mut buffer[..length], quiche::RecvInfo { from, to: self.local })?,
                // ICMP may have reported that the peer is gone: the connection's timers find out.
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::ConnectionRefused) => break,
                Err(error) => return Err(error.into()),
            }
            if round == 0 {
                self.socket.set_nonblocking(true)?;
            }
        }
        Ok(self.socket.set_nonblocking(false)?)
    }
}
