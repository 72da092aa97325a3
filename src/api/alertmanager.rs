//! The webhook of the Prometheus Alertmanager, version 4 of its payload.
//!
//! Each alert is an item under its fingerprint. Fields that this does not know
//! are let pass: they are the sender's, and grow with its versions.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;

use super::desk::Update;
use super::gate::Room;
use super::items::{self, Taken};
use super::problem::Problem;
use super::update::{self, BATCH_MAX, Checked};
use crate::config::json;
use crate::frame::{Level, Safe, Value, Values};

/// Which annotations tell an alert in a line, best first.
const TELLING: [&str; 3] = ["summary", "description", "message"];

pub(super) async fn take(State(room): State<Room>, body: Bytes) -> Result<Json<Taken>, Problem> {
    items::take(&room, alerts(&body).map_err(Problem::bad)?).await
}

/// The updates that a payload says.
fn alerts(body: &[u8]) -> Result<Vec<Checked>, String> {
    let payload = json::strict(body)?;
    match payload.member("alerts") {
        Some(Value::List(alerts)) if alerts.len() <= BATCH_MAX => Ok(alerts.iter().map(alert).collect()),
        Some(Value::List(_)) => Err(format!("a payload has at most {BATCH_MAX} alerts")),
        Some(other) => Err(format!("`alerts` is an array, not {}", update::kind(other))),
        None => Err("`alerts` is missing: this takes what Alertmanager's webhook_config sends".into()),
    }
}

fn alert(alert: &Value) -> Checked {
    let text_at = |map: &str, name: &str| match alert.member(map)?.member(name)? {
        Value::Text(text) if !text.trim().is_empty() => Some(Arc::clone(text)),
        _ => None,
    };
    let fingerprint = match alert.member("fingerprint") {
        Some(Value::Text(fingerprint)) => fingerprint.to_ascii_lowercase(),
        _ => return Err("`fingerprint` is missing: Alertmanager sends it from 0.20 on".into()),
    };
    let id = update::item_id(&fingerprint)?;
    let level = match alert.member("status") {
        Some(Value::Text(status)) if &**status == "resolved" => Level::Healthy,
        Some(Value::Text(status)) if &**status == "firing" => severity(text_at("labels", "severity").as_deref()),
        _ => return Err("`status` is `firing` or `resolved`".into()),
    };
    let annotated = TELLING.iter().find_map(|name| text_at("annotations", name));
    let text = annotated.or_else(|| text_at("labels", "alertname")).unwrap_or_else(|| fingerprint.into());
    let safe = Safe::of(&text);
    let mut tainted = safe.is_tainted();
    let values = match alert.member("labels") {
        Some(Value::Map(labels)) => update::checked_values(labels.clone(), &mut tainted)?,
        _ => Values::new(),
    };
    let (text, values) = (safe.shared(), Arc::new(values));
    Ok((Update { id, level, text, ttl: None, values, filtered: tainted }, tainted))
}

/// The level of a firing alert. Who fires without a known severity still wants somebody to look.
fn severity(label: Option<&str>) -> Level {
    match label.map(str::to_ascii_lowercase).as_deref() {
        Some("critical") => Level::Critical,
        Some("info" | "none") => Level::Info,
        _ => Level::Warning,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload(alerts: &str) -> Vec<u8> {
        format!(r#"{{"version":"4","receiver":"board","status":"firing","alerts":[{alerts}],"new":1}}"#).into_bytes()
    }

    #[test]
    fn each_alert_is_an_item() {
        for (told, id, level, text) in [
            (
                r#"{"status":"firing","labels":{"alertname":"Hot","severity":"critical"},"annotations":{"summary":"Too hot"},"fingerprint":"0AbC"}"#,
                "0abc",
                Level::Critical,
                "Too hot",
            ),
            (
                r#"{"status":"resolved","labels":{"alertname":"Hot","severity":"critical"},"annotations":{"description":"d"},"fingerprint":"1"}"#,
                "1",
                Level::Healthy,
                "d",
            ),
            (
                r#"{"status":"firing","labels":{"alertname":"Hot\u001b[2J","severity":"page"},"annotations":{"summary":" "},"fingerprint":"1"}"#,
                "1",
                Level::Warning,
                "Hot",
            ),
            (r#"{"status":"firing","labels":{"severity":"info"},"fingerprint":"1"}"#, "1", Level::Info, "1"),
            (r#"{"status":"firing","fingerprint":"1"}"#, "1", Level::Warning, "1"),
        ] {
            let checked = alerts(&payload(told)).unwrap();
            let (update, _) = checked[0].clone().unwrap();
            assert_eq!((update.id.as_str(), update.level, &*update.text), (id, level, text), "{told}");
        }
    }

    #[test]
    fn what_is_no_alert_is_refused_alone_and_what_is_no_payload_whole() {
        for bad in [
            "7",
            "{}",
            r#"{"status":"firing"}"#,
            r#"{"status":"on","fingerprint":"1"}"#,
            r#"{"status":"firing","fingerprint":"a b"}"#,
        ] {
            assert!(alerts(&payload(bad)).unwrap()[0].is_err(), "{bad}");
        }
        for bad in ["", "[]", "{}", r#"{"alerts":7}"#] {
            assert!(alerts(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
