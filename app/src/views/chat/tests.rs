//! Tests of the chat page by accessible label, and pictures of it.

use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable;
use rspa_core::api::ApiError;
use rspa_core::model::{
    Attachment, Author, ChatFormat, ChatHit, ContextKind, ContextPart, ContextUse, DocumentChange, Mention, Mentioned,
    Message, MessageState, ModelChoice, ModelId, ProviderModel, TriedModel,
};

use super::ChatView;
use crate::commands::pages::chats::ChatsCommand;
use crate::commands::{Action, PickPurpose, UiCommand};
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
fn a_source_that_has_changed_since_is_marked_and_opens_as_it_is_now() {
    let state = fixtures::state();
    let chat = state.chats.open.unwrap();
    let (path, hash) = {
        let messages = state.chats.messages[&chat].get().unwrap();
        let answer = messages.iter().find(|message| !message.citations.is_empty()).unwrap();
        (answer.citations[0].passage.path.clone(), answer.citations[0].passage.document_hash.clone())
    };
    let mut harness = page::<ChatView>(state, WIDE, true);
    harness.run();
    assert!(harness.query_by_label("The source has changed since").is_none());
    let change = |hash: Option<&str>| DocumentChange { path: path.clone(), hash: hash.map(str::to_owned) };
    harness.state_mut().state.chats.documents_changed(&[change(Some("11"))]);
    harness.run();
    harness.get_by_label("The source has changed since");
    harness.get_by_label("A source has changed since this answer.");
    harness.get_by_label("Source 1").click();
    harness.run();
    harness.get_by_label("Open document").click();
    harness.run();
    let opened = harness
        .state()
        .commands
        .iter()
        .any(|command| matches!(command, UiCommand::OpenDocument(target) if target.path == path));
    assert!(opened);
    harness.state_mut().state.chats.documents_changed(&[change(None)]);
    harness.run();
    harness.get_by_label("The source is not there any more");
    // As it was when it was cited.
    harness.state_mut().state.chats.documents_changed(&[change(Some(&hash))]);
    harness.run();
    assert!(harness.query_by_label("A source has changed since this answer.").is_none());
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

type Window = egui_kittest::Harness<'static, fixtures::Stage<ChatView>>;

/// What was asked of chats, in order, but for what the meter asks by itself.
fn told(harness: &Window) -> Vec<ChatsCommand> {
    let all = all_told(harness).into_iter();
    all.filter(|command| !matches!(command, ChatsCommand::Preview { .. })).collect()
}

fn all_told(harness: &Window) -> Vec<ChatsCommand> {
    let commands = harness.state().commands.iter();
    commands.filter_map(|one| if let UiCommand::Chats(command) = one { Some(command.clone()) } else { None }).collect()
}

fn press(harness: &mut Window, label: &str) {
    harness.get_by_label(label).click();
    harness.run();
}

fn model(id: &str) -> ProviderModel {
    ProviderModel {
        id: ModelId(id.into()),
        name: id.split('/').next_back().unwrap().into(),
        context_length: Some(200_000),
        max_answer_tokens: None,
        tools: Some(true),
        embeds: None,
        family: String::new(),
        quantisation: String::new(),
        parameters: None,
        size_bytes: None,
    }
}

#[test]
fn chats_are_renamed_deleted_pinned_and_exported() {
    let mut harness = page::<ChatView>(fixtures::state(), WIDE, true);
    harness.run();
    press(&mut harness, "Digest for Thursday");
    assert!(harness.state().commands.iter().any(|command| matches!(command, UiCommand::OpenChat(_))));
    let open = harness.state().state.chats.open.unwrap();
    press(&mut harness, "More about this chat");
    press(&mut harness, "Delete");
    assert!(harness.state().commands.contains(&UiCommand::DeleteChat(open)));
    press(&mut harness, "More about this chat");
    press(&mut harness, "Pin");
    assert_eq!(told(&harness), [ChatsCommand::Pin { chat: open, pinned: true }]);
    press(&mut harness, "More about this chat");
    press(&mut harness, "Export as JSON…");
    let pick = UiCommand::Pick(PickPurpose::ChatExport(open, ChatFormat::Json));
    assert!(harness.state().commands.contains(&pick));
}

#[test]
fn folders_hold_chats_and_open_and_close() {
    let mut state = fixtures::state();
    state.chats.folders = Slot::with(vec!["Empty".into(), "Work/Clients".into()]);
    let list = state.chats.list.get_mut().unwrap();
    list[1].chat.folder = "Work/Clients".into();
    list[2].chat.pinned = true;
    let mut harness = page::<ChatView>(state, WIDE, true);
    harness.run();
    harness.get_by_label("Pinned, 1 chat");
    harness.get_by_label("Empty, 0 chats");
    harness.get_by_label("Other chats, 1 chat");
    harness.get_by_label("Digest for Thursday");
    press(&mut harness, "Work › Clients, 1 chat");
    assert!(harness.query_by_label("Digest for Thursday").is_none(), "its folder is closed");
    // With the keyboard: another name.
    harness.get_by_label("Work › Clients, 1 chat").focus();
    harness.run();
    harness.key_press(Key::F2);
    harness.run();
    harness.get_by_label("Name of the folder").type_text(" and friends");
    harness.run();
    harness.key_press(Key::Enter);
    harness.run();
    let rename = ChatsCommand::RenameFolder { name: "Work/Clients".into(), to: "Work/Clients and friends".into() };
    assert!(told(&harness).contains(&rename), "{:?}", told(&harness));
    // Deleting asks first: there is no way back.
    harness.get_by_label("Empty, 0 chats").focus();
    harness.run();
    harness.key_press(Key::Delete);
    harness.run();
    assert!(harness.state().commands.iter().any(|one| matches!(one, UiCommand::Confirm(asked)
        if *asked.then == UiCommand::Chats(ChatsCommand::DeleteFolder("Empty".into())))));
}

#[test]
fn a_folder_is_made_with_a_clean_name() {
    let mut harness = page::<ChatView>(fixtures::state(), WIDE, true);
    harness.run();
    press(&mut harness, "New folder");
    harness.get_by_label("Name of the folder").type_text(" Work / / Notes ");
    harness.run();
    harness.key_press(Key::Enter);
    harness.run();
    assert_eq!(told(&harness), [ChatsCommand::CreateFolder("Work/Notes".into())]);
}

#[test]
fn a_chat_is_dragged_into_a_folder() {
    let mut state = fixtures::state();
    state.chats.folders = Slot::with(vec!["Work".into()]);
    let chat = state.chats.list.get().unwrap()[1].chat.id;
    let mut harness = page::<ChatView>(state, WIDE, true);
    harness.run();
    let from = harness.get_by_label("Digest for Thursday").rect().center();
    let to = harness.get_by_label("Work, 0 chats").rect().center();
    harness.drag_at(from);
    harness.run();
    harness.hover_at(from + (to - from) / 2.0);
    harness.run();
    harness.hover_at(to);
    harness.run();
    harness.drop_at(to);
    harness.run();
    assert_eq!(told(&harness), [ChatsCommand::Move { chat, folder: "Work".into() }]);
    assert!(!harness.state().commands.iter().any(|one| matches!(one, UiCommand::OpenChat(_))));
}

#[test]
fn a_search_shows_hits_and_enter_opens_the_message() {
    let mut state = fixtures::state();
    let (chat, message) = (state.chats.list.get().unwrap()[1].chat.id, state.open_messages()[0].id);
    let hit = |snippet: &str, marks| ChatHit {
        chat,
        title: "Digest".into(),
        message: Some(message),
        at: fixtures::NOW,
        snippet: snippet.into(),
        marks,
    };
    // The second one's marks are nonsense: they cut a letter, overlap, and end behind the text.
    state.chats.hits = Slot::with(vec![
        hit("one task failed at night", vec![(4, 8)]),
        hit("Größe der\nAufgabe", vec![(3, 4), (0, 2), (1, 5), (9, 900)]),
    ]);
    let mut harness = page::<ChatView>(state, WIDE, true);
    harness.run();
    press(&mut harness, "Search chats");
    harness.query_all_by_label("Search chats").last().unwrap().type_text("task");
    harness.run();
    assert_eq!(told(&harness).last(), Some(&ChatsCommand::Search("task".into())));
    harness.get_by_label("Digest: one task failed at night");
    harness.key_press(Key::ArrowDown);
    harness.run();
    harness.key_press(Key::Enter);
    harness.run();
    assert_eq!(told(&harness).last(), Some(&ChatsCommand::OpenAt { chat, message: Some(message) }));
    harness.key_press(Key::Escape);
    harness.run();
    harness.get_by_label("Digest for Thursday");
}

#[test]
fn a_search_says_when_nothing_fits_or_it_failed() {
    for (slot, words) in [
        (Slot::with(Vec::new()), "No chat fits."),
        (Slot::failed(ApiError::validation("the index is gone", "Try again.")), "The index is gone"),
        (Slot::default(), "Searching your chats…"),
    ] {
        let mut state = fixtures::state();
        state.chats.hits = slot;
        let mut harness = page::<ChatView>(state, WIDE, true);
        harness.run();
        press(&mut harness, "Search chats");
        harness.query_all_by_label("Search chats").last().unwrap().type_text("x");
        harness.run();
        assert!(harness.query_all_by_label(words).count() >= 1, "{words}");
    }
}

#[test]
fn of_ten_thousand_chats_only_those_in_view_are_drawn() {
    let mut state = fixtures::state();
    let mut chats: Vec<_> = (0..10_000).map(|n| fixtures::chat(5000 + n, &format!("Chat {n}"), "", 1)).collect();
    chats[9_999].chat.folder = "Last".into();
    state.chats.list = Slot::with(chats);
    let mut harness = page::<ChatView>(state, WIDE, true);
    harness.run();
    harness.get_by_label("Chat 0");
    assert!(harness.query_by_label("Chat 40").is_none());
    // The focus goes on below what is in view.
    harness.get_by_label("Chat 9").focus();
    for _ in 0..30 {
        harness.key_press(Key::ArrowDown);
        harness.run_steps(2);
    }
    let seen: Vec<u32> = (0..100).filter(|n| harness.query_by_label(&format!("Chat {n}")).is_some()).collect();
    assert!(seen.contains(&36), "{seen:?}");
}

#[test]
fn another_version_is_chosen_and_a_question_is_edited() {
    let state = with(|chat| {
        let mut question = fixtures::question(chat, 300, "Why?");
        question.versions.all = vec![fixtures::question(chat, 310, "").id, question.id];
        let mut answer = fixtures::cited_answer(chat, 301);
        let (older, newer) = (fixtures::question(chat, 311, "").id, fixtures::question(chat, 312, "").id);
        answer.versions.all = vec![older, answer.id, newer];
        vec![question, answer]
    });
    let chat = state.chats.open.unwrap();
    let (question, answer) = (state.open_messages()[0].clone(), state.open_messages()[1].clone());
    let mut harness = page::<ChatView>(state, WIDE, true);
    harness.run();
    harness.get_by_label("2/3");
    harness.get_by_label("2/2");
    harness.query_all_by_label("Version before").last().unwrap().click();
    harness.run();
    let older = answer.versions.all[0];
    assert_eq!(told(&harness).last(), Some(&ChatsCommand::Choose { chat, message: older }));
    press(&mut harness, "Edit the question");
    harness.get_by_label("The question, edited").focus();
    harness.run();
    harness.key_press(Key::End);
    harness.get_by_label("The question, edited").type_text(" And how?");
    harness.run();
    harness.key_press(Key::Enter);
    harness.run();
    let Some(ChatsCommand::Edit { message, question: asked, .. }) = told(&harness).last().cloned() else {
        panic!("{:?}", told(&harness))
    };
    assert_eq!((message, asked.text.as_str()), (question.id, "Why? And how?"));
    assert!(harness.query_by_label("The question, edited").is_none());
    // Escape leaves it as it was.
    press(&mut harness, "Edit the question");
    harness.key_press(Key::Escape);
    harness.run();
    assert!(harness.query_by_label("The question, edited").is_none());
}

#[test]
fn an_answer_is_continued_branched_and_made_again_with_another_model() {
    let mut state = with(|chat| {
        vec![fixtures::question(chat, 300, "Why?"), fixtures::answer(chat, 301, "Because", MessageState::Stopped)]
    });
    state.chats.models = Slot::with(vec![model("home/llama3.2:3b")]);
    let chat = state.chats.open.unwrap();
    let message = state.open_messages()[1].id;
    let mut harness = page::<ChatView>(state, WIDE, true);
    harness.run();
    press(&mut harness, "Continue");
    press(&mut harness, "More about this answer");
    press(&mut harness, "Branch from here");
    press(&mut harness, "More about this answer");
    press(&mut harness, "llama3.2:3b");
    let model = ModelId("home/llama3.2:3b".into());
    assert_eq!(
        told(&harness),
        [
            ChatsCommand::Continue { chat, message },
            ChatsCommand::Branch { chat, message },
            ChatsCommand::RetryWith { chat, message, model }
        ]
    );
}

#[test]
fn two_answers_stand_side_by_side_until_one_is_chosen() {
    let choice = |model: &str| ModelChoice { model: model.into(), provider: "home".into(), ..ModelChoice::default() };
    let state = with(|chat| {
        let mut left = fixtures::answer(chat, 301, "The left answer", MessageState::Complete);
        left.choice = Some(choice("home/left"));
        let mut right = fixtures::answer(chat, 302, "The right answer", MessageState::Streaming);
        right.choice = Some(choice("home/right"));
        left.versions.beside = vec![right];
        vec![fixtures::question(chat, 300, "Why?"), left]
    });
    let chat = state.chats.open.unwrap();
    let (left, right) = (state.open_messages()[1].id, state.open_messages()[1].versions.beside[0].id);
    let mut harness = page::<ChatView>(state, WIDE, true);
    harness.run();
    let (one, other) =
        (harness.get_by_label("The left answer").rect(), harness.get_by_label("The right answer").rect());
    assert!(one.right() < other.left() && (one.top() - other.top()).abs() < 1.0, "{one:?} {other:?}");
    // The inspector names the first one too.
    assert_eq!(harness.query_all_by_label("home/left").count(), 2);
    harness.get_by_label("home/right");
    // The right one still streams: it can be stopped, not chosen.
    press(&mut harness, "Stop");
    assert!(harness.state().commands.contains(&UiCommand::StopAnswer(right)));
    harness.query_all_by_label("Go on with this one").next().unwrap().click();
    harness.run();
    assert_eq!(told(&harness).last(), Some(&ChatsCommand::Choose { chat, message: left }));
}

#[test]
fn the_model_and_the_reason_stand_beside_the_answer() {
    let state = with(|chat| {
        let mut answer = fixtures::cited_answer(chat, 301);
        answer.choice = Some(ModelChoice {
            provider: "embedded".into(),
            model: "smollm2-135m".into(),
            reason: "the default model".into(),
            tried: vec![TriedModel { model: "home/llama".into(), why: "it does not answer".into() }],
            cached: true,
        });
        vec![fixtures::question(chat, 300, "Why?"), answer]
    });
    let mut harness = page::<ChatView>(state, WIDE, true);
    harness.run();
    harness.get_by_label("smollm2-135m, the default model, from the cache, 1 tried before");
    // The inspector has all of it.
    harness.get_by_label("Why: the default model");
    harness.get_by_label("home/llama: it does not answer");
}

fn context() -> ContextUse {
    let part = |kind, tokens, count| ContextPart { kind, tokens, count };
    ContextUse {
        limit: 8192,
        parts: vec![
            part(ContextKind::System, 312, 1),
            part(ContextKind::Summary, 150, 1),
            part(ContextKind::Passages, 2810, 4),
            part(ContextKind::History, 2020, 6),
            part(ContextKind::Question, 41, 1),
            part(ContextKind::Answer, 1024, 1),
        ],
        dropped: vec!["What is a lease?".into(), "A lease is a promise".into()],
        summary: "They spoke about leases.".into(),
    }
}

#[test]
fn what_filled_the_context_and_what_was_dropped_is_shown() {
    let state = with(|chat| {
        let mut answer = fixtures::cited_answer(chat, 301);
        answer.context = Some(context());
        vec![fixtures::question(chat, 300, "Why?"), answer]
    });
    let mut harness = page::<ChatView>(state, WIDE, true);
    harness.run();
    for words in [
        "Passages (4)",
        "2,810",
        "History (6)",
        "5,333 of 8,192 tokens",
        "2 turns no longer fit and were left out:",
        "· What is a lease?",
        "They spoke about leases.",
    ] {
        assert!(harness.query_by_label(words).is_some(), "{words}");
    }
}

#[test]
fn the_meter_asks_when_typing_pauses_and_opens_the_inspector() {
    let mut state = fixtures::state();
    state.chats.preview = Slot::with(context());
    let chat = state.chats.open.unwrap();
    let mut harness = page::<ChatView>(state, WIDE, true);
    harness.run();
    harness.get_by_label("Question").focus();
    harness.run();
    harness.get_by_label("Question").type_text("And now?");
    harness.run_steps(60);
    let Some(ChatsCommand::Preview { chat: of, question }) = all_told(&harness).last().cloned() else {
        panic!("{:?}", all_told(&harness))
    };
    assert_eq!((of, question.text.as_str()), (chat, "And now?"));
    let asked = all_told(&harness).len();
    harness.run_steps(60);
    assert_eq!(all_told(&harness).len(), asked, "the same question is asked once");
    press(&mut harness, "Context: 5,333 / 8,192");
    harness.get_by_label("Context of the next question");
    press(&mut harness, "Back to the answer");
    harness.get_by_label("Sources");
}

#[test]
fn a_mention_is_found_with_the_keyboard_and_becomes_a_chip() {
    let mut state = fixtures::state();
    let mention = |title: &str, path: &str| Mention {
        what: Mentioned::File { path: path.into() },
        title: title.into(),
        detail: "in rspa".into(),
    };
    state.chats.mentions = Slot::with(vec![mention("spec.md", "/a/spec.md"), mention("spec.pdf", "/a/spec.pdf")]);
    let mut harness = page::<ChatView>(state, WIDE, true);
    harness.run();
    harness.get_by_label("Question").focus();
    harness.run();
    harness.get_by_label("Question").type_text("What says @spe");
    harness.run();
    assert!(told(&harness).contains(&ChatsCommand::FindMentions("spe".into())), "{:?}", told(&harness));
    harness.get_by_label("spec.pdf, in rspa");
    // Escape closes the list and leaves the words; the next letter after another sign opens it again.
    harness.key_press(Key::Escape);
    harness.run();
    assert!(harness.query_by_label("spec.pdf, in rspa").is_none());
    assert_eq!(harness.get_by_label("Question").value().as_deref(), Some("What says @spe"));
    harness.get_by_label("Question").type_text(" and @sp");
    harness.run();
    harness.key_press(Key::ArrowDown);
    harness.run();
    harness.key_press(Key::Enter);
    harness.run();
    assert!(harness.query_by_label("spec.pdf, in rspa").is_none());
    assert_eq!(harness.get_by_label("Question").value().as_deref(), Some("What says @spe and "));
    harness.get_by_label("Remove spec.pdf");
    harness.key_press(Key::Enter);
    harness.run();
    let sent = harness.state().commands.iter().find_map(|command| match command {
        UiCommand::Send { question, .. } => Some(question.clone()),
        _ => None,
    });
    assert_eq!(sent.unwrap().attachments, [Mentioned::File { path: "/a/spec.pdf".into() }]);
    assert!(harness.query_by_label("Remove spec.pdf").is_none(), "what was sent is gone from the composer");
}

#[test]
fn a_long_paste_comes_along_as_an_attachment_or_goes_into_the_text() {
    let mut harness = page::<ChatView>(fixtures::state(), WIDE, true);
    harness.run();
    harness.get_by_label("Question").focus();
    harness.run();
    harness.event(egui::Event::Paste("short".into()));
    harness.run();
    assert_eq!(harness.get_by_label("Question").value().as_deref(), Some("short"));
    harness.event(egui::Event::Paste("long ".repeat(1000)));
    harness.run();
    assert_eq!(harness.get_by_label("Question").value().as_deref(), Some("short"));
    harness.get_by_label("Remove Pasted text, 5,000 characters");
    press(&mut harness, "Put it into the question");
    assert!(harness.query_by_label("Remove Pasted text, 5,000 characters").is_none());
    assert!(harness.get_by_label("Question").value().unwrap().len() > 5000);
}

#[test]
fn files_that_are_dropped_come_along_once_and_can_be_taken_off() {
    let mut state = fixtures::state();
    let file = Mentioned::File { path: "/home/ada/notes.md".into() };
    state.signals.push(Signal::Attach(vec![file.clone(), file, Mentioned::Folder { path: "/home/ada/papers".into() }]));
    let mut harness = page::<ChatView>(state, WIDE, true);
    harness.step();
    harness.state_mut().state.signals.clear();
    harness.run();
    harness.get_by_label("Remove papers");
    press(&mut harness, "Remove notes.md");
    assert!(harness.query_by_label("Remove notes.md").is_none());
    press(&mut harness, "Attach");
    press(&mut harness, "Folder…");
    assert!(harness.state().commands.contains(&UiCommand::Pick(PickPurpose::AttachFolder)));
}

#[test]
fn attachments_of_a_question_are_chips_and_say_what_is_missing() {
    let state = with(|chat| {
        let mut question = fixtures::question(chat, 300, "Why?");
        let attachment = |what, title: &str, problem: Option<&str>| Attachment {
            what,
            title: title.into(),
            text: "text".into(),
            characters: 4,
            problem: problem.map(str::to_owned),
        };
        question.attachments = vec![
            attachment(Mentioned::File { path: "/home/ada/spec.md".into() }, "spec.md", None),
            attachment(Mentioned::Folder { path: "/gone".into() }, "gone", Some("It cannot be read.")),
        ];
        vec![question, fixtures::answer(chat, 301, "Because", MessageState::Complete)]
    });
    let mut harness = page::<ChatView>(state, WIDE, true);
    harness.run();
    harness.get_by_label("gone").hover();
    harness.run_steps(60);
    assert!(harness.query_by_label_contains("It cannot be read.").is_some());
    press(&mut harness, "spec.md");
    assert!(harness.state().commands.iter().any(|one| matches!(one, UiCommand::OpenDocument(target)
        if target.path.ends_with("spec.md"))));
}

#[test]
fn models_of_providers_are_read_when_one_is_chosen_and_a_second_may_answer_beside() {
    let mut harness = page::<ChatView>(fixtures::state(), WIDE, true);
    harness.run();
    press(&mut harness, "SmolLM2-135M");
    assert!(told(&harness).contains(&ChatsCommand::ListModels));
    harness.key_press(Key::Escape);
    harness.run();
    harness.state_mut().state.chats.models = Slot::with(vec![model("anthropic/claude"), model("home/llama")]);
    harness.run();
    press(&mut harness, "SmolLM2-135M");
    press(&mut harness, "claude");
    harness.get_by_label_contains("anthropic");
    press(&mut harness, "Compare with a second model");
    press(&mut harness, "llama");
    harness.get_by_label("Question").focus();
    harness.run();
    harness.get_by_label("Question").type_text("Which?");
    harness.run();
    harness.key_press(Key::Enter);
    harness.run();
    let sent = harness.state().commands.iter().find_map(|command| match command {
        UiCommand::Send { question, .. } => Some(question.clone()),
        _ => None,
    });
    let sent = sent.unwrap();
    assert_eq!(sent.model, Some(ModelId("anthropic/claude".into())));
    assert_eq!(sent.beside, Some(ModelId("home/llama".into())));
}

#[test]
fn a_message_that_was_searched_for_is_scrolled_to() {
    let mut state =
        with(|chat| (0..1000).map(|n| fixtures::question(chat, 1000 + n, &format!("Message {n}\n\nmore"))).collect());
    let wanted = state.open_messages()[300].id;
    state.signals.push(Signal::ShowMessage(state.chats.open.unwrap(), wanted));
    let mut harness = page::<ChatView>(state, WIDE, true);
    harness.step();
    harness.state_mut().state.signals.clear();
    harness.run_steps(4);
    assert!(harness.query_by_label_contains("Message 300").is_some());
    assert!(harness.query_by_label_contains("Message 999").is_none());
}

/// Folders, a pinned chat, attachments, versions, two answers side by side, and a full context.
fn everything() -> AppState {
    let mut state = with(|chat| {
        let mut first = fixtures::question(chat, 300, "What do the notes say about leases, and what does it cost?");
        first.versions.all = vec![fixtures::question(chat, 310, "").id, first.id];
        let attachment = |what, title: &str, problem: Option<&str>| Attachment {
            what,
            title: title.into(),
            text: "text".into(),
            characters: 4,
            problem: problem.map(str::to_owned),
        };
        first.attachments = vec![
            attachment(Mentioned::File { path: "/home/ada/leases.md".into() }, "leases.md", None),
            attachment(Mentioned::Folder { path: "/gone".into() }, "old notes", Some("It cannot be read.")),
            attachment(Mentioned::Chat { id: chat }, "Digest for Thursday", None),
        ];
        let stats = fixtures::cited_answer(chat, 301).stats;
        let choice = |model: &str, provider: &str, reason: &str| ModelChoice {
            provider: provider.into(),
            model: model.into(),
            reason: reason.into(),
            ..ModelChoice::default()
        };
        let text = "A lease ends after **sixty seconds**, unless its holder renews it.\n\n| step | who | what it costs |\n| --- | --- | ---: |\n| take | queue | 0.2 ms |\n| renew | worker | 0.1 ms |\n\nThe wait is $E[W] = \\lambda / \\mu$.";
        let mut answer = fixtures::answer(chat, 302, text, MessageState::Complete);
        answer.versions.all = vec![fixtures::question(chat, 311, "").id, answer.id];
        answer.stats = stats.clone();
        answer.context = Some(context());
        answer.choice = Some(ModelChoice {
            tried: vec![TriedModel { model: "home/llama3.2:3b".into(), why: "it does not answer".into() }],
            ..choice("smollm2-135m", "embedded", "the default model")
        });
        let mut left =
            fixtures::answer(chat, 304, "It goes back to the queue, and its attempt counts.", MessageState::Complete);
        left.stats = stats.clone();
        left.context = Some(context());
        left.choice = Some(choice("smollm2-135m", "embedded", "the default model"));
        let streams = "An expired lease is **taken back**:\n\n1. the token is no longer valid,\n2. the task waits";
        let mut right = fixtures::answer(chat, 305, streams, MessageState::Streaming);
        right.choice = Some(choice("home/llama3.2:3b", "home", "chosen in the chat"));
        left.versions.beside = vec![right];
        vec![first, answer, fixtures::question(chat, 303, "And when it expires?"), left]
    });
    state.chats.folders = Slot::with(vec!["Clients/North".into(), "Research".into()]);
    state.chats.preview = Slot::with(context());
    let list = state.chats.list.get_mut().unwrap();
    list[1].chat.pinned = true;
    list[2].chat.folder = "Research".into();
    state
}

#[test]
fn pictures_of_everything() {
    let mut results = egui_kittest::SnapshotResults::new();
    for (dark, name) in [(true, "chat_everything_dark"), (false, "chat_everything_light")] {
        let mut harness = page::<ChatView>(everything(), WIDE, dark);
        harness.run();
        harness.remove_cursor();
        harness.run();
        harness.snapshot(name);
        results.extend_harness(&mut harness);
    }
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
