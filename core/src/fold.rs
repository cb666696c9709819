//! Text as it is searched: without capitals, accents and control characters.

use std::sync::LazyLock;

/// Letters from U+00C0 to U+024F without accents and capitals, in their order (Unicode decompositions).
const LATIN: &str = concat!(
    "aaaaaaaceeeeiiiidnooooo×ouuuuytsaaaaaaaceeeeiiiidnooooo÷ouuuuytyaaaaaaccccccccddddeeeeeeeeeegggggggg",
    "hhhhiiiiiiiiiiiijjkkkllllllllllnnnnnnʼnnoooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzsƀɓƃƃƅƅɔƈ",
    "ƈɖɗƌƌƍǝəɛƒƒɠɣƕɩɨƙƙƚƛɯɲƞɵooƣƣƥƥʀƨƨʃƪƫƭƭʈuuʊʋƴƴƶƶʒƹƹƺƻƽƽƾƿǀǁǂǃdddlllnnnaaiioouuuuuuuuuuǝaaaaææǥǥggkkoo",
    "ooʒʒjdddggƕƿnnaaææøøaaaaeeeeiiiioooorrrruuuussttȝȝhhƞȡȣȣȥȥaaeeooooooooyyȴȵȶȷȸȹⱥȼȼƚⱦȿɀɂɂƀʉʌɇɇɉɉɋɋɍɍɏɏ",
);
/// Those from U+1E00 to U+1EFF.
const MORE_LATIN: &str = concat!(
    "aabbbbbbccddddddddddeeeeeeeeeeffgghhhhhhhhhhiiiikkkkkkllllllllmmmmmmnnnnnnnnoooooooopppprrrrrrrrssss",
    "ssssssttttttttuuuuuuuuuuvvvvwwwwwwwwwwxxxxyyzzzzzzhtwyasẜẝsẟaaaaaaaaaaaaaaaaaaaaaaaaeeeeeeeeeeeeeeee",
    "iiiioooooooooooooooooooooooouuuuuuuuuuuuuuyyyyyyyyỻỻỽỽỿỿ",
);

static LATIN_LETTERS: LazyLock<Vec<char>> = LazyLock::new(|| LATIN.chars().collect());
static MORE_LETTERS: LazyLock<Vec<char>> = LazyLock::new(|| MORE_LATIN.chars().collect());

/// The letter that stands for this one; none for marks that only change the letter before them.
fn letter(c: char) -> Option<char> {
    let known = |letters: &[char], first: u32| {
        let found = letters.get(u32::from(c).checked_sub(first)? as usize).copied()?;
        if found == c { Some(c) } else { letter(found) }
    };
    match c {
        _ if c.is_ascii_control() => Some(' '),
        _ if c.is_ascii() => Some(c.to_ascii_lowercase()),
        '\u{300}'..='\u{36f}' => None,
        '\u{c0}'..='\u{24f}' => known(&LATIN_LETTERS, 0xc0),
        '\u{1e00}'..='\u{1eff}' => known(&MORE_LETTERS, 0x1e00),
        'ά' => Some('α'),
        'έ' => Some('ε'),
        'ή' => Some('η'),
        'ί' | 'ϊ' | 'ΐ' => Some('ι'),
        'ό' => Some('ο'),
        'ύ' | 'ϋ' | 'ΰ' => Some('υ'),
        'ώ' => Some('ω'),
        'ς' => Some('σ'),
        'ё' | 'Ё' => Some('е'),
        'й' | 'Й' => Some('и'),
        _ if c.is_control() => Some(' '),
        _ => {
            let mut lower = c.to_lowercase();
            let one = lower.next();
            // A capital with an accent folds as its small letter does.
            one.map(|small| if small == c { c } else { letter(small).unwrap_or(small) })
        }
    }
}

fn push(c: char, into: &mut String) {
    match c {
        'ß' | 'ẞ' => into.push_str("ss"),
        'æ' | 'Æ' | 'ǽ' | 'Ǽ' | 'ǣ' | 'Ǣ' => into.push_str("ae"),
        'œ' | 'Œ' => into.push_str("oe"),
        c => into.extend(letter(c)),
    }
}

/// What is searched, and what for.
pub(crate) fn plain(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    text.chars().for_each(|c| push(c, &mut folded));
    folded
}

/// As [`plain`], with the byte of the text that each byte of it comes from, and the text's length at the end.
pub(crate) fn with_places(text: &str) -> (String, Vec<usize>) {
    let mut folded = String::with_capacity(text.len());
    let mut places = Vec::with_capacity(text.len() + 1);
    for (at, c) in text.char_indices() {
        push(c, &mut folded);
        places.resize(folded.len(), at);
    }
    places.push(text.len());
    (folded, places)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn capitals_and_accents_do_not_matter() {
        for (text, folded) in [
            ("Ärger über Größe", "arger uber grosse"),
            ("Café CAFÉ cafe\u{301}", "cafe cafe cafe"),
            ("Łódź, Kraków, Øresund", "lodz, krakow, oresund"),
            ("Việt Nam", "viet nam"),
            ("Αθήνα ΆΛΦΑ", "αθηνα αλφα"),
            ("Ещё Йод", "еще иод"),
            ("a\tb\n东京 ½ 3", "a b 东京 ½ 3"),
        ] {
            assert_eq!(plain(text), folded, "{text}");
        }
    }

    proptest! {
        #[test]
        fn places_point_into_the_text(text in "\\PC{0,60}") {
            let (folded, places) = with_places(&text);
            prop_assert_eq!(&folded, &plain(&text));
            prop_assert_eq!(places.len(), folded.len() + 1);
            prop_assert!(places.windows(2).all(|pair| pair[0] <= pair[1]));
            prop_assert!(places.iter().all(|at| text.is_char_boundary(*at)));
            // Once is enough.
            prop_assert_eq!(plain(&folded), folded);
        }
    }
}
