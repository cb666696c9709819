//! Tests of the chat page by accessible label, and pictures of it.

use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable;
use rspa_core::api::ApiError;
use rspa_core::model::{Author, Message, MessageState};

use super::ChatView;
use crate::commands::{Action, UiCommand};
use crate::fixtures::{self, page};
use crate::state::{AppState, Page, Signal, Slot};

const WIDE: (f32, f32) = (1096.0, 774.0);

/// State with one chat open that has these messages.
fn with(messages: impl FnOnce(rspa_core::model::ChatId) -> Vec<Message>) -> AppState {
    let mut state = fixtures::state();
    let open = state.chats.open.unwrap();
    state.chats.messages.insert(open, Slot::with(messages(open)));
    state
}

#[test]
fn a_question_is_typed_and_sent_with_enter() {
    let mut harness = page::<ChatView>(fixtures::state(), WIDE, true);
    let field = harness.get_by_label("Question");
    field.focus();
    harness.run();
    harness.get_by_label("Question").type_text("Where are");
    harness.run();
    harness.key_press_modifiers(Modifiers::SHIFT, Key::Enter);
    harness.run();
    harness.get_by_label("Question").type_text("keys?");
    harness.run();
    harness.key_press(Key::Enter);
    harness.run();
    let sent = harness.state().commands.iter().find_map(|command| match command {
        UiCommand::Send { chat, question } => Some((*chat, question.clone())),
        _ => None,
    });
    let (chat, question) = sent.expect("the question was sent");
    assert_eq!(chat, harness.state().state.chats.open);
    assert_eq!(question.text, "Where are\nkeys?");
    assert!(question.use_knowledge && question.sources.is_empty());
}

#[test]
fn a_citation_opens_its_lines_in_place() {
    let mut harness = page::<ChatView>(fixtures::state(), WIDE, true);
    harness.run();
    harness.get_by_label("Source 2").click();
    harness.run();
    harness.get_by_label("    let mut out = [0; 32];");
    harness.get_by_label("Open document").click();
    harness.run();
    let opened = harness.state().commands.iter().find_map(|command| match command {
        UiCommand::OpenDocument(target) => Some(target.clone()),
        _ => None,
    });
    let target = opened.expect("the document was opened");
    assert!(target.path.ends_with("core/vault.rs"));
    assert_eq!((target.start_line, target.end_line), (41, 42));
}

#[test]
fn without_room_a_citation_opens_a_pane() {
    let mut harness = page::<ChatView>(fixtures::state(), (620.0, 700.0), false);
    harness.run();
    harness.get_by_label("Source 1").click();
    harness.run();
    assert!(harness.state().commands.iter().any(|command| matches!(command, UiCommand::OpenDocument(_))));
}

#[test]
fn a_link_is_shown_and_confirmed_and_never_opened() {
    let mut harness = page::<ChatView>(fixtures::state(), WIDE, true);
    harness.run();
    harness.get_by_label("Link to http://owasp.example/").click();
    harness.run();
    let confirmation = harness.state().commands.iter().find_map(|command| match command {
        UiCommand::Confirm(confirmation) => Some(confirmation.clone()),
        _ => None,
    });
    let confirmation = confirmation.expect("a question is asked first");
    assert!(confirmation.consequence.contains("http://owasp.example/"));
    assert_eq!(*confirmation.then, UiCommand::CopyText("http://owasp.example/".into()));
    assert!(harness.output().platform_output.commands.is_empty(), "nothing is opened");
}

#[test]
fn sentences_without_a_source_are_counted() {
    let mut harness = page::<ChatView>(fixtures::state(), WIDE, true);
    harness.run();
    harness.get_by_label_contains("1 of 3 sentences have no source");
    let state = with(|chat| {
        let mut answer = fixtures::cited_answer(chat, 301);
        answer.citations.clear();
        answer.sentences.iter_mut().for_each(|sentence| sentence.citations.clear());
        vec![fixtures::question(chat, 300, "Why?"), answer]
    });
    let mut harness = page::<ChatView>(state, WIDE, true);
    harness.run();
    harness.get_by_label_contains("No passage supports this answer");
    assert!(harness.query_by_label("Source 1").is_none());
}

#[test]
fn an_address_cannot_disguise_itself() {
    let UiCommand::Confirm(asked) = super::link("http://good.example/\u{202e}gpj.exe\n") else { panic!("asks") };
    assert!(asked.consequence.contains("http://good.example/\\u{202e}gpj.exe\\u{a}"), "{}", asked.consequence);
}

#[test]
fn a_running_answer_can_be_stopped_and_is_not_sent_over() {
    let state = with(|chat| {
        vec![fixtures::question(chat, 300, "Why?"), fixtures::answer(chat, 301, "Because", MessageState::Streaming)]
    });
    let mut harness = page::<ChatView>(state, WIDE, true);
    harness.run();
    assert!(harness.query_by_label("Send").is_none());
    harness.get_by_label("Stop").click();
    harness.run();
    assert!(harness.state().commands.iter().any(|command| matches!(command, UiCommand::StopAnswer(_))));
}

#[test]
fn reading_the_prompt_shows_how_far_it_is() {
    let mut state = with(|chat| {
        vec![fixtures::question(chat, 300, "Why?"), fixtures::answer(chat, 301, "", MessageState::Preparing)]
    });
    let answer = state.open_messages()[1].id;
    state.chats.reading.insert(answer, (612, 1040));
    let mut harness = page::<ChatView>(state, WIDE, true);
    harness.run();
    assert!(harness.query_all_by_label("Reading 612 of 1,040 tokens").count() >= 1);
}

#[test]
fn a_failed_answer_says_why_and_can_be_tried_again() {
    let error = ApiError::validation("The model needs more memory than is free", "Close other programs.");
    let state = with(|chat| {
        vec![fixtures::question(chat, 300, "Why?"), fixtures::answer(chat, 301, "", MessageState::Failed(error))]
    });
    let mut harness = page::<ChatView>(state, WIDE, true);
    harness.run();
    harness.get_by_label_contains("Close other programs.");
    harness.get_by_label("Answer again").click();
    harness.run();
    assert!(harness.state().commands.iter().any(|command| matches!(command, UiCommand::RetryAnswer { .. })));
}

#[test]
fn without_sources_a_folder_is_offered() {
    let mut state = fixtures::state();
    state.chats.open = None;
    state.knowledge.sources = Slot::with(Vec::new());
    let mut harness = page::<ChatView>(state, WIDE, true);
    harness.run();
    harness.get_by_label("Choose a folder").click();
    harness.run();
    assert!(harness.state().commands.contains(&UiCommand::Run(Action::AddFolder)));
}

#[test]
fn without_a_model_the_way_to_one_is_shown() {
    let mut state = fixtures::state();
    state.models.list.get_mut().unwrap().models.clear();
    let mut harness = page::<ChatView>(state, WIDE, true);
    harness.run();
    harness.get_by_label("Get a model").click();
    harness.run();
    assert!(harness.state().commands.contains(&UiCommand::OpenPage(Page::Models)));
}

#[test]
fn a_text_from_elsewhere_comes_into_the_composer() {
    let mut state = fixtures::state();
    state.signals.push(Signal::Compose("About spec.md".into()));
    let mut harness = page::<ChatView>(state, WIDE, true);
    harness.step();
    harness.state_mut().state.signals.clear();
    harness.run();
    assert_eq!(harness.get_by_label("Question").value().as_deref(), Some("About spec.md"));
}

#[test]
fn of_ten_thousand_messages_only_those_in_view_are_laid_out() {
    let state = with(|chat| {
        (0..10_000)
            .map(|number| {
                let text = format!("Message {number}\n\nsome *words* of it\n\n- one\n- two");
                if number % 2 == 0 {
                    fixtures::question(chat, 1000 + number, &text)
                } else {
                    fixtures::answer(chat, 1000 + number, &text, MessageState::Complete)
                }
            })
            .collect()
    });
    let last = state.open_messages().iter().rev().find(|message| message.author == Author::Model).unwrap().text.clone();
    let mut harness = page::<ChatView>(state, WIDE, true);
    harness.run_steps(4);
    // It opens at its end.
    assert!(last.starts_with("Message 9999"));
    harness.get_by_label("Message 9999");
    assert!(harness.state().view.thread.laid_out() < 60, "{}", harness.state().view.thread.laid_out());
    // Scrolling up through messages that were only guessed keeps what is in view in order.
    let middle = egui::pos2(500.0, 300.0);
    let mut seen = 9999;
    for _ in 0..20 {
        harness.hover_at(middle);
        harness.event(egui::Event::MouseWheel {
            unit: egui::MouseWheelUnit::Point,
            delta: egui::vec2(0.0, 300.0),
            phase: egui::TouchPhase::Move,
            source: egui::MouseWheelSource::Trackpad,
            modifiers: Modifiers::NONE,
        });
        harness.run_steps(2);
        let top = (0..10_000).find(|number| {
            let label = format!("Message {number}");
            *number > seen - 60 && harness.query_by_label(&label).is_some()
        });
        let top = top.expect("a message is in view");
        assert!(top <= seen, "{top} after {seen}");
        seen = top;
    }
    assert!(seen < 9990);
}

#[test]
fn chats_are_searched_renamed_and_deleted() {
    let mut harness = page::<ChatView>(fixtures::state(), WIDE, true);
    harness.run();
    harness.get_by_label("Digest for Thursday").click();
    harness.run();
    assert!(harness.state().commands.iter().any(|command| matches!(command, UiCommand::OpenChat(_))));
    harness.get_by_label("More about this chat").click();
    harness.run();
    harness.get_by_label("Delete").click();
    harness.run();
    assert!(harness.state().commands.iter().any(|command| matches!(command, UiCommand::DeleteChat(_))));
    harness.get_by_label("Search chats").click();
    harness.run();
    harness.query_all_by_label("Search chats").last().unwrap().type_text("digest");
    harness.run();
    assert!(harness.query_by_label("PBKDF2 and key storage").is_none_or(|node| node.rect().left() > 240.0));
}

#[test]
fn pictures() {
    let mut results = egui_kittest::SnapshotResults::new();
    for (dark, name) in [(true, "chat_dark"), (false, "chat_light")] {
        let mut harness = page::<ChatView>(fixtures::state(), WIDE, dark);
        harness.run();
        harness.get_by_label("Source 1").click();
        harness.remove_cursor();
        harness.run();
        harness.snapshot(name);
        results.extend_harness(&mut harness);
    }
}
