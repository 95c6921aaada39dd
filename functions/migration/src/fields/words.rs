//! Words that mean yes or no, and labels that name what is never migrated by default.

/// English, Finnish, Swedish, Norwegian, Danish, Estonian, German, Dutch, Spanish.
const YES: &[&str] = &[
    "1",
    "ja",
    "jaa",
    "jah",
    "jawohl",
    "joo",
    "juu",
    "kyllä",
    "on",
    "si",
    "sí",
    "sant",
    "tosi",
    "true",
    "wahr",
    "y",
    "yes",
    "x",
    "õige",
    "waar",
    "sand",
    "sandt",
    "verdadero",
    "tõene",
];
const NO: &[&str] = &[
    "0", "ei", "en", "epätosi", "false", "falsch", "falsk", "falso", "n", "nee", "nei", "nein", "nej", "no",
    "off", "onwaar", "usant", "väär",
];

/// Yes, no, or neither. Compared without case.
pub(super) fn boolean(text: &str) -> Option<bool> {
    let lower = text.trim().to_lowercase();
    if YES.contains(&lower.as_str()) {
        Some(true)
    } else if NO.contains(&lower.as_str()) {
        Some(false)
    } else {
        None
    }
}

/// Parts of labels that name national ids, birth, gender, health, belief or bank details.
const SENSITIVE_PARTS: &[&str] = &[
    "social security",
    "national id",
    "personal id",
    "personnummer",
    "henkilötunnu",
    "isikukood",
    "fødselsnummer",
    "cpr-nummer",
    "cpr nummer",
    "birth",
    "syntymä",
    "född",
    "født",
    "geburt",
    "geboorte",
    "nacimiento",
    "gender",
    "sukupuoli",
    "geschlecht",
    "geslacht",
    "bank account",
    "pankkitili",
    "tilinumero",
    "bankkonto",
    "kontonummer",
    "bankrekening",
    "credit card",
    "luottokort",
    "kreditkort",
    "kreditkarte",
    "card number",
    "passport",
    "reisepass",
    "religion",
    "uskonto",
    "terveystie",
    "diagnos",
    "salary",
];
/// Short words that are also parts of harmless ones, so they must stand alone.
const SENSITIVE_WORDS: &[&str] = &[
    "ssn",
    "ssc",
    "hetu",
    "dni",
    "nif",
    "bsn",
    "iban",
    "kön",
    "kjønn",
    "køn",
    "sugu",
    "sexo",
    "sex",
    "passi",
    "palkka",
    "sünniaeg",
    "health",
];

/// The part of a label that makes it sensitive.
pub(super) fn sensitive(label: &str) -> Option<&'static str> {
    let lower = label.to_lowercase();
    let part = SENSITIVE_PARTS.iter().copied().find(|part| lower.contains(part));
    part.or_else(|| {
        let mut words = lower.split(|character: char| !character.is_alphanumeric());
        words.find_map(|word| SENSITIVE_WORDS.iter().copied().find(|sensitive| *sensitive == word))
    })
}

pub(super) fn is_iban(compact: &str) -> bool {
    let bytes = compact.as_bytes();
    if !(15..=34).contains(&bytes.len())
        || !bytes[..2].iter().all(u8::is_ascii_uppercase)
        || !bytes[2..4].iter().all(u8::is_ascii_digit)
        || !bytes.iter().all(u8::is_ascii_alphanumeric)
    {
        return false;
    }
    // ISO 7064: the first four go last, letters count from ten, the rest by 97 is one.
    let rest = bytes[4..].iter().chain(&bytes[..4]).fold(0_u32, |rest, byte| {
        let value = char::from(*byte).to_digit(36).unwrap_or(0);
        if value < 10 { (rest * 10 + value) % 97 } else { (rest * 100 + value) % 97 }
    });
    rest == 1
}

pub(super) fn is_finnish_id(compact: &str) -> bool {
    const CHECKS: &[u8; 31] = b"0123456789ABCDEFHJKLMNPRSTUVWXY";
    let bytes = compact.as_bytes();
    if bytes.len() != 11 || !matches!(bytes[6], b'+' | b'-' | b'A'..=b'F' | b'U'..=b'Y') {
        return false;
    }
    let digits = bytes[..6].iter().chain(&bytes[7..10]);
    let mut number = 0_u32;
    for byte in digits {
        if !byte.is_ascii_digit() {
            return false;
        }
        number = number * 10 + u32::from(byte - b'0');
    }
    CHECKS.get((number % 31) as usize) == Some(&bytes[10].to_ascii_uppercase())
}
