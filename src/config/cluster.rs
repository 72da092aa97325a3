//! `cluster:`, `guardian:`, `lease:` and `console:`: who elects the leader, how its place is held, who stands for it.
//!
//! `guardian` and `lease` mean something with etcd alone. They are taken without it too, and checked
//! all the same: a config that is tried on one machine first is not to be taken apart for that.

use unicode_normalization::UnicodeNormalization as _;

use super::defaults::CONSOLE_CHARACTERS_MAX;
use super::duration::{LEASE, LEASE_PART};
use super::endpoints::{Servers, servers};
use super::error::{Problem, quote};
use super::lease::{Broken, LeaseConfig};
use super::mask::mask_url;
use super::model::{ClusterConfig, EtcdConfig};
use super::reader::{Reader, Said, Section};
use super::tree::Entry;
use crate::frame::Safe;

/// The port of an etcd for its clients where none is written, which is its usual one.
const PORT: u16 = 2_379;

/// How an etcd is written.
const FORM: &str = "write `etcd://[USER:PASSWORD@]HOST[:PORT],HOST[:PORT]…`, or `etcds://…` for TLS";

/// How a console's name is written.
const NAME_FORM: &str = "write for example `press-hall-east`";

impl Reader<'_> {
    /// How consoles find their leader; `None`: nothing is said of it, or something is wrong.
    pub(super) fn cluster(&mut self, top: &Section<'_>) -> Option<ClusterConfig> {
        let guardian = top.get("guardian").map(|entry| self.word(entry, &["true", "false"]));
        let lease = top.get("lease").map_or(Some(LeaseConfig::DEFAULT), |entry| self.lease(entry));
        let entry = top.get("cluster")?;
        let said = self.text(entry)?;
        match said.words.full.as_str() {
            "local" => Some(ClusterConfig::Local),
            "none" => Some(ClusterConfig::None),
            url if url.starts_with("etcd:") || url.starts_with("etcds:") => {
                let Servers { user, password, endpoints, .. } = self.etcd(&said)?;
                let tls = url.starts_with("etcds:");
                let guardian = guardian.map_or(Some(true), |word| word.map(|word| word == "true"))?;
                let label = mask_url(&said.words.shown);
                Some(ClusterConfig::Etcd(EtcdConfig { endpoints, tls, user, password, guardian, lease: lease?, label }))
            }
            _ => {
                let message = format!("{} is no value for `cluster`", quote(&mask_url(&said.words.shown)));
                self.fail(said.place(), message, "write `local`, `none` or `etcd://HOST:PORT,HOST:PORT`");
                None
            }
        }
    }

    fn etcd(&mut self, said: &Said<'_>) -> Option<Servers> {
        let url = said.words.full.as_str();
        let flaw = match servers(url, PORT) {
            Err(flaw) => flaw,
            Ok(Servers { end, .. }) if end < url.len() => (end..url.len(), "nothing stands behind the addresses"),
            Ok(Servers { user: None, password: Some(_), .. }) => {
                let login = url.find("://").map_or(0, |at| at + 3);
                (login..login, "a password without a user, and etcd knows none of those")
            }
            Ok(servers) => return Some(servers),
        };
        self.fail(&said.point(flaw.0), flaw.1, FORM);
        None
    }

    fn lease(&mut self, entry: &Entry) -> Option<LeaseConfig> {
        let section = self.section(&entry.value, "lease", "`lease`")?;
        let base = LeaseConfig::DEFAULT;
        let ttl = self.span(&section, "ttl", LEASE, base.ttl);
        let renew = self.span(&section, "renew", LEASE_PART, ttl.map_or(base.renew, LeaseConfig::renew_of));
        let attempt = self.span(&section, "attempt", LEASE_PART, base.attempt);
        let margin = self.span(&section, "margin", LEASE_PART, base.margin);
        let lease = LeaseConfig { ttl: ttl?, renew: renew?, attempt: attempt?, margin: margin? };
        let broken = lease.broken();
        for Broken { keys, message, help } in &broken {
            // At the key that is written: one that is not is right by itself.
            let written = keys.iter().find_map(|key| section.get(key));
            let place = written.map_or(&entry.place, |entry| &entry.value.place);
            self.problems.add(Problem::at(place, message).help(help));
        }
        broken.is_empty().then_some(lease)
    }

    /// This console's name, which stands in keys of servers and in a status line; composed, so that one
    /// name is not two.
    pub(super) fn console(&mut self, entry: &Entry) -> Option<String> {
        let said = self.name(entry, CONSOLE_CHARACTERS_MAX)?;
        let name = said.words.full.as_str();
        let composed: String = name.nfc().collect();
        if let Some(at) = name.find('/') {
            let message = "a `/` in a console's name: it parts the keys that the name stands in";
            self.fail(&said.point(at..at + 1), message, NAME_FORM);
        } else if name.trim() != name {
            self.fail(said.place(), "a space at the edge of a console's name", NAME_FORM);
        } else if *Safe::line(&composed) != *composed {
            // What cleaning would change is not seen, or not as it was written.
            self.fail(said.place(), "a console's name with a character that nobody sees", NAME_FORM);
        } else {
            return Some(composed);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{Config, Options, Problems, Secret, parse};
    use crate::kernel::Span;

    fn read(text: &str) -> Result<Config, Problems> {
        let env = |name: &str| (name == "PASSWORD").then(|| "canary%2F".to_owned());
        parse(text, "x", Path::new(""), &Options { env: &env, ..Options::default() })
    }

    fn etcd(text: &str) -> EtcdConfig {
        match read(text).unwrap_or_else(|problems| panic!("{text}: {problems}")).cluster {
            ClusterConfig::Etcd(etcd) => etcd,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn an_etcd_is_read_with_all_that_belongs_to_it() {
        let plain = etcd("cluster: etcd://a:1,[::1]");
        let told: Vec<_> = plain.endpoints.iter().map(ToString::to_string).collect();
        assert_eq!(told, ["a:1", "[::1]:2379"]);
        assert!(!plain.tls && plain.guardian && plain.user.is_none() && plain.password.is_none());
        assert_eq!(plain.lease, LeaseConfig::DEFAULT);

        let full = etcd("{cluster: 'etcds://board:${PASSWORD}@a,b', guardian: false, lease: {ttl: 8s, margin: 700ms}}");
        assert!(full.tls && !full.guardian);
        assert_eq!(
            (full.user.as_deref(), full.password.as_ref().map(Secret::reveal)),
            (Some("board"), Some("canary/"))
        );
        assert_eq!(full.label, "etcds://board:***@a,b");
        assert!(!format!("{full:?}").contains("canary"));
        let millis = [full.lease.ttl, full.lease.renew, full.lease.attempt, full.lease.margin].map(Span::as_millis);
        assert_eq!(millis, [8_000, 2_000, 400, 700]);
    }

    #[test]
    fn guardian_and_lease_are_checked_without_an_etcd_too() {
        let config = read("{guardian: true, lease: {ttl: 5s}}").unwrap();
        assert_eq!(config.cluster, ClusterConfig::Local);
        assert!(read("guardian: maybe").is_err() && read("{cluster: none, lease: {ttl: 10s}}").is_err());
    }

    #[test]
    fn a_console_has_a_name_that_is_seen_and_parts_nothing() {
        for name in ["press-hall-east", "hall:pts/3", "Halle 3", "号", "\"e\\u0301\"", "a\u{7f}", "a ", "\"\\u202eb\""]
        {
            let text = if name.starts_with('"') { format!("console: {name}") } else { format!("console: '{name}'") };
            let good = ["press-hall-east", "Halle 3", "号", "\"e\\u0301\""].contains(&name);
            assert_eq!(read(&text).is_ok(), good, "{name:?}");
        }
        assert!(read(&format!("console: {}", "x".repeat(64))).is_ok());
        assert!(read(&format!("console: {}", "x".repeat(65))).is_err());
    }
}
