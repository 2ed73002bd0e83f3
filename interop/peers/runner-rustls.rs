//! rustls for the endpoints that use it: key logs always, the server's name and chain never looked at. The program brings the provider.

use crate::environment::{Environment, Outcome, Role};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::Resumption;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{CipherSuite, DigitallySignedStruct, SignatureScheme};
use std::sync::Arc;

/// `all`, or what the case leaves of it.
fn narrowed(environment: &Environment, all: CryptoProvider) -> Arc<CryptoProvider> {
    let mut provider = all;
    if environment.is("chacha20") && environment.role == Role::Client {
        provider.cipher_suites.retain(|suite| suite.suite() == CipherSuite::TLS13_CHACHA20_POLY1305_SHA256);
    }
    Arc::new(provider)
}

pub fn server(environment: &Environment, provider: CryptoProvider, protocol: &[u8]) -> Outcome<rustls::ServerConfig> {
    let chain = CertificateDer::pem_file_iter(environment.certificate_chain())?.collect::<Result<Vec<_>, _>>()?;
    let key = PrivateKeyDer::from_pem_file(environment.private_key())?;
    let mut tls = rustls::ServerConfig::builder_with_provider(narrowed(environment, provider))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    tls.alpn_protocols = vec![protocol.to_vec()];
    tls.key_log = Arc::new(rustls::KeyLogFile::new());
    Ok(tls)
}

pub fn client(environment: &Environment, provider: CryptoProvider, protocol: &[u8], resumption: Resumption) -> Outcome<rustls::ClientConfig> {
    let provider = narrowed(environment, provider);
    let mut tls = rustls::ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
        .with_no_client_auth();
    tls.alpn_protocols = vec![protocol.to_vec()];
    tls.key_log = Arc::new(rustls::KeyLogFile::new());
    tls.resumption = resumption;
    Ok(tls)
}

/// The chain of nine certificates is too long for webpki; signatures are verified.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _leaf: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("QUIC has no TLS 1.2".into()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
