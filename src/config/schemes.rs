//! The table of checks: what each scheme is called, measures and says by itself.
//!
//! Facts alone. What a scheme does is in `checks/`; a test there proves that
//! every line here has its check, so that no scheme is known but not built.

use crate::kernel::board::Level;

/// One scheme of `check:`.
pub struct Scheme {
    /// The part before the colon.
    pub name: &'static str,
    /// How its check is written, for messages and docs.
    pub form: &'static str,
    /// What it tells, for the docs.
    pub tells: &'static str,
    /// The values it gives for texts and `levels`.
    pub values: &'static [&'static str],
    /// Whether it gives further values that nobody can know before it runs.
    pub open: bool,
    /// The text of an item that has none.
    pub text: &'static str,
    /// The expressions that hold where an item has no `levels`.
    pub levels: &'static [(Level, &'static str)],
}

/// Every scheme, in the order of the docs.
pub const SCHEMES: &[Scheme] = &[
    Scheme {
        name: "http",
        form: "http://HOST[:PORT]/PATH",
        tells: "a request's answer",
        values: &["status", "latency", "body"],
        open: false,
        text: "HTTP {status} {latency}",
        levels: &[(Level::Critical, "status >= 400")],
    },
    Scheme {
        name: "https",
        form: "https://HOST[:PORT]/PATH",
        tells: "a request's answer; the certificate's remaining days",
        values: &["status", "latency", "body", "cert_days"],
        open: false,
        text: "HTTPS {status} {latency}",
        levels: &[(Level::Critical, "status >= 400"), (Level::Warning, "cert_days < 14")],
    },
    Scheme {
        name: "tcp",
        form: "tcp://HOST:PORT",
        tells: "the port accepts",
        values: &["latency"],
        open: false,
        text: "TCP {latency}",
        levels: &[],
    },
    Scheme {
        name: "dns",
        form: "dns://[SERVER[:PORT]/]NAME[?type=A]",
        tells: "a name resolves; A, AAAA, CNAME, MX, NS, PTR, SRV or TXT",
        values: &["latency", "answers", "code"],
        open: false,
        text: "{code} {answers}",
        levels: &[(Level::Critical, "size(answers) == 0")],
    },
    Scheme {
        name: "ping",
        form: "ping://HOST",
        tells: "an ICMP echo is answered, where the system permits to ask",
        values: &["latency"],
        open: false,
        text: "ping {latency}",
        levels: &[],
    },
    Scheme {
        name: "redis",
        form: "redis://[USER:PASSWORD@]HOST[:PORT][/DB][?ttl=KEY]",
        tells: "PING and INFO; with ?ttl=KEY the key's time to live",
        values: &["latency", "version", "role", "used_memory", "connected_clients", "ttl"],
        open: false,
        text: "Redis {version}",
        levels: &[],
    },
    Scheme {
        name: "rediss",
        form: "rediss://[USER:PASSWORD@]HOST[:PORT][/DB][?ttl=KEY]",
        tells: "the same over TLS",
        values: &["latency", "version", "role", "used_memory", "connected_clients", "ttl"],
        open: false,
        text: "Redis {version}",
        levels: &[],
    },
    Scheme {
        name: "postgres",
        form: "postgres://USER[:PASSWORD]@HOST[:PORT][/DATABASE][?query=SELECT…]",
        tells: "SELECT 1, or the first column of the first row of a query, read-only",
        values: &["latency", "value", "version"],
        open: false,
        text: "PostgreSQL {version} {latency}",
        levels: &[],
    },
    Scheme {
        name: "etcd",
        form: "etcd://HOST[:PORT][,HOST[:PORT]…]",
        tells: "the status of the first member that answers",
        values: &["latency", "leader", "db_size", "version"],
        open: false,
        text: "etcd {version} {latency}",
        levels: &[(Level::Critical, "leader == \"none\"")],
    },
    Scheme {
        name: "prometheus",
        form: "prometheus://[USER:PASSWORD@]HOST[:PORT]/[PATH]?query=EXPRESSION",
        tells: "the one number of a Prometheus query",
        values: &["value"],
        open: false,
        text: "{value}",
        levels: &[],
    },
    Scheme {
        name: "mqtt",
        form: "mqtt://[USER:PASSWORD@]HOST[:PORT]/TOPIC",
        tells: "the last message on a topic, and its age since it arrived here",
        values: &["value", "age", "body"],
        open: false,
        text: "{value}",
        levels: &[],
    },
    Scheme {
        name: "modbus",
        form: "modbus://HOST[:PORT]/UNIT/REGISTER[?kind=holding&type=u16&order=big]",
        tells: "a register's value; kind is holding, input, coil or discrete, type u16, i16, u32, i32 or f32",
        values: &["value"],
        open: false,
        text: "{value}",
        levels: &[],
    },
    Scheme {
        name: "exec",
        form: "exec:PROGRAM ARGS",
        tells: "a monitoring plugin: exit 0/1/2/3 = healthy/warning/critical/unknown; no shell",
        values: &["exit", "text"],
        open: true,
        text: "{text}",
        levels: &[],
    },
    Scheme {
        name: "file",
        form: "file:PATH",
        tells: "the file's age, size and first line",
        values: &["age", "size", "text"],
        open: false,
        text: "{text}",
        levels: &[],
    },
    Scheme {
        name: "disk",
        form: "disk:PATH",
        tells: "the file system that holds PATH",
        values: &["used", "free", "percent"],
        open: false,
        text: "{percent} used, {free} free",
        levels: &[(Level::Critical, "percent > 95%"), (Level::Warning, "percent > 85%")],
    },
    Scheme {
        name: "memory",
        form: "memory:",
        tells: "this machine's memory",
        values: &["used", "free", "percent"],
        open: false,
        text: "{percent} used, {free} free",
        levels: &[(Level::Critical, "percent > 97%"), (Level::Warning, "percent > 90%")],
    },
    Scheme {
        name: "load",
        form: "load:",
        tells: "this machine's load average over 1, 5 and 15 minutes, and its cores",
        values: &["load1", "load5", "load15", "cores"],
        open: false,
        text: "load {load1}",
        levels: &[(Level::Warning, "load5 > cores * 2")],
    },
    Scheme {
        name: "systemd",
        form: "systemd:UNIT",
        tells: "a unit's state",
        values: &["state", "sub"],
        open: false,
        text: "{state}",
        levels: &[(Level::Critical, "state == \"failed\""), (Level::Warning, "state != \"active\"")],
    },
];

/// The scheme called `name`.
#[must_use]
pub fn scheme(name: &str) -> Option<&'static Scheme> {
    SCHEMES.iter().find(|scheme| scheme.name == name)
}

/// What every check gives beside its own values: whether the run measured anything, and why not.
pub const COMMON_VALUES: &[&str] = &["up", "error"];
