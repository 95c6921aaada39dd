//! Whether the address of a recording may be followed, and to which machine it leads.
//!
//! LeadDesk names the address, so it is treated as an enemy's: only https, only listed hosts by name, only public
//! networks. A name is looked up once and the connection goes to that very answer, so that it cannot lead elsewhere a
//! moment later. There is no switch against this; a LeadDesk that is a stand-in on this machine may name this machine,
//! and then nothing else. Deliberately absent: following redirects.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use async_trait::async_trait;
use pipeline::ports::leaddesk::AddressFault;
use url::{Host, Url};

use crate::http::is_loopback;

/// Looks host names up.
#[async_trait]
pub trait Resolve: Send + Sync {
    /// Every address of a host.
    ///
    /// # Errors
    /// The name has none, or nobody answers.
    async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<IpAddr>>;
}

/// As this machine does it.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

#[async_trait]
impl Resolve for SystemResolver {
    async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((host, port)).await?.map(|address| address.ip()).collect())
    }
}

/// Where recordings may lie.
#[derive(Debug, Clone)]
pub(super) struct Hosts {
    patterns: Vec<String>,
    /// LeadDesk itself is on this machine.
    is_stand_in: bool,
}

/// An address that may be followed, and the one machine to which the connection goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) url: Url,
    pub(super) host: String,
    pub(super) address: SocketAddr,
}

/// Why there is no target.
#[derive(Debug)]
pub(super) enum NoTarget {
    Refused(AddressFault),
    Unresolved(io::Error),
}

impl Hosts {
    pub(super) fn new(patterns: &[String], leaddesk: &Url) -> Self {
        Self { patterns: patterns.to_vec(), is_stand_in: is_loopback(leaddesk) }
    }

    /// Judges the text of a `Location` alone; `base` is what was asked.
    pub(super) fn judge(&self, location: &str, base: &Url) -> Result<Url, AddressFault> {
        let url = base.join(location).map_err(|_| AddressFault::NoUrl)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(AddressFault::Credentials);
        }
        if self.is_stand_in {
            let is_web = matches!(url.scheme(), "http" | "https");
            return if is_web && is_loopback(&url) { Ok(url) } else { Err(AddressFault::LeavesMachine) };
        }
        if url.scheme() != "https" {
            return Err(AddressFault::NotHttps);
        }
        // The parser has turned every way to write a number into one of these.
        let Some(Host::Domain(host)) = url.host() else { return Err(AddressFault::Number) };
        if !self.patterns.iter().any(|pattern| fits(pattern, host)) {
            return Err(AddressFault::Host);
        }
        if url.port().is_some() {
            return Err(AddressFault::Port);
        }
        Ok(url)
    }

    /// Looks the host up, once. One address that is not public spoils all: nobody mixes them in good faith.
    pub(super) async fn locate(&self, url: Url, resolver: &dyn Resolve) -> Result<Target, NoTarget> {
        let no_url = NoTarget::Refused(AddressFault::NoUrl);
        let Some(port) = url.port_or_known_default() else { return Err(no_url) };
        let (host, addresses) = match url.host() {
            Some(Host::Ipv4(address)) => (address.to_string(), vec![IpAddr::V4(address)]),
            Some(Host::Ipv6(address)) => (address.to_string(), vec![IpAddr::V6(address)]),
            Some(Host::Domain(name)) => {
                (name.to_owned(), resolver.resolve(name, port).await.map_err(NoTarget::Unresolved)?)
            }
            None => return Err(no_url),
        };
        let (fits, fault): (fn(&IpAddr) -> bool, _) = if self.is_stand_in {
            (IpAddr::is_loopback, AddressFault::LeavesMachine)
        } else {
            (is_public, AddressFault::NotPublic)
        };
        if !addresses.iter().all(fits) {
            return Err(NoTarget::Refused(fault));
        }
        match addresses.first() {
            Some(address) => Ok(Target { url, host, address: SocketAddr::new(*address, port) }),
            None => Err(NoTarget::Unresolved(io::ErrorKind::NotFound.into())),
        }
    }
}

/// Whether a host fits a pattern, whose `*` stands for a part of one label.
fn fits(pattern: &str, host: &str) -> bool {
    let Some((before, after)) = pattern.split_once('*') else { return pattern == host };
    let middle = host.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
    middle.is_some_and(|middle| !middle.is_empty() && !middle.contains('.'))
}

/// Why a text is no pattern of recording hosts; `None` when it is one.
pub(crate) fn pattern_fault(pattern: &str) -> Option<&'static str> {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.*".contains(c);
    if !pattern.chars().all(is_plain) || pattern.split('.').any(str::is_empty) {
        return Some("it is no host name in lower-case letters");
    }
    if pattern.matches('*').count() > 1 {
        return Some("it holds more than one *");
    }
    let fixed = pattern.rsplit('.').take_while(|label| !label.contains('*')).count();
    let is_number =
        pattern.rsplit('.').next().is_some_and(|label| label.starts_with(|c: char| c.is_ascii_digit()));
    if fixed < 2 || is_number {
        return Some("it does not end in a domain of two labels");
    }
    None
}

/// Whether an address belongs to a machine in the public network (IANA special-purpose registries).
fn is_public(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(*address),
        IpAddr::V6(address) => is_public_v6(*address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation();
    let in_special_block = match address.octets() {
        // This network, reserved, and everybody at once.
        [0 | 240.., ..] => true,
        // Shared by carriers; holds the metadata service of one cloud.
        [100, second, ..] => (64..128).contains(&second),
        [192, 0, 0, _] | [192, 88, 99, _] => true,
        // Benchmarks.
        [198, 18 | 19, ..] => true,
        _ => false,
    };
    !special && !in_special_block
}

/// Of the sixth version only global unicast is public, without what carries an address of the fourth within it.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    let is_global = first & 0xE000 == 0x2000;
    let is_special = match (first, second) {
        // Protocol assignments, Teredo among them; documentation.
        (0x2001, second) => second < 0x0200 || second == 0x0db8,
        // 6to4.
        (0x2002, _) => true,
        // Documentation.
        (0x3fff, second) => second < 0x1000,
        _ => false,
    };
    is_global && !is_special
}

#[cfg(test)]
mod tests;
