//! From a measurement to news of an item: its level, its text, its values.
//!
//! Pure: the same measurement always gives the same news. What comes from
//! outside is judged as it came and cleaned before it leaves.

use std::sync::Arc;

use super::{Fault, Measured};
use crate::config::{CheckConfig, Expression, Levels, Template, outside, schemes};
use crate::frame::{Level, Value, Values};
use crate::kernel::Report;

/// What judges one item's measurements; built once, asked at each run.
pub struct Judge {
    text: Template,
    label: Arc<str>,
    levels: Levels,
}

impl Judge {
    /// The judge of an item: its text, and its `levels` or else its scheme's.
    #[must_use]
    pub fn new(text: &Template, config: &CheckConfig) -> Self {
        let levels = if config.levels.0.is_empty() { default_levels(config.scheme) } else { config.levels.clone() };
        Self { text: text.clone(), label: config.label.as_str().into(), levels }
    }

    /// What a measurement, or its fault, says of the item.
    #[must_use]
    pub fn report(&self, measured: Result<Measured, Fault>) -> Report {
        match measured {
            Ok(measured) => self.success(measured),
            Err(fault) => self.failure(&fault),
        }
    }

    /// The first level whose expression holds, else the check's own verdict, else healthy.
    fn success(&self, measured: Measured) -> Report {
        let Measured { mut values, level: verdict, degraded, .. } = measured;
        values.set("up", Value::Bool(true));
        if let Some(fault) = degraded {
            values.set("error", Value::text(fault.0.as_str()));
            return self.part(&values, verdict, &fault);
        }
        // Expressions and texts may name `error` at any time; the viewer need not see that there is none.
        let asked = values.clone().with("error", Value::text(""));
        let (level, text) = match self.levels.judge(&asked) {
            Ok(level) => (level.or(verdict).unwrap_or(Level::Healthy), self.text.fill(&asked)),
            Err(why) => (Level::Unknown, format!("can't tell {why}")),
        };
        self.told(level, &text, &values)
    }

    /// A warning at least, which says what is missing: what is known of the rest is judged as it stands.
    fn part(&self, values: &Values, verdict: Option<Level>, fault: &Fault) -> Report {
        let level = self.first_told(values).or(verdict).unwrap_or(Level::Warning).min(Level::Warning);
        let text = format!("{} ({})", self.text.fill(values), fault.0);
        self.told(level, &text, values)
    }

    /// The first level whose expression holds, where those that can't be told count for nothing.
    fn first_told(&self, values: &Values) -> Option<Level> {
        let holds = |expression: &Expression| expression.holds(values) == Ok(true);
        self.levels.0.iter().find(|(_, expression)| holds(expression)).map(|(level, _)| *level)
    }

    /// Unknown, unless an expression that can be told without a measurement says otherwise.
    fn failure(&self, fault: &Fault) -> Report {
        let values = Values::new().with("up", Value::Bool(false)).with("error", Value::text(fault.0.as_str()));
        let level = self.first_told(&values).unwrap_or(Level::Unknown);
        // What can't be reached is named: a reason alone, in letters of a hand's height, names nothing.
        let text = match self.text.subject() {
            _ if fault.0.trim().is_empty() => String::new(),
            "" => fault.0.clone(),
            subject => format!("{subject}: {}", fault.0),
        };
        self.told(level, &text, &values)
    }

    fn told(&self, level: Level, text: &str, values: &Values) -> Report {
        let text = outside(text);
        let filtered = text.is_tainted();
        let text = if text.trim().is_empty() { outside(&self.label) } else { text };
        let mut cleaned = Values::new();
        for (name, value) in values.iter() {
            cleaned.set(&*outside(name), clean(value));
        }
        Report { level, text: text.shared(), values: Arc::new(cleaned), filtered }
    }
}

/// The expressions of the scheme's table. That each compiles is a test's
/// business, so none is lost here.
pub(super) fn default_levels(scheme: &str) -> Levels {
    let table = schemes::scheme(scheme).map_or(&[][..], |scheme| scheme.levels);
    let compiled = table.iter().filter_map(|(level, text)| Some((*level, Expression::compile(text).ok()?)));
    Levels(compiled.collect())
}

fn clean(value: &Value) -> Value {
    match value {
        Value::Text(text) => {
            let safe = outside(text);
            // Most texts need no cleaning and are shared instead of copied.
            if *safe == **text { value.clone() } else { Value::text(&*safe) }
        }
        Value::List(items) => Value::List(items.iter().map(clean).collect()),
        Value::Map(members) => {
            Value::Map(members.iter().map(|(name, value)| ((&*outside(name)).into(), clean(value))).collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(..) => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::schemes::SCHEMES;
    use crate::config::{Flow, Secret};
    use crate::frame::{Span, Unit};

    fn judge(text: &str, scheme: &'static str, levels: &[(Level, &str)]) -> Judge {
        let levels = levels.iter().map(|(level, text)| (*level, Expression::compile(text).unwrap())).collect();
        let config = CheckConfig {
            scheme,
            target: Secret::new(format!("{scheme}://u:secret@host")),
            label: format!("{scheme}://u:***@host"),
            every: Span::from_secs(2),
            phase: None,
            timeout: Span::from_secs(1),
            retries: 0,
            levels: Levels(levels),
            flow: Flow::default(),
            steps: Vec::new(),
        };
        Judge::new(&Template::parse(text).unwrap(), &config)
    }

    fn answer(status: f64) -> Measured {
        let values = Values::new()
            .with("status", Value::plain(status))
            .with("latency", Value::Number(0.012, Unit::Seconds))
            .with("body", Value::text("v2"));
        Measured { values, bytes: 2, ..Measured::default() }
    }

    fn told(judge: &Judge, measured: Result<Measured, Fault>) -> (Level, String) {
        let report = judge.report(measured);
        (report.level, report.text.to_string())
    }

    #[test]
    fn the_first_expression_that_holds_gives_the_level() {
        let levels = [(Level::Critical, "status != 200"), (Level::Warning, "latency > 10ms")];
        let judge = judge("API {body} {latency}", "http", &levels);
        assert_eq!(told(&judge, Ok(answer(500.0))), (Level::Critical, "API v2 12 ms".into()));
        assert_eq!(told(&judge, Ok(answer(200.0))), (Level::Warning, "API v2 12 ms".into()));
        let quick = Measured { values: answer(200.0).values.with("latency", Value::plain(0.001)), ..answer(0.0) };
        assert_eq!(told(&judge, Ok(quick)).0, Level::Healthy);
    }

    #[test]
    fn without_levels_the_scheme_speaks_and_then_the_check_itself() {
        let http = judge("{status}", "http", &[]);
        assert_eq!(told(&http, Ok(answer(404.0))), (Level::Critical, "404".into()));
        assert_eq!(told(&http, Ok(answer(204.0))), (Level::Healthy, "204".into()));
        let verdict = Measured { level: Some(Level::Warning), ..answer(0.0) };
        assert_eq!(told(&judge("x", "exec", &[]), Ok(verdict.clone())).0, Level::Warning);
        let own = judge("x", "exec", &[(Level::Critical, "status == 0")]);
        assert_eq!(told(&own, Ok(verdict.clone())).0, Level::Critical);
        let other = judge("x", "exec", &[(Level::Critical, "status == 1")]);
        assert_eq!(told(&other, Ok(verdict)).0, Level::Warning);
    }

    #[test]
    fn a_fault_is_unknown_and_named_unless_an_expression_can_be_told() {
        let fault = || Err(Fault("connection refused (host:80)".into()));
        for (levels, expected) in [
            (&[][..], Level::Unknown),
            (&[(Level::Critical, "status != 200")], Level::Unknown),
            (&[(Level::Critical, "!up")], Level::Critical),
            (&[(Level::Critical, "!up || status != 200")], Level::Critical),
            (&[(Level::Critical, "status != 200"), (Level::Warning, "!up")], Level::Warning),
            (&[(Level::Critical, "error.contains('refused')")], Level::Critical),
            (&[(Level::Critical, "error.contains('reset')")], Level::Unknown),
            (&[(Level::Info, "!up")], Level::Info),
        ] {
            let told = told(&judge("API {latency}", "http", levels), fault());
            assert_eq!(told, (expected, "API: connection refused (host:80)".into()), "{levels:?}");
        }
        let report = judge("x", "http", &[]).report(fault());
        assert_eq!(report.values.get("up"), Some(&Value::Bool(false)));
        assert_eq!(report.values.get("error"), Some(&Value::text("connection refused (host:80)")));
    }

    #[test]
    fn what_cannot_be_told_is_unknown_with_the_reason() {
        let judge = judge("fine", "http", &[(Level::Warning, "body.queue > 3")]);
        let (level, text) = told(&judge, Ok(answer(200.0)));
        assert_eq!(level, Level::Unknown);
        assert!(text.starts_with("can't tell warning: "), "{text}");
    }

    #[test]
    fn what_is_known_in_part_is_a_warning_that_says_what_is_missing() {
        let part = || Measured { degraded: Some(Fault("door: connection refused".into())), ..answer(200.0) };
        for (levels, expected) in [
            (&[][..], Level::Warning),
            (&[(Level::Critical, "status != 200")], Level::Warning),
            (&[(Level::Info, "status == 200")], Level::Warning),
            (&[(Level::Critical, "status == 200")], Level::Critical),
            (&[(Level::Critical, "door.open"), (Level::Unknown, "status == 200")], Level::Unknown),
            (&[(Level::Critical, "error.contains('refused')")], Level::Critical),
        ] {
            let told = told(&judge("API {body} {door.open}", "plan", levels), Ok(part()));
            assert_eq!(told, (expected, "API v2 … (door: connection refused)".into()), "{levels:?}");
        }
        let verdict = Measured { level: Some(Level::Critical), ..part() };
        assert_eq!(told(&judge("x", "plan", &[]), Ok(verdict)).0, Level::Critical);
    }

    #[test]
    fn a_success_has_no_error() {
        let judge = judge("ok{error}", "tcp", &[(Level::Critical, "!up || error != ''")]);
        let report = judge.report(Ok(answer(200.0)));
        assert_eq!((report.level, &*report.text), (Level::Healthy, "ok"));
        assert_eq!(report.values.get("up"), Some(&Value::Bool(true)));
        assert_eq!(report.values.get("error"), None);
    }

    #[test]
    fn an_empty_text_falls_back_to_the_label_without_secrets() {
        assert_eq!(told(&judge("", "http", &[]), Ok(answer(200.0))).1, "http://u:***@host");
        assert_eq!(told(&judge("{error}", "http", &[]), Ok(answer(200.0))).1, "http://u:***@host");
        assert_eq!(told(&judge("x", "http", &[]), Err(Fault(" ".into()))).1, "http://u:***@host");
    }

    #[test]
    fn what_comes_from_outside_is_cleaned() {
        let hostile = "a\u{1b}]52;c;eA==\u{7}\u{202e}b";
        let body = Value::Map(vec![(hostile.into(), Value::List(vec![Value::text(hostile)]))]);
        let measured = Measured { values: Values::new().with("body", body), ..Measured::default() };
        let report = judge("{body}", "tcp", &[]).report(Ok(measured));
        let safe = outside(hostile);
        assert_eq!(&*report.text, &*outside(&format!("{hostile}: {hostile}")));
        let Some(Value::Map(members)) = report.values.get("body") else { panic!("no map") };
        assert_eq!(&*members[0].0, &*safe);
        assert_eq!(members[0].1, Value::List(vec![Value::text(&*safe)]));
    }

    #[test]
    fn every_scheme_s_own_expressions_compile_over_its_own_values() {
        for scheme in SCHEMES {
            assert_eq!(default_levels(scheme.name).0.len(), scheme.levels.len(), "{}", scheme.name);
            for (_, text) in scheme.levels {
                for (name, _) in Expression::compile(text).unwrap().names() {
                    assert!(scheme.values.contains(&name.as_str()), "{}: {text}", scheme.name);
                }
            }
            for (path, _) in Template::parse(scheme.text).unwrap().names() {
                assert!(scheme.values.contains(&path.as_str()), "{}: {path}", scheme.name);
            }
        }
    }
}
