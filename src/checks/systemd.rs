//! `systemd:`: a unit's state, as `systemctl show` tells it.
//!
//! Deliberately the command, not D-Bus: it is there wherever systemd is, and a
//! child that hangs can be killed.

use super::child::{self, Finished};
use super::exec::one_line;
use super::{BadTarget, Check, Fault, Measured, Measuring};
use crate::frame::{Value, Values};

/// What the operator reads where there is no systemd to ask.
const NOT_RUNNING: &str = "systemd is not running here";

struct Systemd {
    /// `systemctl`; tests put a script in its place.
    program: String,
    unit: String,
}

/// The check of `systemd:UNIT`.
///
/// # Errors
/// Where there is no unit, or no unit can have that name.
pub(super) fn build(target: &str) -> Result<Box<dyn Check>, BadTarget> {
    let unit = target.strip_prefix("systemd:").unwrap_or(target).trim();
    check_unit(unit).map_err(BadTarget)?;
    Ok(Box::new(Systemd { program: "systemctl".into(), unit: unit.to_owned() }))
}

/// Refuses what systemctl would take for an option, a pattern or a job.
fn check_unit(unit: &str) -> Result<(), String> {
    let named = |letter: char| letter.is_ascii_alphanumeric() || ":-_.\\@/".contains(letter);
    if unit.is_empty() {
        Err("systemd: needs a unit, as in systemd:nginx".into())
    } else if unit.starts_with('-') {
        Err(format!("systemd:{unit}: a unit's name does not begin with -"))
    } else if let Some(odd) = unit.chars().find(|letter| !named(*letter)) {
        Err(format!("systemd:{unit}: a unit's name has no {odd:?}"))
    } else if unit.bytes().all(|byte| byte.is_ascii_digit()) {
        Err(format!("systemd:{unit}: a number is a job, not a unit; write systemd:{unit}.service"))
    } else {
        Ok(())
    }
}

impl Check for Systemd {
    fn measure(&self) -> Measuring<'_> {
        Box::pin(async move {
            let args = ["show", "--property=LoadState,ActiveState,SubState", "--", &self.unit].map(str::to_owned);
            let finished = child::run(&self.program, &args).await.map_err(|fault| {
                let absent = fault.0.contains("not found");
                if absent { Fault(format!("{NOT_RUNNING}: there is no {}", self.program)) } else { fault }
            })?;
            state(&finished, &self.unit)
        })
    }
}

/// What systemctl told of `unit`.
fn state(finished: &Finished, unit: &str) -> Result<Measured, Fault> {
    if !finished.status.success() {
        return Err(Fault(trouble(&String::from_utf8_lossy(&finished.stderr))));
    }
    let text = String::from_utf8_lossy(&finished.stdout);
    let property = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    if property("LoadState") == Some("not-found") {
        return Err(Fault(format!("there is no unit called {unit}")));
    }
    match (property("ActiveState"), property("SubState")) {
        (Some(state), Some(sub)) if !state.is_empty() => {
            let values = Values::new().with("state", Value::text(state)).with("sub", Value::text(sub));
            Ok(Measured { values, bytes: finished.stdout.len() as u64, ..Measured::default() })
        }
        _ => Err(Fault(format!("systemctl told no state of {unit}"))),
    }
}

/// The words for a failed systemctl.
fn trouble(stderr: &str) -> String {
    let unreachable =
        ["not been booted with systemd", "Failed to connect to bus", "Failed to connect to system scope bus"];
    if unreachable.iter().any(|phrase| stderr.contains(phrase)) {
        return NOT_RUNNING.to_owned();
    }
    match stderr.lines().find(|line| !line.trim().is_empty()) {
        Some(line) => format!("systemctl: {}", one_line(line)),
        None => "systemctl failed without a word".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;

    use super::*;

    fn finished(code: i32, stdout: &str, stderr: &str) -> Finished {
        let status = ExitStatus::from_raw(code << 8);
        Finished { status, stdout: stdout.into(), stderr: stderr.into(), flooded: false }
    }

    #[test]
    fn units_are_named_as_systemd_names_them() {
        for good in ["nginx", "nginx.service", "getty@tty1", "dev-sda\\x20.mount", "a:b_c-d", "/var/lib", "7.service"] {
            assert_eq!(check_unit(good), Ok(()), "{good}");
        }
        for bad in ["", "-H", "--help", "a b", "a*", "a?", "é", "a\0b", "42", "a;b", "a\nb"] {
            assert!(check_unit(bad).is_err(), "{bad:?}");
        }
        assert!(build("systemd:").is_err());
    }

    #[test]
    fn what_systemctl_tells_is_read() {
        let shown = |text| {
            state(&finished(0, text, ""), "u").map(|measured| {
                measured.values.iter().map(|(name, value)| format!("{name}={value} ")).collect::<String>()
            })
        };
        let fault = |text: &str| Err(Fault(text.into()));
        for (text, expected) in [
            ("LoadState=loaded\nActiveState=active\nSubState=running\n", Ok("state=active sub=running ".into())),
            ("ActiveState=failed\nSubState=failed\n", Ok("state=failed sub=failed ".into())),
            ("SubState=\nActiveState=inactive\n", Ok("state=inactive sub= ".into())),
            ("LoadState=not-found\nActiveState=inactive\nSubState=dead\n", fault("there is no unit called u")),
            ("", fault("systemctl told no state of u")),
            ("ActiveState=\nSubState=\n", fault("systemctl told no state of u")),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn troubles_are_told_in_plain_words() {
        let booted = "System has not been booted with systemd as init system (PID 1). Can't operate.\nFailed";
        for (stderr, told) in [
            (booted, NOT_RUNNING),
            ("Failed to connect to bus: Host is down", NOT_RUNNING),
            ("\nUnit name x is not valid.\nmore", "systemctl: Unit name x is not valid."),
            ("", "systemctl failed without a word"),
        ] {
            assert_eq!(state(&finished(1, "", stderr), "u"), Err(Fault(told.into())));
        }
    }

    #[tokio::test]
    async fn a_machine_without_systemctl_says_so() {
        let check = Systemd { program: "/no/such/systemctl".into(), unit: "u".into() };
        let fault = check.measure().await.unwrap_err();
        assert_eq!(fault.0, "systemd is not running here: there is no /no/such/systemctl");
    }

    #[tokio::test]
    async fn the_real_systemctl_answers_or_says_why_not() {
        match build("systemd:dbus").unwrap().measure().await {
            Ok(measured) => assert!(measured.values.get("state").is_some()),
            Err(fault) => assert!(fault.0.starts_with(NOT_RUNNING) || fault.0.contains("no unit"), "{fault:?}"),
        }
    }
}
