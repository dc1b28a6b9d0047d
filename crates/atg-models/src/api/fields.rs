//! Reads a request's fields one by one and collects every violated rule and every unknown field.
//!
//! Of wrong types only the first is told: what follows from a body of another shape is noise.

use std::str::FromStr;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::api::ErrorResponse;
use crate::error_code::ErrorCode;
use crate::ids::TenantId;

/// A field and what is wrong with it. The message reads on from the field's name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FieldError {
    /// The field as the client wrote it; `body` for the body itself.
    #[cfg_attr(feature = "openapi", schema(example = "tenant_id"))]
    pub field: String,
    /// The rule.
    #[cfg_attr(feature = "openapi", schema(example = "must be a valid UUID"))]
    pub message: String,
}

impl FieldError {
    /// A field and its rule.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            message: message.into(),
        }
    }
}

/// Why a body, or a query, is not a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// Not JSON, or a value of a wrong type; the first that was found.
    #[error("{} {}", .0.field, .0.message)]
    Malformed(FieldError),
    /// Violated rules and unknown fields, all of them; at least one.
    #[error("{}", first_of(.0))]
    Invalid(Vec<FieldError>),
}

impl RequestError {
    /// One violated rule.
    pub fn rule(field: &str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError::new(field, message)])
    }

    /// Which code it is answered with.
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Malformed(_) => ErrorCode::MalformedJson,
            Self::Invalid(_) => ErrorCode::InvalidRequest,
        }
    }

    /// What is wrong, field by field.
    pub fn fields(&self) -> &[FieldError] {
        match self {
            Self::Malformed(error) => std::slice::from_ref(error),
            Self::Invalid(errors) => errors,
        }
    }

    /// What the client gets.
    pub fn response(&self) -> ErrorResponse {
        ErrorResponse::with_fields(self.code(), self.to_string(), self.fields())
    }
}

fn first_of(errors: &[FieldError]) -> String {
    errors.first().map_or_else(
        || "the request is invalid".to_owned(),
        |error| format!("{} {}", error.field, error.message),
    )
}

/// A request body: read with its rules, written back as job parameters.
pub trait ApiRequest: Serialize + DeserializeOwned {
    /// Reads all fields. What is wrong is noted in `fields`; the value counts only when nothing is.
    fn read(fields: &mut Fields<'_>) -> Self;

    /// Reads a body.
    fn from_json(body: &[u8]) -> Result<Self, RequestError> {
        let value = serde_json::from_slice(body).map_err(|error| {
            let message = if body.iter().all(u8::is_ascii_whitespace) {
                "is empty; a JSON object is expected".to_owned()
            } else {
                format!("is not valid JSON: {error}")
            };
            RequestError::Malformed(FieldError::new("body", message))
        })?;
        Self::from_value(&value)
    }

    /// Reads a value.
    fn from_value(value: &Value) -> Result<Self, RequestError> {
        let Some(members) = value.as_object() else {
            return Err(RequestError::Malformed(FieldError::new(
                "body",
                "must be a JSON object",
            )));
        };
        let mut fields = Fields::new(members);
        let request = Self::read(&mut fields);
        fields.finish()?;
        Ok(request)
    }

    /// Checks a request that was built in code, as a client does before it sends it.
    fn checked(self) -> Result<Self, RequestError> {
        let value = serde_json::to_value(&self)
            .map_err(|error| RequestError::Malformed(FieldError::new("body", error.to_string())))?;
        Self::from_value(&value)
    }
}

/// The members of a request's object, and what was found wrong with them.
#[derive(Debug)]
pub struct Fields<'a> {
    members: &'a Map<String, Value>,
    known: Vec<&'static str>,
    malformed: Option<FieldError>,
    invalid: Vec<FieldError>,
}

impl<'a> Fields<'a> {
    /// Starts with no field read.
    pub fn new(members: &'a Map<String, Value>) -> Self {
        Self {
            members,
            known: Vec::new(),
            malformed: None,
            invalid: Vec::new(),
        }
    }

    /// Everything that is wrong, the fields that nobody read included.
    pub fn finish(mut self) -> Result<(), RequestError> {
        if let Some(error) = self.malformed {
            return Err(RequestError::Malformed(error));
        }
        for name in self.members.keys() {
            if !self.known.contains(&name.as_str()) {
                self.invalid.push(FieldError::new(name, "is not a known field"));
            }
        }
        if self.invalid.is_empty() {
            Ok(())
        } else {
            Err(RequestError::Invalid(self.invalid))
        }
    }

    /// Notes a violated rule.
    pub fn refuse(&mut self, field: &str, message: impl Into<String>) {
        self.invalid.push(FieldError::new(field, message));
    }

    /// Whether the field is there and not null.
    pub fn has(&self, name: &str) -> bool {
        self.members.get(name).is_some_and(|value| !value.is_null())
    }

    /// The value itself; null counts as absent.
    pub fn value(&mut self, name: &'static str) -> Option<&'a Value> {
        self.known.push(name);
        self.members.get(name).filter(|value| !value.is_null())
    }

    /// A text.
    pub fn text(&mut self, name: &'static str) -> Option<&'a str> {
        let value = self.value(name)?;
        let text = value.as_str();
        if text.is_none() {
            self.wrong_type(name, "must be a string");
        }
        text
    }

    /// A text that has to be there.
    pub fn required_text(&mut self, name: &'static str) -> Option<&'a str> {
        if !self.has(name) {
            self.refuse(name, "is required");
        }
        self.text(name)
    }

    /// A text of 1 to `max_bytes` bytes without control characters.
    pub fn short_text(&mut self, name: &'static str, max_bytes: usize) -> Option<String> {
        let text = self.text(name)?;
        if text.trim().is_empty() || text.len() > max_bytes {
            self.refuse(name, format!("must have 1 to {max_bytes} bytes and not be blank"));
        } else if text.chars().any(char::is_control) {
            self.refuse(name, "must not contain control characters");
        }
        Some(text.to_owned())
    }

    /// A text that `T` can be parsed from.
    pub fn parsed<T>(&mut self, name: &'static str) -> Option<T>
    where
        T: FromStr,
        T::Err: std::fmt::Display,
    {
        match self.text(name)?.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.refuse(name, error.to_string());
                None
            }
        }
    }

    /// A tenant that has to be named. The nil UUID stands in when it is not; [`Fields::finish`]
    /// refuses the request then.
    pub fn required_tenant(&mut self, name: &'static str) -> TenantId {
        if !self.has(name) {
            self.refuse(name, "is required and must be a valid UUID");
        }
        self.parsed(name).unwrap_or(TenantId::new(Uuid::nil()))
    }

    /// True or false.
    pub fn flag(&mut self, name: &'static str, default: bool) -> bool {
        let Some(value) = self.value(name) else {
            return default;
        };
        value.as_bool().unwrap_or_else(|| {
            self.wrong_type(name, "must be true or false");
            default
        })
    }

    /// A whole number above zero.
    pub fn positive(&mut self, name: &'static str) -> Option<u64> {
        let number = self.whole_number(name)?;
        match u64::try_from(number) {
            Ok(number) if number > 0 => Some(number),
            Ok(_) | Err(_) => {
                self.refuse(name, "must be greater than 0");
                None
            }
        }
    }

    /// A whole number within bounds.
    pub fn number(&mut self, name: &'static str, default: u32, min: u32, max: u32) -> u32 {
        let Some(number) = self.whole_number(name) else {
            return default;
        };
        match u32::try_from(number) {
            Ok(number) if (min..=max).contains(&number) => number,
            Ok(_) | Err(_) => {
                self.refuse(name, format!("must be between {min} and {max}"));
                default
            }
        }
    }

    /// One of a few words; the type's default when it is absent.
    pub fn word<T: Copy + Default>(&mut self, name: &'static str, words: &[(&str, T)]) -> T {
        let Some(text) = self.text(name) else {
            return T::default();
        };
        let found = words.iter().find(|(word, _)| *word == text);
        if found.is_none() {
            let words: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            self.refuse(name, format!("must be one of {}", words.join(", ")));
        }
        found.map_or_else(T::default, |(_, value)| *value)
    }

    /// An object, member by member.
    pub fn object(&mut self, name: &'static str) -> Map<String, Value> {
        let Some(value) = self.value(name) else {
            return Map::new();
        };
        value.as_object().cloned().unwrap_or_else(|| {
            self.wrong_type(name, "must be an object");
            Map::new()
        })
    }

    fn whole_number(&mut self, name: &'static str) -> Option<i128> {
        let value = self.value(name)?;
        let number = value
            .as_i64()
            .map(i128::from)
            .or_else(|| value.as_u64().map(i128::from));
        if number.is_none() {
            self.wrong_type(name, "must be a whole number");
        }
        number
    }

    fn wrong_type(&mut self, name: &str, message: &str) {
        if self.malformed.is_none() {
            self.malformed = Some(FieldError::new(name, message));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(body: &Value, read: impl Fn(&mut Fields<'_>)) -> Result<(), RequestError> {
        let mut fields = Fields::new(body.as_object().unwrap());
        read(&mut fields);
        fields.finish()
    }

    #[test]
    fn a_float_is_no_whole_number_even_when_it_is_whole() {
        for wrong in [
            json!({"n": 5.0}),
            json!({"n": 1e3}),
            json!({"n": "5"}),
            json!({"n": true}),
        ] {
            let error = check(&wrong, |fields| {
                fields.number("n", 1, 1, 9);
            });
            assert_eq!(
                error,
                Err(RequestError::Malformed(FieldError::new("n", "must be a whole number")))
            );
        }
    }

    #[test]
    fn null_is_absent() {
        let body = json!({"n": null, "flag": null, "text": null});
        let read = |fields: &mut Fields<'_>| {
            assert_eq!(fields.number("n", 7, 1, 9), 7);
            assert!(fields.flag("flag", true));
            assert_eq!(fields.text("text"), None);
        };
        assert_eq!(check(&body, read), Ok(()));
    }

    #[test]
    fn all_violations_are_told_but_only_the_first_wrong_type() {
        let read = |fields: &mut Fields<'_>| {
            fields.number("a", 1, 1, 9);
            fields.positive("b");
        };
        let error = check(&json!({"a": 10, "b": -1, "zap": 1}), read).unwrap_err();
        let names: Vec<_> = error.fields().iter().map(|error| error.field.as_str()).collect();
        assert_eq!(names, ["a", "b", "zap"]);
        assert_eq!(error.to_string(), "a must be between 1 and 9");
        let error = check(&json!({"a": "x", "b": "y", "zap": 1}), read).unwrap_err();
        assert_eq!(error.code(), ErrorCode::MalformedJson);
        assert_eq!(error.fields().len(), 1);
    }
}
