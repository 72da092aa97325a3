//! `etcd://HOST[:PORT][,HOST[:PORT]…]`: the status of an etcd member.
//!
//! Asked over the JSON gateway that every etcd 3 has on its client port, so that
//! the check needs nothing beyond HTTP. Of several members the first that
//! answers is told. Deliberately no key is read: that is what a member's own
//! status is for.
//!
//! `leader` is the member that leads, in the hexadecimal digits that `etcdctl`
//! shows, or `none`.

use reqwest::header::CONTENT_TYPE;
use reqwest::{Response, Url};
use tokio::time::Instant;

use super::net::Address;
use super::peer_url::{self, PeerUrl, bad};
use super::{BadTarget, Check, CheckTarget, Fault, Measured, Measuring, http, turns};
use crate::config::json;
use crate::frame::{Value, Values};

/// The port for clients.
const PORT: u16 = 2379;

/// Where the gateway tells a member's status.
const STATUS: &str = "v3/maintenance/status";

/// What `leader` says where there is none.
const NO_LEADER: &str = "none";

struct Etcd {
    members: Vec<Member>,
}

struct Member {
    address: Address,
    status: Url,
}

pub(super) fn build(target: &CheckTarget<'_>) -> Result<Box<dyn Check>, BadTarget> {
    let url = PeerUrl::parse(target, &[])?.without_login()?;
    if !url.path.is_empty() {
        return Err(bad("nothing stands behind the addresses"));
    }
    let members = url.authority.split(',').map(|written| {
        let address = peer_url::address(written, PORT)?;
        let status = Url::parse(&format!("http://{address}/{STATUS}")).map_err(|e| bad(e.to_string()))?;
        Ok(Member { address, status })
    });
    Ok(Box::new(Etcd { members: members.collect::<Result<_, BadTarget>>()? }))
}

impl Check for Etcd {
    fn measure(&self) -> Measuring<'_> {
        Box::pin(turns::first(&self.members, Member::ask))
    }
}

impl Member {
    fn ask(&self) -> impl Future<Output = Result<Measured, Fault>> + Send + use<> {
        let (address, status) = (self.address.clone(), self.status.clone());
        async move {
            let request =
                http::client(&status)?.post(status.clone()).header(CONTENT_TYPE, "application/json").body("{}");
            let started = Instant::now();
            let cut = |e: reqwest::Error| http::fault(&e, &status);
            let response: Response = request.send().await.map_err(cut)?;
            let code = response.status();
            let (body, _whole) = http::read(response).await.map_err(cut)?;
            let latency = Value::span(started.elapsed().into());
            if !code.is_success() {
                return Err(address.fault(refusal(code.as_u16(), &body)));
            }
            let values = tell(&body).ok_or_else(|| address.fault("no etcd answer"))?;
            Ok(Measured { values: values.with("latency", latency), bytes: body.len() as u64, ..Measured::default() })
        }
    }
}

/// The values of a status. The gateway writes long numbers as texts and leaves out zeros.
fn tell(body: &[u8]) -> Option<Values> {
    let status = json::lenient(body)?;
    let version = status.member("version")?;
    let leader = match status.member("leader") {
        Some(leader) => whole(leader)?,
        None => 0,
    };
    let leader = if leader == 0 { NO_LEADER.into() } else { format!("{leader:x}") };
    // Newer gateways may keep the name of the field as it is in the protocol.
    let size = status.member("dbSize").or_else(|| status.member("db_size")).map_or(Some(0), whole)?;
    Some(
        Values::new()
            .with("leader", Value::text(leader))
            .with("db_size", Value::bytes(size))
            .with("version", version.clone()),
    )
}

fn whole(value: &Value) -> Option<u64> {
    match value {
        Value::Text(text) => text.parse().ok(),
        _ => None,
    }
}

/// What a member answers instead of its status.
fn refusal(code: u16, body: &[u8]) -> String {
    let told = json::lenient(body);
    let why = told.as_ref().and_then(|it| it.member("message").or_else(|| it.member("error")));
    match (why, code) {
        (Some(Value::Text(why)), _) => format!("refused: {why}"),
        (_, 404) => "no etcd 3 with a JSON gateway".into(),
        _ => format!("no etcd answer: HTTP {code}"),
    }
}

#[cfg(test)]
mod tests;
