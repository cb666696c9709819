//! Frames: what goes in comes out; what is no frame is refused and never more memory than it really is.

mod fuzz;

use proptest::prelude::*;
use tokio::io::AsyncWriteExt;

use super::frame::{self, FrameError, LONGEST};
use super::message::{FromClient, FromOwner, Hello};
use crate::api::request::knowledge::AddSource;
use crate::api::request::system::ListJobs;
use crate::api::{ApiError, Call, Event, EventEnvelope, Role};
use crate::model::{ConsentId, ConsentQuestion, ProfileId, Timestamp};

fn run<F: Future>(work: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// Reads one message from these bytes.
fn read(bytes: &[u8]) -> Result<Option<FromClient>, FrameError> {
    let mut reader = bytes;
    run(frame::read(&mut reader))
}

#[test]
fn messages_come_out_as_they_went_in() {
    let odd = std::ffi::OsString::from_encoded(b"/tmp/\xff name");
    let request = AddSource { path: odd.clone().into() }.into_request();
    let profile = Some(ProfileId(uuid::Uuid::from_u128(7)));
    let bytes = frame::encode(&FromClient::Call { id: 9, profile, request }).unwrap();
    let Some(FromClient::Call { id, profile: read_profile, request }) = read(&bytes).unwrap() else { panic!("a call") };
    assert_eq!((id, read_profile), (9, profile));
    assert!(format!("{request:?}").contains(&format!("{odd:?}")), "{request:?}");

    let question = ConsentQuestion {
        id: ConsentId(uuid::Uuid::from_u128(3)),
        at: Timestamp(4),
        who: "w".to_owned(),
        what: "x".to_owned(),
    };
    let event = Event::ConsentAsked { question };
    let told = EventEnvelope { number: u64::MAX, at: Timestamp(-1), profile, event };
    let bytes = frame::encode(&FromOwner::Event(told.clone())).unwrap();
    let Ok(FromOwner::Event(read)) = frame::decode(&bytes[4..]) else { panic!("an event") };
    assert_eq!(read, told);

    let refused = FromOwner::Reply { id: 1, result: Err(ApiError::cancelled()) };
    let bytes = frame::encode(&refused).unwrap();
    let Ok(FromOwner::Reply { result: Err(error), .. }) = frame::decode(&bytes[4..]) else { panic!("a reply") };
    assert_eq!(error, ApiError::cancelled());
}

trait FromEncoded {
    fn from_encoded(bytes: &[u8]) -> Self;
}

impl FromEncoded for std::ffi::OsString {
    fn from_encoded(bytes: &[u8]) -> Self {
        std::os::unix::ffi::OsStringExt::from_vec(bytes.to_vec())
    }
}

#[test]
fn a_greeting_of_another_version_is_still_read() {
    #[derive(serde::Serialize)]
    struct Other {
        magic: &'static str,
        protocol: u32,
        something_new: Vec<u32>,
    }
    let bytes = frame::encode(&Other { magic: "rspa-local", protocol: 99, something_new: vec![1] }).unwrap();
    let hello: Hello = frame::decode(&bytes[4..]).unwrap();
    assert_eq!((hello.protocol, hello.role), (99, None));
    assert_eq!(Hello::of(Role::Command, None).protocol, super::PROTOCOL);
}

#[test]
fn ends_and_lengths() {
    assert!(read(b"").unwrap().is_none());
    let whole = frame::encode(&FromClient::Call { id: 1, profile: None, request: ListJobs {}.into_request() }).unwrap();
    for cut in 1..whole.len() {
        assert!(matches!(read(&whole[..cut]), Err(FrameError::Cut)), "{cut}");
    }
    let over = u32::try_from(LONGEST + 1).unwrap().to_le_bytes();
    assert!(matches!(read(&over), Err(FrameError::TooLong(_))));
    // A long length alone takes no memory: reading ends with what is there.
    let promised = u32::try_from(LONGEST).unwrap().to_le_bytes();
    assert!(matches!(read(&promised), Err(FrameError::Cut)));
    let large = vec![0_u8; LONGEST + 1];
    assert!(matches!(frame::encode(&serde_bytes_of(&large)), Err(FrameError::TooLong(_))));
}

/// Text of the same length.
fn serde_bytes_of(bytes: &[u8]) -> String {
    "x".repeat(bytes.len())
}

#[test]
fn structures_that_are_too_deep_are_refused() {
    let mut bytes = vec![0x91; 100_000];
    bytes.push(0xc0);
    assert!(matches!(frame::decode::<FromClient>(&bytes), Err(FrameError::Malformed(_))));
    assert!(matches!(frame::decode::<Hello>(&bytes), Err(FrameError::Malformed(_))));
}

#[test]
fn frames_that_arrive_byte_by_byte_are_read() {
    let bytes = frame::encode(&FromClient::Cancel { id: 77 }).unwrap();
    run(async {
        let (mut near, mut far) = tokio::io::duplex(1);
        let writing = async {
            for byte in &bytes {
                near.write_all(std::slice::from_ref(byte)).await.unwrap();
            }
        };
        let (message, ()) = tokio::join!(frame::read::<FromClient>(&mut far), writing);
        assert!(matches!(message.unwrap(), Some(FromClient::Cancel { id: 77 })));
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        frame::decode::<FromClient>(&bytes).ok();
        frame::decode::<FromOwner>(&bytes).ok();
        frame::decode::<Hello>(&bytes).ok();
        read(&bytes).ok();
    }

    #[test]
    fn changed_messages_are_read_or_refused(at in 0_usize..200, to: u8, cut in 0_usize..200) {
        let request = AddSource { path: "/a/b".into() }.into_request();
        let mut bytes = frame::encode(&FromClient::Call { id: 1, profile: None, request }).unwrap().split_off(4);
        let at = at % bytes.len();
        bytes[at] = to;
        bytes.truncate(bytes.len() - cut % bytes.len());
        frame::decode::<FromClient>(&bytes).ok();
    }
}
