//! The gateway's own certificate, read again on SIGHUP and when its file changes: connections that are
//! open keep the one that they began with.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use arc_swap::ArcSwap;
use bayar::Error;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::config::{Settings, invalid};

/// The certificate in use.
pub(crate) struct Certificates {
    certificate: PathBuf,
    key: PathBuf,
    now: ArcSwap<(ServerConfigs, Option<SystemTime>)>,
}

type ServerConfigs = Arc<ServerConfig>;

impl Certificates {
    /// Those that the settings name; nothing where there are none.
    ///
    /// # Errors
    /// [`bayar::Code::InvalidConfig`].
    pub(crate) fn open(settings: &Settings) -> Result<Option<Arc<Certificates>>, Error> {
        let (Some(certificate), Some(key)) = (&settings.tls_cert, &settings.tls_key) else { return Ok(None) };
        let now = ArcSwap::from_pointee((read(certificate, key)?, changed(certificate, key)));
        Ok(Some(Arc::new(Certificates { certificate: certificate.clone(), key: key.clone(), now })))
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.now.load().0))
    }

    /// Reads the files again. Where they cannot be used, the certificate before stays.
    pub(crate) fn reload(&self) {
        // Before reading: what changes meanwhile is seen the next time.
        let changed = changed(&self.certificate, &self.key);
        match read(&self.certificate, &self.key) {
            Ok(config) => {
                self.now.store(Arc::new((config, changed)));
                tracing::info!("the certificate was read again");
            }
            Err(error) => {
                let before = Arc::clone(&self.now.load().0);
                self.now.store(Arc::new((before, changed)));
                tracing::error!("the certificate before stays in use: {}", error.message);
            }
        }
    }

    /// Whether the files are others than those that were read.
    pub(crate) fn has_changed(&self) -> bool {
        self.now.load().1 != changed(&self.certificate, &self.key)
    }
}

fn changed(certificate: &Path, key: &Path) -> Option<SystemTime> {
    let of = |file: &Path| fs::metadata(file).and_then(|meta| meta.modified()).ok();
    of(certificate).max(of(key))
}

fn read(certificate: &Path, key: &Path) -> Result<ServerConfigs, Error> {
    let wrong = |setting: &str, file: &Path, what: String| {
        invalid(setting, format!("is {}: {what}; expected a PEM file", file.display()))
    };
    let certificates = fs::read(certificate)
        .map_err(|error| error.to_string())
        .and_then(|pem| {
            CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>().map_err(|e| e.to_string())
        })
        .and_then(|all| if all.is_empty() { Err("it holds no certificate".to_owned()) } else { Ok(all) })
        .map_err(|what| wrong("tls_cert", certificate, what))?;
    let private =
        PrivateKeyDer::from_pem_file(key).map_err(|error| wrong("tls_key", key, error.to_string()))?;
    let provider = rustls::crypto::ring::default_provider();
    let config = ServerConfig::builder_with_provider(provider.into())
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(certificates, private))
        .map_err(|error| wrong("tls_cert", certificate, error.to_string()))?;
    let mut config = config;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
