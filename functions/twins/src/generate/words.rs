//! The words generated people, companies and conversations are made of, in five languages.
//!
//! Deliberately absent: real people. Surnames are glued from two syllables, domains are reserved names, and streets
//! exist nowhere. A text never names a person, so it can be used for any.

/// One language's supply of words.
#[derive(Debug)]
pub(crate) struct Words {
    /// ISO 639-1 code.
    pub(crate) code: &'static str,
    pub(crate) country: &'static str,
    pub(crate) given: &'static [&'static str],
    pub(crate) family_heads: &'static [&'static str],
    pub(crate) family_tails: &'static [&'static str],
    /// City and postal code.
    pub(crate) cities: &'static [(&'static str, &'static str)],
    pub(crate) street_tail: &'static str,
    pub(crate) company_tail: &'static str,
    pub(crate) titles: &'static [&'static str],
    /// What agents write after a call.
    pub(crate) remarks: &'static [&'static str],
    /// What customers ask a chatbot.
    pub(crate) questions: &'static [&'static str],
    /// What the bot answers.
    pub(crate) answers: &'static [&'static str],
    /// What an agent writes in a chat.
    pub(crate) replies: &'static [&'static str],
    pub(crate) domains: &'static [&'static str],
}

/// All languages, by weight: the first stands for more than half of the people.
pub(crate) const LANGUAGES: [&Words; 5] = [&FINNISH, &SWEDISH, &ENGLISH, &GERMAN, &ESTONIAN];

static FINNISH: Words = Words {
    code: "fi",
    country: "Finland",
    given: &[
        "Aino",
        "Eero",
        "Helmi",
        "Ilmari",
        "Kaisa",
        "Lauri",
        "Maija",
        "Niilo",
        "Oona",
        "Raija",
        "Sampo",
        "Tuuli",
        "Urho",
        "Venla",
        "Väinö",
        "Yrjö",
        "Mäyrä-Liisa",
        "Pirkko",
    ],
    family_heads: &[
        "Kivi", "Lahti", "Mänty", "Salo", "Järvi", "Koski", "Ranta", "Virta", "Harju", "Niitty", "Hölmö",
        "Kuusi",
    ],
    family_tails: &["nen", "la", "mäki", "perä", "saari", "oja", "vuori", "lampi", "pelto"],
    cities: &[
        ("Helsinki", "00100"),
        ("Tampere", "33100"),
        ("Jyväskylä", "40100"),
        ("Hämeenlinna", "13100"),
        ("Oulu", "90100"),
    ],
    street_tail: "polku",
    company_tail: "Esimerkki Oy",
    titles: &["toimitusjohtaja", "ostaja", "kirjanpitäjä", ""],
    remarks: &[
        "Soitettu, pyysi palaamaan asiaan ensi viikolla.",
        "Ei kiinnostunut tällä hetkellä.",
        "Haluaa tarjouksen sähköpostitse.",
        "Puhelin kiinni, yritetään iltapäivällä uudelleen.",
        "Sopimus hyväksytty, toimitus ensi kuussa.",
        "Numero kuuluu toiselle henkilölle.\nTarkistettava rekisteristä.",
    ],
    questions: &[
        "Hei, missä tilaukseni on?",
        "Miten voin vaihtaa osoitteeni?",
        "Haluan perua tilauksen.",
        "Paljonko toimitus maksaa?",
    ],
    answers: &[
        "Hei! Autan mielelläni.",
        "Tarkistan asian, hetki vain.",
        "Voit tehdä sen omilla sivuilla.",
        "Yhdistän sinut asiakaspalvelijalle.",
    ],
    replies: &[
        "Hei, jatkan tästä. Mikä on tilausnumero?",
        "Kiitos, asia on nyt hoidettu.",
        "Soitan sinulle tänään iltapäivällä.",
    ],
    domains: &["posti.example", "example.com", "yhdistys.example"],
};

static SWEDISH: Words = Words {
    code: "sv",
    country: "Sweden",
    given: &[
        "Åsa",
        "Björn",
        "Elin",
        "Gösta",
        "Ingrid",
        "Lars",
        "Märta",
        "Nils",
        "Saga",
        "Öjvind",
        "Tyra",
        "Anna-Lena",
    ],
    family_heads: &["Berg", "Lind", "Sjö", "Ek", "Gran", "Sten", "Ström", "Äng", "Björk", "Hög"],
    family_tails: &["ström", "kvist", "dal", "lund", "vik", "qvarn", "holm", "åker"],
    cities: &[("Göteborg", "411 03"), ("Malmö", "211 20"), ("Umeå", "903 25"), ("Örebro", "702 10")],
    street_tail: "stigen",
    company_tail: "Exempel AB",
    titles: &["inköpare", "vd", ""],
    remarks: &[
        "Ringde upp, vill bli kontaktad efter semestern.",
        "Inte intresserad.",
        "Önskar offert per e-post.",
        "Svarar inte, försök igen på kvällen.",
        "Avtal klart, leverans nästa månad.",
    ],
    questions: &[
        "Hej, var är min beställning?",
        "Hur ändrar jag min adress?",
        "Jag vill avbeställa.",
        "Vad kostar frakten?",
    ],
    answers: &[
        "Hej! Jag hjälper gärna till.",
        "Jag kollar, ett ögonblick.",
        "Det kan du göra på Mina sidor.",
        "Jag kopplar dig till en medarbetare.",
    ],
    replies: &[
        "Hej, jag tar över här. Vilket ordernummer gäller det?",
        "Tack, nu är det ordnat.",
        "Jag ringer dig i eftermiddag.",
    ],
    domains: &["brevlada.example", "example.org", "example.com"],
};

static ENGLISH: Words = Words {
    code: "en",
    country: "United Kingdom",
    given: &["Alfie", "Beth", "Callum", "Daisy", "Edwin", "Fern", "Gareth", "Hollie", "Mary-Ann", "D'Arcy"],
    family_heads: &["Ash", "Brook", "Clay", "Dun", "Elm", "Fair", "Glen", "Haw"],
    family_tails: &["ford", "ley", "well", "wick", "combe", "stead", "thorpe", "by"],
    cities: &[("Leeds", "LS1 1AA"), ("Bath", "BA1 1AA"), ("York", "YO1 1AA")],
    street_tail: " Lane",
    company_tail: "Sample Ltd",
    titles: &["Buyer", "Office Manager", ""],
    remarks: &[
        "Called back, wants a quote by e-mail.",
        "Not interested right now.",
        "Asked to be called after 3 pm.",
        "Line busy twice.",
        "Deal: 12 months, starts next month.",
    ],
    questions: &[
        "Hi, where is my order?",
        "How can I change my address?",
        "I want to cancel.",
        "How much is delivery?",
    ],
    answers: &[
        "Hello! Happy to help.",
        "Let me check that for you.",
        "You can do that in your account.",
        "I will connect you with a colleague.",
    ],
    replies: &[
        "Hi, taking over from here. What is your order number?",
        "Thanks, that is sorted now.",
        "I will call you this afternoon.",
    ],
    domains: &["mail.example", "example.net", "example.com"],
};

static GERMAN: Words = Words {
    code: "de",
    country: "Germany",
    given: &["Anke", "Bernd", "Dörte", "Jörg", "Käthe", "Lutz", "Rüdiger", "Silke", "Hans-Jürgen", "Ute"],
    family_heads: &["Brück", "Feld", "Grün", "Hölz", "Kalt", "Stein", "Groß", "Bach"],
    family_tails: &["ner", "hauer", "mann", "lein", "meier", "berg", "thal"],
    cities: &[("Köln", "50667"), ("Lübeck", "23552"), ("Würzburg", "97070")],
    street_tail: "gasse",
    company_tail: "Beispiel GmbH",
    titles: &["Einkäuferin", "Geschäftsführer", ""],
    remarks: &[
        "Rückruf nächste Woche erbeten.",
        "Kein Interesse.",
        "Möchte ein Angebot per E-Mail.",
        "Nicht erreicht, Mailbox.",
        "Abschluss, Lieferung im nächsten Monat.",
    ],
    questions: &[
        "Hallo, wo ist meine Bestellung?",
        "Wie ändere ich meine Adresse?",
        "Ich möchte stornieren.",
        "Was kostet der Versand?",
    ],
    answers: &[
        "Hallo! Ich helfe gern.",
        "Ich prüfe das, einen Moment.",
        "Das geht im Kundenkonto.",
        "Ich verbinde Sie mit einer Kollegin.",
    ],
    replies: &[
        "Guten Tag, ich übernehme hier. Wie lautet die Bestellnummer?",
        "Danke, das ist nun erledigt.",
        "Ich rufe Sie heute Nachmittag an.",
    ],
    domains: &["post.example", "example.org"],
};

static ESTONIAN: Words = Words {
    code: "et",
    country: "Estonia",
    given: &["Aadu", "Eha", "Jüri", "Kaja", "Leelo", "Mart", "Õnne", "Tõnu", "Ülle", "Žanna"],
    family_heads: &["Kase", "Lepa", "Metsa", "Põllu", "Saare", "Tamme", "Ööbiku"],
    family_tails: &["mägi", "soo", "järv", "oja", "salu", "nõmm"],
    cities: &[("Tallinn", "10111"), ("Tartu", "51003"), ("Pärnu", "80010")],
    street_tail: " tee",
    company_tail: "Näidis OÜ",
    titles: &["ostujuht", ""],
    remarks: &[
        "Palus järgmisel nädalal tagasi helistada.",
        "Ei ole huvitatud.",
        "Soovib pakkumist e-postiga.",
        "Ei vasta.",
        "Leping sõlmitud.",
    ],
    questions: &[
        "Tere, kus mu tellimus on?",
        "Kuidas muuta aadressi?",
        "Soovin tühistada.",
        "Kui palju maksab tarne?",
    ],
    answers: &[
        "Tere! Aitan hea meelega.",
        "Kontrollin, üks hetk.",
        "Seda saab teha iseteeninduses.",
        "Ühendan teid kolleegiga.",
    ],
    replies: &[
        "Tere, võtan siit üle. Mis on tellimuse number?",
        "Aitäh, asi on korras.",
        "Helistan teile täna pärastlõunal.",
    ],
    domains: &["kiri.example", "example.net"],
};

/// A text with everything that breaks naive readers: separators, quotes, line ends, markup, emoji, right-to-left script.
pub(crate) const HOSTILE_TEXT: &str = "Said: \"call back; not before 5\"\r\nsecond line;\"quoted\"\n<b>bold</b> <script>alert(1)</script> &amp; 👩‍💻🇫🇮 שלום עולם مرحبا ; end\t=1+1";

/// The plain letters of an e-mail's local part: lower case, without accents and signs.
pub(crate) fn ascii_fold(text: &str) -> String {
    text.chars()
        .flat_map(char::to_lowercase)
        .filter_map(|letter| match letter {
            'ä' | 'å' => Some('a'),
            'ö' | 'õ' => Some('o'),
            'ü' => Some('u'),
            'ž' => Some('z'),
            'ß' => Some('s'),
            plain if plain.is_ascii_alphanumeric() => Some(plain),
            _ => None,
        })
        .collect()
}
