//! Small word lists for comparing sentences: function words, common words, irregular forms, synonyms, opposites, units.

/// Words that carry no content of their own (English, and the commonest of German, French and Spanish).
pub const FUNCTION_WORDS: &[&str] = &[
    "a", "about", "above", "after", "again", "against", "all", "also", "am", "among", "an", "and", "any", "are", "as",
    "at", "be", "because", "been", "before", "being", "below", "between", "both", "but", "by", "can", "could", "did",
    "do", "does", "doing", "done", "during", "each", "either", "etc", "for", "from", "further", "had", "has", "have",
    "having", "he", "her", "here", "hers", "him", "his", "how", "however", "i", "if", "in", "into", "is", "it", "its",
    "itself", "just", "like", "may", "me", "might", "more", "most", "much", "must", "my", "neither", "no", "nor",
    "not", "now", "of", "off", "on", "once", "only", "onto", "or", "other", "our", "out", "over", "own", "per",
    "quite", "rather", "same", "shall", "she", "should", "so", "some", "such", "than", "that", "the", "their", "them",
    "then", "there", "therefore", "these", "they", "this", "those", "through", "to", "too", "under", "until", "up",
    "upon", "us", "very", "via", "was", "we", "were", "what", "when", "where", "whether", "which", "while", "who",
    "whom", "whose", "why", "will", "with", "within", "without", "would", "you", "your", "yours", "never", "cannot",
    "don't", "doesn't", "didn't", "isn't", "aren't", "wasn't", "weren't", "can't", "couldn't", "won't", "wouldn't",
    "shouldn't", "mustn't", "hasn't", "haven't", "hadn't", "n't", "according", "passage", "passages", "source",
    "sources", "mention", "mentioned", "mentions", "state", "states", "stated", "says", "said", "provided", "context",
    "document", "documents", "text", "given", "based", "one", "der", "die", "das", "den", "dem", "des", "ein", "eine",
    "einen", "einem", "einer", "und", "oder", "aber", "ist", "sind", "war", "wird", "werden", "wurde", "hat", "haben",
    "mit", "von", "zu", "zum", "zur", "auf", "für", "im", "in", "am", "bei", "nach", "aus", "auch", "als", "es",
    "sie", "er", "wir", "ich", "sich", "nicht", "kein", "keine", "le", "la", "les", "un", "une", "et", "ou", "est",
    "sont", "de", "du", "dans", "pour", "par", "sur", "avec", "ne", "pas", "il", "elle", "el", "los", "las", "una",
    "y", "o", "es", "son", "en", "para", "por", "con", "que", "se",
];

/// Words so common in notes and manuals that sharing them says little; they weigh half.
pub const COMMON_WORDS: &[&str] = &[
    "use", "make", "set", "get", "take", "need", "want", "work", "time", "way", "thing", "part", "kind", "type",
    "new", "good", "many", "few", "first", "second", "last", "next", "different", "important", "information",
    "system", "example", "include", "contain", "provide", "allow", "help", "different", "several", "various",
    "certain", "specific", "general", "place", "point", "case", "number", "name", "list", "show", "give", "find",
    "know", "see", "look", "come", "go", "put", "keep", "let", "follow", "consist", "call", "describe", "explain",
    "mean", "process", "order", "able", "well", "main", "data", "file", "user", "program", "computer", "project",
    "people", "person", "year", "day", "change", "add", "available", "possible", "require", "support", "base", "run",
    "start", "end",
];

/// Irregular forms and their stem.
pub const IRREGULAR: &[(&str, &str)] = &[
    ("kept", "keep"), ("held", "hold"), ("sent", "send"), ("made", "make"), ("wrote", "writ"), ("written", "writ"),
    ("ran", "run"), ("went", "go"), ("gone", "go"), ("built", "build"), ("found", "find"), ("took", "tak"),
    ("taken", "tak"), ("gave", "giv"), ("lost", "los"), ("began", "start"), ("begun", "start"), ("chose", "choos"),
    ("chosen", "choos"), ("bought", "buy"), ("paid", "pay"), ("led", "lead"), ("met", "meet"), ("left", "leav"),
    ("grew", "grow"), ("grown", "grow"), ("drove", "driv"), ("driven", "driv"), ("broke", "break"),
    ("broken", "break"), ("spoke", "speak"), ("spoken", "speak"), ("read", "read"), ("shown", "show"),
    ("children", "child"), ("indices", "index"), ("vertices", "vertex"), ("people", "person"), ("men", "man"),
    ("women", "woman"), ("better", "good"), ("best", "good"), ("stored", "keep"), ("storing", "keep"),
    ("store", "keep"), ("stores", "keep"), ("daily", "day"), ("weekly", "week"), ("monthly", "month"),
    ("hourly", "hour"), ("nightly", "night"), ("yearly", "year"), ("annual", "year"), ("annually", "year"),
    ("fell", "fall"), ("fallen", "fall"), ("rose", "ris"), ("risen", "ris"), ("won", "win"), ("sold", "sell"),
    ("told", "tell"), ("taught", "teach"), ("thought", "think"), ("brought", "bring"), ("caught", "catch"),
    ("slept", "sleep"), ("forbidden", "forbid"), ("forbade", "forbid"), ("hidden", "hid"), ("feet", "foot"),
];

/// Stems that mean nearly the same, mapped to one of them.
pub const SYNONYMS: &[(&str, &str)] = &[
    ("retain", "keep"), ("sav", "keep"), ("remov", "delet"), ("eras", "delet"), ("purg", "delet"), ("begin", "start"),
    ("launch", "start"), ("finish", "end"), ("utilis", "us"), ("utiliz", "us"), ("creat", "mak"), ("generat", "mak"),
    ("produc", "mak"), ("display", "show"), ("execut", "run"), ("permit", "allow"), ("modify", "chang"),
    ("edit", "chang"), ("alter", "chang"), ("quick", "fast"), ("rapid", "fast"), ("maxim", "max"), ("maximum", "max"),
    ("limit", "max"), ("minimum", "min"), ("requir", "need"), ("begin", "start"), ("purchas", "buy"),
    ("acquir", "buy"), ("assist", "help"), ("large", "big"), ("larg", "big"), ("tiny", "small"),
    ("folder", "directory"), ("automobil", "car"), ("default", "default"), ("every", "each"), ("obtain", "get"),
    ("locat", "plac"), ("author", "writ"), ("found", "find"), ("overnight", "night"),
];

/// Stems that contradict each other.
pub const OPPOSITES: &[(&str, &str)] = &[
    ("enabl", "disabl"), ("allow", "forbid"), ("allow", "prohibit"), ("allow", "deny"), ("increas", "decreas"),
    ("increas", "reduc"), ("rais", "lower"), ("ris", "fall"), ("grow", "shrink"), ("max", "min"), ("alway", "never"),
    ("need", "optional"), ("mandatory", "optional"), ("public", "privat"), ("open", "clos"), ("first", "last"),
    ("start", "stop"), ("start", "end"), ("success", "fail"), ("succeed", "fail"), ("includ", "exclud"),
    ("accept", "reject"), ("internal", "external"), ("old", "new"), ("older", "newer"), ("fast", "slow"),
    ("faster", "slower"), ("big", "small"), ("bigger", "smaller"), ("larger", "smaller"), ("high", "low"),
    ("higher", "lower"), ("win", "los"), ("buy", "sell"), ("hot", "cold"), ("warm", "cold"), ("full", "empty"),
    ("manual", "automatic"), ("local", "remot"), ("online", "offlin"), ("left", "right"), ("north", "south"),
    ("east", "west"), ("morn", "even"), ("day", "night"), ("ascend", "descend"), ("synchronou", "asynchronou"),
    ("lock", "unlock"), ("encrypt", "decrypt"), ("before", "after"), ("above", "below"), ("with", "without"),
    ("import", "export"), ("importer", "exporter"), ("encoder", "decoder"), ("sender", "receiver"),
    ("buyer", "seller"), ("encod", "decod"), ("upload", "download"), ("more", "less"), ("more", "fewer"),
    ("least", "most"), ("keep", "delet"),
];

/// Function words that still decide a meaning, so that they are compared as opposites.
pub const DECIDING: &[&str] = &[
    "before", "after", "above", "below", "with", "without", "more", "always", "never",
];

/// Unit words, mapped to one name per unit.
pub const UNITS: &[(&str, &str)] = &[
    ("d", "day"), ("day", "day"), ("h", "hour"), ("hr", "hour"), ("hour", "hour"), ("min", "minute"),
    ("minut", "minute"), ("s", "second"), ("sec", "second"), ("second", "second"), ("ms", "millisecond"),
    ("millisecond", "millisecond"), ("week", "week"), ("month", "month"), ("year", "year"), ("byte", "byte"),
    ("kb", "kb"), ("kib", "kb"), ("kilobyt", "kb"), ("mb", "mb"), ("mib", "mb"), ("megabyt", "mb"), ("gb", "gb"),
    ("gib", "gb"), ("gigabyt", "gb"), ("tb", "tb"), ("tib", "tb"), ("terabyt", "tb"), ("percent", "percent"),
    ("dollar", "dollar"), ("usd", "dollar"), ("euro", "euro"), ("eur", "euro"), ("pound", "pound"), ("m", "metre"),
    ("metr", "metre"), ("meter", "metre"), ("km", "kilometre"), ("kilometr", "kilometre"), ("kilomet", "kilometre"),
    ("cm", "centimetre"), ("mm", "millimetre"), ("kg", "kilogram"), ("kilogram", "kilogram"), ("g", "gram"),
    ("gram", "gram"), ("l", "litre"), ("litr", "litre"), ("liter", "litre"), ("ml", "millilitre"), ("px", "pixel"),
    ("pixel", "pixel"), ("mile", "mile"), ("mil", "mile"), ("degre", "degree"), ("degree", "degree"),
    ("watt", "watt"), ("feet", "foot"), ("foot", "foot"), ("ft", "foot"), ("inch", "inch"), ("yard", "yard"),
    ("w", "watt"), ("kw", "kilowatt"), ("volt", "volt"), ("v", "volt"), ("tag", "day"), ("tagen", "day"),
    ("stunde", "hour"), ("stunden", "hour"), ("minuten", "minute"), ("woche", "week"), ("jahr", "year"),
    ("jahre", "year"), ("jour", "day"), ("heur", "hour"),
];

/// Numbers in words. "one" is left out: it is mostly a pronoun.
pub const NUMBERS: &[(&str, u64)] = &[
    ("zero", 0), ("twice", 2), ("two", 2), ("three", 3), ("four", 4), ("five", 5), ("six", 6), ("seven", 7),
    ("eight", 8), ("nine", 9), ("ten", 10), ("eleven", 11), ("twelve", 12), ("thirteen", 13), ("fourteen", 14),
    ("fifteen", 15), ("sixteen", 16), ("seventeen", 17), ("eighteen", 18), ("nineteen", 19), ("twenty", 20),
    ("thirty", 30), ("forty", 40), ("fifty", 50), ("sixty", 60), ("seventy", 70), ("eighty", 80), ("ninety", 90),
    ("hundred", 100), ("thousand", 1000), ("million", 1_000_000), ("zwei", 2), ("drei", 3), ("vier", 4), ("fünf", 5),
    ("zehn", 10), ("zwanzig", 20), ("dreißig", 30),
];

/// Words that deny what follows them.
pub const NEGATIONS: &[&str] = &[
    "not", "no", "never", "cannot", "neither", "nor", "none", "without", "n't", "don't", "doesn't", "didn't", "isn't",
    "aren't", "wasn't", "weren't", "can't", "couldn't", "won't", "wouldn't", "shouldn't", "mustn't", "hasn't",
    "haven't", "hadn't", "nicht", "kein", "keine", "keinen", "nie", "pas", "jamais", "hardly",
];

/// Written with a capital letter in English without being names of anybody.
pub const CALENDAR: &[&str] = &[
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "january", "february", "march",
    "april", "may", "june", "july", "august", "september", "october", "november", "december",
];

/// Closed groups whose members exclude each other: who says Friday does not say Monday. Stems.
pub const EXCLUSIVE: &[&[&str]] = &[
    &["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "weekday", "weekend"],
    &[
        "january",
        "february",
        "march",
        "april",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ],
    &["morn", "noon", "afternoon", "even", "night", "midnight"],
    &["north", "south", "east", "west"],
    &["spr", "summer", "autumn", "winter"],
    &["first", "second", "third", "fourth", "fifth", "last"],
    &["red", "green", "blue", "yellow", "black", "white", "brown", "grey"],
];

/// Names of units of time that say how often: "per minute" is not "per second".
pub const TIME_UNITS: &[&str] = &[
    "second", "minute", "hour", "day", "week", "month", "year",
];
