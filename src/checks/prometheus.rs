//! `prometheus://HOST[:PORT]/?query=EXPRESSION`: one number from a Prometheus query.
//!
//! The instant query of its HTTP API, which Mimir and Thanos
//! have too, behind a path of their own. A query that gives several series, or
//! none, gives no number, and the fault says so: deliberately none of them is
//! picked, and none is not zero.

use reqwest::Url;

use super::net::Address;
use super::peer_url::{PeerUrl, bad, decode};
use super::{BadTarget, Check, CheckTarget, Measured, Measuring, http};
use crate::config::json;
use crate::frame::{Value, Values};

/// The port of Prometheus.
const PORT: u16 = 9090;

/// Where the API answers instant queries.
const QUERY: &str = "api/v1/query";

struct Prometheus {
    address: Address,
    query: Url,
}

pub(super) fn build(target: &CheckTarget<'_>) -> Result<Box<dyn Check>, BadTarget> {
    let (address, query) = aim(&PeerUrl::parse(target, &["query"])?)?;
    Ok(Box::new(Prometheus { address, query }))
}

/// Who is asked, and by which URL of HTTP.
fn aim(url: &PeerUrl) -> Result<(Address, Url), BadTarget> {
    let address = url.address(PORT)?;
    let expression = url.option("query").ok_or_else(|| bad("the query is missing: ?query=EXPRESSION"))?;
    let path = decode(&url.path)?;
    let mut query = Url::parse(&format!("http://{address}/")).map_err(|e| bad(e.to_string()))?;
    if let Ok(mut segments) = query.path_segments_mut() {
        segments.pop_if_empty();
        segments.extend(path.split('/').chain(QUERY.split('/')).filter(|segment| !segment.is_empty()));
    }
    query.query_pairs_mut().append_pair("query", expression);
    // Every URL of HTTP takes both.
    let _ = query.set_username(url.user.as_deref().unwrap_or_default());
    let _ = query.set_password(url.password.as_deref());
    Ok((address, query))
}

impl Check for Prometheus {
    fn measure(&self) -> Measuring<'_> {
        Box::pin(async {
            let cut = |e: reqwest::Error| http::fault(&e, &self.query);
            let response = http::client(&self.query)?.get(self.query.clone()).send().await.map_err(cut)?;
            let code = response.status();
            let (body, whole) = http::read(response).await.map_err(cut)?;
            let told = if whole { number(code.as_u16(), &body) } else { Err(TOO_LONG.into()) };
            let value = told.map_err(|why| self.address.fault(why))?;
            Ok(Measured { values: Values::new().with("value", value), bytes: body.len() as u64, ..Measured::default() })
        })
    }
}

/// An answer beyond the cap on every answer: thousands of series.
const TOO_LONG: &str = "the query gives far too much instead of one number; aggregate it, as in sum(…)";

/// The one number of an answer, or why there is none.
fn number(code: u16, body: &[u8]) -> Result<Value, String> {
    let Some(answer) = json::lenient(body) else {
        return Err(match code {
            200 => "no Prometheus answer".into(),
            401 | 403 => "user or password refused".into(),
            code => format!("no Prometheus answer: HTTP {code}"),
        });
    };
    let text = |value: Option<&Value>| match value {
        Some(Value::Text(text)) => Some(text.to_string()),
        _ => None,
    };
    if text(answer.member("status")).as_deref() != Some("success") {
        let why = text(answer.member("error")).ok_or("no Prometheus answer")?;
        return Err(format!("the query is refused: {why}"));
    }
    let data = answer.member("data").ok_or("no Prometheus answer")?;
    let result = data.member("result").ok_or("no Prometheus answer")?;
    let kind = text(data.member("resultType")).unwrap_or_default();
    let sample = match (kind.as_str(), result) {
        ("scalar", sample) => sample,
        ("vector", Value::List(series)) => match series.as_slice() {
            [one] => one.member("value").ok_or("the query gives a histogram, not a number")?,
            [] => return Err("the query gives no series: is the metric there?".into()),
            many => {
                return Err(format!(
                    "the query gives {} series instead of one; aggregate it, as in sum(…)",
                    many.len()
                ));
            }
        },
        ("matrix", _) => return Err("the query gives a range instead of one number; leave out the [duration]".into()),
        ("string", _) => return Err("the query gives a text, not a number".into()),
        _ => return Err("no Prometheus answer".into()),
    };
    // A sample is its time and its value, which is a text so that it can be infinite.
    let value = text(sample.member("1")).and_then(|text| text.parse::<f64>().ok()).ok_or("no Prometheus answer")?;
    if value.is_nan() { Err("the query gives NaN, which is no number".into()) } else { Ok(Value::plain(value)) }
}

#[cfg(test)]
mod tests;
