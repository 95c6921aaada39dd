//! What at the destination could reach a customer or change our records during the run, and what is done about it.
//!
//! Pure. A risk that prepare can switch off is switched off, unless a person accepted it by its code, or by code and
//! id (`DIS201:123`). A risk that it must not touch stops the run until accepted.

use migration::finding::{
    Code, DIS201_DESTINATION_RULES_ACTIVE, DIS202_DESTINATION_SURVEYS_ON, DIS203_DESTINATION_WEBHOOKS,
    DIS204_DESTINATION_AUTO_MERGE,
};
use migration::gorgias::{IntegrationId, RuleId, SettingId};
use serde_json::Value;

use super::baseline::Baseline;

/// Keys of the survey setting that make Gorgias send something (facts: account settings).
const SURVEY_SWITCHES: [&str; 4] = [
    "send_survey_for_chat",
    "send_survey_for_contact_form",
    "send_survey_for_email",
    "send_survey_for_help_center",
];

/// Something that is switched off for the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Switch {
    /// An active rule.
    Rule(RuleId),
    /// An active webhook.
    Integration(IntegrationId),
    /// A setting with the contents to write instead and the ones to restore.
    Setting { id: SettingId, kind: String, paused: String, original: String },
}

/// What the account's state means for the run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Preflight {
    /// To switch off.
    pub(crate) switches: Vec<Switch>,
    /// Left alone because a person accepted it: code and what it concerns.
    pub(crate) accepted: Vec<(Code, String)>,
    /// Neither switched off nor accepted: the run must not start.
    pub(crate) refused: Vec<(Code, String)>,
}

/// Looks at rules, settings and integrations.
pub(crate) fn look(baseline: &Baseline, accepted: &[String]) -> Preflight {
    let mut found = Preflight::default();
    let is_accepted = |code: Code, id: &str| {
        let code = code.to_string();
        accepted.iter().any(|named| *named == code || *named == format!("{code}:{id}"))
    };
    for rule in baseline.rules.iter().filter(|rule| rule.is_active) {
        let code = DIS201_DESTINATION_RULES_ACTIVE;
        match rule.gorgias_rule_id.parse() {
            Ok(id) if !is_accepted(code, &rule.gorgias_rule_id) => {
                found.switches.push(Switch::Rule(RuleId(id)));
            }
            _ => found.accepted.push((code, format!("rule {}", rule.gorgias_rule_id))),
        }
    }
    let is_webhook = |kind: &str| kind.eq_ignore_ascii_case("http");
    for held in
        baseline.integrations.iter().filter(|held| held.is_active && is_webhook(&held.integration_type))
    {
        let (code, id) = (DIS203_DESTINATION_WEBHOOKS, &held.gorgias_integration_id);
        match id.parse() {
            Ok(number) if !is_accepted(code, id) => {
                found.switches.push(Switch::Integration(IntegrationId(number)));
            }
            _ => found.accepted.push((code, format!("integration {id}"))),
        }
    }
    for setting in &baseline.settings {
        let contents: Value = serde_json::from_str(&setting.setting_json).unwrap_or(Value::Null);
        if let Some(paused) = without_surveys(&setting.setting_type, &contents) {
            let (code, id) = (DIS202_DESTINATION_SURVEYS_ON, &setting.setting_id);
            match id.parse() {
                Ok(number) if !is_accepted(code, id) => found.switches.push(Switch::Setting {
                    id: SettingId(number),
                    kind: setting.setting_type.clone(),
                    paused,
                    original: setting.setting_json.clone(),
                }),
                _ => found.accepted.push((code, format!("setting {id}"))),
            }
        }
        if changes_tickets_itself(&setting.setting_type, &contents) {
            let code = DIS204_DESTINATION_AUTO_MERGE;
            let what = format!("setting {} ({})", setting.setting_id, setting.setting_type);
            let list =
                if is_accepted(code, &setting.setting_id) { &mut found.accepted } else { &mut found.refused };
            list.push((code, what));
        }
    }
    found
}

/// The survey setting with everything off; `None` when nothing in it sends.
fn without_surveys(kind: &str, contents: &Value) -> Option<String> {
    if kind != "satisfaction-surveys" {
        return None;
    }
    let mut contents = contents.as_object()?.clone();
    let mut sends = false;
    for name in SURVEY_SWITCHES {
        if let Some(switch) = contents.get_mut(name) {
            sends |= *switch != Value::Bool(false);
            *switch = Value::Bool(false);
        }
    }
    sends.then(|| Value::Object(contents).to_string())
}

fn changes_tickets_itself(kind: &str, contents: &Value) -> bool {
    match kind {
        "auto-merge" => contents.pointer("/tickets/enabled") == Some(&Value::Bool(true)),
        "ticket-assignment" => contents.pointer("/auto_assign_to_teams") == Some(&Value::Bool(true)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use snapshot::tables::{FoundIntegration, FoundRule, FoundSetting};

    use super::*;

    fn rule(id: &str, is_active: bool) -> FoundRule {
        FoundRule {
            gorgias_rule_id: id.to_owned(),
            rule_name: format!("rule {id}"),
            is_active,
            event_types: None,
            raw_json: String::new(),
        }
    }

    fn integration(id: &str, kind: &str) -> FoundIntegration {
        FoundIntegration {
            gorgias_integration_id: id.to_owned(),
            integration_name: String::new(),
            integration_type: kind.to_owned(),
            is_active: true,
            raw_json: String::new(),
        }
    }

    fn setting(id: &str, kind: &str, json: &str) -> FoundSetting {
        FoundSetting {
            setting_id: id.to_owned(),
            setting_type: kind.to_owned(),
            setting_json: json.to_owned(),
            raw_json: json.to_owned(),
        }
    }

    fn check(settings: &[(&str, &str)], accepted: &[&str], expected: &Expect) {
        let baseline = Baseline {
            rules: vec![rule("1", true), rule("2", false)],
            integrations: vec![integration("5", "http"), integration("6", "email")],
            settings: settings.iter().map(|(kind, json)| setting("9", kind, json)).collect(),
            ..Baseline::default()
        };
        let accepted: Vec<String> = accepted.iter().map(|code| (*code).to_owned()).collect();
        let found = look(&baseline, &accepted);
        let switches = found.switches.iter().map(|switch| match switch {
            Switch::Rule(id) => format!("off rule {id}"),
            Switch::Integration(id) => format!("off integration {id}"),
            Switch::Setting { id, paused, .. } => format!("write setting {id} {paused}"),
        });
        let told = |word: &'static str| move |(code, what): &(Code, String)| format!("{word} {code} {what}");
        let lines: Vec<String> = switches
            .chain(found.accepted.iter().map(told("accepted")))
            .chain(found.refused.iter().map(told("refused")))
            .collect();
        expected.assert_eq(&lines.join("\n"));
    }

    #[test]
    fn what_could_reach_a_customer_is_switched_off_or_accepted_by_name() {
        let surveys = ("satisfaction-surveys", r#"{"send_survey_for_chat":true,"survey_interval":2}"#);
        check(
            &[surveys],
            &[],
            &expect![[r#"
                off rule 1
                off integration 5
                write setting 9 {"send_survey_for_chat":false,"survey_interval":2}"#]],
        );
        check(
            &[surveys],
            &["DIS201:1", "DIS202", "DIS203:5"],
            &expect![[r#"
                accepted DIS201 rule 1
                accepted DIS203 integration 5
                accepted DIS202 setting 9"#]],
        );
        let quiet = ("satisfaction-surveys", r#"{"send_survey_for_chat":false}"#);
        check(
            &[quiet],
            &["DIS201", "DIS203"],
            &expect![[r#"
            accepted DIS201 rule 1
            accepted DIS203 integration 5"#]],
        );
    }

    #[test]
    fn what_would_change_our_tickets_stops_the_run_until_accepted() {
        let merge = ("auto-merge", r#"{"tickets":{"enabled":true}}"#);
        let assign = ("ticket-assignment", r#"{"auto_assign_to_teams":true}"#);
        check(
            &[merge, assign],
            &["DIS201", "DIS203"],
            &expect![[r#"
                accepted DIS201 rule 1
                accepted DIS203 integration 5
                refused DIS204 setting 9 (auto-merge)
                refused DIS204 setting 9 (ticket-assignment)"#]],
        );
        check(
            &[merge, ("auto-merge", "not json")],
            &["DIS201", "DIS203", "DIS204"],
            &expect![[r#"
                accepted DIS201 rule 1
                accepted DIS203 integration 5
                accepted DIS204 setting 9 (auto-merge)"#]],
        );
    }
}
