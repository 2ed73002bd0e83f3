//! What quic-interop-runner tells an endpoint (../runner/endpoint.ts), and its files: for the programs in Rust, each of which includes it.

use std::env;
use std::error::Error;
use std::fs;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};

pub type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Exit status for a TESTCASE that the program does not support.
const UNSUPPORTED: i32 = 127;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Client,
    Server,
}

pub struct Environment {
    pub role: Role,
    pub testcase: String,
    /// Not empty for a client.
    pub requests: Vec<Request>,
    pub listen: SocketAddr,
    www: PathBuf,
    downloads: PathBuf,
    certificates: PathBuf,
}

#[derive(Clone)]
pub struct Request {
    pub host: String,
    pub port: u16,
    /// With its leading slash.
    pub path: String,
}

impl Environment {
    /// Ends the process when `supported` does not know the case.
    pub fn read(supported: fn(Role, &str) -> bool) -> Outcome<Self> {
        let testcase = env::var("TESTCASE").unwrap_or_default();
        let role = match env::var("ROLE").as_deref() {
            Ok("client") => Role::Client,
            Ok("server") => Role::Server,
            _ => return Err("ROLE is client or server".into()),
        };
        if !supported(role, &testcase) {
            eprintln!("TESTCASE '{testcase}' is not supported");
            std::process::exit(UNSUPPORTED);
        }
        let requests = match role {
            Role::Client => variable("REQUESTS", "").split_whitespace().map(Request::parse).collect::<Outcome<Vec<_>>>()?,
            Role::Server => Vec::new(),
        };
        if role == Role::Client && requests.is_empty() {
            return Err("REQUESTS is empty".into());
        }
        let address: IpAddr = variable("LISTEN_ADDRESS", "::").parse()?;
        Ok(Self {
            role,
            testcase,
            requests,
            listen: SocketAddr::new(address, variable("LISTEN_PORT", "443").parse()?),
            www: variable("WWW", "/www").into(),
            downloads: variable("DOWNLOADS", "/downloads").into(),
            certificates: variable("CERTS", "/certs").into(),
        })
    }

    pub fn is(&self, testcase: &str) -> bool {
        self.testcase == testcase
    }

    /// Leaf first.
    pub fn certificate_chain(&self) -> PathBuf {
        self.certificates.join("cert.pem")
    }

    pub fn private_key(&self) -> PathBuf {
        self.certificates.join("priv.key")
    }

    /// The file that a request asks for; None when there is none under WWW, or its path leads out of it.
    pub fn file(&self, path: &str) -> Option<Vec<u8>> {
        let name = path.strip_prefix('/')?;
        if name.split('/').any(|part| part.is_empty() || part == "..") {
            return None;
        }
        fs::read(self.www.join(name)).ok()
    }

    pub fn save(&self, request: &Request, body: &[u8]) -> io::Result<()> {
        let name = Path::new(&request.path).file_name().ok_or(io::ErrorKind::InvalidInput)?;
        fs::write(self.downloads.join(name), body)
    }
}

impl Request {
    fn parse(url: &str) -> Outcome<Self> {
        let bad = || format!("'{url}' is no https URL with a path");
        let (authority, path) = url.strip_prefix("https://").and_then(|rest| rest.split_once('/')).ok_or_else(bad)?;
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port.parse()?),
            _ => (authority, 443),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Self { host, port, path: format!("/{path}") })
    }

    pub fn address(&self) -> Outcome<SocketAddr> {
        let found = (self.host.as_str(), self.port).to_socket_addrs()?.next();
        Ok(found.ok_or_else(|| format!("{} has no address", self.host))?)
    }

    /// What HTTP/0.9 puts on a stream.
    pub fn line(&self) -> String {
        format!("GET {}\r\n", self.path)
    }
}

/// The path in what HTTP/0.9 has put on a stream.
pub fn requested_path(line: &[u8]) -> Option<&str> {
    std::str::from_utf8(line).ok()?.strip_prefix("GET ").map(str::trim_end)
}

fn variable(name: &str, otherwise: &str) -> String {
    env::var(name).ok().filter(|value| !value.is_empty()).unwrap_or_else(|| otherwise.to_owned())
}
