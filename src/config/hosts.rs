//! `hosts:`, and which hosts a check asks.
//!
//! A host is what a limit is about, so it is one however it is written: small
//! letters, without port, brackets and the dot at the end.

use std::collections::HashSet;

use super::defaults::{BURST, CONCURRENCY_MAX, RATE_MAX};
use super::error::quote;
use super::keys::nearest;
use super::model::{HostLimit, ItemConfig, ItemKind, Rate};
use super::reader::{Reader, Section};
use super::schemes;
use super::source::Place;
use super::tree::{Entry, Form};

/// The hosts that `target`, a check of this scheme, asks over the network.
pub(super) fn of(scheme: &str, target: &str) -> Vec<String> {
    let networked = schemes::scheme(scheme).is_some_and(|scheme| scheme.form.contains("://"));
    let Some((_, after)) = target.split_once("://").filter(|_| networked) else { return Vec::new() };
    let end = after.find(['/', '?', '#']).unwrap_or(after.len());
    let (authority, path) = after.split_at(end);
    // A name that is asked for is no host that is asked, unless a server stands before it.
    if scheme == "dns" && path.trim_start_matches('/').split('?').next().is_none_or(str::is_empty) {
        return Vec::new();
    }
    let hosts = &authority[authority.rfind('@').map_or(0, |sign| sign + 1)..];
    hosts.split(',').map(bare).filter(|host| !host.is_empty()).collect()
}

/// `HOST[:PORT]` without its port, as limits name it.
fn bare(address: &str) -> String {
    let host = match address.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
        Some((host, _)) => host,
        None => address.split(':').next().unwrap_or_default(),
    };
    host.trim_end_matches('.').to_lowercase()
}

impl Reader<'_> {
    /// The limits of hosts, and where each is written.
    pub(super) fn hosts(&mut self, entry: &Entry) -> Vec<(HostLimit, Place)> {
        let Form::Map(entries) = &entry.value.form else {
            let message = format!("`hosts` is {}, not a map", entry.value.what());
            self.fail(&entry.value.place, message, "write `HOST: {limit: 20/s}`");
            return Vec::new();
        };
        let mut hosts: Vec<(HostLimit, Place)> = Vec::new();
        for entry in entries {
            let Some(limit) = self.host(entry) else { continue };
            if hosts.iter().any(|(known, _)| known.host == limit.host) {
                let message = format!("{} is the same host as one before it", quote(&entry.key));
                self.fail(&entry.place, message, "keep one of them");
            } else {
                hosts.push((limit, entry.place.clone()));
            }
        }
        hosts
    }

    fn host(&mut self, entry: &Entry) -> Option<HostLimit> {
        let key = entry.key.as_str();
        let is_address = key.parse::<std::net::Ipv6Addr>().is_ok();
        let host = if is_address { key.to_lowercase() } else { bare(key) };
        let plain = |c: char| c.is_alphanumeric() || "-._:%".contains(c);
        let in_brackets = key.starts_with('[') && key.ends_with(']');
        if host.is_empty() || !host.chars().all(plain) || !is_address && !in_brackets && key.contains(':') {
            let help = "write a name or an address alone, without scheme and port";
            self.fail(&entry.place, format!("{} is no host", quote(key)), help);
            return None;
        }
        let section = self.section(&entry.value, "hosts.*", "a host")?;
        let limit = self.limit(&section);
        let at_once = section.get("at_once").map(|entry| self.count(entry, 1, CONCURRENCY_MAX));
        if section.get("limit").is_none() && section.get("at_once").is_none() {
            self.fail(&entry.place, "a host without `limit` or `at_once`", "write for example `limit: 20/s`");
            return None;
        }
        Some(HostLimit { host, limit: limit.ok()?, at_once: at_once.map_or(Some(None), |count| count.map(Some))? })
    }

    /// Refuses limits of hosts that no item asks: they would limit nothing.
    pub(super) fn refuse_idle_hosts(&mut self, hosts: &[(HostLimit, Place)], items: &[ItemConfig]) {
        if hosts.is_empty() {
            return;
        }
        let asked: HashSet<String> = items
            .iter()
            .filter_map(|item| match &item.kind {
                ItemKind::Check(check) => Some(check.hosts()),
                _ => None,
            })
            .flatten()
            .collect();
        for (limit, place) in hosts.iter().filter(|(limit, _)| !asked.contains(&limit.host)) {
            let near = nearest(&limit.host, asked.iter().map(String::as_str));
            let help = near.map_or_else(
                || "write the host as a `check` names it, or remove the line".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            self.fail(place, format!("no check asks the host {}", quote(&limit.host)), help);
        }
    }

    /// `limit` with its `burst`; no limit where none is written.
    pub(super) fn limit(&mut self, section: &Section<'_>) -> Result<Option<Rate>, Refused> {
        let burst = self.number(section, "burst", 1, RATE_MAX, BURST).ok_or(Refused)?;
        match (section.get("limit"), section.get("burst")) {
            (Some(entry), _) => {
                let rate = self.limit_rate(entry).ok_or(Refused)?;
                Ok(Some(Rate { burst, ..rate }))
            }
            (None, Some(entry)) => {
                self.fail(&entry.place, "`burst` without `limit`", "add for example `limit: 20/s`, or remove the key");
                Err(Refused)
            }
            (None, None) => Ok(None),
        }
    }
}

/// A mistake was told.
pub(super) struct Refused;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_names_its_hosts() {
        for (target, hosts) in [
            ("http://API.plant:8080/x?y=http://z", &["api.plant"][..]),
            ("https://u:p@[::1]:8443/", &["::1"]),
            ("tcp://10.0.0.5:502", &["10.0.0.5"]),
            ("etcd://a:2379,b.,c", &["a", "b", "c"]),
            ("dns://plant.example?type=A", &[]),
            ("dns://10.0.0.1:5353/plant.example", &["10.0.0.1"]),
            ("redis://:s@cache", &["cache"]),
            ("disk:/", &[]),
            ("exec:curl http://x", &[]),
        ] {
            assert_eq!(of(target.split(':').next().unwrap(), target), hosts, "{target}");
        }
    }
}
