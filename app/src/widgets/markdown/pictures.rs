//! Pictures of Markdown with everything that it can hold, and what the person can do in it.

use egui::Id;
use egui_kittest::kittest::Queryable;
use egui_kittest::{Harness, SnapshotResults};

use super::{MarkdownEvent, MarkdownView};
use crate::fixtures::{Stage, stage};
use crate::state::AppState;

const TEXT: &str = "# Heading one\n\n## Heading two\n\nA paragraph with **bold**, *emphasis*, ~~struck~~, `code`, $e = mc^2$ and a [link](http://x.example/).\nAn ![image](http://x.example/cat.png) is not loaded, <b>HTML</b> is text.\n\n- first\n- second\n  1. inner\n  2. inner two\n- [x] done\n- [ ] to do\n\n> Quoted text that is long enough to go over more than one line of this narrow picture.\n\n| Name | Figure | Note |\n| --- | ---: | :---: |\n| PBKDF2 | 100,000 | old |\n| Argon2id | 3 | a longer note that has to wrap in its cell |\n\n---\n\n```python\n# sums\ndef total(values):\n    return sum(values) + 1  # one more\n```\n";

type Shown = (MarkdownView, Vec<MarkdownEvent>);

fn shown(dark: bool) -> Harness<'static, Stage<Shown>> {
    let view: Shown = (MarkdownView::default(), Vec::new());
    stage(view, AppState::default(), (520.0, 660.0), dark, |(view, events), ui, _| {
        let rect = ui.max_rect().shrink(16.0);
        view.prepare(ui, TEXT, &[], rect.width());
        events.extend(view.show(ui, Id::unique("markdown"), rect));
    })
}

#[test]
fn pictures() {
    let mut results = SnapshotResults::new();
    for (dark, name) in [(true, "markdown_dark"), (false, "markdown_light")] {
        let mut harness = shown(dark);
        harness.run();
        harness.snapshot(name);
        results.extend_harness(&mut harness);
    }
}

#[test]
fn code_is_copied_and_links_are_told() {
    let mut harness = shown(true);
    harness.run();
    harness.get_by_label("Copy").click();
    harness.run();
    harness.get_by_label("Link to http://x.example/").click();
    harness.run();
    let events = &harness.state().view.1;
    let code = "# sums\ndef total(values):\n    return sum(values) + 1  # one more";
    assert!(events.contains(&MarkdownEvent::Copy(code.into())), "{events:?}");
    assert!(events.contains(&MarkdownEvent::Link("http://x.example/".into())), "{events:?}");
}
