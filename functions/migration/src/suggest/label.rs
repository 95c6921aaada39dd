//! Which meaning a label has: whole words first, then parts of compounds, then slips of the pen.

use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::Concept;
use super::synonyms::WORDS;

/// Letters of the shortest word that may stand inside a compound.
const COMPOUND_LETTERS_MIN: usize = 5;
/// Letters of the shortest word that may be misspelt.
const FUZZY_LETTERS_MIN: usize = 5;
/// Likeness below which a label says nothing.
pub(super) const SCORE_MIN: f64 = 0.6;

/// A word of the table, ready for comparing.
struct Term {
    concept: Concept,
    shown: &'static str,
    tokens: Vec<String>,
    joined: String,
}

static TERMS: LazyLock<Vec<Term>> = LazyLock::new(|| {
    let of_concept = |(concept, words): &(Concept, &'static str)| {
        let concept = *concept;
        words.split(',').filter_map(move |word| {
            let tokens = tokens(word);
            let joined = tokens.concat();
            (!joined.is_empty()).then(|| Term { concept, shown: word.trim(), tokens, joined })
        })
    };
    WORDS.iter().flat_map(of_concept).collect()
});

/// What a label says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct LabelMatch {
    /// The meaning.
    pub(super) concept: Concept,
    /// How well the word fits, 0 to 1.
    pub(super) score: f64,
    /// The word of the table.
    pub(super) word: &'static str,
    /// The word stands in the label as it is; otherwise it is a likely slip of the pen.
    pub(super) is_sure: bool,
}

/// Lower case without accents: `Größe` and `grosse` are one.
pub(super) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.nfd().filter(|character| !is_combining_mark(*character)) {
        match character {
            'ß' => out.push_str("ss"),
            'ø' | 'Ø' => out.push('o'),
            'æ' | 'Æ' => out.push('a'),
            'đ' | 'Đ' => out.push('d'),
            other => out.extend(other.to_lowercase()),
        }
    }
    out
}

/// Words of a label: parted at anything but letters and digits, and where a small letter meets a capital.
pub(super) fn tokens(label: &str) -> Vec<String> {
    let mut parted = String::with_capacity(label.len() + 8);
    let mut previous = ' ';
    for character in label.chars() {
        if previous.is_lowercase() && character.is_uppercase() {
            parted.push(' ');
        }
        parted.push(character);
        previous = character;
    }
    plain(&parted)
        .split(|character: char| !character.is_alphanumeric())
        .filter(|token| !token.is_empty())
        .map(str::to_owned)
        .collect()
}

/// All meanings of a label that are likely, the best first; each meaning once.
pub(super) fn meanings(label: &str) -> Vec<LabelMatch> {
    let mut tokens = tokens(label);
    // Trailing counters say nothing: `Phone 2`.
    while tokens.len() > 1 && tokens.last().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()))
    {
        tokens.pop();
    }
    let joined = tokens.concat();
    let mut best: Vec<LabelMatch> = Vec::new();
    for term in TERMS.iter() {
        let (score, is_sure) = likeness(&tokens, &joined, term);
        if score < SCORE_MIN {
            continue;
        }
        let found = LabelMatch { concept: term.concept, score, word: term.shown, is_sure };
        match best.iter_mut().find(|other| other.concept == term.concept) {
            Some(other) if other.score < score => *other = found,
            Some(_) => {}
            None => best.push(found),
        }
    }
    best.extend(numbered(&tokens, &best));
    // The sort is stable, so that the order of the table settles what fits equally well.
    best.sort_by(|left, right| right.score.total_cmp(&left.score));
    best
}

#[expect(clippy::cast_precision_loss, reason = "lengths of labels are small")]
fn coverage(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { (part as f64 / whole as f64).min(1.0) }
}

/// Ends of words for "number", which make the label that of an identifier when nothing better is known.
const NUMBER_ENDS: &[&str] = &["nummer", "number", "numero", "nr", "nro", "no", "num"];

/// A label such as `Ref nr` names something by its number; `No. of seats` counts.
fn numbered(tokens: &[String], known: &[LabelMatch]) -> Option<LabelMatch> {
    let knows = |concept| known.iter().any(|found| found.concept == concept);
    let last = tokens.last()?;
    let counts = tokens.len() > 2
        && matches!(tokens[0].as_str(), "no" | "nr" | "number" | "num" | "n")
        && matches!(tokens[1].as_str(), "of" | "de");
    if counts && !knows(Concept::Count) {
        return Some(LabelMatch { concept: Concept::Count, score: 0.9, word: "number of", is_sure: true });
    }
    let ends = tokens.len() > 1 && NUMBER_ENDS.contains(&last.as_str())
        || NUMBER_ENDS.iter().any(|end| end.len() > 4 && last.len() > end.len() + 2 && last.ends_with(end));
    (ends && !knows(Concept::Identifier)).then_some(LabelMatch {
        concept: Concept::Identifier,
        score: 0.62,
        word: "number",
        is_sure: true,
    })
}

/// How well a word fits a label, and whether it stands there as it is.
fn likeness(tokens: &[String], joined: &str, term: &Term) -> (f64, bool) {
    let exact = standing(tokens, joined, term);
    let slip = misspelt(tokens, joined, term);
    (exact.max(slip), exact >= SCORE_MIN)
}

fn standing(tokens: &[String], joined: &str, term: &Term) -> f64 {
    if joined == term.joined {
        return 1.0;
    }
    let whole = joined.chars().count();
    let length = term.joined.chars().count();
    let covered = |base: f64, part: usize| base * (0.8 + 0.2 * coverage(part, whole));
    // Whole words of the label.
    let count = term.tokens.len();
    if count <= tokens.len()
        && let Some(at) = tokens.windows(count).position(|window| window == term.tokens)
    {
        let is_head = at + count == tokens.len();
        return covered(if is_head || count > 1 { 0.97 } else { 0.93 }, length);
    }
    tokens
        .iter()
        .map(|token| {
            if length < COMPOUND_LETTERS_MIN || token.len() <= term.joined.len() {
                0.0
            } else if token.ends_with(&term.joined) {
                covered(0.9, length)
            } else if token.starts_with(&term.joined) {
                covered(0.8, length)
            } else {
                0.0
            }
        })
        .fold(0.0, f64::max)
}

/// One slip in a short word, two in a long one; the first letter is rarely wrong.
fn misspelt(tokens: &[String], joined: &str, term: &Term) -> f64 {
    let (whole, length) = (joined.chars().count(), term.joined.chars().count());
    if length < FUZZY_LETTERS_MIN {
        return 0.0;
    }
    let slips_max = if length < 8 { 1 } else { 2 };
    let first = term.joined.chars().next();
    let near = |text: &str| {
        text.chars().next() == first
            && text.chars().count().abs_diff(length) <= slips_max
            && strsim::damerau_levenshtein(text, &term.joined) <= slips_max
    };
    if near(joined) {
        return 0.88;
    }
    if tokens.iter().any(|token| near(token)) {
        return 0.84 * (0.8 + 0.2 * coverage(length, whole));
    }
    0.0
}
