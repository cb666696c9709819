//! Versioned records: a version number before a MessagePack map of named fields, and a chain of upgrades.
//!
//! A new optional field (`#[serde(default)]`) needs no new version: maps are read by field name. Anything else
//! gets a new struct with `VERSION` one higher, whose `Before` is the old struct.

use redb::{Key, ReadableTable};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::StorageError;
use super::table::Table;

/// A stored struct, apart from the domain type it is made from.
pub trait Record: Serialize + DeserializeOwned {
    /// For messages: "chat".
    const NAME: &'static str;
    /// From 1.
    const VERSION: u16;
    /// The struct of the version before; [`NoEarlier`] for version 1.
    type Before: Record;

    fn upgrade(before: Self::Before) -> Self;
}

/// The end of every upgrade chain: there is no version 0.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub enum NoEarlier {}

impl Record for NoEarlier {
    const NAME: &'static str = "record";
    const VERSION: u16 = 0;
    type Before = Self;

    fn upgrade(before: Self) -> Self {
        before
    }
}

/// Implements [`Record`] for the first version of a struct: `first_version!(StoredChat, "chat");`
#[macro_export]
#[doc(hidden)]
macro_rules! __first_version {
    ($record:ident, $name:literal) => {
        impl $crate::storage::Record for $record {
            const NAME: &'static str = $name;
            const VERSION: u16 = 1;
            type Before = $crate::storage::NoEarlier;

            fn upgrade(before: Self::Before) -> Self {
                match before {}
            }
        }
        $crate::storage::golden_record!($record);
    };
}
pub use crate::__first_version as first_version;

/// Tests a record against the bytes that were stored of each of its versions: every [`Record`] has one of these.
#[macro_export]
#[doc(hidden)]
macro_rules! __golden_record {
    ($record:ident) => {
        #[cfg(test)]
        #[test]
        #[allow(non_snake_case, reason = "the test is named as the record")]
        fn $record() {
            $crate::storage::golden::check::<$record>();
        }
    };
}
pub use crate::__golden_record as golden_record;

pub fn encode<R: Record>(record: &R) -> Result<Vec<u8>, StorageError> {
    let mut bytes = R::VERSION.to_le_bytes().to_vec();
    rmp_serde::encode::write_named(&mut bytes, record)
        .map_err(|error| StorageError::Record { record: R::NAME, detail: error.to_string() })?;
    Ok(bytes)
}

/// Reads a record of this or any earlier version.
pub fn decode<R: Record>(bytes: &[u8]) -> Result<R, StorageError> {
    let Some((version, body)) = bytes.split_first_chunk::<2>() else {
        return Err(StorageError::Record { record: R::NAME, detail: "it is too short".to_owned() });
    };
    decode_version(u16::from_le_bytes(*version), body)
}

fn decode_version<R: Record>(version: u16, body: &[u8]) -> Result<R, StorageError> {
    if version == 0 || version > R::VERSION {
        let detail = format!("it has version {version}, this rspa knows {}", R::VERSION);
        return Err(StorageError::Record { record: R::NAME, detail });
    }
    if version == R::VERSION {
        return rmp_serde::from_slice(body)
            .map_err(|error| StorageError::Record { record: R::NAME, detail: error.to_string() });
    }
    decode_version::<R::Before>(version, body).map(R::upgrade)
}

/// A record of any kind and version as JSON; none for bytes that are no record.
pub(super) fn to_json(bytes: &[u8]) -> Option<serde_json::Value> {
    let (version, body) = bytes.split_first_chunk::<2>()?;
    let Loose(value) = rmp_serde::from_slice(body).ok()?;
    Some(serde_json::json!({ "version": u16::from_le_bytes(*version), "record": value }))
}

/// Any value as JSON; bytes (ids among them) as hexadecimal digits.
struct Loose(serde_json::Value);

impl<'de> serde::Deserialize<'de> for Loose {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LooseVisitor).map(Self)
    }
}

struct LooseVisitor;

impl<'de> serde::de::Visitor<'de> for LooseVisitor {
    type Value = serde_json::Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(value.into())
    }

    fn visit_bytes<E>(self, value: &[u8]) -> Result<Self::Value, E> {
        Ok(value.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into())
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(serde_json::Value::Null)
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(serde_json::Value::Null)
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Loose(value)) = list.next_element()? {
            values.push(value);
        }
        Ok(values.into())
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = serde_json::Map::new();
        while let Some((Loose(key), Loose(value))) = map.next_entry()? {
            fields.insert(key.as_str().map_or_else(|| key.to_string(), str::to_owned), value);
        }
        Ok(fields.into())
    }
}

/// Reads records from any table whose values are record bytes.
pub trait RecordReading<K: Key + 'static> {
    fn record<R: Record>(&self, key: K::SelfType<'_>) -> Result<Option<R>, StorageError>;
}

impl<K: Key + 'static, T: ReadableTable<K, &'static [u8]>> RecordReading<K> for T {
    fn record<R: Record>(&self, key: K::SelfType<'_>) -> Result<Option<R>, StorageError> {
        self.get(key)?.map(|bytes| decode(bytes.value())).transpose()
    }
}

/// Writes records into tables whose values are record bytes.
pub trait RecordWriting<K: Key + 'static> {
    fn put<R: Record>(&mut self, key: K::SelfType<'_>, record: &R) -> Result<(), StorageError>;
}

impl<K: Key + 'static> RecordWriting<K> for Table<'_, K, &'static [u8]> {
    fn put<R: Record>(&mut self, key: K::SelfType<'_>, record: &R) -> Result<(), StorageError> {
        self.put_record(key, record)
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct NoteV1 {
        text: String,
    }

    impl Record for NoteV1 {
        const NAME: &'static str = "note";
        const VERSION: u16 = 1;
        type Before = NoEarlier;

        fn upgrade(before: NoEarlier) -> Self {
            match before {}
        }
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct NoteV2 {
        title: String,
        body: String,
        #[serde(default)]
        stars: u32,
    }

    impl Record for NoteV2 {
        const NAME: &'static str = "note";
        const VERSION: u16 = 2;
        type Before = NoteV1;

        fn upgrade(before: NoteV1) -> Self {
            Self { title: before.text.lines().next().unwrap_or_default().to_owned(), body: before.text, stars: 0 }
        }
    }

    #[test]
    fn an_older_record_is_upgraded() {
        let old = encode(&NoteV1 { text: "shopping\nmilk".to_owned() }).unwrap();
        let new: NoteV2 = decode(&old).unwrap();
        assert_eq!(new, NoteV2 { title: "shopping".to_owned(), body: "shopping\nmilk".to_owned(), stars: 0 });
    }

    #[test]
    fn a_newer_record_is_refused() {
        let new = encode(&NoteV2 { title: String::new(), body: String::new(), stars: 3 }).unwrap();
        let error = decode::<NoteV1>(&new).unwrap_err();
        assert!(error.to_string().contains("version 2"), "{error}");
    }

    #[test]
    fn an_added_optional_field_needs_no_version() {
        #[derive(Serialize, Deserialize)]
        struct Without {
            title: String,
            body: String,
        }
        let mut bytes = 2u16.to_le_bytes().to_vec();
        rmp_serde::encode::write_named(&mut bytes, &Without { title: "a".to_owned(), body: "b".to_owned() }).unwrap();
        assert_eq!(decode::<NoteV2>(&bytes).unwrap().stars, 0);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_give_a_record_or_an_error(bytes: Vec<u8>) {
            if let Ok(note) = decode::<NoteV2>(&bytes) {
                proptest::prop_assert!(encode(&note).is_ok());
            }
        }
    }
}
