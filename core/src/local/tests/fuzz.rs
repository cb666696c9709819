//! Any bytes as messages of the local socket: read or refused, never a panic, never more memory than they fill.

use super::*;
use crate::api::request::chats::{CreateChat, SendQuestion};
use crate::api::request::knowledge::Search;
use crate::api::request::settings::SetSetting;
use crate::api::request::system::{GetOverview, PutUiState};
use crate::model::{ChatId, Question, SearchMode, SearchQuery, SettingValue, SourceId};
use crate::soak::{self, Chance};

/// Messages as they are really sent, without the length before them.
fn real() -> Vec<Vec<u8>> {
    let question = Question {
        text: "Why?".to_owned(),
        use_knowledge: true,
        sources: Vec::new(),
        model: None,
        beside: None,
        attachments: Vec::new(),
    };
    let query = SearchQuery {
        after: None,
        before: None,
        compare_ms: 0,
        text: "crane".to_owned(),
        mode: SearchMode::Hybrid,
        limit: 8,
        sources: vec![SourceId(uuid::Uuid::from_u128(5))],
        kinds: Vec::new(),
    };
    let requests = [
        AddSource { path: "/a/b".into() }.into_request(),
        CreateChat { title: "x".to_owned() }.into_request(),
        SendQuestion { chat: ChatId(uuid::Uuid::from_u128(1)), question }.into_request(),
        Search { query }.into_request(),
        SetSetting { key: "ui.zoom".to_owned(), value: SettingValue::Number(1.5) }.into_request(),
        PutUiState { name: "layout".to_owned(), text: "{}".to_owned() }.into_request(),
        GetOverview { days: 7 }.into_request(),
        ListJobs {}.into_request(),
    ];
    let profile = Some(ProfileId(uuid::Uuid::from_u128(7)));
    let calls = requests.into_iter().map(|request| frame::encode(&FromClient::Call { id: 1, profile, request }));
    let others = [
        frame::encode(&FromClient::Cancel { id: 77 }),
        frame::encode(&FromOwner::Reply { id: 1, result: Err(ApiError::cancelled()) }),
    ];
    calls.chain(others).map(|message| message.unwrap().split_off(4)).collect()
}

#[test]
fn fuzzed_messages_are_read_or_refused() {
    let seed = soak::seed(11);
    let mut chance = Chance(seed);
    let (rounds, real) = (soak::count(4_000, 200_000), real());
    let (mut read_well, mut refused) = (0, 0);
    for round in 0..rounds {
        let bytes = if round % 4 == 0 {
            chance.bytes(300)
        } else {
            let mut bytes = real[chance.below(real.len())].clone();
            chance.harm(&mut bytes);
            bytes
        };
        let ok = frame::decode::<FromClient>(&bytes).is_ok()
            | frame::decode::<FromOwner>(&bytes).is_ok()
            | frame::decode::<Hello>(&bytes).is_ok();
        read_well += usize::from(ok);
        refused += usize::from(!ok);
        if round % 16 == 0 {
            // With a length before them, mostly a true one.
            let length = if chance.below(4) == 0 { chance.next() } else { bytes.len() as u64 };
            let mut framed = length.to_le_bytes()[..4].to_vec();
            framed.extend(&bytes);
            read(&framed).ok();
        }
    }
    assert!(read_well > rounds / 100 && refused > rounds / 10, "{read_well} were read, {refused} refused");
    soak::report("fuzzed socket messages", rounds, seed);
}
