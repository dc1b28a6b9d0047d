//! How times stand on the wire and in the stores: RFC 3339, UTC, milliseconds, `Z`.

use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

const MILLIS: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

/// Prints `time` as `2026-01-02T03:04:05.678Z`.
pub fn print(time: OffsetDateTime) -> String {
    // Fails only for years beyond 9999, which no clock of ours gives.
    time.to_offset(time::UtcOffset::UTC).format(MILLIS).unwrap_or_default()
}

/// Reads any RFC 3339 time.
pub fn parse(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339).ok()
}

/// `#[serde(with = "atg_models::time_text")]` for an [`OffsetDateTime`].
///
/// # Errors
/// As the serializer's.
pub fn serialize<S: serde::Serializer>(time: &OffsetDateTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&print(*time))
}

/// The counterpart of [`serialize`].
///
/// # Errors
/// When the text is no RFC 3339 time.
pub fn deserialize<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<OffsetDateTime, D::Error> {
    use serde::Deserialize as _;
    let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
    parse(&text).ok_or_else(|| serde::de::Error::custom("must be an RFC 3339 time"))
}

/// `#[serde(with = "atg_models::time_text::option")]` for an `Option<OffsetDateTime>`.
pub mod option {
    use super::OffsetDateTime;

    /// Prints the time or null.
    ///
    /// # Errors
    /// As the serializer's.
    pub fn serialize<S: serde::Serializer>(time: &Option<OffsetDateTime>, serializer: S) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => super::serialize(time, serializer),
            None => serializer.serialize_none(),
        }
    }

    /// Reads a time or null.
    ///
    /// # Errors
    /// When the text is no RFC 3339 time.
    pub fn deserialize<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<OffsetDateTime>, D::Error> {
        use serde::Deserialize as _;
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| super::parse(&text).ok_or_else(|| serde::de::Error::custom("must be an RFC 3339 time")))
            .transpose()
    }
}
