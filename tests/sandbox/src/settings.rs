//! Settings of the simulated providers: documented defaults, replaced by `--set`.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;

use crate::provider::Provider;

/// Resolved settings, by provider and name.
#[derive(Debug, Clone)]
pub(crate) struct Settings(BTreeMap<(String, String), String>);

impl Settings {
    /// The defaults of all providers, replaced by what was set.
    pub(crate) fn resolve(providers: &[Box<dyn Provider>], set: &[(String, String)]) -> io::Result<Self> {
        let mut all = BTreeMap::new();
        for provider in providers {
            for setting in provider.settings() {
                all.insert((provider.id().to_owned(), setting.name.to_owned()), setting.default.to_owned());
            }
        }
        let mut settings = Self(all);
        for (name, value) in set {
            settings.set(name, value)?;
        }
        Ok(settings)
    }

    /// Replaces one, by its whole name.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> io::Result<()> {
        let key = name.split_once('.').map(|(provider, name)| (provider.to_owned(), name.to_owned()));
        let Some(slot) = key.and_then(|key| self.0.get_mut(&key)) else { return Err(unknown(name, &self.0)) };
        value.clone_into(slot);
        Ok(())
    }

    /// All of them, by their whole names.
    pub(crate) fn all(&self) -> BTreeMap<String, &str> {
        self.0
            .iter()
            .map(|((provider, name), value)| (format!("{provider}.{name}"), value.as_str()))
            .collect()
    }

    /// A setting that the provider declared.
    ///
    /// # Panics
    /// If it did not: a simulator asks only for what it lists itself.
    pub(crate) fn get(&self, provider: &str, name: &str) -> &str {
        let key = (provider.to_owned(), name.to_owned());
        self.0.get(&key).unwrap_or_else(|| panic!("{provider} does not declare the setting {name}"))
    }
}

/// Whether some provider declares `provider.name`.
pub(crate) fn known(providers: &[Box<dyn Provider>], name: &str) -> bool {
    let known = |provider: &dyn Provider, rest: &str| provider.settings().iter().any(|one| one.name == rest);
    name.split_once('.').is_some_and(|(id, rest)| providers.iter().any(|p| p.id() == id && known(&**p, rest)))
}

fn unknown(name: &str, all: &BTreeMap<(String, String), String>) -> io::Error {
    let known: Vec<String> = all.keys().map(|(provider, name)| format!("{provider}.{name}")).collect();
    let message = format!("there is no setting {name}; known: {}", known.join(", "));
    io::Error::new(io::ErrorKind::InvalidInput, message)
}

/// How the sandbox is reached from this machine. Listening everywhere still means reached here.
pub(crate) fn base_url(listen: SocketAddr) -> String {
    let mut address = listen;
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    format!("http://{address}")
}

/// The ready `bayar.toml`.
pub(crate) fn config(providers: &[Box<dyn Provider>], settings: &Settings, base_url: &str) -> String {
    let mut text = String::from(
        "# Every provider, pointed at the sandbox. The credentials are made up.\n\n\
         [engine]\n# journal = \"sqlite:/var/lib/bayar/journal.db\"   # without this line: journal.db beside this file\n",
    );
    for provider in providers {
        let base = format!("{base_url}/{}", provider.id());
        let get = |name: &str| settings.get(provider.id(), name).to_owned();
        text.push('\n');
        text.push_str(&provider.config(&base, &get));
    }
    text
}
