//! Tests of the Markdown blocks: what they hold, and that streaming gives the same blocks as parsing at once.

use proptest::prelude::*;
use rspa_core::model::SentenceSupport;

use super::{Block, Content, Inline, Marker, Parsed, marks};

/// One line per block: indent, quote, marker, kind and text with styles.
fn shown(text: &str) -> String {
    Parsed::new(text).blocks().iter().map(|block| line(block) + "\n").collect()
}

fn line(block: &Block) -> String {
    let mut out = "  ".repeat(block.indent as usize) + &"| ".repeat(block.quote as usize);
    match block.marker {
        Some(Marker::Bullet) => out += "- ",
        Some(Marker::Number(number)) => out.push_str(&format!("{number}. ")),
        Some(Marker::Task { done }) => out.push_str(if done { "[x] " } else { "[ ] " }),
        None => {}
    }
    match &block.content {
        Content::Paragraph(inline) => out.push_str(&styled(inline)),
        Content::Heading(level, inline) => out.push_str(&format!("h{level} {}", styled(inline))),
        Content::Code { language, text } => out.push_str(&format!("code({language}) {text:?}")),
        Content::Table { rows, .. } => {
            let rows: Vec<String> =
                rows.iter().map(|row| row.iter().map(styled).collect::<Vec<_>>().join(" / ")).collect();
            out.push_str(&format!("table {}", rows.join(" // ")));
        }
        Content::Rule => out += "rule",
    }
    out
}

fn styled(inline: &Inline) -> String {
    let mut out = String::new();
    for run in &inline.runs {
        let text = &inline.text[run.range.clone()];
        let style = run.style;
        let mut marks = String::new();
        for (set, mark) in [(style.strong, "b"), (style.emphasis, "i"), (style.strikethrough, "s"), (style.code, "c")] {
            if set {
                marks.push_str(mark);
            }
        }
        match &run.link {
            Some(link) => out.push_str(&format!("<{marks}:{text}>({link})")),
            None if marks.is_empty() => out.push_str(text),
            None => out.push_str(&format!("<{marks}:{text}>")),
        }
    }
    out
}

#[test]
fn styles_headings_lists_and_quotes() {
    let text = "# Title\n\nOne **bold *both*** and `code`.\n\n1. first\n2. second\n   - inner\n\n     more\n\n> quoted\n> on\n\n---\n- [x] done\n";
    assert_eq!(
        shown(text),
        "h1 Title\nOne <b:bold ><bi:both> and <c:code>.\n  1. first\n  2. second\n    - inner\n    more\n| quoted on\nrule\n  [x] done\n"
    );
}

#[test]
fn code_and_tables() {
    let text = "```rust,ignore\nlet a = 1;\n\n}\n```\n| a | b |\n| - | -: |\n| **1** | 2 |\n| 3 |\n";
    assert_eq!(shown(text), "code(rust) \"let a = 1;\\n\\n}\"\ntable a / b // <b:1> / 2 // 3 / \n");
}

#[test]
fn hostile_parts_are_text() {
    assert_eq!(shown("a <b onclick=x>c</b>\n"), "a <b onclick=x>c</b>\n");
    assert_eq!(shown("<script>\nalert(1)\n</script>\n"), "<script>\nalert(1)\n</script>\n");
    assert_eq!(
        shown("![cat](http://x.example/c.png) [go](javascript:alert)"),
        "<:image: >(http://x.example/c.png)<:cat>(http://x.example/c.png) <:go>(javascript:alert)\n"
    );
}

#[test]
fn link_definitions_stay_visible_and_mathematics_stays_readable() {
    assert_eq!(shown("See [1].\n\n[1]: http://x.example\n"), "See [1].\n[1]: http://x.example\n");
    assert_eq!(shown("So $a_b*c*d$ holds."), "So <c:$a_b*c*d$> holds.\n");
}

#[test]
fn very_deep_nesting_and_very_long_paragraphs_are_bounded() {
    let deep = Parsed::new(&("> ".repeat(5000) + "end"));
    assert!(deep.blocks().iter().all(|block| block.quote <= 12));
    let long = "word ".repeat(20_000);
    let parsed = Parsed::new(&long);
    assert!(parsed.blocks().len() > 10);
    let joined: String = parsed
        .blocks()
        .iter()
        .map(|block| match &block.content {
            Content::Paragraph(inline) => inline.text.clone(),
            _ => String::new(),
        })
        .collect();
    assert_eq!(joined.trim_end(), long.trim_end());
}

#[test]
fn a_partial_line_may_still_join_the_paragraph_before_it() {
    let mut parsed = Parsed::default();
    for piece in ["foo\n", "#", "bar\n", "\n", "end"] {
        parsed.append(piece);
    }
    assert_eq!(parsed.blocks(), Parsed::new("foo\n#bar\n\nend").blocks());
}

#[test]
fn only_the_tail_is_parsed_again() {
    let mut parsed = Parsed::new("one\n\ntwo\n\nthree\n");
    assert_eq!(parsed.append(" and more"), 2);
    assert_eq!(parsed.update("one\n\ntwo\n\nthree\n and more words"), 2);
    assert_eq!(parsed.update("other"), 0);
    assert_eq!(parsed.blocks().len(), 1);
}

#[test]
fn citations_stand_after_their_sentence() {
    let text = "Keys use **PBKDF2.** It is &amp; was slow. Nobody knows this.";
    let parsed = Parsed::new(text);
    let Content::Paragraph(inline) = &parsed.blocks()[0].content else { panic!("a paragraph") };
    let at = |words: &str| (text.find(words).expect("words") + words.len()) as u32;
    let sentence =
        |start, end, citations: &[u32]| SentenceSupport { start, end, citations: citations.to_vec(), claims: true };
    let first = at("PBKDF2.**");
    let second = at("slow.");
    let sentences =
        [sentence(0, first, &[0]), sentence(first, second + 1, &[1, 0]), sentence(second + 1, text.len() as u32, &[])];
    let marks = marks(text, inline, &parsed.blocks()[0].source, &sentences);
    assert_eq!(inline.text, "Keys use PBKDF2. It is & was slow. Nobody knows this.");
    let places: Vec<(&str, &[u32])> =
        marks.citations.iter().map(|(at, list)| (&inline.text[..*at], list.as_slice())).collect();
    assert_eq!(places, [("Keys use PBKDF2.", &[0][..]), ("Keys use PBKDF2. It is & was slow.", &[1, 0][..])]);
    let unsupported: Vec<&str> = marks.unsupported.iter().map(|range| &inline.text[range.clone()]).collect();
    assert_eq!(unsupported, ["Nobody knows this."]);
}

/// Text made of the pieces that Markdown gives a meaning to.
fn markdown() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        8 => "[a-c ]{1,6}",
        6 => Just("\n".to_owned()),
        3 => Just("\n\n".to_owned()),
        10 => prop::sample::select(vec![
            "#", "# ", "- ", "* ", "1. ", "2) ", "> ", "```", "~~~", "```rust\n", "    ", "  ", "\t", "---", "===", "| a | b |\n",
            "|-|-|\n", "|", "**", "*", "_", "`", "``", "[", "]", "](", ")", "[a]: ", "[a]", "[a]: /u\n", "<", "<b>", "</div>", "<div>",
            "<!--", "-->", "<script>", "</script>", "$", "$$", "~~", "\\", "&amp;", "&", "!", "![", "- [ ] ", "\r\n", "\r",
            "é", "漢", "🙂", "http://x", "<http://x>", "\"t\"", "+ ", "+++", ":", "\u{0}",
        ]).prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn streaming_gives_the_same_blocks_as_parsing_at_once(text in markdown(), cuts in prop::collection::vec(0usize..200, 0..12)) {
        let mut cuts: Vec<usize> = cuts.into_iter().filter(|&cut| text.is_char_boundary(cut)).collect();
        cuts.push(text.len());
        cuts.sort_unstable();
        let mut parsed = Parsed::default();
        let mut done = 0;
        for cut in cuts {
            parsed.append(&text[done..cut]);
            done = cut;
        }
        let whole = Parsed::new(&text);
        prop_assert_eq!(parsed.blocks(), whole.blocks());
    }

    #[test]
    fn any_text_is_parsed_with_sound_ranges(text in prop_oneof![markdown(), any::<String>()]) {
        let parsed = Parsed::new(&text);
        for block in parsed.blocks() {
            prop_assert!(text.get(block.source.clone()).is_some(), "{:?}", block);
            let inlines: Vec<&Inline> = match &block.content {
                Content::Paragraph(inline) | Content::Heading(_, inline) => vec![inline],
                Content::Table { rows, .. } => rows.iter().flatten().collect(),
                _ => vec![],
            };
            for inline in inlines {
                let joined: String = inline.runs.iter().map(|run| &inline.text[run.range.clone()]).collect();
                prop_assert_eq!(&joined, &inline.text);
                for at in 0..=text.len() {
                    prop_assert!(inline.text.is_char_boundary(inline.position_of(at)));
                }
            }
        }
    }
}
