//! `dns://NAME?type=A`: whether a name resolves, and to what.
//!
//! With a path, `dns://SERVER/NAME?type=A` asks that one server; else the
//! servers of this machine are asked in their order. The question is asked anew
//! each time, past every cache of this machine. The name is taken as it stands:
//! deliberately no search list and no hosts file, which are this machine's
//! habits and not the name server's answer. An address with `type=PTR` asks for
//! its name.
//!
//! That there is no such name is an answer: `answers` is empty then, and `code`
//! is `NXDOMAIN`. Answers are sorted, so that a server that deals them in turn
//! does not make the screen jump.

mod ask;
mod servers;

use std::net::{IpAddr, SocketAddr};

use hickory_proto::op::{Message, Query, ResponseCode};
use hickory_proto::rr::{DNSClass, Name, RData, RecordType};
use tokio::time::Instant;

use self::servers::Servers;
use super::peer_url::{PeerUrl, bad, decode};
use super::{BadTarget, Check, CheckTarget, Fault, Measured, Measuring, turns};
use crate::frame::{Value, Values};

/// The types that can be asked for.
const TYPES: &[(&str, RecordType)] = &[
    ("A", RecordType::A),
    ("AAAA", RecordType::AAAA),
    ("CNAME", RecordType::CNAME),
    ("MX", RecordType::MX),
    ("NS", RecordType::NS),
    ("PTR", RecordType::PTR),
    ("SRV", RecordType::SRV),
    ("TXT", RecordType::TXT),
];

/// As many answers as are told; a screen shows a few.
const ANSWERS_MAX: usize = 64;

struct Dns {
    question: Query,
    servers: Servers,
}

pub(super) fn build(target: &CheckTarget<'_>) -> Result<Box<dyn Check>, BadTarget> {
    let url = PeerUrl::parse(target, &["type"])?.without_login()?;
    let wanted = url.option("type").unwrap_or("A").to_ascii_uppercase();
    let found = TYPES.iter().find(|(name, _)| *name == wanted);
    let (_, kind) = found.ok_or_else(|| {
        bad(format!("`type` is one of {}", TYPES.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")))
    })?;
    let (name, servers) = if url.path.is_empty() {
        (decode(&url.authority)?, Servers::Machine)
    } else {
        (decode(&url.path)?, Servers::One(url.address(servers::PORT)?))
    };
    let question = Query::query(read_name(&name, *kind)?, *kind);
    Ok(Box::new(Dns { question, servers }))
}

/// The whole name, always from the root; an address becomes the name that its PTR record has.
fn read_name(text: &str, kind: RecordType) -> Result<Name, BadTarget> {
    let literal = text.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = literal.parse::<IpAddr>() {
        return if kind == RecordType::PTR {
            Ok(address.into())
        } else {
            Err(bad("an address is asked for with type=PTR"))
        };
    }
    let wrong = "the NAME is none that DNS can have";
    if text.is_empty()
        || text.contains(['/', ':', '\\'])
        || text.chars().any(|it| it.is_whitespace() || it.is_control())
    {
        return Err(bad(wrong));
    }
    let mut name = Name::from_str_relaxed(text).map_err(|_| bad(wrong))?;
    name.set_fqdn(true);
    Ok(name)
}

impl Check for Dns {
    fn measure(&self) -> Measuring<'_> {
        Box::pin(async {
            let servers = self.servers.list().await?;
            turns::first(&servers, |server| self.ask(*server)).await
        })
    }
}

impl Dns {
    async fn ask(&self, server: SocketAddr) -> Result<Measured, Fault> {
        let started = Instant::now();
        let (answer, bytes) = ask::ask(server, &self.question).await?;
        let latency = Value::span(started.elapsed().into());
        let values = tell(&self.question, &answer).map_err(|why| Fault(format!("{why} ({server})")))?;
        Ok(Measured { values: values.with("latency", latency), bytes, ..Measured::default() })
    }
}

/// What an answer says, or why it says nothing.
fn tell(question: &Query, answer: &Message) -> Result<Values, String> {
    let code = match answer.metadata.response_code {
        ResponseCode::NoError => "NOERROR",
        ResponseCode::NXDomain => "NXDOMAIN",
        ResponseCode::ServFail => return Err("the name server failed (SERVFAIL)".into()),
        ResponseCode::Refused => return Err("the name server refuses the question (REFUSED)".into()),
        other => return Err(format!("the name server says: {}", other.to_str().to_lowercase())),
    };
    let answers = answers(question, answer);
    let answers = answers.into_iter().map(Value::text).collect();
    Ok(Values::new().with("code", Value::text(code)).with("answers", Value::List(answers)))
}

/// The records that answer the question: those of the name itself, or of a name that it stands for.
/// A server may add records of other names, in good or in bad faith; they answer nothing.
fn answers(question: &Query, answer: &Message) -> Vec<String> {
    let records = || answer.answers.iter().filter(|record| record.dns_class == DNSClass::IN);
    let mut owner = question.name();
    // Each alias leads on once, so that aliases in a ring come to an end.
    for _ in 0..answer.answers.len() {
        let alias = records().filter(|record| record.name == *owner).find_map(|record| match &record.data {
            RData::CNAME(alias) if question.query_type() != RecordType::CNAME => Some(&alias.0),
            _ => None,
        });
        match alias {
            Some(alias) => owner = alias,
            None => break,
        }
    }
    let of_owner = records().filter(|record| record.name == *owner && record.record_type() == question.query_type());
    let mut told: Vec<String> = of_owner.filter_map(|record| text(&record.data)).take(ANSWERS_MAX).collect();
    told.sort();
    told.dedup();
    told
}

/// A record as an operator writes it.
fn text(data: &RData) -> Option<String> {
    // The dot of the root ends every name, and tells nothing.
    let name = |name: &Name| {
        let told = name.to_string();
        told.strip_suffix('.').filter(|told| !told.is_empty()).map_or_else(|| told.clone(), str::to_owned)
    };
    Some(match data {
        RData::A(address) => address.to_string(),
        RData::AAAA(address) => address.to_string(),
        RData::CNAME(alias) => name(&alias.0),
        RData::NS(server) => name(&server.0),
        RData::PTR(host) => name(&host.0),
        RData::MX(mail) => format!("{} {}", mail.preference, name(&mail.exchange)),
        RData::SRV(it) => format!("{} {} {} {}", it.priority, it.weight, it.port, name(&it.target)),
        RData::TXT(text) => String::from_utf8_lossy(&text.txt_data.concat()).into_owned(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
