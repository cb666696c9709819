//! A clock that is set back and forward: nothing is lost, nothing goes before its time, and order stays order.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use rspa_core::api::request::chats::{CreateChat, GetMessages, ListChats, SendQuestion};
use rspa_core::api::request::settings::SetSetting;
use rspa_core::api::request::system::{GetOverview, GetUiState, PutUiState};
use rspa_core::api::{Core, CoreOptions, Event, Heard, Role};
use rspa_core::clock::{Clock, ManualClock};
use rspa_core::inference::scripted::ScriptedModel;
use rspa_core::model::{ChatId, MessageState, Question, SettingValue, Timestamp};

const DAY: i64 = 24 * 60 * 60 * 1000;
const YEAR: i64 = 365 * DAY;

fn start(data: &Path, clock: &Arc<ManualClock>) -> Core {
    let clock: Arc<dyn Clock> = clock.clone();
    Core::start(CoreOptions {
        role: Role::Command,
        data_folder: Some(data.join("data")),
        overrides: BTreeMap::new(),
        environment: BTreeMap::from([("HOME".to_owned(), data.display().to_string())]),
        console_level: None,
        chat_model: Some(Arc::new(ScriptedModel::new().reply("tide", "It rises three metres."))),
        clock,
        faults: None,
    })
    .unwrap()
}

fn ask(core: &Core, text: &str) -> ChatId {
    let mut listener = core.subscribe();
    let chat = core.call(CreateChat { title: String::new() }).wait().unwrap().id;
    let question = Question {
        text: text.to_owned(),
        use_knowledge: false,
        sources: Vec::new(),
        model: None,
        beside: None,
        attachments: Vec::new(),
    };
    let answer = core.call(SendQuestion { chat, question }).wait().unwrap().answer.id;
    loop {
        let Heard::Event(envelope) = listener.next() else { panic!("no more events") };
        if let Event::MessageChanged { message } = envelope.event
            && message.id == answer
            && !matches!(message.state, MessageState::Preparing | MessageState::Streaming)
        {
            assert_eq!(message.state, MessageState::Complete);
            return chat;
        }
    }
}

/// Everything that was asked is there, each with its answer.
fn check(core: &Core, asked: &[(ChatId, String)]) {
    let listed = core.call(ListChats {}).wait().unwrap();
    assert_eq!(listed.len(), asked.len());
    for (chat, text) in asked {
        let messages = core.call(GetMessages { chat: *chat }).wait().unwrap();
        let texts: Vec<&str> = messages.iter().map(|message| message.text.as_str()).collect();
        assert_eq!(texts, [text.as_str(), "It rises three metres."], "the question comes before its answer");
    }
    core.call(GetOverview { days: 30 }).wait().unwrap();
}

#[test]
fn chats_and_settings_outlive_every_jump() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::at(Timestamp(1_760_000_000_000)));
    let mut core = start(folder.path(), &clock);
    let mut asked = Vec::new();
    // Back before the first, far into the future, to the beginning of time, and home.
    for (round, jump) in [0, -2 * YEAR, 12 * YEAR, 100 * YEAR, -1_760_000_000_000, DAY].into_iter().enumerate() {
        if jump == -1_760_000_000_000 {
            clock.advance_ms(-clock.now().0);
        } else {
            clock.advance_ms(jump);
        }
        for again in 0..2 {
            let text = format!("How high is tide {round}.{again}?");
            asked.push((ask(&core, &text), text));
            let value = i64::try_from(1_000 + asked.len()).unwrap();
            let set = SetSetting { key: "models.max_tokens".to_owned(), value: SettingValue::Integer(value) };
            core.call(set).wait().unwrap();
            core.call(PutUiState { name: "round".to_owned(), text: value.to_string() }).wait().unwrap();
            check(&core, &asked);
            let kept = core.call(GetUiState { name: "round".to_owned() }).wait().unwrap();
            assert_eq!(kept, Some(value.to_string()));
            core.shutdown();
            core = start(folder.path(), &clock);
            check(&core, &asked);
        }
    }
}
