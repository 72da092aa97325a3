//! The table of routes as `OpenAPI` 3.1: what `GET /v1/openapi.json` answers and `docs/openapi.json` holds.

use axum::Json;
use serde_json::{Map, Value, json};

use super::table::{Gives, ROUTES, Route, Takes};

pub(super) async fn answer() -> Json<Value> {
    Json(document())
}

/// The whole document.
pub(super) fn document() -> Value {
    let mut paths = Map::new();
    for route in ROUTES {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method.to_ascii_lowercase()] = operation(route);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "marquee",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "The board of a running marquee: read it, push to it, run its plans.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {
                "type": "http",
                "scheme": "bearer",
                "description": "Asked of every write over TCP where the config sets `token`.",
            }},
            "schemas": schemas(),
        },
    })
}

fn operation(route: &Route) -> Value {
    let mut responses = Map::new();
    for (code, meaning, gives) in route.answers {
        responses.insert(code.to_string(), response(meaning, *gives));
    }
    for code in refusals(route) {
        // A probe's refusal is a line of text, as its answer is.
        let gives = if route.answers[0].2 == Gives::Text { Gives::Text } else { Gives::Json("Problem") };
        responses.insert(code.to_string(), response(meaning(code), gives));
    }
    let mut operation = json!({"summary": route.summary, "responses": responses});
    let mut parameters: Vec<Value> = parameter(route.path).into_iter().collect();
    if route.path.ends_with("/run") {
        let wait = "Answer with the run once it has ended.";
        let schema = json!({"type": "string", "enum": ["", "true", "false", "1", "0"]});
        let query =
            json!({"name": "wait", "in": "query", "allowEmptyValue": true, "description": wait, "schema": schema});
        parameters.push(query);
    }
    if !parameters.is_empty() {
        operation["parameters"] = json!(parameters);
    }
    if let Some(body) = body(route.takes) {
        operation["requestBody"] = body;
    }
    if route.writes {
        operation["security"] = json!([{"token": []}, {}]);
    }
    operation
}

fn parameter(path: &str) -> Option<Value> {
    let (_, rest) = path.split_once('{')?;
    let (name, _) = rest.split_once('}')?;
    let schema = schema_ref(if name == "id" { "ItemId" } else { "RunId" });
    Some(json!({"name": name, "in": "path", "required": true, "schema": schema}))
}

/// The codes that a route refuses with, the gate's included.
fn refusals(route: &Route) -> Vec<u16> {
    let mut codes = route.refusals.to_vec();
    if route.takes != Takes::Nothing {
        codes.extend([400, 408, 413, 429]);
    }
    if route.path.ends_with("/run") {
        codes.push(400);
    }
    if route.writes {
        codes.extend([401, 403]);
    }
    codes.sort_unstable();
    codes.dedup();
    codes
}

const fn meaning(code: u16) -> &'static str {
    match code {
        400 => "it can't be read, or says something that is not taken",
        401 => "the token is missing or wrong",
        403 => "it comes from a web page",
        404 => "there is no such item or run",
        408 => "the body did not arrive in time",
        409 => "it is there, but not so that this can be done",
        413 => "the body is too large",
        429 => "more updates than are taken in a second",
        _ => "not now; the Retry-After header says when",
    }
}

fn response(meaning: &str, gives: Gives) -> Value {
    let content = match gives {
        Gives::Nothing => return json!({"description": meaning}),
        Gives::Text => json!({"text/plain": {"schema": {"type": "string"}}}),
        Gives::Events => json!({"text/event-stream": {"schema": {"type": "string"}}}),
        Gives::Json("Problem") => json!({"application/problem+json": {"schema": schema_ref("Problem")}}),
        Gives::Json(name) => json!({"application/json": {"schema": schema_ref(name)}}),
    };
    json!({"description": meaning, "content": content})
}

fn body(takes: Takes) -> Option<Value> {
    let json = |schema: Value| json!({"required": true, "content": {"application/json": {"schema": schema}}});
    match takes {
        Takes::Nothing => None,
        Takes::Update => Some(json(schema_ref("Update"))),
        Takes::Batch => {
            let mut body = json(json!({"type": "array", "items": schema_ref("NamedUpdate")}));
            body["content"]["application/jsonl"] = json!({"schema": {"type": "string"}});
            Some(body)
        }
        Takes::Settings => Some(json(schema_ref("PlanChange"))),
        Takes::Alerts => Some(json(schema_ref("Alerts"))),
    }
}

fn schema_ref(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// An object whose members are all there, whatever else they are.
fn object(members: &Value) -> Value {
    let names: Vec<String> = members.as_object().into_iter().flat_map(Map::keys).cloned().collect();
    json!({"type": "object", "properties": members, "required": names})
}

/// The same object, with a member that may be left out.
fn with_optional(mut object: Value, name: &str, member: Value) -> Value {
    object["properties"][name] = member;
    object
}

/// An object that may have these members and no others, and so may the objects within.
fn closed_deep(members: &Value) -> Value {
    let mut members = members.clone();
    for member in members.as_object_mut().into_iter().flat_map(Map::values_mut) {
        if member["type"] == "object" {
            *member = closed_deep(&member["properties"]);
        }
    }
    json!({"type": "object", "properties": members, "additionalProperties": false})
}

fn schemas() -> Value {
    let time = json!({"type": "string", "format": "date-time"});
    let time_or_null = json!({"type": ["string", "null"], "format": "date-time"});
    let count = json!({"type": "integer", "minimum": 0});
    let number_or_null = json!({"type": ["number", "null"]});
    let text = json!({"type": "string"});
    let text_or_null = json!({"type": ["string", "null"]});
    let truth = json!({"type": "boolean"});
    let role = json!({"type": "string", "enum": ["leader", "follower", "local", "alone"]});
    let level = schema_ref("Level");
    let values = json!({"type": "object"});
    let run_or_null = json!({"anyOf": [schema_ref("Run"), {"type": "null"}]});
    let update = json!({
        "level": level, "text": text,
        "ttl": {"type": ["string", "null"], "examples": ["30s", "5m", "1h30m"]},
        "values": values,
    });
    let mut named = update.clone();
    named["id"] = schema_ref("ItemId");
    let duration = json!({"type": "string", "examples": ["250ms", "10s", "1h30m"]});
    let plan = json!({
        "every": duration,
        "phase": {"type": ["string", "null"], "description": "Where in the period it starts; null: spread by the id."},
        "timeout": duration, "retries": count, "priority": count,
        "late": {"type": "string", "pattern": "^(skip|coalesce|burst [0-9]+)$"},
        "limit": {"type": ["string", "null"], "pattern": "^[0-9]+/[smh]$"},
        "burst": {"type": ["integer", "null"], "minimum": 1},
        "confirm": object(&json!({"bad": count, "good": count})),
        "delay": object(&json!({"on": duration, "off": duration})),
        "breaker": object(&json!({"open_after": count, "retry_after": duration, "retry_max": duration})),
    });
    let closed = |members: &Value, required: Value| json!({"type": "object", "properties": members, "required": required, "additionalProperties": false});
    json!({
        "Any": {"type": "object"},
        "ItemId": {"type": "string", "pattern": "^[a-z0-9._-]{1,64}$"},
        "RunId": {"type": "string"},
        "Level": {"type": "string", "enum": ["critical", "unknown", "warning", "info", "healthy"]},
        "Update": closed(&update, json!(["level", "text"])),
        "NamedUpdate": closed(&named, json!(["id", "level", "text"])),
        "Alerts": {"type": "object", "properties": {"alerts": {"type": "array", "items": {"type": "object"}}}, "required": ["alerts"]},
        "Taken": object(&json!({
            "accepted": count,
            "refused": {"type": "array", "items": object(&json!({"index": count, "detail": text}))},
        })),
        "Board": object(&json!({
            "title": text, "version": count, "role": role, "items": {"type": "array", "items": schema_ref("Item")},
        })),
        "Item": with_optional(object(&json!({
            "id": schema_ref("ItemId"), "text": text, "level": level, "since": time, "updated": time_or_null,
            "age_ms": {"type": ["integer", "null"]}, "source": text, "values": values, "fresh": truth,
            "flapping": truth, "next_run": time_or_null, "run": text_or_null, "last_run": run_or_null,
        })), "acknowledged", json!({
            "type": "string", "format": "date-time",
            "description": "Since when somebody knows of its alarm; left out where nobody does.",
        })),
        "Plan": object(&plan),
        "PlanChange": closed_deep(&plan),
        "Started": object(&json!({"run": schema_ref("RunId")})),
        "Run": object(&json!({
            "run": schema_ref("RunId"), "item": schema_ref("ItemId"),
            "state": {"type": "string", "enum": ["running", "done", "failed", "timed_out", "cancelled"]},
            "started": time, "waited_ms": count, "ran_ms": count, "retries": count, "bytes": count, "detail": text,
        })),
        "Hour": object(&json!({
            "item": schema_ref("ItemId"), "runs": count,
            "p50_ms": number_or_null, "p95_ms": number_or_null, "p99_ms": number_or_null,
        })),
        "Frame": object(&json!({
            "seq": count, "at": time, "item": text_or_null, "text": text, "level": level, "since": time_or_null,
            "position": count, "of": count, "role": role, "fence": count, "board": count, "crc": text,
            "fallback": truth, "notice": text_or_null,
        })),
        "Consoles": object(&json!({
            "leader": text_or_null,
            "consoles": {"type": "array", "items": object(&json!({
                "name": text, "role": role, "since": time, "version": text,
                "offset_ms": {"type": "number"}, "bound_ms": {"type": "number"}, "last_seen": time,
            }))},
        })),
        "Problem": object(&json!({"type": text, "title": text, "status": count, "detail": text})),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every `$ref` below a value.
    fn references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    match member.as_str().filter(|_| name == "$ref") {
                        Some(target) => found.push(target.to_owned()),
                        None => references(member, found),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }

    #[test]
    fn every_reference_leads_somewhere_and_every_schema_is_used() {
        let document = document();
        let mut found = Vec::new();
        references(&document, &mut found);
        for target in &found {
            assert!(document.pointer(target.trim_start_matches('#')).is_some(), "{target}");
        }
        for name in document["components"]["schemas"].as_object().unwrap().keys() {
            assert!(found.iter().any(|target| target.ends_with(&format!("/{name}"))), "{name} is never used");
        }
    }

    #[test]
    fn the_document_on_disk_is_this_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/openapi.json");
        let made = format!("{:#}\n", document());
        if std::env::var_os("MARQUEE_UPDATE_DOCS").is_some() {
            std::fs::write(path, &made).unwrap();
        }
        let kept = std::fs::read_to_string(path).unwrap_or_default();
        let how = "write it afresh with MARQUEE_UPDATE_DOCS=1 cargo test openapi";
        assert!(kept == made, "docs/openapi.json differs from the table of routes; {how}");
    }
}
