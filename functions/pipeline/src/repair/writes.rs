//! The engine's changes -> what is written, field by field, in full. Pure.

use std::collections::BTreeMap;

use migration::compare::{Compared, Image, normalised};
use migration::decide::{Action, Decision, FieldChange};
use migration::gorgias::FieldValue;
use migration::repair::Judged;

use crate::mends::{Mend, Mends, Write, is_writable};
use crate::ports::gorgias::FoundValue;

/// Fields that the engine wants written.
pub(crate) fn changes(judged: &Judged) -> Vec<&FieldChange> {
    changes_of(&judged.decision)
}

/// The same of a decision.
pub(crate) fn changes_of(decision: &Decision) -> Vec<&FieldChange> {
    match &decision.action {
        Action::Update(changes) => changes.iter().collect(),
        _ => Vec::new(),
    }
}

/// `message[5].body_text` is field `body_text` of message 5.
pub(crate) fn message_field(name: &str) -> Option<(u64, &str)> {
    let (id, field) = name.strip_prefix("message[")?.split_once("].")?;
    Some((id.parse().ok()?, field))
}

/// What is written, by the name that the comparison has for it.
pub(crate) type Writes = BTreeMap<String, Write>;

/// All fields of a wish.
pub(crate) fn writes(kind: Compared, wished: &Image, values: &[FoundValue]) -> Writes {
    let typed: BTreeMap<String, &FieldValue> =
        values.iter().map(|value| (format!("value[{}]", value.field), &value.value)).collect();
    let mut writes = Writes::new();
    for (name, text) in wished {
        let one = Image::from([(name.clone(), text.clone())]);
        let content =
            typed.get(name).map_or_else(|| FieldValue::Text(text.clone()), |value| (*value).clone());
        for (compared, _) in normalised(kind, &one) {
            writes.insert(compared, Write { name: name.clone(), content: content.clone() });
        }
    }
    writes
}

/// The fields to write, and the names of those that no request writes.
pub(crate) fn mends<'a>(
    object: &str,
    changes: impl IntoIterator<Item = (&'a str, &'a FieldChange)>,
    writes: &Writes,
) -> (Mends, Vec<String>) {
    let (mut mends, mut unwritable) = (Mends::default(), Vec::new());
    for (name, change) in changes {
        if !is_writable(object, name) {
            unwritable.push(name.to_owned());
            continue;
        }
        let write = change.write.as_ref().and_then(|_| writes.get(name)).cloned();
        mends.put(name, Mend { found: change.found.clone(), wish: change.write.clone(), write });
    }
    (mends, unwritable)
}
