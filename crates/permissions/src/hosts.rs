//! Hosts that were granted.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use crate::denied::{Denied, Kind};

/// A host, perhaps with one of its ports. An address is in its shortest form, a name in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Host {
    pub(crate) name: String,
    pub(crate) port: Option<u16>,
}

/// A text that names no host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadHost(String);

impl fmt::Display for BadHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected a host such as example.com, 192.0.2.1 or [2001:db8::1], or with a port such as ")?;
        write!(f, "example.com:443, and got {:?}", self.0)
    }
}

impl std::error::Error for BadHost {}

/// The one way in which a host is written.
fn normal(name: &str) -> String {
    let name = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    match name.parse::<IpAddr>() {
        Ok(address) => address.to_canonical().to_string(),
        Err(_) => name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase(),
    }
}

impl FromStr for Host {
    type Err = BadHost;

    fn from_str(text: &str) -> Result<Self, BadHost> {
        let bad = || BadHost(text.to_owned());
        let (name, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (name, rest) = rest.split_once(']').ok_or_else(bad)?;
                name.parse::<Ipv6Addr>().map_err(|_| bad())?;
                (name, rest.strip_prefix(':').or(rest.is_empty().then_some("")).ok_or_else(bad)?)
            }
            None if text.parse::<Ipv6Addr>().is_ok() => (text, ""),
            None => match text.split_once(':') {
                Some((_, "")) => return Err(bad()),
                Some((name, port)) => (name, port),
                None => (text, ""),
            },
        };
        let is_name = |char: char| char.is_alphanumeric() || matches!(char, '-' | '.' | '_' | ':' | '%');
        if name.is_empty() || !name.chars().all(is_name) {
            return Err(bad());
        }
        let port = if port.is_empty() { None } else { Some(port.parse().map_err(|_| bad())?) };
        Ok(Self { name: normal(name), port })
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Hosts {
    any: bool,
    listed: Vec<Host>,
}

impl Hosts {
    pub(crate) fn add(&mut self, host: Host) {
        self.listed.push(host);
    }

    pub(crate) fn add_any(&mut self) {
        self.any = true;
    }

    pub(crate) fn is_any(&self) -> bool {
        self.any
    }

    /// Checks a host, with a port if it is to be connected to.
    pub(crate) fn check(&self, name: &str, port: Option<u16>) -> Result<(), Denied> {
        let wanted = normal(name);
        let fits = |host: &Host| host.name == wanted && (port.is_none() || host.port.is_none() || host.port == port);
        if self.any || self.listed.iter().any(fits) {
            return Ok(());
        }
        let shown = if wanted.contains(':') { format!("[{wanted}]") } else { wanted };
        let shown = port.map_or_else(|| shown.clone(), |port| format!("{shown}:{port}"));
        Err(Denied::new(Kind::Net, &shown))
    }
}
