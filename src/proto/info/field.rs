//! Reads the fields of an INFO that mean something, and keeps no more of them than the limits allow.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::error::{Error, Result, Status};
use crate::proto::memory;

/// Most announced servers that are taken from one INFO.
pub(crate) const MAX_URLS: usize = 32 * 1024;
/// Longest text in an INFO, in bytes.
pub(super) const MAX_TEXT: usize = 32 * 1024;

const NAMES: [&str; 16] = [
    "server_id",
    "server_name",
    "version",
    "host",
    "port",
    "auth_required",
    "tls_required",
    "tls_available",
    "max_payload",
    "connect_urls",
    "proto",
    "client_id",
    "nonce",
    "client_ip",
    "ldm",
    "headers",
];

/// The value of a field.
pub(super) enum Field {
    Null,
    Flag(bool),
    Negative(i64),
    Whole(u64),
    Float(f64),
    /// A text up to an embedded NUL, since C programs get to see it.
    Text(String),
    LongText,
    /// Texts, but for those that are too long.
    Texts(Vec<String>),
    /// Something no field is.
    Other,
    NoMemory,
}

/// The known fields of a record; of several with one name the last.
pub(super) struct Record([Option<Field>; NAMES.len()]);

impl Record {
    /// Fails with `ERR` for anything but one JSON object.
    pub(super) fn parse(json: &str) -> Result<Record> {
        let mut reader = serde_json::Deserializer::from_str(json);
        let record = reader.deserialize_map(RecordVisitor).and_then(|record| reader.end().map(|()| record));
        record.map_err(|error| Error::new(Status::Err, format!("Invalid protocol: {error}")))
    }

    pub(super) fn take(&mut self, name: &str) -> Option<Field> {
        let place = NAMES.iter().position(|known| *known == name)?;
        self.0[place].take()
    }
}

struct RecordVisitor;

impl<'de> Visitor<'de> for RecordVisitor {
    type Value = Record;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Record, A::Error> {
        let mut record = Record(Default::default());
        while let Some(Name(place)) = map.next_key()? {
            match place {
                Some(place) => record.0[place] = Some(map.next_value()?),
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(record)
    }
}

/// The place of a known name.
struct Name(Option<usize>);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Name, D::Error> {
        struct NameVisitor;

        impl Visitor<'_> for NameVisitor {
            type Value = Name;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_str<E>(self, name: &str) -> std::result::Result<Name, E> {
                Ok(Name(NAMES.iter().position(|known| *known == name)))
            }
        }

        deserializer.deserialize_str(NameVisitor)
    }
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Field, D::Error> {
        deserializer.deserialize_any(FieldVisitor)
    }
}

struct FieldVisitor;

impl<'de> Visitor<'de> for FieldVisitor {
    type Value = Field;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> std::result::Result<Field, E> {
        Ok(Field::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> std::result::Result<Field, E> {
        Ok(Field::Flag(flag))
    }

    fn visit_i64<E>(self, number: i64) -> std::result::Result<Field, E> {
        Ok(Field::Negative(number))
    }

    fn visit_u64<E>(self, number: u64) -> std::result::Result<Field, E> {
        Ok(Field::Whole(number))
    }

    fn visit_f64<E>(self, number: f64) -> std::result::Result<Field, E> {
        Ok(Field::Float(number))
    }

    fn visit_str<E>(self, text: &str) -> std::result::Result<Field, E> {
        Ok(kept(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> std::result::Result<Field, A::Error> {
        let mut texts = Vec::new();
        let mut list = Field::Null; // as long as it is one of texts
        while texts.len() < MAX_URLS
            && let Some(item) = seq.next_element()?
        {
            match item {
                Field::Text(text) => {
                    if memory::push(&mut texts, text).is_err() {
                        list = Field::NoMemory;
                    }
                }
                Field::LongText => {}
                Field::NoMemory => list = Field::NoMemory,
                _ => list = Field::Other,
            }
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(if matches!(list, Field::Null) { Field::Texts(texts) } else { list })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Field, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Field::Other)
    }
}

fn kept(text: &str) -> Field {
    let text = &text[..text.find('\0').unwrap_or(text.len())];
    if text.len() > MAX_TEXT {
        return Field::LongText;
    }
    let mut copy = String::new();
    if copy.try_reserve_exact(text.len()).is_err() {
        return Field::NoMemory;
    }
    copy.push_str(text);
    Field::Text(copy)
}
