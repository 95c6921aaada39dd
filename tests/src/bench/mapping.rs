//! How well fields are recognised: types and targets of labelled fields in nine languages, beside a plain edit-distance
//! matcher on the same fields.
//!
//! `tests/mapping/README.md` says how the fields came about and what the two halves are.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use migration::fields::SlotStatistics;
use migration::gorgias::{Field, FieldId, FieldKind, FieldObject};
use migration::leaddesk::{CampaignId, Slot, SlotSetting};
use migration::suggest::{SuggestInput, SuggestedTarget, suggest};
use serde_json::{Value, json};

/// The labelled fields, one a line.
const FIELDS: &str = include_str!("../../mapping/fields.ndjson");
/// The half that the rules were tuned on.
const TUNED: &str = "tuned";
/// The half that nobody looked at while tuning.
const HELD_OUT: &str = "held-out";

/// Recognises the labelled fields.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// One line of JSON per figure; a table otherwise.
    #[arg(long)]
    json: bool,
    /// Names what was missed in the half that the rules are tuned on; the other half stays unseen.
    #[arg(long)]
    misses: bool,
}

/// One labelled field.
#[derive(Debug, Clone)]
struct Labelled {
    half: String,
    lang: String,
    label: String,
    setting: SlotSetting,
    values: Vec<String>,
    value_type: String,
    target: String,
    trap: String,
}

/// Type and target as answered.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Answer {
    value_type: String,
    target: String,
}

/// Figures of one matcher on some fields.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Figures {
    fields: usize,
    accuracy: f64,
    precision: f64,
    recall: f64,
}

fn text(line: &Value, key: &str) -> anyhow::Result<String> {
    line[key].as_str().map(str::to_owned).with_context(|| format!("no {key}"))
}

fn texts(line: &Value, key: &str) -> Vec<String> {
    let items = line[key].as_array().into_iter().flatten();
    items.filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

fn labelled() -> anyhow::Result<Vec<Labelled>> {
    let slot = Slot::new(1).context("one is a slot")?;
    let read = |line: &str| -> anyhow::Result<Labelled> {
        let line: Value = serde_json::from_str(line)?;
        let label = text(&line, "label")?;
        Ok(Labelled {
            half: text(&line, "half")?,
            lang: text(&line, "lang")?,
            setting: SlotSetting {
                campaign: CampaignId(1),
                slot,
                label: label.clone(),
                kind: text(&line, "setting")?,
                values: texts(&line, "choices"),
            },
            label,
            values: texts(&line, "values"),
            value_type: text(&line, "type")?,
            target: text(&line, "target")?,
            trap: text(&line, "trap")?,
        })
    };
    FIELDS.lines().map(read).collect()
}

/// Fields of the account that the labelled fields are held against.
fn account() -> Vec<Field> {
    let fields = [
        ("Customer number", FieldKind::Text),
        ("Contract end", FieldKind::Text),
        ("Segment", FieldKind::Text),
        ("Order count", FieldKind::Number),
        ("Delivery address", FieldKind::Text),
        ("Preferred language", FieldKind::Text),
        ("Lead source", FieldKind::Text),
        ("VIP", FieldKind::Boolean),
    ];
    (1_u64..)
        .zip(fields)
        .map(|(id, (label, kind))| Field {
            id: FieldId(id),
            object: FieldObject::Customer,
            label: label.to_owned(),
            external_id: None,
            kind,
            is_active: true,
            is_managed: false,
        })
        .collect()
}

/// Our rules.
fn by_rules(field: &Labelled, account: &[Field]) -> Answer {
    let mut statistics = SlotStatistics::new();
    field.values.iter().for_each(|value| statistics.observe(value));
    let suggestion = suggest(&SuggestInput {
        label: &field.label,
        setting: Some(&field.setting),
        statistics: &statistics,
        existing: account,
    });
    let target = match &suggestion.best().target {
        SuggestedTarget::Existing(_, label) => format!("existing:{label}"),
        other => other.as_str().to_owned(),
    };
    Answer { value_type: suggestion.value_type.value_type.as_str().to_owned(), target }
}

/// What a matcher knows that compares labels with names of targets and nothing else.
const NAMES: &[(&str, &str, &str)] = &[
    ("name", "text", "name"),
    ("first name", "text", "name"),
    ("last name", "text", "name"),
    ("contact person", "text", "name"),
    ("email", "email", "email"),
    ("email address", "email", "email"),
    ("phone", "phone", "phone"),
    ("phone number", "phone", "phone"),
    ("mobile", "phone", "phone"),
    ("consent", "boolean", "opt-out"),
    ("newsletter", "boolean", "opt-out"),
    ("opt out", "boolean", "opt-out"),
    ("customer number", "text", "existing:Customer number"),
    ("contract end", "date", "existing:Contract end"),
    ("segment", "text", "existing:Segment"),
    ("order count", "number", "existing:Order count"),
    ("delivery address", "text", "existing:Delivery address"),
    ("preferred language", "text", "existing:Preferred language"),
    ("lead source", "text", "existing:Lead source"),
    ("vip", "boolean", "existing:VIP"),
    ("notes", "text", "lead-card"),
    ("comment", "text", "lead-card"),
    ("social security number", "national-id", "leave"),
    ("date of birth", "date", "leave"),
    ("birth year", "number", "leave"),
    ("gender", "text", "leave"),
    ("bank account", "iban", "leave"),
    ("import id", "text", "leave"),
    ("postcode", "postcode", "new-field"),
    ("website", "url", "new-field"),
    ("date", "date", "new-field"),
    ("amount", "number", "new-field"),
];
/// Likeness from which such a matcher takes a name.
const NAME_LIKENESS_MIN: f64 = 0.6;

fn by_edit_distance(field: &Labelled) -> Answer {
    let label = field.label.to_lowercase();
    let best = NAMES
        .iter()
        .map(|(name, value_type, target)| (strsim::normalized_levenshtein(&label, name), value_type, target))
        .max_by(|left, right| left.0.total_cmp(&right.0));
    match best {
        Some((likeness, value_type, target)) if likeness >= NAME_LIKENESS_MIN => {
            Answer { value_type: (*value_type).to_owned(), target: (*target).to_owned() }
        }
        _ => Answer { value_type: "text".to_owned(), target: "new-field".to_owned() },
    }
}

#[expect(clippy::cast_precision_loss, reason = "some hundred fields")]
fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// Accuracy of the first answer, and precision and recall as means over the classes that occur.
fn figures(pairs: &[(&str, &str)]) -> Figures {
    let classes: BTreeSet<&str> = pairs.iter().map(|(wanted, _)| *wanted).collect();
    let mut sums = (0.0, 0.0);
    for class in &classes {
        let both = pairs.iter().filter(|(wanted, given)| wanted == class && given == class).count();
        let given = pairs.iter().filter(|(_, given)| given == class).count();
        let wanted = pairs.iter().filter(|(wanted, _)| wanted == class).count();
        sums.0 += ratio(both, given);
        sums.1 += ratio(both, wanted);
    }
    let right = pairs.iter().filter(|(wanted, given)| wanted == given).count();
    #[expect(clippy::cast_precision_loss, reason = "a dozen classes")]
    let count = classes.len().max(1) as f64;
    Figures {
        fields: pairs.len(),
        accuracy: ratio(right, pairs.len()),
        precision: sums.0 / count,
        recall: sums.1 / count,
    }
}

/// Figures by matcher, half and question.
type Table = BTreeMap<(&'static str, &'static str, &'static str), Figures>;

/// Says what a field is.
type Matcher<'m> = &'m dyn Fn(&Labelled) -> Answer;

fn measure(fields: &[Labelled]) -> Table {
    let account = account();
    let mut table = Table::new();
    let matchers: [(&str, Matcher<'_>); 2] =
        [("edit-distance", &by_edit_distance), ("rules", &|field| by_rules(field, &account))];
    for (matcher, answer) in matchers {
        let answers: Vec<(&Labelled, Answer)> = fields.iter().map(|field| (field, answer(field))).collect();
        for half in [TUNED, HELD_OUT, "all"] {
            let chosen: Vec<_> =
                answers.iter().filter(|(field, _)| half == "all" || field.half == half).collect();
            let types: Vec<(&str, &str)> = chosen
                .iter()
                .map(|(field, answer)| (field.value_type.as_str(), answer.value_type.as_str()))
                .collect();
            let targets: Vec<(&str, &str)> = chosen
                .iter()
                .map(|(field, answer)| (field.target.as_str(), answer.target.as_str()))
                .collect();
            table.insert((matcher, half, "types"), figures(&types));
            table.insert((matcher, half, "targets"), figures(&targets));
        }
    }
    table
}

/// Prints the figures.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let fields = labelled()?;
    for ((matcher, half, what), figures) in measure(&fields) {
        let Figures { fields, accuracy, precision, recall } = figures;
        if arguments.json {
            let line = json!({
                "bench": "mapping", "matcher": matcher, "half": half, "what": what, "fields": fields,
                "accuracy_at_1": round(accuracy), "precision": round(precision), "recall": round(recall),
            });
            println!("{line}");
        } else {
            println!(
                "{matcher:<14} {half:<9} {what:<8} {fields:>4} fields  accuracy at 1 {accuracy:.3}  precision {precision:.3}  recall {recall:.3}"
            );
        }
    }
    if arguments.misses {
        let account = account();
        for field in fields.iter().filter(|field| field.half == TUNED) {
            let answer = by_rules(field, &account);
            if answer.value_type != field.value_type || answer.target != field.target {
                println!(
                    "{} `{}` ({}): {} {}, not {} {}",
                    field.lang,
                    field.label,
                    field.trap,
                    answer.value_type,
                    answer.target,
                    field.value_type,
                    field.target
                );
            }
        }
    }
    Ok(())
}

fn round(figure: f64) -> f64 {
    (figure * 1_000.0).round() / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_recognised_in_both_halves() {
        let table = measure(&labelled().expect("sound fields"));
        for half in [TUNED, HELD_OUT, "all"] {
            let accuracy = |matcher, what| table[&(matcher, half, what)].accuracy;
            assert!(accuracy("rules", "types") > 0.95, "types, {half}: {}", accuracy("rules", "types"));
            assert!(accuracy("rules", "targets") > 0.9, "targets, {half}: {}", accuracy("rules", "targets"));
            assert!(accuracy("edit-distance", "targets") < accuracy("rules", "targets") - 0.2);
            assert!(table[&("rules", half, "targets")].fields > 150);
        }
    }

    #[test]
    fn the_set_is_what_it_says() {
        let fields = labelled().expect("sound fields");
        let langs: BTreeSet<&str> = fields.iter().map(|field| field.lang.as_str()).collect();
        assert!(fields.len() >= 300);
        assert_eq!(langs.len(), 9);
        let trapped = fields.iter().filter(|field| !field.trap.is_empty()).count();
        assert!(trapped > 100, "{trapped} traps");
        let keys: BTreeSet<(&str, &str)> =
            fields.iter().map(|field| (field.lang.as_str(), field.label.as_str())).collect();
        assert_eq!(keys.len(), fields.len(), "each once");
    }

    #[test]
    fn figures_tell_right_from_wrong() {
        let half_right = figures(&[("a", "a"), ("a", "b"), ("b", "b"), ("b", "b")]);
        assert_eq!(half_right.accuracy, 0.75);
        assert!((half_right.precision - (1.0 + 2.0 / 3.0) / 2.0).abs() < 1e-9);
        assert_eq!(half_right.recall, 0.75);
        assert_eq!(figures(&[("a", "b")]).accuracy, 0.0);
    }
}
